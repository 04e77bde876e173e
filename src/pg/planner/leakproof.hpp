// Which expressions can tell nothing of the values that they work on: they raise no error and give
// no message that depends on one. PostgreSQL marks such functions LEAKPROOF, but not all of them.
// regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

// Tells whether the planner works the expression out while it plans, whatever the rows: an error is
// then the same for all of them.
bool is_folded(const Node *node);

// Tells whether an aggregate of values that raise nothing may raise an error itself.
bool may_fail(const Aggref *aggregate);

// Tells whether a query may raise an error by its numbers of rows, or by the frames of its windows.
bool may_fail(const Query *query);

// Tells whether arguments of the query's aggregates may become conditions: min and max of the rows
// of one table may be found by an index, and by a condition that the value is not NULL where one of
// its partitions has none.
bool may_have_conditions(const Query *query);

// Tells whether the node itself, apart from what it works on, can tell something.
bool may_leak(const Node *node);

// Tells whether the node calls a function made by users that gives other answers at other times:
// how often it is called may tell something, too.
bool counts_calls(const Node *node);

} // namespace entitle::pg
