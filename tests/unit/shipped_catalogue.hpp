// What the extension installs, typed by hand from its specification: a world with the catalogue,
// organization 1 and brand 1 (`main`), the seven example roles, and no users. Tests add users and
// break things from here.
#pragma once

#include <string>
#include <vector>

#include "naive_model.hpp"

constexpr naive::Id kMainOrganization = 1;
constexpr naive::Id kMainBrand = 1;

naive::World shipped_catalogue();

// The example roles of R32, in the order of the specification.
const std::vector<std::string> &example_roles();
// Requires: one of example_roles().
naive::Id role_id(const std::string &name);

// Each adds an active user and its memberships. Returns: that user, asking on day 0.
naive::Asker add_user(naive::World &world);
naive::Asker add_member(naive::World &world, const std::string &role);
naive::Asker add_owner(naive::World &world, naive::Id organization = kMainOrganization);

// A role of its own with these permissions, held by a new member of the organization.
naive::Asker add_holder(naive::World &world, const std::vector<std::string> &permissions,
                        naive::Id organization = kMainOrganization);
naive::Id add_role(naive::World &world, const std::vector<std::string> &permissions,
                   naive::Id organization = kMainOrganization);

// A brand with every module enabled; without an organization it stands alone.
naive::Id add_brand(naive::World &world, std::optional<naive::Id> organization);
naive::Asker add_brand_member(naive::World &world, naive::Id brand);

void set_module(naive::World &world, naive::Id brand, const std::string &module, bool is_enabled);
void set_permission(naive::World &world, const std::string &permission, bool is_active);
void deny_by_plan(naive::World &world, naive::Id brand, const std::string &permission);
