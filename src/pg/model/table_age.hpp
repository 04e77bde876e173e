// Tells an ANALYZE of a table from a change of what the table is. Both arrive as the same
// invalidation, but only the second writes a new row into the catalogue: VACUUM and ANALYZE write
// over the old one. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Returns: a transaction before which all are over; never 0. Whoever is over may not have told of
// it yet: what was loaded before does not count as loaded since.
std::uint64_t oldest_running();

// Whether a transaction from that one on has changed the table, its columns or its triggers: in any
// way that may have changed rows while no trigger told of it, too.
bool is_changed_since(Oid table, std::uint64_t oldest);

} // namespace entitle::pg
