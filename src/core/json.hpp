// JSON as tokens and key files need it: small, shallow, and read in one way only. Two members of
// one name, bytes that are no UTF-8, and anything before or after the one value are errors, because
// another reader could make something else of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace entitle {

using JsonValue = nlohmann::json;

// Parses an object nested no deeper than `max_depth`, itself counted.
std::optional<JsonValue> parse_json_object(std::string_view text, std::size_t max_depth);

// Returns: the object's member of that name, null when there is none.
const JsonValue *find_member(const JsonValue &object, std::string_view name);

// Returns: the text, or the whole number; null, or none, for any other value. A number with a
// fraction, an exponent or beyond 64 bits is none, whatever it is.
const std::string *find_text(const JsonValue &value) noexcept;
std::optional<std::int64_t> whole_number(const JsonValue &value) noexcept;

} // namespace entitle
