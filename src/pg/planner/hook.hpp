// The hooks into the executor and the planner.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Remembers that this function is a row test, so that queries which call it are recognised.
void note_row_test(Oid function) noexcept;

// Installs them; once per backend, from _PG_init.
void install_hooks();

} // namespace entitle::pg
