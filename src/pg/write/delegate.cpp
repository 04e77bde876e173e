// Who writes roles, memberships, users and grants, and under which locks.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/check/membership.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/model_table.hpp"
#include "pg/model/part_lock.hpp"
#include "pg/model/subject_load.hpp"
#include "pg/write/delegate.hpp"

extern "C" {
#include "access/tableam.h"
#include "commands/sequence.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/rls.h"
}

namespace entitle::pg {

namespace {

struct Behalf {
    bool is_open;
    bool is_superuser;
    UserId inviter;
};
Behalf behalf = {false, false, 0};

bool has_rows(const Reader &reader, Table table, TableIndex index, UserId user) {
    Rows rows = open_rows(reader, table, index, 1, Int64GetDatum(user));
    const bool has_one = next_row(rows);
    close_rows(rows);
    return has_one;
}

bool is_active_version(const Rows &rows, TupleTableSlot *slot, UserId user) {
    bool is_null = false;
    return DatumGetInt64(slot_getattr(slot, rows.columns[UserColumn::id], &is_null)) == user &&
           DatumGetBool(slot_getattr(slot, rows.columns[UserColumn::is_active], &is_null));
}

// The active user whose row this transaction locked last. Nobody else switches him off until it
// ends, and what it does so itself shows in his generation.
struct LockedUser {
    UserId user;
    FullTransactionId by; // or a part of it that can be undone
    std::uint64_t generation;
};
LockedUser locked = {0, {InvalidTransactionId}, 0};

bool is_locked_active(UserId user) {
    return user == locked.user && locked.generation == user_generation(user) &&
           FullTransactionIdIsValid(locked.by) &&
           FullTransactionIdEquals(locked.by, GetCurrentFullTransactionIdIfAny());
}

// Waits until other transactions that give the user a place, or switch him off or on, have ended: a
// user without any place is not taken in by two organizations at once, and nobody is switched off
// by whoever does not manage a place that he just got (S422). It locks his row, which takes no room
// in the table of locks however many users become members at once.
// Returns: whether he is active. Requires: his row is the current one.
bool lock_row(const Reader &reader, const Rows &rows, UserId user) {
    LockRelationOid(RelationGetRelid(rows.relation), RowShareLock);
    TupleTableSlot *slot = table_slot_create(rows.relation, nullptr);
    TM_FailureData failure;
    const bool is_locked =
        table_tuple_lock(rows.relation, &rows.tuple->t_self, reader.snapshot, slot,
                         GetCurrentCommandId(true), LockTupleNoKeyExclusive, LockWaitBlock,
                         TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS |
                             TUPLE_LOCK_FLAG_FIND_LAST_VERSION,
                         &failure) == TM_Ok;
    const bool is_active = is_locked && is_active_version(rows, slot, user);
    ExecDropSingleTupleTableSlot(slot);
    if (is_active) {
        locked = {user, GetCurrentFullTransactionId(), user_generation(user)};
    }
    // Who was deleted meanwhile is not found now, and who was changed by this very command is
    // locked by it.
    return is_locked ? is_active : is_active_user(user);
}

// The same of a user by key. Returns: whether there is such a user, who is active.
bool lock_active(UserId user) {
    if (is_locked_active(user)) {
        return true;
    }
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::app_user, TableIndex::user_by_id, 1, Int64GetDatum(user));
    const bool is_active = next_row(rows) && lock_row(reader, rows, user);
    close_rows(rows);
    close_reader(reader);
    return is_active;
}

// Whether the user has no place, no grant and no invitation anywhere: looked for among what is
// committed by now, as the query's snapshot may be older than the lock of the user.
bool is_unplaced(UserId user) {
    Reader reader = open_reader();
    const bool has_any =
        has_rows(reader, Table::membership, TableIndex::membership_by_user, user) ||
        has_rows(reader, Table::external_access, TableIndex::grant_by_user, user) ||
        has_rows(reader, Table::pending_invitation, TableIndex::invitation_by_user, user);
    close_reader(reader);
    return !has_any;
}

// Whether the asker may give the user a place without inviting.
bool is_within_reach(UserId user) { return is_unplaced(user) || manages_user(user); }

// The sequence of a table's key. The last one is kept: who writes one row after another would look
// each time through all that depends on the table.
Oid own_sequence(Relation relation, AttrNumber key) {
    static struct {
        Oid relation;
        AttrNumber key;
        std::uint64_t generation;
        Oid sequence;
    } last = {};
    const Oid oid = RelationGetRelid(relation);
    if (last.relation != oid || last.key != key || last.generation != table_generation()) {
        last = {oid, key, table_generation(), ENTITLE_IDENTITY_SEQUENCE(relation, key)};
    }
    return last.sequence;
}

// The role read last, until anything of the model changes: whoever makes one member after another
// mostly gives them the same role.
struct KeptRole {
    bool is_there = false;
    std::uint64_t generation = 0;
    std::shared_ptr<const Catalogue> catalogue;
    Role role;
};

// Finds a role with what it lists, as it is by now. Returns: whether there is one. regime: C++
bool find_role(RoleId id, const std::shared_ptr<const Catalogue> &catalogue, Role &role) {
    static NoDestructor<KeptRole> last;
    KeptRole &kept = last.get();
    const std::uint64_t generation = call_pg([] {
        AcceptInvalidationMessages();
        return model_generation();
    });
    if (!kept.is_there || kept.role.id != id || kept.generation != generation ||
        kept.catalogue != catalogue) {
        kept.is_there = false;
        kept.generation = generation;
        kept.catalogue = catalogue;
        kept.is_there = call_pg([&] { return load_role(id, catalogue, kept.role); });
    }
    if (kept.is_there) {
        role = kept.role;
    }
    return kept.is_there;
}

} // namespace

