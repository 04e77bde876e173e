// Tables that are closed to the asker as a whole: their row test was folded to FALSE.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace entitle::pg {

// Leaves a table unread whose conditions hold a FALSE. PostgreSQL does so where it is the only
// condition; beside others, which row security keeps apart from it, it would read the whole table.
// regime: hook
void leave_out_closed(RelOptInfo *relation);

} // namespace entitle::pg
