// The only place that knows PostgreSQL versions: one wrapper per difference, with the reason.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"

// PostgreSQL 16 moved the memory of GUC extras and strings into its own context; before, malloc.
#if PG_VERSION_NUM >= 160000
inline void *entitle_guc_alloc(std::size_t size) { return guc_malloc(LOG, size); }
#else
inline void *entitle_guc_alloc(std::size_t size) { return malloc(size); }
#endif

// MarkGUCPrefixReserved is new in PostgreSQL 15; before, it only warned.
#if PG_VERSION_NUM >= 150000
#define ENTITLE_RESERVE_SETTINGS(prefix) MarkGUCPrefixReserved(prefix)
#else
#define ENTITLE_RESERVE_SETTINGS(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

// PostgreSQL 18 dropped the execute_once argument of ExecutorRun and its hook.
#if PG_VERSION_NUM >= 180000
#define ENTITLE_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define ENTITLE_RUN_ARGUMENTS query, direction, count
#define ENTITLE_RUNS_ONCE false
#else
#define ENTITLE_RUN_PARAMETERS                                                                     \
    QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once
#define ENTITLE_RUN_ARGUMENTS query, direction, count, execute_once
#define ENTITLE_RUNS_ONCE execute_once
#endif

// PostgreSQL 14 tells utility hooks whether the tree may be changed.
#if PG_VERSION_NUM >= 140000
#define ENTITLE_UTILITY_PARAMETERS                                                                 \
    PlannedStmt *statement, const char *source, bool read_only, ProcessUtilityContext context,     \
        ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,           \
        QueryCompletion *completion
#define ENTITLE_UTILITY_ARGUMENTS                                                                  \
    statement, source, read_only, context, parameters, environment, receiver, completion
#else
#define ENTITLE_UTILITY_PARAMETERS                                                                 \
    PlannedStmt *statement, const char *source, ProcessUtilityContext context,                     \
        ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,           \
        QueryCompletion *completion
#define ENTITLE_UTILITY_ARGUMENTS                                                                  \
    statement, source, context, parameters, environment, receiver, completion
#endif

// PostgreSQL 16 gave the callbacks of tree walkers a type; before, they took any function.
#if PG_VERSION_NUM >= 160000
#define ENTITLE_WALKER(walker) (walker)
#else
#define ENTITLE_WALKER(walker) reinterpret_cast<bool (*)()>(reinterpret_cast<void *>(walker))
#endif

// PostgreSQL 14 gave ExecInsertIndexTuples the relation, 16 a flag for summarizing indexes.
#if PG_VERSION_NUM >= 160000
#define ENTITLE_INSERT_INDEX_TUPLES(target, slot, state)                                           \
    ExecInsertIndexTuples(target, slot, state, false, false, nullptr, NIL, false)
#elif PG_VERSION_NUM >= 140000
#define ENTITLE_INSERT_INDEX_TUPLES(target, slot, state)                                           \
    ExecInsertIndexTuples(target, slot, state, false, false, nullptr, NIL)
#else
#define ENTITLE_INSERT_INDEX_TUPLES(target, slot, state)                                           \
    ((state)->es_result_relation_info = (target),                                                  \
     ExecInsertIndexTuples(slot, state, false, nullptr, NIL))
#endif

// Since the minor releases of November 2026 (15.20 among them) rows that are values carry a mark,
// which a row that goes back to the executor must not.
inline void entitle_clear_datum([[maybe_unused]] HeapTupleHeader row) {
#ifdef HEAP_IS_DATUM
    if (HeapTupleHeaderIsDatum(row)) {
        HeapTupleHeaderClearDatum(row);
    }
#endif
}

// PostgreSQL 16 moved what a query does with a table's columns out of its range table.
#if PG_VERSION_NUM >= 160000
using EntitleAccess = RTEPermissionInfo;
#define ENTITLE_CHECK_PARAMETERS List *entries, List *accesses, bool is_error
#define ENTITLE_CHECK_ARGUMENTS entries, accesses, is_error
#define ENTITLE_CHECKED accesses
#else
using EntitleAccess = RangeTblEntry;
#define ENTITLE_CHECK_PARAMETERS List *entries, bool is_error
#define ENTITLE_CHECK_ARGUMENTS entries, is_error
#define ENTITLE_CHECKED entries
#endif

// PostgreSQL 14 tells the analysis hook how a query's constants were jumbled.
#if PG_VERSION_NUM >= 140000
#define ENTITLE_ANALYZE_PARAMETERS ParseState *state, Query *query, JumbleState *jumble
#define ENTITLE_ANALYZE_ARGUMENTS state, query, jumble
#else
#define ENTITLE_ANALYZE_PARAMETERS ParseState *state, Query *query
#define ENTITLE_ANALYZE_ARGUMENTS state, query
#endif

// PostgreSQL 15 gave the analysis of a statement without parameters a name of its own.
#if PG_VERSION_NUM >= 150000
#define ENTITLE_ANALYZE(statement, text)                                                           \
    parse_analyze_fixedparams(statement, text, nullptr, 0, nullptr)
#else
#define ENTITLE_ANALYZE(statement, text) parse_analyze(statement, text, nullptr, 0, nullptr)
#endif

// Before PostgreSQL 16 a view's query began its range table with two entries of the view's own.
#if PG_VERSION_NUM >= 160000
constexpr int kOwnViewEntries = 0;
#else
constexpr int kOwnViewEntries = 2;
#endif

// PostgreSQL 14 made the array of a statement's target tables a list.
inline List *entitle_result_relations(const EState *state) {
#if PG_VERSION_NUM >= 140000
    return state->es_opened_result_relations;
#else
    List *relations = NIL;
    for (int i = 0; i < state->es_num_result_relations; ++i) {
        relations = lappend(relations, &state->es_result_relations[i]);
    }
    return relations;
#endif
}

// PostgreSQL 15 brought MERGE, whose actions may delete.
inline List *entitle_merge_actions([[maybe_unused]] const ModifyTable *node) {
#if PG_VERSION_NUM >= 150000
    List *actions = NIL;
    for (auto *item : entitle::pg::each<List>(node->mergeActionLists)) {
        actions = list_concat(actions, item);
    }
    return actions;
#else
    return NIL;
#endif
}
