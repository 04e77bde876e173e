// How a query finds the document of a line: by the columns of a foreign key. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

// A query among those it stands in.
struct QueryLevel {
    Query *query;
    const QueryLevel *outer;
};

// A table as the columns of a query name it.
struct Place {
    const RangeTblEntry *entry;
    int number;      // in the range table
    Index levels_up; // 0 for a table of the query itself
};

// Tells whether all that can hide a row of the query's tables are its conditions.
bool reads_rows_plainly(const Query *query);

// Finds what a view calls a column of one of its tables. Returns: 0 where it does not give it out
// as it is.
AttrNumber name_given(const Query *view, int table, AttrNumber column);

// Tells whether an expression names a table that is not the one with that number.
bool names_other(Node *node, int number);

// Has the query ask for the privileges that the tables in a condition need, which it will not read.
void keep_privileges(Query *query, Node *condition);

// Gathers tables and conditions of what is joined by inner joins only.
// Returns: false when there is another join, or anything but tables.
bool gather_inner_joins(const Query *query, const Node *item, List **tables, List **conditions);

// Tells whether a foreign key that holds for every row of the line leads to the document, and
// whether the conditions ask for just its columns. Those are taken out of the list. `nullable` gets
// the columns of the line that may be NULL; such a line has no document.
bool joins_by_key(const Place &line, const Place &document, List **conditions,
                  Bitmapset **nullable);

// Tells whether among `conditions` the line's and the document's columns are compared as in
// `wanted`, where the same tables stand at other places, and nothing else is asked there but row
// tests.
bool are_joined_alike(const Place &line, const Place &document, const List *conditions,
                      const Place &other_line, const Place &other_document, const List *wanted);

// Returns: the query for a line's documents in a policy's condition, null where it has none.
Query *documents_of(const Node *condition);

} // namespace entitle::pg
