// Refused writes of rows: what is said of them, and what the running statement is doing. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Chains into the executor.
void install_refusals();

// Raises 42501 for a row that the trigger fired for.
[[noreturn]] void raise_refused_write(const TriggerData *trigger);

// The statement that runs right now, the innermost one. Returns: null when there is none.
const QueryDesc *running_query() noexcept;

// Tells whether one of the statements that run writes a table with masked columns, for somebody
// whom they are masked from, or through its filtered view.
bool is_masked_write() noexcept;

// Tells whether a row trigger for DELETE fires because an UPDATE moves the row to another
// partition: the statement that runs updates this table and deletes nothing of it.
bool is_partition_move(Relation table);

// Tells whether protect_table's own policy lets rows into a table.
bool is_protected(Relation relation);

} // namespace entitle::pg
