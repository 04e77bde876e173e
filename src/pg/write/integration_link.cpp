// Links of customers to other services: the trigger that guards them, and can_link (R19).
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/write/customer_lock.hpp"
#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"

#include "core/customer.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

entitle::Result<Passed> check_link(const Subject *subject, const Session &session,
                                   const CustomerFacts &customer) {
    return check_can_link(subject, session, parse_status(customer.status), customer.brand);
}

} // namespace

// Trigger of integration_link, before each row. R19
ENTITLE_FUNCTION(entitle_guard_link) {
    static constexpr const char *kColumns[] = {"customer_id", "provider", "external_id"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (!is_exempt()) {
        guard_belonging(row, columns[0], check_link);
    }
    demand_not_blank(row, columns[1], kColumns[1]);
    demand_not_blank(row, columns[2], kColumns[2]);
    demand_short(row, columns[1], kColumns[1]);
    return pass(row);
}

// can_link(customer_id) -> boolean: may the asker write the customer's links? R19
ENTITLE_FUNCTION(entitle_can_link) {
    const auto customer = bigint_argument(fcinfo, 0);
    const auto facts = customer ? find_customer(*customer) : std::nullopt;
    const Asker &asker = current_asker();
    bool allowed = false;
    compute([&] { allowed = facts && check_link(asker.subject, asker.session, *facts).ok(); });
    PG_RETURN_BOOL(allowed);
}
