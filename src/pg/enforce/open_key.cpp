// Lines hold on to the key of their document. While a statement runs that changes keys or deletes
// documents, foreign keys have not acted yet: nothing else may get a key that lines still have.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/protection/declaration.hpp"
#include "pg/enforce/open_key.hpp"
#include "pg/enforce/refused_write.hpp"
#include "pg/enforce/running_statement.hpp"

extern "C" {
#include "parser/parsetree.h"
#include "utils/rls.h"
}

namespace entitle::pg {

namespace {

// The first of the tables that is a document's, or its lines', else InvalidOid.
Oid find_kin(const List *numbers, const PlannedStmt *plan, const List *documents) {
    for (const int entry : each_int(numbers)) {
        const Oid written = rt_fetch(entry, plan->rtable)->relid;
        Declaration declared;
        Oid table = InvalidOid;
        if (find_declaration(written, declared, table) &&
            (list_member_oid(documents, declared.relation) ||
             list_member_oid(documents, declared.parent))) {
            return declared.relation;
        }
    }
    return InvalidOid;
}

bool puts(const ModifyTable *node) {
    return node->operation == CMD_INSERT || has_action(node, CMD_INSERT);
}

// The documents among the tables that a node writes, which have lines and bind the user: OIDs.
// Where `among` is given, those of them alone.
List *find_documents(const ModifyTable *node, const PlannedStmt *plan, const List *among) {
    List *found = NIL;
    for (const int entry : each_int(node->resultRelations)) {
        Declaration declared;
        Oid table = InvalidOid;
        if (find_declaration(rt_fetch(entry, plan->rtable)->relid, declared, table) &&
            (among == NIL || list_member_oid(among, declared.relation)) &&
            check_enable_rls(declared.relation, InvalidOid, true) == RLS_ENABLED &&
            find_lines(declared.relation) != NIL) {
            found = list_append_unique_oid(found, declared.relation);
        }
    }
    return found;
}

// Rows of which table a statement would put in the place of those that the running one deletes,
// while their lines are still there; or whose lines it would take along. InvalidOid for none.
Oid find_replaced(const Running *running, const PlannedStmt *inner) {
    bool is_protecting = false;
    for (auto *item : each<ResultRelInfo>(entitle_result_relations(running->query->estate))) {
        is_protecting = is_protecting || is_protected(item->ri_RelationDesc);
    }
    if (running->is_finishing || !is_protecting) {
        return InvalidOid;
    }
    const PlannedStmt *plan = running->query->plannedstmt;
    List *deleted = NIL;
    List *replaced = NIL;
    const List *outer_writes = find_writes(plan);
    for (const auto *node : each<ModifyTable>(outer_writes)) {
        if (node->operation == CMD_DELETE || has_action(node, CMD_DELETE)) {
            deleted = list_concat_unique_oid(deleted, find_documents(node, plan, NIL));
        }
    }
    for (const auto *node : each<ModifyTable>(deleted == NIL ? NIL : outer_writes)) {
        if (puts(node)) {
            replaced = list_concat_unique_oid(replaced, find_documents(node, plan, deleted));
        }
    }
    for (const auto *node : each<ModifyTable>(deleted == NIL ? NIL : find_writes(inner))) {
        const List *put = puts(node) ? find_documents(node, inner, deleted) : NIL;
        const Oid found =
            put != NIL ? linitial_oid(put) : find_kin(node->resultRelations, inner, replaced);
        if (OidIsValid(found)) {
            return found;
        }
    }
    return InvalidOid;
}

} // namespace

bool note_open_key(Oid document) {
    Running *running = find_innermost();
    if (running == nullptr) {
        return false; // nothing would tell when the lines have come
    }
    if (list_member_oid(running->open_keys, document)) {
        return true;
    }
    const PlannedStmt *plan = running->query->plannedstmt;
    int count = 0;
    for (const auto *node : each<ModifyTable>(find_writes(plan))) {
        if (!OidIsValid(find_kin(node->resultRelations, plan, list_make1_oid(document)))) {
            continue;
        }
        ++count;
        if (count > 1 || node->operation == CMD_INSERT || has_action(node, CMD_INSERT)) {
            return false;
        }
    }
    MemoryContext previous = MemoryContextSwitchTo(running->query->estate->es_query_cxt);
    running->open_keys = lappend_oid(running->open_keys, document);
    MemoryContextSwitchTo(previous);
    return true;
}

void check_open_keys(const QueryDesc *query) {
    const PlannedStmt *plan = query->plannedstmt;
    if (entitle_targets(plan) == NIL) {
        return;
    }
    for (const ErrorContextCallback *at = error_context_stack; at != nullptr; at = at->previous) {
        const Running *running = find_running(at);
        if (running == nullptr) {
            continue;
        }
        Oid written = running->open_keys == NIL
                          ? InvalidOid
                          : find_kin(entitle_targets(plan), plan, running->open_keys);
        if (!OidIsValid(written)) {
            written = find_replaced(running, plan);
        }
        if (OidIsValid(written)) {
            ereport(
                ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("permission denied to write table \"%s\" while a running statement takes "
                        "keys from documents",
                        get_rel_name(written)),
                 errdetail("Lines that refer to the key could come to belong to another row."),
                 errhint("Write it before or after that statement.")));
        }
    }
}

} // namespace entitle::pg
