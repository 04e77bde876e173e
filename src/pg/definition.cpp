// What is installed against what would be made now. Both are read by the server at hand, the one
// from its catalogue, the other from a text, and compared as it understands them: not as somebody
// printed them, under other settings or in another major.
#include "pg/postgres.hpp"

#include "pg/compat.hpp"
#include "pg/function.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "parser/analyze.h"
#include "parser/parse_clause.h"
#include "parser/parse_collate.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "utils/ruleutils.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

RawStmt *parse_one(const char *text) {
    List *statements = raw_parser(text, RAW_PARSE_DEFAULT);
    if (list_length(statements) != 1) {
        elog(ERROR, "one statement was expected");
    }
    return linitial_node(RawStmt, statements);
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
    Relation view = relation_open(PG_GETARG_OID(0), AccessShareLock);
    auto *shown = static_cast<Query *>(copyObjectImpl(get_view_query(view)));
    const char *query = text_to_cstring(PG_GETARG_TEXT_PP(1));
    Query *expected = ENTITLE_ANALYZE(parse_one(query), query);
    OffsetVarNodes(reinterpret_cast<Node *>(expected), kOwnViewEntries, 0);
    expected->rtable =
        list_concat(list_copy_head(shown->rtable, kOwnViewEntries), expected->rtable);
    const bool is_same =
        strcmp(pg_get_querydef(shown, false), pg_get_querydef(expected, false)) == 0;
    relation_close(view, AccessShareLock);
    PG_RETURN_BOOL(is_same);
}

// same_condition(relation, stored, condition, is_trigger) -> boolean: does a policy or a trigger of
// the table test this? regime: C
ENTITLE_FUNCTION(entitle_same_condition) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) {
        PG_RETURN_BOOL(PG_ARGISNULL(1) && PG_ARGISNULL(2));
    }
    const bool is_trigger = PG_GETARG_BOOL(3);
    Relation table = relation_open(PG_GETARG_OID(0), AccessShareLock);
    auto *stored = static_cast<Node *>(stringToNode(TextDatumGetCString(PG_GETARG_DATUM(1))));
    Node *expected = read_condition(table, text_to_cstring(PG_GETARG_TEXT_PP(2)), is_trigger);
    const bool is_same =
        equal(stored, expected) || (!is_trigger && strcmp(print_condition(table, stored),
                                                          print_condition(table, expected)) == 0);
    relation_close(table, AccessShareLock);
    PG_RETURN_BOOL(is_same);
}
