// How long the queries behind plans are kept, and what becomes of plans whose query is not.
#include <gtest/gtest.h>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

const std::string kIds = "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM ";

class PlanKeepTest : public PlanWorld {
  protected:
    void SetUp() override {
        app_.must("SET ROLE plan_app; SET plan_cache_mode = force_generic_plan; SET jit = off");
    }

    std::string execute(const std::string &name) { return app_.run("EXECUTE " + name).value(); }
};

// More prepared plans than are remembered: the forgotten ones are never run for another user.
TEST_F(PlanKeepTest, ForgottenPlansAreRefusedOrMadeAnew) {
    constexpr int kPlans = 400;
    app_.must("SET max_parallel_workers_per_gather = 0");
    for (int i = 0; i < kPlans; ++i) {
        app_.must("PREPARE p" + std::to_string(i) + " AS " + kIds + "orders WHERE order_id <> " +
                  std::to_string(-i));
    }
    for (const char *who : {"staff", "one", "", "both", "staff"}) {
        const std::string login = who;
        app_.must("BEGIN");
        if (!login.empty()) {
            sign_in(login);
        }
        int refused = 0;
        for (int i = 0; i < kPlans; ++i) {
            app_.must("SAVEPOINT a");
            const std::string name = "p" + std::to_string(i);
            Reply reply = app_.run("EXECUTE " + name);
            if (reply.error == "40001") {
                ++refused;
                app_.must("ROLLBACK TO a");
                reply = app_.run("EXECUTE " + name);
            }
            EXPECT_EQ(reply.value(), login == "staff"  ? "1,2,3,4,5,6,7,8,9"
                                     : login == "one"  ? "1,2,3"
                                     : login == "both" ? "1,2,3,4,5"
                                                       : kNull);
        }
        // sign_in drops what it cannot exchange; the end of a transaction cannot.
        EXPECT_LE(refused, login.empty() ? 1 : 0) << login;
        app_.must("COMMIT");
    }
}

// A plan that is exchanged at each execution is not forgotten for what comes between, and when it
// is, it is made anew.
TEST_F(PlanKeepTest, APlanInExchangeIsNotForgotten) {
    constexpr int kMany = 300;
    for (const char *first : {"staff", "low", "unlimited"}) {
        for (const char *then : {"unlimited", "staff", "both"}) {
            SCOPED_TRACE(std::string(first) + " " + then);
            Session app = open();
            app.must("SET ROLE plan_app; SET plan_cache_mode = force_generic_plan; SET jit = off");
            app.must("PREPARE asked AS " + kIds + "orders WHERE order_id > 0");
            app.must(std::string("SELECT entitle.sign_in('") + first + "', true); EXECUTE asked");
            app.must(std::string("SELECT entitle.sign_in('") + then + "', true)");
            const std::string ids = app.must("EXECUTE asked").value();
            for (int i = 0; i < kMany; ++i) {
                app.must(kIds + "orders WHERE order_id > " + std::to_string(i));
            }
            EXPECT_EQ(app.run("EXECUTE asked").value(), ids);
            for (int i = 0; i < kMany; ++i) {
                const std::string name = "many_" + std::to_string(i);
                ASSERT_TRUE(
                    app.prepare(name, kIds + "orders WHERE order_id > " + std::to_string(i)).ok());
                ASSERT_TRUE(app.run_prepared(name).ok());
            }
            EXPECT_EQ(app.run("EXECUTE asked").value(), ids);
            EXPECT_EQ(app.run("EXECUTE asked").value(), ids);
        }
    }
}

// The plan of somebody to whom a table is closed names too little to watch over another's.
TEST_F(PlanKeepTest, APlanThatNamesMoreTakesItsPlace) {
    admin_.must("UPDATE entitle.external_access SET role = 'L10' WHERE user_id = 108");
    app_.must("PREPARE asked AS " + kIds +
              "parts WHERE amount >= 0; PREPARE listed AS SELECT * FROM parts WHERE amount >= 0");
    sign_in("low", true);
    ASSERT_EQ(execute("asked"), kNull);
    EXPECT_NE(plan_of("EXECUTE listed").find("One-Time Filter: false"), std::string::npos);
    sign_in("unlimited", true);
    for (int i = 0; i < 300; ++i) {
        ASSERT_EQ(execute("asked"), "1,2,3,7,9") << i;
    }
    for (int round = 0; round < 3; ++round) {
        sign_in("low", true);
        ASSERT_EQ(execute("asked"), kNull);
        sign_in("unlimited", true);
        ASSERT_EQ(execute("asked"), "1,2,3,7,9");
    }
    sign_in("");
    admin_.must("UPDATE entitle.external_access SET role = 'L20' WHERE user_id = 108");
}

// A function that fails while it is folded, and goes on, leaves nothing behind for the query around
// it: that one's plan can be exchanged, so nothing is dropped when the next user signs in.
TEST_F(PlanKeepTest, AnErrorInAnInnerPlanIsForgotten) {
    admin_.must(
        "CREATE SEQUENCE plannings; GRANT USAGE ON SEQUENCE plannings TO plan_app;"
        "CREATE FUNCTION count_planning() RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN RETURN nextval('plannings'); END $$;"
        "CREATE FUNCTION fail_inside() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN EXECUTE 'SELECT 1/0'; EXCEPTION WHEN division_by_zero THEN RETURN 1; END $$");
    app_.must("PREPARE counted AS SELECT count_planning();"
              "PREPARE asked AS SELECT count(*), fail_inside() FROM orders");
    const std::string planned = execute("counted");
    for (const char *login : {"staff", "one", "staff", "one"}) {
        sign_in(login, true);
        ASSERT_TRUE(app_.run("EXECUTE asked").ok());
        EXPECT_EQ(execute("counted"), planned) << login;
    }
    sign_in("");
    admin_.must("DROP FUNCTION count_planning, fail_inside; DROP SEQUENCE plannings");
}

// What a session's plans rely on is bounded, and the oldest is forgotten. Plans go on being made
// for their asker, and none is run for another.
TEST_F(PlanKeepTest, NewAssumptionsTakeThePlaceOfOldOnes) {
    constexpr int kQueries = 25;
    constexpr int kEach = 500;
    app_.must("PREPARE asked AS " + kIds + "orders");
    const std::map<std::string, std::string> seen = {
        {"staff", "1,2,3,4,5,6,7,8,9"}, {"one", "1,2,3"}, {"both", "1,2,3,4,5"}};
    for (const auto &[login, ids] : seen) {
        sign_in(login, true);
        ASSERT_EQ(execute("asked"), ids);
    }
    sign_in("one", true);
    app_.must("BEGIN; DECLARE c CURSOR FOR SELECT order_id FROM orders; FETCH c");
    for (int i = 0; i < kQueries; ++i) {
        std::string query = "SELECT FROM probe WHERE false";
        for (int j = 0; j < kEach; ++j) {
            query += " OR entitle.row_allowed('test." + std::to_string(i * kEach + j) +
                     "', NULL, length(seen)::bigint)";
        }
        EXPECT_NE(plan_of(query).find("One-Time Filter: false"), std::string::npos) << i;
    }
    EXPECT_NE(plan_of("SELECT FROM ledger").find("One-Time Filter: false"), std::string::npos);
    EXPECT_EQ(app_.run("FETCH c").error, "40001");
    app_.must("ROLLBACK");
    for (int round = 0; round < 3; ++round) {
        for (const auto &[login, ids] : seen) {
            sign_in(login, true);
            EXPECT_EQ(execute("asked"), ids) << login;
        }
    }
    sign_in("");
}

} // namespace
} // namespace entitle::client
