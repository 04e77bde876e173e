// INSERT ... ON CONFLICT ... WHERE evaluates its WHERE on the row that is there already. Some
// releases of PostgreSQL do so before row-level security has looked at that row, and tell of it by
// an error's text or by a function that the WHERE calls.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace entitle::pg {

// Puts what row-level security asks of that row in front of the WHERE, in the query that is being
// planned and in those around it. A row that does not pass goes on to PostgreSQL's own test, which
// refuses it. Called by the support functions of what the policies call: they are asked while the
// tests of row-level security are prepared, in the first statement of a session too, and the WHERE
// is prepared after those. regime: C
void guard_conflict(const PlannerInfo *root);

} // namespace entitle::pg
