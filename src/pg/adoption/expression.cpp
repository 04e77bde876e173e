#include "pg/boundary/postgres.hpp"

#include "pg/adoption/expression.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/datum/datum.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "utils/fmgroids.h"
}

namespace entitle::pg {

namespace {

// A type whose values nobody's code but PostgreSQL's own, or a superuser's, reads and writes.
bool is_plain(Oid type) {
    const Oid base = getBaseType(type);
    const Oid element = get_element_type(base);
    if (OidIsValid(element)) {
        return is_plain(element);
    }
    const char kind = get_typtype(base);
    return kind == TYPTYPE_BASE || kind == TYPTYPE_ENUM ||
           (kind == TYPTYPE_RANGE && base < FirstUnpinnedObjectId);
}

[[noreturn]] void refuse(const char *text, const char *why) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("expression \"%s\" %s", text, why),
             errhint("Use the columns of the row, constants, and functions of PostgreSQL's "
                     "own that are immutable: deleted_at IS NULL, status = 'active'.")));
    pg_unreachable();
}

// What reading looks at, before anything is read: to make a constant of a type runs that type's
// code.
bool demand_plain_names(Node *node, void *context) {
    const auto *text = static_cast<const char *>(context);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, SubLink)) {
        refuse(text, "holds a query");
    }
    // A star by itself is taken apart where lists of columns are; there is none here.
    if (IsA(node, ColumnRef) && IsA(llast(ENTITLE_NODE(ColumnRef, node)->fields), A_Star)) {
        refuse(text, "names the whole row");
    }
    if (IsA(node, TypeCast)) {
        const TypeName *name = ENTITLE_NODE(TypeCast, node)->typeName;
        const Oid type = LookupTypeNameOid(nullptr, name, true);
        const bool is_known = OidIsValid(type) && is_plain(type) &&
                              get_typtype(type) != TYPTYPE_DOMAIN &&
                              (type < FirstUnpinnedObjectId || get_typtype(type) == TYPTYPE_ENUM);
        if (!is_known) {
            refuse(text, "casts to a type that is neither PostgreSQL's own nor an enum");
        }
    }
    return raw_expression_tree_walker(node, ENTITLE_WALKER(demand_plain_names), context);
}

