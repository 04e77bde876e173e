// Who may have the rows of protected tables looked at by a check of a domain. PostgreSQL lets the
// domain's owner add one, and works it out for every row of every table that has such a column,
// whoever may see it.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Raises 42501 where a protected table of somebody else's has a column of the domain. regime: C
void check_domain_users(Oid domain);

} // namespace entitle::pg
