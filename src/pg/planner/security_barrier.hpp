// The security barrier of a filtered view, for those who see all of its rows. A barrier keeps other
// conditions away from rows that the view hides; where it hides none, all it does is keep the
// planner from reading the table as if the view were not there.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace entitle::pg {

// Lifts the barriers in a query about to be planned that hide no row from the asker.
// Returns: the permissions that show all rows, as String nodes. regime: C
List *lift_barriers(Query *query);

// Tells whether the plan is asked about all of these before it runs. If not, it must not be used.
bool relies_on(const PlannedStmt *plan, const List *permissions);

} // namespace entitle::pg
