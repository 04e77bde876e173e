// Reads one row of a user's table by its primary key, for explanations. It calls nothing that the
// table's owner wrote: no SQL, no policies, no domain's checks, no index expressions; so it may run
// for whoever asks. regime: C throughout.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/pg_list.h"
}

namespace entitle::pg {

// A key as texts, in the order of its index; a null pointer is a NULL, which finds nothing.
struct RowKey {
    int count;
    const char *texts[INDEX_MAX_KEYS];
};

// Reads a key as SQL gives it: the text itself, or of several columns a JSON object like
// change_log.row_key. A null pointer is a key with a NULL. Errors: 22023 for a key of several
// columns that lacks one.
RowKey parse_row_key(Oid index, const char *written);

// One column as read; its type is the base type of a domain.
struct ColumnValue {
    NullableDatum value;
    Oid type;
};

// Looks for the row in the tables of these indexes (OIDs). `names` are columns to read, a null
// pointer for one not wanted.
// Returns: whether there is such a row, visible to the running statement.
// Errors: 55000 for a column that the table does not have.
bool find_keyed_row(const List *indexes, const RowKey &key, const char *const *names,
                    int name_count, ColumnValue *values);

// The same by a key of values, in the order of the index. A NULL among them finds nothing.
bool find_row_by_values(const List *indexes, const ColumnValue *key, int key_count,
                        const char *const *names, int name_count, ColumnValue *values);

// Reads columns of the row with that key as the key of another row, by the index that is referred
// to; all NULL where there is no such row.
RowKey read_row_key(const List *indexes, const RowKey &key, const char *const *names, int count,
                    Oid referred);

// Refuses what is no object of columns of the table, or of the view that it was asked through.
// Errors: 22023, 42703.
void check_new_row(Oid relation, Oid table, Datum object);

// The same of a row that is not there yet: what a JSON object gives for these columns of a table,
// NULL for what it does not give.
void read_new_row(Oid table, Datum object, const char *const *names, int count,
                  ColumnValue *values);
RowKey key_of_new_row(Datum object, const char *const *names, int count);

} // namespace entitle::pg
