// Moves: the rights in one place, and their comparison.
#include "core/move.hpp"

#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

Result<Passed> check_move(const Rights &before, const Rights &after, std::string_view moved) {
    for (std::size_t i = 0; i < after.size(); ++i) {
        // A right that the other list does not know was not held there.
        if (after[i].is_held && (i >= before.size() || !before[i].is_held)) {
            return Error::denied("permission denied to move " + std::string(moved),
                                 "It is moved by those who may do as much to it already.",
                                 "Where it would go the signed-in user could " + after[i].what +
                                     ", and cannot where it is.");
        }
    }
    return Passed{};
}

Rights row_rights(const Subject *subject, const Session &session,
                  const std::vector<RowRight> &asked, const std::optional<RowFacts> &row) {
    Rights rights;
    rights.reserve(asked.size());
    for (const RowRight &right : asked) {
        const bool is_seen = rights.empty() || rights.front().is_held;
        rights.push_back(
            Right{right.what, row && is_seen &&
                                  check_row(subject, session, right.rule, *row, nullptr).allowed});
    }
    return rights;
}

Result<Passed> check_shown(const Rights &rights, std::string_view moved, std::string_view detail) {
    if (!rights.front().is_held) {
        return Error::denied("permission denied to move " + std::string(moved), {},
                             std::string(detail));
    }
    return Passed{};
}

Result<Passed> check_given_brand(const Subject *subject, const Session &session,
                                 const RowRule &rule, const RowFacts &row,
                                 std::optional<BrandId> home, std::string_view moved) {
    if (!check_new_row(subject, session, rule, row, home, nullptr)) {
        return Error::denied(
            "permission denied to move " + std::string(moved),
            "Leave the brand as it is, or give it that of the row's customer.",
            "By external access a row keeps its brand or takes that of its customer.");
    }
    return Passed{};
}

Rights customer_rights(const Subject *subject, const Session &session,
                       std::optional<BrandId> brand) {
    struct Asked {
        const char *permission;
        const char *what;
    };
    static constexpr Asked kAsked[] = {{"customers.view", "see it"},
                                       {"customers.edit", "edit it"},
                                       {"customers.client_metrics", "score it while it is PAIN"},
                                       {"customers.export", "export it"},
                                       {"external_access.manage", "manage its external access"}};
    Rights rights;
    for (const Asked &asked : kAsked) {
        rights.push_back(
            Right{asked.what,
                  brand && check_permission(subject, session, asked.permission, brand).allowed});
    }
    return rights;
}

Rights keyed_rights(const Subject *subject, const Session &session,
                    std::optional<CustomerId> customer, const Grant *grant) {
    const int held = customer ? access_level(subject, session, *customer, grant) : kNoLevel;
    Rights rights;
    for (const int level : kLevels) {
        rights.push_back(Right{"read rows that refer to its new key", held >= level});
    }
    return rights;
}

Result<Passed> check_lost_key(const GrantWriter &writer) {
    if (!is_managing(writer)) {
        return Error::denied(
            "permission denied to change the keys of this customer",
            "It takes external_access.manage in the customer's brand, or L80 or L90 on "
            "the customer; a customer without code may get one.",
            "Rows that name the customer by its key would be left to whoever gets that "
            "key next.");
    }
    return Passed{};
}

Rights grant_rights(const GrantWriter &writer, const GrantRow &row) {
    GrantRow raised = row;
    raised.grant.level = kOwnerLevel;
    const bool manages = is_managing(writer);
    const bool is_own = writer.user != 0 && row.user == writer.user;
    return {{"see it", manages || is_own},
            {"remove it", check_removed_grant(writer, row).ok()},
            {"change it", check_changed_grant(writer, row, row, true).ok()},
            {"make it that of an owner", check_changed_grant(writer, row, raised, false).ok()}};
}

} // namespace entitle
