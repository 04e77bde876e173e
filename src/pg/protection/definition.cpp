// What is installed against what would be made now. Both are read by the server at hand, the one
// from its catalogue, the other from a text, and compared as it understands them: not as somebody
// printed them, under other settings or in another major.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/function.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_trigger.h"
#include "nodes/makefuncs.h"
#include "parser/analyze.h"
#include "parser/parse_clause.h"
#include "parser/parse_collate.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"
#include "utils/ruleutils.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

RawStmt *parse_one(const char *text) {
    List *statements = raw_parser(text, RAW_PARSE_DEFAULT);
    if (list_length(statements) != 1) {
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("one statement was expected")));
    }
    return linitial_node(RawStmt, statements);
}

// Only a view has the query that is looked at.
Relation open_view(Oid relation) {
    Relation view = try_relation_open(relation, AccessShareLock);
    if (view == nullptr || view->rd_rel->relkind != RELKIND_VIEW) {
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("the relation with OID %u is not a view", relation)));
    }
    return view;
}

void add_table(ParseState *state, Relation table, const char *alias) {
    ParseNamespaceItem *item = addRangeTableEntryForRelation(
        state, table, AccessShareLock, alias == nullptr ? nullptr : makeAlias(alias, NIL), false,
        false);
    addNSItemToQuery(state, item, false, true, true);
}

// As CREATE POLICY and CREATE TRIGGER read a condition.
Node *read_condition(Relation table, const char *condition, bool is_trigger) {
    RawStmt *raw = parse_one(psprintf("SELECT WHERE %s", condition));
    ParseState *state = make_parsestate(nullptr);
    if (is_trigger) {
        add_table(state, table, "old");
        add_table(state, table, "new");
    } else {
        add_table(state, table, nullptr);
    }
    Node *clause = castNode(SelectStmt, raw->stmt)->whereClause;
    Node *tree = transformWhereClause(
        state, clause, is_trigger ? EXPR_KIND_TRIGGER_WHEN : EXPR_KIND_POLICY, "WHERE");
    assign_expr_collations(state, tree);
    return tree;
}

const char *print_condition(Relation table, Node *tree) {
    List *context = deparse_context_for(RelationGetRelationName(table), RelationGetRelid(table));
    return deparse_expression(tree, context, false, false);
}

} // namespace

// view_shows(view, query) -> boolean: is the view's query this one? R36. regime: C
ENTITLE_FUNCTION(entitle_view_shows) {
    Relation view = open_view(PG_GETARG_OID(0));
    auto *shown = static_cast<Query *>(copyObjectImpl(get_view_query(view)));
    const char *query = text_to_cstring(PG_GETARG_TEXT_PP(1));
    Query *expected = ENTITLE_ANALYZE(parse_one(query), query);
    if (expected->commandType != CMD_SELECT) {
        relation_close(view, AccessShareLock);
        PG_RETURN_BOOL(false);
    }
    OffsetVarNodes(reinterpret_cast<Node *>(expected), kOwnViewEntries, 0);
    expected->rtable =
        list_concat(list_copy_head(shown->rtable, kOwnViewEntries), expected->rtable);
    const bool is_same =
        strcmp(pg_get_querydef(shown, false), pg_get_querydef(expected, false)) == 0;
    relation_close(view, AccessShareLock);
    PG_RETURN_BOOL(is_same);
}

// same_condition(part, object, condition) -> boolean: does the policy ('using', 'check') or the
// trigger ('when') with that OID test this? The stored tree is read from the catalogue, because no
// other is safe to look into. regime: C
ENTITLE_FUNCTION(entitle_same_condition) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) {
        PG_RETURN_BOOL(false);
    }
    const char *part = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const bool is_trigger = strcmp(part, "when") == 0;
    const bool is_check = strcmp(part, "check") == 0;
    if (!is_trigger && !is_check && strcmp(part, "using") != 0) {
        PG_RETURN_BOOL(false);
    }
    Relation catalog =
        table_open(is_trigger ? TriggerRelationId : PolicyRelationId, AccessShareLock);
    ScanKeyData key;
    static_assert(Anum_pg_trigger_oid == Anum_pg_policy_oid);
    ScanKeyInit(&key, Anum_pg_policy_oid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(PG_GETARG_OID(1)));
    SysScanDesc scan = systable_beginscan(
        catalog, is_trigger ? TriggerOidIndexId : PolicyOidIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    Oid owner = InvalidOid;
    const char *tree = nullptr;
    if (HeapTupleIsValid(tuple)) {
        owner = is_trigger ? reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple))->tgrelid
                           : reinterpret_cast<Form_pg_policy>(GETSTRUCT(tuple))->polrelid;
        bool is_null = false;
        const Datum stored = heap_getattr(tuple,
                                          is_trigger ? Anum_pg_trigger_tgqual
                                          : is_check ? Anum_pg_policy_polwithcheck
                                                     : Anum_pg_policy_polqual,
                                          RelationGetDescr(catalog), &is_null);
        tree = is_null ? nullptr : TextDatumGetCString(stored);
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    if (!OidIsValid(owner) || tree == nullptr || PG_ARGISNULL(2)) {
        PG_RETURN_BOOL(OidIsValid(owner) && tree == nullptr && PG_ARGISNULL(2));
    }
    Relation table = relation_open(owner, AccessShareLock);
    auto *stored = static_cast<Node *>(stringToNode(tree));
    Node *expected = read_condition(table, text_to_cstring(PG_GETARG_TEXT_PP(2)), is_trigger);
    const bool is_same =
        equal(stored, expected) || (!is_trigger && strcmp(print_condition(table, stored),
                                                          print_condition(table, expected)) == 0);
    relation_close(table, AccessShareLock);
    PG_RETURN_BOOL(is_same);
}
