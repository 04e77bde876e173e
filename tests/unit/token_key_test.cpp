// Key files: which entries become keys, which are left out, and which files are refused whole
// (S111, S116).
#include "core/token_key.hpp"

#include <gtest/gtest.h>

#include "../token/forge.hpp"

namespace entitle {
namespace {

const forge::Issuer &issuer() {
    static const forge::Issuer made;
    return made;
}

std::string set_of(const std::string &entries) { return R"({"keys":[)" + entries + "]}"; }

// How many keys a file gives; -1 when it is refused.
int count_of(const std::string &text) {
    const auto parsed = parse_token_keys(text);
    return parsed.ok() ? static_cast<int>(parsed.value().keys.size()) : -1;
}

std::string entry_with(const std::string &id, const std::string &more) {
    std::string entry = issuer().entry(id);
    return entry.insert(entry.size() - 1, "," + more);
}

TEST(TokenKey, ReadsEveryKind) {
    const auto parsed = parse_token_keys(issuer().key_file());
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed.value().keys.size(), 5U);
    EXPECT_TRUE(parsed.value().left_out.empty());
    ASSERT_NE(parsed.value().find("e1"), nullptr);
    EXPECT_EQ(parsed.value().find("e1")->key.algorithm, Algorithm::es256);
    EXPECT_EQ(parsed.value().find("h0")->not_after, 1000000000);
    EXPECT_EQ(parsed.value().find("x"), nullptr);
    EXPECT_EQ(parsed.value().find(std::nullopt), nullptr);
}

TEST(TokenKey, RefusesFilesThatAreNoKeySet) {
    for (const std::string &text :
         {std::string(), std::string("{}"), std::string("[]"), std::string("{\"keys\":{}}"),
          std::string("{\"keys\":[]"), std::string("{\"keys\":[],\"keys\":[]}"),
          set_of(issuer().entry("h1") + "," + issuer().entry("h1")),
          set_of(issuer().entry("h1") + R"(,{"kid":"h1","kty":"oct"})"),
          set_of(R"({"kty":"oct","alg":"HS256","k":")" + std::string(kMaxKeyFile, 'A') + "\"}")}) {
        EXPECT_EQ(count_of(text), -1) << text.substr(0, 60);
    }
    EXPECT_EQ(count_of(set_of("")), 0);
}

TEST(TokenKey, LeavesOutWhatCannotVerify) {
    const std::string short_secret = forge::base64url(std::string(31, 's'));
    const forge::Key small = forge::new_rsa_key(1024);
    const std::string modulus = forge::base64url(forge::rsa_modulus(issuer().rsa.get()));
    for (const std::string &entry :
         {std::string("1"), std::string("{}"), entry_with("h1", R"("use":"enc")"),
          entry_with("h1", R"("use":1)"), entry_with("h1", R"("key_ops":["sign"])"),
          entry_with("h1", R"("key_ops":"verify")"), entry_with("h1", R"("not_after":"2030")"),
          entry_with("h1", R"("not_after":-1)"), entry_with("h1", R"("exp":1.5)"),
          std::string(R"({"kty":"oct","alg":"HS256","k":")") + short_secret + "\"}",
          std::string(R"({"kty":"oct","alg":"HS256","k":""})"),
          std::string(R"({"kty":"oct","alg":"HS256"})"),
          std::string(R"({"kty":"oct","k":")") + forge::base64url(issuer().secret) + "\"}",
          std::string(R"({"kid":1,"kty":"oct","alg":"HS256","k":")") +
              forge::base64url(issuer().secret) + "\"}",
          std::string(R"({"kty":"oct","alg":"HS512","k":")") + forge::base64url(issuer().secret) +
              "\"}",
          // An RSA key is no secret, whatever it says (S111).
          R"({"kty":"RSA","alg":"HS256","e":"AQAB","n":")" + modulus + "\"}",
          R"({"kty":"RSA","alg":"HS256","e":"AQAB","k":")" + modulus + "\"}",
          R"({"kty":"oct","alg":"RS256","k":")" + modulus + "\"}",
          R"({"kty":"RSA","alg":"RS256","e":"AQ","n":")" + modulus + "\"}",
          R"({"kty":"RSA","alg":"RS256","e":"AA","n":")" + modulus + "\"}",
          R"({"kty":"RSA","alg":"RS256","e":"Ag","n":")" + modulus + "\"}",
          R"({"kty":"RSA","alg":"RS256","n":")" + modulus + "\"}",
          R"({"kty":"RSA","alg":"RS256","e":"AQAB","n":"AA)" + modulus + "\"}",
          R"({"kty":"RSA","alg":"RS256","e":"AQAB","n":")" +
              forge::base64url(forge::rsa_modulus(small.get())) + "\"}",
          std::string(R"({"kty":"EC","crv":"P-256","alg":"ES256","x":"AA","y":"AA"})"),
          R"({"kty":"EC","crv":"P-256","alg":"ES256","x":")" +
              forge::base64url(std::string(32, 'x')) + R"(","y":")" +
              forge::base64url(std::string(32, 'y')) + "\"}",
          R"({"kty":"EC","crv":"P-384","alg":"ES256","x":")" +
              forge::base64url(std::string(32, 'x')) + "\"}",
          std::string(R"({"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"AAAA"})"),
          std::string(R"({"kty":"OKP","crv":"X25519","alg":"EdDSA","x":")") +
              forge::base64url(forge::ed25519_point(issuer().ed25519.get())) + "\"}"}) {
        const auto parsed = parse_token_keys(set_of(entry + "," + issuer().entry("r1")));
        ASSERT_TRUE(parsed.ok()) << entry;
        EXPECT_EQ(parsed.value().keys.size(), 1U) << entry;
        ASSERT_EQ(parsed.value().left_out.size(), 1U) << entry;
        EXPECT_EQ(parsed.value().left_out.front().rfind("key 1 ", 0), 0U);
        // What is said about it holds nothing of it.
        EXPECT_EQ(parsed.value().left_out.front().find(modulus), std::string::npos);
    }
}

TEST(TokenKey, TakesTheEarlierOfTwoEnds) {
    const auto parsed = parse_token_keys(set_of(entry_with("h1", R"("exp":30,"not_after":20)")));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed.value().keys.front().not_after, 20);
}

TEST(TokenKey, TakesLargeRsaKeys) {
    const forge::Key large = forge::new_rsa_key(3072);
    EXPECT_EQ(count_of(set_of(R"({"kty":"RSA","alg":"RS256","e":"AQAB","n":")" +
                              forge::base64url(forge::rsa_modulus(large.get())) + "\"}")),
              1);
}

} // namespace
} // namespace entitle
