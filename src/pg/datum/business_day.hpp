// The business time zone, in which a day begins and ends for everybody, whatever the session's own
// time zone (R38).
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>

namespace entitle::pg {

// Whether PostgreSQL knows the zone, and counts no leap seconds in it. regime: C
bool is_business_zone(const char *name);

// Requires: is_business_zone(name) was asked before, so that the zone comes from memory.
void set_business_zone(const char *name);

// Returns: the day of that moment of the clock.
std::int32_t business_today(TimestampTz now);

// Returns: the date of a moment; none when it has none (out of range).
std::optional<std::int32_t> business_date(TimestampTz moment);

} // namespace entitle::pg
