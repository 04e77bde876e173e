// Rows as jsonb objects, faster than to_jsonb: what is the same for every row of a table is found
// once. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/bitmapset.h"
#include "utils/jsonb.h"
}

namespace entitle::pg {

// How one column becomes a value.
struct JsonbColumn {
    int place; // in the row, from 0
    Oid type;
    FmgrInfo output; // for types that have no value of their own in JSON
    JsonbValue key;
};

// The columns in the order in which jsonb keeps keys.
struct JsonbShape {
    int count;
    JsonbColumn *columns;
    JsonbPair *pairs; // filled anew for each row
};

// `places` says which columns, from 0; null: all of them.
JsonbShape *make_jsonb_shape(TupleDesc shape, const Bitmapset *places);

// Requires: all attributes of the slot are there. Returns: the object, in the current memory
// context.
Datum row_to_jsonb(JsonbShape &shape, const TupleTableSlot *row);

} // namespace entitle::pg
