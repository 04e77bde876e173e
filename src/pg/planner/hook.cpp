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
#include "pg/planner/hook.hpp"
#include "pg/planner/look_up_cost.hpp"
#include "pg/lending/lent_rights.hpp"
#include "pg/planner/plan_tree.hpp"
#include "pg/planner/planner.hpp"
#include "pg/planner/plan_variant.hpp"
#include "pg/planner/told_array.hpp"
#include "pg/subject/setting.hpp"
#include "pg/subject/statement.hpp"

extern "C" {
#include "commands/extension.h"
#include "executor/spi.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
}

namespace entitle::pg {

namespace {

EntitleRelationHook next_relation_info = nullptr;
set_rel_pathlist_hook_type next_paths = nullptr;
ExecutorStart_hook_type next_start = nullptr;
ExecutorRun_hook_type next_run = nullptr;
ExecutorFinish_hook_type next_finish = nullptr;
ProcessUtility_hook_type next_utility = nullptr;

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

void on_relation_info(ENTITLE_RELATION_PARAMETERS) {
    if (next_relation_info != nullptr) {
        next_relation_info(ENTITLE_RELATION_ARGUMENTS);
    }
    adjust_index_costs(info);
    look_for_told_arrays(root);
}

void on_paths(PlannerInfo *root, RelOptInfo *relation, Index number, RangeTblEntry *entry) {
    if (next_paths != nullptr) {
        next_paths(root, relation, number, entry);
    }
    price_look_ups(root, relation);
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

// Rows that a portal keeps aside, as cursors WITH HOLD do, and what RETURNING gives.
bool fills_portal(const DestReceiver *receiver) noexcept {
    return receiver->mydest == DestTuplestore && PortalIsValid(ActivePortal) &&
           ActivePortal->holdStore != nullptr;
}

// Whether PostgreSQL reads all rows of a cursor anew to put them aside, and finds the cursor's
// place among them by its number.
bool counts_rows_anew(const QueryDesc *query) noexcept {
    return fills_portal(query->dest) && (ActivePortal->cursorOptions & CURSOR_OPT_SCROLL) != 0 &&
           !ActivePortal->atStart;
}

// Whether an execution that ran before may go on.
bool may_go_on(const QueryDesc *query) {
    return has_begun_with(query, customers_version(query->plannedstmt)) &&
           (keeps_rights(query) ||
            (tests_each_row(query->plannedstmt) && !counts_rows_anew(query)));
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

// Whether a command explains one that makes a table, and so may make it: PostgreSQL calls no event
// trigger then.
bool explains_new_table(Node *command) {
    if (!IsA(command, ExplainStmt) || !IsA(ENTITLE_NODE(ExplainStmt, command)->query, Query)) {
        return false;
    }
    Node *explained = ENTITLE_NODE(Query, ENTITLE_NODE(ExplainStmt, command)->query)->utilityStmt;
    return explained != nullptr && IsA(explained, CreateTableAsStmt);
}

// What the event trigger does for whoever made a table in a guarded schema (R67, S440).
void close_new_tables() {
    if (!OidIsValid(get_extension_oid("entitle", true))) {
        return; // nobody knows whose function that would be
    }
    SPI_connect();
    if (SPI_execute("SELECT entitle_internal.close_new_tables()", false, 0) != SPI_OK_SELECT) {
        elog(ERROR, "a new table of a guarded schema was not closed");
    }
    SPI_finish();
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
    const bool is_creating_table = IsA(statement->utilityStmt, CreateTableAsStmt);
    const bool was_creating_table = set_creating_table(is_creating_table);
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
    (void)set_creating_table(place > 0 && was_creating_table); // an error left it as it was
    if (explains_new_table(statement->utilityStmt)) {
        close_new_tables();
    }
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

void install_hooks() {
    register_statements();
    install_planner();
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
}

} // namespace entitle::pg
