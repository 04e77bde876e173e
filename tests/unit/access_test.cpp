// Claim: a user gets of a customer what the one grant on it gives today, and nothing else.
#include <gtest/gtest.h>

#include "facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

using naive::Date;

constexpr naive::Id kCustomer = 101;
constexpr naive::Id kOther = 102;
const std::vector<int> kSixLevels = {10, 20, 30, 40, 80, 90};

// A new user of no brand, with a grant on one of two customers.
class Guest {
  public:
    explicit Guest(int level, std::optional<std::int32_t> days_back = 30) {
        world.customer.push_back({kCustomer, kMainBrand, "ACTV"});
        world.customer.push_back({kOther, kMainBrand, "ACTV"});
        asker = add_user(world);
        world.external_access.push_back(
            {kCustomer, *asker.user_id, level, days_back, std::nullopt, std::nullopt});
    }

    naive::ExternalAccess &grant() { return world.external_access.front(); }
    Facts facts() const { return Facts(world, asker); }
    int level(naive::Id customer = kCustomer) const { return facts().level(customer); }
    bool sees(std::optional<Date> date) const { return facts().in_window(kCustomer, date); }
    std::string_view opens(int min_level) const {
        return outcome(facts().access(kCustomer, min_level));
    }

    naive::World world = shipped_catalogue();
    naive::Asker asker;
};

// R33
TEST(Level, IsOneOfTheSix) {
    int found = 0;
    for (int level = -300; level <= 300; ++level) {
        found += entitle::is_level(level) ? 1 : 0;
    }
    EXPECT_EQ(found, 6);
    for (int level : kSixLevels) {
        EXPECT_TRUE(entitle::is_level(level)) << level;
        EXPECT_EQ(entitle::parse_level("L" + std::to_string(level)), level);
    }
    EXPECT_FALSE(entitle::is_level(INT32_MAX));
    EXPECT_FALSE(entitle::is_level(INT32_MIN));
}

// R33, R4: nothing else is accepted, byte for byte
TEST(Level, IsReadFromItsExactNameOnly) {
    using namespace std::string_literals;
    for (const auto &text : {""s,
                             "L"s,
                             "30"s,
                             "l30"s,
                             "L3"s,
                             "L030"s,
                             "L30 "s,
                             " L30"s,
                             "L300"s,
                             "L00"s,
                             "L15"s,
                             "L50"s,
                             "L60"s,
                             "L70"s,
                             "L91"s,
                             "L3O"s,
                             "L-0"s,
                             "L:0"s,
                             "L/0"s,
                             "L30\0"s,
                             "\0L30"s,
                             "L\xff"
                             "0"s}) {
        EXPECT_EQ(entitle::parse_level(text), entitle::kNoLevel) << text;
    }
    int found = 0;
    std::string text = "L00";
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            text[1] = static_cast<char>(first);
            text[2] = static_cast<char>(second);
            found += entitle::parse_level(text) != entitle::kNoLevel ? 1 : 0;
        }
    }
    EXPECT_EQ(found, 6);
}

// R34
TEST(Grant, IsFoundByItsCustomerAlone) {
    const std::vector<entitle::Grant> grants = {
        {2, 0, 9, 1, 10}, {5, 0, 9, 1, 20}, {9, 0, 9, 1, 30}};
    EXPECT_EQ(entitle::find_grant(grants, 5)->level, 20);
    EXPECT_EQ(entitle::find_grant(grants, 2)->level, 10);
    EXPECT_EQ(entitle::find_grant(grants, 9)->level, 30);
    for (entitle::CustomerId absent : {INT64_MIN, std::int64_t{0}, std::int64_t{3}, std::int64_t{6},
                                       std::int64_t{10}, INT64_MAX}) {
        EXPECT_EQ(entitle::find_grant(grants, absent), nullptr) << absent;
    }
    EXPECT_EQ(entitle::find_grant({}, 5), nullptr);
}

// A grant that was never filled gives nothing.
TEST(Grant, GivesNothingByDefault) {
    const entitle::Grant grant;
    EXPECT_EQ(grant.level, entitle::kNoLevel);
    EXPECT_FALSE(entitle::in_window(grant, entitle::Session{}, std::nullopt));
    EXPECT_FALSE(entitle::in_window(grant, entitle::Session{}, -1));
}

// R34: no grant, no row; access never carries over between customers
TEST(Access, CoversTheGrantedCustomerOnly) {
    const Guest guest(90, std::nullopt);
    EXPECT_EQ(guest.level(), 90);
    EXPECT_EQ(guest.level(kOther), 0);
    EXPECT_EQ(guest.level(4711), 0);
    EXPECT_EQ(outcome(guest.facts().access(kOther, 10)), "customer");
    // Not even when the wrong grant is handed over with the question.
    const Facts facts = guest.facts();
    EXPECT_EQ(
        entitle::access_level(facts.subject(), facts.session(), kOther, facts.grant(kCustomer)), 0);
}

