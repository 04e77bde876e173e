// Triggers that hold customers, their links, metric values and the metrics' catalogue to their
// rules (R7 to R15, R17, R19).
#include "pg/postgres.hpp"

#include "pg/customer.hpp"
#include "pg/function.hpp"
#include "pg/rights.hpp"
#include "pg/row_trigger.hpp"
#include "pg/setting.hpp"
#include "pg/table.hpp"
#include "pg/value.hpp"

extern "C" {
#include "access/tableam.h"
#include "storage/lmgr.h"
#include "utils/numeric.h"
#include "utils/varlena.h"
}

#include "core/customer.hpp"
#include "core/permission.hpp"
#include "core/score.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace entitle::pg {

bool is_recalculating = false;

std::optional<CustomerFacts> lock_customer(CustomerId customer) {
    std::optional<CustomerFacts> facts;
    Reader reader = open_reader();
    Rows rows =
        open_rows(reader, Table::customer, Index::customer_by_id, 1, Int64GetDatum(customer));
    if (next_row(rows)) {
        LockRelationOid(RelationGetRelid(rows.relation), RowShareLock);
        TupleTableSlot *slot = table_slot_create(rows.relation, nullptr);
        TM_FailureData failure;
        const TM_Result outcome = table_tuple_lock(
            rows.relation, &rows.tuple->t_self, reader.snapshot, slot, GetCurrentCommandId(true),
            LockTupleNoKeyExclusive, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
        if (outcome == TM_Ok) {
            // The newest version: another transaction may have changed the customer while this one
            // waited.
            bool is_null = false;
            const Datum brand = slot_getattr(slot, rows.columns[3], &is_null);
            CustomerFacts found{
                is_null ? std::nullopt : std::optional<BrandId>(DatumGetInt64(brand)), ""};
            const Datum status = slot_getattr(slot, rows.columns[4], &is_null);
            strlcpy(found.status, is_null ? "" : TextDatumGetCString(status), sizeof(found.status));
            facts = found;
        } else if (outcome != TM_Deleted) {
            ereport(ERROR, (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
                            errmsg("the customer was changed by the same command"),
                            errhint("Write the customer and what belongs to it in two commands.")));
        }
        ExecDropSingleTupleTableSlot(slot);
    }
    close_rows(rows);
    close_reader(reader);
    return facts;
}

} // namespace entitle::pg

namespace {

enum CustomerPlace {
    legal_name,
    trade_name,
    tax_id,
    customer_code,
    brand_id,
    status,
    client_score,
    scored_at,
    status_before
};
constexpr const char *kCustomer[] = {"legal_name",    "trade_name", "tax_id",
                                     "customer_code", "brand_id",   "status",
                                     "client_score",  "scored_at",  "status_before"};

// Names of the full-record fields, and where they are. regime: C
struct FieldList {
    int count;
    const char *names[MaxHeapAttributeNumber];
    AttrNumber columns[MaxHeapAttributeNumber];
};

const FieldList *full_record(const FiredRow &row) {
    auto *fields = static_cast<FieldList *>(palloc0(sizeof(FieldList)));
    List *names = NIL;
    if (!SplitIdentifierString(pstrdup(full_record_fields()), ',', &names)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("setting \"entitle.full_record_fields\" is not a list of columns"),
                        errhint("List columns of entitle.customer, separated by commas.")));
    }
    ListCell *cell = nullptr;
    foreach (cell, names) {
        const auto *name = static_cast<const char *>(lfirst(cell));
        const AttrNumber number = get_attnum(RelationGetRelid(row.data->tg_relation), name);
        if (number <= 0 || fields->count == MaxHeapAttributeNumber) {
            ereport(
                ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg(
                     "setting \"entitle.full_record_fields\" names \"%s\", no column of customers",
                     name),
                 errhint("List columns of entitle.customer, separated by commas.")));
        }
        fields->names[fields->count] = name;
        fields->columns[fields->count++] = number;
    }
    return fields;
}

// A field is filled when it is given and, if it is text, not blank. regime: C
bool is_filled(const FiredRow &row, HeapTuple tuple, AttrNumber number) {
    bool is_null = false;
    (void)column(row, tuple, number, &is_null);
    const Oid type = TupleDescAttr(row.shape, number - 1)->atttypid;
    return !is_null && (type != TEXTOID || !is_blank(text_column(row, tuple, number)));
}

// One version of the row in plain memory. regime: C
struct PlainRecord {
    const char *status;
    std::optional<BrandId> brand;
    bool *filled;
};

PlainRecord read_record(const FiredRow &row, HeapTuple tuple, const AttrNumber *columns,
                        const FieldList &fields) {
    PlainRecord record;
    bool is_null = false;
    const Datum brand = column(row, tuple, columns[brand_id], &is_null);
    record.brand = is_null ? std::nullopt : std::optional<BrandId>(DatumGetInt64(brand));
    record.status = text_column(row, tuple, columns[status]);
    record.filled = static_cast<bool *>(palloc(fields.count + 1));
    for (int i = 0; i < fields.count; ++i) {
        record.filled[i] = is_filled(row, tuple, fields.columns[i]);
    }
    return record;
}

