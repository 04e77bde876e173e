// Claim: what a trace says in words is what was compared: dates, roles that do not grant, both ways
// by which a row may show.
#include <string>

#include <gtest/gtest.h>

#include "core/access.hpp"
#include "core/permission.hpp"
#include "core/protection.hpp"

namespace {

using entitle::Gate;
using entitle::Step;
using entitle::Trace;

const Step *find_step(const Trace &trace, Gate gate) {
    for (const Step &step : trace) {
        if (step.gate == gate) {
            return &step;
        }
    }
    return nullptr;
}

std::string detail_of(const Trace &trace, Gate gate) {
    const Step *step = find_step(trace, gate);
    return step == nullptr ? "(no such step)" : step->detail;
}

TEST(DayText, IsADate) {
    EXPECT_EQ(entitle::day_text(0), "2000-01-01");
    EXPECT_EQ(entitle::day_text(-1), "1999-12-31");
    EXPECT_EQ(entitle::day_text(59), "2000-02-29");
    EXPECT_EQ(entitle::day_text(60), "2000-03-01");
    EXPECT_EQ(entitle::day_text(365 + 1 + 58), "2001-02-28");
    EXPECT_EQ(entitle::day_text(365 + 1 + 59), "2001-03-01");
    EXPECT_EQ(entitle::day_text(9821), "2026-11-21");
    EXPECT_EQ(entitle::day_text(-730119), "0001-01-01");
    EXPECT_EQ(entitle::day_text(-730120), "0001-12-31 BC");
    EXPECT_EQ(entitle::day_text(-2451507), "4713-01-01 BC");
    EXPECT_EQ(entitle::day_text(2145031948), "5874897-12-31");
    EXPECT_EQ(entitle::day_text(entitle::kFirstDay), "-infinity");
    EXPECT_EQ(entitle::day_text(entitle::kLastDay), "infinity");
}

class Words : public ::testing::Test {
  protected:
    Words() {
        entitle::CatalogueRows rows;
        rows.permissions = {{"orders.view", true}};
        subject_.login = "ann";
        subject_.is_active = true;
        subject_.catalogue = std::make_shared<const entitle::Catalogue>(rows);
        entitle::Brand brand;
        brand.id = 1;
        brand.organization = 1;
        brand.name = "tea";
        subject_.brands = {brand};
        session_.today = 100;
    }

    void add_role(entitle::RoleId id, const char *name, bool is_active) {
        entitle::Role role;
        role.id = id;
        role.organization = 1;
        role.name = name;
        role.is_active = is_active;
        subject_.roles.push_back(role);
        entitle::Membership membership;
        membership.organization = 1;
        membership.role = id;
        subject_.memberships.push_back(membership);
    }

    std::string refusal() const {
        Trace trace;
        EXPECT_FALSE(entitle::check_permission(&subject_, session_, "orders.view", 1, &trace));
        return detail_of(trace, Gate::permission);
    }

    Trace row(const entitle::Grant &grant, std::optional<entitle::Day> date) const {
        Trace trace;
        entitle::RowRule rule;
        rule.permission = "orders.view";
        rule.level = 20;
        rule.is_dated = true;
        entitle::RowFacts facts;
        facts.customer = 7;
        facts.grant = &grant;
        facts.date = date;
        (void)entitle::check_row(&subject_, session_, rule, facts, &trace);
        return trace;
    }

