// The corpus, by what is wrong: algorithm, header, signature, shape, claims, times.
#include "corpus.hpp"

#include <initializer_list>
#include <utility>

namespace forge {

namespace {

using Cases = std::vector<BadToken>;

constexpr std::initializer_list<const char *> kIds = {"h1", "r1", "e1", "d1"};

struct Maker {
    const Issuer &issuer;
    std::string login;
    std::int64_t now;
    Cases cases;

    std::string good_claims() const { return claims_of(login, now + 3600); }
    std::string good(const std::string &id) const { return issuer.token(id, good_claims()); }
    // Text that a key signs: the header and claims as they travel.
    static std::string text(const std::string &header, const std::string &claims) {
        return base64url(header) + "." + base64url(claims);
    }
    void add(std::string name, std::string token) {
        cases.push_back(BadToken{std::move(name), std::move(token)});
    }
    // A header signed with the secret, as only the issuer could.
    void header(const std::string &name, const std::string &value) {
        add("header: " + name, issuer.token("h1", value, good_claims()));
    }
    void claims(const std::string &name, const std::string &value) {
        add("claims: " + name, issuer.token("h1", value));
    }
    // Good claims with one of them replaced; an empty value leaves it out.
    void claim(const std::string &claim_name, const std::string &value) {
        const std::pair<const char *, std::string> parts[] = {
            {"iss", std::string("\"") + kIssuer + "\""},
            {"aud", std::string("\"") + kAudience + "\""},
            {"sub", "\"" + login + "\""},
            {"exp", std::to_string(now + 3600)}};
        std::string made;
        bool is_replaced = false;
        for (const auto &[name, usual] : parts) {
            const std::string &used = name == claim_name ? value : usual;
            is_replaced = is_replaced || name == claim_name;
            if (!used.empty()) {
                made += (made.empty() ? "" : ",") + ("\"" + std::string(name) + "\":" + used);
            }
        }
        if (!is_replaced) {
            made += ",\"" + claim_name + "\":" + value;
        }
        claims(claim_name + " is " + (value.empty() ? "missing" : value.substr(0, 40)),
               "{" + made + "}");
    }
};

std::string with_algorithm(const std::string &value, const std::string &id) {
    return R"({"alg":)" + value + R"(,"typ":"JWT","kid":")" + id + "\"}";
}

void add_algorithms(Maker &make) {
    for (const char *value : {"\"none\"",
                              "\"None\"",
                              "\"NONE\"",
                              "\"nOnE\"",
                              "\"\"",
                              "\"HS384\"",
                              "\"HS512\"",
                              "\"RS384\"",
                              "\"RS512\"",
                              "\"PS256\"",
                              "\"ES384\"",
                              "\"ES256K\"",
                              "\"EdDSA448\"",
                              "\"hs256\"",
                              "\"HS256 \"",
                              "\" HS256\"",
                              "\"HS256\\u0000\"",
                              "[\"HS256\"]",
                              "null",
                              "1",
                              "true",
                              "{}",
                              "[]"}) {
        const std::string header = with_algorithm(value, "h1");
        make.header(std::string("alg is ") + value, header);
        if (std::string(value).find('n') != std::string::npos) {
            make.add(std::string("unsigned, alg is ") + value,
                     Maker::text(header, make.good_claims()) + ".");
        }
    }
    make.header("no alg", R"({"typ":"JWT","kid":"h1"})");
    // Every key with every other key's algorithm, signed by either.
    for (const std::string id : kIds) {
        for (const std::string other : kIds) {
            if (id == other) {
                continue;
            }
            const std::string mixed =
                with_algorithm("\"" + std::string(algorithm_of(other)) + "\"", id);
            make.add(id + " with the algorithm of " + other + ", signed by " + id,
                     make.issuer.token(id, mixed, make.good_claims()));
            make.add(id + " with the algorithm of " + other + ", signed by " + other,
                     make.issuer.token(other, mixed, make.good_claims()));
            make.add(id + " signed by " + other,
                     make.issuer.token(other, header_of(id), make.good_claims()));
        }
    }
    // What everybody knows, taken for a secret.
    const std::pair<const char *, std::string> known[] = {
        {"r1", public_der(make.issuer.rsa.get())},
        {"r1", rsa_modulus(make.issuer.rsa.get())},
        {"r1", make.issuer.entry("r1")},
        {"r1", ""},
        {"e1", public_der(make.issuer.p256.get())},
        {"e1", p256_point(make.issuer.p256.get())},
        {"e1", ""},
        {"d1", public_der(make.issuer.ed25519.get())},
        {"d1", ed25519_point(make.issuer.ed25519.get())},
        {"d1", ""},
        {"h1", ""},
        {"h1", "h1"}};
    for (const auto &[id, secret] : known) {
        for (const std::string &header : {header_of(id), with_algorithm("\"HS256\"", id)}) {
            const std::string text = Maker::text(header, make.good_claims());
            make.add(std::string("HMAC by what is public of ") + id,
                     text + "." + base64url(hmac_sha256(secret, text)));
        }
    }
}

void add_headers(Maker &make) {
    for (const char *kid : {"\"h2\"", "\"\"", "\"H1\"", "\"h1 \"", "\"h1\\u0000\"", "null", "1",
                            "true", "[\"h1\"]", "{}", "\"../../../dev/null\"", "\"/dev/zero\"",
                            "\"' OR 1=1 --\"", "\"*\"", "\"h\"", "\"h0\""}) {
        make.header(std::string("kid is ") + kid,
                    R"({"alg":"HS256","typ":"JWT","kid":)" + std::string(kid) + "}");
    }
    make.header("no kid where there are several keys", R"({"alg":"HS256","typ":"JWT"})");
    for (const char *more :
         {R"("crit":["exp"])", R"("crit":[])", R"("b64":false)", R"("b64":true)", R"("zip":"DEF")",
          R"("enc":"A256GCM")", R"("cty":"JWT")", R"("kid":"h1")", R"("alg":"HS256")",
          R"("al\u0067":"HS256")", R"("k\u0069d":"r1")", R"("a":[[[[1]]]])", R"("a":)", R"("a")",
          R"(a:1)", R"('a':1)", R"("a":1,)", R"("a":"\x")", "\"a\":\"\n\""}) {
        make.header(std::string("with ") + more,
                    R"({"alg":"HS256","kid":"h1",)" + std::string(more) + "}");
    }
    for (const char *typ : {"1", "null", "\"JWE\"", "\"dpop+jwt\"", "\"\"", "[\"JWT\"]"}) {
        make.header(std::string("typ is ") + typ,
                    R"({"alg":"HS256","kid":"h1","typ":)" + std::string(typ) + "}");
    }
    const std::string plain = header_of("h1");
    for (const auto &[name, value] : std::initializer_list<std::pair<const char *, std::string>>{
             {"empty", ""},
             {"a list", "[" + plain + "]"},
             {"a text", "\"HS256\""},
             {"a number", "1"},
             {"null", "null"},
             {"an empty object", "{}"},
             {"twice", plain + plain},
             {"followed by text", plain + "x"},
             {"followed by NUL", plain + std::string(1, '\0')},
             {"followed by NUL and text", plain + std::string(1, '\0') + "x"},
             {"after a byte order mark", "\xEF\xBB\xBF" + plain},
             {"with a comment", "/**/" + plain},
             {"cut", plain.substr(0, plain.size() - 1)},
             {"no UTF-8", R"({"alg":"HS256","kid":"h1","a":")" + std::string("\xFF") + "\"}"},
             {"overlong UTF-8",
              R"({"alg":"HS256","kid":"h1","a":")" + std::string("\xC0\xAF") + "\"}"}}) {
        make.header(name, value);
    }
    // Keys that come with the token are nobody's.
    const Key own = new_ed25519_key();
    const std::string own_jwk =
        R"({"kty":"OKP","crv":"Ed25519","x":")" + base64url(ed25519_point(own.get())) + "\"}";
    for (const std::string &more :
         {R"("jwk":)" + own_jwk, std::string(R"("jku":"https://attacker.test/keys")"),
          std::string(R"("x5u":"https://attacker.test/key")"), std::string(R"("x5c":["AAAA"])")}) {
        for (const char *id : {"d1", "own"}) {
            const std::string header =
                R"({"alg":"EdDSA","kid":")" + std::string(id) + "\"," + more + "}";
            const std::string text = Maker::text(header, make.good_claims());
            make.add("key of its own, kid " + std::string(id) + ", " + more.substr(0, 5),
                     text + "." + base64url(sign(own.get(), text)));
        }
    }
}

void add_signatures(Maker &make) {
    for (const std::string id : kIds) {
        const std::string good = make.good(id);
        const std::string text = good.substr(0, good.rfind('.'));
        const std::string signature = make.issuer.signature(id, text);
        for (std::size_t i = 0; i < signature.size(); i += signature.size() / 16) {
            std::string flipped = signature;
            flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
            make.add(id + ": bit flip in byte " + std::to_string(i) + " of the signature",
                     text + "." + base64url(flipped));
        }
        for (std::size_t i = 0; i < text.size(); i += 13) {
            std::string changed = good;
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            make.add(id + ": character " + std::to_string(i) + " changed", changed);
        }
        const std::string zeros(signature.size(), '\0');
        for (const auto &[name, made] : std::initializer_list<std::pair<const char *, std::string>>{
                 {"no signature", ""},
                 {"signature of one byte", "x"},
                 {"signature cut", signature.substr(0, signature.size() - 1)},
                 {"signature half", signature.substr(0, signature.size() / 2)},
                 {"signature longer", signature + std::string(1, '\0')},
                 {"signature twice", signature + signature},
                 {"signature behind a zero", std::string(1, '\0') + signature},
                 {"signature of zeros", zeros},
                 {"signature of ones", std::string(signature.size(), '\xFF')},
                 {"signature of another text", make.issuer.signature(id, text + "x")}}) {
            make.add(id + ": " + name, text + "." + base64url(made));
        }
        make.add(id + ": claims of another token",
                 text.substr(0, text.find('.')) + "." +
                     base64url(claims_of("other", make.now + 60)) + "." + base64url(signature));
    }
}

void add_shapes(Maker &make) {
    const std::string good = make.good("h1");
    const std::size_t first = good.find('.');
    const std::size_t second = good.rfind('.');
    for (const auto &[name, made] : std::initializer_list<std::pair<const char *, std::string>>{
             {"empty", ""},
             {"a dot", "."},
             {"two dots", ".."},
             {"three dots", "..."},
             {"one part", "abc"},
             {"two parts", good.substr(0, second)},
             {"no header", good.substr(first)},
             {"no claims", good.substr(0, first + 1) + good.substr(second)},
             {"four parts", good + ".AAAA"},
             {"a dot behind", good + "."},
             {"a dot before", "." + good},
             {"five parts", good + ".AAAA.AAAA"},
             {"a blank behind", good + " "},
             {"a blank before", " " + good},
             {"a line end behind", good + "\n"},
             {"a tab inside", good.substr(0, 5) + "\t" + good.substr(5)},
             {"a scheme before", "Bearer " + good},
             {"quotes", "\"" + good + "\""},
             {"padding", good + "="},
             {"padding twice", good + "=="},
             {"padding in the header", good.substr(0, first) + "=" + good.substr(first)},
             {"percent", good + "%3D"},
             {"a plus", good.substr(0, second + 1) + "+" + good.substr(second + 2)},
             {"a slash", good.substr(0, second + 1) + "/" + good.substr(second + 2)},
             {"an ellipsis", good.substr(0, 10) + "\xE2\x80\xA6"},
             {"not ASCII", good.substr(0, 10) + "\xC3\xA9" + good.substr(10)},
             {"a letter more", good + "A"},
             {"general form", R"({"payload":")" + good.substr(first + 1, second - first - 1) +
                                  R"(","protected":")" + good.substr(0, first) +
                                  R"(","signature":")" + good.substr(second + 1) + "\"}"},
             {"in capitals", [&] {
                  std::string upper = good;
                  for (char &character : upper) {
                      if (character >= 'a' && character <= 'z') {
                          character = static_cast<char>(character - 32);
                      }
                  }
                  return upper;
              }()}}) {
        make.add(std::string("shape: ") + name, made);
    }
    // Of 32 bytes the last character carries four bits: each other character that carries the same.
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const std::size_t last = alphabet.find(good.back());
    for (std::size_t low = 1; low < 4; ++low) {
        make.add("shape: " + std::to_string(low) + " in the bits left over",
                 good.substr(0, good.size() - 1) + alphabet[last + low]);
    }
    for (std::size_t size = 1; size < good.size(); size += 9) {
        make.add("shape: cut to " + std::to_string(size), good.substr(0, size));
    }
    make.claims(
        "a token of 9 KiB", good.empty() ? "" : [&] {
            std::string claims = make.good_claims();
            claims.insert(claims.size() - 1, ",\"a\":\"" + std::string(6 * 1024, 'x') + "\"");
            return claims;
        }());
    make.add("shape: one megabyte", std::string(1024 * 1024, 'A'));
    make.add("shape: many dots", std::string(8000, '.'));
}

