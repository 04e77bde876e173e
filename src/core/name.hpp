// Decides whether a text may be a name or a key: what is blank names nothing, and names are
// compared byte for byte (R4), so that a blank at an end would make another one that looks the
// same.
#pragma once

#include <string_view>

#include "core/result.hpp"
#include "core/trace.hpp"

namespace entitle {

// Tells whether nothing but white space stands in a text; the same characters as the tables'
// constraints.
bool is_blank(std::string_view text) noexcept;

Result<Passed> check_not_blank(std::string_view field, std::string_view text);

// Decides whether a key is short enough for every index that holds it, beside another one too.
Result<Passed> check_short(std::string_view field, std::string_view text);

// Decides whether a login shows where it begins and ends.
// Requires: UTF-8; what is none passes as visible.
Result<Passed> check_login_ends(std::string_view login);

// Decides a value of the column that names a row of the model.
Result<Passed> check_name(std::string_view field, std::string_view text);

} // namespace entitle
