// Metric values and their catalogue: the triggers that guard them, and who may score (R12 to R16).
#include "pg/postgres.hpp"

#include "pg/asker.hpp"
#include "pg/belonging.hpp"
#include "pg/function.hpp"
#include "pg/value.hpp"

extern "C" {
#include "utils/numeric.h"
}

#include "core/score.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

entitle::Result<Passed> check_value(const Subject *subject, const Session &session,
                                    const CustomerFacts &customer) {
    return check_metric_write(subject, session, customer.status, customer.brand);
}

// Tells whether a numeric column holds plus infinity; a missing value does not. regime: C
bool is_infinite(const FiredRow &row, AttrNumber number) {
    bool is_null = false;
    const Datum value = column(row, row.after, number, &is_null);
    return !is_null && numeric_is_inf(DatumGetNumeric(value));
}

} // namespace

// Trigger of customer_metric, before each row. R12 to R14
ENTITLE_FUNCTION(entitle_guard_metric_value) {
    static constexpr const char *kColumns[] = {"customer_id", "value"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (!is_exempt()) {
        guard_belonging(row, columns[0], check_value);
    }
    if (row.after != nullptr && !is_between(row, columns[1], 0, "100")) {
        ereport(ERROR,
                (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a metric value lies between 0 and 100"),
                 errhint("Give a number from 0 to 100.")));
    }
    return pass(row);
}

// Trigger of client_metric, before each row. R15, R16
ENTITLE_FUNCTION(entitle_guard_metric) {
    static constexpr const char *kColumns[] = {"name", "multiplier"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (!is_exempt()) {
        const Asker &asker = current_asker();
        compute([&] { demand(check_metric_catalogue(asker.subject, asker.session)); });
    }
    demand_not_blank(row, columns[0], kColumns[0]);
    demand_short(row, columns[0], kColumns[0]);
    // NaN sorts above the greatest number there is, infinity aside.
    if (row.after != nullptr &&
        (!is_between(row, columns[1], 0, "Infinity") || is_infinite(row, columns[1]))) {
        ereport(ERROR,
                (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a multiplier is a number from 0 up"),
                 errhint("Give 0 to leave the metric out of the score.")));
    }
    return pass(row);
}

// can_score(customer_id) -> boolean
ENTITLE_FUNCTION(entitle_can_score) {
    const auto customer = bigint_argument(fcinfo, 0);
    const Asker &asker = asker_now();
    if (asker.subject == nullptr || !customer) {
        PG_RETURN_BOOL(false);
    }
    const auto facts = find_customer(*customer);
    bool allowed = false;
    if (facts) {
        compute([&] {
            allowed =
                check_can_score(asker.subject, asker.session, facts->status, facts->brand).allowed;
        });
    }
    PG_RETURN_BOOL(allowed);
}

// require_scoring(customer_id): an error unless the caller may write its metric values, which it
// also locks. R12 to R14
ENTITLE_FUNCTION(entitle_require_scoring) {
    const auto customer = bigint_argument(fcinfo, 0);
    if (!is_exempt()) {
        demand_locked(customer, check_value);
    }
    PG_RETURN_VOID();
}
