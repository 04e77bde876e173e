// PostgreSQL refuses a row that a policy's WITH CHECK does not allow, and says no more. While a
// statement writes a protected table, an error context callback adds to that one error the hint
// that names the call which explains it. The hint holds the table's name alone, which the message
// has, too.
#include "pg/postgres.hpp"

#include "pg/compat.hpp"
#include "pg/refusal.hpp"

extern "C" {
#include "rewrite/rowsecurity.h"
}

namespace entitle::pg {

namespace {

ExecutorRun_hook_type next_run = nullptr;

constexpr const char kRefused[] = "new row violates row-level security policy for table \"%s\"";

// A table whose rows protect_table's own policy lets in.
bool is_protected(Relation relation) {
    ListCell *cell = nullptr;
    foreach (cell, relation->rd_rsdesc == nullptr ? NIL : relation->rd_rsdesc->policies) {
        if (strcmp(static_cast<RowSecurityPolicy *>(lfirst(cell))->policy_name, "entitle_insert") ==
            0) {
            return true;
        }
    }
    return false;
}

// The table of which the message tells, if it is a protected one that this statement writes.
Relation find_refusing(const QueryDesc *query, const char *message) {
    ListCell *cell = nullptr;
    foreach (cell, entitle_result_relations(query->estate)) {
        Relation relation = static_cast<ResultRelInfo *>(lfirst(cell))->ri_RelationDesc;
        if (is_protected(relation) &&
            strcmp(message, psprintf(_(kRefused), RelationGetRelationName(relation))) == 0) {
            return relation;
        }
    }
    return nullptr;
}

// Called while the error is being reported, within the statement that raised it: the transaction
// still runs, and a name may be looked up as in any argument of ereport.
void add_hint(void *argument) {
    if (geterrcode() != ERRCODE_INSUFFICIENT_PRIVILEGE) {
        return;
    }
    const auto *query = static_cast<const QueryDesc *>(argument);
    MemoryContext reporting = MemoryContextSwitchTo(query->estate->es_query_cxt);
    const ErrorData *error = CopyErrorData();
    Relation refusing = nullptr;
    if (error->message_id != nullptr && error->hint == nullptr &&
        strcmp(error->message_id, kRefused) == 0) {
        refusing = find_refusing(query, error->message);
    }
    if (refusing != nullptr) {
        const char *home = get_namespace_name(RelationGetNamespace(refusing));
        // Of the model's own tables nothing is declared that could be explained.
        if (home != nullptr && strcmp(home, "entitle") != 0) {
            errhint("The signed-in user may not write such a row. To see why: SELECT * FROM "
                    "entitle.explain_new_row('%s', row%s).",
                    quote_qualified_identifier(home, RelationGetRelationName(refusing)),
                    query->operation == CMD_UPDATE ? ", 'update'" : "");
        }
    }
    MemoryContextSwitchTo(reporting);
}

void on_run(ENTITLE_RUN_PARAMETERS) {
    ErrorContextCallback callback;
    callback.callback = add_hint;
    callback.arg = query;
    callback.previous = error_context_stack;
    error_context_stack = &callback;
    if (next_run != nullptr) {
        next_run(ENTITLE_RUN_ARGUMENTS);
    } else {
        standard_ExecutorRun(ENTITLE_RUN_ARGUMENTS);
    }
    error_context_stack = callback.previous;
}

} // namespace

void install_refusals() {
    next_run = ExecutorRun_hook;
    ExecutorRun_hook = on_run;
}

} // namespace entitle::pg
