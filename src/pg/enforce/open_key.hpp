// Keys of documents that lines still have while the document is on its way. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "executor/execdesc.h"
}

namespace entitle::pg {

// Notes that the running statement gives a document another key, to which its lines come when the
// statement ends: until then no other row may take the old one. `document` is the declared table.
// Returns: false when the statement itself might give it to another row.
bool note_open_key(Oid document);

// Raises when a statement would write a document or its lines inside of one that changes a key, or
// put a document there inside of one that deletes documents.
void check_open_keys(const QueryDesc *query);

} // namespace entitle::pg
