// Row decisions: permission or external access.
#include "core/protection.hpp"

#include <algorithm>
#include <utility>

#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

constexpr std::size_t kMaxBrands = 10000;

Decision by_permission(const Subject *subject, const Session &session, const RowRule &rule,
                       std::optional<BrandId> brand, Trace *trace) {
    const Recorder recorder(trace);
    if (!rule.permission) {
        return recorder.fail(Gate::permission,
                             [] { return std::string("no permission opens this table"); });
    }
    if (rule.is_branded && !brand) {
        return recorder.fail(Gate::membership, [] { return std::string("the row has no brand"); });
    }
    return check_permission(subject, session, *rule.permission,
                            rule.is_branded ? brand : std::nullopt, trace);
}

Decision by_access(const Subject *subject, const Session &session, const RowRule &rule,
                   const RowFacts &row, Trace *trace) {
    const Recorder recorder(trace);
    if (rule.is_shared && row.lacks_customer) {
        const auto text = [] {
            return std::string("the row has no customer: it shows to every signed-in user");
        };
        if (subject == nullptr || !subject->is_active) {
            return recorder.fail(Gate::identity, text);
        }
        recorder.pass(Gate::customer, text);
        return Decision{true, std::nullopt};
    }
    if (!rule.level) {
        return recorder.fail(Gate::level,
                             [] { return std::string("no external access opens this table"); });
    }
    if (!row.customer) {
        return recorder.fail(Gate::customer, [] { return std::string("the row has no customer"); });
    }
    return check_access(subject, session, *row.customer, row.grant, *rule.level, rule.is_dated,
                        row.date, trace);
}

// Requires: size is a power of two.
std::size_t slot_of(CustomerId customer, std::size_t size) noexcept {
    return (static_cast<std::uint64_t>(customer) * 0x9E3779B97F4A7C15U >> 32U) & (size - 1);
}

} // namespace

RowTest::RowTest(const Subject *subject, const Session &session, RowRule rule)
    // Whoever is switched off is nobody (R1).
    : subject_(subject != nullptr && subject->is_active ? subject : nullptr), session_(session),
      rule_(std::move(rule)) {
    allows_all_ = !rule_.is_branded &&
                  by_permission(subject_, session_, rule_, std::nullopt, nullptr).allowed;
}

bool RowTest::allows_by_permission(std::optional<BrandId> brand) {
    if (!rule_.is_branded || !brand) {
        return allows_all_;
    }
    if (last_brand_ != brand) {
        if (brands_.size() >= kMaxBrands) {
            brands_.clear(); // a table may hold any number of brands
        }
        const auto known = brands_.find(*brand);
        last_answer_ =
            known != brands_.end()
                ? known->second
                : brands_
                      .emplace(*brand,
                               by_permission(subject_, session_, rule_, brand, nullptr).allowed)
                      .first->second;
        last_brand_ = brand;
    }
    return last_answer_;
}

// The day before which nothing of the customer shows, as VisibleFrom has it.
Day RowTest::first_day(CustomerId customer, const Grant *grant) const {
    // A date in the far future is inside every window, so this asks about the grant alone.
    const RowFacts row{std::nullopt, customer, grant, kLastDay};
    if (!by_access(subject_, session_, rule_, row, nullptr)) {
        return kLastDay;
    }
    return rule_.is_dated ? earliest_day(*grant, session_) : kFirstDay;
}

void RowTest::prepare_one(CustomerId customer, const Grant *grant) {
    last_day_ = first_day(customer, grant);
    last_customer_ = customer;
}

void RowTest::prepare(const std::vector<Grant> &grants) {
    std::vector<std::pair<CustomerId, Day>> days;
    days.reserve(grants.size());
    for (const Grant &grant : grants) {
        days.emplace_back(grant.customer, first_day(grant.customer, &grant));
    }
    verdicts_.build(days);
    is_prepared_ = true;
}

bool RowTest::allows_prepared(CustomerId customer, std::optional<Day> date) const noexcept {
    const Day first = is_prepared_ ? verdicts_.find(customer) : last_day_;
    if (first == kFirstDay) {
        return true;
    }
    return first != kLastDay && date && *date >= first;
}

