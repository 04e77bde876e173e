// The JSON reader, on nlohmann-json, which takes what is odd and is told here to refuse it.
#include "core/json.hpp"

#include <set>
#include <vector>

#include "core/pure.hpp"

namespace entitle {

std::optional<JsonValue> parse_json_object(std::string_view text, std::size_t max_depth) {
    // The parser would skip a byte order mark and take a NUL for the end.
    if (text.empty() || static_cast<unsigned char>(text.front()) >= 0x80 ||
        text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::vector<std::set<std::string>> names; // of the objects that are open, outermost first
    bool is_refused = false;
    // What it says no to is left out, and the parser neither recurses nor ends.
    const auto take = [&](int depth, JsonValue::parse_event_t event, const JsonValue &parsed) {
        using Event = JsonValue::parse_event_t;
        if (event == Event::object_start || event == Event::array_start) {
            is_refused = is_refused || static_cast<std::size_t>(depth) >= max_depth;
        }
        if (is_refused) {
            return false;
        }
        if (event == Event::object_start) {
            names.emplace_back();
        } else if (event == Event::object_end) {
            names.pop_back();
        } else if (event == Event::key) {
            is_refused = !names.back().insert(parsed.get_ref<const std::string &>()).second;
        }
        return !is_refused;
    };
    JsonValue value = JsonValue::parse(text.begin(), text.end(), take, false);
    return is_refused || !value.is_object() ? std::nullopt
                                            : std::optional<JsonValue>(std::move(value));
}

const JsonValue *find_member(const JsonValue &object, std::string_view name) {
    const auto at = object.find(name);
    return at == object.end() ? nullptr : &*at;
}

const std::string *find_text(const JsonValue &value) noexcept {
    return value.get_ptr<const std::string *>();
}

std::optional<std::int64_t> whole_number(const JsonValue &value) noexcept {
    const auto *large = value.get_ptr<const std::uint64_t *>();
    if (!value.is_number_integer() || (large != nullptr && *large > INT64_MAX)) {
        return std::nullopt;
    }
    return value.get<std::int64_t>();
}

} // namespace entitle
