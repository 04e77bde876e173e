// Clients ask a streaming standby while changes are committed on its primary: each answer must be
// of a state that was replayed when it was asked, or came since. Then the primary is gone, and the
// standby takes over while they go on: what it has is a whole state, with the change log of it, and
// its answers follow what is committed there from then on (R46, R47).
#include "campaign.hpp"

#include "history_client.hpp"
#include "server_control.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

namespace entitle::campaign {

namespace {

constexpr std::size_t kClients = 4;

struct Server {
    std::string data;
    std::string port;

    std::string where(const std::string &database) const { return database + " port=" + port; }
};

void settle_in(const Server &server) {
    std::ofstream file(server.data + "/postgresql.auto.conf", std::ios::app);
    file << "listen_addresses = ''\nport = " << server.port << "\nunix_socket_directories = '"
         << std::getenv("PGHOST") << "'\nfsync = off\nautovacuum = off\nwal_level = replica\n"
         << "max_standby_streaming_delay = '1s'\n";
}

void make_standby(const Server &of, const Server &standby) {
    run_command("rm -rf '" + standby.data + "'");
    run_command("pg_basebackup -p " + of.port + " -D '" + standby.data + "' -c fast -R");
    settle_in(standby);
    start_server(standby.data);
}

// Which states a standby has replayed.
class Replay {
  public:
    explicit Replay(const Server &standby) : session_(standby.where("postgres")) {}

    void note_commit(std::size_t state, const std::string &position) {
        const std::lock_guard<std::mutex> lock(mutex_);
        commits_.emplace_back(state, position);
    }

    void watch(Shared &shared, const std::atomic<bool> &is_over) {
        while (!is_over) {
            std::vector<std::pair<std::size_t, std::string>> commits;
            {
                const std::lock_guard<std::mutex> lock(mutex_);
                commits = commits_;
            }
            if (commits.size() > 20) { // the oldest are replayed first
                commits.resize(20);
            }
            std::string question = "SELECT count(*) FROM (VALUES ('0/0'::pg_lsn)";
            for (const auto &one : commits) {
                question += ", ('" + one.second + "')";
            }
            const client::Reply reply =
                session_.run(question + ") AS v (at) WHERE at <= pg_last_wal_replay_lsn()");
            if (reply.ok()) {
                const std::size_t count = std::stoul(reply.value()) - 1;
                if (count > 0) {
                    shared.replayed = commits[count - 1].first;
                    const std::lock_guard<std::mutex> lock(mutex_);
                    commits_.erase(commits_.begin(),
                                   commits_.begin() + static_cast<std::ptrdiff_t>(count));
                }
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }

  private:
    client::Session session_;
    std::mutex mutex_;
    std::vector<std::pair<std::size_t, std::string>> commits_;
};

class Promotions {
  public:
    explicit Promotions(Report &report) : report_(report), random_(1) {
        const std::string folder = work_folder("promotions");
        run_command("rm -rf '" + folder + "'; mkdir -p '" + folder + "'");
        primary_ = {folder + "/one", "5433"};
        standby_ = {folder + "/two", "5434"};
        run_command("initdb -D '" + primary_.data +
                    "' -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions");
        settle_in(primary_);
        start_server(primary_.data);
        make_history_world(" port=" + primary_.port);
        client::Session administrator(primary_.where("campaign_history"));
        (void)history_rows(&administrator);
    }

    ~Promotions() {
        for (const Server &server : {primary_, standby_}) {
            try {
                stop_at_once(server.data);
            } catch (const std::exception &) {
                continue; // it is not up
            }
        }
    }
    Promotions(const Promotions &) = delete;
    Promotions &operator=(const Promotions &) = delete;

    void run(std::uint64_t seed) {
        random_.seed(seed);
        make_standby(primary_, standby_);
        client::Session before(primary_.where("campaign_history"));
        History history(before);
        Shared shared(history);
        shared.is_replayed = true;
        ClientKind kind;
        kind.where = standby_.where("campaign_history user=hist_pool");
        kind.may_crash = kind.is_standby = true;
        run_clients(shared, kClients, kind, random_, [&] { take_over(history, shared, before); });
        report_history(report_, shared, kClients);
        std::swap(primary_, standby_);
    }

  private:
    // Changes for about so long; with their places in the WAL, for a standby that follows.
    void change(History &history, Shared &shared, client::Session &writer, int milliseconds,
                Replay *replay) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
        for (Pace pace; !shared.is_over && std::chrono::steady_clock::now() < end; pace.wait()) {
            if (history.change(writer, random_())) {
                ++shared.commits;
                if (replay != nullptr) {
                    replay->note_commit(history.returned(),
                                        writer.must("SELECT pg_current_wal_insert_lsn()").value());
                }
            }
        }
    }

    void take_over(History &history, Shared &shared, client::Session &before) {
        {
            Replay replay(standby_);
            std::atomic<bool> is_over{false};
            std::thread watch([&] { replay.watch(shared, is_over); });
            try {
                change(history, shared, before, 1500 + static_cast<int>(random_() % 1500), &replay);
                // Changes that the standby may never hear of, half of the time.
                if (random_() % 2 == 0) {
                    change(history, shared, before, 100, nullptr);
                }
                stop_at_once(primary_.data);
            } catch (const std::exception &error) {
                shared.fail(error.what());
            }
            is_over = true;
            watch.join();
        }
        promote_server(standby_.data);
        client::Session after(standby_.where("campaign_history"));
        const std::string wrong = history.settle(after, shared.replayed);
        if (!wrong.empty()) {
            throw std::runtime_error(wrong);
        }
        shared.is_replayed = false;
        report_.count("promotions");
        change(history, shared, after, 1000, nullptr);
    }

    Report &report_;
    std::mt19937_64 random_;
    Server primary_;
    Server standby_;
};

} // namespace

bool run_promotions(const Options &options) {
    Report report("promotions", options);
    Promotions promotions(report);
    while (report.has_next_round()) {
        promotions.run(report.next_round());
    }
    return report.close();
}

} // namespace entitle::campaign
