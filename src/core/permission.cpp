// The gates of R2 for permissions, capabilities and metrics.
#include "core/permission.hpp"

#include <algorithm>
#include <tuple>

#include "core/pure.hpp"

namespace entitle {

namespace {

// The gates of one permission alone, its prerequisites aside. Returns: none when they are passed.
std::optional<Decision> check_alone(const BrandScope &scope, std::string_view key,
                                    std::optional<KeyIndex> index, const Recorder &recorder) {
    const Catalogue &catalogue = *scope.subject.catalogue;
    if (!index || *index == kUnknownKey) {
        return recorder.fail(Gate::permission,
                             [&] { return "permission " + quoted(key) + " is not known"; });
    }
    const Permission &permission = catalogue.permission(*index);
    if (const auto denied = check_modules(scope, permission.modules, key, recorder)) {
        return *denied;
    }
    if (contains(scope.brand.denied, *index)) {
        return recorder.fail(Gate::plan, [&] {
            return "plan " + quoted(scope.brand.plan) + " of " + brand_text(scope.brand) +
                   " denies " + quoted(key);
        });
    }
    recorder.pass(Gate::plan, [&] {
        return scope.brand.plan.empty()
                   ? brand_text(scope.brand) + " has no plan"
                   : "plan " + quoted(scope.brand.plan) + " does not deny " + quoted(key);
    });
    if (!permission.is_active) {
        return recorder.fail(Gate::permission,
                             [&] { return "permission " + quoted(key) + " is switched off"; });
    }
    const auto holding = find_holding(scope, recorder.trace() != nullptr, [&](const Role &role) {
        return contains(role.permissions, *index);
    });
    if (!holding) {
        return recorder.fail(Gate::permission, [&] { return not_granted(scope, quoted(key)); });
    }
    recorder.pass(Gate::permission, [&] { return quoted(key) + ": " + *holding; });
    return std::nullopt;
}

std::string_view permission_name(const Catalogue &catalogue, KeyIndex index) {
    return index == kUnknownKey ? std::string_view("(unknown permission)")
                                : std::string_view(catalogue.permission_keys().key(index));
}

// Walks along the prerequisites of a permission that is held alone, each through every gate (R5).
// Chains that meet again are walked once, a cycle denies, and no chain is too long for the stack of
// a server process.
Decision check_prerequisites(const BrandScope &scope, KeyIndex asked, const Recorder &recorder) {
    enum class Mark : char { unseen, on_path, held };
    struct Stop {
        KeyIndex permission;
        std::size_t next; // the prerequisite to look at
    };
    const Catalogue &catalogue = *scope.subject.catalogue;
    const auto name = [&](KeyIndex index) {
        return quoted(permission_name(catalogue, index));
    };
    const auto needs = [&](const Stop &stop) -> const std::vector<KeyIndex> & {
        return catalogue.permission(stop.permission).prerequisites;
    };
    std::vector<Mark> marks(catalogue.permission_keys().size(), Mark::unseen);
    std::vector<Stop> path = {{asked, 0}};
    marks[asked] = Mark::on_path;
    while (!path.empty()) {
        Stop &stop = path.back();
        if (stop.next == needs(stop).size()) {
            marks[stop.permission] = Mark::held;
            path.pop_back();
            continue;
        }
        const KeyIndex needed = needs(stop)[stop.next];
        const Mark mark = needed == kUnknownKey ? Mark::unseen : marks[needed];
        if (mark == Mark::held) {
            recorder.pass(Gate::prerequisite, [&] {
                return name(stop.permission) + " requires " + name(needed) + ": held";
            });
            ++stop.next;
            continue;
        }
        if (mark == Mark::on_path) {
            recorder.fail(Gate::prerequisite,
                          [&] { return "the prerequisites of " + name(needed) + " form a cycle"; });
        }
        if (mark == Mark::on_path ||
            check_alone(scope, permission_name(catalogue, needed), needed, recorder)) {
            Decision denied;
            for (auto at = path.rbegin(); at != path.rend(); ++at) {
                denied = recorder.fail(Gate::prerequisite, [&] {
                    return name(at->permission) + " requires " + name(needs(*at)[at->next]) +
                           ", which is not held";
                });
            }
            return denied;
        }
        marks[needed] = Mark::on_path;
        path.push_back({needed, 0});
    }
    return Decision{true, std::nullopt};
}

// The gates after membership, for a permission with its prerequisites.
Decision check_in_place(const BrandScope &scope, std::string_view key, const Recorder &recorder) {
    const Catalogue &catalogue = *scope.subject.catalogue;
    const auto index = catalogue.find_permission(key);
    if (const auto denied = check_alone(scope, key, index, recorder)) {
        return *denied;
    }
    return catalogue.permission(*index).prerequisites.empty()
               ? Decision{true, std::nullopt}
               : check_prerequisites(scope, *index, recorder);
}

Decision metric_in_place(const BrandScope &scope, std::string_view key, const Recorder &recorder) {
    const Catalogue &catalogue = *scope.subject.catalogue;
    const auto index = catalogue.find_metric(key);
    if (!index) {
        return recorder.fail(Gate::metric,
                             [&] { return "metric " + quoted(key) + " is not known"; });
    }
    if (const auto denied = check_modules(scope, catalogue.metric(*index).modules, key, recorder)) {
        return *denied;
    }
    const auto holding = find_holding(scope, recorder.trace() != nullptr, [&](const Role &role) {
        return role.all_metrics || contains(role.metrics, *index);
    });
    if (!holding) {
        return recorder.fail(Gate::metric,
                             [&] { return not_granted(scope, "metric " + quoted(key)); });
    }
    recorder.pass(Gate::metric, [&] { return "metric " + quoted(key) + ": " + *holding; });
    return Decision{true, std::nullopt};
}

Decision capability_in_place(const BrandScope &scope, const Capability &capability,
                             const Recorder &recorder) {
    const KeyTable &keys = scope.subject.catalogue->permission_keys();
    for (const auto &alternative : capability.alternatives) {
        const bool held =
            std::all_of(alternative.begin(), alternative.end(), [&](KeyIndex permission) {
                return permission != kUnknownKey &&
                       check_in_place(scope, keys.key(permission), recorder).allowed;
            });
        // An alternative that lists nothing proves nothing.
        if (held && !alternative.empty()) {
            recorder.pass(Gate::capability, [&] {
                std::string names;
                for (const KeyIndex permission : alternative) {
                    names += (names.empty() ? "" : " and ") + quoted(keys.key(permission));
                }
                return quoted(capability.key) + " is opened by " + names;
            });
            return Decision{true, std::nullopt};
        }
    }
    return recorder.fail(Gate::capability, [&] {
        return "no alternative of " + quoted(capability.key) + " is held whole";
    });
}

} // namespace

Decision check_permission(const Subject *subject, const Session &session,
                          std::string_view permission, std::optional<BrandId> named, Trace *trace) {
    const Recorder recorder(trace);
    const auto [brand, denied] = enter_brand(subject, session, named, recorder);
    return brand == nullptr ? denied
                            : check_in_place(BrandScope{*subject, *brand}, permission, recorder);
}

Decision check_capability(const Subject *subject, const Session &session, std::string_view key,
                          std::optional<BrandId> named, Trace *trace) {
    const Recorder recorder(trace);
    const auto [brand, denied] = enter_brand(subject, session, named, recorder);
    if (brand == nullptr) {
        return denied;
    }
    const Capability *capability = subject->catalogue->find_capability(key);
    if (capability == nullptr) {
        return recorder.fail(Gate::capability,
                             [&] { return "capability " + quoted(key) + " is not known"; });
    }
    return capability_in_place(BrandScope{*subject, *brand}, *capability, recorder);
}

Decision check_metric(const Subject *subject, const Session &session, std::string_view metric,
                      std::optional<BrandId> named, Trace *trace) {
    const Recorder recorder(trace);
    const auto [brand, denied] = enter_brand(subject, session, named, recorder);
    return brand == nullptr ? denied
                            : metric_in_place(BrandScope{*subject, *brand}, metric, recorder);
}

std::string see_why(std::string_view permission) {
    return "To see why: SELECT * FROM entitle.explain_permission('" + std::string(permission) +
           "', brand_id => brand).";
}

std::vector<BrandId> permitted_brands(const Subject *subject, const Session &session,
                                      std::string_view permission) {
    std::vector<BrandId> brands;
    if (subject != nullptr) {
        for (const Brand &brand : subject->brands) {
            if (check_permission(subject, session, permission, brand.id)) {
                brands.push_back(brand.id);
            }
        }
    }
    return brands;
}

std::vector<std::string> visible_metrics(const Subject *subject, const Session &session,
                                         std::optional<BrandId> brand) {
    std::vector<std::string> visible;
    if (subject != nullptr && subject->catalogue != nullptr) {
        const KeyTable &keys = subject->catalogue->metric_keys();
        for (KeyIndex index = 0; index < keys.size(); ++index) {
            if (check_metric(subject, session, keys.key(index), brand)) {
                visible.push_back(keys.key(index));
            }
        }
    }
    return visible;
}

std::vector<std::string> allowed_capabilities(const Subject *subject, const Session &session,
                                              std::string_view section,
                                              std::optional<BrandId> brand) {
    std::vector<const Capability *> pages;
    if (subject != nullptr && subject->catalogue != nullptr) {
        for (const Capability &capability : subject->catalogue->capabilities()) {
            if (capability.section == section &&
                check_capability(subject, session, capability.key, brand)) {
                pages.push_back(&capability);
            }
        }
    }
    std::sort(pages.begin(), pages.end(), [](const Capability *a, const Capability *b) {
        return std::tie(a->position, a->key) < std::tie(b->position, b->key);
    });
    std::vector<std::string> keys;
    keys.reserve(pages.size());
    for (const Capability *page : pages) {
        keys.push_back(page->key);
    }
    return keys;
}

} // namespace entitle
