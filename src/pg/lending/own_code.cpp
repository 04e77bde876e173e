// Statements of the extension's own that run nobody else's code.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/lending/definer.hpp"
#include "pg/lending/made.hpp"

extern "C" {
#include "access/transam.h"
#include "parser/parsetree.h"
}

namespace entitle::pg {

namespace {

// Whether to write a table runs no code but the extension's own: it is one of the model's, with
// nobody else's triggers, types and foreign keys.
bool is_purely_own(Oid relation) {
    const Oid schema = extension_schema();
    if (!OidIsValid(schema) || get_rel_namespace(relation) != schema) {
        return false;
    }
    Relation table = table_open(relation, AccessShareLock);
    bool is_own = true;
    for (int i = 0; i < RelationGetDescr(table)->natts; ++i) {
        const FormData_pg_attribute *column = TupleDescAttr(RelationGetDescr(table), i);
        is_own = is_own && (column->attisdropped || column->atttypid < FirstNormalObjectId ||
                            get_typtype(column->atttypid) == TYPTYPE_BASE);
    }
    const int count = table->trigdesc == nullptr ? 0 : table->trigdesc->numtriggers;
    for (int i = 0; i < count; ++i) {
        const Trigger &trigger = table->trigdesc->triggers[i];
        is_own = is_own && (OidIsValid(trigger.tgconstrrelid)
                                ? get_rel_namespace(trigger.tgconstrrelid) == schema
                                : is_extension_schema(get_func_namespace(trigger.tgfoid)));
    }
    table_close(table, NoLock);
    return is_own;
}

} // namespace

bool runs_own_code_alone(const PlannedStmt *plan) {
    for (const int entry : each_int(entitle_targets(plan))) {
        if (!is_purely_own(rt_fetch(static_cast<Index>(entry), plan->rtable)->relid)) {
            return false;
        }
    }
    return !OidIsValid(function_in_charge());
}

} // namespace entitle::pg
