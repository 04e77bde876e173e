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

// Looks for the row in the table of a primary key's index. `key` holds `key_count` texts in the
// index's order. `names` are columns to read, a null pointer for one not wanted.
// Returns: whether there is such a row, visible to the running statement.
bool read_keyed_row(Oid index, const Datum *key, int key_count, const char *const *names,
                    int name_count, ColumnValue *values);

} // namespace entitle::pg
