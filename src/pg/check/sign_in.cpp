// Whom a database role may sign in.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/check/sign_in.hpp"
#include "pg/lending/definer.hpp"

#include "core/delegation.hpp"
#include "core/membership.hpp"
#include "core/permission.hpp"

#include <algorithm>

namespace entitle::pg {

namespace {

// Owners and managers. Members of a standalone brand hold every permission there (R25), which does
// not make managers of staff of them. regime: C++
bool manages_anything(const Subject &subject) {
    const auto manages = [&](const Brand &brand) {
        return brand.organization &&
               (check_permission(&subject, Session{}, kManageRoles, brand.id) ||
                check_permission(&subject, Session{}, kManageMembers, brand.id));
    };
    return !permitted_brands(&subject, Session{}, "external_access.manage").empty() ||
           !find_managed(&subject).organizations.empty() ||
           std::any_of(subject.brands.begin(), subject.brands.end(), manages);
}

} // namespace

SignInRight judge_sign_in(Oid role, const LoginFacts &login, const Subject &subject,
                          std::string_view name) {
    SignInRight right;
    right.is_superuser_role = superuser_arg(role);
    right.is_superuser = OidIsValid(login.role) && superuser_arg(login.role);
    compute([&] { right.has_weight = manages_anything(subject); });
    const bool is_free = !right.is_superuser && !right.has_weight;
    if (!right.is_superuser_role && !is_free) {
        right.is_listed = has_sign_in_grant(role, name);
        right.is_listed_for_all = !right.is_superuser && has_sign_in_grant_of_all(role);
    }
    right.is_allowed =
        right.is_superuser_role || is_free || right.is_listed || right.is_listed_for_all;
    return right;
}

bool may_sign_in(const LoginFacts &login, const Subject &subject, std::string_view name) {
    const auto may = [&](Oid role) {
        return judge_sign_in(role, login, subject, name).is_allowed;
    };
    const Oid in_charge = definer_in_charge();
    return may(GetOuterUserId()) && may(GetUserId()) && (!OidIsValid(in_charge) || may(in_charge));
}

} // namespace entitle::pg
