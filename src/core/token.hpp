// Decides whether a signed token (JWT in compact form, RFC 7519) tells who is asking. Of its claims
// only `sub` is believed, and nothing in it chooses how it is verified except which key. What does
// not depend on the time is decided once per token; times are compared at every statement.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/token_key.hpp"

namespace entitle {

// Why a token is refused: for the server's log only.
enum class TokenFault {
    none,
    not_set_up,    // no keys, audience or issuer: without them nothing verifies
    too_large,     // or empty
    not_compact,   // not three parts of strict base64url
    bad_header,    // no JSON object, or with members that ask for what is not done here
    unknown_key,   // no such kid, or none named where there are several
    bad_algorithm, // not the key's own
    bad_signature,
    bad_claims,   // no JSON object
    bad_subject,  // sub
    bad_audience, // aud
    bad_issuer,   // iss
    bad_time,     // exp missing, or a time that is no whole number of seconds
    not_yet,      // before nbf or iat
    expired,      // the token, or the key's end of life
    unknown_user, // no active user has the subject as login
};

const char *describe(TokenFault fault) noexcept;

// Who must have made the token, and for whom.
struct TokenTerms {
    std::string audience;
    std::string issuer;
};

struct TokenVerdict {
    TokenFault fault = TokenFault::none;
    std::string subject;
    std::int64_t valid_from = 0;  // seconds since 1970, leeway included
    std::int64_t valid_until = 0; // the first second at which it is refused
};

constexpr std::size_t kMaxToken = 8192;

// How far an issuer's clock may be ahead of ours. A token is never good for longer than it says.
constexpr std::int64_t kClockLeeway = 60;

// Verifies everything but the time. Returns: the fault, or the subject and its times.
TokenVerdict verify_token(std::string_view token, const TokenKeys &keys, const TokenTerms &terms);

// Compares a verified token's times with now, in seconds since 1970.
TokenFault check_token_time(const TokenVerdict &verdict, std::int64_t now) noexcept;

} // namespace entitle
