// Rows that belong to a customer: links and metric values are written under a lock of the customer,
// so that what is decided about its status still holds when the write lands (R12 to R14, R19).
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>

#include "core/result.hpp"
#include "core/subject.hpp"
#include "core/trace.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/row_trigger.hpp"

namespace entitle::pg {

// Waits for those who hold a lock of the customer that an UPDATE of it fired for, and keeps others
// out until the transaction ends. What belongs to it can be written beside other changes. regime: C
void await_belongings(const FiredRow &row);

// What is asked about a customer once it is locked.
using CheckLocked = entitle::Result<Passed> (*)(const Subject *, const Session &,
                                                const CustomerFacts &);

// Locks the customer if the asker may know of it, then asks. regime: C
void demand_locked(std::optional<CustomerId> customer, CheckLocked check);

// Asks for the customer a row belongs to, and for the one it moves to. regime: C
void guard_belonging(const FiredRow &row, AttrNumber customer_id, CheckLocked check);

} // namespace entitle::pg
