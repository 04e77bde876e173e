// PostgreSQL refuses a row that a policy's WITH CHECK does not allow, and says no more. While a
// statement writes a protected table, an error context callback adds to that one error the hint
// that names the call which explains it. The hint holds the table's name alone, which the message
// has, too. And where PostgreSQL says too much, as of a masked column that a generated one is
// computed of, the text is taken out.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/protection/declaration.hpp"
#include "pg/boundary/function.hpp"
#include "pg/enforce/masked_read.hpp"
#include "pg/enforce/open_key.hpp"
#include "pg/enforce/refused_write.hpp"
#include "pg/enforce/running_statement.hpp"

extern "C" {
#include "parser/parsetree.h"
#include "rewrite/rowsecurity.h"
#include "utils/rls.h"
}

#include <string_view>

namespace entitle::pg {

namespace {

ExecutorStart_hook_type next_start = nullptr;
ExecutorRun_hook_type next_run = nullptr;
ExecutorFinish_hook_type next_finish = nullptr;

constexpr const char kRefused[] = "new row violates row-level security policy for table \"%s\"";

// The table of which the message tells, if it is a protected one that this statement writes.
const ResultRelInfo *find_refusing(const QueryDesc *query, const char *message) {
    for (const auto *written : each<ResultRelInfo>(entitle_result_relations(query->estate))) {
        Relation relation = written->ri_RelationDesc;
        if (is_protected(relation) &&
            strcmp(message, psprintf(_(kRefused), RelationGetRelationName(relation))) == 0) {
            return written;
        }
    }
    return nullptr;
}

// Called while the error is being reported, within the statement that raised it: the transaction
// still runs, and a name may be looked up as in any argument of ereport.
void add_hint(const QueryDesc *query) {
    const ErrorData *error = CopyErrorData();
    const ResultRelInfo *refusing = nullptr;
    if (error->message_id != nullptr && error->hint == nullptr &&
        strcmp(error->message_id, kRefused) == 0) {
        refusing = find_refusing(query, error->message);
    }
    if (refusing != nullptr) {
        const char *home = get_namespace_name(RelationGetNamespace(refusing->ri_RelationDesc));
        // Of the model's own tables nothing is declared that could be explained.
        if (home != nullptr && strcmp(home, "entitle") != 0) {
            // PostgreSQL says the same of a row that may be inserted and not be read.
            errhint("The signed-in user may not write such a row%s. To see why: SELECT * FROM "
                    "entitle.explain_new_row('%s', row%s).",
                    query->operation == CMD_INSERT && refusing->ri_projectReturning != nullptr
                        ? ", or would not see it, and RETURNING reads it: then leave RETURNING out"
                        : "",
                    qualified_name(RelationGetRelid(refusing->ri_RelationDesc)),
                    query->operation == CMD_UPDATE ? ", 'update'" : "");
        }
    }
}

// Whether a trigger's author chose the words.
bool is_raised(const ErrorData *error) {
    const char *context = error->context == nullptr ? "" : error->context;
    const std::string_view first(context, strcspn(context, "\n"));
    constexpr std::string_view kRaise = " RAISE";
    return first.size() >= kRaise.size() && first.substr(first.size() - kRaise.size()) == kRaise;
}

// Whether the text may hold a masked value: what a generated column, an index or a check could not
// compute, or a name that it looked up (S167). Requires: the context is what the statement called,
// and nothing that stands around it, whose text is the writer's.
bool may_tell_value(const ErrorData *error) {
    switch (error->sqlerrcode) {
    case ERRCODE_UNDEFINED_OBJECT:
    case ERRCODE_UNDEFINED_TABLE:
    case ERRCODE_UNDEFINED_FUNCTION:
    case ERRCODE_UNDEFINED_COLUMN:
    case ERRCODE_UNDEFINED_SCHEMA:
    case ERRCODE_UNDEFINED_DATABASE:
    case ERRCODE_AMBIGUOUS_FUNCTION:
    case ERRCODE_INTERNAL_ERROR: // as of a number that is no OID
    case ERRCODE_INVALID_NAME:
    case ERRCODE_SYNTAX_ERROR:
        return error->context == nullptr; // else some function's own text is wrong
    case ERRCODE_PROGRAM_LIMIT_EXCEEDED:  // an index row's size tells a masked value's length
        return !is_raised(error);
    default:
        return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_DATA_EXCEPTION &&
               !is_raised(error);
    }
}

// Whether the detail may list the variables of a trigger that found no row, or several: any role
// can ask PL/pgSQL for it (plpgsql.print_strict_params).
bool may_tell_parameters(const ErrorData *error) {
    return (error->sqlerrcode == ERRCODE_NO_DATA_FOUND ||
            error->sqlerrcode == ERRCODE_TOO_MANY_ROWS) &&
           !is_raised(error);
}

// Contexts are added from within: what stands around the statement is not there yet.
void on_report(void *argument) {
    auto *running = static_cast<Running *>(argument);
    MemoryContext reporting = MemoryContextSwitchTo(running->query->estate->es_query_cxt);
    if (running->writes_masked) {
        const ErrorData *error = CopyErrorData();
        running->tells_value = may_tell_value(error);
        running->tells_parameters = may_tell_parameters(error);
    }
    if (geterrcode() == ERRCODE_INSUFFICIENT_PRIVILEGE) {
        add_hint(running->query);
    }
    MemoryContextSwitchTo(reporting);
}

// The text goes to the server's log alone.
void hide_value(ErrorData *error) {
    error->detail_log = psprintf("%s%s%s", error->message, error->detail == nullptr ? "" : "\n",
                                 error->detail == nullptr ? "" : error->detail);
    error->message = pstrdup("the row has no valid value for what the table computes of it");
    error->detail = nullptr;
    error->hint =
        pstrdup("A generated column, check, index or trigger of the table, or an expression "
                "of the statement refuses it; the server's log has the text.");
    error->context = nullptr;
    error->internalquery = nullptr;
}

// Runs what is given as the innermost statement.
template <typename Run> void run_within(QueryDesc *query, bool is_finishing, Run run) {
    Running running{{error_context_stack, on_report, nullptr},
                    query,
                    GetUserId(),
                    writes_masked(query),
                    false,
                    false,
                    NIL,
                    is_finishing};
    running.callback.arg = &running;
    error_context_stack = &running.callback;
    ErrorData *error = nullptr;
    if (running.writes_masked) {
        error = catch_error([](void *self) { (*static_cast<Run *>(self))(); }, &run);
    } else {
        run();
    }
    error_context_stack = running.callback.previous;
    if (error != nullptr && running.tells_value) {
        hide_value(error);
        ThrowErrorData(error); // what stands around this adds its lines again
    } else if (error != nullptr) {
        if (running.tells_parameters) {
            error->detail_log = error->detail;
            error->detail = nullptr;
        }
        ReThrowError(error);
    }
}

void on_run(ENTITLE_RUN_PARAMETERS) {
    run_within(query, false, [&] {
        if (next_run != nullptr) {
            next_run(ENTITLE_RUN_ARGUMENTS);
        } else {
            standard_ExecutorRun(ENTITLE_RUN_ARGUMENTS);
        }
    });
}

// Data-modifying WITH queries that nothing reads to their end are run here.
void on_start(QueryDesc *query, int flags) {
    check_open_keys(query);
    if (next_start != nullptr) {
        next_start(query, flags);
    } else {
        standard_ExecutorStart(query, flags);
    }
}

void on_finish(QueryDesc *query) {
    run_within(query, true, [&] {
        if (next_finish != nullptr) {
            next_finish(query);
        } else {
            standard_ExecutorFinish(query);
        }
    });
}

bool writes(const ModifyTable *node, const PlannedStmt *plan, Oid table) {
    for (const int entry : each_int(node->resultRelations)) {
        if (rt_fetch(entry, plan->rtable)->relid == table) {
            return true;
        }
    }
    return false;
}

} // namespace

bool is_protected(Relation relation) {
    for (auto *item : each<RowSecurityPolicy>(
             relation->rd_rsdesc == nullptr ? NIL : relation->rd_rsdesc->policies)) {
        if (strcmp(item->policy_name, "entitle_insert") == 0) {
            return true;
        }
    }
    return false;
}

Running *find_running(const ErrorContextCallback *at) noexcept {
    return at->callback == on_report ? static_cast<Running *>(at->arg) : nullptr;
}

namespace {

Running *find_running_from(const ErrorContextCallback *at) noexcept {
    while (at != nullptr && find_running(at) == nullptr) {
        at = at->previous;
    }
    return at == nullptr ? nullptr : find_running(at);
}

} // namespace

Running *find_innermost() noexcept { return find_running_from(error_context_stack); }

Oid statement_user() noexcept {
    const Running *running = find_innermost();
    return running == nullptr ? InvalidOid : running->user;
}

Oid outer_statement_user() noexcept {
    const Running *running = find_innermost();
    running = running == nullptr ? nullptr : find_running_from(running->callback.previous);
    return running == nullptr ? InvalidOid : running->user;
}

bool has_action(const ModifyTable *node, CmdType action) {
    for (const auto *item : each<MergeAction>(entitle_merge_actions(node))) {
        if (item->commandType == action) {
            return true;
        }
    }
    return false;
}

// Writes stand at the top of a plan, or of one of its WITH queries: a List of ModifyTable *.
List *find_writes(const PlannedStmt *plan) {
    List *found = NIL;
    for (auto *node : each<ModifyTable>(lcons(plan->planTree, list_copy(plan->subplans)))) {
        if (node != nullptr && IsA(node, ModifyTable)) {
            found = lappend(found, node);
        }
    }
    return found;
}

// PostgreSQL puts the stack of callbacks back after every error, so it holds no statement that has
// ended.
const QueryDesc *running_query() noexcept {
    const Running *running = find_innermost();
    return running == nullptr ? nullptr : running->query;
}

bool is_masked_write() noexcept {
    for (const ErrorContextCallback *at = error_context_stack; at != nullptr; at = at->previous) {
        const Running *running = find_running(at);
        if (running != nullptr && running->writes_masked) {
            return true;
        }
    }
    return false;
}

bool is_partition_move(Relation table) {
    const QueryDesc *query = running_query();
    if (query == nullptr || !table->rd_rel->relispartition) {
        return false;
    }
    const PlannedStmt *plan = query->plannedstmt;
    bool is_update = false;
    for (const auto *node : each<ModifyTable>(find_writes(plan))) {
        if (!writes(node, plan, RelationGetRelid(table))) {
            continue;
        }
        if (node->operation == CMD_DELETE || has_action(node, CMD_DELETE)) {
            return false;
        }
        is_update = true;
    }
    return is_update;
}

void install_refusals() {
    next_start = ExecutorStart_hook;
    ExecutorStart_hook = on_start;
    next_run = ExecutorRun_hook;
    ExecutorRun_hook = on_run;
    next_finish = ExecutorFinish_hook;
    ExecutorFinish_hook = on_finish;
}

void raise_refused_write(const TriggerData *trigger) {
    const char *name = RelationGetRelationName(trigger->tg_relation);
    const char *home = get_namespace_name(RelationGetNamespace(trigger->tg_relation));
    const char *action = TRIGGER_FIRED_BY_DELETE(trigger->tg_event)   ? "delete"
                         : TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "insert"
                                                                      : "update";
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to %s this row of table \"%s\"", action, name),
             TRIGGER_FIRED_BY_INSERT(trigger->tg_event)
                 ? errhint("The signed-in user may not add such a row.")
             // Of the model's own tables nothing is declared that could be explained.
             : strcmp(home, "entitle") == 0
                 ? errhint("The row may be read, but not written, by the signed-in user.")
                 : errhint("The row may be read, but not written, by the signed-in user. To see "
                           "why: SELECT * FROM entitle.explain_action('%s', key, '%s').",
                           quote_qualified_identifier(home, name), action)));
    pg_unreachable();
}

} // namespace entitle::pg

