// Names and keys of the model: the trigger that says in words what their constraints would refuse.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/model/row_trigger.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

#include "core/name.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

void require_columns(const Trigger &trigger) {
    if (trigger.tgnargs < 1) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("trigger \"%s\" names no column", trigger.tgname),
                        errhint("Give the names of columns as the trigger's arguments.")));
    }
}

} // namespace

// Trigger of the tables whose rows have a name, before each row; its argument is the column.
ENTITLE_FUNCTION(entitle_guard_name) {
    const FiredRow row = fired_row(fcinfo);
    const Trigger *trigger = row.data->tg_trigger;
    require_columns(*trigger);
    const char *field = trigger->tgargs[0];
    const AttrNumber *number = find_text_columns(fcinfo, row, &field, 1);
    const char *value = row.after == nullptr ? nullptr : text_column(row, row.after, *number);
    compute([&] {
        if (value != nullptr) {
            throw_if_failed(check_name(field, value));
        }
    });
    if (value != nullptr && strcmp(field, "login") == 0) {
        // Core reads UTF-8; a database may hold another encoding, with blanks of its own.
        const char *login = pg_server_to_any(value, static_cast<int>(strlen(value)), PG_UTF8);
        compute([&] { throw_if_failed(check_login_ends(login)); });
    }
    return pass(row);
}

// Trigger of the tables that hold such keys of other tables; its arguments are the columns.
ENTITLE_FUNCTION(entitle_guard_key) {
    const FiredRow row = fired_row(fcinfo);
    const Trigger *trigger = row.data->tg_trigger;
    require_columns(*trigger);
    const AttrNumber *numbers = find_text_columns(fcinfo, row, trigger->tgargs, trigger->tgnargs);
    for (int i = 0; i < trigger->tgnargs; ++i) {
        demand_short(row, numbers[i], trigger->tgargs[i]);
    }
    return pass(row);
}
