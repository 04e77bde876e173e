// The hooks: statements begin and end, plans meet their assumptions before they run, and index
// scans by row test get their true cost. Every hook calls the one before it.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/planner/assumption.hpp"
#include "pg/planner/closed_table.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/planner/index_cost.hpp"
#include "pg/subject/cursor.hpp"
#include "pg/planner/fenced_line.hpp"
#include "pg/planner/hook.hpp"
#include "pg/lending/lent_rights.hpp"
#include "pg/planner/opened_test.hpp"
#include "pg/planner/passed_test.hpp"
#include "pg/planner/plan_tree.hpp"
#include "pg/planner/redundant_filter.hpp"
#include "pg/planner/plan_variant.hpp"
#include "pg/subject/setting.hpp"
#include "pg/subject/statement.hpp"

extern "C" {
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
}

namespace entitle::pg {

namespace {

planner_hook_type next_planner = nullptr;
EntitleRelationHook next_relation_info = nullptr;
set_rel_pathlist_hook_type next_paths = nullptr;
ExecutorStart_hook_type next_start = nullptr;
ExecutorRun_hook_type next_run = nullptr;
ExecutorFinish_hook_type next_finish = nullptr;
ProcessUtility_hook_type next_utility = nullptr;

// A plan that costs more than this was made without looking at the asker's many grants, and would
// be better for it: about what loading 100,000 of them costs.
constexpr Cost kWorthLoading = 5000.0;

// Below this, planning once more costs more than a better plan can save.
constexpr Cost kWorthFencing = 500.0;

// The row tests' functions as planning met them.
constexpr int kMaxRowTests = 8;
Oid row_tests[kMaxRowTests];
int next_row_test = 0;

bool is_noted(Oid function) noexcept {
    for (const Oid known : row_tests) {
        if (known == function) {
            return true;
        }
    }
    return false;
}

// Whether the planner may put the function's query in the place of its call.
bool may_be_inlined(const RangeTblEntry *entry) {
    if (entry->rtekind != RTE_FUNCTION) {
        return false;
    }
    bool is_query = false;
    for (const auto *function : each<RangeTblFunction>(entry->functions)) {
        if (IsA(function->funcexpr, FuncExpr)) {
            const Oid oid = ENTITLE_NODE(FuncExpr, function->funcexpr)->funcid;
            HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
            if (HeapTupleIsValid(row)) {
                const auto *form = reinterpret_cast<const FormData_pg_proc *>(GETSTRUCT(row));
                is_query = is_query || form->prolang == SQLlanguageId;
                ReleaseSysCache(row);
            }
        }
    }
    return is_query;
}

// Row tests come into a query by row security, by the barrier views of protect_table, by inlined
// functions, or by name.
bool has_row_test(Node *node, void *) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        const auto *entry = ENTITLE_NODE(RangeTblEntry, node);
        return entry->security_barrier || may_be_inlined(entry);
    }
    if (IsA(node, Query)) {
        auto *query = ENTITLE_NODE(Query, node);
        return query->hasRowSecurity || query_tree_walker(query, ENTITLE_WALKER(has_row_test),
                                                          nullptr, QTW_EXAMINE_RTES_BEFORE);
    }
    if (IsA(node, FuncExpr) && is_noted(ENTITLE_NODE(FuncExpr, node)->funcid)) {
        return true;
    }
    return expression_tree_walker(node, ENTITLE_WALKER(has_row_test), nullptr);
}

// Whether a plan that runs itself runs only once: a statement of the client's. An SQL function runs
// its plan again at each call.
bool runs_once(const QueryDesc *query) noexcept {
    switch (query->dest->mydest) {
    case DestRemote:
    case DestRemoteExecute:
    case DestRemoteSimple:
        return true;
    default:
        return false;
    }
}

PlannedStmt *plan_next(ENTITLE_PLAN_PARAMETERS) {
    const planner_hook_type plan = next_planner != nullptr ? next_planner : standard_planner;
    PlannedStmt *result = plan(ENTITLE_PLAN_ARGUMENTS);
    if (take_forgotten()) {
        drop_plans();
    }
    if (has_assumptions(result) && !has_open_scan(result)) {
        drop_customers_as_begun(result);
    }
    return result;
}

