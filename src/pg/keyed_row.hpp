// Reads one row of a user's table by its primary key, for explanations. It calls nothing that the
// table's owner wrote: no SQL, no policies, no domain's checks, no index expressions; so it may run
// for whoever asks. regime: C throughout.
#pragma once

#include "pg/postgres.hpp"

namespace entitle::pg {

// One column as read; its type is the base type of a domain.
struct ColumnValue {
    NullableDatum value;
    Oid type;
};

// Looks for the row in the tables of primary keys' indexes: arguments 1 and 2 of the function are
// the indexes (regclass[]) and the key, a text a column in the indexes' order (text[]). `names` are
// columns to read, a null pointer for one not wanted. A key with a NULL finds nothing.
// Returns: whether there is such a row, visible to the running statement.
bool find_keyed_row(FunctionCallInfo fcinfo, const char *const *names, int name_count,
                    ColumnValue *values);

} // namespace entitle::pg
