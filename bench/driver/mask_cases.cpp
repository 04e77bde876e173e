// Masked columns, read through the filtered view; beside the table with no policy, or by hand.
#include "bench.hpp"

namespace bench {

namespace {

std::string summed(const std::string &relation, const std::string &price) {
    return "SELECT count(*) || ' ' || coalesce(sum(" + price + "), 0) FROM bench." + relation +
           " l";
}

void masks(Bench &bench, const std::string &key, const std::string &login, const std::string &title,
           const std::string &by_hand, const std::string &measured, double seconds) {
    const SharedSession session = open_session();
    session->sign_in(login);
    Result labels;
    labels.topic = "masks";
    labels.key = key;
    labels.title = title;
    labels.baseline = shortened(by_hand);
    labels.measured = measured;
    compare(bench, labels,
            {prepared(session, "by_hand", kPlain, by_hand),
             prepared(session, "protected", kApp, measured),
             prepared(session, "again", kPlain, by_hand)},
            bench.limits(seconds));
}

// Everything that the person sees, where `price` is what a query by hand sums up.
void own_lines(Bench &bench, const std::string &login, const std::string &title,
               const std::string &price) {
    Session session;
    const std::string user =
        session.run("SELECT user_id FROM entitle.app_user WHERE login = '" + login + "'");
    masks(
        bench, login, login, title,
        summed("line", price) +
            " JOIN entitle.external_access g ON g.customer_id = l.customer_id WHERE g.user_id = " +
            user,
        summed("line_view", "price"), 4);
}

} // namespace

void measure_masks(Bench &bench) {
    masks(bench, "staff", "staff", "staff, full scan, aggregate", summed("line", "price"),
          summed("line_view", "price"), 6);
    masks(bench, "lookup", "staff", "staff, by key",
          "SELECT price FROM bench.line WHERE line_id = 4711",
          "SELECT price FROM bench.line_view WHERE line_id = 4711", 3);
    own_lines(bench, "outsider_1000", "1,000 customers, who see prices", "price");
    own_lines(bench, "priceless_1000", "1,000 customers, who do not",
              "CASE WHEN g.role >= 'L30' THEN price END");
}

} // namespace bench
