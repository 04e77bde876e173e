// One pooled connection carries many users in turn, and each sees exactly the own rows (R50; S1,
// S24): by the simple and the extended protocol, with statements prepared under another user, and
// in a pipeline.
#include "world.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>

namespace entitle::client {

namespace {

using Pool = World;

constexpr const char kSee[] = "SELECT customer_id FROM orders ORDER BY customer_id";

// Everyone a few times, in an order that is the same in every run.
std::vector<int> shuffled_users(int times) {
    std::vector<int> users;
    for (int round = 0; round < times; ++round) {
        for (int user = 1; user <= kUsers + kStaff; ++user) {
            users.push_back(user);
        }
    }
    std::mt19937 random(20261121);
    std::shuffle(users.begin(), users.end(), random);
    return users;
}

TEST_F(Pool, EachTransactionIsItsUsers) {
    Session connection = pooled();
    for (const int user : shuffled_users(4)) {
        connection.run("BEGIN");
        ask(connection, "SELECT entitle.sign_in($1)", {login_of(user)});
        EXPECT_EQ(column(connection.run(kSee)), expected_customers(user)) << login_of(user);
        EXPECT_EQ(ask(connection, "SELECT entitle.current_login()"), login_of(user));
        connection.run("COMMIT");
        EXPECT_EQ(ask(connection, "SELECT entitle.current_login()"), kNull);
        EXPECT_EQ(column(connection.run(kSee)), "");
    }
}

TEST_F(Pool, PreparedStatementsFollowTheUser) {
    for (const char *mode : {"auto", "force_generic_plan", "force_custom_plan"}) {
        Session connection = pooled();
        connection.run(std::string("SET plan_cache_mode = ") + mode);
        connection.prepare("sign_in", "SELECT entitle.sign_in($1)");
        connection.prepare("see", kSee);
        connection.prepare("see_one", "SELECT count(*) FROM orders WHERE customer_id = $1");
        connection.prepare("level", "SELECT entitle.access_level($1::bigint)");
        connection.prepare("change",
                           "UPDATE orders SET order_id = order_id WHERE customer_id = $1");
        for (const int user : shuffled_users(4)) {
            const int customer = 1 + user % kCustomers;
            const bool is_staff = user > kUsers;
            const bool is_granted = !is_staff && is_granted_at_first(user, customer);
            connection.run("BEGIN");
            connection.run_prepared("sign_in", {login_of(user)});
            EXPECT_EQ(column(connection.run_prepared("see")), expected_customers(user))
                << login_of(user) << ", " << mode;
            EXPECT_EQ(connection.run_prepared("see_one", {std::to_string(customer)}).value(),
                      is_staff || is_granted ? "1" : "0");
            EXPECT_EQ(connection.run_prepared("level", {std::to_string(customer)}).value(),
                      is_granted ? "30" : "0");
            const Reply changed = connection.run_prepared("change", {std::to_string(customer)});
            EXPECT_EQ(changed.error, is_staff ? "42501" : "") << changed.message;
            connection.run("ROLLBACK");
        }
    }
}

TEST_F(Pool, SessionsSignInForGood) {
    Session connection = pooled();
    for (const int user : shuffled_users(1)) {
        ask(connection, "SELECT entitle.sign_in($1, true)", {login_of(user)});
        EXPECT_EQ(column(connection.run(kSee)), expected_customers(user));
        connection.run("BEGIN");
        EXPECT_EQ(column(connection.run(kSee)), expected_customers(user));
        connection.run("ROLLBACK");
    }
    connection.run("DISCARD ALL");
    connection.run("SET SESSION AUTHORIZATION pool_role");
    EXPECT_EQ(column(connection.run(kSee)), "");
}

TEST_F(Pool, FailedTransactionsLeaveNobody) {
    Session connection = pooled();
    for (const int user : {1, 2, 65}) {
        connection.run("BEGIN");
        ask(connection, "SELECT entitle.sign_in($1)", {login_of(user)});
        EXPECT_EQ(connection.run("SELECT 1 / 0").error, "22012");
        EXPECT_EQ(connection.run(kSee).error, "25P02");
        connection.run("ROLLBACK");
        EXPECT_EQ(column(connection.run(kSee)), "");
        EXPECT_EQ(connection.run("SELECT entitle.sign_in('no such login')").error, "42501");
        EXPECT_EQ(ask(connection, "SELECT entitle.current_user_id()"), kNull);
    }
}

// S538: some indexes of the model hold certain rows only, and whoever connects may have all indexes
// ignored.
TEST_F(Pool, IgnoredIndexesSignNobodyElseIn) {
    administrator.must(
        "INSERT INTO entitle.app_user (user_id, login) VALUES (901, 'owner'), (902, 'listed');"
        "INSERT INTO entitle.membership (user_id, organization_id, is_owner)"
        " SELECT user_id, 1, true FROM entitle.app_user WHERE login IN ('owner', 'listed');"
        "INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('pool_role', 'listed')");
    setenv("PGOPTIONS", "-c ignore_system_indexes=on", 1);
    Session connection = pooled();
    unsetenv("PGOPTIONS");
    ASSERT_EQ(ask(connection, "SHOW ignore_system_indexes"), "on");
    EXPECT_EQ(connection.run("SELECT entitle.sign_in('owner')").error, "42501");
    connection.run("BEGIN");
    EXPECT_EQ(connection.run("SELECT entitle.sign_in('listed')").error, "");
    connection.run("ROLLBACK; BEGIN");
    ask(connection, "SELECT entitle.sign_in($1)", {login_of(1)});
    EXPECT_EQ(column(connection.run(kSee)), expected_customers(1));
    connection.run("ROLLBACK");
    EXPECT_EQ(ask(connection, "SHOW ignore_system_indexes"), "on");
    administrator.must("INSERT INTO entitle.sign_in_grant (db_role) VALUES ('pool_role')");
    connection.run("BEGIN");
    EXPECT_EQ(connection.run("SELECT entitle.sign_in('owner')").error, "");
}

// S542: PostgreSQL warns of a collation of another version when it first compares by it. Returns:
// how many warnings a new session gets when the row is asked about.
int count_warnings(const std::string &condition) {
    Session connection = pooled();
    ask(connection, "SELECT entitle.sign_in($1, session_wide => true)", {login_of(1)});
    int count = 0;
    PQsetNoticeReceiver(
        connection.handle(),
        [](void *counted, const PGresult *) { ++*static_cast<int *>(counted); }, &count);
    EXPECT_EQ(ask(connection, "SELECT count(*) >= 0 FROM orders WHERE " + condition), "t");
    return count;
}

TEST_F(Pool, NoWarningTellsOfHiddenRows) {
    administrator.must("CREATE COLLATION odd (provider = icu, locale = 'de', version = 'bogus');"
                       "CREATE FUNCTION told(asked boolean, number bigint) RETURNS boolean LANGUAGE"
                       " sql IMMUTABLE AS $$ SELECT CASE WHEN asked THEN CASE WHEN number > 0 THEN"
                       " 'a' ELSE 'b' END < 'x' COLLATE odd ELSE true END $$");
    ASSERT_EQ(expected_customers(1).find("2,"), std::string::npos);
    const std::string text = "(CASE WHEN customer_id > 0 THEN 'a' ELSE 'b' END)";
    for (const std::string &compared :
         {text + " = 'x' COLLATE odd", text + " >= 'x' COLLATE odd",
          "NULLIF(" + text + ", 'x' COLLATE odd) IS NULL", text + " IN ('x' COLLATE odd, 'y')",
          "GREATEST(" + text + ", 'x' COLLATE odd) IS NULL",
          "(" + text + ", 1) < ('x' COLLATE odd, 2)"}) {
        EXPECT_EQ(count_warnings("CASE WHEN customer_id = 2 THEN " + compared + " ELSE true END"),
                  count_warnings("CASE WHEN customer_id = -2 THEN " + compared + " ELSE true END"))
            << compared;
    }
    EXPECT_EQ(count_warnings("told(customer_id = 2, customer_id)"),
              count_warnings("told(customer_id = -2, customer_id)"));
}

// Pipelined, all statements are on their way before the first answers.
TEST_F(Pool, PipelinesKeepUsersApart) {
    Session connection = pooled();
    connection.prepare("sign_in", "SELECT entitle.sign_in($1)");
    connection.prepare("see", kSee);
    const std::vector<int> users = shuffled_users(2);
    ASSERT_EQ(PQenterPipelineMode(connection.handle()), 1);
    const auto send = [&](const char *name, const char *argument) {
        const char *values[] = {argument};
        ASSERT_EQ(PQsendQueryPrepared(connection.handle(), name, argument == nullptr ? 0 : 1,
                                      values, nullptr, nullptr, 0),
                  1)
            << PQerrorMessage(connection.handle());
    };
    std::size_t begun = 0;
    // The first column of the next result.
    const auto receive = [&] {
        std::string values;
        if (PGresult *result = PQgetResult(connection.handle())) {
            const bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
            EXPECT_TRUE(is_sync || PQresultStatus(result) == PGRES_TUPLES_OK)
                << PQresultErrorMessage(result);
            for (int row = 0; row < PQntuples(result); ++row) {
                values += (values.empty() ? "" : ",") + std::string(PQgetvalue(result, row, 0));
            }
            PQclear(result);
            if (!is_sync) {
                EXPECT_EQ(PQgetResult(connection.handle()), nullptr);
            }
        }
        return values;
    };
    // In batches, so that neither side's buffer fills up and waits for the other.
    constexpr std::size_t kBatch = 16;
    for (std::size_t first = 0; first < users.size(); first += kBatch) {
        const std::size_t last = std::min(users.size(), first + kBatch);
        for (std::size_t i = first; i < last; ++i) {
            // From one sync to the next is one transaction.
            send("sign_in", login_of(users[i]).c_str());
            send("see", nullptr);
            ASSERT_EQ(PQpipelineSync(connection.handle()), 1);
            ++begun;
        }
        for (std::size_t i = first; i < last; ++i) {
            EXPECT_EQ(receive(), std::to_string(users[i]));
            EXPECT_EQ(receive(), expected_customers(users[i])) << login_of(users[i]);
            receive();
        }
    }
    EXPECT_EQ(begun, users.size());
    ASSERT_EQ(PQexitPipelineMode(connection.handle()), 1) << PQerrorMessage(connection.handle());
    EXPECT_EQ(column(connection.run(kSee)), "");
}

} // namespace

} // namespace entitle::client
