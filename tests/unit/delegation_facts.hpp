// Rows of a world as the core's facts for what is written of roles and memberships.
#pragma once

#include <algorithm>

#include "core/delegation.hpp"
#include "facts.hpp"
#include "naive_delegation.hpp"
#include "random_world.hpp"

namespace entitle {

// The role as core has it.
inline Role core_role(const Facts &facts, const naive::RoleText &text) {
    Role role{text.role_id, text.organization_id, "role", true, false, {}, {}};
    for (const std::string &key : text.permissions) {
        role.permissions.push_back(*facts.subject()->catalogue->find_permission(key));
    }
    for (const std::string &key : text.metrics) {
        if (key == "*") {
            role.all_metrics = true;
        } else {
            role.metrics.push_back(*facts.subject()->catalogue->find_metric(key));
        }
    }
    std::sort(role.permissions.begin(), role.permissions.end());
    std::sort(role.metrics.begin(), role.metrics.end());
    return role;
}

inline MemberRow core_member(const Facts &facts, const naive::World &world,
                             const naive::Delegation &model, const naive::Membership &row,
                             Role &role) {
    MemberRow member{
        row.user_id, {row.organization_id, row.brand_id, row.role_id, row.is_owner}, nullptr, {}};
    for (const auto &brand : world.brand) {
        if (row.brand_id == brand.brand_id) {
            member.home = brand.organization_id;
        }
    }
    for (const auto &known : world.role) {
        if (row.role_id == known.role_id) {
            role = core_role(facts, model.role_text(known.role_id));
            member.role = &role;
        }
    }
    return member;
}

inline bool is_well_formed(const naive::Membership &row) {
    return row.organization_id.has_value() != row.brand_id.has_value() &&
           (!row.is_owner || row.organization_id);
}

// Puts the permissions of this section into a random world, and makes roles small enough to be
// compared.
inline naive::World delegating_world(Dice &dice) {
    naive::World world = random_world(dice);
    for (const char *key : {"roles.manage", "members.manage"}) {
        world.permission.push_back({key, dice.chance(93)});
        if (dice.chance(15)) {
            world.permission_prerequisite.push_back({key, "customers.view"});
        }
        if (dice.chance(5)) {
            world.permission_module.push_back({key, "customers"});
        }
        if (dice.chance(5)) {
            world.plan_denial.push_back({"basic", key});
        }
        for (const auto &role : world.role) {
            if (dice.chance(60)) {
                world.role_permission.push_back({role.role_id, key});
            }
        }
    }
    const naive::Id first = dice.pick(world.role).role_id;
    const auto is_dropped = [&](const auto &row) {
        return row.role_id != first && row.role_id % 2 == 0 && dice.chance(75);
    };
    auto &permissions = world.role_permission;
    permissions.erase(std::remove_if(permissions.begin(), permissions.end(), is_dropped),
                      permissions.end());
    auto &metrics = world.role_metric;
    metrics.erase(std::remove_if(metrics.begin(), metrics.end(), is_dropped), metrics.end());
    return world;
}

} // namespace entitle
