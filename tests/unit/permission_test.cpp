// Claim: a permission is held when every gate of R2 is passed, in that order, and never otherwise.
#include <gtest/gtest.h>

#include "facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

using Keys = std::vector<std::string>;
using Ids = std::vector<naive::Id>;

std::string_view ask(const naive::World &world, const naive::Asker &asker, std::string_view key,
                     Facts::MaybeId brand = {}) {
    return outcome(Facts(world, asker).permission(key, brand));
}

// R1
TEST(Permission, DeniesNobodyStrangersAndTheSwitchedOff) {
    naive::World world = shipped_catalogue();
    naive::Asker asker = add_owner(world);
    EXPECT_EQ(ask(world, asker, "customers.view"), "allowed");
    EXPECT_EQ(ask(world, naive::Asker{}, "customers.view"), "identity");
    naive::Asker stranger;
    stranger.user_id = 4711;
    EXPECT_EQ(ask(world, stranger, "customers.view"), "identity");
    world.app_user.front().is_active = false;
    EXPECT_EQ(ask(world, asker, "customers.view"), "identity");
    EXPECT_TRUE(Facts(world, asker).permitted_brands("customers.view").empty());
    EXPECT_TRUE(Facts(world, asker).pages("reports").empty());
}

// R2: every gate is closed at once, then opened one by one; the reason moves along in order
TEST(Permission, TellsTheFirstGateThatFails) {
    naive::World world = shipped_catalogue();
    const naive::Asker asker = add_user(world);
    world.app_user.front().is_active = false;
    set_module(world, kMainBrand, "customers", false);
    deny_by_plan(world, kMainBrand, "customers.edit");
    const auto now = [&] {
        return ask(world, asker, "customers.edit", kMainBrand);
    };

    EXPECT_EQ(now(), "identity");
    world.app_user.front().is_active = true;
    EXPECT_EQ(now(), "membership");
    const naive::Id role = add_role(world, {});
    world.membership.push_back({*asker.user_id, kMainOrganization, std::nullopt, role, false});
    EXPECT_EQ(now(), "module");
    set_module(world, kMainBrand, "customers", true);
    EXPECT_EQ(now(), "plan");
    world.plan_denial.clear();
    EXPECT_EQ(now(), "permission");
    world.role_permission.push_back({role, "customers.edit"});
    EXPECT_EQ(now(), "prerequisite");
    world.role_permission.push_back({role, "customers.view"});
    EXPECT_EQ(now(), "allowed");
}

// R4: owners too
TEST(Permission, DeniesUnknownKeys) {
    naive::World world = shipped_catalogue();
    const naive::Id alone = add_brand(world, std::nullopt);
    for (const naive::Asker &asker : {add_owner(world), add_brand_member(world, alone)}) {
        for (const char *key : {"", "*", "customers", "customers.", "customers.*", "customers.vie",
                                "customers.views", "Customers.view", "customers.view ", "%"}) {
            EXPECT_EQ(ask(world, asker, key), "permission") << key;
            EXPECT_TRUE(Facts(world, asker).permitted_brands(key).empty()) << key;
        }
    }
}

// R20
TEST(Permission, TakesTheUnionOfActiveRoles) {
    naive::World world = shipped_catalogue();
    const naive::Asker asker = add_holder(world, {"customers.view"});
    const naive::Id second = add_role(world, {"customers.edit", "files.view"});
    world.membership.push_back({*asker.user_id, std::nullopt, kMainBrand, second, false});
    EXPECT_EQ(ask(world, asker, "customers.view"), "allowed");
    EXPECT_EQ(ask(world, asker, "customers.edit"), "allowed");
    EXPECT_EQ(ask(world, asker, "customers.client_metrics"), "permission");

    world.role.back().is_active = false;
    EXPECT_EQ(ask(world, asker, "customers.view"), "allowed");
    EXPECT_EQ(ask(world, asker, "customers.edit"), "permission");
    EXPECT_EQ(ask(world, asker, "files.view"), "permission");
}

// R20: owners and members of standalone brands too
TEST(Permission, DeniesEveryoneWhenSwitchedOff) {
    naive::World world = shipped_catalogue();
    const naive::Id alone = add_brand(world, std::nullopt);
    set_permission(world, "conversions.view", false);
    EXPECT_EQ(ask(world, add_owner(world), "conversions.view"), "permission");
    EXPECT_EQ(ask(world, add_member(world, "operations user"), "conversions.view"), "permission");
    EXPECT_EQ(ask(world, add_brand_member(world, alone), "conversions.view"), "permission");
    EXPECT_EQ(ask(world, add_member(world, "operations user"), "conversions.update"), "allowed");
}