OnBehalf::OnBehalf(std::optional<UserId> inviter) noexcept {
    behalf = Behalf{true, !inviter, inviter.value_or(0)};
}

OnBehalf::~OnBehalf() { behalf = Behalf{false, false, 0}; }

bool is_bound() { return behalf.is_open ? !behalf.is_superuser : !is_exempt(); }

Asker current_writer() {
    const Asker asker = asker_now();
    if (!behalf.is_open) {
        return asker;
    }
    CachedUser *user = behalf.is_superuser ? nullptr : find_user(behalf.inviter);
    return Asker{user == nullptr ? nullptr : subject_of(user), user,
                 Session{std::nullopt, std::nullopt, asker.session.today}};
}

void lock_organization(std::optional<OrganizationId> organization) {
    if (organization) {
        lock_part("organization", *organization, ExclusiveLock);
    }
}

void lock_organizations(std::optional<OrganizationId> one, std::optional<OrganizationId> other) {
    lock_organization(one < other ? one : other);
    if (one != other) {
        lock_organization(one < other ? other : one);
    }
}

HeapTuple with_own_key(const FiredRow &row, AttrNumber key) {
    int number = key;
    Datum value = Int64GetDatum(nextval_internal(own_sequence(row.data->tg_relation, key), false));
    bool is_null = false;
    return heap_modify_tuple_by_cols(row.after, row.shape, 1, &number, &value, &is_null);
}

std::optional<UserId> find_at_hand(std::string_view login) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::app_user, TableIndex::user_by_login, 1, text_datum(login));
    std::optional<UserId> user;
    if (next_row(rows)) {
        bool is_null = false;
        const UserId found = get_bigint(rows, UserColumn::id, &is_null);
        if (lock_row(reader, rows, found)) {
            user = found;
        }
    }
    close_rows(rows);
    close_reader(reader);
    return user && is_within_reach(*user) ? user : std::nullopt;
}

bool may_name_member(const FiredRow &row, UserId user) {
    const Oid table = RelationGetRelid(row.data->tg_relation);
    return lock_active(user) &&
           (check_enable_rls(table, InvalidOid, true) != RLS_ENABLED || is_within_reach(user));
}

void demand_same_key(const FiredRow &row, AttrNumber key) {
    if (row.before != nullptr && row.after != nullptr && is_changed(row, key)) {
        compute([] { throw Failure(superusers_only("the key of a row")); });
    }
}

std::optional<OrganizationId> home_of(const Membership &membership) {
    return membership.brand ? organization_of_brand(*membership.brand) : membership.organization;
}

MemberRow find_member(UserId user, const Membership &membership, const Asker &writer, Role &role) {
    MemberRow row{user, membership, nullptr, {}};
    if (membership.brand) {
        row.home = call_pg([&] { return organization_of_brand(*membership.brand); });
    }
    // Somebody without any place manages nothing, whatever the role.
    if (membership.role && writer.subject != nullptr && writer.subject->catalogue != nullptr &&
        find_role(*membership.role, writer.subject->catalogue, role)) {
        row.role = &role;
    }
    return row;
}

} // namespace entitle::pg
