// Rows are appended and never updated, so nobody waits for anybody. A failure to write them is a
// warning: the user's transaction is as it would be without protection.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/boundary/once.hpp"
#include "pg/datum/datum.hpp"
#include "pg/observe/tally.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xlog.h"
#include "utils/resowner.h"
}

#include <deque>
#include <memory>

namespace entitle::pg {

namespace {

// Of one transaction. What comes past them is counted together, by table (S506).
constexpr std::size_t kMaxGroups = 1000;
constexpr const char *kMore = "more";
// Of one statement.
constexpr int kMaxLines = 20;

using Groups = std::deque<Group>;
std::uint64_t version = 1;

// Made with the first row that is counted: a deque allocates even when it is empty.
std::unique_ptr<Groups> &groups() {
    static NoDestructor<std::unique_ptr<Groups>> the_groups;
    return the_groups.get();
}

void drop_groups() noexcept {
    if (groups() != nullptr) {
        groups()->clear();
        ++version;
    }
}

enum Place {
    relation,
    owner_told,
    login,
    action,
    gate,
    rows,
    sample_keys,
    first_seen,
    last_seen,
    place_count
};
constexpr const char *kColumns[place_count] = {"relation",    "owner_told", "login",
                                               "action",      "gate",       "rows",
                                               "sample_keys", "first_seen", "last_seen"};

Datum key_array(const Group &group) {
    Datum keys[kMaxSampleKeys];
    int count = 0;
    for (const std::string &key : group.keys) {
        keys[count++] = text_datum(key);
    }
    return PointerGetDatum(construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT));
}

// Inserts without SQL: nobody needs a privilege on the table, and a transaction that is READ ONLY
// for its user tells, too. regime: C
void write_groups() {
    const Oid schema = extension_schema();
    const Oid found = OidIsValid(schema) ? get_relname_relid("reported_rows", schema) : InvalidOid;
    if (!OidIsValid(found)) {
        return; // the extension was dropped meanwhile
    }
    Relation table = table_open(found, RowExclusiveLock);
    AttrNumber columns[place_count];
    for (int i = 0; i < place_count; ++i) {
        columns[i] = get_attnum(RelationGetRelid(table), kColumns[i]);
        if (columns[i] <= 0) {
            elog(ERROR, "table \"reported_rows\" has no column \"%s\"", kColumns[i]);
        }
    }
    EState *state = CreateExecutorState();
    auto *target = makeNode(ResultRelInfo);
    InitResultRelInfo(target, table, 0, nullptr, 0);
    ExecOpenIndices(target, false);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    for (const Group &group : *groups()) {
        const NullableDatum row[place_count] = {
            {ObjectIdGetDatum(group.relation), false},
            {BoolGetDatum(group.is_owner_told), false},
            {group.login ? text_datum(*group.login) : Datum(0), !group.login},
            {text_datum(group.action), false},
            {text_datum(group.gate), false},
            {Int64GetDatum(group.rows), false},
            {key_array(group), false},
            {TimestampTzGetDatum(group.first), false},
            {TimestampTzGetDatum(group.last), false}};
        ExecClearTuple(slot);
        memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
        for (int i = 0; i < place_count; ++i) {
            slot->tts_values[columns[i] - 1] = row[i].value;
            slot->tts_isnull[columns[i] - 1] = row[i].isnull;
        }
        ExecStoreVirtualTuple(slot);
        table_tuple_insert(table, slot, GetCurrentCommandId(true), 0, nullptr);
        if (target->ri_NumIndices > 0) { // somebody's own
            list_free(ENTITLE_INSERT_INDEX_TUPLES(target, slot, state));
        }
    }
    ExecDropSingleTupleTableSlot(slot);
    ExecCloseIndices(target);
    FreeExecutorState(state);
    table_close(table, RowExclusiveLock);
}

// A serializable transaction that is read only may not write at all. Others only promise it.
bool may_write() { return !RecoveryInProgress() && !(XactReadOnly && IsolationIsSerializable()); }

// regime: C
void keep_groups() {
    MemoryContext previous = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    BeginInternalSubTransaction(nullptr);
    ErrorData *error = catch_error([](void *) { write_groups(); }, nullptr);
    if (error == nullptr) {
        ReleaseCurrentSubTransaction();
    } else {
        RollbackAndReleaseCurrentSubTransaction();
    }
    MemoryContextSwitchTo(previous);
    CurrentResourceOwner = owner;
    if (error != nullptr) {
        ereport(WARNING,
                (errmsg("what report mode has seen is not kept: %s", error->message),
                 errhint("The transaction is as it was. The server's log has the counts.")));
    }
}

// Writes down what was counted until now. regime: C
void settle() {
    if (groups() != nullptr && !groups()->empty()) {
        tell_log();
        if (may_write()) {
            keep_groups();
        }
        drop_groups();
    }
}

void on_transaction(XactEvent event, void *) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
        settle();
        break;
    case XACT_EVENT_ABORT:
        drop_groups();
        break;
    default:
        break;
    }
}

} // namespace

Group &find_group(Oid table, std::optional<std::string_view> who, const char *what,
                  std::string_view at) {
    if (groups() == nullptr) {
        groups() = std::make_unique<Groups>();
    }
    for (Group &group : *groups()) {
        if (group.relation == table && group.login == who && group.gate == at &&
            strcmp(group.action, what) == 0) {
            return group;
        }
    }
    const bool is_full = groups()->size() >= kMaxGroups;
    for (std::size_t i = kMaxGroups; i < groups()->size(); ++i) {
        if ((*groups())[i].relation == table) {
            return (*groups())[i];
        }
    }
    Group fresh;
    fresh.relation = table;
    fresh.action = what;
    if (who) {
        fresh.login = std::string(*who);
    }
    fresh.gate = is_full ? kMore : std::string(at);
    fresh.first = GetCurrentStatementStartTimestamp();
    groups()->push_back(std::move(fresh));
    return groups()->back();
}

std::uint64_t tally_version() noexcept { return version; }

void tell_log() {
    if (groups() == nullptr) {
        return;
    }
    int lines = 0;
    int left_out = 0;
    for (Group &group : *groups()) {
        if (group.rows == group.told) {
            continue;
        }
        if (++lines > kMaxLines) {
            ++left_out;
        } else {
            const char *name = get_rel_name(group.relation);
            ereport(LOG_SERVER_ONLY,
                    (errmsg("report mode: table \"%s\", login %s, action %s, gate %s: %lld rows",
                            name == nullptr ? "?" : name,
                            group.login ? psprintf("\"%s\"", group.login->c_str()) : "none",
                            group.action, group.gate.c_str(),
                            static_cast<long long>(group.rows - group.told)),
                     errhidestmt(true), errhidecontext(true)));
        }
        group.told = group.rows;
    }
    if (left_out > 0) {
        ereport(LOG_SERVER_ONLY, (errmsg("report mode: %d more lines are left out", left_out),
                                  errhidestmt(true), errhidecontext(true)));
    }
}

void install_tally() {
    once([] { RegisterXactCallback(on_transaction, nullptr); });
}

} // namespace entitle::pg

// keep_report() -> void: for reports that are asked for in the transaction itself. regime: C
ENTITLE_FUNCTION(entitle_keep_report) {
    entitle::pg::settle();
    PG_RETURN_VOID();
}
