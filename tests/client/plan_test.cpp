// Plans that are kept meet other users and other rights. Every way to keep a plan is asked again
// and again while identity, choices and rights change; what it shows must be right every time, and
// no execution that begins anew may be refused with 40001.
#include <gtest/gtest.h>

#include <functional>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

const char kAll[] = "1,2,3,4,5,6,7,8,9"; // staff
const char kOne[] = "1,2,3";             // customer 1, 30 days
const char kBoth[] = "1,2,3,4,5";        // customers 1 and 2, 30 and 7 days
const char kUnlimited[] = "1,2,3,7,9";   // customer 1, ever
const char kHundred[] = "1,2,3,7";       // customer 1, 100 days

// A way to ask for the visible ids: made once, asked often.
struct Way {
    const char *name;
    const char *made; // as a prepared statement `asked`, empty: nothing to make
    const char *asked;
};

const Way kWays[] = {
    {"prepared", "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders", ""},
    {"with_parameter",
     "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders WHERE order_id > $1",
     "0"},
    {"partitioned", "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM parts", ""},
    {"branded", "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM goods", ""},
    {"inlined_function",
     "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM all_orders()", ""},
    {"invoker_view", "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM invoker_view",
     ""},
    {"materialized",
     "WITH o AS MATERIALIZED (SELECT * FROM orders) SELECT string_agg(order_id::text, ',' ORDER BY "
     "order_id) FROM o",
     ""},
    {"join",
     "SELECT string_agg(o.order_id::text, ',' ORDER BY o.order_id) FROM orders o JOIN goods g "
     "USING (order_id) JOIN parts p "
     "USING (order_id)",
     ""},
    {"exists",
     "SELECT string_agg(o.order_id::text, ',' ORDER BY o.order_id) FROM goods o WHERE EXISTS "
     "(SELECT FROM orders i WHERE "
     "i.order_id = o.order_id) AND o.order_id NOT IN (SELECT -order_id FROM parts)",
     ""},
    {"lateral",
     "SELECT string_agg(o.order_id::text, ',' ORDER BY o.order_id) FROM orders o, LATERAL (SELECT "
     "count(*) AS n FROM parts p "
     "WHERE p.order_id = o.order_id) s WHERE s.n = 1",
     ""},
    {"scalar_subquery",
     "SELECT (SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders) FROM (VALUES "
     "(1)) AS v (n)",
     ""},
    {"union_all",
     "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM (SELECT order_id FROM orders "
     "WHERE order_id < 4 UNION ALL "
     "SELECT order_id FROM parts WHERE order_id >= 4) u",
     ""},
    {"updating",
     "WITH u AS (UPDATE orders SET amount = amount + 1 WHERE order_id > 0 RETURNING order_id) "
     "SELECT "
     "string_agg(order_id::text, ',' ORDER BY order_id) FROM u",
     ""},
    {"updating_partitions",
     "WITH u AS (UPDATE parts SET amount = amount + 1 WHERE order_id > 0 RETURNING order_id) "
     "SELECT "
     "string_agg(order_id::text, ',' ORDER BY order_id) FROM u",
     ""},
    {"inserting",
     "WITH i AS (INSERT INTO orders (order_id, customer_id, order_date) SELECT order_id + 1000, "
     "customer_id, order_date FROM "
     "orders RETURNING order_id - 1000 AS order_id) SELECT string_agg(order_id::text, ',' ORDER BY "
     "order_id) FROM i",
     ""},
    {"on_conflict",
     "WITH i AS (INSERT INTO goods SELECT * FROM goods ON CONFLICT (order_id) DO UPDATE SET amount "
     "= 1 RETURNING order_id) "
     "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM i",
     ""},
    {"trigger", "INSERT INTO probe VALUES (NULL) RETURNING seen", ""},
    {"sql_function", "SELECT by_sql()", ""},
    {"static_sql", "SELECT by_static()", ""},
    {"loop", "SELECT by_loop()", ""},
    {"cursor", "SELECT by_cursor()", ""},
    {"execute", "SELECT by_execute()", ""},
    {"definer", "SELECT by_definer()", ""},
};

const char *const kSettings[] = {
    "SET plan_cache_mode = auto",
    "SET plan_cache_mode = force_generic_plan",
    "SET plan_cache_mode = force_custom_plan",
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off",
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_indexscan = "
    "off",
    // The setting has another name since PostgreSQL 16.
    "SET plan_cache_mode = force_generic_plan; SELECT set_config(name, 'on', false) FROM "
    "pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query'); SET "
    "parallel_setup_cost = 0; SET "
    "parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
    "SET plan_cache_mode = force_generic_plan; SET geqo_threshold = 2; SET jit = on; SET "
    "jit_above_cost = 0",
};

