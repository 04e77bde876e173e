// The life of a customer.
#include "core/customer.hpp"

#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

Error inactive_customer() {
    return Error::denied("an INAC customer takes no change but its reactivation",
                         "Reactivate it first, with entitle.reactivate_customer(customer_id).");
}

Error score_is_made() {
    return Error::denied("a score changes by recalculation only", "Use entitle.recalc_scores().");
}

bool may_edit(const Subject *subject, const Session &session, std::optional<BrandId> brand) {
    // Both are asked for, whatever the prerequisites table says (R7, R5).
    return brand && check_permission(subject, session, "customers.view", brand) &&
           check_permission(subject, session, "customers.edit", brand);
}

Error uneditable_customer() {
    return Error::denied("permission denied to write this customer",
                         "It takes customers.edit in the customer's brand. " +
                             see_why("customers.edit"));
}

// The first field that is not filled, as a list of one for messages.
std::string first_empty(const std::vector<bool> &filled, const std::vector<std::string> &fields) {
    for (std::size_t i = 0; i < filled.size(); ++i) {
        if (!filled[i]) {
            return fields[i];
        }
    }
    return {};
}

Result<Status> check_reactivation(const CustomerChange &change) {
    // A customer that came INAC was never seen full (R8), so it begins again.
    const Status right = change.status_before.value_or(Status::pending);
    const Status wanted = *change.after.status;
    if (wanted == Status::inactive || change.changes_more) {
        return inactive_customer();
    }
    if (wanted != right) {
        return Error::broken_rule("reactivation restores the status " +
                                      std::string(status_text(right)) + ", not " +
                                      std::string(status_text(wanted)),
                                  "Set the status to " + std::string(status_text(right)) +
                                      ", or use entitle.reactivate_customer(customer_id).");
    }
    return wanted;
}

Result<Status> check_save(const CustomerChange &change, const std::vector<std::string> &fields) {
    const CustomerRecord &before = change.before;
    const CustomerRecord &after = change.after;
    const std::string empty = first_empty(after.filled, fields);
    if (before.status == Status::active) {
        for (std::size_t i = 0; i < after.filled.size(); ++i) {
            if (before.filled[i] && !after.filled[i]) {
                return Error::broken_rule(
                    "field \"" + fields[i] + "\" of an ACTV customer cannot be blanked",
                    "A full record keeps these fields filled; see entitle.full_record_fields.");
            }
        }
        if (after.status == Status::pending) {
            return Error::broken_rule(
                "an ACTV customer does not become PAIN again",
                "Deactivate it with entitle.deactivate_customer(customer_id) if it is to rest.");
        }
        return *after.status;
    }
    if (after.status == Status::active && !empty.empty()) {
        return Error::broken_rule("a customer becomes ACTV when its record is full, and field \"" +
                                      empty + "\" is not filled",
                                  "Fill the fields that entitle.full_record_fields lists.");
    }
    // A later save that leaves the record full activates it (R9).
    return after.status == Status::pending && empty.empty() ? Status::active : *after.status;
}

} // namespace

std::optional<Status> parse_status(std::string_view text) noexcept {
    for (const Status status : {Status::pending, Status::active, Status::inactive}) {
        if (text == status_text(status)) {
            return status;
        }
    }
    return std::nullopt;
}

std::string_view status_text(Status status) noexcept {
    switch (status) {
    case Status::pending:
        return "PAIN";
    case Status::active:
        return "ACTV";
    case Status::inactive:
        return "INAC";
    }
    return {};
}

Error unreachable_customer() {
    return Error::denied("permission denied for this customer",
                         "There is no such customer, or the signed-in user may not view it.");
}

Result<Passed> check_customer_status(std::string_view text) {
    if (!parse_status(text)) {
        return Error::broken_rule("this is not a status of a customer",
                                  "The statuses are PAIN, ACTV and INAC.");
    }
    return Passed{};
}

Result<Passed> check_new_customer(const Subject *subject, const Session &session,
                                  const CustomerRecord &customer, bool has_score) {
    if (!may_edit(subject, session, customer.brand)) {
        return uneditable_customer();
    }
    if (customer.status && customer.status != Status::pending) {
        return Error::broken_rule("a new customer is PAIN, not " +
                                      std::string(status_text(*customer.status)),
                                  "It becomes ACTV by a later save that leaves its record full.");
    }
    if (has_score) {
        return score_is_made();
    }
    return Passed{};
}

Result<Status> check_customer_change(const Subject *subject, const Session &session,
                                     const CustomerChange &change,
                                     const std::vector<std::string> &fields) {
    if (!may_edit(subject, session, change.before.brand) ||
        !may_edit(subject, session, change.after.brand)) {
        return uneditable_customer();
    }
    if (change.changes_score) {
        return score_is_made();
    }
    if (!change.before.status || !change.after.status) {
        return Error::broken_rule("this is not a status of a customer",
                                  "The statuses are PAIN, ACTV and INAC.");
    }
    return change.before.status == Status::inactive ? check_reactivation(change)
                                                    : check_save(change, fields);
}

Result<Passed> check_can_link(const Subject *subject, const Session &session,
                              std::optional<Status> status, std::optional<BrandId> brand) {
    if (!may_edit(subject, session, brand)) {
        return uneditable_customer();
    }
    if (!status || status == Status::inactive) {
        return inactive_customer();
    }
    return Passed{};
}

} // namespace entitle