// Plans without aggregating rows before they are joined.
PlannedStmt *plan_joins_first(ENTITLE_PLAN_PARAMETERS) {
    bool *const eager = entitle_eager_aggregation();
    if (eager == nullptr || !*eager) {
        return plan_next(ENTITLE_PLAN_ARGUMENTS);
    }
    PlannedStmt *result = nullptr;
    *eager = false;
    PG_TRY();
    { result = plan_next(ENTITLE_PLAN_ARGUMENTS); }
    PG_FINALLY();
    { *eager = true; }
    PG_END_TRY();
    return result;
}

// Has the finished plan ask for the permissions that its query relies on.
bool rely_on(PlannedStmt *plan, const List *permissions) {
    for (auto *permission : each<String>(permissions)) {
        if (!assume(plan, Question{Fact::permission_held, strVal(permission)}, true)) {
            return false;
        }
    }
    return true;
}

// Plans the query, and once more with its lines fenced where that may be worth it.
PlannedStmt *plan_lines(ENTITLE_PLAN_PARAMETERS) {
    auto *fenced = static_cast<Query *>(copyObjectImpl(query));
    PlannedStmt *result = plan_next(ENTITLE_PLAN_ARGUMENTS);
    if (result->planTree->total_cost > kWorthFencing && fence_lines(fenced)) {
        query = fenced;
        PlannedStmt *other = plan_joins_first(ENTITLE_PLAN_ARGUMENTS);
        result = other->planTree->total_cost < result->planTree->total_cost ? other : result;
    }
    return result;
}

// Plans a copy of the kept query, in which the row tests stand where they serve the planner best.
PlannedStmt *plan_kept(const KeptQuery &kept, ENTITLE_PLAN_PARAMETERS) {
    const List *permissions = drop_passed_tests(query);
    drop_repeated_tests(query);
    const Opened opened = open_tests(query);
    cursor_options &= opened.must_sort_last ? ~CURSOR_OPT_PARALLEL_OK : ~0;
    PlannedStmt *result = opened.has_lines   ? plan_lines(ENTITLE_PLAN_ARGUMENTS)
                          : opened.has_joins ? plan_joins_first(ENTITLE_PLAN_ARGUMENTS)
                                             : plan_next(ENTITLE_PLAN_ARGUMENTS);
    if (!rely_on(result, permissions)) {
        query = copy_query(kept);
        drop_repeated_tests(query);
        result = plan_next(ENTITLE_PLAN_ARGUMENTS);
    }
    return result;
}

// Whether a table is being created from a query: later releases of
// PostgreSQL (17.12, 18.6 and 19rc1, not 15.18) hand it to event triggers afterwards, and what
// planning leaves of it cannot be copied in every case.
bool is_creating_table = false;

PlannedStmt *on_plan(ENTITLE_PLAN_PARAMETERS) {
    if (is_creating_table) {
        query = static_cast<Query *>(copyObjectImpl(query));
    }
    const bool is_variant = (cursor_options & kVariantOption) != 0;
    cursor_options = check_lent_query(query, cursor_options & ~kVariantOption);
    // Should a row test come in by a way not known here, its plan cannot be exchanged.
    if (!has_row_test(reinterpret_cast<Node *>(query), nullptr)) {
        return plan_next(ENTITLE_PLAN_ARGUMENTS);
    }
    const int place = begin_statement(CurrentMemoryContext);
    const KeptQuery kept = keep_query(query, cursor_options);
    const std::uint64_t unknown = unknown_grants();
    PlannedStmt *result = plan_kept(kept, ENTITLE_PLAN_ARGUMENTS);
    if (unknown_grants() != unknown && result->planTree->total_cost > kWorthLoading) {
        load_asker_grants();
        query = copy_query(kept);
        result = plan_kept(kept, ENTITLE_PLAN_ARGUMENTS);
    }
    if (!is_variant && has_assumptions(result)) {
        bind_query(kept, result);
    } else {
        MemoryContextDelete(kept.context);
    }
    end_statement(place);
    return result;
}

