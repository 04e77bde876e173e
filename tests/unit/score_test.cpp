// Claim: metric values of a customer are written by those R12 to R14 name, by its status and in its
// brand.
#include <gtest/gtest.h>

#include "core/score.hpp"
#include "facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

constexpr naive::Id kNew = 101;
constexpr naive::Id kActive = 102;
constexpr naive::Id kInactive = 103;

naive::World world_with_customers() {
    naive::World world = shipped_catalogue();
    world.customer = {
        {kNew, kMainBrand, "PAIN"}, {kActive, kMainBrand, "ACTV"}, {kInactive, kMainBrand, "INAC"}};
    return world;
}

struct Expected {
    const char *role;
    bool active;
    bool fresh;
};

// R12, R13, R14
TEST(CanScore, FollowsTheStatus) {
    naive::World world = world_with_customers();
    for (const Expected &row :
         {Expected{"read-only", false, false}, Expected{"customers-only viewer", false, false},
          Expected{"sales", true, false}, Expected{"sales manager", true, true},
          Expected{"operations user", false, false}}) {
        const Facts facts(world, add_member(world, row.role));
        EXPECT_EQ(facts.can_score(kActive).allowed, row.active) << row.role;
        EXPECT_EQ(facts.can_score(kNew).allowed, row.fresh) << row.role;
        EXPECT_FALSE(facts.can_score(kInactive)) << row.role;
    }
}

// R14: owners and members of standalone brands too
TEST(CanScore, RefusesInactiveCustomersForEveryone) {
    naive::World world = world_with_customers();
    const naive::Id alone = add_brand(world, std::nullopt);
    world.customer.push_back({104, alone, "INAC"});
    world.customer.push_back({105, alone, "PAIN"});
    const Facts owner(world, add_owner(world));
    EXPECT_TRUE(owner.can_score(kActive));
    EXPECT_TRUE(owner.can_score(kNew));
    EXPECT_EQ(outcome(owner.can_score(kInactive)), "status");
    const Facts member(world, add_brand_member(world, alone));
    EXPECT_EQ(outcome(member.can_score(104)), "status");
    EXPECT_TRUE(member.can_score(105));
}

// R12: view is needed even where the prerequisites table was emptied
TEST(CanScore, NeedsViewWhateverThePrerequisitesSay) {
    naive::World world = world_with_customers();
    world.permission_prerequisite.clear();
    const Facts facts(world, add_holder(world, {"customers.edit", "customers.client_metrics"}));
    EXPECT_TRUE(facts.permission("customers.edit"));
    EXPECT_EQ(outcome(facts.can_score(kActive)), "permission");
    EXPECT_EQ(outcome(facts.can_score(kNew)), "permission");
}

// R12: in the customer's brand, whatever brand is chosen
TEST(CanScore, JudgesInTheCustomersBrand) {
    naive::World world = world_with_customers();
    const naive::Id second = add_brand(world, kMainOrganization);
    world.customer.push_back({104, second, "ACTV"});
    naive::Asker asker = add_user(world);
    world.membership.push_back({*asker.user_id, std::nullopt, second, role_id("sales"), false});
    asker.chosen_brand = second;
    EXPECT_TRUE(Facts(world, asker).can_score(104));
    EXPECT_EQ(outcome(Facts(world, asker).can_score(kActive)), "membership");
    EXPECT_EQ(outcome(Facts(world, asker).can_score(4711)), "membership");
}

// External access opens no metric values, L90 included (R35).
TEST(CanScore, IsNotOpenedByExternalAccess) {
    naive::World world = world_with_customers();
    const naive::Asker guest = add_user(world);
    world.external_access.push_back(
        {kActive, *guest.user_id, 90, std::nullopt, std::nullopt, std::nullopt});
    EXPECT_EQ(outcome(Facts(world, guest).can_score(kActive)), "membership");
}

// R4, R33: statuses match byte for byte
TEST(CanScore, RefusesUnknownStatuses) {
    naive::World world = world_with_customers();
    const naive::Asker owner = add_owner(world);
    for (const char *status : {"", "actv", "ACTV ", "ACT", "PAINT", "*"}) {
        world.customer.front().status = status;
        EXPECT_EQ(outcome(Facts(world, owner).can_score(kNew)), "status") << status;
    }
}

// R3: who may not view the customer is not told its status
TEST(CanScore, TellsNoStatusToThoseWhoDoNotView) {
    naive::World world = world_with_customers();
    for (const naive::Asker &asker :
         {add_user(world), add_member(world, "operations user"), naive::Asker{}}) {
        const Facts facts(world, asker);
        const auto inactive = outcome(facts.can_score(kInactive));
        const std::size_t steps = facts.trace().size();
        const std::string told = facts.trace().back().detail;
        for (naive::Id customer : {kNew, kActive}) {
            EXPECT_EQ(outcome(facts.can_score(customer)), inactive);
            EXPECT_EQ(facts.trace().size(), steps);
            EXPECT_EQ(facts.trace().back().detail, told);
        }
        for (const auto &step : facts.trace()) {
            EXPECT_NE(step.gate, entitle::Gate::status);
        }
    }
}

// R15, R57: in a brand of the catalogue's organization, and with both permissions
TEST(MetricCatalogue, BelongsToOneOrganization) {
    naive::World world = world_with_customers();
    const naive::Id other = 2;
    world.organization.push_back({other});
    add_brand(world, other);
    const naive::Id alone = add_brand(world, std::nullopt);
    const auto sees = [&](const naive::Asker &asker) {
        const Facts facts(world, asker);
        std::string catalogues;
        for (const std::optional<naive::Id> organization :
             {std::optional<naive::Id>(kMainOrganization), std::optional<naive::Id>(other),
              std::optional<naive::Id>()}) {
            const bool reads =
                entitle::sees_metric_catalogue(facts.subject(), facts.session(), organization);
            const bool writes =
                entitle::check_metric_catalogue(facts.subject(), facts.session(), organization)
                    .ok();
            catalogues += reads ? writes ? "w" : "r" : writes ? "!" : "-";
        }
        return catalogues;
    };
    EXPECT_EQ(sees(add_member(world, "sales manager")), "w--");
    EXPECT_EQ(sees(add_member(world, "sales")), "---");
    EXPECT_EQ(sees(add_owner(world)), "w--");
    EXPECT_EQ(sees(add_owner(world, other)), "-w-");
    EXPECT_EQ(sees(add_brand_member(world, alone)), "--r");
    EXPECT_EQ(sees(add_user(world)), "---");
    EXPECT_EQ(sees(naive::Asker{}), "---");
    world.permission_prerequisite.clear();
    EXPECT_EQ(sees(add_holder(world, {"customers.client_metrics"})), "---");
}

} // namespace
