// Look-ups in a subject's facts.
#include "core/subject.hpp"

#include <algorithm>

#include "core/pure.hpp"

namespace entitle {

namespace {

template <typename Item, typename Id>
const Item *find_by_id(const std::vector<Item> &items, Id id) noexcept {
    const auto at = std::lower_bound(items.begin(), items.end(), id,
                                     [](const Item &item, Id wanted) { return item.id < wanted; });
    return at == items.end() || at->id != id ? nullptr : &*at;
}

} // namespace

const Brand *Subject::find_brand(BrandId brand) const noexcept { return find_by_id(brands, brand); }

const Role *Subject::find_role(RoleId role) const noexcept { return find_by_id(roles, role); }

} // namespace entitle