void on_relation_info(ENTITLE_RELATION_PARAMETERS) {
    if (next_relation_info != nullptr) {
        next_relation_info(ENTITLE_RELATION_ARGUMENTS);
    }
    adjust_index_costs(info);
}

void on_paths(PlannerInfo *root, RelOptInfo *relation, Index number, RangeTblEntry *entry) {
    if (next_paths != nullptr) {
        next_paths(root, relation, number, entry);
    }
    prefer_index_scans(relation);
    leave_out_closed(relation);
}

// The plan may have been made for an asker with other rights: then the execution gets another.
void on_start(QueryDesc *query, int flags) {
    const int place = begin_statement(CurrentMemoryContext);
    fail_outdated_portals();
    // Parallel workers run the leader's plan, which the leader has asked about.
    if (!IsParallelWorker() && has_assumptions(query->plannedstmt)) {
        if (assumptions_hold(query->plannedstmt)) {
            note_started(query->plannedstmt, runs_once(query));
        } else {
            MemoryContext previous = MemoryContextSwitchTo(GetMemoryChunkContext(query));
            PlannedStmt *fitting = find_fitting(query->plannedstmt, query->sourceText,
                                                (flags & EXEC_FLAG_BACKWARD) != 0);
            MemoryContextSwitchTo(previous);
            if (fitting == nullptr) {
                drop_plans();
                raise_changed_rights();
            }
            query->plannedstmt = fitting;
        }
    }
    check_lent_start(query);
    if (query->plannedstmt->parallelModeNeeded && !IsParallelWorker()) {
        MemoryContext previous = MemoryContextSwitchTo(GetMemoryChunkContext(query));
        query->plannedstmt = without_asking_pruning(query->plannedstmt);
        MemoryContextSwitchTo(previous);
    }
    if (next_start != nullptr) {
        next_start(query, flags);
    } else {
        standard_ExecutorStart(query, flags);
    }
    note_lent_start(query);
    end_statement(place);
}

// Whether the run gives out rows of an execution that ran before, in a statement of its own. An SQL
// function that is read row by row is part of the query that calls it.
bool goes_on(const QueryDesc *query, ScanDirection direction) noexcept {
    return query->already_executed && !ScanDirectionIsNoMovement(direction) &&
           query->dest->mydest != DestSQLFunction;
}

// Whether an execution that ran before may go on.
bool may_go_on(const QueryDesc *query) {
    return has_begun_with(query, customers_version(query->plannedstmt)) &&
           (keeps_rights(query) || tests_each_row(query->plannedstmt));
}

// Rows that a portal keeps aside, as cursors WITH HOLD do, and what RETURNING gives.
bool fills_portal(const DestReceiver *receiver) noexcept {
    return receiver->mydest == DestTuplestore && PortalIsValid(ActivePortal) &&
           ActivePortal->holdStore != nullptr;
}

// Whether nobody can run the present portal again once it has given that many rows, 0 for all: not
// a client's plain statement, and not one of the extended protocol that went to its end.
bool is_portal_run_once(uint64 count) noexcept {
    return !ActivePortal->visible || (count == 0 && *ActivePortal->name == '\0');
}

// Ends a statement; whatever others put aside may be outdated since.
void end_and_look(int place) {
    end_statement(place);
    fail_outdated_portals();
    lock_if_outside();
}

