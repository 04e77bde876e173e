// A list in fixed places: the callback of an invalidation may not allocate.
#include "pg/boundary/postgres.hpp"

#include "pg/model/invalidation.hpp"
#include "pg/model/watched_table.hpp"

namespace entitle::pg {

namespace {

constexpr int kMaxTables = 64;

struct WatchedTable {
    Oid relation;
    bool is_doubtful;
};
WatchedTable tables[kMaxTables];
int table_count = 0;

std::uint64_t doubt = 0;
std::uint64_t doubt_count = 0; // never taken back, so that no generation comes twice
constexpr int kDoubtShift = 40;

WatchedTable *find(Oid relation) noexcept {
    for (int i = 0; i < table_count; ++i) {
        if (tables[i].relation == relation) {
            return &tables[i];
        }
    }
    return nullptr;
}

} // namespace

bool watch_table(Oid relation) noexcept {
    if (find(relation) != nullptr) {
        return true;
    }
    if (table_count == kMaxTables) {
        return false;
    }
    tables[table_count++] = WatchedTable{relation, false};
    return true;
}

void forget_tables() noexcept {
    table_count = 0;
    if (doubt != 0) {
        invalidate_everything();
    }
}

bool note_invalidated_table(Oid relation) noexcept {
    WatchedTable *table = find(relation);
    if (table == nullptr) {
        return false;
    }
    // Where this transaction writes itself, rows may have changed by ways that leave no trace.
    if (TransactionIdIsValid(GetTopTransactionIdIfAny())) {
        invalidate_everything();
        return true;
    }
    table->is_doubtful = true;
    doubt = ++doubt_count << kDoubtShift;
    advance_epoch();
    return true;
}

std::uint64_t present_doubt() noexcept { return doubt; }

Oid next_doubtful(int *place) noexcept {
    while (*place < table_count) {
        const WatchedTable &table = tables[(*place)++];
        if (table.is_doubtful) {
            return table.relation;
        }
    }
    return InvalidOid;
}

void settle_doubt(std::uint64_t settled) noexcept {
    if (doubt == settled) {
        drop_doubt();
    }
}

void drop_doubt() noexcept {
    doubt = 0;
    for (int i = 0; i < table_count; ++i) {
        tables[i].is_doubtful = false;
    }
}

} // namespace entitle::pg
