// Backends are killed, and the server is stopped at once, while clients ask and a writer commits
// changes: what comes back is a whole state of the model, none that was told committed is missing,
// the change log has a row of each, and every answer is right (R46 to R48).
#include "campaign.hpp"

#include "history_client.hpp"
#include "server_control.hpp"

#include <chrono>
#include <csignal>
#include <random>
#include <stdexcept>
#include <thread>

namespace entitle::campaign {

namespace {

constexpr std::size_t kClients = 6;

// A session, as soon as the server takes one; the same setup as before.
std::unique_ptr<client::Session> reach() {
    for (int tries = 0;; ++tries) {
        try {
            auto session = std::make_unique<client::Session>("campaign_history");
            session->must("SET synchronous_commit = on");
            return session;
        } catch (const std::runtime_error &) {
            if (tries > 3000) {
                throw;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
}

class Crashes {
  public:
    Crashes(Shared &shared, std::uint64_t seed)
        : shared_(shared), random_(seed), data_(reach()->must("SHOW data_directory").value()) {}

    // In a thread of its own: the writer is met in the middle of what it does.
    void run() {
        while (!shared_.is_over) {
            std::this_thread::sleep_for(std::chrono::milliseconds(200 + random_() % 1000));
            try {
                crash();
            } catch (const std::exception &error) {
                if (!shared_.is_over) {
                    shared_.fail(error.what());
                }
            }
        }
    }

    long kills() const { return kills_; }
    long stops() const { return stops_; }

  private:
    void crash() {
        if (random_() % 5 == 0) {
            stop_at_once(data_);
            start_server(data_);
            ++stops_;
            return;
        }
        const auto session = reach();
        // The writer's, or a client's.
        const std::string pid =
            session
                ->run("SELECT pid FROM pg_stat_activity WHERE datname = 'campaign_history' AND pid "
                      "<> "
                      "pg_backend_pid() ORDER BY (usename = 'hist_pool') = " +
                      std::string(random_() % 3 == 0 ? "true" : "false") + ", random() LIMIT 1")
                .value();
        if (pid.find_first_not_of("0123456789") == std::string::npos && !pid.empty() &&
            kill(static_cast<pid_t>(std::stol(pid)), SIGKILL) == 0) {
            ++kills_;
        }
        // Until all sessions have been ended: the next crash is one of its own.
        for (int tries = 0; tries < 500 && session->run("SELECT 1").ok(); ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        (void)reach();
    }

    Shared &shared_;
    std::mt19937_64 random_;
    std::string data_;
    std::atomic<long> kills_{0};
    std::atomic<long> stops_{0};
};

} // namespace

bool run_crashes(const Options &options) {
    Report report("crashes", options);
    make_history_world();
    auto administrator = reach();
    (void)history_rows(administrator.get());
    History history(*administrator);
    Shared shared(history);
    std::mt19937_64 random(report.next_round());
    Crashes crashes(shared, random());
    ClientKind kind;
    kind.may_crash = true;
    const auto write = [&] {
        for (Pace pace; !report.is_over() && !shared.is_over; pace.wait()) {
            try {
                shared.commits += history.change(*administrator, random()) ? 1 : 0;
            } catch (const std::runtime_error &) {
                if (administrator->run("SELECT 1").ok()) {
                    throw; // the session is there: it was something else
                }
                administrator = reach();
                const std::string wrong = history.settle(*administrator, history.returned());
                if (!wrong.empty()) {
                    throw std::runtime_error(wrong);
                }
                report.count("times that the model was found whole");
            }
            report.set("crashes", crashes.kills() + crashes.stops());
        }
    };
    run_clients(shared, kClients, kind, random, write, [&crashes] { crashes.run(); });
    (void)reach();
    report_history(report, shared, kClients);
    report.count("backends that were killed", crashes.kills());
    report.count("immediate stops", crashes.stops());
    return report.close();
}

} // namespace entitle::campaign
