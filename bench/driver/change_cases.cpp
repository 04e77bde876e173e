// Reads of a user with 100,000 grants while other users' grants change fifty times a second. Beside
// it, as many changes of a table that has nothing to do with rights: that much is the price of any
// writer on the machine.
#include "bench.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace bench {

namespace {

// Executes a statement fifty times a second until it is destroyed.
class Writer {
  public:
    explicit Writer(const std::string &sql)
        : thread_([this, sql] {
              Session session;
              session.prepare("change", sql);
              auto next = std::chrono::steady_clock::now();
              for (int i = 1; !is_over_; ++i) {
                  session.execute("change", {std::to_string(i)});
                  next += std::chrono::milliseconds(20);
                  std::this_thread::sleep_until(next);
              }
          }) {}
    ~Writer() {
        is_over_ = true;
        thread_.join();
    }
    Writer(const Writer &) = delete;
    Writer &operator=(const Writer &) = delete;

  private:
    std::atomic<bool> is_over_{false};
    std::thread thread_;
};

constexpr const char *kGrants =
    "UPDATE entitle.external_access SET role = CASE role WHEN 'L30' THEN 'L20' ELSE 'L30' END"
    " WHERE user_id = (SELECT user_id FROM entitle.app_user WHERE login = 'crowd_' || ($1::bigint "
    "% 500 + 1))"
    " AND customer_id = (SELECT min(customer_id) FROM entitle.external_access WHERE user_id ="
    " (SELECT user_id FROM entitle.app_user WHERE login = 'crowd_' || ($1::bigint % 500 + 1)))";
constexpr const char *kOther =
    "UPDATE bench.unrelated SET number = number + 1 WHERE id = $1::bigint % 500 + 1";

// Reads so often, while the statement is repeated if there is one.
Sample read_while(const Side &reader, int reads, const char *changes) {
    std::unique_ptr<Writer> writer;
    if (changes != nullptr) {
        writer = std::make_unique<Writer>(changes);
        std::this_thread::sleep_for(std::chrono::milliseconds(30)); // until it is connected
    }
    return time_runs(reader, reads);
}

void changes(Bench &bench, const std::string &key, const std::string &title,
             const std::string &sql) {
    const SharedSession session = open_session();
    session->sign_in("all");
    const Side reader = prepared(session, "read", kApp, sql);
    reader.before();
    reader.run();
    const double once = time_runs(reader, 20).elapsed;
    const int reads = std::max(20, static_cast<int>((bench.is_quick ? 0.15 : 0.4) / once));
    const auto side = [&](const std::string &name, const char *statement) {
        return Side{name, {}, {}, {}, [=] {
                        return read_while(reader, reads, statement);
                    }};
    };
    const Samples samples = interleave({side("quiet", nullptr), side("grants", kGrants),
                                        side("other", kOther), side("again", nullptr)},
                                       bench.limits(12));
    Result labels;
    labels.topic = "changes";
    labels.key = key;
    labels.title = title;
    labels.target = 1.05;
    labels.baseline = sql;
    labels.measured = sql + ", while: " + kGrants;
    add_quotient(bench, labels, samples, 1, 0, 3);
    labels.key += "_other";
    labels.title += ", while an unrelated table changes";
    labels.target.reset();
    labels.measured = sql + ", while: " + kOther;
    add_quotient(bench, labels, samples, 2, 0, 3);
}

} // namespace

void measure_changes(Bench &bench) {
    Session session;
    const std::string key = some_key(session, "all");
    changes(bench, "lookup", "one order by key",
            "SELECT amount FROM bench.orders WHERE id = " + key);
    changes(bench, "page", "latest 20 orders",
            "SELECT order_date, amount FROM bench.orders ORDER BY order_date DESC LIMIT 20");
}

} // namespace bench
