// The core and the naive second model are asked the same about random worlds, the broken ones
// included, by the million. A world in which they differ is made as small as it can be before it is
// told: whatever row can go without the difference going is gone.
//
//   campaign_decisions decisions [--seconds N] [--seed N] [--rounds N]
#include "../campaign.hpp"

#include "../../unit/facts.hpp"
#include "../../unit/random_world.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <tuple>

namespace entitle::campaign {

namespace {

using MaybeId = Facts::MaybeId;

std::string shown(std::optional<std::int64_t> number) {
    return number ? std::to_string(*number) : "none";
}

std::string_view word_of(naive::Gate gate) {
    static constexpr std::string_view words[] = {"identity",   "membership",   "module", "plan",
                                                 "permission", "prerequisite", "metric", "customer",
                                                 "validity",   "level",        "window", "allowed"};
    return words[static_cast<std::size_t>(gate)];
}

// One asker in one world: everything is asked of both until an answer differs.
class Comparison {
  public:
    Comparison(const naive::World &world, const naive::Asker &asker, std::uint64_t seed)
        : dice_(seed), asker_(asker), model_(world), facts_(world, asker) {}

    // Returns: the first difference, empty when there is none.
    std::string run() {
        for (const auto &key : asked_permissions()) {
            same("permitted brands", key,
                 facts_.permitted_brands(key) == model_.permitted_brands(asker_, key));
        }
        in_brand(std::nullopt);
        for (const naive::Id brand : asked_brands()) {
            in_brand(brand);
        }
        for (const naive::Id customer : asked_customers()) {
            about_customer(customer);
        }
        for (int i = 0; i < 60; ++i) {
            about_row(random_row(dice_, asker_.today));
        }
        if (difference_.empty() &&
            testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed()) {
            difference_ = "the core's answers with and without a trace differ";
        }
        return difference_;
    }

    long questions() const { return questions_; }
    long allowed() const { return allowed_; }

  private:
    void same(const char *what, const std::string &about, bool is_same) {
        ++questions_;
        if (!is_same && difference_.empty()) {
            difference_ = std::string(what) + " " + about;
        }
    }

    void gate(const char *what, const std::string &about, const Decision &decision,
              naive::Gate expected) {
        allowed_ += expected == naive::Gate::none ? 1 : 0;
        same(what,
             about + ": core " + std::string(outcome(decision)) + ", naive " +
                 std::string(word_of(expected)),
             outcome(decision) == word_of(expected));
    }

    void in_brand(MaybeId brand) {
        const std::string where = " in brand " + shown(brand);
        for (const auto &key : asked_permissions()) {
            gate("permission", key + where, facts_.permission(key, brand),
                 model_.permission_gate(asker_, brand, key));
        }
        for (const auto &key : asked_metrics()) {
            gate("metric", key + where, facts_.metric(key, brand),
                 model_.metric_gate(asker_, brand, key));
        }
        for (const auto &key : asked_capabilities()) {
            same("capability", key + where,
                 facts_.capability(key, brand).allowed ==
                     model_.has_capability(asker_, brand, key));
        }
        for (const auto &section : asked_sections()) {
            same("pages", section + where,
                 facts_.pages(section, brand) ==
                     model_.allowed_capabilities(asker_, brand, section));
        }
        same("visible metrics", where,
             facts_.visible_metrics(brand) == model_.visible_metrics(asker_, brand));
    }

    void about_customer(naive::Id customer) {
        const std::string about = "customer " + std::to_string(customer);
        same("level", about, facts_.level(customer) == model_.access_level(asker_, customer));
        same("manages access", about,
             facts_.manages_access(customer).allowed == model_.manages_access(asker_, customer));
        same("can score", about,
             facts_.can_score(customer).allowed == model_.can_score(asker_, customer));
        for (const int level : {10, 20, 30, 40, 80, 90, 0, 15, -1}) {
            const auto date = random_date(dice_, asker_.today);
            const std::string how = about + " at level " + std::to_string(level);
            gate("access", how, facts_.access(customer, level),
                 model_.access_gate(asker_, customer, level, false, {}));
            gate("dated access", how + " on " + shown(date),
                 facts_.dated_access(customer, level, date),
                 model_.access_gate(asker_, customer, level, true, date));
            same("window", how + " on " + shown(date),
                 facts_.in_window(customer, date) == model_.is_in_window(asker_, customer, date));
        }
    }

