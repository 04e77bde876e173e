// Reads and writes that go past the filtered view. Privileges on the masked columns of a table are
// taken from other roles when it is protected; a GRANT ... ON ALL TABLES gives them back. So the
// executor's own check of privileges asks here, too: whoever is bound by row-level security, and is
// not the table's owner, touches no masked column but through the view.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Puts the check into the executor and registers its callbacks; once per backend, from _PG_init.
void install_masked_reads();

// Whether the query writes a table of which some columns are masked from whoever runs it, or from
// whoever writes the filtered view for which it runs.
bool writes_masked(const QueryDesc *query);

// Whether a column is masked from the user, whatever privileges were granted. regime: C
bool is_masked_from(Oid relation, AttrNumber column, Oid user);

} // namespace entitle::pg
