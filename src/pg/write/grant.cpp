// Triggers that hold external access to its rules (R33, R38, R40 to R44) and owners to their place
// (R43), and the break-glass call.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/lending/following.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/boundary/function.hpp"
#include "pg/write/delegate.hpp"
#include "pg/write/grant.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/replay.hpp"
#include "pg/model/row_trigger.hpp"
#include "pg/model/model_table.hpp"
#include "pg/datum/datum.hpp"

extern "C" {
#include "executor/spi.h"
}

#include "core/grant.hpp"
#include "core/move.hpp"
#include "core/name.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace entitle::pg {

GrantWriter grant_writer_on(CustomerId customer) {
    const auto facts = find_customer(customer);
    const Asker asker = current_writer();
    const Grant *grant = asker.user == nullptr ? nullptr : grant_of(asker.user, customer);
    GrantWriter writer;
    compute([&] {
        writer = find_grant_writer(asker.subject, asker.session, customer,
                                   facts ? facts->brand : std::nullopt, grant);
    });
    return writer;
}

} // namespace entitle::pg

namespace {

// The grant that force_revoke_owner is taking away right now. Set for the run of its one DELETE: no
// setting, no SQL and no other session reaches it.
struct Release {
    bool is_open;
    CustomerId customer;
    UserId user;
    const char *reason;
};
Release release = {false, 0, 0, nullptr};

constexpr const char *kColumns[] = {"customer_id", "user_id",     "role",  "days_back",
                                    "valid_from",  "valid_until", "notes", "adoption_id"};
enum ColumnPlace {
    customer_id,
    user_id,
    role,
    days_back,
    valid_from,
    valid_until,
    notes,
    adoption_id
};

GrantRow read_grant(const FiredRow &row, HeapTuple tuple, const AttrNumber *columns) {
    const auto integer = [&](ColumnPlace place) {
        bool is_null = false;
        const Datum value = column(row, tuple, columns[place], &is_null);
        return is_null ? std::nullopt : std::optional<std::int32_t>(DatumGetInt32(value));
    };
    const char *level = text_column(row, tuple, columns[role]);
    GrantRow grant;
    grant.user = bigint_column(row, tuple, columns[user_id]);
    grant.grant =
        make_grant(bigint_column(row, tuple, columns[customer_id]),
                   level == nullptr ? std::nullopt : std::optional<std::string_view>(level),
                   integer(days_back), integer(valid_from), integer(valid_until));
    return grant;
}

void check_writer(const FiredRow &row, const GrantRow &before, const GrantRow &after,
                  const AttrNumber *columns) {
    const bool stays = row.before != nullptr && row.after != nullptr && before.user == after.user &&
                       before.grant.customer == after.grant.customer;
    if (stays) {
        const GrantWriter writer = grant_writer_on(before.grant.customer);
        const bool notes_changed = is_changed(row, columns[notes]);
        compute(
            [&] { throw_if_failed(check_changed_grant(writer, before, after, notes_changed)); });
        return;
    }
    GrantWriter there;
    if (row.before != nullptr) {
        there = grant_writer_on(before.grant.customer);
        compute([&] { throw_if_failed(check_removed_grant(there, before)); });
    }
    if (row.after != nullptr) {
        const GrantWriter writer = grant_writer_on(after.grant.customer);
        compute([&] {
            throw_if_failed(check_new_grant(writer, after));
            if (row.before != nullptr) {
                throw_if_failed(check_move(grant_rights(there, before), grant_rights(writer, after),
                                           "this grant"));
            }
        });
    }
}

// Tells whether an owner's grant is among the rows that the index finds. regime: C
bool has_owner(TableIndex index, int keys, std::int64_t key) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::external_access, index, keys, Int64GetDatum(key));
    bool found = false;
    while (!found && next_row(rows)) {
        const char *level = get_text(rows, GrantColumn::role);
        found = level != nullptr && parse_level(level) == kOwnerLevel;
    }
    close_rows(rows);
    close_reader(reader);
    return found;
}

[[noreturn]] void raise_owner_kept(const char *what) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("%s while it has the grant of an owner (L90)", what),
                    errhint("Only a superuser can take the grant away first, with "
                            "entitle.force_revoke_owner(customer_id, login, reason).")));
    pg_unreachable();
}

// Opens the release for as long as it lives.
class Opened {
  public:
    Opened(CustomerId customer, UserId user, const char *reason) noexcept {
        release = Release{true, customer, user, reason};
    }
    ~Opened() { release = Release{false, 0, 0, nullptr}; }
    Opened(const Opened &) = delete;
    Opened &operator=(const Opened &) = delete;
};

// Deletes one grant with all triggers firing. Returns: whether there was one. regime: C
bool delete_grant(CustomerId customer, UserId user) {
    Oid types[] = {INT8OID, INT8OID};
    Datum values[] = {Int64GetDatum(customer), Int64GetDatum(user)};
    SPI_connect();
    const int outcome =
        SPI_execute_with_args("DELETE FROM entitle.external_access AS g"
                              " WHERE g.customer_id OPERATOR(pg_catalog.=) $1"
                              " AND g.user_id OPERATOR(pg_catalog.=) $2"
                              " AND g.role OPERATOR(pg_catalog.=) 'L90'::pg_catalog.text",
                              2, types, values, nullptr, false, 0);
    const bool found = outcome == SPI_OK_DELETE && SPI_processed == 1;
    SPI_finish();
    return found;
}

} // namespace

namespace entitle::pg {

const char *forced_reason() noexcept { return release.is_open ? release.reason : nullptr; }

} // namespace entitle::pg

