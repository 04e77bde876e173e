// Claim: src/core and the naive model give the same answer, and stop at the same gate, to every
// question about some hundred random worlds. ENTITLE_SEED=<n> starts from another world; a failure
// prints the seed that repeats it.
#include <cstdlib>
#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "core/score.hpp"
#include "facts.hpp"
#include "random_world.hpp"

namespace {

constexpr std::uint64_t kDefaultSeed = 20261121;
constexpr int kWorlds = 120;
constexpr long kLeastQuestions = 100000;

std::uint64_t first_seed() {
    const char *text = std::getenv("ENTITLE_SEED");
    return text == nullptr ? kDefaultSeed : std::strtoull(text, nullptr, 10);
}

std::string_view name(naive::Gate gate) {
    switch (gate) {
    case naive::Gate::identity:
        return "identity";
    case naive::Gate::membership:
        return "membership";
    case naive::Gate::module:
        return "module";
    case naive::Gate::plan:
        return "plan";
    case naive::Gate::permission:
        return "permission";
    case naive::Gate::prerequisite:
        return "prerequisite";
    case naive::Gate::metric:
        return "metric";
    case naive::Gate::customer:
        return "customer";
    case naive::Gate::validity:
        return "validity";
    case naive::Gate::level:
        return "level";
    case naive::Gate::window:
        return "window";
    case naive::Gate::none:
        return "allowed";
    }
    return "";
}

std::string shown(std::optional<std::int64_t> number) {
    return number ? std::to_string(*number) : "none";
}

// Counts the answers by kind of question, so that the test can tell that it was not one-sided.
class Tally {
  public:
    void add(const std::string &kind, std::string_view answer) {
        ++counts_[kind][std::string(answer)];
        ++questions_;
    }
    void add_answer(const std::string &kind, bool allowed) {
        add(kind, allowed ? "allowed" : "denied");
    }

    long questions() const { return questions_; }
    long count(const std::string &kind, const std::string &answer) { return counts_[kind][answer]; }
    std::string report() const {
        std::string text = std::to_string(questions_) + " questions\n";
        for (const auto &[kind, answers] : counts_) {
            text += kind + ":";
            for (const auto &[answer, count] : answers) {
                text += " " + answer + " " + std::to_string(count);
            }
            text += "\n";
        }
        return text;
    }

  private:
    std::map<std::string, std::map<std::string, long>> counts_;
    long questions_ = 0;
};

// One asker in one world, asked everything of both.
class Comparison {
  public:
    Comparison(Dice &dice, const naive::World &world, const naive::Asker &asker,
               CataloguePtr catalogue, Tally &tally)
        : dice_(dice), asker_(asker), model_(world), facts_(world, asker, std::move(catalogue)),
          tally_(tally) {}

    void ask_all() {
        std::vector<Facts::MaybeId> brands = {std::nullopt};
        brands.insert(brands.end(), asked_brands().begin(), asked_brands().end());
        for (const auto &brand : brands) {
            ask_in_brand(brand);
        }
        for (const auto &key : asked_permissions()) {
            EXPECT_EQ(facts_.permitted_brands(key), model_.permitted_brands(asker_, key)) << key;
            tally_.add_answer("permitted brands", !facts_.permitted_brands(key).empty());
        }
        for (naive::Id customer : asked_customers()) {
            ask_about_customer(customer);
        }
        ask_about_rows();
    }

  private:
    void ask_in_brand(Facts::MaybeId brand) {
        const auto where = [&](const std::string &key) {
            return key + " in brand " + shown(brand);
        };
        for (const auto &key : asked_permissions()) {
            const auto expected = name(model_.permission_gate(asker_, brand, key));
            EXPECT_EQ(outcome(facts_.permission(key, brand)), expected) << where(key);
            tally_.add("permission", expected);
        }
        for (const auto &key : asked_metrics()) {
            const auto expected = name(model_.metric_gate(asker_, brand, key));
            EXPECT_EQ(outcome(facts_.metric(key, brand)), expected) << where(key);
            tally_.add("metric", expected);
        }
        for (const auto &key : asked_capabilities()) {
            const bool expected = model_.has_capability(asker_, brand, key);
            EXPECT_EQ(facts_.capability(key, brand).allowed, expected) << where(key);
            tally_.add_answer("capability", expected);
        }
        for (const auto &section : asked_sections()) {
            const auto expected = model_.allowed_capabilities(asker_, brand, section);
            EXPECT_EQ(facts_.pages(section, brand), expected) << where(section);
            tally_.add_answer("pages", !expected.empty());
        }
        EXPECT_EQ(facts_.visible_metrics(brand), model_.visible_metrics(asker_, brand))
            << where("");
        tally_.add_answer("visible metrics", !facts_.visible_metrics(brand).empty());
    }

