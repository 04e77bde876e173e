// Lent rights: while the extension's own code runs for somebody with its owner's rights, or writes
// a filtered view with the table owner's, nothing that those who called have made is resolved or
// run with them (R56). What they made is whatever a role of theirs owns, and everything temporary
// that the lender did not make. A superuser, or who has the lender's rights anyway, borrows
// nothing.
//
// Where the names are looked up, plans are made and functions are found, the owners are asked; what
// was resolved before is made anew, or asked about when it starts. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Keeps the settings that decide how the text of a statement is read, until the function returns.
// Requires: a function with settings of its own is being entered.
void pin_settings();

// The same for those that decide what the text of a value is: PostgreSQL takes that of bytea and of
// floating-point numbers for the same everywhere, and so do conditions of adopted tables (S536).
// Requires: a function of the extension's own is being entered.
void pin_texts();

// Raises if the function is the borrowers'; a SECURITY DEFINER function may be, where their own
// code calls it.
void check_lent_function(Oid function, bool is_definer);

// Returns: the cursor options for a plan that runs with these rights.
int check_lent_query(Query *query, int cursor_options);

// Raises unless the plan keeps away from what the borrowers made.
void check_lent_start(QueryDesc *query);

// Remembers with an execution that started whose rights it has.
void note_lent_start(QueryDesc *query);

// Raises if an execution that was started with lent rights goes on without them, or the reverse.
void check_lent_run(const QueryDesc *query);

// Raises if the borrowers' own code, which runs with their rights, left other settings behind.
void check_lent_finish(const QueryDesc *query);

void check_lent_utility(const Node *statement);

// Forgets executions of a transaction that ended.
void forget_watched() noexcept;

// Watches what is looked up, from now on.
void watch_lookups();

} // namespace entitle::pg
