// The only place that knows PostgreSQL versions: one wrapper per difference, with the reason.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_constraint.h"
#include "nodes/plannodes.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "parser/parser.h"
#include "utils/guc.h"
#include "utils/regproc.h"
}

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

// PostgreSQL 18 lists the libraries that are loaded, by name and version.
#if PG_VERSION_NUM >= 180000
#define ENTITLE_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "entitle", .version = ENTITLE_VERSION)
#else
#define ENTITLE_MODULE_MAGIC PG_MODULE_MAGIC
#endif

// PostgreSQL 17 finds the sequence of an identity column by the open table.
#if PG_VERSION_NUM >= 170000
#define ENTITLE_IDENTITY_SEQUENCE(relation, column) getIdentitySequence(relation, column, false)
#else
#define ENTITLE_IDENTITY_SEQUENCE(relation, column)                                                \
    getIdentitySequence(RelationGetRelid(relation), column, false)
#endif

// The parts of ALTER TABLE that write rows anew, or bring or take rows with a partition. PostgreSQL
// 17 can give a generated column another expression.
inline bool entitle_alters_rows(AlterTableType part) {
#if PG_VERSION_NUM >= 170000
    if (part == AT_SetExpression) {
        return true;
    }
#endif
    return part == AT_AlterColumnType || part == AT_AttachPartition || part == AT_DetachPartition ||
           part == AT_DetachPartitionFinalize;
}

// PostgreSQL 18 dropped the execute_once argument of ExecutorRun and its hook.
#if PG_VERSION_NUM >= 180000
#define ENTITLE_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define ENTITLE_RUN_ARGUMENTS query, direction, count
#else
#define ENTITLE_RUN_PARAMETERS                                                                     \
    QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once
#define ENTITLE_RUN_ARGUMENTS query, direction, count, execute_once
#endif

// PostgreSQL 19 hands planners what EXPLAIN was told, and its hook for relations has another name
// and place.
#if PG_VERSION_NUM >= 190000
#define ENTITLE_PLAN_PARAMETERS                                                                    \
    Query *query, const char *source, int cursor_options, ParamListInfo parameters,                \
        ExplainState *explained
#define ENTITLE_PLAN_ARGUMENTS query, source, cursor_options, parameters, explained
#define ENTITLE_PLAN(query, source, cursor_options, parameters)                                    \
    ::planner(query, source, cursor_options, parameters, nullptr)
using EntitleRelationHook = build_simple_rel_hook_type;
#define ENTITLE_RELATION_HOOK build_simple_rel_hook
#define ENTITLE_RELATION_PARAMETERS PlannerInfo *root, RelOptInfo *info, RangeTblEntry *entry
#define ENTITLE_RELATION_ARGUMENTS root, info, entry
#else
#define ENTITLE_PLAN_PARAMETERS                                                                    \
    Query *query, const char *source, int cursor_options, ParamListInfo parameters
#define ENTITLE_PLAN_ARGUMENTS query, source, cursor_options, parameters
#define ENTITLE_PLAN(query, source, cursor_options, parameters)                                    \
    ::planner(query, source, cursor_options, parameters)
using EntitleRelationHook = get_relation_info_hook_type;
#define ENTITLE_RELATION_HOOK get_relation_info_hook
#define ENTITLE_RELATION_PARAMETERS                                                                \
    PlannerInfo *root, Oid relation, bool is_parent, RelOptInfo *info
#define ENTITLE_RELATION_ARGUMENTS root, relation, is_parent, info
#endif

// PostgreSQL 19 gave the numbers of syscaches a type.
#if PG_VERSION_NUM >= 190000
using EntitleSyscache = SysCacheIdentifier;
#else
using EntitleSyscache = int;
#endif

// PostgreSQL 19 reads strings as the standard has them, whatever is set.
inline bool entitle_standard_strings() noexcept {
#if PG_VERSION_NUM >= 190000
    return true;
#else
    return standard_conforming_strings;
#endif
}

