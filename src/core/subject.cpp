// Which of a subject's facts count, and look-ups in them.
#include "core/subject.hpp"

#include <algorithm>

#include "core/brand_scope.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

template <typename Item, typename Id>
const Item *find_by_id(const std::vector<Item> &items, Id id) noexcept {
    const auto at = std::lower_bound(items.begin(), items.end(), id,
                                     [](const Item &item, Id wanted) { return item.id < wanted; });
    return at == items.end() || at->id != id ? nullptr : &*at;
}

bool is_in_force(const Membership &membership) noexcept {
    return !membership.is_brand_off && !membership.is_organization_off;
}

template <typename Items, typename Is> void erase_where(Items &items, Is &&is) {
    items.erase(std::remove_if(items.begin(), items.end(), is), items.end());
}

// The places of the brands that have the key, in its order.
std::vector<std::size_t> places_by(const std::vector<Brand> &brands, std::string Brand::*key) {
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < brands.size(); ++place) {
        if (!(brands[place].*key).empty()) {
            places.push_back(place);
        }
    }
    std::sort(places.begin(), places.end(),
              [&](std::size_t a, std::size_t b) { return brands[a].*key < brands[b].*key; });
    return places;
}

const Brand *find_by_key(const std::vector<Brand> &brands, const std::vector<std::size_t> &places,
                         std::string Brand::*key, std::string_view wanted) noexcept {
    const auto at = std::lower_bound(
        places.begin(), places.end(), wanted,
        [&](std::size_t place, std::string_view text) { return brands[place].*key < text; });
    return at == places.end() || brands[*at].*key != wanted ? nullptr : &brands[*at];
}

} // namespace

const Brand *Subject::find_brand(BrandId brand) const noexcept { return find_by_id(brands, brand); }

const Role *Subject::find_role(RoleId role) const noexcept { return find_by_id(roles, role); }

void Subject::settle() {
    const std::size_t named = memberships.size();
    erase_where(memberships, [](const Membership &membership) { return !is_in_force(membership); });
    has_closed_places = memberships.size() < named;
    erase_where(brands, [&](const Brand &brand) {
        return std::none_of(
            memberships.begin(), memberships.end(),
            [&](const Membership &membership) { return reaches(membership, brand); });
    });
    erase_where(roles, [&](const Role &role) {
        return std::none_of(
            memberships.begin(), memberships.end(),
            [&](const Membership &membership) { return membership.role == role.id; });
    });
    for (const Brand &brand : brands) {
        if (!brand.is_active && brand.organization) {
            closed_homes.push_back(*brand.organization);
        }
    }
    erase_where(brands, [](const Brand &brand) { return !brand.is_active; });
    brands_by_uuid = places_by(brands, &Brand::uuid);
    brands_by_code = places_by(brands, &Brand::code);
}

const Brand *Subject::find_brand_by_uuid(std::string_view uuid) const noexcept {
    return find_by_key(brands, brands_by_uuid, &Brand::uuid, uuid);
}

const Brand *Subject::find_brand_by_code(std::string_view code) const noexcept {
    return find_by_key(brands, brands_by_code, &Brand::code, code);
}

} // namespace entitle
