// Writes the change log (R21): after each statement, one row for each row it wrote. Rows are put
// together and inserted many at a time without SQL: a load of a million grants is logged too, and
// nobody needs a privilege on the log. regime: C throughout.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/datum/datum.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/subject/statement.hpp"
#include "pg/write/change_log.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/write/customer.hpp"
#include "pg/boundary/function.hpp"
#include "pg/lending/definer.hpp"
#include "pg/write/grant.hpp"
#include "pg/write/log_index.hpp"
#include "pg/datum/jsonb.hpp"
#include "pg/model/replay.hpp"
#include "pg/model/row_trigger.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "commands/sequence.h"
#include "utils/tuplestore.h"
}

#include "core/access.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

constexpr int kBatch = 500;

enum Place {
    change_id,
    changed_at,
    actor_login,
    db_role,
    relation,
    action,
    row_key,
    old_row,
    new_row,
    reason,
    place_count
};
constexpr const char *kColumns[place_count] = {"change_id", "changed_at", "actor_login", "db_role",
                                               "relation",  "action",     "row_key",     "old_row",
                                               "new_row",   "reason"};

// The log while rows are added to it.
struct Log {
    Relation relation;
    Oid sequence;
    AttrNumber columns[place_count];
    EState *state;
    ResultRelInfo *target;
    BulkInsertState bulk;
    CommandId command;
    MemoryContext rows; // what the slots of one batch hold
    TupleTableSlot *slots[kBatch];
    int count;
    // The same in every row of a statement.
    Datum values[place_count];
    bool nulls[place_count];
};

Log *open_log(Oid schema, Oid source) {
    auto *log = static_cast<Log *>(palloc0(sizeof(Log)));
    log->relation = table_open(get_relname_relid("change_log", schema), RowExclusiveLock);
    log->sequence = get_relname_relid("change_log_change_id_seq", schema);
    for (int i = 0; i < place_count; ++i) {
        log->columns[i] = get_attnum(RelationGetRelid(log->relation), kColumns[i]);
        if (log->columns[i] <= 0) {
            elog(ERROR, "table \"change_log\" has no column \"%s\"", kColumns[i]);
        }
        log->nulls[i] = true;
    }
    log->state = CreateExecutorState();
    log->target = makeNode(ResultRelInfo);
    InitResultRelInfo(log->target, log->relation, 0, nullptr, 0);
    open_log_indexes(log->target, source);
    log->bulk = GetBulkInsertState();
    log->command = GetCurrentCommandId(true);
    log->rows =
        AllocSetContextCreate(CurrentMemoryContext, "entitle log rows", ALLOCSET_DEFAULT_SIZES);
    return log;
}

void set(Log &log, Place place, Datum value) {
    log.values[place] = value;
    log.nulls[place] = false;
}

void flush(Log &log) {
    table_multi_insert(log.relation, log.slots, log.count, log.command, 0, log.bulk);
    for (int i = 0; log.target->ri_NumIndices > 0 && i < log.count; ++i) {
        List *recheck = ENTITLE_INSERT_INDEX_TUPLES(log.target, log.slots[i], log.state);
        list_free(recheck);
        ResetPerTupleExprContext(log.state);
    }
    for (int i = 0; i < log.count; ++i) {
        ExecClearTuple(log.slots[i]);
    }
    log.count = 0;
    MemoryContextReset(log.rows);
    CHECK_FOR_INTERRUPTS();
}

// Adds a row of what `log.values` holds. Requires: by-reference values live in log.rows, or longer.
void add(Log &log) {
    if (log.slots[log.count] == nullptr) {
        log.slots[log.count] = table_slot_create(log.relation, nullptr);
    }
    TupleTableSlot *slot = log.slots[log.count++];
    set(log, change_id, Int64GetDatum(nextval_internal(log.sequence, false)));
    ExecClearTuple(slot);
    memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
    for (int i = 0; i < place_count; ++i) {
        slot->tts_values[log.columns[i] - 1] = log.values[i];
        slot->tts_isnull[log.columns[i] - 1] = log.nulls[i];
    }
    ExecStoreVirtualTuple(slot);
    if (log.count == kBatch) {
        flush(log);
    }
}

void close_log(Log &log) {
    if (log.count > 0) {
        flush(log);
    }
    FreeBulkInsertState(log.bulk);
    table_finish_bulk_insert(log.relation, 0);
    ExecCloseIndices(log.target);
    for (TupleTableSlot *slot : log.slots) {
        if (slot != nullptr) {
            ExecDropSingleTupleTableSlot(slot);
        }
    }
    FreeExecutorState(log.state);
    table_close(log.relation, NoLock);
}

