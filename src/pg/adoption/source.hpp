// An application's table whose rows stand for the model's (R64), and the reading of its rows. They
// are read as they are stored, by index or one after another: no plan is made, so nobody's policy,
// rule or function runs. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/adoption/expression.hpp"

namespace entitle::pg {

// What entitle.adoption says of one table.
struct Adoption {
    std::int64_t id;
    Oid table; // the root of a partitioned one
    int key_count;
    const char **keys; // columns
    int fact_count;
    const char **facts; // expressions
    int column_count;
    const char **columns; // names that the expressions know
    AttrNumber *numbers;  // which columns of the table those were; null in a restored one
};

struct AdoptionList {
    Adoption *adoptions;
    int count;
};

// Finds the adoptions in force of a table, or the one with that number. They live in the current
// memory context.
AdoptionList find_adoptions(Oid table);
AdoptionList find_adoption(std::int64_t id);

// A text array as plain texts.
const char **texts_of(Datum array, int *count);

// Tells an adoption the names and numbers of columns, two arrays.
void know_columns(Adoption &adoption, Datum names, Datum numbers);

// The columns of a table, which may be a partition, that the adoption knows, by the numbers that
// they have there.
KnownColumn *known_columns(const Adoption &adoption, Oid table, int *count);

// One table with rows, which may be a partition of the adopted one.
struct Source {
    const Adoption *adoption;
    Relation table;
    AttrNumber *keys;
    ExprState **facts;
    Oid *types; // of the facts
    EState *state;
    TupleTableSlot *slot;
};

// Reads the expressions for the table. Raises when a column is gone or has an unfit type.
// Requires: the table is open, and stays so until close_source.
Source *open_source(const Adoption &adoption, Relation table);
void close_source(Source *source);

// Returns: the key of a row as text; null when a part of it is NULL. Several columns make an
// array's text.
const char *row_key(const Source &source, HeapTuple row);

// Works the facts of a row out: texts, or null. Valid until the next row.
void row_facts(const Source &source, HeapTuple row, const char **facts);

// Calls `visit` for each row of the adopted table with one of these keys, or for each with
// `keys` null.
void visit_rows(const Adoption &adoption, const char *const *keys, int count,
                void (*visit)(const Source &source, const char *key, HeapTuple row, void *context),
                void *context);

} // namespace entitle::pg
