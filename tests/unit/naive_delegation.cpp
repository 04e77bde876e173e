// Section D of the rules by loops over rows.
#include "naive_delegation.hpp"

#include <algorithm>

namespace naive {

bool Delegation::is_active(Id user) const {
    return model_.is_known_and_active(Asker{user, {}, {}, 0});
}

// R64: in a brand or organization that is switched off nobody has a place.
bool Delegation::counts(const Membership &row) const {
    for (const Brand &brand : world_.brand) {
        if (row.brand_id == brand.brand_id && !model_.is_open(brand)) {
            return false;
        }
    }
    return !row.organization_id || model_.is_open_organization(*row.organization_id);
}

bool Delegation::owns(Id user, Id organization) const {
    for (const Membership &row : world_.membership) {
        if (row.user_id == user && row.is_owner && row.organization_id == organization &&
            !row.brand_id && counts(row)) {
            return true;
        }
    }
    return false;
}

// An active role of the organization that lists the key.
bool Delegation::gives(const Membership &membership, Id organization, const std::string &key,
                       bool is_metric) const {
    for (const Role &role : world_.role) {
        if (role.role_id != membership.role_id || !role.is_active ||
            role.organization_id != organization) {
            continue;
        }
        if (is_metric) {
            for (const RoleMetric &given : world_.role_metric) {
                if (given.role_id == role.role_id &&
                    (given.metric_key == key || given.metric_key == "*")) {
                    return true;
                }
            }
        } else {
            for (const RolePermission &given : world_.role_permission) {
                if (given.role_id == role.role_id && given.permission_key == key) {
                    return true;
                }
            }
        }
    }
    return false;
}

// By what lists it, prerequisites aside. Without a brand by the organization's memberships alone.
bool Delegation::holds_plainly(Id user, std::optional<Id> brand, Id organization,
                               const std::string &key, bool is_metric) const {
    if (owns(user, organization)) {
        return true;
    }
    for (const Membership &row : world_.membership) {
        if (row.user_id != user || (row.organization_id && row.brand_id) || !counts(row)) {
            continue;
        }
        const bool reaches =
            row.organization_id == organization || (brand && row.brand_id == brand);
        if (reaches && gives(row, organization, key, is_metric)) {
            return true;
        }
    }
    return false;
}

// With all that it requires, known permissions all. A standalone brand has no organization, and
// restricts nobody.
bool Delegation::holds(Id user, std::optional<Id> brand, std::optional<Id> organization,
                       const std::string &key) const {
    std::vector<std::string> needed = {key};
    for (std::size_t at = 0; at < needed.size(); ++at) {
        const std::string wanted = needed[at];
        if (std::none_of(world_.permission.begin(), world_.permission.end(),
                         [&](const Permission &row) { return row.permission_key == wanted; })) {
            return false;
        }
        if (organization && !holds_plainly(user, brand, *organization, wanted, false)) {
            return false;
        }
        for (const PermissionPrerequisite &row : world_.permission_prerequisite) {
            if (row.permission_key == wanted &&
                std::find(needed.begin(), needed.end(), row.requires_key) == needed.end()) {
                needed.push_back(row.requires_key);
            }
        }
    }
    return true;
}

bool Delegation::holds_all(Id user, std::optional<Id> brand, std::optional<Id> organization,
                           const RoleText &role) const {
    for (const std::string &key : role.permissions) {
        if (!holds(user, brand, organization, key)) {
            return false;
        }
    }
    for (const std::string &key : role.metrics) {
        if (organization && !holds_plainly(user, brand, *organization, key, true)) {
            return false;
        }
    }
    return true;
}

bool Delegation::covers(Id user, Id organization) const {
    for (const Membership &row : world_.membership) {
        if (row.user_id == user && row.organization_id == organization && !row.brand_id &&
            counts(row)) {
            return true;
        }
    }
    return false;
}

// A brand that is switched off may come back: it counts like one that comes later (S441).
bool Delegation::holds_all_everywhere(Id user, Id organization, const RoleText &role) const {
    bool has_brands = false;
    for (const Brand &brand : world_.brand) {
        if (brand.organization_id == organization) {
            has_brands = true;
            const auto place = brand.is_active ? std::optional<Id>(brand.brand_id) : std::nullopt;
            if (!holds_all(user, place, organization, role)) {
                return false;
            }
        }
    }
    return has_brands || holds_all(user, std::nullopt, organization, role);
}

bool Delegation::manages(Id user, Id organization, const std::string &key) const {
    if (!is_active(user) || !covers(user, organization) ||
        !holds(user, std::nullopt, organization, key)) {
        return false;
    }
    for (const Permission &row : world_.permission) {
        if (row.permission_key == key && !row.is_active) {
            return false;
        }
    }
    for (const Brand &brand : world_.brand) {
        if (brand.organization_id == organization && brand.is_active &&
            !model_.has_permission(Asker{user, {}, {}, 0}, brand.brand_id, key)) {
            return false;
        }
    }
    return true;
}

RoleText Delegation::role_text(Id role_id) const {
    RoleText text{role_id, 0, {}, {}};
    for (const Role &role : world_.role) {
        if (role.role_id == role_id) {
            text.organization_id = role.organization_id;
        }
    }
    for (const RolePermission &row : world_.role_permission) {
        if (row.role_id == role_id) {
            for (const Permission &known : world_.permission) {
                if (known.permission_key == row.permission_key) {
                    text.permissions.push_back(row.permission_key);
                }
            }
        }
    }
    for (const RoleMetric &row : world_.role_metric) {
        if (row.role_id == role_id) {
            if (row.metric_key == "*") {
                text.metrics.push_back(row.metric_key);
            }
            for (const Metric &known : world_.metric) {
                if (known.metric_key == row.metric_key) {
                    text.metrics.push_back(row.metric_key);
                }
            }
        }
    }
    return text;
}

bool Delegation::may_touch_role(Id writer, const RoleText &role) const {
    if (!manages(writer, role.organization_id, "roles.manage") ||
        !holds_all_everywhere(writer, role.organization_id, role)) {
        return false;
    }
    if (owns(writer, role.organization_id)) {
        return true;
    }
    for (const Membership &row : world_.membership) {
        if (row.user_id == writer && row.role_id == role.role_id && counts(row)) {
            return false;
        }
    }
    return true;
}

bool Delegation::may_write_role(Id writer, const RoleText *before, const RoleText *after) const {
    return (before == nullptr || may_touch_role(writer, *before)) &&
           (after == nullptr || may_touch_role(writer, *after));
}

bool Delegation::may_touch_member(Id writer, const Membership &row) const {
    std::optional<Id> home = row.organization_id;
    if (row.brand_id) {
        if (!model_.has_permission(Asker{writer, {}, {}, 0}, row.brand_id, "members.manage")) {
            return false;
        }
        for (const Brand &brand : world_.brand) {
            if (brand.brand_id == *row.brand_id) {
                home = brand.organization_id;
            }
        }
    } else if (!manages(writer, *row.organization_id, "members.manage")) {
        return false;
    }
    if (row.is_owner && (!row.organization_id || !owns(writer, *row.organization_id))) {
        return false;
    }
    if (!row.role_id) {
        return true;
    }
    bool is_at_home = false;
    for (const Role &role : world_.role) {
        is_at_home = is_at_home || (role.role_id == *row.role_id && home == role.organization_id);
    }
    if (!is_at_home) {
        return false;
    }
    const RoleText role = role_text(*row.role_id);
    return row.brand_id ? holds_all(writer, row.brand_id, home, role)
                        : holds_all_everywhere(writer, *row.organization_id, role);
}

bool Delegation::may_write_member(Id writer, const Membership *before,
                                  const Membership *after) const {
    const bool is_somebody = is_active(writer);
    if (is_somebody && before != nullptr && before->user_id == writer && after == nullptr) {
        return true;
    }
    for (const Membership *row : {before, after}) {
        if (row != nullptr &&
            (!is_somebody || row->user_id == writer || !may_touch_member(writer, *row))) {
            return false;
        }
    }
    return true;
}

bool Delegation::may_add_user(Id writer, Date today) const {
    const Asker asker{writer, {}, {}, today};
    for (const Customer &customer : world_.customer) {
        if (model_.access_level(asker, customer.customer_id) >= 80) {
            return true;
        }
    }
    for (const Brand &brand : world_.brand) {
        if (model_.has_permission(asker, brand.brand_id, "external_access.manage") ||
            model_.has_permission(asker, brand.brand_id, "members.manage")) {
            return true;
        }
    }
    for (const Organization &organization : world_.organization) {
        if (manages(writer, organization.organization_id, "members.manage")) {
            return true;
        }
    }
    return false;
}

bool Delegation::may_switch_user(Id writer, Id user, Date today) const {
    const Asker asker{writer, {}, {}, today};
    int places = 0;
    for (const Membership &row : world_.membership) {
        if (row.user_id == user) {
            ++places;
            if (!is_active(writer) || !may_touch_member(writer, row)) {
                return false;
            }
        }
    }
    for (const ExternalAccess &grant : world_.external_access) {
        if (grant.user_id != user) {
            continue;
        }
        ++places;
        if (!model_.manages_access(asker, grant.customer_id)) {
            return false;
        }
        bool is_staff = false;
        for (const Customer &customer : world_.customer) {
            is_staff = is_staff ||
                       (customer.customer_id == grant.customer_id &&
                        model_.has_permission(asker, customer.brand_id, "external_access.manage"));
        }
        if (user != writer && grant.level == 90 && !is_staff &&
            model_.access_level(asker, grant.customer_id) < 90) {
            return false; // R42
        }
    }
    return places > 0;
}

} // namespace naive
