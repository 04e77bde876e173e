// Decides whether a row of a protected table is allowed: by permission, or by external access. A
// RowTest is made once per statement from a subject and a rule, then asked row by row.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/access.hpp"
#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

// What a policy asks for one action on one table.
struct RowRule {
    std::optional<std::string> permission; // none: no permission opens it
    std::optional<int> level;              // none: no external access opens it
    bool is_branded = false; // judged in the row's brand, else in the current one (R52)
    bool is_dated = false;   // narrowed by days back (R39)
    bool is_shared = false;  // rows without customer show to every signed-in user

    bool operator==(const RowRule &other) const {
        return permission == other.permission && level == other.level &&
               is_branded == other.is_branded && is_dated == other.is_dated &&
               is_shared == other.is_shared;
    }
};

// The rule of a table's declaration. permission, level: a null pointer and none open nothing.
RowRule make_rule(const char *permission, std::optional<int> level, bool is_branded, bool is_dated);

// Tells whether whoever passes `strong` about a row of a customer passes `weak` about any row of
// the same customer, whatever its date: shared rows have none. Only for rules that are judged in
// the current brand.
bool implies(const RowRule &strong, const RowRule &weak) noexcept;

// What is known of one row.
struct RowFacts {
    std::optional<BrandId> brand;
    std::optional<CustomerId> customer;
    const Grant *grant = nullptr; // the subject's grant on that customer
    std::optional<Day> date;
    bool lacks_customer = false; // the row names none; not one that is unknown
};

// The outcome of external access for each granted customer, worked out once for a scan of many
// rows: the first visible day. Dense over the range of customer ids where that is small, else
// hashed; where it is the same day for all, a bit for each customer, which stays in the processor's
// cache.
class VisibleFrom {
  public:
    // The day before which nothing shows; kFirstDay shows rows without a date too, kLastDay shows
    // nothing.
    Day find(CustomerId customer) const noexcept;

    // Requires: no customer twice.
    void build(const std::vector<std::pair<CustomerId, Day>> &days);

  private:
    struct Entry {
        CustomerId customer;
        Day day;
        bool is_used;
    };
    bool is_dense_ = false;
    CustomerId first_ = 0;
    std::vector<Day> days_;
    std::uint64_t range_ = 0; // of bits; 0 without them
    std::vector<std::uint64_t> bits_;
    Day day_ = kLastDay;         // of those whose bit is set
    std::vector<Entry> entries_; // open addressing, a power of two, at most half full
};

// Requires: subject (may be null) and session outlive the test.
class RowTest {
  public:
    RowTest(const Subject *subject, const Session &session, RowRule rule);

    // Tells whether the permission alone shows every row: no row needs to be looked at.
    bool allows_all() const noexcept { return allows_all_; }

    // Tells whether a row without customer shows, if no permission shows it.
    bool allows_shared() const noexcept { return rule_.is_shared && subject_ != nullptr; }

    // Decides by permission only. A brand's answer is worked out once per test.
    bool allows_by_permission(std::optional<BrandId> brand);

    // Works out what external access alone comes to (R34 to R40, R45), for all of the subject's
    // grants: for scans of many rows.
    void prepare(const std::vector<Grant> &grants);
    bool is_prepared() const noexcept { return is_prepared_; }

    // Counts a row that is tested. Returns: whether they are enough by now to pay for working out
    // so many grants, which costs about as much as testing a quarter of their number row by row.
    bool is_worth_preparing(std::size_t grants) noexcept { return ++rows_ > grants / 4; }

    // The same for one customer, for rows that follow each other; grant: the subject's, if any.
    void prepare_one(CustomerId customer, const Grant *grant);
    bool is_prepared_for(CustomerId customer) const noexcept {
        return is_prepared_ || last_customer_ == customer;
    }

    // Decides by external access only. Requires: is_prepared_for(customer).
    bool allows_prepared(CustomerId customer, std::optional<Day> date) const noexcept;

    const RowRule &rule() const noexcept { return rule_; }

  private:
    Day first_day(CustomerId customer, const Grant *grant) const;

    const Subject *subject_;
    const Session &session_;
    RowRule rule_;
    bool allows_all_ = false;
    std::unordered_map<BrandId, bool> brands_;
    std::optional<BrandId> last_brand_;
    bool last_answer_ = false;
    bool is_prepared_ = false;
    std::size_t rows_ = 0;
    VisibleFrom verdicts_;
    std::optional<CustomerId> last_customer_; // of prepare_one
    Day last_day_ = kLastDay;
};

// Decides one row and tells the steps; the same calls as RowTest.
Decision check_row(const Subject *subject, const Session &session, const RowRule &rule,
                   const RowFacts &row, Trace *trace);

// Tells whether external access may give a row this brand: it is that of the row's customer (R55).
bool is_home_brand(std::optional<BrandId> brand, std::optional<BrandId> home) noexcept;

// Decides one row that gets its brand now, as check_row does, and R55 with it. `home` is the brand
// of the row's customer.
Decision check_new_row(const Subject *subject, const Session &session, const RowRule &rule,
                       const RowFacts &row, std::optional<BrandId> home, Trace *trace);

// Decides whether a column masked below a level shows in a row that shows, and tells one step. The
// date decided about the row; how much of it shows is the permission's or the level's alone (R36).
Decision check_mask(const Subject *subject, const Session &session, RowRule rule,
                    const RowFacts &row, std::string_view column, int level, Trace *trace);

} // namespace entitle
