// Which tables of a query could be told of by its conditions. A row test that is an ordinary
// condition, or a join, may come after other conditions; that is right only where none of those
// tells something of the rows it sees. What is worked out after all joins, as the columns of the
// result and the arguments of aggregates are, sees no hidden row.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

struct Leaks {
    // Range table entries whose values reach an expression that may leak, or stand in one condition
    // with it: whether it is worked out may depend on them.
    List *told;
    // Some expression may leak, be it about a table that is not protected: how often it is worked
    // out would tell how many rows it was joined to.
    bool is_any;
    // Rows are sorted or grouped by such an expression. Parallel plans may sort rows before all
    // joins, others do not.
    bool is_sorting;
};

// Looks through a whole query, as rewritten. regime: C
Leaks find_leaks(Query *query);

// The same for a query within another one's condition, which the planner keeps apart.
Leaks find_inner_leaks(Query *query);

} // namespace entitle::pg
