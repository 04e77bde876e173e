// Short decimals from numerics as they are stored.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>

#include "core/weighted_sum.hpp"

namespace entitle::pg {

// Returns: none when the number is not a short decimal. regime: C
std::optional<ShortDecimal> short_decimal(Datum number);

} // namespace entitle::pg
