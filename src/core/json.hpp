// JSON as tokens and key files need it: small, shallow, and read in one way only. Two members of
// one name, bytes that are no UTF-8, and anything before or after the one value are errors, because
// another reader could make something else of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entitle {

enum class JsonType { null, boolean, integer, fraction, text, array, object };

struct JsonMember;

struct JsonValue {
    JsonType type = JsonType::null;
    bool flag = false;
    std::int64_t number = 0;
    std::string text;
    std::vector<JsonMember> members; // of an object, or of an array with empty names

    // Returns: the member of that name, null when there is none.
    const JsonValue *find(std::string_view name) const noexcept;
};

struct JsonMember {
    std::string name;
    JsonValue value;
};

// Parses an object nested no deeper than `max_depth`, itself counted. A number with a fraction, an
// exponent or beyond 64 bits is a `fraction`, whatever its value.
std::optional<JsonValue> parse_json_object(std::string_view text, std::size_t max_depth);

} // namespace entitle
