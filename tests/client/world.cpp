// The world and its expected rows.
#include "world.hpp"

namespace entitle::client {

namespace {

constexpr const char kBuild[] = R"sql(
    CREATE ROLE pool_role LOGIN;
    GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO pool_role;
    INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id)
        SELECT n, 'c' || n, 'x', 'x', 'x' FROM generate_series(1, 200) AS n;
    INSERT INTO entitle.app_user (user_id, login) SELECT n, 'user' || n FROM generate_series(1, 68) AS n;
    INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
        SELECT c, u, 'L30', NULL FROM generate_series(1, 64) AS u, generate_series(1, 200) AS c WHERE (c - u) % (u + 1) = 0;
    INSERT INTO entitle.membership (user_id, organization_id, role_id)
        SELECT n, 1, role_id FROM generate_series(65, 68) AS n, entitle.role WHERE organization_id = 1 AND name = 'read-only';
    CREATE TABLE orders AS SELECT n AS order_id, n::bigint AS customer_id FROM generate_series(1, 200) AS n;
    CREATE INDEX ON orders (customer_id);
    ANALYZE orders;
    SELECT entitle.protect_table('orders', 'customer_id', min_level => 20, view_permission => 'customers.view',
                                 external_update_level => 20);
    GRANT SELECT, UPDATE ON orders TO pool_role;
)sql";

constexpr const char kRemove[] = R"sql(
    DROP TABLE IF EXISTS orders;
    DELETE FROM entitle.external_access;
    DELETE FROM entitle.membership;
    DELETE FROM entitle.app_user;
    DELETE FROM entitle.customer;
    DROP OWNED BY pool_role;
    DROP ROLE pool_role;
)sql";

} // namespace

std::string login_of(int user) { return "user" + std::to_string(user); }

std::string column(const Reply &answer) {
    std::string joined;
    for (const Row &row : answer.rows) {
        joined += (joined.empty() ? "" : ",") + row.front();
    }
    return joined;
}

std::string expected_customers(int user) {
    std::string customers;
    for (int customer = 1; customer <= kCustomers; ++customer) {
        if (user > kUsers || is_granted_at_first(user, customer)) {
            customers += (customers.empty() ? "" : ",") + std::to_string(customer);
        }
    }
    return customers;
}

void World::SetUp() {
    const Reply built = administrator.run(kBuild);
    ASSERT_TRUE(built.ok()) << built.message;
}

void World::TearDown() {
    const Reply removed = administrator.run(kRemove);
    EXPECT_TRUE(removed.ok()) << removed.message;
}

Session pooled() {
    Session connection;
    connection.must("SET SESSION AUTHORIZATION pool_role");
    return connection;
}

std::string ask(Session &connection, const std::string &command,
                const std::vector<std::string> &values) {
    const Reply answer = connection.run_extended(command, values);
    EXPECT_TRUE(answer.ok()) << command << ": " << answer.message;
    return answer.value();
}

} // namespace entitle::client
