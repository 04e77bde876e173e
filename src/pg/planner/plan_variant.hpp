// The queries behind plans that carry assumptions. A cached plan that does not fit the asker is not
// refused: the execution gets another plan of the same query, made once and kept beside it, so that
// staff and outsiders can take turns on one connection. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace entitle::pg {

// A copy of a query, made before planning scribbles on it.
struct KeptQuery {
    MemoryContext context;
    Query *query;
    int cursor_options;
};

KeptQuery keep_query(const Query *query, int cursor_options);

// Another copy, for the planner to scribble on.
Query *copy_query(const KeptQuery &kept);

// Among the options for the planner: the query is a variant's, of which nothing more is kept.
// PostgreSQL's own options are lower bits, and no state is left behind by whatever fails on the
// way.
constexpr int kVariantOption = 1 << 30;

// Ties the copy to its plan. Requires: the plan carries assumptions.
void bind_query(KeptQuery kept, PlannedStmt *plan);

// Tells that a fitting plan starts to run. A plan that runs once, itself, and not as the copy that
// a plan cache made of it, will not be seen again: its query is dropped. A plan without a kept
// query, such as one whose planning loaded the library, cannot be exchanged: it is an orphan.
void note_started(const PlannedStmt *plan, bool runs_once);

// Returns: a plan of the same query that fits the present asker; null when the query is no longer
// kept. A scrolled one can run backward, as its cursor promised.
PlannedStmt *find_fitting(const PlannedStmt *plan, const char *source, bool is_scrolled);

// Drops all cached plans and what is kept of them: they are made anew when next used.
void drop_plans();

// The same if a plan that can no longer be exchanged contradicts the present asker. For the moments
// at which identity changes.
void drop_contradicted_plans();

} // namespace entitle::pg