// Who wrote, and when. Of what a subscription brings that is known at the publisher alone: whom the
// worker's role stands for did not write it.
void set_author(Log &log, Oid source) {
    const Asker &asker = current_asker();
    if (is_replaying()) {
        set(log, reason,
            CStringGetTextDatum(
                psprintf("applied by subscription \"%s\"", replayed_subscription())));
    } else if (asker.subject != nullptr) {
        set(log, actor_login, text_datum(asker.subject->login));
    }
    auto *role = static_cast<Name>(palloc0(sizeof(NameData)));
    const Oid asking = asking_role();
    namestrcpy(role, GetUserNameFromId(OidIsValid(asking) ? asking : GetOuterUserId(), false));
    set(log, db_role, NameGetDatum(role));
    set(log, changed_at, TimestampTzGetDatum(GetCurrentTimestamp()));
    set(log, relation, ObjectIdGetDatum(source));
    if (const char *words = forced_reason()) {
        set(log, reason, CStringGetTextDatum(words));
    }
}

// A restored row is history, not a change: a dump brings its own log along. What a restore does
// beside inserting, its triggers do. Anybody has the settings of a dump: what follows a row of an
// adopted table is a superuser's doing only where a superuser wrote that row (S534).
bool is_restored(TriggerEvent event) {
    return is_restoring() && (TRIGGER_FIRED_BY_INSERT(event) || trigger_depth() > 1);
}

// Where the subscription brings the log as well, its rows tell more than could be told here.
bool is_logged_elsewhere(Relation source) {
    return is_replaying() &&
           is_replayed(get_relname_relid("change_log", RelationGetNamespace(source)));
}

// The words of R21.
const char *action_of(TriggerEvent event, const char *table) {
    const bool is_grant = strcmp(table, "external_access") == 0;
    if (TRIGGER_FIRED_BY_INSERT(event)) {
        return is_grant ? "grant" : "insert";
    }
    if (TRIGGER_FIRED_BY_DELETE(event)) {
        return !is_grant ? "delete" : forced_reason() != nullptr ? "force revoke" : "revoke";
    }
    return TRIGGER_FIRED_BY_UPDATE(event) ? "update" : "truncate";
}

// The rows of one transition table, or one row.
struct Source {
    Tuplestorestate *store;
    int pointer;
    TupleTableSlot *slot;
    bool is_read; // the one row
};

Source open_source(Tuplestorestate *store, TupleDesc shape) {
    Source source = {store, 0, nullptr, false};
    if (store != nullptr) {
        source.pointer = tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND);
        tuplestore_select_read_pointer(store, source.pointer);
        tuplestore_rescan(store);
        source.slot = MakeSingleTupleTableSlot(shape, &TTSOpsMinimalTuple);
    }
    return source;
}

// Returns: false at the end; true for no source, which has no end of its own.
bool next_row(Source &source) {
    if (source.slot == nullptr) {
        return true;
    }
    if (source.store == nullptr) {
        const bool is_new = !source.is_read;
        source.is_read = true;
        slot_getallattrs(source.slot);
        return is_new;
    }
    tuplestore_select_read_pointer(source.store, source.pointer);
    const bool found = tuplestore_gettupleslot(source.store, true, false, source.slot);
    if (found) {
        slot_getallattrs(source.slot);
    }
    return found;
}

void close_source(Source &source) {
    if (source.store != nullptr) {
        ExecDropSingleTupleTableSlot(source.slot);
    }
}

// An owner's grant goes by force only (R43): one whose end a subscription brings went so at the
// publisher.
bool is_owner_grant(const TupleTableSlot *slot, int role) {
    if (role < 0 || slot->tts_isnull[role]) {
        return false;
    }
    return parse_level(TextDatumGetCString(slot->tts_values[role])) == kOwnerLevel;
}

Bitmapset *columns_named(TupleDesc shape, const char *const *names, int count) {
    Bitmapset *columns = nullptr;
    for (int i = 0; i < shape->natts; ++i) {
        for (int j = 0; j < count; ++j) {
            if (strcmp(NameStr(TupleDescAttr(shape, i)->attname), names[j]) == 0) {
                columns = bms_add_member(columns, i);
            }
        }
    }
    return columns;
}

Bitmapset *key_columns(Relation source) {
    Bitmapset *keys = RelationGetIndexAttrBitmap(source, INDEX_ATTR_BITMAP_PRIMARY_KEY);
    Bitmapset *columns = nullptr;
    for (int member = -1; (member = bms_next_member(keys, member)) >= 0;) {
        columns = bms_add_member(columns, member + FirstLowInvalidHeapAttributeNumber - 1);
    }
    return columns;
}

