// What the doors of explanations share: whom an asker may know, and how an explanation ends.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string_view>

#include "core/trace.hpp"
#include "pg/subject/subject_cache.hpp"
#include "pg/datum/row_set.hpp"

namespace entitle::pg {

// Who holds it manages external access, and may ask about others.
constexpr const char *kManagePermission = "external_access.manage";

// Tells whether the asker is a superuser, who may ask about everybody and everything.
bool knows_all();

// A question without a login, or with the asker's own, is about the asker.
bool is_about_asker(const Asker &asker, std::optional<std::string_view> login) noexcept;

// Returns: null when there is no such user. Good until the next user is found. regime: C
CachedUser *find_by_login(std::string_view login);

// The answer about a user that does not exist, or whom the asker may not know. regime: C++
Decision refuse_user(std::string_view login, Trace &trace);

// Adds the decision and copies the steps out. regime: C++
PlainSteps close_trace(Trace &trace, const Decision &decision);

} // namespace entitle::pg
