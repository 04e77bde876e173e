// Index scans that test no row, while others write: a row that was waited for is looked at once
// more by the condition of the scan, with the customers of that moment (R3, R34, R46). What a
// cursor has begun with is what it goes on with, held or scrolled.
#include <gtest/gtest.h>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

// Two tables that only the customer leads into: one with a date, one without.
class PlanExactTest : public PlanWorld {
  protected:
    void SetUp() override {
        admin_.must(
            "CREATE TABLE dated (id integer, customer_id integer, on_date date, amount integer);"
            "INSERT INTO dated SELECT i, 1 + (i - 1) % 4, current_date - 100, i FROM "
            "generate_series(1, 16) AS i;"
            "CREATE TABLE plain (id integer, customer_id smallint, amount integer);"
            "INSERT INTO plain SELECT id, customer_id, amount FROM dated;"
            "CREATE INDEX ON dated (customer_id, on_date); CREATE INDEX ON plain (customer_id);");
        for (const char *table : {"'dated', date_column => 'on_date'", "'plain'"}) {
            admin_.must(std::string("DO $$ BEGIN PERFORM entitle.protect_table(") + table +
                        ", customer_column => 'customer_id', min_level => 20, "
                        "external_update_level => 20); END $$");
        }
        admin_.must("GRANT SELECT, UPDATE, DELETE ON dated, plain TO plan_app; " + kGrant);
        app_.must("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;"
                  "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = "
                  "off; SET ROLE plan_app");
        app_.must("BEGIN");
        sign_in("unlimited"); // of customers 1 and 2, whose ids are 1, 5, 9, 13 and 2, 6, 10, 14
    }

    void TearDown() override {
        app_.run("ROLLBACK");
        admin_.run("ROLLBACK");
        admin_.must(kRevoke + "; DROP TABLE dated, plain");
    }

    // The answer to a query that waits for the administrator's transaction, ended when `meanwhile`
    // is done; its first values, in its order.
    std::string answer_after(const std::string &write, const std::string &query,
                             const std::string &meanwhile = {}) {
        Session watcher = open();
        admin_.must("BEGIN; " + write);
        EXPECT_EQ(PQsendQuery(app_.handle(), query.c_str()), 1);
        while (watcher.must("SELECT count(*) FROM pg_locks WHERE NOT granted").value() == "0") {
        }
        watcher.must(meanwhile);
        admin_.must("COMMIT");
        std::string answer;
        while (PGresult *result = PQgetResult(app_.handle())) {
            for (int i = 0; i < PQntuples(result); ++i) {
                answer += (answer.empty() ? "" : ",") + std::string(PQgetvalue(result, i, 0));
            }
            const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            answer += code == nullptr ? "" : code;
            PQclear(result);
        }
        return answer;
    }

    void expect_untested(const std::string &query) {
        std::string plan;
        for (const Row &line : app_.must("EXPLAIN (COSTS OFF) " + query).rows) {
            plan += line.front() + "\n";
        }
        EXPECT_NE(plan.find("_customers(20)"), std::string::npos) << plan;
        EXPECT_EQ(plan.find("row_allowed"), std::string::npos) << plan;
    }
};

TEST_F(PlanExactTest, ARowThatMovesAwayIsNotLocked) {
    for (const std::string table : {"dated", "plain"}) {
        SCOPED_TRACE(table);
        const std::string query = "SELECT id FROM " + table + " ORDER BY customer_id FOR UPDATE";
        expect_untested(query);
        EXPECT_EQ(answer_after("UPDATE " + table + " SET customer_id = 3 WHERE id = 1; UPDATE " +
                                   table + " SET customer_id = NULL WHERE id = 2",
                               query),
                  "5,9,13,6,10,14");
    }
}

TEST_F(PlanExactTest, ARowThatMovesBetweenOnesOwnIsLocked) {
    for (const std::string table : {"dated", "plain"}) {
        SCOPED_TRACE(table);
        EXPECT_EQ(answer_after("UPDATE " + table + " SET customer_id = 2 WHERE id = 1",
                               "SELECT count(*) FROM (SELECT id FROM " + table + " FOR UPDATE) q"),
                  "8");
    }
}

TEST_F(PlanExactTest, ARowThatMovesAwayIsNotChanged) {
    for (const std::string table : {"dated", "plain"}) {
        SCOPED_TRACE(table);
        const std::string query = "UPDATE " + table + " SET amount = -1 RETURNING id";
        expect_untested(query);
        EXPECT_EQ(
            answer_after("UPDATE " + table + " SET customer_id = 4 WHERE id IN (5, 14)", query),
            "1,9,13,2,6,10");
        app_.must("COMMIT");
        EXPECT_EQ(admin_.must("SELECT count(*) FROM " + table + " WHERE amount = -1").value(), "6");
        app_.must("BEGIN");
        sign_in("unlimited");
    }
}

