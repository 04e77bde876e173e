// Brands by uuid and by code: byte for byte, among those that the subject reaches (R4, R52).
#include "core/subject.hpp"

#include <gtest/gtest.h>

namespace entitle {

namespace {

Brand brand(BrandId id, std::string uuid, std::string code) {
    return Brand{id, std::nullopt, "brand", "", {}, {}, std::move(uuid), std::move(code)};
}

Subject subject_of(std::vector<Brand> brands) {
    Subject subject;
    for (const Brand &one : brands) {
        subject.memberships.push_back({std::nullopt, one.id, std::nullopt, false});
    }
    subject.brands = std::move(brands);
    subject.settle();
    return subject;
}

BrandId id_of(const Brand *found) { return found == nullptr ? 0 : found->id; }

TEST(BrandKey, FindsTheBrandThatHasIt) {
    const Subject subject =
        subject_of({brand(1, std::string(16, '\xFF'), "zoo"), brand(2, std::string(16, '\0'), ""),
                    brand(3, "", "Acme"), brand(4, "", ""), brand(5, "0123456789abcdef", "acme")});
    EXPECT_EQ(id_of(subject.find_brand_by_uuid(std::string(16, '\xFF'))), 1);
    EXPECT_EQ(id_of(subject.find_brand_by_uuid(std::string(16, '\0'))), 2);
    EXPECT_EQ(id_of(subject.find_brand_by_uuid("0123456789abcdef")), 5);
    EXPECT_EQ(id_of(subject.find_brand_by_code("zoo")), 1);
    EXPECT_EQ(id_of(subject.find_brand_by_code("Acme")), 3);
    EXPECT_EQ(id_of(subject.find_brand_by_code("acme")), 5);
}

TEST(BrandKey, IsNoOtherThatLooksAlike) {
    const Subject subject = subject_of({brand(1, "0123456789abcdef", "acme"), brand(2, "", "")});
    for (const char *text : {"", "acm", "acme ", " acme", "ACME", "acmes", "1", "b", "0"}) {
        EXPECT_EQ(subject.find_brand_by_code(text), nullptr) << text;
    }
    for (const char *bytes : {"", "0123456789abcde", "0123456789abcdeF", "acme"}) {
        EXPECT_EQ(subject.find_brand_by_uuid(bytes), nullptr) << bytes;
    }
    EXPECT_EQ(subject_of({}).find_brand_by_code("acme"), nullptr);
    EXPECT_EQ(Subject{}.find_brand_by_uuid("0123456789abcdef"), nullptr);
}

// What is found in order is what a look at each finds.
TEST(BrandKey, AgreesWithALookAtEach) {
    std::vector<Brand> brands;
    for (BrandId id = 1; id <= 200; ++id) {
        const std::string text = std::to_string(id * 7919 % 211);
        brands.push_back(brand(id, id % 3 == 0 ? "" : text + "u", id % 5 == 0 ? "" : text + "c"));
    }
    const Subject subject = subject_of(brands);
    for (int number = 0; number <= 211; ++number) {
        for (const char kind : {'u', 'c'}) {
            const std::string key = std::to_string(number) + kind;
            BrandId expected = 0;
            for (const Brand &one : brands) {
                expected = (kind == 'u' ? one.uuid : one.code) == key ? one.id : expected;
            }
            EXPECT_EQ(id_of(kind == 'u' ? subject.find_brand_by_uuid(key)
                                        : subject.find_brand_by_code(key)),
                      expected)
                << key;
        }
    }
}

} // namespace

} // namespace entitle