// Those that start no worker and compile nothing, for the longer tests.
constexpr std::size_t kCheapSettings = 5;

class PlanTest : public PlanWorld, public ::testing::WithParamInterface<Way> {
  protected:
    void make() {
        app_.must("RESET ALL; SET ROLE plan_app; DEALLOCATE ALL; SET jit = off");
        const Reply by_libpq = app_.prepare("asked", GetParam().made);
        ASSERT_TRUE(by_libpq.ok()) << by_libpq.message;
        app_.must(std::string("PREPARE told AS ") + GetParam().made);
    }

    // Asks by the extended protocol and by SQL. What is written is rolled back.
    void expect(const std::string &ids, const std::string &who) {
        const std::string parameter = GetParam().asked;
        const bool in_transaction = app_.is_in_transaction();
        for (const bool by_sql : {false, true}) {
            app_.must(in_transaction ? "SAVEPOINT asking" : "BEGIN");
            const Reply reply =
                by_sql ? app_.run("EXECUTE told" + (parameter.empty() ? "" : "(" + parameter + ")"))
                : parameter.empty() ? app_.run_prepared("asked")
                                    : app_.run_prepared("asked", {parameter});
            app_.must(in_transaction ? "ROLLBACK TO asking" : "ROLLBACK");
            EXPECT_EQ(reply.value(), ids.empty() ? kNull : ids)
                << who << (by_sql ? " by SQL" : " by libpq");
        }
    }
};

struct Turn {
    const char *login;
    std::string ids;
};
const Turn kTurns[] = {{"staff", kAll}, {"one", kOne},   {"", ""},        {"staff", kAll},
                       {"both", kBoth}, {"nothing", ""}, {"one", kOne},   {"unlimited", kUnlimited},
                       {"staff", kAll}, {"", ""},        {"both", kBoth}, {"staff", kAll}};

TEST_P(PlanTest, FollowsIdentityInOneTransaction) {
    for (const char *settings : kSettings) {
        SCOPED_TRACE(settings);
        make();
        app_.must(settings);
        app_.must("BEGIN");
        for (const Turn &turn : kTurns) {
            sign_in(turn.login);
            expect(turn.ids, turn.login);
        }
        app_.must("COMMIT");
        expect("", "nobody");
    }
}

TEST_P(PlanTest, FollowsIdentityFromTransactionToTransaction) {
    for (std::size_t i = 0; i < kCheapSettings; ++i) {
        SCOPED_TRACE(kSettings[i]);
        make();
        app_.must(kSettings[i]);
        for (const Turn &turn : kTurns) {
            app_.must("BEGIN");
            sign_in(turn.login);
            expect(turn.ids, turn.login);
            app_.must("COMMIT");
            // Nobody signs the next one out: the end of the transaction does.
            expect("", "nobody after");
        }
    }
}

TEST_P(PlanTest, FollowsIdentityOfTheSession) {
    for (std::size_t i = 0; i < kCheapSettings; ++i) {
        SCOPED_TRACE(kSettings[i]);
        make();
        app_.must(kSettings[i]);
        for (const Turn &turn : kTurns) {
            sign_in(turn.login, true);
            expect(turn.ids, turn.login);
        }
        sign_in("one", true);
        app_.must("BEGIN");
        sign_in("staff");
        expect(kAll, "staff over one");
        app_.must("COMMIT");
        expect(kOne, "one again");
        sign_in("");
    }
}

TEST_P(PlanTest, FollowsSavepoints) {
    for (std::size_t i = 0; i < kCheapSettings; ++i) {
        SCOPED_TRACE(kSettings[i]);
        make();
        app_.must(kSettings[i]);
        app_.must("BEGIN");
        sign_in("one");
        expect(kOne, "one");
        app_.must("SAVEPOINT a");
        sign_in("staff");
        expect(kAll, "staff");
        app_.must("SAVEPOINT b");
        sign_in("both");
        app_.must("ROLLBACK TO b"); // between plan and execution
        expect(kAll, "staff again");
        app_.must("ROLLBACK TO a");
        expect(kOne, "one again");
        app_.must("ROLLBACK");
        expect("", "nobody");
    }
}

// The kept plans in between are thrown away by the client.
TEST_P(PlanTest, SurvivesDiscardPlans) {
    make();
    app_.must("SET plan_cache_mode = force_generic_plan; BEGIN");
    for (const Turn &turn : kTurns) {
        sign_in(turn.login);
        expect(turn.ids, turn.login);
        app_.must("DISCARD PLANS");
        expect(turn.ids, turn.login);
    }
    app_.must("COMMIT");
}