// R1, R43: a deactivated user gets nothing and the grant waits
TEST(Access, WaitsWhileTheUserIsSwitchedOff) {
    Guest guest(90);
    guest.world.app_user.front().is_active = false;
    EXPECT_EQ(guest.level(), 0);
    EXPECT_EQ(guest.opens(10), "identity");
    guest.world.app_user.front().is_active = true;
    EXPECT_EQ(guest.level(), 90);
    EXPECT_EQ(outcome(Facts(guest.world, naive::Asker{}).access(kCustomer, 10)), "identity");
}

// R64, S436: so it does while the customer's row is gone from the table it was adopted from
TEST(Access, WaitsWhileTheCustomerIsGone) {
    Guest guest(90);
    guest.world.customer.front().is_gone = true;
    EXPECT_EQ(guest.level(), 0);
    EXPECT_EQ(guest.opens(10), "customer");
    guest.world.customer.front().is_gone = false;
    EXPECT_EQ(guest.level(), 90);
}

// R33, R35: each level opens what it names and all below, nothing above
TEST(Access, IncludesTheLevelsBelow) {
    for (int held : kSixLevels) {
        const Guest guest(held);
        EXPECT_EQ(guest.level(), held);
        for (int asked : kSixLevels) {
            EXPECT_EQ(guest.opens(asked), asked <= held ? "allowed" : "level")
                << "L" << asked << " with L" << held;
        }
    }
}

// S82: rights of a level are a subset of the next one's, over dated and undated questions
TEST(Access, GrowsWithTheLevel) {
    for (std::size_t at = 1; at < kSixLevels.size(); ++at) {
        const Guest lower(kSixLevels[at - 1]);
        const Guest higher(kSixLevels[at]);
        for (int asked : kSixLevels) {
            for (Date date : {-1000, -31, -30, 0, 5}) {
                if (lower.facts().dated_access(kCustomer, asked, date)) {
                    EXPECT_TRUE(higher.facts().dated_access(kCustomer, asked, date)) << asked;
                }
            }
            if (lower.facts().access(kCustomer, asked)) {
                EXPECT_TRUE(higher.facts().access(kCustomer, asked)) << asked;
            }
        }
        EXPECT_LE(lower.facts().manages_access(kCustomer).allowed,
                  higher.facts().manages_access(kCustomer).allowed);
    }
}

// R33: a stored number that is no level gives none
TEST(Access, DeniesCorruptLevels) {
    for (int corrupt : {15, 91, 255, -1, 0, 1, 9, 50, 89, 100, INT32_MAX, INT32_MIN}) {
        const Guest guest(corrupt, std::nullopt);
        EXPECT_EQ(guest.level(), 0) << corrupt;
        EXPECT_EQ(guest.opens(10), "level") << corrupt;
        EXPECT_FALSE(guest.facts().manages_access(kCustomer)) << corrupt;
        EXPECT_FALSE(guest.sees(0)) << corrupt;
    }
}

// R33: nor does asking for a level that is none open anything
TEST(Access, DeniesQuestionsForNoLevel) {
    const Guest guest(90, std::nullopt);
    for (int asked : {0, -1, 1, 15, 25, 89, 91, INT32_MIN, INT32_MAX}) {
        EXPECT_EQ(guest.opens(asked), "level") << asked;
    }
}

// R38: date >= today - days, inclusive
TEST(Window, BeginsOnItsFirstDay) {
    for (std::int32_t days : {0, 1, 30, 365}) {
        Guest guest(30, days);
        for (Date today : {0, 9821, -9821}) {
            guest.asker.today = today;
            EXPECT_TRUE(guest.sees(today - days)) << days;
            EXPECT_FALSE(guest.sees(today - days - 1)) << days;
            EXPECT_TRUE(guest.sees(today)) << days;
        }
    }
}

// R38: the future is visible
TEST(Window, ShowsTheFuture) {
    const Guest guest(30, 0);
    for (Date date : {1, 36500, naive::kInfinity - 1, naive::kInfinity}) {
        EXPECT_TRUE(guest.sees(date)) << date;
    }
}

// R38: no date is hidden under a limit, shown without one
TEST(Window, HidesTheUndatedUnderALimit) {
    EXPECT_FALSE(Guest(30, 0).sees(std::nullopt));
    EXPECT_FALSE(Guest(90, INT32_MAX).sees(std::nullopt));
    EXPECT_TRUE(Guest(10, std::nullopt).sees(std::nullopt));
}

