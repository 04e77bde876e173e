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

std::string PlanWorld::plan_of(const std::string &command, const std::string &options) {
    std::string text;
    for (const Row &line : app_.must("EXPLAIN (" + options + ") " + command).rows) {
        // PostgreSQL 19 tells which scan an empty result stands for.
        if (line.front().find("Replaces: ") == std::string::npos) {
            text += line.front() + "\n";
        }
    }
    return text;
}

} // namespace entitle::client
