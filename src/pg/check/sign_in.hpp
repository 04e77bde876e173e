// Whom a database role may sign in (S30, R63).
#pragma once

#include "pg/boundary/postgres.hpp"

#include <string_view>

#include "core/subject.hpp"
#include "pg/model/lookup.hpp"

namespace entitle::pg {

// What was found about a role that would sign an active user in.
struct SignInRight {
    bool is_superuser_role = false; // who may sign in anyone
    bool is_superuser = false;      // the user is mapped to one
    bool has_weight = false;        // the user owns or manages something
    bool is_listed = false;         // by the user's own entry in sign_in_grant
    bool is_listed_for_all = false; // by one without login
    bool is_allowed = false;
};

SignInRight judge_sign_in(Oid role, const LoginFacts &login, const Subject &subject,
                          std::string_view name);

// Tells whether everybody in charge may sign the user in: the outer role (SET ROLE's), whoever owns
// a function that was called, or the table whose trigger a foreign key or a view's write fired.
// None lends the others what is his.
bool may_sign_in(const LoginFacts &login, const Subject &subject, std::string_view name);

} // namespace entitle::pg
