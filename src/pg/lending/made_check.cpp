// Which objects are the borrowers', and the errors that name them.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/table_owner.hpp"
#include "pg/lending/definer.hpp"
#include "pg/lending/made.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
}

namespace entitle::pg {

namespace {

const char *with_types(const char *name, const Oid *types, int count) {
    StringInfoData text;
    initStringInfo(&text);
    appendStringInfo(&text, "%s(", name);
    for (int i = 0; i < count; ++i) {
        appendStringInfo(&text, "%s%s", i == 0 ? "" : ", ",
                         OidIsValid(types[i]) ? format_type_be(types[i]) : "NONE");
    }
    appendStringInfoChar(&text, ')');
    return text.data;
}

// As ALTER FUNCTION takes it, with its schema.
const char *qualified_function(Oid function) {
    HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row)) {
        return "";
    }
    const auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(row));
    const char *text = with_types(
        quote_qualified_identifier(get_namespace_name(form->pronamespace), NameStr(form->proname)),
        form->proargtypes.values, form->pronargs);
    ReleaseSysCache(row);
    return text;
}

// As ALTER OPERATOR takes it, with its schema.
const char *qualified_operator(Oid oper) {
    HeapTuple row = SearchSysCache1(OPEROID, ObjectIdGetDatum(oper));
    if (!HeapTupleIsValid(row)) {
        return "";
    }
    const auto *form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(row));
    const Oid types[] = {form->oprleft, form->oprright};
    const char *text =
        with_types(psprintf("%s.%s", quote_identifier(get_namespace_name(form->oprnamespace)),
                            NameStr(form->oprname)),
                   types, 2);
    ReleaseSysCache(row);
    return text;
}

[[noreturn]] void raise_borrowers(const char *kind, const char *name, Oid owner, const char *hint) {
    const Oid function = function_in_charge();
    const char *routine = OidIsValid(function) ? qualified_function(function) : nullptr;
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("%s %s belongs to \"%s\" and would be used with the rights of \"%s\"", kind,
                    name, GetUserNameFromId(owner, true), GetUserNameFromId(lender(), true)),
             routine == nullptr ? 0 : errdetail("Trigger function %s was running.", routine),
             errhint("%s", hint)));
    pg_unreachable();
}

// What mends the function that took a temporary object for another.
const char *qualify_hint() {
    const Oid function = function_in_charge();
    return OidIsValid(function)
               ? psprintf("Write the schema before the name in the function, or let temporary "
                          "objects come last: ALTER FUNCTION %s SET search_path = ..., pg_temp; "
                          "the session goes on if it drops the temporary object.",
                          qualified_function(function))
               : "Write the schema before the name in the trigger's function, or let temporary "
                 "objects come last: ALTER FUNCTION ... SET search_path = ..., pg_temp; the "
                 "session goes on if it drops the temporary object.";
}

} // namespace

void check_function(Oid function) {
    const Made *made = find_made();
    if (made == nullptr || !made->is_anything() || function < FirstNormalObjectId) {
        return;
    }
    HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row)) {
        return;
    }
    const auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(row));
    const Oid owner = form->proowner;
    const bool is_theirs = is_borrowers(*made, form->pronamespace, owner);
    ReleaseSysCache(row);
    if (is_theirs) {
        const char *name = qualified_function(function);
        raise_borrowers("function", name, owner,
                        psprintf("If it is to be trusted: ALTER FUNCTION %s OWNER TO %s;", name,
                                 quote_identifier(GetUserNameFromId(lender(), false))));
    }
}

void check_operator(Oid oper) {
    const Made *made = find_made();
    if (made == nullptr || !made->has_code || oper < FirstNormalObjectId) {
        return;
    }
    HeapTuple row = SearchSysCache1(OPEROID, ObjectIdGetDatum(oper));
    if (!HeapTupleIsValid(row)) {
        return;
    }
    const auto *form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(row));
    const Oid owner = form->oprowner;
    const bool is_theirs = is_borrowers(*made, form->oprnamespace, owner);
    ReleaseSysCache(row);
    if (is_theirs) {
        const char *name = qualified_operator(oper);
        raise_borrowers("operator", name, owner,
                        psprintf("If it is to be trusted: ALTER OPERATOR %s OWNER TO %s;", name,
                                 quote_identifier(GetUserNameFromId(lender(), false))));
    }
}

