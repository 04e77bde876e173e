// Two writers grant and revoke at random while two readers look, each on a connection of its own: a
// reader never sees what was revoked, and never misses what was granted, before its statement began
// (R46, R47). Rolled-back changes never show.
//
// The check is by sequence, not by time: a writer marks a right as changing before it sends a
// change and as granted or revoked after the commit has returned. What a reader found marked the
// same before and after its statement must be so.
//
// ENTITLE_RACE_SECONDS sets how long it runs.
#include "world.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

namespace entitle::client {

namespace {

using Race = World;

constexpr int kRacers = 8;          // users 1 to 8 gain and lose customers
constexpr int kRacedCustomers = 12; // customers 1 to 12

// A right's mark: a sequence number that moves with every change, and what is the case.
enum class Mark : std::uint64_t { changing = 0, revoked = 1, granted = 2 };

class Right {
  public:
    std::uint64_t read() const { return value_.load(); }
    static Mark mark(std::uint64_t value) { return static_cast<Mark>(value % 4); }
    void set(Mark mark) {
        value_.store((value_.load() / 4 + 1) * 4 + static_cast<std::uint64_t>(mark));
    }

  private:
    std::atomic<std::uint64_t> value_{static_cast<std::uint64_t>(Mark::revoked)};
};

struct Board {
    std::array<std::array<Right, kRacedCustomers + 1>, kRacers + 1> access;
    std::array<Right, kStaff> staff;
    std::atomic<bool> is_over{false};
    std::atomic<long> changes{0};
    std::atomic<long> looks{0};
    std::atomic<long> judged{0};
    std::atomic<long> refused{0};
};

// Changes a right by the commands, or tries and rolls back, which is no change.
void change(Session &connection, Board &board, Right &right, std::mt19937 &random,
            const std::string &grant, const std::string &revoke) {
    const bool is_granted = Right::mark(right.read()) == Mark::granted;
    const std::string &command = is_granted ? revoke : grant;
    switch (random() % 4) {
    case 0:
        EXPECT_TRUE(connection.run("BEGIN").ok());
        EXPECT_TRUE(connection.run(command).ok());
        EXPECT_TRUE(connection.run("ROLLBACK").ok());
        return;
    case 1:
        EXPECT_TRUE(connection.run("BEGIN; SAVEPOINT s").ok());
        EXPECT_TRUE(connection.run(command).ok());
        EXPECT_TRUE(connection.run("ROLLBACK TO s; COMMIT").ok());
        return;
    default:
        right.set(Mark::changing);
        const Reply answer = connection.run(command);
        EXPECT_TRUE(answer.ok()) << command << ": " << answer.message;
        right.set(is_granted ? Mark::revoked : Mark::granted);
        ++board.changes;
    }
}

// One writer takes the even users, the other the odd ones: each right has one writer.
void write(Board &board, int number) {
    Session connection;
    std::mt19937 random(static_cast<unsigned>(number));
    while (!board.is_over) {
        if (random() % 8 == 0) {
            const int staff = number + 2 * static_cast<int>(random() % 2);
            const std::string user = std::to_string(kUsers + 1 + staff);
            change(connection, board, board.staff[static_cast<std::size_t>(staff)], random,
                   "INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT " +
                       user +
                       ", 1, role_id FROM entitle.role WHERE organization_id = 1 AND name = "
                       "'read-only'",
                   "DELETE FROM entitle.membership WHERE user_id = " + user);
            continue;
        }
        const std::size_t user =
            1 + static_cast<std::size_t>(number) + 2 * (random() % (kRacers / 2));
        const std::size_t customer = 1 + random() % kRacedCustomers;
        const std::string keys = std::to_string(customer) + ", " + std::to_string(user);
        change(connection, board, board.access[user][customer], random,
               "INSERT INTO entitle.external_access (customer_id, user_id, days_back) VALUES (" +
                   keys + ", NULL)",
               "DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (" + keys + ")");
    }
}

// Returns: whether there is an answer to judge. Rights that change between a statement's plan and
// its start refuse it with 40001, for the application to run its transaction again.
bool is_answered(Board &board, const Reply &answer) {
    if (answer.error == "40001") {
        ++board.refused;
        return false;
    }
    EXPECT_TRUE(answer.ok()) << answer.message;
    return answer.ok();
}

void judge(Board &board, const Right &right, std::uint64_t before, bool is_seen,
           const std::string &what) {
    if (Right::mark(before) != Mark::changing && right.read() == before) {
        ++board.judged;
        EXPECT_EQ(is_seen, Right::mark(before) == Mark::granted) << what;
    }
}

bool look_as_outsider(Session &connection, Board &board, std::size_t user, unsigned way) {
    std::array<std::uint64_t, kRacedCustomers + 1> before{};
    for (std::size_t customer = 1; customer <= kRacedCustomers; ++customer) {
        before[customer] = board.access[user][customer].read();
    }
    Reply answer;
    switch (way % 3) {
    case 0:
        answer = connection.run_prepared("see");
        break;
    case 1:
        answer = connection.run("SELECT unnest(entitle.accessible_customers())");
        break;
    default:
        answer = connection.run(
            "SELECT c FROM generate_series(1, 12) AS c WHERE entitle.access_level(c) >= 20");
        break;
    }
    if (!is_answered(board, answer)) {
        return false;
    }
    std::set<std::string> seen;
    for (const auto &row : answer.rows) {
        seen.insert(row.front());
    }
    for (std::size_t customer = 1; customer <= kRacedCustomers; ++customer) {
        const std::string name = std::to_string(customer);
        judge(board, board.access[user][customer], before[customer], seen.count(name) > 0,
              login_of(static_cast<int>(user)) + ", customer " + name);
    }
    return true;
}

bool look_as_staff(Session &connection, Board &board, std::size_t staff) {
    const std::uint64_t before = board.staff[staff].read();
    const Reply answer = connection.run_prepared("see");
    if (!is_answered(board, answer)) {
        return false;
    }
    EXPECT_TRUE(answer.rows.empty() || answer.rows.size() == kCustomers);
    judge(board, board.staff[staff], before, !answer.rows.empty(),
          login_of(kUsers + 1 + static_cast<int>(staff)));
    return true;
}

void read(Board &board, unsigned number) {
    Session connection = pooled();
    std::mt19937 random(100 + number);
    if (number == 1) {
        connection.run("SET plan_cache_mode = force_generic_plan");
    }
    connection.prepare("see", "SELECT customer_id FROM orders");
    while (!board.is_over) {
        const bool is_staff = random() % 4 == 0;
        const std::size_t who = is_staff ? random() % kStaff : 1 + random() % kRacers;
        const int user = static_cast<int>(is_staff ? kUsers + 1 + who : who);
        connection.run(random() % 2 == 0 ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ");
        ask(connection, "SELECT entitle.sign_in($1)", {login_of(user)});
        bool is_going = true;
        for (unsigned look = random() % 6; look > 0 && is_going; --look) {
            is_going = is_staff ? look_as_staff(connection, board, who)
                                : look_as_outsider(connection, board, who,
                                                   static_cast<unsigned>(random()));
            ++board.looks;
        }
        connection.run(is_going ? "COMMIT" : "ROLLBACK");
    }
}

TEST_F(Race, ReadersSeeWhatIsGrantedAndNothingElse) {
    administrator.run("DELETE FROM entitle.external_access; DELETE FROM entitle.membership");
    const char *setting = std::getenv("ENTITLE_RACE_SECONDS");
    const std::chrono::seconds duration(setting == nullptr ? 10 : std::atoi(setting));

    Board board;
    std::vector<std::thread> threads;
    for (int number = 0; number < 2; ++number) {
        threads.emplace_back([&board, number] { write(board, number); });
        threads.emplace_back([&board, number] { read(board, static_cast<unsigned>(number)); });
    }
    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end && !HasFailure()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    board.is_over = true;
    for (std::thread &thread : threads) {
        thread.join();
    }
    RecordProperty("changes", std::to_string(board.changes));
    RecordProperty("looks", std::to_string(board.looks));
    RecordProperty("judged", std::to_string(board.judged));
    std::printf("%ld changes, %ld looks, %ld rights judged, %ld looks refused\n",
                board.changes.load(), board.looks.load(), board.judged.load(),
                board.refused.load());
    EXPECT_GT(board.changes, 100);
    EXPECT_GT(board.judged, 1000);
    EXPECT_LT(board.refused * 50, board.looks) << "refusing is for a rare race";
}

} // namespace

} // namespace entitle::client
