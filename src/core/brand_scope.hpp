// A subject in one brand: the gates that permissions, capabilities and metrics have in common, and
// how any of them is held there. The brand is entered first; a null subject enters none (R1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/subject.hpp"
#include "core/trace.hpp"

namespace entitle {

// Finds the brand a question without a brand is about: the chosen one, else the only one (R52).
// Returns: none when there is no brand or several and none was chosen.
std::optional<BrandId> current_brand(const Subject &subject, const Session &session) noexcept;

// Tells whether a membership reaches the brand (R22), whatever it grants there.
bool is_member(const Subject &subject, BrandId brand) noexcept;

// What the gates after membership need.
struct BrandScope {
    const Subject &subject;
    const Brand &brand;
};

// The brand to judge in, or null and why not.
struct Entry {
    const Brand *brand;
    Decision denied;
};

// Decides identity and membership (R1, R22, R52).
Entry enter_brand(const Subject *subject, const Session &session, std::optional<BrandId> named,
                  const Recorder &recorder);

// Decides whether every module is enabled (R23, R31). Returns: none when it is.
std::optional<Decision> check_modules(const BrandScope &scope, const std::vector<KeyIndex> &modules,
                                      std::string_view key, const Recorder &recorder);

// Tells whether the membership reaches the brand (R22).
bool reaches(const Membership &membership, const Brand &brand) noexcept;

// Tells whether the subject owns the brand's organization (R24).
bool owns(const BrandScope &scope) noexcept;

// Tells which roles do not grant it, those switched off too: who asks why must see them.
std::string not_granted(const BrandScope &scope, std::string_view what);

bool contains(const std::vector<KeyIndex> &sorted, KeyIndex index) noexcept;
std::string quoted(std::string_view text);
std::string brand_text(const Brand &brand);

} // namespace entitle
