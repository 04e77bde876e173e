// The policies that people write, on the same tables and in the same rounds as entitle's and the
// query by hand: a careful one in plain SQL, whose questions are asked once a query, and a naive
// one that asks PL/pgSQL for every row.
#include "bench.hpp"

namespace bench {

namespace {

void policies(Bench &bench, const std::string &table, const std::string &login,
              const std::vector<std::pair<const char *, const char *>> &roles, double seconds) {
    const SharedSession session = open_session();
    session->sign_in(login);
    session->run("SELECT set_config('bench.user_id', user_id::text, false) FROM entitle.app_user"
                 " WHERE login = '" +
                 login + "'");
    const std::string protect =
        "SELECT count(*) || ' ' || coalesce(sum(o.amount), 0) FROM bench." + table + " o";
    std::vector<std::string> ways;
    for (const Own &own : hand_written(*session, login)) {
        ways.push_back(protect + own.from + " WHERE " + own.condition);
    }
    const std::string by_hand = login == "staff" ? protect : quickest(session, ways);
    std::vector<Side> sides = {prepared(session, "by_hand", kPlain, by_hand),
                               prepared(session, "again", kPlain, by_hand)};
    for (const auto &[name, role] : roles) {
        sides.push_back(prepared(session, name, role, protect));
    }
    const Samples samples = interleave(sides, bench.limits(seconds));
    for (std::size_t i = 2; i < sides.size(); ++i) {
        Result labels;
        labels.topic = "policies";
        labels.key = table + "_" + login + "_" + sides[i].name;
        labels.title = table + ", " + person(login) + ": " + sides[i].name;
        labels.baseline = shortened(by_hand);
        labels.measured = protect;
        add_quotient(bench, labels, samples, i, 0, 1);
    }
}

// While this lives, entitle's policies are for kApp alone, and the others stand beside them.
class OtherPolicies {
  public:
    OtherPolicies() {
        for (const char *table : {"orders", "small_orders"}) {
            session_.run(std::string("ALTER POLICY entitle_select ON bench.") + table + " TO " +
                         kApp);
            session_.run(std::string("CREATE POLICY careful ON bench.") + table +
                         " FOR SELECT TO " + kSql +
                         " USING ((SELECT bench.is_staff()) OR customer_id IN (SELECT "
                         "bench.my_customers()))");
        }
        session_.run(std::string("CREATE POLICY naive ON bench.small_orders FOR SELECT TO ") +
                     kNaive + " USING (bench.may_see(customer_id))");
    }
    ~OtherPolicies() {
        for (const char *table : {"orders", "small_orders"}) {
            session_.run(std::string("ALTER POLICY entitle_select ON bench.") + table +
                         " TO PUBLIC");
            session_.run(std::string("DROP POLICY careful ON bench.") + table);
        }
        session_.run("DROP POLICY naive ON bench.small_orders");
    }
    OtherPolicies(const OtherPolicies &) = delete;
    OtherPolicies &operator=(const OtherPolicies &) = delete;

  private:
    Session session_;
};

} // namespace

void measure_policies(Bench &bench) {
    const OtherPolicies policies_beside;
    for (const char *login : {"outsider_1", "outsider_10", "outsider_100", "outsider_1000",
                              "outsider_10000", "outsider_50000", "staff"}) {
        policies(bench, "orders", login, {{"entitle", kApp}, {"careful", kSql}}, 4);
    }
    for (const char *login : {"outsider_10", "outsider_1000", "staff"}) {
        policies(bench, "small_orders", login,
                 {{"entitle", kApp}, {"careful", kSql}, {"naive", kNaive}}, 4);
    }
}

} // namespace bench
