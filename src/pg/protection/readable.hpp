// What the asking role may read by itself: columns by privilege, rows by whatever policies there
// are. An explanation tells no more than a SELECT would (S165). regime: C throughout.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/protection/declaration.hpp"
#include "pg/protection/keyed_row.hpp"

namespace entitle::pg {

// Whether the asking role may read a column of `table` through a relation that shows its rows: the
// table itself, the one it is a part of, or its filtered view. An invalid relation shows nothing.
bool may_read(Oid relation, Oid table, const char *column);

// The first of these relations (OIDs) that shows all of the columns to the asking role, else
// InvalidOid.
Oid find_reader(const List *relations, Oid table, const char *const *columns, int count);

// Names the policies of a table that protect_table did not make, a null pointer when there are
// none.
const char *other_policies(Oid table);

// Asks PostgreSQL whether a row shows in a relation to the current user, by all of its policies.
// The key's columns are those of `index`, an index of `table`. Errors: as the SELECT's.
bool shows_by_select(Oid relation, Oid table, Oid index, const RowKey &key);

} // namespace entitle::pg
