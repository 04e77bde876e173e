// Moves of rows of protected tables (R54, R55): the trigger that refuses them, and the same
// question for those who write through a filtered view. And the trigger that refuses writes of
// lines, which finds their document in the same way.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/lending/definer.hpp"
#include "pg/enforce/departure.hpp"
#include "pg/boundary/function.hpp"
#include "pg/enforce/held_key.hpp"
#include "pg/enforce/refused_write.hpp"
#include "pg/enforce/running_statement.hpp"
#include "pg/protection/row_place.hpp"
#include "pg/model/row_trigger.hpp"
#include "pg/subject/statement.hpp"

extern "C" {
#include "catalog/partition.h"
#include "executor/executor.h"
#include "rewrite/rewriteHandler.h"
#include "utils/rls.h"
}

#include "core/move.hpp"

#include <array>

using namespace entitle;
using namespace entitle::pg;

namespace {

// One thing that can be done to a row, or to what follows it.
struct PlainRight {
    const char *what;
    ActionRule action;
};

struct PlainRights {
    PlainRight *rights;
    int count;
};

const char *about(const char *verb, const Declaration *line) {
    return line == nullptr
               ? psprintf("%s it", verb)
               : psprintf("%s its rows of table %s", verb, qualified_name(line->relation));
}

// The masks of a table, level by level: whoever sees one column of a level sees all.
void add_masks(const Declaration &declared, const Declaration *line, const char *view_permission,
               PlainRights &to) {
    std::array<bool, std::size(kLevels)> is_added{};
    if (declared.masked_columns == nullptr || JB_ROOT_COUNT(declared.masked_columns) == 0) {
        return;
    }
    JsonbValue part;
    JsonbIterator *parts = JsonbIteratorInit(&declared.masked_columns->root);
    const char *name = nullptr;
    for (JsonbIteratorToken token = JsonbIteratorNext(&parts, &part, true); token != WJB_DONE;
         token = JsonbIteratorNext(&parts, &part, true)) {
        if (token == WJB_KEY) {
            name = pnstrdup(part.val.string.val, part.val.string.len);
        } else if (token == WJB_VALUE) {
            const char *written = get_json_field(JsonbPGetDatum(declared.masked_columns), name);
            const std::int32_t level = written == nullptr ? 0 : pg_strtoint32(written);
            const auto place = level_place(level);
            if (place && is_added[*place]) {
                continue;
            }
            if (place) {
                is_added[*place] = true;
            }
            to.rights[to.count++] = PlainRight{about(psprintf("see \"%s\" of", name), line),
                                               ActionRule{view_permission, level, false}};
        }
    }
}

int count_masks(const Declaration &declared) {
    return declared.masked_columns == nullptr
               ? 0
               : static_cast<int>(JB_ROOT_COUNT(declared.masked_columns));
}

// All that anybody may be allowed to do to a row of the table, and to the lines that move with it.
// To see it comes first. regime: C
PlainRights list_rights(const Declaration &declared, const Declaration &document) {
    const List *lines = find_lines(declared.relation);
    int most = 3 + count_masks(declared);
    for (const auto *item : each<Declaration>(lines)) {
        most += 3 + count_masks(*item);
    }
    PlainRights rights{static_cast<PlainRight *>(palloc(most * sizeof(PlainRight))), 0};
    const auto add = [&](const char *verb, const Declaration *line, const char *permission,
                         std::optional<std::int32_t> level) {
        // To see the row comes first.
        rights.rights[rights.count] =
            PlainRight{about(verb, line), ActionRule{permission, level, true, rights.count == 0}};
        ++rights.count;
    };
    const auto min_level = document.customer_column == nullptr
                               ? std::nullopt
                               : std::optional<std::int32_t>(document.min_level);
    add("see", nullptr, document.view_permission, min_level);
    add("update", nullptr, declared.update_permission, declared.external_update_level);
    add("delete", nullptr, declared.delete_permission, declared.external_delete_level);
    add_masks(declared, nullptr, document.view_permission, rights);
    for (const auto *line : each<Declaration>(lines)) {
        add("insert", line, line->insert_permission, line->external_insert_level);
        add("update", line, line->update_permission, line->external_update_level);
        add("delete", line, line->delete_permission, line->external_delete_level);
        add_masks(*line, line, document.view_permission, rights);
    }
    return rights;
}

// What the rows of a table are judged by.
struct MoveRules {
    Declaration declared;
    Declaration document;
    PlainRights rights;
    List *held_keys; // by which lines know the row, and might take another for it
};

MoveRules find_rules(Relation table) {
    MoveRules rules;
    rules.declared = require_declaration(table);
    rules.document = find_document(rules.declared);
    rules.rights = list_rights(rules.declared, rules.document);
    // Nothing refers to the rows of an inheriting table; lines of another row with the same key are
    // none of theirs.
    const bool is_referred =
        table->rd_rel->relispartition || RelationGetRelid(table) == rules.declared.relation;
    rules.held_keys = is_referred ? find_held_keys(rules.declared) : NIL;
    return rules;
}

// The same for the rows of one statement, found once.
const MoveRules &kept_rules(FunctionCallInfo fcinfo, Relation table) {
    if (fcinfo->flinfo->fn_extra == nullptr) {
        MemoryContext previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        auto *rules = static_cast<MoveRules *>(palloc(sizeof(MoveRules)));
        *rules = find_rules(table);
        fcinfo->flinfo->fn_extra = rules;
        MemoryContextSwitchTo(previous);
    }
    return *static_cast<const MoveRules *>(fcinfo->flinfo->fn_extra);
}

// The table that is named in a statement: of a partition its root.
Oid find_root(Relation table) {
    const List *above =
        table->rd_rel->relispartition ? get_partition_ancestors(RelationGetRelid(table)) : NIL;
    return above == NIL ? RelationGetRelid(table) : llast_oid(above);
}

// Tells whether the rules bind whoever updates the row. Row-level security knows, except for what
// foreign keys do in the name of the table's owner: a cascade is the doing of the role that began
// it, and of the one whose rights that had then.
bool is_bound(Relation table) {
    const auto is_free = [](Oid role) {
        return superuser_arg(role) || has_bypassrls_privilege(role);
    };
    if (check_enable_rls(find_root(table), InvalidOid, true) == RLS_ENABLED) {
        return true;
    }
    const Oid beginner = outer_statement_user();
    return InNoForceRLSOperation() && table->rd_rel->relrowsecurity &&
           !(is_free(asking_role()) && (!OidIsValid(beginner) || is_free(beginner)));
}

// Tells whether a foreign key brings a line to the new key of its document: no row has the old one
// any more. If one has, the line would go from that document to another, like any line that moves.
bool follows_document(Relation table, const Declaration &declared, HeapTuple before) {
    return OidIsValid(declared.parent) && InNoForceRLSOperation() &&
           !find_place(table, before, declared).is_found;
}

// Tells whether the same rights hold in both places.
bool is_same_place(const RowPlace &from, const RowPlace &to) {
    return from.is_found == to.is_found && from.customer == to.customer && from.date == to.date &&
           is_same_brand(from, to);
}

// The row as it will be stored: PostgreSQL computes generated columns after the triggers before it.
HeapTuple with_generated(Relation table, HeapTuple row) {
    TupleDesc shape = RelationGetDescr(table);
    if (shape->constr == nullptr || !shape->constr->has_generated_stored) {
        return row;
    }
    EState *state = CreateExecutorState();
    ExprContext *context = GetPerTupleExprContext(state);
    TupleTableSlot *slot = MakeSingleTupleTableSlot(shape, &TTSOpsHeapTuple);
    ExecStoreHeapTuple(row, slot, false);
    context->ecxt_scantuple = slot;
    for (int i = 0; i < shape->natts; ++i) {
        const FormData_pg_attribute &column = *TupleDescAttr(shape, i);
        if (column.attgenerated != ATTRIBUTE_GENERATED_STORED || column.attisdropped) {
            continue;
        }
        int number = i + 1;
        bool is_null = true;
        ExprState *computed =
            ExecPrepareExpr(reinterpret_cast<Expr *>(build_column_default(table, number)), state);
        Datum value = ExecEvalExprSwitchContext(computed, context, &is_null);
        row = heap_modify_tuple_by_cols(row, shape, 1, &number, &value, &is_null);
    }
    ExecDropSingleTupleTableSlot(slot);
    FreeExecutorState(state);
    return row;
}

// Raises when a row of one table may not become that of another, or of the same. regime: C
void demand_move(Relation home, Relation table, const MoveRules &rules, HeapTuple before,
                 HeapTuple after) {
    const RowPlace from = find_place(home, before, rules.declared);
    const RowPlace to = find_place(table, after, rules.declared);
    const bool is_line = OidIsValid(rules.declared.parent);
    const bool is_given = InNoForceRLSOperation() && gives_away(from, to);
    const bool is_given_brand = !is_same_brand(from, to);
    // Another document must show, too: else whoever writes lines without being asked, as their
    // owner may, would learn which hidden ones are alike.
    if (is_same_place(from, to) &&
        (!is_line || is_same_document(home, before, table, after, rules.declared))) {
        return;
    }
    const char *const moved = psprintf("this row of table \"%s\"", RelationGetRelationName(table));
    const char *const name = qualified_name(rules.declared.relation);
    const ActionRule update{rules.declared.update_permission, rules.declared.external_update_level,
                            true};
    const Asker &asker = current_asker();
    compute([&] {
        std::vector<RowRight> asked;
        for (int i = 0; i < rules.rights.count; ++i) {
            const PlainRight &right = rules.rights.rights[i];
            asked.push_back(RowRight{right.what, to_rule(right.action, rules.document)});
        }
        const auto new_facts = to_facts(to);
        const Rights there = row_rights(asker.subject, asker.session, asked, new_facts);
        if (is_line) {
            throw_if_failed(check_shown(
                there, moved, "It would have no document that the signed-in user may see."));
        }
        const Rights here = row_rights(asker.subject, asker.session, asked, to_facts(from));
        // No UPDATE would find it, so no foreign key gives it away, whoever gains.
        if (is_given) {
            throw_if_failed(check_shown(
                here, moved, "A foreign key would move what does not show to the user."));
        }
        const entitle::Result<Passed> gains = check_move(here, there, moved);
        if (!gains.ok()) {
            Error error = gains.error();
            error.hint +=
                " To see what is denied where it is: SELECT * FROM entitle.explain_row('" +
                std::string(name) + "', key), or explain_action.";
            throw Failure(std::move(error));
        }
        if (!is_line && new_facts && is_given_brand) {
            throw_if_failed(check_given_brand(asker.subject, asker.session,
                                              to_rule(update, rules.document), *new_facts, to.home,
                                              moved));
        }
    });
}

} // namespace

