// What a user belongs to, as lists: for showing people the part of the model that is theirs. An
// inactive or missing user belongs to nothing (R1).
#pragma once

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

} // namespace entitle
