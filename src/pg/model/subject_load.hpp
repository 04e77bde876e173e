// Loads facts from the model tables. Rows are first copied into plain memory (regime: C), then
// turned into core's types (C++), so an error in either half leaves nothing behind.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/access.hpp"
#include "core/catalogue.hpp"
#include "core/subject.hpp"

namespace entitle::pg {

// Plain rows in the current memory context, growing as they are read. regime: C
template <typename Row> struct RowList {
    Row *rows = nullptr;
    std::size_t count = 0;
    std::size_t capacity = 0;

    void add(const Row &row) {
        if (count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            const Size size = capacity * sizeof(Row);
            rows = static_cast<Row *>(rows == nullptr
                                          ? MemoryContextAllocHuge(CurrentMemoryContext, size)
                                          : repalloc_huge(rows, size));
        }
        rows[count++] = row;
    }
    Row *begin() noexcept { return rows; }
    Row *end() noexcept { return rows + count; }
    const Row *begin() const noexcept { return rows; }
    const Row *end() const noexcept { return rows + count; }
};

// Runs a load in a memory context of its own and drops it afterwards, also when the load fails.
class Scratch {
  public:
    Scratch();
    void close();

  private:
    MemoryContext context_;
    MemoryContext previous_;
};

// Each fills `result` and never leaves it half filled. regime: C
void load_catalogue(std::shared_ptr<const Catalogue> &result);

// `catalogue` gives the current catalogue; it is asked only for a user with memberships, of places
// that are switched off, too: those may be switched on.
// Returns: false when there is no such user.
bool load_subject(UserId user, const std::shared_ptr<const Catalogue> &(*catalogue)(),
                  Subject &result);

// Makes up somebody whose only place is a role, a member of all brands of its organization.
// Returns: false when there is no such role.
bool load_role_member(RoleId role, const std::shared_ptr<const Catalogue> &(*catalogue)(),
                      Subject &result);

// Reads a role with what it lists. A permission or metric that the catalogue does not know is
// listed as kUnknownKey. Returns: false when there is no such role.
bool load_role(RoleId role, const std::shared_ptr<const Catalogue> &catalogue, Role &result);

// Reads at most `limit` grants. Returns: whether that was all; only then `result` is filled, by
// customer.
bool load_grants(UserId user, std::size_t limit, std::vector<Grant> &result);

// Returns: whether the user has a grant on the customer; it is then in `result`.
bool load_grant(UserId user, CustomerId customer, Grant &result);

} // namespace entitle::pg
