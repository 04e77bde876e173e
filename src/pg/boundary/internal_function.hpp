// The extension's own functions in SQL, called from C++.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/value.h"
#include "parser/parse_func.h"
}

#include "pg/boundary/extension_schema.hpp"

namespace entitle::pg {

// Finds a function of the inner schema. Raises where it is missing, or with `is_optional` returns
// InvalidOid. regime: C
inline Oid internal_function(const char *name, int count, const Oid *types,
                             bool is_optional = false) {
    List *names = list_make2(makeString(pstrdup(kInternalSchema)), makeString(pstrdup(name)));
    return LookupFuncName(names, count, types, is_optional);
}

} // namespace entitle::pg
