// Claim: whoever manages roles, members or users hands on nothing that he does not hold (R58 to
// R61), and core and a naive second reading agree about who may write what in random worlds.
#include <cstdlib>
#include <iostream>

#include <gtest/gtest.h>

#include "core/delegation.hpp"
#include "delegation_facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

using namespace entitle;

constexpr UserId kWriter = 501;
constexpr UserId kMember = 502;
constexpr OrganizationId kHome = 1;
constexpr RoleId kClerk = 801;
constexpr RoleId kOther = 802;

template <typename Value> bool is_denied(const Result<Value> &result) {
    return !result.ok() && result.error().code == ErrorCode::denied && !result.error().hint.empty();
}

// The shipped world with a writer who holds the permissions by a membership of the organization.
naive::World clerk_world(const std::vector<std::string> &permissions) {
    naive::World world = shipped_catalogue();
    world.app_user.push_back({kWriter, true});
    world.app_user.push_back({kMember, true});
    world.role.push_back({kClerk, kHome, true});
    for (const std::string &key : permissions) {
        world.role_permission.push_back({kClerk, key});
    }
    world.membership.push_back({kWriter, kHome, std::nullopt, kClerk, false});
    return world;
}

Facts facts_of(const naive::World &world, naive::Id user = kWriter) {
    return Facts(world, naive::Asker{user, {}, {}, 0});
}

Result<Passed> new_role(const naive::World &world, const std::vector<std::string> &permissions,
                        const std::vector<std::string> &metrics = {}) {
    const Facts facts = facts_of(world);
    const Role role = core_role(facts, {kOther, kHome, permissions, metrics});
    return check_role_write(facts.subject(), nullptr, &role);
}

// R58, R59
TEST(RoleWrite, GivesWhatTheWriterHolds) {
    const auto world = clerk_world({"roles.manage", "customers.view", "customers.edit"});
    EXPECT_TRUE(new_role(world, {}).ok());
    EXPECT_TRUE(new_role(world, {"customers.view", "customers.edit"}).ok());
    EXPECT_TRUE(is_denied(new_role(world, {"customers.export"})));
    EXPECT_TRUE(is_denied(new_role(world, {}, {"revenue"})));
    EXPECT_TRUE(is_denied(new_role(world, {}, {"*"})));
    EXPECT_TRUE(is_denied(new_role(clerk_world({"customers.view"}), {"customers.view"})));
}

// Two halves: whoever lists a permission without its prerequisite does not hold it (R5, R59).
TEST(RoleWrite, GivesNoHalfOfAPermission) {
    EXPECT_TRUE(
        is_denied(new_role(clerk_world({"roles.manage", "customers.edit"}), {"customers.edit"})));
}

// R20, R23, R26, R59: what is switched off today may be on tomorrow, for the writer as well.
TEST(RoleWrite, LeavesModulesPlansAndSwitchesAside) {
    auto world = clerk_world({"roles.manage", "customers.view"});
    for (auto &module : world.brand_module) {
        module.is_enabled = false;
    }
    for (auto &permission : world.permission) {
        permission.is_active = permission.permission_key == "roles.manage";
    }
    EXPECT_TRUE(new_role(world, {"customers.view"}).ok());
    EXPECT_TRUE(is_denied(new_role(world, {"customers.export"})));
    for (auto &permission : world.permission) {
        permission.is_active = permission.permission_key != "roles.manage";
    }
    EXPECT_TRUE(is_denied(new_role(world, {})));
}

TEST(RoleWrite, TouchesNoRoleThatGrantsMoreNorOnesOwn) {
    const auto world = clerk_world({"roles.manage", "customers.view"});
    const Facts facts = facts_of(world);
    const Role more = core_role(facts, {kOther, kHome, {"customers.export"}, {}});
    const Role less = core_role(facts, {kOther, kHome, {}, {}});
    const Role own = core_role(facts, {kClerk, kHome, {}, {}});
    const Role foreign = core_role(facts, {kOther, kHome + 1, {}, {}});
    EXPECT_TRUE(is_denied(check_role_write(facts.subject(), &more, &less)));
    EXPECT_TRUE(is_denied(check_role_write(facts.subject(), &less, &more)));
    EXPECT_TRUE(is_denied(check_role_write(facts.subject(), &more, nullptr)));
    EXPECT_TRUE(is_denied(check_role_write(facts.subject(), &own, &own)));
    EXPECT_TRUE(is_denied(check_role_write(facts.subject(), &less, &foreign)));
    EXPECT_TRUE(is_denied(check_role_write(facts.subject(), &foreign, &less)));
    EXPECT_TRUE(is_denied(check_role_write(nullptr, nullptr, &less)));
    EXPECT_TRUE(check_role_write(facts.subject(), &less, &less).ok());
}

