// Tokens: what verifies, what is refused and why, and when (S110 to S114, S118, S120 to S122), with
// the corpus of tests/token.
#include "core/token.hpp"

#include <set>

#include <gtest/gtest.h>

#include "../token/corpus.hpp"
#include "../token/forge.hpp"

namespace entitle {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

const forge::Issuer &issuer() {
    static const forge::Issuer made;
    return made;
}

TokenKeys keys_of(const std::string &file) {
    auto parsed = parse_token_keys(file);
    EXPECT_TRUE(parsed.ok());
    return parsed.ok() ? parsed.value() : TokenKeys{};
}

const TokenKeys &keys() {
    static const TokenKeys made = keys_of(issuer().key_file());
    return made;
}

const TokenTerms kTerms{forge::kAudience, forge::kIssuer};

TokenFault fault_at(const std::string &token, std::int64_t now = kNow) {
    return check_token_time(verify_token(token, keys(), kTerms), now);
}

std::string with(const std::string &more) {
    const std::string plain = forge::claims_of("ann", kNow + 10);
    return issuer().token("h1", plain.substr(0, plain.size() - 1) + "," + more + "}");
}

TEST(Token, VerifiesEveryAlgorithm) {
    for (const char *id : {"h1", "r1", "e1", "d1"}) {
        const auto verdict =
            verify_token(issuer().token(id, forge::claims_of("ann", kNow + 10)), keys(), kTerms);
        EXPECT_EQ(verdict.fault, TokenFault::none) << id << ": " << describe(verdict.fault);
        EXPECT_EQ(verdict.subject, "ann");
        EXPECT_EQ(verdict.valid_until, kNow + 10);
    }
}

TEST(Token, RefusesTheCorpus) {
    const auto cases = forge::bad_tokens(issuer(), "ann", kNow);
    EXPECT_GE(cases.size(), 200U);
    RecordProperty("cases", static_cast<int>(cases.size()));
    std::set<TokenFault> seen;
    for (const auto &bad : cases) {
        const TokenFault fault = fault_at(bad.token);
        EXPECT_NE(fault, TokenFault::none) << bad.name;
        seen.insert(fault);
    }
    // Every way to fail is in it, except those that need another set-up.
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(TokenFault::unknown_user) - 2);
}

TEST(Token, TellsTheLogWhy) {
    EXPECT_EQ(fault_at(""), TokenFault::too_large);
    EXPECT_EQ(fault_at("a.b"), TokenFault::not_compact);
    EXPECT_EQ(fault_at(issuer().token("h1", R"({"alg":"HS256","kid":"x"})", "{}")),
              TokenFault::unknown_key);
    EXPECT_EQ(fault_at(issuer().token("h1", R"({"alg":"none","kid":"h1"})", "{}")),
              TokenFault::bad_algorithm);
    EXPECT_EQ(fault_at(issuer().token("h1", "{}")), TokenFault::bad_issuer);
    EXPECT_EQ(fault_at(issuer().token("h0", forge::claims_of("ann", kNow + 10))),
              TokenFault::expired);
    for (int fault = 0; fault <= static_cast<int>(TokenFault::unknown_user); ++fault) {
        EXPECT_STRNE(describe(static_cast<TokenFault>(fault)), "");
    }
}

TEST(Token, IsGoodUntilItsLastSecond) {
    const std::string token = issuer().token("h1", forge::claims_of("ann", kNow + 10));
    EXPECT_EQ(fault_at(token, kNow + 9), TokenFault::none);
    EXPECT_EQ(fault_at(token, kNow + 10), TokenFault::expired);
    EXPECT_EQ(fault_at(token, INT64_MAX), TokenFault::expired);
}

TEST(Token, WaitsForItsStartWithLeeway) {
    for (const std::string name : {"nbf", "iat"}) {
        const std::string token = with("\"" + name + "\":" + std::to_string(kNow));
        EXPECT_EQ(fault_at(token, kNow - kClockLeeway - 1), TokenFault::not_yet) << name;
        EXPECT_EQ(fault_at(token, kNow - kClockLeeway), TokenFault::none) << name;
        EXPECT_LE(kClockLeeway, 60);
    }
    EXPECT_EQ(fault_at(with(R"("nbf":0,"iat":0)"), INT64_MIN), TokenFault::not_yet);
}

