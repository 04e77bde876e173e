// The defaults of filtered views: those of the table as they are when a row is written, not as they
// were when the view was made.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"

extern "C" {
#include "catalog/pg_attribute.h"
#include "rewrite/rewriteHandler.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

// The column of the table that stands at a place of its view, counted as view_columns counts.
AttrNumber find_column(TupleDesc columns, int place) {
    int seen = 0;
    for (int i = 0; i < columns->natts; ++i) {
        if (!TupleDescAttr(columns, i)->attisdropped && ++seen == place) {
            return TupleDescAttr(columns, i)->attnum;
        }
    }
    return InvalidAttrNumber;
}

Node *find_default(Oid table, int place, Oid type) {
    Relation relation = try_relation_open(table, AccessShareLock);
    if (relation == nullptr) {
        return nullptr;
    }
    const AttrNumber number = find_column(RelationGetDescr(relation), place);
    const Oid own = number == InvalidAttrNumber
                        ? InvalidOid
                        : TupleDescAttr(RelationGetDescr(relation), number - 1)->atttypid;
    // Of a domain the view asks by what it is over. No other domain: that would have its checks.
    if (!OidIsValid(own) || (own != type && getBaseType(own) != type)) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the filtered view of \"%s\" is not as it was made",
                               RelationGetRelationName(relation)),
                        errhint("Call entitle.protect_table again.")));
    }
    const bool is_plain =
        TupleDescAttr(RelationGetDescr(relation), number - 1)->attgenerated == '\0' &&
        TupleDescAttr(RelationGetDescr(relation), number - 1)->attidentity == '\0';
    Node *expression = is_plain ? build_column_default(relation, number) : nullptr;
    relation_close(relation, AccessShareLock);
    return expression;
}

} // namespace

// column_default(relation, place, type) -> the column's default, evaluated with the caller's rights
// as that of an INSERT into the table itself. regime: C
ENTITLE_FUNCTION(entitle_column_default) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) {
        PG_RETURN_NULL();
    }
    Node *expression =
        find_default(PG_GETARG_OID(0), PG_GETARG_INT32(1), get_fn_expr_argtype(fcinfo->flinfo, 2));
    if (expression == nullptr) {
        PG_RETURN_NULL();
    }
    EState *estate = CreateExecutorState();
    MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
    ExprState *state = ExecPrepareExpr(reinterpret_cast<Expr *>(expression), estate);
    bool is_null = false;
    Datum value = ExecEvalExprSwitchContext(state, GetPerTupleExprContext(estate), &is_null);
    MemoryContextSwitchTo(caller);
    if (!is_null) {
        std::int16_t length = 0;
        bool by_value = false;
        get_typlenbyval(get_fn_expr_rettype(fcinfo->flinfo), &length, &by_value);
        value = datumCopy(value, by_value, length);
    }
    FreeExecutorState(estate);
    if (is_null) {
        PG_RETURN_NULL();
    }
    return value;
}