CustomerRecord to_record(const PlainRecord &plain, const FieldList &fields) {
    CustomerRecord record;
    record.brand = plain.brand;
    record.status = plain.status == nullptr ? std::nullopt : parse_status(plain.status);
    record.filled.assign(plain.filled, plain.filled + fields.count);
    return record;
}

// Tells whether any column but the status and the score differs. regime: C
bool changes_more(const FiredRow &row, const AttrNumber *columns) {
    for (int i = 0; i < row.shape->natts; ++i) {
        const auto number = static_cast<AttrNumber>(i + 1);
        const bool is_own = number == columns[status] || number == columns[client_score] ||
                            number == columns[scored_at] || number == columns[status_before];
        if (!is_own && !TupleDescAttr(row.shape, i)->attisdropped && is_changed(row, number)) {
            return true;
        }
    }
    return false;
}

// Texts that bind everyone. A missing one is told by the column's own NOT NULL.
void check_texts(const FiredRow &row, const AttrNumber *columns) {
    const char *state = text_column(row, row.after, columns[status]);
    compute([&] {
        if (state != nullptr) {
            demand(check_customer_status(state));
        }
    });
    for (const int place : {legal_name, trade_name, tax_id, customer_code}) {
        const char *value = text_column(row, row.after, columns[place]);
        compute([&] {
            if (value != nullptr) {
                demand(check_not_blank(kCustomer[place], value));
            }
        });
    }
}

// Puts a status, and the one held before deactivation, into the row that is stored. regime: C
HeapTuple with_status(const FiredRow &row, const AttrNumber *columns, Status now,
                      const char *held) {
    int places[] = {columns[status], columns[status_before]};
    char text[8];
    pg_snprintf(text, sizeof(text), "%.4s", status_text(now).data());
    Datum values[] = {CStringGetTextDatum(text),
                      held == nullptr ? Datum(0) : CStringGetTextDatum(held)};
    bool nulls[] = {false, held == nullptr};
    return heap_modify_tuple_by_cols(row.after, row.shape, 2, places, values, nulls);
}

HeapTuple guard_insert(const FiredRow &row, const AttrNumber *columns, bool binds) {
    const char *held = text_column(row, row.after, columns[status_before]);
    if (binds) {
        const FieldList fields = {0, {}, {}};
        const PlainRecord plain = read_record(row, row.after, columns, fields);
        bool lacks_score = false;
        bool lacks_time = false;
        (void)column(row, row.after, columns[client_score], &lacks_score);
        (void)column(row, row.after, columns[scored_at], &lacks_time);
        const Asker &asker = current_asker();
        compute([&] {
            demand(check_new_customer(asker.subject, asker.session, to_record(plain, fields),
                                      !lacks_score || !lacks_time));
        });
    }
    check_texts(row, columns);
    // What was held before is the extension's own knowledge; only a load brings it along.
    const char *now = text_column(row, row.after, columns[status]);
    const bool keeps = held == nullptr || (!binds && now != nullptr && strcmp(now, "INAC") == 0);
    return keeps ? row.after : with_status(row, columns, *parse_status(now), nullptr);
}

HeapTuple guard_update(const FiredRow &row, const AttrNumber *columns, bool binds) {
    const char *was = text_column(row, row.before, columns[status]);
    const char *held = text_column(row, row.before, columns[status_before]);
    const char *wanted = text_column(row, row.after, columns[status]);
    if (was == nullptr || wanted == nullptr) {
        return row.after;
    }
    check_texts(row, columns);
    Status now = *parse_status(wanted);
    if (binds) {
        const FieldList &fields = *full_record(row);
        const PlainRecord before = read_record(row, row.before, columns, fields);
        const PlainRecord after = read_record(row, row.after, columns, fields);
        const bool scores =
            is_changed(row, columns[client_score]) || is_changed(row, columns[scored_at]);
        const bool more = changes_more(row, columns);
        const Asker &asker = current_asker();
        compute([&] {
            CustomerChange change;
            change.before = to_record(before, fields);
            change.after = to_record(after, fields);
            change.status_before = held == nullptr ? std::nullopt : parse_status(held);
            change.changes_score = scores;
            change.changes_more = more;
            const std::vector<std::string> names(fields.names, fields.names + fields.count);
            const entitle::Result<Status> decided =
                check_customer_change(asker.subject, asker.session, change, names);
            demand(decided);
            now = decided.value();
        });
    }
    const bool was_inactive = strcmp(was, "INAC") == 0;
    const char *given = text_column(row, row.after, columns[status_before]);
    const char *holds = given;
    if (now != Status::inactive) {
        holds = nullptr;
    } else if (!was_inactive) {
        holds = was;
    } else if (binds) {
        holds = held;
    }
    const bool is_same =
        (holds == nullptr) == (given == nullptr) && (holds == nullptr || strcmp(holds, given) == 0);
    const bool keeps = is_same && status_text(now) == wanted;
    return keeps ? row.after : with_status(row, columns, now, holds);
}

