// Decides who may write a customer's metric values (R12 to R14) and a catalogue of metrics (R15).
// The score itself is arithmetic and is computed by one SQL statement (src/sql/score.sql).
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

// Decides whether the subject may read a catalogue of client metrics: with view and client_metrics
// in a brand that is scored by it, one of the organization or, without one, a standalone brand
// (R15, R57).
bool sees_metric_catalogue(const Subject *subject, const Session &session,
                           std::optional<OrganizationId> organization);

// Decides whether the subject may write it: as to read it, and never the one without organization,
// which is every standalone brand's (R57).
Result<Passed> check_metric_catalogue(const Subject *subject, const Session &session,
                                      std::optional<OrganizationId> organization);

// Why a value of this metric is no customer's: the same words whether the metric is of another
// catalogue or does not exist (R3).
Error foreign_metric();

} // namespace entitle
