// The statements under way, from the client's down to the innermost one of a function: each has its
// own moment, so that a long block notices the end of a token and of a day, and each knows which
// rights its answers depended on. regime: hook, unless noted
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/subject/subject_cache.hpp"

namespace entitle::pg {

// Grows with every statement that begins, and when one goes on after another inside it asked.
extern std::uint64_t statement_number;

// Begins a statement, to which belongs what is evaluated in its memory or below: its expressions,
// not those of the bodies of functions that it calls. A utility command such as DO has none. One
// that may go on later, as a cursor's FETCH does, keeps its rights, and so do those inside it.
// Returns: its place, to end it by; an error ends it by itself.
int begin_statement(MemoryContext memory, bool may_go_on = false);
void end_statement(int place);

// Begins what may commit and roll back on its way. Returns: whether it is the outermost one, which
// is to be ended; an error ends it by itself.
bool begin_procedure() noexcept;
void end_procedure() noexcept;

// Locks the portals unless something of the client's last message is still under way.
void lock_if_outside() noexcept;

// Whether the present memory is that one, or below it.
bool is_asked_from(MemoryContext memory) noexcept;

// Whether whoever asks now is part of no statement known here: PL/pgSQL evaluates simple
// expressions by itself, and each is a statement of its own.
bool is_own_statement() noexcept;

// Whether the rights of the present statement's answers will be compared later.
bool may_go_on_later() noexcept;

// The role that asks: the outer one, SET ROLE's. A maintenance command runs the code of whoever
// owns what it works on, in a superuser's session or autovacuum's: then that owner does. Returns:
// InvalidOid where the owner is not known.
Oid asking_role() noexcept;

// The moment at which the present statement began to ask; is_own: as is_own_statement answers.
TimestampTz statement_moment(bool is_own) noexcept;

// Remembers the rights that the present statement's answers depend on.
void note_question(const RightsMark &rights) noexcept;

// Returns: the rights that the answers within a statement depended on. Good until the next call
// here.
const RightsMark &asked_rights(int place) noexcept;

// Registers the callbacks; once per backend.
void register_statements();

} // namespace entitle::pg
