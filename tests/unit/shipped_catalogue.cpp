#include "shipped_catalogue.hpp"

#include <algorithm>

namespace {

using Keys = std::vector<std::string>;

struct ModulePermissions {
    const char *module; // null: none
    Keys permissions;
};

const std::vector<ModulePermissions> &permissions_by_module() {
    static const std::vector<ModulePermissions> all = {
        {"customers",
         {"customers.view", "customers.edit", "customers.client_metrics", "customers.export",
          "external_access.manage"}},
        {"conversions",
         {"conversions.view", "conversions.create", "conversions.update", "conversions.delete",
          "conversions.export"}},
        {"tracking", {"tracking.view", "reporting.utm_performance.view"}},
        {"integrations", {"integrations.view"}},
        {"merchants", {"merchants.view"}},
        {"products", {"products.view"}},
        {"pages",
         {"pages.view", "pages.create", "pages.update", "pagecomponents.view", "collections.view",
          "trackingscripts.view", "backendscripts.view", "files.view"}},
        {"reports", {"reports.view", "analytics.view"}},
        {"affiliates", {"affiliates.view"}},
        {nullptr,
         {"billing.invoices.view", "billing.cards.view", "roles.manage", "members.manage"}},
    };
    return all;
}

struct CapabilityText {
    const char *key;
    const char *section; // null: none
    int position;
    std::vector<Keys> alternatives;
};

const std::vector<CapabilityText> &capabilities() {
    static const std::vector<CapabilityText> all = {
        {"conversions_list", "reports", 1, {{"conversions.view"}}},
        {"customers_report", "reports", 2, {{"customers.view"}}},
        {"tracking_report", "reports", 3, {{"tracking.view"}}},
        {"utm_report", "reports", 4, {{"reporting.utm_performance.view"}}},
        {"custom_reports", "reports", 5, {{"reports.view"}}},
        {"reports",
         nullptr,
         0,
         {{"conversions.view"},
          {"customers.view"},
          {"tracking.view"},
          {"reporting.utm_performance.view"},
          {"reports.view"}}},
        {"tracking_reports", nullptr, 0, {{"tracking.view"}, {"reporting.utm_performance.view"}}},
        {"fulfillment_list", nullptr, 0, {{"conversions.view"}}},
        {"conversion_operations", nullptr, 0, {{"conversions.update"}}},
        {"manual_order", nullptr, 0, {{"conversions.create", "customers.view"}}},
        {"customers_screen", nullptr, 0, {{"customers.view"}}},
        {"customers_export", nullptr, 0, {{"customers.export"}}},
        {"customer_edit", nullptr, 0, {{"customers.edit"}}},
        {"customer_metrics", nullptr, 0, {{"customers.edit"}}},
        {"client_metrics_catalogue", nullptr, 0, {{"customers.client_metrics"}}},
        {"external_access", nullptr, 0, {{"external_access.manage"}}},
        {"integrations", nullptr, 0, {{"integrations.view"}}},
        {"merchants", nullptr, 0, {{"merchants.view"}}},
        {"products", nullptr, 0, {{"products.view"}}},
        {"pages", nullptr, 0, {{"pages.view"}}},
        {"page_components", "page_tools", 1, {{"pagecomponents.view"}}},
        {"collections", "page_tools", 2, {{"collections.view"}}},
        {"tracking_scripts", "page_tools", 3, {{"trackingscripts.view"}}},
        {"backend_scripts", "page_tools", 4, {{"backendscripts.view"}}},
        {"files", "page_tools", 5, {{"files.view"}}},
        {"page_tools",
         nullptr,
         0,
         {{"pagecomponents.view"},
          {"collections.view"},
          {"trackingscripts.view"},
          {"backendscripts.view"},
          {"files.view"}}},
        {"billing_invoices", "billing", 1, {{"billing.invoices.view"}}},
        {"billing_cards", "billing", 2, {{"billing.cards.view"}}},
        {"billing", nullptr, 0, {{"billing.invoices.view"}, {"billing.cards.view"}}},
    };
    return all;
}

struct MetricText {
    const char *key;
    Keys modules;
};

const std::vector<MetricText> &metrics() {
    static const std::vector<MetricText> all = {
        {"revenue", {"conversions"}},
        {"sales", {"conversions"}},
        {"net_revenue", {"conversions"}},
        {"refund_total", {"conversions"}},
        {"aov", {"conversions"}},
        {"cogs", {"conversions"}},
        {"page_views", {"tracking"}},
        {"sessions", {"tracking"}},
        {"engagement_rate", {"tracking"}},
        {"time_on_page", {"tracking"}},
        {"conversion_rate", {"conversions", "tracking"}},
        {"ad_spend", {"integrations"}},
        {"roas", {"conversions", "integrations"}},
    };
    return all;
}

struct RoleText {
    const char *name;
    Keys permissions;
};

const std::vector<RoleText> &roles() {
    static const std::vector<RoleText> all = {
        {"conversions-only viewer", {"conversions.view"}},
        {"customers-only viewer", {"customers.view"}},
        {"reports reader",
         {"reports.view", "conversions.view", "customers.view", "tracking.view",
          "reporting.utm_performance.view"}},
        {"operations user", {"conversions.view", "conversions.update"}},
        {"sales", {"customers.view", "customers.edit"}},
        {"sales manager", {"customers.view", "customers.edit", "customers.client_metrics"}},
        {"read-only", {"customers.view"}},
    };
    return all;
}

} // namespace

