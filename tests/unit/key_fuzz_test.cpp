// Claim (R4): of a million names that look like known keys, only the known keys themselves are
// allowed, even to an owner.
#include <set>

#include <gtest/gtest.h>

#include "facts.hpp"
#include "random_world.hpp"
#include "shipped_catalogue.hpp"

namespace {

constexpr int kNames = 1000000;

std::string mutated(Dice &dice, std::string name, const std::vector<std::string> &others) {
    const auto somewhere = [&] {
        return static_cast<std::size_t>(dice.below(static_cast<int>(name.size()) + 1));
    };
    const int changes = dice.below(3); // none at times: the key itself stays known
    for (int count = 0; count < changes; ++count) {
        const std::size_t at = somewhere();
        switch (dice.below(7)) {
        case 0: // one bit
            if (at < name.size()) {
                name[at] = static_cast<char>(name[at] ^ (1 << dice.below(8)));
            }
            break;
        case 1: // any byte, NUL and invalid UTF-8 among them
            name.insert(at, 1, static_cast<char>(dice.below(256)));
            break;
        case 2: // a prefix
            name.resize(at);
            break;
        case 3: // a suffix
            name.erase(0, at);
            break;
        case 4: // wildcards and blanks
            name.insert(at, 1, "*%_? .\t\n"[dice.below(8)]);
            break;
        case 5: // case
            if (at < name.size()) {
                name[at] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[at])));
            }
            break;
        default: // two keys run together
            name += dice.pick(others);
            break;
        }
    }
    return name;
}

TEST(KeyFuzz, OnlyTheSameBytesAreKnown) {
    naive::World world = shipped_catalogue();
    const Facts owner(world, add_owner(world));
    const entitle::Subject *subject = owner.subject();
    const entitle::Session &session = owner.session();
    std::set<std::string> permissions;
    std::set<std::string> metrics;
    std::set<std::string> capabilities;
    std::vector<std::string> keys;
    for (const auto &row : world.permission) {
        permissions.insert(row.permission_key);
        keys.push_back(row.permission_key);
    }
    for (const auto &row : world.metric) {
        metrics.insert(row.metric_key);
        keys.push_back(row.metric_key);
    }
    for (const auto &row : world.capability) {
        capabilities.insert(row.capability_key);
        keys.push_back(row.capability_key);
    }
    Dice dice(1);
    int known = 0;
    for (int count = 0; count < kNames; ++count) {
        const std::string name = mutated(dice, dice.pick(keys), keys);
        const bool is_permission = permissions.count(name) > 0;
        const bool is_metric = metrics.count(name) > 0;
        const bool is_capability = capabilities.count(name) > 0;
        known += is_permission || is_metric || is_capability ? 1 : 0;
        ASSERT_EQ(entitle::check_permission(subject, session, name, kMainBrand).allowed,
                  is_permission)
            << name;
        ASSERT_EQ(entitle::check_metric(subject, session, name, kMainBrand).allowed, is_metric)
            << name;
        ASSERT_EQ(entitle::check_capability(subject, session, name, kMainBrand).allowed,
                  is_capability)
            << name;
    }
    EXPECT_GT(known, kNames / 10);
    EXPECT_LT(known, kNames / 2);
}

} // namespace
