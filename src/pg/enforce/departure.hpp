// Rows on their way to another partition: PostgreSQL deletes them in one and inserts them in the
// other, and fires no AFTER UPDATE trigger. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

struct Departure {
    Oid relation; // the partition that the row left
    HeapTuple row;
};

// Remembers a row that the running statement deleted: the next one it inserts may be the same.
// Called by AFTER triggers, which fire in the order of the events.
void note_departure(Relation table, HeapTuple row);

// Returns: the row that the running statement deleted last, a null pointer in `row` when it was
// taken before or there is none.
Departure take_departure();

} // namespace entitle::pg
