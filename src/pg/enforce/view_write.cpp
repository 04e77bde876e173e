// The trigger behind filtered views. It takes on the rights of the table's owner, as PostgreSQL's
// own foreign key triggers do, and leaves the rules to entitle_internal.write_row: a SECURITY
// DEFINER function would run the table's triggers, defaults and constraints with a superuser's.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/boundary/internal_function.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/quiet.hpp"
#include "pg/boundary/table_owner.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "utils/typcache.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

constexpr char kViewTrigger[] = "a trigger of filtered views";

// The owner of the table that the view is of.
Oid find_owner(Relation view) {
    const Oid types[] = {REGCLASSOID};
    FmgrInfo function;
    LOCAL_FCINFO(call, 1);
    fmgr_info(internal_function("view_relation", 1, types), &function);
    InitFunctionCallInfoData(*call, &function, 1, InvalidOid, nullptr, nullptr);
    call->args[0].value = ObjectIdGetDatum(RelationGetRelid(view));
    call->args[0].isnull = false;
    const Datum relation = FunctionCallInvoke(call);
    const Oid owner = call->isnull ? InvalidOid : table_owner(DatumGetObjectId(relation));
    if (!OidIsValid(owner)) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("view \"%s\" is not one that protect_table made",
                               RelationGetRelationName(view)),
                        errhint("Call entitle.protect_table for its table.")));
    }
    return owner;
}

void put_row(NullableDatum &argument, HeapTuple row, Relation view) {
    argument.isnull = row == nullptr;
    argument.value = row == nullptr ? static_cast<Datum>(0)
                                    : heap_copy_tuple_as_datum(row, RelationGetDescr(view));
}

bool is_like(TupleDesc row, TupleDesc view) {
    if (row->natts != view->natts) {
        return false;
    }
    for (int i = 0; i < row->natts; ++i) {
        const FormData_pg_attribute *column = TupleDescAttr(row, i);
        const FormData_pg_attribute *wanted = TupleDescAttr(view, i);
        if (column->attisdropped || wanted->attisdropped || column->atttypid != wanted->atttypid) {
            return false;
        }
    }
    return true;
}

// Raises unless the row has the view's columns: the executor reads it by their types.
void check_row(HeapTupleHeader row, Relation view) {
    TupleDesc columns =
        lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    const bool is_right = is_like(columns, RelationGetDescr(view));
    ReleaseTupleDesc(columns);
    if (!is_right) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the filtered view \"%s\" is not as protect_table made it",
                               RelationGetRelationName(view)),
                        errhint("Call entitle.protect_table again.")));
    }
}

} // namespace

// entitle_internal.write_view, INSTEAD OF INSERT OR UPDATE OR DELETE. R3, R37. regime: C
ENTITLE_FUNCTION(entitle_write_view) {
    const TriggerData *trigger = require_trigger(fcinfo, kViewTrigger);
    if (!TRIGGER_FIRED_INSTEAD(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("this function is %s", kViewTrigger)));
    }
    Relation view = trigger->tg_relation;
    const bool is_insert = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
    const bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
    const Oid owner = find_owner(view);

    const Oid types[] = {REGCLASSOID, TEXTOID, ANYELEMENTOID, ANYELEMENTOID};
    FmgrInfo function;
    LOCAL_FCINFO(call, 4);
    fmgr_info(internal_function("write_row", 4, types), &function);
    // What the polymorphic arguments are, it reads from the expression that calls it.
    auto *row_type = reinterpret_cast<Node *>(makeNullConst(view->rd_rel->reltype, -1, InvalidOid));
    List *arguments = list_make4(makeNullConst(REGCLASSOID, -1, InvalidOid),
                                 makeNullConst(TEXTOID, -1, InvalidOid), row_type, row_type);
    auto *expression = reinterpret_cast<Node *>(makeFuncExpr(
        function.fn_oid, RECORDOID, arguments, InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL));
    fmgr_info_set_expr(expression, &function);
    InitFunctionCallInfoData(*call, &function, 4, InvalidOid, nullptr, nullptr);
    call->args[0].value = ObjectIdGetDatum(RelationGetRelid(view));
    call->args[0].isnull = false;
    call->args[1].value =
        CStringGetTextDatum(is_insert ? "INSERT" : (is_update ? "UPDATE" : "DELETE"));
    call->args[1].isnull = false;
    put_row(call->args[2], is_insert ? nullptr : trigger->tg_trigtuple, view);
    put_row(call->args[3],
            is_insert ? trigger->tg_trigtuple : (is_update ? trigger->tg_newtuple : nullptr), view);

    // A superuser needs no rights of another, and keeps the own (R53). An error on the way restores
    // the user, with the transaction.
    Oid caller = InvalidOid;
    int context = 0;
    GetUserIdAndSecContext(&caller, &context);
    if (!superuser_arg(caller)) {
        SetUserIdAndSecContext(owner, context | SECURITY_LOCAL_USERID_CHANGE);
    }
    const Datum written = invoke_quietly(call);
    SetUserIdAndSecContext(caller, context);
    if (call->isnull) {
        return Datum(0);
    }
    HeapTupleHeader header = DatumGetHeapTupleHeader(written);
    check_row(header, view);
    HeapTupleData row;
    row.t_len = HeapTupleHeaderGetDatumLength(header);
    ItemPointerSetInvalid(&row.t_self);
    row.t_tableOid = InvalidOid;
    row.t_data = header;
    HeapTuple copy = heap_copytuple(&row);
    entitle_clear_datum(copy->t_data);
    return PointerGetDatum(copy);
}
