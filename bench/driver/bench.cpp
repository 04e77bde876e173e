#include "bench.hpp"

#include <cstdio>
#include <cstdlib>

namespace bench {

SharedSession open_session(const std::string &database) {
    auto session = std::make_shared<Session>("", database);
    session->run("SET max_parallel_workers_per_gather = 0");
    return session;
}

Side prepared(const SharedSession &session, const std::string &name, const std::string &role,
              const std::string &sql) {
    auto is_prepared = std::make_shared<bool>(false);
    return {name,
            [=] {
                session->become(role);
                if (!*is_prepared) {
                    session->prepare(name, sql);
                    *is_prepared = true;
                }
            },
            [=] { return session->execute(name); },
            [=] {
                return session->processor_time();
            }};
}

void add_quotient(Bench &bench, Result labels, const Samples &samples, std::size_t measured,
                  std::size_t baseline, std::size_t again) {
    labels.unit = "ratio";
    labels.value = quotient(samples.seconds, measured, baseline);
    labels.control = quotient(samples.seconds, again, baseline);
    labels.elapsed = quotient(samples.elapsed, measured, baseline);
    labels.rounds = samples.rounds;
    labels.repetitions = samples.repetitions[measured];
    labels.baseline_median = spread_of(samples.seconds[baseline]).median * 1000;
    bench.add(std::move(labels));
}

void add_difference(Bench &bench, Result labels, const Samples &samples, double factor) {
    labels.value = difference(samples.seconds, 1, 0, factor);
    labels.control = difference(samples.seconds, 2, 0, factor);
    labels.elapsed = difference(samples.elapsed, 1, 0, factor);
    labels.rounds = samples.rounds;
    labels.repetitions = samples.repetitions[1];
    labels.baseline_median =
        spread_of(samples.seconds[0]).median * (labels.unit == "MB" ? 1 : 1000);
    bench.add(std::move(labels));
}

void compare(Bench &bench, Result labels, std::vector<Side> sides, const Limits &limits) {
    const Samples samples = interleave(sides, limits);
    add_quotient(bench, std::move(labels), samples, 1, 0, 2);
}

std::vector<Own> hand_written(Session &session, const std::string &login) {
    session.become("");
    const std::string user =
        session.run("SELECT user_id FROM entitle.app_user WHERE login = '" + login + "'");
    const std::string grants = " FROM entitle.external_access WHERE user_id = " + user;
    const std::string list =
        session.run("SELECT array_agg(customer_id ORDER BY customer_id)" + grants);
    const std::string days = session.run("SELECT max(days_back)" + grants);
    const std::string window = days.empty() ? "" : " AND o.order_date >= current_date - " + days;
    return {{"", "o.customer_id = ANY ('" + list + "'::bigint[])" + window},
            {" JOIN entitle.external_access g ON g.customer_id = o.customer_id",
             "g.user_id = " + user + window}};
}

std::string quickest(const SharedSession &session, const std::vector<std::string> &ways) {
    std::vector<Side> sides;
    for (const std::string &way : ways) {
        sides.push_back(prepared(session, "way_" + std::to_string(sides.size()), kPlain, way));
    }
    Limits limits;
    limits.seconds = 0;
    limits.least = 3;
    const Samples samples = interleave(sides, limits);
    std::size_t best = 0;
    for (std::size_t i = 1; i < ways.size(); ++i) {
        if (spread_of(samples.seconds[i]).median < spread_of(samples.seconds[best]).median) {
            best = i;
        }
    }
    return ways[best];
}

std::string shortened(const std::string &sql) {
    const std::size_t open = sql.find("('{");
    const std::size_t close = sql.find("}'");
    return open == std::string::npos || close - open < 80
               ? sql
               : sql.substr(0, open + 3) + "..." + sql.substr(close);
}

std::string with_commas(int number) {
    std::string text = std::to_string(number);
    for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) {
        text.insert(static_cast<std::size_t>(at), ",");
    }
    return text;
}

std::string person(const std::string &login) {
    if (login == "all") {
        return person("outsider_100000");
    }
    const std::size_t at = login.find('_');
    if (at == std::string::npos) {
        return login;
    }
    const int customers = std::atoi(login.c_str() + at + 1);
    return with_commas(customers) + (customers == 1 ? " customer" : " customers") +
           (login.find("_year") == std::string::npos ? "" : ", 365 days");
}

double run_pgbench(const std::string &command) {
    std::FILE *pipe = popen((command + " 2>&1").c_str(), "r");
    std::string output;
    char line[512];
    double tps = 0;
    while (pipe != nullptr && std::fgets(line, sizeof(line), pipe) != nullptr) {
        output += line;
        std::sscanf(line, "tps = %lf", &tps);
    }
    if (pipe == nullptr || pclose(pipe) != 0 || tps <= 0) {
        std::fprintf(stderr, "%s\n%s", command.c_str(), output.c_str());
        std::exit(1);
    }
    return 1 / tps;
}

std::string some_key(Session &session, const std::string &login) {
    session.become("");
    if (login.rfind("staff", 0) == 0) {
        return session.run("SELECT max(id) FROM bench.orders");
    }
    return session.run("SELECT min(o.id) FROM bench.orders o WHERE o.customer_id ="
                       " (SELECT min(g.customer_id) FROM entitle.external_access g"
                       " JOIN entitle.app_user u USING (user_id) WHERE u.login = '" +
                       login + "')");
}

Side undone(const SharedSession &session, const std::string &name,
            const std::function<std::string()> &run, const std::string &check,
            const std::shared_ptr<std::string> &left) {
    const Side inner = {name, {}, run, [=] {
                            return session->processor_time();
                        }};
    return {name, {}, {}, {}, [=] {
                session->run("BEGIN");
                const Sample sample = time_runs(inner, 1);
                session->become("");
                const std::string found = session->run(check);
                session->run("ROLLBACK");
                if (!left->empty() && found != *left) {
                    std::fprintf(stderr, "%s leaves %s, not %s\n", name.c_str(), found.c_str(),
                                 left->c_str());
                    std::exit(1);
                }
                *left = found;
                return sample;
            }};
}

void compare_slow(Bench &bench, Result labels, const Side &baseline, const Side &measured,
                  std::optional<Spread> &control) {
    std::vector<Side> sides = {baseline, measured};
    if (!control) {
        sides.push_back(baseline);
    }
    Limits limits;
    limits.seconds = 0;
    limits.least = 3;
    const Samples samples = interleave(sides, limits);
    if (!control) {
        control = quotient(samples.seconds, 2, 0);
    }
    labels.unit = "ratio";
    labels.value = quotient(samples.seconds, 1, 0);
    labels.control = *control;
    labels.elapsed = quotient(samples.elapsed, 1, 0);
    labels.rounds = samples.rounds;
    labels.repetitions = 1;
    labels.baseline_median = spread_of(samples.seconds[0]).median * 1000;
    bench.add(std::move(labels));
}

} // namespace bench
