// Builds the expressions that a row test implies. They call STABLE functions, so a plan never holds
// anybody's rights.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/index_condition.hpp"
#include "pg/datum/datum.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_func.h"
#include "utils/typcache.h"
}

#include <optional>

namespace entitle::pg {

namespace {

FuncExpr *make_call(const char *name, List *arguments, Oid result) {
    Oid types[FUNC_MAX_ARGS];
    Assert(list_length(arguments) <= FUNC_MAX_ARGS);
    int count = 0;
    for (auto *item : each<Node>(arguments)) {
        types[count++] = exprType(item);
    }
    const Oid function = LookupFuncName(
        list_make2(makeString(pstrdup("entitle")), makeString(pstrdup(name))), count, types, true);
    return OidIsValid(function) ? makeFuncExpr(function, result, arguments, InvalidOid, InvalidOid,
                                               COERCE_EXPLICIT_CALL)
                                : nullptr;
}

Const *int_constant(int value) {
    return makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(value), false, true);
}

Const *text_constant(std::string_view value) {
    return makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, text_datum(value), false, false);
}

// The customer column as its type's operators take it: the elements of the array it is compared
// with, and the call that gives the array.
struct KeyMatch {
    Oid element;
    FuncExpr *keys;
};

// A call of a function that takes a sample of the column's own type after these arguments, and
// gives its result in that type, or in an array of it.
FuncExpr *make_sampled(const char *name, List *arguments, Oid type, Oid result) {
    Oid types[FUNC_MAX_ARGS];
    int count = 0;
    for (auto *item : each<Node>(arguments)) {
        types[count++] = exprType(item);
    }
    types[count++] = ANYELEMENTOID;
    const Oid function = LookupFuncName(
        list_make2(makeString(pstrdup("entitle")), makeString(pstrdup(name))), count, types, true);
    arguments = lappend(arguments, makeNullConst(type, -1, InvalidOid));
    return OidIsValid(function) ? makeFuncExpr(function, result, arguments, InvalidOid, InvalidOid,
                                               COERCE_EXPLICIT_CALL)
                                : nullptr;
}

// The asker's customers by keys of the column's own type.
FuncExpr *make_keys(Oid type, int level) {
    return make_sampled("accessible_customer_keys", list_make1(int_constant(level)), type,
                        get_array_type(type));
}

KeyMatch match_key(Oid type, int level) {
    List *arguments = list_make1(int_constant(level));
    switch (key_type_of(type)) {
    case KeyType::integer:
        return {INT8OID, make_call("accessible_customers", arguments, INT8ARRAYOID)};
    case KeyType::uuid:
        return {UUIDOID,
                make_call("accessible_customer_uuids", arguments, get_array_type(UUIDOID))};
    case KeyType::text:
        if (type == TEXTOID || type == VARCHAROID) {
            return {TEXTOID, make_call("accessible_customer_codes", arguments, TEXTARRAYOID)};
        }
        return {type, make_keys(type, level)};
    case KeyType::padded:
    case KeyType::numeric:
        return {type, make_keys(type, level)};
    case KeyType::label:
        // The operators of enums are those of all enums.
        return {ANYENUMOID, make_keys(type, level)};
    case KeyType::none:
        return {InvalidOid, nullptr};
    }
    return {InvalidOid, nullptr};
}

// What the operators of a column's type take it for: a domain for what it is over, varchar for
// text.
Oid operand_type(Oid type) {
    const Oid base = getBaseType(type);
    return base == VARCHAROID ? TEXTOID : base;
}

// column = ANY(array), if the operators of the family can do it.
Expr *make_any(Node *column, Oid element, Node *array, Oid family, Oid collation) {
    Oid type = operand_type(exprType(column));
    if (type != exprType(column)) {
        column =
            reinterpret_cast<Node *>(makeRelabelType(static_cast<Expr *>(copyObjectImpl(column)),
                                                     type, -1, collation, COERCE_IMPLICIT_CAST));
    }
    type = element == ANYENUMOID ? ANYENUMOID : type;
    const Oid equals = get_opfamily_member(family, type, element, BTEqualStrategyNumber);
    if (array == nullptr || !OidIsValid(equals)) {
        return nullptr;
    }
    ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);
    any->opno = equals;
    any->opfuncid = get_opcode(equals);
    any->useOr = true;
    any->inputcollid = collation;
    any->args = list_make2(copyObjectImpl(column), array);
    any->location = -1;
    return reinterpret_cast<Expr *>(any);
}

