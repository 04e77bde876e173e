// What those to whom rights are lent have made: the roles of theirs, and whether there is anything
// at all. Most applications' roles own nothing and use no temporary objects, and are asked no more.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

struct Made {
    List *roles;        // that the borrowers may act as, without those that may act as the lender
    Oid temporary;      // their schema of temporary objects, if there is one
    bool has_relations; // the roles own some
    bool has_code;      // the roles own functions or operators, or there are temporary ones, or
                        // temporary sequences, which plans name alike
    Oid unsafe_type;    // a type of theirs that could run code wherever a value is made

    bool is_anything() const noexcept {
        return has_relations || has_code || OidIsValid(temporary) || OidIsValid(unsafe_type);
    }
};

// Returns: null when nobody borrows rights that they have not; valid until the next call.
const Made *find_made();

// Whether an object of this schema and owner is the borrowers'. Of temporary objects the owner must
// be the lender, or one who may act as the lender: nobody else makes them for it.
bool is_borrowers(const Made &made, Oid schema, Oid owner);

// Whether a role is the lender, or may act as the lender.
bool is_lender_kind(Oid role);

// Calls `visit` for what depends on an object, or for what it depends on.
void visit_dependencies(Oid catalog, Oid object, bool is_referenced,
                        void (*visit)(Oid catalog, Oid object, void *context), void *context);

// Each raises if the object is the borrowers'.
void check_function(Oid function);
void check_operator(Oid oper);
void check_type(Oid type);
void check_relation(Oid relation);

// Raises if the constant is of a temporary type of theirs, or names a temporary sequence of theirs,
// as the argument of nextval does: no plan lists it among its relations.
void check_constant(const Const *constant);

// Raises if an expression of the table's, which no plan shows, uses a function or operator of the
// borrowers'.
void check_attached(Oid relation);

// Raises if the function, which is about to run with the lent rights, is a trigger's of another
// role alone: neither the function nor any table that has it is of one who may act as the lender.
void check_trigger_function(Oid function);

// Raises if a key of the table that may be put off is computed by functions or domains of a role
// that may not act as the lender.
void check_deferrable_keys(Oid relation);

// Tells whether a statement that writes is the extension's own, and nobody else's code runs along
// with it. What it cascades to is a statement of its own.
bool runs_own_code_alone(const PlannedStmt *plan);

// Raises if there is an unsafe type.
void check_types(const Made *made);

// Row triggers of the borrowers' tables, reached by a foreign key, run as their owner: with no more
// than the borrowers have.
bool runs_as_borrower(const Made *made);

// Notes changes of who owns what, from now on.
void watch_made();

} // namespace entitle::pg
