#include "plan_world.hpp"

#include <fstream>
#include <sstream>

namespace entitle::client {

Session PlanWorld::open() {
    static const bool is_made = [] {
        std::ifstream file("tests/client/plan_world.sql");
        std::stringstream text;
        text << file.rdbuf();
        Session cluster;
        cluster.must("DROP DATABASE IF EXISTS plan_test");
        cluster.must("DROP ROLE IF EXISTS plan_app, plan_staff, plan_outsider, plan_definer");
        cluster.must("CREATE DATABASE plan_test");
        Session("plan_test").must(text.str());
        return true;
    }();
    (void)is_made;
    return Session("plan_test");
}

} // namespace entitle::client
