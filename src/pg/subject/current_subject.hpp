// Who is asking in this statement: found from the settings and the role, with their rights
// (subject_cache.hpp). regime: C, unless noted.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/subject/subject_cache.hpp"

namespace entitle::pg {

// Takes in pending invalidations at the first question of each statement. Returns: the asker.
const Asker &current_asker();

// Returns: the epoch that the asker was found in. The present one, unless it moved all the time.
std::uint64_t asker_epoch() noexcept;

// Returns: the asker, for a look that is no question of the statement's: what it shows does not
// depend on the answer, so no cursor is bound to it.
const Asker &observed_asker();

// The same as current_asker, but pending invalidations are taken in at every call: for functions
// that callers without an executor (PL/pgSQL expressions) ask again and again within one client
// statement.
const Asker &asker_now();

// Tells whether the rights of the answers are those of the present asker still. Loads all of the
// asker's grants where nothing less can tell.
bool has_same_rights(const RightsMark &begun);

// Completes a mark that is to last with the asker's grants if they are few: without them it does
// not outlive a table's ANALYZE.
RightsMark with_grants(const RightsMark &asked);

// Loads all of the asker's grants, for questions that were answered without.
void load_asker_grants();

} // namespace entitle::pg
