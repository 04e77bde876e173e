// Locks on parts of a table of the model: for those who must take turns about one organization or
// adoption. No command locks parts of tables, and unlike an advisory lock they are not for
// everybody to take.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <cstdint>

namespace entitle::pg {

// Waits for the part that stands for a row with this number, and keeps it until the transaction
// ends. Two rows may share a part: then they wait for each other. regime: C
void lock_part(const char *table, std::int64_t number, LOCKMODE mode);

} // namespace entitle::pg
