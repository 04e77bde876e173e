// The support function behind the row tests. Staff who see every row lose the test; outsiders get
// index conditions that call STABLE functions, so that no plan ever holds anybody's list of
// customers. Whatever a plan leaves out or narrows because of the asker is recorded as an
// assumption (assumption.hpp).
#include "pg/postgres.hpp"

#include "pg/assumption.hpp"
#include "pg/cost.hpp"
#include "pg/estimate.hpp"
#include "pg/function.hpp"
#include "pg/rights.hpp"
#include "pg/row_test.hpp"
#include "pg/value.hpp"

extern "C" {
#include "catalog/pg_am.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "parser/parse_func.h"
#include "utils/typcache.h"
}

#include <optional>
#include <string_view>

#include "core/permission.hpp"

extern "C" {
extern PGDLLEXPORT Datum entitle_row_allowed(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum entitle_brand_row_allowed(PG_FUNCTION_ARGS);
}

using namespace entitle;
using namespace entitle::pg;

namespace {

// Marks a call that simplification has already taken apart: positions in query texts are never so
// small.
constexpr int kTakenApart = -7772;

// A call of a row test in a query.
struct Call {
    std::optional<std::string_view> permission; // none: no permission opens the row
    std::optional<int> level;                   // none: no external access opens it
    Node *brand;                                // null: judged in the current brand
    Node *customer;
    Node *date; // null: not dated
};

bool is_null_constant(const Node *node) {
    return IsA(node, Const) && reinterpret_cast<const Const *>(node)->constisnull;
}

// Takes the call apart. Returns: false when it is not one that protect_table writes, with literal
// rule.
bool read_call(List *arguments, bool is_branded, Call &call) {
    const RowTestLayout layout = row_test_layout(list_length(arguments), is_branded);
    auto *permission = static_cast<Node *>(linitial(arguments));
    auto *level = static_cast<Node *>(list_nth(arguments, layout.level));
    if (!IsA(permission, Const) || !IsA(level, Const)) {
        return false;
    }
    call.customer = static_cast<Node *>(list_nth(arguments, layout.customer));
    call.brand =
        layout.brand < 0 ? nullptr : static_cast<Node *>(list_nth(arguments, layout.brand));
    call.date = layout.date < 0 ? nullptr : static_cast<Node *>(list_nth(arguments, layout.date));
    if (!is_null_constant(permission)) {
        text *key = DatumGetTextPP(reinterpret_cast<Const *>(permission)->constvalue);
        call.permission =
            std::string_view(VARDATA_ANY(key), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(key)));
    }
    if (!is_null_constant(level) && !is_null_constant(call.customer)) {
        call.level = DatumGetInt32(reinterpret_cast<Const *>(level)->constvalue);
    }
    return true;
}

// Whether any row may show by permission, and the fact that says so.
Fact permission_fact(const Call &call) {
    return call.brand == nullptr ? Fact::permission_held : Fact::some_brand_permitted;
}

bool may_show_by_permission(const Call &call) {
    return call.permission && ask(permission_fact(call), *call.permission);
}

// Makes the plan rely on no row showing by permission. Requires: !may_show_by_permission(call).
bool rely_on_no_permission(PlannerInfo *root, const Call &call) {
    return !call.permission || assume(root, permission_fact(call), *call.permission, false);
}

FuncExpr *make_call(const char *name, Oid argument_type, Const *argument, Oid result) {
    const Oid types[] = {argument_type};
    const Oid function = LookupFuncName(
        list_make2(makeString(pstrdup("entitle")), makeString(pstrdup(name))), 1, types, true);
    return OidIsValid(function) ? makeFuncExpr(function, result, list_make1(argument), InvalidOid,
                                               InvalidOid, COERCE_EXPLICIT_CALL)
                                : nullptr;
}

Const *level_constant(int level) {
    return makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(level), false, true);
}

// The customer column as its type's operators take it.
struct KeyMatch {
    Oid element;
    Oid array;
    const char *function;
};

std::optional<KeyMatch> match_key(Oid type) {
    switch (key_type_of(type)) {
    case KeyType::integer:
        return KeyMatch{INT8OID, INT8ARRAYOID, "accessible_customers"};
    case KeyType::uuid:
        return KeyMatch{UUIDOID, get_array_type(UUIDOID), "accessible_customer_uuids"};
    case KeyType::text:
        return KeyMatch{TEXTOID, TEXTARRAYOID, "accessible_customer_codes"};
    case KeyType::none:
        return std::nullopt;
    }
    return std::nullopt;
}

