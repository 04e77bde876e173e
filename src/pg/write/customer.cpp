// The trigger that holds customers to their life, from PAIN to ACTV and INAC (R7 to R11, R17).
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/write/customer_lock.hpp"
#include "pg/write/customer.hpp"
#include "pg/boundary/function.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/row_trigger.hpp"
#include "pg/subject/setting.hpp"
#include "pg/datum/datum.hpp"

extern "C" {
#include "utils/varlena.h"
}

#include "core/customer.hpp"
#include "core/move.hpp"
#include "core/name.hpp"
#include "core/permission.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace entitle::pg {

bool is_recalculating = false;

} // namespace entitle::pg

namespace {

enum CustomerPlace {
    legal_name,
    trade_name,
    tax_id,
    customer_code,
    customer_uuid,
    customer_id,
    brand_id,
    status,
    client_score,
    scored_at,
    status_before,
    adoption_id
};
constexpr const char *kCustomer[] = {
    "legal_name", "trade_name", "tax_id",       "customer_code", "customer_uuid", "customer_id",
    "brand_id",   "status",     "client_score", "scored_at",     "status_before", "adoption_id"};

// Names of the full-record fields, and where they are. regime: C
struct FieldList {
    int count;
    const char **names;
    AttrNumber *columns;
};

FieldList full_record(const FiredRow &row) {
    FieldList fields = {0, nullptr, nullptr};
    List *names = NIL;
    if (!SplitIdentifierString(pstrdup(full_record_fields()), ',', &names)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("setting \"entitle.full_record_fields\" is not a list of columns"),
                        errhint("List columns of entitle.customer, separated by commas.")));
    }
    const auto size = static_cast<Size>(list_length(names));
    fields.names = static_cast<const char **>(palloc(size * sizeof(*fields.names)));
    fields.columns = static_cast<AttrNumber *>(palloc(size * sizeof(*fields.columns)));
    for (const auto *name : each<char>(names)) {
        const AttrNumber number = get_attnum(RelationGetRelid(row.data->tg_relation), name);
        if (number <= 0) {
            ereport(
                ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg(
                     "setting \"entitle.full_record_fields\" names \"%s\", no column of customers",
                     name),
                 errhint("List columns of entitle.customer, separated by commas.")));
        }
        fields.names[fields.count] = name;
        fields.columns[fields.count++] = number;
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

// Names and tax id of a customer that was made here: an adopted one has what its source has (R65).
void demand_given(const FiredRow &row, AttrNumber number, const char *name) {
    bool is_null = false;
    (void)column(row, row.after, number, &is_null);
    if (is_null) {
        ereport(ERROR,
                (errcode(ERRCODE_NOT_NULL_VIOLATION),
                 errmsg("null value in column \"%s\" of relation \"customer\" violates "
                        "not-null constraint",
                        name),
                 errhint("Give it; only a customer that an adopted table brings may lack it."),
                 errtablecol(row.data->tg_relation, number)));
    }
}

// Values that bind everyone. A missing status is told by the column's own NOT NULL.
void check_values(const FiredRow &row, const AttrNumber *columns) {
    const char *state = text_column(row, row.after, columns[status]);
    compute([&] {
        if (state != nullptr) {
            throw_if_failed(check_customer_status(state));
        }
    });
    for (const int place : {legal_name, trade_name, tax_id, customer_code}) {
        demand_not_blank(row, columns[place], kCustomer[place]);
    }
    if (!id_column(row, row.after, columns[adoption_id])) {
        for (const int place : {legal_name, trade_name, tax_id}) {
            demand_given(row, columns[place], kCustomer[place]);
        }
    }
    demand_short(row, columns[customer_code], kCustomer[customer_code]);
    if (!is_between(row, columns[client_score], 0, "100")) {
        ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a score lies between 0 and 100"),
                        errhint("Leave scores to entitle.recalc_scores().")));
    }
}

