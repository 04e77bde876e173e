// Sections A and B of the rules by loops over rows, each with its number.
#include "naive_model.hpp"

#include <algorithm>

namespace naive {

// R1: no identity, unknown user or inactive user
bool Model::is_known_and_active(const Asker &asker) const {
    if (!asker.user_id) {
        return false;
    }
    for (const AppUser &user : world_.app_user) {
        if (user.user_id == *asker.user_id) {
            return user.is_active;
        }
    }
    return false;
}

const Brand *Model::find_brand(Id brand_id) const {
    for (const Brand &brand : world_.brand) {
        if (brand.brand_id == brand_id) {
            return &brand;
        }
    }
    return nullptr;
}

namespace {

// R22: a membership names either an organization (all its brands) or one brand, never both
bool covers(const Membership &membership, const Brand &brand) {
    if (membership.organization_id && membership.brand_id) {
        return false;
    }
    if (membership.organization_id) {
        return brand.organization_id && *brand.organization_id == *membership.organization_id;
    }
    return membership.brand_id && *membership.brand_id == brand.brand_id;
}

} // namespace

bool Model::is_open_organization(Id organization_id) const {
    for (const Organization &organization : world_.organization) {
        if (organization.organization_id == organization_id) {
            return organization.is_active;
        }
    }
    return true;
}

bool Model::is_open(const Brand &brand) const {
    return brand.is_active &&
           (!brand.organization_id || is_open_organization(*brand.organization_id));
}

// R22: member of the brand or of its organization; R64: in one that is switched off nobody is
bool Model::is_member(const Asker &asker, Id brand_id) const {
    const Brand *brand = find_brand(brand_id);
    if (brand == nullptr || !asker.user_id || !is_open(*brand)) {
        return false;
    }
    for (const Membership &membership : world_.membership) {
        if (membership.user_id == *asker.user_id && covers(membership, *brand)) {
            return true;
        }
    }
    return false;
}

// R52: the chosen brand, else the user's only brand
std::optional<Id> Model::current_brand(const Asker &asker) const {
    if (asker.chosen_brand) {
        return asker.chosen_brand;
    }
    std::optional<Id> only;
    int count = 0;
    for (const Brand &brand : world_.brand) {
        if (is_member(asker, brand.brand_id)) {
            only = brand.brand_id;
            ++count;
        }
    }
    return count == 1 ? only : std::nullopt;
}

// R24: an owner, in that organization only; R25: a member of a standalone brand
bool Model::is_unrestricted(const Asker &asker, Id brand_id) const {
    const Brand *brand = find_brand(brand_id);
    if (brand == nullptr || !asker.user_id) {
        return false;
    }
    for (const Membership &membership : world_.membership) {
        if (membership.user_id != *asker.user_id || !covers(membership, *brand)) {
            continue;
        }
        if (!brand->organization_id) {
            return true;
        }
        // R22: ownership only an organization
        if (membership.is_owner && membership.organization_id) {
            return true;
        }
    }
    return false;
}

// R20: several roles are a union, a role switched off grants nothing. R22: the role belongs to the
// organization.
std::vector<Id> Model::roles_of(const Asker &asker, Id brand_id) const {
    std::vector<Id> roles;
    const Brand *brand = find_brand(brand_id);
    if (brand == nullptr || !brand->organization_id || !asker.user_id) {
        return roles;
    }
    for (const Membership &membership : world_.membership) {
        if (membership.user_id != *asker.user_id || !covers(membership, *brand) ||
            !membership.role_id) {
            continue;
        }
        for (const Role &role : world_.role) {
            if (role.role_id == *membership.role_id && role.is_active &&
                role.organization_id == *brand->organization_id) {
                roles.push_back(role.role_id);
            }
        }
    }
    return roles;
}

bool Model::some_role_gives_permission(const Asker &asker, Id brand_id,
                                       const std::string &key) const {
    for (Id role_id : roles_of(asker, brand_id)) {
        for (const RolePermission &given : world_.role_permission) {
            if (given.role_id == role_id && given.permission_key == key) {
                return true;
            }
        }
    }
    return false;
}

// R30: "*" grants every metric
bool Model::some_role_gives_metric(const Asker &asker, Id brand_id, const std::string &key) const {
    for (Id role_id : roles_of(asker, brand_id)) {
        for (const RoleMetric &given : world_.role_metric) {
            if (given.role_id == role_id && (given.metric_key == key || given.metric_key == "*")) {
                return true;
            }
        }
    }
    return false;
}

bool Model::is_module_enabled(Id brand_id, const std::string &module) const {
    for (const BrandModule &row : world_.brand_module) {
        if (row.brand_id == brand_id && row.module_key == module) {
            return row.is_enabled;
        }
    }
    return false;
}

Gate Model::permission_gate(const Asker &asker, std::optional<Id> brand_id,
                            const std::string &key) const {
    if (!is_known_and_active(asker)) {
        return Gate::identity;
    }
    const std::optional<Id> judged_in = brand_id ? brand_id : current_brand(asker);
    return judged_in ? permission_gate(asker, *judged_in, key, {}) : Gate::membership;
}

Gate Model::permission_gate(const Asker &asker, Id brand_id, const std::string &key,
                            std::vector<std::string> asked_on_the_way) const {
    if (!is_member(asker, brand_id)) {
        return Gate::membership;
    }
    // R23: every module; with no module the gate is passed
    for (const PermissionModule &row : world_.permission_module) {
        if (row.permission_key == key && !is_module_enabled(brand_id, row.module_key)) {
            return Gate::module;
        }
    }
    // R26
    const Brand *brand = find_brand(brand_id);
    for (const PlanDenial &row : world_.plan_denial) {
        if (brand->plan_key && row.plan_key == *brand->plan_key && row.permission_key == key) {
            return Gate::plan;
        }
    }
    // R4: known; R20: switched on
    bool is_known_and_on = false;
    for (const Permission &row : world_.permission) {
        if (row.permission_key == key && row.is_active) {
            is_known_and_on = true;
        }
    }
    if (!is_known_and_on) {
        return Gate::permission;
    }
    if (!is_unrestricted(asker, brand_id) && !some_role_gives_permission(asker, brand_id, key)) {
        return Gate::permission;
    }
    // R5: transitive, each held through every gate; a cycle can never be satisfied
    for (const std::string &earlier : asked_on_the_way) {
        if (earlier == key) {
            return Gate::prerequisite;
        }
    }
    asked_on_the_way.push_back(key);
    for (const PermissionPrerequisite &row : world_.permission_prerequisite) {
        if (row.permission_key == key &&
            permission_gate(asker, brand_id, row.requires_key, asked_on_the_way) != Gate::none) {
            return Gate::prerequisite;
        }
    }
    return Gate::none;
}

bool Model::has_permission(const Asker &asker, std::optional<Id> brand_id,
                           const std::string &key) const {
    return permission_gate(asker, brand_id, key) == Gate::none;
}

std::vector<Id> Model::permitted_brands(const Asker &asker, const std::string &key) const {
    std::vector<Id> brands;
    for (const Brand &brand : world_.brand) {
        if (has_permission(asker, brand.brand_id, key)) {
            brands.push_back(brand.brand_id);
        }
    }
    std::sort(brands.begin(), brands.end());
    return brands;
}

// R28: any of the alternatives, each an all-of list
bool Model::has_capability(const Asker &asker, std::optional<Id> brand_id,
                           const std::string &key) const {
    bool is_known = false;
    for (const Capability &row : world_.capability) {
        is_known = is_known || row.capability_key == key;
    }
    if (!is_known) {
        return false;
    }
    for (const CapabilityPermission &candidate : world_.capability_permission) {
        if (candidate.capability_key != key) {
            continue;
        }
        bool has_all = true;
        for (const CapabilityPermission &row : world_.capability_permission) {
            if (row.capability_key == key && row.alternative == candidate.alternative &&
                !has_permission(asker, brand_id, row.permission_key)) {
                has_all = false;
            }
        }
        if (has_all) {
            return true;
        }
    }
    return false;
}

// R29: the allowed pages of a section in the catalogue's order
std::vector<std::string> Model::allowed_capabilities(const Asker &asker, std::optional<Id> brand_id,
                                                     const std::string &section) const {
    std::vector<Capability> pages;
    for (const Capability &row : world_.capability) {
        if (row.section && *row.section == section &&
            has_capability(asker, brand_id, row.capability_key)) {
            pages.push_back(row);
        }
    }
    std::sort(pages.begin(), pages.end(), [](const Capability &left, const Capability &right) {
        if (left.position != right.position) {
            return left.position < right.position;
        }
        return left.capability_key < right.capability_key;
    });
    std::vector<std::string> keys;
    for (const Capability &page : pages) {
        keys.push_back(page.capability_key);
    }
    return keys;
}

Gate Model::metric_gate(const Asker &asker, std::optional<Id> brand_id,
                        const std::string &key) const {
    if (!is_known_and_active(asker)) {
        return Gate::identity;
    }
    const std::optional<Id> judged_in = brand_id ? brand_id : current_brand(asker);
    if (!judged_in || !is_member(asker, *judged_in)) {
        return Gate::membership;
    }
    // R31: every module it maps to
    for (const MetricModule &row : world_.metric_module) {
        if (row.metric_key == key && !is_module_enabled(*judged_in, row.module_key)) {
            return Gate::module;
        }
    }
    // R4: an unknown key denies, whatever "*" says
    bool is_known = false;
    for (const Metric &row : world_.metric) {
        is_known = is_known || row.metric_key == key;
    }
    if (!is_known) {
        return Gate::metric;
    }
    if (!is_unrestricted(asker, *judged_in) && !some_role_gives_metric(asker, *judged_in, key)) {
        return Gate::metric;
    }
    return Gate::none;
}

std::vector<std::string> Model::visible_metrics(const Asker &asker,
                                                std::optional<Id> brand_id) const {
    std::vector<std::string> keys;
    for (const Metric &row : world_.metric) {
        if (metric_gate(asker, brand_id, row.metric_key) == Gate::none) {
            keys.push_back(row.metric_key);
        }
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

} // namespace naive
