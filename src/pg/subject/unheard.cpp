// The warning at the end of a transaction in which an identity was set and not asked for.
#include "pg/boundary/postgres.hpp"
#include "pg/boundary/once.hpp"

#include "pg/subject/unheard.hpp"

namespace entitle::pg {

const char *unheard = nullptr;

namespace {

void on_transaction(XactEvent event, void *) {
    const char *function = unheard;
    if (event == XACT_EVENT_PRE_COMMIT) {
        unheard = nullptr;
        if (function != nullptr) {
            ereport(WARNING,
                    (errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
                     errmsg("%s had no effect: it ended with its transaction", function),
                     errhint("BEGIN a transaction first, with the statements that it is for; "
                             "entitle.sign_in(login, session_wide => true) signs in for longer.")));
        }
    } else if (event == XACT_EVENT_ABORT) {
        unheard = nullptr;
    }
}

} // namespace

void note_unheard(const char *function) {
    // In a block more statements may come. Those of a pipeline, too, but they ask before its end.
    unheard = IsTransactionBlock() ? nullptr : function;
}

void watch_unheard() {
    once([] { RegisterXactCallback(on_transaction, nullptr); });
}

} // namespace entitle::pg
