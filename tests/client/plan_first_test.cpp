// The first statement of a session is planned before the library is there: the planner itself loads
// it. Such a plan cannot be exchanged for another one, so it has to go when somebody else asks.
#include <gtest/gtest.h>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

class PlanFirstTest : public PlanWorld {};

// R3, R46
TEST_F(PlanFirstTest, TheFirstPlanOfASessionFollowsIdentity) {
    app_.must("SET ROLE plan_app; SET plan_cache_mode = force_generic_plan;"
              "PREPARE asked AS SELECT count(*) FROM orders");
    EXPECT_EQ(app_.must("EXECUTE asked").value(), "0");
    for (const auto &[login, count] :
         {std::make_pair("staff", "9"), std::make_pair("one", "3"), std::make_pair("staff", "9")}) {
        sign_in(login, true);
        const Reply reply = app_.run("EXECUTE asked");
        EXPECT_EQ(reply.error, "") << login << ": " << reply.message;
        EXPECT_EQ(reply.value(), count) << login;
    }
}

} // namespace
} // namespace entitle::client
