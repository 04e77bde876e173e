// Doors of the single elements of what one may reach, for the planner's lists (support.cpp). Rows
// may ask again and again, so a call site keeps its answer while the epoch stands.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/boundary/function.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/datum/datum.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

struct Kept {
    std::uint64_t epoch;
    bool is_found;
    std::int64_t id;
};

// Finds the nth id of `list(asker)` anew when the epoch moved. The list is the same at a site, save
// for its arguments, which the planner writes as literals. regime: C
template <typename List> Datum nth_of(FunctionCallInfo fcinfo, List &&list) {
    FmgrInfo *site = fcinfo->flinfo;
    if (site->fn_extra == nullptr) {
        site->fn_extra = MemoryContextAllocZero(site->fn_mcxt, sizeof(Kept));
    }
    auto *kept = static_cast<Kept *>(site->fn_extra);
    const Asker &asker = current_asker();
    const bool is_literal = get_fn_expr_arg_stable(site, 0) && get_fn_expr_arg_stable(site, 1);
    if (kept->epoch != epoch() || !is_literal) {
        // Good while the asker is: somebody else may be by now, where changes came all the time.
        const std::uint64_t before = asker_epoch();
        const std::int64_t nth = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);
        PlainIds ids;
        if (!PG_ARGISNULL(0)) {
            ids = list(asker);
        }
        kept->is_found = nth > 0 && static_cast<std::size_t>(nth) <= ids.count;
        kept->id = kept->is_found ? ids.values[nth - 1] : 0;
        kept->epoch = before;
    }
    if (!kept->is_found) {
        PG_RETURN_NULL();
    }
    PG_RETURN_INT64(kept->id);
}

} // namespace

// accessible_customer(min_level, nth) -> bigint, NULL past the last
ENTITLE_FUNCTION(entitle_accessible_customer) {
    return nth_of(fcinfo,
                  [&](const Asker &asker) { return reached_customers(asker, PG_GETARG_INT32(0)); });
}

// permitted_brand(permission, nth) -> bigint, NULL past the last
ENTITLE_FUNCTION(entitle_permitted_brand) {
    return nth_of(fcinfo, [&](const Asker &asker) {
        return permitted_brand_ids(asker, *text_argument(fcinfo, 0));
    });
}
