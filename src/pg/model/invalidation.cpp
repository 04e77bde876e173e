// Signals: sending (triggers) and receiving (callbacks).
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/once.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/model/watched_table.hpp"

extern "C" {
#include "miscadmin.h"
#include "storage/sinval.h"
}

namespace entitle::pg {

std::uint64_t current_epoch = 1;

namespace {

enum class Kind : Oid { model = 0, user = 1, access = 2, customer = 3, plan = 4, version = 5 };

// A signal's number: 0xE, the kind, 24 bits that say whom it concerns. A real table whose OID
// happens to fall here is invalidated once too often, which costs a reload and nothing else.
constexpr Oid kSignal = 0xE0000000;
constexpr Oid kSignalMask = 0xF0000000;
constexpr Oid kEveryone = 0x00FFFFFF;
constexpr int kKindShift = 24;

constexpr std::size_t kSlots = 4096; // users share a slot by hash: at worst one reloads needlessly
constexpr int kMaxSignalled = 64;

struct Generations {
    std::uint64_t all;
    std::uint64_t model;
    std::uint64_t customer;
    std::uint64_t mapping;
    std::uint64_t all_users;
    std::uint64_t all_access;
    std::uint32_t user[kSlots];
    std::uint32_t access[kSlots];
};

Generations generations;

Oid hash_user(std::int64_t user) noexcept {
    auto bits = static_cast<std::uint64_t>(user);
    bits ^= bits >> 33;
    bits *= UINT64CONST(0xff51afd7ed558ccd);
    bits ^= bits >> 33;
    bits *= UINT64CONST(0xc4ceb9fe1a85ec53);
    bits ^= bits >> 33;
    const Oid hash = static_cast<Oid>(bits) & kEveryone;
    return hash == kEveryone ? 0 : hash;
}

std::size_t slot_of(Oid hash) noexcept { return hash % kSlots; }

Oid signal_of(Kind kind, Oid whom) noexcept {
    return kSignal | (static_cast<Oid>(kind) << kKindShift) | whom;
}

// The users already signalled in this command, so that a COPY of a million grants does not register
// a million messages (PostgreSQL looks through them for duplicates). Valid for one command of one
// (sub)transaction.
struct Signalled {
    SubTransactionId subtransaction;
    CommandId command;
    Kind kind;
    int count;
    Oid hashes[kMaxSignalled];
};
Signalled signalled;

// The kinds of which everyone was already told in this command.
struct Told {
    SubTransactionId subtransaction;
    CommandId command;
    unsigned kinds;
};
Told told;

unsigned bit_of(Kind kind) noexcept { return 1U << static_cast<unsigned>(kind); }

// The kinds of signals that the running transaction sent, and of what is remembered of its own.
unsigned own_changes = 0;

// Registers one invalidation with PostgreSQL: sent at commit, dropped at rollback, seen by this
// backend at the end of the command. regime: C
void send(Kind kind, Oid whom) {
    // CacheInvalidateRelcacheByTuple reads the OID and relisshared of a pg_class row, nothing else:
    // so it does up to PostgreSQL 15 at least, and a major that reads more would see zeros.
    union {
        HeapTupleHeaderData header;
        char bytes[MAXALIGN(SizeofHeapTupleHeader) + sizeof(FormData_pg_class)];
        std::int64_t aligned;
    } row;
    memset(&row, 0, sizeof(row));
    row.header.t_hoff = MAXALIGN(SizeofHeapTupleHeader);

    HeapTupleData tuple;
    memset(&tuple, 0, sizeof(tuple));
    tuple.t_len = sizeof(row);
    tuple.t_data = &row.header;
    auto *form = reinterpret_cast<Form_pg_class>(GETSTRUCT(&tuple));
    form->oid = signal_of(kind, whom);
    form->relisshared = false;
    CacheInvalidateRelcacheByTuple(&tuple);
    own_changes |= bit_of(kind);
}

// Signals one user once per command; past kMaxSignalled different users, everyone. regime: C
void send_user(Kind kind, std::int64_t user) {
    const SubTransactionId subtransaction = GetCurrentSubTransactionId();
    const CommandId command = GetCurrentCommandId(false);
    if (signalled.subtransaction != subtransaction || signalled.command != command ||
        signalled.kind != kind) {
        signalled = Signalled{subtransaction, command, kind, 0, {}};
    }
    if (signalled.count > kMaxSignalled) {
        return;
    }
    const Oid hash = hash_user(user);
    for (int i = 0; i < signalled.count; ++i) {
        if (signalled.hashes[i] == hash) {
            return;
        }
    }
    if (signalled.count == kMaxSignalled) {
        send(kind, kEveryone);
        ++signalled.count;
        return;
    }
    send(kind, hash);
    signalled.hashes[signalled.count++] = hash;
}

// Signals a whole kind once per command: row triggers come once for each row. regime: C
void send_once(Kind kind) {
    const SubTransactionId subtransaction = GetCurrentSubTransactionId();
    const CommandId command = GetCurrentCommandId(false);
    if (told.subtransaction != subtransaction || told.command != command) {
        told = Told{subtransaction, command, 0};
    }
    const unsigned bit = bit_of(kind);
    if ((told.kinds & bit) == 0) {
        send(kind, kEveryone);
        told.kinds |= bit;
    }
}

void receive(Kind kind, Oid whom) noexcept {
    switch (kind) {
    case Kind::plan:
        return; // for the plan cache alone
    case Kind::model:
        ++generations.model;
        break;
    case Kind::customer:
        ++generations.customer;
        break;
    case Kind::user:
        ++generations.mapping;
        if (whom == kEveryone) {
            ++generations.all_users;
        } else {
            ++generations.user[slot_of(whom)];
        }
        break;
    case Kind::access:
        if (whom == kEveryone) {
            ++generations.all_access;
        } else {
            ++generations.access[slot_of(whom)];
        }
        break;
    case Kind::version:
    default: // a kind of a newer library: it means something we cannot know
        ++generations.all;
        break;
    }
    advance_epoch();
}

// regime: callback: counts, and nothing else.
void on_relcache(Datum, Oid relation) {
    if (relation == InvalidOid) {
        invalidate_everything();
        return;
    }
    if (note_invalidated_table(relation)) {
        return;
    }
    if (is_signal(relation)) {
        receive(static_cast<Kind>((relation >> kKindShift) & 0xF), relation & kEveryone);
    }
}

void on_role(Datum, EntitleSyscache, uint32) {
    ++generations.mapping;
    advance_epoch();
}

void forget_signalled() noexcept {
    signalled.count = 0;
    signalled.subtransaction = InvalidSubTransactionId;
    told.subtransaction = InvalidSubTransactionId;
}

// PostgreSQL takes back, at a rollback, the signals of commands that ended. Those of the command
// that failed it drops: a load in the middle of that command may have seen its rows, so whatever
// was signalled goes stale here.
void take_back_own_changes() noexcept {
    for (Oid kind = 0; own_changes >> kind != 0; ++kind) {
        if ((own_changes >> kind & 1) != 0) {
            receive(static_cast<Kind>(kind), kEveryone);
        }
    }
}

void on_transaction(XactEvent event, void *) {
    forget_signalled();
    const bool is_undone = event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT ||
                           event == XACT_EVENT_PREPARE;
    if (is_undone) {
        take_back_own_changes();
    }
    if (is_undone || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PARALLEL_COMMIT) {
        own_changes = 0;
    }
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
    forget_signalled();
    if (event == SUBXACT_EVENT_ABORT_SUB) {
        take_back_own_changes();
    }
}

// The tuple a BEFORE ROW trigger lets through. regime: C
HeapTuple passed_tuple(const TriggerData *trigger) {
    return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
                                                      : trigger->tg_trigtuple;
}

void send_user_of(Kind kind, HeapTuple tuple, Relation relation, AttrNumber column) {
    bool is_null = false;
    const Datum user = heap_getattr(tuple, column, RelationGetDescr(relation), &is_null);
    if (!is_null) {
        send_user(kind, DatumGetInt64(user));
    }
}

// Signals that anything of a kind changed. Of a statement at its end, when it has written all it
// writes; of a row beforehand, because those who apply changes fire nothing else. regime: C
Datum signal_kind(FunctionCallInfo fcinfo, Kind kind) {
    const TriggerData *trigger = require_trigger(fcinfo);
    if (TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event)) {
        send(kind, kEveryone);
        return Datum(0);
    }
    send_once(kind);
    return PointerGetDatum(passed_tuple(trigger));
}

// Signals the users a changed row names, before and after. regime: C
Datum signal_users(FunctionCallInfo fcinfo, Kind kind) {
    const TriggerData *trigger = require_trigger(fcinfo);
    if (TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event)) {
        send(kind, kEveryone);
        return Datum(0);
    }
    const AttrNumber column = get_attnum(RelationGetRelid(trigger->tg_relation), "user_id");
    if (column <= 0 || get_atttype(RelationGetRelid(trigger->tg_relation), column) != INT8OID) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("table \"%s\" has no column \"user_id\" of type bigint",
                               RelationGetRelationName(trigger->tg_relation)),
                        errhint("Triggers of entitle belong on its own tables, as installed.")));
    }
    send_user_of(kind, trigger->tg_trigtuple, trigger->tg_relation, column);
    if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) {
        send_user_of(kind, trigger->tg_newtuple, trigger->tg_relation, column);
    }
    return PointerGetDatum(passed_tuple(trigger));
}

