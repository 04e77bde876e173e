// Signatures by OpenSSL. Public keys are kept as SubjectPublicKeyInfo, put together here, because
// every version of OpenSSL reads that and checks it while reading.
#include "core/crypto.hpp"

#include <array>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

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

// The algorithms of a SubjectPublicKeyInfo, in DER: rsaEncryption; ecPublicKey on P-256; Ed25519.
constexpr std::string_view kRsaAlgorithm =
    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv;
constexpr std::string_view kP256Algorithm =
    "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv;
constexpr std::string_view kEd25519Algorithm = "\x30\x05\x06\x03\x2b\x65\x70"sv;

struct FreeKey {
    void operator()(EVP_PKEY *key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeContext {
    void operator()(EVP_MD_CTX *context) const noexcept { EVP_MD_CTX_free(context); }
};
struct FreeSignature {
    void operator()(ECDSA_SIG *signature) const noexcept { ECDSA_SIG_free(signature); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

const unsigned char *bytes(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char *>(text.data());
}

// One DER element: tag, length in the shortest form, content.
std::string der(char tag, std::string_view content) {
    std::string element(1, tag);
    if (content.size() < 0x80) {
        element.push_back(static_cast<char>(content.size()));
    } else if (content.size() < 0x100) {
        element += {'\x81', static_cast<char>(content.size())};
    } else {
        element += {'\x82', static_cast<char>(content.size() >> 8),
                    static_cast<char>(content.size() & 0xFF)};
    }
    element += content;
    return element;
}

std::string der_integer(std::string_view magnitude) {
    // A leading bit would make it negative.
    const bool is_high = (static_cast<unsigned char>(magnitude.front()) & 0x80) != 0;
    return der('\x02', std::string(is_high ? 1 : 0, '\0').append(magnitude));
}

std::string public_key(std::string_view algorithm, std::string_view key) {
    const std::string unused_bits(1, '\0');
    return der('\x30', std::string(algorithm) + der('\x03', unused_bits + std::string(key)));
}

Key read_key(const std::string &material) {
    const unsigned char *at = bytes(material);
    Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(material.size())));
    ERR_clear_error(); // the queue belongs to the server's own connections, too
    return key;
}

std::optional<VerifyKey> make_public_key(Algorithm algorithm, std::string material) {
    if (!read_key(material)) {
        return std::nullopt;
    }
    return VerifyKey{algorithm, std::move(material)};
}

// Big-endian numbers as JWK wants them: no leading zero.
bool is_magnitude(std::string_view number) noexcept {
    return !number.empty() && number.front() != '\0';
}

bool is_mac(const VerifyKey &key, std::string_view text, std::string_view signature) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (key.material.size() < kMinSecret ||
        HMAC(EVP_sha256(), key.material.data(), static_cast<int>(key.material.size()), bytes(text),
             text.size(), digest.data(), &size) == nullptr) {
        return false;
    }
    return is_same_secret(std::string_view(reinterpret_cast<const char *>(digest.data()), size),
                          signature);
}

// A JWS carries the two numbers of an ECDSA signature side by side; OpenSSL wants them in DER.
std::string ecdsa_der(std::string_view signature) {
    std::string encoded;
    std::unique_ptr<ECDSA_SIG, FreeSignature> pair(ECDSA_SIG_new());
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
    const Key read = read_key(key.material);
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    if (!read || !context || encoded.empty()) {
        return false;
    }
    // Ed25519 hashes by itself. RSA's default padding here is PKCS #1 1.5, which RS256 is.
    const EVP_MD *hash = key.algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
    const bool is_good =
        EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, read.get()) == 1 &&
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
    return VerifyKey{Algorithm::hs256, std::string(secret)};
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
    return make_public_key(
        Algorithm::rs256,
        public_key(kRsaAlgorithm, der('\x30', der_integer(modulus) + der_integer(exponent))));
}

std::optional<VerifyKey> make_es256_key(std::string_view x, std::string_view y) {
    if (x.size() != kCoordinate || y.size() != kCoordinate) {
        return std::nullopt;
    }
    const std::string point = std::string(1, '\x04').append(x).append(y);
    return make_public_key(Algorithm::es256, public_key(kP256Algorithm, point));
}

std::optional<VerifyKey> make_eddsa_key(std::string_view point) {
    if (point.size() != kCoordinate) {
        return std::nullopt;
    }
    return make_public_key(Algorithm::eddsa, public_key(kEd25519Algorithm, point));
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