// Trigger of protected tables, before and after the update of a row that changes what it belongs
// to. Afterwards too: what other triggers made of the row counts. After a delete, which may leave
// lines behind; of partitioned tables after the insert, too, that an update of the partition key
// becomes. R54, R55
ENTITLE_FUNCTION(entitle_refuse_move) {
    const FiredRow row = fired_row(fcinfo);
    Relation table = row.data->tg_relation;
    if (row.after == nullptr) {
        note_departure(table, row.before);
        if (!is_partition_move(table) && is_bound(table)) {
            demand_no_lines(table, kept_rules(fcinfo, table).held_keys, row.before);
        }
        return pass(row);
    }
    if (row.before != nullptr) {
        if (is_bound(table)) {
            const MoveRules &rules = kept_rules(fcinfo, table);
            const bool is_before = TRIGGER_FIRED_BEFORE(row.data->tg_event);
            HeapTuple after = is_before ? with_generated(table, row.after) : row.after;
            demand_kept_keys(table, rules.held_keys, row.before, after, is_before);
            if (!follows_document(table, rules.declared, row.before)) {
                demand_move(table, table, rules, row.before, after);
            }
        }
        return pass(row);
    }
    const Departure departure = take_departure();
    if (departure.row != nullptr && is_bound(table)) {
        Relation home = table_open(departure.relation, AccessShareLock);
        if (find_root(home) ==
            find_root(table)) { // else it is another table's row that was deleted
            demand_move(home, table, kept_rules(fcinfo, table), departure.row, row.after);
        }
        table_close(home, AccessShareLock);
    }
    return pass(row);
}

