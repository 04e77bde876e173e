// Whom the asker manages.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "core/subject.hpp"

namespace entitle::pg {

// Tells whether the user has a place whose members the asker manages, or a grant on a customer
// whose access he manages. regime: C
bool manages_user(UserId user);

} // namespace entitle::pg
