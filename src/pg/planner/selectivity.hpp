// Estimates for the planner: how much of a table a row test lets through. Estimates never decide,
// and never load more than a few grants. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

#include <optional>

#include "pg/subject/subject_cache.hpp"

namespace entitle::pg {

// Estimates how many customers the asker reaches at a level.
double estimate_customers(const Asker &asker, int level);

// Estimates the fraction of rows whose customer the asker reaches.
double estimate_customer_fraction(PlannerInfo *root, Node *customer, int rel, const Asker &asker,
                                  int level);

// Estimates the fraction of those rows that the windows let through.
double estimate_window_fraction(PlannerInfo *root, Node *date, int rel, const Asker &asker,
                                int level);

// How many keys the condition's array holds, and which fraction of the
// table they cover.
struct ConditionEstimate {
    double keys;
    double fraction;
};

// The same of the brands in which the asker holds the permission.
ConditionEstimate estimate_brands(PlannerInfo *root, Node *brand, int rel, const Asker &asker,
                                  std::string_view permission);

// Returns: none when the clause is no row test, or the column not one of its own.
std::optional<ConditionEstimate> estimate_condition(PlannerInfo *root, const Node *clause,
                                                    Node *column, int rel);

} // namespace entitle::pg
