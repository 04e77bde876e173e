// Names of gates, as explanations show them.
#include "core/trace.hpp"

#include <utility>

#include "core/pure.hpp"

namespace entitle {

std::string_view gate_name(Gate gate) noexcept {
    switch (gate) {
    case Gate::identity:
        return "identity";
    case Gate::membership:
        return "membership";
    case Gate::module:
        return "module";
    case Gate::plan:
        return "plan";
    case Gate::permission:
        return "permission";
    case Gate::prerequisite:
        return "prerequisite";
    case Gate::metric:
        return "metric";
    case Gate::capability:
        return "capability";
    case Gate::customer:
        return "customer";
    case Gate::validity:
        return "validity";
    case Gate::level:
        return "level";
    case Gate::window:
        return "window";
    case Gate::status:
        return "status";
    case Gate::protection:
        return "protection";
    case Gate::row:
        return "row";
    case Gate::staff:
        return "staff";
    case Gate::external:
        return "external";
    case Gate::mask:
        return "mask";
    case Gate::privilege:
        return "privilege";
    case Gate::policy:
        return "policy";
    case Gate::delegation:
        return "delegation";
    case Gate::decision:
        return "decision";
    }
    return "unknown";
}

Step conclude(const Decision &decision) {
    if (decision.allowed) {
        return Step{Gate::decision, true, "allowed"};
    }
    const auto at = [](Gate gate) {
        return " at gate \"" + std::string(gate_name(gate)) + "\"";
    };
    std::string detail = "denied";
    if (decision.failed_by_permission) {
        detail += at(*decision.failed_by_permission) + " by permission, and";
    }
    if (decision.failed) {
        detail += at(*decision.failed);
        detail += decision.failed_by_permission ? " by external access" : "";
    }
    return Step{Gate::decision, false, std::move(detail)};
}

} // namespace entitle
