// How a query with row tests is planned: in a copy, in which the tests stand where they serve the
// planner best.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/lending/lent_rights.hpp"
#include "pg/planner/assumption.hpp"
#include "pg/planner/distributed_table.hpp"
#include "pg/planner/fenced_line.hpp"
#include "pg/planner/opened_test.hpp"
#include "pg/planner/passed_test.hpp"
#include "pg/planner/plan_tree.hpp"
#include "pg/planner/plan_variant.hpp"
#include "pg/planner/planner.hpp"
#include "pg/planner/redundant_filter.hpp"
#include "pg/planner/told_array.hpp"
#include "pg/planner/view_conflict.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/subject/statement.hpp"

extern "C" {
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "utils/syscache.h"
}

#include <utility>

namespace entitle::pg {

namespace {

planner_hook_type next_planner = nullptr;

// A plan that costs more than this was made without looking at the asker's many grants, and would
// be better for it: about what loading 100,000 of them costs.
constexpr Cost kWorthLoading = 5000.0;

// Below this, planning once more costs more than a better plan can save.
constexpr Cost kWorthFencing = 500.0;

// The row tests' functions as planning met them.
constexpr int kMaxRowTests = 8;
Oid row_tests[kMaxRowTests];
int next_row_test = 0;

bool is_noted(Oid function) noexcept {
    for (const Oid known : row_tests) {
        if (known == function) {
            return true;
        }
    }
    return false;
}

// Whether the planner may put the function's query in the place of its call.
bool may_be_inlined(const RangeTblEntry *entry) {
    if (entry->rtekind != RTE_FUNCTION) {
        return false;
    }
    bool is_query = false;
    for (const auto *function : each<RangeTblFunction>(entry->functions)) {
        if (IsA(function->funcexpr, FuncExpr)) {
            const Oid oid = ENTITLE_NODE(FuncExpr, function->funcexpr)->funcid;
            HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
            if (HeapTupleIsValid(row)) {
                const auto *form = reinterpret_cast<const FormData_pg_proc *>(GETSTRUCT(row));
                is_query = is_query || form->prolang == SQLlanguageId;
                ReleaseSysCache(row);
            }
        }
    }
    return is_query;
}

// Row tests come into a query by row security, by the barrier views of protect_table, by inlined
// functions, or by name.
bool has_row_test(Node *node, void *) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        const auto *entry = ENTITLE_NODE(RangeTblEntry, node);
        return entry->security_barrier || may_be_inlined(entry);
    }
    if (IsA(node, Query)) {
        auto *query = ENTITLE_NODE(Query, node);
        return query->hasRowSecurity || query_tree_walker(query, ENTITLE_WALKER(has_row_test),
                                                          nullptr, QTW_EXAMINE_RTES_BEFORE);
    }
    if (IsA(node, FuncExpr) && is_noted(ENTITLE_NODE(FuncExpr, node)->funcid)) {
        return true;
    }
    return expression_tree_walker(node, ENTITLE_WALKER(has_row_test), nullptr);
}

PlannedStmt *plan_next(ENTITLE_PLAN_PARAMETERS) {
    const planner_hook_type plan = next_planner != nullptr ? next_planner : standard_planner;
    PlannedStmt *result = plan(ENTITLE_PLAN_ARGUMENTS);
    if (take_forgotten()) {
        drop_plans();
    }
    if (has_assumptions(result) && !has_open_scan(result)) {
        drop_customers_as_begun(result);
    }
    return result;
}

// Plans without aggregating rows before they are joined.
PlannedStmt *plan_joins_first(ENTITLE_PLAN_PARAMETERS) {
    const int level = entitle_begin_joins_first();
    PlannedStmt *result = plan_next(ENTITLE_PLAN_ARGUMENTS);
    entitle_end_joins_first(level);
    return result;
}

// Has the finished plan ask for what its query relies on.
bool rely_on(PlannedStmt *plan, const Reliance &reliance) {
    for (auto *permission : each<String>(reliance.permissions)) {
        if (!assume(plan, Question{Fact::permission_held, strVal(permission)}, true)) {
            return false;
        }
    }
    for (int i = 0; i + 1 < list_length(reliance.levels); i += 2) {
        const auto other = static_cast<std::size_t>(list_nth_int(reliance.levels, i + 1));
        if (!assume(plan,
                    Question{Fact::reaches_alike, {}, list_nth_int(reliance.levels, i), other},
                    true)) {
            return false;
        }
    }
    return true;
}

