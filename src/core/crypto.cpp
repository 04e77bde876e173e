// Signatures by OpenSSL 3, which checks a public key while it is made from its numbers.
#include "core/crypto.hpp"

#include <array>
#include <memory>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "core/pure.hpp"

namespace entitle {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMinSecret = 32; // RFC 7518: as long as the hash
constexpr std::size_t kMinModulus = 2048 / 8;
constexpr std::size_t kMaxModulus = 8192 / 8;
constexpr std::size_t kMaxExponent = 8;
constexpr std::size_t kCoordinate = 32;
constexpr std::size_t kSignature = 64; // of ES256 and EdDSA

// Frees an object of OpenSSL.
template <auto Function> struct Free {
    template <typename Object> void operator()(Object *object) const noexcept { Function(object); }
};

const unsigned char *bytes(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char *>(text.data());
}

std::optional<VerifyKey> keep_public_key(Algorithm algorithm, EVP_PKEY *key) {
    ERR_clear_error(); // the queue belongs to the server's own connections, too
    if (key == nullptr) {
        return std::nullopt;
    }
    return VerifyKey{algorithm, {}, std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free)};
}

std::optional<VerifyKey> make_public_key(Algorithm algorithm, const char *type,
                                         OSSL_PARAM *parameters) {
    const std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>> context(
        EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY *key = nullptr;
    if (context && EVP_PKEY_fromdata_init(context.get()) == 1) {
        (void)EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters);
    }
    return keep_public_key(algorithm, key);
}

// A number in this machine's own order of bytes, as parameters are.
std::string native_number(std::string_view magnitude) {
    std::string native(magnitude.size(), '\0');
    const int size = static_cast<int>(native.size());
    const std::unique_ptr<BIGNUM, Free<BN_free>> number(BN_bin2bn(bytes(magnitude), size, nullptr));
    if (number) {
        (void)BN_bn2nativepad(number.get(), reinterpret_cast<unsigned char *>(native.data()), size);
    }
    return native;
}

OSSL_PARAM number_parameter(const char *name, std::string &native) {
    return OSSL_PARAM_construct_BN(name, reinterpret_cast<unsigned char *>(native.data()),
                                   native.size());
}

// Big-endian numbers as JWK wants them: no leading zero.
bool is_magnitude(std::string_view number) noexcept {
    return !number.empty() && number.front() != '\0';
}

bool is_mac(const VerifyKey &key, std::string_view text, std::string_view signature) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (key.secret.size() < kMinSecret ||
        HMAC(EVP_sha256(), key.secret.data(), static_cast<int>(key.secret.size()), bytes(text),
             text.size(), digest.data(), &size) == nullptr) {
        return false;
    }
    return is_same_secret(std::string_view(reinterpret_cast<const char *>(digest.data()), size),
                          signature);
}

// A JWS carries the two numbers of an ECDSA signature side by side; OpenSSL wants them in DER.
std::string ecdsa_der(std::string_view signature) {
    std::string encoded;
    std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
    BIGNUM *r = BN_bin2bn(bytes(signature), kCoordinate, nullptr);
    BIGNUM *s = BN_bin2bn(bytes(signature) + kCoordinate, kCoordinate, nullptr);
    if (!pair || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return encoded;
    }
    const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
    if (size > 0) {
        encoded.resize(static_cast<std::size_t>(size));
        auto *at = reinterpret_cast<unsigned char *>(encoded.data());
        (void)i2d_ECDSA_SIG(pair.get(), &at);
    }
    return encoded;
}

bool is_public_signature(const VerifyKey &key, std::string_view text, std::string_view signature) {
    std::string encoded(signature);
    if (key.algorithm == Algorithm::es256) {
        encoded = signature.size() == kSignature ? ecdsa_der(signature) : std::string();
    }
    const std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    if (!key.public_key || !context || encoded.empty()) {
        return false;
    }
    // Ed25519 hashes by itself. RSA's default padding here is PKCS #1 1.5, which RS256 is.
    const EVP_MD *hash = key.algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
    const bool is_good =
        EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key.public_key.get()) == 1 &&
        EVP_DigestVerify(context.get(), bytes(encoded), encoded.size(), bytes(text), text.size()) ==
            1;
    ERR_clear_error();
    return is_good;
}

} // namespace

std::optional<VerifyKey> make_hs256_key(std::string_view secret) {
    if (secret.size() < kMinSecret) {
        return std::nullopt;
    }
    return VerifyKey{Algorithm::hs256, std::string(secret), nullptr};
}

std::optional<VerifyKey> make_rs256_key(std::string_view modulus, std::string_view exponent) {
    const bool is_long =
        modulus.size() > kMinModulus || (modulus.size() == kMinModulus &&
                                         (static_cast<unsigned char>(modulus.front()) & 0x80) != 0);
    if (!is_magnitude(modulus) || !is_long || modulus.size() > kMaxModulus ||
        !is_magnitude(exponent) || exponent.size() > kMaxExponent || exponent == "\x01"sv ||
        (static_cast<unsigned char>(exponent.back()) & 1) == 0) {
        return std::nullopt;
    }
    std::string n = native_number(modulus);
    std::string e = native_number(exponent);
    OSSL_PARAM parameters[] = {number_parameter(OSSL_PKEY_PARAM_RSA_N, n),
                               number_parameter(OSSL_PKEY_PARAM_RSA_E, e),
                               OSSL_PARAM_construct_end()};
    return make_public_key(Algorithm::rs256, "RSA", parameters);
}

std::optional<VerifyKey> make_es256_key(std::string_view x, std::string_view y) {
    if (x.size() != kCoordinate || y.size() != kCoordinate) {
        return std::nullopt;
    }
    std::string curve = "P-256";
    std::string point = std::string(1, '\x04').append(x).append(y);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end()};
    return make_public_key(Algorithm::es256, "EC", parameters);
}

std::optional<VerifyKey> make_eddsa_key(std::string_view point) {
    if (point.size() != kCoordinate) {
        return std::nullopt;
    }
    return keep_public_key(
        Algorithm::eddsa,
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(point), point.size()));
}

bool is_signature(const VerifyKey &key, std::string_view text, std::string_view signature) {
    switch (key.algorithm) {
    case Algorithm::hs256:
        return is_mac(key, text, signature);
    case Algorithm::rs256:
    case Algorithm::es256:
    case Algorithm::eddsa:
        return is_public_signature(key, text, signature);
    }
    return false;
}

bool is_same_secret(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace entitle