// PostgreSQL 19 made the list of a plan's target tables a set. Returns: their numbers in the range
// table.
inline List *entitle_targets(const PlannedStmt *plan) {
#if PG_VERSION_NUM >= 190000
    List *targets = NIL;
    for (int i = -1; (i = bms_next_member(plan->resultRelationRelids, i)) >= 0;) {
        targets = lappend_int(targets, i);
    }
    return targets;
#else
    return plan->resultRelations;
#endif
}

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
#define ENTITLE_MUTATOR(mutator) (mutator)
#else
#define ENTITLE_MUTATOR(mutator) (reinterpret_cast<Node *(*)()>(reinterpret_cast<void *>(mutator)))
#define ENTITLE_WALKER(walker) reinterpret_cast<bool (*)()>(reinterpret_cast<void *>(walker))
#endif

// PostgreSQL 14 gave ExecInsertIndexTuples the relation, 16 a flag for summarizing indexes, 19 one
// argument for all flags.
#if PG_VERSION_NUM >= 190000
#define ENTITLE_INSERT_INDEX_TUPLES(target, slot, state)                                           \
    ExecInsertIndexTuples(target, state, 0, slot, NIL, nullptr)
#elif PG_VERSION_NUM >= 160000
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

// PostgreSQL 19 tells what is done to the rows that an index finds.
#if PG_VERSION_NUM >= 190000
#define ENTITLE_INDEX_FETCH_BEGIN(relation) table_index_fetch_begin(relation, 0)
#else
#define ENTITLE_INDEX_FETCH_BEGIN(relation) table_index_fetch_begin(relation)
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

// PostgreSQL 16 asks of all kinds of object by one function who owns them.
inline bool entitle_is_owner(Oid relation, Oid role) {
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(RelationRelationId, relation, role);
#else
    return pg_class_ownercheck(relation, role);
#endif
}

// PostgreSQL 16 can hand a name's errors back instead of raising them.
inline List *entitle_name_list(const char *name) {
#if PG_VERSION_NUM >= 160000
    return stringToQualifiedNameList(name, nullptr);
#else
    return stringToQualifiedNameList(name);
#endif
}

// What a plan's entry asks of its table's columns. Returns: a null pointer for one that asks
// nothing.
inline const EntitleAccess *entitle_access_of([[maybe_unused]] const PlannedStmt *plan,
                                              const RangeTblEntry *entry) {
#if PG_VERSION_NUM >= 160000
    return entry->perminfoindex == 0
               ? nullptr
               : static_cast<const EntitleAccess *>(
                     list_nth(plan->permInfos, static_cast<int>(entry->perminfoindex) - 1));
#else
    return entry;
#endif
}

// PostgreSQL 14 tells the analysis hook how a query's constants were jumbled, 19 lets it only look.
#if PG_VERSION_NUM >= 190000
#define ENTITLE_ANALYZE_PARAMETERS ParseState *state, Query *query, const JumbleState *jumble
#define ENTITLE_ANALYZE_ARGUMENTS state, query, jumble
#elif PG_VERSION_NUM >= 140000
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

// PostgreSQL 18 brought foreign keys with a PERIOD, which lead to several versions of a row.
inline bool entitle_is_temporal([[maybe_unused]] const FormData_pg_constraint *key) {
#if PG_VERSION_NUM >= 180000
    return key->conperiod;
#else
    return false;
#endif
}

// PostgreSQL 18 gave the expressions that a query groups by an entry in its range table.
inline List *entitle_group_expressions([[maybe_unused]] const RangeTblEntry *entry) {
#if PG_VERSION_NUM >= 180000
    return entry->rtekind == RTE_GROUP ? entry->groupexprs : NIL;
#else
    return NIL;
#endif
}

