// Estimates from the asker's grants and the table's statistics.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/subject/brand_key.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/planner/selectivity.hpp"
#include "pg/planner/row_filter.hpp"
#include "pg/subject/setting.hpp"
#include "pg/model/model_table.hpp"
#include "pg/datum/datum.hpp"

extern "C" {
#include "catalog/pg_statistic.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/plancat.h"
#include "utils/selfuncs.h"
#include "utils/typcache.h"
}

#include <algorithm>

#include "core/access.hpp"

namespace entitle::pg {

namespace {

// Up to so many keys are looked up in the statistics one by one; past it their number is enough.
constexpr std::size_t kMaxProbed = 50;

double clamp(double fraction) noexcept { return std::min(1.0, std::max(0.0, fraction)); }

// Fraction of rows whose column equals one of the values, which are of its type, or, with values =
// null, one of `count` values.
double equal_fraction(PlannerInfo *root, Node *column, int rel, const Datum *values, double count) {
    if (count <= 0) {
        return 0.0;
    }
    VariableStatData variable;
    examine_variable(root, column, rel, &variable);
    bool is_default = false;
    const double distinct = get_variable_numdistinct(&variable, &is_default);
    double null_fraction = 0.0;
    if (HeapTupleIsValid(variable.statsTuple)) {
        null_fraction =
            reinterpret_cast<Form_pg_statistic>(GETSTRUCT(variable.statsTuple))->stanullfrac;
    }
    double fraction = count / std::max(distinct, 1.0) * (1.0 - null_fraction);
    const Oid type = getBaseType(exprType(column));
    if (values != nullptr && count <= static_cast<double>(kMaxProbed)) {
        const Oid equals = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
        if (OidIsValid(equals)) {
            fraction = 0.0;
            for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
                fraction += var_eq_const(&variable, equals, exprCollation(column), values[i], false,
                                         true, false);
            }
        }
    }
    ReleaseVariableStats(variable);
    return clamp(fraction);
}

// Numbers as values of an integer column. Returns: null for another type, whose keys are others.
const Datum *to_values(const PlainIds &ids, Oid type) {
    if (type != INT8OID && type != INT4OID) {
        return nullptr;
    }
    auto *values =
        static_cast<Datum *>(palloc_extended((ids.count + 1) * sizeof(Datum), MCXT_ALLOC_HUGE));
    for (std::size_t i = 0; i < ids.count; ++i) {
        values[i] = make_key(PlainKey{KeyType::integer, ids.values[i], {}}, type).value;
    }
    return values;
}

double fraction_since(PlannerInfo *root, Node *date, int rel, Day earliest) {
    const Oid type = getBaseType(exprType(date));
    if (type != DATEOID && type != TIMESTAMPOID && type != TIMESTAMPTZOID) {
        return 1.0;
    }
    const Datum since = day_start(earliest, type);
    const TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
    const Oid not_before =
        get_opfamily_member(entry->btree_opf, type, type, BTGreaterEqualStrategyNumber);
    Const *bound = makeConst(type, -1, InvalidOid, entry->typlen, since, false, entry->typbyval);
    return clamp(
        restriction_selectivity(root, not_before, list_make2(date, bound), InvalidOid, rel));
}

} // namespace

double estimate_customers(const Asker &asker, int level) {
    if (asker.user == nullptr) {
        return 0.0;
    }
    const GrantSummary *summary = cheap_grant_summary(asker);
    if (summary == nullptr) {
        return estimate_grants(asker.subject->id);
    }
    const auto place = level_place(level);
    return place ? static_cast<double>(summary->customers[*place]) : 0.0;
}

double estimate_customer_fraction(PlannerInfo *root, Node *customer, int rel, const Asker &asker,
                                  int level) {
    const double customers = estimate_customers(asker, level);
    if (customers <= static_cast<double>(kMaxProbed) && asker.user != nullptr &&
        cheap_grant_summary(asker) != nullptr) {
        const PlainIds ids = reached_customers(asker, level);
        return equal_fraction(root, customer, rel, to_values(ids, getBaseType(exprType(customer))),
                              static_cast<double>(ids.count));
    }
    return equal_fraction(root, customer, rel, nullptr, customers);
}

double estimate_window_fraction(PlannerInfo *root, Node *date, int rel, const Asker &asker,
                                int level) {
    const std::vector<Grant> *grants = asker.user == nullptr ? nullptr : few_grants_of(asker.user);
    if (grants == nullptr || grants->empty()) {
        return 1.0;
    }
    // Few different windows are in use, so a sample of the grants tells their mixture. A prime step
    // finds them all where windows alternate in any small rhythm.
    constexpr std::size_t kSample = 64;
    constexpr std::size_t kStep = 7919;
    constexpr int kMaxWindows = 8;
    struct Window {
        std::int32_t days_back;
        Day earliest;
        double count;
    };
    Window windows[kMaxWindows];
    int known = 0;
    double total = 0.0;
    for (std::size_t i = 0; i < std::min(kSample, grants->size()); ++i) {
        const Grant &grant = (*grants)[i * kStep % grants->size()];
        if (grant.level < level) {
            continue;
        }
        Window *window = std::find_if(windows, windows + known, [&](const Window &other) {
            return other.days_back == grant.days_back;
        });
        if (window == windows + known) {
            if (known == kMaxWindows) {
                continue;
            }
            windows[known++] = Window{grant.days_back, earliest_day(grant, asker.session), 0.0};
        }
        window->count += 1.0;
        total += 1.0;
    }
    double sum = 0.0;
    for (int i = 0; i < known; ++i) {
        const bool is_unlimited = windows[i].days_back == kUnlimitedDays;
        sum += windows[i].count *
               (is_unlimited ? 1.0 : fraction_since(root, date, rel, windows[i].earliest));
    }
    return total == 0.0 ? 1.0 : clamp(sum / total);
}

ConditionEstimate estimate_brands(PlannerInfo *root, Node *brand, int rel, const Asker &asker,
                                  std::string_view permission) {
    const KeyList list = permitted_brand_keys(asker, permission, getBaseType(exprType(brand)));
    const auto count = static_cast<double>(list.count);
    return ConditionEstimate{count, equal_fraction(root, brand, rel, list.keys, count)};
}

std::optional<ConditionEstimate> estimate_condition(PlannerInfo *root, const Node *clause,
                                                    Node *column, int rel) {
    const auto call = read_row_test(clause);
    if (!call) {
        return std::nullopt;
    }
    if (IsA(column, RelabelType)) {
        column = reinterpret_cast<Node *>(ENTITLE_NODE(RelabelType, column)->arg);
    }
    if (call->level && equal(column, call->customer)) {
        const Asker &asker = current_asker();
        return ConditionEstimate{
            estimate_customers(asker, *call->level),
            estimate_customer_fraction(root, call->customer, rel, asker, *call->level)};
    }
    if (call->brand != nullptr && call->permission && equal(column, call->brand)) {
        return estimate_brands(root, call->brand, rel, current_asker(), *call->permission);
    }
    return std::nullopt;
}

} // namespace entitle::pg