// Decides the status that a reactivation is to restore, where a load brings it along.
void check_held(const char *held) {
    if (held != nullptr && strcmp(held, "PAIN") != 0 && strcmp(held, "ACTV") != 0) {
        ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
                        errmsg("the status that reactivation restores is PAIN or ACTV"),
                        errhint("Leave status_before to entitle.deactivate_customer.")));
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
        const FieldList fields = {0, nullptr, nullptr};
        const PlainRecord plain = read_record(row, row.after, columns, fields);
        bool lacks_score = false;
        bool lacks_time = false;
        (void)column(row, row.after, columns[client_score], &lacks_score);
        (void)column(row, row.after, columns[scored_at], &lacks_time);
        const Asker &asker = current_asker();
        compute([&] {
            throw_if_failed(check_new_customer(asker.subject, asker.session,
                                               to_record(plain, fields),
                                               !lacks_score || !lacks_time));
        });
    }
    check_values(row, columns);
    // What was held before is the extension's own knowledge; only a load brings it along.
    const char *now = text_column(row, row.after, columns[status]);
    // A missing status is left to the column's own NOT NULL, which comes after.
    const bool keeps = held == nullptr || now == nullptr || (!binds && strcmp(now, "INAC") == 0);
    if (keeps) {
        check_held(held);
    }
    return keeps ? row.after : with_status(row, columns, *parse_status(now), nullptr);
}

// Whether a key changes that the customer had.
bool loses_key(const FiredRow &row, const AttrNumber *columns) {
    for (const int place : {customer_id, customer_uuid, customer_code}) {
        bool had_none = false;
        (void)column(row, row.before, columns[place], &had_none);
        if (!had_none && is_changed(row, columns[place])) {
            return true;
        }
    }
    return false;
}

// Refuses another brand, or other keys, under which the writer could do more (R54). Rows of the
// application's tables come along with a key: those that named the new one were nobody's. regime: C
void demand_customer_move(const FiredRow &row, const AttrNumber *columns) {
    const bool changes_key =
        is_changed(row, columns[customer_code]) || is_changed(row, columns[customer_uuid]);
    const bool loses = loses_key(row, columns);
    if (!changes_key && !loses && !is_changed(row, columns[brand_id])) {
        return;
    }
    bool had_none = false;
    bool has_none = false;
    const Datum old_brand = column(row, row.before, columns[brand_id], &had_none);
    const Datum new_brand = column(row, row.after, columns[brand_id], &has_none);
    const CustomerId id = bigint_column(row, row.before, columns[customer_id]);
    const Asker &asker = current_asker();
    const Grant *grant =
        (changes_key || loses) && asker.user != nullptr ? grant_of(asker.user, id) : nullptr;
    compute([&] {
        const auto place = [](bool is_none, Datum brand) {
            return is_none ? std::nullopt : std::optional<BrandId>(DatumGetInt64(brand));
        };
        const auto old_place = place(had_none, old_brand);
        throw_if_failed(
            check_move(customer_rights(asker.subject, asker.session, old_place),
                       customer_rights(asker.subject, asker.session, place(has_none, new_brand)),
                       "this customer"));
        if (changes_key) {
            throw_if_failed(
                check_move(keyed_rights(asker.subject, asker.session, std::nullopt, nullptr),
                           keyed_rights(asker.subject, asker.session, id, grant), "this customer"));
        }
        if (loses) {
            throw_if_failed(check_lost_key(
                find_grant_writer(asker.subject, asker.session, id, old_place, grant)));
        }
    });
}

HeapTuple guard_update(const FiredRow &row, const AttrNumber *columns, bool binds) {
    const char *was = text_column(row, row.before, columns[status]);
    const char *held = text_column(row, row.before, columns[status_before]);
    const char *wanted = text_column(row, row.after, columns[status]);
    if (was == nullptr || wanted == nullptr) {
        return row.after;
    }
    check_values(row, columns);
    Status now = *parse_status(wanted);
    if (binds) {
        const FieldList fields = full_record(row);
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
            throw_if_failed(decided);
            now = decided.value();
        });
    }
    if (binds) {
        demand_customer_move(row, columns);
    }
    // Whoever was allowed to write what belongs to the customer was so by its status and brand.
    if (status_text(now) != was || is_changed(row, columns[brand_id])) {
        await_belongings(row);
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
    check_held(holds);
    const bool is_same =
        (holds == nullptr) == (given == nullptr) && (holds == nullptr || strcmp(holds, given) == 0);
    const bool keeps = is_same && status_text(now) == wanted;
    return keeps ? row.after : with_status(row, columns, now, holds);
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
