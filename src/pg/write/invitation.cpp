// Doors of invitations: judged when they are made, and by the inviter's rights then when they are
// accepted (R61).
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"
#include "pg/write/delegate.hpp"
#include "pg/write/grant.hpp"

extern "C" {
#include "executor/spi.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

// An invitation as it is stored.
struct Invitation {
    bool is_found;
    UserId user;
    bool has_inviter;
    UserId inviter;
    Day last_day;
};

// Runs a query about one invitation. regime: C
void run_query(const char *query, std::int64_t id) {
    Oid type = INT8OID;
    Datum value = Int64GetDatum(id);
    if (SPI_execute_with_args(query, 1, &type, &value, nullptr, false, 0) != SPI_OK_SELECT) {
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("an invitation was not read")));
    }
}

// Locks an invitation, so that it is accepted once. regime: C
Invitation lock_invitation(std::int64_t id) {
    Invitation found{};
    SPI_connect();
    run_query("SELECT i.user_id, i.inviter_id, i.expires FROM entitle.pending_invitation AS i"
              " WHERE i.invitation_id OPERATOR(pg_catalog.=) $1 FOR UPDATE",
              id);
    if (SPI_processed == 1) {
        const auto get = [](int column, bool *is_null) {
            return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, is_null);
        };
        bool is_null = false;
        found.is_found = true;
        found.user = DatumGetInt64(get(1, &is_null));
        const Datum inviter = get(2, &is_null);
        found.has_inviter = !is_null;
        found.inviter = is_null ? 0 : DatumGetInt64(inviter);
        const Datum last_day = get(3, &is_null);
        found.last_day = is_null ? kFirstDay : DatumGetDateADT(last_day);
    }
    SPI_finish();
    return found;
}

void take_invitation(std::int64_t id) {
    SPI_connect();
    run_query("SELECT entitle_internal.take_invitation($1)", id);
    SPI_finish();
}

} // namespace

// judge_invitation(user_id, organization_id, brand_id, role_id, customer_id, access_role,
// days_back): an error unless the caller could give all of it now. The user may be none: one who is
// not there yet. R60, R61, R42
ENTITLE_FUNCTION(entitle_judge_invitation) {
    const UserId user = bigint_argument(fcinfo, 0).value_or(0);
    const Membership membership{bigint_argument(fcinfo, 1), bigint_argument(fcinfo, 2),
                                bigint_argument(fcinfo, 3), false};
    const auto customer = bigint_argument(fcinfo, 4);
    const auto level = text_argument(fcinfo, 5);
    const auto days_back =
        PG_ARGISNULL(6) ? std::nullopt : std::optional<std::int32_t>(PG_GETARG_INT32(6));
    lock_organization(home_of(membership));
    const Asker writer = current_writer();
    // Somebody who is signed in invites with his own rights, in a superuser's session, too: they
    // are what the acceptance is judged by.
    const bool is_judged = is_bound() || writer.subject != nullptr;
    const GrantWriter granter = customer && is_judged ? grant_writer_on(*customer) : GrantWriter();
    compute([&] {
        Role role;
        if (is_judged && (membership.organization || membership.brand)) {
            const MemberRow row = find_member(user, membership, writer, role);
            throw_if_failed(check_member_write(writer.subject, nullptr, &row));
        }
        if (customer) {
            const GrantRow row{user,
                               make_grant(*customer, level, days_back, std::nullopt, std::nullopt)};
            if (is_judged) {
                throw_if_failed(check_new_grant(granter, row));
            }
            throw_if_failed(check_grant_values(row));
        }
    });
    PG_RETURN_VOID();
}

// accept_invitation(invitation_id): the signed-in user takes what an invitation carries, if whoever
// made it could give it today. R61
ENTITLE_FUNCTION(entitle_accept_invitation) {
    const auto id = bigint_argument(fcinfo, 0);
    const Asker asker = asker_now();
    const Invitation found = id ? lock_invitation(*id) : Invitation{};
    if (!found.is_found || asker.subject == nullptr || !asker.subject->is_active ||
        asker.subject->id != found.user) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("there is no such invitation of the signed-in user"),
                        errhint("See entitle.invitation for the own ones.")));
    }
    compute([&] {
        throw_if_failed(check_invitation_open(found.last_day, asker.session));
        const OnBehalf inviting(found.has_inviter ? std::optional<UserId>(found.inviter)
                                                  : std::nullopt);
        call_pg([&] { take_invitation(*id); });
    });
    PG_RETURN_VOID();
}
