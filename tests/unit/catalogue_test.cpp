// Claim: the catalogue knows exactly the keys it was given, byte for byte, and every doubtful row
// narrows.
#include <gtest/gtest.h>

#include "core/catalogue.hpp"

namespace {

using entitle::Catalogue;
using entitle::CatalogueRows;
using entitle::KeyTable;
using entitle::kUnknownKey;
using namespace std::string_literals;

// R4
TEST(KeyTable, FindsOnlyTheSameBytes) {
    const KeyTable keys({"orders.view", "orders", "Orders.view", "orders.view\0x"s,
                         "\xc3\xa9t\xc3\xa9", "\xff\xfe"});
    for (const auto &key : {"orders.view"s, "orders"s, "Orders.view"s, "orders.view\0x"s,
                            "\xc3\xa9t\xc3\xa9"s, "\xff\xfe"s}) {
        ASSERT_TRUE(keys.find(key)) << key;
        EXPECT_EQ(keys.key(*keys.find(key)), key);
    }
    for (const auto &key : {""s, "*"s, "order"s, "orders."s, "orders.view "s, " orders.view"s,
                            "ORDERS.VIEW"s, "orders.view\0"s, "e\xcc\x81te\xcc\x81"s, "\xff"s}) {
        EXPECT_FALSE(keys.find(key)) << key;
    }
}

TEST(KeyTable, KeepsOneOfEachInByteOrder) {
    const KeyTable keys({"b", "a", "b", "\xc3\xa9", "B"});
    ASSERT_EQ(keys.size(), 4U);
    EXPECT_EQ(keys.key(0), "B");
    EXPECT_EQ(keys.key(1), "a");
    EXPECT_EQ(keys.key(2), "b");
    EXPECT_EQ(keys.key(3), "\xc3\xa9");
}

TEST(KeyTable, EmptyKnowsNothing) {
    EXPECT_EQ(KeyTable().size(), 0U);
    EXPECT_FALSE(KeyTable().find(""));
    EXPECT_FALSE(KeyTable().find("x"));
}

TEST(Catalogue, EmptyKnowsNothing) {
    const Catalogue catalogue;
    EXPECT_FALSE(catalogue.find_permission("customers.view"));
    EXPECT_FALSE(catalogue.find_metric("*"));
    EXPECT_FALSE(catalogue.find_module(""));
    EXPECT_EQ(catalogue.find_capability("reports"), nullptr);
}

// Row order does not matter: the rows come in reverse here.
TEST(Catalogue, JoinsWhatEachKeyNeeds) {
    CatalogueRows rows;
    rows.permissions = {{"b", false}, {"a", true}};
    rows.permission_modules = {{"a", "two"}, {"a", "one"}};
    rows.permission_prerequisites = {{"b", "a"}};
    rows.metrics = {"rate", "count"};
    rows.metric_modules = {{"rate", "one"}};
    const Catalogue catalogue(rows);

    const auto a = catalogue.find_permission("a");
    const auto b = catalogue.find_permission("b");
    ASSERT_TRUE(a && b);
    EXPECT_TRUE(catalogue.permission(*a).is_active);
    EXPECT_FALSE(catalogue.permission(*b).is_active);
    EXPECT_EQ(catalogue.permission(*a).modules.size(), 2U);
    EXPECT_TRUE(catalogue.permission(*b).modules.empty());
    EXPECT_EQ(catalogue.permission(*b).prerequisites, std::vector<entitle::KeyIndex>{*a});
    ASSERT_TRUE(catalogue.find_metric("rate"));
    EXPECT_EQ(catalogue.metric(*catalogue.find_metric("rate")).modules,
              std::vector<entitle::KeyIndex>{*catalogue.find_module("one")});
    EXPECT_TRUE(catalogue.metric(*catalogue.find_metric("count")).modules.empty());
    EXPECT_EQ(catalogue.module_name(*catalogue.find_module("two")), "two");
    EXPECT_EQ(catalogue.permission_keys().size(), 2U);
    EXPECT_EQ(catalogue.metric_keys().size(), 2U);
}

// The three kinds of key are three rooms: a metric is no permission.
TEST(Catalogue, KeepsKindsApart) {
    CatalogueRows rows;
    rows.permissions = {{"p", true}};
    rows.permission_modules = {{"p", "mod"}};
    rows.metrics = {"met"};
    rows.capabilities = {{"cap", std::nullopt, 0}};
    const Catalogue catalogue(rows);
    EXPECT_FALSE(catalogue.find_permission("met") || catalogue.find_permission("mod") ||
                 catalogue.find_permission("cap"));
    EXPECT_FALSE(catalogue.find_metric("p") || catalogue.find_metric("mod"));
    EXPECT_FALSE(catalogue.find_module("p") || catalogue.find_module("met"));
    EXPECT_EQ(catalogue.find_capability("p"), nullptr);
}

// R4, R5: a prerequisite that does not exist stays, as one that can never be held.
TEST(Catalogue, KeepsUnknownPrerequisiteUnsatisfiable) {
    CatalogueRows rows;
    rows.permissions = {{"a", true}};
    rows.permission_prerequisites = {{"a", "gone"}, {"gone", "a"}};
    const Catalogue catalogue(rows);
    EXPECT_EQ(catalogue.permission(*catalogue.find_permission("a")).prerequisites,
              std::vector<entitle::KeyIndex>{kUnknownKey});
}

// R28: an unknown permission in an alternative keeps its place, so that the rest does not open it.
TEST(Catalogue, GroupsAlternativesByNumber) {
    CatalogueRows rows;
    rows.permissions = {{"a", true}, {"b", true}};
    rows.capabilities = {{"screen", "section", 3}, {"empty", std::nullopt, 0}};
    rows.alternatives = {{"screen", 7, "b"},
                         {"lost", 1, "a"},
                         {"screen", 2, "a"},
                         {"screen", 7, "a"},
                         {"screen", 9, "nobody"}};
    const Catalogue catalogue(rows);
    const auto *screen = catalogue.find_capability("screen");
    ASSERT_NE(screen, nullptr);
    EXPECT_EQ(screen->section, "section");
    EXPECT_EQ(screen->position, 3);
    const auto a = *catalogue.find_permission("a");
    const auto b = *catalogue.find_permission("b");
    const std::vector<std::vector<entitle::KeyIndex>> expected = {{a}, {a, b}, {kUnknownKey}};
    EXPECT_EQ(screen->alternatives, expected);
    ASSERT_NE(catalogue.find_capability("empty"), nullptr);
    EXPECT_TRUE(catalogue.find_capability("empty")->alternatives.empty());
    EXPECT_EQ(catalogue.find_capability("lost"), nullptr);
    EXPECT_EQ(catalogue.capabilities().size(), 2U);
}

TEST(Catalogue, NamesUnknownModule) {
    EXPECT_EQ(Catalogue().module_name(kUnknownKey), "(unknown module)");
}

} // namespace
