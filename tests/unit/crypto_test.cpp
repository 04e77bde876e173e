// Signatures against published vectors, and comparison of secrets in constant time (S117).
#include "core/crypto.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base64url.hpp"

namespace entitle {
namespace {

std::string decoded(const char *text) { return decode_base64url(text).value_or(""); }

TEST(Crypto, VerifiesTheHmacOfRfc7515) {
    const auto key = make_hs256_key(decoded("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
                                            "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"));
    ASSERT_TRUE(key);
    const std::string text =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjE"
        "zMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    EXPECT_TRUE(is_signature(*key, text, decoded("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
    EXPECT_FALSE(
        is_signature(*key, text + "x", decoded("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
}

TEST(Crypto, VerifiesTheEcdsaSignatureOfRfc7515) {
    const auto key = make_es256_key(decoded("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                                    decoded("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
    ASSERT_TRUE(key);
    EXPECT_TRUE(is_signature(
        *key,
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
        "LmNvbS9pc19yb290Ijp0cnVlfQ",
        decoded("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
                "Kg6NU1Q")));
}

TEST(Crypto, VerifiesTheEd25519SignatureOfRfc8037) {
    const auto key = make_eddsa_key(decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    ASSERT_TRUE(key);
    EXPECT_TRUE(is_signature(*key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                             decoded("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGj"
                                     "g5BhVsPt9g7sVvpAr_MuM0KAg")));
}

TEST(Crypto, ComparesSecretsWhole) {
    EXPECT_TRUE(is_same_secret("", ""));
    EXPECT_TRUE(is_same_secret("abc", "abc"));
    EXPECT_FALSE(is_same_secret("abc", "abd"));
    EXPECT_FALSE(is_same_secret("abc", "ab"));
    EXPECT_FALSE(is_same_secret("abc", "abcd"));
    EXPECT_FALSE(is_same_secret("abc", "Abc"));
}

// A comparison as it must not be: it stops where the texts differ.
bool is_same_early(std::string_view a, std::string_view b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

// Welch's t between the times of guesses that differ at once and of guesses that differ at the
// end, taken in random order; the slowest twentieth, where the machine did something else, is cut.
template <typename Compare> double timing_difference(Compare compare) {
    constexpr int kRounds = 50000;
    const std::string secret(256, 's');
    std::string guesses[2] = {secret, secret};
    guesses[0].front() = 'x';
    guesses[1].back() = 'x';
    std::mt19937 random(7);
    std::vector<double> times[2];
    int same = 0;
    for (int i = 0; i < kRounds; ++i) {
        const unsigned which = random() & 1U;
        const auto begin = std::chrono::steady_clock::now();
        for (int j = 0; j < 10; ++j) {
            same += compare(secret, guesses[which]) ? 1 : 0;
        }
        const std::chrono::duration<double, std::nano> took =
            std::chrono::steady_clock::now() - begin;
        times[which].push_back(took.count());
    }
    EXPECT_EQ(same, 0);
    std::vector<double> all(times[0]);
    all.insert(all.end(), times[1].begin(), times[1].end());
    const auto cut = all.begin() + static_cast<std::ptrdiff_t>(all.size() * 19 / 20);
    std::nth_element(all.begin(), cut, all.end());
    double mean[2], spread[2];
    for (int k = 0; k < 2; ++k) {
        double sum = 0, squares = 0, count = 0;
        for (const double time : times[k]) {
            if (time < *cut) {
                sum += time;
                squares += time * time;
                ++count;
            }
        }
        mean[k] = sum / count;
        spread[k] = (squares / count - mean[k] * mean[k]) / count;
    }
    return std::abs(mean[0] - mean[1]) / std::sqrt(spread[0] + spread[1]);
}

TEST(Crypto, ComparesSecretsInConstantTime) {
    // The measurement sees a comparison that stops early, so it would see ours.
    EXPECT_GT(timing_difference(is_same_early), 10);
    // A busy machine may disturb one measurement, but not all of them in the same direction.
    double least = 1000;
    for (int attempt = 0; attempt < 5 && least >= 4.5; ++attempt) {
        least = std::min(least, timing_difference(is_same_secret));
    }
    EXPECT_LT(least, 4.5);
}

} // namespace
} // namespace entitle
