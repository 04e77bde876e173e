// One order by its key: prepared in one session, and through pgbench in its three query modes.
#include "bench.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace bench {

namespace {

constexpr const char *kLookup = "SELECT amount FROM bench.orders WHERE id = ";

struct Reader {
    const char *login;
    double target;
};

// What is planned anew each time is no lookup alone: that has a target of its own (planning).
std::optional<double> target_of(const Reader &reader, const std::string &mode) {
    return mode == "prepared" ? std::optional(reader.target) : std::nullopt;
}

// How a statement reaches the server, as pgbench calls it.
constexpr const char *kModes[] = {"simple", "extended", "prepared"};

Side asking(const SharedSession &session, const std::string &name, const std::string &role,
            const std::string &mode, const std::string &key) {
    Side side = prepared(session, name, role, std::string(kLookup) + "$1");
    if (mode == "simple") {
        side.run = [=] {
            return session->run(kLookup + key);
        };
    } else if (mode == "extended") {
        side.run = [=] {
            return session->ask(std::string(kLookup) + "$1", {key});
        };
    } else {
        side.run = [=] {
            return session->execute(name, {key});
        };
    }
    return side;
}

// Either signed in, or known by the database role, which SET ROLE changes as connecting would.
void lookup(Bench &bench, const Reader &reader, const std::string &mode, bool is_signed_in) {
    const SharedSession session = open_session();
    const std::string key = some_key(*session, reader.login);
    if (is_signed_in) {
        session->sign_in(reader.login);
    }
    const std::string role = is_signed_in ? kApp : std::string("role_") + reader.login;
    Result labels;
    labels.topic = "lookup";
    labels.key = std::string(reader.login) + (is_signed_in ? "_" : "_as_role_") + mode;
    labels.title = person(reader.login) + (is_signed_in ? ", " : ", by database role, ") + mode;
    labels.target = target_of(reader, mode);
    labels.baseline = labels.measured = std::string(kLookup) + "$1";
    compare(bench, labels,
            {asking(session, "plain", kPlain, mode, key),
             asking(session, "protected", role, mode, key),
             asking(session, "again", kPlain, mode, key)},
            bench.limits(3));
}

// What a transaction takes in a pgbench run of its own; its server process is not ours to watch.
Sample run_pgbench(const std::string &command) {
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
    return {-1, 1 / tps};
}

void pgbench(Bench &bench, const Reader &reader, const std::string &mode) {
    const char *script = "lookup.pgbench";
    std::ofstream(script) << kLookup << ":key;\n";
    Session session;
    const std::string command = "pgbench -n -M " + mode + " -f " + script +
                                " -D key=" + some_key(session, reader.login) + " -t " + "2000" +
                                " -U ";
    const auto side = [&](const std::string &role) {
        return Side{role, {}, {}, {}, [=] {
                        return run_pgbench(command + role);
                    }};
    };
    Result labels;
    labels.topic = "pgbench";
    labels.key = std::string(reader.login) + "_" + mode;
    labels.title = person(reader.login) + ", " + mode;
    labels.target = target_of(reader, mode);
    labels.baseline = command + kPlain;
    labels.measured = command + "role_" + reader.login;
    Limits limits = bench.limits(6);
    limits.least = 3;
    compare(bench, labels, {side(kPlain), side(std::string("role_") + reader.login), side(kPlain)},
            limits);
    std::remove(script);
}

} // namespace

void measure_lookup(Bench &bench) {
    for (const Reader &reader : {Reader{"staff", 1.10}, Reader{"outsider_100", 1.20}}) {
        for (const char *mode : kModes) {
            lookup(bench, reader, mode, true);
            lookup(bench, reader, mode, false);
        }
    }
    for (const Reader &reader : {Reader{"outsider_1", 1.20}, Reader{"all", 1.20}}) {
        lookup(bench, reader, "prepared", true);
    }
}

void measure_pgbench(Bench &bench) {
    for (const Reader &reader : {Reader{"staff", 1.10}, Reader{"outsider_100", 1.20}}) {
        for (const char *mode : kModes) {
            pgbench(bench, reader, mode);
        }
    }
}

} // namespace bench
