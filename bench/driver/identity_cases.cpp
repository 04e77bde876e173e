// A pooled connection that serves another person in every transaction, and the first query of a new
// connection.
#include "bench.hpp"

namespace bench {

namespace {

using Logins = std::vector<std::string>;

constexpr const char *kLookup = "SELECT amount FROM bench.orders WHERE id = $1";

// A transaction for everybody in turn. `enter` is its first statement for a person.
Side rounds(const SharedSession &session, const std::string &name, const std::string &role,
            const Logins &logins, const Logins &keys,
            const std::function<void(const std::string &)> &enter) {
    Side side = prepared(session, name, role, kLookup);
    side.run = [=] {
        std::string answers;
        for (std::size_t i = 0; i < logins.size(); ++i) {
            session->run("BEGIN");
            enter(logins[i]);
            answers += session->execute(name, {keys[i]}) + ' ';
            session->run("COMMIT");
        }
        return answers;
    };
    return side;
}

void turns(Bench &bench, const std::string &key, const std::string &title, const Logins &logins) {
    const SharedSession session = open_session();
    session->prepare("sign_in", "SELECT entitle.sign_in($1)");
    Logins keys;
    for (const std::string &login : logins) {
        keys.push_back(some_key(*session, login));
    }
    const auto set_local = [=](const std::string &login) {
        session->run("SET LOCAL bench.login = '" + login + "'");
    };
    const auto sign_in = [=](const std::string &login) {
        session->execute("sign_in", {login});
    };
    Result labels;
    labels.topic = "turns";
    labels.key = key;
    labels.title = title;
    labels.target = 1.5;
    labels.baseline = std::string("BEGIN; SET LOCAL bench.login = ...; ") + kLookup + "; COMMIT";
    labels.measured = std::string("BEGIN; SELECT entitle.sign_in(...); ") + kLookup + "; COMMIT";
    Limits limits = bench.limits(8);
    limits.sample = 0.02;
    compare(bench, labels,
            {rounds(session, "plain", kPlain, logins, keys, set_local),
             rounds(session, "protected", kApp, logins, keys, sign_in),
             rounds(session, "again", kPlain, logins, keys, set_local)},
            limits);
}

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

// The person is signed in by the database role, so the query itself does all that has to be done
// once.
void first(Bench &bench, const std::string &login, const std::string &title, double target,
           bool is_preloaded) {
    const std::string role = "role_" + login;
    Session session;
    session.run("ALTER ROLE " + role +
                (is_preloaded ? " SET session_preload_libraries = entitle" : " RESET ALL"));
    const std::string sql =
        "SELECT amount FROM bench.orders WHERE id = " + some_key(session, login);
    Result labels;
    labels.topic = "first query";
    labels.key = login + (is_preloaded ? "" : "_loading");
    labels.title = title + (is_preloaded ? "" : ", and loads the library");
    labels.unit = "ms";
    labels.target = target;
    labels.baseline = labels.measured = "(new connection) " + sql;
    Limits limits = bench.limits(6);
    limits.most = 301;
    limits.is_single = true;
    add_difference(bench, labels,
                   interleave({connecting("plain", kPlain, sql), connecting("protected", role, sql),
                               connecting("again", kPlain, sql)},
                              limits),
                   1000);
    session.run("ALTER ROLE " + role + " RESET ALL");
}

} // namespace

void measure_turns(Bench &bench) {
    Logins outsiders;
    Logins mixed;
    for (int i = 1; i <= 64; ++i) {
        outsiders.push_back("turn_" + std::to_string(i));
        mixed.push_back((i % 2 == 0 ? "turn_" : "staff_turn_") + std::to_string((i + 1) / 2));
    }
    turns(bench, "outsiders", "64 outsiders", outsiders);
    turns(bench, "mixed", "32 outsiders and 32 staff, alternating", mixed);
}

void measure_first(Bench &bench) {
    for (const bool is_preloaded : {true, false}) {
        first(bench, "ten", "10 grants of a million", 1.5, is_preloaded);
        first(bench, "all", "100,000 grants", 3.0, is_preloaded);
    }
}

} // namespace bench
