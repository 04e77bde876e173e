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

// What the query relies on from then on, which its plan must assume.
struct Reliance {
    List *permissions; // as String nodes: they are held
    List *levels;      // in pairs: the same customers are reached at both
};

// Leaves them out, and opens the masks that follow from what is left (implied_mask.hpp). regime: C
Reliance drop_passed_tests(Query *query);

} // namespace entitle::pg
