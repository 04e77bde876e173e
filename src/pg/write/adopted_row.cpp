// Rows that stand for rows of adopted tables change at their source only.
#include "pg/boundary/postgres.hpp"

#include <algorithm>
#include <iterator>

#include "pg/boundary/function.hpp"
#include "pg/boundary/internal_function.hpp"
#include "pg/boundary/node.hpp"
#include "pg/lending/definer.hpp"
#include "pg/lending/following.hpp"
#include "pg/model/replay.hpp"
#include "pg/model/row_trigger.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

constexpr const char *kColumns[] = {"adoption_id"};

// Set here and not at the source: the score of a customer, and the database role of a user.
constexpr const char *kOwnColumns[] = {"client_score", "scored_at", "db_role", "db_role_oid"};
// What erasing a user who is not active replaces (S438).
constexpr const char *kNames[] = {"login", "full_name"};

template <std::size_t count> bool is_one_of(const char *name, const char *const (&names)[count]) {
    return std::any_of(std::begin(names), std::end(names),
                       [&](const char *each) { return strcmp(each, name) == 0; });
}

// How far an update reaches. regime: C
enum class Reach { own, names, source };
Reach reach_of(const FiredRow &row) {
    Reach reach = Reach::own;
    for (int i = 0; i < row.shape->natts; ++i) {
        const FormData_pg_attribute &shape = *TupleDescAttr(row.shape, i);
        if (shape.attisdropped || is_one_of(NameStr(shape.attname), kOwnColumns) ||
            !is_changed(row, static_cast<AttrNumber>(i + 1))) {
            continue;
        }
        if (!is_one_of(NameStr(shape.attname), kNames)) {
            return Reach::source;
        }
        reach = Reach::names;
    }
    return reach;
}

bool is_inactive_user(const FiredRow &row) {
    const AttrNumber is_active = get_attnum(RelationGetRelid(row.data->tg_relation), "is_active");
    return strcmp(RelationGetRelationName(row.data->tg_relation), "app_user") == 0 &&
           !bool_column(row, row.before, is_active);
}

// Raises unless a superuser may write the row all the same. It is looked up with the rights of the
// extension: whoever writes need not see what is declared.
void demand_free(const FiredRow &row, std::int64_t adoption, bool may_be_erased) {
    const Oid types[] = {TEXTOID, INT8OID, BOOLOID};
    OidFunctionCall3(internal_function("demand_free", lengthof(types), types),
                     CStringGetTextDatum(RelationGetRelationName(row.data->tg_relation)),
                     Int64GetDatum(adoption), BoolGetDatum(may_be_erased));
}

} // namespace

// Trigger of each table that adopted ones fill, before each row. It has no condition: PostgreSQL
// would read one for every statement, which takes longer than to write a row. R64
ENTITLE_FUNCTION(entitle_guard_adopted) {
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    const auto before = id_column(row, row.before, columns[0]);
    const auto adoption = before ? before : id_column(row, row.after, columns[0]);
    if (!adoption || is_following() || is_replaying() || is_restoring()) {
        return pass(row);
    }
    const bool is_update = row.before != nullptr && row.after != nullptr;
    const Reach reach = is_update ? reach_of(row) : Reach::source;
    if (reach != Reach::own) {
        demand_free(row, *adoption, reach == Reach::names && is_inactive_user(row));
    }
    return pass(row);
}
