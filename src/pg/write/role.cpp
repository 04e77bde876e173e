// Triggers that hold the writing of roles, and of what they list, to R59.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/model_table.hpp"
#include "pg/model/subject_load.hpp"
#include "pg/write/delegate.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

// Finds a role as it is stored, with what it lists. Returns: whether there is one. Raises for
// somebody without any place, who manages none. regime: C++
bool find_stored(RoleId id, const Asker &writer, Role &role) {
    if (writer.subject == nullptr || writer.subject->catalogue == nullptr) {
        throw Failure(unmanaged_role());
    }
    return call_pg([&] { return load_role(id, writer.subject->catalogue, role); });
}

// Adds a key to what a role lists. regime: C++
void add_key(Role &role, const Catalogue &catalogue, bool is_metric, std::string_view key) {
    if (is_metric && key == "*") {
        role.all_metrics = true;
        return;
    }
    const auto index = is_metric ? catalogue.find_metric(key) : catalogue.find_permission(key);
    if (!index) {
        throw Failure(
            Error::bad_value(is_metric ? "there is no such metric" : "there is no such permission",
                             is_metric ? "See entitle.metric for the metrics there are."
                                       : "See entitle.permission for the permissions "
                                         "there are."));
    }
    (is_metric ? role.metrics : role.permissions).push_back(*index);
}

} // namespace

// Trigger of role, before each row: who writes it.
ENTITLE_FUNCTION(entitle_guard_role) {
    static constexpr const char *kColumns[] = {"role_id", "organization_id"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (!is_bound()) {
        return pass(row);
    }
    const auto before = id_column(row, row.before, columns[1]);
    const auto after = id_column(row, row.after, columns[1]);
    if (row.after != nullptr && !after) {
        return pass(row); // the column's own NOT NULL tells
    }
    lock_organizations(before, after);
    const Asker writer = current_writer();
    const auto id = id_column(row, row.before, columns[0]);
    compute([&] {
        Role stored;
        if (id && !find_stored(*id, writer, stored)) {
            throw Failure(unmanaged_role());
        }
        Role written = stored; // what it lists goes with it
        written.organization = after.value_or(0);
        throw_if_failed(check_role_write(writer.subject, row.before == nullptr ? nullptr : &stored,
                                         row.after == nullptr ? nullptr : &written));
    });
    demand_same_key(row, columns[0]);
    return row.before == nullptr ? PointerGetDatum(with_own_key(row, columns[0])) : pass(row);
}

// Trigger of role_permission and role_metric, before each row: who writes what a role lists.
ENTITLE_FUNCTION(entitle_guard_role_list) {
    static constexpr const char *kPermission[] = {"role_id", "permission_key"};
    static constexpr const char *kMetric[] = {"role_id", "metric_key"};
    const FiredRow row = fired_row(fcinfo);
    const bool is_metric =
        strcmp(RelationGetRelationName(row.data->tg_relation), "role_metric") == 0;
    const AttrNumber *columns =
        find_columns(fcinfo, row, is_metric ? kMetric : kPermission, lengthof(kMetric));
    if (!is_bound()) {
        return pass(row);
    }
    const auto before = id_column(row, row.before, columns[0]);
    const auto after = id_column(row, row.after, columns[0]);
    const char *key = row.after == nullptr ? nullptr : text_column(row, row.after, columns[1]);
    if (row.after != nullptr && (!after || key == nullptr)) {
        return pass(row); // the key's own NOT NULL tells
    }
    lock_organizations(before ? organization_of_role(*before) : std::nullopt,
                       after ? organization_of_role(*after) : std::nullopt);
    const Asker writer = current_writer();
    compute([&] {
        Role stored;
        if (before) {
            const bool is_found = find_stored(*before, writer, stored);
            // A role that was deleted takes its list along.
            if (!is_found && row.after != nullptr) {
                throw Failure(unmanaged_role());
            }
            if (is_found) {
                throw_if_failed(check_role_write(writer.subject, &stored, nullptr));
            }
        }
        if (after) {
            Role listed;
            if (!find_stored(*after, writer, listed)) {
                throw Failure(unmanaged_role());
            }
            const Role was = listed;
            throw_if_failed(check_role_write(writer.subject, &was, nullptr));
            add_key(listed, *writer.subject->catalogue, is_metric, key);
            throw_if_failed(check_role_write(writer.subject, nullptr, &listed));
        }
    });
    return pass(row);
}

// require_role(role_id): an error unless the caller may write the role as it is. R59
ENTITLE_FUNCTION(entitle_require_role) {
    const auto id = bigint_argument(fcinfo, 0);
    const auto organization = id ? organization_of_role(*id) : std::nullopt;
    if (!is_bound()) {
        if (!organization) {
            ereport(ERROR,
                    (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no such role"),
                     errhint("See entitle.role for the roles there are.")));
        }
        PG_RETURN_VOID();
    }
    lock_organization(organization);
    const Asker writer = current_writer();
    compute([&] {
        Role stored;
        if (!id || !find_stored(*id, writer, stored)) {
            throw Failure(unmanaged_role());
        }
        throw_if_failed(check_role_write(writer.subject, &stored, nullptr));
    });
    PG_RETURN_VOID();
}