using namespace entitle::pg;

// refuse_hidden(view) -> void: of a new row of the view that does not show to its writer, an error
// when a running statement's RETURNING reads it. Found among the error contexts, which PostgreSQL
// keeps right through errors.
ENTITLE_FUNCTION(entitle_refuse_hidden) {
    const Oid view = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
    for (const ErrorContextCallback *frame = error_context_stack; frame != nullptr;
         frame = frame->previous) {
        const Running *running = find_running(frame);
        if (running == nullptr) {
            continue;
        }
        for (const auto *written :
             each<ResultRelInfo>(entitle_result_relations(running->query->estate))) {
            if (RelationGetRelid(written->ri_RelationDesc) == view &&
                written->ri_projectReturning != nullptr) {
                ereport(ERROR,
                        (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                         errmsg("the new row of \"%s\" would not show to the signed-in user",
                                get_rel_name(view)),
                         errhint("RETURNING reads the row; leave it out to insert such a row.")));
            }
        }
    }
    PG_RETURN_VOID();
}

// Refuses an update or delete of a visible row that may not be written (R3). Fired by the triggers
// of protect_table, whose WHEN condition is the row test.
ENTITLE_FUNCTION(entitle_refuse_write) {
    const TriggerData *trigger = require_trigger(fcinfo, "a trigger of protected tables");
    const char *name = RelationGetRelationName(trigger->tg_relation);
    if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event)) {
        ereport(
            ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to truncate protected table \"%s\"", name),
             errhint("Delete the rows; only those whom row security does not bind may truncate.")));
    }
    if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event) &&
        is_partition_move(trigger->tg_relation)) {
        return PointerGetDatum(trigger->tg_trigtuple);
    }
    raise_refused_write(trigger);
}