    void ask_about_customer(naive::Id customer) {
        SCOPED_TRACE("customer " + std::to_string(customer));
        const int level = model_.access_level(asker_, customer);
        EXPECT_EQ(facts_.level(customer), level);
        tally_.add("level", std::to_string(level));
        EXPECT_EQ(facts_.manages_access(customer).allowed, model_.manages_access(asker_, customer));
        tally_.add_answer("manages access", facts_.manages_access(customer).allowed);
        EXPECT_EQ(facts_.can_score(customer).allowed, model_.can_score(asker_, customer));
        tally_.add_answer("can score", facts_.can_score(customer).allowed);
        for (const std::optional<naive::Id> organization :
             {std::optional<naive::Id>(), std::optional<naive::Id>(1),
              std::optional<naive::Id>(2)}) {
            const bool sees =
                entitle::sees_metric_catalogue(facts_.subject(), facts_.session(), organization);
            EXPECT_EQ(sees, model_.sees_metrics(asker_, organization));
            tally_.add_answer("metric catalogue", sees);
        }
        for (int min_level : {10, 20, 30, 40, 80, 90, 0, 15, 255, -1}) {
            const auto date = random_date(dice_, asker_.today);
            const auto undated = name(model_.access_gate(asker_, customer, min_level, false, {}));
            const auto dated = name(model_.access_gate(asker_, customer, min_level, true, date));
            EXPECT_EQ(outcome(facts_.access(customer, min_level)), undated) << min_level;
            EXPECT_EQ(outcome(facts_.dated_access(customer, min_level, date)), dated)
                << min_level << " on " << shown(date);
            tally_.add("access", undated);
            tally_.add("dated access", dated);
            const bool in_window = model_.is_in_window(asker_, customer, date);
            EXPECT_EQ(facts_.in_window(customer, date), in_window) << shown(date);
            tally_.add_answer("window", in_window);
        }
    }

    void ask_about_rows() {
        for (int count = 0; count < 40; ++count) {
            naive::RowQuestion row = random_row(dice_, asker_.today);
            row.is_shared = dice_.chance(30);
            const bool expected = model_.row_shows(asker_, row);
            const entitle::Decision decision = facts_.row(row);
            EXPECT_EQ(decision.allowed, expected) << describe(row);
            // With one way in, that way's first failing gate is the reason (R2).
            if (!row.permission && row.min_level && row.customer_id) {
                EXPECT_EQ(outcome(decision),
                          name(model_.access_gate(asker_, *row.customer_id, *row.min_level,
                                                  row.is_dated, row.on_date)))
                    << describe(row);
            }
            if (row.permission && !row.min_level && (row.brand_id || !row.has_brand) &&
                !(row.is_shared && !row.customer_id)) {
                EXPECT_EQ(outcome(decision),
                          name(model_.permission_gate(asker_, row.brand_id, *row.permission)))
                    << describe(row);
            }
            tally_.add_answer("row", expected);
        }
        // One test, many rows: what it remembers of a brand never leaks to another row.
        naive::RowQuestion row = random_row(dice_, asker_.today);
        row.has_brand = true;
        entitle::RowTest test(facts_.subject(), facts_.session(), rule_of(row));
        for (int count = 0; count < 10; ++count) {
            row.brand_id.reset();
            if (dice_.chance(90)) {
                row.brand_id = dice_.pick(asked_brands());
            }
            const bool expected = model_.row_shows_by_permission(asker_, row);
            EXPECT_EQ(test.allows_by_permission(row.brand_id), expected) << describe(row);
            tally_.add_answer("row after row", expected);
        }
    }

    static std::string describe(const naive::RowQuestion &row) {
        return "row: permission " + row.permission.value_or("none") +
               (row.has_brand ? ", brand " + shown(row.brand_id) : ", no brand column") +
               ", level " + shown(row.min_level) + ", customer " + shown(row.customer_id) +
               (row.is_dated ? ", date " + shown(row.on_date) : ", undated");
    }

    Dice &dice_;
    const naive::Asker &asker_;
    naive::Model model_;
    Facts facts_;
    Tally &tally_;
};

TEST(RandomWorlds, CoreAgreesWithTheNaiveModel) {
    const std::uint64_t seed = first_seed();
    Tally tally;
    for (int count = 0; count < kWorlds && !HasFailure(); ++count) {
        const std::uint64_t world_seed = seed + static_cast<std::uint64_t>(count);
        SCOPED_TRACE("repeat with ENTITLE_SEED=" + std::to_string(world_seed));
        Dice dice(world_seed);
        const naive::World world = random_world(dice);
        const CataloguePtr catalogue = load_catalogue(world);
        for (const auto &asker : random_askers(dice, world)) {
            SCOPED_TRACE("user " + shown(asker.user_id) + ", chosen brand " +
                         shown(asker.chosen_brand) + ", chosen customer " +
                         shown(asker.chosen_customer) + ", today " + shown(asker.today));
            Comparison(dice, world, asker, catalogue, tally).ask_all();
            if (HasFailure()) {
                break;
            }
        }
    }
    if (HasFailure()) {
        return;
    }
    SCOPED_TRACE(tally.report());
    // A comparison of nothing but denials would prove little.
    EXPECT_GE(tally.questions(), kLeastQuestions);
    for (const char *gate :
         {"identity", "membership", "module", "plan", "permission", "prerequisite", "allowed"}) {
        EXPECT_GE(tally.count("permission", gate), 50) << gate;
    }
    for (const char *gate : {"identity", "membership", "module", "metric", "allowed"}) {
        EXPECT_GE(tally.count("metric", gate), 50) << gate;
    }
    for (const char *gate : {"identity", "customer", "validity", "level", "window", "allowed"}) {
        EXPECT_GE(tally.count("dated access", gate), 50) << gate;
    }
    for (const char *kind : {"capability", "pages", "permitted brands", "visible metrics",
                             "manages access", "can score", "window", "row", "row after row"}) {
        EXPECT_GE(tally.count(kind, "allowed"), 50) << kind;
        EXPECT_GE(tally.count(kind, "denied"), 50) << kind;
    }
    std::cout << tally.questions() << " questions about " << kWorlds << " worlds from seed " << seed
              << "\n";
}

} // namespace
