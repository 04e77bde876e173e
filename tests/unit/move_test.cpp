// Claim: nothing is moved to where its writer could do more to it (R54), and external access gives
// a row no brand but its customer's (R55). Rows, lines, customers and grants go by one comparison.
#include <gtest/gtest.h>

#include "core/move.hpp"
#include "facts.hpp"
#include "random_world.hpp"
#include "shipped_catalogue.hpp"

namespace {

using namespace entitle;

constexpr naive::Id kHere = 101;
constexpr naive::Id kThere = 102;

naive::Asker add_guest(naive::World &world, int here, int there) {
    const naive::Asker guest = add_user(world);
    world.external_access.push_back({kHere, *guest.user_id, here, {}, {}, {}});
    world.external_access.push_back({kThere, *guest.user_id, there, {}, {}, {}});
    return guest;
}

// Rows that show from L20, take updates from L20 and have a column masked below L30.
std::vector<RowRight> order_rights() {
    RowRule rule;
    rule.permission = "conversions.view";
    rule.level = 20;
    std::vector<RowRight> rights = {{"see it", rule}};
    rule.permission = "conversions.update";
    rights.push_back({"update it", rule});
    rule.permission = "conversions.view";
    rule.level = 30;
    rights.push_back({"see \"price\" of it", rule});
    return rights;
}

Result<Passed> move_order(const Facts &facts, std::optional<naive::Id> from,
                          std::optional<naive::Id> to) {
    const auto rights = [&](std::optional<naive::Id> customer) {
        RowFacts row;
        row.customer = customer;
        row.grant = customer ? facts.grant(*customer) : nullptr;
        return row_rights(facts.subject(), facts.session(), order_rights(), row);
    };
    return check_move(rights(from), rights(to), "this row");
}

std::string told(const Result<Passed> &result) {
    return result.ok() ? "passed" : result.error().message + "; " + result.error().detail;
}

// R54: the comparison itself
TEST(Move, GainsNothing) {
    const auto rights = [](bool sees, bool writes) {
        return Rights{{"see it", sees}, {"write it", writes}};
    };
    for (const bool sees : {false, true}) {
        for (const bool writes : {false, true}) {
            EXPECT_TRUE(check_move(rights(sees, writes), rights(sees, writes), "x").ok());
            EXPECT_TRUE(check_move(rights(true, true), rights(sees, writes), "x").ok());
            EXPECT_EQ(check_move(rights(false, false), rights(sees, writes), "x").ok(),
                      !sees && !writes);
        }
    }
    const Result<Passed> gained = check_move(rights(true, false), rights(true, true), "this row");
    EXPECT_EQ(told(gained), "permission denied to move this row; Where it would go the signed-in "
                            "user could write it, and cannot where it is.");
    EXPECT_EQ(gained.error().code, ErrorCode::denied);
    EXPECT_FALSE(gained.error().hint.empty());
    // Lists that do not fit are told apart, not read past their end.
    EXPECT_FALSE(check_move({}, rights(true, false), "x").ok());
    EXPECT_TRUE(check_move({}, rights(false, false), "x").ok());
}

// R54, R36: attack 04
TEST(Move, OpensNoMask) {
    naive::World world = shipped_catalogue();
    const Facts more_there(world, add_guest(world, 20, 30));
    EXPECT_NE(told(move_order(more_there, kHere, kThere)).find("price"), std::string::npos);
    EXPECT_TRUE(move_order(more_there, kThere, kHere).ok());
    const Facts equal(world, add_guest(world, 20, 20));
    EXPECT_TRUE(move_order(equal, kHere, kThere).ok());
    // No way round over a row of nobody.
    EXPECT_TRUE(move_order(more_there, kHere, std::nullopt).ok());
    EXPECT_FALSE(move_order(more_there, std::nullopt, kThere).ok());
    EXPECT_FALSE(move_order(more_there, std::nullopt, kHere).ok());
}

// R3: of what does not show, nothing is held
TEST(Move, CountsNoRightOnWhatDoesNotShow) {
    naive::World world = shipped_catalogue();
    const naive::Asker guest = add_user(world);
    world.external_access.push_back({kHere, *guest.user_id, 20, {}, {}, {}});
    std::vector<RowRight> asked = order_rights();
    asked.front().rule.level = 30; // to see it takes more than to update it
    const Facts facts(world, guest);
    RowFacts row;
    row.customer = kHere;
    row.grant = facts.grant(kHere);
    for (const Right &right : row_rights(facts.subject(), facts.session(), asked, row)) {
        EXPECT_FALSE(right.is_held) << right.what;
    }
    for (const Right &right :
         row_rights(facts.subject(), facts.session(), order_rights(), std::nullopt)) {
        EXPECT_FALSE(right.is_held) << right.what;
    }
}

// R54: every right that hangs on a customer's brand, one by one (attack 13)
TEST(Move, OfACustomerGainsNoRightOfTheOtherBrand) {
    for (const char *gained : {"customers.edit", "customers.client_metrics", "customers.export",
                               "external_access.manage"}) {
        naive::World world = shipped_catalogue();
        world.brand.push_back({2, 1, std::nullopt});
        for (const std::string &module : world.module) {
            world.brand_module.push_back({2, module, true});
        }
        world.role.push_back({50, 1, true});
        world.role.push_back({51, 1, true});
        world.role_permission.push_back({50, "customers.view"});
        world.role_permission.push_back({51, gained});
        const naive::Asker asker = add_user(world);
        world.membership.push_back({*asker.user_id, std::nullopt, 1, 50, false});
        world.membership.push_back({*asker.user_id, std::nullopt, 2, 50, false});
        world.membership.push_back({*asker.user_id, std::nullopt, 2, 51, false});
        const Facts facts(world, asker);
        const Rights here = customer_rights(facts.subject(), facts.session(), 1);
        const Rights there = customer_rights(facts.subject(), facts.session(), 2);
        EXPECT_FALSE(check_move(here, there, "this customer").ok()) << gained;
        EXPECT_TRUE(check_move(there, here, "this customer").ok()) << gained;
        const Rights nowhere = customer_rights(facts.subject(), facts.session(), std::nullopt);
        EXPECT_FALSE(check_move(nowhere, here, "this customer").ok());
    }
}

// R54: rows come along with a customer's key
TEST(Move, OfAKeyOpensNothingToItsWriter) {
    naive::World world = shipped_catalogue();
    const Facts guest(world, add_guest(world, 10, 30));
    const auto rights = [&](const Facts &facts, std::optional<naive::Id> customer) {
        return keyed_rights(facts.subject(), facts.session(), customer,
                            customer ? facts.grant(*customer) : nullptr);
    };
    EXPECT_FALSE(check_move(rights(guest, {}), rights(guest, kHere), "x").ok());
    EXPECT_FALSE(check_move(rights(guest, kHere), rights(guest, kThere), "x").ok());
    const Facts staff(world, add_member(world, "sales"));
    EXPECT_TRUE(check_move(rights(staff, {}), rights(staff, kHere), "x").ok());
}

// R54, R41 (S191): whoever gets a key next shares the rows that name it
TEST(Move, OfAKeyThatWasBorneTakesManagingTheAccess) {
    EXPECT_FALSE(check_lost_key(GrantWriter{1, false, kNoLevel}).ok());
    EXPECT_FALSE(check_lost_key(GrantWriter{1, false, 40}).ok());
    EXPECT_TRUE(check_lost_key(GrantWriter{1, false, 80}).ok());
    EXPECT_TRUE(check_lost_key(GrantWriter{1, true, kNoLevel}).ok());
}

// R54, R42: what an L80 may not do to a grant, it may not do elsewhere
TEST(Move, OfAGrantGainsNothing) {
    const GrantRow grant{2, Grant{kHere, kFirstDay, kLastDay, 30, 30}};
    const GrantWriter admin{1, false, 80};
    const GrantWriter owner{1, false, 90};
    const GrantWriter manager{1, true, kNoLevel};
    const GrantWriter none{1, false, 10};
    const auto is_free = [&](const GrantWriter &here, const GrantWriter &there) {
        return check_move(grant_rights(here, grant), grant_rights(there, grant), "x").ok();
    };
    EXPECT_FALSE(is_free(admin, owner));
    EXPECT_FALSE(is_free(admin, manager));
    EXPECT_FALSE(is_free(none, admin));
    EXPECT_TRUE(is_free(owner, admin));
    EXPECT_TRUE(is_free(owner, manager));
    EXPECT_TRUE(is_free(manager, owner));
    EXPECT_TRUE(is_free(admin, admin));
    // One's own grant is seen and given up, and that is all.
    const GrantRow own{1, grant.grant};
    EXPECT_FALSE(check_move(grant_rights(none, own), grant_rights(admin, own), "x").ok());
}

// R55
TEST(GivenBrand, IsTheCustomersOrOneOfAPermission) {
    naive::World world = shipped_catalogue();
    RowRule rule;
    rule.permission = "conversions.update";
    rule.level = 20;
    rule.is_branded = true;
    const auto passes = [&](const Facts &facts, std::optional<BrandId> brand,
                            std::optional<BrandId> home) {
        RowFacts row;
        row.brand = brand;
        row.customer = kHere;
        row.grant = facts.grant(kHere);
        const bool is_given =
            check_given_brand(facts.subject(), facts.session(), rule, row, home, "x").ok();
        Trace trace;
        const Decision told =
            check_new_row(facts.subject(), facts.session(), rule, row, home, &trace);
        EXPECT_EQ(told.allowed, is_given);
        EXPECT_EQ(check_new_row(facts.subject(), facts.session(), rule, row, home, nullptr).allowed,
                  is_given);
        return is_given;
    };
    const Facts guest(world, add_guest(world, 20, 20));
    EXPECT_TRUE(passes(guest, 1, 1));
    EXPECT_FALSE(passes(guest, 2, 1));
    EXPECT_FALSE(passes(guest, std::nullopt, 1));
    EXPECT_FALSE(passes(guest, 1, std::nullopt));
    EXPECT_FALSE(passes(guest, std::nullopt, std::nullopt));
    // By permission in the new brand, whatever the customer's is.
    naive::Asker both = add_member(world, "operations user");
    world.external_access.push_back({kHere, *both.user_id, 20, {}, {}, {}});
    const Facts staff(world, both);
    EXPECT_TRUE(passes(staff, 1, 2));
    EXPECT_FALSE(passes(staff, 3, 2));
    EXPECT_TRUE(passes(staff, 3, 3));
    rule.is_branded = false;
    EXPECT_TRUE(passes(guest, std::nullopt, std::nullopt));
}

// The same as the rules say it, looked up by loops: in random worlds, over random rows.
TEST(Move, AgreesWithTheNaiveModel) {
    int allowed = 0;
    int refused = 0;
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        Dice dice(seed);
        const naive::World world = random_world(dice);
        for (const naive::Asker &asker : random_askers(dice, world)) {
            const Facts facts(world, asker);
            const naive::Model model(world);
            std::vector<naive::RowQuestion> before;
            std::vector<naive::RowQuestion> after;
            std::vector<RowRight> asked;
            const naive::RowQuestion old_row = random_row(dice, asker.today);
            const naive::RowQuestion new_row = random_row(dice, asker.today);
            for (int i = 0; i < 4; ++i) {
                // The rule is the action's, what it holds is the row's.
                const naive::RowQuestion rule = random_row(dice, asker.today);
                for (const auto &[row, list] : {std::pair(&old_row, &before), {&new_row, &after}}) {
                    naive::RowQuestion question = rule;
                    question.brand_id = row->brand_id;
                    question.customer_id = row->customer_id;
                    question.on_date = row->on_date;
                    list->push_back(question);
                }
                asked.push_back({"do it", rule_of(rule)});
            }
            const auto rights = [&](const naive::RowQuestion &row) {
                RowFacts held;
                held.brand = row.brand_id;
                held.customer = row.customer_id;
                held.grant = row.customer_id ? facts.grant(*row.customer_id) : nullptr;
                held.date = row.on_date;
                return row_rights(facts.subject(), facts.session(), asked, held);
            };
            const bool expected = model.may_move(asker, before, after);
            EXPECT_EQ(check_move(rights(old_row), rights(new_row), "x").ok(), expected)
                << "seed " << seed;
            ++(expected ? allowed : refused);
        }
    }
    EXPECT_GT(allowed, 100);
    EXPECT_GT(refused, 50);
}

// R3, S236
TEST(Move, WhatDoesNotShowIsNotMoved) {
    EXPECT_TRUE(check_shown({{"see it", true}, {"update it", false}}, "this row", "why").ok());
    const auto hidden = check_shown({{"see it", false}, {"update it", true}}, "this row", "why");
    ASSERT_FALSE(hidden.ok());
    EXPECT_EQ(hidden.error().message, "permission denied to move this row");
    EXPECT_EQ(hidden.error().detail, "why");
}

} // namespace
