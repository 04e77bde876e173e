// Finds the FALSE among a table's conditions.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/closed_table.hpp"

extern "C" {
#include "optimizer/paths.h"
}

namespace entitle::pg {

void leave_out_closed(RelOptInfo *relation) {
    for (const auto *condition : each<RestrictInfo>(relation->baserestrictinfo)) {
        const Expr *clause = condition->clause;
        if (IsA(clause, Const) && (ENTITLE_NODE(Const, clause)->constisnull ||
                                   !DatumGetBool(ENTITLE_NODE(Const, clause)->constvalue))) {
            mark_dummy_rel(relation);
            return;
        }
    }
}

} // namespace entitle::pg
