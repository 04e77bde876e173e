// Decides what may be written to a customer: its life from PAIN to ACTV and INAC (R8 to R11), its
// links (R19), and that scores come from recalculation (R17). Who may score is decided in
// score.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

enum class Status { pending, active, inactive }; // PAIN, ACTV, INAC

// Returns: none for anything but the three statuses, which match byte for byte.
std::optional<Status> parse_status(std::string_view text) noexcept;
std::string_view status_text(Status status) noexcept;

// What the rules ask about one version of a customer's row.
struct CustomerRecord {
    std::optional<BrandId> brand;
    std::optional<Status> status; // none: the text is no status
    // The full-record fields, in the setting's order (R9).
    std::vector<bool> filled;
};

struct CustomerChange {
    CustomerRecord before;
    CustomerRecord after;
    std::optional<Status> status_before; // held before deactivation
    bool changes_score = false;          // the score or when it was made
    bool changes_more = false;           // any other column but the status
};

// Decides whether the subject may add this customer. `has_score` tells whether it comes with a
// score (R7, R8, R17).
Result<Passed> check_new_customer(const Subject *subject, const Session &session,
                                  const CustomerRecord &customer, bool has_score);

// Decides whether the subject may save this change, and with which status the row is stored (R7, R9
// to R11, R17). `fields` names the full-record fields.
Result<Status> check_customer_change(const Subject *subject, const Session &session,
                                     const CustomerChange &change,
                                     const std::vector<std::string> &fields);

// Decides whether the text is a status, which binds everyone (R8).
Result<Passed> check_customer_status(std::string_view text);

// Decides whether the subject may write the customer's links: edit, and the customer is not INAC
// (R19).
Result<Passed> check_can_link(const Subject *subject, const Session &session,
                              std::optional<Status> status, std::optional<BrandId> brand);

// Why a customer may not be written: the same words whether it is out of reach or does not exist
// (R3).
Error unreachable_customer();

} // namespace entitle
