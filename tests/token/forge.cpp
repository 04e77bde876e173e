// Keys and tokens for tests, by OpenSSL.
#include "forge.hpp"

#include <array>
#include <stdexcept>
#include <vector>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace forge {

namespace {

void require(bool holds) {
    if (!holds) {
        throw std::runtime_error("OpenSSL refused to make a key or a signature");
    }
}

const unsigned char *bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char *>(text.data());
}

template <typename Prepare> Key new_key(int type, Prepare prepare) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(type, nullptr);
    EVP_PKEY *key = nullptr;
    require(context != nullptr && EVP_PKEY_keygen_init(context) > 0 && prepare(context) &&
            EVP_PKEY_keygen(context, &key) > 0);
    EVP_PKEY_CTX_free(context);
    return Key(key);
}

std::string random_bytes(std::size_t size) {
    std::string text(size, '\0');
    require(RAND_bytes(reinterpret_cast<unsigned char *>(text.data()), static_cast<int>(size)) ==
            1);
    return text;
}

std::string number_bytes(const BIGNUM *number) {
    std::string text(32, '\0');
    require(BN_bn2binpad(number, reinterpret_cast<unsigned char *>(text.data()), 32) == 32);
    return text;
}

} // namespace

std::string base64url(std::string_view text) {
    constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string encoded;
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char character : text) {
        pending = pending << 8 | static_cast<unsigned char>(character);
        for (bits += 8; bits >= 6; bits -= 6) {
            encoded.push_back(kAlphabet[pending >> (bits - 6) & 63]);
        }
    }
    if (bits > 0) {
        encoded.push_back(kAlphabet[pending << (6 - bits) & 63]);
    }
    return encoded;
}

Key new_rsa_key(int size) {
    return new_key(EVP_PKEY_RSA, [&](EVP_PKEY_CTX *context) {
        return EVP_PKEY_CTX_set_rsa_keygen_bits(context, size) > 0;
    });
}

Key new_p256_key() {
    return new_key(EVP_PKEY_EC, [](EVP_PKEY_CTX *context) {
        return EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) > 0;
    });
}

Key new_ed25519_key() {
    return new_key(EVP_PKEY_ED25519, [](EVP_PKEY_CTX *) { return true; });
}

std::string public_der(EVP_PKEY *key) {
    std::string der(static_cast<std::size_t>(i2d_PUBKEY(key, nullptr)), '\0');
    auto *at = reinterpret_cast<unsigned char *>(der.data());
    require(i2d_PUBKEY(key, &at) > 0);
    return der;
}

// The public exponent 65537 ends the DER: 02 03 01 00 01; the modulus stands right before it.
std::string rsa_modulus(EVP_PKEY *key) {
    const std::string der = public_der(key);
    const auto size = static_cast<std::size_t>(EVP_PKEY_bits(key) / 8);
    return der.substr(der.size() - 5 - size, size);
}

std::string p256_point(EVP_PKEY *key) {
    const std::string der = public_der(key);
    return der.substr(der.size() - 64);
}

std::string ed25519_point(EVP_PKEY *key) {
    const std::string der = public_der(key);
    return der.substr(der.size() - 32);
}

std::string hmac_sha256(std::string_view secret, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    require(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes(text),
                 text.size(), digest.data(), &size) != nullptr);
    return std::string(reinterpret_cast<char *>(digest.data()), size);
}

std::string sign(EVP_PKEY *key, std::string_view text) {
    const int type = EVP_PKEY_base_id(key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    std::size_t size = 0;
    require(EVP_DigestSignInit(context, nullptr, type == EVP_PKEY_ED25519 ? nullptr : EVP_sha256(),
                               nullptr, key) == 1 &&
            EVP_DigestSign(context, nullptr, &size, bytes(text), text.size()) == 1);
    std::vector<unsigned char> made(size);
    require(EVP_DigestSign(context, made.data(), &size, bytes(text), text.size()) == 1);
    EVP_MD_CTX_free(context);
    if (type == EVP_PKEY_EC) {
        const unsigned char *at = made.data();
        ECDSA_SIG *pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
        require(pair != nullptr);
        std::string both =
            number_bytes(ECDSA_SIG_get0_r(pair)) + number_bytes(ECDSA_SIG_get0_s(pair));
        ECDSA_SIG_free(pair);
        return both;
    }
    return std::string(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(size));
}

Issuer::Issuer()
    : secret(random_bytes(48)), rsa(new_rsa_key(2048)), p256(new_p256_key()),
      ed25519(new_ed25519_key()) {}

const char *algorithm_of(std::string_view id) {
    switch (id.front()) {
    case 'h':
        return "HS256";
    case 'r':
        return "RS256";
    case 'e':
        return "ES256";
    default:
        return "EdDSA";
    }
}

std::string header_of(std::string_view id) {
    return std::string(R"({"alg":")") + algorithm_of(id) + R"(","typ":"JWT","kid":")" +
           std::string(id) + "\"}";
}

std::string Issuer::entry(std::string_view id) const {
    std::string values;
    switch (id.front()) {
    case 'h':
        values = R"("kty":"oct","k":")" + base64url(secret) + "\"";
        break;
    case 'r':
        values = R"("kty":"RSA","e":"AQAB","n":")" + base64url(rsa_modulus(rsa.get())) + "\"";
        break;
    case 'e': {
        const std::string point = p256_point(p256.get());
        values = R"("kty":"EC","crv":"P-256","x":")" + base64url(point.substr(0, 32)) +
                 R"(","y":")" + base64url(point.substr(32)) + "\"";
        break;
    }
    default:
        values =
            R"("kty":"OKP","crv":"Ed25519","x":")" + base64url(ed25519_point(ed25519.get())) + "\"";
    }
    return R"({"kid":")" + std::string(id) + R"(","alg":")" + algorithm_of(id) + "\"," + values +
           (id == "h0" ? R"(,"exp":1000000000})" : "}");
}

std::string Issuer::key_file() const {
    return R"({"keys":[)" + entry("h1") + "," + entry("h0") + "," + entry("r1") + "," +
           entry("e1") + "," + entry("d1") + "]}";
}

std::string Issuer::signature(std::string_view id, std::string_view text) const {
    switch (id.front()) {
    case 'h':
        return hmac_sha256(secret, text);
    case 'r':
        return sign(rsa.get(), text);
    case 'e':
        return sign(p256.get(), text);
    default:
        return sign(ed25519.get(), text);
    }
}

std::string Issuer::token(std::string_view id, std::string_view header,
                          std::string_view claims) const {
    const std::string text = base64url(header) + "." + base64url(claims);
    return text + "." + base64url(signature(id, text));
}

std::string Issuer::token(std::string_view id, std::string_view claims) const {
    return token(id, header_of(id), claims);
}

std::string claims_of(std::string_view login, std::int64_t expires) {
    return std::string(R"({"iss":")") + kIssuer + R"(","aud":")" + kAudience + R"(","sub":")" +
           std::string(login) + R"(","exp":)" + std::to_string(expires) + "}";
}

} // namespace forge
