// The row test behind every policy of protect_table. It runs once per row, so all that does not
// change from row to row is kept with the call site, and built again when the epoch moves.
#include "pg/postgres.hpp"

#include "pg/function.hpp"
#include "pg/rights.hpp"
#include "pg/row_test.hpp"
#include "pg/signal.hpp"
#include "pg/value.hpp"

#include "core/protection.hpp"

#include <new>

using namespace entitle;
using namespace entitle::pg;

namespace {

// One call site's test. Lives in the call site's memory context; its C++ half is dropped with it.
struct Site {
    RowTestLayout layout;
    Oid brand_type;
    Oid customer_type;
    Oid date_type;
    bool has_stable_rule; // permission and level are the same for every row
    std::uint64_t built_epoch;
    CachedUser *user;
    RowTest *test;
    std::size_t rows; // tested by external access so far
};

// Working out all grants beforehand costs about as much as testing this part of their number row by
// row.
constexpr std::size_t kGrantsPerRow = 4;

// Prepares the test once enough rows were tested to have paid for it. regime: C
void consider_preparing(Site &site) {
    ++site.rows;
    const std::vector<Grant> *grants = few_grants_of(site.user);
    if (grants != nullptr && site.has_stable_rule && site.rows > grants->size() / kGrantsPerRow) {
        compute([&] { site.test->prepare(*grants); });
    }
}

void drop_test(void *argument) {
    auto *site = static_cast<Site *>(argument);
    delete site->test;
    site->test = nullptr;
}

// The columns are declared "any", so their types are those of the call.
Oid type_at(FmgrInfo *function, int number) {
    const Oid type = number < 0 ? InvalidOid : get_fn_expr_argtype(function, number);
    return OidIsValid(type) ? getBaseType(type) : InvalidOid;
}

Site &call_site(FunctionCallInfo fcinfo, bool is_branded) {
    FmgrInfo *function = fcinfo->flinfo;
    if (function->fn_extra == nullptr) {
        MemoryContext previous = MemoryContextSwitchTo(function->fn_mcxt);
        auto *site = static_cast<Site *>(palloc0(sizeof(Site)));
        site->layout = row_test_layout(PG_NARGS(), is_branded);
        site->brand_type = type_at(function, site->layout.brand);
        site->customer_type = type_at(function, site->layout.customer);
        site->date_type = type_at(function, site->layout.date);
        site->has_stable_rule = get_fn_expr_arg_stable(function, 0) &&
                                get_fn_expr_arg_stable(function, site->layout.level);
        auto *callback =
            static_cast<MemoryContextCallback *>(palloc0(sizeof(MemoryContextCallback)));
        callback->func = drop_test;
        callback->arg = site;
        MemoryContextRegisterResetCallback(function->fn_mcxt, callback);
        MemoryContextSwitchTo(previous);
        function->fn_extra = site;
    }
    return *static_cast<Site *>(function->fn_extra);
}

void build_test(FunctionCallInfo fcinfo, const Asker &asker, Site &site) {
    const auto permission = text_argument(fcinfo, 0);
    const auto level = integer_value(argument(fcinfo, site.layout.level), INT4OID);
    drop_test(&site);
    compute([&] {
        RowRule rule;
        if (permission) {
            rule.permission = std::string(*permission);
        }
        if (level) {
            rule.level = static_cast<int>(*level);
        }
        rule.is_branded = site.layout.brand >= 0;
        rule.is_dated = site.layout.date >= 0;
        site.test = new RowTest(asker.subject, asker.session, std::move(rule));
    });
    site.user = asker.user;
    site.built_epoch = epoch;
}

Datum test_row(FunctionCallInfo fcinfo, bool is_branded) {
    Site &site = call_site(fcinfo, is_branded);
    const Asker &asker = current_asker();
    if (site.test == nullptr || site.built_epoch != epoch || !site.has_stable_rule) {
        build_test(fcinfo, asker, site);
    }
    if (site.test->allows_all()) {
        PG_RETURN_BOOL(true);
    }
    RowFacts row;
    if (is_branded) {
        row.brand = integer_value(argument(fcinfo, site.layout.brand), site.brand_type);
        bool allowed = false;
        compute([&] { allowed = site.test->allows_by_permission(row.brand); });
        if (allowed) {
            PG_RETURN_BOOL(true);
        }
    }
    if (site.user == nullptr || !site.test->rule().level) {
        PG_RETURN_BOOL(false);
    }
    row.customer = customer_value(argument(fcinfo, site.layout.customer), site.customer_type);
    if (!row.customer) {
        PG_RETURN_BOOL(false);
    }
    if (site.layout.date >= 0) {
        row.date = day_value(argument(fcinfo, site.layout.date), site.date_type);
    }
    if (!site.test->is_prepared()) {
        consider_preparing(site);
    }
    if (site.test->is_prepared()) {
        PG_RETURN_BOOL(site.test->allows_prepared(*row.customer, row.date));
    }
    row.grant = grant_of(site.user, *row.customer);
    // Reading a grant may have let changes in; they count from the next row on.
    PG_RETURN_BOOL(site.test->allows_by_access(row));
}

} // namespace

// row_allowed(permission, level, customer [, on_date]) -> boolean. R34 to R40, R45
ENTITLE_FUNCTION(entitle_row_allowed) { return test_row(fcinfo, false); }

// brand_row_allowed(permission, brand, level, customer [, on_date]) -> boolean, in the row's brand
// (R52)
ENTITLE_FUNCTION(entitle_brand_row_allowed) { return test_row(fcinfo, true); }

// Refuses an update or delete of a visible row that may not be written (R3). Fired by the triggers
// of protect_table, whose WHEN condition is the row test.
ENTITLE_FUNCTION(entitle_refuse_write) {
    if (!CALLED_AS_TRIGGER(fcinfo)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("this function is a trigger of protected tables")));
    }
    const auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    const char *name = RelationGetRelationName(trigger->tg_relation);
    if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event)) {
        ereport(
            ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to truncate protected table \"%s\"", name),
             errhint("Delete the rows; only those whom row security does not bind may truncate.")));
    }
    const char *home = get_namespace_name(RelationGetNamespace(trigger->tg_relation));
    const char *action = TRIGGER_FIRED_BY_DELETE(trigger->tg_event)   ? "delete"
                         : TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "insert"
                                                                      : "update";
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to %s this row of table \"%s\"", action, name),
             TRIGGER_FIRED_BY_INSERT(trigger->tg_event)
                 ? errhint("The signed-in user may not add such a row.")
             // Of the model's own tables nothing is declared that could be explained.
             : strcmp(home, "entitle") == 0
                 ? errhint("The row may be read, but not written, by the signed-in user.")
                 : errhint("The row may be read, but not written, by the signed-in user. To see "
                           "why: SELECT * FROM entitle.explain_action('%s', key, '%s').",
                           quote_qualified_identifier(home, name), action)));
    PG_RETURN_NULL();
}
