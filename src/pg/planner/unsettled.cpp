#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/unsettled.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

#include <algorithm>

namespace entitle::pg {

namespace {

// What a comparison calls, with which collation, and on what.
struct Comparison {
    Oid function;
    Oid collation;
    const List *arguments;
};

Comparison comparison_of(const Node *node) {
    switch (nodeTag(node)) {
    case T_OpExpr:
    case T_DistinctExpr:
    case T_NullIfExpr: { // all three are one structure
        const auto *call = reinterpret_cast<const OpExpr *>(node);
        return {get_opcode(call->opno), call->inputcollid, call->args};
    }
    case T_ScalarArrayOpExpr: {
        const auto *call = ENTITLE_NODE(ScalarArrayOpExpr, node);
        return {get_opcode(call->opno), call->inputcollid, call->args};
    }
    case T_FuncExpr: {
        const auto *call = ENTITLE_NODE(FuncExpr, node);
        return {call->funcid, call->inputcollid, call->args};
    }
    default:
        return {InvalidOid, InvalidOid, NIL};
    }
}

bool is_collated(const Node *argument) { return type_is_collatable(exprType(argument)); }

// Functions of one argument compare nothing, nor do those of text_pattern_ops ask for a collation.
bool has_no_collation(const Comparison &call) {
    if (OidIsValid(call.collation) || list_length(call.arguments) < 2 ||
        !is_collated(static_cast<const Node *>(linitial(call.arguments))) ||
        !get_func_leakproof(call.function)) {
        return false;
    }
    const char *name = get_func_name(call.function);
    return name != nullptr && strstr(name, "_pattern_") == nullptr;
}

bool has_no_collation(const RowCompareExpr *rows) {
    ListCell *argument = nullptr;
    ListCell *collation = nullptr;
    forboth(argument, rows->largs, collation, rows->inputcollids) {
        if (!OidIsValid(lfirst_oid(collation)) &&
            is_collated(static_cast<const Node *>(lfirst(argument)))) {
            return true;
        }
    }
    return false;
}

bool has_no_collation(const Node *node) {
    if (IsA(node, MinMaxExpr)) {
        const auto *extreme = ENTITLE_NODE(MinMaxExpr, node);
        return !OidIsValid(extreme->inputcollid) && is_collated(node);
    }
    if (IsA(node, RowCompareExpr)) {
        return has_no_collation(ENTITLE_NODE(RowCompareExpr, node));
    }
    const Comparison call = comparison_of(node);
    return OidIsValid(call.function) && has_no_collation(call);
}

bool is_vague_start(const Node *node) {
    const Comparison call = comparison_of(node);
    return call.function == F_STARTS_WITH && OidIsValid(call.collation) &&
           !get_collation_isdeterministic(call.collation);
}

// Points and names, among others, have elements and no slices.
bool is_fixed_slice(const Node *node) {
    if (!IsA(node, SubscriptingRef)) {
        return false;
    }
    const auto *part = ENTITLE_NODE(SubscriptingRef, node);
    return part->reflowerindexpr != NIL && get_typlen(part->refcontainertype) > 0;
}

// PostgreSQL warns of a collation of another version when it is first used, and may fail to load
// one: that is done before any row is met.
void load_collation(Oid collation) {
    if (OidIsValid(collation) && collation != DEFAULT_COLLATION_OID &&
        collation != C_COLLATION_OID) {
        // By a comparison: the header that declares how to load one needs those of ICU.
        (void)DirectFunctionCall2Coll(bttextcmp, collation, CStringGetTextDatum("a"),
                                      CStringGetTextDatum("b"));
    }
}

} // namespace

void load_collations(const Node *node) {
    load_collation(exprInputCollation(node));
    if (IsA(node, RowCompareExpr)) {
        for (const Oid collation : each_oid(ENTITLE_NODE(RowCompareExpr, node)->inputcollids)) {
            load_collation(collation);
        }
    }
}

bool is_unsettled(const Node *node) {
    return has_no_collation(node) || is_vague_start(node) || is_fixed_slice(node);
}

void refuse_unsettled(const Node *node) {
    if (has_no_collation(node)) {
        ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_COLLATION),
                        errmsg("could not determine which collation to use for string comparison"),
                        errhint("Use the COLLATE clause to set the collation explicitly.")));
    }
    if (is_vague_start(node)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("nondeterministic collations are not supported for substring "
                               "searches")));
    }
    if (is_fixed_slice(node)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("slices of fixed-length arrays not implemented")));
    }
}

} // namespace entitle::pg
