// Which tables of a query appear together in its joins, and under which conditions. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/document_join.hpp"

extern "C" {
#include "parser/parsetree.h"
}

#include <initializer_list>

namespace entitle::pg {

// Tables that appear together, and the conditions that hold for each of their rows that appears.
struct Scope {
    List *tables;
    List *conditions;
    List *beside; // the tables of the side that an outer join keeps
};

// Finds them all. Returns: a list of Scope.
List *scopes_of(const Query *query);

// Looks among all tables that a scope's conditions may speak of, those of queries around, too: they
// ask for rows that go with the row at hand.
template <typename Wanted>
bool find_joined(const QueryLevel &level, const Scope &scope, const Wanted &is_wanted) {
    for (const List *tables : {scope.tables, scope.beside}) {
        for (const int other : each_int(tables)) {
            if (is_wanted(Place{rt_fetch(other, level.query->rtable), other, 0})) {
                return true;
            }
        }
    }
    Index levels_up = 1;
    for (const QueryLevel *outer = level.outer; outer != nullptr; outer = outer->outer) {
        for (int other = 1; other <= list_length(outer->query->rtable); ++other) {
            if (is_wanted(Place{rt_fetch(other, outer->query->rtable), other, levels_up})) {
                return true;
            }
        }
        ++levels_up;
    }
    return false;
}

} // namespace entitle::pg
