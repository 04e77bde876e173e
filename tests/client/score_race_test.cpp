// Recalculations at once, beside slider writes, edits and deactivations of single customers: nobody
// is refused for a deadlock, nobody else fails, and a last recalculation leaves the formula (R16,
// R17; S90).
//
// ENTITLE_RACE_SECONDS sets how long it runs.
#include "world.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

namespace entitle::client {

namespace {

using ScoreRace = World;

constexpr int kMetrics = 4;
constexpr int kRecalculators = 4;
constexpr int kWriters = 12;

constexpr const char kWrong[] = R"sql(
    SELECT count(*) FROM entitle.customer c
    WHERE c.status <> 'INAC' AND c.client_score IS DISTINCT FROM
          (SELECT round(sum(v.value * m.multiplier) / nullif(sum(m.multiplier), 0), 2)
           FROM entitle.customer_metric v JOIN entitle.client_metric m USING (metric_id)
           WHERE m.is_active AND v.customer_id = c.customer_id))sql";

// What went wrong, by SQLSTATE, apart from what the rules refuse: an INAC customer takes no change.
class Faults {
  public:
    void note(const Reply &answer) {
        if (!answer.ok() && answer.error != "42501" && answer.error != "23514") {
            ++count_;
            ADD_FAILURE() << answer.error << ' ' << answer.message;
        }
        (answer.ok() ? done_ : refused_) += 1;
    }
    long done() const { return done_; }
    long refused() const { return refused_; }
    bool any() const { return count_ > 0; }

  private:
    std::atomic<long> count_{0};
    std::atomic<long> done_{0};
    std::atomic<long> refused_{0};
};

void recalculate(std::atomic<bool> &is_over, Faults &faults) {
    Session connection;
    while (!is_over) {
        faults.note(connection.run("SELECT * FROM entitle.recalc_scores()"));
    }
}

void write(std::atomic<bool> &is_over, Faults &faults, unsigned number) {
    Session connection = pooled();
    std::mt19937 random(number);
    ask(connection, "SELECT entitle.sign_in('editor', true)");
    while (!is_over) {
        const std::string customer = std::to_string(1 + random() % kCustomers);
        switch (random() % 8) {
        case 0:
            faults.note(connection.run("UPDATE entitle.customer SET notes = 'n' || " +
                                       std::to_string(random() % 100) +
                                       " WHERE customer_id = " + customer));
            break;
        case 1:
            faults.note(connection.run("SELECT entitle.deactivate_customer(" + customer + ")"));
            break;
        case 2:
            faults.note(connection.run("SELECT entitle.reactivate_customer(" + customer + ")"));
            break;
        case 3:
            faults.note(connection.run("DELETE FROM entitle.customer_metric WHERE customer_id = " +
                                       customer + " AND metric_id = 2"));
            break;
        default:
            faults.note(connection.run("SELECT entitle.set_metric_value(" + customer + ", 'm" +
                                       std::to_string(1 + random() % kMetrics) + "', " +
                                       std::to_string(random() % 10001) + " / 100.0)"));
        }
    }
}

TEST_F(ScoreRace, NobodyMeetsADeadlock) {
    administrator.must("GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO pool_role;"
                       "GRANT EXECUTE ON FUNCTION entitle.set_metric_value,"
                       " entitle.deactivate_customer, entitle.reactivate_customer TO pool_role;"
                       "INSERT INTO entitle.app_user (user_id, login) VALUES (1000, 'editor');"
                       "INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT "
                       "1000, 1, role_id FROM entitle.role WHERE name = 'sales manager';"
                       "INSERT INTO entitle.client_metric (metric_id, name, multiplier) SELECT m, "
                       "'m' || m, m / 3.0 FROM generate_series(1, 4) AS m");
    const char *setting = std::getenv("ENTITLE_RACE_SECONDS");
    const std::chrono::seconds duration(setting == nullptr ? 6 : std::atoi(setting));
    std::atomic<bool> is_over{false};
    Faults recalculations;
    Faults writes;
    std::vector<std::thread> threads;
    for (int i = 0; i < kRecalculators; ++i) {
        threads.emplace_back([&] { recalculate(is_over, recalculations); });
    }
    for (unsigned i = 0; i < kWriters; ++i) {
        threads.emplace_back([&, i] { write(is_over, writes, i); });
    }
    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end && !recalculations.any() && !writes.any()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    is_over = true;
    for (std::thread &thread : threads) {
        thread.join();
    }
    std::printf("%ld recalculations, %ld writes, %ld refused\n", recalculations.done(),
                writes.done(), writes.refused());
    EXPECT_EQ(recalculations.refused(), 0);
    EXPECT_GT(recalculations.done(), 10);
    EXPECT_GT(writes.done(), 100);
    administrator.must("SELECT entitle.recalc_scores()");
    EXPECT_EQ(ask(administrator, kWrong), "0");
    administrator.must("DELETE FROM entitle.customer_metric; DELETE FROM entitle.client_metric;"
                       "DELETE FROM entitle.membership WHERE user_id = 1000;"
                       "DELETE FROM entitle.app_user WHERE user_id = 1000;"
                       "REVOKE ALL ON ALL TABLES IN SCHEMA entitle FROM pool_role");
}

} // namespace

} // namespace entitle::client