// Whether access to a customer waits, because its row of an adopted table is gone (R64).
bool is_gone(Relation relation, HeapTuple tuple) {
    const auto value = [&](const char *name, bool *is_null) {
        const AttrNumber column = get_attnum(RelationGetRelid(relation), name);
        *is_null = column <= 0;
        return *is_null ? Datum(0)
                        : heap_getattr(tuple, column, RelationGetDescr(relation), is_null);
    };
    bool is_null = true;
    (void)value("adoption_id", &is_null);
    const bool is_adopted = !is_null;
    const Datum status = value("status", &is_null);
    return is_adopted && !is_null && strcmp(TextDatumGetCString(status), "INAC") == 0;
}

} // namespace

std::uint64_t table_generation() noexcept { return generations.all + present_doubt(); }

std::uint64_t model_generation() noexcept { return table_generation() + generations.model; }

std::uint64_t user_generation(std::int64_t user) noexcept {
    return table_generation() + generations.all_users + generations.user[slot_of(hash_user(user))];
}

std::uint64_t access_generation(std::int64_t user) noexcept {
    return table_generation() + generations.all_access +
           generations.access[slot_of(hash_user(user))];
}

std::uint64_t customer_generation() noexcept { return table_generation() + generations.customer; }

std::uint64_t mapping_generation() noexcept { return table_generation() + generations.mapping; }

