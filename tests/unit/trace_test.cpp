// Claim: a trace records what it is told and nothing else, gates have names, and a Result is one
// thing or the other.
#include <set>

#include <gtest/gtest.h>

#include "core/result.hpp"
#include "core/subject.hpp"
#include "core/trace.hpp"

namespace {

using entitle::Gate;

TEST(GateName, IsItsOwn) {
    std::set<std::string_view> names;
    for (Gate gate : {Gate::identity, Gate::membership, Gate::module, Gate::plan, Gate::permission,
                      Gate::prerequisite, Gate::metric, Gate::capability, Gate::customer,
                      Gate::validity, Gate::level, Gate::window, Gate::status, Gate::protection,
                      Gate::row, Gate::staff, Gate::external, Gate::mask, Gate::decision}) {
        EXPECT_NE(entitle::gate_name(gate), "unknown");
        names.insert(entitle::gate_name(gate));
    }
    EXPECT_EQ(names.size(), 19U);
    EXPECT_EQ(entitle::gate_name(Gate::decision), "decision");
}

TEST(Recorder, BuildsNoTextWhenNobodyListens) {
    const entitle::Recorder recorder(nullptr);
    const auto never = []() -> std::string {
        throw std::logic_error("built");
    };
    recorder.pass(Gate::plan, never);
    const entitle::Decision decision = recorder.fail(Gate::module, never);
    EXPECT_FALSE(decision);
    EXPECT_EQ(decision.failed, Gate::module);
    EXPECT_EQ(recorder.trace(), nullptr);
}

TEST(Recorder, WritesStepsInOrder) {
    entitle::Trace trace;
    const entitle::Recorder recorder(&trace);
    recorder.pass(Gate::identity, [] { return std::string("one"); });
    const entitle::Decision decision = recorder.fail(Gate::plan, [] { return std::string("two"); });
    EXPECT_EQ(decision.failed, Gate::plan);
    ASSERT_EQ(trace.size(), 2U);
    EXPECT_TRUE(trace[0].passed);
    EXPECT_EQ(trace[0].gate, Gate::identity);
    EXPECT_FALSE(trace[1].passed);
    EXPECT_EQ(trace[1].detail, "two");
}

TEST(Conclude, RepeatsTheDecisionAndItsGate) {
    const entitle::Step allowed = entitle::conclude(entitle::Decision{true, std::nullopt});
    EXPECT_EQ(allowed.gate, Gate::decision);
    EXPECT_TRUE(allowed.passed);
    EXPECT_EQ(allowed.detail, "allowed");
    const entitle::Step denied = entitle::conclude(entitle::Decision{false, Gate::plan});
    EXPECT_FALSE(denied.passed);
    EXPECT_EQ(denied.detail, "denied at gate \"plan\"");
    EXPECT_EQ(entitle::conclude(entitle::Decision{}).detail, "denied");
    const entitle::Decision both{false, Gate::customer, Gate::membership};
    EXPECT_EQ(entitle::conclude(both).detail,
              "denied at gate \"membership\" by permission, and at gate \"customer\" by external "
              "access");
}

// R1: what nobody decided is denied.
TEST(Decision, DeniesByDefault) { EXPECT_FALSE(entitle::Decision{}); }

TEST(Result, HoldsAValueOrAnError) {
    const entitle::Result<int> value(7);
    EXPECT_TRUE(value.ok());
    EXPECT_EQ(value.value(), 7);
    const entitle::Result<int> error(entitle::Error{entitle::ErrorCode::denied, "no", "", "ask"});
    EXPECT_FALSE(error.ok());
    EXPECT_EQ(error.error().code, entitle::ErrorCode::denied);
    EXPECT_EQ(error.error().message, "no");
}

TEST(Subject, FindsByExactId) {
    entitle::Subject subject;
    EXPECT_EQ(subject.find_brand(1), nullptr);
    EXPECT_EQ(subject.find_role(1), nullptr);
    for (std::int64_t id : {INT64_MIN, std::int64_t{-1}, std::int64_t{5}, INT64_MAX}) {
        entitle::Brand brand;
        brand.id = id;
        subject.brands.push_back(brand);
        entitle::Role role;
        role.id = id;
        subject.roles.push_back(role);
    }
    for (const auto &brand : subject.brands) {
        EXPECT_EQ(subject.find_brand(brand.id), &brand);
    }
    for (const auto &role : subject.roles) {
        EXPECT_EQ(subject.find_role(role.id), &role);
    }
    for (std::int64_t absent : {INT64_MIN + 1, std::int64_t{0}, std::int64_t{6}, INT64_MAX - 1}) {
        EXPECT_EQ(subject.find_brand(absent), nullptr);
        EXPECT_EQ(subject.find_role(absent), nullptr);
    }
}

} // namespace
