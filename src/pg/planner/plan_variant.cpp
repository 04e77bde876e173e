// The kept queries. A plan names its own by place and number, among its invalidation items.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/planner/assumption.hpp"
#include "pg/planner/plan_variant.hpp"
#include "pg/model/invalidation.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
}

namespace entitle::pg {

namespace {

// No syscache has this number, nor those below, which say the place: PostgreSQL skips the item.
constexpr int kQueryItem = -10000;

constexpr int kMaxKept = 256;

// Big queries push out others before all places are taken.
constexpr Size kMaxKeptBytes = Size{4} * 1024 * 1024;

// Kinds of asker that take turns with one statement: staff, outsiders, staff of one brand, ...
constexpr int kMaxVariants = 4;

struct Slot {
    uint32 number; // never given twice
    std::uint64_t last_use;
    KeptQuery kept; // without context: nothing is kept
    const PlannedStmt *plan;
    List *items; // the plan's invalidation items, which name its assumptions
    PlannedStmt *variants[kMaxVariants];
    int next_variant;
    Size bytes;
};

struct Store {
    Slot slots[kMaxKept];
    int count;   // of slots in use
    int free_at; // a slot that may be free: the last one that became so
    uint32 last_number;
    std::uint64_t clock;
    Size bytes;
};
Store store;

bool is_query_item(const PlanInvalItem *item) noexcept {
    return item->cacheId <= kQueryItem && item->cacheId > kQueryItem - kMaxKept;
}

Slot *find_slot(const PlannedStmt *plan) {
    for (const auto *item : each<PlanInvalItem>(plan->invalItems)) {
        if (is_query_item(item)) {
            Slot &slot = store.slots[kQueryItem - item->cacheId];
            return slot.number == item->hashValue && slot.kept.context != nullptr ? &slot : nullptr;
        }
    }
    return nullptr;
}

void drop(Slot &slot) {
    if (slot.kept.context != nullptr) {
        store.bytes -= slot.bytes;
        --store.count;
        store.free_at = static_cast<int>(&slot - store.slots);
        MemoryContextDelete(slot.kept.context);
        memset(&slot, 0, sizeof(slot));
    }
}

// Counts what the slot has grown to.
void account(Slot &slot) {
    const Size bytes = MemoryContextMemAllocated(slot.kept.context, true);
    store.bytes += bytes - slot.bytes;
    slot.bytes = bytes;
}

// Drops the query that was not used for the longest time. Its plan may live on in a plan cache,
// without a way to exchange it. One that has to be exchanged even now, the cache makes anew.
void drop_oldest() {
    Slot *oldest = nullptr;
    for (Slot &slot : store.slots) {
        if (slot.kept.context != nullptr &&
            (oldest == nullptr || slot.last_use < oldest->last_use)) {
            oldest = &slot;
        }
    }
    if (assumptions_hold(oldest->items)) {
        orphan_assumptions(oldest->items);
    } else {
        invalidate_plan(oldest->number);
    }
    drop(*oldest);
}

Slot &take_slot() {
    while (store.count > 0 && (store.count == kMaxKept || store.bytes > kMaxKeptBytes)) {
        drop_oldest();
    }
    while (store.slots[store.free_at].kept.context != nullptr) {
        store.free_at = (store.free_at + 1) % kMaxKept;
    }
    ++store.count;
    return store.slots[store.free_at];
}

bool reads(const PlannedStmt *plan, Oid relation) {
    for (const auto *entry : each<RangeTblEntry>(plan->rtable)) {
        if (entry->rtekind == RTE_RELATION && entry->relid == relation) {
            return true;
        }
    }
    return false;
}

// Whether an item stands for one of the extension's own functions, which a variant calls where the
// base plan was folded. Items tell a function by a hash only, so its members are gone through.
bool is_own_function(const PlanInvalItem *item) {
    if (item->cacheId != PROCOID) {
        return false;
    }
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(ExtensionRelationId));
    ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(get_extension_oid("entitle", true)));
    Relation depend = table_open(DependRelationId, AccessShareLock);
    SysScanDesc scan =
        systable_beginscan(depend, DependReferenceIndexId, true, nullptr, lengthof(keys), keys);
    bool is_found = false;
    for (HeapTuple row = systable_getnext(scan); HeapTupleIsValid(row) && !is_found;
         row = systable_getnext(scan)) {
        const auto *member = reinterpret_cast<const FormData_pg_depend *>(GETSTRUCT(row));
        is_found =
            member->classid == ProcedureRelationId &&
            item->hashValue == GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(member->objid));
    }
    systable_endscan(scan);
    table_close(depend, AccessShareLock);
    return is_found;
}

bool has_item(const List *items, const PlanInvalItem *wanted) {
    for (const auto *item : each<PlanInvalItem>(items)) {
        if (item->cacheId == wanted->cacheId && item->hashValue == wanted->hashValue) {
            return true;
        }
    }
    return false;
}

