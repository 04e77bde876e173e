// A ring of kept queries. The plan names its query by number, among its invalidation items.
#include "pg/postgres.hpp"

#include "pg/assumption.hpp"
#include "pg/replan.hpp"
#include "pg/signal.hpp"

extern "C" {
#include "catalog/pg_proc.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "utils/catcache.h"
}

namespace entitle::pg {

namespace {

// No syscache has this number, so PostgreSQL skips the item.
constexpr int kQueryItem = -7773;

constexpr uint32 kMaxKept = 256;

// Big queries push out older ones before the ring is full.
constexpr Size kMaxKeptBytes = Size{4} * 1024 * 1024;

// Kinds of asker that take turns with one statement: staff, outsiders, staff of one brand, ...
constexpr int kMaxVariants = 4;

struct Slot {
    uint32 number;
    KeptQuery kept; // without context: nothing is kept
    const PlannedStmt *plan;
    List *items; // the plan's invalidation items, which name its assumptions
    PlannedStmt *variants[kMaxVariants];
    int next_variant;
    Size bytes;
};

struct Ring {
    Slot slots[kMaxKept];
    uint32 next;   // number of the next query, from 1
    uint32 oldest; // number of the oldest that may still be kept
    Size bytes;
};
Ring ring;

Slot *find_slot(const PlannedStmt *plan) {
    ListCell *cell = nullptr;
    foreach (cell, plan->invalItems) {
        const auto *item = static_cast<const PlanInvalItem *>(lfirst(cell));
        if (item->cacheId == kQueryItem) {
            Slot &slot = ring.slots[item->hashValue % kMaxKept];
            return slot.number == item->hashValue && slot.kept.context != nullptr ? &slot : nullptr;
        }
    }
    return nullptr;
}

void drop(Slot &slot) {
    if (slot.kept.context != nullptr) {
        ring.bytes -= slot.bytes;
        MemoryContextDelete(slot.kept.context);
        memset(&slot, 0, sizeof(slot));
    }
}

// Counts what the slot has grown to.
void account(Slot &slot) {
    const Size bytes = MemoryContextMemAllocated(slot.kept.context, true);
    ring.bytes += bytes - slot.bytes;
    slot.bytes = bytes;
}

// The plan of a dropped query may live on in a plan cache, without a way to exchange it.
void make_room() {
    while (ring.oldest != ring.next &&
           (ring.next - ring.oldest >= kMaxKept || ring.bytes > kMaxKeptBytes)) {
        Slot &slot = ring.slots[ring.oldest % kMaxKept];
        if (slot.number == ring.oldest && slot.kept.context != nullptr) {
            orphan_assumptions(slot.items);
            drop(slot);
        }
        ++ring.oldest;
    }
}

bool reads(const PlannedStmt *plan, Oid relation) {
    ListCell *cell = nullptr;
    foreach (cell, plan->rtable) {
        const auto *entry = static_cast<const RangeTblEntry *>(lfirst(cell));
        if (entry->rtekind == RTE_RELATION && entry->relid == relation) {
            return true;
        }
    }
    return false;
}

// Whether an item stands for one of the extension's own functions, which a variant calls where the
// base plan was folded.
bool is_own_function(const PlanInvalItem *item) {
    static constexpr const char *kNames[] = {"row_allowed",
                                             "brand_row_allowed",
                                             "accessible_customers",
                                             "unlimited_customers",
                                             "permitted_brands",
                                             "accessible_customer_uuids",
                                             "accessible_customer_codes",
                                             "accessible_customer",
                                             "permitted_brand",
                                             "earliest_visible_date",
                                             "earliest_visible_timestamp",
                                             "earliest_visible_timestamptz",
                                             "earliest_partition_date",
                                             "earliest_partition_timestamp",
                                             "earliest_partition_timestamptz"};
    if (item->cacheId != PROCOID) {
        return false;
    }
    const Oid schema = get_namespace_oid("entitle", true);
    for (const char *name : kNames) {
        CatCList *functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
        bool is_found = false;
        for (int i = 0; i < functions->n_members; ++i) {
            const auto *form = reinterpret_cast<const FormData_pg_proc *>(
                GETSTRUCT(&functions->members[i]->tuple));
            is_found =
                is_found ||
                (form->pronamespace == schema &&
                 item->hashValue == GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(form->oid)));
        }
        ReleaseCatCacheList(functions);
        if (is_found) {
            return true;
        }
    }
    return false;
}

bool has_item(const List *items, const PlanInvalItem *wanted) {
    ListCell *cell = nullptr;
    foreach (cell, items) {
        const auto *item = static_cast<const PlanInvalItem *>(lfirst(cell));
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
    ListCell *cell = nullptr;
    foreach (cell, variant->rtable) {
        const auto *entry = static_cast<const RangeTblEntry *>(lfirst(cell));
        if (entry->rtekind == RTE_RELATION && !reads(base, entry->relid)) {
            return false;
        }
    }
    foreach (cell, variant->relationOids) {
        if (!is_signal(lfirst_oid(cell)) &&
            !list_member_oid(base->relationOids, lfirst_oid(cell))) {
            return false;
        }
    }
    foreach (cell, variant->invalItems) {
        const auto *item = static_cast<const PlanInvalItem *>(lfirst(cell));
        if (item->cacheId >= 0 && !has_item(base->invalItems, item) && !is_own_function(item)) {
            return false;
        }
    }
    return true;
}

// Plans without parameters, so that the plan serves every execution. The relations are locked by
// the plan that brought us here, and that plan is valid, so its query is too.
PlannedStmt *make_variant(const Slot &slot, const char *source, bool is_scrolled) {
    const int options = slot.kept.cursor_options | (is_scrolled ? CURSOR_OPT_SCROLL : 0);
    return ::planner(copy_query(slot.kept), source, options, nullptr);
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

void tie_query(KeptQuery kept, PlannedStmt *plan) {
    if (!has_assumptions(plan)) {
        MemoryContextDelete(kept.context);
        return;
    }
    ring.next = ring.next == 0 ? 1 : ring.next;
    ring.oldest = ring.oldest == 0 ? 1 : ring.oldest;
    make_room();
    PlanInvalItem *item = makeNode(PlanInvalItem);
    item->cacheId = kQueryItem;
    item->hashValue = ring.next;
    plan->invalItems = lappend(plan->invalItems, item);

    MemoryContext previous = MemoryContextSwitchTo(kept.context);
    auto *items = static_cast<List *>(copyObjectImpl(plan->invalItems));
    MemoryContextSwitchTo(previous);
    MemoryContextSetParent(kept.context, CacheMemoryContext);
    Slot &slot = ring.slots[ring.next % kMaxKept];
    slot = Slot{ring.next, kept, plan, items, {}, 0, 0};
    account(slot);
    ++ring.next;
}

void note_start(const PlannedStmt *plan) {
    Slot *slot = find_slot(plan);
    if (slot != nullptr && slot->plan == plan) {
        drop(*slot);
    }
}

PlannedStmt *find_fitting(const PlannedStmt *plan, const char *source, bool is_scrolled) {
    Slot *slot = find_slot(plan);
    if (slot == nullptr) {
        return nullptr;
    }
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
    // Planning kept a query of its own, which may have taken the slot.
    if (slot->number == number && slot->kept.context != nullptr && is_covered(fresh, plan)) {
        MemoryContext previous = MemoryContextSwitchTo(slot->kept.context);
        slot->variants[slot->next_variant] = static_cast<PlannedStmt *>(copyObjectImpl(fresh));
        slot->next_variant = (slot->next_variant + 1) % kMaxVariants;
        MemoryContextSwitchTo(previous);
        account(*slot);
    }
    return fresh;
}

void drop_kept_queries() {
    for (Slot &slot : ring.slots) {
        drop(slot);
    }
    ring.oldest = ring.next;
}

} // namespace entitle::pg
