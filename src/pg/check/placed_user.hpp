// Users who have a place among given organizations and brands.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/datum/datum.hpp"

#include "core/subject.hpp"

namespace entitle::pg {

// Tells whether the user is a member of one of the organizations or brands, as of now. Both lists
// are sorted, and `state` changes whenever they or any rights do. A statement that asks for many
// users is answered from a set of them all, which does not outlive it. regime: C
bool has_place_among(const PlainIds &organizations, const PlainIds &brands, std::uint64_t state,
                     UserId user);

} // namespace entitle::pg