// Whether whatever the variant depends on is watched by the base plan too, which is locked and
// revalidated by the plan cache; nobody watches the variant. Our own items and signals need no
// watching: they are asked each time.
bool is_covered(const PlannedStmt *variant, const PlannedStmt *base) {
    for (const auto *entry : each<RangeTblEntry>(variant->rtable)) {
        if (entry->rtekind == RTE_RELATION && !reads(base, entry->relid)) {
            return false;
        }
    }
    for (const Oid relation : each_oid(variant->relationOids)) {
        if (!is_signal(relation) && !list_member_oid(base->relationOids, relation)) {
            return false;
        }
    }
    for (const auto *item : each<PlanInvalItem>(variant->invalItems)) {
        if (item->cacheId >= 0 && !has_item(base->invalItems, item) && !is_own_function(item)) {
            return false;
        }
    }
    return true;
}

// Plans without parameters, so that the plan serves every execution. The relations are locked by
// the plan that brought us here, and that plan is valid, so its query is too.
PlannedStmt *make_variant(const Slot &slot, const char *source, bool is_scrolled) {
    const int options =
        slot.kept.cursor_options | kVariantOption | (is_scrolled ? CURSOR_OPT_SCROLL : 0);
    return ENTITLE_PLAN(copy_query(slot.kept), source, options, nullptr);
}

} // namespace

KeptQuery keep_query(const Query *query, int cursor_options) {
    // A child of the current context until it is tied, so that an error in the planner frees it.
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "entitle query", ALLOCSET_SMALL_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(context);
    auto *copy = static_cast<Query *>(copyObjectImpl(query));
    MemoryContextSwitchTo(previous);
    return KeptQuery{context, copy, cursor_options};
}

Query *copy_query(const KeptQuery &kept) {
    return static_cast<Query *>(copyObjectImpl(kept.query));
}

void bind_query(KeptQuery kept, PlannedStmt *plan) {
    MemoryContext previous = MemoryContextSwitchTo(kept.context);
    auto *items = static_cast<List *>(copyObjectImpl(plan->invalItems));
    MemoryContextSwitchTo(previous);
    Slot &slot = take_slot();
    MemoryContextSetParent(kept.context, CacheMemoryContext);
    slot = Slot{++store.last_number, ++store.clock, kept, plan, items, {}, 0, 0};
    account(slot);
    PlanInvalItem *item = makeNode(PlanInvalItem);
    item->cacheId = kQueryItem - static_cast<int>(&slot - store.slots);
    item->hashValue = slot.number;
    plan->invalItems = lappend(plan->invalItems, item);
    plan->relationOids = lappend_oid(plan->relationOids, plan_signal(slot.number));
}

void note_started(const PlannedStmt *plan, bool runs_once) {
    Slot *slot = find_slot(plan);
    if (slot == nullptr) {
        orphan_assumptions(plan->invalItems);
        return;
    }
    slot->last_use = ++store.clock;
    if (runs_once && slot->plan == plan) {
        drop(*slot);
    }
}

PlannedStmt *find_fitting(const PlannedStmt *plan, const char *source, bool is_scrolled) {
    Slot *slot = find_slot(plan);
    if (slot == nullptr) {
        return nullptr;
    }
    slot->last_use = ++store.clock;
    for (PlannedStmt *variant : slot->variants) {
        if (variant != nullptr && assumptions_hold(variant) &&
            (!is_scrolled || ExecSupportsBackwardScan(variant->planTree))) {
            return static_cast<PlannedStmt *>(copyObjectImpl(variant));
        }
    }
    const uint32 number = slot->number;
    PlannedStmt *fresh = make_variant(*slot, source, is_scrolled);
    if (!assumptions_hold(fresh)) {
        return nullptr; // rights change faster than plans are made
    }
    // Planning may have run functions whose queries took the slot.
    if (slot->number != number || slot->kept.context == nullptr) {
        return fresh;
    }
    if (!is_covered(fresh, plan)) {
        // The next plan is made for somebody who sees more, and covers what this one names.
        invalidate_plan(number);
    } else {
        MemoryContext previous = MemoryContextSwitchTo(slot->kept.context);
        slot->variants[slot->next_variant] = static_cast<PlannedStmt *>(copyObjectImpl(fresh));
        slot->next_variant = (slot->next_variant + 1) % kMaxVariants;
        MemoryContextSwitchTo(previous);
        account(*slot);
    }
    return fresh;
}

void drop_plans() {
    ResetPlanCache();
    for (Slot &slot : store.slots) {
        drop(slot);
    }
    forget_orphans();
}

void drop_contradicted_plans() {
    if (has_contradicted_orphan()) {
        drop_plans();
    }
}

} // namespace entitle::pg
