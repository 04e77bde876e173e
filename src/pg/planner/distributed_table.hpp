// Tables whose rows lie on other servers, as Citus has them: Citus takes the query apart and sends
// its text there, where policies of the same names guard the shards.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

// Whether the query reads or writes such a table. It is handed on as it is written: Citus knows no
// other shape, and what the asker may see is asked where the rows are. regime: hook
bool has_distributed_table(Query *query);

// Raises 0A000 where Citus put a protected table of the coordinator into a query of its own without
// changing the place that its row tests name: PostgreSQL, too, would read past the query's tables.
// regime: hook
void check_wrapped_tests(Query *query);

} // namespace entitle::pg
