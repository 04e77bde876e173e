// Customers, locked for those who write what belongs to them.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/write/customer_lock.hpp"
#include "pg/model/model_table.hpp"

extern "C" {
#include "access/tableam.h"
#include "storage/lmgr.h"
}

#include "core/customer.hpp"
#include "core/permission.hpp"

namespace entitle::pg {

namespace {

// Locks the customer's row as a foreign key does, until the transaction ends: beside other writers
// of what belongs to the customer, and beside edits, but not beside a change of its status or
// brand. Returns: the customer as it is now; none when it is gone. regime: C
std::optional<CustomerFacts> lock_customer(CustomerId customer) {
    std::optional<CustomerFacts> facts;
    Reader reader = open_reader();
    Rows rows =
        open_rows(reader, Table::customer, TableIndex::customer_by_id, 1, Int64GetDatum(customer));
    if (next_row(rows)) {
        LockRelationOid(RelationGetRelid(rows.relation), RowShareLock);
        TupleTableSlot *slot = table_slot_create(rows.relation, nullptr);
        TM_FailureData failure;
        const TM_Result outcome = table_tuple_lock(
            rows.relation, &rows.tuple->t_self, reader.snapshot, slot, GetCurrentCommandId(true),
            LockTupleKeyShare, LockWaitBlock,
            TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS | TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
        if (outcome == TM_Ok) {
            // The newest version: another transaction may have changed the customer while this one
            // waited.
            bool is_copy = false;
            rows.tuple = ExecFetchSlotHeapTuple(slot, true, &is_copy);
            facts = facts_of_customer(rows);
        } else if (outcome != TM_Deleted) {
            ereport(ERROR, (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
                            errmsg("the customer was changed by the same command"),
                            errhint("Write the customer and what belongs to it in two commands.")));
        }
        ExecDropSingleTupleTableSlot(slot);
    }
    close_rows(rows);
    close_reader(reader);
    return facts;
}

} // namespace

void await_belongings(const FiredRow &row) {
    Relation relation = row.data->tg_relation;
    TupleTableSlot *slot = table_slot_create(relation, nullptr);
    TM_FailureData failure;
    // The row is locked by its UPDATE already; nobody can have changed it.
    const TM_Result outcome =
        table_tuple_lock(relation, &row.before->t_self, GetActiveSnapshot(), slot,
                         GetCurrentCommandId(true), LockTupleExclusive, LockWaitBlock, 0, &failure);
    if (outcome != TM_Ok) {
        elog(ERROR, "a customer that is being updated could not be locked: %d", outcome);
    }
    ExecDropSingleTupleTableSlot(slot);
}

void demand_locked(std::optional<CustomerId> customer, CheckLocked check) {
    const auto seen = customer ? find_customer(*customer) : std::nullopt;
    bool is_visible = false;
    const Asker &asker = current_asker();
    compute([&] {
        is_visible =
            seen && seen->brand &&
            check_permission(asker.subject, asker.session, "customers.view", seen->brand).allowed;
    });
    // The status may have flipped since it was read: from here on it cannot.
    const auto locked = is_visible ? lock_customer(*customer) : std::nullopt;
    const Asker &now = current_asker();
    compute([&] {
        if (!locked) {
            throw Failure(unreachable_customer());
        }
        throw_if_failed(check(now.subject, now.session, *locked));
    });
}

void guard_belonging(const FiredRow &row, AttrNumber customer_id, CheckLocked check) {
    const bool stays =
        row.before != nullptr && row.after != nullptr && !is_changed(row, customer_id);
    for (HeapTuple tuple : {row.before, stays ? nullptr : row.after}) {
        if (tuple == nullptr) {
            continue;
        }
        bool is_null = false;
        const Datum customer = column(row, tuple, customer_id, &is_null);
        demand_locked(is_null ? std::nullopt : std::optional<CustomerId>(DatumGetInt64(customer)),
                      check);
    }
}

} // namespace entitle::pg