// R24, R59: owners touch the roles they hold, and any other of their organization.
TEST(RoleWrite, IsFreeForOwners) {
    auto world = clerk_world({});
    world.membership.back().is_owner = true;
    const Facts facts = facts_of(world);
    const Role own = core_role(facts, {kClerk, kHome, {"customers.export"}, {"*"}});
    EXPECT_TRUE(check_role_write(facts.subject(), &own, &own).ok());
    const Role foreign = core_role(facts, {kOther, kHome + 1, {}, {}});
    EXPECT_TRUE(is_denied(check_role_write(facts.subject(), &foreign, &foreign)));
}

// A membership of one brand covers no organization.
TEST(RoleWrite, TakesAMembershipOfTheOrganization) {
    auto world = clerk_world({"roles.manage"});
    world.membership.back().organization_id.reset();
    world.membership.back().brand_id = kMainBrand;
    EXPECT_TRUE(is_denied(new_role(world, {})));
    const Facts facts = facts_of(world);
    const Role blank = core_role(facts, {kOther, kHome, {}, {}});
    EXPECT_FALSE(check_handing_on(facts.subject(), blank, {kHome, std::nullopt}));
    EXPECT_TRUE(check_handing_on(facts.subject(), blank, {std::nullopt, kMainBrand}));
}

// R60
TEST(MemberWrite, NeedsTheRankOfOwnersForOwners) {
    auto world = clerk_world({"members.manage"});
    const Facts clerk = facts_of(world);
    const MemberRow plain{kMember, {kHome, std::nullopt, std::nullopt, false}, nullptr, {}};
    const MemberRow owner{kMember, {kHome, std::nullopt, std::nullopt, true}, nullptr, {}};
    EXPECT_TRUE(check_member_write(clerk.subject(), nullptr, &plain).ok());
    EXPECT_TRUE(check_member_write(clerk.subject(), &plain, nullptr).ok());
    EXPECT_TRUE(is_denied(check_member_write(clerk.subject(), nullptr, &owner)));
    EXPECT_TRUE(is_denied(check_member_write(clerk.subject(), &owner, nullptr)));
    EXPECT_TRUE(is_denied(check_member_write(clerk.subject(), &owner, &plain)));
    world.membership.back().is_owner = true;
    const Facts ruler = facts_of(world);
    EXPECT_TRUE(check_member_write(ruler.subject(), nullptr, &owner).ok());
    EXPECT_TRUE(check_member_write(ruler.subject(), &owner, &plain).ok());
    EXPECT_TRUE(is_denied(check_owner_left(false)));
    EXPECT_TRUE(check_owner_left(true).ok());
}

TEST(MemberWrite, IsNobodysForHimself) {
    auto world = clerk_world({"members.manage"});
    world.membership.back().is_owner = true;
    const Facts facts = facts_of(world);
    const MemberRow own{kWriter, {kHome, std::nullopt, std::nullopt, false}, nullptr, {}};
    const MemberRow other{kMember, {kHome, std::nullopt, std::nullopt, false}, nullptr, {}};
    EXPECT_TRUE(is_denied(check_member_write(facts.subject(), nullptr, &own)));
    EXPECT_TRUE(is_denied(check_member_write(facts.subject(), &own, &own)));
    EXPECT_TRUE(is_denied(check_member_write(facts.subject(), &other, &own)));
    EXPECT_TRUE(is_denied(check_member_write(facts.subject(), &own, &other)));
    EXPECT_TRUE(check_member_write(facts.subject(), &own, nullptr).ok()) << "leaving";
    // Nobody has user number 0, and is nobody's self.
    const MemberRow nobody{0, {kHome, std::nullopt, std::nullopt, false}, nullptr, {}};
    EXPECT_TRUE(is_denied(check_member_write(nullptr, &nobody, nullptr)));
}

