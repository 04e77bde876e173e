// Staff, who see every row: what a policy that lets everything through costs them; and parallel
// plans.
#include "bench.hpp"

namespace bench {

namespace {

struct Shape {
    const char *key;
    const char *title;
    const char *sql;
    double seconds;
    std::optional<double> target;
};

const Shape kShapes[] = {
    {"scan", "full scan, aggregate", "SELECT count(*) || ' ' || sum(amount) FROM bench.orders", 30,
     1.02},
    {"latest",
     "latest 20 orders",
     "SELECT string_agg(l.order_date::text, ' ') FROM (SELECT o.order_date, o.amount FROM "
     "bench.orders o"
     " ORDER BY o.order_date DESC LIMIT 20) AS l",
     4,
     {}},
    {"join",
     "join of three protected tables",
     "SELECT count(*) || ' ' || sum(i.total) || ' ' || min(c.name) FROM bench.orders o"
     " JOIN bench.invoice i ON i.order_id = o.id JOIN bench.client c ON c.customer_id = "
     "o.customer_id"
     " WHERE o.order_date >= current_date - 60",
     8,
     {}},
};

bool is_parallel(Session &session, const std::string &sql) {
    for (const std::string &line : session.column("EXPLAIN " + sql)) {
        if (line.find("Gather") != std::string::npos) {
            return true;
        }
    }
    return false;
}

void in_parallel(Bench &bench, const std::string &login, const std::string &by_hand,
                 const std::string &measured) {
    const SharedSession session = open_session();
    session->sign_in(login);
    session->run("SET max_parallel_workers_per_gather = 2");
    Result labels;
    labels.topic = "parallel";
    labels.key = login;
    labels.title = person(login) + ", full scan, aggregate";
    labels.baseline = shortened(by_hand);
    labels.measured = measured;
    for (const auto &[role, sql] : {std::pair(kPlain, by_hand), std::pair(kApp, measured)}) {
        session->become(role);
        if (!is_parallel(*session, sql)) {
            labels.title += role == kPlain ? " (not parallel by hand)" : " (not parallel)";
        }
    }
    std::vector<Side> sides = {prepared(session, "by_hand", kPlain, by_hand),
                               prepared(session, "protected", kApp, measured),
                               prepared(session, "again", kPlain, by_hand)};
    for (Side &side : sides) {
        side.processor = {}; // the workers' would be missing
    }
    compare(bench, labels, sides, bench.limits(12));
}

} // namespace

void measure_staff(Bench &bench) {
    for (const Shape &shape : kShapes) {
        const SharedSession session = open_session();
        session->sign_in("staff");
        Result labels;
        labels.topic = "staff";
        labels.key = shape.key;
        labels.title = shape.title;
        labels.target = shape.target;
        labels.baseline = labels.measured = shape.sql;
        compare(bench, labels,
                {prepared(session, "plain", kPlain, shape.sql),
                 prepared(session, "protected", kApp, shape.sql),
                 prepared(session, "again", kPlain, shape.sql)},
                bench.limits(shape.seconds));
    }
}

void measure_parallel(Bench &bench) {
    const std::string all = "SELECT count(*) || ' ' || sum(o.amount) FROM bench.orders o";
    in_parallel(bench, "staff", all, all);
    Session session;
    in_parallel(bench, "outsider_50000",
                all + " WHERE " + hand_written(session, "outsider_50000").front().condition, all);
}

} // namespace bench
