// Triggers that hold the writing of users to R61.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/model_table.hpp"
#include "pg/model/subject_load.hpp"
#include "pg/write/delegate.hpp"
#include "pg/write/grant.hpp"

#include <deque>

using namespace entitle;
using namespace entitle::pg;

namespace {

constexpr const char *kColumns[] = {"user_id", "login", "is_active", "db_role", "db_role_oid"};
enum ColumnPlace { user_id, login, is_active, db_role, db_role_oid };

// Whether the writer is an L80 or L90 of some customer today. regime: C
bool administers_customer(const Asker &writer) {
    return writer.user != nullptr &&
           grant_summary(writer).customers[level_place(kAdminLevel).value()] > 0;
}

// A user's memberships, in plain memory. regime: C
struct Held {
    RowList<Membership> memberships;
    RowList<Grant> grants;
};

Held read_held(UserId user) {
    Held held;
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::membership, TableIndex::membership_by_user, 1,
                          Int64GetDatum(user));
    const auto get_id = [&](int column) {
        bool is_null = false;
        const std::int64_t id = get_bigint(rows, column, &is_null);
        return is_null ? std::nullopt : std::optional<std::int64_t>(id);
    };
    while (next_row(rows)) {
        held.memberships.add(
            Membership{get_id(MembershipColumn::organization), get_id(MembershipColumn::brand),
                       get_id(MembershipColumn::role), get_bool(rows, MembershipColumn::is_owner)});
    }
    close_rows(rows);
    rows = open_rows(reader, Table::external_access, TableIndex::grant_by_user, 1,
                     Int64GetDatum(user));
    while (next_row(rows)) {
        const char *level = get_text(rows, GrantColumn::role);
        held.grants.add(
            make_grant(get_id(GrantColumn::customer).value_or(0),
                       level == nullptr ? std::nullopt : std::optional<std::string_view>(level),
                       std::nullopt, std::nullopt, std::nullopt));
    }
    close_rows(rows);
    close_reader(reader);
    return held;
}

// Locks the organizations where the user has a place, in an order that is everybody's.
void lock_homes(const Held &held) {
    for (std::optional<OrganizationId> last;;) {
        std::optional<OrganizationId> next;
        for (const Membership &membership : held.memberships) {
            const auto home = home_of(membership);
            if (home && (!last || *home > *last) && (!next || *home < *next)) {
                next = home;
            }
        }
        if (!next) {
            return;
        }
        lock_organization(next);
        last = next;
    }
}

// An error unless the writer may switch the user off or on. regime: C
void demand_switching(UserId user, bool is_superuser) {
    lock_homes(read_held(user));
    const Held held = read_held(user);
    const Asker writer = current_writer();
    compute([&] {
        HeldPlaces places;
        std::deque<Role> roles; // whose addresses stay
        places.is_superuser = is_superuser;
        for (const Membership &membership : held.memberships) {
            roles.emplace_back();
            places.memberships.push_back(find_member(user, membership, writer, roles.back()));
        }
        for (const Grant &grant : held.grants) {
            places.grants.push_back(
                {call_pg([&] { return grant_writer_on(grant.customer); }), {user, grant}});
        }
        throw_if_failed(check_switched_user(writer.subject, places));
    });
}

[[noreturn]] void raise_superusers_only(const char *what) {
    compute([&] { throw Failure(superusers_only(what)); });
    pg_unreachable();
}

} // namespace

// Trigger of app_user, before each row: who writes it. R61
ENTITLE_FUNCTION(entitle_guard_user) {
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (!is_bound()) {
        return pass(row);
    }
    if (row.after == nullptr) {
        compute([] {
            throw Failure(Error::denied("permission denied to delete users",
                                        "Switch the user off: SELECT "
                                        "entitle.deactivate_user(login)."));
        });
    }
    bool has_no_role = false;
    (void)column(row, row.after, columns[db_role], &has_no_role);
    if (row.before == nullptr) {
        const Asker writer = current_writer();
        const bool administers = administers_customer(writer);
        compute([&] { throw_if_failed(check_new_user(writer.subject, administers)); });
        if (!has_no_role) {
            raise_superusers_only("the database role of a user");
        }
        return PointerGetDatum(with_own_key(row, columns[user_id]));
    }
    bool had_no_mapping = false;
    const Datum mapped = column(row, row.before, columns[db_role_oid], &had_no_mapping);
    demand_switching(bigint_column(row, row.before, columns[user_id]),
                     !had_no_mapping && superuser_arg(DatumGetObjectId(mapped)));
    if (is_changed(row, columns[user_id]) || is_changed(row, columns[login]) ||
        is_changed(row, columns[db_role])) {
        raise_superusers_only("the login or database role of a user");
    }
    return pass(row);
}

// switched_user(login) -> bigint: the user whom the caller may switch off or on; the same error for
// one who does not exist as for one who is out of reach. R61
ENTITLE_FUNCTION(entitle_switched_user) {
    const auto name = text_argument(fcinfo, 0);
    const auto found = name ? find_login(*name) : std::nullopt;
    if (is_bound()) {
        demand_switching(found ? found->user : 0,
                         found && OidIsValid(found->role) && superuser_arg(found->role));
    }
    if (!found) {
        compute([] { throw Failure(no_such_user()); });
    }
    PG_RETURN_INT64(found->user);
}