void VisibleFrom::build(const std::vector<std::pair<CustomerId, Day>> &days) {
    is_dense_ = true;
    days_.clear();
    bits_.clear();
    range_ = 0;
    entries_.clear();
    if (days.empty()) {
        return;
    }
    const auto [low, high] = std::minmax_element(days.begin(), days.end());
    // Unsigned, because the difference of two ids may not fit a signed number.
    const auto range =
        static_cast<std::uint64_t>(high->first) - static_cast<std::uint64_t>(low->first);
    is_dense_ = range < 16 * days.size() + 1024;
    first_ = low->first;
    const auto open = std::find_if(days.begin(), days.end(),
                                   [](const auto &day) { return day.second != kLastDay; });
    day_ = open == days.end() ? kLastDay : open->second;
    if (is_dense_ && std::all_of(days.begin(), days.end(), [&](const auto &day) {
            return day.second == day_ || day.second == kLastDay;
        })) {
        range_ = range + 1;
        bits_.assign(static_cast<std::size_t>(range / 64) + 1, 0);
        for (const auto &[customer, day] : days) {
            const auto offset = static_cast<std::uint64_t>(customer - first_);
            bits_[offset / 64] |= static_cast<std::uint64_t>(day != kLastDay) << offset % 64;
        }
        return;
    }
    if (is_dense_) {
        days_.assign(static_cast<std::size_t>(range) + 1, kLastDay);
        for (const auto &[customer, day] : days) {
            days_[static_cast<std::size_t>(customer - first_)] = day;
        }
        return;
    }
    std::size_t size = 16;
    while (size < 2 * days.size()) {
        size *= 2;
    }
    entries_.assign(size, Entry{0, kLastDay, false});
    for (const auto &[customer, day] : days) {
        std::size_t at = slot_of(customer, size);
        while (entries_[at].is_used) {
            at = (at + 1) & (size - 1);
        }
        entries_[at] = Entry{customer, day, true};
    }
}

Day VisibleFrom::find(CustomerId customer) const noexcept {
    const auto offset = static_cast<std::uint64_t>(customer) - static_cast<std::uint64_t>(first_);
    if (range_ != 0) {
        return offset < range_ && (bits_[offset / 64] >> offset % 64 & 1U) != 0 ? day_ : kLastDay;
    }
    if (is_dense_) {
        return offset < days_.size() ? days_[static_cast<std::size_t>(offset)] : kLastDay;
    }
    if (entries_.empty()) {
        return kLastDay;
    }
    for (std::size_t at = slot_of(customer, entries_.size()); entries_[at].is_used;
         at = (at + 1) & (entries_.size() - 1)) {
        if (entries_[at].customer == customer) {
            return entries_[at].day;
        }
    }
    return kLastDay;
}

Decision check_row(const Subject *subject, const Session &session, const RowRule &rule,
                   const RowFacts &row, Trace *trace) {
    const Recorder recorder(trace);
    const Decision permitted = by_permission(subject, session, rule, row.brand, trace);
    if (permitted) {
        recorder.pass(Gate::staff, [] { return std::string("allowed by permission"); });
        return permitted;
    }
    recorder.fail(Gate::staff, [] { return std::string("not allowed by permission"); });
    Decision opened = by_access(subject, session, rule, row, trace);
    if (opened) {
        recorder.pass(Gate::external, [&] {
            return std::string(row.customer ? "allowed by external access" : "shared");
        });
    } else {
        recorder.fail(Gate::external, [] { return std::string("not allowed by external access"); });
    }
    // A table closed to external access was refused by its permission: that gate is the reason
    // (R2). Staff come by permission, so they are told that gate, too: their brand may be wrong.
    if (!rule.level && !opened) {
        return permitted;
    }
    if (!opened && rule.permission && subject != nullptr && !subject->memberships.empty()) {
        opened.failed_by_permission = permitted.failed;
    }
    return opened;
}

bool is_home_brand(std::optional<BrandId> brand, std::optional<BrandId> home) noexcept {
    return brand && brand == home;
}

Decision check_new_row(const Subject *subject, const Session &session, const RowRule &rule,
                       const RowFacts &row, std::optional<BrandId> home, Trace *trace) {
    const Decision decision = check_row(subject, session, rule, row, trace);
    if (!decision || !rule.is_branded || is_home_brand(row.brand, home) ||
        by_permission(subject, session, rule, row.brand, nullptr)) {
        return decision;
    }
    return Recorder(trace).fail(Gate::external, [] {
        return std::string("by external access a row takes the brand of its customer");
    });
}

Decision check_mask(const Subject *subject, const Session &session, RowRule rule,
                    const RowFacts &row, std::string_view column, int level, Trace *trace) {
    const Recorder recorder(trace);
    rule.level = level;
    rule.is_dated = false;
    rule.is_shared = false;
    const Decision shown = check_row(subject, session, rule, row, nullptr);
    const auto text = [&](const char *what) {
        return "\"" + std::string(column) + "\" " + what + std::to_string(level);
    };
    if (!shown) {
        return recorder.fail(Gate::mask,
                             [&] { return text("is masked: by external access it needs L"); });
    }
    recorder.pass(Gate::mask, [&] { return text("shows; by external access it needs L"); });
    return shown;
}

RowRule make_rule(const char *permission, std::optional<int> level, bool is_branded,
                  bool is_dated) {
    RowRule rule;
    if (permission != nullptr) {
        rule.permission = permission;
    }
    rule.level = level;
    rule.is_branded = is_branded;
    rule.is_dated = is_dated;
    return rule;
}

bool implies(const RowRule &strong, const RowRule &weak) noexcept {
    const bool by_permission = !strong.permission || strong.permission == weak.permission;
    const bool by_level = !strong.level || (weak.level && *strong.level >= *weak.level);
    return by_permission && by_level && !strong.is_branded && !weak.is_branded && !weak.is_dated;
}

} // namespace entitle
