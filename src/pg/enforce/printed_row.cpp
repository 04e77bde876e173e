// Whoever writes a table makes its triggers, checks and the extension's own functions run, whose
// variables hold rows as they are stored. Their trees are kept back inside a trigger and in the
// write of a table with masked columns. The statement's own expressions may switch them on again,
// but each statement inside comes by here.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/enforce/printed_row.hpp"
#include "pg/enforce/refused_write.hpp"
#include "pg/lending/printed_tree.hpp"

extern "C" {
#include "optimizer/planner.h"
#include "parser/analyze.h"
}

namespace entitle::pg {

namespace {

post_parse_analyze_hook_type next_analyze = nullptr;
planner_hook_type next_planner = nullptr;

bool may_print_rows() {
    return prints_trees() && (DatumGetInt32(pg_trigger_depth(nullptr)) > 0 || is_masked_write());
}

void on_analyze(ENTITLE_ANALYZE_PARAMETERS) {
    if (may_print_rows()) {
        hide_trees(); // which are printed next
    }
    if (next_analyze != nullptr) {
        next_analyze(ENTITLE_ANALYZE_ARGUMENTS);
    }
}

PlannedStmt *on_plan(ENTITLE_PLAN_PARAMETERS) {
    if (may_print_rows()) {
        hide_trees();
    }
    const planner_hook_type plan = next_planner != nullptr ? next_planner : standard_planner;
    return plan(ENTITLE_PLAN_ARGUMENTS);
}

} // namespace

void install_printed_rows() {
    next_analyze = post_parse_analyze_hook;
    post_parse_analyze_hook = on_analyze;
    next_planner = planner_hook;
    planner_hook = on_plan;
}

} // namespace entitle::pg
