// Names and keys: what is blank names nothing (R4, R8).
#include "core/name.hpp"

#include <gtest/gtest.h>

#include <string>

namespace entitle {

namespace {

bool is_broken(std::string_view field, std::string_view text) {
    const Result<Passed> checked = check_name(field, text);
    return !checked.ok() && checked.error().code == ErrorCode::broken_rule;
}

TEST(Blank, IsWhiteSpaceOnly) {
    for (const char *text : {"", " ", "\t\r\n\f\v "}) {
        EXPECT_TRUE(is_blank(text));
        EXPECT_EQ(check_not_blank("tax_id", text).error().code, ErrorCode::broken_rule);
    }
    for (const char *text : {"x", " x ", "\xC2\xA0"}) {
        EXPECT_FALSE(is_blank(text));
        EXPECT_TRUE(check_not_blank("tax_id", text).ok());
    }
    EXPECT_EQ(check_not_blank("tax_id", " ").error().message, "field \"tax_id\" cannot be blank");
}

TEST(Name, IsNotBlank) {
    for (const char *field : {"login", "name", "metric_key", "action"}) {
        EXPECT_TRUE(is_broken(field, " \t")) << field;
        EXPECT_TRUE(check_name(field, "x").ok()) << field;
    }
}

TEST(Name, OfALoginHasNoBlankEnds) {
    for (const char *login : {" ann", "ann ", "\tann", "ann\n", "ann\v"}) {
        EXPECT_TRUE(is_broken("login", login));
        EXPECT_TRUE(check_name("name", login).ok());
    }
    EXPECT_TRUE(check_name("login", "ann bell").ok());
}

TEST(Name, OfALoginShowsWhereItEnds) {
    for (const char *character :
         {"\xC2\xA0", "\xC2\x85", "\xC2\xAD", "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x8B",
          "\xE2\x80\x8D", "\xE2\x80\xAE", "\xE2\x81\xA0", "\xE3\x80\x80", "\xEF\xB8\x8F",
          "\xEF\xBB\xBF", "\xF3\xA0\x80\xA0", "\x01", "\x7F"}) {
        EXPECT_TRUE(is_broken("login", std::string("ann") + character));
        EXPECT_TRUE(is_broken("login", character + std::string("ann")));
        EXPECT_TRUE(check_name("login", std::string("a") + character + "b").ok());
        EXPECT_TRUE(check_name("name", std::string("ann") + character).ok());
    }
    for (const char *login :
         {"\xC3\xA9", "zo\xC3\xAB", "\xE4\xB8\xAD\xE6\x96\x87", "\xF0\x9F\x98\x80", "a"}) {
        EXPECT_TRUE(check_name("login", login).ok()) << login;
    }
    // No UTF-8: another encoding's letters.
    for (const char *login : {"ann\xE9", "\xE9", "\x80", "ann\xF0\x9F"}) {
        EXPECT_TRUE(check_name("login", login).ok());
    }
}

TEST(Name, FitsAnIndex) {
    for (const char *field : {"login", "name", "permission_key", "metric_key"}) {
        EXPECT_TRUE(check_name(field, std::string(1000, 'x')).ok()) << field;
        EXPECT_TRUE(is_broken(field, std::string(1001, 'x'))) << field;
    }
    EXPECT_TRUE(check_short("customer_code", std::string(1000, 'x')).ok());
    EXPECT_EQ(check_short("customer_code", std::string(1001, 'x')).error().message,
              "field \"customer_code\" takes at most 1000 bytes");
}

TEST(Name, OfAMetricIsNotEveryMetric) {
    for (const char *key : {"*", " *", "* ", "\n*"}) {
        EXPECT_TRUE(is_broken("metric_key", key));
        EXPECT_TRUE(check_name("permission_key", key).ok());
    }
    EXPECT_TRUE(check_name("metric_key", "**").ok());
    EXPECT_TRUE(check_name("metric_key", "re*venue").ok());
}

} // namespace

} // namespace entitle
