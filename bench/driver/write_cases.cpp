// Writes, beside the same by hand: a recalculation of 500,000 customers of 12 metrics each beside
// UPDATE ... FROM (SELECT ... GROUP BY); grant_access beside the bare INSERT; COPY of a million
// grants beside COPY into the same table without entitle's triggers. In a database of its own.
// Every side runs in a transaction that is undone, so that all meet the same rows.
#include "bench.hpp"

#include <cstdio>
#include <filesystem>

namespace bench {

namespace {

constexpr const char *kDatabase = "bench_writes";

// Triggers sleep while the data is made: they would only make it slower.
constexpr const char *kTriggers = R"sql(
    CREATE PROCEDURE public.set_triggers(state text) LANGUAGE plpgsql AS $$
    DECLARE
        found record;
    BEGIN
        FOR found IN SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger
                     WHERE NOT tgisinternal AND tgrelid IN ('entitle.customer'::regclass, 'entitle.customer_metric'::regclass) LOOP
            EXECUTE format('ALTER TABLE %s %s TRIGGER %I', found.relation, state, found.tgname);
        END LOOP;
    END $$)sql";

constexpr const char *kCustomers =
    "INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, status, country,"
    " address, contact_email) SELECT g, 'customer ' || g, 'trade ' || g, g, 'ACTV', 'NO',"
    " 'street ' || g, 'c' || g || '@example.org' FROM generate_series(1, ";
constexpr const char *kValues =
    "INSERT INTO entitle.customer_metric SELECT g, m, (g * 7 + m * 13) % 101"
    " FROM generate_series(1, ";
constexpr const char *kByHand =
    "UPDATE entitle.customer c SET client_score = s.score, scored_at = now()"
    " FROM (SELECT v.customer_id,"
    " round(sum(v.value * m.multiplier) / nullif(sum(m.multiplier), 0), 2) AS score"
    " FROM entitle.customer_metric v JOIN entitle.client_metric m"
    " ON m.metric_id = v.metric_id AND m.is_active GROUP BY v.customer_id) s"
    " WHERE c.customer_id = s.customer_id AND c.status <> 'INAC'";
constexpr const char *kRecalc = "SELECT FROM entitle.recalc_scores()";
constexpr const char *kInsert =
    "INSERT INTO entitle.external_access (customer_id, user_id) VALUES ($1::bigint, $2::bigint)";
constexpr const char *kGrant = "SELECT FROM entitle.grant_access($1::bigint, 'user ' || $2)";
constexpr int kGrantsInARow = 200;
constexpr int kUsers = 1000;

void make_data(Session &session, int customers) {
    const std::string count = std::to_string(customers) + ") AS g";
    session.run("CREATE EXTENSION entitle");
    session.run(kTriggers);
    session.run("CALL public.set_triggers('DISABLE')");
    session.run(kCustomers + count);
    session.run("INSERT INTO entitle.client_metric (metric_id, name, multiplier)"
                " SELECT m, 'metric ' || m, m / 4.0 FROM generate_series(1, 12) AS m");
    session.run("ALTER TABLE entitle.customer_metric DISABLE TRIGGER ALL"); // foreign keys, too
    session.run(kValues + count + ", generate_series(1, 12) AS m");
    session.run("ALTER TABLE entitle.customer_metric ENABLE TRIGGER ALL");
    session.run("CALL public.set_triggers('ENABLE ALWAYS')");
    session.run("INSERT INTO entitle.app_user (user_id, login)"
                " SELECT g, 'user ' || g FROM generate_series(1, " +
                std::to_string(kUsers) + ") AS g");
    session.run("VACUUM ANALYZE");
}

void recalculations(Bench &bench, const SharedSession &session, const std::string &key,
                    const std::string &title, double target, std::optional<Spread> &control) {
    const auto left = std::make_shared<std::string>();
    const auto side = [&](const std::string &name, const char *statement) {
        return undone(
            session, name, [=] { return session->run(statement); },
            "SELECT sum(client_score) FROM entitle.customer", left);
    };
    Result labels;
    labels.key = key;
    labels.title = title;
    labels.target = target;
    labels.baseline = kByHand;
    labels.measured = kRecalc;
    labels.topic = "writes";
    compare_slow(bench, labels, side("by_hand", kByHand), side("recalc", kRecalc), control);
}

// An application's role, signed in as somebody who manages access.
void grants_one_by_one(Bench &bench, const SharedSession &session, int customers) {
    session->run("CREATE ROLE bench_writer");
    session->run(
        "GRANT SELECT, INSERT ON entitle.external_access, entitle.app_user TO bench_writer");
    session->run("GRANT EXECUTE ON FUNCTION entitle.grant_access TO bench_writer");
    session->run("INSERT INTO entitle.role (role_id, organization_id, name)"
                 " VALUES (100, 1, 'manager')");
    session->run("INSERT INTO entitle.role_permission"
                 " VALUES (100, 'customers.view'), (100, 'external_access.manage')");
    session->run("INSERT INTO entitle.app_user (user_id, login) VALUES (2000, 'manager')");
    session->run("INSERT INTO entitle.membership (user_id, organization_id, role_id)"
                 " VALUES (2000, 1, 100)");
    session->sign_in("manager");
    session->prepare("insert", kInsert);
    session->prepare("grant", kGrant);
    // Each time to other customers: rows that were undone leave traces in the index.
    const auto left = std::make_shared<std::string>();
    const auto side = [&](const std::string &name, const std::string &statement) {
        const auto next = std::make_shared<int>(0);
        return undone(
            session, name,
            [=] {
                session->become("bench_writer");
                for (int i = 1; i <= kGrantsInARow; ++i, ++*next) {
                    session->execute(statement, {std::to_string(1 + *next % customers),
                                                 std::to_string(1 + *next % kUsers)});
                }
                return std::string();
            },
            "SELECT count(*) FROM entitle.external_access", left);
    };
    Result labels;
    labels.topic = "writes";
    labels.key = "grant_access";
    labels.title = "grant_access, one call, by a user who manages access";
    labels.baseline = kInsert;
    labels.measured = kGrant;
    compare(bench, labels,
            {side("bare", "insert"), side("function", "grant"), side("again", "insert")},
            bench.limits(4));
    session->run("SELECT entitle.sign_out()");
}

void grants_by_copy(Bench &bench, const SharedSession &session, int customers, int grants,
                    std::optional<Spread> &control) {
    const std::string file = std::filesystem::absolute("bench_grants.tsv").string();
    session->run("COPY (SELECT 1 + (g / 20) % " + std::to_string(customers) +
                 ", 1 + g % 20 + 20 * (g / 20 % 50), 'L30', 30 FROM generate_series(0, " +
                 std::to_string(grants) + " - 1) AS g) TO '" + file + "'");
    session->run("CREATE TABLE public.grants (LIKE entitle.external_access INCLUDING ALL,"
                 " FOREIGN KEY (customer_id) REFERENCES entitle.customer ON DELETE CASCADE,"
                 " FOREIGN KEY (user_id) REFERENCES entitle.app_user ON DELETE CASCADE)");
    const std::string columns = " (customer_id, user_id, role, days_back) FROM '" + file + "'";
    const auto left = std::make_shared<std::string>();
    const auto side = [&](const std::string &name, const std::string &table) {
        return undone(
            session, name, [=] { return session->run("COPY " + table + columns); },
            "SELECT count(*) FROM " + table, left);
    };
    Result labels;
    labels.key = "copy";
    labels.title = "COPY of " + with_commas(grants) + " grants";
    labels.target = 1.5;
    labels.baseline =
        "COPY of the same rows into a table with the same keys, checks and foreign keys";
    labels.measured = "COPY entitle.external_access FROM ...";
    labels.topic = "writes";
    compare_slow(bench, labels, side("plain", "public.grants"),
                 side("protected", "entitle.external_access"), control);
    std::remove(file.c_str());
}

} // namespace

