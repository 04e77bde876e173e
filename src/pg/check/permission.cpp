// Doors of the checks on permissions, capabilities and metrics. They ask core and never raise for a
// strange argument: NULL, unknown and foreign are all denied.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/brand_key.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/lending/definer.hpp"
#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"

#include "core/access.hpp"
#include "core/membership.hpp"
#include "core/permission.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

using Check = Decision (*)(const Subject *, const Session &, std::string_view,
                           std::optional<BrandId>, Trace *);

// (key) asks about the current brand, (key, brand_id) about that brand. regime: C
Datum check_key(FunctionCallInfo fcinfo, Check check) {
    const auto key = text_argument(fcinfo, 0);
    const bool names_brand = PG_NARGS() > 1;
    const auto brand = bigint_argument(fcinfo, 1);
    if (!key || (names_brand && !brand)) {
        PG_RETURN_BOOL(false);
    }
    const Asker &asker = asker_now();
    bool allowed = false;
    compute([&] { allowed = check(asker.subject, asker.session, *key, brand, nullptr).allowed; });
    PG_RETURN_BOOL(allowed);
}

} // namespace

// has_permission(permission [, brand_id]) -> boolean. R1 to R5, R20, R22 to R27, R52
ENTITLE_FUNCTION(entitle_has_permission) { return check_key(fcinfo, check_permission); }

// has_capability(capability [, brand_id]) -> boolean. R28
ENTITLE_FUNCTION(entitle_has_capability) { return check_key(fcinfo, check_capability); }

// has_metric(metric [, brand_id]) -> boolean. R30, R31
ENTITLE_FUNCTION(entitle_has_metric) { return check_key(fcinfo, check_metric); }

// visible_metrics(brand_id) -> text[], in key order; NULL is the current brand. R30
ENTITLE_FUNCTION(entitle_visible_metrics) {
    const auto brand = bigint_argument(fcinfo, 0);
    const Asker &asker = asker_now();
    PlainTexts texts;
    compute([&] { texts = copy_out(visible_metrics(asker.subject, asker.session, brand)); });
    return text_array(texts);
}

// permitted_brands(permission) -> bigint[], in id order
ENTITLE_FUNCTION(entitle_permitted_brands) {
    const auto permission = text_argument(fcinfo, 0);
    const Asker &asker = asker_now();
    return bigint_array(permission ? permitted_brand_ids(asker, *permission) : PlainIds{});
}

// permitted_brand_keys(permission, sample) -> array of the sample's type, in the order of the ids:
// those as numbers, uuids, codes, or those labels of an enum that are codes. For the planner.
ENTITLE_FUNCTION(entitle_permitted_brand_keys) {
    const auto permission = text_argument(fcinfo, 0);
    const Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);
    const Asker &asker = asker_now();
    const KeyList list = permission ? permitted_brand_keys(asker, *permission, getBaseType(type))
                                    : KeyList{nullptr, 0};
    std::int16_t length = 0;
    bool by_value = false;
    char alignment = 0;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    return PointerGetDatum(
        construct_array(list.keys, list.count, type, length, by_value, alignment));
}

// allowed_capabilities(section, brand_id) -> text[], in the catalogue's order. R29
ENTITLE_FUNCTION(entitle_allowed_capabilities) {
    const auto section = text_argument(fcinfo, 0);
    const auto brand = bigint_argument(fcinfo, 1);
    const Asker &asker = asker_now();
    PlainTexts texts;
    if (section) {
        compute([&] {
            texts = copy_out(allowed_capabilities(asker.subject, asker.session, *section, brand));
        });
    }
    return text_array(texts);
}

// user_has_permission(user_id, permission, brand_id) -> boolean: another user's answer, for
// superusers and for those who manage external access, roles or members there (R62); false for
// anyone else.
ENTITLE_FUNCTION(entitle_user_has_permission) {
    const auto user = bigint_argument(fcinfo, 0);
    const auto permission = text_argument(fcinfo, 1);
    const auto brand = bigint_argument(fcinfo, 2);
    if (!user || !permission || !brand) {
        PG_RETURN_BOOL(false);
    }
    const Asker &asker = asker_now();
    bool may_ask = acts_as_superuser();
    bool allowed = false;
    compute([&] {
        may_ask = may_ask || (asker.subject != nullptr && asker.subject->id == *user) ||
                  may_ask_about(asker.subject, asker.session, brand);
    });
    if (may_ask) {
        const Session session{std::nullopt, std::nullopt, asker.session.today};
        const Subject *subject = subject_of(find_user(*user));
        compute([&] { allowed = check_permission(subject, session, *permission, brand).allowed; });
    }
    PG_RETURN_BOOL(allowed);
}