namespace {

// A row of the table as an argument. Errors: 42804 for any other.
HeapTupleData tuple_argument(FunctionCallInfo fcinfo, int number, Relation table) {
    HeapTupleHeader header = DatumGetHeapTupleHeader(PG_GETARG_DATUM(number));
    if (HeapTupleHeaderGetTypeId(header) != table->rd_rel->reltype) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("this is no row of table \"%s\"", RelationGetRelationName(table)),
                        errhint("Give two rows of the table.")));
    }
    HeapTupleData tuple;
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = RelationGetRelid(table);
    tuple.t_data = header;
    return tuple;
}

} // namespace

// check_move(relation, before, after): an error when the signed-in user may not move the row; after
// is NULL for one that was deleted. R54, R55
ENTITLE_FUNCTION(entitle_check_move) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1) ||
        get_fn_expr_argtype(fcinfo->flinfo, 1) != get_rel_type_id(PG_GETARG_OID(0)) ||
        get_fn_expr_argtype(fcinfo->flinfo, 2) != get_rel_type_id(PG_GETARG_OID(0))) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("these are no rows of a table"),
                        errhint("Give a protected table and two rows of it.")));
    }
    const Oid writer = GetUserId();
    const bool is_delete = PG_ARGISNULL(2);
    const AclMode needed = is_delete ? ACL_DELETE : ACL_UPDATE;
    if (pg_class_aclcheck(PG_GETARG_OID(0), writer, needed) != ACLCHECK_OK &&
        (is_delete ||
         pg_attribute_aclcheck_all(PG_GETARG_OID(0), writer, needed, ACLMASK_ANY) != ACLCHECK_OK)) {
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(PG_GETARG_OID(0)));
    }
    // The rows are the caller's word: of a row that does not show it would tell whether it has
    // lines, and of a line whether its document is like another's. A filtered view is written with
    // the rights of the table's owner; write_row, which anybody may call by name, with the
    // caller's.
    if (!entitle_is_owner(PG_GETARG_OID(0), writer) || !(is_view_write() || superuser())) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied to ask about rows of table \"%s\"",
                               get_rel_name(PG_GETARG_OID(0))),
                        errhint("Writes through a filtered view ask; an UPDATE tells.")));
    }
    Relation table = table_open(PG_GETARG_OID(0), AccessShareLock);
    HeapTupleData before = tuple_argument(fcinfo, 1, table);
    const MoveRules rules = find_rules(table);
    if (is_delete) {
        demand_no_lines(table, rules.held_keys, &before);
    } else {
        HeapTupleData after = tuple_argument(fcinfo, 2, table);
        demand_kept_keys(table, rules.held_keys, &before, &after, false);
        demand_move(table, table, rules, &before, &after);
    }
    table_close(table, AccessShareLock);
    PG_RETURN_VOID();
}

// Trigger of lines, before the update or delete of a row: refuses one that shows and may not be
// written (R3, R51). A trigger's condition cannot look at the line's document.
ENTITLE_FUNCTION(entitle_refuse_line_write) {
    const FiredRow row = fired_row(fcinfo);
    if (row.before == nullptr) {
        return pass(row);
    }
    const bool is_delete = row.after == nullptr;
    if (is_delete && is_partition_move(row.data->tg_relation)) {
        return pass(row);
    }
    const Declaration declared = require_declaration(row.data->tg_relation);
    const Declaration document = find_document(declared);
    const RowPlace place = find_place(row.data->tg_relation, row.before, declared);
    const ActionRule action =
        is_delete ? ActionRule{declared.delete_permission, declared.external_delete_level, true}
                  : ActionRule{declared.update_permission, declared.external_update_level, true};
    bool is_allowed = false;
    const Asker &asker = current_asker();
    compute([&] {
        const auto facts = to_facts(place);
        is_allowed = facts && check_row(asker.subject, asker.session, to_rule(action, document),
                                        *facts, nullptr)
                                  .allowed;
    });
    if (!is_allowed) {
        raise_refused_write(row.data);
    }
    return pass(row);
}
