#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/leakproof.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
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

bool is_leaky_call(Oid function, const List *arguments, Oid collation) {
    return !get_func_leakproof(function) && !never_raises(function) &&
           !is_safe_call(function, arguments, collation);
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

} // namespace

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
    case T_ArrayExpr:
    case T_RowExpr:
    case T_FieldSelect:
    case T_SubLink:
    case T_SQLValueFunction:
    case T_GroupingFunc:
    case T_Aggref:
    case T_WindowFunc:
        return false;
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
