// Comparisons of texts that raise an error whatever they are given: of columns with different
// collations, or whether one begins with another where the collation is not deterministic.
// PostgreSQL takes them for LEAKPROOF all the same, and works them out before row tests: with CASE
// they would tell whatever is asked about hidden rows (S537). regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

bool is_unsettled(const Node *node);

// Raises the error that the comparison would raise, before it has met any row.
void refuse_unsettled(const Node *node);

} // namespace entitle::pg
