// Keys by which lines hold on to their document, and which another document must not take over.
// regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/protection/declaration.hpp"

namespace entitle::pg {

// The keys of a table by which its lines might take another row for their document: a List of
// what demand_kept_keys reads.
List *find_held_keys(const Declaration &declared);

// Raises when an update changes a key that lines hold on to; and, of a row that the running
// statement is about to write, when it takes a key that lines still have, or other rows could take
// the old one before the lines have come to the new one. R54
void demand_kept_keys(Relation table, const List *held_keys, HeapTuple before, HeapTuple after,
                      bool is_about_to_write);

// Raises when lines are left behind by a row that was deleted: another that was inserted meanwhile
// would have them. Foreign keys that have something to say have said it before. R54
void demand_no_lines(Relation table, const List *held_keys, HeapTuple row);

} // namespace entitle::pg
