// A key of a partitioned table may be unique in each partition alone: whoever writes one of them
// must not say what the row of another says (S446). regime: C
#pragma once

#include "pg/adoption/key_set.hpp"
#include "pg/adoption/source.hpp"

namespace entitle::pg {

// What hands rows on to `visit`, once each key is known to be that of rows of one partition.
struct OneRow {
    KeyPlaces places;
    void (*visit)(const Source &source, const char *key, HeapTuple row, void *context);
    void *context;
};

OneRow expect_one_row(void (*visit)(const Source &source, const char *key, HeapTuple row,
                                    void *context),
                      void *context);

// Hands a row on. Raises 23505 where another partition has a row with the key.
void pass_one_row(const Source &source, const char *key, HeapTuple row, void *one_row);

} // namespace entitle::pg
