// Executions that go on in a later statement: cursors, suspended portals, loops of PL/pgSQL. Rows
// that were read ahead, and what an index scan looks for, belong to the rights and to the user that
// they were read with; a later statement may only go on while these are the same, or where a row
// test looks at every row that is still to come (R46). regime: C, unless noted
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/subject/subject_cache.hpp"

extern "C" {
#include "executor/execdesc.h"
}

namespace entitle::pg {

// Remembers the version of the customers that an execution begins with; 0 when its plan relies on
// none. Requires: it is about to run for the first time.
void note_customers(QueryDesc *query, std::uint64_t version);

// Remembers the rights that a run depended on, if it asked for any.
void note_rights(QueryDesc *query, const RightsMark &asked);

// Whether an execution that ran before relies on no other customers than these.
bool has_begun_with(const QueryDesc *query, std::uint64_t version);

// Whether the rights are those that its runs before depended on.
bool keeps_rights(const QueryDesc *query);

// Raises 40001: the statement cannot go on with the rights it was planned with.
[[noreturn]] void raise_changed_rights();

// The same for rows that a portal keeps aside, as cursors WITH HOLD do: they come without an
// executor that could be asked.
void note_portal(Portal portal, const RightsMark &asked);

// Remembers the portal that runs while the library is loaded, by a function that it called: nobody
// saw its execution begin.
void note_loading_portal() noexcept;

// Whether what is asked now may be for a cursor's plan that is being rewound.
bool may_be_rewinding() noexcept;

// Whether a statement that begins in that memory may be part of it.
bool may_be_rewinding_around(MemoryContext memory) noexcept;

// Tells whose rights gave an answer: for that portal, and for a cursor's plan that is being
// rewound. One that has only begun may still ask for keys of customers.
void note_answer(const RightsMark &rights, bool is_begun);

// Finds out whether a plan's rewind, which is over, asked for keys of customers.
void end_rewind(const QueryDesc *query);

// Remembers the rights behind an execution's rows for the portal that puts the rest of them aside.
void note_stored(const QueryDesc *query);

// Raises 40001 when the portal's rows are outdated.
void check_portal(const char *name);

// Lets all such portals fail at their next use whose rows are outdated, and unlocks the others.
void fail_outdated_portals();

// Locks the cursors that put rows aside, until a statement has looked at them: a client can send an
// Execute for any portal, and no hook hears of it.
void lock_portals() noexcept;

} // namespace entitle::pg
