// Whoever writes a table makes its triggers, checks and the extension's own functions run, whose
// variables hold rows as they are stored. A plan is made for the values of its parameters, so they
// stand in it.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/printed_tree.hpp"
#include "pg/enforce/refused_write.hpp"

extern "C" {
#include "parser/analyze.h"
}

#include <initializer_list>

namespace entitle::pg {

namespace {

post_parse_analyze_hook_type next_analyze = nullptr;

bool are_printed() {
    return (Debug_print_plan || Debug_print_parse || Debug_print_rewritten) &&
           !superuser_arg(GetOuterUserId());
}

void switch_off(GucAction action) {
    for (const char *setting : {"debug_print_plan", "debug_print_parse", "debug_print_rewritten"}) {
        set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, action, true, 0, false);
    }
}

bool may_hold_rows() { return DatumGetInt32(pg_trigger_depth(nullptr)) > 0 || is_masked_write(); }

void on_analyze(ENTITLE_ANALYZE_PARAMETERS) {
    hide_trees(); // which are printed next
    if (next_analyze != nullptr) {
        next_analyze(ENTITLE_ANALYZE_ARGUMENTS);
    }
}

} // namespace

void hide_trees() {
    // Until the transaction ends: the statement's own expressions may switch them on again, but
    // each statement inside comes by here. What runs in parallel writes nothing.
    if (are_printed() && !IsInParallelMode() && may_hold_rows()) {
        switch_off(GUC_ACTION_LOCAL);
    }
}

void hide_trees_within() {
    if (are_printed()) {
        switch_off(GUC_ACTION_SAVE);
    }
}

void install_printed_trees() {
    next_analyze = post_parse_analyze_hook;
    post_parse_analyze_hook = on_analyze;
}

} // namespace entitle::pg
