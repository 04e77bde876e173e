// The change log, for events that are no write of a row.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Writes an event that concerns a whole table into the change log (R21). regime: C
void log_event(Oid relation, const char *action);

} // namespace entitle::pg
