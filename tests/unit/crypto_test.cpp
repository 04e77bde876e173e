// Signatures against published vectors, and comparison of secrets; that its time tells nothing is
// measured by bench/run (S117).
#include "core/crypto.hpp"

#include <string>

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

} // namespace
} // namespace entitle
