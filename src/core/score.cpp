// Who may write metric values.
#include "core/score.hpp"

#include <algorithm>
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

Result<Passed> check_metric_write(const Subject *subject, const Session &session,
                                  std::string_view status, std::optional<BrandId> brand) {
    const Decision decision = check_can_score(subject, session, status, brand);
    if (decision) {
        return Passed{};
    }
    if (decision.failed == Gate::status) {
        return Error::denied("a customer that is " + std::string(status) +
                                 " takes no metric values",
                             "Reactivate it first, with entitle.reactivate_customer(customer_id).");
    }
    return Error::denied(
        "permission denied to write metric values of this customer",
        status == "PAIN"
            ? "For a PAIN customer it takes customers.edit and customers.client_metrics. " +
                  see_why("customers.client_metrics")
            : "It takes customers.edit in the customer's brand. " + see_why("customers.edit"));
}

bool sees_metric_catalogue(const Subject *subject, const Session &session,
                           std::optional<OrganizationId> organization) {
    // Both are asked for, whatever the prerequisites table says (R15, R5).
    return subject != nullptr &&
           std::any_of(subject->brands.begin(), subject->brands.end(), [&](const Brand &brand) {
               return brand.organization == organization &&
                      check_permission(subject, session, "customers.view", brand.id) &&
                      check_permission(subject, session, "customers.client_metrics", brand.id);
           });
}

Result<Passed> check_metric_catalogue(const Subject *subject, const Session &session,
                                      std::optional<OrganizationId> organization) {
    if (!organization) {
        return Error::denied("permission denied to write client metrics of no organization",
                             "All standalone brands share them; only a superuser may write them.");
    }
    if (!sees_metric_catalogue(subject, session, organization)) {
        return Error::denied(
            "permission denied to write client metrics",
            "It takes customers.view and customers.client_metrics in a brand of the metric's "
            "organization. " +
                see_why("customers.client_metrics"));
    }
    return Passed{};
}

Error foreign_metric() {
    return Error::broken_rule(
        "the customer's catalogue has no such client metric",
        "Name a metric of the organization that the customer's brand belongs to; see "
        "entitle.customer_metric_value.");
}

} // namespace entitle
