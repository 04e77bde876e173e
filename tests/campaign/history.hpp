// A world of rights that one writer changes, commit by commit, and what the naive model says of
// each state it was in.
#pragma once

#include "../client/session.hpp"
#include "../unit/naive_model.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace entitle::campaign {

constexpr int kHistoryUsers = 10;
constexpr int kHistoryCustomers = 12;
constexpr naive::Date kHistoryToday = 20000; // any day: rows and grants count from it

// The states, each with the moment when its commit was sent, and when it returned.
class History {
  public:
    explicit History(client::Session &administrator);

    // Changes something at random, or tries to and rolls back. Returns: whether it was committed.
    bool change(client::Session &writer, std::uint64_t chance);

    // The states that may be the case from now on; and up to now.
    std::size_t returned() const { return returned_; }
    std::size_t sent() const { return sent_; }
    std::shared_ptr<const naive::World> state(std::size_t number) const;
    std::string described(std::size_t number) const;

  private:
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<const naive::World>> states_;
    std::vector<std::string> commands_;
    std::atomic<std::size_t> sent_{0};
    std::atomic<std::size_t> returned_{0};
};

// The rows of history_world.sql.
struct HistoryRow {
    int id;
    naive::Id brand;
    naive::Id customer;
    naive::Date day;
    int parent;
};
struct HistoryRows {
    std::vector<HistoryRow> deals;
    std::vector<HistoryRow> papers;
    std::vector<HistoryRow> lines;
};
const HistoryRows &history_rows(client::Session *administrator = nullptr);

} // namespace entitle::campaign
