// Names and keys of the model: the trigger that says in words what their constraints would refuse.
#include "pg/postgres.hpp"

#include "pg/function.hpp"
#include "pg/row_trigger.hpp"

#include "core/name.hpp"

using namespace entitle;
using namespace entitle::pg;

// Trigger of the tables whose rows have a name, before each row; its argument is the column.
ENTITLE_FUNCTION(entitle_guard_name) {
    const FiredRow row = fired_row(fcinfo);
    const Trigger *trigger = row.data->tg_trigger;
    if (trigger->tgnargs != 1) {
        elog(ERROR, "trigger \"%s\" names no column", trigger->tgname);
    }
    const char *field = trigger->tgargs[0];
    const AttrNumber *number = find_columns(fcinfo, row, &field, 1);
    const char *value = row.after == nullptr ? nullptr : text_column(row, row.after, *number);
    compute([&] {
        if (value != nullptr) {
            demand(check_name(field, value));
        }
    });
    return pass(row);
}
