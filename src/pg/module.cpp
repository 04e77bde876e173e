// The library's start: settings, callbacks, hooks.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/once.hpp"
#include "pg/lending/definer.hpp"
#include "pg/planner/hook.hpp"
#include "pg/lending/lent_rights.hpp"
#include "pg/enforce/foreign_key.hpp"
#include "pg/enforce/masked_read.hpp"
#include "pg/enforce/migration.hpp"
#include "pg/enforce/printed_row.hpp"
#include "pg/enforce/refused_write.hpp"
#include "pg/enforce/running_statement.hpp"
#include "pg/observe/observed_scan.hpp"
#include "pg/observe/reported_table.hpp"
#include "pg/observe/tally.hpp"
#include "pg/subject/setting.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/subject/unheard.hpp"

extern "C" {
ENTITLE_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

// A start that fails for want of memory is begun again by the next statement: each step happens
// once, and ends with what cannot fail.
extern "C" void _PG_init(void) {
    using namespace entitle::pg;
    once([] { define_settings(); });
    once([] { register_signals(); });
    once([] { install_hooks(); });
    once([] { install_masked_reads(); });
    once([] { watch_foreign_keys(); });
    once([] { install_refusals(); });
    once([] { install_printed_rows(); });
    once([] { watch_reported_tables(); });
    once([] { install_tally(); });
    once([] { install_observed_scans(); });
    once([] { watch_callers(statement_user); });
    once([] { watch_migrations(); });
    once([] { watch_lookups(); });
    once([] { watch_unheard(); });
}
