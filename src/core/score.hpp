// Decides who may write a customer's metric values (R12 to R14). The score itself is arithmetic and
// is computed by one SQL statement (src/sql/score.sql).
#pragma once

#include <optional>
#include <string_view>

#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

// Decides whether the subject may write metric values of a customer with this status in this brand:
// ACTV needs view and edit, PAIN client_metrics too, INAC (and anything unknown) is refused.
Decision check_can_score(const Subject *subject, const Session &session, std::string_view status,
                         std::optional<BrandId> brand, Trace *trace = nullptr);

} // namespace entitle
