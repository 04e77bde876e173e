// What a row of a protected table belongs to, and what may be done to it there: for triggers, which
// have the row at hand. A line's document is read by its key. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include "core/protection.hpp"
#include "pg/protection/declaration.hpp"

namespace entitle::pg {

// What decides about a row, of a line about its document. Plain memory: the asker's grant is a
// copy.
struct RowPlace {
    bool is_found; // false: a line without document
    std::optional<BrandId> brand;
    NullableDatum strange_brand; // the row's key where no brand has it, else NULL
    Oid brand_type;              // of that key
    std::optional<BrandId> home; // the brand of its customer
    std::optional<CustomerId> customer;
    bool lacks_customer; // its column is NULL
    std::optional<Day> date;
    bool has_grant;
    Grant grant;
};

// The table's row as a trigger has it. Errors: 55000 when the table is not as it was declared.
RowPlace find_place(Relation table, HeapTuple row, const Declaration &declared);

// Tells whether both are in the same brand: in a known one, or under the same key of none.
bool is_same_brand(const RowPlace &from, const RowPlace &to);

// Tells whether a row that goes from one place to another may show to others than before: in
// another brand, on a later date, or for another customer. Not from a customer who is not there any
// more: who gives a customer another key takes its rows along.
bool gives_away(const RowPlace &from, const RowPlace &to);

// Tells whether two lines, each of its table or a partition of that, refer to the same document.
bool is_same_document(Relation home, HeapTuple before, Relation table, HeapTuple after,
                      const Declaration &declared);

// The document that decides about a table's rows: the table itself if it has no parent.
Declaration find_document(const Declaration &declared);

// One action on rows, and what opens it.
struct ActionRule {
    const char *permission; // a null pointer for none
    std::optional<std::int32_t> level;
    bool is_dated;
    bool is_seeing = false; // as the table's rows show, shared ones too
};

// The same for core. regime: C++
RowRule to_rule(const ActionRule &action, const Declaration &document);
std::optional<RowFacts> to_facts(const RowPlace &place);

} // namespace entitle::pg
