// External access: levels, validity and windows.
#include "core/access.hpp"

#include <algorithm>
#include <string>

#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

std::string level_text(int level) { return "L" + std::to_string(level); }

// A level, or the gate that left none.
struct Standing {
    int level = kNoLevel;
    std::optional<Gate> failed;
};

// The gates from R1 to the level a grant gives today.
Standing find_standing(const Subject *subject, const Session &session, CustomerId customer,
                       const Grant *grant, const Recorder &recorder) {
    const auto fail = [&](Gate gate, auto &&detail) {
        return Standing{kNoLevel, recorder.fail(gate, detail).failed};
    };
    if (subject == nullptr || !subject->is_active) {
        return fail(Gate::identity, [&] {
            return subject == nullptr ? std::string("nobody is signed in")
                                      : "user \"" + subject->login + "\" is switched off";
        });
    }
    recorder.pass(Gate::identity, [&] { return "user \"" + subject->login + "\" is active"; });
    if (session.chosen_customer && *session.chosen_customer != customer) {
        return fail(Gate::customer, [&] {
            return "customer " + std::to_string(*session.chosen_customer) +
                   " is chosen, so no other customer's grant counts";
        });
    }
    if (grant == nullptr || grant->customer != customer) {
        return fail(Gate::customer,
                    [] { return std::string("the user has no grant for this customer"); });
    }
    recorder.pass(Gate::customer,
                  [&] { return "a grant of " + level_text(grant->level) + " for this customer"; });
    if (grant->is_customer_gone) {
        return fail(Gate::customer, [] {
            return std::string("the customer's row is gone from the table it was adopted from; the "
                               "grant waits until it comes back");
        });
    }
    if (session.today < grant->valid_from || session.today > grant->valid_until) {
        return fail(Gate::validity, [&] {
            return session.today < grant->valid_from
                       ? "the grant begins on " + day_text(grant->valid_from) + ", today is " +
                             day_text(session.today)
                       : "the grant ended on " + day_text(grant->valid_until) + ", today is " +
                             day_text(session.today);
        });
    }
    recorder.pass(Gate::validity, [&] {
        std::string text = "the grant is valid today";
        if (grant->valid_from != kFirstDay) {
            text += ", from " + day_text(grant->valid_from);
        }
        if (grant->valid_until != kLastDay) {
            text += ", until " + day_text(grant->valid_until);
        }
        return text;
    });
    if (!is_level(grant->level)) {
        return fail(Gate::level, [&] { return level_text(grant->level) + " is not a level"; });
    }
    return Standing{grant->level, std::nullopt};
}

} // namespace

std::optional<std::size_t> level_place(int level) noexcept {
    const auto *at = std::find(std::begin(kLevels), std::end(kLevels), level);
    return at == std::end(kLevels) ? std::nullopt
                                   : std::optional<std::size_t>(at - std::begin(kLevels));
}

std::string day_text(Day day) {
    if (day == kFirstDay || day == kLastDay) {
        return day == kFirstDay ? "-infinity" : "infinity";
    }
    // Years run from March, so that the day that comes and goes is the last one. Four hundred years
    // have the same days again; these count from the first of March of the year 0.
    constexpr std::int64_t kDaysOfEra = 146097;
    constexpr std::int64_t kDayOf2000 = 730425;
    const std::int64_t days = day + kDayOf2000;
    const std::int64_t era = (days >= 0 ? days : days - kDaysOfEra + 1) / kDaysOfEra;
    const std::int64_t of_era = days - era * kDaysOfEra;
    const std::int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (kDaysOfEra - 1)) / 365;
    const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t from_march = (5 * of_year + 2) / 153;
    const std::int64_t date = of_year - (153 * from_march + 2) / 5 + 1;
    const std::int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    const auto two = [](std::int64_t number) {
        return (number < 10 ? "0" : "") + std::to_string(number);
    };
    // PostgreSQL's way: no year 0, and BC after the date.
    std::string text = std::to_string(year > 0 ? year : 1 - year);
    text.insert(0, text.size() < 4 ? 4 - text.size() : 0, '0');
    return text + "-" + two(month) + "-" + two(date) + (year > 0 ? "" : " BC");
}

bool is_level(int level) noexcept { return level_place(level).has_value(); }

int parse_level(std::string_view role) noexcept {
    if (role.size() != 3 || role[0] != 'L' || role[2] != '0' || role[1] < '0' || role[1] > '9') {
        return kNoLevel;
    }
    const int level = (role[1] - '0') * 10;
    return is_level(level) ? level : kNoLevel;
}

const Grant *find_grant(const std::vector<Grant> &grants, CustomerId customer) noexcept {
    const auto at = std::lower_bound(
        grants.begin(), grants.end(), customer,
        [](const Grant &grant, CustomerId wanted) { return grant.customer < wanted; });
    return at == grants.end() || at->customer != customer ? nullptr : &*at;
}

