// Looks up single rows of customers and users by key. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string_view>

#include "core/access.hpp"
#include "pg/datum/datum.hpp"
#include "pg/model/model_table.hpp"

namespace entitle::pg {

// Grows with every question about another key of a customer than its number: such answers end when
// customers change theirs.
extern std::uint64_t key_questions;

// Finds the customer a key stands for. Returns: none when there is no such customer.
std::optional<CustomerId> customer_by_uuid(const pg_uuid_t *uuid);
std::optional<CustomerId> customer_by_code(std::string_view code);

// Finds the customer that a key of any type but the integers stands for.
std::optional<CustomerId> customer_of_key(Datum key, Oid type);

// Finds the customer a key of any of the types stands for.
inline std::optional<CustomerId> customer_value(NullableDatum value, Oid type) {
    if (value.isnull || type == INT8OID || type == INT4OID || type == INT2OID) {
        return integer_value(value, type);
    }
    return customer_of_key(value.value, type);
}

// What the rules ask about a customer itself, read anew at each call.
struct CustomerFacts {
    std::optional<BrandId> brand;
    char status[8];
};
std::optional<CustomerFacts> find_customer(CustomerId customer);

// The same of the current row of Table::customer. regime: C
CustomerFacts facts_of_customer(const Rows &rows);

// Reads a customer's other keys. regime: C
Datum uuid_of_customer(CustomerId customer, bool *is_null);
Datum code_of_customer(CustomerId customer, bool *is_null);

// Finds a user by exact login, active or not. Returns: none when there is none.
std::optional<std::int64_t> user_by_login(std::string_view login);

// The same with the database role that the user is mapped to, InvalidOid for none.
struct LoginFacts {
    std::int64_t user;
    Oid role;
};
std::optional<LoginFacts> find_login(std::string_view login);

// Tells whether sign_in_grant lists the login for the role.
bool has_sign_in_grant(Oid role, std::string_view login);

// Tells whether sign_in_grant has a row without login for the role (R63).
bool has_sign_in_grant_of_all(Oid role);

// Tells whether there is such a user, and switched on.
bool is_active_user(UserId user);

// Finds the brand that a key of any of the types stands for, read anew at each call. Returns: none
// when no brand has it; a number is not looked for.
std::optional<BrandId> find_brand(NullableDatum key, Oid type);

// Finds the organization of a brand. Returns: none for a brand that stands alone, or is not there.
std::optional<OrganizationId> organization_of_brand(BrandId brand);

// Finds the organization that a role is in. Returns: none when there is no such role.
std::optional<OrganizationId> organization_of_role(RoleId role);

} // namespace entitle::pg
