// The world of the plan tests: plan_world.sql in a database that is made once for all of them, an
// administrator, and an application whose role owns nothing.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "connection.hpp"

namespace client {

class PlanWorld : public ::testing::Test {
  protected:
    static Connection open();

    // Signs in, or out with an empty login; in the transaction, or in the session.
    void sign_in(const std::string &login, bool session_wide = false) {
        app_.must(login.empty() ? "SELECT entitle.sign_out()"
                                : "SELECT entitle.sign_in('" + login + "', " +
                                      (session_wide ? "true)" : "false)"));
    }

    Connection admin_{open()};
    Connection app_{open()};
};

} // namespace client
