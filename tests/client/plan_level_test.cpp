// Where all of an asker's customers are below a level, tests of that level are folded away: a mask
// of prices is no question any more, and a table for the higher is not read. A grant, a choice or
// somebody else's turn puts them back (R36, R46).
#include <gtest/gtest.h>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

const std::string kPrices = "SELECT string_agg(price::text, ',' ORDER BY order_id) FROM "
                            "priced_view";

class PlanLevelTest : public PlanWorld {
  protected:
    void SetUp() override {
        app_.must("SET ROLE plan_app; SET plan_cache_mode = force_generic_plan;"
                  "PREPARE prices AS " +
                  kPrices +
                  "; PREPARE masks AS SELECT count(*) FROM priced_view WHERE masked_columns = "
                  "'{price}';"
                  "PREPARE rows AS SELECT count(*) FROM orders");
    }

    void TearDown() override {
        admin_.must("DELETE FROM entitle.external_access WHERE user_id = 108; INSERT INTO "
                    "entitle.external_access VALUES (1, 108, 'L20', NULL), (2, 108, 'L20', 30)");
    }

    void give(const std::string &role, int customer = 1) {
        admin_.must("UPDATE entitle.external_access SET role = '" + role +
                    "' WHERE user_id = 108 AND customer_id = " + std::to_string(customer));
    }

    std::string prices() { return app_.must("EXECUTE prices").value(); }
    std::string masks() { return app_.must("EXECUTE masks").value(); }
    std::string rows() { return app_.must("EXECUTE rows").value(); }
};

TEST_F(PlanLevelTest, AMaskIsNoQuestion) {
    sign_in("low", true);
    const std::string plan = plan_of(kPrices, "COSTS OFF, VERBOSE");
    EXPECT_EQ(plan.find("30,"), std::string::npos) << plan;
    EXPECT_NE(plan.find("20,"), std::string::npos) << plan;
    EXPECT_EQ(prices(), kNull);
    EXPECT_EQ(masks(), "8");
    give("L30");
    EXPECT_NE(plan_of(kPrices, "COSTS OFF, VERBOSE").find("30,"), std::string::npos)
        << plan_of(kPrices, "COSTS OFF, VERBOSE");
}

TEST_F(PlanLevelTest, FollowsTheGrants) {
    sign_in("low", true);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(prices(), kNull);
        EXPECT_EQ(masks(), "8");
        EXPECT_EQ(rows(), "7");
        give("L30");
        EXPECT_EQ(prices(), "1,2,3,7,9");
        EXPECT_EQ(masks(), "3");
        give("L10");
        give("L10", 2);
        EXPECT_EQ(prices(), kNull);
        EXPECT_EQ(masks(), "0");
        EXPECT_EQ(rows(), "0");
        EXPECT_EQ(plan_of("SELECT * FROM orders", "COSTS OFF, VERBOSE").find("Scan"),
                  std::string::npos);
        give("L20");
        give("L20", 2);
    }
}

TEST_F(PlanLevelTest, FollowsTheAsker) {
    for (int round = 0; round < 3; ++round) {
        app_.must("BEGIN");
        sign_in("low");
        EXPECT_EQ(prices(), kNull);
        app_.must("SAVEPOINT a");
        sign_in("unlimited");
        EXPECT_EQ(prices(), "1,2,3,7,9");
        EXPECT_EQ(masks(), "0");
        app_.must("ROLLBACK TO a");
        EXPECT_EQ(masks(), "8");
        sign_in("staff");
        EXPECT_EQ(prices(), "1,2,3,4,5,6,7,8,9");
        sign_in("nothing");
        EXPECT_EQ(masks(), "0");
        app_.must("COMMIT");
        EXPECT_EQ(masks(), "0");
    }
}

TEST_F(PlanLevelTest, FollowsTheChosenCustomer) {
    give("L30");
    app_.must("BEGIN");
    sign_in("low");
    EXPECT_EQ(prices(), "1,2,3,7,9");
    app_.must("SELECT entitle.use_customer(2)");
    EXPECT_EQ(prices(), kNull);
    EXPECT_EQ(masks(), "3");
    EXPECT_EQ(plan_of(kPrices, "COSTS OFF, VERBOSE").find("30,"), std::string::npos);
    app_.must("SELECT entitle.use_customer(1)");
    EXPECT_EQ(prices(), "1,2,3,7,9");
    EXPECT_EQ(masks(), "0");
    app_.must("COMMIT");
}

