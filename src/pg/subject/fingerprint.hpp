// Numbers that tell whether facts are the same as before, without keeping them: for cursors, which
// go on while their user's rights are what they were. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include <vector>

#include "core/access.hpp"
#include "core/subject.hpp"

namespace entitle::pg {

// Each is never 0.
std::uint64_t print_of(const Catalogue &catalogue) noexcept;

// Of all that decides for the user; names decide nothing. The catalogue counts for members only.
std::uint64_t print_of(const Subject &subject, std::uint64_t catalogue_print) noexcept;

// Requires: all grants of a user, by customer.
std::uint64_t print_of(const std::vector<Grant> &grants) noexcept;

} // namespace entitle::pg
