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

// Tells whether a row trigger for DELETE fires because an UPDATE moves the row to another
// partition: the statement that runs updates this table and deletes nothing of it.
bool is_partition_move(Relation table);

// Notes that the running statement gives a document another key, to which its lines come when the
// statement ends: until then no other row may take the old one. `document` is the declared table.
// Returns: false when the statement itself might give it to another row.
bool note_open_key(Oid document);

// Raises when a statement would write a document or its lines inside of one that changes a key.
void check_open_keys(const QueryDesc *query);

} // namespace entitle::pg