    void about_row(const naive::RowQuestion &row) {
        const bool expected = model_.row_shows(asker_, row);
        allowed_ += expected ? 1 : 0;
        same("row",
             "by permission " + row.permission.value_or("none") + ", brand " + shown(row.brand_id) +
                 ", level " + shown(row.min_level) + ", customer " + shown(row.customer_id) +
                 ", date " + shown(row.on_date),
             facts_.row(row).allowed == expected);
    }

    Dice dice_;
    const naive::Asker &asker_;
    naive::Model model_;
    Facts facts_;
    std::string difference_;
    long questions_ = 0;
    long allowed_ = 0;
};

auto tables_of(naive::World &world) {
    return std::tie(world.app_user, world.organization, world.plan_denial, world.brand,
                    world.module, world.brand_module, world.permission, world.permission_module,
                    world.permission_prerequisite, world.capability, world.capability_permission,
                    world.metric, world.metric_module, world.role, world.role_permission,
                    world.role_metric, world.membership, world.customer, world.external_access);
}

// Takes out every row without which core and model still differ.
naive::World shrunk(naive::World world, const naive::Asker &asker, std::uint64_t seed) {
    bool has_shrunk = true;
    const auto shrink_table = [&](auto &rows) {
        for (std::size_t at = rows.size(); at > 0; --at) {
            auto kept = rows;
            rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at - 1));
            if (Comparison(world, asker, seed).run().empty()) {
                rows = std::move(kept);
            } else {
                has_shrunk = true;
            }
        }
    };
    while (has_shrunk) {
        has_shrunk = false;
        std::apply([&](auto &...tables) { (shrink_table(tables), ...); }, tables_of(world));
    }
    return world;
}

std::string described(naive::World &world) {
    std::string text;
    const char *const names[] = {"app_user",
                                 "organization",
                                 "plan_denial",
                                 "brand",
                                 "module",
                                 "brand_module",
                                 "permission",
                                 "permission_module",
                                 "permission_prerequisite",
                                 "capability",
                                 "capability_permission",
                                 "metric",
                                 "metric_module",
                                 "role",
                                 "role_permission",
                                 "role_metric",
                                 "membership",
                                 "customer",
                                 "external_access"};
    std::size_t number = 0;
    std::apply(
        [&](auto &...tables) {
            ((text += tables.empty()
                          ? ""
                          : std::string(names[number]) + " " + std::to_string(tables.size()) + ", ",
              ++number),
             ...);
        },
        tables_of(world));
    for (const auto &one : world.membership) {
        text += "\nmembership of user " + std::to_string(one.user_id) + ": organization " +
                shown(one.organization_id) + ", brand " + shown(one.brand_id) + ", role " +
                shown(one.role_id) + (one.is_owner ? ", owner" : "");
    }
    for (const auto &one : world.role_permission) {
        text += "\nrole " + std::to_string(one.role_id) + " gives " + one.permission_key;
    }
    for (const auto &one : world.external_access) {
        text += "\ngrant of user " + std::to_string(one.user_id) + " on customer " +
                std::to_string(one.customer_id) + ": level " + std::to_string(one.level) +
                ", days back " + shown(one.days_back) + ", from " + shown(one.valid_from) +
                ", until " + shown(one.valid_until);
    }
    return text;
}

bool run_decisions(const Options &options) {
    Report report("decisions", options);
    while (report.has_next_round()) {
        const std::uint64_t seed = report.next_round();
        Dice dice(seed);
        const naive::World world = random_world(dice);
        for (const naive::Asker &asker : random_askers(dice, world)) {
            Comparison comparison(world, asker, seed);
            const std::string difference = comparison.run();
            report.count("decisions", comparison.questions());
            report.count("decisions that allow", comparison.allowed());
            if (!difference.empty()) {
                naive::World small = shrunk(world, asker, seed);
                report.fail("user " + shown(asker.user_id) + ", chosen brand " +
                            shown(asker.chosen_brand) + ", chosen customer " +
                            shown(asker.chosen_customer) + ", today " + shown(asker.today) + "\n" +
                            difference + "\nin the smallest world: " +
                            Comparison(small, asker, seed).run() + "\n" + described(small));
                break;
            }
        }
    }
    return report.close();
}

} // namespace

} // namespace entitle::campaign

int main(int count, char **words) {
    testing::InitGoogleTest(&count, words);
    return entitle::campaign::run_parts(count, words,
                                        {{"decisions", entitle::campaign::run_decisions}});
}
