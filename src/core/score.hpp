// Decides who may write a customer's metric values (R12 to R14). The score itself is arithmetic and
// is computed by one SQL statement (src/sql/score.sql).
#pragma once

#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

// Decides whether the subject may write metric values of a customer with this status in this brand:
// ACTV needs view and edit, PAIN client_metrics too, INAC (and anything unknown) is refused.
Decision check_can_score(const Subject *subject, const Session &session, std::string_view status,
                         std::optional<BrandId> brand, Trace *trace = nullptr);

// The same decision for a writer who can see the customer, with the words for a refusal.
Result<Passed> check_metric_write(const Subject *subject, const Session &session,
                                  std::string_view status, std::optional<BrandId> brand);

// Decides whether the subject may write the catalogue of client metrics: client_metrics in any
// brand (R15).
Result<Passed> check_metric_catalogue(const Subject *subject, const Session &session);

} // namespace entitle
