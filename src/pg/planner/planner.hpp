// The planner's hook. regime: hook
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Remembers that this function is a row test, so that queries which call it are recognised.
void note_row_test(Oid function) noexcept;

// Puts it before the one that is there.
void install_planner();

// Tells whether a table is being created from a query. Returns: what was told before.
bool set_creating_table(bool is_creating) noexcept;

} // namespace entitle::pg
