// Random statements as users of every kind, compared with the same statements over plain tables
// that hold only what a naive reading of the rules lets the user see. Identity, choices, rights,
// plan settings and the way of asking change all the time, in one long session, so that plans made
// for one user meet another.
//
//   ENTITLE_STATEMENTS   how many statements to run
//   ENTITLE_SEED         where chance begins; a failure names the seed that repeats it
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "session.hpp"
#include "query_generator.hpp"

namespace entitle::client {
namespace {

constexpr std::size_t kStatements = 10000;
constexpr std::uint64_t kSeed = 20261121;
constexpr std::size_t kMaxFailures = 5;
constexpr std::size_t kMaxPrepared = 60;
constexpr std::size_t kStatic = 30; // statements that live in functions

std::uint64_t number_setting(const char *name, std::uint64_t otherwise) {
    const char *text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string read_file(const char *path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

struct User {
    const char *id;    // "NULL" is nobody
    const char *login; // of sign_in, empty when the database role says who it is
    const char *role;
};

const std::vector<User> &users() {
    static const std::vector<User> all = {
        {"NULL", "", "rq_app"},
        {"101", "viewer", "rq_app"},
        {"102", "seller", "rq_app"},
        {"103", "operator", "rq_app"},
        {"104", "everything", "rq_app"},
        {"105", "accountant", "rq_app"},
        {"106", "other brand", "rq_app"},
        {"107", "second", "rq_app"},
        {"108", "owner", "rq_app"},
        {"109", "second owner", "rq_app"},
        {"110", "alone", "rq_app"},
        {"111", "two organizations", "rq_app"},
        {"112", "goods", "rq_app"},
        {"113", "no role", "rq_app"},
        {"114", "role of both", "rq_app"},
        {"120", "basic", "rq_app"},
        {"121", "orders", "rq_app"},
        {"122", "prices", "rq_app"},
        {"123", "billing", "rq_app"},
        {"124", "admin", "rq_app"},
        {"125", "customer owner", "rq_app"},
        {"126", "mixed", "rq_app"},
        {"127", "expired", "rq_app"},
        {"128", "one customer", "rq_app"},
        {"129", "many customers", "rq_app"},
        {"130", "unlimited", "rq_app"},
        {"131", "seller outside", "rq_app"},
        {"132", "goods outside", "rq_app"},
        {"133", "nothing", "rq_app"},
        {"140", "", "rq_staff"},
        {"141", "", "rq_outsider"},
        {"142", "", "rq_inactive"},
        // Signed in over a role that stands for somebody else.
        {"128", "one customer", "rq_staff"},
        {"104", "everything", "rq_outsider"},
    };
    return all;
}

// How a statement is put to the server.
enum class Way { simple, extended, prepared, sql_prepared, cursor, table, function, copy };
constexpr std::size_t kWays = 8;

class RandomQuery : public ::testing::Test {
  protected:
    // Its rights and settings are nothing that other tests should meet.
    static Session make_world() {
        Session cluster;
        cluster.must("DROP DATABASE IF EXISTS random_query");
        cluster.must("DROP ROLE IF EXISTS rq_app, rq_staff, rq_outsider, rq_inactive");
        cluster.must("CREATE DATABASE random_query");
        return Session("random_query");
    }

    void SetUp() override {
        admin_.must(read_file("tests/client/random_query_world.sql"));
        make_functions();
        connect();
        admin_.must("SET search_path = naive; SET statement_timeout = '20s'; SET jit = off");
    }

    // Statements whose plans PL/pgSQL and SQL functions keep: static_N() and inline_N().
    void make_functions() {
        for (std::size_t i = 0; i < kStatic; ++i) {
            const std::string query = random_.query();
            for (const char *schema : {"rq", "naive"}) {
                const std::string name =
                    "() RETURNS SETOF text STABLE SET search_path = " + std::string(schema);
                const std::string number = std::to_string(i);
                admin_.must(
                    "SET search_path = " + std::string(schema) + "; CREATE FUNCTION static_" +
                    number + name + " LANGUAGE plpgsql AS $f$ DECLARE r record; BEGIN FOR r IN " +
                    query +
                    " LOOP RETURN NEXT r::text; END LOOP; END $f$; CREATE FUNCTION inline_" +
                    number +
                    "() RETURNS SETOF text STABLE LANGUAGE sql AS $f$ SELECT q::text FROM (" +
                    query + ") q $f$");
            }
        }
    }

    void connect() {
        app_ = std::make_unique<Session>("random_query");
        app_->must("SET search_path = rq; SET statement_timeout = '20s'; SET jit_above_cost = 0; "
                   "SET jit = off;"
                   "SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0");
        prepared_.clear();
        names_ = 0;
    }

    void sign_in();
    void choose();
    void refresh() {
        admin_.must("SELECT refresh(" + std::string(user_.id) + ", " + brand_ + ", " + customer_ +
                    ")");
    }
    void change_rights();
    void compare();
    void compare_query(const std::string &text);
    void compare_write(const Statement &statement);
    std::string random_settings();
    Reply ask(const std::string &text, Way way);
    Reply ask_prepared(const std::string &text, bool by_sql);
    void settle(const std::string &text, const char *how, Reply mine, Reply naive);
    static std::string checksum(const std::string &table);

    QueryGenerator random_{number_setting("ENTITLE_SEED", kSeed)};
    Session admin_{make_world()};
    std::unique_ptr<Session> app_;
    User user_ = users()[0];
    std::string brand_;
    std::string customer_;
    std::string settings_;
    std::vector<std::string> changes_; // of rights, the last few
    struct Prepared {
        std::string name;
        std::string text;
        bool by_sql;
    };
    std::vector<Prepared> prepared_;
    std::size_t names_ = 0;
    std::size_t done_ = 0;
    std::size_t failures_ = 0;
    std::size_t with_rows_ = 0;
    std::map<std::string, std::size_t> counts_;
    std::map<std::string, std::string> checksums_; // of the protected tables, which never change
};

void RandomQuery::sign_in() {
    user_ = users()[random_.below(users().size())];
    brand_ = customer_ = "NULL";
    const bool is_local = random_.chance(70);
    app_->must("RESET ROLE; SELECT entitle.sign_out(); SELECT entitle.use_brand(NULL), "
               "entitle.use_customer(NULL)");
    app_->must(std::string("SET ROLE ") + user_.role);
    if (*user_.login != '\0') {
        const std::string call = "SELECT entitle.sign_in('" + std::string(user_.login) + "', " +
                                 (is_local ? "false" : "true") + ")";
        const bool is_active = admin_
                                   .must("SELECT is_active FROM entitle.app_user WHERE user_id = " +
                                         std::string(user_.id))
                                   .value() == "t";
        app_->must("SAVEPOINT identity");
        const Reply reply = app_->run(call);
        EXPECT_EQ(reply.ok() ? "" : reply.error, is_active ? "" : "42501") << user_.login;
        if (!reply.ok()) {
            app_->must("ROLLBACK TO identity");
            user_ = User{std::string(user_.role) == "rq_staff"      ? "140"
                         : std::string(user_.role) == "rq_outsider" ? "141"
                                                                    : "NULL",
                         "", user_.role};
        }
    }
    choose();
}

// Chooses a brand and a customer now and then, and expects an error exactly where the rules do.
void RandomQuery::choose() {
    const std::string brand = std::to_string(1 + random_.below(4));
    const std::string customer = std::to_string(1 + random_.below(42));
    const bool wants_brand = random_.chance(40);
    const bool wants_customer = random_.chance(25);
    const Row may = admin_
                        .must("SELECT * FROM may_choose(" + std::string(user_.id) + ", " + brand +
                              ", " + customer + ")")
                        .rows[0];
    const auto choose_one = [&](const char *what, const std::string &value, bool is_allowed,
                                std::string &chosen) {
        app_->must("SAVEPOINT choice");
        const Reply reply = app_->run(std::string("SELECT entitle.") + what + "(" + value + ")");
        EXPECT_EQ(reply.ok(), is_allowed)
            << what << " " << value << " as " << user_.login << " " << reply.message;
        if (reply.ok()) {
            chosen = value;
        } else {
            app_->must("ROLLBACK TO choice");
        }
    };
    if (wants_brand) {
        choose_one("use_brand", brand, may[0] == "t", brand_);
    }
    if (wants_customer) {
        choose_one("use_customer", customer, may[1] == "t", customer_);
    }
}

// One committed change of somebody's rights; refused ones change nothing.
void RandomQuery::change_rights() {
    const std::string user = users()[1 + random_.below(users().size() - 1)].id;
    const std::string customer = std::to_string(1 + random_.below(40));
    const std::string brand = std::to_string(1 + random_.below(4));
    const std::string role = random_.one_of({"101", "102", "103", "104", "105"});
    const std::string level = random_.one_of({"L10", "L20", "L30", "L40", "L80"});
    const std::string days = random_.one_of({"NULL", "0", "7", "30", "90", "365"});
    const std::string mine = random_.chance(70) && *user_.id != 'N' ? user_.id : user;
    std::string change;
    switch (random_.below(14)) {
    case 0:
    case 1:
    case 2:
        change = "INSERT INTO entitle.external_access VALUES (" + customer + ", " + mine + ", '" +
                 level + "', " + days +
                 ") ON CONFLICT (customer_id, user_id) DO UPDATE SET role = excluded.role, "
                 "days_back = excluded.days_back";
        break;
    case 3:
    case 4:
        change = "DELETE FROM entitle.external_access WHERE role <> 'L90' AND user_id = " + mine +
                 (random_.chance(85) ? " AND customer_id % 5 = " + std::to_string(random_.below(5))
                                     : "");
        break;
    case 5:
        change = "UPDATE entitle.external_access SET valid_until = current_date " +
                 std::string(random_.one_of({"- 1", "+ 1", "- 30"})) +
                 " WHERE role <> 'L90' AND customer_id = " + customer;
        break;
    case 6:
        change = "UPDATE entitle.external_access SET days_back = " + days +
                 " WHERE role <> 'L90' AND user_id = " + mine;
        break;
    case 7:
        change = "UPDATE entitle.role SET is_active = NOT is_active WHERE role_id = " + role;
        break;
    case 8:
        change =
            "UPDATE entitle.permission SET is_active = NOT is_active WHERE permission_key = '" +
            std::string(random_.one_of(
                {"conversions.view", "products.view", "customers.view", "conversions.update"})) +
            "'";
        break;
    case 9:
        change = "UPDATE entitle.brand_module SET is_enabled = NOT is_enabled WHERE brand_id = " +
                 brand + " AND module_key = '" +
                 std::string(random_.one_of({"conversions", "customers", "products"})) + "'";
        break;
    case 10:
        change = "UPDATE entitle.app_user SET is_active = NOT is_active WHERE user_id = " + mine;
        break;
    case 11:
        change = "DELETE FROM entitle.membership WHERE NOT is_owner AND user_id = " + mine;
        break;
    case 12:
        change = "INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT " + mine +
                 ", b.brand_id, r.role_id FROM entitle.brand b JOIN entitle.role r USING "
                 "(organization_id) WHERE r.role_id = " +
                 role + " AND b.brand_id = " + brand;
        break;
    default:
        change = "UPDATE entitle.brand SET plan_key = CASE WHEN plan_key IS NULL THEN 'small' END "
                 "WHERE brand_id = " +
                 brand;
    }
    // What is switched off is mostly switched on again, lest everybody end with nothing.
    if (random_.chance(40)) {
        change += "; UPDATE entitle.permission SET is_active = true; UPDATE entitle.role SET "
                  "is_active = true; UPDATE "
                  "entitle.app_user SET is_active = true WHERE NOT is_active AND user_id BETWEEN "
                  "101 AND 141; UPDATE "
                  "entitle.brand_module SET is_enabled = true; UPDATE entitle.brand SET plan_key = "
                  "NULL WHERE brand_id <> 3";
    }
    const Reply reply = admin_.run(change);
    changes_.push_back(change + (reply.ok() ? "" : " -- refused: " + reply.message));
    if (changes_.size() > 6) {
        changes_.erase(changes_.begin());
    }
}

std::string RandomQuery::random_settings() {
    std::string text;
    for (const char *name :
         {"enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan",
          "enable_hashjoin", "enable_mergejoin", "enable_nestloop", "enable_hashagg", "enable_sort",
          "enable_material", "enable_memoize", "enable_partition_pruning",
          "enable_incremental_sort"}) {
        if (random_.chance(16)) {
            text += std::string("SET LOCAL ") + name + " = off; ";
        }
    }
    if (random_.chance(10)) {
        text += "SET LOCAL enable_partitionwise_join = on; SET LOCAL "
                "enable_partitionwise_aggregate = on; ";
    }
    if (random_.chance(10)) {
        text += "SET LOCAL geqo_threshold = 2; ";
    }
    if (random_.chance(5)) {
        // The setting has another name since PostgreSQL 16.
        text += "SELECT set_config(name, 'on', true) FROM pg_settings "
                "WHERE name IN ('force_parallel_mode', 'debug_parallel_query'); ";
    }
    if (random_.chance(8)) {
        text += "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; ";
    }
    if (random_.chance(1)) {
        text += "SET LOCAL jit = on; ";
    }
    if (random_.chance(30)) {
        text += std::string("SET LOCAL plan_cache_mode = ") +
                random_.one_of({"force_generic_plan", "force_custom_plan"}) + "; ";
    }
    return text;
}

Reply RandomQuery::ask_prepared(const std::string &text, bool by_sql) {
    if (prepared_.size() >= kMaxPrepared) {
        const std::size_t victim = random_.below(prepared_.size());
        app_->must("DEALLOCATE " + prepared_[victim].name);
        prepared_.erase(prepared_.begin() + static_cast<std::ptrdiff_t>(victim));
    }
    const std::string name = "p" + std::to_string(++names_);
    const Reply made =
        by_sql ? app_->run("PREPARE " + name + " AS " + text) : app_->prepare(name, text);
    if (!made.ok()) {
        return made;
    }
    prepared_.push_back({name, text, by_sql});
    return by_sql ? app_->run("EXECUTE " + name) : app_->run_prepared(name);
}

Reply RandomQuery::ask(const std::string &text, Way way) {
    switch (way) {
    case Way::simple:
    case Way::function: // the wrapping is part of the text
        return app_->run(text);
    case Way::extended:
        return app_->run_extended(text);
    case Way::prepared:
        return ask_prepared(text, false);
    case Way::sql_prepared:
        return ask_prepared(text, true);
    case Way::cursor: {
        Reply all = app_->run("DECLARE reading CURSOR FOR " + text);
        for (const char *fetch :
             {"FETCH 3 FROM reading", "FETCH 5 FROM reading", "FETCH ALL FROM reading"}) {
            if (!all.ok()) {
                return all;
            }
            Reply part = app_->run(fetch);
            part.rows.insert(part.rows.begin(), all.rows.begin(), all.rows.end());
            all = part;
        }
        app_->must("CLOSE reading");
        return all;
    }
    case Way::table: {
        const Reply made = app_->run("CREATE TEMP TABLE answer AS " + text);
        return made.ok() ? app_->run("SELECT * FROM answer") : made;
    }
    case Way::copy:
        return app_->copy_out("COPY (" + text + ") TO STDOUT");
    }
    return Reply{};
}

void RandomQuery::settle(const std::string &text, const char *how, Reply mine, Reply naive) {
    ++done_;
    ++counts_[how];
    with_rows_ += naive.rows.empty() ? 0 : 1;
    for (Reply *reply : {&mine, &naive}) {
        trim_scales(reply->rows);
        std::sort(reply->rows.begin(), reply->rows.end());
    }
    if (mine.error == "57014" || naive.error == "57014") {
        ++counts_["(took too long)"];
        return;
    }
    // Of two errors in one statement, the order of rows decides which comes first.
    const std::set<std::string> by_row = {"42501", "23505", "21000", "22001", "22003"};
    const bool is_same = mine.error == naive.error && mine.rows == naive.rows;
    if (!naive.ok()) {
        ++counts_["error " + naive.error];
    }
    if (is_same || (by_row.count(mine.error) > 0 && by_row.count(naive.error) > 0)) {
        return;
    }
    ++failures_;
    std::string report = "statement " + std::to_string(done_) + ", " + how + ", as user " +
                         user_.id + " role " + user_.role + ", brand " + brand_ + ", customer " +
                         customer_ + "\n" + settings_ + "\n" + text + "\n";
    for (const std::string &change : changes_) {
        report += "earlier: " + change + "\n";
    }
    report += "entitle: " + std::to_string(mine.rows.size()) + " rows " + mine.message +
              "\nnaive: " + std::to_string(naive.rows.size()) + " rows " + naive.message + "\n";
    const auto list = [&](const char *who, const Reply &has, const Reply &other) {
        std::vector<Row> extra;
        std::set_difference(has.rows.begin(), has.rows.end(), other.rows.begin(), other.rows.end(),
                            std::back_inserter(extra));
        for (std::size_t i = 0; i < extra.size() && i < 4; ++i) {
            report += who;
            for (const std::string &value : extra[i]) {
                report += " | " + value;
            }
            report += "\n";
        }
    };
    list("only entitle:", mine, naive);
    list("only naive:", naive, mine);
    ADD_FAILURE() << report;
}

void RandomQuery::compare_query(const std::string &query) {
    std::string text = query;
    auto way = static_cast<Way>(random_.below(kWays));
    static const char *const names[kWays] = {"simple", "extended", "prepared", "sql prepared",
                                             "cursor", "table",    "function", "copy"};
    const char *how = names[static_cast<std::size_t>(way)];
    if (random_.chance(12)) {
        way = Way::simple;
        how = "kept function";
        text = "SELECT * FROM " + std::string(random_.one_of({"static_", "inline_"})) +
               std::to_string(random_.below(kStatic)) + "()";
    } else if (way == Way::function) {
        text = "SELECT * FROM run_query($q$" + text + "$q$)";
    }
    if (!prepared_.empty() && random_.chance(30)) {
        const Prepared &again = prepared_[random_.below(prepared_.size())];
        text = again.text;
        const Reply naive = admin_.run(text);
        settle(text, "prepared again",
               again.by_sql ? app_->run("EXECUTE " + again.name) : app_->run_prepared(again.name),
               naive);
        return;
    }
    const Reply naive =
        way == Way::copy ? admin_.copy_out("COPY (" + text + ") TO STDOUT") : admin_.run(text);
    settle(text, how, ask(text, way), naive);
}

std::string RandomQuery::checksum(const std::string &table) {
    return "SELECT coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM " + table + " t";
}

// Compares what RETURNING gives and what the tables hold afterwards; nothing stays.
void RandomQuery::compare_write(const Statement &statement) {
    const std::string &table = statement.target;
    const auto before_naive = admin_.must(checksum("naive." + table)).value();
    std::string &before = checksums_[table];
    if (before.empty()) {
        before = admin_.must(checksum("rq." + table)).value();
    }
    admin_.must("BEGIN; SET LOCAL naive.writing = on; SET LOCAL naive.reads_new = " +
                std::string(statement.reads_new ? "on" : "off") + "; SAVEPOINT writing");
    const Reply naive = admin_.run(statement.text);
    const Reply mine =
        random_.chance(50) ? app_->run(statement.text) : app_->run_extended(statement.text);
    settle(statement.text, "write", mine, naive);
    if (naive.ok() && mine.ok()) {
        EXPECT_EQ(mine.tag, naive.tag) << statement.text;
        const auto after_naive = admin_.must(checksum("naive." + table)).value();
        app_->must("RESET ROLE");
        const auto after = app_->must(checksum("rq." + table)).value();
        const auto same = admin_
                              .must("SELECT numeric '" + after + "' - '" + before +
                                    "' = numeric '" + after_naive + "' - '" + before_naive + "'")
                              .value();
        if (same != "t") {
            ++failures_;
            ADD_FAILURE() << "statement " << done_ << " left other rows, as user " << user_.id
                          << "\n"
                          << statement.text;
        }
    }
    admin_.must("ROLLBACK");
}

void RandomQuery::compare() {
    settings_ = random_settings();
    app_->must("SAVEPOINT statement; " + settings_);
    const Statement statement = random_.statement();
    if (!statement.target.empty()) {
        compare_write(statement);
    } else {
        compare_query(statement.text);
    }
    app_->must("ROLLBACK TO statement; RELEASE statement");
}

TEST_F(RandomQuery, ShowsWhatTheNaiveRulesShow) {
    const std::size_t wanted = number_setting("ENTITLE_STATEMENTS", kStatements);
    for (std::size_t rounds = 0; done_ < wanted && failures_ < kMaxFailures; ++rounds) {
        if (rounds % 150 == 149) {
            connect();
        }
        if (rounds % 40 == 39) {
            admin_.must("VACUUM naive.orders, naive.shipments, naive.ledger, naive.visits, "
                        "naive.stock, naive.reach, naive.allowed");
        }
        if (random_.chance(35)) {
            change_rights();
        }
        app_->must(random_.chance(25) ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN");
        for (std::size_t segments = 1 + random_.below(3); segments > 0; --segments) {
            sign_in();
            refresh();
            for (std::size_t count = 1 + random_.below(6); count > 0 && failures_ < kMaxFailures;
                 --count) {
                compare();
                if (random_.chance(8)) {
                    change_rights();
                    refresh();
                }
            }
        }
        app_->must(random_.chance(50) ? "COMMIT" : "ROLLBACK");
        app_->must("RESET ROLE; SELECT entitle.sign_out()");
    }
    for (const auto &count : counts_) {
        std::printf("%6zu %s\n", count.second, count.first.c_str());
    }
    std::printf("%6zu statements, %zu with rows, seed %llu\n", done_, with_rows_,
                static_cast<unsigned long long>(number_setting("ENTITLE_SEED", kSeed)));
    EXPECT_EQ(failures_, 0u);
    EXPECT_GT(with_rows_ * 3, done_); // a test in which hardly anybody sees anything proves nothing
}

} // namespace
} // namespace entitle::client
