// What an explanation costs: the first of a new connection, which loads the library and the rights
// and fills PostgreSQL's caches, and the next ones. What the reports and lint() take, with a log of
// the grants to read the past from. The time of an empty statement is taken off.
#include "bench.hpp"

namespace bench {

namespace {

constexpr const char *kNothing = "SELECT true";

// A new connection for each sample; the person is signed in by its database role.
Side connecting(const std::string &name, const std::string &role, const std::string &sql) {
    const auto session = std::make_shared<SharedSession>();
    return {name,
            [=] {
                *session = nullptr;
                *session = std::make_shared<Session>(role);
            },
            [=] { return (*session)->run(sql); },
            [=] {
                return (*session)->processor_time();
            }};
}

Side repeating(const SharedSession &session, const std::string &name, const std::string &sql) {
    return {name,
            {},
            [=] { return session->run(sql); },
            [=] {
                return session->processor_time();
            }};
}

void explain(Bench &bench, const std::string &login, const std::string &what,
             const std::string &call) {
    const std::string role = "role_" + login;
    const std::string sql = "SELECT count(*) > 1 FROM entitle." + call;
    Result labels;
    labels.topic = "explanations";
    labels.unit = "ms";
    labels.target = 5;
    labels.baseline = kNothing;
    labels.measured = sql;
    labels.key = what + "_first_" + login;
    labels.title = what + ", new connection, " + person(login == "ten" ? "outsider_10" : login);
    Limits first = bench.limits(2);
    first.most = 301;
    first.is_single = true;
    add_difference(
        bench, labels,
        interleave({connecting("nothing", role, kNothing), connecting("explained", role, sql),
                    connecting("again", role, kNothing)},
                   first),
        1000);

    const auto session = std::make_shared<Session>(role);
    labels.key = what + "_next_" + login;
    labels.title = what + ", again, " + person(login == "ten" ? "outsider_10" : login);
    add_difference(
        bench, labels,
        interleave({repeating(session, "nothing", kNothing), repeating(session, "explained", sql),
                    repeating(session, "again", kNothing)},
                   bench.limits(2)),
        1000);
}

void report(Bench &bench, const SharedSession &session, const std::string &key,
            const std::string &title, const std::string &call, std::optional<double> target) {
    Result labels;
    labels.topic = "reports";
    labels.key = key;
    labels.title = title;
    labels.unit = "ms";
    labels.target = target;
    labels.baseline = kNothing;
    labels.measured = "SELECT count(*) >= 0 FROM entitle." + call;
    add_difference(bench, labels,
                   interleave({repeating(session, "nothing", kNothing),
                               repeating(session, "report", labels.measured),
                               repeating(session, "again", kNothing)},
                              bench.limits(1)),
                   1000);
}

// The data went past the log (data.sql); here it is as if each user and grant had been logged. A
// quick run logs the grants of every tenth customer.
void write_log(Bench &bench, Session &session) {
    session.run("INSERT INTO entitle.change_log (relation, action, row_key, new_row)"
                " SELECT 'entitle.app_user'::regclass, 'insert',"
                " jsonb_build_object('user_id', user_id), to_jsonb(u) FROM entitle.app_user u");
    session.run(std::string("INSERT INTO entitle.change_log (relation, action, row_key, new_row)"
                            " SELECT 'entitle.external_access'::regclass, 'grant',"
                            " jsonb_build_object('customer_id', customer_id, 'user_id', user_id),"
                            " to_jsonb(g) FROM entitle.external_access g") +
                (bench.is_quick ? " WHERE customer_id % 10 = 7" : ""));
    session.run("ANALYZE entitle.change_log");
}

} // namespace

void measure_explanations(Bench &bench) {
    const SharedSession session = open_session();
    for (const char *login : {"ten", "all"}) {
        const std::string key = some_key(*session, login);
        explain(bench, login, "explain_permission", "explain_permission('customers.view')");
        explain(bench, login, "explain_row", "explain_row('bench.orders', '" + key + "')");
    }

    write_log(bench, *session);
    const std::string then = ", clock_timestamp())";
    report(bench, session, "customer_access", "customer_access", "customer_access(7)", {});
    report(bench, session, "customer_access_past", "customer_access, as it was",
           "customer_access(7" + then, {});
    report(bench, session, "user_access", "user_access, 10 customers", "user_access('ten')", {});
    report(bench, session, "user_access_past", "user_access, 10 customers, as it was",
           "user_access('ten'" + then, {});
    report(bench, session, "lint", "lint()", "lint()", 60000);
    session->run("TRUNCATE entitle.change_log");
}

} // namespace bench
