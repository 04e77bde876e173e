// Rights in memory: what users hold. Several users are kept per backend, because a pooled
// connection switches identity every transaction. Everything here is derived from the tables and
// the settings, remembers the generation it was loaded under, and is built aside and swapped in
// whole. References stay good until `epoch` (invalidation.hpp) moves. regime: C, unless noted.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string_view>
#include <vector>

#include "core/access.hpp"
#include "core/subject.hpp"
#include "pg/boundary/copy_out.hpp"

namespace entitle::pg {

struct CachedUser;

// The one who is asking, in this statement.
struct Asker {
    const Subject *subject; // null: nobody, or a user that does not exist
    CachedUser *user;       // null with the subject
    Session session;
};

// Which rights an answer depended on: the user's, as they were then. For executions that go on in a
// later statement.
struct RightsMark {
    bool is_set = false;
    bool is_mixed = false; // answers were given by several
    UserId user = 0;       // 0: nobody
    std::uint64_t subject_print = 0;
    std::uint64_t access_generation = 0;
    std::uint64_t grants_print = 0; // 0: not all of the grants are loaded
    bool has_dated_grants = false;  // known with the print only
    std::optional<BrandId> brand;
    std::optional<CustomerId> customer;
    Day today = 0;
    std::uint64_t keys_generation = 0;
    bool uses_keys = false; // customers were known by other keys than their numbers
};

RightsMark mark_of(const Asker &asker) noexcept;

// Whether the same rights gave both. Marks cannot be compared with themselves over time: grants
// that were not loaded count as other ones once any of the user's changed.
bool is_same_mark(const RightsMark &begun, const RightsMark &now) noexcept;

// Puts another answer's rights to those of the answers before.
void add_mark(RightsMark &all, const RightsMark &one) noexcept;

// Finds a user's rights. Returns: null for a user that does not exist. Valid until the next
// find_user(); a pinned user stays valid until pin_user() names another.
CachedUser *find_user(std::int64_t user);
void pin_user(const CachedUser *user) noexcept;
const Subject *subject_of(const CachedUser *user) noexcept;

// Finds the user's stored grant on a customer. A few single questions read single rows; past that
// all of the user's grants are loaded. Returns: null when there is none.
const Grant *grant_of(CachedUser *user, CustomerId customer);

// Whether all grants of the user are loaded; nobody has none to load.
bool has_all_grants(const CachedUser *user) noexcept;

// Returns: all grants of the user, by customer.
const std::vector<Grant> &grants_of(CachedUser *user);

// Sums up the asker's grants; kept until they, the day or the chosen customer change.
const GrantSummary &grant_summary(const Asker &asker);

// The versions of the asker's customers, level by level: another number whenever the list of
// reached_customers, or which of them are limited, is not what it was when somebody last looked.
// Requires: asker.user.
const std::uint64_t *customer_versions(const Asker &asker);

// Returns: the summary if the grants are few or already here, else null. Requires: asker.user.
const GrantSummary *cheap_grant_summary(const Asker &asker);

// Counts how often the answer was null: a planner that went without can be asked again after
// loading.
std::uint64_t unknown_grants() noexcept;

// Returns: all grants of the user if they are few or already here, else null: nothing big is loaded
// for it.
const std::vector<Grant> *few_grants_of(CachedUser *user);

// Lists the customers on which the asker has at least the level, in id order; with
// `unlimited_only`, those without a days-back limit. Loads all of the asker's grants.
PlainIds reached_customers(const Asker &asker, int level, bool unlimited_only = false);

// Lists the brands in which the asker holds the permission, in id order.
PlainIds permitted_brand_ids(const Asker &asker, std::string_view permission);

// Decides whether the asker manages the customer's external access (R41).
bool manages_access(const Asker &asker, CustomerId customer);

} // namespace entitle::pg