// What the elements of a list that a column is compared with are for its operators: numbers are
// bigint, labels those of any enum.
Oid listed_type(Oid column) {
    const KeyType kind = key_type_of(column);
    return kind == KeyType::integer ? INT8OID : kind == KeyType::label ? ANYENUMOID : column;
}

// column = ANY(ARRAY[element(1), ..., element(length)]).
template <typename MakeElement>
Expr *make_listed(Node *column, Oid type, std::size_t length, MakeElement &&make_element) {
    ArrayExpr *array = makeNode(ArrayExpr);
    array->array_typeid = get_array_type(type);
    array->array_collid = exprCollation(column);
    array->element_typeid = type;
    array->location = -1;
    for (std::size_t i = 1; i <= length; ++i) {
        FuncExpr *element = make_element(int_constant(static_cast<int>(i)));
        if (element == nullptr) {
            return nullptr;
        }
        array->elements = lappend(array->elements, element);
    }
    const Oid family = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
    return length == 0 ? nullptr
                       : make_any(column, listed_type(type), reinterpret_cast<Node *>(array),
                                  family, exprCollation(column));
}

} // namespace

Expr *customer_is_reached(Node *customer, int level, Oid family, Oid collation) {
    const KeyMatch key = match_key(getBaseType(exprType(customer)), level);
    return make_any(customer, key.element, reinterpret_cast<Node *>(key.keys), family, collation);
}

Expr *customer_is_unlimited(Node *customer, int level, Oid family) {
    FuncExpr *keys =
        make_call("unlimited_customers", list_make1(int_constant(level)), INT8ARRAYOID);
    return make_any(customer, INT8OID, reinterpret_cast<Node *>(keys), family, InvalidOid);
}

Expr *brand_is_permitted(Node *brand, std::string_view permission, Oid family, Oid collation) {
    const Oid type = operand_type(exprType(brand));
    const KeyType kind = key_type_of(type);
    List *arguments = list_make1(text_constant(permission));
    FuncExpr *brands =
        kind == KeyType::integer ? make_call("permitted_brands", arguments, INT8ARRAYOID)
        : kind == KeyType::none
            ? nullptr
            : make_sampled("permitted_brand_keys", arguments, type, get_array_type(type));
    return make_any(brand, listed_type(type), reinterpret_cast<Node *>(brands), family, collation);
}

Expr *customer_is_listed(Node *customer, int level, std::size_t length) {
    return make_listed(customer, INT8OID, length, [&](Const *place) {
        return make_call("accessible_customer", list_make2(int_constant(level), place), INT8OID);
    });
}

Expr *brand_is_listed(Node *brand, std::string_view permission, std::size_t length) {
    const Oid column = operand_type(exprType(brand));
    const KeyType kind = key_type_of(column);
    if (kind == KeyType::none) {
        return nullptr;
    }
    const Oid type = kind == KeyType::integer ? INT8OID : column;
    return make_listed(brand, type, length, [&](Const *place) {
        List *arguments = list_make2(text_constant(permission), place);
        return kind == KeyType::integer
                   ? make_call("permitted_brand", arguments, type)
                   : make_sampled("permitted_brand_key", arguments, type, type);
    });
}

Expr *date_is_reached(Node *date, int level, bool is_partitioned) {
    const Oid type = getBaseType(exprType(date));
    const char *function =
        type == DATEOID ? (is_partitioned ? "earliest_partition_date" : "earliest_visible_date")
        : type == TIMESTAMPOID
            ? (is_partitioned ? "earliest_partition_timestamp" : "earliest_visible_timestamp")
        : type == TIMESTAMPTZOID
            ? (is_partitioned ? "earliest_partition_timestamptz" : "earliest_visible_timestamptz")
            : nullptr;
    FuncExpr *earliest =
        function == nullptr ? nullptr : make_call(function, list_make1(int_constant(level)), type);
    if (earliest == nullptr) {
        return nullptr;
    }
    const Oid family = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
    const Oid not_before = get_opfamily_member(family, type, type, BTGreaterEqualStrategyNumber);
    Expr *reach =
        make_opclause(not_before, BOOLOID, false, static_cast<Expr *>(copyObjectImpl(date)),
                      reinterpret_cast<Expr *>(earliest), InvalidOid, InvalidOid);
    set_opfuncid(ENTITLE_NODE(OpExpr, reach));
    return reach;
}

} // namespace entitle::pg
