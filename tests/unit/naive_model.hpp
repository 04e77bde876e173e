// A second reading of the rules, for tests alone: the model's tables as plain rows, and every
// answer found by looping over them. It shares no code with src/core, keeps no index and caches
// nothing, so that the two agree only when both say what the rules say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace naive {

using Id = std::int64_t;

// Dates are day numbers; the extremes stand for PostgreSQL's infinities.
using Date = std::int32_t;
constexpr Date kMinusInfinity = INT32_MIN;
constexpr Date kInfinity = INT32_MAX;

struct AppUser {
    Id user_id;
    bool is_active;
};

struct Organization {
    Id organization_id;
    bool is_active = true;
};

struct PlanDenial {
    std::string plan_key;
    std::string permission_key;
};

struct Brand {
    Id brand_id;
    std::optional<Id> organization_id; // none: standalone
    std::optional<std::string> plan_key;
    bool is_active = true;
};

struct BrandModule {
    Id brand_id;
    std::string module_key;
    bool is_enabled;
};

struct Permission {
    std::string permission_key;
    bool is_active;
};

struct PermissionModule {
    std::string permission_key;
    std::string module_key;
};

struct PermissionPrerequisite {
    std::string permission_key;
    std::string requires_key;
};

struct Capability {
    std::string capability_key;
    std::optional<std::string> section;
    int position;
};

struct CapabilityPermission {
    std::string capability_key;
    int alternative;
    std::string permission_key;
};

struct Metric {
    std::string metric_key;
};

struct MetricModule {
    std::string metric_key;
    std::string module_key;
};

struct Role {
    Id role_id;
    Id organization_id;
    bool is_active;
};

struct RolePermission {
    Id role_id;
    std::string permission_key;
};

struct RoleMetric {
    Id role_id;
    std::string metric_key;
};

struct Membership {
    Id user_id;
    std::optional<Id> organization_id;
    std::optional<Id> brand_id;
    std::optional<Id> role_id;
    bool is_owner;
};

struct Customer {
    Id customer_id;
    Id brand_id;
    std::string status;
    bool is_gone = false; // from the table it was adopted from
};

struct ExternalAccess {
    Id customer_id;
    Id user_id;
    int level;
    std::optional<std::int32_t> days_back; // none: unlimited
    std::optional<Date> valid_from;
    std::optional<Date> valid_until;
};

struct World {
    std::vector<AppUser> app_user;
    std::vector<Organization> organization;
    std::vector<PlanDenial> plan_denial;
    std::vector<Brand> brand;
    std::vector<std::string> module;
    std::vector<BrandModule> brand_module;
    std::vector<Permission> permission;
    std::vector<PermissionModule> permission_module;
    std::vector<PermissionPrerequisite> permission_prerequisite;
    std::vector<Capability> capability;
    std::vector<CapabilityPermission> capability_permission;
    std::vector<Metric> metric;
    std::vector<MetricModule> metric_module;
    std::vector<Role> role;
    std::vector<RolePermission> role_permission;
    std::vector<RoleMetric> role_metric;
    std::vector<Membership> membership;
    std::vector<Customer> customer;
    std::vector<ExternalAccess> external_access;
};

// Who asks, when, and what they have chosen.
struct Asker {
    std::optional<Id> user_id;
    std::optional<Id> chosen_brand;
    std::optional<Id> chosen_customer;
    Date today = 0;
};

// What may stop a question, by R1, R2 (whose permission gate is told apart from its prerequisites)
// and section C; `none` when every gate was passed.
enum class Gate {
    identity,
    membership,
    module,
    plan,
    permission,
    prerequisite,
    metric,
    customer,
    validity,
    level,
    window,
    none
};

// How a row is protected, and what the row holds. Absent = NULL.
struct RowQuestion {
    std::optional<std::string> permission; // none: closed to permissions
    bool has_brand = false;                // the row carries its brand
    std::optional<Id> brand_id;
    std::optional<int> min_level; // none: closed to external access
    std::optional<Id> customer_id;
    bool is_dated = false;
    std::optional<Date> on_date;
    bool is_shared = false; // rows without customer show to every active user
};

// Answers questions about one world. A question that names no brand is about the current one (R52).
// Requires: the world outlives the model.
class Model {
  public:
    explicit Model(const World &world) : world_(world) {}

    // R1
    bool is_known_and_active(const Asker &asker) const;

    // R64: neither the brand nor its organization is switched off
    bool is_open(const Brand &brand) const;
    bool is_open_organization(Id organization_id) const;

    // R22, R52
    bool is_member(const Asker &asker, Id brand_id) const;
    std::optional<Id> current_brand(const Asker &asker) const;

    // R2, R4, R5, R20, R22 to R27: the first gate that fails
    Gate permission_gate(const Asker &asker, std::optional<Id> brand_id,
                         const std::string &key) const;
    bool has_permission(const Asker &asker, std::optional<Id> brand_id,
                        const std::string &key) const;
    std::vector<Id> permitted_brands(const Asker &asker, const std::string &key) const;

    // R28, R29
    bool has_capability(const Asker &asker, std::optional<Id> brand_id,
                        const std::string &key) const;
    std::vector<std::string> allowed_capabilities(const Asker &asker, std::optional<Id> brand_id,
                                                  const std::string &section) const;

    // R30, R31
    Gate metric_gate(const Asker &asker, std::optional<Id> brand_id, const std::string &key) const;
    std::vector<std::string> visible_metrics(const Asker &asker, std::optional<Id> brand_id) const;

    // R33, R34, R40, R45: 0 for no access
    int access_level(const Asker &asker, Id customer_id) const;

    // R33 to R40, R45: the first gate between the user and what `min_level` opens of a customer
    Gate access_gate(const Asker &asker, Id customer_id, int min_level, bool is_dated,
                     std::optional<Date> on_date) const;

    // R38: has access, and the date is inside the window
    bool is_in_window(const Asker &asker, Id customer_id, std::optional<Date> on_date) const;

    // R41
    bool manages_access(const Asker &asker, Id customer_id) const;

    // R12, R13, R14
    bool can_score(const Asker &asker, Id customer_id) const;

    // R15, R57
    bool sees_metrics(const Asker &asker, std::optional<Id> organization_id) const;

    // R3, R35, R39, R52
    bool row_shows_by_permission(const Asker &asker, const RowQuestion &row) const;
    bool row_shows_by_access(const Asker &asker, const RowQuestion &row) const;
    bool row_shows(const Asker &asker, const RowQuestion &row) const;

    // R54: the same questions about a row before and after, of which the first is whether it shows
    bool may_move(const Asker &asker, const std::vector<RowQuestion> &before,
                  const std::vector<RowQuestion> &after) const;

  private:
    const Brand *find_brand(Id brand_id) const;
    const Customer *find_customer(Id customer_id) const;
    const ExternalAccess *find_grant(const Asker &asker, Id customer_id) const;
    bool is_module_enabled(Id brand_id, const std::string &module) const;
    bool is_unrestricted(const Asker &asker, Id brand_id) const;
    std::vector<Id> roles_of(const Asker &asker, Id brand_id) const;
    bool some_role_gives_permission(const Asker &asker, Id brand_id, const std::string &key) const;
    bool some_role_gives_metric(const Asker &asker, Id brand_id, const std::string &key) const;
    Gate permission_gate(const Asker &asker, Id brand_id, const std::string &key,
                         std::vector<std::string> asked_on_the_way) const;

    const World &world_;
};

} // namespace naive