// R38: without a limit every date shows; with the longest one all but minus infinity
TEST(Window, SurvivesTheExtremes) {
    for (Date today : {0, 9821, -2451507, 2147483493}) {
        for (Date date : {naive::kMinusInfinity, naive::kMinusInfinity + 1, -1, naive::kInfinity}) {
            Guest unlimited(30, std::nullopt);
            unlimited.asker.today = today;
            EXPECT_TRUE(unlimited.sees(date)) << date;
        }
        Guest longest(30, INT32_MAX);
        longest.asker.today = today;
        EXPECT_FALSE(longest.sees(naive::kMinusInfinity)) << today;
        EXPECT_TRUE(longest.sees(naive::kInfinity)) << today;
        EXPECT_TRUE(longest.sees(today)) << today;
    }
    // Where the window would begin before the first day there is.
    Guest early(30, INT32_MAX);
    early.asker.today = -2451507;
    EXPECT_TRUE(early.sees(naive::kMinusInfinity + 1));
}

// R33, R38, R40: what a stored row says is read in one place; what no row may say opens nothing.
TEST(MakeGrant, ReadsRowsAsStored) {
    const entitle::Grant open =
        entitle::make_grant(7, "L30", std::nullopt, std::nullopt, std::nullopt);
    EXPECT_EQ(open.customer, 7);
    EXPECT_EQ(open.level, 30);
    EXPECT_EQ(open.days_back, entitle::kUnlimitedDays);
    EXPECT_EQ(open.valid_from, entitle::kFirstDay);
    EXPECT_EQ(open.valid_until, entitle::kLastDay);

    const entitle::Grant bounded = entitle::make_grant(7, "L90", 0, 100, 200);
    EXPECT_EQ(bounded.level, 90);
    EXPECT_EQ(bounded.days_back, 0);
    EXPECT_EQ(bounded.valid_from, 100);
    EXPECT_EQ(bounded.valid_until, 200);

    for (const std::int32_t days : {-1, -2, INT32_MIN}) {
        const entitle::Grant negative =
            entitle::make_grant(7, "L90", days, std::nullopt, std::nullopt);
        EXPECT_EQ(negative.level, entitle::kNoLevel) << days;
        EXPECT_LT(negative.days_back, 0) << days;
        EXPECT_NE(negative.days_back, entitle::kUnlimitedDays) << days;
    }
    EXPECT_EQ(entitle::make_grant(7, std::nullopt, 1, 1, 1).level, entitle::kNoLevel);
    EXPECT_EQ(entitle::make_grant(7, "l30", 1, 1, 1).level, entitle::kNoLevel);
}

// R38: negative days are refused; a corrupt one shows nothing dated, least of all everything
TEST(Window, DeniesCorruptDays) {
    for (std::int32_t days : {-2, -30, INT32_MIN}) {
        const Guest guest(90, days);
        for (std::optional<Date> date : {std::optional<Date>(), std::optional<Date>(0),
                                         std::optional<Date>(naive::kInfinity)}) {
            EXPECT_FALSE(guest.sees(date)) << days;
        }
    }
}

// R38: what an index scan starts from leaves out no visible date, and no hidden one under a limit
TEST(Window, BeginsAtItsEarliestDay) {
    for (std::int32_t days : {-30, entitle::kUnlimitedDays, 0, 1, 30, INT32_MAX}) {
        for (Date today : {0, 9821, -2451507}) {
            entitle::Grant grant;
            grant.days_back = days;
            entitle::Session session;
            session.today = today;
            const Date earliest = entitle::earliest_day(grant, session);
            for (std::int64_t date :
                 {std::int64_t{INT32_MIN}, std::int64_t{INT32_MIN} + 1, std::int64_t{earliest} - 1,
                  std::int64_t{earliest}, std::int64_t{today}, std::int64_t{INT32_MAX}}) {
                if (date < INT32_MIN) {
                    continue;
                }
                const auto day = static_cast<Date>(date);
                const bool is_limited_to_nothing = days < 0 && days != entitle::kUnlimitedDays;
                EXPECT_EQ(entitle::in_window(grant, session, day),
                          !is_limited_to_nothing && day >= earliest)
                    << days << " days before " << today << " on " << day;
            }
        }
    }
}

// R39: every level, L80 and L90 too, on dated rows; undated ones are not narrowed
TEST(Window, NarrowsEveryLevel) {
    for (int level : kSixLevels) {
        const Guest guest(level, 7);
        EXPECT_EQ(outcome(guest.facts().dated_access(kCustomer, 10, -7)), "allowed") << level;
        EXPECT_EQ(outcome(guest.facts().dated_access(kCustomer, 10, -8)), "window") << level;
        EXPECT_EQ(outcome(guest.facts().access(kCustomer, 10)), "allowed") << level;
    }
}

