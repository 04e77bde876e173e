// What every case works with: how big the run is, who is who, and where results go.
#pragma once

#include "measure.hpp"
#include "report.hpp"
#include "session.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct Bench {
    bool is_quick = false;
    std::vector<Result> results;

    double began = now();

    double time = 450; // seconds for all cases

    // A full run has time for two thirds of what the cases ask for, a quick one for a tenth,
    // and either does the least that is needed once it is late.
    [[nodiscard]] Limits limits(double seconds) const {
        const bool is_late = now() - began > 0.8 * time;
        Limits limits;
        limits.seconds = is_late ? 0 : is_quick ? seconds / 10 : seconds * 0.66;
        return limits;
    }

    void add(Result result) {
        print_result(result);
        results.push_back(std::move(result));
    }
};

// The roles of data.sql, by how they see the tables.
constexpr const char *kPlain = "bench_plain"; // no policy at all
constexpr const char *kApp = "bench_app";     // entitle's policies
constexpr const char *kSql = "bench_sql";     // the careful policy in plain SQL
constexpr const char *kNaive = "bench_naive"; // the naive one in PL/pgSQL

using SharedSession = std::shared_ptr<Session>;

// A session set for timing: nothing parallel, no plans compiled.
SharedSession open_session(const std::string &database = "");

// A statement prepared on first use, executed as that role.
Side prepared(const SharedSession &session, const std::string &name, const std::string &role,
              const std::string &sql);

// A statement in a transaction that is undone. Every side must leave the same behind.
Side undone(const SharedSession &session, const std::string &name,
            const std::function<std::string()> &run, const std::string &check,
            const std::shared_ptr<std::string> &left);

// Compares sides that take seconds, three rounds each. What the baseline gives against itself is
// found once, in `control`, and told of all of them.
void compare_slow(Bench &bench, Result labels, const Side &baseline, const Side &measured,
                  std::optional<Spread> &control);

// Compares baseline (side 0), measured (side 1) and the baseline again (side 2).
void compare(Bench &bench, Result labels, std::vector<Side> sides, const Limits &limits);

// Fills in what was measured: the quotient, or the difference in units of 1/factor seconds.
void add_quotient(Bench &bench, Result labels, const Samples &samples, std::size_t measured,
                  std::size_t baseline, std::size_t again);
void add_difference(Bench &bench, Result labels, const Samples &samples, double factor);

// What the person's own orders are when one writes the condition by hand.
struct Own {
    std::string from;      // what to join with bench.orders o, or ""
    std::string condition; // of o
};
std::vector<Own> hand_written(Session &session, const std::string &login);

// The quickest of some ways to write a query, tried without a policy.
std::string quickest(const SharedSession &session, const std::vector<std::string> &ways);

// The same text with a long list of customers left out, for people.
std::string shortened(const std::string &sql);

// The person of a login, in the words of a title.
std::string person(const std::string &login);

// 10000 as 10,000.
std::string with_commas(int number);

// Runs pgbench, which must succeed. Returns: seconds a transaction.
double run_pgbench(const std::string &command);

// The anonymous memory of a process in megabytes, C++'s and PostgreSQL's alike; -1 where the kernel
// does not tell.
double anonymous_memory(int process);

// An order that the person sees: its key.
std::string some_key(Session &session, const std::string &login);

// The cases, by file.
void measure_calls(Bench &bench);    // call_cases
void measure_own_rows(Bench &bench); // read_cases
void measure_latest(Bench &bench);
void measure_shapes(Bench &bench);
void measure_staff(Bench &bench); // staff_cases
void measure_parallel(Bench &bench);
void measure_masks(Bench &bench);    // mask_cases
void measure_policies(Bench &bench); // policy_cases
void measure_lookup(Bench &bench);   // lookup_cases
void measure_pgbench(Bench &bench);  // pgbench_cases
void measure_turns(Bench &bench);    // identity_cases
void measure_first(Bench &bench);
void measure_identity(Bench &bench);     // token_cases
void measure_pooler(Bench &bench);       // pooler_cases
void measure_changes(Bench &bench);      // change_cases
void measure_planning(Bench &bench);     // planning_cases
void measure_memory(Bench &bench);       // memory_cases
void measure_writes(Bench &bench);       // write_cases
void measure_explanations(Bench &bench); // explain_cases
void measure_analytics(Bench &bench);    // analytics_cases
void measure_growth(Bench &bench);       // growth_cases
void measure_selfservice(Bench &bench);  // selfservice_cases
void measure_adoption(Bench &bench);     // adoption_cases

} // namespace bench
