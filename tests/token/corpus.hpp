// Tokens that must be refused, whoever asks: a table of cases with names, made anew in every run.
// The unit tests put them to the core, the client tests to a server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge.hpp"

namespace forge {

struct BadToken {
    std::string name;
    std::string token;
};

// Every case for a user who exists, at a time that counts as now.
std::vector<BadToken> bad_tokens(const Issuer &issuer, const std::string &login, std::int64_t now);

} // namespace forge
