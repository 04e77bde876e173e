// Runs the cases and writes down what they found: driver [--quick] SECONDS OUTPUT [NAME...]
#include "bench.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

using namespace bench;

namespace {

struct Case {
    const char *name;
    void (*measure)(Bench &);
    bool is_alone = false; // takes minutes: run only when it is named
};

constexpr Case kCases[] = {
    {"calls", measure_calls},
    {"own", measure_own_rows},
    {"latest", measure_latest},
    {"shapes", measure_shapes},
    {"staff", measure_staff},
    {"lookup", measure_lookup},
    {"pgbench", measure_pgbench},
    {"turns", measure_turns},
    {"first", measure_first},
    {"changes", measure_changes},
    {"planning", measure_planning},
    {"memory", measure_memory},
    {"parallel", measure_parallel},
    {"masks", measure_masks},
    {"policies", measure_policies},
    {"identity", measure_identity},
    {"pooler", measure_pooler},
    {"explain", measure_explanations},
    {"writes", measure_writes},
    {"analytics", measure_analytics},
    {"selfservice", measure_selfservice},
    {"adoption", measure_adoption, true},
    {"growth", measure_growth, true},
};

bool is_case(const char *name) {
    for (const Case &known : kCases) {
        if (std::strcmp(known.name, name) == 0) {
            return true;
        }
    }
    return false;
}

// What else the machine was doing: numbers taken on a busy one have wide quartiles.
std::string load_average() {
    std::string load;
    std::ifstream("/proc/loadavg") >> load;
    return load;
}

std::string settings(Session &session) {
    std::string text;
    for (const char *name : {"shared_buffers", "work_mem", "jit", "autovacuum", "random_page_cost",
                             "max_parallel_workers_per_gather"}) {
        text += std::string(text.empty() ? "" : ", ") + name + " = " +
                session.run(std::string("SHOW ") + name);
    }
    return text;
}

} // namespace

int main(int argc, char **argv) {
    Bench bench;
    std::vector<const char *> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && std::strcmp(arguments.front(), "--quick") == 0) {
        bench.is_quick = true;
        arguments.erase(arguments.begin());
    }
    if (arguments.size() < 2) {
        std::fputs("driver [--quick] SECONDS OUTPUT [NAME...]\n", stderr);
        return 2;
    }
    bench.time = std::atof(arguments[0]);
    const std::string output = arguments[1];
    arguments.erase(arguments.begin(), arguments.begin() + 2);
    for (const char *name : arguments) {
        if (!is_case(name)) {
            std::fprintf(stderr, "no such case: %s\n", name);
            return 2;
        }
    }

    Session session;
    Facts facts = {
        {"server", session.run("SHOW server_version")},
        {"entitle", session.run("SELECT extversion FROM pg_extension WHERE extname = 'entitle'")},
        {"date", session.run("SELECT current_date")},
        {"processors", std::to_string(std::thread::hardware_concurrency())},
        {"orders", session.run("SELECT count(*) FROM bench.orders")},
        {"customers", session.run("SELECT count(*) FROM entitle.customer")},
        {"grants", session.run("SELECT count(*) FROM entitle.external_access")},
        {"settings", settings(session)},
        {"mode", bench.is_quick ? "quick" : "full"},
        {"load_before", load_average()},
    };
    print_heading();
    for (const Case &one : kCases) {
        bool is_wanted = arguments.empty() && !one.is_alone;
        for (const char *name : arguments) {
            is_wanted = is_wanted || std::strcmp(one.name, name) == 0;
        }
        if (is_wanted) {
            const double began = now();
            one.measure(bench);
            std::printf("%-12s %.0f s\n", one.name, now() - began);
        }
    }
    facts.emplace_back("load_after", load_average());
    facts.emplace_back("seconds", std::to_string(static_cast<int>(now() - bench.began)));
    write_json(output, facts, bench.results);
    return 0;
}