void check_type(Oid type) {
    const Made *made = find_made();
    if (made == nullptr || !OidIsValid(made->temporary) || type < FirstNormalObjectId) {
        return;
    }
    HeapTuple row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(row)) {
        return;
    }
    const auto *form = reinterpret_cast<Form_pg_type>(GETSTRUCT(row));
    const Oid owner = form->typowner;
    // Whatever else is theirs holds no code, or is refused by check_types.
    const bool is_theirs =
        form->typnamespace == made->temporary && is_borrowers(*made, form->typnamespace, owner);
    ReleaseSysCache(row);
    if (is_theirs) {
        raise_borrowers("type", format_type_be_qualified(type), owner, qualify_hint());
    }
}

void check_relation(Oid relation) {
    const Made *made = find_made();
    if (made == nullptr || !made->is_anything() || relation < FirstNormalObjectId) {
        return;
    }
    HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(row)) {
        return; // a number that stands for the extension's own signals
    }
    const auto *form = reinterpret_cast<Form_pg_class>(GETSTRUCT(row));
    const Oid owner = form->relowner;
    const Oid schema = form->relnamespace;
    const char *name =
        quote_qualified_identifier(get_namespace_name(schema), NameStr(form->relname));
    const bool is_theirs = is_borrowers(*made, schema, owner);
    ReleaseSysCache(row);
    if (is_theirs) {
        raise_borrowers("relation", name, owner,
                        schema == made->temporary
                            ? qualify_hint()
                            : psprintf("If it is to be trusted: ALTER TABLE %s OWNER TO %s;", name,
                                       quote_identifier(GetUserNameFromId(lender(), false))));
    }
}

void check_constant(const Const *constant) {
    check_type(constant->consttype);
    if (constant->consttype != REGCLASSOID || constant->constisnull) {
        return;
    }
    const Made *made = find_made();
    const Oid relation = DatumGetObjectId(constant->constvalue);
    if (made != nullptr && OidIsValid(made->temporary) &&
        get_rel_relkind(relation) == RELKIND_SEQUENCE &&
        get_rel_namespace(relation) == made->temporary) {
        check_relation(relation);
    }
}

namespace {

// The owner of the table that a trigger is on.
Oid trigger_table_owner(Oid trigger) {
    Relation triggers = table_open(TriggerRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(trigger));
    SysScanDesc scan = systable_beginscan(triggers, TriggerOidIndexId, true, nullptr, 1, &key);
    HeapTuple row = systable_getnext(scan);
    const Oid table = HeapTupleIsValid(row)
                          ? reinterpret_cast<Form_pg_trigger>(GETSTRUCT(row))->tgrelid
                          : InvalidOid;
    systable_endscan(scan);
    table_close(triggers, AccessShareLock);
    return table_owner(table);
}

void note_trigger(Oid catalog, Oid object, void *is_lenders) {
    auto &found = *static_cast<bool *>(is_lenders);
    if (catalog == TriggerRelationId && !found) {
        const Oid owner = trigger_table_owner(object);
        found = OidIsValid(owner) && is_lender_kind(owner);
    }
}

} // namespace

void check_trigger_function(Oid function) {
    HeapTuple row = function < FirstNormalObjectId
                        ? nullptr
                        : SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row)) {
        return;
    }
    const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(row))->proowner;
    ReleaseSysCache(row);
    bool is_lenders = is_lender_kind(owner);
    if (!is_lenders) {
        visit_dependencies(ProcedureRelationId, function, true, note_trigger, &is_lenders);
    }
    if (!is_lenders) {
        const char *name = qualified_function(function);
        raise_borrowers(
            "function", name, owner,
            psprintf("Let it run as its own owner: ALTER FUNCTION %s SECURITY DEFINER;", name));
    }
}

namespace {

bool demand_lenders_function(Oid function, void *) {
    HeapTuple row = function < FirstNormalObjectId
                        ? nullptr
                        : SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row)) {
        return false;
    }
    const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(row))->proowner;
    ReleaseSysCache(row);
    if (!is_lender_kind(owner)) {
        raise_borrowers("function", qualified_function(function), owner,
                        "Let the constraint whose key it computes be NOT DEFERRABLE.");
    }
    return false;
}

