// The row test behind every policy of protect_table. It runs once per row, so all that does not
// change from row to row is kept: with the call site what its arguments are, and for all call sites
// what the asker's rights come to, as long as the epoch stands.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/brand_key.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/model/lookup.hpp"
#include "pg/planner/row_filter.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/datum/datum.hpp"

#include "core/protection.hpp"

#include <array>
#include <memory>
#include <new>

using namespace entitle;
using namespace entitle::pg;

namespace {

// One rule's test for one asker, good while the epoch stands.
struct SharedTest {
    RowTest test;
    CachedUser *user;
    std::uint64_t epoch;
};

// One call site. Lives in the call site's memory context, and is destroyed with it.
struct Site {
    RowTestLayout layout;
    Oid brand_type = InvalidOid;
    Oid customer_type = InvalidOid;
    Oid date_type = InvalidOid;
    bool is_shared = false;       // rows whose customer is NULL show to every signed-in user
    bool has_stable_rule = false; // permission and level are the same for every row
    bool is_plain = false;        // an integer key, no brand, no moment: looked up as it stands
    std::shared_ptr<SharedTest> shared;
};

// The last rules asked about: the tables of one query, and those of the next.
constexpr std::size_t kMaxShared = 4;
struct SharedTests {
    std::array<std::shared_ptr<SharedTest>, kMaxShared> tests;
    std::size_t next = 0;
};

SharedTests &shared_tests() {
    static NoDestructor<SharedTests> the_tests;
    return the_tests.get();
}

// Prepares the test once enough rows were tested to have paid for it. regime: C
void consider_preparing(SharedTest &shared) {
    const std::vector<Grant> *grants = few_grants_of(shared.user);
    if (grants != nullptr && shared.test.is_worth_preparing(grants->size())) {
        compute([&] { shared.test.prepare(*grants); });
    }
}

// The columns are declared "any", so their types are those of the call.
Oid type_at(FmgrInfo *function, int number) {
    const Oid type = number < 0 ? InvalidOid : get_fn_expr_argtype(function, number);
    return OidIsValid(type) ? getBaseType(type) : InvalidOid;
}

Site &make_site(FunctionCallInfo fcinfo, bool is_branded, bool is_shared) {
    FmgrInfo *function = fcinfo->flinfo;
    struct Kept {
        MemoryContextCallback callback;
        Site site;
    };
    auto *kept = new (MemoryContextAlloc(function->fn_mcxt, sizeof(Kept))) Kept{};
    Site &site = kept->site;
    site.layout = row_test_layout(PG_NARGS(), is_branded);
    site.is_shared = is_shared;
    site.brand_type = type_at(function, site.layout.brand);
    site.customer_type = type_at(function, site.layout.customer);
    site.date_type = type_at(function, site.layout.date);
    site.has_stable_rule =
        get_fn_expr_arg_stable(function, 0) && get_fn_expr_arg_stable(function, site.layout.level);
    site.is_plain = !is_branded && site.has_stable_rule &&
                    key_type_of(site.customer_type) == KeyType::integer &&
                    (site.layout.date < 0 || site.date_type == DATEOID);
    kept->callback.func = [](void *argument) {
        static_cast<Site *>(argument)->~Site();
    };
    kept->callback.arg = &site;
    MemoryContextRegisterResetCallback(function->fn_mcxt, &kept->callback);
    function->fn_extra = &site;
    return site;
}

Site &call_site(FunctionCallInfo fcinfo, bool is_branded, bool is_shared) {
    return fcinfo->flinfo->fn_extra == nullptr ? make_site(fcinfo, is_branded, is_shared)
                                               : *static_cast<Site *>(fcinfo->flinfo->fn_extra);
}

// Finds the test of the rule among those that still hold, or makes it. regime: C++
std::shared_ptr<SharedTest> find_test(const Asker &asker, RowRule rule) {
    SharedTests &known = shared_tests();
    for (std::shared_ptr<SharedTest> &shared : known.tests) {
        if (shared != nullptr && shared->epoch != epoch()) {
            shared.reset(); // its verdicts may be big
        } else if (shared != nullptr && shared->test.rule() == rule) {
            return shared;
        }
    }
    auto fresh = std::make_shared<SharedTest>(SharedTest{
        RowTest(asker.subject, asker.session, std::move(rule)), asker.user, asker_epoch()});
    known.tests[known.next++ % kMaxShared] = fresh;
    return fresh;
}

void take_test(FunctionCallInfo fcinfo, const Asker &asker, Site &site) {
    const auto permission = text_argument(fcinfo, 0);
    const auto level = integer_value(argument(fcinfo, site.layout.level), INT4OID);
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
        rule.is_shared = site.is_shared;
        site.shared = find_test(asker, std::move(rule));
    });
}

