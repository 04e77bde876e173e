// Claim: metric grants and permissions are two lists, and a metric is seen by membership, modules
// and grant.
#include <gtest/gtest.h>

#include <algorithm>

#include "facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

using Keys = std::vector<std::string>;

naive::Asker add_reader(naive::World &world, const Keys &metrics) {
    const naive::Asker asker = add_holder(world, {});
    for (const auto &key : metrics) {
        world.role_metric.push_back({world.role.back().role_id, key});
    }
    return asker;
}

Keys all_metrics(const naive::World &world) {
    Keys keys;
    for (const auto &metric : world.metric) {
        keys.push_back(metric.metric_key);
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

// R30: listed keys only those; no grant, none
TEST(Metric, IsSeenByTheListAlone) {
    naive::World world = shipped_catalogue();
    const Facts some(world, add_reader(world, {"roas", "revenue"}));
    EXPECT_EQ(some.visible_metrics(), (Keys{"revenue", "roas"}));
    EXPECT_EQ(outcome(some.metric("sales")), "metric");
    EXPECT_TRUE(Facts(world, add_reader(world, {})).visible_metrics().empty());
}

// R30: separate both ways
TEST(Metric, IsNoPermissionNorTheOtherWay) {
    naive::World world = shipped_catalogue();
    const Facts reader(world, add_reader(world, {"*"}));
    EXPECT_EQ(outcome(reader.permission("conversions.view")), "permission");
    const Facts holder(world, add_holder(world, {"conversions.view", "reports.view"}));
    EXPECT_EQ(outcome(holder.metric("revenue")), "metric");
    // Nor does a permission list that names the metric, or the star.
    const Facts confused(world, add_holder(world, {"revenue", "*"}));
    EXPECT_EQ(outcome(confused.metric("revenue")), "metric");
    EXPECT_EQ(outcome(confused.permission("reports.view")), "permission");
}

// R30: later ones too
TEST(Metric, StarSeesAllIncludingLaterOnes) {
    naive::World world = shipped_catalogue();
    const naive::Asker asker = add_reader(world, {"*"});
    EXPECT_EQ(Facts(world, asker).visible_metrics(), all_metrics(world));
    world.metric.push_back({"added_later"});
    EXPECT_TRUE(Facts(world, asker).metric("added_later"));
}

// R31: the star does not open a module
TEST(Metric, StarStillNeedsModules) {
    naive::World world = shipped_catalogue();
    const naive::Asker asker = add_reader(world, {"*"});
    set_module(world, kMainBrand, "tracking", false);
    EXPECT_EQ(outcome(Facts(world, asker).metric("conversion_rate")), "module");
    EXPECT_EQ(outcome(Facts(world, asker).metric("revenue")), "allowed");
    EXPECT_EQ(Facts(world, asker).visible_metrics(),
              (Keys{"ad_spend", "aov", "cogs", "net_revenue", "refund_total", "revenue", "roas",
                    "sales"}));
}

// R4: only the exact "*" is a wildcard, and it is a grant, not a metric
TEST(Metric, KnowsNoOtherWildcard) {
    naive::World world = shipped_catalogue();
    const Facts odd(world, add_reader(world, {"rev*", "**", " *", "%", "", "REVENUE"}));
    EXPECT_TRUE(odd.visible_metrics().empty());
    const Facts star(world, add_reader(world, {"*"}));
    for (const char *key : {"*", "", "no.such", "Revenue", "revenue "}) {
        EXPECT_EQ(outcome(star.metric(key)), "metric") << key;
    }
}

// R20
TEST(Metric, TakesTheUnionOfActiveRoles) {
    naive::World world = shipped_catalogue();
    const naive::Asker asker = add_reader(world, {"sales"});
    const naive::Id second = add_role(world, {});
    world.role_metric.push_back({second, "*"});
    world.membership.push_back({*asker.user_id, std::nullopt, kMainBrand, second, false});
    EXPECT_EQ(Facts(world, asker).visible_metrics(), all_metrics(world));
    world.role.back().is_active = false;
    EXPECT_EQ(Facts(world, asker).visible_metrics(), Keys{"sales"});
}

// R22
TEST(Metric, IgnoresRolesOfForeignOrganizations) {
    naive::World world = shipped_catalogue();
    world.organization.push_back({2});
    const naive::Id foreign = add_brand(world, 2);
    const naive::Asker asker = add_reader(world, {"*"});
    world.membership.push_back({*asker.user_id, 2, std::nullopt, world.role.back().role_id, false});
    EXPECT_TRUE(Facts(world, asker).visible_metrics(foreign).empty());
    EXPECT_EQ(outcome(Facts(world, asker).metric("sales", foreign)), "metric");
}

// R24, R25
TEST(Metric, OwnersAndStandaloneMembersSeeEveryMetricAtHome) {
    naive::World world = shipped_catalogue();
    const naive::Id alone = add_brand(world, std::nullopt);
    const Facts owner(world, add_owner(world));
    const Facts member(world, add_brand_member(world, alone));
    EXPECT_EQ(owner.visible_metrics(kMainBrand), all_metrics(world));
    EXPECT_TRUE(owner.visible_metrics(alone).empty());
    EXPECT_EQ(member.visible_metrics(alone), all_metrics(world));
    EXPECT_TRUE(member.visible_metrics(kMainBrand).empty());
    EXPECT_EQ(outcome(owner.metric("no.such")), "metric");
}

// R1, R52
TEST(Metric, NeedsIdentityAndABrand) {
    naive::World world = shipped_catalogue();
    naive::Asker asker = add_reader(world, {"*"});
    add_brand(world, kMainOrganization);
    EXPECT_EQ(outcome(Facts(world, asker).metric("sales")), "membership");
    EXPECT_TRUE(Facts(world, asker).visible_metrics().empty());
    asker.chosen_brand = kMainBrand;
    EXPECT_TRUE(Facts(world, asker).metric("sales"));
    EXPECT_EQ(outcome(Facts(world, naive::Asker{}).metric("sales", kMainBrand)), "identity");
    EXPECT_TRUE(Facts(world, naive::Asker{}).visible_metrics(kMainBrand).empty());
}

} // namespace
