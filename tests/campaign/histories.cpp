// Many clients ask while one writer commits changes of every kind: each answer must be the model's
// for a state that was the case at some moment between the question and its answer (R46, R47).
// Clients ask as a pool does, for another user in every transaction, by statements of both
// protocols that are prepared once. Some are cancelled, some are ended: what they are told next
// must be right.
#include "campaign.hpp"

#include "history_client.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

namespace entitle::campaign {

void make_history_world(const std::string &server) {
    client::Session cluster("postgres" + server);
    cluster.must("DROP DATABASE IF EXISTS campaign_history WITH (FORCE)");
    cluster.must("DROP ROLE IF EXISTS hist_pool");
    cluster.must("CREATE DATABASE campaign_history");
    client::Session world("campaign_history" + server);
    world.must(read_file("tests/campaign/shop_world.sql"));
    world.must(read_file("tests/campaign/history_world.sql"));
    world.must("CREATE FUNCTION fault_cancel(integer) RETURNS boolean LANGUAGE C AS '" +
               fault_library() + "'");
}

void run_clients(Shared &shared, std::size_t count, const ClientKind &kind, std::mt19937_64 &random,
                 const std::function<void()> &write, const std::function<void()> &disturb) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&shared, seed = random(), &kind] { run_client(shared, seed, kind); });
    }
    if (disturb) {
        threads.emplace_back(disturb);
    }
    try {
        write();
    } catch (const std::exception &error) {
        shared.fail(error.what());
    }
    shared.is_over = true;
    for (std::thread &thread : threads) {
        thread.join();
    }
}

void Pace::wait() {
    constexpr int kCommitsASecond = 50;
    next_ = std::max(next_ + std::chrono::milliseconds(1000 / kCommitsASecond),
                     std::chrono::steady_clock::now() - std::chrono::seconds(1));
    std::this_thread::sleep_until(next_);
}

void report_history(Report &report, const Shared &shared, std::size_t clients) {
    for (const std::string &failure : shared.failures) {
        report.fail(failure);
    }
    report.set("clients", static_cast<long>(clients));
    report.count("answers", shared.answers);
    report.count("answers that show something", shared.with_content);
    report.count("committed changes", shared.commits);
    report.count("refused with 40001", shared.refused);
    report.count("sessions that were ended", shared.ended);
}

namespace {

bool run(const char *name, const Options &options, std::size_t clients, const ClientKind &kind) {
    Report report(name, options);
    make_history_world();
    client::Session administrator("campaign_history");
    (void)history_rows(&administrator);
    History history(administrator);
    Shared shared(history);
    std::mt19937_64 random(report.next_round());
    run_clients(shared, clients, kind, random, [&] {
        for (Pace pace; !report.is_over() && !shared.is_over; pace.wait()) {
            shared.commits += history.change(administrator, random()) ? 1 : 0;
            report.set("answers", shared.answers);
            if (random() % 400 == 0) {
                administrator.must("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                   "usename = 'hist_pool' ORDER BY random() LIMIT 1");
            }
        }
    });
    report.set("answers", 0);
    report_history(report, shared, clients);
    if (kind.are_cancelled) {
        report.count("statements that were cancelled", shared.cancelled);
        report.count("answers right after one", shared.after_cancel);
    }
    return report.close();
}

} // namespace

bool run_histories(const Options &options) { return run("histories", options, 16, ClientKind()); }

bool run_cancels(const Options &options) {
    ClientKind kind;
    kind.are_cancelled = true;
    return run("cancels", options, 4, kind);
}

// Through a pooler that gives each transaction any of a few sessions.
bool run_pooled(const Options &options) {
    const char *pooler = std::getenv("ENTITLE_POOLER");
    if (pooler == nullptr || *pooler == '\0') {
        std::fprintf(stderr, "pooled: no PgBouncer here\n");
        return true;
    }
    ClientKind kind;
    kind.where = std::string("campaign_history user=hist_pool ") + pooler;
    kind.is_pooled = kind.may_crash = true;
    return run("pooled", options, 16, kind);
}

} // namespace entitle::campaign
