// The aggregate weighted_mean: the formula of a score (R16). The same result as PostgreSQL's
// numeric arithmetic gives, rounding and ties included: only the sums are made in another way, and
// exactly.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/datum/decimal.hpp"

extern "C" {
#include "utils/numeric.h"
}

#include <new>

#include "core/weighted_sum.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

// One customer's sums. Decimals that are not short are added up by PostgreSQL beside.
struct Sums {
    WeightedSum fast;
    bool is_slow;
    Datum products;
    Datum weights;
};
static_assert(alignof(Sums) <= MAXIMUM_ALIGNOF, "palloc aligns no more");

// The weights, read once: they are the same in every call of a query.
struct Weights {
    int count;
    std::int64_t *ids;
    Datum *numbers;
    ShortDecimal *decimals; // of short ones
    bool *is_short;
};

// Whether an argument of the aggregate is the same for all rows of a query.
bool is_fixed(const Aggref *call, int number) {
    const auto *argument = reinterpret_cast<const Node *>(
        static_cast<const TargetEntry *>(list_nth(call->args, number))->expr);
    return IsA(argument, Const) ||
           (IsA(argument, Param) &&
            reinterpret_cast<const Param *>(argument)->paramkind == PARAM_EXTERN);
}

const Weights &read_weights(FunctionCallInfo fcinfo) {
    auto *weights = static_cast<Weights *>(fcinfo->flinfo->fn_extra);
    if (weights != nullptr) {
        return *weights;
    }
    const Aggref *call = AggGetAggref(fcinfo);
    if (call == nullptr || !is_fixed(call, 2) || !is_fixed(call, 3)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("metrics and multipliers are the same for all rows"),
                        errhint("Give the two arrays as constants or parameters.")));
    }
    MemoryContext previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    weights = static_cast<Weights *>(palloc0(sizeof(Weights)));
    Datum *metrics = nullptr;
    int metric_count = 0;
    int number_count = 0;
    deconstruct_array(DatumGetArrayTypePCopy(PG_GETARG_DATUM(3)), INT8OID, sizeof(std::int64_t),
                      FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &metrics, nullptr, &metric_count);
    deconstruct_array(DatumGetArrayTypePCopy(PG_GETARG_DATUM(4)), NUMERICOID, -1, false,
                      TYPALIGN_INT, &weights->numbers, nullptr, &number_count);
    if (metric_count != number_count) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("every metric needs one multiplier"),
                        errhint("Give two arrays of the same length.")));
    }
    weights->count = metric_count;
    weights->ids = static_cast<std::int64_t *>(palloc((metric_count + 1) * sizeof(std::int64_t)));
    weights->decimals =
        static_cast<ShortDecimal *>(palloc0((metric_count + 1) * sizeof(ShortDecimal)));
    weights->is_short = static_cast<bool *>(palloc0(metric_count + 1));
    for (int i = 0; i < metric_count; ++i) {
        weights->ids[i] = DatumGetInt64(metrics[i]);
        const auto decimal = short_decimal(weights->numbers[i]);
        weights->is_short[i] = decimal.has_value();
        weights->decimals[i] = decimal.value_or(ShortDecimal());
    }
    MemoryContextSwitchTo(previous);
    fcinfo->flinfo->fn_extra = weights;
    return *weights;
}

// Adds with PostgreSQL's arithmetic, in the memory of the sums.
void add_slowly(Sums &sums, MemoryContext context, Datum value, Datum weight) {
    MemoryContext previous = MemoryContextSwitchTo(context);
    const Datum product = DirectFunctionCall2(numeric_mul, value, weight);
    if (!sums.is_slow) {
        sums.products = product;
        sums.weights = datumCopy(weight, false, -1);
        sums.is_slow = true;
    } else {
        sums.products = DirectFunctionCall2(numeric_add, sums.products, product);
        sums.weights = DirectFunctionCall2(numeric_add, sums.weights, weight);
    }
    MemoryContextSwitchTo(previous);
}

Datum to_numeric(const char *text) {
    return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
                               Int32GetDatum(-1));
}

// A plain copy of a decimal's text. regime: C++
char *plain_copy(const std::string &text) {
    auto *copy = static_cast<char *>(palloc_extended(text.size() + 1, MCXT_ALLOC_NO_OOM));
    if (copy == nullptr) {
        throw std::bad_alloc();
    }
    memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

} // namespace

// weighted_mean's transition: state, metric, value, metrics[], multipliers[]
ENTITLE_FUNCTION(entitle_add_weighted) {
    MemoryContext context = nullptr;
    if (AggCheckCallContext(fcinfo, &context) == 0) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("this function is part of an aggregate")));
    }
    auto *sums = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<Sums *>(PG_GETARG_POINTER(0));
    if (sums == nullptr) {
        sums = new (MemoryContextAlloc(context, sizeof(Sums))) Sums();
    }
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4)) {
        PG_RETURN_POINTER(sums);
    }
    const Weights &weights = read_weights(fcinfo);
    const std::int64_t metric = PG_GETARG_INT64(1);
    for (int i = 0; i < weights.count; ++i) {
        if (weights.ids[i] == metric) {
            const auto value = short_decimal(PG_GETARG_DATUM(2));
            if (value && weights.is_short[i]) {
                sums->fast.add(*value, weights.decimals[i]);
            } else {
                add_slowly(*sums, context, PG_GETARG_DATUM(2), weights.numbers[i]);
            }
            break;
        }
    }
    PG_RETURN_POINTER(sums);
}

// weighted_mean's result: the mean, rounded to two places; NULL without values or weight.
ENTITLE_FUNCTION(entitle_weighted_mean) {
    if (PG_ARGISNULL(0)) {
        PG_RETURN_NULL();
    }
    const auto *sums = reinterpret_cast<Sums *>(PG_GETARG_POINTER(0));
    if (sums->fast.is_empty() && !sums->is_slow) {
        PG_RETURN_NULL();
    }
    Datum products = sums->products;
    Datum weights = sums->weights;
    if (!sums->fast.is_empty()) {
        const char *product_text = nullptr;
        const char *weight_text = nullptr;
        compute([&] {
            product_text = plain_copy(sums->fast.products());
            weight_text = plain_copy(sums->fast.weights());
        });
        products = to_numeric(product_text);
        weights = to_numeric(weight_text);
        if (sums->is_slow) {
            products = DirectFunctionCall2(numeric_add, products, sums->products);
            weights = DirectFunctionCall2(numeric_add, weights, sums->weights);
        }
    }
    const Datum zero = NumericGetDatum(int64_to_numeric(0));
    if (DatumGetBool(DirectFunctionCall2(numeric_eq, weights, zero))) {
        PG_RETURN_NULL();
    }
    const Datum mean = DirectFunctionCall2(numeric_div, products, weights);
    PG_RETURN_DATUM(DirectFunctionCall2(numeric_round, mean, Int32GetDatum(2)));
}
