// How cost grows: with customers and grants in all, grants of a user, users of a backend,
// connections, protected tables of a query, and parts of a table. It works on data of its own
// (growth.sql), which grows on the way.
#include "bench.hpp"
#include "lookup.hpp"

#include <cstdlib>

namespace bench {

namespace {

Result labels_of(const std::string &topic, int size, const std::string &what,
                 const std::string &unit) {
    Result labels;
    labels.topic = topic;
    labels.key = std::to_string(size);
    labels.title = with_commas(size) + " " + what;
    labels.unit = unit;
    return labels;
}

// One order by key, prepared, beside no policy.
void lookup(Bench &bench, const std::string &login, Result labels) {
    const SharedSession session = open_session();
    const std::string key = some_key(*session, login);
    session->sign_in(login);
    const auto side = [&](const std::string &name, const std::string &role) {
        Side asking = prepared(session, name, role, std::string(kLookup) + "$1");
        asking.run = [=] {
            return session->execute(name, {key});
        };
        return asking;
    };
    labels.baseline = labels.measured = std::string(kLookup) + "$1";
    compare(bench, std::move(labels),
            {side("plain", kPlain), side("protected", kApp), side("again", kPlain)},
            bench.limits(3));
}

// What a change of a grant takes beside a change of a table that has nothing to do with rights.
void change(Bench &bench, Result labels) {
    const SharedSession session = open_session();
    const std::string grant =
        "UPDATE entitle.external_access SET role = CASE role WHEN 'L30' THEN 'L20' ELSE 'L30' END"
        " WHERE customer_id = 7 AND user_id = (SELECT user_id FROM entitle.app_user WHERE login = "
        "'crowd_8')";
    const std::string other = "UPDATE bench.unrelated SET number = number + 1 WHERE id = 7";
    const auto side = [&](const std::string &name, const std::string &sql) {
        return Side{name,
                    {},
                    [=] { return session->run(sql); },
                    [=] {
                        return session->processor_time();
                    }};
    };
    labels.baseline = other;
    labels.measured = grant;
    add_difference(bench, std::move(labels),
                   interleave({side("other", other), side("grant", grant), side("again", other)},
                              bench.limits(4)),
                   1e6);
}

// Sessions that have asked once and wait: what a change tells, it tells them.
std::vector<SharedSession> listeners(int count) {
    std::vector<SharedSession> sessions;
    for (int i = 0; i < count; ++i) {
        sessions.push_back(open_session());
        sessions.back()->sign_in("turn_" + std::to_string(i + 1));
        sessions.back()->become(kApp);
        sessions.back()->run("SELECT count(*) FROM bench.orders WHERE id < 10");
    }
    return sessions;
}

// A backend that so many people used in turn, beside one that ran the same without a policy.
void memory(Bench &bench, const std::vector<std::string> &logins, Result labels) {
    const std::string sql = "SELECT count(*) FROM bench.orders WHERE id < 100";
    const auto side = [&](const std::string &name, const char *role, bool signs_in) {
        return Side{name, {}, {}, {}, [=] {
                        const SharedSession session = open_session();
                        for (const std::string &login : logins) {
                            session->become("");
                            if (signs_in) {
                                session->sign_in(login);
                            }
                            session->become(role);
                            session->run(sql);
                        }
                        return Sample{-1, anonymous_memory(session->backend())};
                    }};
    };
    Limits limits = bench.limits(6);
    limits.least = 3;
    limits.most = 7;
    labels.baseline = labels.measured = sql;
    add_difference(bench, std::move(labels),
                   interleave({side("plain", kPlain, false), side("protected", kApp, true),
                               side("again", kPlain, false)},
                              limits),
                   1);
}

// The first question of a new connection, which loads the rights.
void first(Bench &bench, const std::string &login, Result labels) {
    Session session;
    const std::string role = "role_" + login;
    session.run("ALTER ROLE " + role + " SET session_preload_libraries = entitle");
    const std::string sql = kLookup + some_key(session, login);
    const auto side = [&](const std::string &name, const std::string &who) {
        const auto connected = std::make_shared<SharedSession>();
        return Side{name,
                    [=] {
                        *connected = nullptr;
                        *connected = std::make_shared<Session>(who);
                    },
                    [=] { return (*connected)->run(sql); },
                    [=] {
                        return (*connected)->processor_time();
                    }};
    };
    Limits limits = bench.limits(6);
    limits.is_single = true;
    labels.baseline = labels.measured = "(new connection) " + sql;
    add_difference(
        bench, std::move(labels),
        interleave({side("plain", kPlain), side("protected", role), side("again", kPlain)}, limits),
        1000);
}

void statement(Bench &bench, const std::string &sql, const std::string &by_hand, Result labels,
               bool is_difference) {
    const SharedSession session = open_session();
    session->sign_in("holder_100");
    const auto side = [&](const std::string &name, const std::string &role,
                          const std::string &text) {
        return Side{name, [=] { session->become(role); }, [=] { return session->run(text); },
                    [=] {
                        return session->processor_time();
                    }};
    };
    const std::vector<Side> sides = {side("plain", kPlain, by_hand), side("protected", kApp, sql),
                                     side("again", kPlain, by_hand)};
    labels.baseline = shortened(by_hand);
    labels.measured = sql;
    const Samples samples = interleave(sides, bench.limits(4));
    if (is_difference) {
        add_difference(bench, std::move(labels), samples, 1e6);
    } else {
        add_quotient(bench, std::move(labels), samples, 1, 0, 2);
    }
}

std::vector<std::string> turns(int users) {
    std::vector<std::string> logins;
    for (int i = 1; i <= users; ++i) {
        logins.push_back("turn_" + std::to_string(i));
    }
    return logins;
}

void measure_tables(Bench &bench) {
    std::string sql = "SELECT 1 FROM bench.joined_1";
    for (int tables = 1; tables <= 8; ++tables) {
        if (tables > 1) {
            sql += " JOIN bench.joined_" + std::to_string(tables) + " USING (id)";
        }
        if (tables == 1 || tables == 2 || tables == 4 || tables == 8) {
            const std::string whole = sql + " WHERE bench.joined_1.id = 4711 LIMIT 0";
            const std::string qualified =
                std::string(whole).replace(whole.find("bench.joined_1.id"), 17, "joined_1.id");
            statement(bench, qualified, qualified,
                      labels_of("growth of tables", tables, "protected tables joined", "us"), true);
        }
    }
}

void measure_parts(Bench &bench) {
    Session session;
    const std::string own = hand_written(session, "holder_100").front().condition;
    for (const int parts : {1, 16, 128, 1024}) {
        const std::string sql =
            "SELECT count(*), sum(amount) FROM bench.parts_" + std::to_string(parts) + " o";
        statement(bench, sql, sql + " WHERE " + own,
                  labels_of("growth of parts", parts, "parts, own rows", "ratio"), false);
    }
}

} // namespace

void measure_growth(Bench &bench) {
    Session session;
    for (const int customers : {10000, 100000, 1000000}) {
        session.run("CALL bench.grow(" + std::to_string(customers) + ")");
        lookup(bench, "holder_100",
               labels_of("growth of customers", customers,
                         "customers and as many grants, one order by key", "ratio"));
        change(bench, labels_of("growth of customers, a grant changed", customers,
                                "customers and as many grants", "us"));
    }
    session.run("CALL bench.give('turn_%', 100)");
    for (const int grants : {100, 10000, 1000000}) {
        const std::string login = "holder_" + std::to_string(grants);
        if (grants > 100) {
            session.run("CALL bench.give('" + login + "', " + std::to_string(grants) + ")");
        }
        lookup(
            bench, login,
            labels_of("growth of grants", grants, "grants of the user, one order by key", "ratio"));
        first(bench, login,
              labels_of("growth of grants, first question", grants, "grants of the user", "ms"));
        memory(bench, {login},
               labels_of("growth of grants, memory", grants, "grants of the user", "MB"));
    }
    for (const int users : {1, 10, 100, 1000}) {
        memory(bench, turns(users),
               labels_of("growth of users, memory", users, "users of 100 grants in turn", "MB"));
    }
    for (const int connections : {1, 10, 50, 200}) {
        const std::vector<SharedSession> sessions = listeners(connections);
        change(bench, labels_of("growth of connections, a grant changed", connections,
                                "other connections", "us"));
    }
    measure_tables(bench);
    measure_parts(bench);
}

} // namespace bench