// PostgreSQL 19 may aggregate rows before they are joined. Forbids it until the end; an error ends
// it, too.
inline int entitle_begin_joins_first() {
#if PG_VERSION_NUM >= 190000
    const int level = NewGUCNestLevel();
    (void)set_config_option("enable_eager_aggregate", "off", PGC_USERSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
    return level;
#else
    return 0;
#endif
}
inline void entitle_end_joins_first([[maybe_unused]] int level) {
#if PG_VERSION_NUM >= 190000
    AtEOXact_GUC(true, level);
#endif
}

// PostgreSQL 18 brought NOT NULL that nobody has looked at yet.
inline bool entitle_is_not_null(TupleDesc columns, AttrNumber column) {
#if PG_VERSION_NUM >= 180000
    return TupleDescCompactAttr(columns, column - 1)->attnullability == ATTNULLABLE_VALID;
#else
    return TupleDescAttr(columns, column - 1)->attnotnull;
#endif
}

// PostgreSQL 16 moved what a query does with a table's columns out of its range table. Has a query
// ask for the same privileges as another one's entry, without reading the table.
inline void entitle_keep_privileges(Query *query, [[maybe_unused]] const Query *from,
                                    const RangeTblEntry *entry) {
    auto *kept = static_cast<RangeTblEntry *>(copyObjectImpl(entry));
    kept->securityQuals = NIL;
#if PG_VERSION_NUM >= 160000
    if (kept->perminfoindex > 0) {
        query->rteperminfos =
            lappend(query->rteperminfos,
                    copyObjectImpl(
                        list_nth(from->rteperminfos, static_cast<int>(kept->perminfoindex) - 1)));
        kept->perminfoindex = static_cast<Index>(list_length(query->rteperminfos));
    }
#endif
    query->rtable = lappend(query->rtable, kept);
}

// PostgreSQL 18 counts what settings switched off in a path; before, that cost ten billion.
inline int entitle_disabled([[maybe_unused]] const Path *path) {
#if PG_VERSION_NUM >= 180000
    return path->disabled_nodes;
#else
    return 0;
#endif
}

// PostgreSQL 18 moved what leaves out partitions from the nodes of a plan to a list of the whole.
inline PartitionPruneInfo *entitle_pruning_of([[maybe_unused]] const PlannedStmt *plan,
                                              const Plan *node) {
#if PG_VERSION_NUM >= 180000
    const int number = IsA(node, Append)        ? ENTITLE_NODE(Append, node)->part_prune_index
                       : IsA(node, MergeAppend) ? ENTITLE_NODE(MergeAppend, node)->part_prune_index
                                                : -1;
    return number < 0 ? nullptr
                      : static_cast<PartitionPruneInfo *>(list_nth(plan->partPruneInfos, number));
#else
    return IsA(node, Append)        ? ENTITLE_NODE(Append, node)->part_prune_info
           : IsA(node, MergeAppend) ? ENTITLE_NODE(MergeAppend, node)->part_prune_info
                                    : nullptr;
#endif
}

// Lets a node read all its partitions. From PostgreSQL 18 on the executor opens no others than
// those that the plan lists as out of any pruning's reach, and those that its prunings leave in.
inline void entitle_disable_runtime_pruning([[maybe_unused]] PlannedStmt *plan, Plan *node) {
#if PG_VERSION_NUM >= 180000
    for (auto *item : entitle::pg::each<List>(entitle_pruning_of(plan, node)->prune_infos)) {
        for (auto *info : entitle::pg::each<PartitionedRelPruneInfo>(item)) {
            for (int i = 0; i < info->nparts; ++i) {
                if (info->leafpart_rti_map[i] > 0) {
                    plan->unprunableRelids =
                        bms_add_member(plan->unprunableRelids, info->leafpart_rti_map[i]);
                }
            }
            // The list's are worked out whether or not a node asks for them.
            info->initial_pruning_steps = NIL;
            info->exec_pruning_steps = NIL;
        }
    }
    int &number = IsA(node, Append) ? ENTITLE_NODE(Append, node)->part_prune_index
                                    : ENTITLE_NODE(MergeAppend, node)->part_prune_index;
    number = -1;
#else
    PartitionPruneInfo *&info = IsA(node, Append)
                                    ? ENTITLE_NODE(Append, node)->part_prune_info
                                    : ENTITLE_NODE(MergeAppend, node)->part_prune_info;
    info = nullptr;
#endif
}
