// Random writes of the tables of adoption_world.sql: by every command, keys too, of several rows,
// by cascades, and such as are refused.
#pragma once

#include "../unit/random_world.hpp"

#include <string>

namespace entitle::campaign {

struct AdoptedStatement {
    std::string text;
    std::string lines; // what a COPY is given
};

AdoptedStatement random_adopted_statement(Dice &dice);

// One that is run where foreign keys are not looked after. It brings no two tables apart in what
// only the rows of before could tell: what an owner's post was.
AdoptedStatement random_unwatched_statement(Dice &dice);

// One that changes what this person has, as a rule.
std::string random_change_of(Dice &dice, const std::string &person);

} // namespace entitle::campaign
