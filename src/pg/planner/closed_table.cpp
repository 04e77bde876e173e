// Finds the FALSE among a table's conditions.
#include "pg/boundary/postgres.hpp"

#include "pg/planner/closed_table.hpp"

extern "C" {
#include "optimizer/paths.h"
}

namespace entitle::pg {

void leave_out_closed(RelOptInfo *relation) {
    ListCell *cell = nullptr;
    foreach (cell, relation->baserestrictinfo) {
        const auto *clause =
            reinterpret_cast<const Const *>(lfirst_node(RestrictInfo, cell)->clause);
        if (IsA(clause, Const) && (clause->constisnull || !DatumGetBool(clause->constvalue))) {
            mark_dummy_rel(relation);
            return;
        }
    }
}

} // namespace entitle::pg
