// What plans took for granted about the asker. A plan that leaves out a row test, or swaps it for
// an index condition, is right only while an answer stays what it was at planning. It carries the
// number of that answer in its invalidation items, which PostgreSQL copies with every PlannedStmt,
// and the answer is asked again before each execution: a plan whose assumption no longer holds is
// never run (hook.cpp). regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include <string_view>

extern "C" {
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
}

namespace entitle::pg {

enum class Fact {
    permission_held,      // in the current brand
    some_brand_permitted, // in any brand
    is_somebody,          // an active user asks
    has_grants,           // any external grant at all
    has_unlimited_window, // a grant without days-back limit
    has_limited_window,   // a grant with one, at a level
    customers_as_begun,   // at a level; cursors compare them by customers_version
    reaches_more,         // than so many customers at a level
    reaches_alike,        // customers, and the same, at a level and at the one that `number` says
    permits_more,         // than so many brands
};

// A question about the asker. What a fact does not use stays empty.
struct Question {
    Fact fact;
    std::string_view permission;
    int level = 0;
    std::size_t number = 0;
};

// Answers now, for the present asker. An answer that shapes what a plan shows must be assumed; one
// that only shapes an estimate need not.
bool ask(const Question &question);

// Makes the plan under way depend on the answer that was just given.
// Returns: false when the plan cannot carry it; the answer must then not shape the plan.
bool assume(PlannerInfo *root, const Question &question, bool answer);

// Tells whether a plan can carry the question at all.
bool can_be_assumed(const Question &question) noexcept;

// The same for a plan that is finished. Returns: false when it must not be used.
bool assume(PlannedStmt *plan, const Question &question, bool answer);

bool has_assumptions(const PlannedStmt *plan) noexcept;

// Tells whether the plan depends on that answer.
bool is_assumed(const PlannedStmt *plan, const Question &question, bool answer);

// Asks every assumption of the plan, or among a plan's items, again. Returns: whether all hold for
// the present asker.
bool assumptions_hold(const PlannedStmt *plan);
bool assumptions_hold(const List *items);

// The same after loading all of the asker's grants, without which the answers are on the safe side:
// for executions that cannot get another plan.
bool assumptions_hold_loaded(const PlannedStmt *plan);

// Takes customers_as_begun out of a plan that has no use for it.
void drop_customers_as_begun(PlannedStmt *plan);

// Returns: a number that is another one when the customers have changed that the plan's
// customers_as_begun are about, even for a moment; 0 for a plan without any.
std::uint64_t customers_version(const PlannedStmt *plan);

// Tells that plans with these items cannot be exchanged: should they be cached, they are dropped
// when another identity contradicts them.
void orphan_assumptions(const List *items) noexcept;

// Whether the present asker contradicts one of them.
bool has_contradicted_orphan();

// All cached plans are gone, and so are those.
void forget_orphans() noexcept;

// Whether assumptions were forgotten since this was last asked, because there were too many: plans
// that rely on them fit nobody any more.
bool take_forgotten() noexcept;

} // namespace entitle::pg
