// A FETCH is a statement: rows that a cursor read ahead show neither after a revoke nor to another
// user (R46, S148 to S150). Every shape of plan either ends with 40001 or loses the rows.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "plan_world.hpp"
#include "wire.hpp"

namespace entitle::client {
namespace {

// What reads ahead, with the settings that make PostgreSQL choose it. The first column is a
// customer.
struct Shape {
    const char *name;
    const char *node; // what the plan must show
    const char *settings;
    const char *query;
};

const Shape kShapes[] = {
    {"SeqScan", "Seq Scan on public.orders", "", "SELECT customer_id FROM orders"},
    {"BitmapScan", "Bitmap Heap Scan",
     "SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off",
     "SELECT customer_id FROM orders WHERE order_date IS NULL OR order_date < '3000-01-01'"},
    {"Sort", "Sort", "", "SELECT customer_id FROM orders ORDER BY amount, order_id"},
    {"IncrementalSort", "Incremental Sort", "SET enable_seqscan = off; SET enable_sort = off",
     "SELECT customer_id FROM copies WHERE order_id IN (SELECT order_id FROM orders)"
     " ORDER BY customer_id, order_date"},
    {"HashJoin", "Hash Join", "SET enable_nestloop = off; SET enable_mergejoin = off",
     "SELECT o.customer_id FROM orders o JOIN copies c USING (order_id)"},
    {"MergeJoin", "Merge Join", "SET enable_nestloop = off; SET enable_hashjoin = off",
     "SELECT o.customer_id FROM orders o JOIN copies c USING (order_id)"},
    {"NestedLoop", "Nested Loop", "SET enable_material = off",
     "SELECT o.customer_id FROM orders o, generate_series(1, 3)"},
    {"Materialize", "Materialize",
     "SET enable_nestloop = on; SET enable_hashjoin = off; SET enable_mergejoin = off",
     "SELECT o.customer_id FROM copies c LEFT JOIN orders o ON o.amount + c.amount = 0"},
    {"Memoize", "Memoize",
     "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off;"
     "SET enable_material = off",
     "SELECT o.customer_id FROM many m JOIN orders o ON o.order_id = m.order_id"},
    {"HashAggregate", "HashAggregate", "SET enable_sort = off",
     "SELECT customer_id, count(*) FROM orders GROUP BY customer_id"},
    {"GroupAggregate", "GroupAggregate", "SET enable_hashagg = off",
     "SELECT customer_id, count(*) FROM orders GROUP BY customer_id"},
    {"Group", "Group", "SET enable_hashagg = off",
     "SELECT customer_id FROM orders GROUP BY customer_id, order_id"},
    {"Unique", "Unique", "SET enable_hashagg = off",
     "SELECT DISTINCT customer_id, order_id FROM orders"},
    {"WindowAgg", "WindowAgg", "",
     "SELECT customer_id, row_number() OVER (ORDER BY order_id) FROM orders"},
    {"SetOp", "SetOp", "",
     "SELECT customer_id, order_id FROM orders INTERSECT SELECT customer_id, order_id FROM copies"},
    {"Cte", "CTE Scan", "",
     "WITH o AS MATERIALIZED (SELECT * FROM orders) SELECT customer_id FROM o"},
    {"Recursion", "Recursive Union", "",
     "WITH RECURSIVE o AS (SELECT customer_id, 1 AS n FROM orders UNION ALL"
     " SELECT customer_id, n + 1 FROM o WHERE n < 3) SELECT customer_id FROM o"},
    {"FunctionScan", "Function Scan", "", "SELECT customer_id FROM stored_orders()"},
    {"ProjectSet", "ProjectSet", "", "SELECT (stored_orders()).customer_id"},
    {"LazyFunction", "ProjectSet", "", "SELECT (lazy_orders()).customer_id"},
    {"HashedSubPlan", "hashed SubPlan", "",
     "SELECT customer_id FROM copies WHERE (order_id IN (SELECT order_id FROM orders)) IS TRUE"},
    {"InitPlan", "InitPlan", "",
     "SELECT customer_id FROM copies WHERE customer_id <= (SELECT max(customer_id) FROM orders)"},
    {"OneTimeFilter", "One-Time Filter", "",
     "SELECT customer_id FROM copies WHERE entitle.access_level(2) >= 20 AND customer_id < 3"},
    {"HandWritten", "accessible_customers", "SET enable_seqscan = off; SET enable_bitmapscan = off",
     "SELECT customer_id FROM copies WHERE customer_id = ANY(entitle.accessible_customers(20))"},
    {"HiddenInAFunction", "Index", "SET enable_seqscan = off; SET enable_bitmapscan = off",
     "SELECT customer_id FROM copies WHERE customer_id <= greatest_customer()"},
    {"HandWrittenLimit", "Limit", "SET enable_sort = off",
     "SELECT customer_id FROM copies WHERE customer_id = 2"
     " LIMIT CASE WHEN entitle.access_level(2) >= 20 THEN 100 ELSE 0 END"},
    {"HandWrittenOffset", "Limit", "SET enable_sort = off",
     "SELECT customer_id FROM copies WHERE customer_id = 2"
     " OFFSET CASE WHEN entitle.access_level(2) >= 20 THEN 0 ELSE 100 END"},
    {"QueryInALimit", "Limit", "SET enable_sort = off",
     "SELECT customer_id FROM copies WHERE customer_id = 2 LIMIT length(table_to_xml('orders', "
     "true,"
     " false, '')::text) / 600"},
    {"PartitionsMerged", "Merge Append", "SET enable_seqscan = off; SET enable_sort = off",
     "SELECT customer_id FROM parts ORDER BY customer_id"},
    {"Partitions", "Append", "", "SELECT customer_id FROM parts"},
    {"MaskedView", "Sort", "", "SELECT customer_id, price FROM priced_view ORDER BY order_id"},
    {"Limit", "Limit", "", "SELECT customer_id FROM orders ORDER BY order_id LIMIT 100"},
};

class KeptAnswerTest : public PlanWorld, public ::testing::WithParamInterface<Shape> {
  protected:
    void SetUp() override {
        admin_.must(kGrant);
        admin_.must(
            "CREATE TABLE copies AS SELECT * FROM orders; CREATE INDEX ON copies (customer_id);"
            "CREATE UNIQUE INDEX ON copies (order_id);"
            "CREATE TABLE many AS SELECT 1 + i % 8 AS order_id FROM generate_series(1, 5000) i;"
            "ANALYZE copies; ANALYZE many; ANALYZE orders;"
            "CREATE FUNCTION stored_orders() RETURNS SETOF orders LANGUAGE plpgsql STABLE AS"
            " 'BEGIN RETURN QUERY SELECT * FROM orders; END';"
            "CREATE FUNCTION lazy_orders() RETURNS SETOF orders LANGUAGE sql STABLE AS"
            " 'SELECT * FROM orders ORDER BY amount';"
            "CREATE FUNCTION greatest_customer() RETURNS bigint LANGUAGE plpgsql STABLE AS"
            " 'BEGIN RETURN (SELECT max(customer_id) FROM orders); END';"
            "CREATE FUNCTION fetch_all(reading refcursor) RETURNS text LANGUAGE plpgsql AS"
            " 'DECLARE r record; ids text; BEGIN LOOP FETCH reading INTO r; EXIT WHEN NOT FOUND;"
            " ids := concat_ws('','', ids, r.customer_id); END LOOP; RETURN ids; END';"
            "INSERT INTO entitle.app_user (user_id, login, db_role)"
            " VALUES (112, 'mapped both', 'plan_definer');"
            "INSERT INTO entitle.external_access VALUES"
            " (1, 112, 'L40', NULL), (2, 112, 'L40', NULL);"
            "GRANT SELECT ON copies, many TO PUBLIC;"
            "GRANT SELECT ON priced_view TO plan_outsider, plan_definer");
    }

