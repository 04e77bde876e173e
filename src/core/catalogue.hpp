// The shared facts: which permissions, modules, metrics and capabilities exist, and what each
// needs. Keys match byte for byte (R4) and become small indexes here; a key that is not in the
// catalogue has no index, so nothing can be allowed in its name. Immutable once built.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entitle {

using KeyIndex = std::uint32_t;

// A module that is named but not known: never enabled, so whatever needs it is denied.
constexpr KeyIndex kUnknownKey = UINT32_MAX;

// Distinct keys in byte order.
class KeyTable {
  public:
    KeyTable() = default;
    explicit KeyTable(std::vector<std::string> keys);

    std::optional<KeyIndex> find(std::string_view key) const noexcept;
    // Requires: index < size().
    const std::string &key(KeyIndex index) const { return keys_[index]; }
    std::size_t size() const noexcept { return keys_.size(); }

  private:
    std::vector<std::string> keys_;
};

struct Permission {
    bool is_active = false;
    std::vector<KeyIndex> modules;       // each must be enabled in the brand (R23)
    std::vector<KeyIndex> prerequisites; // permissions, each must be held too (R5)
};

struct Metric {
    std::vector<KeyIndex> modules; // R31
};

struct Capability {
    std::string key;
    std::optional<std::string> section;
    int position = 0;
    // Any of the alternatives opens it, each an all-of list of permissions (R28).
    std::vector<std::vector<KeyIndex>> alternatives;
};

// The rows of the model's tables, as loaded; order does not matter.
struct CatalogueRows {
    struct PermissionRow {
        std::string key;
        bool is_active;
    };
    struct Pair {
        std::string key;
        std::string needs;
    };
    struct CapabilityRow {
        std::string key;
        std::optional<std::string> section;
        int position;
    };
    struct AlternativeRow {
        std::string capability;
        int alternative;
        std::string permission;
    };

    std::vector<PermissionRow> permissions;
    std::vector<Pair> permission_modules;
    std::vector<Pair> permission_prerequisites;
    std::vector<std::string> metrics;
    std::vector<Pair> metric_modules;
    std::vector<CapabilityRow> capabilities;
    std::vector<AlternativeRow> alternatives;
};

class Catalogue {
  public:
    Catalogue() = default;
    explicit Catalogue(const CatalogueRows &rows);

    std::optional<KeyIndex> find_permission(std::string_view key) const noexcept {
        return permission_keys_.find(key);
    }
    std::optional<KeyIndex> find_metric(std::string_view key) const noexcept {
        return metric_keys_.find(key);
    }
    std::optional<KeyIndex> find_module(std::string_view key) const noexcept {
        return module_keys_.find(key);
    }
    const Capability *find_capability(std::string_view key) const noexcept;

    // Requires: index came from this catalogue.
    const Permission &permission(KeyIndex index) const { return permissions_[index]; }
    const Metric &metric(KeyIndex index) const { return metrics_[index]; }

    const KeyTable &permission_keys() const noexcept { return permission_keys_; }
    const KeyTable &metric_keys() const noexcept { return metric_keys_; }
    // Returns: the module's key, or a placeholder for kUnknownKey.
    std::string_view module_name(KeyIndex index) const noexcept;

    // In key order.
    const std::vector<Capability> &capabilities() const noexcept { return capabilities_; }

  private:
    KeyTable permission_keys_;
    KeyTable module_keys_;
    KeyTable metric_keys_;
    std::vector<Permission> permissions_;
    std::vector<Metric> metrics_;
    std::vector<Capability> capabilities_;
};

} // namespace entitle
