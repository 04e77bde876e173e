// What the triggers of the model's own tables share: the rows they fired for, and their columns by
// name, found once a statement. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "pg/boundary/guard.hpp"

namespace entitle::pg {

// One firing of a BEFORE ROW trigger.
struct FiredRow {
    const TriggerData *data;
    TupleDesc shape;
    HeapTuple before; // null for an insert
    HeapTuple after;  // null for a delete
};

// Raises unless the function was called as a row trigger.
FiredRow fired_row(FunctionCallInfo fcinfo);

// Returns: what the trigger returns to let the row through as it is.
Datum pass(const FiredRow &row);

// Finds columns by name and keeps them with the call site. Raises unless each has the type that it
// has in the model, which is what the readers below take it for.
// Requires: always the same names at one call site.
const AttrNumber *find_columns(FunctionCallInfo fcinfo, const FiredRow &row,
                               const char *const *names, int count);

// The same for columns that a trigger's own arguments name: all of them text.
const AttrNumber *find_text_columns(FunctionCallInfo fcinfo, const FiredRow &row,
                                    const char *const *names, int count);

// Reads a column. Returns: `otherwise` for NULL.
Datum column(const FiredRow &row, HeapTuple tuple, AttrNumber number, bool *is_null);
std::int64_t bigint_column(const FiredRow &row, HeapTuple tuple, AttrNumber number,
                           std::int64_t otherwise = 0);
// The same, none for NULL and for a row that is not there.
std::optional<std::int64_t> id_column(const FiredRow &row, HeapTuple tuple, AttrNumber number);
bool bool_column(const FiredRow &row, HeapTuple tuple, AttrNumber number); // NULL is false
const char *text_column(const FiredRow &row, HeapTuple tuple, AttrNumber number);

// Tells whether a column differs between the two versions of an updated row.
bool is_changed(const FiredRow &row, AttrNumber number);

// Compares a numeric column with bounds; NaN is above all. A missing value passes.
bool is_between(const FiredRow &row, AttrNumber number, std::int64_t low, const char *high);

// Raises when the column is given and blank.
void demand_not_blank(const FiredRow &row, AttrNumber number, const char *name);

// Raises when the column, which an index holds, is given and too long for that.
void demand_short(const FiredRow &row, AttrNumber number, const char *name);

// Tells whether the rules of who may write do not bind the session's role (R53), or the write,
// which an adopted table brings (R64).
bool is_exempt();

// Throws the error of a check that did not pass. regime: C++
template <typename Value> void throw_if_failed(const Result<Value> &result) {
    if (!result.ok()) {
        throw Failure(result.error());
    }
}

} // namespace entitle::pg
