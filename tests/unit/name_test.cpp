// Names and keys: what is blank names nothing (R4, R8).
#include "core/name.hpp"

#include <gtest/gtest.h>

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
