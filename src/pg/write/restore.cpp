// A dump is restored in any order of tables.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/extension_schema.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/lending/definer.hpp"

extern "C" {
#include "commands/trigger.h"
#include "parser/parse_func.h"
#include "utils/guc.h"
}

using namespace entitle::pg;

namespace {

// Whether it was begin_restore that changed the role of the session. A setting, because it ends
// with the transaction, or with what of it is undone.
constexpr char kIsSwitched[] = "entitle_restore.switched";

void set_in_transaction(const char *name, const char *value) {
    (void)set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
                            false);
}

void take_turn() {
    OidFunctionCall0(LookupFuncName(
        list_make2(makeString(pstrdup(kInternalSchema)), makeString(pstrdup("take_turn"))), 0,
        nullptr, false));
}

} // namespace

// Trigger of each table of the model, before each insert; an argument says that the table has
// shipped rows. Neither this nor end_restore has a condition: PostgreSQL would read it for every
// statement, which takes longer than to write a row.
ENTITLE_FUNCTION(entitle_begin_restore) {
    const TriggerData *data = require_trigger(fcinfo);
    if (!is_restoring()) {
        PG_RETURN_POINTER(nullptr);
    }
    // Workers of pg_restore -j that lay rows over shipped ones do so one after another: each sees
    // what the others removed.
    if (data->tg_trigger->tgnargs > 0) {
        take_turn();
    }
    // pg_restore -j pays no heed to the foreign keys of an extension's tables. The dump was
    // consistent, so they need not be checked: under replica only what is ENABLE ALWAYS fires,
    // which our own triggers are.
    if (SessionReplicationRole == SESSION_REPLICATION_ROLE_ORIGIN) {
        set_in_transaction(kIsSwitched, "on");
        set_in_transaction("session_replication_role", "replica");
    }
    PG_RETURN_POINTER(nullptr);
}

// Trigger of the same tables, after each insert.
ENTITLE_FUNCTION(entitle_end_restore) {
    (void)require_trigger(fcinfo);
    if (!is_restoring()) {
        PG_RETURN_POINTER(nullptr);
    }
    const char *value = GetConfigOption(kIsSwitched, true, false);
    if (value != nullptr && strcmp(value, "on") == 0) {
        set_in_transaction(kIsSwitched, "");
        set_in_transaction("session_replication_role", "origin");
    }
    PG_RETURN_POINTER(nullptr);
}
