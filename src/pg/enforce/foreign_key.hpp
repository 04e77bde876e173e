// What a foreign key may be made of. PostgreSQL checks it with the rights of the owner of the table
// that it refers to, and by the functions that convert its columns. So it is looked at when it is
// recorded, before any row is checked.
#pragma once

namespace entitle::pg {

// Puts the look into PostgreSQL; once per backend, from _PG_init.
void watch_foreign_keys();

} // namespace entitle::pg
