// Tests that follow from those of other tables in the same query: a line's from its document's,
// when they are joined by the line's key; and a row's from another row's of the same customer.
// Asked twice, such tests cost time, and the planner takes them for independent.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/planner/document_join.hpp"

namespace entitle::pg {

// Leaves them out. Requires: no expression of the query leaks, because hidden rows come as far as
// the join. Returns: whether there were any. regime: C
bool drop_implied_tests(const QueryLevel &level);

} // namespace entitle::pg
