// A filtered view tests its rows by itself, because its owner may be one whom row-level security
// does not bind. Where it binds the owner, the table's policy asks the same of each row.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

// Drops from a query about to be planned the row tests that row-level security makes anyway. Call
// after drop_passed_tests, which looks at them. regime: C
void drop_repeated_tests(Query *query);

} // namespace entitle::pg
