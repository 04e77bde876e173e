// The memory of a backend that has answered questions of a user with 100,000 grants, beside one
// that ran the same statements without a policy: the anonymous memory that Linux counts, C++'s and
// PostgreSQL's alike.
#include "bench.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace bench {

double anonymous_memory(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/smaps_rollup");
    std::string line;
    while (std::getline(file, line)) {
        if (line.rfind("Anonymous:", 0) == 0) {
            return std::atof(line.c_str() + 10) / 1024;
        }
    }
    return -1;
}

namespace {

double memory_after(const std::string &login, const std::string &role,
                    const std::vector<std::string> &statements) {
    const SharedSession session = open_session();
    if (!login.empty()) {
        session->sign_in(login);
    }
    session->become(role);
    for (const std::string &statement : statements) {
        session->run(statement);
    }
    return anonymous_memory(session->backend());
}

} // namespace

void measure_memory(Bench &bench) {
    Session session;
    if (anonymous_memory(session.backend()) < 0) {
        std::puts("memory: skipped, the kernel does not tell");
        return;
    }
    const std::string count = "SELECT count(*), sum(amount) FROM bench.orders";
    const std::vector<std::string> statements = {
        "SELECT amount FROM bench.orders WHERE id = " + some_key(session, "all"), count,
        "SELECT order_date FROM bench.orders ORDER BY order_date DESC LIMIT 20",
        "SELECT count(*) FROM bench.invoice JOIN bench.client USING (customer_id)"};
    const auto side = [&](const std::string &name, const std::string &login, const char *role) {
        return Side{name, {}, {}, {}, [=] {
                        return Sample{-1, memory_after(login, role, statements)};
                    }};
    };
    Limits limits = bench.limits(10);
    limits.most = 9;
    Result labels;
    labels.topic = "memory";
    labels.key = "all";
    labels.title = "100,000 grants";
    labels.unit = "MB";
    labels.target = 8;
    labels.baseline = labels.measured = "a lookup, an aggregate, a page, a join";
    add_difference(bench, labels,
                   interleave({side("plain", "", kPlain), side("protected", "all", kApp),
                               side("again", "", kPlain)},
                              limits),
                   1);
}

} // namespace bench
