#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/leakproof.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

#include <algorithm>
#include <iterator>

namespace entitle::pg {

namespace {

template <std::size_t count> bool is_among(Oid function, const Oid (&known)[count]) noexcept {
    return std::find(std::begin(known), std::end(known), function) != std::end(known);
}

// PostgreSQL's own functions that raise nothing, whatever they are given. Comparisons of dates with
// points in time answer beyond the range of the other type, too.
bool never_raises(Oid function) noexcept {
    static constexpr Oid kKnown[] = {
        F_NOW,
        F_NUMERIC_EQ,
        F_NUMERIC_NE,
        F_NUMERIC_GT,
        F_NUMERIC_GE,
        F_NUMERIC_LT,
        F_NUMERIC_LE,
        F_NUMERIC_INT2,
        F_NUMERIC_INT4,
        F_NUMERIC_INT8,
        F_INT4_INT2,
        F_INT8_INT2,
        F_INT8_INT4,
        F_DATE_EQ_TIMESTAMP,
        F_DATE_NE_TIMESTAMP,
        F_DATE_GT_TIMESTAMP,
        F_DATE_GE_TIMESTAMP,
        F_DATE_LT_TIMESTAMP,
        F_DATE_LE_TIMESTAMP,
        F_DATE_EQ_TIMESTAMPTZ,
        F_DATE_NE_TIMESTAMPTZ,
        F_DATE_GT_TIMESTAMPTZ,
        F_DATE_GE_TIMESTAMPTZ,
        F_DATE_LT_TIMESTAMPTZ,
        F_DATE_LE_TIMESTAMPTZ,
        F_TIMESTAMP_EQ_DATE,
        F_TIMESTAMP_NE_DATE,
        F_TIMESTAMP_GT_DATE,
        F_TIMESTAMP_GE_DATE,
        F_TIMESTAMP_LT_DATE,
        F_TIMESTAMP_LE_DATE,
        F_TIMESTAMPTZ_EQ_DATE,
        F_TIMESTAMPTZ_NE_DATE,
        F_TIMESTAMPTZ_GT_DATE,
        F_TIMESTAMPTZ_GE_DATE,
        F_TIMESTAMPTZ_LT_DATE,
        F_TIMESTAMPTZ_LE_DATE,
        F_TIMESTAMP_EQ_TIMESTAMPTZ,
        F_TIMESTAMP_NE_TIMESTAMPTZ,
        F_TIMESTAMP_GT_TIMESTAMPTZ,
        F_TIMESTAMP_GE_TIMESTAMPTZ,
        F_TIMESTAMP_LT_TIMESTAMPTZ,
        F_TIMESTAMP_LE_TIMESTAMPTZ,
        F_TIMESTAMPTZ_EQ_TIMESTAMP,
        F_TIMESTAMPTZ_NE_TIMESTAMP,
        F_TIMESTAMPTZ_GT_TIMESTAMP,
        F_TIMESTAMPTZ_GE_TIMESTAMP,
        F_TIMESTAMPTZ_LT_TIMESTAMP,
        F_TIMESTAMPTZ_LE_TIMESTAMP,
    };
    return is_among(function, kKnown);
}

// Returns: the text of a constant, null for anything else.
const char *constant_text(const Node *node) {
    if (!IsA(node, Const) || ENTITLE_NODE(Const, node)->constisnull ||
        ENTITLE_NODE(Const, node)->consttype != TEXTOID) {
        return nullptr;
    }
    return TextDatumGetCString(ENTITLE_NODE(Const, node)->constvalue);
}

// LIKE raises only where a value reaches a pattern's end behind an escape character.
bool is_whole_pattern(const char *pattern) {
    std::size_t escapes = 0;
    for (const char *end = pattern + strlen(pattern); end > pattern && end[-1] == '\\'; --end) {
        ++escapes;
    }
    return escapes % 2 == 0;
}

bool is_field_of_all(const char *field) noexcept {
    static constexpr const char *kFields[] = {"year", "quarter", "month", "week", "day", "dow"};
    return std::any_of(std::begin(kFields), std::end(kFields),
                       [&](const char *known) { return pg_strcasecmp(known, field) == 0; });
}

bool is_natural(const Node *node) noexcept {
    return IsA(node, Const) && !ENTITLE_NODE(Const, node)->constisnull &&
           DatumGetInt32(ENTITLE_NODE(Const, node)->constvalue) >= 0;
}

// Those that raise nothing as long as what the query's text says is right.
bool is_safe_call(Oid function, const List *arguments, Oid collation) {
    static constexpr Oid kMatches[] = {F_TEXTLIKE,     F_TEXTNLIKE,    F_BPCHARLIKE,
                                       F_BPCHARNLIKE,  F_TEXTICLIKE,   F_TEXTICNLIKE,
                                       F_BPCHARICLIKE, F_BPCHARICNLIKE};
    static constexpr Oid kFields[] = {F_EXTRACT_TEXT_DATE, F_EXTRACT_TEXT_TIMESTAMP,
                                      F_DATE_PART_TEXT_TIMESTAMP};
    if (is_among(function, kMatches)) {
        if (!OidIsValid(collation) || !get_collation_isdeterministic(collation)) {
            return false;
        }
        const char *pattern = constant_text(static_cast<const Node *>(lsecond(arguments)));
        return pattern != nullptr && is_whole_pattern(pattern);
    }
    if (is_among(function, kFields)) {
        const char *field = constant_text(static_cast<const Node *>(linitial(arguments)));
        return field != nullptr && is_field_of_all(field);
    }
    return function == F_SUBSTRING_TEXT_INT4_INT4 &&
           is_natural(static_cast<const Node *>(lsecond(arguments))) &&
           is_natural(static_cast<const Node *>(lthird(arguments)));
}

bool is_now(const Node *node) {
    return IsA(node, SQLValueFunction) ||
           (IsA(node, FuncExpr) && ENTITLE_NODE(FuncExpr, node)->funcid == F_NOW);
}

// The current date or time, and back or forth by what the query's text says, within a thousand
// years.
bool is_near_now(Oid function, const List *arguments) {
    static constexpr Oid kByInterval[] = {F_TIMESTAMPTZ_MI_INTERVAL, F_TIMESTAMPTZ_PL_INTERVAL,
                                          F_DATE_MI_INTERVAL, F_DATE_PL_INTERVAL};
    static constexpr Oid kByDays[] = {F_DATE_MII, F_DATE_PLI};
    constexpr int64 kMostDays = 365000;
    if (list_length(arguments) != 2 || !is_now(static_cast<const Node *>(linitial(arguments)))) {
        return false;
    }
    const auto *second = static_cast<const Node *>(lsecond(arguments));
    if (!IsA(second, Const) || ENTITLE_NODE(Const, second)->constisnull) {
        return false;
    }
    const Datum distance = ENTITLE_NODE(Const, second)->constvalue;
    const auto is_near = [](int64 days) {
        return days <= kMostDays && days >= -kMostDays;
    };
    if (is_among(function, kByDays)) {
        return is_near(DatumGetInt32(distance));
    }
    const Interval *interval = DatumGetIntervalP(distance);
    return is_among(function, kByInterval) && is_near(static_cast<int64>(interval->month) * 31) &&
           is_near(interval->day) && is_near(interval->time / USECS_PER_DAY);
}

bool is_leaky_call(Oid function, const List *arguments, Oid collation) {
    return !get_func_leakproof(function) && !never_raises(function) &&
           !is_safe_call(function, arguments, collation) && !is_near_now(function, arguments);
}

bool is_leaky_function(Oid function, void *) {
    return !get_func_leakproof(function) && !never_raises(function);
}

bool is_counting_function(Oid function, void *) {
    const char volatility = func_volatile(function);
    return volatility == PROVOLATILE_VOLATILE ||
           (volatility == PROVOLATILE_STABLE && function >= FirstNormalObjectId &&
            !get_func_leakproof(function));
}

// Whether a number of rows is one that raises no error.
bool is_number_of_rows(const Node *node) {
    if (node != nullptr && IsA(node, FuncExpr) &&
        ENTITLE_NODE(FuncExpr, node)->funcid == F_INT8_INT4) {
        node = static_cast<const Node *>(linitial(ENTITLE_NODE(FuncExpr, node)->args));
    }
    return node == nullptr || (IsA(node, Const) &&
                               (ENTITLE_NODE(Const, node)->constisnull ||
                                (ENTITLE_NODE(Const, node)->consttype == INT8OID
                                     ? DatumGetInt64(ENTITLE_NODE(Const, node)->constvalue) >= 0
                                     : DatumGetInt32(ENTITLE_NODE(Const, node)->constvalue) >= 0)));
}

// min and max of PostgreSQL's own types, which compare as their operators do.
bool is_extreme(Oid function) {
    const char *name = function < FirstNormalObjectId ? get_func_name(function) : nullptr;
    return name != nullptr && (strcmp(name, "min") == 0 || strcmp(name, "max") == 0);
}

bool is_changing_function(Oid function, void *) {
    return func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

// What is evaluated while planning where all that it works on is constant.
bool is_evaluated_early(const Node *node) {
    if (IsA(node, FuncExpr)) {
        const auto *call = ENTITLE_NODE(FuncExpr, node);
        return !call->funcretset && call->funcresulttype != RECORDOID;
    }
    return IsA(node, Const) || IsA(node, OpExpr) || IsA(node, CoerceViaIO) ||
           IsA(node, RelabelType) || IsA(node, List);
}

bool is_left_for_later(Node *node, void *) {
    return node != nullptr &&
           (!is_evaluated_early(node) ||
            check_functions_in_node(node, is_changing_function, nullptr) ||
            expression_tree_walker(node, ENTITLE_WALKER(is_left_for_later), nullptr));
}

// A subquery that must give one row, and may give more, raises an error.
bool may_give_rows(const SubLink *link) {
    if (link->subLinkType != EXPR_SUBLINK && link->subLinkType != ROWCOMPARE_SUBLINK) {
        return false;
    }
    const auto *query = ENTITLE_NODE(Query, link->subselect);
    return !query->hasAggs || query->groupClause != NIL || query->groupingSets != NIL ||
           query->hasTargetSRFs || query->setOperations != nullptr;
}

} // namespace

bool is_folded(const Node *node) { return !is_left_for_later(const_cast<Node *>(node), nullptr); }

bool may_fail(const Aggref *aggregate) {
    static constexpr Oid kKnown[] = {F_COUNT_,   F_COUNT_ANY, F_SUM_INT2, F_SUM_INT4,
                                     F_AVG_INT2, F_AVG_INT4,  F_AVG_INT8};
    static constexpr Oid kOfNumeric[] = {F_SUM_NUMERIC, F_AVG_NUMERIC};
    if (is_among(aggregate->aggfnoid, kOfNumeric)) {
        const auto *value = static_cast<const TargetEntry *>(linitial(aggregate->args));
        return exprTypmod(reinterpret_cast<const Node *>(value->expr)) < 0;
    }
    return !is_among(aggregate->aggfnoid, kKnown) && !is_extreme(aggregate->aggfnoid);
}

bool may_fail(const Query *query) {
    for (const auto *window : each<WindowClause>(query->windowClause)) {
        if (window->startOffset != nullptr || window->endOffset != nullptr) {
            return true;
        }
    }
    return !is_number_of_rows(query->limitCount) || !is_number_of_rows(query->limitOffset);
}

bool may_have_conditions(const Query *query) {
    const Node *item = reinterpret_cast<const Node *>(query->jointree);
    while (item != nullptr && IsA(item, FromExpr)) {
        const List *parts = ENTITLE_NODE(FromExpr, item)->fromlist;
        if (list_length(parts) != 1) {
            return false;
        }
        item = static_cast<const Node *>(linitial(parts));
        if (IsA(item, RangeTblRef)) {
            const auto *entry = rt_fetch(ENTITLE_NODE(RangeTblRef, item)->rtindex, query->rtable);
            if (entry->rtekind != RTE_SUBQUERY) {
                return entry->rtekind == RTE_RELATION && entry->inh && has_subclass(entry->relid);
            }
            query = entry->subquery;
            item = reinterpret_cast<const Node *>(query->jointree);
            if (query->setOperations != nullptr) {
                return true;
            }
        }
    }
    return false;
}

bool may_leak(const Node *node) {
    switch (nodeTag(node)) {
    case T_List:
    case T_TargetEntry:
    case T_FromExpr:
    case T_JoinExpr:
    case T_RangeTblRef:
    case T_Var:
    case T_Const:
    case T_Param:
    case T_BoolExpr:
    case T_NullTest:
    case T_BooleanTest:
    case T_CaseExpr:
    case T_CaseWhen:
    case T_CaseTestExpr:
    case T_RelabelType:
    case T_CoalesceExpr:
    case T_RowExpr:
    case T_FieldSelect:
    case T_SQLValueFunction:
    case T_GroupingFunc:
    case T_Aggref:
    case T_WindowFunc:
        return false;
    case T_ArrayExpr: // arrays within it must be of one length
        return ENTITLE_NODE(ArrayExpr, node)->multidims;
    case T_SubLink:
        return may_give_rows(ENTITLE_NODE(SubLink, node));
    case T_FuncExpr: {
        const auto *call = ENTITLE_NODE(FuncExpr, node);
        return is_leaky_call(call->funcid, call->args, call->inputcollid);
    }
    case T_OpExpr: {
        auto *call = const_cast<OpExpr *>(ENTITLE_NODE(OpExpr, node));
        set_opfuncid(call);
        return is_leaky_call(call->opfuncid, call->args, call->inputcollid);
    }
    case T_DistinctExpr:
    case T_NullIfExpr:
    case T_ScalarArrayOpExpr:
        return check_functions_in_node(const_cast<Node *>(node), is_leaky_function, nullptr);
    default:
        return true;
    }
}

bool counts_calls(const Node *node) {
    return IsA(node, NextValueExpr) ||
           check_functions_in_node(const_cast<Node *>(node), is_counting_function, nullptr);
}

} // namespace entitle::pg
