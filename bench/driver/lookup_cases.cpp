// One order by its key, in the three ways a statement reaches the server.
#include "bench.hpp"
#include "lookup.hpp"

namespace bench {

namespace {

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

} // namespace

void measure_lookup(Bench &bench) {
    for (const Reader &reader : kReaders) {
        for (const char *mode : kModes) {
            lookup(bench, reader, mode, true);
            lookup(bench, reader, mode, false);
        }
    }
    for (const Reader &reader : {Reader{"outsider_1", 1.20}, Reader{"all", 1.20}}) {
        lookup(bench, reader, "prepared", true);
    }
}

} // namespace bench
