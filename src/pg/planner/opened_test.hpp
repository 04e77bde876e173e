// Row tests as ordinary conditions. PostgreSQL works out the conditions of row-level security
// before all others that might tell of hidden rows, and keeps statistics, indexes and joins from
// those. In a query that has no such condition (leaky_query.hpp) this is only in the planner's way.
// There, in the planned copy, a row test becomes a condition of its table's scan; a line's test
// becomes a join with its documents, or goes where the query joins these itself; and filtered views
// lose their barrier.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

struct Opened {
    // Hidden lines may come as far as a join with their documents: nothing may be worked out of
    // rows before all joins.
    bool has_joins;
    // Nor may rows be sorted before: what they are sorted by may leak.
    bool must_sort_last;
    // Lines are still tested one by one.
    bool has_lines;
};

// Call after all else that changes the query: it takes the tests from where others look for them.
// regime: C
Opened open_tests(Query *query);

} // namespace entitle::pg
