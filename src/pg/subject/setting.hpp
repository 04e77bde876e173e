// The extension's settings (GUCs) and the identity they carry. The identity lives in settings
// because those follow transactions and savepoints, reach parallel workers, and fall to RESET ALL
// and DISCARD ALL.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>

namespace entitle::pg {

// What the settings say right now; nothing here is verified against the tables.
struct Carried {
    std::optional<std::int64_t> user; // signed in
    std::int64_t until;               // by a token: the second, since 1970, at which it ends
};

// What one user has chosen; it counts only for that user. In one setting, because a session pays
// for each at its start: PostgreSQL sorts all of them anew with every definition (before version
// 16).
struct Choice {
    std::int64_t user;
    std::optional<std::int64_t> brand;
    std::optional<std::int64_t> customer;
};

Carried carried_identity() noexcept;
const char *carried_seal() noexcept;  // the seal's digest, empty when not sealed
const char *carried_token() noexcept; // empty when there is none
std::optional<Choice> carried_choice() noexcept;

// Write the settings as the transaction's own; `is_local` ends with the transaction. regime: C
constexpr std::int64_t kNoEnd = INT64_MAX;
void carry_identity(std::int64_t user, std::int64_t until, bool is_local);
void carry_nobody(bool is_local);
void carry_seal(const char *digest, bool is_local);
void carry_choice(const Choice &choice); // always local

// How tokens are verified. The generation moves when one of the settings does.
struct TokenSetup {
    const char *keys_file;
    const char *audience;
    const char *issuer;
    std::uint64_t generation;
};
TokenSetup token_setup() noexcept;

// Tells whether another cursor than the running statement is open. regime: C
bool has_open_cursors();

// Returns: the setting that lists the full-record fields of a customer (R9).
const char *full_record_fields() noexcept;

void define_settings();

} // namespace entitle::pg
