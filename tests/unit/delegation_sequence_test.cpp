// Claim: whatever people do who may administer anything, one step after the other, nobody ever
// lists a right that he had not from the beginning and that nobody who held it gave him; and no
// organization with an active owner is left without one (R59 to R61). Core and the naive model
// refuse the same steps. ENTITLE_SEQUENCES=<n> makes so many sequences (2000 otherwise),
// ENTITLE_SEED=<n> starts from another one; a failure prints the seed that repeats it.
#include <cstdlib>
#include <iostream>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "delegation_facts.hpp"

namespace {

using namespace entitle;

constexpr int kSteps = 12;
constexpr naive::Id kNewRole = 500;

std::uint64_t number(const char *name, std::uint64_t otherwise) {
    const char *text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// A permission or metric that some role of a user lists in a brand, whether it counts today or not.
using Listed = std::set<std::tuple<naive::Id, naive::Id, std::string>>;

Listed all_listed(const naive::World &world) {
    Listed listed;
    const naive::Delegation model(world);
    for (const auto &row : world.membership) {
        for (const auto &brand : world.brand) {
            const bool reaches =
                (row.organization_id && !row.brand_id &&
                 row.organization_id == brand.organization_id) ||
                (row.brand_id && !row.organization_id && row.brand_id == brand.brand_id);
            if (!reaches || !brand.organization_id) {
                continue;
            }
            if (row.is_owner) {
                listed.insert({row.user_id, brand.brand_id, "owner"});
            }
            for (const auto &role : world.role) {
                if (row.role_id == role.role_id && role.organization_id == *brand.organization_id) {
                    const naive::RoleText text = model.role_text(role.role_id);
                    for (const auto &key : text.permissions) {
                        listed.insert({row.user_id, brand.brand_id, key});
                    }
                    for (const auto &key : text.metrics) {
                        listed.insert({row.user_id, brand.brand_id, "metric " + key});
                    }
                }
            }
        }
    }
    return listed;
}

std::set<naive::Id> owned_organizations(const naive::World &world) {
    std::set<naive::Id> owned;
    for (const auto &row : world.membership) {
        for (const auto &user : world.app_user) {
            if (row.is_owner && row.organization_id && !row.brand_id &&
                user.user_id == row.user_id && user.is_active) {
                owned.insert(*row.organization_id);
            }
        }
    }
    return owned;
}

// What the writer holds, as whoever gives it must.
bool holds(const naive::World &world, naive::Id writer, naive::Id brand, const std::string &key) {
    if (key == "owner") {
        naive::Id organization = 0;
        for (const auto &row : world.brand) {
            organization = row.brand_id == brand ? row.organization_id.value_or(0) : organization;
        }
        return std::any_of(world.membership.begin(), world.membership.end(), [&](const auto &row) {
            return row.user_id == writer && row.is_owner && row.organization_id == organization;
        });
    }
    const Facts facts(world, naive::Asker{writer, {}, {}, 0});
    naive::RoleText text{kNewRole, 0, {}, {}};
    if (key.rfind("metric ", 0) == 0) {
        text.metrics.push_back(key.substr(7));
    } else {
        text.permissions.push_back(key);
    }
    const Role role = core_role(facts, text);
    for (const auto &row : world.brand) {
        if (row.brand_id == brand && !row.is_active) {
            // Nobody is in it, and who manages its organization gives rights for when it is back.
            return check_handing_on(facts.subject(), role, {row.organization_id, std::nullopt})
                .allowed;
        }
    }
    return check_handing_on(facts.subject(), role, {std::nullopt, brand}).allowed;
}

template <typename Rows, typename Is> void erase_where(Rows &rows, Is &&is) {
    rows.erase(std::remove_if(rows.begin(), rows.end(), is), rows.end());
}

// One world and one writer at a time. Each step asks core and the naive model, and is done when
// they allow it.
class Story {
  public:
    Story(Dice &dice, naive::World world) : dice_(dice), world_(std::move(world)) {}

    // Returns: whether the step was done.
    bool take(naive::Id writer, int kind) {
        const naive::Delegation model(world_);
        const Facts facts(world_, naive::Asker{writer, {}, {}, 0});
        switch (kind) {
        case 0:
        case 1:
        case 2:
            return write_role(writer, model, facts);
        case 3:
        case 4:
        case 5:
        case 6:
            return write_member(writer, model, facts);
        default:
            return switch_user(writer, model, facts);
        }
    }

    // What a superuser may do meanwhile: nobody is given anything by it.
    void interfere() {
        auto &permission = world_.permission[static_cast<std::size_t>(
            dice_.below(static_cast<int>(world_.permission.size())))];
        switch (dice_.below(6)) {
        case 4:
            if (!world_.brand.empty()) {
                auto &brand = world_.brand[static_cast<std::size_t>(
                    dice_.below(static_cast<int>(world_.brand.size())))];
                brand.is_active = !brand.is_active;
            }
            break;
        case 5: {
            auto &organization = world_.organization[dice_.chance(50) ? 0 : 1];
            organization.is_active = !organization.is_active;
            break;
        }
        case 0:
            permission.is_active = !permission.is_active;
            break;
        case 1:
            world_.permission_prerequisite.push_back(
                {permission.permission_key, dice_.pick(world_.permission).permission_key});
            break;
        case 2:
            world_.plan_denial.push_back({"basic", permission.permission_key});
            break;
        default:
            world_.permission_module.push_back({permission.permission_key, "customers"});
            break;
        }
    }

    const naive::World &world() const noexcept { return world_; }

  private:
    bool write_role(naive::Id writer, const naive::Delegation &model, const Facts &facts) {
        const bool is_new = dice_.chance(25);
        naive::RoleText stored =
            is_new ? naive::RoleText{kNewRole + ++made_, dice_.chance(50) ? 1 : 2, {}, {}}
                   : model.role_text(dice_.pick(world_.role).role_id);
        naive::RoleText changed = stored;
        const bool goes = !is_new && dice_.chance(10);
        if (dice_.chance(60)) {
            changed.permissions.push_back(dice_.pick(world_.permission).permission_key);
        } else if (dice_.chance(50) && !changed.permissions.empty()) {
            changed.permissions.pop_back();
        } else if (!world_.metric.empty()) {
            changed.metrics.push_back(dice_.chance(10) ? "*"
                                                       : dice_.pick(world_.metric).metric_key);
        }
        const bool is_held =
            std::any_of(world_.membership.begin(), world_.membership.end(),
                        [&](const auto &row) { return row.role_id == stored.role_id; });
        if (!is_held && dice_.chance(10)) {
            changed.organization_id = dice_.chance(50) ? 1 : 2;
        }
        const Role before = core_role(facts, stored);
        const Role after = core_role(facts, changed);
        const bool expected =
            model.may_write_role(writer, is_new ? nullptr : &stored, goes ? nullptr : &changed);
        EXPECT_EQ(
            check_role_write(facts.subject(), is_new ? nullptr : &before, goes ? nullptr : &after)
                .ok(),
            expected);
        if (!expected || (goes && is_held)) {
            return false;
        }
        const auto is_it = [&](const auto &row) {
            return row.role_id == stored.role_id;
        };
        const auto at = std::find_if(world_.role.begin(), world_.role.end(), is_it);
        const bool is_active = at == world_.role.end() || (at->is_active != dice_.chance(10));
        erase_where(world_.role, is_it);
        erase_where(world_.role_permission, is_it);
        erase_where(world_.role_metric, is_it);
        if (!goes) {
            world_.role.push_back({changed.role_id, changed.organization_id, is_active});
            for (const auto &key : changed.permissions) {
                world_.role_permission.push_back({changed.role_id, key});
            }
            for (const auto &key : changed.metrics) {
                world_.role_metric.push_back({changed.role_id, key});
            }
        }
        return true;
    }

    bool write_member(naive::Id writer, const naive::Delegation &model, const Facts &facts) {
        const int kind = world_.membership.empty() ? 0 : dice_.below(3);
        naive::Membership stored{0, {}, {}, {}, false};
        std::size_t place = 0;
        if (kind != 0) {
            place =
                static_cast<std::size_t>(dice_.below(static_cast<int>(world_.membership.size())));
            stored = world_.membership[place];
        }
        naive::Membership changed = stored;
        if (kind != 2) {
            if (kind == 0 || dice_.chance(30)) {
                changed = {dice_.pick(world_.app_user).user_id, {}, {}, {}, dice_.chance(15)};
                if (changed.is_owner || dice_.chance(60)) {
                    changed.organization_id = dice_.chance(50) ? 1 : 2;
                } else {
                    changed.brand_id = dice_.pick(asked_brands());
                }
            }
            changed.role_id = std::nullopt;
            if (dice_.chance(85)) {
                changed.role_id = dice_.pick(world_.role).role_id;
            }
        }
        if ((kind != 0 && !is_well_formed(stored)) || (kind != 2 && !is_well_formed(changed))) {
            return false;
        }
        Role old_role;
        Role new_role;
        const MemberRow before = core_member(facts, world_, model, stored, old_role);
        const MemberRow after = core_member(facts, world_, model, changed, new_role);
        const bool expected = model.may_write_member(writer, kind == 0 ? nullptr : &stored,
                                                     kind == 2 ? nullptr : &changed);
        EXPECT_EQ(check_member_write(facts.subject(), kind == 0 ? nullptr : &before,
                                     kind == 2 ? nullptr : &after)
                      .ok(),
                  expected);
        return expected && keeps_owners([&] {
                   if (kind == 0) {
                       world_.membership.push_back(changed);
                   } else if (kind == 1) {
                       world_.membership[place] = changed;
                   } else {
                       world_.membership.erase(world_.membership.begin() +
                                               static_cast<std::ptrdiff_t>(place));
                   }
               });
    }

    bool switch_user(naive::Id writer, const naive::Delegation &model, const Facts &facts) {
        const naive::Id user = dice_.pick(world_.app_user).user_id;
        HeldPlaces places;
        std::vector<Role> kept(world_.membership.size());
        for (std::size_t i = 0; i < world_.membership.size(); ++i) {
            const auto &row = world_.membership[i];
            if (row.user_id == user) {
                if (!is_well_formed(row)) {
                    return false;
                }
                places.memberships.push_back(core_member(facts, world_, model, row, kept[i]));
            }
        }
        const bool expected = model.may_switch_user(writer, user, 0);
        EXPECT_EQ(check_switched_user(facts.subject(), places).ok(), expected);
        return expected && keeps_owners([&] {
                   for (auto &row : world_.app_user) {
                       row.is_active = row.user_id == user ? !row.is_active : row.is_active;
                   }
               });
    }

    // Does it, unless check_owner_left refuses it then.
    template <typename Change> bool keeps_owners(Change &&change) {
        const naive::World was = world_;
        const auto owned = owned_organizations(world_);
        change();
        const auto left = owned_organizations(world_);
        for (const naive::Id organization : owned) {
            if (!check_owner_left(left.count(organization) != 0).ok()) {
                world_ = was;
                return false;
            }
        }
        return true;
    }

    Dice &dice_;
    naive::World world_;
    naive::Id made_ = 0;
};

TEST(DelegationSequence, GivesNobodyWhatNobodyHeld) {
    const std::uint64_t first = number("ENTITLE_SEED", 20261130);
    const std::uint64_t sequences = number("ENTITLE_SEQUENCES", 2000);
    long steps = 0;
    long done = 0;
    long given = 0;
    for (std::uint64_t seed = first; seed < first + sequences; ++seed) {
        SCOPED_TRACE("ENTITLE_SEED=" + std::to_string(seed));
        Dice dice(seed);
        naive::World begun = delegating_world(dice);
        begun.external_access.clear();
        Story story(dice, std::move(begun));
        Listed listed = all_listed(story.world());
        auto owned = owned_organizations(story.world());
        const int count = 1 + dice.below(kSteps);
        for (int step = 0; step < count; ++step) {
            if (dice.chance(10)) {
                story.interfere();
                continue;
            }
            const naive::Id writer = dice.pick(story.world().app_user).user_id;
            const naive::World was = story.world();
            ++steps;
            const bool is_done = story.take(writer, dice.below(8));
            ASSERT_FALSE(::testing::Test::HasFailure());
            if (!is_done) {
                continue;
            }
            ++done;
            const Listed now = all_listed(story.world());
            for (const auto &[user, brand, key] : now) {
                if (listed.count({user, brand, key}) == 0) {
                    ++given;
                    ASSERT_TRUE(user != writer || holds(was, writer, brand, "owner"))
                        << writer << " gave himself " << key << " in " << brand;
                    ASSERT_TRUE(holds(was, writer, brand, key))
                        << writer << " gave " << user << " " << key << " in " << brand;
                }
            }
            listed = now;
            for (const naive::Id organization : owned) {
                ASSERT_EQ(owned_organizations(story.world()).count(organization), 1U);
            }
            owned = owned_organizations(story.world());
        }
    }
    std::cout << sequences << " sequences, " << steps << " steps, " << done << " done, " << given
              << " rights given\n";
    EXPECT_GT(done * 20, steps);
    EXPECT_GT(given, static_cast<long>(sequences / 10));
}

} // namespace
