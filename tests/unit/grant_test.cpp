// Claim: delegated administration gives nobody more than R41 and R42 say, and an owner's grant
// stays (R43).
#include <gtest/gtest.h>

#include "core/grant.hpp"
#include "facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

using namespace entitle;

constexpr CustomerId kCustomer = 101;
constexpr UserId kWriter = 1;
constexpr UserId kOther = 2;

GrantRow row(int level, UserId user = kOther, std::int32_t days_back = 30, Day from = kFirstDay,
             Day until = kLastDay) {
    return GrantRow{user,
                    Grant{kCustomer, from, until, days_back, static_cast<std::int16_t>(level)}};
}

GrantWriter external(int level) { return GrantWriter{kWriter, false, level}; }
GrantWriter manager() { return GrantWriter{kWriter, true, kNoLevel}; }

template <typename Value> std::string said(const Result<Value> &result) {
    return result.ok() ? "passed" : result.error().message;
}

template <typename Value> bool is_denied(const Result<Value> &result) {
    return !result.ok() && result.error().code == ErrorCode::denied && !result.error().hint.empty();
}

// R33
TEST(GrantValues, AreLevelsDaysAndDatesThatMakeSense) {
    for (int level : {0, 5, 15, 89, 91, 100, -10}) {
        EXPECT_EQ(check_grant_values(row(level)).error().code, ErrorCode::broken_rule) << level;
    }
    for (int level : kLevels) {
        EXPECT_TRUE(check_grant_values(row(level)).ok()) << level;
    }
    EXPECT_TRUE(check_grant_values(row(30, kOther, kUnlimitedDays)).ok());
    EXPECT_TRUE(check_grant_values(row(30, kOther, 0)).ok());
    EXPECT_EQ(check_grant_values(row(30, kOther, -2)).error().code, ErrorCode::broken_rule);
    EXPECT_TRUE(check_grant_values(row(30, kOther, 0, 5, 5)).ok());
    EXPECT_EQ(check_grant_values(row(30, kOther, 0, 5, 4)).error().code, ErrorCode::broken_rule);
}

// R43
TEST(OwnerKept, RefusesWhatTakesAnythingAway) {
    const GrantRow owner = row(90, kOther, 30, 10, 20);
    EXPECT_TRUE(is_denied(check_owner_kept(owner, nullptr)));
    for (int level : {10, 20, 30, 40, 80, 0}) {
        const GrantRow lower = row(level, kOther, 30, 10, 20);
        EXPECT_TRUE(is_denied(check_owner_kept(owner, &lower))) << level;
    }
    for (const GrantRow &less :
         {row(90, kWriter, 30, 10, 20), row(90, kOther, 29, 10, 20), row(90, kOther, 0, 10, 20),
          row(90, kOther, 30, 11, 20), row(90, kOther, 30, 10, 19)}) {
        EXPECT_TRUE(is_denied(check_owner_kept(owner, &less)));
    }
    GrantRow moved = owner;
    moved.grant.customer = kCustomer + 1;
    EXPECT_TRUE(is_denied(check_owner_kept(owner, &moved)));
    const GrantRow unlimited = row(90, kOther, kUnlimitedDays);
    for (const GrantRow &less : {row(90, kOther, 100000), row(90, kOther, kUnlimitedDays, 1),
                                 row(90, kOther, kUnlimitedDays, kFirstDay, 1)}) {
        EXPECT_TRUE(is_denied(check_owner_kept(unlimited, &less)));
    }
}

TEST(OwnerKept, LetsTheSameAndMorePass) {
    const GrantRow owner = row(90, kOther, 30, 10, 20);
    for (const GrantRow &more :
         {owner, row(90, kOther, 31, 10, 20), row(90, kOther, kUnlimitedDays, 10, 20),
          row(90, kOther, 30, 9, 20), row(90, kOther, 30, 10, 21), row(90, kOther, 30)}) {
        EXPECT_EQ(said(check_owner_kept(owner, &more)), "passed");
    }
    EXPECT_EQ(said(check_owner_kept(row(80), nullptr)), "passed");
}

// R41
TEST(GrantWriter, MustManageTheCustomer) {
    for (int level : {0, 10, 20, 30, 40}) {
        const GrantWriter writer = external(level);
        EXPECT_EQ(said(check_new_grant(writer, row(10))), unmanaged_customer().message);
        EXPECT_EQ(said(check_removed_grant(writer, row(10))), unmanaged_customer().message);
        EXPECT_EQ(said(check_changed_grant(writer, row(20), row(10), false)),
                  unmanaged_customer().message);
    }
    EXPECT_FALSE(is_managing(GrantWriter()));
    // Nobody has user number 0, and is nobody's self.
    EXPECT_TRUE(is_denied(check_removed_grant(GrantWriter(), row(10, 0))));
    EXPECT_TRUE(is_denied(check_changed_grant(GrantWriter(), row(20, 0), row(10, 0), false)));
}

