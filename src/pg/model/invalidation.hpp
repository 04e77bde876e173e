// What changed, and for whom. Model triggers register relcache invalidations under numbers that no
// table has; PostgreSQL carries them to every backend and standby at commit. Here they become
// generation counters: a cached fact remembers the generation it was loaded under and is stale when
// that moved. Counters only grow.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Grows with every event that could change any answer of this backend. Asked for every row, hence
// inline.
extern std::uint64_t current_epoch;
inline std::uint64_t epoch() noexcept { return current_epoch; }
inline void advance_epoch() noexcept { ++current_epoch; }

// The generation of what is known about the tables themselves.
std::uint64_t table_generation() noexcept;

// The generations of what a cached fact depends on.
std::uint64_t model_generation() noexcept;                   // catalogue, roles, brands, plans
std::uint64_t user_generation(std::int64_t user) noexcept;   // who the user is, memberships
std::uint64_t access_generation(std::int64_t user) noexcept; // the user's external grants
std::uint64_t customer_generation() noexcept;                // keys of customers
std::uint64_t mapping_generation() noexcept; // database roles and the users they stand for

// The numbers under which signals arrive, for plans that must be made anew when one does.
bool is_signal(Oid relation) noexcept;
Oid model_signal() noexcept;
Oid user_signal(std::int64_t user) noexcept;
Oid access_signal(std::int64_t user) noexcept;

// The number that a kept query's plan stands under, and the end of that plan: whoever caches it
// makes it anew at its next use. Of this backend alone. regime: C
Oid plan_signal(std::uint32_t number) noexcept;
void invalidate_plan(std::uint32_t number);

// Call this before keeping what was read from a customer's row that this transaction wrote: a
// rollback must drop it.
void note_own_customer() noexcept;

// Makes everything stale: for events that cannot be told apart.
void invalidate_everything() noexcept;

// Registers the callbacks; once per backend, from _PG_init.
void register_signals();

} // namespace entitle::pg
