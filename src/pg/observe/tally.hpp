// What was seen of tables in report mode, summed up by table, user, action and gate until the
// transaction commits, when it is written to entitle.reported_rows. After each statement the
// server's log tells of it.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entitle::pg {

struct Group {
    Oid relation = InvalidOid;
    bool is_owner_told = true;        // whether all that was counted here may be told to its owner
    std::optional<std::string> login; // none: nobody is signed in
    const char *action = nullptr;     // of static memory
    std::string gate;
    std::int64_t rows = 0;
    std::int64_t told = 0; // of them, in the log
    std::vector<std::string> keys;
    TimestampTz first = 0;
    TimestampTz last = 0;
};

// Keys that a group shows.
constexpr std::size_t kMaxSampleKeys = 5;

// Finds or makes the group. It stays where it is until tally_version() changes. regime: C++
Group &find_group(Oid relation, std::optional<std::string_view> login, const char *action,
                  std::string_view gate);
std::uint64_t tally_version() noexcept;

// Tells the server's log what was counted since it was told last. regime: C
void tell_log();

void install_tally();

} // namespace entitle::pg