void note_own_customer() noexcept { own_changes |= bit_of(Kind::customer); }

bool is_signal(Oid relation) noexcept { return (relation & kSignalMask) == kSignal; }

Oid model_signal() noexcept { return signal_of(Kind::model, kEveryone); }

Oid user_signal(std::int64_t user) noexcept { return signal_of(Kind::user, hash_user(user)); }

Oid access_signal(std::int64_t user) noexcept { return signal_of(Kind::access, hash_user(user)); }

Oid plan_signal(std::uint32_t number) noexcept {
    return signal_of(Kind::plan, static_cast<Oid>(number) & kEveryone);
}

void invalidate_plan(std::uint32_t number) {
    SharedInvalidationMessage message;
    memset(&message, 0, sizeof(message));
    message.rc.id = SHAREDINVALRELCACHE_ID;
    message.rc.dbId = MyDatabaseId;
    message.rc.relId = plan_signal(number);
    LocalExecuteInvalidationMessage(&message);
}

void invalidate_everything() noexcept {
    ++generations.all;
    drop_doubt();
    advance_epoch();
}

void register_signals() {
    once([] { CacheRegisterRelcacheCallback(on_relcache, Datum(0)); });
    once([] { CacheRegisterSyscacheCallback(AUTHOID, on_role, Datum(0)); });
    once([] { RegisterXactCallback(on_transaction, nullptr); });
    once([] { RegisterSubXactCallback(on_subtransaction, nullptr); });
}

} // namespace entitle::pg

using entitle::pg::is_gone;
using entitle::pg::kEveryone;
using entitle::pg::Kind;
using entitle::pg::require_trigger;
using entitle::pg::send;
using entitle::pg::send_once;
using entitle::pg::signal_kind;
using entitle::pg::signal_users;

// Signals that the shared model changed: roles, permissions, brands, plans. regime: C
ENTITLE_FUNCTION(entitle_signal_model) { return signal_kind(fcinfo, Kind::model); }

// Signals that customers were removed or changed key, brand or status. When one goes or comes back,
// everyone is told: whom access to it is being given does not show yet. regime: C
ENTITLE_FUNCTION(entitle_signal_customer) {
    const TriggerData *trigger = require_trigger(fcinfo);
    if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) &&
        is_gone(trigger->tg_relation, trigger->tg_trigtuple) !=
            is_gone(trigger->tg_relation, trigger->tg_newtuple)) {
        send_once(Kind::access);
    }
    return signal_kind(fcinfo, Kind::customer);
}

// Signals the users whose identity or memberships a row changes. regime: C
ENTITLE_FUNCTION(entitle_signal_user) { return signal_users(fcinfo, Kind::user); }

// Signals the users whose external grants a row changes. regime: C
ENTITLE_FUNCTION(entitle_signal_access) { return signal_users(fcinfo, Kind::access); }

// Signals that the extension's objects are of another version now. regime: C
ENTITLE_FUNCTION(entitle_signal_version) {
    send(Kind::version, kEveryone);
    PG_RETURN_VOID();
}
