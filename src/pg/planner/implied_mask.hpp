// Masks that open for every row that shows. Where the asker's customers are the same at a view's
// level and at a mask's, the view is planned at the mask's level: its row test then says what the
// mask asks, row by row, and the masked column is a column like any other, with its index and its
// statistics.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

// Raises the level of a view that is read, and opens the masks that follow. Returns: pairs of
// levels, one after the other, at which the plan must assume the same customers. regime: C
List *open_implied_masks(Query *view);

} // namespace entitle::pg
