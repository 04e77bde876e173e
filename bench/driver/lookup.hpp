// What the two kinds of lookups by key share: those in one session, and those through pgbench.
#pragma once

#include <optional>
#include <string>

namespace bench {

constexpr const char *kLookup = "SELECT amount FROM bench.orders WHERE id = ";

// How a statement reaches the server, as pgbench calls it.
constexpr const char *kModes[] = {"simple", "extended", "prepared"};

struct Reader {
    const char *login;
    double target;
};

constexpr Reader kReaders[] = {{"staff", 1.10}, {"outsider_100", 1.20}};

// What is planned anew each time is no lookup alone: that has a target of its own (planning).
inline std::optional<double> target_of(const Reader &reader, const std::string &mode) {
    return mode == "prepared" ? std::optional(reader.target) : std::nullopt;
}

} // namespace bench
