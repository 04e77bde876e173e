// What the writer sees and manages, and what may never come about.
#include "sequence_judge.hpp"

#include <algorithm>

namespace entitle::campaign {

namespace {

template <typename Rows, typename Is> bool any(const Rows &rows, Is &&is) {
    return std::any_of(rows.begin(), rows.end(), is);
}

std::string shown(const std::set<Id> &ids) {
    std::string text;
    for (const Id id : ids) {
        text += (text.empty() ? "" : ",") + std::to_string(id);
    }
    return text;
}

} // namespace

bool is_superusers(Act act) { return act >= Act::flip_permission; }

const char *word_of(Act act) {
    static constexpr const char *words[] = {"INSERT role",
                                            "rename a role",
                                            "switch a role",
                                            "move a role",
                                            "DELETE role",
                                            "INSERT into a role",
                                            "DELETE from a role",
                                            "UPDATE of a role's list",
                                            "create_role",
                                            "set_role",
                                            "drop_role",
                                            "INSERT membership",
                                            "UPDATE membership",
                                            "DELETE membership",
                                            "DELETE a user's memberships",
                                            "DELETE a place's memberships",
                                            "add_member",
                                            "remove_member",
                                            "INSERT app_user",
                                            "switch a user",
                                            "rename a user",
                                            "UPDATE login",
                                            "DELETE app_user",
                                            "add_user",
                                            "deactivate_user",
                                            "reactivate_user",
                                            "INSERT external_access",
                                            "UPDATE external_access",
                                            "move a grant",
                                            "DELETE external_access",
                                            "grant_access",
                                            "revoke_access",
                                            "invite_user",
                                            "accept_invitation",
                                            "withdraw_invitation",
                                            "UPDATE brand",
                                            "UPDATE permission",
                                            "INSERT sign_in_grant",
                                            "look",
                                            "switch a permission",
                                            "switch a module",
                                            "change a plan",
                                            "a superuser switches a user",
                                            "move a brand"};
    static_assert(sizeof(words) / sizeof(words[0]) == kActs, "each act has its words");
    return words[static_cast<std::size_t>(act)];
}

Verdict judge(const Affairs &affairs, const Step &step) { return Judge(affairs, step).run(); }

bool Judge::belongs_to(Id organization) const {
    return is_active_ && (any(now_.world.membership,
                              [&](const auto &row) {
                                  return row.user_id == me_ && row.organization_id == organization;
                              }) ||
                          any(now_.world.brand, [&](const auto &brand) {
                              return brand.organization_id == organization &&
                                     model_.is_member(asker_, brand.brand_id);
                          }));
}

bool Judge::manages_organization(Id organization) const {
    return owns(organization) ||
           (is_active_ && (rules_.manages(me_, organization, "roles.manage") ||
                           rules_.manages(me_, organization, "members.manage")));
}

bool Judge::manages_brand(Id brand) const {
    if (!is_active_ || !model_.is_member(asker_, brand)) {
        return false;
    }
    const MaybeId home = home_of(brand);
    return (home && manages_organization(*home)) ||
           model_.has_permission(asker_, brand, "members.manage");
}

bool Judge::manages_customer(MaybeId customer) const {
    return is_active_ && customer && model_.manages_access(asker_, *customer);
}

bool Judge::manages_user(Id user) const {
    return any(now_.world.membership,
               [&](const auto &row) {
                   return row.user_id == user &&
                          ((row.organization_id && manages_organization(*row.organization_id)) ||
                           (row.brand_id && manages_brand(*row.brand_id)));
               }) ||
           any(now_.world.external_access, [&](const auto &row) {
               return row.user_id == user && manages_customer(row.customer_id);
           });
}

bool Judge::sees_role(Id role) const {
    const naive::Role *found = find_role(role);
    if (found == nullptr || !is_active_) {
        return false;
    }
    return manages_organization(found->organization_id) ||
           any(now_.world.brand,
               [&](const auto &brand) {
                   return brand.organization_id == found->organization_id &&
                          manages_brand(brand.brand_id);
               }) ||
           any(now_.world.membership,
               [&](const auto &row) { return row.user_id == me_ && row.role_id == role; });
}

bool Judge::sees_member(const Member &row) const {
    return is_active_ && (row.user_id == me_ ||
                          (row.organization_id && manages_organization(*row.organization_id)) ||
                          (row.brand_id && manages_brand(*row.brand_id)));
}

bool Judge::sees_user(Id user) const {
    return is_active_ && now_.logins.count(user) != 0 && (user == me_ || manages_user(user));
}

bool Judge::sees_grant(const Grant &row) const {
    return is_active_ && (row.user_id == me_ || manages_customer(row.customer_id));
}

bool Judge::may_withdraw(const OpenInvitation &row) const {
    return is_active_ &&
           (row.inviter == me_ || ((!row.organization || manages_organization(*row.organization)) &&
                                   (!row.brand || manages_brand(*row.brand)) &&
                                   (!row.customer || manages_customer(row.customer))));
}

std::string Judge::sight() const {
    std::set<Id> organizations;
    std::set<Id> brands;
    std::set<Id> users;
    std::set<Id> roles;
    long members = 0;
    long grants = 0;
    long invitations = 0;
    for (const auto &row : now_.world.organization) {
        if (manages_organization(row.organization_id)) {
            organizations.insert(row.organization_id);
        }
    }
    for (const auto &row : now_.world.brand) {
        if (manages_brand(row.brand_id)) {
            brands.insert(row.brand_id);
        }
    }
    for (const auto &row : now_.world.app_user) {
        if (sees_user(row.user_id) && row.user_id < kFirstNew) {
            users.insert(row.user_id);
        }
    }
    for (const auto &row : now_.world.role) {
        if (sees_role(row.role_id) && row.role_id < kFirstNew) {
            roles.insert(row.role_id);
        }
    }
    for (const auto &row : now_.world.membership) {
        members += sees_member(row) ? 1 : 0;
    }
    for (const auto &row : now_.world.external_access) {
        grants += sees_grant(row) ? 1 : 0;
    }
    for (const auto &row : now_.invitations) {
        invitations += is_active_ && (row.user == me_ || may_withdraw(row)) ? 1 : 0;
    }
    return "organizations " + shown(organizations) + " brands " + shown(brands) + " users " +
           shown(users) + " roles " + shown(roles) + " memberships " + std::to_string(members) +
           " grants " + std::to_string(grants) + " invitations " + std::to_string(invitations);
}

const naive::Role *Judge::find_role(Id role) const {
    for (const auto &row : now_.world.role) {
        if (row.role_id == role) {
            return &row;
        }
    }
    return nullptr;
}

const naive::Role *Judge::find_role(const std::string &name, Id organization) const {
    for (const auto &row : now_.world.role) {
        if (row.organization_id == organization && now_.role_names.at(row.role_id) == name) {
            return &row;
        }
    }
    return nullptr;
}

MaybeId Judge::home_of(Id brand) const {
    for (const auto &row : now_.world.brand) {
        if (row.brand_id == brand) {
            return row.organization_id;
        }
    }
    return std::nullopt;
}

MaybeId Judge::only_organization() const {
    MaybeId found;
    for (const auto &row : now_.world.organization) {
        if (belongs_to(row.organization_id)) {
            if (found) {
                return std::nullopt;
            }
            found = row.organization_id;
        }
    }
    return found;
}

MaybeId Judge::find_login(const std::string &login) const {
    for (const auto &[user, name] : now_.logins) {
        if (name == login) {
            return user;
        }
    }
    return std::nullopt;
}

bool Judge::is_held(Id role) const {
    return any(now_.world.membership, [&](const auto &row) { return row.role_id == role; });
}

bool Judge::is_unplaced(Id user) const {
    return !any(now_.world.membership, [&](const auto &row) { return row.user_id == user; }) &&
           !any(now_.world.external_access, [&](const auto &row) { return row.user_id == user; }) &&
           !any(now_.invitations, [&](const auto &row) { return row.user == user; });
}

bool Judge::has_name(Id organization, const std::string &name, Id but) const {
    const naive::Role *found = find_role(name, organization);
    return found != nullptr && found->role_id != but;
}

bool Judge::lists(Id role, const std::string &key, bool is_metric) const {
    return is_metric
               ? any(now_.world.role_metric,
                     [&](const auto &row) { return row.role_id == role && row.metric_key == key; })
               : any(now_.world.role_permission, [&](const auto &row) {
                     return row.role_id == role && row.permission_key == key;
                 });
}

const Judge::Grant *Judge::find_grant(Id customer, Id user) const {
    for (const auto &row : now_.world.external_access) {
        if (row.customer_id == customer && row.user_id == user) {
            return &row;
        }
    }
    return nullptr;
}

bool Judge::has_member(const Affairs &in, const Member &row) {
    return std::count_if(in.world.membership.begin(), in.world.membership.end(),
                         [&](const auto &other) {
                             return other.user_id == row.user_id &&
                                    other.organization_id == row.organization_id &&
                                    other.brand_id == row.brand_id && other.role_id == row.role_id;
                         }) > 0;
}

bool Judge::has_owner(const naive::World &world, Id organization) {
    const naive::Delegation rules(world);
    return any(world.membership, [&](const auto &row) {
        return row.is_owner && row.organization_id == organization && rules.is_active(row.user_id);
    });
}

// R60, for a user who goes.
bool Judge::keeps_owners_of(const naive::World &after, Id user) const {
    return std::all_of(
        now_.world.membership.begin(), now_.world.membership.end(), [&](const auto &row) {
            return row.user_id != user || !row.is_owner || has_owner(after, *row.organization_id);
        });
}

Listed all_listed(const naive::World &world) {
    Listed listed;
    for (const auto &row : world.membership) {
        for (const auto &brand : world.brand) {
            if (row.brand_id != brand.brand_id &&
                (!row.organization_id || row.organization_id != brand.organization_id)) {
                continue;
            }
            if (!brand.organization_id) {
                listed.insert({row.user_id, brand.brand_id, "all"});
            }
            if (row.is_owner) {
                listed.insert({row.user_id, brand.brand_id, "owner"});
            }
            for (const auto &given : world.role_permission) {
                if (given.role_id == row.role_id) {
                    listed.insert({row.user_id, brand.brand_id, given.permission_key});
                }
            }
            for (const auto &given : world.role_metric) {
                if (given.role_id == row.role_id) {
                    listed.insert({row.user_id, brand.brand_id, "metric " + given.metric_key});
                }
            }
        }
    }
    return listed;
}

std::string find_gain(const Affairs &before, const Affairs &after, const Step &step) {
    Id giver = step.writer;
    for (const auto &row : before.invitations) {
        giver = step.act == Act::accept && row.id == step.invitation ? row.inviter : giver;
    }
    const Listed had = all_listed(before.world);
    const auto holds = [&](Id user, Id brand, const std::string &key) {
        return had.count({user, brand, key}) != 0 || had.count({user, brand, "owner"}) != 0 ||
               had.count({user, brand, "all"}) != 0 ||
               (key.rfind("metric ", 0) == 0 && had.count({user, brand, "metric *"}) != 0);
    };
    for (const auto &[user, brand, key] : all_listed(after.world)) {
        if (had.count({user, brand, key}) != 0) {
            continue;
        }
        if (!holds(giver, brand, key)) {
            return "user " + std::to_string(user) + " has got " + key + " in brand " +
                   std::to_string(brand) + ", which user " + std::to_string(giver) +
                   " did not hold";
        }
        if (user == giver && had.count({user, brand, "owner"}) == 0) {
            return "user " + std::to_string(user) + " gave himself " + key;
        }
    }
    for (const auto &row : after.world.external_access) {
        int level = 0;
        int own = 0;
        for (const auto &old : before.world.external_access) {
            if (old.customer_id == row.customer_id) {
                level = old.user_id == row.user_id ? old.level : level;
                own = old.user_id == giver ? old.level : own;
            }
        }
        Id brand = 0;
        for (const auto &customer : before.world.customer) {
            brand = customer.customer_id == row.customer_id ? customer.brand_id : brand;
        }
        if (row.level > level &&
            (row.user_id == giver ||
             (!holds(giver, brand, "external_access.manage") && (own < 80 || own < row.level)))) {
            return "user " + std::to_string(row.user_id) + " has got level " +
                   std::to_string(row.level) + " on customer " + std::to_string(row.customer_id);
        }
    }
    const naive::Delegation was(before.world);
    const naive::Delegation is(after.world);
    for (const auto &row : before.world.membership) {
        if (row.is_owner && was.is_active(row.user_id) &&
            !any(after.world.membership, [&](const auto &other) {
                return other.is_owner && other.organization_id == row.organization_id &&
                       is.is_active(other.user_id);
            })) {
            return "organization " + std::to_string(*row.organization_id) + " lost its owner";
        }
    }
    return {};
}

} // namespace entitle::campaign
