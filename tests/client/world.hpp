// The world of the client tests, made anew for each of them: 64 outsiders, each with another set of
// 200 customers, four staff users, and a table of orders that a pool's role reads.
#pragma once

#include "session.hpp"

#include <gtest/gtest.h>

#include <string>

namespace entitle::client {

constexpr int kUsers = 64;
constexpr int kStaff = 4;
constexpr int kCustomers = 200;

// User n (1 to kUsers) has been granted customer c when they differ by a multiple of n + 1.
constexpr bool is_granted_at_first(int user, int customer) {
    return (customer - user) % (user + 1) == 0;
}

std::string login_of(int user); // users above kUsers are staff

// The first column of an answer, joined with commas.
std::string column(const Reply &answer);

// The customers of a user's orders, in order, as `column` writes them.
std::string expected_customers(int user);

// A connection as a pool opens it: it may sign in, and owns nothing.
Session pooled();

// The single value of a command that must succeed.
std::string ask(Session &connection, const std::string &command,
                const std::vector<std::string> &values = {});

class World : public testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    Session administrator;
};

} // namespace entitle::client
