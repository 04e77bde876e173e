// Signed tokens in a session: the keys, read when first needed and again when the configuration is
// reloaded, and what was found out about the tokens seen. A signature is checked once per token and
// key file; times and the user are looked up whenever the asker is.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string_view>

#include "core/subject.hpp"

namespace entitle::pg {

// A user, and the second (since 1970) at which that has to be found out again.
struct TimedUser {
    std::optional<UserId> user;
    std::int64_t until;
};

// Finds the user of entitle.token. Never an error for any token: a bad one is nobody, and the
// server's log tells why, once per token. regime: C
TimedUser token_user(std::string_view token, std::int64_t now);

// The same for signing in: the user must be active, and the log tells why not at every call.
// regime: C
TimedUser signing_in_user(std::string_view token, std::int64_t now);

// Convert between the server's moments and the seconds of tokens.
std::int64_t unix_seconds(TimestampTz moment) noexcept;
TimestampTz moment_of(std::int64_t unix_second) noexcept; // saturates

} // namespace entitle::pg
