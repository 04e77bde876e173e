// Random statements by users of every kind over the same tables three times: without protection, in
// report mode and enforced. Report mode gives byte for byte what is given without protection, and
// tells of as many rows as enforcement hides, masks, refuses or does not find, and of no others
// (R66). Joins, whose scans depend on the plan, are client/ReportMode's.
#include "campaign.hpp"

#include "../client/session.hpp"
#include "../unit/random_world.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace entitle::campaign {

namespace {

using client::kNull;
using client::Reply;
using client::Row;
using client::Session;

constexpr const char *kDatabase = "campaign_reports";
constexpr int kStatements = 50;  // a round
constexpr std::size_t kKeys = 5; // that the report tells at most of one gate

using Ids = std::set<std::string>;

struct User {
    const char *login; // empty: nobody signs in
    const char *role;
};

const std::vector<User> &users() {
    static const std::vector<User> all = {
        {"", "report_app"},
        {"reader", "report_app"},
        {"reader here", "report_app"},
        {"seller", "report_app"},
        {"everything", "report_app"},
        {"owner", "report_app"},
        {"alone", "report_app"},
        {"no role", "report_app"},
        {"basic", "report_app"},
        {"orders", "report_app"},
        {"prices", "report_app"},
        {"billing", "report_app"},
        {"admin", "report_app"},
        {"customer owner", "report_app"},
        {"expired", "report_app"},
        {"reader outside", "report_app"},
        {"stranger", "report_app"},
        {"", "report_mapped"},
        {"orders", "report_mapped"},
        {"", "report_owner"},
        {"reader here", "report_owner"},
    };
    return all;
}

enum class Kind { read, read_masked, insert, update, update_masked, erase };

struct Statement {
    Kind kind;
    std::string table; // that is named
    std::string text;
    // The same for one row of those that it is about.
    std::string of_one;
    std::vector<std::string> rows; // what an INSERT gives, each with its id first
};

std::string number(int value) { return std::to_string(value); }

// Writes are tried row by row, so they are of few.
std::string condition(Dice &dice, const std::string &table, bool is_of_few) {
    const std::string key = table == "lines" ? "order_id" : "customer_id";
    const int highest = table == "lines" ? 300 : table == "notes" ? 120 : 200;
    const auto id = [&] {
        return number(1 + dice.below(highest));
    };
    const auto named = [&] {
        return number(table == "lines" ? 1 + dice.below(200) : 100 + dice.below(14));
    };
    switch (dice.below(is_of_few ? 5 : 9)) {
    case 0:
        return "id IN (" + id() + ", " + id() + ", " + id() + ")";
    case 1:
        return "id BETWEEN " + id() + " AND 50";
    case 2:
        return key + " IS NULL AND id > 50 OR id = " + id();
    case 3:
        return key + " = ANY ('{" + named() + "," + named() + "}')";
    case 4:
        return key + " = " + named();
    case 5:
        return "true";
    case 6:
        return "id < " + id();
    case 7:
        return "title LIKE '%" + number(dice.below(10)) + "'";
    default:
        return table == "orders" || table == "visits"
                   ? "placed > public.today() - " + number(dice.below(60))
                   : "id % 7 = " + number(dice.below(7));
    }
}

Statement random_statement(Dice &dice) {
    static const std::vector<std::string> tables = {"orders", "orders", "lines",   "lines",
                                                    "notes",  "visits", "visits_2"};
    Statement statement;
    statement.table = dice.pick(tables);
    const std::string &table = statement.table;
    const bool is_masked = table == "orders" || table == "lines";
    const int kind = dice.below(100);
    const std::string where = " WHERE (" + condition(dice, table, kind >= 50) + ")";
    if (kind < 30) {
        statement.kind = Kind::read;
        statement.text = "SELECT id, title FROM " + table + where + " ORDER BY id";
    } else if (kind < 50 && is_masked) {
        statement.kind = Kind::read_masked;
        statement.text = "SELECT id, price FROM " + table + where + " ORDER BY id";
    } else if (kind < 65 && table != "orders") {
        statement.kind = Kind::erase;
        statement.text = "DELETE FROM " + table + where;
    } else if (kind < 75) {
        statement.kind = Kind::insert;
        std::string values;
        for (int i = 1 + dice.below(3); i > 0; --i) {
            const std::string customer = dice.chance(10) ? "NULL" : number(100 + dice.below(14));
            std::string row = number(1000 + i);
            row +=
                table == "orders" ? ", " + customer + ", " + number(200 + dice.below(3)) +
                                        ", public.today() - " + number(dice.below(40)) + ", 'new'"
                : table == "lines" ? ", " + number(1 + dice.below(200)) + ", 'new'"
                : table == "notes"
                    ? ", " + customer + ", 'new'"
                    : ", " + customer + ", public.today() - " + number(dice.below(40)) + ", 'new'";
            statement.rows.push_back(row);
            values += (values.empty() ? "(" : ", (") + row + ")";
        }
        const std::string columns = table == "orders"  ? "id, customer_id, brand_id, placed, title"
                                    : table == "lines" ? "id, order_id, title"
                                    : table == "notes" ? "id, customer_id, title"
                                                       : "id, customer_id, placed, title";
        statement.of_one = "INSERT INTO " + table + " (" + columns + ") VALUES ";
        statement.text = statement.of_one + values;
        return statement;
    } else if (kind < 85 && is_masked) {
        statement.kind = Kind::update_masked;
        statement.text = "UPDATE " + table + " SET price = coalesce(price, 0) + 1" + where;
    } else {
        statement.kind = Kind::update;
        statement.text = "UPDATE " + table + " SET title = title || '!'" + where;
    }
    statement.of_one = statement.text + " AND id = ";
    return statement;
}

// What the report tells of one action on one table, by any gate.
struct Told {
    std::size_t rows = 0;
    Ids keys;
    bool has_all_keys = true;
    Ids gates;
};

std::string listed(const Ids &ids) {
    std::string text;
    for (const std::string &id : ids) {
        text += (text.empty() ? "" : " ") + id;
    }
    return "{" + text + "}";
}

class Reports {
  public:
    explicit Reports(Report &report) : report_(report), session_(kDatabase) {
        session_.must("SET jit = off");
    }

