// The function of a scan's node is exchanged for one that calls it and looks at the row which it
// gave: what the query asks of the table alone has been asked by then, and nothing else. Nothing is
// done to the row. Workers have no part in it: such a plan runs without them.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/table_owner.hpp"
#include "pg/observe/judge.hpp"
#include "pg/observe/observed_scan.hpp"
#include "pg/observe/reported_table.hpp"
#include "pg/observe/seen_rows.hpp"
#include "pg/protection/masked_columns.hpp"

extern "C" {
#include "access/tableam.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

#include <new>
#include <unordered_map>

namespace entitle::pg {

namespace {

ExecutorStart_hook_type next_start = nullptr;
ExecutorFinish_hook_type next_finish = nullptr;

// One table of a statement, read as one user.
struct Reading {
    Judge *judge;
    Bitmapset *masks; // of the judge's masked columns, those that the statement reads
    SeenRows hidden;
    SeenRows shown;
};

// One scan.
struct Watch {
    ScanState *scan;
    ExecProcNodeMtd run; // the node's own
    Reading *reading;
    RowShape shape;
    TupleTableSlot *fetched; // of an index-only scan, which has no row of the table
    IndexFetchTableData *fetch;
};

// All that a statement reads of such tables. Ends with the statement's memory.
struct Observation {
    MemoryContextCallback callback;
    QueryDesc *query;
    std::vector<Reading *> readings;
    std::vector<Watch *> watches;
};

using Watches = std::unordered_map<const PlanState *, Watch *>;
Watches &watches() {
    static NoDestructor<Watches> the_watches;
    return the_watches.get();
}
const PlanState *last_node = nullptr;
Watch *last_watch = nullptr;

// regime: callback
void end_observation(void *argument) {
    auto *observation = static_cast<Observation *>(argument);
    for (Watch *watch : observation->watches) {
        watches().erase(&watch->scan->ps);
    }
    last_node = nullptr;
    for (Reading *reading : observation->readings) {
        release_judge(reading->judge);
        reading->~Reading();
    }
    observation->~Observation();
}

// Looks the row of an index-only scan up without touching the scan: where that looks for a row
// itself and finds none, it takes the index entry for dead (S494). The scan has the entry's row,
// or, once it has looked, the version of it that it found.
TupleTableSlot *looked_up(const Watch &watch) {
    const auto *scan = reinterpret_cast<const IndexOnlyScanState *>(watch.scan);
    const Snapshot snapshot = scan->ioss_ScanDesc->xs_snapshot;
    ItemPointerData at = scan->ioss_ScanDesc->xs_heaptid;
    bool is_again = false;
    ExecClearTuple(watch.fetched);
    bool is_found =
        table_index_fetch_tuple(watch.fetch, &at, snapshot, watch.fetched, &is_again, nullptr);
    table_index_fetch_reset(watch.fetch); // the slot keeps its page
    if (!is_found) {
        at = scan->ioss_ScanDesc->xs_heaptid;
        is_found = table_tuple_fetch_row_version(watch.scan->ss_currentRelation, &at, snapshot,
                                                 watch.fetched);
    }
    return is_found ? watch.fetched : nullptr;
}

TupleTableSlot *scanned_row(const Watch &watch) {
    return watch.fetched == nullptr ? watch.scan->ss_ScanTupleSlot : looked_up(watch);
}

// Counts the columns of a row that shows in which the asker would find nothing.
void count_masked(Reading &reading, const RowMatter &matter, const RowShape &shape,
                  TupleTableSlot *row) {
    for (int i = bms_next_member(reading.masks, -1); i >= 0;
         i = bms_next_member(reading.masks, i)) {
        if (!allows(*reading.judge, kFirstMask + i, matter)) {
            count_denied(*reading.judge, kFirstMask + i, matter, "mask", shape, row);
        }
    }
}

void look_at(Watch &watch, TupleTableSlot *row) {
    Reading &reading = *watch.reading;
    const RowMatter matter = read_matter(*reading.judge, watch.shape, row);
    const bool shows = allows(*reading.judge, kSee, matter);
    if (shows && reading.masks == nullptr) {
        return;
    }
    bool is_new = false;
    compute([&] {
        is_new = (shows ? reading.shown : reading.hidden).add(row->tts_tableOid, row->tts_tid);
    });
    if (!is_new) {
        return;
    }
    if (shows) {
        count_masked(reading, matter, watch.shape, row);
    } else {
        count_denied(*reading.judge, kSee, matter, "select", watch.shape, row);
    }
}

TupleTableSlot *run_watched(PlanState *node) {
    if (node != last_node) {
        last_watch = watches().find(node)->second;
        last_node = node;
    }
    Watch &watch = *last_watch; // the call may lead to another
    TupleTableSlot *given = watch.run(node);
    if (!TupIsNull(given)) {
        MemoryContext scratch = watch.reading->judge->scratch;
        MemoryContext previous = MemoryContextSwitchTo(scratch);
        TupleTableSlot *row = scanned_row(watch);
        if (row != nullptr && !TTS_EMPTY(row)) {
            look_at(watch, row);
        }
        MemoryContextSwitchTo(previous);
        MemoryContextReset(scratch);
    }
    return given;
}

bool is_scan(const PlanState *node) noexcept {
    switch (nodeTag(node)) {
    case T_SeqScanState:
    case T_SampleScanState:
    case T_IndexScanState:
    case T_IndexOnlyScanState:
    case T_BitmapHeapScanState:
    case T_TidScanState:
    case T_TidRangeScanState:
        return true;
    default:
        return false;
    }
}

// What the statement asks of the table: by this entry of the range table, or, of a part, by one
// that names the table above. Returns: a null pointer when nothing tells.
const EntitleAccess *find_access(const PlannedStmt *plan, const RangeTblEntry *entry, Oid root) {
    const EntitleAccess *access = entitle_access_of(plan, entry);
    if (access != nullptr && access->requiredPerms != 0) {
        return access;
    }
    for (const auto *other : each<RangeTblEntry>(plan->rtable)) {
        const EntitleAccess *above =
            other->rtekind == RTE_RELATION && find_reported(other->relid) == root
                ? entitle_access_of(plan, other)
                : nullptr;
        if (above != nullptr && above->requiredPerms != 0) {
            return above;
        }
    }
    return access;
}

bool may_read_masked(Oid relation, Oid user) {
    const Oid owner = table_owner(relation);
    return OidIsValid(owner) && has_privs_of_role(user, owner);
}

// Adds the masked columns that the statement reads, by whatever entry.
void add_masks(Reading &reading, const PlannedStmt *plan) {
    const Judge &judge = *reading.judge;
    for (const auto *entry : each<RangeTblEntry>(plan->rtable)) {
        const EntitleAccess *access =
            entry->rtekind == RTE_RELATION && find_reported(entry->relid) == judge.root
                ? entitle_access_of(plan, entry)
                : nullptr;
        for (int i = 0; access != nullptr && i < judge.masked.count; ++i) {
            const AttrNumber column = get_attnum(entry->relid, judge.masked.columns[i].name);
            if (bms_is_member(bit_of(column), access->selectedCols) ||
                bms_is_member(bit_of(InvalidAttrNumber), access->selectedCols)) {
                reading.masks = bms_add_member(reading.masks, i);
            }
        }
    }
}

// Finds or begins the reading of a table. Returns: a null pointer where enforcement would change
// nothing.
Reading *find_reading(Observation &observation, Oid root, Oid user) {
    for (Reading *reading : observation.readings) {
        if (reading->judge->root == root) {
            return reading;
        }
    }
    MemoryContext context = observation.query->estate->es_query_cxt;
    void *place = MemoryContextAlloc(context, sizeof(Reading));
    Judge *judge = hold_steady_judge(root);
    if (!judge->is_usable || sees_all(*judge)) {
        release_judge(judge);
        return nullptr;
    }
    auto *reading = new (place) Reading{judge, nullptr, {}, {}};
    compute([&] { observation.readings.push_back(reading); });
    if (!may_read_masked(root, user)) {
        add_masks(*reading, observation.query->plannedstmt);
    }
    return reading;
}

void watch_scan(Observation &observation, ScanState *scan) {
    Relation relation = scan->ss_currentRelation;
    const Oid root = relation == nullptr ? InvalidOid : find_reported(RelationGetRelid(relation));
    const PlannedStmt *plan = observation.query->plannedstmt;
    const auto number = static_cast<int>(reinterpret_cast<const Scan *>(scan->ps.plan)->scanrelid);
    // Of the table that is written the triggers tell. Several expressions may lead to one sub-plan.
    if (!OidIsValid(root) || scan->ps.ExecProcNodeReal == run_watched ||
        list_member_int(entitle_targets(plan), number)) {
        return;
    }
    const EntitleAccess *access = find_access(plan, rt_fetch(number, plan->rtable), root);
    const Oid user =
        access != nullptr && OidIsValid(access->checkAsUser) ? access->checkAsUser : GetUserId();
    Reading *reading = would_bind(root, user) ? find_reading(observation, root, user) : nullptr;
    if (reading == nullptr) {
        return;
    }
    EState *state = observation.query->estate;
    auto *watch = static_cast<Watch *>(palloc0(sizeof(Watch)));
    watch->scan = scan;
    watch->run = scan->ps.ExecProcNodeReal;
    watch->reading = reading;
    watch->shape = make_shape(*reading->judge, relation);
    if (!watch->shape.is_usable) {
        return;
    }
    if (IsA(scan, IndexOnlyScanState)) {
        watch->fetched = ExecInitExtraTupleSlot(state, RelationGetDescr(relation),
                                                table_slot_callbacks(relation));
        watch->fetch = ENTITLE_INDEX_FETCH_BEGIN(relation);
    }
    compute([&] {
        observation.watches.push_back(watch);
        watches()[&scan->ps] = watch;
    });
    scan->ps.ExecProcNodeReal = run_watched; // instrumented nodes call it, too
}

bool walk(PlanState *node, void *argument) {
    if (node == nullptr) {
        return false;
    }
    if (is_scan(node)) {
        watch_scan(*static_cast<Observation *>(argument), reinterpret_cast<ScanState *>(node));
    }
    return planstate_tree_walker(node, ENTITLE_WALKER(walk), argument);
}

bool reads_reported(const PlannedStmt *plan) {
    for (const auto *entry : each<RangeTblEntry>(plan->rtable)) {
        if (entry->rtekind == RTE_RELATION && OidIsValid(find_reported(entry->relid))) {
            return true;
        }
    }
    return false;
}

// Workers would look at rows, too, and tell nobody. Without the mark all of the plan is run here.
void run_alone(QueryDesc *query) {
    auto *alone = static_cast<PlannedStmt *>(palloc(sizeof(PlannedStmt)));
    *alone = *query->plannedstmt;
    alone->parallelModeNeeded = false;
    query->plannedstmt = alone;
}

void observe(QueryDesc *query) {
    MemoryContext context = query->estate->es_query_cxt;
    MemoryContext previous = MemoryContextSwitchTo(context);
    auto *observation = new (MemoryContextAllocZero(context, sizeof(Observation))) Observation{};
    observation->callback.func = end_observation;
    observation->callback.arg = observation;
    observation->query = query;
    MemoryContextRegisterResetCallback(context, &observation->callback);
    (void)walk(query->planstate, observation);
    if (!observation->watches.empty() && query->plannedstmt->parallelModeNeeded) {
        run_alone(query);
    }
    MemoryContextSwitchTo(previous);
}

void on_start(QueryDesc *query, int flags) {
    if (next_start != nullptr) {
        next_start(query, flags);
    } else {
        standard_ExecutorStart(query, flags);
    }
    if (has_reported_tables() && (flags & EXEC_FLAG_EXPLAIN_ONLY) == 0 && !IsParallelWorker() &&
        reads_reported(query->plannedstmt)) {
        observe(query);
    }
}

void on_finish(QueryDesc *query) {
    if (next_finish != nullptr) {
        next_finish(query);
    } else {
        standard_ExecutorFinish(query);
    }
    tell_log();
}

} // namespace

void install_observed_scans() {
    next_start = ExecutorStart_hook;
    ExecutorStart_hook = on_start;
    next_finish = ExecutorFinish_hook;
    ExecutorFinish_hook = on_finish;
}

} // namespace entitle::pg
