// Keys that rows are looked through for, where no index finds them. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "utils/hsearch.h"
}

namespace entitle::pg {

// Lives in the current memory context, as the keys do.
HTAB *make_key_set(const char *const *keys, int count);

bool has_key(HTAB *set, const char *key);

// The first table where each key was found. A key is copied: the one that comes may go with its
// row.
struct KeyPlaces {
    HTAB *table;
    MemoryContext memory;
};
KeyPlaces make_key_places();
Oid first_place(const KeyPlaces &places, const char *key, Oid table);

} // namespace entitle::pg
