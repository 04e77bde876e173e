// Which expressions can tell nothing of the values that they work on: they raise no error and give
// no message that depends on one. PostgreSQL marks such functions LEAKPROOF, but not all of them.
// regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/primnodes.h"
}

namespace entitle::pg {

// Tells whether the node itself, apart from what it works on, can tell something.
bool may_leak(const Node *node);

// Tells whether the node calls a function made by users that gives other answers at other times:
// how often it is called may tell something, too.
bool counts_calls(const Node *node);

} // namespace entitle::pg
