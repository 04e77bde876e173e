// The JSON reader, on the event parser of nlohmann-json, which neither recurses nor builds
// anything.
#include "core/json.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/pure.hpp"

namespace entitle {

namespace {

// Builds the value from events; an event that returns false ends the parse.
class Builder {
  public:
    explicit Builder(std::size_t max_depth) : max_depth_(max_depth) {}

    bool null() { return add(JsonValue{}); }
    bool boolean(bool flag) {
        JsonValue value;
        value.type = JsonType::boolean;
        value.flag = flag;
        return add(std::move(value));
    }
    bool number_integer(std::int64_t number) {
        JsonValue value;
        value.type = JsonType::integer;
        value.number = number;
        return add(std::move(value));
    }
    bool number_unsigned(std::uint64_t number) {
        return number <= INT64_MAX ? number_integer(static_cast<std::int64_t>(number))
                                   : number_float(0, {});
    }
    bool number_float(double, const std::string &) {
        JsonValue value;
        value.type = JsonType::fraction;
        return add(std::move(value));
    }
    bool string(std::string &text) {
        JsonValue value;
        value.type = JsonType::text;
        value.text = std::move(text);
        return add(std::move(value));
    }
    bool binary(nlohmann::json::binary_t &) { return false; }
    bool key(std::string &name) {
        JsonValue &object = open_.back();
        if (object.find(name) != nullptr) {
            return false;
        }
        object.members.push_back(JsonMember{std::move(name), JsonValue{}});
        return true;
    }
    bool start_object(std::size_t) { return open(JsonType::object); }
    bool start_array(std::size_t) { return !open_.empty() && open(JsonType::array); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool parse_error(std::size_t, const std::string &, const nlohmann::json::exception &) {
        return false;
    }

    JsonValue take() { return std::move(root_); }

  private:
    bool open(JsonType type) {
        if (open_.size() >= max_depth_) {
            return false;
        }
        open_.emplace_back();
        open_.back().type = type;
        return true;
    }

    bool close() {
        JsonValue value = std::move(open_.back());
        open_.pop_back();
        if (open_.empty()) {
            root_ = std::move(value);
            return true;
        }
        return add(std::move(value));
    }

    bool add(JsonValue value) {
        if (open_.empty()) {
            return false;
        }
        JsonValue &parent = open_.back();
        if (parent.type == JsonType::object) {
            parent.members.back().value = std::move(value); // its name came before
        } else {
            parent.members.push_back(JsonMember{{}, std::move(value)});
        }
        return true;
    }

    std::size_t max_depth_;
    std::vector<JsonValue> open_; // outermost first
    JsonValue root_;
};

} // namespace

const JsonValue *JsonValue::find(std::string_view name) const noexcept {
    const auto at = std::find_if(members.begin(), members.end(),
                                 [&](const JsonMember &member) { return member.name == name; });
    return at == members.end() ? nullptr : &at->value;
}

std::optional<JsonValue> parse_json_object(std::string_view text, std::size_t max_depth) {
    // The parser would skip a byte order mark and take a NUL for the end.
    if (text.empty() || static_cast<unsigned char>(text.front()) >= 0x80 ||
        text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    Builder builder(max_depth);
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
        return std::nullopt;
    }
    return builder.take();
}

} // namespace entitle
