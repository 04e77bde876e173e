// Verification of tokens, in the order that costs least to refuse: shape, header, key, signature,
// claims. Claims are not looked at before the signature holds.
#include "core/token.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base64url.hpp"
#include "core/json.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

constexpr std::size_t kMaxDepth = 4;
constexpr std::int64_t kMaxTime = 253402300799; // the last second of the year 9999

struct Parts {
    std::string_view header;
    std::string_view claims;
    std::string_view signature;
    std::string_view signed_text; // header and claims as they travelled
};

std::optional<Parts> split(std::string_view token) noexcept {
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
        return std::nullopt;
    }
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1), token.substr(0, second)};
}

bool is_text(const JsonValue *value, std::string_view text) noexcept {
    const std::string *found = value == nullptr ? nullptr : find_text(*value);
    return found != nullptr && *found == text;
}

const char *name_of(Algorithm algorithm) noexcept {
    switch (algorithm) {
    case Algorithm::hs256:
        return "HS256";
    case Algorithm::rs256:
        return "RS256";
    case Algorithm::es256:
        return "ES256";
    case Algorithm::eddsa:
        return "EdDSA";
    }
    return "";
}

// Media types of tokens compare without case, and "application/" may be left out (RFC 7515).
bool is_token_type(const JsonValue &type) {
    const std::string *text = find_text(type);
    if (text == nullptr) {
        return false;
    }
    std::string name = *text;
    std::transform(name.begin(), name.end(), name.begin(), [](char character) {
        return character >= 'A' && character <= 'Z' ? static_cast<char>(character + 32) : character;
    });
    constexpr std::string_view kPrefix = "application/";
    if (name.compare(0, kPrefix.size(), kPrefix) == 0) {
        name.erase(0, kPrefix.size());
    }
    return name == "jwt" || name == "at+jwt";
}

// A header may ask for what is not done here: then it must be refused, not ignored.
bool is_plain_header(const JsonValue &header) {
    const JsonValue *type = find_member(header, "typ");
    constexpr std::array<std::string_view, 5> kRefused = {"crit", "b64", "zip", "enc", "cty"};
    return (type == nullptr || is_token_type(*type)) &&
           std::none_of(kRefused.begin(), kRefused.end(),
                        [&](std::string_view name) { return header.contains(name); });
}

// The key to verify with, or null and why there is none.
struct KeyChoice {
    const TokenKey *key;
    TokenFault fault;
};

// Finds the key for a header and checks that its algorithm is the one named.
KeyChoice choose_key(const JsonValue &header, const TokenKeys &keys) {
    const JsonValue *id = find_member(header, "kid");
    const std::string *name = id == nullptr ? nullptr : find_text(*id);
    if (!is_plain_header(header) || (id != nullptr && name == nullptr)) {
        return KeyChoice{nullptr, TokenFault::bad_header};
    }
    const TokenKey *chosen =
        keys.find(name == nullptr ? std::nullopt : std::optional<std::string>(*name));
    if (chosen == nullptr) {
        return KeyChoice{nullptr, TokenFault::unknown_key};
    }
    return is_text(find_member(header, "alg"), name_of(chosen->key.algorithm))
               ? KeyChoice{chosen, TokenFault::none}
               : KeyChoice{nullptr, TokenFault::bad_algorithm};
}

bool is_for_audience(const JsonValue *audience, std::string_view expected) {
    if (audience == nullptr) {
        return false;
    }
    if (!audience->is_array()) {
        return is_text(audience, expected);
    }
    return std::all_of(audience->begin(), audience->end(),
                       [](const JsonValue &one) { return one.is_string(); }) &&
           std::any_of(audience->begin(), audience->end(),
                       [&](const JsonValue &one) { return is_text(&one, expected); });
}

// A login is never empty and holds no control character, so no subject that does can be one.
bool is_subject(const std::string &subject) noexcept {
    return !subject.empty() && std::none_of(subject.begin(), subject.end(), [](char character) {
        return static_cast<unsigned char>(character) < 0x20 || character == 0x7F;
    });
}

std::optional<std::int64_t> time_of(const JsonValue &value) noexcept {
    const auto time = whole_number(value);
    return time && *time >= 0 && *time <= kMaxTime ? time : std::nullopt;
}

TokenVerdict refused(TokenFault fault) { return TokenVerdict{fault, {}, 0, 0}; }

