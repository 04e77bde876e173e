// Errors as values: the only failure channel of core. A Result holds a value or an Error, never
// both; the pg layer maps ErrorCode to an SQLSTATE in one place (pg/boundary/raise.cpp).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace entitle {

enum class ErrorCode {
    bad_value,   // 22023: an argument that no call could accept
    denied,      // 42501: the subject may not
    broken_rule, // 23514: stored data would break a rule
    wrong_state, // 55000: not now
};

struct Error {
    ErrorCode code;
    std::string message; // lower case, one line, no full stop
    std::string detail;  // what happened, a full sentence, may be empty
    std::string hint;    // what to do, a full sentence, may be empty

    static Error bad_value(std::string message, std::string hint, std::string detail = {}) {
        return make(ErrorCode::bad_value, message, detail, hint);
    }
    static Error denied(std::string message, std::string hint, std::string detail = {}) {
        return make(ErrorCode::denied, message, detail, hint);
    }
    static Error broken_rule(std::string message, std::string hint, std::string detail = {}) {
        return make(ErrorCode::broken_rule, message, detail, hint);
    }

  private:
    static Error make(ErrorCode code, std::string &message, std::string &detail,
                      std::string &hint) {
        return {code, std::move(message), std::move(detail), std::move(hint)};
    }
};

// The value of a check that has no answer but "yes".
struct Passed {};

template <typename T> class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const noexcept { return state_.index() == 0; }
    // Requires: ok().
    const T &value() const { return std::get<0>(state_); }
    // Requires: !ok().
    const Error &error() const { return std::get<1>(state_); }

  private:
    std::variant<T, Error> state_;
};

} // namespace entitle
