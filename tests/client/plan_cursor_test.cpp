// Where no window needs a look at dates, an index scan finds an outsider's rows without any test of
// rows. What it looks for was worked out when it began, so a cursor may go on only while the
// customers are the same (R46, S12).
#include <gtest/gtest.h>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

class PlanCursorTest : public PlanWorld {
  protected:
    void SetUp() override {
        admin_.must(kGrant);
        app_.must("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;"
                  "SET ROLE plan_app");
    }

    void TearDown() override { admin_.must(kRevoke); }

    // Opens a cursor over both customers' rows, and reads one of the first customer's.
    void begin() {
        app_.must("BEGIN");
        sign_in("unlimited");
        app_.must("DECLARE reading CURSOR FOR " + kQuery);
        EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), "1");
    }

    const std::string kQuery = "SELECT customer_id FROM orders ORDER BY customer_id";
};

TEST_F(PlanCursorTest, NoRowIsTested) {
    app_.must("BEGIN");
    sign_in("unlimited");
    const std::string plan = plan_of(kQuery);
    EXPECT_NE(plan.find("unlimited_customers(20)"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("row_allowed"), std::string::npos) << plan;
    EXPECT_EQ(app_.must(kQuery).rows.size(), 8u);
    app_.must("ROLLBACK");
}

TEST_F(PlanCursorTest, ARevokeEndsIt) {
    begin();
    admin_.must(kRevoke);
    EXPECT_EQ(app_.run("FETCH 1 FROM reading").error, "40001");
    app_.must("ROLLBACK");
}

TEST_F(PlanCursorTest, AWindowEndsIt) {
    begin();
    admin_.must("UPDATE entitle.external_access SET days_back = 1 WHERE user_id = 104 AND "
                "customer_id = 2");
    EXPECT_EQ(app_.run("FETCH 1 FROM reading").error, "40001");
    app_.must("ROLLBACK");
    admin_.must(kRevoke);
}

TEST_F(PlanCursorTest, AnotherUsersGrantsDoNot) {
    begin();
    admin_.must("INSERT INTO entitle.external_access VALUES (3, 105, 'L40', NULL)");
    EXPECT_EQ(app_.must("FETCH ALL FROM reading").rows.size(), 7u);
    app_.must("ROLLBACK");
    admin_.must("DELETE FROM entitle.external_access WHERE user_id = 105");
}

// A grant that came and went while nobody looked leaves what was: but not if the list was worked
// out in between.
TEST_F(PlanCursorTest, AGrantThatCameAndWentCounts) {
    admin_.must(kRevoke);
    app_.must("BEGIN");
    sign_in("unlimited");
    app_.must("DECLARE reading CURSOR FOR " + kQuery);
    EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), "1");
    admin_.must(kGrant);
    admin_.must(kRevoke);
    EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), "1");
    admin_.must(kGrant);
    EXPECT_EQ(app_.must("SELECT array_length(entitle.accessible_customers(20), 1)").value(), "2");
    admin_.must(kRevoke);
    EXPECT_EQ(app_.run("FETCH 1 FROM reading").error, "40001");
    app_.must("ROLLBACK");
}

// What counts is the first FETCH: only then the list is worked out.
TEST_F(PlanCursorTest, AGrantBeforeTheFirstRowIsInIt) {
    admin_.must(kRevoke);
    app_.must("BEGIN");
    sign_in("unlimited");
    app_.must("DECLARE reading CURSOR FOR " + kQuery);
    admin_.must(kGrant);
    EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), "1");
    EXPECT_EQ(app_.must("FETCH ALL FROM reading").rows.size(), 7u);
    app_.must("ROLLBACK");
}