// R42, each level as the writer's and as the grant's
TEST(GrantWriter, GrantsUpToTheOwnRank) {
    for (int level : kLevels) {
        const bool is_owners = level == 90;
        EXPECT_EQ(check_new_grant(external(80), row(level)).ok(), !is_owners) << level;
        EXPECT_EQ(check_removed_grant(external(80), row(level)).ok(), !is_owners) << level;
        EXPECT_EQ(check_changed_grant(external(80), row(level), row(level), true).ok(), !is_owners);
        EXPECT_EQ(check_changed_grant(external(80), row(30), row(level), false).ok(), !is_owners);
        EXPECT_EQ(check_changed_grant(external(80), row(level), row(30), false).ok(), !is_owners);
        for (const GrantWriter &writer :
             {external(90), manager(), GrantWriter{kWriter, true, 80}}) {
            EXPECT_TRUE(check_new_grant(writer, row(level)).ok()) << level;
            EXPECT_TRUE(check_removed_grant(writer, row(level)).ok()) << level;
            EXPECT_TRUE(check_changed_grant(writer, row(30), row(level), true).ok()) << level;
        }
    }
}

// R42
TEST(GrantWriter, GivesNothingToThemselves) {
    for (const GrantWriter &writer : {manager(), external(80), external(90)}) {
        EXPECT_TRUE(is_denied(check_new_grant(writer, row(10, kWriter))));
        const GrantRow own = row(40, kWriter, 30, 10, 20);
        for (const GrantRow &more :
             {row(80, kWriter, 30, 10, 20), row(40, kWriter, 31, 10, 20),
              row(40, kWriter, kUnlimitedDays, 10, 20), row(40, kWriter, 30, 9, 20),
              row(40, kWriter, 30, 10, 21), row(30, kWriter, 30, 10, 21)}) {
            EXPECT_TRUE(is_denied(check_changed_grant(writer, own, more, false)));
        }
    }
}

TEST(GrantWriter, MayGiveUpTheOwnGrantBelowOwner) {
    for (int level : {10, 20, 30, 40, 80}) {
        const GrantWriter writer = external(level);
        EXPECT_TRUE(check_removed_grant(writer, row(level, kWriter)).ok()) << level;
        EXPECT_TRUE(
            check_changed_grant(writer, row(level, kWriter), row(10, kWriter, 0, 1, 2), false)
                .ok());
        EXPECT_EQ(check_changed_grant(writer, row(level, kWriter), row(10, kWriter), true).ok(),
                  level == 80)
            << "notes are the managers'";
    }
    // An expired grant is still the user's own.
    EXPECT_TRUE(check_removed_grant(external(0), row(40, kWriter)).ok());
}

// R1, R41, R45
TEST(GrantWriter, IsWhatTheSubjectHoldsToday) {
    naive::World world = shipped_catalogue();
    world.customer.push_back({kCustomer, kMainBrand, "ACTV"});
    const auto find = [&](const Facts &facts) {
        return find_grant_writer(facts.subject(), facts.session(), kCustomer, kMainBrand,
                                 facts.subject() == nullptr ? nullptr : facts.grant(kCustomer));
    };
    EXPECT_FALSE(is_managing(find(Facts(world, naive::Asker{}))));
    EXPECT_FALSE(is_managing(find(Facts(world, add_member(world, "sales manager")))));
    EXPECT_TRUE(is_managing(find(Facts(world, add_owner(world)))));
    EXPECT_FALSE(is_managing(find(Facts(world, add_holder(world, {"external_access.manage"})))));
    const auto managing = add_holder(world, {"customers.view", "external_access.manage"});
    EXPECT_TRUE(find(Facts(world, managing)).is_manager);

    naive::Asker admin = add_user(world);
    world.external_access.push_back(
        {kCustomer, *admin.user_id, 80, 30, std::nullopt, std::nullopt});
    EXPECT_EQ(find(Facts(world, admin)).level, 80);
    admin.chosen_customer = kCustomer + 1;
    EXPECT_FALSE(is_managing(find(Facts(world, admin))));
}

// R1: not even the own grant.
TEST(GrantWriter, IsNobodyWhenSwitchedOff) {
    Subject subject;
    subject.id = kWriter;
    subject.is_active = false;
    const Grant own = row(80, kWriter).grant;
    const GrantWriter writer = find_grant_writer(&subject, Session{}, kCustomer, kMainBrand, &own);
    EXPECT_FALSE(is_managing(writer));
    EXPECT_TRUE(is_denied(check_removed_grant(writer, row(80, kWriter))));
    EXPECT_TRUE(
        is_denied(check_changed_grant(writer, row(80, kWriter), row(10, kWriter, 0, 1, 2), false)));
}

} // namespace
