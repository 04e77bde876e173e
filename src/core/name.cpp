// Names and keys.
#include "core/name.hpp"

#include <string>

#include "core/pure.hpp"

namespace entitle {

namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";
constexpr std::string_view kLogin = "login";
constexpr std::string_view kMetric = "metric_key";

// B-tree indexes take 2704 bytes a row, and some of the model's hold two keys.
constexpr std::size_t kMaxKeyBytes = 1000;

// Characters that show nothing, or move what stands beside them: controls, spaces, joiners, marks
// of direction, fillers, variation selectors and tags.
constexpr struct {
    char32_t first;
    char32_t last;
} kInvisible[] = {
    {0x0000, 0x0020},   {0x007F, 0x00A0},   {0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x061C, 0x061C},
    {0x115F, 0x1160},   {0x1680, 0x1680},   {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x2000, 0x200F},
    {0x2028, 0x202F},   {0x205F, 0x206F},   {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},
    {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

bool is_invisible(char32_t character) noexcept {
    for (const auto &range : kInvisible) {
        if (character >= range.first && character <= range.last) {
            return true;
        }
    }
    return false;
}

bool is_continuation(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// The character that a text begins with. Requires: not empty. What is no UTF-8 becomes a character
// that shows.
char32_t first_character(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) {
        return lead;
    }
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC0 || text.size() < size) {
        return U'?';
    }
    char32_t character = lead & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        character = (character << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    return character;
}

char32_t last_character(std::string_view text) noexcept {
    std::size_t at = text.size() - 1;
    while (at > 0 && is_continuation(text[at])) {
        --at;
    }
    return first_character(text.substr(at));
}

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(kBlanks);
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

} // namespace

bool is_blank(std::string_view text) noexcept {
    return text.find_first_not_of(kBlanks) == std::string_view::npos;
}

Result<Passed> check_not_blank(std::string_view field, std::string_view text) {
    if (is_blank(text)) {
        return Error::broken_rule("field \"" + std::string(field) + "\" cannot be blank",
                                  "Give it at least one visible character.");
    }
    return Passed{};
}

Result<Passed> check_short(std::string_view field, std::string_view text) {
    if (text.size() > kMaxKeyBytes) {
        return Error::broken_rule("field \"" + std::string(field) + "\" takes at most " +
                                      std::to_string(kMaxKeyBytes) + " bytes",
                                  "Give a shorter one: it is a key, which indexes hold.");
    }
    return Passed{};
}

Result<Passed> check_login_ends(std::string_view login) {
    if (!login.empty() &&
        (is_invisible(first_character(login)) || is_invisible(last_character(login)))) {
        return Error::broken_rule(
            "a login neither begins nor ends with a blank",
            "Logins match byte for byte: leave the blank out, or the character that does "
            "not show.");
    }
    return Passed{};
}

Result<Passed> check_name(std::string_view field, std::string_view text) {
    Result<Passed> filled = check_not_blank(field, text);
    if (!filled.ok()) {
        return filled;
    }
    Result<Passed> is_short = check_short(field, text);
    if (!is_short.ok()) {
        return is_short;
    }
    if (field == kLogin) {
        return check_login_ends(text);
    }
    if (field == kMetric && trimmed(text) == "*") {
        return Error::broken_rule(
            "a metric is not called \"*\"",
            "In role_metric, * stands for every metric (R30): choose another key.");
    }
    return Passed{};
}

} // namespace entitle