// S434: nobody but an owner holds whatever a role grants when its row comes back.
TEST(MemberWrite, NeedsAnOwnerForARoleWhoseRowIsGone) {
    auto world = clerk_world({"members.manage", "roles.manage"});
    const Facts clerk = facts_of(world);
    Role role = core_role(clerk, {kOther, kHome, {}, {}});
    const MemberRow plain{kMember, {kHome, std::nullopt, kOther, false}, &role, {}};
    EXPECT_TRUE(check_member_write(clerk.subject(), nullptr, &plain).ok());
    role.is_gone = true;
    EXPECT_TRUE(is_denied(check_member_write(clerk.subject(), nullptr, &plain)));
    EXPECT_TRUE(is_denied(check_member_write(clerk.subject(), &plain, nullptr)));
    EXPECT_TRUE(is_denied(check_role_write(clerk.subject(), &role, &role)));
    EXPECT_FALSE(check_handing_on(clerk.subject(), role, {std::nullopt, kMainBrand}));
    world.membership.back().is_owner = true;
    const Facts ruler = facts_of(world);
    EXPECT_TRUE(check_member_write(ruler.subject(), nullptr, &plain).ok());
    EXPECT_TRUE(check_role_write(ruler.subject(), &role, &role).ok());
}

// S441: what is held in each brand that is there is not held in one that is switched off.
TEST(MemberWrite, CountsBrandsThatAreSwitchedOff) {
    auto world = clerk_world({"members.manage", "roles.manage"});
    world.role.push_back({kOther, kHome, true});
    world.role_permission.push_back({kOther, "customers.view"});
    world.membership.push_back({kWriter, std::nullopt, kMainBrand, kOther, false});
    Facts facts = facts_of(world);
    const Role role = core_role(facts, {kOther + 1, kHome, {"customers.view"}, {}});
    const Place whole{kHome, std::nullopt};
    EXPECT_TRUE(check_handing_on(facts.subject(), role, whole));
    world.brand.push_back({kMainBrand + 1, kHome, std::nullopt, false});
    const Facts closed = facts_of(world);
    EXPECT_FALSE(check_handing_on(closed.subject(), role, whole));
    EXPECT_TRUE(check_handing_on(closed.subject(), role, {std::nullopt, kMainBrand}));
}

// R61
TEST(Invitation, EndsAfterItsLastDay) {
    EXPECT_TRUE(check_invitation_open(10, Session{{}, {}, 10}).ok());
    EXPECT_TRUE(is_denied(check_invitation_open(10, Session{{}, {}, 11})));
}

// Random worlds from here.

std::uint64_t first_seed() {
    const char *text = std::getenv("ENTITLE_SEED");
    return text == nullptr ? 20261129 : std::strtoull(text, nullptr, 10);
}

naive::RoleText random_text(Dice &dice, const naive::World &world, const naive::RoleText &from) {
    naive::RoleText text = from;
    const auto keep = [&](auto &keys) {
        keys.erase(
            std::remove_if(keys.begin(), keys.end(), [&](const auto &) { return dice.chance(70); }),
            keys.end());
    };
    keep(text.permissions);
    keep(text.metrics);
    if (dice.chance(30)) {
        text.permissions.push_back(dice.pick(world.permission).permission_key);
    }
    if (dice.chance(10) && !world.metric.empty()) {
        text.metrics.push_back(dice.pick(world.metric).metric_key);
    }
    if (dice.chance(5)) {
        text.metrics.push_back("*");
    }
    if (dice.chance(10)) {
        text.organization_id = dice.chance(50) ? 1 : 2;
    }
    return text;
}

struct Tally {
    long asked = 0;
    long allowed = 0;
    void add(bool is_allowed) {
        ++asked;
        allowed += is_allowed ? 1 : 0;
    }
    void expect_mixed(const char *what) const {
        EXPECT_GT(allowed * 20, asked) << what << ": " << allowed << " of " << asked;
        EXPECT_LT(allowed * 20, asked * 19) << what << ": " << allowed << " of " << asked;
    }
};