TokenVerdict read_times(const JsonValue &claims, const TokenKey &key, const std::string &subject) {
    const JsonValue *expires = find_member(claims, "exp");
    const auto end = expires == nullptr ? std::nullopt : time_of(*expires);
    if (!end) {
        return refused(TokenFault::bad_time);
    }
    TokenVerdict verdict{TokenFault::none, subject, 0, std::min(*end, key.not_after)};
    for (const std::string_view name : {"nbf", "iat"}) {
        const JsonValue *member = find_member(claims, name);
        if (member == nullptr) {
            continue;
        }
        const auto start = time_of(*member);
        if (!start) {
            return refused(TokenFault::bad_time);
        }
        verdict.valid_from = std::max(verdict.valid_from, *start - kClockLeeway);
    }
    return verdict;
}

TokenVerdict read_claims(const JsonValue &claims, const TokenTerms &terms, const TokenKey &key) {
    if (!is_text(find_member(claims, "iss"), terms.issuer)) {
        return refused(TokenFault::bad_issuer);
    }
    if (!is_for_audience(find_member(claims, "aud"), terms.audience)) {
        return refused(TokenFault::bad_audience);
    }
    const JsonValue *member = find_member(claims, "sub");
    const std::string *subject = member == nullptr ? nullptr : find_text(*member);
    if (subject == nullptr || !is_subject(*subject)) {
        return refused(TokenFault::bad_subject);
    }
    return read_times(claims, key, *subject);
}

std::optional<JsonValue> parse_part(std::string_view part) {
    const auto text = decode_base64url(part);
    return text ? parse_json_object(*text, kMaxDepth) : std::nullopt;
}

} // namespace

const char *describe(TokenFault fault) noexcept {
    switch (fault) {
    case TokenFault::none:
        return "it verifies";
    case TokenFault::not_set_up:
        return "no usable keys, no audience or no issuer are configured";
    case TokenFault::too_large:
        return "it is empty or larger than 8 KiB";
    case TokenFault::not_compact:
        return "it is not three parts of base64url";
    case TokenFault::bad_header:
        return "its header is malformed or asks for something unknown";
    case TokenFault::unknown_key:
        return "its key is unknown";
    case TokenFault::bad_algorithm:
        return "its algorithm is not the key's";
    case TokenFault::bad_signature:
        return "its signature does not match";
    case TokenFault::bad_claims:
        return "its claims are malformed";
    case TokenFault::bad_subject:
        return "its subject is missing or malformed";
    case TokenFault::bad_audience:
        return "it is for another audience";
    case TokenFault::bad_issuer:
        return "it is from another issuer";
    case TokenFault::bad_time:
        return "it has no expiry, or a time that is no whole number of seconds";
    case TokenFault::not_yet:
        return "its time has not come";
    case TokenFault::expired:
        return "it has expired, or its key has";
    case TokenFault::unknown_user:
        return "no active user has its subject as login";
    }
    return "";
}

TokenVerdict verify_token(std::string_view token, const TokenKeys &keys, const TokenTerms &terms) {
    if (keys.keys.empty() || terms.audience.empty() || terms.issuer.empty()) {
        return refused(TokenFault::not_set_up);
    }
    if (token.empty() || token.size() > kMaxToken) {
        return refused(TokenFault::too_large);
    }
    const auto parts = split(token);
    const auto signature = parts ? decode_base64url(parts->signature) : std::nullopt;
    if (!signature || signature->empty()) {
        return refused(TokenFault::not_compact);
    }
    const auto header = parse_part(parts->header);
    if (!header) {
        return refused(TokenFault::bad_header);
    }
    const auto [key, fault] = choose_key(*header, keys);
    if (key == nullptr) {
        return refused(fault);
    }
    if (!is_signature(key->key, parts->signed_text, *signature)) {
        return refused(TokenFault::bad_signature);
    }
    const auto claims = parse_part(parts->claims);
    return claims ? read_claims(*claims, terms, *key) : refused(TokenFault::bad_claims);
}

TokenFault check_token_time(const TokenVerdict &verdict, std::int64_t now) noexcept {
    if (verdict.fault != TokenFault::none) {
        return verdict.fault;
    }
    if (now >= verdict.valid_until) {
        return TokenFault::expired;
    }
    return now < verdict.valid_from ? TokenFault::not_yet : TokenFault::none;
}

} // namespace entitle