    std::string statement(Dice &dice) {
        const Statement statement = random_statement(dice);
        user_ = dice.pick(users());
        settings_ = random_settings(dice);
        const bool is_extended = dice.chance(50);
        begin("plain", false);
        const Reply plain = ask(statement.text, is_extended);
        const Ids ids = plain.ok() ? rows_of(statement) : Ids();
        session_.must("ROLLBACK");
        begin("reported", true);
        const Reply given = ask(statement.text, is_extended);
        Told told;
        Told masks;
        if (given.ok()) {
            session_.must("RESET ROLE");
            read_report(statement, told, masks);
        }
        session_.must("ROLLBACK");
        report_.count("statements");
        if (plain.error != given.error || plain.tag != given.tag || plain.rows != given.rows) {
            return described(statement) + "without protection " + plain.error + " " + plain.tag +
                   ", in report mode " + given.error + " " + given.message + given.tag;
        }
        if (!given.ok()) {
            report_.count("statements with an error");
            return {};
        }
        report_.count("rows that were given or written", static_cast<long>(ids.size()));
        Ids masked;
        const Ids hidden = missing(statement, ids, masked);
        report_.count(statement.kind == Kind::read || statement.kind == Kind::read_masked
                          ? "rows that enforcement hides"
                          : "writes of a row that enforcement refuses, or does not find",
                      static_cast<long>(hidden.size()));
        report_.count("cells that enforcement masks", static_cast<long>(masked.size()));
        report_.count("statements that enforcement changes",
                      hidden.empty() && masked.empty() ? 0 : 1);
        const std::string wrong = difference(told, hidden) + difference(masks, masked);
        return wrong.empty() ? "" : described(statement) + wrong;
    }

  private:
    void begin(const std::string &place, bool is_asking) {
        session_.must("BEGIN; " + settings_);
        if (is_asking && *user_.login != '\0') {
            session_.must("SELECT entitle.sign_in('" + std::string(user_.login) + "')");
        }
        session_.must("SET LOCAL search_path = " + place + "; SET LOCAL ROLE " + user_.role);
    }

    Reply ask(const std::string &text, bool is_extended) {
        return is_extended ? session_.run_extended(text) : session_.run(text);
    }

    static std::string random_settings(Dice &dice) {
        std::string text;
        for (const char *name : {"enable_seqscan", "enable_indexscan", "enable_indexonlyscan",
                                 "enable_bitmapscan", "enable_partition_pruning"}) {
            if (dice.chance(25)) {
                text += std::string("SET LOCAL ") + name + " = off; ";
            }
        }
        if (dice.chance(25)) {
            text += "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET "
                    "LOCAL min_parallel_table_scan_size = 0; ";
        }
        return text;
    }

    // The rows that the statement is about, where nothing is hidden: before it is run.
    Ids rows_of(const Statement &statement) {
        Ids ids;
        if (statement.kind == Kind::insert) {
            for (const std::string &row : statement.rows) {
                ids.insert(row.substr(0, row.find(',')));
            }
            return ids;
        }
        session_.must("ROLLBACK");
        begin("plain", false);
        const std::size_t from = statement.text.find(" WHERE ");
        std::string where = statement.text.substr(from);
        where = where.substr(0, where.find(" ORDER BY"));
        for (const Row &row : session_.must("SELECT id FROM " + statement.table + where).rows) {
            ids.insert(row[0]);
        }
        return ids;
    }

