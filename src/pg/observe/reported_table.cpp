// What is in report mode is read once, and read anew when a declaration or one of the tables
// changes.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/boundary/once.hpp"
#include "pg/observe/reported_table.hpp"
#include "pg/protection/masked_columns.hpp"

#include <algorithm>

namespace entitle::pg {

namespace {

struct Member {
    Oid relation;
    Oid root;
};

struct Loaded {
    MemoryContext context;
    RowList<Member> members; // by relation
    Oid declarations;        // the table that holds them; its changes make all this stale
    bool is_mixed;           // a line's parent is enforced: what that is may change anywhere
};

bool is_known = false;
bool is_of_own_changes = false; // read while this transaction had written something
Loaded loaded = {};
std::uint64_t changes = 1;

void forget() noexcept {
    ++changes;
    is_known = false;
}

bool is_before(const Member &member, Oid relation) noexcept { return member.relation < relation; }

const Member *find_member(Oid relation) noexcept {
    const Member *found =
        std::lower_bound(loaded.members.begin(), loaded.members.end(), relation, is_before);
    return found != loaded.members.end() && found->relation == relation ? found : nullptr;
}

// regime: callback
void on_relcache(Datum, Oid relation) {
    // Where there is no extension, anything may be its beginning.
    if (!is_known || !OidIsValid(loaded.declarations) || loaded.is_mixed ||
        relation == InvalidOid || relation == loaded.declarations ||
        find_member(relation) != nullptr) {
        forget();
    }
}

void on_transaction(XactEvent event, void *) {
    if ((event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT ||
         event == XACT_EVENT_PREPARE) &&
        is_of_own_changes) {
        forget();
    }
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
    if (event == SUBXACT_EVENT_ABORT_SUB && is_of_own_changes) {
        forget();
    }
}

// Returns: InvalidOid where there is no extension, or it is being made.
Oid find_declarations() {
    const Oid extension = get_extension_oid("entitle", true);
    if (!OidIsValid(extension) || (creating_extension && CurrentExtensionObject == extension)) {
        return InvalidOid;
    }
    return get_relname_relid("reported_protection", extension_schema());
}

Loaded load() {
    Loaded fresh{};
    fresh.context =
        AllocSetContextCreate(CurrentMemoryContext, "entitle report mode", ALLOCSET_SMALL_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(fresh.context);
    fresh.declarations = find_declarations();
    if (OidIsValid(fresh.declarations)) {
        Relation table = table_open(fresh.declarations, AccessShareLock);
        const AttrNumber column = get_attnum(fresh.declarations, "relation");
        const AttrNumber parent_column = get_attnum(fresh.declarations, "parent");
        RowList<Oid> parents;
        SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
        for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
             tuple = systable_getnext(scan)) {
            bool is_null = false;
            const Oid root =
                DatumGetObjectId(heap_getattr(tuple, column, RelationGetDescr(table), &is_null));
            const Datum parent =
                heap_getattr(tuple, parent_column, RelationGetDescr(table), &is_null);
            if (!is_null) {
                parents.add(DatumGetObjectId(parent));
            }
            for (const Oid part : find_parts(root)) {
                fresh.members.add(Member{part, root});
            }
        }
        systable_endscan(scan);
        table_close(table, AccessShareLock);
        fresh.is_mixed = std::any_of(parents.begin(), parents.end(), [&](Oid parent) {
            return std::none_of(fresh.members.begin(), fresh.members.end(),
                                [&](const Member &member) { return member.root == parent; });
        });
    }
    std::sort(fresh.members.rows, fresh.members.rows + fresh.members.count,
              [](const Member &one, const Member &other) { return one.relation < other.relation; });
    MemoryContextSwitchTo(previous);
    return fresh;
}

void bring_up_to_date() {
    while (!is_known) {
        const std::uint64_t at_start = changes;
        const Loaded fresh = load();
        if (changes != at_start) {
            MemoryContextDelete(fresh.context);
            CHECK_FOR_INTERRUPTS();
            continue;
        }
        if (loaded.context != nullptr) {
            MemoryContextDelete(loaded.context);
        }
        MemoryContextSetParent(fresh.context, TopMemoryContext);
        loaded = fresh;
        is_known = true;
        is_of_own_changes = TransactionIdIsValid(GetTopTransactionIdIfAny());
    }
}

} // namespace

bool has_reported_tables() {
    if (!is_known) {
        bring_up_to_date();
    }
    return loaded.members.count > 0;
}

Oid find_reported(Oid relation) {
    if (!has_reported_tables()) {
        return InvalidOid;
    }
    const Member *member = find_member(relation);
    return member == nullptr ? InvalidOid : member->root;
}

std::uint64_t reported_version() noexcept { return changes; }

bool would_bind(Oid relation, Oid user) {
    return !has_bypassrls_privilege(user) &&
           !(InNoForceRLSOperation() && entitle_is_owner(relation, user));
}

void watch_reported_tables() {
    once([] { CacheRegisterRelcacheCallback(on_relcache, static_cast<Datum>(0)); });
    once([] { RegisterXactCallback(on_transaction, nullptr); });
    once([] { RegisterSubXactCallback(on_subtransaction, nullptr); });
}

} // namespace entitle::pg
