// Expressions over the rows of an adopted table: its columns and its owner's conditions. They are
// worked out with nobody's rights but the owner's, hold no query, and call nothing but immutable
// functions of PostgreSQL's own, so their value is one of the row alone (R56). regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// A column as it was called when the expressions were written.
struct KnownColumn {
    const char *name;
    AttrNumber number; // in the table that the expression is about
};

// Reads an expression. Raises unless it is one and of that kind. Requires: the columns that are not
// known are none.
// is_condition: it must be boolean, else of a type that `print_fact` takes.
Expr *read_expression(Relation table, const char *text, const KnownColumn *columns, int count,
                      bool is_condition);

// Returns: the value as a text that does not depend on settings; a date or a moment is the number
// of its day.
const char *print_fact(Datum value, Oid type);

// Runs as the owner of the table, within a security-restricted operation, until it ends.
class AsOwner {
  public:
    explicit AsOwner(Relation table) noexcept {
        GetUserIdAndSecContext(&user_, &context_);
        SetUserIdAndSecContext(table->rd_rel->relowner, context_ | SECURITY_RESTRICTED_OPERATION |
                                                            SECURITY_LOCAL_USERID_CHANGE);
    }
    // Not a destructor: an error jumps over it, and puts the user back by itself.
    void end() noexcept { SetUserIdAndSecContext(user_, context_); }

  private:
    Oid user_ = InvalidOid;
    int context_ = 0;
};

} // namespace entitle::pg
