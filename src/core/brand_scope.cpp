// The gates that every question passes first: identity, membership, modules.
#include "core/brand_scope.hpp"

#include <algorithm>

#include "core/pure.hpp"

namespace entitle {

bool contains(const std::vector<KeyIndex> &sorted, KeyIndex index) noexcept {
    return std::binary_search(sorted.begin(), sorted.end(), index);
}

bool reaches(const Membership &membership, const Brand &brand) noexcept {
    if (membership.brand) {
        // One that names both, which no stored row may, reaches nothing (R22).
        return !membership.organization && *membership.brand == brand.id;
    }
    return membership.organization && membership.organization == brand.organization;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string brand_text(const Brand &brand) {
    return "brand " + quoted(brand.name) + " (" + std::to_string(brand.id) + ")";
}

std::optional<BrandId> current_brand(const Subject &subject, const Session &session) noexcept {
    if (session.chosen_brand) {
        return session.chosen_brand;
    }
    if (subject.brands.size() == 1) {
        return subject.brands.front().id;
    }
    return std::nullopt;
}

bool is_member(const Subject &subject, BrandId id) noexcept {
    const Brand *brand = subject.find_brand(id);
    return brand != nullptr &&
           std::any_of(subject.memberships.begin(), subject.memberships.end(),
                       [&](const Membership &membership) { return reaches(membership, *brand); });
}

Entry enter_brand(const Subject *subject, const Session &session, std::optional<BrandId> named,
                  const Recorder &recorder) {
    if (subject == nullptr) {
        return Entry{nullptr, recorder.fail(Gate::identity,
                                            [] { return std::string("nobody is signed in"); })};
    }
    // Whoever belongs nowhere needs no catalogue to be told so.
    if (subject->catalogue == nullptr && !subject->memberships.empty()) {
        return Entry{nullptr, recorder.fail(Gate::identity,
                                            [] { return std::string("no rights are loaded"); })};
    }
    if (!subject->is_active) {
        return Entry{nullptr, recorder.fail(Gate::identity, [&] {
                         return "user " + quoted(subject->login) + " is switched off";
                     })};
    }
    recorder.pass(Gate::identity, [&] { return "user " + quoted(subject->login) + " is active"; });

    const auto wanted = named ? named : current_brand(*subject, session);
    if (!wanted) {
        return Entry{nullptr, recorder.fail(Gate::membership, [&] {
                         if (!subject->brands.empty()) {
                             return std::string(
                                 "the user belongs to several brands and chose none");
                         }
                         return subject->has_closed_places
                                    ? std::string("the user's brands are switched off")
                                    : std::string("the user is a member of no brand");
                     })};
    }
    const Brand *brand = subject->find_brand(*wanted);
    if (brand == nullptr || !is_member(*subject, *wanted)) {
        // The same text for a brand that does not exist: nothing tells them apart.
        return Entry{nullptr, recorder.fail(Gate::membership, [&] {
                         return "the user is no member of brand " + std::to_string(*wanted) +
                                " nor of its organization" +
                                (subject->has_closed_places ? ", or that is switched off" : "");
                     })};
    }
    recorder.pass(Gate::membership, [&] { return "a member of " + brand_text(*brand); });
    return Entry{brand, Decision{}};
}

std::optional<Decision> check_modules(const BrandScope &scope, const std::vector<KeyIndex> &modules,
                                      std::string_view key, const Recorder &recorder) {
    for (const KeyIndex module : modules) {
        if (!contains(scope.brand.modules, module)) {
            return recorder.fail(Gate::module, [&] {
                return quoted(key) + " needs module " +
                       quoted(scope.subject.catalogue->module_name(module)) +
                       ", which is not enabled for " + brand_text(scope.brand);
            });
        }
    }
    recorder.pass(Gate::module, [&] {
        if (modules.empty()) {
            return quoted(key) + " needs no module";
        }
        std::string names;
        for (const KeyIndex module : modules) {
            names += (names.empty() ? "" : ", ");
            names += quoted(scope.subject.catalogue->module_name(module));
        }
        return "enabled for " + brand_text(scope.brand) + ": " + names;
    });
    return std::nullopt;
}

bool owns(const BrandScope &scope) noexcept {
    return std::any_of(scope.subject.memberships.begin(), scope.subject.memberships.end(),
                       [&](const Membership &membership) {
                           return membership.is_owner && membership.organization &&
                                  reaches(membership, scope.brand);
                       });
}

std::string not_granted(const BrandScope &scope, std::string_view what) {
    std::string names;
    std::size_t count = 0;
    for (const Membership &membership : scope.subject.memberships) {
        const Role *role = membership.role && reaches(membership, scope.brand)
                               ? scope.subject.find_role(*membership.role)
                               : nullptr;
        if (role != nullptr && scope.brand.organization == role->organization) {
            names += (names.empty() ? "" : ", ") + quoted(role->name) +
                     (role->is_active ? "" : " (switched off)");
            ++count;
        }
    }
    if (count == 0) {
        return "no role in " + brand_text(scope.brand) + " to grant " + std::string(what);
    }
    return (count == 1 ? "role " + names + " does" : "roles " + names + " do") + " not grant " +
           std::string(what);
}

} // namespace entitle