struct Change {
    const char *who;
    const char *made; // by somebody else, and committed
    std::string ids;
    const char *undone;
    bool is_of_staff_alone = false;
};

const Change kChanges[] = {
    {"one", "INSERT INTO entitle.external_access VALUES (2, 102, 'L20', 30)", kBoth,
     "DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (2, 102)"},
    {"both", "DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (2, 103)", kOne,
     "INSERT INTO entitle.external_access VALUES (2, 103, 'L40', 7)"},
    {"one", "DELETE FROM entitle.external_access WHERE user_id = 102", "",
     "INSERT INTO entitle.external_access VALUES (1, 102, 'L40', 30)"},
    {"one", "UPDATE entitle.external_access SET days_back = NULL WHERE user_id = 102", kUnlimited,
     "UPDATE entitle.external_access SET days_back = 30 WHERE user_id = 102"},
    {"unlimited", "UPDATE entitle.external_access SET days_back = 99 WHERE user_id = 104", kOne,
     "UPDATE entitle.external_access SET days_back = NULL WHERE user_id = 104"},
    {"one", "UPDATE entitle.external_access SET days_back = 100 WHERE user_id = 102", kHundred,
     "UPDATE entitle.external_access SET days_back = 30 WHERE user_id = 102"},
    {"one", "UPDATE entitle.external_access SET role = 'L10' WHERE user_id = 102", "",
     "UPDATE entitle.external_access SET role = 'L40' WHERE user_id = 102"},
    {"one", "UPDATE entitle.external_access SET valid_until = current_date - 2 WHERE user_id = 102",
     "", "UPDATE entitle.external_access SET valid_until = NULL WHERE user_id = 102"},
    {"nothing", "INSERT INTO entitle.external_access VALUES (1, 105, 'L40', 30)", kOne,
     "DELETE FROM entitle.external_access WHERE user_id = 105"},
    {"one", "UPDATE entitle.app_user SET is_active = false WHERE user_id = 102", "",
     "UPDATE entitle.app_user SET is_active = true WHERE user_id = 102"},
    {"one", "INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (102, 1, 101)",
     kAll, "DELETE FROM entitle.membership WHERE user_id = 102"},
    {"staff", "UPDATE entitle.role SET is_active = false WHERE role_id = 101", "",
     "UPDATE entitle.role SET is_active = true WHERE role_id = 101"},
    {"staff",
     "UPDATE entitle.permission SET is_active = false WHERE permission_key = 'conversions.view'",
     "",
     "UPDATE entitle.permission SET is_active = true WHERE permission_key = 'conversions.view'"},
    {"staff", "UPDATE entitle.brand_module SET is_enabled = false WHERE module_key = 'conversions'",
     "", "UPDATE entitle.brand_module SET is_enabled = true WHERE module_key = 'conversions'"},
    {"staff", "DELETE FROM entitle.membership WHERE user_id = 101", "",
     "INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 1, 101)"},
    {"staff", "UPDATE entitle.app_user SET is_active = false WHERE user_id = 101", "",
     "UPDATE entitle.app_user SET is_active = true WHERE user_id = 101"},
    {"staff",
     "DELETE FROM entitle.role_permission WHERE (role_id, permission_key) = (101, "
     "'conversions.view'); INSERT INTO "
     "entitle.external_access VALUES (1, 101, 'L40', 30)",
     kOne,
     "INSERT INTO entitle.role_permission VALUES (101, 'conversions.view'); DELETE FROM "
     "entitle.external_access WHERE "
     "user_id = 101"},
};

TEST_P(PlanTest, FollowsTheRightsOfOthersMaking) {
    const std::map<std::string, std::string> usual = {{"staff", kAll},
                                                      {"one", kOne},
                                                      {"both", kBoth},
                                                      {"unlimited", kUnlimited},
                                                      {"nothing", ""}};
    for (const char *settings : {kSettings[0], kSettings[1], kSettings[3]}) {
        SCOPED_TRACE(settings);
        make();
        app_.must(settings);
        for (const char *begin : {"BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"}) {
            for (const Change &change : kChanges) {
                SCOPED_TRACE(change.made);
                app_.must(begin);
                sign_in(change.who);
                expect(usual.at(change.who), change.who);
                admin_.must(change.made);
                expect(change.ids, change.who);
                admin_.must(change.undone);
                expect(usual.at(change.who), change.who);
                app_.must("COMMIT");
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(EveryWay, PlanTest, ::testing::ValuesIn(kWays),
                         [](const auto &way) { return std::string(way.param.name); });

} // namespace
} // namespace entitle::client