// column = ANY(call()), if the index's operators can do it.
Expr *make_any(Node *column, Oid element, FuncExpr *call, Oid family, Oid collation) {
    Oid type = exprType(column);
    if (type == VARCHAROID) {
        column =
            reinterpret_cast<Node *>(makeRelabelType(static_cast<Expr *>(copyObjectImpl(column)),
                                                     TEXTOID, -1, collation, COERCE_IMPLICIT_CAST));
        type = TEXTOID;
    }
    const Oid equals = get_opfamily_member(family, type, element, BTEqualStrategyNumber);
    if (call == nullptr || !OidIsValid(equals)) {
        return nullptr;
    }
    ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);
    any->opno = equals;
    any->opfuncid = get_opcode(equals);
    any->useOr = true;
    any->inputcollid = collation;
    any->args = list_make2(copyObjectImpl(column), call);
    any->location = -1;
    return reinterpret_cast<Expr *>(any);
}

// date >= the earliest day any window reaches, for a caller whose grants all have a window.
Expr *make_reach(Node *date, int level) {
    const Oid type = exprType(date);
    const char *function = type == DATEOID          ? "earliest_visible_date"
                           : type == TIMESTAMPOID   ? "earliest_visible_timestamp"
                           : type == TIMESTAMPTZOID ? "earliest_visible_timestamptz"
                                                    : nullptr;
    FuncExpr *earliest =
        function == nullptr ? nullptr : make_call(function, INT4OID, level_constant(level), type);
    if (earliest == nullptr) {
        return nullptr;
    }
    const Oid family = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
    const Oid not_before = get_opfamily_member(family, type, type, BTGreaterEqualStrategyNumber);
    Expr *reach =
        make_opclause(not_before, BOOLOID, false, static_cast<Expr *>(copyObjectImpl(date)),
                      reinterpret_cast<Expr *>(earliest), InvalidOid, InvalidOid);
    set_opfuncid(reinterpret_cast<OpExpr *>(reach));
    return reach;
}

// Folds the test away where the answer is the same for every row, or puts the reach of the windows
// beside it as a plain comparison that the planner knows how to use.
Node *simplify(const SupportRequestSimplify *request, bool is_branded) {
    PlannerInfo *root = request->root;
    FuncExpr *function = request->fcall;
    Call call{};
    // Without a query there is no plan to carry an assumption; without a column it is no row test.
    if (root == nullptr || function->location == kTakenApart ||
        !contain_var_clause(reinterpret_cast<Node *>(function->args)) ||
        !read_call(function->args, is_branded, call)) {
        return nullptr;
    }
    if (may_show_by_permission(call)) {
        return call.brand == nullptr && assume(root, Fact::permission_held, *call.permission, true)
                   ? makeBoolConst(true, false)
                   : nullptr;
    }
    if (!call.level) {
        return rely_on_no_permission(root, call) ? makeBoolConst(false, false) : nullptr;
    }
    if (call.date == nullptr || ask(Fact::has_unlimited_window, {})) {
        return nullptr;
    }
    Expr *reach = make_reach(call.date, *call.level);
    if (reach == nullptr || !rely_on_no_permission(root, call) ||
        !assume(root, Fact::has_unlimited_window, {}, false)) {
        return nullptr;
    }
    auto *test = static_cast<FuncExpr *>(copyObjectImpl(function));
    test->location = kTakenApart;
    return reinterpret_cast<Node *>(make_andclause(list_make2(test, reach)));
}

// regime: C
PlainIds brands_of(const Call &call) {
    PlainIds ids;
    const Asker &asker = current_asker();
    compute(
        [&] { ids = copy_out(permitted_brands(asker.subject, asker.session, *call.permission)); });
    return ids;
}

double estimate(PlannerInfo *root, const Call &call, int rel, bool is_taken_apart) {
    double by_permission = 0.0;
    if (may_show_by_permission(call)) {
        if (call.brand == nullptr) {
            return 1.0;
        }
        const PlainIds brands = brands_of(call);
        by_permission = estimate_brand_fraction(root, call.brand, rel, brands.values, brands.count);
    }
    double by_access = 0.0;
    if (call.level) {
        const Asker &asker = current_asker();
        by_access = estimate_customer_fraction(root, call.customer, rel, asker, *call.level);
        if (call.date != nullptr && !is_taken_apart) {
            by_access *= estimate_window_fraction(root, call.date, rel, asker, *call.level);
        }
    }
    return by_permission + by_access - by_permission * by_access;
}

