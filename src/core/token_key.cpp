// Reads JWK Sets.
#include "core/token_key.hpp"

#include <algorithm>
#include <utility>

#include "core/base64url.hpp"
#include "core/json.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

constexpr std::size_t kMaxDepth = 5; // the set, its list, a key, a list of a key

// Returns: the member's text, none when it is missing or something else.
std::optional<std::string> text_of(const JsonValue &object, std::string_view name) {
    const JsonValue *value = find_member(object, name);
    const std::string *text = value == nullptr ? nullptr : find_text(*value);
    return text == nullptr ? std::nullopt : std::optional<std::string>(*text);
}

// Returns: the decoded member; empty, which no key accepts, when there is no such text.
std::string bytes_of(const JsonValue &object, std::string_view name) {
    const auto text = text_of(object, name);
    return text ? decode_base64url(*text).value_or(std::string()) : std::string();
}

bool is_for_signatures(const JsonValue &entry) {
    if (entry.contains("use") && text_of(entry, "use") != "sig") {
        return false;
    }
    const JsonValue *operations = find_member(entry, "key_ops");
    return operations == nullptr ||
           (operations->is_array() &&
            std::any_of(operations->begin(), operations->end(),
                        [](const JsonValue &operation) { return operation == "verify"; }));
}

// The earliest end the entry states, by either of the names in use. Returns: none when malformed.
std::optional<std::int64_t> end_of_life(const JsonValue &entry) {
    std::int64_t end = INT64_MAX;
    for (const std::string_view name : {"exp", "not_after"}) {
        const JsonValue *value = find_member(entry, name);
        if (value == nullptr) {
            continue;
        }
        const auto number = whole_number(*value);
        if (!number || *number < 0) {
            return std::nullopt;
        }
        end = std::min(end, *number);
    }
    return end;
}

// Type, curve and algorithm must agree: a public key is never a secret (S111).
std::optional<VerifyKey> key_of(const JsonValue &entry) {
    const auto type = text_of(entry, "kty");
    const auto algorithm = text_of(entry, "alg");
    const auto curve = text_of(entry, "crv");
    if (algorithm == "HS256" && type == "oct") {
        return make_hs256_key(bytes_of(entry, "k"));
    }
    if (algorithm == "RS256" && type == "RSA") {
        return make_rs256_key(bytes_of(entry, "n"), bytes_of(entry, "e"));
    }
    if (algorithm == "ES256" && type == "EC" && curve == "P-256") {
        return make_es256_key(bytes_of(entry, "x"), bytes_of(entry, "y"));
    }
    if (algorithm == "EdDSA" && type == "OKP" && curve == "Ed25519") {
        return make_eddsa_key(bytes_of(entry, "x"));
    }
    return std::nullopt;
}

Error refused(std::string detail) {
    return Error::bad_value(
        "the token key file is refused",
        "Write a JSON object with a list \"keys\" of keys, each with kty, kid and alg.",
        std::move(detail));
}

// Adds the entry's key. Returns: why not, empty when it was added.
std::string add_key(const JsonValue &entry, TokenKeys &keys) {
    if (!entry.is_object()) {
        return "is no object";
    }
    if (!is_for_signatures(entry)) {
        return "is not for verifying signatures";
    }
    auto key = key_of(entry);
    if (!key) {
        return "is no usable key for HS256, RS256, ES256 or EdDSA that names its alg";
    }
    const auto end = end_of_life(entry);
    if (!end) {
        return "has an end of life that is no time";
    }
    if (entry.contains("kid") && !text_of(entry, "kid")) {
        return "has a kid that is no text";
    }
    keys.keys.push_back(TokenKey{text_of(entry, "kid"), std::move(*key), *end});
    return {};
}

} // namespace

const TokenKey *TokenKeys::find(const std::optional<std::string> &id) const noexcept {
    if (!id) {
        return keys.size() == 1 ? &keys.front() : nullptr;
    }
    const auto at =
        std::find_if(keys.begin(), keys.end(), [&](const TokenKey &key) { return key.id == id; });
    return at == keys.end() ? nullptr : &*at;
}

Result<TokenKeys> parse_token_keys(std::string_view text) {
    if (text.size() > kMaxKeyFile) {
        return refused("It is too large.");
    }
    const auto set = parse_json_object(text, kMaxDepth);
    if (!set) {
        return refused("It is no JSON object, or has two members of one name.");
    }
    const JsonValue *entries = find_member(*set, "keys");
    if (entries == nullptr || !entries->is_array()) {
        return refused("It has no list \"keys\".");
    }
    TokenKeys keys;
    std::vector<std::string> ids;
    for (const JsonValue &entry : *entries) {
        const std::string fault = add_key(entry, keys);
        if (!fault.empty()) {
            keys.left_out.push_back(
                "key " + std::to_string(keys.keys.size() + keys.left_out.size() + 1) + " " + fault);
        }
        const auto id = text_of(entry, "kid");
        if (id && std::find(ids.begin(), ids.end(), *id) != ids.end()) {
            return refused("Two keys have the same kid.");
        }
        if (id) {
            ids.push_back(*id);
        }
    }
    return keys;
}

} // namespace entitle
