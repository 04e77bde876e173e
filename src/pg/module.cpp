// The library's start: settings, callbacks, hooks. Each backend runs it once.
#include "pg/postgres.hpp"

#include "pg/compat.hpp"
#include "pg/rights.hpp"
#include "pg/setting.hpp"
#include "pg/signal.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

namespace {

ExecutorRun_hook_type next_run = nullptr;

// Every executor run is a statement of its own, also inside functions. regime: hook
void on_run(ENTITLE_RUN_PARAMETERS) {
    entitle::pg::count_statement();
    if (next_run != nullptr) {
        next_run(ENTITLE_RUN_ARGUMENTS);
    } else {
        standard_ExecutorRun(ENTITLE_RUN_ARGUMENTS);
    }
}

} // namespace

extern "C" void _PG_init(void) {
    entitle::pg::define_settings();
    entitle::pg::register_signals();
    next_run = ExecutorRun_hook;
    ExecutorRun_hook = on_run;
}
