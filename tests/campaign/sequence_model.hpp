// What people who administer something may do, one step after the other, by the naive second model
// of tests/unit: which steps are refused, which find no row, and what each leaves behind. Nothing
// is shared with the product.
#pragma once

#include "../unit/naive_delegation.hpp"

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace entitle::campaign {

using naive::Id;
using MaybeId = std::optional<Id>;

// What nobody has: the writer where none is signed in.
constexpr Id kNobody = -1;

struct OpenInvitation {
    Id id;
    Id user;
    Id inviter;
    MaybeId organization;
    MaybeId brand;
    MaybeId role;
    MaybeId customer;
    int level;
    std::optional<std::int32_t> days;
};

// The rows of the model that steps write. Ids from kFirstNew on are of rows that a step made; the
// database has other ones for them.
constexpr Id kFirstNew = 10001;
struct Affairs {
    naive::World world;
    std::vector<Id> membership_ids; // beside world.membership
    std::map<Id, std::string> logins;
    std::map<Id, std::string> role_names;
    std::vector<OpenInvitation> invitations;
    Id next = kFirstNew;
};

enum class Act {
    // roles, by DML and by function
    insert_role,
    rename_role,
    switch_role,
    move_role,
    delete_role,
    list_key,
    unlist_key,
    exchange_key,
    create_role,
    set_role,
    drop_role,
    // memberships
    insert_member,
    change_member,
    delete_member,
    delete_members, // of a user, all that the writer sees
    clear_place,    // of a place
    add_member,
    remove_member,
    // users
    insert_user,
    switch_user,
    name_user,
    relabel_user,
    delete_user,
    add_user,
    deactivate_user,
    reactivate_user,
    // external access
    insert_grant,
    change_grant,
    move_grant,
    delete_grant,
    grant_access,
    revoke_access,
    // invitations
    invite,
    accept,
    withdraw,
    // what nobody but a superuser writes
    write_brand,
    write_permission,
    write_pool,
    // what the writer manages and sees
    look,
    // what a superuser does meanwhile
    flip_permission,
    flip_module,
    flip_denial,
    flip_user,
    move_brand,
};
constexpr int kActs = static_cast<int>(Act::move_brand) + 1;

struct Step {
    Act act = Act::look;
    Id writer = kNobody;
    bool is_mapped = false; // by a database role of his own instead of sign_in
    Id user = 0;
    Id other_user = 0;
    Id role = 0;
    Id other_role = 0;
    Id membership = 0;
    Id invitation = 0;
    MaybeId customer;
    Id other_customer = 0;
    MaybeId organization;
    MaybeId brand;
    bool is_metric = false;
    std::string key;
    std::string other_key;
    std::optional<std::vector<std::string>> permissions; // none: left as they are
    std::optional<std::vector<std::string>> metrics;
    std::string name; // of a role or a login
    bool has_role = false;
    bool is_on = false; // active, or owner
    int level = 30;
    std::optional<std::int32_t> days;
};

// Whether a superuser does it, whom no rule binds.
bool is_superusers(Act act);
const char *word_of(Act act);

// What a step must come to. Where two of them are told, either may be met first.
struct Verdict {
    bool is_refused = false;    // by a rule: 42501 or 22023
    bool is_broken = false;     // by a constraint: class 23
    bool finds_nothing = false; // no row that the writer sees
    Affairs next;
    std::string sight; // what `look` shows

    bool is_done() const { return !is_refused && !is_broken && !finds_nothing; }
};

Verdict judge(const Affairs &affairs, const Step &step);

// Rights that users list, whether they count today or not: user, brand, key. "owner" and, in a
// standalone brand, "all" stand for everything.
using Listed = std::set<std::tuple<Id, Id, std::string>>;
Listed all_listed(const naive::World &world);

// Says what is wrong with a step that was done: somebody has now what neither he nor the giver had,
// or an organization lost its last active owner. Empty when nothing is. R59 to R61, R41, R42
std::string find_gain(const Affairs &before, const Affairs &after, const Step &step);

} // namespace entitle::campaign
