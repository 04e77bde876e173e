// Parallel workers decide by themselves which partitions are left out; they must come to what the
// leader came to, though rights change between its start and theirs.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

class PlanParallelTest : public PlanWorld {};

TEST_F(PlanParallelTest, WorkersLeaveOutWhatTheLeaderLeavesOut) {
    constexpr int kRounds = 300;
    admin_.must("CREATE TABLE pieces (piece_id integer, customer_id bigint) PARTITION BY LIST "
                "(customer_id)");
    for (int i = 1; i <= 40; ++i) {
        const std::string n = std::to_string(i);
        admin_.must("CREATE TABLE pieces_" + n + " PARTITION OF pieces FOR VALUES IN (" + n + ")");
    }
    admin_.must("INSERT INTO pieces SELECT i, 1 + i % 40 FROM generate_series(1, 20000) AS i; "
                "ANALYZE pieces;"
                "DO $$ BEGIN PERFORM entitle.protect_table('pieces', customer_column => "
                "'customer_id'); END $$;"
                "GRANT SELECT ON pieces TO plan_app;"
                "INSERT INTO entitle.app_user (user_id, login) VALUES (120, 'moving');"
                "INSERT INTO entitle.external_access SELECT c, 120, 'L40', 30 FROM "
                "generate_series(10, 16) AS c");
    // Seven customers at every moment, 500 pieces each.
    std::atomic<bool> is_over{false};
    std::thread mover([&] {
        Session writer = open();
        while (!is_over) {
            writer.must("UPDATE entitle.external_access SET customer_id = customer_id + 8 WHERE "
                        "user_id = 120;");
            writer.must("UPDATE entitle.external_access SET customer_id = customer_id - 8 WHERE "
                        "user_id = 120;");
        }
    });
    app_.must("SET ROLE plan_app; SET jit = off; SET parallel_setup_cost = 0; SET "
              "parallel_tuple_cost = 0;"
              "SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3");
    sign_in("moving", true);
    for (int i = 0; i < kRounds; ++i) {
        const Reply reply = app_.run("SELECT count(*) FROM pieces");
        // Whoever starts later may see the customers of later: fewer of what the leader left in.
        if (!reply.ok()) {
            EXPECT_EQ(reply.error, "40001") << reply.message;
        } else {
            EXPECT_LE(std::stoi(reply.value()), 3500);
        }
    }
    is_over = true;
    mover.join();
    sign_in("");
    admin_.must(
        "DROP TABLE pieces; DELETE FROM entitle.external_access WHERE user_id = 120; DELETE FROM "
        "entitle.app_user WHERE user_id = 120");
}

// The same where the query asks by hand, or through an EXISTS that is simplified with another
// query's tables.
TEST_F(PlanParallelTest, WorkersOfQueriesThatAskByHand) {
    constexpr int kRounds = 200;
    admin_.must("CREATE TABLE days (id integer, customer_id bigint, on_date date) PARTITION BY "
                "RANGE (on_date)");
    for (int i = 0; i < 20; ++i) {
        admin_.must("CREATE TABLE days_" + std::to_string(i) +
                    " PARTITION OF days FOR VALUES FROM (current_date - " +
                    std::to_string(10 * i + 9) + ") TO (current_date - " +
                    std::to_string(10 * i - 1) + ")");
    }
    admin_.must(
        "INSERT INTO days SELECT i, 1, current_date - i % 200 FROM generate_series(1, 20000) "
        "AS i; ANALYZE days; GRANT SELECT ON days TO plan_app;"
        "CREATE TABLE asked_for AS SELECT i AS id FROM generate_series(1, 50) AS i;"
        "GRANT SELECT ON asked_for TO plan_app");
    std::atomic<bool> is_over{false};
    std::thread mover([&] {
        Session writer = open();
        while (!is_over) {
            writer.must("UPDATE entitle.external_access SET days_back = 90 WHERE user_id = 102;");
            writer.must("UPDATE entitle.external_access SET days_back = 30 WHERE user_id = 102;");
        }
    });
    app_.must("SET ROLE plan_app; SET jit = off; SET parallel_setup_cost = 0; SET "
              "parallel_tuple_cost = 0;"
              "SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3");
    sign_in("one", true);
    for (int i = 0; i < kRounds; ++i) {
        for (const char *query :
             {"SELECT count(*) FROM days WHERE on_date >= entitle.earliest_visible_date(20)",
              "SELECT count(*) FROM asked_for a WHERE a.id < 0 OR EXISTS (SELECT FROM days d WHERE "
              "d.id = a.id AND entitle.row_allowed(NULL, 10, d.customer_id, d.on_date))"}) {
            const Reply reply = app_.run(query);
            EXPECT_TRUE(reply.ok() || reply.error == "40001") << reply.error << reply.message;
        }
    }
    is_over = true;
    mover.join();
    sign_in("");
    admin_.must("DROP TABLE days, asked_for");
}