// A revoke that is committed while the statement waits reaches the row it waits for.
TEST_F(PlanExactTest, ARowRevokedMeanwhileIsNotLocked) {
    for (const std::string table : {"dated", "plain"}) {
        SCOPED_TRACE(table);
        EXPECT_EQ(answer_after("UPDATE " + table + " SET amount = 0 WHERE id IN (2, 6, 10, 14)",
                               "SELECT id FROM " + table + " ORDER BY customer_id FOR UPDATE",
                               kRevoke),
                  "1,5,9,13");
        admin_.must(kGrant);
    }
}

TEST_F(PlanExactTest, ARowWhoseWindowClosesMeanwhileIsNotLocked) {
    EXPECT_EQ(answer_after("UPDATE dated SET amount = 0 WHERE id IN (2, 6, 10, 14)",
                           "SELECT id FROM dated ORDER BY customer_id FOR UPDATE",
                           "UPDATE entitle.external_access SET days_back = 5 WHERE (customer_id, "
                           "user_id) = (2, 104)"),
              "1,5,9,13");
    admin_.must(kRevoke);
}

TEST_F(PlanExactTest, BothSidesOfAJoinAreLookedAtOnceMore) {
    const std::string query = "SELECT d.id FROM dated d JOIN plain p ON p.id = d.id AND "
                              "p.customer_id = d.customer_id WHERE d.id < 7 ORDER BY "
                              "d.customer_id FOR UPDATE";
    EXPECT_EQ(answer_after("UPDATE dated SET customer_id = 3 WHERE id = 1; UPDATE plain SET "
                           "customer_id = 3 WHERE id = 1; UPDATE plain SET customer_id = 4 WHERE "
                           "id = 6",
                           query),
              "5,2");
}

TEST_F(PlanExactTest, CursorsGoBackAndForth) {
    for (const std::string table : {"dated", "plain"}) {
        SCOPED_TRACE(table);
        const std::string query = "SELECT customer_id FROM " + table + " ORDER BY customer_id";
        expect_untested(query);
        app_.must("DECLARE reading SCROLL CURSOR WITH HOLD FOR " + query);
        EXPECT_EQ(app_.must("FETCH LAST FROM reading").value(), "2");
        EXPECT_EQ(app_.must("FETCH FIRST FROM reading").value(), "1");
        EXPECT_EQ(app_.must("FETCH ABSOLUTE -8 FROM reading").value(), "1");
        EXPECT_EQ(app_.must("FETCH FORWARD ALL FROM reading").rows.size(), 7u);
        EXPECT_EQ(app_.must("FETCH BACKWARD ALL FROM reading").rows.size(), 8u);
        // What is held belongs to the user whose sign-in ended with the transaction.
        app_.must("COMMIT");
        EXPECT_EQ(app_.run("FETCH ALL FROM reading").error, "40001");
        app_.must("CLOSE reading; BEGIN");
        sign_in("unlimited");
    }
}

// What is held is read to its end at the commit: not with a right that is gone.
TEST_F(PlanExactTest, ARevokeReachesWhatIsHeld) {
    app_.must("DECLARE reading CURSOR WITH HOLD FOR SELECT id FROM plain ORDER BY customer_id");
    EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), "1");
    admin_.must(kRevoke);
    EXPECT_EQ(app_.run("COMMIT").error, "40001");

    app_.must("BEGIN");
    sign_in("unlimited");
    app_.must("DECLARE reading CURSOR WITH HOLD FOR SELECT id FROM plain ORDER BY customer_id");
    admin_.must(kGrant + "; " + kRevoke);
    app_.must("COMMIT");
    EXPECT_EQ(app_.run("FETCH ALL FROM reading").error, "40001");
    app_.must("CLOSE reading; BEGIN");
}

// A grant of a savepoint, seen by the first FETCH and rolled back before the second.
TEST_F(PlanExactTest, AGrantRolledBackEndsIt) {
    admin_.must(kRevoke);
    Session definer = open();
    definer.must("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;"
                 "BEGIN; SELECT entitle.sign_in('unlimited'); SET LOCAL ROLE plan_app;"
                 "DECLARE reading CURSOR FOR SELECT customer_id FROM plain ORDER BY customer_id;"
                 "SAVEPOINT a; RESET ROLE; " +
                 kGrant + "; SET LOCAL ROLE plan_app");
    EXPECT_EQ(definer.must("FETCH 5 FROM reading").rows.size(), 5u);
    definer.must("ROLLBACK TO a");
    EXPECT_EQ(definer.run("FETCH 1 FROM reading").error, "40001");
}

} // namespace
} // namespace entitle::client
