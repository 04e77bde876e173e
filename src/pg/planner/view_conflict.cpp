#include "pg/boundary/postgres.hpp"

#include "pg/boundary/internal_function.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/view_conflict.hpp"

extern "C" {
#include "access/table.h"
#include "nodes/value.h"
#include "parser/parsetree.h"
#include "utils/rel.h"
}

namespace entitle::pg {

namespace {

bool is_filtered_view(Oid view) {
    const Oid writer = internal_function("write_view", 0, nullptr, true);
    Relation relation = table_open(view, NoLock); // the statement has locked it
    const TriggerDesc *triggers = relation->trigdesc;
    bool is_found = false;
    for (int i = 0; triggers != nullptr && OidIsValid(writer) && i < triggers->numtriggers; ++i) {
        is_found = is_found || triggers->triggers[i].tgfoid == writer;
    }
    table_close(relation, NoLock);
    return is_found;
}

// The table that the view is of, as a name that can be written; null for a view that was not
// recorded.
const char *find_table_name(Oid view) {
    const Oid types[] = {REGCLASSOID};
    FmgrInfo function;
    LOCAL_FCINFO(call, 1);
    fmgr_info(internal_function("view_relation", 1, types, true), &function);
    InitFunctionCallInfoData(*call, &function, 1, InvalidOid, nullptr, nullptr);
    call->args[0].value = ObjectIdGetDatum(view);
    call->args[0].isnull = false;
    const Datum table = FunctionCallInvoke(call);
    const char *name = call->isnull ? nullptr : get_rel_name(DatumGetObjectId(table));
    return name == nullptr
               ? nullptr
               : quote_qualified_identifier(
                     get_namespace_name(get_rel_namespace(DatumGetObjectId(table))), name);
}

void refuse_here(const Query *query) {
    const OnConflictExpr *conflict = query->onConflict;
    if (conflict == nullptr || conflict->arbiterElems == NIL) {
        return;
    }
    const RangeTblEntry *target = rt_fetch(query->resultRelation, query->rtable);
    // PostgreSQL has put the table in the place of any other view that it can write.
    if (target->relkind != RELKIND_VIEW || !is_filtered_view(target->relid)) {
        return;
    }
    const char *table = find_table_name(target->relid);
    if (table == nullptr) {
        return;
    }
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("INSERT ... ON CONFLICT does not work on filtered view \"%s\"",
                           get_rel_name(target->relid)),
                    errhint("Write the table itself, %s, where the same rules hold; or use MERGE, "
                            "which takes the view from PostgreSQL 17 on.",
                            table)));
}

} // namespace

void refuse_view_conflict(const Query *query) {
    refuse_here(query);
    // Queries that write stand in the outermost WITH alone.
    for (const auto *with : each<CommonTableExpr>(query->cteList)) {
        if (with->ctequery != nullptr && IsA(with->ctequery, Query)) {
            refuse_here(ENTITLE_NODE(Query, with->ctequery));
        }
    }
}

} // namespace entitle::pg
