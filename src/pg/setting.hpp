// The extension's settings (GUCs) and the identity they carry. The identity lives in settings
// because those follow transactions and savepoints, reach parallel workers, and fall to RESET ALL
// and DISCARD ALL.
#pragma once

#include "pg/postgres.hpp"

#include <optional>

namespace entitle::pg {

// What the settings say right now; nothing here is verified against the tables.
struct Carried {
    std::optional<std::int64_t> user; // signed in
    const char *seal;                 // digest of the seal, empty when not sealed
};

// A choice made by one user; it counts only for that user.
struct Choice {
    std::int64_t user;
    std::int64_t value;
};

Carried carried_identity() noexcept;
std::optional<Choice> chosen_brand() noexcept;
std::optional<Choice> chosen_customer() noexcept;

// Write the settings as the transaction's own; `is_local` ends with the transaction. regime: C
void carry_identity(std::int64_t user, const char *seal, bool is_local);
void carry_nobody(bool is_local);
void carry_brand(std::optional<Choice> choice);
void carry_customer(std::optional<Choice> choice);

// Returns: today in the business time zone, at the time the statement started (R38).
std::int32_t business_today();

// Returns: the date of a moment in the business time zone; none when it has none (out of range).
std::optional<std::int32_t> business_date(TimestampTz moment);

// Returns: the setting that lists the full-record fields of a customer (R9).
const char *full_record_fields() noexcept;

void define_settings();

} // namespace entitle::pg
