// Migrations: FORCE ROW LEVEL SECURITY, lifted by a table's owner, comes back with the commit.
#pragma once

namespace entitle::pg {

// Registers the transaction callback.
void watch_migrations();

} // namespace entitle::pg