bool is_untrusted(Oid function, void *) {
    return function >= FirstUnpinnedObjectId || func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

// Whether its text means the same value at any time, in any session.
bool is_steady(Oid type) {
    if (type == UNKNOWNOID || get_typtype(type) == TYPTYPE_ENUM) {
        return true;
    }
    Oid input = InvalidOid;
    Oid parameter = InvalidOid;
    getTypeInputInfo(OidIsValid(get_element_type(type)) ? get_element_type(type) : type, &input,
                     &parameter);
    return !is_untrusted(input, nullptr);
}

// An abbreviation, such as EST, means what a setting says that everybody may make (S536); Area/City
// is none.
void demand_steady_zone(const FuncExpr *call, const char *expression) {
    if (call->funcid != F_TIMEZONE_TEXT_TIMESTAMP && call->funcid != F_TIMEZONE_TEXT_TIMESTAMPTZ) {
        return;
    }
    const Node *zone = linitial_node(Node, call->args);
    const Const *constant = IsA(zone, Const) ? ENTITLE_NODE(Const, zone) : nullptr;
    const char *name = constant == nullptr || constant->constisnull
                           ? ""
                           : TextDatumGetCString(constant->constvalue);
    if (strchr(name, '/') == nullptr && strcmp(name, "UTC") != 0) {
        refuse(expression, "names a time zone otherwise than as 'UTC' or like 'Europe/Paris'");
    }
}

bool demand_steady(Node *node, void *context) {
    const auto *text = static_cast<const char *>(context);
    if (node == nullptr) {
        return false;
    }
    switch (nodeTag(node)) {
    case T_Var: {
        const auto *var = ENTITLE_NODE(Var, node);
        if (var->varattno <= 0) {
            refuse(text, "names the whole row or a column of the system's");
        }
        if (!is_plain(var->vartype)) {
            refuse(text, "uses a column of a type that is neither PostgreSQL's own nor an enum");
        }
        return false;
    }
    case T_Const: {
        const auto *constant = ENTITLE_NODE(Const, node);
        if (!constant->constisnull && !is_steady(constant->consttype)) {
            refuse(text, "holds a constant whose meaning depends on the session or the time");
        }
        return false;
    }
    case T_FuncExpr:
        demand_steady_zone(ENTITLE_NODE(FuncExpr, node), text);
        break;
    case T_OpExpr:
    case T_DistinctExpr:
    case T_NullIfExpr:
    case T_ScalarArrayOpExpr:
    case T_BoolExpr:
    case T_CaseExpr:
    case T_CaseWhen:
    case T_CaseTestExpr:
    case T_CoalesceExpr:
    case T_MinMaxExpr:
    case T_NullTest:
    case T_BooleanTest:
    case T_RelabelType:
    case T_CoerceViaIO:
    case T_ArrayCoerceExpr:
    case T_ArrayExpr:
    case T_SubscriptingRef:
    case T_CollateExpr:
    case T_List:
        break;
    default:
        refuse(text, "holds more than columns, constants and calls");
    }
    if (check_functions_in_node(node, is_untrusted, nullptr)) {
        refuse(text, "calls a function that is not PostgreSQL's own or not immutable");
    }
    return expression_tree_walker(node, ENTITLE_WALKER(demand_steady), context);
}

// One expression, and nothing else of a query.
Node *parse_alone(const char *text) {
    List *statements = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
    if (list_length(statements) == 1) {
        auto *query = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
        const bool is_bare = query->distinctClause == NIL && query->intoClause == nullptr &&
                             query->fromClause == NIL && query->whereClause == nullptr &&
                             query->groupClause == NIL && query->havingClause == nullptr &&
                             query->windowClause == NIL && query->valuesLists == NIL &&
                             query->sortClause == NIL && query->limitOffset == nullptr &&
                             query->limitCount == nullptr && query->lockingClause == NIL &&
                             query->withClause == nullptr && query->op == SETOP_NONE;
        if (is_bare && list_length(query->targetList) == 1) {
            return linitial_node(ResTarget, query->targetList)->val;
        }
    }
    refuse(text, "is more than one expression");
}

// The table, with its columns as the expressions call them.
ParseState *state_of(Relation table, const KnownColumn *columns, int count) {
    ParseState *state = make_parsestate(nullptr);
    ParseNamespaceItem *item =
        addRangeTableEntryForRelation(state, table, AccessShareLock, nullptr, false, false);
    List *names = NIL;
    for (int i = 0; i < RelationGetDescr(table)->natts; ++i) {
        const char *known = "";
        for (int j = 0; j < count; ++j) {
            known = columns[j].number == i + 1 ? columns[j].name : known;
        }
        names = lappend(names, makeString(pstrdup(known)));
    }
    item->p_rte->eref->colnames = names;
    addNSItemToQuery(state, item, false, true, true);
    return state;
}

} // namespace

Expr *read_expression(Relation table, const char *text, const KnownColumn *columns, int count,
                      bool is_condition) {
    Node *raw = parse_alone(text);
    demand_plain_names(raw, const_cast<char *>(text));
    // No literal is made one of a column's type by code of its owner's. Stored rows hold no virtual
    // column.
    auto *usable =
        static_cast<KnownColumn *>(palloc(static_cast<Size>(count + 1) * sizeof(KnownColumn)));
    int kept = 0;
    for (int i = 0; i < count; ++i) {
        const FormData_pg_attribute &column =
            *TupleDescAttr(RelationGetDescr(table), columns[i].number - 1);
        if (is_plain(column.atttypid) && column.attgenerated != 'v') {
            usable[kept++] = columns[i];
        }
    }
    ParseState *state = state_of(table, usable, kept);
    Node *tree = transformExpr(state, raw, EXPR_KIND_WHERE);
    if (is_condition) {
        tree = coerce_to_boolean(state, tree, "the condition");
    }
    assign_expr_collations(state, tree);
    demand_steady(tree, const_cast<char *>(text));
    free_parsestate(state);
    return reinterpret_cast<Expr *>(tree);
}

const char *print_fact(Datum value, Oid type) {
    const Oid base = getBaseType(type);
    switch (base) {
    case BOOLOID:
        return DatumGetBool(value) ? "t" : "f";
    case DATEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID: {
        const auto day = day_value(NullableDatum{value, false}, base);
        return psprintf("%d", static_cast<int>(day.value_or(kFirstDay)));
    }
    default: {
        Oid output = InvalidOid;
        bool is_varlena = false;
        getTypeOutputInfo(base, &output, &is_varlena);
        return OidOutputFunctionCall(output, value);
    }
    }
}

} // namespace entitle::pg
