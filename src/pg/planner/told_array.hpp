// ARRAY[a, b] of arrays raises an error where these are not of one length. PostgreSQL takes it for
// LEAKPROOF all the same, and works it out before row tests: with CASE it would tell whatever is
// asked about hidden rows. In the planned copy of a query each such array is handed on by a
// function that is not LEAKPROOF. What is unsettled is such an expression, too. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace entitle::pg {

// What is known while one query is planned.
struct ToldArrays {
    bool is_watched;   // the planner may put texts of functions into the query
    bool is_found;     // it did, and one of them has such an expression
    bool is_forbidden; // it may not
};

// Marks the arrays in a query, and refuses what is unsettled. Returns: what to begin with.
ToldArrays mark_told_arrays(Query *query);

// Begins, or goes on with, the planning of a query.
// Returns: what was so before, to be set again; an error leaves it until the transaction ends.
ToldArrays set_told_arrays(ToldArrays known) noexcept;

// Looks for arrays in what the planner made of the query around a table.
void look_for_told_arrays(const PlannerInfo *root);

// Watches the texts of functions; once per backend.
void watch_told_arrays();

} // namespace entitle::pg
