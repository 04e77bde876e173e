// Which columns of which tables are masked, by the declarations and by what became of the columns
// since: names that were exchanged open none. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/model/subject_load.hpp"

namespace entitle::pg {

struct MaskedTable {
    Oid relation;
    Oid view;           // through which its masked columns are read
    Bitmapset *columns; // as range tables name them, whole rows included
    bool is_closed;     // what is masked cannot be told, so every column is
};

struct Masks {
    MemoryContext context;       // of all the others
    RowList<MaskedTable> tables; // by relation
    RowList<Oid> watched;        // whose invalidation makes this stale, in order
};

// A column as range tables number it; 0 stands for the whole row.
inline int bit_of(int column) noexcept { return column - FirstLowInvalidHeapAttributeNumber; }

// Requires: the extension is installed. The result's memory hangs below the current context.
Masks load_masks();

// The table and its parts. PostgreSQL's own walk raises an error when one of them is just gone.
RowList<Oid> find_parts(Oid relation);

} // namespace entitle::pg