// Requires: the site is plain, its test prepared.
bool look_up(FunctionCallInfo fcinfo, const Site &site) {
    const NullableDatum customer = argument(fcinfo, site.layout.customer);
    if (customer.isnull) {
        return site.shared->test.allows_shared();
    }
    const std::int64_t id = site.customer_type == INT8OID   ? DatumGetInt64(customer.value)
                            : site.customer_type == INT4OID ? DatumGetInt32(customer.value)
                                                            : DatumGetInt16(customer.value);
    std::optional<Day> date;
    if (site.layout.date >= 0 && !argument(fcinfo, site.layout.date).isnull) {
        date = DatumGetDateADT(argument(fcinfo, site.layout.date).value);
    }
    return site.shared->test.allows_prepared(id, date);
}

// The whole of the test, for every type and every state of preparation. Out of line: the room that
// it takes on the stack is not for the many rows that are looked up.
pg_noinline bool decide_row(FunctionCallInfo fcinfo, const Site &site, bool is_new) {
    SharedTest &shared = *site.shared;
    RowTest &test = shared.test;
    if (test.allows_all()) {
        return true;
    }
    RowFacts row;
    if (site.layout.brand >= 0) {
        row.brand = reached_brand(subject_of(shared.user), argument(fcinfo, site.layout.brand),
                                  site.brand_type);
        bool allowed = false;
        compute([&] { allowed = test.allows_by_permission(row.brand); });
        if (allowed) {
            return true;
        }
    }
    if (argument(fcinfo, site.layout.customer).isnull) {
        return test.allows_shared();
    }
    if (shared.user == nullptr || !test.rule().level) {
        return false;
    }
    row.customer = customer_value(argument(fcinfo, site.layout.customer), site.customer_type);
    if (!row.customer) {
        return false;
    }
    if (site.layout.date >= 0) {
        row.date = day_value(argument(fcinfo, site.layout.date), site.date_type);
    }
    if (!test.is_prepared() && site.has_stable_rule) {
        consider_preparing(shared);
    }
    if (!test.is_prepared_for(*row.customer)) {
        // Reading a grant may let changes in; they count from the next row on.
        const Grant *grant = grant_of(shared.user, *row.customer);
        compute([&] { test.prepare_one(*row.customer, grant); });
    }
    if (!test.allows_prepared(*row.customer, row.date)) {
        return false;
    }
    if (!is_new) {
        return true;
    }
    const auto home = find_customer(*row.customer);
    // Which need not be a brand of the asker's.
    const auto given = find_brand(argument(fcinfo, site.layout.brand), site.brand_type);
    return is_home_brand(given, home ? home->brand : std::nullopt);
}

struct Spelling {
    bool is_branded = false;
    bool is_new = false;
    bool is_shared = false;
};

Datum test_row(FunctionCallInfo fcinfo, Spelling spelling) {
    Site &site = call_site(fcinfo, spelling.is_branded, spelling.is_shared);
    const Asker &asker = current_asker();
    if (site.shared == nullptr || site.shared->epoch != epoch() || !site.has_stable_rule) {
        take_test(fcinfo, asker, site);
    }
    PG_RETURN_BOOL(site.is_plain && site.shared->test.is_prepared()
                       ? look_up(fcinfo, site)
                       : decide_row(fcinfo, site, spelling.is_new));
}

} // namespace

// row_allowed(permission, level, customer [, on_date]) -> boolean. R34 to R40, R45
ENTITLE_FUNCTION(entitle_row_allowed) { return test_row(fcinfo, {}); }

// shared_row_allowed(permission, level, customer [, on_date]) -> boolean
ENTITLE_FUNCTION(entitle_shared_row_allowed) { return test_row(fcinfo, {false, false, true}); }

// brand_row_allowed(permission, brand, level, customer [, on_date]) -> boolean, in the row's brand
// (R52)
ENTITLE_FUNCTION(entitle_brand_row_allowed) { return test_row(fcinfo, {true}); }

// shared_brand_row_allowed(permission, brand, level, customer [, on_date]) -> boolean
ENTITLE_FUNCTION(entitle_shared_brand_row_allowed) { return test_row(fcinfo, {true, false, true}); }

// new_row_allowed(permission, brand, level, customer [, on_date]) -> boolean, of a row that gets
// its brand now (R55)
ENTITLE_FUNCTION(entitle_new_row_allowed) { return test_row(fcinfo, {true, true}); }
