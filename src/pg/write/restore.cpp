// A dump is restored in any order of tables.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/boundary/internal_function.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/once.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/lending/definer.hpp"

extern "C" {
#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/guc.h"
}

using namespace entitle::pg;

namespace {

// Where begin_restore changed the role of the session. No setting says so, because anybody could
// make it; and who is called by the statement could end what a restore is recognised by (S535).
struct Switched {
    SubTransactionId by; // its own end, or the transaction's, takes the role back as well
    int depth;           // of triggers: those of a trigger's inserts end nothing
};
Switched switched = {InvalidSubTransactionId, 0};

void on_end(XactEvent, void *) { switched.by = InvalidSubTransactionId; }

void set_role(const char *role) {
    (void)set_config_option("session_replication_role", role, PGC_SUSET, PGC_S_SESSION,
                            GUC_ACTION_LOCAL, true, 0, false);
}

} // namespace

// Trigger of each table of the model, before each insert; an argument says that the table has
// shipped rows. Neither this nor end_restore has a condition: PostgreSQL would read it for every
// statement, which takes longer than to write a row.
ENTITLE_FUNCTION(entitle_begin_restore) {
    const TriggerData *data = require_trigger(fcinfo);
    if (!is_restoring()) {
        return Datum(0);
    }
    // Workers of pg_restore -j that lay rows over shipped ones do so one after another: each sees
    // what the others removed.
    if (data->tg_trigger->tgnargs > 0) {
        OidFunctionCall0(internal_function("take_turn", 0, nullptr));
    }
    // pg_restore -j pays no heed to the foreign keys of an extension's tables. The dump was
    // consistent, so they need not be checked: under replica only what is ENABLE ALWAYS fires,
    // which our own triggers are.
    if (SessionReplicationRole == SESSION_REPLICATION_ROLE_ORIGIN) {
        once([] { RegisterXactCallback(on_end, nullptr); });
        set_role("replica");
        switched = {GetCurrentSubTransactionId(), trigger_depth()};
    }
    return Datum(0);
}

// Trigger of the same tables, after each insert.
ENTITLE_FUNCTION(entitle_end_restore) {
    (void)require_trigger(fcinfo);
    if (switched.by == GetCurrentSubTransactionId() && switched.depth == trigger_depth()) {
        switched.by = InvalidSubTransactionId;
        set_role("origin");
    }
    return Datum(0);
}
