// Metric values and their catalogue: the triggers that guard them, and who may score (R12 to R16).
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/write/customer_lock.hpp"
#include "pg/boundary/dump_preamble.hpp"
#include "pg/boundary/function.hpp"
#include "pg/model/replay.hpp"
#include "pg/model/model_table.hpp"
#include "pg/datum/datum.hpp"

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

// The organization that a row belongs to. regime: C
struct Home {
    bool is_found;
    std::optional<OrganizationId> organization;
};

// Reads the organization in a column of a table's row with this key.
Home find_home(const Reader &reader, Table table, TableIndex by_key, std::int64_t key,
               int organization_column) {
    Home home = {false, std::nullopt};
    Rows rows = open_rows(reader, table, by_key, 1, Int64GetDatum(key));
    if (next_row(rows)) {
        bool is_null = false;
        const std::int64_t organization = get_bigint(rows, organization_column, &is_null);
        home.is_found = true;
        home.organization = is_null ? std::nullopt : std::optional<OrganizationId>(organization);
    }
    close_rows(rows);
    return home;
}

// Holds a value to the catalogue that its customer is scored by (R57). A load brings values of
// customers that were in another organization once, and any order of tables.
void demand_own_metric(CustomerId customer, std::int64_t metric) {
    const bool is_free = is_exempt();
    if (is_free && (has_dump_preamble() || is_replaying())) {
        return;
    }
    const auto facts = find_customer(customer);
    Reader reader = open_reader();
    const Home of_metric = find_home(reader, Table::client_metric, TableIndex::client_metric_by_id,
                                     metric, ClientMetricColumn::organization);
    const Home of_brand = facts && facts->brand
                              ? find_home(reader, Table::brand, TableIndex::brand_by_id,
                                          *facts->brand, BrandColumn::organization)
                              : Home{false, std::nullopt};
    close_reader(reader);
    // What does not exist is left to the foreign keys, for those who may know what exists.
    const bool is_known = of_metric.is_found && of_brand.is_found;
    if (is_known ? of_metric.organization != of_brand.organization : !is_free) {
        compute([] { throw Failure(foreign_metric()); });
    }
}

std::optional<OrganizationId> organization_of(const FiredRow &row, HeapTuple tuple,
                                              AttrNumber number) {
    bool is_null = false;
    const Datum organization = column(row, tuple, number, &is_null);
    return is_null ? std::nullopt : std::optional<OrganizationId>(DatumGetInt64(organization));
}

} // namespace

// Trigger of customer_metric, before each row. R12 to R14, R57
ENTITLE_FUNCTION(entitle_guard_metric_value) {
    static constexpr const char *kColumns[] = {"customer_id", "metric_id", "value"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (!is_exempt()) {
        guard_belonging(row, columns[0], check_value);
    }
    if (row.after != nullptr &&
        (row.before == nullptr || is_changed(row, columns[0]) || is_changed(row, columns[1]))) {
        bool lacks_customer = false;
        bool lacks_metric = false;
        const Datum customer = column(row, row.after, columns[0], &lacks_customer);
        const Datum metric = column(row, row.after, columns[1], &lacks_metric);
        if (!lacks_customer && !lacks_metric) {
            demand_own_metric(DatumGetInt64(customer), DatumGetInt64(metric));
        }
    }
    if (row.after != nullptr && !is_between(row, columns[2], 0, "100")) {
        ereport(ERROR,
                (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a metric value lies between 0 and 100"),
                 errhint("Give a number from 0 to 100.")));
    }
    return pass(row);
}

// Trigger of client_metric, before each row; of both catalogues for a metric that moves. R15, R16,
// R57
ENTITLE_FUNCTION(entitle_guard_metric) {
    static constexpr const char *kColumns[] = {"name", "multiplier", "organization_id"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (!is_exempt()) {
        const Asker &asker = current_asker();
        for (HeapTuple tuple : {row.before, row.after}) {
            if (tuple != nullptr) {
                const auto organization = organization_of(row, tuple, columns[2]);
                compute([&] {
                    throw_if_failed(
                        check_metric_catalogue(asker.subject, asker.session, organization));
                });
            }
        }
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

// sees_metrics(organization_id) -> boolean. R15, R57
ENTITLE_FUNCTION(entitle_sees_metrics) {
    const auto organization = bigint_argument(fcinfo, 0);
    const Asker &asker = asker_now();
    bool sees = false;
    compute([&] { sees = sees_metric_catalogue(asker.subject, asker.session, organization); });
    PG_RETURN_BOOL(sees);
}

// writes_metrics(organization_id) -> boolean. R15, R57
ENTITLE_FUNCTION(entitle_writes_metrics) {
    const auto organization = bigint_argument(fcinfo, 0);
    const Asker &asker = asker_now();
    bool writes = false;
    compute(
        [&] { writes = check_metric_catalogue(asker.subject, asker.session, organization).ok(); });
    PG_RETURN_BOOL(writes);
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