TEST(RandomDelegation, IsReadTheSameTwice) {
    Tally roles;
    Tally members;
    Tally users;
    Tally switches;
    for (std::uint64_t seed = first_seed(); seed < first_seed() + 400; ++seed) {
        SCOPED_TRACE("ENTITLE_SEED=" + std::to_string(seed));
        Dice dice(seed);
        const naive::World world = delegating_world(dice);
        const naive::Delegation model(world);
        for (const auto &writer : world.app_user) {
            const Facts facts = facts_of(world, writer.user_id);
            for (int i = 0; i < 30; ++i) {
                const naive::RoleText stored = model.role_text(dice.pick(world.role).role_id);
                const naive::RoleText changed = random_text(dice, world, stored);
                const Role before = core_role(facts, stored);
                const Role after = core_role(facts, changed);
                const int kind = dice.below(3);
                const bool expected = model.may_write_role(
                    writer.user_id, kind == 0 ? nullptr : &stored, kind == 1 ? nullptr : &changed);
                roles.add(expected);
                ASSERT_EQ(check_role_write(facts.subject(), kind == 0 ? nullptr : &before,
                                           kind == 1 ? nullptr : &after)
                              .ok(),
                          expected)
                    << "role " << stored.role_id << " by " << writer.user_id;
            }
            for (int i = 0; i < 30 && world.membership.size() > 1; ++i) {
                naive::Membership stored = dice.pick(world.membership);
                naive::Membership changed = dice.pick(world.membership);
                if (dice.chance(50)) {
                    changed = stored;
                    changed.role_id = dice.pick(world.role).role_id;
                }
                if (!is_well_formed(stored) || !is_well_formed(changed)) {
                    continue;
                }
                Role old_role;
                Role new_role_kept;
                const MemberRow before = core_member(facts, world, model, stored, old_role);
                const MemberRow after = core_member(facts, world, model, changed, new_role_kept);
                const int kind = dice.below(3);
                const bool expected = model.may_write_member(
                    writer.user_id, kind == 0 ? nullptr : &stored, kind == 1 ? nullptr : &changed);
                members.add(expected);
                ASSERT_EQ(check_member_write(facts.subject(), kind == 0 ? nullptr : &before,
                                             kind == 1 ? nullptr : &after)
                              .ok(),
                          expected)
                    << "a membership of " << stored.user_id << " by " << writer.user_id;
            }
            bool administers = false;
            for (const auto &customer : world.customer) {
                administers = administers || facts.level(customer.customer_id) >= kAdminLevel;
            }
            const bool may_add = model.may_add_user(writer.user_id, 0);
            users.add(may_add);
            ASSERT_EQ(check_new_user(facts.subject(), administers).ok(), may_add);
            for (const auto &user : world.app_user) {
                HeldPlaces places;
                std::vector<Role> kept(world.membership.size());
                bool is_odd = false;
                for (std::size_t i = 0; i < world.membership.size(); ++i) {
                    const auto &row = world.membership[i];
                    if (row.user_id == user.user_id) {
                        is_odd = is_odd || !is_well_formed(row);
                        places.memberships.push_back(
                            core_member(facts, world, model, row, kept[i]));
                    }
                }
                for (const auto &row : world.external_access) {
                    // Few users have all of their customers managed by one.
                    if (row.user_id == user.user_id) {
                        const Grant grant{row.customer_id, 0, 0, 0,
                                          static_cast<std::int16_t>(row.level)};
                        std::optional<BrandId> brand;
                        for (const auto &customer : world.customer) {
                            if (customer.customer_id == row.customer_id) {
                                brand = customer.brand_id;
                            }
                        }
                        places.grants.push_back(
                            {find_grant_writer(facts.subject(), facts.session(), row.customer_id,
                                               brand, facts.grant(row.customer_id)),
                             {row.user_id, grant}});
                    }
                }
                if (!is_odd) {
                    const bool expected = model.may_switch_user(writer.user_id, user.user_id, 0);
                    switches.add(expected);
                    ASSERT_EQ(check_switched_user(facts.subject(), places).ok(), expected)
                        << "user " << user.user_id << " by " << writer.user_id;
                }
            }
        }
    }
    roles.expect_mixed("roles");
    members.expect_mixed("members");
    users.expect_mixed("users");
    EXPECT_GT(switches.allowed, 20) << "of " << switches.asked;
    std::cout << roles.asked << " roles, " << members.asked << " members, " << switches.asked
              << " switches\n";
}

// A trace tells why, and ends where the decision fell.
TEST(Delegation, IsTold) {
    const auto world = clerk_world({"roles.manage", "customers.view"});
    const Facts facts = facts_of(world);
    Trace trace;
    EXPECT_TRUE(check_in_organization(facts.subject(), kManageRoles, kHome, &trace));
    EXPECT_TRUE(trace.back().passed);
    const Role more = core_role(facts, {kOther, kHome, {"customers.export"}, {}});
    trace.clear();
    EXPECT_FALSE(check_handing_on(facts.subject(), more, {kHome, std::nullopt}, &trace));
    EXPECT_EQ(trace.back().gate, Gate::delegation);
    EXPECT_EQ(trace.back().detail,
              "role \"role\" grants \"customers.export\", which the user does not hold there");
    trace.clear();
    EXPECT_FALSE(check_in_organization(facts.subject(), kManageMembers, kHome, &trace));
    EXPECT_EQ(trace.back().gate, Gate::permission);
    trace.clear();
    EXPECT_FALSE(check_in_organization(nullptr, kManageRoles, kHome, &trace));
    EXPECT_EQ(trace.back().gate, Gate::identity);
}

} // namespace
