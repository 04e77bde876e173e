// Names and keys.
#include "core/name.hpp"

#include <string>

#include "core/pure.hpp"

namespace entitle {

namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";
constexpr std::string_view kLogin = "login";
constexpr std::string_view kMetric = "metric_key";

Error broken(std::string message, std::string hint) {
    return Error{ErrorCode::broken_rule, std::move(message), {}, std::move(hint)};
}

bool has_blank_end(std::string_view text) noexcept {
    return kBlanks.find(text.front()) != std::string_view::npos ||
           kBlanks.find(text.back()) != std::string_view::npos;
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
        return broken("field \"" + std::string(field) + "\" cannot be blank",
                      "Give it at least one visible character.");
    }
    return Passed{};
}

Result<Passed> check_name(std::string_view field, std::string_view text) {
    Result<Passed> filled = check_not_blank(field, text);
    if (!filled.ok()) {
        return filled;
    }
    if (field == kLogin && has_blank_end(text)) {
        return broken("a login neither begins nor ends with a blank",
                      "Logins match byte for byte: leave the blank out.");
    }
    if (field == kMetric && trimmed(text) == "*") {
        return broken("a metric is not called \"*\"",
                      "In role_metric, * stands for every metric (R30): choose another key.");
    }
    return Passed{};
}

} // namespace entitle
