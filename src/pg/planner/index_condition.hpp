// The expressions that a row test implies, for the planner. Each is null where the column's type
// has no operator for it. They call STABLE functions of the extension, so a plan never holds
// anybody's rights. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/primnodes.h"
}

#include <string_view>

namespace entitle::pg {

// customer = ANY(accessible_customers(level)), by the index's operator family and collation.
Expr *customer_is_reached(Node *customer, int level, Oid family, Oid collation);

// customer = ANY(unlimited_customers(level)). Requires: an integer column.
Expr *customer_is_unlimited(Node *customer, int level, Oid family);

// brand = ANY(permitted_brands(permission)), or by keys of the column's own type.
Expr *brand_is_permitted(Node *brand, std::string_view permission, Oid family, Oid collation);

// column = ANY(ARRAY[f(1), f(2), ...]) with a known number of elements, which partitions can be
// left out by.
Expr *customer_is_listed(Node *customer, int level, std::size_t length);
Expr *brand_is_listed(Node *brand, std::string_view permission, std::size_t length);

// date >= the first day that any window reaches; of a partitioned table by functions that no
// parallel worker calls.
Expr *date_is_reached(Node *date, int level, bool is_partitioned);

} // namespace entitle::pg
