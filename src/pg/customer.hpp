// Customers as triggers meet them: locked, so that what is decided about a status still holds when
// the write lands (R12 to R14, R19).
#pragma once

#include "pg/postgres.hpp"

#include <optional>

#include "pg/lookup.hpp"

namespace entitle::pg {

// Locks the customer's row, in the strength of an update of its status, until the transaction ends.
// Returns: the customer as it is now; none when it is gone. regime: C
std::optional<CustomerFacts> lock_customer(CustomerId customer);

// True while recalc_scores writes scores (R17).
extern bool is_recalculating;

} // namespace entitle::pg