// R22
TEST(Permission, EndsWhereTheMembershipEnds) {
    naive::World world = shipped_catalogue();
    world.organization.push_back({2});
    const naive::Id second = add_brand(world, kMainOrganization);
    const naive::Id foreign = add_brand(world, 2);
    const naive::Id alone = add_brand(world, std::nullopt);

    const naive::Asker everywhere = add_member(world, "read-only");
    EXPECT_EQ(Facts(world, everywhere).permitted_brands("customers.view"),
              (Ids{kMainBrand, second}));
    EXPECT_EQ(ask(world, everywhere, "customers.view", foreign), "membership");
    EXPECT_EQ(ask(world, everywhere, "customers.view", alone), "membership");
    EXPECT_EQ(ask(world, everywhere, "customers.view", 4711), "membership");

    const naive::Asker one_brand = add_user(world);
    world.membership.push_back(
        {*one_brand.user_id, std::nullopt, second, role_id("read-only"), false});
    EXPECT_EQ(Facts(world, one_brand).permitted_brands("customers.view"), Ids{second});
    EXPECT_EQ(ask(world, one_brand, "customers.view", kMainBrand), "membership");
}

// R22: a brand among the facts is no membership, not even where members are not restricted
TEST(Permission, NeedsAMembershipThatReachesTheBrand) {
    naive::World world = shipped_catalogue();
    const naive::Id alone = add_brand(world, std::nullopt);
    const Facts facts(world, add_brand_member(world, alone));
    entitle::Subject subject = *facts.subject();
    const auto asked = [&] {
        return outcome(
            entitle::check_permission(&subject, facts.session(), "customers.view", alone));
    };
    EXPECT_EQ(asked(), "allowed");
    EXPECT_FALSE(entitle::is_member(subject, 4711));
    subject.memberships.clear();
    EXPECT_EQ(asked(), "membership");
    // Nor does a membership of nothing, or of an organization, reach a brand that stands alone.
    subject.memberships.push_back({std::nullopt, std::nullopt, std::nullopt, true});
    subject.memberships.push_back({kMainOrganization, std::nullopt, std::nullopt, true});
    EXPECT_EQ(asked(), "membership");
    EXPECT_FALSE(entitle::is_member(subject, alone));
}

// R22: a role belongs to one organization, whatever a membership of another one says
TEST(Permission, IgnoresRolesOfForeignOrganizations) {
    naive::World world = shipped_catalogue();
    world.organization.push_back({2});
    const naive::Id foreign_brand = add_brand(world, 2);
    const naive::Asker asker = add_user(world);
    const naive::Id role = role_id("read-only");
    world.membership.push_back({*asker.user_id, 2, std::nullopt, role, false});
    EXPECT_EQ(ask(world, asker, "customers.view", foreign_brand), "permission");
    world.membership.back() = {*asker.user_id, std::nullopt, foreign_brand, role, false};
    EXPECT_EQ(ask(world, asker, "customers.view", foreign_brand), "permission");
    world.membership.back().role_id = 4711;
    EXPECT_EQ(ask(world, asker, "customers.view", foreign_brand), "permission");
}

// R22: never both, and ownership only of an organization; such rows grant nothing if they ever got
// in
TEST(Permission, GetsNothingFromImpossibleMemberships) {
    naive::World world = shipped_catalogue();
    world.organization.push_back({2});
    const naive::Id foreign = add_brand(world, 2);
    const naive::Asker both = add_user(world);
    world.membership.push_back({*both.user_id, kMainOrganization, foreign, std::nullopt, true});
    world.membership.push_back({*both.user_id, 2, std::nullopt, std::nullopt, false});
    EXPECT_EQ(ask(world, both, "customers.view", kMainBrand), "membership");
    EXPECT_EQ(ask(world, both, "customers.view", foreign), "permission");

    const naive::Asker brand_owner = add_user(world);
    world.membership.push_back(
        {*brand_owner.user_id, std::nullopt, kMainBrand, std::nullopt, true});
    EXPECT_EQ(ask(world, brand_owner, "customers.view"), "permission");
}

