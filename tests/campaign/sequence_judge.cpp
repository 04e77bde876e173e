// What each step comes to: what the rules say of it, and the rows that it leaves behind. R41 to
// R44, R54, R58 to R61
#include "sequence_judge.hpp"

#include <algorithm>

namespace entitle::campaign {

namespace {

template <typename Rows, typename Is> void erase_where(Rows &rows, Is &&is) {
    rows.erase(std::remove_if(rows.begin(), rows.end(), is), rows.end());
}

void list(naive::World &world, Id role, const std::string &key, bool is_metric) {
    if (is_metric) {
        world.role_metric.push_back({role, key});
    } else {
        world.role_permission.push_back({role, key});
    }
}

void unlist(naive::World &world, Id role, const std::string &key, bool is_metric) {
    if (is_metric) {
        erase_where(world.role_metric,
                    [&](const auto &row) { return row.role_id == role && row.metric_key == key; });
    } else {
        erase_where(world.role_permission, [&](const auto &row) {
            return row.role_id == role && row.permission_key == key;
        });
    }
}

bool is_wider(std::optional<std::int32_t> days, std::optional<std::int32_t> than) {
    return than && (!days || *days > *than);
}

} // namespace

Verdict Judge::as(bool is_refused, bool is_broken) const {
    Verdict verdict;
    verdict.is_refused = is_refused;
    verdict.is_broken = is_broken;
    verdict.next = now_;
    return verdict;
}

Verdict Judge::refused() const { return as(true); }

Verdict Judge::broken() const { return as(false, true); }

Verdict Judge::nothing() const {
    Verdict verdict = as(false);
    verdict.finds_nothing = true;
    return verdict;
}

// Roles: R59

Verdict Judge::insert_role() const {
    const naive::RoleText made{now_.next, *step_.organization, {}, {}};
    Verdict verdict =
        as(!rules_.may_write_role(me_, nullptr, &made), has_name(*step_.organization, step_.name));
    verdict.next.world.role.push_back({verdict.next.next, *step_.organization, step_.is_on});
    verdict.next.role_names[verdict.next.next++] = step_.name;
    return verdict;
}

Verdict Judge::change_role() const {
    if (!sees_role(step_.role)) {
        return nothing();
    }
    const naive::RoleText before = rules_.role_text(step_.role);
    naive::RoleText after = before;
    std::string name = now_.role_names.at(step_.role);
    if (step_.act == Act::move_role) {
        after.organization_id = *step_.organization;
    } else if (step_.act == Act::rename_role) {
        name = step_.name;
    }
    const bool moves = after.organization_id != before.organization_id;
    Verdict verdict =
        as(!rules_.may_write_role(me_, &before, &after),
           has_name(after.organization_id, name, step_.role) || (moves && is_held(step_.role)));
    verdict.next.role_names[step_.role] = name;
    for (auto &row : verdict.next.world.role) {
        if (row.role_id == step_.role) {
            row.organization_id = after.organization_id;
            row.is_active = step_.act == Act::switch_role ? step_.is_on : row.is_active;
        }
    }
    return verdict;
}

Verdict Judge::delete_role() const {
    if (!sees_role(step_.role)) {
        return nothing();
    }
    const naive::RoleText before = rules_.role_text(step_.role);
    Verdict verdict = as(!rules_.may_write_role(me_, &before, nullptr), is_held(step_.role));
    const auto is_it = [&](const auto &row) {
        return row.role_id == step_.role;
    };
    erase_where(verdict.next.world.role, is_it);
    erase_where(verdict.next.world.role_permission, is_it);
    erase_where(verdict.next.world.role_metric, is_it);
    erase_where(verdict.next.invitations, [&](const auto &row) { return row.role == step_.role; });
    verdict.next.role_names.erase(step_.role);
    return verdict;
}

bool Judge::may_list(Id role, const std::string &key, bool is_metric) const {
    if (find_role(role) == nullptr) {
        return false;
    }
    const naive::RoleText before = rules_.role_text(role);
    naive::RoleText after = before;
    (is_metric ? after.metrics : after.permissions).push_back(key);
    return rules_.may_write_role(me_, &before, &after);
}

Verdict Judge::list_key() const {
    Verdict verdict = as(!may_list(step_.role, step_.key, step_.is_metric),
                         lists(step_.role, step_.key, step_.is_metric));
    list(verdict.next.world, step_.role, step_.key, step_.is_metric);
    return verdict;
}

Verdict Judge::unlist_key() const {
    if (!sees_role(step_.role) || !lists(step_.role, step_.key, step_.is_metric)) {
        return nothing();
    }
    const naive::RoleText before = rules_.role_text(step_.role);
    Verdict verdict = as(!rules_.may_write_role(me_, &before, nullptr));
    unlist(verdict.next.world, step_.role, step_.key, step_.is_metric);
    return verdict;
}

Verdict Judge::exchange_key() const {
    if (!sees_role(step_.role) || !lists(step_.role, step_.key, step_.is_metric)) {
        return nothing();
    }
    const naive::RoleText before = rules_.role_text(step_.role);
    const bool is_same = step_.role == step_.other_role && step_.key == step_.other_key;
    Verdict verdict = as(!rules_.may_write_role(me_, &before, nullptr) ||
                             !may_list(step_.other_role, step_.other_key, step_.is_metric),
                         !is_same && lists(step_.other_role, step_.other_key, step_.is_metric));
    unlist(verdict.next.world, step_.role, step_.key, step_.is_metric);
    list(verdict.next.world, step_.other_role, step_.other_key, step_.is_metric);
    return verdict;
}

Verdict Judge::create_role() const {
    const MaybeId home = step_.organization ? step_.organization : only_organization();
    if (!home) {
        return refused();
    }
    const std::vector<std::string> none;
    const naive::RoleText made{now_.next, *home, step_.permissions ? *step_.permissions : none,
                               step_.metrics ? *step_.metrics : none};
    Verdict verdict = as(!rules_.may_write_role(me_, nullptr, &made), has_name(*home, step_.name));
    verdict.next.world.role.push_back({made.role_id, *home, true});
    verdict.next.role_names[verdict.next.next++] = step_.name;
    for (const std::string &key : made.permissions) {
        list(verdict.next.world, made.role_id, key, false);
    }
    for (const std::string &key : made.metrics) {
        list(verdict.next.world, made.role_id, key, true);
    }
    return verdict;
}

Verdict Judge::set_role() const {
    if (find_role(step_.role) == nullptr) {
        return refused();
    }
    const naive::RoleText before = rules_.role_text(step_.role);
    naive::RoleText after = before;
    after.permissions = step_.permissions.value_or(before.permissions);
    after.metrics = step_.metrics.value_or(before.metrics);
    Verdict verdict = as(!rules_.may_write_role(me_, &before, &after));
    for (const bool is_metric : {false, true}) {
        for (const auto &key : is_metric ? before.metrics : before.permissions) {
            unlist(verdict.next.world, step_.role, key, is_metric);
        }
        for (const auto &key : is_metric ? after.metrics : after.permissions) {
            list(verdict.next.world, step_.role, key, is_metric);
        }
    }
    return verdict;
}

// Memberships: R60

// `change` makes of a row what it will be, none for one that ends.
template <typename Is, typename Change> Verdict Judge::write_members(Is is, Change change) const {
    Verdict verdict = as(false);
    bool has_found = false;
    std::vector<Member> kept;
    std::vector<Id> ids;
    for (std::size_t i = 0; i < now_.world.membership.size(); ++i) {
        const Member &before = now_.world.membership[i];
        if (!is(before, now_.membership_ids[i]) || !sees_member(before)) {
            kept.push_back(before);
            ids.push_back(now_.membership_ids[i]);
            continue;
        }
        has_found = true;
        const std::optional<Member> after = change(before);
        if (after && (after->organization_id.has_value() == after->brand_id.has_value() ||
                      (after->is_owner && !after->organization_id))) {
            return broken();
        }
        verdict.is_refused =
            verdict.is_refused ||
            !rules_.may_write_member(me_, &before, after ? &*after : nullptr) ||
            (after && after->user_id != before.user_id && !is_at_hand(after->user_id));
        if (after) {
            kept.push_back(*after);
            ids.push_back(now_.membership_ids[i]);
        }
    }
    if (!has_found) {
        return nothing();
    }
    verdict.next.world.membership = kept;
    verdict.next.membership_ids = ids;
    for (std::size_t i = 0; i < now_.world.membership.size(); ++i) {
        const Member &before = now_.world.membership[i];
        if (is(before, now_.membership_ids[i]) && sees_member(before) && before.is_owner &&
            !has_owner(verdict.next.world, *before.organization_id)) {
            verdict.is_refused = true;
        }
    }
    for (const Member &row : kept) {
        verdict.is_broken =
            verdict.is_broken || std::count_if(kept.begin(), kept.end(), [&](const Member &other) {
                                     return other.user_id == row.user_id &&
                                            other.organization_id == row.organization_id &&
                                            other.brand_id == row.brand_id &&
                                            other.role_id == row.role_id;
                                 }) > 1;
    }
    return verdict;
}

Verdict Judge::insert_member(const Member &row) const {
    if (row.organization_id.has_value() == row.brand_id.has_value() ||
        (row.is_owner && !row.organization_id)) {
        return broken();
    }
    Verdict verdict = as(!rules_.may_write_member(me_, nullptr, &row) || !is_at_hand(row.user_id),
                         has_member(now_, row));
    verdict.next.world.membership.push_back(row);
    verdict.next.membership_ids.push_back(verdict.next.next++);
    return verdict;
}

Verdict Judge::write_some_members() const {
    const auto is_it = [&](const Member &, Id id) {
        return id == step_.membership;
    };
    const auto end = [](const Member &) {
        return std::optional<Member>();
    };
    switch (step_.act) {
    case Act::change_member:
        return write_members(is_it, [&](const Member &before) {
            Member after = before;
            if (step_.key == "user") {
                after.user_id = step_.user;
            } else if (step_.key == "role") {
                after.role_id = step_.has_role ? MaybeId(step_.role) : MaybeId();
            } else if (step_.key == "owner") {
                after.is_owner = step_.is_on;
            } else {
                after.organization_id = step_.organization;
                after.brand_id = step_.brand;
                after.role_id = step_.has_role ? MaybeId(step_.role) : MaybeId();
            }
            return std::optional<Member>(after);
        });
    case Act::delete_members:
        return write_members([&](const Member &row, Id) { return row.user_id == step_.user; }, end);
    case Act::clear_place:
        return write_members(
            [&](const Member &row, Id) {
                return (step_.organization && row.organization_id == step_.organization) ||
                       (step_.brand && row.brand_id == step_.brand);
            },
            end);
    default:
        return write_members(is_it, end);
    }
}

Verdict Judge::add_member() const {
    const MaybeId home =
        step_.brand || step_.organization ? step_.organization : only_organization();
    if (!home && !step_.brand) {
        return refused();
    }
    if (home && step_.brand) {
        return broken();
    }
    const Member place{0, home, step_.brand, std::nullopt, false};
    const auto user = find_login(step_.name);
    if (!rules_.may_write_member(me_, &place, nullptr) || !user || !is_at_hand(*user)) {
        return refused();
    }
    MaybeId role;
    if (step_.has_role) {
        const MaybeId in = home ? home : home_of(*step_.brand);
        const naive::Role *found = in ? find_role(step_.key, *in) : nullptr;
        if (found == nullptr) {
            return refused();
        }
        role = found->role_id;
    }
    return insert_member({*user, home, step_.brand, role, step_.is_on});
}

// Users: R61

Verdict Judge::insert_user() const {
    Verdict verdict = as(!rules_.may_add_user(me_, 0), find_login(step_.name).has_value());
    verdict.next.world.app_user.push_back({verdict.next.next, true});
    verdict.next.logins[verdict.next.next++] = step_.name;
    return verdict;
}

Verdict Judge::write_user(Id user, bool is_on) const {
    Verdict verdict = as(!rules_.may_switch_user(me_, user, 0));
    const bool goes = rules_.is_active(user) && !is_on;
    for (auto &row : verdict.next.world.app_user) {
        row.is_active = row.user_id == user ? is_on : row.is_active;
    }
    verdict.is_refused = verdict.is_refused || (goes && !keeps_owners_of(verdict.next.world, user));
    return verdict;
}

Verdict Judge::switch_login() const {
    const auto user = find_login(step_.name);
    return user ? write_user(*user, step_.act == Act::reactivate_user) : refused();
}

// External access: R41 to R44, R54

Judge::GrantRights Judge::rights_on(Id customer, Id writer) const {
    const naive::Asker asker{writer, {}, {}, 0};
    bool is_manager = false;
    for (const auto &row : now_.world.customer) {
        is_manager =
            is_manager || (row.customer_id == customer &&
                           model_.has_permission(asker, row.brand_id, "external_access.manage"));
    }
    return {is_manager, model_.access_level(asker, customer)};
}

bool Judge::may_give(const Grant &row, Id writer) const {
    const GrantRights rights = rights_on(row.customer_id, writer);
    return rights.manages() && row.user_id != writer && !(rights.is_mere() && row.level > 80);
}

bool Judge::may_take(const Grant &row, Id writer) const {
    if (rules_.is_active(writer) && row.user_id == writer && row.level < 90) {
        return true;
    }
    const GrantRights rights = rights_on(row.customer_id, writer);
    return rights.manages() && !(rights.is_mere() && row.level > 80);
}

bool Judge::may_change(const Grant &before, const Grant &after, Id writer, bool notes) const {
    const GrantRights rights = rights_on(before.customer_id, writer);
    if (rules_.is_active(writer) && before.user_id == writer) {
        return after.level <= before.level && !is_wider(after.days_back, before.days_back) &&
               (rights.manages() || !notes);
    }
    return rights.manages() && !(rights.is_mere() && (before.level > 80 || after.level > 80));
}

// R43
bool Judge::is_kept(const Grant &before, const Grant *after) {
    return before.level != 90 ||
           (after != nullptr && after->level == 90 && after->user_id == before.user_id &&
            after->customer_id == before.customer_id &&
            !is_wider(before.days_back, after->days_back));
}

// R54: what the writer could do to a grant where it is.
std::vector<bool> Judge::move_rights(const Grant &row) const {
    Grant raised = row;
    raised.level = 90;
    return {rights_on(row.customer_id, me_).manages() || row.user_id == me_, may_take(row, me_),
            may_change(row, row, me_, true), may_change(row, raised, me_)};
}

Verdict Judge::write_grant() const {
    const Id customer = *step_.customer;
    const Grant *found = find_grant(customer, step_.user);
    if (step_.act == Act::insert_grant) {
        const Grant made{customer, step_.user, step_.level, step_.days, {}, {}};
        Verdict verdict =
            as(!may_give(made, me_) || !rules_.is_active(step_.user), found != nullptr);
        verdict.next.world.external_access.push_back(made);
        return verdict;
    }
    if (found == nullptr || !sees_grant(*found)) {
        return nothing();
    }
    const auto is_it = [&](const Grant &row) {
        return row.customer_id == customer && row.user_id == step_.user;
    };
    if (step_.act == Act::delete_grant) {
        Verdict verdict = as(!may_take(*found, me_) || !is_kept(*found, nullptr));
        erase_where(verdict.next.world.external_access, is_it);
        return verdict;
    }
    Grant after = *found;
    if (step_.act == Act::change_grant) {
        after.level = step_.level;
        after.days_back = step_.days;
    } else {
        after.customer_id = step_.other_customer;
        after.user_id = step_.other_user;
    }
    const bool stays = after.customer_id == found->customer_id && after.user_id == found->user_id;
    Verdict verdict = as(!is_kept(*found, &after));
    if (stays) {
        verdict.is_refused = verdict.is_refused || !may_change(*found, after, me_);
    } else {
        const std::vector<bool> before = move_rights(*found);
        const std::vector<bool> there = move_rights(after);
        for (std::size_t i = 0; i < there.size(); ++i) {
            verdict.is_refused = verdict.is_refused || (there[i] && !before[i]);
        }
        verdict.is_refused = verdict.is_refused || !may_take(*found, me_) ||
                             !may_give(after, me_) ||
                             (after.user_id != found->user_id && !rules_.is_active(after.user_id));
        verdict.is_broken = find_grant(after.customer_id, after.user_id) != nullptr;
    }
    for (auto &row : verdict.next.world.external_access) {
        if (is_it(row)) {
            row = after;
            break;
        }
    }
    return verdict;
}

Verdict Judge::grant_access() const {
    const auto user = find_login(step_.name);
    const Id customer = *step_.customer;
    if (!user || !rules_.is_active(*user)) {
        return refused();
    }
    const Grant made{customer, *user, step_.level, step_.days, {}, {}};
    const Grant *found = find_grant(customer, *user);
    // R42: giving up a part of the own grant.
    const bool lowers = found != nullptr && is_me(step_.name);
    Verdict verdict =
        as((!lowers && !may_give(made, me_)) ||
           (found != nullptr && (!may_change(*found, made, me_) || !is_kept(*found, &made))));
    if (found == nullptr) {
        verdict.next.world.external_access.push_back(made);
    }
    for (auto &row : verdict.next.world.external_access) {
        if (row.customer_id == customer && row.user_id == *user) {
            row = made;
        }
    }
    return verdict;
}

Verdict Judge::revoke_access() const {
    if (!is_me(step_.name) && !manages_customer(step_.customer)) {
        return refused();
    }
    const auto user = find_login(step_.name);
    const Grant *found = user ? find_grant(*step_.customer, *user) : nullptr;
    if (found == nullptr) {
        return nothing();
    }
    Verdict verdict = as(!may_take(*found, me_) || !is_kept(*found, nullptr));
    erase_where(verdict.next.world.external_access, [&](const Grant &row) {
        return row.customer_id == *step_.customer && row.user_id == *user;
    });
    return verdict;
}

// Invitations: R61

Verdict Judge::invite() const {
    const bool is_member = !step_.customer || step_.has_role || step_.organization || step_.brand;
    const MaybeId home =
        is_member && !step_.brand && !step_.organization ? only_organization() : step_.organization;
    if (is_member && !home && !step_.brand) {
        return refused();
    }
    if (home && step_.brand) {
        return broken();
    }
    Verdict verdict = as(!rules_.may_add_user(me_, 0));
    const auto known = find_login(step_.name);
    MaybeId role;
    if (is_member) {
        if (step_.has_role) {
            const MaybeId in = home ? home : home_of(*step_.brand);
            const naive::Role *found = in ? find_role(step_.key, *in) : nullptr;
            if (found == nullptr) {
                return refused();
            }
            role = found->role_id;
        }
        const Member row{is_me(step_.name) ? me_ : 0, home, step_.brand, role, false};
        verdict.is_refused = verdict.is_refused || !rules_.may_write_member(me_, nullptr, &row);
    }
    if (step_.customer) {
        const Grant row{
            *step_.customer, is_me(step_.name) ? me_ : 0, step_.level, step_.days, {}, {}};
        verdict.is_refused = verdict.is_refused || !may_give(row, me_);
    }
    if (!known) {
        verdict.next.world.app_user.push_back({verdict.next.next, true});
        verdict.next.logins[verdict.next.next++] = step_.name;
    }
    const Id user = known ? *known : verdict.next.next - 1;
    verdict.next.invitations.push_back({verdict.next.next++, user, me_, home, step_.brand, role,
                                        step_.customer, step_.customer ? step_.level : 0,
                                        step_.customer ? step_.days : std::nullopt});
    return verdict;
}

Verdict Judge::accept() const {
    const OpenInvitation *found = nullptr;
    for (const auto &row : now_.invitations) {
        found = row.id == step_.invitation ? &row : found;
    }
    if (found == nullptr || !is_active_ || found->user != me_) {
        return refused();
    }
    Verdict verdict = as(false);
    erase_where(verdict.next.invitations, [&](const auto &row) { return row.id == found->id; });
    if (found->organization || found->brand) {
        const Member row{me_, found->organization, found->brand, found->role, false};
        verdict.is_refused = !rules_.may_write_member(found->inviter, nullptr, &row);
        if (!has_member(now_, row)) {
            verdict.next.world.membership.push_back(row);
            verdict.next.membership_ids.push_back(verdict.next.next++);
        }
    }
    if (found->customer) {
        const Grant made{*found->customer, me_, found->level, found->days, {}, {}};
        const Grant *old = find_grant(*found->customer, me_);
        verdict.is_refused =
            verdict.is_refused || !may_give(made, found->inviter) ||
            (old != nullptr && (!may_change(*old, made, found->inviter) || !is_kept(*old, &made)));
        erase_where(verdict.next.world.external_access, [&](const Grant &row) {
            return row.customer_id == made.customer_id && row.user_id == made.user_id;
        });
        verdict.next.world.external_access.push_back(made);
    }
    return verdict;
}

Verdict Judge::withdraw() const {
    for (const auto &row : now_.invitations) {
        if (row.id == step_.invitation && is_active_ && (row.user == me_ || may_withdraw(row))) {
            Verdict verdict = as(false);
            erase_where(verdict.next.invitations,
                        [&](const auto &other) { return other.id == step_.invitation; });
            return verdict;
        }
    }
    return nothing();
}

// What a superuser does, whom no rule binds (R53).
Verdict Judge::interfere() const {
    Verdict verdict = as(false);
    naive::World &world = verdict.next.world;
    switch (step_.act) {
    case Act::flip_permission:
        for (auto &row : world.permission) {
            row.is_active = row.permission_key == step_.key ? step_.is_on : row.is_active;
        }
        break;
    case Act::flip_module:
        for (auto &row : world.brand_module) {
            row.is_enabled = row.brand_id == step_.brand && row.module_key == step_.key
                                 ? step_.is_on
                                 : row.is_enabled;
        }
        break;
    case Act::flip_denial:
        erase_where(world.plan_denial,
                    [&](const auto &row) { return row.permission_key == step_.key; });
        if (step_.is_on) {
            world.plan_denial.push_back({"sequence", step_.key});
        }
        break;
    case Act::flip_user:
        for (auto &row : world.app_user) {
            row.is_active = row.user_id == step_.user ? step_.is_on : row.is_active;
        }
        break;
    default: {
        const MaybeId was = home_of(*step_.brand);
        for (auto &row : world.brand) {
            row.organization_id =
                row.brand_id == step_.brand ? step_.organization : row.organization_id;
        }
        if (was != step_.organization) {
            verdict.is_broken =
                std::any_of(world.membership.begin(), world.membership.end(), [&](const auto &row) {
                    return row.brand_id == step_.brand && row.role_id;
                });
            erase_where(verdict.next.invitations,
                        [&](const auto &row) { return row.brand == step_.brand; });
        }
        break;
    }
    }
    return verdict;
}

Verdict Judge::run() {
    switch (step_.act) {
    case Act::insert_role:
        return insert_role();
    case Act::rename_role:
    case Act::switch_role:
    case Act::move_role:
        return change_role();
    case Act::delete_role:
    case Act::drop_role:
        return delete_role();
    case Act::list_key:
        return list_key();
    case Act::unlist_key:
        return unlist_key();
    case Act::exchange_key:
        return exchange_key();
    case Act::create_role:
        return create_role();
    case Act::set_role:
        return set_role();
    case Act::insert_member:
        return insert_member({step_.user, step_.organization, step_.brand,
                              step_.has_role ? MaybeId(step_.role) : MaybeId(), step_.is_on});
    case Act::change_member:
    case Act::delete_member:
    case Act::delete_members:
    case Act::clear_place:
    case Act::remove_member:
        return write_some_members();
    case Act::add_member:
        return add_member();
    case Act::insert_user:
    case Act::add_user:
        return insert_user();
    case Act::switch_user:
        return sees_user(step_.user) ? write_user(step_.user, step_.is_on) : nothing();
    case Act::name_user:
        return sees_user(step_.user) ? write_user(step_.user, rules_.is_active(step_.user))
                                     : nothing();
    case Act::relabel_user:
    case Act::delete_user:
        return sees_user(step_.user) ? refused() : nothing();
    case Act::deactivate_user:
    case Act::reactivate_user:
        return switch_login();
    case Act::insert_grant:
    case Act::change_grant:
    case Act::move_grant:
    case Act::delete_grant:
        return write_grant();
    case Act::grant_access:
        return grant_access();
    case Act::revoke_access:
        return revoke_access();
    case Act::invite:
        return invite();
    case Act::accept:
        return accept();
    case Act::withdraw:
        return withdraw();
    case Act::write_brand:
        return is_active_ && model_.is_member(asker_, *step_.brand) ? refused() : nothing();
    case Act::write_permission:
        return is_active_ ? refused() : nothing();
    case Act::write_pool:
        return refused();
    case Act::look: {
        Verdict verdict = as(false);
        verdict.sight = sight();
        return verdict;
    }
    case Act::flip_permission:
    case Act::flip_module:
    case Act::flip_denial:
    case Act::flip_user:
    case Act::move_brand:
        return interfere();
    }
    return refused();
}

} // namespace entitle::campaign
