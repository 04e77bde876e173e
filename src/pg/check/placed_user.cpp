// A list of users asks for each of its rows whether its user has a place that the asker manages. To
// look each of them up costs as much as the rest of such a query, so a statement that goes on
// asking gets them all at once. regime: C throughout.
#include "pg/boundary/postgres.hpp"

#include "pg/check/placed_user.hpp"
#include "pg/model/model_table.hpp"

extern "C" {
#include "utils/hsearch.h"
}

#include <algorithm>

using namespace entitle;
using namespace entitle::pg;

namespace {

// A statement is thought to go on asking from this question on. The set may cost a small multiple
// of the look-ups so far; where that is not enough for all users, it is tried again after many
// more.
constexpr int kManyQuestions = 64;
constexpr int kRowsPerQuestion = 32; // read in order; each takes a small part of a look-up's time
constexpr int kMoreQuestions = 8;
constexpr int kMaxUsers = 250000; // some ten megabytes

struct Placed {
    MemoryContext memory;
    HTAB *users; // null while there is no set
    std::uint64_t state;
    TimestampTz statement;
    int asked;      // in this statement
    int next_asked; // with this many a set is tried
};
Placed placed = {};

void forget_set() {
    placed.users = nullptr;
    if (placed.memory != nullptr) {
        MemoryContextDelete(placed.memory); // which clears the pointer
    }
}

void on_delete(void *) {
    placed.users = nullptr;
    placed.memory = nullptr;
}

HTAB *begin_set() {
    forget_set();
    placed.memory =
        AllocSetContextCreate(TopTransactionContext, "entitle placed users", ALLOCSET_SMALL_SIZES);
    auto *callback = static_cast<MemoryContextCallback *>(
        MemoryContextAllocZero(placed.memory, sizeof(MemoryContextCallback)));
    callback->func = on_delete;
    MemoryContextRegisterResetCallback(placed.memory, callback);
    HASHCTL control{};
    control.keysize = sizeof(std::int64_t);
    control.entrysize = sizeof(std::int64_t);
    control.hcxt = placed.memory;
    return hash_create("entitle placed users", 1024, &control,
                       HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

// Begins to count anew with each statement that a client sends.
void count_question(std::uint64_t state) {
    const TimestampTz statement = GetCurrentStatementStartTimestamp();
    if (placed.statement != statement || placed.state != state) {
        forget_set();
        placed.statement = statement;
        placed.state = state;
        placed.asked = 0;
        placed.next_asked = kManyQuestions;
    }
    ++placed.asked;
}

// Adds the members of a place. Returns: how many rows may still be read, negative when too many
// were there.
int add_members(const Reader &reader, TableIndex index, std::int64_t place, HTAB *users, int left) {
    left -= kRowsPerQuestion; // to find the place takes a look-up's time
    Rows rows = open_rows(reader, Table::membership, index, 1, Int64GetDatum(place));
    while (--left >= 0 && next_row(rows)) {
        bool is_null = false;
        const std::int64_t user = get_bigint(rows, MembershipColumn::user, &is_null);
        (void)hash_search(users, &user, HASH_ENTER, nullptr);
    }
    close_rows(rows);
    return left;
}

// Finds all users of the places, unless these are too many for what was asked so far.
void make_set(const PlainIds &organizations, const PlainIds &brands) {
    HTAB *users = begin_set();
    int left = std::min(placed.asked, kMaxUsers / kRowsPerQuestion) * kRowsPerQuestion;
    Reader reader = open_reader();
    for (std::size_t i = 0; i < organizations.count && left >= 0; ++i) {
        left = add_members(reader, TableIndex::membership_by_organization, organizations.values[i],
                           users, left);
    }
    for (std::size_t i = 0; i < brands.count && left >= 0; ++i) {
        left = add_members(reader, TableIndex::membership_by_brand, brands.values[i], users, left);
    }
    close_reader(reader);
    if (left >= 0) {
        placed.users = users;
        return;
    }
    forget_set();
    placed.next_asked =
        placed.asked > kMaxUsers / kRowsPerQuestion ? PG_INT32_MAX : placed.asked * kMoreQuestions;
}

bool is_among(const PlainIds &ids, std::int64_t id) noexcept {
    return std::binary_search(ids.values, ids.values + ids.count, id);
}

bool look_up(const PlainIds &organizations, const PlainIds &brands, UserId user) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::membership, TableIndex::membership_by_user, 1,
                          Int64GetDatum(user));
    bool found = false;
    while (!found && next_row(rows)) {
        bool is_null = false;
        const std::int64_t organization =
            get_bigint(rows, MembershipColumn::organization, &is_null);
        found = !is_null && is_among(organizations, organization);
        const std::int64_t brand = get_bigint(rows, MembershipColumn::brand, &is_null);
        found = found || (!is_null && is_among(brands, brand));
    }
    close_rows(rows);
    close_reader(reader);
    return found;
}

} // namespace

namespace entitle::pg {

bool has_place_among(const PlainIds &organizations, const PlainIds &brands, std::uint64_t state,
                     UserId user) {
    count_question(state);
    if (placed.users == nullptr) {
        if (placed.asked < placed.next_asked) {
            return look_up(organizations, brands, user);
        }
        make_set(organizations, brands);
        if (placed.users == nullptr) {
            return look_up(organizations, brands, user);
        }
    }
    const std::int64_t key = user;
    return hash_search(placed.users, &key, HASH_FIND, nullptr) != nullptr;
}

} // namespace entitle::pg
