// Whether a view is made of a query: both are compared as PostgreSQL parsed them, so neither what
// the text looks like nor any setting that shapes it matters.
#include "pg/postgres.hpp"

#include "pg/compat.hpp"
#include "pg/function.hpp"

extern "C" {
#include "parser/analyze.h"
#include "parser/parser.h"
#include "rewrite/rewriteDefine.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
}

using namespace entitle::pg;

// has_query(view regclass, query text) -> boolean. It parses with the search_path of its caller.
// regime: C
ENTITLE_FUNCTION(entitle_has_query) {
    const Oid oid = PG_GETARG_OID(0);
    const char *source = text_to_cstring(PG_GETARG_TEXT_PP(1));
    List *statements = raw_parser(source, RAW_PARSE_DEFAULT);
    if (get_rel_relkind(oid) != RELKIND_VIEW || list_length(statements) != 1) {
        PG_RETURN_BOOL(false);
    }
    Query *made = ENTITLE_ANALYZE(static_cast<RawStmt *>(linitial(statements)), source);
    Relation view = relation_open(oid, AccessShareLock);
    const Query *stored = get_view_query(view);
    OffsetVarNodes(reinterpret_cast<Node *>(made), kOwnViewEntries, 0);
    made->rtable = list_concat(list_copy_head(stored->rtable, kOwnViewEntries), made->rtable);
    setRuleCheckAsUser(reinterpret_cast<Node *>(made), view->rd_rel->relowner);
    made->stmt_len = stored->stmt_len;
    const bool is_equal = equal(made, stored);
    relation_close(view, AccessShareLock);
    PG_RETURN_BOOL(is_equal);
}
