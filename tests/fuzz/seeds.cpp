// Writes the fuzzer's first inputs into a folder: one file for each case of the corpus, good tokens
// and a key file.
#include <fstream>
#include <string>

#include "../token/corpus.hpp"

int main(int count, char **arguments) {
    if (count != 2) {
        return 2;
    }
    const forge::Issuer issuer;
    int number = 0;
    const auto write = [&](char kind, const std::string &text) {
        std::ofstream(std::string(arguments[1]) + "/" + std::to_string(number++)) << kind << text;
    };
    for (const auto &bad : forge::bad_tokens(issuer, "ann", 1'800'000'000)) {
        if (bad.token.size() < 4096) {
            write('0', bad.token);
        }
    }
    const std::string claims = forge::claims_of("ann", 1'800'000'010);
    write('0', issuer.token("h1", claims));
    write('1', claims);
    write('1', claims.substr(0, claims.size() - 1) + R"(,"nbf":1,"iat":2,"a":[1,{"b":"\u00e9"}]})");
    write('2', forge::header_of("h1"));
    write('3', issuer.key_file());
    return 0;
}
