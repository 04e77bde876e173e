// Lines whose test has to come before a condition that tells (leaky_query.hpp). PostgreSQL asks
// such a test of every line. A barrier around the lines lets the planner find them by their
// documents; but then it cannot find them by what other tables of the query ask for. Which is
// better, costs tell.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

// Puts a barrier around each table whose test looks for a document, where nothing but its columns
// is asked for. Call after open_tests. Returns: whether there was any. regime: C
bool fence_lines(Query *query);

} // namespace entitle::pg
