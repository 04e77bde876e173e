// What an outsider reads of the own orders, beside the same query written by hand: everything in
// one aggregate, the latest twenty, and joins.
#include "bench.hpp"

namespace bench {

namespace {

constexpr int kSizes[] = {1, 10, 100, 1000, 10000, 50000};

// The text of a query, with or without the condition written by hand.
using Query = std::string (*)(const Own &);

std::string where(const Own &own) {
    return own.from + (own.condition.empty() ? "" : " WHERE " + own.condition);
}

std::string aggregate(const Own &own) {
    return "SELECT count(*) || ' ' || coalesce(sum(o.amount), 0) FROM bench.orders o" + where(own);
}

// Where dates are equal, which orders come is open; the dates are not.
std::string latest(const Own &own) {
    return "SELECT string_agg(l.order_date::text, ' ') FROM (SELECT o.order_date, o.amount, "
           "o.status"
           " FROM bench.orders o" +
           where(own) + " ORDER BY o.order_date DESC LIMIT 20) AS l";
}

// The last three months of three protected tables.
std::string three_tables(const Own &own) {
    return "SELECT count(*) || ' ' || coalesce(sum(i.total), 0) FROM bench.orders o"
           " JOIN bench.invoice i ON i.order_id = o.id"
           " JOIN bench.client c ON c.customer_id = o.customer_id" +
           own.from + " WHERE o.order_date >= current_date - 90 AND c.country <> ''" +
           (own.condition.empty() ? "" : " AND " + own.condition);
}

std::string by_status(const Own &own) {
    return "SELECT string_agg(s.status || ' ' || s.n || ' ' || s.total, ',' ORDER BY s.status) FROM"
           " (SELECT o.status, count(*) AS n, sum(o.amount) AS total FROM bench.orders o" +
           where(own) + " GROUP BY o.status) AS s";
}

void against_hand(Bench &bench, Result labels, Query query, const std::string &login,
                  double seconds) {
    const SharedSession session = open_session();
    session->sign_in(login);
    std::vector<std::string> ways;
    for (const Own &own : hand_written(*session, login)) {
        ways.push_back(query(own));
    }
    const std::string by_hand = quickest(session, ways);
    const std::string measured = query({});
    labels.key += login;
    labels.baseline = shortened(by_hand);
    labels.measured = measured;
    compare(bench, labels,
            {prepared(session, "by_hand", kPlain, by_hand),
             prepared(session, "protected", kApp, measured),
             prepared(session, "again", kPlain, by_hand)},
            bench.limits(seconds));
}

Result labelled(const std::string &topic, const std::string &title, std::optional<double> target) {
    Result labels;
    labels.topic = topic;
    labels.title = title;
    labels.target = target;
    return labels;
}

// A query that names one customer finds its rows by that, however many customers the person has.
void naming_one(Bench &bench, Result labels, Query query, const std::string &login) {
    const SharedSession session = open_session();
    session->sign_in(login);
    const std::string customer =
        session->run("SELECT min(g.customer_id) FROM entitle.external_access g"
                     " JOIN entitle.app_user u USING (user_id) WHERE u.login = '" +
                     login + "'");
    const std::string sql = query({"", "o.customer_id = " + customer});
    labels.key = "one_of_" + login;
    labels.baseline = labels.measured = sql;
    compare(bench, labels,
            {prepared(session, "by_hand", kPlain, sql), prepared(session, "protected", kApp, sql),
             prepared(session, "again", kPlain, sql)},
            bench.limits(4));
}

} // namespace

void measure_own_rows(Bench &bench) {
    for (const bool is_year : {false, true}) {
        for (const int size : kSizes) {
            const std::string login = "outsider_" + std::to_string(size) + (is_year ? "_year" : "");
            against_hand(bench, labelled("own rows", person(login), 1.10), aggregate, login,
                         size < 10000 ? 4 : 12);
        }
    }
}

void measure_latest(Bench &bench) {
    for (const int size : kSizes) {
        const std::string login = "outsider_" + std::to_string(size);
        against_hand(bench, labelled("latest 20", person(login), 1.10), latest, login, 4);
    }
    for (const char *login : {"outsider_1000", "all"}) {
        naming_one(bench, labelled("latest 20", "of one customer, of " + person(login), 1.10),
                   latest, login);
    }
}

void measure_shapes(Bench &bench) {
    for (const int size : {10, 1000, 50000}) {
        const std::string login = "outsider_" + std::to_string(size);
        Result labels = labelled("shapes", "join of three protected tables, " + person(login), {});
        labels.key = "join_";
        against_hand(bench, labels, three_tables, login, size > 1000 ? 10 : 5);
        labels = labelled("shapes", "GROUP BY status, " + person(login), {});
        labels.key = "group_";
        against_hand(bench, labels, by_status, login, size > 1000 ? 10 : 5);
    }
    for (const char *login : {"outsider_1000", "all"}) {
        naming_one(bench,
                   labelled("shapes", "join of three, of one customer, of " + person(login), {}),
                   three_tables, login);
    }
}

} // namespace bench
