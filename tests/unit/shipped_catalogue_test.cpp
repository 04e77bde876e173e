// Claim: with the shipped catalogue, each example role opens exactly the capabilities the rules
// say, sections list and land as they say, and metrics need the modules they say.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

using Keys = std::vector<std::string>;
using KeySet = std::set<std::string>;

KeySet opened(const naive::World &world, const naive::Asker &asker) {
    const Facts facts(world, asker);
    KeySet keys;
    for (const auto &capability : world.capability) {
        if (facts.capability(capability.capability_key)) {
            keys.insert(capability.capability_key);
        }
    }
    return keys;
}

struct RoleOpens {
    const char *role;
    KeySet capabilities;
};

// R32, R28: worked out by hand, role by role.
const std::vector<RoleOpens> &role_table() {
    static const std::vector<RoleOpens> all = {
        {"conversions-only viewer", {"conversions_list", "fulfillment_list", "reports"}},
        {"customers-only viewer", {"customers_report", "customers_screen", "reports"}},
        {"reports reader",
         {"conversions_list", "customers_report", "tracking_report", "utm_report", "custom_reports",
          "reports", "tracking_reports", "fulfillment_list", "customers_screen"}},
        {"operations user",
         {"conversions_list", "fulfillment_list", "reports", "conversion_operations"}},
        {"sales",
         {"customers_report", "customers_screen", "reports", "customer_edit", "customer_metrics"}},
        {"sales manager",
         {"customers_report", "customers_screen", "reports", "customer_edit", "customer_metrics",
          "client_metrics_catalogue"}},
        {"read-only", {"customers_report", "customers_screen", "reports"}},
    };
    return all;
}

// R32
TEST(ShippedCatalogue, RolesOpenTheirCapabilitiesAndNoOther) {
    ASSERT_EQ(role_table().size(), example_roles().size());
    naive::World world = shipped_catalogue();
    for (const auto &row : role_table()) {
        EXPECT_EQ(opened(world, add_member(world, row.role)), row.capabilities) << row.role;
    }
}

// R24, R28
TEST(ShippedCatalogue, OwnersOpenAll) {
    naive::World world = shipped_catalogue();
    const naive::Asker owner = add_owner(world);
    EXPECT_EQ(opened(world, owner).size(), world.capability.size());
    EXPECT_EQ(world.capability.size(), 29U);
}

// R22
TEST(ShippedCatalogue, StrangersOpenNothing) {
    naive::World world = shipped_catalogue();
    EXPECT_TRUE(opened(world, add_user(world)).empty());
    EXPECT_TRUE(opened(world, naive::Asker{}).empty());
}

struct Opening {
    const char *capability;
    std::vector<Keys> enough; // each list alone opens it
    std::vector<Keys> short_of_it;
};

// R28, and R27 where a related verb must not do
const std::vector<Opening> &openings() {
    static const std::vector<Opening> all = {
        {"conversions_list",
         {{"conversions.view"}},
         {{"conversions.update"}, {"conversions.export"}}},
        {"fulfillment_list", {{"conversions.view"}}, {{"conversions.update"}}},
        {"conversion_operations", {{"conversions.update"}}, {{"conversions.view"}}},
        {"manual_order",
         {{"conversions.create", "customers.view"}},
         {{"conversions.create"}, {"customers.view"}, {"conversions.view", "customers.view"}}},
        {"customers_report", {{"customers.view"}}, {{"customers.export"}, {"customers.edit"}}},
        {"customers_screen", {{"customers.view"}}, {{"customers.edit"}}},
        {"customers_export",
         {{"customers.export", "customers.view"}},
         {{"customers.export"}, {"customers.view"}}},
        {"customer_edit", {{"customers.edit", "customers.view"}}, {{"customers.edit"}}},
        {"client_metrics_catalogue",
         {{"customers.client_metrics", "customers.view"}},
         {{"customers.client_metrics"}, {"customers.view", "customers.edit"}}},
        {"external_access",
         {{"external_access.manage", "customers.view"}},
         {{"external_access.manage"}, {"customers.view"}}},
        {"integrations", {{"integrations.view"}}, {{"merchants.view"}}},
        {"merchants", {{"merchants.view"}}, {{"integrations.view"}}},
        {"products", {{"products.view"}}, {{"pages.view"}}},
        {"pages", {{"pages.view"}}, {{"pages.create", "pages.update"}, {"files.view"}}},
        {"page_tools",
         {{"pagecomponents.view"},
          {"collections.view"},
          {"trackingscripts.view"},
          {"backendscripts.view"},
          {"files.view"}},
         {{"pages.view", "pages.create", "pages.update"}}},
        {"files", {{"files.view"}}, {{"collections.view"}}},
        {"custom_reports", {{"reports.view"}}, {{"analytics.view"}}},
        {"tracking_reports",
         {{"tracking.view"}, {"reporting.utm_performance.view"}},
         {{"reports.view"}, {"trackingscripts.view"}}},
        {"tracking_report", {{"tracking.view"}}, {{"reporting.utm_performance.view"}}},
        {"utm_report", {{"reporting.utm_performance.view"}}, {{"tracking.view"}}},
        {"billing", {{"billing.invoices.view"}, {"billing.cards.view"}}, {{"reports.view"}}},
        {"billing_invoices", {{"billing.invoices.view"}}, {{"billing.cards.view"}}},
        {"billing_cards", {{"billing.cards.view"}}, {{"billing.invoices.view"}}},
        {"reports",
         {{"conversions.view"},
          {"customers.view"},
          {"tracking.view"},
          {"reporting.utm_performance.view"},
          {"reports.view"}},
         {{"analytics.view"}, {"conversions.update"}}},
    };
    return all;
}