void log_rows(Relation table, TriggerEvent event, Source &before, Source &after) {
    static constexpr const char *kScore[] = {"client_score", "scored_at"};
    static constexpr const char *kStatus[] = {"status"};
    static constexpr const char *kRole[] = {"role"};
    const TupleDesc shape = RelationGetDescr(table);
    const char *name = RelationGetRelationName(table);
    const bool is_customer = strcmp(name, "customer") == 0;
    const bool is_score = is_customer && is_recalculating;
    JsonbShape *key_shape = make_jsonb_shape(shape, key_columns(table));
    JsonbShape *row_shape = make_jsonb_shape(
        shape, is_score ? columns_named(shape, kScore, lengthof(kScore)) : nullptr);
    const int status = bms_next_member(columns_named(shape, kStatus, lengthof(kStatus)), -1);
    const Datum usual = CStringGetTextDatum(is_score ? "recalculate" : action_of(event, name));
    const Datum status_change = CStringGetTextDatum("status change");
    const bool may_be_forced =
        is_replaying() && strcmp(name, "external_access") == 0 && TRIGGER_FIRED_BY_DELETE(event);
    const int role = bms_next_member(columns_named(shape, kRole, lengthof(kRole)), -1);
    const Datum forced = CStringGetTextDatum("force revoke");

    Log *log = nullptr;
    while (next_row(before) && next_row(after)) {
        if (log == nullptr) {
            log = open_log(RelationGetNamespace(table), RelationGetRelid(table));
            set_author(*log, RelationGetRelid(table));
        }
        MemoryContext previous = MemoryContextSwitchTo(log->rows);
        const TupleTableSlot *found = after.slot != nullptr ? after.slot : before.slot;
        set(*log, action, usual);
        if (is_customer && !is_score && before.slot != nullptr && after.slot != nullptr &&
            status >= 0 && !before.slot->tts_isnull[status] && !after.slot->tts_isnull[status] &&
            !datum_image_eq(before.slot->tts_values[status], after.slot->tts_values[status], false,
                            -1)) {
            set(*log, action, status_change);
        }
        if (may_be_forced && is_owner_grant(found, role)) {
            set(*log, action, forced);
        }
        // The key by which the row was known.
        set(*log, row_key, row_to_jsonb(*key_shape, before.slot != nullptr ? before.slot : found));
        if (before.slot != nullptr) {
            set(*log, old_row, row_to_jsonb(*row_shape, before.slot));
        }
        if (after.slot != nullptr) {
            set(*log, new_row, row_to_jsonb(*row_shape, after.slot));
        }
        MemoryContextSwitchTo(previous);
        add(*log);
    }
    if (log != nullptr) {
        close_log(*log);
    }
}

void log_row(const TriggerData *trigger) {
    TupleTableSlot *written = trigger->tg_trigslot;
    const bool is_insert = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
    const bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
    Source before = {nullptr, 0, is_insert ? nullptr : written, false};
    Source after = {nullptr, 0,
                    is_update   ? trigger->tg_newslot
                    : is_insert ? written
                                : nullptr,
                    false};
    log_rows(trigger->tg_relation, trigger->tg_event, before, after);
}

} // namespace

namespace entitle::pg {

void log_event(Oid table, const char *words) {
    Log *log = open_log(get_namespace_oid("entitle", false), table);
    set_author(*log, table);
    set(*log, action, CStringGetTextDatum(words));
    set(*log, row_key, DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
    add(*log);
    close_log(*log);
}

} // namespace entitle::pg

// Trigger of the model's tables, after each statement that writes, with its transition tables; and
// after each row where there is no statement, nor any transition table then.
ENTITLE_FUNCTION(entitle_log_change) {
    const TriggerData *trigger = require_trigger(fcinfo);
    // The log stands beside the table, and is taken for the extension's own.
    if (RelationGetNamespace(trigger->tg_relation) != extension_schema()) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("this function is %s", kOwnTables)));
    }
    if (creating_extension || is_restored(trigger->tg_event) ||
        is_logged_elsewhere(trigger->tg_relation)) {
        return Datum(0);
    }
    if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event)) {
        if (trigger->tg_oldtable == nullptr && trigger->tg_newtable == nullptr) {
            log_row(trigger);
        }
        return Datum(0);
    }
    if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event)) {
        log_event(RelationGetRelid(trigger->tg_relation),
                  action_of(trigger->tg_event, RelationGetRelationName(trigger->tg_relation)));
        return Datum(0);
    }
    const TupleDesc shape = RelationGetDescr(trigger->tg_relation);
    Source before = open_source(trigger->tg_oldtable, shape);
    Source after = open_source(trigger->tg_newtable, shape);
    if (before.store != nullptr || after.store != nullptr) {
        log_rows(trigger->tg_relation, trigger->tg_event, before, after);
    }
    close_source(before);
    close_source(after);
    return Datum(0);
}
