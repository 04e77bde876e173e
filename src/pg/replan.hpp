// The queries behind plans that carry assumptions. When a cached plan no longer fits the asker, the
// execution under way is planned anew from its query instead of being refused. regime: C
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/plannodes.h"
}

namespace entitle::pg {

// A copy of a query, made before planning scribbles on it.
struct KeptQuery {
    MemoryContext context; // null: nothing was kept
    Query *query;
    int cursor_options;
};

KeptQuery keep_query(const Query *query, int cursor_options);

// Ties the copy to its plan if the plan carries assumptions, else drops it.
void tie_query(KeptQuery kept, PlannedStmt *plan);

// Plans the query behind `plan` anew for the present asker. Returns: null when it is no longer
// kept.
PlannedStmt *replan(const PlannedStmt *plan, const char *source, ParamListInfo parameters);

} // namespace entitle::pg
