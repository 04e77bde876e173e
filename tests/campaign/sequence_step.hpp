// Random worlds of people who administer something, random steps of theirs, and the SQL of both.
#pragma once

#include "../unit/random_world.hpp"
#include "sequence_model.hpp"

#include <map>
#include <string>
#include <vector>

namespace entitle::campaign {

// The database's ids of rows that steps made.
using RealIds = std::map<Id, Id>;
Id real_id(const RealIds &real, Id id);

// Owners, administrators of an organization and of a brand, a clerk, external administrators,
// nobody; some of them more than one of these.
Affairs random_affairs(Dice &dice, const naive::World &catalogue);

// The commands that make it of whatever a world left behind.
std::string commands_of(const Affairs &affairs);

Step random_step(Dice &dice, const Affairs &affairs);

// The statement of a step, and what comes before it so that the writer is the one who runs it.
std::string statement_of(const Step &step, const RealIds &real);
std::string identity_of(const Step &step, const Affairs &affairs);

// The rows as the database tells them, sorted.
std::vector<std::string> lines_of(const Affairs &affairs, const RealIds &real);

} // namespace entitle::campaign
