// A ring of kept queries. The plan names its query by number, among its invalidation items.
#include "pg/postgres.hpp"

#include "pg/assumption.hpp"
#include "pg/replan.hpp"

extern "C" {
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
}

namespace entitle::pg {

namespace {

// No syscache has this number, so PostgreSQL skips the item.
constexpr int kQueryItem = -7773;

// One-off statements pass through too, so the ring must be longer than what is prepared and planned
// together.
constexpr uint32 kMaxKept = 256;

// Big queries push out older ones before the ring is full.
constexpr Size kMaxKeptBytes = 4 * 1024 * 1024;

struct Slot {
    uint32 number;
    KeptQuery kept;
};
Slot ring[kMaxKept];
uint32 next_number = 1;
uint32 oldest_number = 1;
Size kept_bytes = 0;

const KeptQuery *find_query(const PlannedStmt *plan) {
    ListCell *cell = nullptr;
    foreach (cell, plan->invalItems) {
        const auto *item = static_cast<const PlanInvalItem *>(lfirst(cell));
        if (item->cacheId == kQueryItem) {
            const Slot &slot = ring[item->hashValue % kMaxKept];
            return slot.number == item->hashValue && slot.kept.context != nullptr ? &slot.kept
                                                                                  : nullptr;
        }
    }
    return nullptr;
}

void drop_oldest() {
    Slot &slot = ring[oldest_number % kMaxKept];
    ++oldest_number;
    kept_bytes -= MemoryContextMemAllocated(slot.kept.context, true);
    MemoryContextDelete(slot.kept.context);
    slot.kept.context = nullptr;
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

void tie_query(KeptQuery kept, PlannedStmt *plan) {
    if (!has_assumptions(plan)) {
        MemoryContextDelete(kept.context);
        return;
    }
    PlanInvalItem *item = makeNode(PlanInvalItem);
    item->cacheId = kQueryItem;
    item->hashValue = next_number;
    plan->invalItems = lappend(plan->invalItems, item);

    while (oldest_number != next_number &&
           (next_number - oldest_number >= kMaxKept || kept_bytes > kMaxKeptBytes)) {
        drop_oldest();
    }
    MemoryContextSetParent(kept.context, CacheMemoryContext);
    kept_bytes += MemoryContextMemAllocated(kept.context, true);
    ring[next_number % kMaxKept] = Slot{next_number, kept};
    ++next_number;
}

PlannedStmt *replan(const PlannedStmt *plan, const char *source, ParamListInfo parameters) {
    const KeptQuery *kept = find_query(plan);
    if (kept == nullptr) {
        return nullptr;
    }
    // The relations are locked by the plan that brought us here, and that plan is valid, so its
    // query is too.
    auto *query = static_cast<Query *>(copyObjectImpl(kept->query));
    return ::planner(query, source, kept->cursor_options, parameters);
}

} // namespace entitle::pg
