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

} // namespace entitle::pg
