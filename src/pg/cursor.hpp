// Executions that go on in a later statement: cursors, suspended portals, loops of PL/pgSQL. What
// an index scan looks for was worked out when it began; where no row test looks at the rows again,
// a later statement may only go on while the customers are the same. regime: C
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "executor/execdesc.h"
}

namespace entitle::pg {

// Remembers the customers that an execution begins with, if its plan relies on them. Requires: it
// is about to run for the first time.
void note_customers(QueryDesc *query);

// Tells whether they are the same still.
bool has_customers_as_begun(const QueryDesc *query);

} // namespace entitle::pg