void add_claims(Maker &make) {
    const std::string now = std::to_string(make.now);
    for (const std::string &exp : {std::string(),
                                   std::string("null"),
                                   std::string("true"),
                                   std::string("\"4102444800\""),
                                   std::string("4102444800.0"),
                                   std::string("4102444800.5"),
                                   std::string("4102444800e0"),
                                   std::string("41024448e2"),
                                   std::string("-1"),
                                   std::string("-4102444800"),
                                   std::string("0"),
                                   std::string("9223372036854775807"),
                                   std::string("9223372036854775808"),
                                   std::string("18446744073709551616"),
                                   std::string("1e400"),
                                   std::string("253402300800"),
                                   std::string("[4102444800]"),
                                   std::string("{}"),
                                   std::string("04102444800"),
                                   std::string("+4102444800"),
                                   std::string("0xF4865700"),
                                   std::string("NaN"),
                                   std::string("Infinity"),
                                   std::string("4102444800n"),
                                   std::string("4_102_444_800"),
                                   now,
                                   std::to_string(make.now - 1),
                                   std::to_string(make.now - 60),
                                   std::to_string(make.now - 86400)}) {
        make.claim("exp", exp);
    }
    for (const char *name : {"nbf", "iat"}) {
        for (const std::string &value :
             {std::to_string(make.now + 120), std::to_string(make.now + 3000), std::string("null"),
              std::string("\"1\""), std::string("1.5"), std::string("-1"), std::string("true"),
              std::string("[]"), std::string("9223372036854775808"), std::string("1e3")}) {
            make.claim(name, value);
        }
    }
    for (const char *aud :
         {"", "null", "1", "\"\"", "\"Entitle\"", "\"entitle \"", "\"entitl\"", "\"entitle2\"",
          "\"*\"", "[]", "[\"other\"]", "[\"entitle\",1]", "[[\"entitle\"]]", "{\"entitle\":1}",
          "\"entitle\\u0000\"", "\"entitle,other\""}) {
        make.claim("aud", aud);
    }
    for (const char *iss :
         {"", "null", "1", "\"\"", "\"https://issuer.test/\"", "\"https://Issuer.test\"",
          "\"http://issuer.test\"", "\"https://issuer.tes\"", "[\"https://issuer.test\"]",
          "\"https://issuer.test\\u0000\""}) {
        make.claim("iss", iss);
    }
    for (const char *sub :
         {"", "null", "1", "true", "\"\"", "[]", "{}", "\"\\u0000\"", "\"\\u0001\"", "\"a\\nb\"",
          "\"\\u007f\"", "\"\\ud800\"", "\"\\udc00\\ud800\""}) {
        make.claim("sub", sub);
    }
    make.claim("sub", "[\"" + make.login + "\"]");
    make.claim("sub", "\"" + make.login + "\\u0000\"");
    make.claim("sub", "\"\\u0000" + make.login + "\"");

    const std::string plain = make.good_claims();
    const std::string open = plain.substr(0, plain.size() - 1);
    for (const char *more : {R"(,"sub":"other"})",
                             R"(,"s\u0075b":"other"})",
                             R"(,"exp":4102444800})",
                             R"(,"aud":"entitle"})",
                             R"(,"iss":"https://issuer.test"})",
                             R"(,"nbf":1,"nbf":1})",
                             R"(,"a":1,"a":2})",
                             R"(,"a":{"b":1,"b":2}})",
                             R"(,"a":[[[[]]]]})",
                             R"(,"a":{"b":{"c":{"d":{}}}}})",
                             R"(,})",
                             R"(,"a":01})",
                             R"(,"a":.5})",
                             R"(,"a":1.})",
                             R"(,"a":tru})",
                             R"(}})",
                             R"(} })",
                             R"(,"a":"\ud800"})",
                             R"(,"a":"\u12"})",
                             R"(} // end)",
                             R"(} {})",
                             R"(,"":1,"":2})"}) {
        make.claims(std::string("with ") + more, open + more);
    }
    make.claims("nested 1000 deep",
                open + ",\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}");
    make.claims("nested 2500 deep and open", open + ",\"a\":" + std::string(2500, '{'));
    make.claims("no UTF-8", open + ",\"a\":\"\xFF\xFE\"}");
    make.claims("surrogates in UTF-8", open + ",\"a\":\"\xED\xA0\x80\"}");
    make.claims("NUL behind", plain + std::string(1, '\0'));
    make.claims("byte order mark", "\xEF\xBB\xBF" + plain);
    make.claims("a list", "[" + plain + "]");
    make.claims("a text", "\"" + make.login + "\"");
    make.claims("null", "null");
    make.claims("empty", "");
    make.claims("an empty object", "{}");
    make.claims("cut", open);
}

} // namespace

std::vector<BadToken> bad_tokens(const Issuer &issuer, const std::string &login, std::int64_t now) {
    Maker make{issuer, login, now, {}};
    add_algorithms(make);
    add_headers(make);
    add_signatures(make);
    add_shapes(make);
    add_claims(make);
    return make.cases;
}

} // namespace forge