bool demand_lenders_node(Node *node, void *) {
    if (node == nullptr) {
        return false;
    }
    check_functions_in_node(node, demand_lenders_function, nullptr);
    if (IsA(node, CoerceToDomain)) {
        const Oid type = ENTITLE_NODE(CoerceToDomain, node)->resulttype;
        HeapTuple row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
        if (HeapTupleIsValid(row)) {
            const Oid owner = reinterpret_cast<Form_pg_type>(GETSTRUCT(row))->typowner;
            ReleaseSysCache(row);
            if (!is_lender_kind(owner)) {
                raise_borrowers("type", format_type_be_qualified(type), owner,
                                "Let the constraint whose key it is part of be NOT DEFERRABLE.");
            }
        }
    }
    return expression_tree_walker(node, ENTITLE_WALKER(demand_lenders_node), nullptr);
}

} // namespace

void check_deferrable_keys(Oid relation) {
    Relation table = table_open(relation, AccessShareLock);
    for (const Oid key : each_oid(RelationGetIndexList(table))) {
        Relation index = index_open(key, AccessShareLock);
        if (!index->rd_index->indimmediate) {
            demand_lenders_node(reinterpret_cast<Node *>(RelationGetIndexExpressions(index)),
                                nullptr);
        }
        index_close(index, NoLock);
    }
    table_close(table, NoLock);
}

namespace {

// Functions and operators that an object's expressions use, through domains, too. A domain's
// constraint depends on the domain in turn: `seen` holds the domains that were looked at.
void check_used(Oid catalog, Oid object, void *seen);

void check_constraint(Oid catalog, Oid object, void *seen) {
    if (catalog == ConstraintRelationId) {
        visit_dependencies(catalog, object, false, check_used, seen);
    }
}

void check_used(Oid catalog, Oid object, void *seen) {
    if (catalog == ProcedureRelationId) {
        check_function(object);
    } else if (catalog == OperatorRelationId) {
        check_operator(object);
    } else if (catalog == TypeRelationId && object >= FirstNormalObjectId &&
               get_typtype(object) == TYPTYPE_DOMAIN) {
        auto &domains = *static_cast<List **>(seen);
        if (list_member_oid(domains, object)) {
            return;
        }
        domains = lappend_oid(domains, object);
        visit_dependencies(catalog, object, false, check_used, seen); // of its type
        visit_dependencies(catalog, object, true, check_constraint, seen);
    }
}

// Rules and policies are in the plan.
void check_part(Oid catalog, Oid object, void *seen) {
    if (catalog == ConstraintRelationId || catalog == AttrDefaultRelationId ||
        catalog == TriggerRelationId ||
        (catalog == RelationRelationId && get_rel_relkind(object) == RELKIND_INDEX)) {
        visit_dependencies(catalog, object, false, check_used, seen);
    }
}

} // namespace

void check_attached(Oid relation) {
    const Made *made = find_made();
    if (made == nullptr || !made->has_code || relation < FirstNormalObjectId) {
        return;
    }
    List *domains = NIL;
    visit_dependencies(RelationRelationId, relation, false, check_used, &domains);
    visit_dependencies(RelationRelationId, relation, true, check_part, &domains);
}

void check_types(const Made *made) {
    if (!OidIsValid(made->unsafe_type)) {
        return;
    }
    HeapTuple row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(made->unsafe_type));
    if (!HeapTupleIsValid(row)) {
        return;
    }
    const auto *form = reinterpret_cast<Form_pg_type>(GETSTRUCT(row));
    const Oid owner = form->typowner;
    const bool is_temporary = form->typnamespace == made->temporary;
    ReleaseSysCache(row);
    const char *name = format_type_be_qualified(made->unsafe_type);
    raise_borrowers("type", name, owner,
                    is_temporary
                        ? psprintf("Drop it, or make it in a schema: DROP TYPE %s;", name)
                        : psprintf("If it is to be trusted: ALTER DOMAIN %s OWNER TO %s;", name,
                                   quote_identifier(GetUserNameFromId(lender(), false))));
}

} // namespace entitle::pg
