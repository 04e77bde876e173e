// The cryptography behind tokens: OpenSSL's, and the only place that knows it. Keys are checked
// when they are made, so a made key verifies or refuses and never fails otherwise.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st; // OpenSSL's EVP_PKEY

namespace entitle {

enum class Algorithm { hs256, rs256, es256, eddsa };

// A key to verify with, for one algorithm only. Secrets are not wiped: a process that verifies
// tokens has them in its memory for as long as it does.
struct VerifyKey {
    Algorithm algorithm = Algorithm::hs256;
    std::string secret;                      // of HS256
    std::shared_ptr<evp_pkey_st> public_key; // of the others
};

// Make keys from the raw values of a JWK. Return: none for a value of the wrong size, a secret
// shorter than 32 bytes, an RSA modulus outside of 2048 to 8192 bits, a point not on the curve.
std::optional<VerifyKey> make_hs256_key(std::string_view secret);
std::optional<VerifyKey> make_rs256_key(std::string_view modulus, std::string_view exponent);
std::optional<VerifyKey> make_es256_key(std::string_view x, std::string_view y);
std::optional<VerifyKey> make_eddsa_key(std::string_view point);

// Tells whether the signature is the key's over the text.
bool is_signature(const VerifyKey &key, std::string_view text, std::string_view signature);

// Compares in a time that depends on the lengths alone.
bool is_same_secret(std::string_view a, std::string_view b) noexcept;

} // namespace entitle
