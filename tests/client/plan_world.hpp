// The world of the plan tests: plan_world.sql in a database that is made once for all of them, an
// administrator, and an application whose role owns nothing.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "session.hpp"

namespace entitle::client {

// A second customer for `unlimited`, and its end.
const std::string kGrant =
    "INSERT INTO entitle.external_access VALUES (2, 104, 'L40', NULL) ON CONFLICT DO NOTHING";
const std::string kRevoke =
    "DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (2, 104)";

class PlanWorld : public ::testing::Test {
  protected:
    static Session open();

    // Signs in, or out with an empty login; in the transaction, or in the session.
    void sign_in(const std::string &login, bool session_wide = false) {
        app_.must(login.empty() ? "SELECT entitle.sign_out()"
                                : "SELECT entitle.sign_in('" + login + "', " +
                                      (session_wide ? "true)" : "false)"));
    }

    // The plan that the application's command gets.
    std::string plan_of(const std::string &command, const std::string &options = "COSTS OFF");

    Session admin_{open()};
    Session app_{open()};
};

} // namespace entitle::client