// Plans that were pushed out of memory are made anew when the choice contradicts them.
TEST_F(PlanLevelTest, ForgottenPlansFollowTheChosenCustomer) {
    constexpr int kMany = 300;
    give("L30");
    for (int i = 0; i < kMany; ++i) {
        app_.must("PREPARE many_" + std::to_string(i) +
                  " AS SELECT count(price) FROM priced_view WHERE order_id > " +
                  std::to_string(i % 2));
    }
    app_.must("BEGIN");
    sign_in("low");
    for (const auto &[choice, expected] :
         {std::pair("2", "0"), std::pair("1", "5"), std::pair("NULL", "5"), std::pair("2", "0")}) {
        app_.must(std::string("SELECT entitle.use_customer(") + choice + ")");
        for (int i = 0; i < kMany; i += 2) {
            ASSERT_EQ(app_.must("EXECUTE many_" + std::to_string(i)).value(), expected) << choice;
        }
        for (int i = 1; i < kMany; ++i) {
            ASSERT_TRUE(app_.must("EXECUTE many_" + std::to_string(i)).ok()) << choice;
        }
    }
    app_.must("COMMIT");
}

// What a cursor has left out cannot come back in its middle.
TEST_F(PlanLevelTest, ACursorEndsWithTheFirstHigherGrant) {
    const auto begin = [&] {
        app_.must("BEGIN");
        sign_in("low");
        app_.must("DECLARE reading CURSOR FOR SELECT price FROM priced_view");
        EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), kNull);
    };
    begin();
    admin_.must("UPDATE entitle.external_access SET role = 'L30' WHERE user_id = 102");
    EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), kNull);
    admin_.must("UPDATE entitle.external_access SET role = 'L40' WHERE user_id = 102");
    give("L10", 2);
    EXPECT_EQ(app_.must("FETCH ALL FROM reading").rows.size(), 3u);
    app_.must("ROLLBACK");
    begin();
    give("L30");
    EXPECT_EQ(app_.run("FETCH 1 FROM reading").error, "40001");
    app_.must("ROLLBACK");
}

// A level that is none of the six opens nothing, with or without a query around it.
TEST_F(PlanLevelTest, ALevelBetweenTwoOpensNothing) {
    sign_in("unlimited", true);
    for (const char *from : {"priced_view", "parts", "orders"}) {
        EXPECT_EQ(app_.must(std::string("SELECT count(*) FROM ") + from +
                            " AS t WHERE entitle.row_allowed(NULL, 35, t.customer_id)")
                      .value(),
                  "0");
    }
    EXPECT_EQ(app_.must("SELECT entitle.row_allowed(NULL, 35, 1::bigint)").value(), "f");
}

// Nobody looks at so many grants while planning, unless the plan is costly; the answer is the same,
// in turns with somebody who has few.
TEST_F(PlanLevelTest, ManyGrantsBelow) {
    admin_.must("INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id)"
                " SELECT i, 'n', 'n', 't' FROM generate_series(30001, 31500) AS i;"
                "INSERT INTO entitle.external_access SELECT i, 105, 'L20', NULL FROM "
                "generate_series(30001, 31500) AS i;"
                "CREATE FUNCTION costly(integer) RETURNS boolean LANGUAGE plpgsql COST 10000000 "
                "AS 'BEGIN RETURN true; END'");
    app_.must("PREPARE costly AS SELECT count(price) FROM priced_view WHERE costly(order_id)");
    for (int round = 0; round < 2; ++round) {
        for (const char *login : {"low", "nothing", "unlimited"}) {
            sign_in(login, true);
            for (int again = 0; again < 2; ++again) {
                SCOPED_TRACE(login);
                const bool sees = std::string(login) == "unlimited";
                EXPECT_EQ(app_.must("EXECUTE costly").value(), sees ? "5" : "0");
                EXPECT_EQ(prices(), sees ? "1,2,3,7,9" : kNull);
                EXPECT_EQ(app_.must(kPrices).value(), sees ? "1,2,3,7,9" : kNull);
            }
        }
    }
    admin_.must("UPDATE entitle.external_access SET customer_id = 1, role = 'L30' WHERE user_id = "
                "105 AND customer_id = 30001");
    sign_in("nothing", true);
    EXPECT_EQ(app_.must("EXECUTE costly").value(), "5");
    EXPECT_EQ(prices(), "1,2,3,7,9");
    sign_in("");
    admin_.must("DELETE FROM entitle.external_access WHERE user_id = 105;"
                "DELETE FROM entitle.customer WHERE customer_id > 30000; DROP FUNCTION costly");
}

} // namespace
} // namespace entitle::client