    entitle::Subject subject_;
    entitle::Session session_;
};

TEST_F(Words, NameTheRolesThatDoNotGrant) {
    entitle::Membership plain;
    plain.organization = 1;
    subject_.memberships = {plain};
    EXPECT_EQ(refusal(), "no role in brand \"tea\" (1) to grant \"orders.view\"");
    add_role(1, "sales", true);
    EXPECT_EQ(refusal(), "role \"sales\" does not grant \"orders.view\"");
    add_role(2, "clerk", false);
    EXPECT_EQ(refusal(), "roles \"sales\", \"clerk\" (switched off) do not grant \"orders.view\"");
}

TEST_F(Words, NameTheWindowAndTheRowsDate) {
    entitle::Grant grant;
    grant.customer = 7;
    grant.level = 30;
    grant.days_back = 10;
    EXPECT_EQ(detail_of(row(grant, 89), Gate::window),
              "the row's date 2000-03-30; 10 days back begin on 2000-03-31");
    EXPECT_EQ(detail_of(row(grant, std::nullopt), Gate::window),
              "the row has no date; 10 days back begin on 2000-03-31");
    grant.days_back = entitle::kUnlimitedDays;
    EXPECT_EQ(detail_of(row(grant, 89), Gate::window),
              "the row's date 2000-03-30; days back are not limited");
}

TEST_F(Words, NameTheDaysOfTheGrant) {
    entitle::Grant grant;
    grant.customer = 7;
    grant.level = 30;
    grant.valid_from = 101;
    EXPECT_EQ(detail_of(row(grant, 100), Gate::validity),
              "the grant begins on 2000-04-11, today is 2000-04-10");
    grant.valid_from = 90;
    grant.valid_until = 99;
    EXPECT_EQ(detail_of(row(grant, 100), Gate::validity),
              "the grant ended on 2000-04-09, today is 2000-04-10");
    grant.valid_until = 100;
    EXPECT_EQ(detail_of(row(grant, 100), Gate::validity),
              "the grant is valid today, from 2000-03-31, until 2000-04-10");
}

// R36: the way by permission comes first, and closes with a step of its own.
TEST_F(Words, TellBothWaysApart) {
    entitle::Grant grant;
    grant.customer = 7;
    grant.level = 30;
    Trace trace = row(grant, 100);
    ASSERT_NE(find_step(trace, Gate::staff), nullptr);
    EXPECT_FALSE(find_step(trace, Gate::staff)->passed);
    EXPECT_EQ(trace.back().gate, Gate::external);
    EXPECT_TRUE(trace.back().passed);

    grant.level = 10;
    trace = row(grant, 100);
    EXPECT_EQ(trace.back().gate, Gate::external);
    EXPECT_FALSE(trace.back().passed);
    EXPECT_EQ(detail_of(trace, Gate::level), "needs L20, the grant is L10");

    add_role(1, "sales", true);
    subject_.roles[0].permissions = {0};
    trace = row(grant, 100);
    EXPECT_EQ(trace.back().gate, Gate::staff);
    EXPECT_TRUE(trace.back().passed);
    EXPECT_EQ(find_step(trace, Gate::external), nullptr);
}

// R36: a mask asks for the level alone, or the permission; the window does not count again.
TEST_F(Words, TellTheMaskedColumns) {
    entitle::Grant grant;
    grant.customer = 7;
    grant.level = 20;
    grant.days_back = 0;
    entitle::RowRule rule;
    rule.permission = "orders.view";
    rule.level = 10;
    rule.is_dated = true;
    entitle::RowFacts facts;
    facts.customer = 7;
    facts.grant = &grant;
    Trace trace;
    EXPECT_TRUE(entitle::check_mask(&subject_, session_, rule, facts, "amount", 20, &trace));
    EXPECT_FALSE(entitle::check_mask(&subject_, session_, rule, facts, "price", 30, &trace));
    ASSERT_EQ(trace.size(), 2U);
    EXPECT_TRUE(trace[0].passed);
    EXPECT_EQ(trace[0].detail, "\"amount\" shows; by external access it needs L20");
    EXPECT_FALSE(trace[1].passed);
    EXPECT_EQ(trace[1].gate, Gate::mask);
    EXPECT_EQ(trace[1].detail, "\"price\" is masked: by external access it needs L30");
    add_role(1, "sales", true);
    subject_.roles[0].permissions = {0};
    EXPECT_TRUE(entitle::check_mask(&subject_, session_, rule, facts, "price", 30, nullptr));
}

} // namespace