// R28, R27
TEST(ShippedCatalogue, CapabilitiesOpenByAnyOfTheirAlternatives) {
    naive::World world = shipped_catalogue();
    for (const auto &row : openings()) {
        for (const auto &permissions : row.enough) {
            EXPECT_TRUE(Facts(world, add_holder(world, permissions)).capability(row.capability))
                << row.capability << " by " << permissions.front();
        }
        for (const auto &permissions : row.short_of_it) {
            EXPECT_FALSE(Facts(world, add_holder(world, permissions)).capability(row.capability))
                << row.capability << " by " << permissions.front();
        }
    }
}

// R29
TEST(ShippedCatalogue, SectionsListAllowedPagesInOrder) {
    naive::World world = shipped_catalogue();
    const Facts owner(world, add_owner(world));
    EXPECT_EQ(owner.pages("reports"), (Keys{"conversions_list", "customers_report",
                                            "tracking_report", "utm_report", "custom_reports"}));
    EXPECT_EQ(owner.pages("page_tools"), (Keys{"page_components", "collections", "tracking_scripts",
                                               "backend_scripts", "files"}));
    EXPECT_EQ(owner.pages("billing"), (Keys{"billing_invoices", "billing_cards"}));

    const Facts some(world, add_holder(world, {"reports.view", "files.view", "tracking.view",
                                               "collections.view", "billing.cards.view"}));
    EXPECT_EQ(some.pages("reports"), (Keys{"tracking_report", "custom_reports"}));
    EXPECT_EQ(some.pages("page_tools"), (Keys{"collections", "files"}));
    EXPECT_EQ(some.pages("billing"), Keys{"billing_cards"});
}

// R29: a section none of whose pages is allowed does not show; R4: nor does one that is not known
TEST(ShippedCatalogue, EmptySectionsDoNotShow) {
    naive::World world = shipped_catalogue();
    const Facts viewer(world, add_member(world, "customers-only viewer"));
    EXPECT_TRUE(viewer.pages("page_tools").empty());
    EXPECT_FALSE(viewer.capability("page_tools"));
    const Facts owner(world, add_owner(world));
    EXPECT_TRUE(owner.pages("").empty());
    EXPECT_TRUE(owner.pages("Reports").empty());
    EXPECT_TRUE(owner.pages("report").empty());
}

// R29: pages at one position come in key order, so that the landing page is the same every time
TEST(ShippedCatalogue, EqualPositionsFallBackToKeyOrder) {
    naive::World world = shipped_catalogue();
    world.capability.push_back({"a_report", "reports", 2});
    world.capability_permission.push_back({"a_report", 1, "customers.view"});
    const Facts viewer(world, add_member(world, "customers-only viewer"));
    EXPECT_EQ(viewer.pages("reports"), (Keys{"a_report", "customers_report"}));
}

// R31: for owners too (R24)
TEST(ShippedCatalogue, MetricsNeedEveryModuleTheyMapTo) {
    const naive::World shipped = shipped_catalogue();
    for (const auto &module : shipped.module) {
        naive::World world = shipped;
        set_module(world, kMainBrand, module, false);
        const naive::Asker owner = add_owner(world);
        for (const naive::Metric &metric : shipped.metric) {
            const auto needs_it = [&](const naive::MetricModule &row) {
                return row.metric_key == metric.metric_key && row.module_key == module;
            };
            const bool needs =
                std::any_of(shipped.metric_module.begin(), shipped.metric_module.end(), needs_it);
            EXPECT_EQ(outcome(Facts(world, owner).metric(metric.metric_key)),
                      needs ? "module" : "allowed")
                << metric.metric_key << " without " << module;
        }
    }
}

// R30, R32: the example roles see no metric until one is granted
TEST(ShippedCatalogue, ExampleRolesSeeNoMetric) {
    naive::World world = shipped_catalogue();
    for (const auto &role : example_roles()) {
        EXPECT_TRUE(Facts(world, add_member(world, role)).visible_metrics().empty()) << role;
    }
}

} // namespace