// Plans the query, and once more with its lines fenced where that may be worth it.
PlannedStmt *plan_lines(ENTITLE_PLAN_PARAMETERS) {
    auto *fenced = static_cast<Query *>(copyObjectImpl(query));
    PlannedStmt *result = plan_next(ENTITLE_PLAN_ARGUMENTS);
    if (result->planTree->total_cost > kWorthFencing && fence_lines(fenced)) {
        query = fenced;
        PlannedStmt *other = plan_joins_first(ENTITLE_PLAN_ARGUMENTS);
        result = other->planTree->total_cost < result->planTree->total_cost ? other : result;
    }
    return result;
}

// Plans a copy of the kept query, in which the row tests stand where they serve the planner best.
PlannedStmt *plan_tests(const KeptQuery &kept, ENTITLE_PLAN_PARAMETERS) {
    const Reliance reliance = drop_passed_tests(query);
    drop_repeated_tests(query);
    const Opened opened = open_tests(query);
    cursor_options &= opened.must_sort_last ? ~CURSOR_OPT_PARALLEL_OK : ~0;
    PlannedStmt *result = opened.has_lines   ? plan_lines(ENTITLE_PLAN_ARGUMENTS)
                          : opened.has_joins ? plan_joins_first(ENTITLE_PLAN_ARGUMENTS)
                                             : plan_next(ENTITLE_PLAN_ARGUMENTS);
    if (!rely_on(result, reliance)) {
        query = copy_query(kept);
        (void)mark_told_arrays(query);
        drop_repeated_tests(query);
        result = plan_next(ENTITLE_PLAN_ARGUMENTS);
    }
    return result;
}

// The same, once more without the texts of functions where one of them tells something.
PlannedStmt *plan_kept(const KeptQuery &kept, ENTITLE_PLAN_PARAMETERS) {
    const ToldArrays outside = set_told_arrays(mark_told_arrays(query));
    PlannedStmt *result = plan_tests(kept, ENTITLE_PLAN_ARGUMENTS);
    if (set_told_arrays(ToldArrays{false, false, true}).is_found) {
        query = copy_query(kept);
        (void)mark_told_arrays(query);
        result = plan_tests(kept, ENTITLE_PLAN_ARGUMENTS);
    }
    (void)set_told_arrays(outside);
    return result;
}

// Whether a table is being created from a query: later releases of
// PostgreSQL (17.12, 18.6 and 19rc1, not 15.18) hand it to event triggers afterwards, and what
// planning leaves of it cannot be copied in every case.
bool is_creating_table = false;

PlannedStmt *on_plan(ENTITLE_PLAN_PARAMETERS) {
    if (is_creating_table) {
        query = static_cast<Query *>(copyObjectImpl(query));
    }
    refuse_view_conflict(query);
    const bool is_variant = (cursor_options & kVariantOption) != 0;
    cursor_options = check_lent_query(query, cursor_options & ~kVariantOption);
    // Should a row test come in by a way not known here, its plan cannot be exchanged.
    if (!has_row_test(reinterpret_cast<Node *>(query), nullptr) || has_distributed_table(query)) {
        return plan_next(ENTITLE_PLAN_ARGUMENTS);
    }
    check_wrapped_tests(query);
    const int place = begin_statement(CurrentMemoryContext);
    const KeptQuery kept = keep_query(query, cursor_options);
    const std::uint64_t unknown = unknown_grants();
    PlannedStmt *result = plan_kept(kept, ENTITLE_PLAN_ARGUMENTS);
    if (unknown_grants() != unknown && result->planTree->total_cost > kWorthLoading) {
        load_asker_grants();
        query = copy_query(kept);
        result = plan_kept(kept, ENTITLE_PLAN_ARGUMENTS);
    }
    if (!is_variant && has_assumptions(result)) {
        bind_query(kept, result);
    } else {
        MemoryContextDelete(kept.context);
    }
    end_statement(place);
    return result;
}

} // namespace

bool set_creating_table(bool is_creating) noexcept {
    return std::exchange(is_creating_table, is_creating);
}

void note_row_test(Oid function) noexcept {
    if (!is_noted(function)) {
        row_tests[next_row_test] = function;
        next_row_test = (next_row_test + 1) % kMaxRowTests;
    }
}

void install_planner() {
    next_planner = planner_hook;
    planner_hook = on_plan;
    watch_told_arrays();
}

} // namespace entitle::pg
