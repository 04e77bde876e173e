// What the triggers of roles, memberships, users and grants share: who writes, the locks under
// which it is decided, and keys that nobody chooses. regime: C, unless noted.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>

#include "core/delegation.hpp"
#include "pg/model/row_trigger.hpp"
#include "pg/subject/current_subject.hpp"

namespace entitle::pg {

// The one whose rights a write is judged by: the asker, and while an invitation is accepted the one
// who invited.
Asker current_writer();

// Tells whether the rules of who may write bind the writer.
bool is_bound();

// Judges the writes of its lifetime by somebody else's rights; nobody is a superuser who invited
// without being signed in. Made by the acceptance of an invitation alone: no setting, no SQL and no
// other session reaches it.
class OnBehalf {
  public:
    explicit OnBehalf(std::optional<UserId> inviter) noexcept;
    ~OnBehalf();
    OnBehalf(const OnBehalf &) = delete;
    OnBehalf &operator=(const OnBehalf &) = delete;
};

// Waits until other transactions that write roles, members or owners of the organization have
// ended: what is decided about them still holds when the write lands.
void lock_organization(std::optional<OrganizationId> organization);

// The same for two, in an order that is everybody's.
void lock_organizations(std::optional<OrganizationId> one, std::optional<OrganizationId> other);

// Returns: the new row with a key of the table's own sequence. A key that a role chose could be one
// that was another's, whose log it would open, or one that the sequence comes to later.
HeapTuple with_own_key(const FiredRow &row, AttrNumber key);

// Finds the user with that login whom the asker may make a member without inviting: an active one
// whom he manages, or who has no place anywhere (S362). It holds until the transaction ends: others
// wait who would give him a place, or switch him off or on. Returns: none when there is none.
std::optional<UserId> find_at_hand(std::string_view login);

// Tells whether a membership may name the user: an active one, and where row-level security binds
// the writer, one whom he sees, or who has no place yet. By a number alone nobody learns of others
// (S361). It holds as find_at_hand does.
bool may_name_member(const FiredRow &row, UserId user);

// Raises when an update gives the row another key.
void demand_same_key(const FiredRow &row, AttrNumber key);

// What the columns of a membership say; none where it names no place that a membership can have,
// which the table's constraints refuse.
std::optional<OrganizationId> home_of(const Membership &membership);

// Finds what a membership names. `role` is where its role is kept, for as long as the row.
// regime: C++
MemberRow find_member(UserId user, const Membership &membership, const Asker &writer, Role &role);

} // namespace entitle::pg