    void TearDown() override {
        app_.run("ROLLBACK");
        app_.run("CLOSE ALL");
        admin_.must(kRevoke);
        admin_.must("DELETE FROM entitle.external_access WHERE user_id = 112;"
                    "DELETE FROM entitle.app_user WHERE user_id = 112;"
                    "DROP FUNCTION greatest_customer(), fetch_all(refcursor), lazy_orders(), "
                    "stored_orders();"
                    "DROP TABLE copies, many");
    }

    // Opens a cursor as that user, who has both customers, and reads one row.
    void open(const std::string &options, const std::string &query) {
        app_.must("DECLARE reading CURSOR " + options + " FOR " + query);
        app_.must("FETCH 1 FROM reading");
    }

    // How many rows of customer 2 a reply has.
    static int forbidden(const Reply &reply) {
        int count = 0;
        for (const Row &row : reply.rows) {
            count += row.front() == "2" ? 1 : 0;
        }
        return count;
    }

    static void expect_ended(const Reply &reply) {
        EXPECT_TRUE(reply.ok() || reply.error == "40001") << reply.error << reply.message;
        EXPECT_EQ(forbidden(reply), 0);
    }

    void set_up_plan(const std::string &role) {
        app_.must(GetParam().settings);
        app_.must("SET ROLE " + role);
    }
};

TEST_P(KeptAnswerTest, ItsPlanIsThatShape) {
    set_up_plan("plan_app");
    app_.must("BEGIN");
    sign_in("unlimited");
    const std::string plan = plan_of(GetParam().query, "COSTS OFF, VERBOSE");
    EXPECT_NE(plan.find(GetParam().node), std::string::npos) << plan;
    open("", GetParam().query);
    EXPECT_GT(forbidden(app_.must("FETCH ALL FROM reading")), 0);
}

TEST_P(KeptAnswerTest, ShowsNothingAfterARevoke) {
    set_up_plan("plan_app");
    app_.must("BEGIN");
    sign_in("unlimited");
    open("", GetParam().query);
    admin_.must(kRevoke);
    expect_ended(app_.run("FETCH ALL FROM reading"));
}

TEST_P(KeptAnswerTest, ShowsNothingAfterANarrowerWindow) {
    set_up_plan("plan_app");
    app_.must("BEGIN");
    sign_in("unlimited");
    open("", GetParam().query);
    admin_.must("UPDATE entitle.external_access SET valid_until = current_date - 2"
                " WHERE (customer_id, user_id) = (2, 104)");
    expect_ended(app_.run("FETCH ALL FROM reading"));
}

TEST_P(KeptAnswerTest, ShowsNothingToAnotherRole) {
    set_up_plan("plan_definer");
    app_.must("BEGIN");
    open("", GetParam().query);
    app_.must("SET ROLE plan_outsider");
    expect_ended(app_.run("FETCH ALL FROM reading"));
}

TEST_P(KeptAnswerTest, ShowsNothingOfAnotherCustomerThanTheChosen) {
    set_up_plan("plan_app");
    app_.must("BEGIN");
    sign_in("unlimited");
    open("", GetParam().query);
    app_.must("SELECT entitle.use_customer(1)");
    expect_ended(app_.run("FETCH ALL FROM reading"));
}

// A customer's code that becomes another's, or nobody's, takes the rows along.
class KeptKeyTest : public PlanWorld {
  protected:
    void SetUp() override {
        admin_.must(kGrant);
        admin_.must("CREATE TABLE coded AS SELECT order_id, 'C' || customer_id AS code FROM orders;"
                    "SELECT entitle.protect_table('coded', customer_column => 'code');"
                    "GRANT SELECT ON coded TO PUBLIC");
    }
    void TearDown() override {
        admin_.must("UPDATE entitle.customer SET customer_code = 'C2' WHERE customer_id = 2;"
                    "DROP TABLE coded");
        admin_.must(kRevoke);
    }
};

TEST_F(KeptKeyTest, RowsReadAheadEndWithTheKeysOfCustomers) {
    for (const char *table : {"coded", "orders"}) {
        const std::string query = std::string("SELECT * FROM ") + table + " ORDER BY order_id";
        app_.must("SET ROLE plan_app; SELECT entitle.sign_in('unlimited', true)");
        app_.must("DECLARE held CURSOR WITH HOLD FOR " + query);
        app_.must("BEGIN; DECLARE reading CURSOR FOR " + query + "; FETCH 1 FROM reading");
        admin_.must("UPDATE entitle.customer SET customer_code = 'D2' WHERE customer_id = 2");
        const std::string expected = std::string(table) == "coded" ? "40001" : "";
        EXPECT_EQ(app_.run("FETCH ALL FROM reading").error, expected) << table;
        app_.must("ROLLBACK");
        EXPECT_EQ(app_.run("FETCH ALL FROM held").error, expected) << table;
        app_.must("CLOSE held");
        admin_.must("UPDATE entitle.customer SET customer_code = 'C2' WHERE customer_id = 2");
    }
}

// S154
TEST_P(KeptAnswerTest, HeldRowsEndToo) {
    set_up_plan("plan_app");
    app_.must("SELECT entitle.sign_in('unlimited', true)");
    open("WITH HOLD", GetParam().query);
    EXPECT_TRUE(app_.run("FETCH 1 FROM reading").ok());
    admin_.must(kRevoke);
    const Reply reply = app_.run("FETCH ALL FROM reading");
    EXPECT_EQ(reply.error, "40001") << reply.message;
    EXPECT_EQ(app_.run("MOVE BACKWARD ALL IN reading").error, "40001");
    app_.must("CLOSE reading");
}

// The rows that a transaction's end puts aside were read, or sorted, by the FETCH before it (S175).
TEST_P(KeptAnswerTest, RowsHeldHalfwayEndToo) {
    for (const char *options : {"", "SCROLL ", "NO SCROLL "}) {
        set_up_plan("plan_app");
        app_.must("SELECT entitle.sign_in('unlimited', true)");
        app_.must("BEGIN");
        const std::string declared =
            std::string("DECLARE reading ") + options + "CURSOR WITH HOLD FOR " + GetParam().query;
        if (!app_.run(declared).ok()) {
            app_.run("ROLLBACK");
            continue;
        }
        app_.must("FETCH 1 FROM reading; COMMIT");
        admin_.must(kRevoke);
        EXPECT_EQ(app_.run("FETCH ALL FROM reading").error, "40001") << options;
        app_.must("CLOSE reading");
        admin_.must(kGrant);
    }
}

// A function's FETCH meets no utility command (S175).
TEST_P(KeptAnswerTest, HeldRowsEndByEveryWayToFetch) {
    set_up_plan("plan_app");
    app_.must("SELECT entitle.sign_in('unlimited', true)");
    open("WITH HOLD", GetParam().query);
    EXPECT_EQ(app_.must("SELECT fetch_all('reading') LIKE '%2%'").value(), "t");
    app_.must("CLOSE reading");
    open("WITH HOLD", GetParam().query);
    admin_.must(kRevoke);
    EXPECT_EQ(app_.run("SELECT fetch_all('reading')").error, "55000");
    EXPECT_EQ(app_.run("FETCH ALL FROM reading").error, "40001");
    app_.must("CLOSE reading");
}

// A portal that a limit of rows suspended, as JDBC's setFetchSize does it (S176).
TEST_P(KeptAnswerTest, SuspendedPortalsEndToo) {
    Wire driver("plan_test");
    for (const bool is_other_role : {false, true}) {
        const std::string who = is_other_role ? "SET ROLE plan_definer"
                                              : "SET ROLE plan_app;"
                                                "SELECT entitle.sign_in('unlimited', true)";
        ASSERT_TRUE(driver.run(GetParam().settings).ok());
        ASSERT_TRUE(driver.run(who).ok());
        ASSERT_TRUE(driver.run("BEGIN").ok());
        ASSERT_TRUE(driver.bind("reading", GetParam().query).ok());
        const Reply first = driver.execute("reading", 1);
        EXPECT_TRUE(first.ok() && first.tag.empty()) << first.message;
        if (is_other_role) {
            ASSERT_TRUE(driver.run("SET ROLE plan_outsider").ok());
        } else {
            admin_.must(kRevoke);
        }
        expect_ended(driver.execute("reading", 0));
        ASSERT_TRUE(driver.run("ROLLBACK").ok());
        ASSERT_TRUE(driver.run("RESET ROLE; SELECT entitle.sign_out()").ok());
        admin_.must(kGrant);
    }
}

TEST_P(KeptAnswerTest, SuspendedPortalsGoOnUntilThen) {
    Wire driver("plan_test");
    ASSERT_TRUE(driver.run(GetParam().settings).ok());
    ASSERT_TRUE(driver.run("SET ROLE plan_app; SELECT entitle.sign_in('unlimited', true)").ok());
    ASSERT_TRUE(driver.run("BEGIN").ok());
    ASSERT_TRUE(driver.bind("reading", GetParam().query).ok());
    int seen = 0;
    for (;;) {
        const Reply reply = driver.execute("reading", 2);
        ASSERT_TRUE(reply.ok()) << reply.message;
        seen += forbidden(reply);
        if (!reply.tag.empty()) {
            break;
        }
    }
    EXPECT_GT(seen, 0);
}

// The protocol knows a declared cursor's portal by its name (S176).
TEST_P(KeptAnswerTest, HeldRowsEndForAnExecuteToo) {
    Wire driver("plan_test");
    ASSERT_TRUE(driver.run(GetParam().settings).ok());
    ASSERT_TRUE(driver.run("SET ROLE plan_app; SELECT entitle.sign_in('unlimited', true)").ok());
    ASSERT_TRUE(
        driver.run(std::string("DECLARE reading CURSOR WITH HOLD FOR ") + GetParam().query).ok());
    admin_.must(kRevoke);
    // An error on the way opens nothing.
    for (const char *before : {"", "SELECT 1/0", "DO 'BEGIN PERFORM 1/0; END'",
                               "BEGIN; SAVEPOINT s; DO 'BEGIN PERFORM 1/0; END'", "ROLLBACK"}) {
        (void)driver.run(before);
        const Reply reply = driver.execute("reading", 0);
        EXPECT_TRUE(reply.error == "55000" || reply.error == "25P02") << before << reply.message;
        EXPECT_EQ(forbidden(reply), 0);
    }
}

TEST_P(KeptAnswerTest, GoesOnWhenAllIsLoadedAnew) {
    set_up_plan("plan_app");
    app_.must("SELECT entitle.sign_in('unlimited', true)");
    open("WITH HOLD", GetParam().query);
    app_.must("BEGIN; DECLARE other CURSOR FOR " + std::string(GetParam().query) +
              "; FETCH 1 FROM other");
    admin_.must("GRANT SELECT ON entitle.external_access TO plan_definer;"
                "REVOKE SELECT ON entitle.external_access FROM plan_definer");
    app_.must("FETCH ALL FROM reading; FETCH ALL FROM other");
}

// The same in the middle of the statements that read the rows.
TEST_P(KeptAnswerTest, GoesOnWhileAllIsLoadedAnew) {
    std::atomic<bool> is_over{false};
    std::thread other([&] {
        Session session("plan_test");
        // Without a pause PostgreSQL rebuilds what it knows of a table with policies again while it
        // does, until the stack is full.
        while (!is_over) {
            session.run("GRANT SELECT ON entitle.membership TO plan_definer");
            session.run("REVOKE SELECT ON entitle.membership FROM plan_definer");
            session.run("SELECT pg_sleep(0.001)");
        }
    });
    set_up_plan("plan_app");
    app_.run("SELECT entitle.sign_in('unlimited', true)");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(app_.run(std::string("DECLARE reading CURSOR WITH HOLD FOR ") + GetParam().query +
                           "; FETCH 1 FROM reading")
                      .message,
                  "");
        EXPECT_EQ(app_.run("BEGIN; DECLARE other CURSOR FOR " + std::string(GetParam().query) +
                           "; FETCH 1 FROM other")
                      .message,
                  "");
        EXPECT_EQ(app_.run("FETCH ALL FROM reading; FETCH ALL FROM other").message, "");
        app_.run("ROLLBACK; CLOSE ALL");
    }
    is_over = true;
    other.join();
}

TEST_P(KeptAnswerTest, GoesOnWhenOthersRightsChange) {
    set_up_plan("plan_app");
    app_.must("BEGIN");
    sign_in("unlimited");
    open("", GetParam().query);
    admin_.must("INSERT INTO entitle.external_access VALUES (3, 105, 'L40', NULL)");
    const Reply reply = app_.run("FETCH ALL FROM reading");
    EXPECT_GT(forbidden(reply), 0) << reply.error;
    admin_.must("DELETE FROM entitle.external_access WHERE user_id = 105");
}

INSTANTIATE_TEST_SUITE_P(Shapes, KeptAnswerTest, ::testing::ValuesIn(kShapes),
                         [](const auto &one) { return one.param.name; });

} // namespace
} // namespace entitle::client
