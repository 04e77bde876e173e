// Claim: a row shows by permission or by external access, each judged by its own rules, and a test
// that answers many rows answers each as if it were alone.
#include <map>

#include <gtest/gtest.h>

#include "facts.hpp"
#include "random_world.hpp"
#include "shipped_catalogue.hpp"

namespace {

using naive::RowQuestion;

constexpr naive::Id kCustomer = 101;
constexpr naive::Id kOther = 102;

RowQuestion order_row() {
    RowQuestion row;
    row.permission = "conversions.view";
    row.min_level = 20;
    row.customer_id = kCustomer;
    row.is_dated = true;
    row.on_date = 0;
    return row;
}

naive::Asker add_guest(naive::World &world, int level, std::optional<std::int32_t> days = 30) {
    const naive::Asker guest = add_user(world);
    world.external_access.push_back(
        {kCustomer, *guest.user_id, level, days, std::nullopt, std::nullopt});
    return guest;
}

// R35, R39: the two ways in
TEST(Row, ShowsByPermissionOrByAccess) {
    naive::World world = shipped_catalogue();
    const RowQuestion row = order_row();
    EXPECT_TRUE(Facts(world, add_member(world, "operations user")).row(row));
    EXPECT_TRUE(Facts(world, add_guest(world, 20)).row(row));
    EXPECT_EQ(outcome(Facts(world, add_guest(world, 10)).row(row)), "level");
    EXPECT_EQ(outcome(Facts(world, add_member(world, "sales")).row(row)), "customer");
    EXPECT_EQ(outcome(Facts(world, add_user(world)).row(row)), "customer");
    EXPECT_EQ(outcome(Facts(world, naive::Asker{}).row(row)), "identity");
}

// R2: staff are told the gate of either way, outsiders the one of theirs
TEST(Row, TellsStaffWhereThePermissionFailed) {
    naive::World world = shipped_catalogue();
    const RowQuestion row = order_row();
    const auto by_permission = [&](const naive::Asker &asker) {
        return Facts(world, asker).row(row).failed_by_permission;
    };
    EXPECT_EQ(by_permission(add_member(world, "sales")), entitle::Gate::permission);
    EXPECT_EQ(by_permission(add_member(world, "operations user")), std::nullopt);
    EXPECT_EQ(by_permission(add_guest(world, 10)), std::nullopt);
}

// R34
TEST(Row, OfAnotherOrNoCustomerNeedsThePermission) {
    naive::World world = shipped_catalogue();
    const naive::Asker guest = add_guest(world, 90, std::nullopt);
    const naive::Asker staff = add_member(world, "operations user");
    RowQuestion row = order_row();
    for (const auto &customer : {std::optional<naive::Id>(kOther), std::optional<naive::Id>()}) {
        row.customer_id = customer;
        EXPECT_EQ(outcome(Facts(world, guest).row(row)), "customer");
        EXPECT_TRUE(Facts(world, staff).row(row));
    }
}

// R1, R36: a shared row shows to every active user, and its masks to nobody by that
TEST(Row, WithoutCustomerIsSharedWhereDeclared) {
    naive::World world = shipped_catalogue();
    RowQuestion row = order_row();
    row.is_shared = true;
    EXPECT_EQ(outcome(Facts(world, add_user(world)).row(row)), "customer");
    row.customer_id.reset();
    row.on_date.reset();
    const Facts stranger(world, add_user(world));
    EXPECT_TRUE(stranger.row(row));
    EXPECT_EQ(outcome(Facts(world, naive::Asker{}).row(row)), "identity");
    world.app_user.back().is_active = false;
    naive::Asker gone;
    gone.user_id = world.app_user.back().user_id;
    EXPECT_EQ(outcome(Facts(world, gone).row(row)), "identity");
    entitle::RowFacts facts;
    facts.lacks_customer = true;
    EXPECT_FALSE(check_mask(stranger.subject(), stranger.session(), rule_of(row), facts, "price",
                            10, nullptr));
    // A key that is no customer's.
    facts.lacks_customer = false;
    EXPECT_FALSE(check_row(stranger.subject(), stranger.session(), rule_of(row), facts, nullptr));
    row.is_shared = false;
    EXPECT_EQ(outcome(stranger.row(row)), "customer");
}

// R38, R39: the window narrows access, never permission
TEST(Row, OutsideTheWindowShowsByPermissionOnly) {
    naive::World world = shipped_catalogue();
    const naive::Asker guest = add_guest(world, 90, 7);
    const naive::Asker staff = add_member(world, "operations user");
    RowQuestion row = order_row();
    for (const auto &date : {std::optional<naive::Date>(-8), std::optional<naive::Date>()}) {
        row.on_date = date;
        EXPECT_EQ(outcome(Facts(world, guest).row(row)), "window");
        EXPECT_TRUE(Facts(world, staff).row(row));
    }
    row.is_dated = false;
    EXPECT_TRUE(Facts(world, guest).row(row));
}

// R45: the chosen customer narrows access, never permission
TEST(Row, OfACustomerNotChosenShowsByPermissionOnly) {
    naive::World world = shipped_catalogue();
    naive::Asker guest = add_guest(world, 90);
    naive::Asker staff = add_member(world, "operations user");
    guest.chosen_customer = kOther;
    staff.chosen_customer = kOther;
    EXPECT_EQ(outcome(Facts(world, guest).row(order_row())), "customer");
    EXPECT_TRUE(Facts(world, staff).row(order_row()));
}

// R52: a row that carries its brand is judged by it, others in the current brand
TEST(Row, IsJudgedByItsBrand) {
    naive::World world = shipped_catalogue();
    const naive::Id second = add_brand(world, kMainOrganization);
    set_module(world, second, "conversions", false);
    naive::Asker staff = add_member(world, "operations user");
    RowQuestion row = order_row();
    EXPECT_FALSE(Facts(world, staff).row(row)) << "two brands, none chosen";
    row.has_brand = true;
    row.brand_id = kMainBrand;
    EXPECT_TRUE(Facts(world, staff).row(row));
    row.brand_id = second;
    EXPECT_FALSE(Facts(world, staff).row(row));
    staff.chosen_brand = kMainBrand;
    EXPECT_FALSE(Facts(world, staff).row(row))
        << "the choice does not stand in for the row's brand";
    row.brand_id.reset();
    EXPECT_FALSE(Facts(world, staff).row(row)) << "nor for a missing one";
    row.has_brand = false;
    EXPECT_TRUE(Facts(world, staff).row(row));
    // The row's brand closes permission only: a grant on the customer still opens it.
    row.has_brand = true;
    EXPECT_TRUE(Facts(world, add_guest(world, 20)).row(row));
}

// R3, R4: no permission and no level named, or ones that do not exist, open nothing
TEST(Row, StaysClosedWhereNothingOpensIt) {
    naive::World world = shipped_catalogue();
    naive::Asker owner = add_owner(world);
    world.external_access.push_back(
        {kCustomer, *owner.user_id, 90, std::nullopt, std::nullopt, std::nullopt});
    RowQuestion row = order_row();
    row.permission.reset();
    row.min_level.reset();
    EXPECT_FALSE(Facts(world, owner).row(row));
    row.permission = "no.such";
    for (int level : {0, -1, 15, 91, 255}) {
        row.min_level = level;
        EXPECT_FALSE(Facts(world, owner).row(row)) << level;
    }
}

// R2: where one way in exists, its first failing gate is the reason
TEST(Row, TellsTheGateOfTheOnlyWayIn) {
    naive::World world = shipped_catalogue();
    const Facts sales(world, add_member(world, "sales"));
    RowQuestion row = order_row();
    row.min_level.reset();
    EXPECT_EQ(outcome(sales.row(row)), "permission");
    row.permission = "customers.export";
    EXPECT_EQ(outcome(sales.row(row)), "permission");
    row.permission.reset();
    row.min_level = 20;
    EXPECT_EQ(outcome(sales.row(row)), "customer");
}

// R36, R37: a masked column asks the column's level of a row that shows by access; by permission it
// shows whole
TEST(Mask, FollowsTheWayTheRowShows) {
    naive::World world = shipped_catalogue();
    RowQuestion price = order_row();
    price.min_level = 30;
    EXPECT_TRUE(Facts(world, add_member(world, "operations user")).row(price));
    for (int level : {10, 20, 30, 40, 80, 90}) {
        EXPECT_EQ(Facts(world, add_guest(world, level)).row(price).allowed, level >= 30) << level;
    }
}

// The planner may drop the row test only when no row could be refused.
TEST(RowTest, AllowsAllOnlyByPermissionInTheCurrentBrand) {
    naive::World world = shipped_catalogue();
    const Facts staff(world, add_member(world, "operations user"));
    const Facts guest(world, add_guest(world, 90, std::nullopt));
    RowQuestion row = order_row();
    const auto allows_all = [&](const Facts &facts) {
        return entitle::RowTest(facts.subject(), facts.session(), rule_of(row)).allows_all();
    };
    EXPECT_TRUE(allows_all(staff));
    EXPECT_FALSE(allows_all(guest));
    EXPECT_FALSE(allows_all(Facts(world, naive::Asker{})));
    row.has_brand = true;
    EXPECT_FALSE(allows_all(staff)) << "the next row may be of another brand";
    row.has_brand = false;
    row.permission = "conversions.delete";
    EXPECT_FALSE(allows_all(staff));
}

// R52: what it remembers of one brand never answers for another
TEST(RowTest, AnswersEachBrandForItself) {
    naive::World world = shipped_catalogue();
    const naive::Id closed = add_brand(world, kMainOrganization);
    const naive::Id open = add_brand(world, kMainOrganization);
    set_module(world, closed, "conversions", false);
    const Facts facts(world, add_member(world, "operations user"));
    RowQuestion row = order_row();
    row.has_brand = true;
    entitle::RowTest test(facts.subject(), facts.session(), rule_of(row));
    EXPECT_FALSE(test.allows_by_permission(std::nullopt));
    for (int round = 0; round < 3; ++round) {
        EXPECT_TRUE(test.allows_by_permission(kMainBrand));
        EXPECT_FALSE(test.allows_by_permission(closed));
        EXPECT_FALSE(test.allows_by_permission(closed));
        EXPECT_TRUE(test.allows_by_permission(open));
        EXPECT_FALSE(test.allows_by_permission(4711));
        EXPECT_FALSE(test.allows_by_permission(std::nullopt));
        EXPECT_TRUE(test.allows_by_permission(open));
    }
}

// R38: what was worked out before a scan answers as the rule does, for every kind of grant
TEST(RowTest, AnswersPreparedAsItDoesRowByRow) {
    naive::World world = shipped_catalogue();
    const naive::Asker guest = add_user(world);
    naive::Id customer = 0;
    for (int level : {10, 20, 90, 15}) {
        for (std::optional<std::int32_t> days :
             {std::optional<std::int32_t>(), std::optional<std::int32_t>(0),
              std::optional<std::int32_t>(30), std::optional<std::int32_t>(INT32_MAX),
              std::optional<std::int32_t>(-7)}) {
            for (naive::Date until : {-1, 0}) {
                world.external_access.push_back(
                    {++customer, *guest.user_id, level, days, std::nullopt, until});
            }
        }
    }
    const Facts facts(world, guest);
    RowQuestion row = order_row();
    for (bool is_dated : {false, true}) {
        row.is_dated = is_dated;
        for (naive::Id asked = 0; asked <= customer + 1; ++asked) {
            row.customer_id = asked;
            for (std::optional<naive::Date> date :
                 {std::optional<naive::Date>(), std::optional<naive::Date>(naive::kMinusInfinity),
                  std::optional<naive::Date>(naive::kMinusInfinity + 1),
                  std::optional<naive::Date>(-31), std::optional<naive::Date>(-30),
                  std::optional<naive::Date>(0), std::optional<naive::Date>(naive::kInfinity)}) {
                row.on_date = date;
                (void)facts.row(row); // which compares the two
            }
        }
    }
}

// However customers' ids lie, each is found with its own day and no other with any.
TEST(VisibleFrom, FindWhatWasBuiltAndNothingElse) {
    Dice dice(7);
    const std::vector<std::int64_t> spreads = {
        1, 3, 40, 1000000, INT64_C(1) << 32, INT64_MAX / 3000};
    // Built again and again: nothing of one round is left in the next.
    entitle::VisibleFrom verdicts;
    EXPECT_EQ(verdicts.find(0), entitle::kLastDay);
    for (std::int64_t spread : spreads) {
        for (int count : {0, 1, 2, 7, 8, 9, 1000}) {
            for (std::int64_t from : {INT64_MIN, std::int64_t{-5}, std::int64_t{1}}) {
                std::map<std::int64_t, entitle::Day> expected;
                for (int at = 0; at < count; ++at) {
                    expected[from + spread * dice.below(3000)] = dice.below(100);
                }
                if (count == 1000) {
                    expected[INT64_MAX] = entitle::kFirstDay;
                    expected[INT64_MIN] = 5;
                }
                verdicts.build({expected.begin(), expected.end()});
                for (const auto &[customer, day] : expected) {
                    ASSERT_EQ(verdicts.find(customer), day);
                }
                for (std::int64_t asked : {INT64_MIN, INT64_MIN + 1, std::int64_t{-1},
                                           std::int64_t{0}, INT64_MAX - 1, INT64_MAX}) {
                    const auto at = expected.find(asked);
                    ASSERT_EQ(verdicts.find(asked),
                              at == expected.end() ? entitle::kLastDay : at->second);
                }
                for (int tries = 0; tries < 3000; ++tries) {
                    const std::int64_t asked = from + tries * spread;
                    const auto at = expected.find(asked);
                    ASSERT_EQ(verdicts.find(asked),
                              at == expected.end() ? entitle::kLastDay : at->second);
                }
            }
        }
    }
}

// The planner leaves out a test that follows from another one about the same customer: whoever
// passes the one, at any date, then passes the other, and where that is not so nothing follows.
TEST(Row, FollowsFromAnotherTestOnlyWhereNobodyGains) {
    naive::World world = shipped_catalogue();
    std::vector<naive::Asker> askers = {naive::Asker{}, add_user(world),
                                        add_member(world, "operations user"),
                                        add_member(world, "read-only")};
    for (const int level : {10, 20, 40}) {
        askers.push_back(add_guest(world, level));
        askers.push_back(add_guest(world, level, std::nullopt));
    }
    std::vector<RowQuestion> questions;
    for (const char *permission : {"", "conversions.view", "customers.view"}) {
        for (const int level : {0, 10, 20, 40}) {
            for (const bool is_dated : {false, true}) {
                RowQuestion question = order_row();
                question.permission.reset();
                question.min_level.reset();
                if (*permission != '\0') {
                    question.permission = permission;
                }
                if (level > 0) {
                    question.min_level = level;
                }
                question.is_dated = is_dated;
                questions.push_back(question);
            }
        }
    }
    int implied = 0;
    for (const RowQuestion &strong : questions) {
        for (const RowQuestion &weak : questions) {
            if (!entitle::implies(rule_of(strong), rule_of(weak))) {
                continue;
            }
            ++implied;
            for (const naive::Asker &asker : askers) {
                for (const int ago : {0, 10, 400}) {
                    RowQuestion row = strong;
                    row.on_date = -ago;
                    RowQuestion other = weak;
                    other.on_date.reset();
                    ASSERT_TRUE(!Facts(world, asker).row(row) || Facts(world, asker).row(other));
                }
            }
        }
    }
    EXPECT_GT(implied, 30);
    RowQuestion branded = order_row();
    branded.has_brand = true;
    EXPECT_FALSE(entitle::implies(rule_of(branded), rule_of(branded)));
}

// R1: a row of everybody's is still nobody's where nobody may ask.
TEST(Row, OfEverybodyShowsToNobodyWhoIsSwitchedOff) {
    naive::World world;
    world.app_user = {{1, true}, {2, false}};
    naive::RowQuestion row;
    row.is_shared = true;
    naive::Asker asker;
    EXPECT_FALSE(Facts(world, asker).row(row).allowed);
    asker.user_id = 1;
    EXPECT_TRUE(Facts(world, asker).row(row).allowed);
    asker.user_id = 2;
    EXPECT_FALSE(Facts(world, asker).row(row).allowed);
}

} // namespace