// Workers would share out the elements of an array that each of them asks for. That none gets such
// a scan rests on the order in which PostgreSQL makes and costs its paths (index_cost.cpp).
TEST_F(PlanParallelTest, NoIndexScanByAnArrayOfCustomersHasWorkers) {
    admin_.must("CREATE TABLE slips (slip_id integer, customer_id bigint, note text);"
                "INSERT INTO slips SELECT i, 1 + i % 40, 'x' FROM generate_series(1, 20000) AS i;"
                "CREATE INDEX ON slips (customer_id); CREATE INDEX ON slips (slip_id);"
                "CREATE INDEX ON slips (slip_id, customer_id); ANALYZE slips;"
                "DO $$ BEGIN PERFORM entitle.protect_table('slips', customer_column => "
                "'customer_id'); END $$;"
                "GRANT SELECT ON slips TO plan_app");
    app_.must("SET ROLE plan_app; SET jit = off; SET parallel_setup_cost = 0;"
              "SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;"
              "SET min_parallel_index_scan_size = 0; SET enable_seqscan = off;"
              "SET enable_bitmapscan = off; SET enable_sort = off");
    sign_in("both", true);
    for (const char *query :
         {"SELECT count(note) FROM slips", "SELECT count(*) FROM slips WHERE slip_id > 0",
          "SELECT count(customer_id) FROM slips WHERE customer_id BETWEEN 1 AND 30",
          "SELECT slip_id FROM slips ORDER BY customer_id"}) {
        const std::string plan = plan_of(query);
        EXPECT_NE(plan.find("_customers("), std::string::npos) << plan;
        EXPECT_EQ(plan.find("Parallel Index"), std::string::npos) << plan;
    }
    // The same index without the array may have workers: it is not closed to them for good.
    const std::string plan =
        plan_of("SELECT slip_id FROM slips WHERE slip_id > 0 ORDER BY slip_id");
    EXPECT_NE(plan.find("Parallel Index"), std::string::npos) << plan;
    sign_in("");
    admin_.must("DROP TABLE slips");
}

// What the extension asks its own tables may run with workers, who are given no rights.
TEST_F(PlanParallelTest, WritesThroughViewsByPlansWithWorkers) {
    admin_.must("INSERT INTO entitle.app_user (user_id, login) VALUES (121, 'admin of 5');"
                "INSERT INTO entitle.external_access VALUES (5, 121, 'L80', NULL);"
                "CREATE TABLE tagged (id integer PRIMARY KEY, customer_id bigint, tag integer);"
                "INSERT INTO tagged VALUES (1, 5, 1), (2, 6, 1);"
                "DO $$ BEGIN PERFORM entitle.protect_table('tagged', 'customer_id', "
                "external_update_level => 20, masked_columns => '{\"tag\": 30}'); END $$;"
                "GRANT SELECT, UPDATE ON tagged_view TO plan_app; GRANT UPDATE ON tagged TO "
                "plan_app");
    app_.must("SET ROLE plan_app; SET jit = off; SET parallel_setup_cost = 0; SET "
              "parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET "
              "enable_indexscan = off; SET enable_indexonlyscan = off");
    sign_in("admin of 5", true);
    const Reply reply = app_.run("UPDATE tagged_view SET tag = 7");
    EXPECT_EQ(reply.tag, "UPDATE 1") << reply.message;
    app_.must("RESET enable_indexscan; RESET enable_indexonlyscan");
    sign_in("");
    admin_.must("SELECT entitle.unprotect_table('tagged'); DROP TABLE tagged; DELETE FROM "
                "entitle.external_access WHERE user_id = 121; DELETE FROM entitle.app_user WHERE "
                "user_id = 121");
}

} // namespace
} // namespace entitle::client
