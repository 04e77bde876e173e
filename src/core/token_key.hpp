// The keys that tokens are verified with, from a JWK Set (RFC 7517). Each key serves one algorithm,
// which its own entry names; what a token says about itself chooses nothing but the entry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto.hpp"
#include "core/result.hpp"

namespace entitle {

struct TokenKey {
    std::optional<std::string> id; // `kid`
    VerifyKey key;
    std::int64_t not_after = INT64_MAX; // seconds since 1970: from then on it verifies nothing
};

struct TokenKeys {
    std::vector<TokenKey> keys;
    std::vector<std::string> left_out; // why each unusable entry was, in order, for the log

    // Finds the key of that id; without an id, the only key there is. Returns: null for none.
    const TokenKey *find(const std::optional<std::string> &id) const noexcept;
};

constexpr std::size_t kMaxKeyFile = 262144;

// Parses a key file. An entry that cannot verify tokens is left out; a file that is no key set, or
// names one `kid` twice, is refused whole.
Result<TokenKeys> parse_token_keys(std::string_view text);

} // namespace entitle
