// What a user belongs to, as lists: for showing people the part of the model that is theirs. An
// inactive or missing user belongs to nothing (R1).
#pragma once

#include <optional>
#include <vector>

#include "core/subject.hpp"

namespace entitle {

// Each list is sorted, without repetition.
struct Belongings {
    std::vector<OrganizationId> organizations; // member of it, or of a brand of it
    std::vector<OrganizationId> owned_organizations;
    std::vector<BrandId> brands;
    std::vector<BrandId> owned_brands;
    std::vector<RoleId> roles; // held through a membership, active or not
};

// Lists what the subject belongs to (R22, R24).
Belongings find_belongings(const Subject *subject);

// What the subject manages roles or members of, sorted.
struct Managed {
    std::vector<OrganizationId> organizations; // owned, or managed by a membership of the whole
    std::vector<BrandId> brands;               // theirs, and those whose own members are managed
};

// Lists what the subject manages (R24, R58 to R60).
Managed find_managed(const Subject *subject);

// Decides whether the subject may ask about the members of a brand: who manages external access
// there, or roles or members (R62).
bool may_ask_about(const Subject *subject, const Session &session, std::optional<BrandId> brand);

// Leaves of a subject the places that an asker knows: those managed, and one brand. What the
// subject has elsewhere is told to nobody there (S520).
Subject keep_known_places(const Subject &subject, const Managed &managed,
                          std::optional<BrandId> brand);

} // namespace entitle
