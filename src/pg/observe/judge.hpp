// What enforcement would say of rows of a table in report mode. It asks the core by the rules that
// protect_table would write into policies and triggers, for whoever is asking now. regime: C,
// unless noted.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/protection.hpp"
#include "pg/observe/tally.hpp"
#include "pg/protection/declaration.hpp"
#include "pg/protection/parent_key.hpp"
#include "pg/subject/subject_cache.hpp"

namespace entitle::pg {

// Where a table or part has the columns that decide about its rows. A line's are those of its
// foreign key. Plain memory.
struct RowShape {
    Oid relation;
    bool is_usable; // false when a declared column is gone: verify_protection tells
    int count;
    AttrNumber columns[INDEX_MAX_KEYS]; // 0: not declared
    Oid types[INDEX_MAX_KEYS];          // base types
};

// What a row belongs to. Plain memory.
struct RowMatter {
    bool is_found; // false: a line without document
    RowFacts facts;
    std::optional<BrandId> home; // the brand of its customer, for new rows
};

// What may be done to rows; masks come after these, by their place in Judge::masked.
enum RuleNumber { kSee, kInsert, kUpdate, kRemove, kFirstMask };

// What a row that is denied has in common with others that are denied at the same gate: its brand
// and customer.
struct DeniedPlace {
    const char *action;
    std::int64_t brand;
    std::int64_t customer;
    int known; // of the three: found, brand, customer

    bool operator==(const DeniedPlace &other) const noexcept {
        return action == other.action && brand == other.brand && customer == other.customer &&
               known == other.known;
    }
};
struct DeniedPlaceHash {
    std::size_t operator()(const DeniedPlace &place) const noexcept {
        const auto mixed = static_cast<std::uint64_t>(place.customer) * 0x9E3779B97F4A7C15U ^
                           static_cast<std::uint64_t>(place.brand) * 0xC2B2AE3D27D4EB4FU;
        return static_cast<std::size_t>(mixed ^ mixed >> 32U);
    }
};

// How one rule went so far. regime: C++
struct JudgedRule {
    RowRule rule;
    bool is_new = false; // gives a row its brand (R55)
    std::optional<RowTest> test;
    std::unordered_map<DeniedPlace, Group *, DeniedPlaceHash> groups;
    DeniedPlace last{}; // the place of the row before, and its group
    Group *last_group = nullptr;
};

// One table's. Lives in memory of its own, as long as somebody holds it.
struct Judge {
    int holders = 0;
    Oid root = InvalidOid;
    MemoryContext memory = nullptr;
    MemoryContext scratch = nullptr; // of one row
    std::uint64_t version = 0;       // of the tables in report mode, when it was made
    bool is_usable = false;          // false when what is declared cannot be followed
    Declaration declared;
    Declaration document;
    bool is_owner_told = true; // false: the rows tell of documents that are another's (S503)
    DecidingColumns deciding{};
    int depth = 0; // tables between a line and its document
    ParentKey *keys = nullptr;
    Oid *above = nullptr; // the tables that they lead to
    MaskedColumns masked{};
    std::uint64_t epoch = 0; // that the tests hold in
    Asker asker{};
    std::uint64_t tally = 0; // that the groups belong to
    std::vector<JudgedRule> rules;
};

// Requires: root is in report mode. Returns: its judge, for the one who is asking now. Whoever
// holds one releases it.
Judge *hold_judge(Oid root);
void release_judge(Judge *judge) noexcept;

// The same for a whole statement: the tables above are locked, as a policy that reads them would,
// so that nobody alters them meanwhile.
Judge *hold_steady_judge(Oid root);

// Where the relation, the table or a part of it, has what is asked.
RowShape make_shape(const Judge &judge, Relation relation);

// Looks who is asking now.
void refresh(Judge &judge);

// The same where another may be asking than before: a judge that outlives its statement.
void take_asker(Judge &judge);

// Whether every row shows whole by permission to the one who is asking now.
bool sees_all(Judge &judge);

// Requires: the shape is usable, and of the slot's relation.
RowMatter read_matter(Judge &judge, const RowShape &shape, TupleTableSlot *slot);

bool allows(Judge &judge, int rule, const RowMatter &matter);

// Counts a row that the rule denies, under the action, which is of static memory. `shape` and
// `slot` give its key.
void count_denied(Judge &judge, int rule, const RowMatter &matter, const char *action,
                  const RowShape &shape, TupleTableSlot *slot);

} // namespace entitle::pg
