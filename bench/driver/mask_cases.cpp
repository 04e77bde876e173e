// Masked columns and lines, read through the filtered view: beside the table with no policy, a view
// with the same CASE expressions, or a join, all written by hand.
#include "bench.hpp"

namespace bench {

namespace {

// Views by hand as good as they get, with masks where `sees` says. Barriers, as any view that hides
// rows must be.
std::string view_by_hand(const std::string &name, const std::string &sees,
                         const std::string &rows) {
    const std::string masked = "CASE WHEN " + sees + " THEN ";
    return "CREATE VIEW bench." + name +
           " WITH (security_barrier) AS SELECT l.line_id, l.customer_id, l.line_date, " + masked +
           "l.price END AS price, " + masked + "l.discount END AS discount, " + masked +
           "'{}'::text[] ELSE '{price,discount}' END AS masked_columns FROM bench.line l" + rows +
           "; GRANT SELECT ON bench." + name + " TO bench_plain";
}

// Two lines for every fifth order.
constexpr const char *kLines[] = {
    "CREATE TABLE bench.item (order_id bigint NOT NULL, number integer NOT NULL, price "
    "numeric(10,2) NOT NULL)",
    "INSERT INTO bench.item SELECT o.id, n, o.amount / n FROM bench.orders o, generate_series(1, "
    "2) AS n WHERE o.id % 5 = 0",
    "ALTER TABLE bench.item ADD PRIMARY KEY (order_id, number), ADD FOREIGN KEY (order_id) "
    "REFERENCES bench.orders",
    "GRANT SELECT ON bench.item TO bench_app",
    "SELECT entitle.protect_table('bench.item', parent => 'bench.orders', masked_columns => "
    "'{\"price\": 30}')",
    "GRANT SELECT ON bench.item TO bench_plain",
    "VACUUM (ANALYZE, FREEZE) bench.item",
};

struct Case {
    std::string key, login, title;
    double target;
    std::string by_hand, measured;
};

void masks(Bench &bench, const Case &one, double seconds) {
    const SharedSession session = open_session();
    session->sign_in(one.login);
    session->run("SELECT set_config('bench.user_id', user_id::text, false) FROM entitle.app_user "
                 "WHERE login = '" +
                 one.login + "'");
    Result labels;
    labels.topic = "masks";
    labels.key = one.key;
    labels.title = one.title;
    labels.target = one.target;
    labels.baseline = shortened(one.by_hand);
    labels.measured = one.measured;
    compare(bench, labels,
            {prepared(session, "by_hand", kPlain, one.by_hand),
             prepared(session, "protected", kApp, one.measured),
             prepared(session, "again", kPlain, one.by_hand)},
            bench.limits(seconds));
}

std::string summed(const std::string &from, const std::string &price) {
    return "SELECT count(*) || ' ' || coalesce(sum(" + price + "), 0) FROM bench." + from;
}

// Every column of every row, masked or not.
std::string listed(const std::string &view) {
    return "SELECT count(*) || ' ' || coalesce(sum(price), 0) || ' ' || coalesce(sum(discount), 0) "
           "|| ' ' || sum(cardinality(masked_columns)) || ' ' || min(line_date) FROM bench." +
           view;
}

// A filtered view beside one by hand.
void measure_view(Bench &bench, const std::string &login, const std::string &title,
                  const std::string &by_hand, double seconds) {
    masks(bench,
          {login + "_view", login, title + ", prices summed; a view by hand", 1.10,
           summed(by_hand, "price"), summed("line_view", "price")},
          seconds);
    masks(bench,
          {login + "_columns", login, title + ", all columns; a view by hand", 1.10,
           listed(by_hand), listed("line_view")},
          seconds);
}

// What is written by hand for an outsider: the grants joined, or the customers listed.
struct ByHand {
    std::string join; // ends where the customer's column is to be named
    std::string list, priced_list;
};

ByHand write_by_hand(Session &session, const std::string &login) {
    const std::string user =
        session.run("SELECT user_id FROM entitle.app_user WHERE login = '" + login + "'");
    const std::string list = "SELECT coalesce(array_agg(customer_id ORDER BY customer_id), '{}') "
                             "FROM entitle.external_access WHERE user_id = " +
                             user;
    return {" JOIN entitle.external_access g ON g.user_id = " + user + " AND g.customer_id = ",
            "'" + session.run(list) + "'::bigint[]",
            "'" + session.run(list + " AND role >= 'L30'") + "'::bigint[]"};
}

// The lines of one order, and of all: beside a join by hand.
void measure_lines(Bench &bench, Session &session, const std::string &login,
                   const std::string &title, const ByHand &own) {
    const std::string orders = "bench.item i JOIN bench.orders o ON o.id = i.order_id";
    const std::string granted = orders + own.join + "o.customer_id";
    const std::string masked = "CASE WHEN g.role >= 'L30' THEN i.price END";
    const std::string key = session.run("SELECT min(i.order_id) FROM " + granted);
    const std::string columns = "SELECT string_agg(number || ':' || coalesce(price::text, '-'), ' '"
                                " ORDER BY number) FROM ";
    masks(bench,
          {login + "_list", login, title + ", the lines of one order; a join", 1.20,
           columns + "(SELECT i.number, " + masked + " AS price FROM " + granted +
               " WHERE i.order_id = " + key + ") l",
           columns + "bench.item_view WHERE order_id = " + key},
          2);
    const std::string sum = "SELECT count(*) || ' ' || coalesce(sum(";
    const std::string by_hand =
        quickest(open_session(), {sum + masked + "), 0) FROM " + granted,
                                  sum + "CASE WHEN o.customer_id = ANY (" + own.priced_list +
                                      ") THEN i.price END), 0) FROM " + orders +
                                      " WHERE o.customer_id = ANY (" + own.list + ")"});
    masks(bench,
          {login + "_lines", login, title + ", lines summed; a join", 1.20, by_hand,
           summed("item_view", "price")},
          4);
}

void measure_outsider(Bench &bench, Session &session, const std::string &login,
                      const std::string &title) {
    const ByHand own = write_by_hand(session, login);
    const std::string joined = "line_joined_" + login;
    const std::string listed_view = "line_listed_" + login;
    session.run(view_by_hand(joined, "g.role >= 'L30'", own.join + "l.customer_id"));
    session.run(view_by_hand(listed_view, "l.customer_id = ANY (" + own.priced_list + ")",
                             " WHERE l.customer_id = ANY (" + own.list + ")"));
    const std::string sum = summed(joined, "price");
    const bool is_joined = quickest(open_session(), {sum, summed(listed_view, "price")}) == sum;
    measure_view(bench, login, title, is_joined ? joined : listed_view, 3);
    measure_lines(bench, session, login, title, own);
}

} // namespace

void measure_masks(Bench &bench) {
    Session session;
    // The right is asked once a query.
    session.run(view_by_hand("line_by_staff", "(SELECT bench.is_staff())",
                             " WHERE (SELECT bench.is_staff())"));
    for (const char *command : kLines) {
        session.run(command);
    }
    masks(bench,
          {"staff", "staff", "staff, prices summed; the bare table", 1.05, summed("line", "price"),
           summed("line_view", "price")},
          6);
    masks(bench,
          {"lookup", "staff", "staff, by key; the bare table", 1.05,
           "SELECT price FROM bench.line WHERE line_id = 4711",
           "SELECT price FROM bench.line_view WHERE line_id = 4711"},
          3);
    measure_view(bench, "staff", "staff", "line_by_staff", 4);
    measure_outsider(bench, session, "outsider_10", "10 customers, who see prices");
    measure_outsider(bench, session, "outsider_1000", "1,000 customers, who see prices");
    measure_outsider(bench, session, "halfpriced_1000", "1,000 customers, prices of half of them");
    measure_outsider(bench, session, "priceless_1000", "1,000 customers, who see no prices");
}

} // namespace bench
