// The two spellings of the row test, as the executor and the planner both take them apart:
//   row_allowed(permission, level, customer [, date])
//   brand_row_allowed(permission, brand, level, customer [, date])
// Each has a second name that begins with shared_: rows whose customer is NULL show to every
// signed-in user then.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/primnodes.h"
}

#include <optional>
#include <string_view>

#include "pg/planner/assumption.hpp"

extern "C" {
// What queries and plans are searched for: the row tests, and the arrays that stand in for them.
extern PGDLLEXPORT Datum entitle_row_allowed(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum entitle_brand_row_allowed(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum entitle_shared_row_allowed(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum entitle_shared_brand_row_allowed(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum entitle_accessible_customers(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum entitle_unlimited_customers(PG_FUNCTION_ARGS);
}

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

// Tells whether one of them shows shared rows.
bool is_shared_test(Oid function);

// Tells whether a condition is one of them.
bool is_row_test(const Node *condition);

// A call in a query.
struct Call {
    bool is_branded;
    std::optional<std::string_view> permission; // none: no permission opens the row
    std::optional<int> level;                   // none: no external access opens it
    Node *brand;                                // null: judged in the current brand
    Node *customer;
    Node *date; // null: not dated
};

// Takes a call apart. Returns: none when it is not one that protect_table writes, with literal
// rule.
std::optional<Call> read_call(List *arguments, bool is_branded);

// The call that a condition is. Returns: none for other conditions, as for other calls.
std::optional<Call> read_row_test(const Node *condition);

// Writes a level into a call that names one.
void set_level(FuncExpr *call, int level);

// Tells whether each row that passes one test passes the other, where both are of the same
// customer. Of tests that name a brand that is never known.
bool implies(const Call &strong, const Call &weak);

// The question whether any row may show by permission; without brand, whether all do. Good as long
// as the call.
Question permission_question(const Call &call);

} // namespace entitle::pg
