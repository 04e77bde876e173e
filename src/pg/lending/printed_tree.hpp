// Trees that PostgreSQL prints to the client on request (debug_print_plan and its like), constants
// and all: a plan is made for the values of its parameters, so they stand in it. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Keeps back those of all statements of a function, until it returns. Requires: a function with
// settings of its own is being entered.
void hide_trees_within();

// Whether the running user has them printed: superusers see what they are asked to see.
bool prints_trees();

// Keeps back what is printed from now on, until the transaction ends.
void hide_trees();

} // namespace entitle::pg
