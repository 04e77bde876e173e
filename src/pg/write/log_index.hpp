// Which indexes of the change log hold rows about a table.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Opens the indexes into which rows of the log go that are about the source table, as
// ExecOpenIndices opens all. Requires: the log has a column `relation`. regime: C
void open_log_indexes(ResultRelInfo *log, Oid source);

} // namespace entitle::pg
