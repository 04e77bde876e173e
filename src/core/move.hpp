// Decides moves (R54): a change of what something belongs to gives its writer no right on it that
// was denied where it was. What somebody may do to a row, a customer or a grant in one place is a
// list of rights; one function compares two of them, whatever they are about.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/grant.hpp"
#include "core/protection.hpp"
#include "core/result.hpp"
#include "core/subject.hpp"

namespace entitle {

struct Right {
    std::string what; // completes "the user could"
    bool is_held;
};
using Rights = std::vector<Right>;

// Decides whether something may go from a place with some rights to one with others: no right is
// gained. `moved` names it, such as "this customer".
// Requires: both lists are of the same rights in the same order.
Result<Passed> check_move(const Rights &before, const Rights &after, std::string_view moved);

// What can be done to a row, and what opens it.
struct RowRight {
    std::string what;
    RowRule rule;
};

// Finds the rights on a row, or on a line whose document has these facts. The first right asked is
// to see the row: whoever does not see it, can do nothing to it (R3).
// `row` is none for one that is not there: no right is held.
Rights row_rights(const Subject *subject, const Session &session,
                  const std::vector<RowRight> &asked, const std::optional<RowFacts> &row);

// Decides whether the row that moves shows where it is, or the document where it is to be: what
// does not show is as good as none (R3). `detail` says what would happen.
// Requires: rights that row_rights found.
Result<Passed> check_shown(const Rights &rights, std::string_view moved, std::string_view detail);

// Decides whether an update may give the row its new brand: by permission there, or by external
// access that of its customer (R55). `rule` is what opens the update.
Result<Passed> check_given_brand(const Subject *subject, const Session &session,
                                 const RowRule &rule, const RowFacts &row,
                                 std::optional<BrandId> home, std::string_view moved);

// Finds the rights on a customer that hang on its brand: those of R6, R7, R13, R15 and R41, and the
// export.
Rights customer_rights(const Subject *subject, const Session &session,
                       std::optional<BrandId> brand);

// Finds the rights on the rows that refer to a customer by a key (its uuid or code).
// `grant` is the subject's own on that customer; no customer: the key is nobody's.
Rights keyed_rights(const Subject *subject, const Session &session,
                    std::optional<CustomerId> customer, const Grant *grant);

// Decides whether a customer may lose a key that it had: rows that name it by that key would be
// left to the customer who gets it next, and to those who manage the access of that one. `writer`
// is whoever takes it away.
Result<Passed> check_lost_key(const GrantWriter &writer);

// Finds the writer's rights on a grant of a customer (R41, R42).
Rights grant_rights(const GrantWriter &writer, const GrantRow &row);

} // namespace entitle