// A cursor's FETCH is a run of its own: its plan is asked again, and can no longer be exchanged.
void on_run(ENTITLE_RUN_PARAMETERS) {
    const bool is_of_portal = PortalIsValid(ActivePortal) && ActivePortal->queryDesc == query;
    const bool is_only_run = is_of_portal && is_portal_run_once(count);
    const int place = begin_statement(query->estate->es_query_cxt,
                                      (is_of_portal && !is_only_run) || fills_portal(query->dest));
    check_lent_run(query);
    if (query->already_executed || fills_portal(query->dest)) {
        end_rewind(query);
    }
    if (!IsParallelWorker()) {
        const bool is_allowed =
            assumptions_hold(query->plannedstmt) || assumptions_hold_loaded(query->plannedstmt);
        if (!is_allowed || (goes_on(query, direction) && !may_go_on(query))) {
            raise_changed_rights();
        }
        if (!query->already_executed) {
            note_customers(query, customers_version(query->plannedstmt));
        }
        if (query->plannedstmt->parallelModeNeeded) {
            (void)current_asker(); // the workers' questions are not heard here
        }
    }
    if (next_run != nullptr) {
        next_run(ENTITLE_RUN_ARGUMENTS);
    } else {
        standard_ExecutorRun(ENTITLE_RUN_ARGUMENTS);
    }
    if (!IsParallelWorker() && asked_rights(place).is_set) {
        if (!is_only_run) {
            note_rights(query, with_grants(asked_rights(place)));
        }
        if (fills_portal(query->dest)) {
            note_portal(ActivePortal, with_grants(asked_rights(place)));
        }
    }
    if (fills_portal(query->dest)) {
        note_stored(query);
    }
    end_and_look(place);
}

void on_finish(QueryDesc *query) {
    if (next_finish != nullptr) {
        next_finish(query);
    } else {
        standard_ExecutorFinish(query);
    }
    check_lent_finish(query);
}

// DISCARD ALL gives the connection to the next client, who does not know this one's seal. Injected
// text cannot send it: PostgreSQL refuses it in a transaction and together with other statements.
// A FETCH of rows that were put aside meets no executor.
void on_utility(ENTITLE_UTILITY_PARAMETERS) {
    check_lent_utility(statement->utilityStmt);
    const bool is_discard =
        IsA(statement->utilityStmt, DiscardStmt) &&
        ENTITLE_NODE(DiscardStmt, statement->utilityStmt)->target == DISCARD_ALL;
    // Those put rows of cursors aside.
    const int place = begin_statement(nullptr, IsA(statement->utilityStmt, DeclareCursorStmt) ||
                                                   IsA(statement->utilityStmt, TransactionStmt));
    const bool was_creating_table = place > 0 && is_creating_table; // an error left it as it was
    is_creating_table = IsA(statement->utilityStmt, CreateTableAsStmt);
    if (IsA(statement->utilityStmt, FetchStmt)) {
        check_portal(ENTITLE_NODE(FetchStmt, statement->utilityStmt)->portalname);
    }
    fail_outdated_portals();
    const bool is_procedure =
        (IsA(statement->utilityStmt, DoStmt) || IsA(statement->utilityStmt, CallStmt)) &&
        begin_procedure();
    if (next_utility != nullptr) {
        next_utility(ENTITLE_UTILITY_ARGUMENTS);
    } else {
        standard_ProcessUtility(ENTITLE_UTILITY_ARGUMENTS);
    }
    is_creating_table = was_creating_table;
    if (fills_portal(receiver) && asked_rights(place).is_set) {
        note_portal(ActivePortal, with_grants(asked_rights(place)));
    }
    if (is_procedure) {
        end_procedure();
    }
    end_and_look(place);
    if (is_discard && *carried_seal() != '\0') {
        carry_seal("", false);
    }
}

} // namespace

void note_row_test(Oid function) noexcept {
    if (!is_noted(function)) {
        row_tests[next_row_test] = function;
        next_row_test = (next_row_test + 1) % kMaxRowTests;
    }
}

void install_hooks() {
    next_planner = planner_hook;
    planner_hook = on_plan;
    next_relation_info = ENTITLE_RELATION_HOOK;
    ENTITLE_RELATION_HOOK = on_relation_info;
    next_paths = set_rel_pathlist_hook;
    set_rel_pathlist_hook = on_paths;
    next_start = ExecutorStart_hook;
    ExecutorStart_hook = on_start;
    next_run = ExecutorRun_hook;
    ExecutorRun_hook = on_run;
    next_finish = ExecutorFinish_hook;
    ExecutorFinish_hook = on_finish;
    next_utility = ProcessUtility_hook;
    ProcessUtility_hook = on_utility;
    register_statements();
}

} // namespace entitle::pg
