// Writes of tables in report mode (R66): a trigger asks, after each row, what enforcement would
// have said of it. It changes nothing and refuses nothing.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/enforce/refused_write.hpp"
#include "pg/enforce/running_statement.hpp"
#include "pg/observe/judge.hpp"
#include "pg/observe/reported_table.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/protection/masked_columns.hpp"

extern "C" {
#include "parser/parsetree.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

// Judges of the tables that were written last, good while the asker and what is declared are the
// same: a load asks for every row.
struct Writer {
    Judge *judge;
    RowShape shape;
    Oid relation;
};
constexpr int kWriters = 8;
Writer writers[kWriters] = {};
int next_writer = 0;

Writer &find_writer(Relation relation, Oid root) {
    for (Writer &writer : writers) {
        if (writer.judge != nullptr && writer.relation == RelationGetRelid(relation) &&
            writer.judge->version == reported_version()) {
            return writer;
        }
    }
    Writer &writer = writers[next_writer];
    next_writer = (next_writer + 1) % kWriters;
    if (writer.judge != nullptr) {
        Judge *old = writer.judge;
        writer.judge = nullptr;
        release_judge(old);
    }
    Judge *judge = hold_judge(root);
    writer.shape = make_shape(*judge, relation);
    writer.relation = RelationGetRelid(relation);
    writer.judge = judge;
    return writer;
}

struct Side {
    TupleTableSlot *slot;
    RowMatter matter;
};

Side side_of(Writer &writer, TupleTableSlot *slot) {
    return Side{slot, read_matter(*writer.judge, writer.shape, slot)};
}

// Counts the row once if the rule denies it. Returns: whether it does.
bool count_if_denied(Writer &writer, int rule, const Side &side, const char *action) {
    if (allows(*writer.judge, rule, side.matter)) {
        return false;
    }
    count_denied(*writer.judge, rule, side.matter, action, writer.shape, side.slot);
    return true;
}

// Whether the statement gives a masked column another value.
bool is_changed(const Side &from, const Side &to, const char *name, Oid relation) {
    const AttrNumber column = get_attnum(relation, name);
    if (column <= 0) {
        return false;
    }
    bool was_null = false;
    bool is_null = false;
    const Datum before = slot_getattr(from.slot, column, &was_null);
    const Datum after = slot_getattr(to.slot, column, &is_null);
    const FormData_pg_attribute *attribute =
        TupleDescAttr(to.slot->tts_tupleDescriptor, column - 1);
    return was_null != is_null ||
           (!is_null && !datum_image_eq(before, after, attribute->attbyval, attribute->attlen));
}

void judge_update(Writer &writer, const Side &from, const Side &to) {
    if (count_if_denied(writer, kSee, from, "update") ||
        count_if_denied(writer, kUpdate, from, "update") ||
        count_if_denied(writer, kUpdate, to, "update") ||
        count_if_denied(writer, kSee, to, "update")) {
        return;
    }
    for (int i = 0; i < writer.judge->masked.count; ++i) {
        if (is_changed(from, to, writer.judge->masked.columns[i].name, writer.relation) &&
            count_if_denied(writer, kFirstMask + i, from, "update")) {
            return;
        }
    }
}

// Whether an INSERT names the column. COPY is no plan: there a value is what is given.
bool is_given(const Side &row, const Writer &writer, const char *name) {
    const QueryDesc *query = running_query();
    if (query != nullptr && query->operation == CMD_INSERT) {
        for (const int number : each_int(entitle_targets(query->plannedstmt))) {
            const RangeTblEntry *entry = rt_fetch(number, query->plannedstmt->rtable);
            const EntitleAccess *access = entitle_access_of(query->plannedstmt, entry);
            if (access != nullptr && find_reported(entry->relid) == writer.judge->root &&
                bms_is_member(bit_of(get_attnum(entry->relid, name)), access->insertedCols)) {
                return true;
            }
        }
        return false;
    }
    const AttrNumber column = get_attnum(writer.relation, name);
    bool is_null = true;
    if (column > 0) {
        (void)slot_getattr(row.slot, column, &is_null);
    }
    return !is_null;
}

void judge_insert(Writer &writer, const Side &row) {
    bool is_told = count_if_denied(writer, kInsert, row, "insert");
    for (int i = 0; !is_told && i < writer.judge->masked.count; ++i) {
        is_told = is_given(row, writer, writer.judge->masked.columns[i].name) &&
                  count_if_denied(writer, kFirstMask + i, row, "insert");
    }
}

// PostgreSQL moves a row to another partition by DELETE and INSERT.
bool is_part_of_update() noexcept {
    const QueryDesc *query = running_query();
    return query != nullptr && query->operation == CMD_UPDATE;
}

void judge_write(Writer &writer, const TriggerData *trigger) {
    const bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
    const Side first = side_of(writer, trigger->tg_trigslot);
    if (is_update) {
        judge_update(writer, first, side_of(writer, trigger->tg_newslot));
    } else if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event)) {
        const bool is_move = is_partition_move(trigger->tg_relation);
        const char *action = is_move ? "update" : "delete";
        if (!count_if_denied(writer, kSee, first, action)) {
            (void)count_if_denied(writer, is_move ? kUpdate : kRemove, first, action);
        }
    } else if (trigger->tg_relation->rd_rel->relispartition && is_part_of_update()) {
        (void)count_if_denied(writer, kUpdate, first, "update");
    } else {
        judge_insert(writer, first);
    }
}

} // namespace

// report_active(table) -> boolean: whether it is in report mode, and enforcement would bind the
// current user, whom triggers ask about when a row is written: an FK's cascade not. regime: C
ENTITLE_FUNCTION(entitle_report_active) {
    const Oid root = PG_ARGISNULL(0) ? InvalidOid : find_reported(PG_GETARG_OID(0));
    PG_RETURN_BOOL(OidIsValid(root) && would_bind(root, GetUserId()));
}

// Trigger of tables in report mode, AFTER each row. regime: C
ENTITLE_FUNCTION(entitle_report_write) {
    const TriggerData *trigger = require_trigger(fcinfo, "a trigger of tables in report mode");
    Relation relation = trigger->tg_relation;
    const Oid root = find_reported(RelationGetRelid(relation));
    // Others of its kind, which the TRIGGER privilege makes, would count rows twice (S509).
    if (OidIsValid(root) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event) &&
        strcmp(trigger->tg_trigger->tgname, "entitle_report") == 0 &&
        would_bind(root, GetUserId())) {
        Writer &writer = find_writer(relation, root);
        if (writer.judge->is_usable && writer.shape.is_usable) {
            take_asker(*writer.judge);
            MemoryContext previous = MemoryContextSwitchTo(writer.judge->scratch);
            judge_write(writer, trigger);
            MemoryContextSwitchTo(previous);
            MemoryContextReset(writer.judge->scratch);
        }
    }
    return Datum(0);
}