TEST(Token, AcceptsOneOfSeveralAudiences) {
    const std::string claims =
        R"({"iss":"https://issuer.test","aud":["other","entitle"],"sub":"ann","exp":)" +
        std::to_string(kNow + 10) + "}";
    EXPECT_EQ(fault_at(issuer().token("e1", claims)), TokenFault::none);
}

TEST(Token, BelievesOnlyTheSubject) {
    const auto verdict = verify_token(
        with(R"("role":"admin","level":90,"scope":"*","db_role":"postgres")"), keys(), kTerms);
    EXPECT_EQ(verdict.fault, TokenFault::none);
    EXPECT_EQ(verdict.subject, "ann");
}

TEST(Token, ReadsMediaTypesOfTokens) {
    for (const char *type : {"JWT", "jwt", "at+jwt", "application/at+jwt", "application/JWT"}) {
        const std::string header =
            R"({"alg":"HS256","kid":"h1","typ":")" + std::string(type) + "\"}";
        EXPECT_EQ(fault_at(issuer().token("h1", header, forge::claims_of("ann", kNow + 1))),
                  TokenFault::none)
            << type;
    }
    EXPECT_EQ(fault_at(issuer().token("h1", R"({"alg":"HS256","kid":"h1"})",
                                      forge::claims_of("ann", kNow + 1))),
              TokenFault::none);
}

TEST(Token, NeedsNoKeyIdWhereThereIsOneKey) {
    const TokenKeys one = keys_of(R"({"keys":[)" + issuer().entry("r1") + "]}");
    const std::string token =
        issuer().token("r1", R"({"alg":"RS256"})", forge::claims_of("ann", kNow + 1));
    EXPECT_EQ(verify_token(token, one, kTerms).fault, TokenFault::none);
    EXPECT_EQ(verify_token(token, keys(), kTerms).fault, TokenFault::unknown_key);
}

TEST(Token, IsWorthNothingBeforeAllIsSetUp) {
    const std::string token = issuer().token("h1", forge::claims_of("ann", kNow + 10));
    EXPECT_EQ(verify_token(token, TokenKeys{}, kTerms).fault, TokenFault::not_set_up);
    EXPECT_EQ(verify_token(token, keys(), TokenTerms{"", forge::kIssuer}).fault,
              TokenFault::not_set_up);
    EXPECT_EQ(verify_token(token, keys(), TokenTerms{forge::kAudience, ""}).fault,
              TokenFault::not_set_up);
    // Not even a token that claims an empty audience and issuer.
    const std::string empty = issuer().token("h1", R"({"iss":"","aud":"","sub":"ann","exp":)" +
                                                       std::to_string(kNow + 10) + "}");
    EXPECT_EQ(verify_token(empty, keys(), TokenTerms{"", ""}).fault, TokenFault::not_set_up);
}

TEST(Token, LivesNoLongerThanItsKey) {
    std::string entry = issuer().entry("h1");
    entry.insert(entry.size() - 1, ",\"not_after\":" + std::to_string(kNow + 5));
    const TokenKeys ending = keys_of(R"({"keys":[)" + entry + "]}");
    const auto verdict =
        verify_token(issuer().token("h1", forge::claims_of("ann", kNow + 10)), ending, kTerms);
    EXPECT_EQ(check_token_time(verdict, kNow + 4), TokenFault::none);
    EXPECT_EQ(check_token_time(verdict, kNow + 5), TokenFault::expired);
}

TEST(Token, TakesEightKibibytesAndNoMore) {
    const auto sized = [](std::size_t filling) {
        std::string claims = forge::claims_of("ann", kNow + 10);
        claims.insert(claims.size() - 1, ",\"a\":\"" + std::string(filling, 'x') + "\"");
        return issuer().token("h1", claims);
    };
    std::size_t filling = 5000;
    while (sized(filling + 1).size() <= kMaxToken) {
        ++filling;
    }
    EXPECT_EQ(fault_at(sized(filling)), TokenFault::none);
    EXPECT_EQ(fault_at(sized(filling + 3)), TokenFault::too_large);
}

} // namespace
} // namespace entitle
