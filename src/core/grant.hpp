// Decides who may write which external grant (R33, R38, R40 to R44), and what may never happen to
// an owner's (R43). What a grant gives is decided in access.hpp.
#pragma once

#include "core/access.hpp"
#include "core/result.hpp"
#include "core/subject.hpp"

namespace entitle {

// One row of external_access as it is written.
struct GrantRow {
    UserId user = 0;
    Grant grant;
};

// What the writer may do on one customer.
struct GrantWriter {
    UserId user = 0;
    bool is_manager = false; // external_access.manage in the customer's brand
    int level = kNoLevel;    // the writer's own level there today
};

// Finds what a subject may do on a customer. `grant` is the subject's own, null when there is none.
// Returns: no right for a null or inactive subject (R1).
GrantWriter find_grant_writer(const Subject *subject, const Session &session, CustomerId customer,
                              std::optional<BrandId> brand, const Grant *grant);

// Tells whether the writer may manage the customer's grants at all (R41).
bool is_managing(const GrantWriter &writer) noexcept;

// Decides whether the values of a grant may be stored, whoever writes (R33, R38, R40).
Result<Passed> check_grant_values(const GrantRow &row);

// Decides what becomes of a grant that may be an owner's, whoever writes (R43). `after` is null
// when it is removed.
Result<Passed> check_owner_kept(const GrantRow &before, const GrantRow *after);

// Each decides one write of a writer whom the rules bind (R41, R42).
Result<Passed> check_new_grant(const GrantWriter &writer, const GrantRow &row);
Result<Passed> check_removed_grant(const GrantWriter &writer, const GrantRow &row);

// Requires: the same customer and user in both rows; a change of either is a removal and a new
// grant. `notes_changed` tells of the one column that is not in a GrantRow.
Result<Passed> check_changed_grant(const GrantWriter &writer, const GrantRow &before,
                                   const GrantRow &after, bool notes_changed);

// Why a grant may not be managed: the same words whether the customer is out of reach or does not
// exist (R3).
Error unmanaged_customer();

// For a superuser, who may know which customers there are.
Error no_such_customer();

// Why nobody can be granted: the same words for a user who does not exist and one who is switched
// off (R44).
Error no_such_grantee();

} // namespace entitle
