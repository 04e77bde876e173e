#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/lending/definer.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/boundary/once.hpp"
#include "pg/lending/lent_rights.hpp"
#include "pg/lending/made.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "executor/execdesc.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_expr.h"
#include "parser/parser.h"
#include "parser/parsetree.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/plancache.h"
}

namespace entitle::pg {

namespace {

needs_fmgr_hook_type next_needs = nullptr;

// Marks executions that were started with lent rights, among the flags that PostgreSQL keeps with
// them; its own end far below.
constexpr int kLent = 0x40000000;

// Whether plans were made without lent rights since all were dropped last: one of them may have
// taken in a function of the borrowers' that no longer shows.
bool has_foreign_plans = true;

// Executions of other roles' own code, with the settings they met.
struct Watched {
    const QueryDesc *query;
    SubTransactionId transaction;
    char *path;
    int reading;
};
constexpr int kMaxWatched = 64;
Watched watched[kMaxWatched];
int watched_count = 0;

// What the borrowers made, where it has to be kept away.
const Made *find_kept_away() {
    const Made *made = OidIsValid(lender()) ? find_made() : nullptr;
    return made != nullptr && made->is_anything() ? made : nullptr;
}

void drop_foreign_plans(const Made *made) {
    if (made->has_code && has_foreign_plans) {
        ResetPlanCache();
        has_foreign_plans = false;
    }
}

bool check_called(Oid function, void *) {
    check_function(function);
    return false;
}

bool check_node(Node *node, void *) {
    if (node == nullptr) {
        return false;
    }
    check_functions_in_node(node, check_called, nullptr);
    switch (nodeTag(node)) {
    case T_OpExpr:
    case T_DistinctExpr:
    case T_NullIfExpr:
        // The three are one struct.
        check_operator(reinterpret_cast<OpExpr *>(node)->opno);
        break;
    case T_ScalarArrayOpExpr:
        check_operator(ENTITLE_NODE(ScalarArrayOpExpr, node)->opno);
        break;
    case T_RowCompareExpr: {
        for (const Oid operation : each_oid(ENTITLE_NODE(RowCompareExpr, node)->opnos)) {
            check_operator(operation);
        }
        break;
    }
    case T_CoerceToDomain:
        check_type(ENTITLE_NODE(CoerceToDomain, node)->resulttype);
        break;
    case T_CoerceViaIO:
        check_type(ENTITLE_NODE(CoerceViaIO, node)->resulttype);
        break;
    case T_RowExpr:
        check_type(ENTITLE_NODE(RowExpr, node)->row_typeid);
        break;
    case T_Const:
        check_constant(ENTITLE_NODE(Const, node));
        break;
    case T_Query:
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(check_node), nullptr, 0);
    default:
        break;
    }
    return expression_tree_walker(node, ENTITLE_WALKER(check_node), nullptr);
}

// Rows go to partitions that the plan does not name.
void check_partitions(Oid relation) {
    List *members = find_all_inheritors(relation, NoLock, nullptr);
    for (const Oid member : each_oid(members)) {
        check_relation(member);
    }
    list_free(members);
}

// Constraints, defaults, indexes and conditions of triggers are evaluated without a plan.
void check_targets(const PlannedStmt *plan) {
    for (const int entry : each_int(entitle_targets(plan))) {
        const Oid relation = rt_fetch(static_cast<Index>(entry), plan->rtable)->relid;
        check_partitions(relation);
        check_attached(relation);
    }
}

// PostgreSQL looks again at keys that may be put off when the statement ends that began a cascade,
// and computes their expressions with the rights of that statement.
void check_put_off(const PlannedStmt *plan) {
    for (const int entry : each_int(entitle_targets(plan))) {
        const Oid relation = rt_fetch(static_cast<Index>(entry), plan->rtable)->relid;
        for (const Oid member : each_oid(find_all_inheritors(relation, NoLock, nullptr))) {
            check_deferrable_keys(member);
        }
    }
}

bool is_written(const PlannedStmt *plan) {
    return plan->commandType != CMD_SELECT || plan->hasModifyingCTE;
}

// The settings that decide how a statement's text is read, which pin_settings has set by then.
int reading_settings() {
    return (entitle_standard_strings() ? 1 : 0) | (Transform_null_equals ? 2 : 0) |
           backslash_quote << 2;
}

void watch(const QueryDesc *query) {
    if (watched_count == kMaxWatched) {
        ereport(ERROR, (errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
                        errmsg("foreign keys and triggers of other roles are nested too deeply")));
    }
    watched[watched_count++] = Watched{
        query, GetCurrentSubTransactionId(),
        MemoryContextStrdup(TopTransactionContext, namespace_search_path), reading_settings()};
}

// What an error left behind goes with its subtransaction.
void on_subtransaction(SubXactEvent event, SubTransactionId transaction, SubTransactionId, void *) {
    while (event == SUBXACT_EVENT_ABORT_SUB && watched_count > 0 &&
           watched[watched_count - 1].transaction >= transaction) {
        --watched_count;
    }
}

// Whether it is a trigger function of somebody else. The extension's own are not lent anything that
// they would not have, and their errors name what they mean.
bool is_foreign_trigger(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    const auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const bool is_foreign =
        form->prorettype == TRIGGEROID && !is_extension_schema(form->pronamespace);
    ReleaseSysCache(tuple);
    return is_foreign;
}

// Asked for every function that PostgreSQL looks up, but for those built in.
bool on_lookup(Oid function) {
    const Made *made = OidIsValid(lender()) ? find_made() : nullptr;
    if (made != nullptr && made->is_anything() && !runs_as_borrower(made)) {
        check_function(function);
    }
    // Triggers are watched: other roles' get no rights, and an error can name them.
    return (made != nullptr && is_foreign_trigger(function)) ||
           (next_needs != nullptr && next_needs(function));
}

void pin(const char *name, const char *value) {
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

} // namespace

void pin_settings() {
    if (!entitle_standard_strings()) {
        pin("standard_conforming_strings", "on");
    }
    if (backslash_quote == BACKSLASH_QUOTE_ON) {
        pin("backslash_quote", "safe_encoding");
    }
    if (Transform_null_equals) {
        pin("transform_null_equals", "off");
    }
}

void pin_texts() {
    if (bytea_output != BYTEA_OUTPUT_HEX) {
        pin("bytea_output", "hex");
    }
    if (extra_float_digits != 1) {
        pin("extra_float_digits", "1");
    }
}

void check_lent_function(Oid function, bool is_definer) {
    const Made *made = OidIsValid(lender()) ? find_made() : nullptr;
    if (made == nullptr) {
        return;
    }
    // A SECURITY DEFINER function has taken its owner's rights by now.
    if (made->is_anything() && (is_definer ? watched_count == 0 : !runs_as_borrower(made))) {
        check_function(function);
    }
    // PostgreSQL leaves what a foreign key's cascade fires afterwards to the statement that began
    // it.
    if (!is_definer && is_lender_kind(GetUserId()) && is_foreign_trigger(function)) {
        check_trigger_function(function);
    }
}

int check_lent_query(Query *query, int cursor_options) {
    demand_seen();
    const Made *made = find_kept_away();
    if (made == nullptr) {
        has_foreign_plans = true;
        return cursor_options;
    }
    if (runs_as_borrower(made)) {
        has_foreign_plans = true;
    } else if (made->has_code || OidIsValid(made->temporary)) {
        drop_foreign_plans(made);
        check_node(reinterpret_cast<Node *>(query), nullptr);
    }
    // A parallel worker would not know whose rights it has.
    return cursor_options & ~CURSOR_OPT_PARALLEL_OK;
}

void check_lent_start(QueryDesc *query) {
    demand_seen();
    const Made *made = find_kept_away();
    if (made == nullptr || runs_as_borrower(made)) {
        return;
    }
    PlannedStmt *plan = query->plannedstmt;
    const bool is_write = is_written(plan);
    if (is_view_write() || (is_write && !runs_own_code_alone(plan))) {
        check_types(made);
    }
    drop_foreign_plans(made);
    // Not the plan's list of relations: constants of type regclass stand there, too.
    for (const auto *entry : each<RangeTblEntry>(plan->rtable)) {
        check_relation(entry->relid);
    }
    if (is_write && (made->has_code || made->has_relations)) {
        check_targets(plan);
    }
    if (plan->parallelModeNeeded) {
        auto *alone = static_cast<PlannedStmt *>(
            MemoryContextAlloc(GetMemoryChunkContext(query), sizeof(PlannedStmt)));
        *alone = *plan;
        alone->parallelModeNeeded = false;
        query->plannedstmt = alone;
    }
}

void note_lent_start(QueryDesc *query) {
    const Made *made = OidIsValid(lender()) ? find_made() : nullptr;
    if (made == nullptr) {
        return;
    }
    query->estate->es_top_eflags |= kLent;
    const bool is_explained = (query->estate->es_top_eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0;
    // A foreign key's cascade runs as the owner of the referring table, who need not have called.
    if (!is_lender_kind(GetUserId()) && !is_explained) {
        check_put_off(query->plannedstmt);
        watch(query);
    }
}

void check_lent_run(const QueryDesc *query) {
    // A parallel worker is given the leader's flags, and nobody's rights: it runs what the leader
    // was let run.
    if (IsParallelWorker()) {
        return;
    }
    const bool was_lent = (query->estate->es_top_eflags & kLent) != 0;
    if (was_lent == (OidIsValid(lender()) && find_made() != nullptr)) {
        return;
    }
    if (was_lent) {
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("the cursor was opened with the rights of another role"),
                 errdetail("A trigger opened it while the extension lent its owner's rights."),
                 errhint("Read it where it is opened, and close it there.")));
    }
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the cursor is the caller's own, and would be read with the rights of "
                           "\"%s\"",
                           GetUserNameFromId(lender(), false)),
                    errhint("Let the trigger open a cursor of its own.")));
}

void check_lent_finish(const QueryDesc *query) {
    for (int i = watched_count - 1; i >= 0; --i) {
        if (watched[i].query == query) {
            watched_count = i;
            const bool is_path = strcmp(watched[i].path, namespace_search_path) != 0;
            if (is_path || watched[i].reading != reading_settings()) {
                const char *setting = is_path ? "search_path" : "how statements are read";
                ereport(ERROR,
                        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                         errmsg("code of \"%s\" changed %s while a row of \"%s\" was written",
                                GetUserNameFromId(GetUserId(), false), setting,
                                GetUserNameFromId(lender(), true)),
                         errhint("Set it for the function alone: ALTER FUNCTION ... SET "
                                 "%s = ...;",
                                 is_path ? "search_path" : "standard_conforming_strings")));
            }
            pfree(watched[i].path);
            return;
        }
    }
}

void forget_watched() noexcept { watched_count = 0; }

void watch_lookups() {
    once([] { RegisterSubXactCallback(on_subtransaction, nullptr); });
    watch_made();
    next_needs = needs_fmgr_hook;
    needs_fmgr_hook = on_lookup;
}

} // namespace entitle::pg