// R23: every module, for owners too
// S89
TEST(Permission, NeedsEveryModule) {
    naive::World world = shipped_catalogue();
    world.permission_module.push_back({"files.view", "products"});
    const naive::Asker owner = add_owner(world);
    EXPECT_EQ(ask(world, owner, "files.view"), "allowed");
    for (const char *module : {"pages", "products"}) {
        set_module(world, kMainBrand, module, false);
        EXPECT_EQ(ask(world, owner, "files.view"), "module") << module;
        set_module(world, kMainBrand, module, true);
    }
    world.permission_module.push_back({"files.view", "no.such"});
    EXPECT_EQ(ask(world, owner, "files.view"), "module");
    // With no module the gate is passed, whatever the brand lacks.
    world.brand_module.clear();
    EXPECT_EQ(ask(world, owner, "billing.cards.view"), "allowed");
    EXPECT_EQ(ask(world, owner, "customers.view"), "module");
}

// R24
TEST(Permission, OwnersHoldAllOfTheirOrganizationOnly) {
    naive::World world = shipped_catalogue();
    world.organization.push_back({2});
    const naive::Id second = add_brand(world, kMainOrganization);
    const naive::Id foreign = add_brand(world, 2);
    const naive::Asker owner = add_owner(world);
    for (const auto &permission : world.permission) {
        EXPECT_EQ(Facts(world, owner).permitted_brands(permission.permission_key),
                  (Ids{kMainBrand, second}))
            << permission.permission_key;
    }
    // A plain member elsewhere stays one there.
    world.membership.push_back({*owner.user_id, 2, std::nullopt, std::nullopt, false});
    EXPECT_EQ(ask(world, owner, "customers.view", foreign), "permission");
}

// R24, R25, R26: nobody escapes modules and the plan
TEST(Permission, ModulesAndPlanBindOwnersAndStandaloneMembers) {
    naive::World world = shipped_catalogue();
    const naive::Id alone = add_brand(world, std::nullopt);
    for (naive::Id brand : {kMainBrand, alone}) {
        set_module(world, brand, "products", false);
        deny_by_plan(world, brand, "conversions.create");
    }
    for (const naive::Asker &asker : {add_owner(world), add_brand_member(world, alone)}) {
        EXPECT_EQ(ask(world, asker, "products.view"), "module");
        EXPECT_EQ(ask(world, asker, "conversions.create"), "plan");
        EXPECT_EQ(ask(world, asker, "conversions.view"), "allowed");
    }
}

// R25
TEST(Permission, StandaloneMembersAreNotRestricted) {
    naive::World world = shipped_catalogue();
    const naive::Id alone = add_brand(world, std::nullopt);
    const naive::Asker member = add_brand_member(world, alone);
    for (const auto &permission : world.permission) {
        EXPECT_EQ(ask(world, member, permission.permission_key), "allowed");
        EXPECT_EQ(ask(world, member, permission.permission_key, kMainBrand), "membership");
    }
}

// R26
TEST(Permission, PlanDeniesWhatARoleGrants) {
    naive::World world = shipped_catalogue();
    const naive::Asker asker = add_holder(world, {"pages.create", "pages.view"});
    EXPECT_EQ(ask(world, asker, "pages.create"), "allowed");
    deny_by_plan(world, kMainBrand, "pages.create");
    EXPECT_EQ(ask(world, asker, "pages.create"), "plan");
    EXPECT_EQ(ask(world, asker, "pages.view"), "allowed");
    // Another plan's denials are not this brand's.
    world.brand.front().plan_key = "generous";
    EXPECT_EQ(ask(world, asker, "pages.create"), "allowed");
}

// R27
TEST(Permission, NoVerbImpliesAnother) {
    naive::World world = shipped_catalogue();
    const Keys verbs = {"conversions.view", "conversions.create", "conversions.update",
                        "conversions.delete", "conversions.export"};
    for (const auto &held : verbs) {
        const naive::Asker asker = add_holder(world, {held});
        for (const auto &asked : verbs) {
            EXPECT_EQ(ask(world, asker, asked), held == asked ? "allowed" : "permission")
                << asked << " by " << held;
        }
    }
    EXPECT_EQ(ask(world, add_holder(world, {"customers.export"}), "customers.view"), "permission");
}

