// What raises an error whatever it is given: comparisons of texts with different collations, or
// whether one begins with another where the collation is not deterministic; slices of a point or a
// name. PostgreSQL takes them for LEAKPROOF all the same, and works them out before row tests: with
// CASE they would tell whatever is asked about hidden rows (S537, S541). regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

bool is_unsettled(const Node *node);

// Raises the error that the expression would raise, before it has met any row.
void refuse_unsettled(const Node *node);

// Loads what the expression compares texts by, so that a warning of it comes whether or not a row
// is met (S542).
void load_collations(const Node *node);

} // namespace entitle::pg
