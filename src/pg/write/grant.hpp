// Grants as they are written, and the one way round R43: while force_revoke_owner runs its own
// DELETE, and only then, one grant is released.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "core/grant.hpp"

namespace entitle::pg {

// Returns: the reason given to force_revoke_owner while it runs, else null.
const char *forced_reason() noexcept;

// Finds what the writer (delegate.hpp) may do on a customer. regime: C
GrantWriter grant_writer_on(CustomerId customer);

} // namespace entitle::pg