// A plan that tests its rows, or has read all of them, relies on no list.
TEST_F(PlanCursorTest, OthersGoOn) {
    app_.must("SET enable_seqscan = on; SET enable_sort = on; SET enable_indexscan = off; SET "
              "enable_indexonlyscan = off");
    app_.must("BEGIN");
    sign_in("unlimited");
    app_.must("DECLARE reading CURSOR FOR SELECT customer_id FROM orders");
    EXPECT_TRUE(app_.run("FETCH 1 FROM reading").ok());
    admin_.must(kRevoke);
    EXPECT_EQ(app_.run("FETCH ALL FROM reading").error, "");
    app_.must("ROLLBACK");

    admin_.must(kGrant);
    app_.must(
        "RESET enable_indexscan; RESET enable_indexonlyscan; SET enable_seqscan = off; BEGIN");
    sign_in("unlimited");
    const Reply loop =
        app_.run("DO $$ DECLARE r record; n integer := 0; BEGIN"
                 " FOR r IN SELECT customer_id, count(*) FROM orders GROUP BY 1 ORDER BY 2 LOOP"
                 " PERFORM entitle.use_customer(r.customer_id); n := n + 1; END LOOP;"
                 " RAISE EXCEPTION '%', n USING ERRCODE = 'XX999'; END $$");
    EXPECT_EQ(loop.error, "XX999");
    EXPECT_NE(loop.message.find('2'), std::string::npos) << loop.message;
    app_.must("ROLLBACK");
}

// More grants than a planner looks at unasked: their loss from memory is not a change.
TEST_F(PlanCursorTest, ManyGrantsAreLookedAtAgain) {
    admin_.must("INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id)"
                " SELECT i, 'n', 'n', 't' FROM generate_series(20001, 21500) AS i;"
                "INSERT INTO entitle.external_access SELECT i, 104, 'L40', NULL FROM "
                "generate_series(20001, 21500) AS i");
    app_.must("BEGIN");
    sign_in("unlimited");
    app_.must("SELECT entitle.accessible_customers(20)"); // loads them
    app_.must("DECLARE reading CURSOR FOR " + kQuery);
    EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), "1");
    admin_.must("INSERT INTO entitle.app_user (user_id, login) SELECT i, 'many ' || i FROM "
                "generate_series(2001, 2150) AS i;"
                "INSERT INTO entitle.external_access SELECT 3, i, 'L40', NULL FROM "
                "generate_series(2001, 2150) AS i");
    EXPECT_EQ(app_.run("FETCH ALL FROM reading").error, "");
    app_.must("ROLLBACK");
    admin_.must("DELETE FROM entitle.external_access WHERE customer_id > 20000 OR user_id > 2000;"
                "DELETE FROM entitle.app_user WHERE user_id > 2000");
}

// A loop of PL/pgSQL reads in pieces of its own.
TEST_F(PlanCursorTest, ALoopEndsToo) {
    admin_.must("INSERT INTO orders SELECT i, 1, 1 + i % 2, current_date FROM "
                "generate_series(1001, 1200) AS i");
    const std::string loop = "DO $$ DECLARE r record; n integer := 0; BEGIN"
                             " FOR r IN " +
                             kQuery +
                             " LOOP n := n + 1;"
                             " IF n = 60 THEN PERFORM pg_advisory_xact_lock(7); END IF;"
                             " END LOOP; RAISE EXCEPTION '%', n USING ERRCODE = 'XX999'; END $$";
    app_.must("BEGIN");
    sign_in("unlimited");
    EXPECT_EQ(app_.run(loop).error, "XX999");
    app_.must("ROLLBACK");

    app_.must("BEGIN");
    sign_in("unlimited");
    admin_.must("SELECT pg_advisory_lock(7)");
    ASSERT_EQ(PQsendQuery(app_.handle(), loop.c_str()), 1);
    while (admin_.must("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
               .value() != "1") {
    }
    admin_.must(kRevoke); // committed before the loop goes on
    admin_.must("SELECT pg_advisory_unlock(7)");
    std::string error;
    while (PGresult *result = PQgetResult(app_.handle())) {
        const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        error = code == nullptr ? error : code;
        PQclear(result);
    }
    EXPECT_EQ(error, "40001");
    app_.must("ROLLBACK");
    admin_.must("DELETE FROM orders WHERE order_id > 1000");
}

} // namespace
} // namespace entitle::client
