#include "pg/boundary/postgres.hpp"

#include "pg/lending/printed_tree.hpp"

extern "C" {
#include "tcop/tcopprot.h"
}

#include <initializer_list>

namespace entitle::pg {

namespace {

void switch_off(GucAction action) {
    for (const char *setting : {"debug_print_plan", "debug_print_parse", "debug_print_rewritten"}) {
        set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, action, true, 0, false);
    }
}

} // namespace

bool prints_trees() {
    return (Debug_print_plan || Debug_print_parse || Debug_print_rewritten) &&
           !superuser_arg(GetOuterUserId());
}

void hide_trees_within() {
    if (prints_trees()) {
        switch_off(GUC_ACTION_SAVE);
    }
}

void hide_trees() {
    // What runs in parallel writes nothing.
    if (prints_trees() && !IsInParallelMode()) {
        switch_off(GUC_ACTION_LOCAL);
    }
}

} // namespace entitle::pg
