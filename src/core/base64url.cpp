// The strict decoder of base64url.
#include "core/base64url.hpp"

#include <cstdint>

#include "core/pure.hpp"

namespace entitle {

namespace {

// Returns: the six bits a character stands for, -1 for any other character.
int sextet(char character) noexcept {
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52;
    }
    if (character == '-') {
        return 62;
    }
    return character == '_' ? 63 : -1;
}

} // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
    if (text.size() % 4 == 1) {
        return std::nullopt;
    }
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char character : text) {
        const int value = sextet(character);
        if (value < 0) {
            return std::nullopt;
        }
        pending = (pending << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFU;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>(pending >> bits & 0xFFU));
        }
    }
    if ((pending & ((1U << bits) - 1U)) != 0) {
        return std::nullopt;
    }
    return bytes;
}

} // namespace entitle
