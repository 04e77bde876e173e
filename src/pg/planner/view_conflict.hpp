// INSERT ... ON CONFLICT (key) on a filtered view. PostgreSQL looks for the key's unique index at
// the view, which has none, and says just that: there is no such constraint. Its users know that
// there is one, because the view bears the table's name.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

// Raises 0A000 if the query, or one of its WITH queries, is such a statement; the hint names the
// table, where the same rules hold. ON CONFLICT DO NOTHING without a key goes on: PostgreSQL leaves
// it out of account where triggers write. regime: C
void refuse_view_conflict(const Query *query);

} // namespace entitle::pg
