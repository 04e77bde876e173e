// Decides what a user's roles allow: permissions, capabilities and metrics, gate by gate in the
// order of R2. The only place where this is decided; a null subject is "no identity" and is denied
// (R1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/brand_scope.hpp"
#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

// Decides whether the subject holds a permission in a brand; without a brand, in the current one
// (R1 to R5, R20, R22 to R27, R52). Prerequisites are checked through every gate.
Decision check_permission(const Subject *subject, const Session &session,
                          std::string_view permission, std::optional<BrandId> brand,
                          Trace *trace = nullptr);

// Decides whether any alternative of a capability is held whole (R28).
Decision check_capability(const Subject *subject, const Session &session,
                          std::string_view capability, std::optional<BrandId> brand,
                          Trace *trace = nullptr);

// Decides whether a metric may be seen (R24, R25, R30, R31).
Decision check_metric(const Subject *subject, const Session &session, std::string_view metric,
                      std::optional<BrandId> brand, Trace *trace = nullptr);

// Returns: the sentence of a hint that names the call which explains a permission.
std::string see_why(std::string_view permission);

// Lists the brands in which the permission is held, in id order.
std::vector<BrandId> permitted_brands(const Subject *subject, const Session &session,
                                      std::string_view permission);

// Lists the metrics that may be seen in the brand, in key order.
std::vector<std::string> visible_metrics(const Subject *subject, const Session &session,
                                         std::optional<BrandId> brand);

// Lists the allowed capabilities of a section in the catalogue's order; the first is where the
// section lands (R29).
std::vector<std::string> allowed_capabilities(const Subject *subject, const Session &session,
                                              std::string_view section,
                                              std::optional<BrandId> brand);

} // namespace entitle