// Trigger of external_access, before each row: who may write it, its values, and that an owner
// stays.
ENTITLE_FUNCTION(entitle_guard_grant) {
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    const GrantRow before = row.before ? read_grant(row, row.before, columns) : GrantRow();
    const GrantRow after = row.after ? read_grant(row, row.after, columns) : GrantRow();
    const bool binds = is_bound();
    if (binds) {
        check_writer(row, before, after, columns);
    }
    // What a subscription takes away was taken away by force at the publisher, where R43 holds.
    const bool is_released =
        row.after == nullptr && ((release.is_open && before.grant.customer == release.customer &&
                                  before.user == release.user) ||
                                 (is_replaying() && !binds));
    // What an adopted table gave, it changes and takes (R64).
    const bool is_followed =
        is_following() && id_column(row, row.before, columns[adoption_id]).has_value();
    bool is_null = false;
    if (row.after != nullptr) {
        (void)column(row, row.after, columns[role], &is_null);
    }
    compute([&] {
        // A missing role is told by the column's own NOT NULL.
        if (row.after != nullptr && !is_null) {
            throw_if_failed(check_grant_values(after));
        }
        if (row.before != nullptr && !is_released && !is_followed) {
            throw_if_failed(check_owner_kept(before, row.after == nullptr ? nullptr : &after));
        }
    });
    const bool names_grantee =
        row.after != nullptr && (row.before == nullptr || before.user != after.user);
    if (binds && names_grantee && !is_active_user(after.user)) {
        compute([] { throw Failure(no_such_grantee()); });
    }
    return pass(row);
}

// Trigger of external_access, before TRUNCATE: not while there is an owner.
ENTITLE_FUNCTION(entitle_keep_owners) {
    Relation relation = require_trigger(fcinfo)->tg_relation;
    if (has_owner(TableIndex::none, 0, 0)) {
        raise_owner_kept(
            psprintf("table \"%s\" cannot be truncated", RelationGetRelationName(relation)));
    }
    return Datum(0);
}

// Trigger of customer, before a row is deleted or gets other keys: not while it has an owner. The
// code is also a label that a superuser may correct; an editor could swap two of them and so move
// an owner's documents, where tables refer to customers by code.
ENTITLE_FUNCTION(entitle_keep_owned_customer) {
    static constexpr const char *kKeys[] = {"customer_id", "customer_uuid", "customer_code"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kKeys, lengthof(kKeys));
    if (row.before == nullptr) {
        return pass(row); // a new row had no grant
    }
    bool loses_key =
        row.after == nullptr || is_changed(row, columns[0]) || is_changed(row, columns[1]);
    if (!loses_key && !is_exempt() && is_changed(row, columns[2])) {
        bool had_none = false;
        (void)column(row, row.before, columns[2], &had_none);
        loses_key = !had_none;
    }
    if (loses_key &&
        has_owner(TableIndex::grant_by_customer, 1, bigint_column(row, row.before, columns[0]))) {
        raise_owner_kept(row.after == nullptr ? "a customer cannot be deleted"
                                              : "a customer cannot get other keys");
    }
    return pass(row);
}

// Trigger of app_user, before a row is deleted or gets another key: not while the user is an owner.
// Switching the user off is allowed: it stops the person, and the grant waits.
ENTITLE_FUNCTION(entitle_keep_owning_user) {
    static constexpr const char *kKeys[] = {"user_id"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kKeys, lengthof(kKeys));
    if (row.before == nullptr) {
        return pass(row); // a new row had no grant
    }
    const bool loses_key = row.after == nullptr || is_changed(row, columns[0]);
    if (loses_key &&
        has_owner(TableIndex::grant_by_user, 1, bigint_column(row, row.before, columns[0]))) {
        raise_owner_kept(row.after == nullptr ? "a user cannot be deleted"
                                              : "a user cannot get another key");
    }
    return pass(row);
}

// require_managing(customer_id): an error unless the caller manages the customer's external access.
// R41
ENTITLE_FUNCTION(entitle_require_managing) {
    const auto customer = bigint_argument(fcinfo, 0);
    const bool exists = customer && find_customer(*customer).has_value();
    const bool allowed = is_exempt() ? exists : exists && is_managing(grant_writer_on(*customer));
    if (!allowed) {
        const bool knows = is_exempt();
        compute([&] { throw Failure(knows ? no_such_customer() : unmanaged_customer()); });
    }
    PG_RETURN_VOID();
}

// find_grantee(login) -> user id of an active user, found by exact login; an error when there is
// none. R44
ENTITLE_FUNCTION(entitle_find_grantee) {
    const auto login = text_argument(fcinfo, 0);
    const auto user = login ? user_by_login(*login) : std::nullopt;
    if (!user || !is_active_user(*user)) {
        compute([] { throw Failure(no_such_grantee()); });
    }
    PG_RETURN_INT64(*user);
}

// force_revoke_owner(customer_id, login, reason): a superuser takes an owner's grant away. R43
ENTITLE_FUNCTION(entitle_force_revoke_owner) {
    if (!is_exempt()) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied to force an owner's grant away"),
                        errhint("Only a superuser may, and the reason is logged.")));
    }
    const auto customer = bigint_argument(fcinfo, 0);
    const auto login = text_argument(fcinfo, 1);
    const auto reason = text_argument(fcinfo, 2);
    if (!reason || is_blank(*reason)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a reason is missing"),
                        errhint("Say why the owner's grant is taken away; it is logged.")));
    }
    const auto user = login ? user_by_login(*login) : std::nullopt;
    const char *words = pnstrdup(reason->data(), reason->size());
    bool found = false;
    if (customer && user) {
        compute([&] {
            const Opened opened(*customer, *user, words);
            found = call_pg([&] { return delete_grant(*customer, *user); });
        });
    }
    if (!found) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("this user is no owner (L90) of this customer"),
                        errhint("See entitle.external_access for who is.")));
    }
    PG_RETURN_VOID();
}