void measure_writes(Bench &bench) {
    const int customers = bench.is_quick ? 20000 : 500000;
    const int grants = bench.is_quick ? 50000 : 1000000;
    Session administrator;
    administrator.run(std::string("CREATE DATABASE ") + kDatabase);
    {
        const SharedSession session = open_session(kDatabase);
        session->run("SET client_min_messages = warning"); // a recalculation tells its progress
        make_data(*session, customers);
        std::optional<Spread> control;
        const std::string who = with_commas(customers) + " customers, 12 metrics each";
        recalculations(bench, session, "recalc_all",
                       "recalculation, " + who + ", all scores change", 1.1, control);
        // Everybody has the right score, but for every hundredth.
        session->run(kRecalc);
        session->run("UPDATE entitle.customer SET client_score = 0 WHERE customer_id % 100 = 0");
        session->run("VACUUM FULL ANALYZE entitle.customer");
        recalculations(bench, session, "recalc_few", "recalculation, " + who + ", 1 % change", 0.3,
                       control);
        grants_one_by_one(bench, session, customers);
        grants_by_copy(bench, session, customers, grants, control);
    }
    administrator.run(std::string("DROP DATABASE ") + kDatabase);
    administrator.run("DROP ROLE IF EXISTS bench_writer");
}

} // namespace bench
