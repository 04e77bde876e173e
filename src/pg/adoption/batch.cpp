#include "pg/boundary/postgres.hpp"

#include "pg/adoption/batch.hpp"

namespace entitle::pg {

namespace {

// The keys of one adoption.
struct Keys {
    std::int64_t adoption;
    Datum *values;
    int count;
    int room;
    Keys *next;
};

struct Batch {
    Oid table;
    SubTransactionId transaction;
    MemoryContext context;
    Keys *keys;
    Batch *outer;
};

// The innermost, in the memory of the transaction.
Batch *innermost = nullptr;
bool is_watching = false;

Batch *find_batch(Oid table) {
    Batch *batch = innermost;
    while (batch != nullptr && batch->table != table) {
        batch = batch->outer;
    }
    return batch;
}

void remove_batch(Batch *batch) {
    Batch **place = &innermost;
    while (*place != batch) {
        place = &(*place)->outer;
    }
    *place = batch->outer;
    MemoryContextDelete(batch->context);
}

// regime: callback, but for the one error, which PostgreSQL allows before a commit.
void on_transaction(XactEvent event, void *) {
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) {
        for (const Batch *batch = innermost; batch != nullptr; batch = batch->outer) {
            if (batch->keys != nullptr) {
                ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                                errmsg("rows of adopted table \"%s\" were not followed",
                                       get_rel_name(batch->table)),
                                errhint("A trigger of the table is missing. SELECT * FROM "
                                        "entitle.verify_adoption();")));
            }
        }
    }
    innermost = nullptr; // its memory goes with the transaction
}

void on_subtransaction(SubXactEvent event, SubTransactionId transaction, SubTransactionId, void *) {
    while (event == SUBXACT_EVENT_ABORT_SUB && innermost != nullptr &&
           innermost->transaction >= transaction) {
        innermost = innermost->outer;
    }
}

} // namespace

void watch_batches() {
    if (!is_watching) {
        RegisterXactCallback(on_transaction, nullptr);
        RegisterSubXactCallback(on_subtransaction, nullptr);
        is_watching = true;
    }
}

void open_batch(Oid table) {
    MemoryContext context = AllocSetContextCreate(TopTransactionContext, "entitle: adopted rows",
                                                  ALLOCSET_DEFAULT_SIZES);
    auto *batch = static_cast<Batch *>(MemoryContextAllocZero(context, sizeof(Batch)));
    batch->table = table;
    batch->transaction = GetCurrentSubTransactionId();
    batch->context = context;
    batch->outer = innermost;
    innermost = batch;
}

bool add_to_batch(Oid table, std::int64_t adoption, const char *key) {
    Batch *batch = find_batch(table);
    if (batch == nullptr) {
        return false;
    }
    MemoryContext previous = MemoryContextSwitchTo(batch->context);
    // In the order in which they come: of one row users and customers are told before the access of
    // those to these.
    Keys **place = &batch->keys;
    while (*place != nullptr && (*place)->adoption != adoption) {
        place = &(*place)->next;
    }
    if (*place == nullptr) {
        *place = static_cast<Keys *>(palloc0(sizeof(Keys)));
        (*place)->adoption = adoption;
        (*place)->room = 64;
        (*place)->values = static_cast<Datum *>(palloc((*place)->room * sizeof(Datum)));
    }
    Keys *keys = *place;
    if (keys->count == keys->room) {
        keys->room *= 2;
        keys->values = static_cast<Datum *>(
            repalloc_huge(keys->values, static_cast<Size>(keys->room) * sizeof(Datum)));
    }
    keys->values[keys->count++] = CStringGetTextDatum(key);
    MemoryContextSwitchTo(previous);
    return true;
}

bool take_batch(Oid table, std::int64_t *adoption, Datum *keys) {
    Batch *batch = find_batch(table);
    if (batch == nullptr) {
        return false;
    }
    Keys *taken = batch->keys;
    if (taken == nullptr) {
        remove_batch(batch);
        return false;
    }
    *adoption = taken->adoption;
    *keys = PointerGetDatum(
        construct_array(taken->values, taken->count, TEXTOID, -1, false, TYPALIGN_INT));
    batch->keys = taken->next;
    return true;
}

} // namespace entitle::pg
