// The library's start: settings, callbacks, hooks. Each backend runs it once.
#include "pg/postgres.hpp"

#include "pg/caller.hpp"
#include "pg/hook.hpp"
#include "pg/lent.hpp"
#include "pg/masked_read.hpp"
#include "pg/migration.hpp"
#include "pg/refusal.hpp"
#include "pg/setting.hpp"
#include "pg/signal.hpp"
#include "pg/unheard.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

extern "C" void _PG_init(void) {
    entitle::pg::define_settings();
    entitle::pg::register_signals();
    entitle::pg::install_hooks();
    entitle::pg::install_masked_reads();
    entitle::pg::install_refusals();
    entitle::pg::watch_callers();
    entitle::pg::watch_migrations();
    entitle::pg::watch_lookups();
    entitle::pg::watch_unheard();
}
