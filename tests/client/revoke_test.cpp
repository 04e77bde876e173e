// A revoke whose commit has returned holds for the very next statement of another connection,
// whatever that one holds open: a transaction, a prepared statement, an imported snapshot (R46; S11
// to S13).
#include "world.hpp"

namespace entitle::client {

namespace {

using Revoke = World;

constexpr const char kSee[] = "SELECT customer_id FROM orders ORDER BY customer_id";
constexpr const char kRevokeAll[] = "DELETE FROM entitle.external_access WHERE user_id = 1";

TEST_F(Revoke, IsSeenByTheNextStatement) {
    for (const char *level : {"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"}) {
        for (const char *mode : {"auto", "force_generic_plan"}) {
            Session reader = pooled();
            reader.run(std::string("SET plan_cache_mode = ") + mode);
            ask(reader, "SELECT entitle.sign_in('user1', true)");
            reader.prepare("see", kSee);
            reader.prepare("level", "SELECT entitle.access_level($1::bigint)");
            for (int i = 0; i < 8; ++i) {
                reader.run_prepared(
                    "see"); // past the executions after which a generic plan is considered
            }
            reader.run(std::string("BEGIN ISOLATION LEVEL ") + level);
            ASSERT_EQ(column(reader.run_prepared("see")), expected_customers(1));
            ASSERT_EQ(reader.run_prepared("level", {"1"}).value(), "30");

            administrator.run(
                "DELETE FROM entitle.external_access WHERE user_id = 1 AND customer_id = 1");
            EXPECT_EQ(reader.run_prepared("level", {"1"}).value(), "0") << level << ", " << mode;
            EXPECT_EQ(column(reader.run_prepared("see")), expected_customers(1).substr(2))
                << level << ", " << mode;
            administrator.run("INSERT INTO entitle.external_access (customer_id, user_id, "
                              "days_back) VALUES (1, 1, NULL)");
            EXPECT_EQ(column(reader.run_prepared("see")), expected_customers(1))
                << level << ", " << mode;
            reader.run("COMMIT");
        }
    }
}

TEST_F(Revoke, IsNotUndoneByAnOldSnapshot) {
    Session keeper = pooled();
    keeper.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    const std::string snapshot = ask(keeper, "SELECT pg_export_snapshot()");
    administrator.run(kRevokeAll);

    Session reader = pooled();
    reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    ASSERT_TRUE(reader.run("SET TRANSACTION SNAPSHOT '" + snapshot + "'").ok());
    ask(reader, "SELECT entitle.sign_in('user1')");
    EXPECT_EQ(column(reader.run(kSee)), "");
    EXPECT_EQ(ask(reader, "SELECT entitle.access_level(1)"), "0");
    reader.run("COMMIT");
}

TEST_F(Revoke, OfAUserStopsAnIdentityThatIsInUse) {
    Session reader = pooled();
    ask(reader, "SELECT entitle.sign_in('user65', true)");
    ASSERT_EQ(column(reader.run(kSee)), expected_customers(65));
    administrator.run("UPDATE entitle.app_user SET is_active = false WHERE user_id = 65");
    EXPECT_EQ(column(reader.run(kSee)), "");
    EXPECT_EQ(reader.run("SELECT entitle.sign_in('user65', true)").error, "42501");
    administrator.run("UPDATE entitle.app_user SET is_active = true WHERE user_id = 65");
    EXPECT_EQ(ask(reader, "SELECT entitle.sign_in('user65', true)"), "65");
    EXPECT_EQ(column(reader.run(kSee)), expected_customers(65));
}

TEST_F(Revoke, ReachesEveryOpenSession) {
    std::vector<Session> readers;
    for (int i = 0; i < 8; ++i) {
        readers.push_back(pooled());
        ask(readers.back(), "SELECT entitle.sign_in($1, true)", {login_of(1 + i % 2)});
        readers.back().run("BEGIN");
        ask(readers.back(), "SELECT count(*) FROM orders");
    }
    administrator.run(kRevokeAll);
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(column(readers[static_cast<std::size_t>(i)].run(kSee)),
                  i % 2 == 0 ? "" : expected_customers(2));
    }
}

} // namespace

} // namespace entitle::client
