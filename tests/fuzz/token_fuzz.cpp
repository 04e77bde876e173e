// Fuzzes everything that reads a token or a key file before a signature is checked, and after: the
// input is taken as a token, as a header and claims that the key signs, and as a key file. Nothing
// may crash, and nothing may verify except what the issuer signed for this audience.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base64url.hpp"
#include "core/token.hpp"

#include "../token/forge.hpp"

namespace {

using namespace entitle;

constexpr std::int64_t kNow = 1'800'000'000;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

struct World {
    std::string secret = std::string(32, 's');
    TokenKeys keys;
    TokenTerms terms{forge::kAudience, forge::kIssuer};

    World() {
        const auto parsed =
            parse_token_keys(R"({"keys":[{"kid":"h1","kty":"oct","alg":"HS256","k":")" +
                             forge::base64url(secret) + "\"}]}");
        require(parsed.ok());
        keys = parsed.value();
    }

    std::string signed_token(std::string_view header, std::string_view claims) const {
        const std::string text = forge::base64url(header) + "." + forge::base64url(claims);
        return text + "." + forge::base64url(forge::hmac_sha256(secret, text));
    }
};

// What verified is what was signed: of all texts of these bytes only one is accepted.
void require_faithful(const World &world, std::string_view token) {
    const TokenVerdict verdict = verify_token(token, world.keys, world.terms);
    if (verdict.fault != TokenFault::none) {
        require(verdict.subject.empty() && verdict.valid_until == 0);
        return;
    }
    const std::size_t dot = token.rfind('.');
    require(!verdict.subject.empty() && token.size() <= kMaxToken && verdict.valid_until >= 0);
    require(token.substr(dot + 1) ==
            forge::base64url(forge::hmac_sha256(world.secret, token.substr(0, dot))));
    (void)check_token_time(verdict, kNow);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const World world;
    if (size == 0) {
        return 0;
    }
    const std::string_view input(reinterpret_cast<const char *>(data) + 1, size - 1);
    switch (data[0] & 3) {
    case 0:
        require_faithful(world, input);
        break;
    case 1:
        require_faithful(world, world.signed_token(forge::header_of("h1"), input));
        break;
    case 2:
        require_faithful(world, world.signed_token(input, forge::claims_of("ann", kNow + 1)));
        break;
    default:
        (void)parse_token_keys(input);
        if (const auto bytes = decode_base64url(input)) {
            require(forge::base64url(*bytes) == input);
        }
    }
    return 0;
}