naive::World shipped_catalogue() {
    naive::World world;
    world.module = {"customers", "conversions", "tracking", "integrations", "merchants",
                    "products",  "pages",       "reports",  "affiliates"};
    for (const auto &group : permissions_by_module()) {
        for (const auto &key : group.permissions) {
            world.permission.push_back({key, true});
            if (group.module != nullptr) {
                world.permission_module.push_back({key, group.module});
            }
        }
    }
    for (const char *key : {"customers.edit", "customers.client_metrics", "customers.export",
                            "external_access.manage"}) {
        world.permission_prerequisite.push_back({key, "customers.view"});
    }
    for (const auto &text : capabilities()) {
        naive::Capability row{text.key, std::nullopt, text.position};
        if (text.section != nullptr) {
            row.section = text.section;
        }
        world.capability.push_back(row);
        int alternative = 0;
        for (const auto &keys : text.alternatives) {
            ++alternative;
            for (const auto &key : keys) {
                world.capability_permission.push_back({text.key, alternative, key});
            }
        }
    }
    for (const auto &text : metrics()) {
        world.metric.push_back({text.key});
        for (const auto &module : text.modules) {
            world.metric_module.push_back({text.key, module});
        }
    }
    world.organization.push_back({kMainOrganization});
    add_brand(world, kMainOrganization);
    for (const auto &text : roles()) {
        add_role(world, text.permissions);
    }
    return world;
}

const Keys &example_roles() {
    static const Keys names = [] {
        Keys all;
        for (const auto &text : roles()) {
            all.emplace_back(text.name);
        }
        return all;
    }();
    return names;
}

naive::Id role_id(const std::string &name) {
    const auto &names = example_roles();
    return 1 + std::distance(names.begin(), std::find(names.begin(), names.end(), name));
}

naive::Asker add_user(naive::World &world) {
    const auto user = static_cast<naive::Id>(world.app_user.size()) + 1;
    world.app_user.push_back({user, true});
    naive::Asker asker;
    asker.user_id = user;
    return asker;
}

naive::Asker add_member(naive::World &world, const std::string &role) {
    const naive::Asker asker = add_user(world);
    world.membership.push_back(
        {*asker.user_id, kMainOrganization, std::nullopt, role_id(role), false});
    return asker;
}

naive::Asker add_owner(naive::World &world, naive::Id organization) {
    const naive::Asker asker = add_user(world);
    world.membership.push_back({*asker.user_id, organization, std::nullopt, std::nullopt, true});
    return asker;
}

naive::Asker add_holder(naive::World &world, const Keys &permissions, naive::Id organization) {
    const naive::Asker asker = add_user(world);
    world.membership.push_back({*asker.user_id, organization, std::nullopt,
                                add_role(world, permissions, organization), false});
    return asker;
}

naive::Id add_role(naive::World &world, const Keys &permissions, naive::Id organization) {
    const auto role = static_cast<naive::Id>(world.role.size()) + 1;
    world.role.push_back({role, organization, true});
    for (const auto &key : permissions) {
        world.role_permission.push_back({role, key});
    }
    return role;
}

naive::Id add_brand(naive::World &world, std::optional<naive::Id> organization) {
    const auto brand = static_cast<naive::Id>(world.brand.size()) + 1;
    world.brand.push_back({brand, organization, std::nullopt});
    for (const auto &module : world.module) {
        world.brand_module.push_back({brand, module, true});
    }
    return brand;
}

naive::Asker add_brand_member(naive::World &world, naive::Id brand) {
    const naive::Asker asker = add_user(world);
    world.membership.push_back({*asker.user_id, std::nullopt, brand, std::nullopt, false});
    return asker;
}

void set_module(naive::World &world, naive::Id brand, const std::string &module, bool is_enabled) {
    for (auto &row : world.brand_module) {
        if (row.brand_id == brand && row.module_key == module) {
            row.is_enabled = is_enabled;
        }
    }
}

void set_permission(naive::World &world, const std::string &permission, bool is_active) {
    for (auto &row : world.permission) {
        if (row.permission_key == permission) {
            row.is_active = is_active;
        }
    }
}

void deny_by_plan(naive::World &world, naive::Id brand, const std::string &permission) {
    world.plan_denial.push_back({"limited", permission});
    for (auto &row : world.brand) {
        if (row.brand_id == brand) {
            row.plan_key = "limited";
        }
    }
}
