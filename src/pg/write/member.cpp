// Triggers that hold the writing of memberships to R60, and that keep an organization's last active
// owner.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/model_table.hpp"
#include "pg/write/delegate.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

constexpr const char *kColumns[] = {"membership_id", "user_id", "organization_id",
                                    "brand_id",      "role_id", "is_owner"};
enum ColumnPlace { membership_id, user_id, organization_id, brand_id, role_id, is_owner };

// A membership as a row has it. regime: C
struct WrittenMember {
    UserId user = 0;
    Membership membership;
};

WrittenMember read_member(const FiredRow &row, HeapTuple tuple, const AttrNumber *columns) {
    return {bigint_column(row, tuple, columns[user_id]),
            {id_column(row, tuple, columns[organization_id]),
             id_column(row, tuple, columns[brand_id]), id_column(row, tuple, columns[role_id]),
             bool_column(row, tuple, columns[is_owner])}};
}

// Whether it names one place, which an owner's is an organization. What does not, the constraints
// of the table refuse, and they have words for it.
bool is_well_formed(const Membership &membership) noexcept {
    return membership.organization.has_value() != membership.brand.has_value() &&
           (!membership.is_owner || membership.organization);
}

// Tells whether an active user owns the organization, as this command leaves it. regime: C
bool has_active_owner(OrganizationId organization) {
    CommandCounterIncrement();
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::membership, TableIndex::owner_by_organization, 1,
                          Int64GetDatum(organization));
    bool found = false;
    while (!found && next_row(rows)) {
        bool is_null = false;
        const std::int64_t user = get_bigint(rows, MembershipColumn::user, &is_null);
        found = get_bool(rows, MembershipColumn::is_owner) && is_active_user(user);
    }
    close_rows(rows);
    close_reader(reader);
    return found;
}

void demand_owner(OrganizationId organization) {
    const bool has_others = has_active_owner(organization);
    compute([&] { throw_if_failed(check_owner_left(has_others)); });
}

// An error unless the caller manages the members of the place.
void demand_manager(const Membership &place) {
    if (!is_bound()) {
        return;
    }
    lock_organization(home_of(place));
    const Asker writer = current_writer();
    compute([&] {
        // Of nobody: a membership without role, that only the place's members' manager may end.
        const MemberRow row{0, place, nullptr, {}};
        throw_if_failed(check_member_write(writer.subject, &row, nullptr));
    });
}

} // namespace

// Trigger of membership, before each row: who writes it.
ENTITLE_FUNCTION(entitle_guard_member) {
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (!is_bound()) {
        return pass(row);
    }
    const WrittenMember before =
        row.before == nullptr ? WrittenMember() : read_member(row, row.before, columns);
    const WrittenMember after =
        row.after == nullptr ? WrittenMember() : read_member(row, row.after, columns);
    if (row.after != nullptr && !is_well_formed(after.membership)) {
        return pass(row);
    }
    lock_organizations(home_of(before.membership), home_of(after.membership));
    const Asker writer = current_writer();
    compute([&] {
        Role old_role;
        Role new_role;
        MemberRow old_row;
        MemberRow new_row;
        if (row.before != nullptr) {
            old_row = find_member(before.user, before.membership, writer, old_role);
        }
        if (row.after != nullptr) {
            new_row = find_member(after.user, after.membership, writer, new_role);
        }
        throw_if_failed(check_member_write(writer.subject,
                                           row.before == nullptr ? nullptr : &old_row,
                                           row.after == nullptr ? nullptr : &new_row));
    });
    demand_same_key(row, columns[membership_id]);
    const bool names_user =
        row.after != nullptr && (row.before == nullptr || before.user != after.user);
    if (names_user && !may_name_member(row, after.user)) {
        compute([] { throw Failure(no_such_user()); });
    }
    return row.before == nullptr ? PointerGetDatum(with_own_key(row, columns[membership_id]))
                                 : pass(row);
}

// Trigger of membership, after each row: an owner who goes leaves another active one.
ENTITLE_FUNCTION(entitle_keep_last_owner) {
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (row.before == nullptr || is_exempt()) {
        return pass(row);
    }
    const WrittenMember before = read_member(row, row.before, columns);
    const auto organization = before.membership.organization;
    // One who is switched off counts, too: it may have been in the same command (S365). Whoever
    // ends such an owner is an active one.
    if (before.membership.is_owner && organization) {
        demand_owner(*organization);
    }
    return pass(row);
}

// Trigger of app_user, after each row: an owner who is switched off leaves another active one.
ENTITLE_FUNCTION(entitle_keep_last_active_owner) {
    static constexpr const char *kUser[] = {"user_id", "is_active"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kUser, lengthof(kUser));
    const bool goes = row.before != nullptr && bool_column(row, row.before, columns[1]) &&
                      (row.after == nullptr || !bool_column(row, row.after, columns[1]));
    if (!goes || is_exempt()) {
        return pass(row);
    }
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::membership, TableIndex::membership_by_user, 1,
                          Int64GetDatum(bigint_column(row, row.before, columns[0])));
    while (next_row(rows)) {
        bool is_null = false;
        const std::int64_t organization =
            get_bigint(rows, MembershipColumn::organization, &is_null);
        if (get_bool(rows, MembershipColumn::is_owner) && !is_null) {
            demand_owner(organization);
        }
    }
    close_rows(rows);
    close_reader(reader);
    return pass(row);
}

// require_members(organization_id, brand_id): an error unless the caller manages the members of
// that place. R60
ENTITLE_FUNCTION(entitle_require_members) {
    demand_manager({bigint_argument(fcinfo, 0), bigint_argument(fcinfo, 1), std::nullopt, false});
    PG_RETURN_VOID();
}

// user_at_hand(login, organization_id, brand_id) -> bigint: the active user with that login whom
// the caller may make a member of that place without inviting; NULL for who has places elsewhere,
// as for nobody. R60, R61
ENTITLE_FUNCTION(entitle_user_at_hand) {
    demand_manager({bigint_argument(fcinfo, 1), bigint_argument(fcinfo, 2), std::nullopt, false});
    const auto login = text_argument(fcinfo, 0);
    const bool binds = is_bound();
    const auto user = !login ? std::nullopt : binds ? find_at_hand(*login) : user_by_login(*login);
    if (!user || (!binds && !is_active_user(*user))) {
        PG_RETURN_NULL();
    }
    PG_RETURN_INT64(*user);
}
