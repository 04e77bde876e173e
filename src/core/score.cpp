// Who may write metric values.
#include "core/score.hpp"

#include <string>

#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

Decision check_can_score(const Subject *subject, const Session &session, std::string_view status,
                         std::optional<BrandId> brand, Trace *trace) {
    const Recorder recorder(trace);
    if (!brand) {
        return recorder.fail(Gate::membership,
                             [] { return std::string("the customer has no brand"); });
    }
    const bool is_new = status == "PAIN";
    if (!is_new && status != "ACTV") {
        return recorder.fail(Gate::status, [&] {
            return "a customer that is " + std::string(status) + " takes no metric values";
        });
    }
    recorder.pass(Gate::status, [&] { return "the customer is " + std::string(status); });
    // customers.edit brings its prerequisite customers.view through every gate (R5); asked for all
    // the same, because R12 asks for both whatever the prerequisites table says.
    for (const std::string_view needed : {"customers.view", "customers.edit"}) {
        const Decision decision = check_permission(subject, session, needed, brand, trace);
        if (!decision) {
            return decision;
        }
    }
    return is_new ? check_permission(subject, session, "customers.client_metrics", brand, trace)
                  : Decision{true, std::nullopt};
}

} // namespace entitle
