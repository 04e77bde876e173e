// What one call of a check costs, beside PostgreSQL's own questions about privileges. Each is asked
// for every row of a table with other arguments, so that it is neither folded nor asked once; the
// scan's own time is taken off.
#include "bench.hpp"

namespace bench {

void measure_calls(Bench &bench) {
    const SharedSession session = open_session();
    session->sign_in("member");
    const auto loop = [&](const std::string &name, const std::string &condition) {
        return prepared(session, name, kApp,
                        "SELECT count(*) FROM bench.question WHERE " + condition);
    };
    const std::vector<Side> sides = {
        loop("loop", "customer_id > 0"),
        loop("pg_has_role", "pg_has_role(role, privilege)"),
        loop("has_table_privilege", "has_table_privilege(relation, 'SELECT')"),
        loop("has_permission", "entitle.has_permission(permission)"),
        loop("access_level", "entitle.access_level(customer_id) > 0"),
        loop("pg_has_role_again", "pg_has_role(role, privilege)"),
        loop("has_table_privilege_again", "has_table_privilege(relation, 'SELECT')"),
    };
    const Samples samples = interleave(sides, bench.limits(10));
    for (const std::size_t measured : {3, 4}) {
        for (const std::size_t baseline : {1, 2}) {
            Result labels;
            labels.topic = "calls";
            labels.key = sides[measured].name + "_" + sides[baseline].name;
            labels.title = sides[measured].name + " / " + sides[baseline].name;
            labels.unit = "ratio";
            labels.baseline = "SELECT ... WHERE " + sides[baseline].name + "(...)";
            labels.measured = "SELECT ... WHERE entitle." + sides[measured].name + "(...)";
            labels.value = net_quotient(samples.seconds, measured, baseline, 0);
            labels.control = net_quotient(samples.seconds, baseline + 4, baseline, 0);
            labels.elapsed = net_quotient(samples.elapsed, measured, baseline, 0);
            labels.rounds = samples.rounds;
            labels.repetitions = samples.repetitions[measured];
            labels.baseline_median = spread_of(samples.seconds[baseline]).median * 1000;
            bench.add(labels);
        }
    }
}

} // namespace bench
