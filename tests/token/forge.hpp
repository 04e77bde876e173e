// Makes keys and tokens for tests: good ones, and any bad one that a test can describe. The keys
// are new in every run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace forge {

std::string base64url(std::string_view bytes);

struct FreeKey {
    void operator()(EVP_PKEY *key) const noexcept { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Key new_rsa_key(int bits);
Key new_p256_key();
Key new_ed25519_key();

// The raw values that a JWK has: modulus; x and y in one; the point.
std::string rsa_modulus(EVP_PKEY *key);
std::string p256_point(EVP_PKEY *key);
std::string ed25519_point(EVP_PKEY *key);
std::string public_der(EVP_PKEY *key);

std::string hmac_sha256(std::string_view secret, std::string_view text);
std::string sign(EVP_PKEY *key, std::string_view text); // as a JWS wants it

// The issuer of every test: one key of each kind, and one that is past its end.
class Issuer {
  public:
    Issuer();

    const std::string secret; // of h1 and of the expired h0
    const Key rsa;            // r1
    const Key p256;           // e1
    const Key ed25519;        // d1

    // The key file. regime: the five keys, with h0's end of life in the past.
    std::string key_file() const;
    std::string entry(std::string_view id) const;

    // Signs with the key of that id: h1, h0, r1, e1 or d1.
    std::string signature(std::string_view id, std::string_view text) const;
    // A token of any header and claims, signed as `id` signs.
    std::string token(std::string_view id, std::string_view header, std::string_view claims) const;
    // The same with the header that belongs to the key.
    std::string token(std::string_view id, std::string_view claims) const;
};

std::string header_of(std::string_view id);
const char *algorithm_of(std::string_view id);

constexpr const char kIssuer[] = "https://issuer.test";
constexpr const char kAudience[] = "entitle";

// Good claims of a user, until then.
std::string claims_of(std::string_view login, std::int64_t expires);

} // namespace forge
