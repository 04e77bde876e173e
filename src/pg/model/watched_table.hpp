// The model's tables that were read, and the doubt about those that PostgreSQL invalidated since:
// what is read of them may have changed without a trigger that tells of it (TRUNCATE, DDL, a
// disabled trigger), or they were only analyzed. Until that is known everything is stale.
// regime: C, unless noted
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Begins to watch a table. Returns: false when there are too many.
bool watch_table(Oid relation) noexcept;

// Forgets all of them; every doubt becomes a change.
void forget_tables() noexcept;

// Doubts a table if it is watched. regime: callback. Returns: whether it is.
bool note_invalidated_table(Oid relation) noexcept;

// Returns: the number of the present doubt, which no generation's count reaches; 0 when there is
// none.
std::uint64_t present_doubt() noexcept;

// Returns: the next table in doubt from a place on, which begins with 0; InvalidOid after the last.
Oid next_doubtful(int *place) noexcept;

// Takes that doubt back: no table had changed. One that came up since stays.
void settle_doubt(std::uint64_t doubt) noexcept;

// Ends all doubt, because everything is stale anyway.
void drop_doubt() noexcept;

} // namespace entitle::pg
