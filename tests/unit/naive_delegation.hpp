// A second reading of R58 to R61, for tests alone: loops over the rows of a world, nothing shared
// with src/core.
#pragma once

#include "naive_model.hpp"

namespace naive {

struct RoleText {
    Id role_id;
    Id organization_id;
    std::vector<std::string> permissions;
    std::vector<std::string> metrics; // may hold "*"
};

// Requires: the world outlives it.
class Delegation {
  public:
    explicit Delegation(const World &world) : world_(world), model_(world) {}

    // R59
    bool may_write_role(Id writer, const RoleText *before, const RoleText *after) const;

    // R60; the rows name either an organization or a brand
    bool may_write_member(Id writer, const Membership *before, const Membership *after) const;

    // R61; `today` counts for levels of external access
    bool may_add_user(Id writer, Date today) const;
    bool may_switch_user(Id writer, Id user, Date today) const;

    // The role as the world has it; only keys that are known.
    RoleText role_text(Id role_id) const;

    bool is_active(Id user) const;
    bool owns(Id user, Id organization) const;
    // Whether the permission is held by a membership of the whole organization.
    bool manages(Id user, Id organization, const std::string &key) const;

  private:
    bool gives(const Membership &membership, Id organization, const std::string &key,
               bool is_metric) const;
    bool holds_plainly(Id user, std::optional<Id> brand, Id organization, const std::string &key,
                       bool is_metric) const;
    bool holds(Id user, std::optional<Id> brand, std::optional<Id> organization,
               const std::string &key) const;
    bool holds_all(Id user, std::optional<Id> brand, std::optional<Id> organization,
                   const RoleText &role) const;
    bool covers(Id user, Id organization) const;
    bool counts(const Membership &row) const;
    bool holds_all_everywhere(Id user, Id organization, const RoleText &role) const;
    bool may_touch_role(Id writer, const RoleText &role) const;
    bool may_touch_member(Id writer, const Membership &row) const;

    const World &world_;
    Model model_;
};

} // namespace naive