// R40: both inclusive; outside the dates the grant counts as absent
TEST(Validity, IncludesItsFirstAndLastDay) {
    Guest guest(90, std::nullopt);
    guest.grant().valid_from = 100;
    guest.grant().valid_until = 102;
    for (Date today : {99, 100, 101, 102, 103}) {
        guest.asker.today = today;
        const bool is_valid = today >= 100 && today <= 102;
        EXPECT_EQ(guest.level(), is_valid ? 90 : 0) << today;
        EXPECT_EQ(guest.opens(10), is_valid ? "allowed" : "validity") << today;
        EXPECT_EQ(guest.sees(today), is_valid) << today;
        EXPECT_EQ(guest.facts().manages_access(kCustomer).allowed, is_valid) << today;
    }
}

// R40: infinities and dates the wrong way round
TEST(Validity, TakesInfinitiesAtTheirWord) {
    Guest guest(30);
    guest.grant().valid_from = naive::kMinusInfinity;
    guest.grant().valid_until = naive::kInfinity;
    EXPECT_EQ(guest.level(), 30);
    guest.grant().valid_from = naive::kInfinity;
    EXPECT_EQ(guest.level(), 0);
    guest.grant().valid_from.reset();
    guest.grant().valid_until = naive::kMinusInfinity;
    EXPECT_EQ(guest.level(), 0);
    guest.grant().valid_from = 5;
    guest.grant().valid_until = -5;
    EXPECT_EQ(guest.level(), 0);
}

// R45: as if no other grant existed
TEST(ChosenCustomer, HidesEveryOtherGrant) {
    Guest guest(80, std::nullopt);
    guest.world.external_access.push_back(
        {kOther, *guest.asker.user_id, 40, std::nullopt, std::nullopt, std::nullopt});
    EXPECT_EQ(guest.level(), 80);
    EXPECT_EQ(guest.level(kOther), 40);
    guest.asker.chosen_customer = kOther;
    EXPECT_EQ(guest.level(), 0);
    EXPECT_EQ(guest.opens(10), "customer");
    EXPECT_FALSE(guest.sees(0));
    EXPECT_FALSE(guest.facts().manages_access(kCustomer));
    EXPECT_EQ(guest.level(kOther), 40);
    // The grant on the chosen one was revoked meanwhile: nothing is left, and nothing comes back.
    guest.world.external_access.pop_back();
    EXPECT_EQ(guest.level(), 0);
    EXPECT_EQ(guest.level(kOther), 0);
}

// R41
TEST(ManagesAccess, NeedsThePermissionOrAnAdminLevel) {
    for (int level : kSixLevels) {
        EXPECT_EQ(Guest(level).facts().manages_access(kCustomer).allowed, level >= 80) << level;
    }
    naive::World world = shipped_catalogue();
    world.customer.push_back({kCustomer, kMainBrand, "ACTV"});
    const auto manages = [&](const naive::Asker &asker) {
        return Facts(world, asker).manages_access(kCustomer).allowed;
    };
    EXPECT_TRUE(manages(add_holder(world, {"external_access.manage", "customers.view"})));
    EXPECT_FALSE(manages(add_holder(world, {"external_access.manage"})));
    EXPECT_FALSE(manages(add_member(world, "sales manager")));
    EXPECT_TRUE(manages(add_owner(world)));
    EXPECT_FALSE(manages(add_user(world)));
    EXPECT_FALSE(manages(naive::Asker{}));
}

// R41: of that same customer, and in the customer's brand, whatever brand is chosen
TEST(ManagesAccess, EndsAtTheCustomerAndItsBrand) {
    Guest guest(90);
    EXPECT_FALSE(guest.facts().manages_access(kOther));
    EXPECT_FALSE(guest.facts().manages_access(4711));
    naive::World &world = guest.world;
    const naive::Id second = add_brand(world, kMainOrganization);
    world.customer.push_back({103, second, "ACTV"});
    naive::Asker manager = add_user(world);
    world.membership.push_back({*manager.user_id, std::nullopt, kMainBrand,
                                add_role(world, {"external_access.manage", "customers.view"}),
                                false});
    manager.chosen_brand = second;
    EXPECT_TRUE(Facts(world, manager).manages_access(kCustomer));
    EXPECT_FALSE(Facts(world, manager).manages_access(103));
    // R45: rights from permissions are not narrowed by the chosen customer
    manager.chosen_customer = kOther;
    EXPECT_TRUE(Facts(world, manager).manages_access(kCustomer));
}

} // namespace
