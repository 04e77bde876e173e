// What a protected table adds to planning: statements that are parsed, rewritten and planned, and
// fetch nothing.
#include "bench.hpp"

namespace bench {

namespace {

// With no condition of its own, where the policy's decides how rows are found.
constexpr const char *kOpen = "SELECT o.amount FROM bench.orders o LIMIT 0";
constexpr const char *kByKey = "SELECT o.amount FROM bench.orders o WHERE o.id = 4711 LIMIT 0";
constexpr const char *kJoined =
    "SELECT o.amount, i.total, c.name FROM bench.orders o JOIN bench.invoice i ON i.order_id = o.id"
    " JOIN bench.client c ON c.customer_id = o.customer_id WHERE o.id = 4711 LIMIT 0";

void planning(Bench &bench, const std::string &login, const std::string &sql, int tables,
              const std::string &key, const std::string &title) {
    const SharedSession session = open_session();
    session->sign_in(login);
    const auto side = [&](const std::string &role) {
        return Side{role, [=] { session->become(role); }, [=] { return session->run(sql); },
                    [=] {
                        return session->processor_time();
                    }};
    };
    Limits limits = bench.limits(2);
    limits.sample = 0.02;
    Result labels;
    labels.topic = "planning";
    labels.key = login + "_" + key;
    labels.title = person(login) + "; " + title;
    labels.unit = "us";
    labels.target = 50;
    labels.baseline = labels.measured = sql;
    add_difference(bench, labels, interleave({side(kPlain), side(kApp), side(kPlain)}, limits),
                   1e6 / tables);
}

} // namespace

void measure_planning(Bench &bench) {
    for (const char *login : {"staff", "outsider_10", "outsider_1000_year", "all"}) {
        planning(bench, login, kOpen, 1, "open", "one table, no condition");
        planning(bench, login, kByKey, 1, "1", "one table, by key");
        planning(bench, login, kJoined, 3, "3", "each of three joined");
    }
}

} // namespace bench
