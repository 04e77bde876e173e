// Claim: a permission is held only with all its prerequisites, each through every gate, however
// they are linked.
#include <gtest/gtest.h>

#include "facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

std::string_view ask(const naive::World &world, const naive::Asker &asker, std::string_view key) {
    return outcome(Facts(world, asker).permission(key));
}

// R5, S87
TEST(Prerequisite, IsNeeded) {
    naive::World world = shipped_catalogue();
    for (const char *key : {"customers.edit", "customers.client_metrics", "customers.export",
                            "external_access.manage"}) {
        EXPECT_EQ(ask(world, add_holder(world, {key}), key), "prerequisite") << key;
        EXPECT_EQ(ask(world, add_holder(world, {key, "customers.view"}), key), "allowed") << key;
    }
}

// R5: held through every gate, by owners too
TEST(Prerequisite, IsHeldThroughEveryGate) {
    const naive::World shipped = shipped_catalogue();
    const auto refuses = [](naive::World world, std::string_view what) {
        for (const naive::Asker &asker :
             {add_owner(world), add_holder(world, {"affiliates.view", "customers.view"})}) {
            EXPECT_EQ(ask(world, asker, "affiliates.view"), "prerequisite") << what;
        }
    };
    naive::World world = shipped;
    world.permission_prerequisite.push_back({"affiliates.view", "customers.view"});
    EXPECT_EQ(ask(world, add_owner(world), "affiliates.view"), "allowed");

    naive::World no_module = world;
    set_module(no_module, kMainBrand, "customers", false);
    refuses(no_module, "module");
    naive::World by_plan = world;
    deny_by_plan(by_plan, kMainBrand, "customers.view");
    refuses(by_plan, "plan");
    naive::World switched_off = world;
    set_permission(switched_off, "customers.view", false);
    refuses(switched_off, "switched off");
    naive::World unknown = shipped;
    unknown.permission_prerequisite.push_back({"affiliates.view", "no.such"});
    refuses(unknown, "unknown");
}

// R5: transitive
TEST(Prerequisite, IsFollowedToTheEnd) {
    naive::World world = shipped_catalogue();
    world.permission_prerequisite.push_back({"affiliates.view", "customers.export"});
    EXPECT_EQ(
        ask(world, add_holder(world, {"affiliates.view", "customers.export"}), "affiliates.view"),
        "prerequisite");
    EXPECT_EQ(ask(world,
                  add_holder(world, {"affiliates.view", "customers.export", "customers.view"}),
                  "affiliates.view"),
              "allowed");
}

// R5: cycle-free; a cycle that got in all the same denies everything on it
TEST(Prerequisite, DeniesInACycle) {
    naive::World world = shipped_catalogue();
    world.permission_prerequisite.push_back({"customers.view", "customers.edit"});
    world.permission_prerequisite.push_back({"files.view", "files.view"});
    const naive::Asker owner = add_owner(world);
    for (const char *key : {"customers.view", "customers.edit", "customers.export", "files.view"}) {
        EXPECT_EQ(ask(world, owner, key), "prerequisite") << key;
    }
    EXPECT_EQ(ask(world, owner, "pages.view"), "allowed");
}

// R5: prerequisites that meet again are asked once, not once for every way to them
TEST(Prerequisite, IsAskedOnceWhenShared) {
    constexpr int kLayers = 16;
    naive::World world;
    world.organization.push_back({kMainOrganization});
    add_brand(world, kMainOrganization);
    const auto key = [](int layer, int side) {
        return "p" + std::to_string(layer) + "." + std::to_string(side);
    };
    for (int layer = 0; layer < kLayers; ++layer) {
        for (int side : {0, 1}) {
            world.permission.push_back({key(layer, side), true});
            for (int below = 0; layer > 0 && below < 2; ++below) {
                world.permission_prerequisite.push_back({key(layer, side), key(layer - 1, below)});
            }
        }
    }
    const Facts owner(world, add_owner(world));
    EXPECT_TRUE(owner.permission(key(kLayers - 1, 0)));
    EXPECT_LT(owner.trace().size(), 10U * world.permission.size());
}

// R5: however long the chain, it is walked to the end; data alone must not exhaust a server process
TEST(Prerequisite, IsWalkedHoweverLongTheChain) {
    constexpr int kLength = 30000;
    naive::World world;
    world.organization.push_back({kMainOrganization});
    add_brand(world, kMainOrganization);
    const naive::Asker asker = add_owner(world);
    const auto key = [](int link) {
        return "p" + std::to_string(link);
    };
    for (int link = 0; link < kLength; ++link) {
        world.permission.push_back({key(link), true});
        if (link > 0) {
            world.permission_prerequisite.push_back({key(link), key(link - 1)});
        }
    }
    EXPECT_EQ(ask(world, asker, key(kLength - 1)), "allowed");
    world.permission.front().is_active = false;
    EXPECT_EQ(ask(world, asker, key(kLength - 1)), "prerequisite");
    world.permission.front().is_active = true;
    world.permission_prerequisite.push_back({key(0), key(kLength - 1)});
    EXPECT_EQ(ask(world, asker, key(kLength - 1)), "prerequisite");
}

} // namespace
