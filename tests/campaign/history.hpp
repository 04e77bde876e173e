// A world of rights that one writer changes, commit by commit, and what the naive model says of
// each state it was in.
#pragma once

#include "../client/session.hpp"
#include "../unit/naive_model.hpp"
#include "shop_rows.hpp"

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

// The model as its tables say it now. The database must have a function today(), as the worlds of
// the campaign have.
naive::World load_world(client::Session &from);

// The states, each with the moment when its commit was sent, and when it returned.
class History {
  public:
    explicit History(client::Session &administrator);

    // Changes something at random, or tries to and rolls back. Returns: whether it was committed.
    // When the server goes meanwhile it throws, and whether it was committed is in doubt until
    // `settle`.
    bool change(client::Session &writer, std::uint64_t chance);

    // After a crash or a promotion: which of the states from `first` on is in the database, whole.
    // It is the case from now on. Returns: what is wrong, if anything.
    std::string settle(client::Session &administrator, std::size_t first);

    // The states that may be the case from now on; and up to now.
    std::size_t returned() const { return returned_; }
    std::size_t sent() const { return sent_; }
    // Nothing for a state of long ago.
    std::shared_ptr<const naive::World> state(std::size_t number) const;
    std::string described(std::size_t number) const;

  private:
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<const naive::World>> states_;
    std::vector<std::string> commands_;
    std::vector<long> logged_; // rows of the change log at each state
    std::atomic<std::size_t> sent_{0};
    std::atomic<std::size_t> returned_{0};
};

// The rows of history_world.sql.
const ShopRows &history_rows(client::Session *administrator = nullptr);

} // namespace entitle::campaign