// What a trigger of a customer's rows asks once the customer is locked.
using CheckLocked = entitle::Result<Passed> (*)(const Subject *, const Session &,
                                                const CustomerFacts &);

entitle::Result<Passed> check_value(const Subject *subject, const Session &session,
                                    const CustomerFacts &customer) {
    return check_metric_write(subject, session, customer.status, customer.brand);
}

entitle::Result<Passed> check_link(const Subject *subject, const Session &session,
                                   const CustomerFacts &customer) {
    return check_can_link(subject, session, parse_status(customer.status), customer.brand);
}

// Locks the customer if the asker may know of it, then asks. regime: C
void demand_locked(std::optional<CustomerId> customer, CheckLocked check) {
    const auto seen = customer ? find_customer(*customer) : std::nullopt;
    bool is_visible = false;
    const Asker &asker = current_asker();
    compute([&] {
        is_visible =
            seen && seen->brand &&
            check_permission(asker.subject, asker.session, "customers.view", seen->brand).allowed;
    });
    // The status may have flipped since it was read: from here on it cannot.
    const auto locked = is_visible ? lock_customer(*customer) : std::nullopt;
    const Asker &now = current_asker();
    compute([&] {
        if (!locked) {
            throw Failure(unreachable_customer());
        }
        demand(check(now.subject, now.session, *locked));
    });
}

// Asks for the customer a row belongs to, and for the one it moves to. regime: C
void guard_belonging(const FiredRow &row, AttrNumber customer_id, CheckLocked check) {
    const bool stays =
        row.before != nullptr && row.after != nullptr && !is_changed(row, customer_id);
    for (HeapTuple tuple : {row.before, stays ? nullptr : row.after}) {
        if (tuple == nullptr) {
            continue;
        }
        bool is_null = false;
        const Datum customer = column(row, tuple, customer_id, &is_null);
        demand_locked(is_null ? std::nullopt : std::optional<CustomerId>(DatumGetInt64(customer)),
                      check);
    }
}

// Compares a numeric column with whole bounds; NaN is above all. A missing value passes. regime: C
bool is_between(const FiredRow &row, AttrNumber number, std::int64_t low, const char *high) {
    bool is_null = false;
    const Datum value = column(row, row.after, number, &is_null);
    if (is_null) {
        return true;
    }
    const Datum least = NumericGetDatum(int64_to_numeric(low));
    const Datum most = DirectFunctionCall3(numeric_in, CStringGetDatum(high),
                                           ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    return DatumGetBool(DirectFunctionCall2(numeric_ge, value, least)) &&
           DatumGetBool(DirectFunctionCall2(numeric_le, value, most));
}

// Tells whether a numeric column holds plus infinity; a missing value does not. regime: C
bool is_infinite(const FiredRow &row, AttrNumber number) {
    bool is_null = false;
    const Datum value = column(row, row.after, number, &is_null);
    return !is_null && numeric_is_inf(DatumGetNumeric(value));
}

void demand_not_blank(const FiredRow &row, AttrNumber number, const char *name) {
    const char *value = row.after == nullptr ? nullptr : text_column(row, row.after, number);
    compute([&] {
        if (value != nullptr) {
            demand(check_not_blank(name, value));
        }
    });
}

} // namespace

// Trigger of customer, before each row. R7 to R11, R17
ENTITLE_FUNCTION(entitle_guard_customer) {
    const FiredRow row = fired_row(fcinfo);
    if (is_recalculating && row.before != nullptr && row.after != nullptr) {
        return pass(row);
    }
    const AttrNumber *columns = find_columns(fcinfo, row, kCustomer, lengthof(kCustomer));
    const bool binds = !is_exempt();
    if (row.after == nullptr) {
        if (binds) {
            ereport(
                ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("customers are not deleted"),
                 errhint(
                     "Deactivate the customer with entitle.deactivate_customer(customer_id).")));
        }
        return pass(row);
    }
    return PointerGetDatum(row.before == nullptr ? guard_insert(row, columns, binds)
                                                 : guard_update(row, columns, binds));
}

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
    // NaN sorts above the greatest number there is, infinity aside.
    if (row.after != nullptr &&
        (!is_between(row, columns[1], 0, "Infinity") || is_infinite(row, columns[1]))) {
        ereport(ERROR,
                (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a multiplier is a number from 0 up"),
                 errhint("Give 0 to leave the metric out of the score.")));
    }
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

// require_view(customer_id): an error unless the caller may view the customer. R3
ENTITLE_FUNCTION(entitle_require_view) {
    const auto customer = bigint_argument(fcinfo, 0);
    const auto facts = customer ? find_customer(*customer) : std::nullopt;
    const bool is_free = is_exempt();
    const Asker &asker = current_asker();
    compute([&] {
        const bool sees = facts && facts->brand &&
                          (is_free || check_permission(asker.subject, asker.session,
                                                       "customers.view", facts->brand));
        if (!sees) {
            throw Failure(unreachable_customer());
        }
    });
    PG_RETURN_VOID();
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
