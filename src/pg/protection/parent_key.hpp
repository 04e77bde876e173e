// How a line leads to its document: the foreign key between them. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/protection/declaration.hpp"

namespace entitle::pg {

// The key by which a line knows its document: columns of the line, in the order of the index.
struct ParentKey {
    int count;
    const char *columns[INDEX_MAX_KEYS];
    const char *referred[INDEX_MAX_KEYS]; // columns of the parent
    List *indexes;                        // OIDs: of a partitioned parent those of its partitions
    Oid operators[INDEX_MAX_KEYS];        // that compare the parent's column with the line's
    bool is_loose; // for a while a line may name a key that no row has, and then one that another
                   // got
    bool is_late;  // no more than that, and no longer than a statement
    bool is_left;  // a row that is deleted leaves its lines until somebody looks
};

// Requires: child.parent is valid. Errors: 55000 when the foreign key is no longer there.
ParentKey find_parent_key(const Declaration &child);

} // namespace entitle::pg
