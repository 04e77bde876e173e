// Keys that a statement wrote in an adopted table, kept until the statement ends: then the model
// follows them all at once. A batch is open between the table's triggers before and after the
// statement. Where these do not fire (a partition that came later, workers of logical replication)
// there is none, and each row is followed by itself. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

void open_batch(Oid table);

// Keeps a key for the end of the statement. Returns: false when no batch of the table is open.
bool add_to_batch(Oid table, std::int64_t adoption, const char *key);

// Takes the keys of the table's innermost batch away, one adoption after another, and closes it
// with the last. Returns: false when there are none.
// keys: a text array
bool take_batch(Oid table, std::int64_t *adoption, Datum *keys);

// Watches subtransactions that are rolled back, and that nothing is left at commit.
void watch_batches();

} // namespace entitle::pg
