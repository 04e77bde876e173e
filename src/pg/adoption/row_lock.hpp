// Rows of an adopted table that others may be writing. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Returns: the row as it stays until this transaction ends, once whoever was changing it has ended;
// null when it is gone then. In the current memory context.
HeapTuple settled_row(Relation table, HeapTuple row, Snapshot snapshot);

// Waits until nobody is writing the table of an adoption, in force or not, and keeps it so. One
// that was dropped is written by nobody.
void await_writers(std::int64_t adoption);

// Raises 40001 where this transaction sees, as it began, other rows of the model for an adoption,
// or for these keys of it, than there are: it would leave those as they are that came since.
void demand_current_rows(std::int64_t adoption, NullableDatum keys);

// The same of rows that wait for those of an adoption: it would leave them waiting.
void demand_current_findings(std::int64_t adoption);

// The same of what is declared of a table: it would write rows that nobody follows, or by what
// counts no more.
void demand_current_adoptions(Oid table);

} // namespace entitle::pg
