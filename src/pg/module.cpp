// The library's start: settings, callbacks, hooks. Each backend runs it once.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/lending/definer.hpp"
#include "pg/planner/hook.hpp"
#include "pg/lending/lent_rights.hpp"
#include "pg/enforce/masked_read.hpp"
#include "pg/enforce/migration.hpp"
#include "pg/enforce/printed_row.hpp"
#include "pg/enforce/refused_write.hpp"
#include "pg/enforce/running_statement.hpp"
#include "pg/subject/setting.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/subject/unheard.hpp"

extern "C" {
ENTITLE_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

extern "C" void _PG_init(void) {
    entitle::pg::define_settings();
    entitle::pg::register_signals();
    entitle::pg::install_hooks();
    entitle::pg::install_masked_reads();
    entitle::pg::install_refusals();
    entitle::pg::install_printed_rows();
    entitle::pg::watch_callers(entitle::pg::statement_user);
    entitle::pg::watch_migrations();
    entitle::pg::watch_lookups();
    entitle::pg::watch_unheard();
}
