// Calls whose errors carry no context.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Calls a function; an error it raises goes on without its context. regime: C
Datum invoke_quietly(FunctionCallInfo call);

} // namespace entitle::pg