Grant make_grant(CustomerId customer, std::optional<std::string_view> role,
                 std::optional<std::int32_t> days_back, std::optional<Day> from,
                 std::optional<Day> until) noexcept {
    // -1 stands for no limit in a Grant; in the table it is a number of days like any negative one.
    constexpr std::int32_t kNegativeDays = kUnlimitedDays - 1;
    const bool is_negative = days_back && *days_back < 0;
    Grant grant;
    grant.customer = customer;
    grant.valid_from = from.value_or(kFirstDay);
    grant.valid_until = until.value_or(kLastDay);
    grant.days_back = is_negative ? kNegativeDays : days_back.value_or(kUnlimitedDays);
    grant.level = static_cast<std::int16_t>(role && !is_negative ? parse_level(*role) : kNoLevel);
    return grant;
}

int access_level(const Subject *subject, const Session &session, CustomerId customer,
                 const Grant *grant, Trace *trace) {
    return find_standing(subject, session, customer, grant, Recorder(trace)).level;
}

Day earliest_day(const Grant &grant, const Session &session) noexcept {
    if (grant.days_back == kUnlimitedDays) {
        return kFirstDay;
    }
    if (grant.days_back < 0) {
        return kLastDay;
    }
    const auto earliest =
        static_cast<std::int64_t>(session.today) - static_cast<std::int64_t>(grant.days_back);
    // Minus infinity is earlier than every day, however far back the window reaches.
    return earliest <= kFirstDay ? kFirstDay + 1 : static_cast<Day>(earliest);
}

bool in_window(const Grant &grant, const Session &session, std::optional<Day> date) noexcept {
    if (grant.days_back == kUnlimitedDays) {
        return true;
    }
    return date && grant.days_back >= 0 && *date >= earliest_day(grant, session);
}

Decision check_access(const Subject *subject, const Session &session, CustomerId customer,
                      const Grant *grant, int level, bool is_dated, std::optional<Day> date,
                      Trace *trace) {
    const Recorder recorder(trace);
    const Standing standing = find_standing(subject, session, customer, grant, recorder);
    if (standing.failed) {
        return Decision{false, standing.failed};
    }
    const int had = standing.level;
    // A level that does not exist opens nothing, rather than being compared with.
    if (!is_level(level) || had < level) {
        return recorder.fail(Gate::level, [&] {
            return "needs " + level_text(level) + ", the grant is " + level_text(had);
        });
    }
    recorder.pass(Gate::level, [&] {
        return "needs " + level_text(level) + ", the grant is " + level_text(had);
    });
    if (!is_dated) {
        return Decision{true, std::nullopt};
    }
    const auto window = [&] {
        const std::string dated =
            date ? "the row's date " + day_text(*date) : "the row has no date";
        return grant->days_back == kUnlimitedDays
                   ? dated + "; days back are not limited"
                   : dated + "; " + std::to_string(grant->days_back) + " days back begin on " +
                         day_text(earliest_day(*grant, session));
    };
    if (!in_window(*grant, session, date)) {
        return recorder.fail(Gate::window, window);
    }
    recorder.pass(Gate::window, window);
    return Decision{true, std::nullopt};
}

namespace {

// FNV-1a, eight bytes at a time.
std::uint64_t mix(std::uint64_t hash, CustomerId customer, bool is_limited) noexcept {
    const std::uint64_t word = static_cast<std::uint64_t>(customer) * 2 + (is_limited ? 1 : 0);
    hash = (hash ^ word) * 0x100000001B3U;
    return hash ^ hash >> 29U;
}

} // namespace

GrantSummary summarize(const Subject *subject, const Session &session,
                       const std::vector<Grant> &grants) {
    GrantSummary summary;
    std::fill(std::begin(summary.earliest), std::end(summary.earliest), kLastDay);
    for (const Grant &grant : grants) {
        const auto place = level_place(access_level(subject, session, grant.customer, &grant));
        // A level includes those below it (R33).
        for (std::size_t i = 0; place && i <= *place; ++i) {
            const Day earliest = earliest_day(grant, session);
            const bool is_limited = earliest != kFirstDay;
            ++summary.customers[i];
            summary.earliest[i] = std::min(summary.earliest[i], earliest);
            summary.limited[i] += is_limited ? 1 : 0;
            summary.fingerprints[i] = mix(summary.fingerprints[i], grant.customer, is_limited);
        }
    }
    return summary;
}

Decision check_manages_access(const Subject *subject, const Session &session, CustomerId customer,
                              std::optional<BrandId> brand, const Grant *grant, Trace *trace) {
    if (brand) {
        const Decision managed =
            check_permission(subject, session, "external_access.manage", brand, trace);
        if (managed) {
            return managed;
        }
    }
    return check_access(subject, session, customer, grant, kAdminLevel, false, std::nullopt, trace);
}

} // namespace entitle