// R52
TEST(Permission, JudgesInTheChosenElseTheOnlyBrand) {
    naive::World world = shipped_catalogue();
    naive::Asker asker = add_member(world, "read-only");
    EXPECT_EQ(ask(world, asker, "customers.view"), "allowed");

    const naive::Id second = add_brand(world, kMainOrganization);
    set_module(world, second, "customers", false);
    EXPECT_EQ(ask(world, asker, "customers.view"), "membership");
    const Facts undecided(world, asker);
    EXPECT_FALSE(undecided.permission("customers.view"));
    EXPECT_NE(undecided.trace().back().detail.find("several brands"), std::string::npos);

    asker.chosen_brand = kMainBrand;
    EXPECT_EQ(ask(world, asker, "customers.view"), "allowed");
    asker.chosen_brand = second;
    EXPECT_EQ(ask(world, asker, "customers.view"), "module");
    // A named brand is judged in itself, and a choice that is no longer a membership denies.
    EXPECT_EQ(ask(world, asker, "customers.view", kMainBrand), "allowed");
    asker.chosen_brand = add_brand(world, std::nullopt);
    EXPECT_EQ(ask(world, asker, "customers.view"), "membership");
    EXPECT_EQ(Facts(world, asker).permitted_brands("customers.view"), Ids{kMainBrand});
}

// R3, R22: the words for a foreign brand and for none at all are the same
TEST(Permission, TellsNoForeignBrandFromNone) {
    naive::World world = shipped_catalogue();
    const naive::Id foreign = add_brand(world, std::nullopt);
    const Facts facts(world, add_member(world, "read-only"));
    EXPECT_FALSE(facts.permission("customers.view", foreign));
    std::string hidden = facts.trace().back().detail;
    EXPECT_FALSE(facts.permission("customers.view", 7));
    std::string absent = facts.trace().back().detail;
    hidden.replace(hidden.find(std::to_string(foreign)), 1, "N");
    absent.replace(absent.find('7'), 1, "N");
    EXPECT_EQ(hidden, absent);
}

// R64: a membership in what is switched off gives nothing, an owner's neither, and is told of
TEST(Permission, CountsNoPlaceThatIsSwitchedOff) {
    naive::World world = shipped_catalogue();
    const naive::Id standalone = add_brand(world, std::nullopt);
    const auto owner = add_member(world, "read-only");
    world.membership.back().is_owner = true;
    world.membership.push_back({*owner.user_id, std::nullopt, standalone, std::nullopt, false});
    EXPECT_TRUE(Facts(world, owner).permission("customers.view", kMainBrand));
    EXPECT_TRUE(Facts(world, owner).permission("customers.view", standalone));
    world.organization.front().is_active = false;
    const Facts closed(world, owner);
    EXPECT_FALSE(closed.permission("customers.view", kMainBrand));
    EXPECT_NE(closed.trace().back().detail.find(", or that is switched off"), std::string::npos);
    EXPECT_TRUE(closed.permission("customers.view", standalone));
    world.organization.front().is_active = true;
    for (auto &brand : world.brand) {
        brand.is_active = brand.brand_id == kMainBrand;
    }
    EXPECT_TRUE(Facts(world, owner).permission("customers.view", kMainBrand));
    EXPECT_FALSE(Facts(world, owner).permission("customers.view", standalone));
    for (auto &brand : world.brand) {
        brand.is_active = false;
    }
    const Facts nowhere(world, owner);
    EXPECT_FALSE(nowhere.permission("customers.view"));
    EXPECT_EQ(nowhere.trace().back().detail, "the user's brands are switched off");
}

// R48: facts that were never filled allow nothing
TEST(Permission, DeniesFactsWithoutACatalogue) {
    entitle::Subject subject;
    subject.is_active = true;
    subject.brands.push_back(entitle::Brand{});
    subject.memberships.push_back({std::nullopt, entitle::BrandId{0}, std::nullopt, false});
    const entitle::Session session;
    EXPECT_FALSE(entitle::check_permission(&subject, session, "customers.view", 0));
    EXPECT_FALSE(entitle::check_capability(&subject, session, "reports", 0));
    EXPECT_FALSE(entitle::check_metric(&subject, session, "revenue", 0));
    EXPECT_TRUE(entitle::permitted_brands(&subject, session, "customers.view").empty());
    EXPECT_TRUE(entitle::visible_metrics(&subject, session, 0).empty());
    EXPECT_TRUE(entitle::allowed_capabilities(&subject, session, "reports", 0).empty());
}

} // namespace
