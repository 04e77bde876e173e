// Whose SECURITY DEFINER function is in charge. Such a function runs with its owner's rights, so
// whoever calls it trusts it with nothing of their own; but inside one of the extension's own the
// owner is a superuser, and the outer role says no more than who began.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// The owner of the innermost SECURITY DEFINER function that is not the extension's own.
// Returns: InvalidOid when there is none.
Oid definer_in_charge() noexcept;

// Tells whether a superuser acts: the outer role (SET ROLE's) is one, and nobody else's function is
// in charge. No who-may-write rule binds a superuser (R53).
bool acts_as_superuser();

// Tells whether a superuser restores a dump (R53).
bool is_restoring();

// Whose rights the extension lends: its own owner's inside a SECURITY DEFINER function of its own,
// the table owner's while a filtered view is written.
// Returns: InvalidOid when it lends none.
Oid lender() noexcept;

// Tells whether the rights are lent to the write of a filtered view.
bool is_view_write() noexcept;

// The roles that called, from the session's to the one whose rights were lent or taken last.
// Returns: how many there are; the first `room` of them are written to `roles`.
int find_borrowers(Oid *roles, int room) noexcept;

// The innermost watched function that is not the extension's own and runs with the lent rights.
// Returns: InvalidOid when none is known.
Oid function_in_charge() noexcept;

// Raises inside of a function of the extension's own that was entered before the library was
// loaded: nobody saw whose rights it lends, and to whom. regime: C
void demand_seen();

// Who runs the innermost statement. Returns: InvalidOid when there is none.
using StatementUser = Oid (*)() noexcept;

// Watches functions come and go, from now on. regime: C
void watch_callers(StatementUser find);

} // namespace entitle::pg
