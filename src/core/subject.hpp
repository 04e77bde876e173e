// One user's facts, as loaded: who they are, their memberships with the brands and roles these
// reach, and the session's choices. Facts only; decisions are in permission.hpp and access.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalogue.hpp"

namespace entitle {

using UserId = std::int64_t;
using OrganizationId = std::int64_t;
using BrandId = std::int64_t;
using RoleId = std::int64_t;
using CustomerId = std::int64_t;

// Days since 2000-01-01, in the business time zone; the extremes stand for the infinities.
using Day = std::int32_t;

struct Membership {
    std::optional<OrganizationId> organization; // all its brands
    std::optional<BrandId> brand;               // that brand; exactly one of the two
    std::optional<RoleId> role;
    bool is_owner = false;
    bool is_brand_off = false;        // the brand it names is switched off
    bool is_organization_off = false; // the organization it names, or that its brand is in
};

struct Brand {
    BrandId id = 0;
    std::optional<OrganizationId> organization; // none: a standalone brand (R25)
    std::string name;
    std::string plan;              // empty: no plan
    std::vector<KeyIndex> modules; // enabled ones, sorted
    std::vector<KeyIndex> denied;  // permissions the plan denies (R26), sorted
    std::string uuid{};            // second key, its 16 bytes; empty: none
    std::string code{};            // third key, byte for byte (R4); empty: none
    bool is_active = true;
};

struct Role {
    RoleId id = 0;
    OrganizationId organization = 0;
    std::string name;
    bool is_active = false;
    bool all_metrics = false;          // holds '*' (R30)
    std::vector<KeyIndex> permissions; // sorted
    std::vector<KeyIndex> metrics;     // sorted
    bool is_gone = false;              // its row is (R64), which may come back and grant anything
};

// Requires of the loader: `brands` holds every brand a membership reaches and `roles` every role a
// membership names, switched off or not, both sorted by id; the indexes are those of `catalogue`.
// It calls settle() when they are filled. From then on all three hold only what counts (R64).
struct Subject {
    UserId id = 0;
    std::string login;
    bool is_active = false;
    std::shared_ptr<const Catalogue> catalogue;
    std::vector<Membership> memberships;
    std::vector<Brand> brands;
    std::vector<Role> roles;
    bool has_closed_places = false;           // had memberships in what is switched off
    std::vector<OrganizationId> closed_homes; // of brands that are switched off, of the other ones
    std::vector<std::size_t>
        brands_by_uuid{}; // places in `brands` of those that have one, in order
    std::vector<std::size_t> brands_by_code{};

    const Brand *find_brand(BrandId brand) const noexcept;
    const Role *find_role(RoleId role) const noexcept;

    // Decides which memberships count: one in a brand or organization that is switched off gives
    // nothing (R64). Drops the others with what they alone reach, here and nowhere else, so that no
    // gate can forget to ask; enter_brand tells of it. Then puts the brands in the order of their
    // other keys, for the two below.
    void settle();
    const Brand *find_brand_by_uuid(std::string_view uuid) const noexcept;
    const Brand *find_brand_by_code(std::string_view code) const noexcept;
};

// What the session chose, and which day it is (R38, R45, R52).
struct Session {
    std::optional<BrandId> chosen_brand;
    std::optional<CustomerId> chosen_customer;
    Day today = 0;
};

} // namespace entitle
