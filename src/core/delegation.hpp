// Decides who may write an organization's own roles, members and users (R58 to R61): nobody hands
// on what he does not hold, and nothing that somebody else gave is taken away from above. Whoever
// the rules do not bind is not asked about here.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/grant.hpp"
#include "core/result.hpp"
#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

constexpr std::string_view kManageRoles = "roles.manage";
constexpr std::string_view kManageMembers = "members.manage";

// Where a membership is: in all brands of an organization, or in one brand. Exactly one of the two.
struct Place {
    std::optional<OrganizationId> organization;
    std::optional<BrandId> brand;
};

// Decides whether the subject holds a permission in a whole organization: by memberships of the
// organization, not of single brands, and through every gate in each brand that it has (R58).
Decision check_in_organization(const Subject *subject, std::string_view permission,
                               OrganizationId organization, Trace *trace = nullptr);

// Decides whether the subject holds all that a role lists, in every brand of the place (R59, R60).
// What may be otherwise tomorrow is left aside: modules, plans, switched-off permissions, and
// whether the role is active. Prerequisites must be held, too: of two halves that two people give,
// a third would have the whole.
Decision check_handing_on(const Subject *subject, const Role &role, const Place &place,
                          Trace *trace = nullptr);

// Decides whether somebody may write a role (R59). `before` is null for a new role, `after` for one
// that goes; both hold what the role lists then.
Result<Passed> check_role_write(const Subject *writer, const Role *before, const Role *after,
                                Trace *trace = nullptr);

// One row of membership, with what it names.
struct MemberRow {
    UserId user = 0;
    Membership membership;
    const Role *role = nullptr; // null also for one that is of another organization, or none
    std::optional<OrganizationId> home; // the brand's organization, for a membership of a brand
};

// Decides whether somebody may write a membership (R60). `before` is null for a new one, `after`
// for one that ends.
Result<Passed> check_member_write(const Subject *writer, const MemberRow *before,
                                  const MemberRow *after, Trace *trace = nullptr);

// Decides whether an organization may lose an active owner (R60). `others`: whether it keeps one.
Result<Passed> check_owner_left(bool others);

// Decides whether somebody may set up users (R61). `administers`: whether he manages the external
// access of some customer.
Result<Passed> check_new_user(const Subject *writer, bool administers, Trace *trace = nullptr);

// A grant of a user, and what the writer may do on its customer.
struct HeldGrant {
    GrantWriter writer;
    GrantRow row;
};

// All that a user has, wherever.
struct HeldPlaces {
    std::vector<MemberRow> memberships;
    std::vector<HeldGrant> grants;
    bool is_superuser = false; // mapped to a database role that is one
};

// Decides whether somebody may switch a user off or on (R61).
Result<Passed> check_switched_user(const Subject *writer, const HeldPlaces &places,
                                   Trace *trace = nullptr);

// Decides whether an invitation is still open on a day (R61).
Result<Passed> check_invitation_open(Day last_day, const Session &session);

// Why a role may not be managed: the same words whether it is out of reach or does not exist (R3).
Error unmanaged_role();

// Why something stays as it is: a key, or a user's login or mapping (R61).
Error superusers_only(std::string_view what);

// Why nobody can be made a member: the same words for a user who does not exist and one who is
// switched off.
Error no_such_user();

} // namespace entitle
