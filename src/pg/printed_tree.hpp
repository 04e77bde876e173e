// Trees that PostgreSQL prints to the client on request (debug_print_plan and its like), constants
// and all. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Chains into the analysis of statements.
void install_printed_trees();

// Keeps back the trees of what is about to be analyzed or planned, where they may hold what a mask
// hides: inside a trigger, or in the write of a table with masked columns (S200).
void hide_trees();

// Keeps back those of all statements of a function, until it returns. Requires: a function with
// settings of its own is being entered.
void hide_trees_within();

} // namespace entitle::pg
