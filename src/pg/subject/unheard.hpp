// Warns of an identity or a choice that ended before anybody asked for it: signed in for the
// transaction, and the transaction was that statement. As SET LOCAL warns, but only where nothing
// came of it: a function or a pipeline may well ask in the same transaction.
#pragma once

namespace entitle::pg {

// The function whose effect nobody has asked for yet, a null pointer when there is none.
extern const char *unheard;

// Notes what was said for the running transaction. regime: C
void note_unheard(const char *function);

// Registers the callback that warns. regime: C
void watch_unheard();

} // namespace entitle::pg
