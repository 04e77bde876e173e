// Builds the catalogue from its rows. Every doubtful row narrows: an unknown module or prerequisite
// can never be satisfied, an unknown permission in a capability never opens it.
#include "core/catalogue.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/pure.hpp"

namespace entitle {

namespace {

template <typename Rows, typename Project> KeyTable keys_of(const Rows &rows, Project project) {
    std::vector<std::string> keys;
    keys.reserve(rows.size());
    for (const auto &row : rows) {
        keys.push_back(project(row));
    }
    return KeyTable(std::move(keys));
}

} // namespace

KeyTable::KeyTable(std::vector<std::string> keys) : keys_(std::move(keys)) {
    std::sort(keys_.begin(), keys_.end());
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
}

std::optional<KeyIndex> KeyTable::find(std::string_view key) const noexcept {
    const auto at = std::lower_bound(keys_.begin(), keys_.end(), key);
    if (at == keys_.end() || *at != key) {
        return std::nullopt;
    }
    return static_cast<KeyIndex>(at - keys_.begin());
}

Catalogue::Catalogue(const CatalogueRows &rows) {
    permission_keys_ = keys_of(rows.permissions, [](const auto &row) { return row.key; });
    metric_keys_ = keys_of(rows.metrics, [](const auto &row) { return row; });
    std::vector<std::string> modules;
    for (const auto &row : rows.permission_modules) {
        modules.push_back(row.needs);
    }
    for (const auto &row : rows.metric_modules) {
        modules.push_back(row.needs);
    }
    module_keys_ = KeyTable(std::move(modules));

    permissions_.resize(permission_keys_.size());
    for (const auto &row : rows.permissions) {
        permissions_[*permission_keys_.find(row.key)].is_active = row.is_active;
    }
    for (const auto &row : rows.permission_modules) {
        if (const auto index = permission_keys_.find(row.key)) {
            permissions_[*index].modules.push_back(*module_keys_.find(row.needs));
        }
    }
    for (const auto &row : rows.permission_prerequisites) {
        if (const auto index = permission_keys_.find(row.key)) {
            permissions_[*index].prerequisites.push_back(
                permission_keys_.find(row.needs).value_or(kUnknownKey));
        }
    }

    metrics_.resize(metric_keys_.size());
    for (const auto &row : rows.metric_modules) {
        if (const auto index = metric_keys_.find(row.key)) {
            metrics_[*index].modules.push_back(*module_keys_.find(row.needs));
        }
    }

    for (const auto &row : rows.capabilities) {
        capabilities_.push_back(Capability{row.key, row.section, row.position, {}});
    }
    std::sort(capabilities_.begin(), capabilities_.end(),
              [](const Capability &a, const Capability &b) { return a.key < b.key; });

    auto alternatives = rows.alternatives;
    std::sort(alternatives.begin(), alternatives.end(), [](const auto &a, const auto &b) {
        return std::tie(a.capability, a.alternative, a.permission) <
               std::tie(b.capability, b.alternative, b.permission);
    });
    const CatalogueRows::AlternativeRow *previous = nullptr;
    for (const auto &row : alternatives) {
        const Capability *found = find_capability(row.capability);
        if (found == nullptr) {
            continue;
        }
        const auto capability = capabilities_.begin() + (found - capabilities_.data());
        if (previous == nullptr || previous->capability != row.capability ||
            previous->alternative != row.alternative) {
            capability->alternatives.emplace_back();
        }
        capability->alternatives.back().push_back(
            permission_keys_.find(row.permission).value_or(kUnknownKey));
        previous = &row;
    }
}

const Capability *Catalogue::find_capability(std::string_view key) const noexcept {
    const auto at = std::lower_bound(capabilities_.begin(), capabilities_.end(), key,
                                     [](const Capability &capability, std::string_view wanted) {
                                         return capability.key < wanted;
                                     });
    return at == capabilities_.end() || at->key != key ? nullptr : &*at;
}

std::string_view Catalogue::module_name(KeyIndex index) const noexcept {
    return index == kUnknownKey ? std::string_view("(unknown module)")
                                : std::string_view(module_keys_.key(index));
}

} // namespace entitle
