// The two spellings of the row test, as the executor and the planner both take them apart:
//   row_allowed(permission, level, customer [, date])
//   brand_row_allowed(permission, brand, level, customer [, date])
#pragma once

#include "pg/postgres.hpp"

namespace entitle::pg {

// Where the arguments stand; -1 for one that the call does not have.
struct RowTestLayout {
    int brand;
    int level;
    int customer;
    int date;
};

inline RowTestLayout row_test_layout(int arguments, bool is_branded) noexcept {
    const int first = is_branded ? 1 : 0;
    return RowTestLayout{is_branded ? 1 : -1, 1 + first, 2 + first,
                         arguments > 3 + first ? 3 + first : -1};
}

} // namespace entitle::pg
