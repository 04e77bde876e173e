// A client that asks as a pool does, for another user in every transaction, by statements of both
// protocols, and holds each answer against the states that it may be of.
#pragma once

#include "history.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace entitle::campaign {

// What the clients of one history have in common.
struct Shared {
    explicit Shared(History &of) : history(of) {}

    // The first state that an answer may be of which is asked for now.
    std::size_t earliest() const {
        return is_replayed ? std::size_t{replayed} : history.returned();
    }

    History &history;
    // On a standby what was replayed counts, not what was committed.
    std::atomic<bool> is_replayed{false};
    std::atomic<std::size_t> replayed{0};
    std::atomic<bool> is_over{false};
    std::atomic<long> answers{0};
    std::atomic<long> with_content{0};
    std::atomic<long> cancelled{0};
    std::atomic<long> after_cancel{0};
    std::atomic<long> ended{0};
    std::atomic<long> refused{0};
    std::atomic<long> commits{0};
    std::mutex mutex;
    std::vector<std::string> failures;

    void fail(const std::string &what) {
        const std::lock_guard<std::mutex> lock(mutex);
        failures.push_back(what);
        is_over = true;
    }
};

struct ClientKind {
    std::string where = "campaign_history user=hist_pool";
    bool are_cancelled = false;
    bool may_crash = false;  // the server, at any time
    bool is_pooled = false;  // nothing that is prepared outlives a transaction
    bool is_standby = false; // replay may end a statement
};

// Asks until it is over. A failure is told to the others.
void run_client(Shared &shared, std::uint64_t seed, const ClientKind &kind);

// Runs so many clients, each in a thread of its own, until `write`, which commits the changes,
// comes back. An error of it is a failure like theirs. `disturb` runs in a thread beside it, where
// there is one, and ends when it is over.
void run_clients(Shared &shared, std::size_t count, const ClientKind &kind, std::mt19937_64 &random,
                 const std::function<void()> &write, const std::function<void()> &disturb = {});

// Waits until it is time for the next change. After a halt it hurries to make good a second of it.
class Pace {
  public:
    void wait();

  private:
    std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now();
};

// The database campaign_history of shop_world.sql and history_world.sql, made anew, with what
// cancels; `server` is what a connection string has for another server than PGHOST's.
void make_history_world(const std::string &server = "");

// The figures that all histories have.
class Report;
void report_history(Report &report, const Shared &shared, std::size_t clients);

} // namespace entitle::campaign
