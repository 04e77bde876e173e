// Lists of what a user belongs to.
#include "core/membership.hpp"

#include <algorithm>
#include <iterator>

#include "core/delegation.hpp"
#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

void sort_unique(std::vector<std::int64_t> &ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

bool has(const std::vector<std::int64_t> &sorted, std::int64_t id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
}

} // namespace

Belongings find_belongings(const Subject *subject) {
    Belongings found;
    if (subject == nullptr || !subject->is_active) {
        return found;
    }
    for (const Membership &membership : subject->memberships) {
        if (membership.organization) {
            found.organizations.push_back(*membership.organization);
            if (membership.is_owner) {
                found.owned_organizations.push_back(*membership.organization);
            }
        }
        if (membership.role) {
            found.roles.push_back(*membership.role);
        }
    }
    sort_unique(found.owned_organizations);
    for (const Brand &brand : subject->brands) {
        if (!is_member(*subject, brand.id)) {
            continue;
        }
        found.brands.push_back(brand.id);
        if (brand.organization) {
            found.organizations.push_back(*brand.organization);
            if (std::binary_search(found.owned_organizations.begin(),
                                   found.owned_organizations.end(), *brand.organization)) {
                found.owned_brands.push_back(brand.id);
            }
        }
    }
    sort_unique(found.organizations);
    sort_unique(found.roles);
    return found;
}

Managed find_managed(const Subject *subject) {
    Managed found;
    const Belongings belongings = find_belongings(subject);
    found.organizations = belongings.owned_organizations;
    for (const OrganizationId organization : belongings.organizations) {
        if (check_in_organization(subject, kManageRoles, organization) ||
            check_in_organization(subject, kManageMembers, organization)) {
            found.organizations.push_back(organization);
        }
    }
    sort_unique(found.organizations);
    for (const BrandId id : belongings.brands) {
        const Brand &brand = *subject->find_brand(id);
        const bool is_of_managed =
            brand.organization &&
            std::binary_search(found.organizations.begin(), found.organizations.end(),
                               *brand.organization);
        if (is_of_managed || check_permission(subject, Session{}, kManageMembers, id)) {
            found.brands.push_back(id);
        }
    }
    return found;
}

bool may_ask_about(const Subject *subject, const Session &session, std::optional<BrandId> brand) {
    if (!brand) {
        return false;
    }
    const std::vector<BrandId> managed = find_managed(subject).brands;
    return std::binary_search(managed.begin(), managed.end(), *brand) ||
           check_permission(subject, session, "external_access.manage", brand).allowed;
}

Subject keep_known_places(const Subject &subject, const Managed &managed,
                          std::optional<BrandId> brand) {
    const auto is_known_brand = [&](const Brand &one) {
        return one.id == brand || has(managed.brands, one.id);
    };
    const auto is_known = [&](const Membership &membership) {
        return (membership.organization && has(managed.organizations, *membership.organization)) ||
               std::any_of(subject.brands.begin(), subject.brands.end(), [&](const Brand &one) {
                   return is_known_brand(one) && reaches(membership, one);
               });
    };
    Subject known = subject;
    known.memberships.clear();
    std::copy_if(subject.memberships.begin(), subject.memberships.end(),
                 std::back_inserter(known.memberships), is_known);
    known.closed_homes.clear();
    known.settle(); // leaves out the brands that no known place reaches
    return known;
}

} // namespace entitle
