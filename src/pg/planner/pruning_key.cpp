// Doors of the single elements of what one may reach, for the planner's lists (support.cpp). Rows
// may ask again and again, so a call site keeps its answer while the epoch stands.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/brand_key.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/boundary/function.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/datum/datum.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

constexpr NullableDatum kNone{Datum(0), true};

struct Kept {
    std::uint64_t epoch;
    NullableDatum element;
};

// Of the sample's type, where the call has one.
Oid element_type(FmgrInfo *site) {
    return site->fn_nargs > 2 ? get_fn_expr_argtype(site, 2) : INT8OID;
}

// Puts an element in the place of the one that was kept. regime: C
void keep_element(FmgrInfo *site, Kept &kept, NullableDatum element) {
    std::int16_t length = 0;
    bool by_value = false;
    get_typlenbyval(element_type(site), &length, &by_value);
    if (!by_value && !kept.element.isnull) {
        pfree(DatumGetPointer(kept.element.value));
    }
    kept.element = kNone;
    if (!element.isnull) {
        MemoryContext caller = MemoryContextSwitchTo(site->fn_mcxt);
        kept.element = NullableDatum{datumCopy(element.value, by_value, length), false};
        MemoryContextSwitchTo(caller);
    }
}

// Finds an element by its place from 0, `find(asker, place)`, anew when the epoch moved. The list
// is the same at a site, save for its arguments, which the planner writes as literals. regime: C
template <typename Find> Datum nth_of(FunctionCallInfo fcinfo, Find &&find) {
    FmgrInfo *site = fcinfo->flinfo;
    if (site->fn_extra == nullptr) {
        auto *fresh = static_cast<Kept *>(MemoryContextAllocZero(site->fn_mcxt, sizeof(Kept)));
        fresh->element = kNone;
        site->fn_extra = fresh;
    }
    auto *kept = static_cast<Kept *>(site->fn_extra);
    const Asker &asker = current_asker();
    const bool is_literal = get_fn_expr_arg_stable(site, 0) && get_fn_expr_arg_stable(site, 1);
    if (kept->epoch != epoch() || !is_literal) {
        // Good while the asker is: somebody else may be by now, where changes came all the time.
        const std::uint64_t before = asker_epoch();
        const std::int64_t nth = PG_ARGISNULL(0) || PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);
        keep_element(site, *kept, nth > 0 ? find(asker, static_cast<std::size_t>(nth - 1)) : kNone);
        kept->epoch = before;
    }
    if (kept->element.isnull) {
        PG_RETURN_NULL();
    }
    return kept->element.value;
}

NullableDatum id_at(const PlainIds &ids, std::size_t place) noexcept {
    return place < ids.count ? NullableDatum{Int64GetDatum(ids.values[place]), false} : kNone;
}

} // namespace

// accessible_customer(min_level, nth) -> bigint, NULL past the last
ENTITLE_FUNCTION(entitle_accessible_customer) {
    return nth_of(fcinfo, [&](const Asker &asker, std::size_t place) {
        return id_at(reached_customers(asker, PG_GETARG_INT32(0)), place);
    });
}

// permitted_brand(permission, nth) -> bigint, NULL past the last
ENTITLE_FUNCTION(entitle_permitted_brand) {
    return nth_of(fcinfo, [&](const Asker &asker, std::size_t place) {
        return id_at(permitted_brand_ids(asker, *text_argument(fcinfo, 0)), place);
    });
}

// permitted_brand_key(permission, nth, sample) -> a key of the sample's type, NULL past the last
ENTITLE_FUNCTION(entitle_permitted_brand_key) {
    return nth_of(fcinfo, [&](const Asker &asker, std::size_t place) {
        const Oid type = getBaseType(element_type(fcinfo->flinfo));
        const KeyList list = permitted_brand_keys(asker, *text_argument(fcinfo, 0), type);
        return place < static_cast<std::size_t>(list.count) ? NullableDatum{list.keys[place], false}
                                                            : kNone;
    });
}
