// JSON and base64url are read in one way only (S106, S114, S118).
#include "core/json.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/base64url.hpp"

namespace entitle {
namespace {

TEST(Json, ReadsEveryType) {
    const auto value = parse_json_object(
        R"({"n":null,"t":true,"i":-5,"f":1.5,"e":1e2,"b":18446744073709551615,"s":"\u00e9","a":[1,"x",{}]})",
        3);
    ASSERT_TRUE(value);
    EXPECT_TRUE(find_member(*value, "n")->is_null());
    EXPECT_EQ(*find_member(*value, "t"), true);
    EXPECT_EQ(whole_number(*find_member(*value, "i")), -5);
    for (const char *name : {"n", "t", "f", "e", "b", "s", "a"}) {
        EXPECT_EQ(whole_number(*find_member(*value, name)), std::nullopt) << name;
    }
    EXPECT_EQ(*find_text(*find_member(*value, "s")), "\xC3\xA9");
    EXPECT_EQ(find_text(*find_member(*value, "i")), nullptr);
    EXPECT_EQ(find_member(*value, "a")->size(), 3U);
    EXPECT_EQ(find_member(*value, "missing"), nullptr);
    EXPECT_EQ(find_member(*find_member(*value, "a"), "x"), nullptr);
}

TEST(Json, RefusesWhatIsNoSingleObject) {
    for (const char *text : {"",
                             " ",
                             "1",
                             "null",
                             "\"x\"",
                             "[]",
                             "[{}]",
                             "{}{}",
                             "{} x",
                             "{",
                             "}",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "{'a':1}",
                             "{a:1}",
                             "{\"a\":01}",
                             "{\"a\":1}//",
                             "\xEF\xBB\xBF{}",
                             "{\"a\":\"\xFF\"}",
                             "{\"a\":\"\\ud800\"}",
                             "{\"a\":1,\"a\":1}",
                             "{\"a\":{\"b\":1,\"b\":1}}",
                             "{\"a\":[{\"b\":1},{\"b\":1,\"c\":[],\"b\":1}]}",
                             "{\"a\":{},\"b\":{\"a\":1},\"a\":1}",
                             "{\"a\":1e400}",
                             "{\"a\":1,\"\\u0061\":2}"}) {
        EXPECT_FALSE(parse_json_object(text, 4)) << text;
    }
    EXPECT_FALSE(parse_json_object(std::string_view("{}\0", 3), 4));
    EXPECT_FALSE(parse_json_object(std::string_view("{\"a\":\"\0\"}", 9), 4));
    EXPECT_TRUE(parse_json_object(" {} ", 4));
    EXPECT_TRUE(parse_json_object("{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]},\"b\":1}", 4));
}

TEST(Json, RefusesDepth) {
    EXPECT_TRUE(parse_json_object(R"({"a":{"b":[1]}})", 3));
    EXPECT_FALSE(parse_json_object(R"({"a":{"b":[1]}})", 2));
    const std::string deep = "{\"a\":" + std::string(100000, '[');
    EXPECT_FALSE(parse_json_object(deep, 4));
}

TEST(Base64url, DecodesOneTextForOneValue) {
    EXPECT_EQ(decode_base64url(""), "");
    EXPECT_EQ(decode_base64url("AA"), std::string(1, '\0'));
    EXPECT_EQ(decode_base64url("_-8"), "\xFF\xEF");
    EXPECT_EQ(decode_base64url("Zm9vYmFy"), "foobar");
    for (const char *text : {"A", "AAAAA", "AB", "AAB", "_-9", "AA==", "AA=", "+-8A", "/-8A", "A A",
                             "AA\n", "AA.", "\xC3\xA9\xC3\xA9", "AA%3D"}) {
        EXPECT_FALSE(decode_base64url(text)) << text;
    }
    EXPECT_FALSE(decode_base64url(std::string_view("AA\0A", 4)));
}

} // namespace
} // namespace entitle
