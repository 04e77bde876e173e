// Decides what an external user gets of one customer: the level, and the days-back window (R33 to
// R40, R45). A grant is a fact; whether it counts today is decided here and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

// The six levels of R33; 0 stands for no access.
constexpr int kNoLevel = 0;
constexpr int kAdminLevel = 80;
constexpr int kOwnerLevel = 90;
constexpr int kLevels[] = {10, 20, 30, 40, 80, 90};

// Tells whether a number is one of the six levels.
bool is_level(int level) noexcept;

// Reads a stored role such as "L30". Returns: its level, 0 for anything else (R33: nothing else
// counts).
int parse_level(std::string_view role) noexcept;

// Writes a day as 2026-11-21, the infinities by name.
std::string day_text(Day day);

constexpr std::int32_t kUnlimitedDays = -1;
constexpr Day kFirstDay = INT32_MIN; // minus infinity
constexpr Day kLastDay = INT32_MAX;  // infinity

// One row of external_access, 24 bytes: users may have 100,000 of them.
struct Grant {
    CustomerId customer = 0;
    Day valid_from = kFirstDay; // inclusive (R40)
    Day valid_until = kLastDay; // inclusive
    std::int32_t days_back = 0; // days, kUnlimitedDays for no limit (R38)
    std::int16_t level = kNoLevel;
    bool is_customer_gone = false; // its row of an adopted table is (R64): the grant waits for it
};
static_assert(sizeof(Grant) == 24);

// What a row of external_access says. role: a level's key; none, or any other text, opens nothing.
// days_back: days, none for no limit; negative days, which the table refuses, open nothing.
// from, until: none for no bound.
Grant make_grant(CustomerId customer, std::optional<std::string_view> role,
                 std::optional<std::int32_t> days_back, std::optional<Day> from,
                 std::optional<Day> until) noexcept;

// Finds a customer's grant among grants sorted by customer. Returns: null when there is none.
const Grant *find_grant(const std::vector<Grant> &grants, CustomerId customer) noexcept;

// Decides the level a user has on a customer today. `grant` is the user's stored grant on that
// customer, null when there is none. Returns: 0, or one of the six levels (R1, R33, R34, R40, R45,
// R64).
int access_level(const Subject *subject, const Session &session, CustomerId customer,
                 const Grant *grant, Trace *trace = nullptr);

// Finds the first day inside a grant's window; minus infinity without a limit (R38).
Day earliest_day(const Grant &grant, const Session &session) noexcept;

// Tells whether a date lies inside a grant's window: date >= today - days, future dates too; no
// date is hidden under a limit (R38, R39). Dates saturate at the infinities.
bool in_window(const Grant &grant, const Session &session, std::optional<Day> date) noexcept;

// Decides whether a dated row of a customer is open to the user: at least `level` there, and the
// date inside the window.
Decision check_access(const Subject *subject, const Session &session, CustomerId customer,
                      const Grant *grant, int level, bool is_dated, std::optional<Day> date,
                      Trace *trace = nullptr);

// What all of a user's grants come to, level by level (in the order of kLevels).
struct GrantSummary {
    static constexpr std::size_t kCount = std::size(kLevels);
    std::size_t customers[kCount] = {}; // with at least that level today
    Day earliest[kCount] = {}; // first day any of their windows reaches; kLastDay without customers
    std::size_t limited[kCount] = {};        // customers of those whose window has a first day
    std::uint64_t fingerprints[kCount] = {}; // of the customers, and which of them are limited
};

// Sums up the grants; only those that count today are counted.
GrantSummary summarize(const Subject *subject, const Session &session,
                       const std::vector<Grant> &grants);

// Returns: the place of a level in kLevels; none for a number that is no level.
std::optional<std::size_t> level_place(int level) noexcept;

// Decides whether the user may see and manage the external access of a customer: with
// external_access.manage in the customer's brand, or with L80 or L90 there (R41).
Decision check_manages_access(const Subject *subject, const Session &session, CustomerId customer,
                              std::optional<BrandId> brand, const Grant *grant,
                              Trace *trace = nullptr);

} // namespace entitle
