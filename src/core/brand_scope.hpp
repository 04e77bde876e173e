// A subject in one brand: the gates that permissions, capabilities and metrics have in common, and
// how any of them is held there. The brand is entered first; a null subject enters none (R1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

// Finds the brand a question without a brand is about: the chosen one, else the only one (R52).
// Returns: none when there is no brand or several and none was chosen.
std::optional<BrandId> current_brand(const Subject &subject, const Session &session) noexcept;

// Tells whether a membership reaches the brand (R22), whatever it grants there.
bool is_member(const Subject &subject, BrandId brand) noexcept;

// What the gates after membership need.
struct BrandScope {
    const Subject &subject;
    const Brand &brand;
};

// The brand to judge in, or null and why not.
struct Entry {
    const Brand *brand;
    Decision denied;
};

// Decides identity and membership (R1, R22, R52).
Entry enter_brand(const Subject *subject, const Session &session, std::optional<BrandId> named,
                  const Recorder &recorder);

// Decides whether every module is enabled (R23, R31). Returns: none when it is.
std::optional<Decision> check_modules(const BrandScope &scope, const std::vector<KeyIndex> &modules,
                                      std::string_view key, const Recorder &recorder);

std::string quoted(std::string_view text);

// Tells whether the membership reaches the brand (R22).
bool reaches(const Membership &membership, const Brand &brand) noexcept;

// Tells whether the subject owns the brand's organization (R24).
bool owns(const BrandScope &scope) noexcept;

// Tells which roles do not grant it, those switched off too: who asks why must see them.
std::string not_granted(const BrandScope &scope, std::string_view what);

// Calls `visit(role)` for every active role the subject holds in the place (R20, R22); stops at
// true.
template <typename Visit> bool any_role(const BrandScope &scope, Visit &&visit) {
    for (const Membership &membership : scope.subject.memberships) {
        if (!membership.role || !reaches(membership, scope.brand)) {
            continue;
        }
        const Role *role = scope.subject.find_role(*membership.role);
        // A role of another organization counts for nothing, however it got into the membership.
        if (role != nullptr && role->is_active && scope.brand.organization == role->organization &&
            visit(*role)) {
            return true;
        }
    }
    return false;
}

// Finds how a permission or metric is held in the place (R20, R22, R24, R25). `in_role` tells
// whether a role lists it. Returns: a text that tells it, an empty one when none is wanted; none
// when it is not held.
template <typename InRole>
std::optional<std::string> find_holding(const BrandScope &scope, bool wants_text,
                                        InRole &&in_role) {
    const auto say = [&](auto &&text) {
        return wants_text ? text() : std::string();
    };
    if (!scope.brand.organization) {
        return say(
            [] { return std::string("the brand stands alone: members are not restricted"); });
    }
    if (owns(scope)) {
        return say([] { return std::string("an owner of the organization"); });
    }
    std::optional<std::string> found;
    any_role(scope, [&](const Role &role) {
        if (in_role(role)) {
            found = say([&] { return "granted by role " + entitle::quoted(role.name); });
        }
        return found.has_value();
    });
    return found;
}

bool contains(const std::vector<KeyIndex> &sorted, KeyIndex index) noexcept;
std::string brand_text(const Brand &brand);

} // namespace entitle
