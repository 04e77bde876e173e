// Which ALTER TABLE has the rows of a table say something else, past its triggers.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/node.hpp"

extern "C" {
#include "tcop/deparse_utility.h"
}

using namespace entitle;
using namespace entitle::pg;

// alters_rows(command) -> boolean: whether the command wrote rows anew, or brought or took some.
// regime: C
ENTITLE_FUNCTION(entitle_alters_rows) {
    const auto *command = reinterpret_cast<const CollectedCommand *>(PG_GETARG_POINTER(0));
    if (!PG_ARGISNULL(0) && command->type == SCT_AlterTable) {
        ListCell *cell = nullptr;
        foreach (cell, command->d.alterTable.subcmds) {
            const auto *part = static_cast<const CollectedATSubcmd *>(lfirst(cell));
            if (IsA(part->parsetree, AlterTableCmd) &&
                entitle_alters_rows(ENTITLE_NODE(AlterTableCmd, part->parsetree)->subtype)) {
                PG_RETURN_BOOL(true);
            }
        }
    }
    PG_RETURN_BOOL(false);
}
