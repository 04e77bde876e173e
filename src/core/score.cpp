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
    // Asked for beside customers.edit, which brings it as a prerequisite (R5), because R12 names
    // both whatever the prerequisites table says; and before the status, which is told to nobody
    // who may not view the customer (R3).
    const Decision views = check_permission(subject, session, "customers.view", brand, trace);
    if (!views) {
        return views;
    }
    const bool is_new = status == "PAIN";
    if (!is_new && status != "ACTV") {
        return recorder.fail(Gate::status, [&] {
            return "a customer that is " + std::string(status) + " takes no metric values";
        });
    }
    recorder.pass(Gate::status, [&] { return "the customer is " + std::string(status); });
    const Decision edits = check_permission(subject, session, "customers.edit", brand, trace);
    if (!edits || !is_new) {
        return edits;
    }
    return check_permission(subject, session, "customers.client_metrics", brand, trace);
}

} // namespace entitle
