// The tables in report mode (R66), with their parts: kept in memory while nothing about them
// changes. Where there are none, a statement costs one look at a flag. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Tells whether any table is in report mode.
bool has_reported_tables();

// Returns: the declared table that this one is, or is a part of; InvalidOid when it is none.
Oid find_reported(Oid relation);

// Returns: another number whenever the tables in report mode may be others than before.
std::uint64_t reported_version() noexcept;

// Whether enforcement would bind the user on the table, as forced row-level security does: not
// superusers, not BYPASSRLS, not PostgreSQL's own checks of foreign keys.
bool would_bind(Oid relation, Oid user);

void watch_reported_tables();

} // namespace entitle::pg
