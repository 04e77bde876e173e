// What is asked of one row, and what the asker may be told: the steps of the row test for whom it
// is about, or those of a row that is not there.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string_view>

#include "core/protection.hpp"
#include "pg/protection/declaration.hpp"
#include "pg/subject/subject_cache.hpp"
#include "pg/datum/row_set.hpp"

namespace entitle::pg {

// What is asked, and what is declared of the row and of its document (R51). Texts are in palloc'd
// memory, a null pointer is none.
struct RowQuestion {
    std::optional<std::string_view> login;
    const char *table;  // as declared
    const char *parent; // of a line
    const char *date_column;
    const char *permission;
    std::optional<std::int32_t> level;
    bool is_branded;
    bool is_dated;
    bool is_shared; // rows without customer show to every signed-in user
    bool is_line;   // of a document
    bool is_write;  // then these open the write of a visible row, or of a new one
    bool is_new;    // the row as it would be written; it is in no table yet
    bool must_show; // the new row, because it is written by an UPDATE
    const char *write_permission;
    std::optional<std::int32_t> write_level;
    MaskedColumns masked;
    // What the asking role may not read of what decides, so is not told of a row that shows.
    bool hides_brand;
    bool hides_place;           // customer or date
    const char *needed_columns; // to be told all of it
    bool shows_brand_to_staff;  // alone: others may not know it
    const char *other_policies; // that decide, too; a null pointer when there are none
};

// A row's facts, and what is known of its customer.
struct FoundRow {
    bool is_found;
    RowFacts facts;
    bool names_brand = false;    // by another key than its number
    std::optional<BrandId> home; // the brand that judges who manages its external access
    std::optional<bool> shows;   // to the asker, where other policies decide, too
};

// Explains the row to whoever asks. regime: C
PlainSteps explain_found_row(const RowQuestion &question, const FoundRow &row);

} // namespace entitle::pg