bool estimate_selectivity(SupportRequestSelectivity *request, bool is_branded) {
    Call call{};
    if (request->is_join || !read_call(request->args, is_branded, call)) {
        return false;
    }
    // Whether a date comparison stands beside the test cannot be seen here, but follows from the
    // same answer.
    const bool is_taken_apart = call.date != nullptr && call.level &&
                                !may_show_by_permission(call) &&
                                !ask(Fact::has_unlimited_window, {});
    request->selectivity = estimate(request->root, call, request->varRelid, is_taken_apart);
    return true;
}

// The index condition that a row test implies for the asker. The test itself stays as a recheck.
List *index_condition(SupportRequestIndexCondition *request, bool is_branded) {
    Call call{};
    if (!IsA(request->node, FuncExpr) || !request->index->amsearcharray ||
        request->index->relam != BTREE_AM_OID) {
        return NIL;
    }
    List *arguments = reinterpret_cast<FuncExpr *>(request->node)->args;
    if (!read_call(arguments, is_branded, call)) {
        return NIL;
    }
    const auto *column = static_cast<Node *>(list_nth(arguments, request->indexarg));
    Expr *condition = nullptr;
    if (column == call.customer && call.level && !may_show_by_permission(call)) {
        const auto key = match_key(exprType(call.customer));
        condition = !key ? nullptr
                         : make_any(call.customer, key->element,
                                    make_call(key->function, INT4OID, level_constant(*call.level),
                                              key->array),
                                    request->opfamily, request->indexcollation);
        if (condition == nullptr || !rely_on_no_permission(request->root, call)) {
            return NIL;
        }
    } else if (column == call.brand && call.permission) {
        // Valid only for those to whom no row shows by external access.
        if (call.level && ask(Fact::has_grants, {})) {
            return NIL;
        }
        Const *key = static_cast<Const *>(copyObjectImpl(linitial(arguments)));
        condition =
            make_any(call.brand, INT8OID, make_call("permitted_brands", TEXTOID, key, INT8ARRAYOID),
                     request->opfamily, request->indexcollation);
        if (condition == nullptr ||
            (call.level && !assume(request->root, Fact::has_grants, {}, false))) {
            return NIL;
        }
    }
    if (condition == nullptr) {
        return NIL;
    }
    request->lossy = true;
    return list_make1(condition);
}

Datum support(FunctionCallInfo fcinfo, bool is_branded) {
    auto *request = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
    if (IsA(request, SupportRequestSimplify)) {
        return PointerGetDatum(
            simplify(reinterpret_cast<SupportRequestSimplify *>(request), is_branded));
    }
    if (IsA(request, SupportRequestSelectivity)) {
        auto *selectivity = reinterpret_cast<SupportRequestSelectivity *>(request);
        return PointerGetDatum(estimate_selectivity(selectivity, is_branded) ? request : nullptr);
    }
    if (IsA(request, SupportRequestIndexCondition)) {
        return PointerGetDatum(
            index_condition(reinterpret_cast<SupportRequestIndexCondition *>(request), is_branded));
    }
    return PointerGetDatum(nullptr);
}

// Tells the two spellings apart by what they call. Returns: false for any other function.
bool is_row_test(Oid function, bool &is_branded) {
    FmgrInfo info;
    fmgr_info(function, &info);
    is_branded = info.fn_addr == entitle_brand_row_allowed;
    return is_branded || info.fn_addr == entitle_row_allowed;
}

} // namespace

bool entitle::pg::estimate_condition(PlannerInfo *root, Node *clause, Node *column, int rel,
                                     ConditionEstimate &result) {
    bool is_branded = false;
    Call call{};
    if (!IsA(clause, FuncExpr) ||
        !is_row_test(reinterpret_cast<FuncExpr *>(clause)->funcid, is_branded) ||
        !read_call(reinterpret_cast<FuncExpr *>(clause)->args, is_branded, call)) {
        return false;
    }
    if (IsA(column, RelabelType)) {
        column = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(column)->arg);
    }
    if (call.level && equal(column, call.customer)) {
        const Asker &asker = current_asker();
        result.keys = estimate_customers(asker, *call.level);
        result.fraction = estimate_customer_fraction(root, call.customer, rel, asker, *call.level);
        return true;
    }
    if (call.brand != nullptr && call.permission && equal(column, call.brand)) {
        const PlainIds brands = brands_of(call);
        result.keys = static_cast<double>(brands.count);
        result.fraction =
            estimate_brand_fraction(root, call.brand, rel, brands.values, brands.count);
        return true;
    }
    return false;
}

// Planner support of row_allowed. regime: C
ENTITLE_FUNCTION(entitle_row_allowed_support) { return support(fcinfo, false); }

// Planner support of brand_row_allowed. regime: C
ENTITLE_FUNCTION(entitle_brand_row_allowed_support) { return support(fcinfo, true); }
