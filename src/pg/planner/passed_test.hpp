// Leaves out of the planned copy of a query the row tests that the asker passes by permission, and
// what stands there for their sake: security_barrier of a filtered view, and the way from a line to
// its document. Simplification would find the tests to be true, too; but PostgreSQL would go on to
// keep statistics and other conditions away from a table that has any security condition, and a
// barrier's rows away from joins.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

// Returns: the permissions that the query relies on from now on, as String nodes; its plan must
// assume that they are held. regime: C
List *drop_passed_tests(Query *query);

} // namespace entitle::pg
