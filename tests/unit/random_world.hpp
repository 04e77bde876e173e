// Makes small worlds at random, the broken ones included: keys that do not exist, roles of foreign
// organizations, cycles of prerequisites, levels that are none. The same seed makes the same world
// everywhere.
#pragma once

#include <cstdint>
#include <iterator>
#include <random>
#include <vector>

#include "naive_model.hpp"

// Dice that fall alike on every platform, as the standard distributions do not.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}

    int below(int limit) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(limit)); }
    bool chance(int percent) { return below(100) < percent; }
    template <typename Items> auto pick(const Items &items) {
        return *std::next(items.begin(), below(static_cast<int>(items.size())));
    }

  private:
    std::mt19937_64 engine_;
};

naive::World random_world(Dice &dice);

// Everybody who may ask: nobody, a stranger, and each user, with and without choices.
std::vector<naive::Asker> random_askers(Dice &dice, const naive::World &world);

naive::RowQuestion random_row(Dice &dice, naive::Date today);
std::optional<naive::Date> random_date(Dice &dice, naive::Date today);

// Keys worth asking for: those worlds are made of, and near misses of them.
const std::vector<std::string> &asked_permissions();
const std::vector<std::string> &asked_metrics();
const std::vector<std::string> &asked_capabilities();
const std::vector<std::string> &asked_sections();

// Ids worth asking for; the last one never exists.
const std::vector<naive::Id> &asked_brands();
const std::vector<naive::Id> &asked_customers();