    void read_report(const Statement &statement, Told &told, Told &masks) {
        const std::string action =
            statement.kind == Kind::insert                                        ? "insert"
            : statement.kind == Kind::erase                                       ? "delete"
            : statement.kind == Kind::read || statement.kind == Kind::read_masked ? "select"
                                                                                  : "update";
        for (const Row &row :
             session_
                 .must("SELECT r.action, r.gate, r.rows, array_to_string(r.sample_keys, ',') FROM"
                       " entitle.protection_report() r WHERE r.login IS NOT DISTINCT FROM " +
                       login())
                 .rows) {
            Told &one = row[0] == "mask" ? masks : told;
            if (row[0] != action && row[0] != "mask") {
                continue; // what a write reads
            }
            const std::size_t rows = std::stoul(row[2]);
            one.rows += rows;
            one.has_all_keys = one.has_all_keys && rows <= kKeys;
            one.gates.insert(row[1]);
            std::string key;
            for (const char letter : row[3] + ",") {
                if (letter == ',') {
                    one.keys.insert(key);
                    key.clear();
                } else {
                    key += letter;
                }
            }
        }
    }

    std::string login() const {
        return *user_.login != '\0'                         ? "'" + std::string(user_.login) + "'"
               : std::string(user_.role) == "report_mapped" ? "'mapped'"
                                                            : "NULL";
    }

    // Which of the rows are hidden, refused or not found where that is enforced, and which show
    // without what is masked.
    Ids missing(const Statement &statement, const Ids &ids, Ids &masked) {
        Ids hidden = ids;
        begin("enforced", true);
        std::string text = statement.text;
        const std::string named = " " + statement.table;
        if (statement.kind == Kind::read || statement.kind == Kind::read_masked) {
            const bool is_masked = statement.kind == Kind::read_masked;
            if (is_masked) {
                text.replace(text.find(named), named.size(), named + "_view");
                text.replace(text.find("price"), 5, "array_to_string(masked_columns, ' ')");
            }
            for (const Row &row : session_.must(text).rows) {
                hidden.erase(row[0]);
                if (is_masked && row[1] == "price") {
                    masked.insert(row[0]);
                }
            }
        } else {
            text = statement.of_one;
            if (statement.kind == Kind::update_masked) {
                text.replace(text.find(named), named.size(), named + "_view");
            }
            for (const std::string &id : ids) {
                std::string given = id;
                for (const std::string &row : statement.rows) {
                    given = row.substr(0, row.find(',')) == id ? "(" + row + ")" : given;
                }
                session_.must("SAVEPOINT one");
                const Reply reply = session_.run(text + given);
                session_.must("ROLLBACK TO one");
                if (reply.ok() && reply.tag.substr(reply.tag.rfind(' ')) == " 1") {
                    hidden.erase(id);
                }
            }
        }
        session_.must("ROLLBACK");
        return hidden;
    }

    static std::string difference(const Told &told, const Ids &wanted) {
        const bool are_of_them =
            std::includes(wanted.begin(), wanted.end(), told.keys.begin(), told.keys.end());
        if (told.rows == wanted.size() && are_of_them &&
            (!told.has_all_keys || told.keys == wanted)) {
            return {};
        }
        return "told " + std::to_string(told.rows) + " " + listed(told.keys) + " at " +
               listed(told.gates) + ", and enforced it is " + std::to_string(wanted.size()) + " " +
               listed(wanted) + "\n";
    }

    std::string described(const Statement &statement) const {
        return "as \"" + std::string(user_.login) + "\", " + user_.role + ": " + settings_ +
               statement.text + "\n";
    }

    Report &report_;
    Session session_;
    User user_{};
    std::string settings_;
};

void make_world() {
    Session cluster;
    cluster.must("DROP DATABASE IF EXISTS campaign_reports WITH (FORCE)");
    cluster.must("DROP ROLE IF EXISTS report_app, report_owner, report_mapped");
    cluster.must("CREATE DATABASE campaign_reports");
    Session(kDatabase).must(read_file("tests/campaign/report_world.sql"));
}

} // namespace

bool run_reports(const Options &options) {
    Report report("reports", options);
    make_world();
    Reports reports(report);
    while (report.has_next_round()) {
        Dice dice(report.next_round());
        for (int i = 0; i < kStatements; ++i) {
            const std::string wrong = reports.statement(dice);
            if (!wrong.empty()) {
                report.fail(wrong);
                break;
            }
        }
    }
    return report.close();
}

} // namespace entitle::campaign
