// Changes that logical replication applies here: decided at the publisher, and written row by row,
// with row triggers and no statement triggers.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Tells whether this process applies, or copies, what a subscription brings.
bool is_replaying() noexcept;

// Returns: the name of that subscription. Requires: is_replaying().
const char *replayed_subscription() noexcept;

// Tells whether that subscription brings this table, too. Requires: is_replaying(). regime: C
bool is_replayed(Oid relation);

} // namespace entitle::pg
