// Writing external grants.
#include "core/grant.hpp"

#include <string>

#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

// No limit reaches further back than any number of days; a number that is none (negative) reaches
// nowhere.
bool is_wider(std::int32_t days, std::int32_t than) noexcept {
    if (than == kUnlimitedDays) {
        return false;
    }
    return days == kUnlimitedDays || days > than;
}

// Tells whether `after` gives anything that `before` did not.
bool gives_more(const Grant &after, const Grant &before) noexcept {
    return after.level > before.level || is_wider(after.days_back, before.days_back) ||
           after.valid_from < before.valid_from || after.valid_until > before.valid_until;
}

Error owner_is_kept(const char *what) {
    return Error::denied(
        std::string("the grant of an owner (L90) cannot be ") + what,
        "Only a superuser can take it away, with entitle.force_revoke_owner(customer_id, "
        "login, reason).");
}

Error to_oneself() {
    return Error::denied(
        "nobody grants external access to themselves",
        "Ask another L80 or L90 of this customer, or a user who manages external access.");
}

Error above_admin(const char *what) {
    return Error::denied(
        std::string("an administrator (L80) cannot ") + what,
        "An owner (L90) of this customer or a user who manages external access can.");
}

// L80 and no more: neither owner nor manager.
bool is_mere_admin(const GrantWriter &writer) noexcept {
    return !writer.is_manager && writer.level < kOwnerLevel;
}

} // namespace

Error unmanaged_customer() {
    return Error::denied(
        "permission denied to manage external access of this customer",
        "It takes external_access.manage in the customer's brand, or L80 or L90 on the customer."
        " To see why: SELECT * FROM entitle.explain_permission('external_access.manage',"
        " brand_id => brand).");
}

Error no_such_customer() {
    return Error::bad_value("there is no such customer",
                            "See entitle.customer for the customers there are.");
}

Error no_such_grantee() {
    return Error::bad_value("the grantee is not an active user",
                            "External access is granted to users who exist and are active; logins "
                            "match byte for byte.");
}

bool is_managing(const GrantWriter &writer) noexcept {
    return writer.is_manager || writer.level >= kAdminLevel;
}

GrantWriter find_grant_writer(const Subject *subject, const Session &session, CustomerId customer,
                              std::optional<BrandId> brand, const Grant *grant) {
    GrantWriter writer;
    if (subject == nullptr || !subject->is_active) {
        return writer;
    }
    writer.user = subject->id;
    writer.is_manager =
        brand && check_permission(subject, session, "external_access.manage", brand);
    writer.level = access_level(subject, session, customer, grant);
    return writer;
}

Result<Passed> check_grant_values(const GrantRow &row) {
    // First: such a grant has no level, whatever its role.
    if (row.grant.days_back < 0 && row.grant.days_back != kUnlimitedDays) {
        return Error::broken_rule("days back cannot be negative",
                                  "Give 0 or more days; NULL is unlimited.");
    }
    if (!is_level(row.grant.level)) {
        return Error::broken_rule("this role is not a level of external access",
                                  "The levels are L10, L20, L30, L40, L80 and L90.");
    }
    if (row.grant.valid_until < row.grant.valid_from) {
        return Error::broken_rule("a grant cannot end before it begins",
                                  "Both days are inclusive; NULL is without an end.");
    }
    return Passed{};
}

Result<Passed> check_owner_kept(const GrantRow &before, const GrantRow *after) {
    const Grant &old = before.grant;
    if (old.level != kOwnerLevel) {
        return Passed{};
    }
    if (after == nullptr) {
        return owner_is_kept("removed");
    }
    const Grant &now = after->grant;
    if (after->user != before.user || now.customer != old.customer) {
        return owner_is_kept("moved to another user or customer");
    }
    if (now.level != kOwnerLevel) {
        return owner_is_kept("lowered");
    }
    if (is_wider(old.days_back, now.days_back) || now.valid_from > old.valid_from ||
        now.valid_until < old.valid_until) {
        return owner_is_kept("narrowed");
    }
    return Passed{};
}

Result<Passed> check_new_grant(const GrantWriter &writer, const GrantRow &row) {
    if (!is_managing(writer)) {
        return unmanaged_customer();
    }
    if (row.user == writer.user) {
        return to_oneself();
    }
    if (is_mere_admin(writer) && row.grant.level > kAdminLevel) {
        return above_admin("grant L90");
    }
    return Passed{};
}

Result<Passed> check_removed_grant(const GrantWriter &writer, const GrantRow &row) {
    // Whoever has a grant may give it up; an owner's is kept by check_owner_kept.
    if (writer.user != 0 && row.user == writer.user && row.grant.level < kOwnerLevel) {
        return Passed{};
    }
    if (!is_managing(writer)) {
        return unmanaged_customer();
    }
    if (is_mere_admin(writer) && row.grant.level > kAdminLevel) {
        return above_admin("touch the grant of an owner (L90)");
    }
    return Passed{};
}

Result<Passed> check_changed_grant(const GrantWriter &writer, const GrantRow &before,
                                   const GrantRow &after, bool notes_changed) {
    if (writer.user != 0 && before.user == writer.user) {
        if (gives_more(after.grant, before.grant)) {
            return Error::denied(
                "nobody raises their own level or widens their own window",
                "Ask another L80 or L90 of this customer, or a user who manages external access.");
        }
        return is_managing(writer) || !notes_changed ? Result<Passed>(Passed{})
                                                     : Result<Passed>(unmanaged_customer());
    }
    if (!is_managing(writer)) {
        return unmanaged_customer();
    }
    if (is_mere_admin(writer) && before.grant.level > kAdminLevel) {
        return above_admin("touch the grant of an owner (L90)");
    }
    if (is_mere_admin(writer) && after.grant.level > kAdminLevel) {
        return above_admin("grant L90");
    }
    return Passed{};
}

} // namespace entitle
