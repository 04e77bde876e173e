// Attacks on kept plans, one by one: choices, database roles, cursors, lists that grow, and writes.
#include <gtest/gtest.h>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

const char kIds[] = "SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM ";

class PlanAttackTest : public PlanWorld {
  protected:
    void SetUp() override {
        app_.must("SET ROLE plan_app; SET plan_cache_mode = force_generic_plan; SET jit = off");
    }

    std::string execute(const std::string &name) { return app_.run("EXECUTE " + name).value(); }
    std::string error_of(const std::string &command) { return app_.run(command).error; }
};

TEST_F(PlanAttackTest, ABrandChosenLaterCounts) {
    app_.must(std::string("PREPARE asked AS ") + kIds + "orders");
    for (int round = 0; round < 2; ++round) {
        app_.must("BEGIN");
        sign_in("two brands"); // everything in brand 2, nothing in brand 1
        EXPECT_EQ(execute("asked"), kNull);
        app_.must("SELECT entitle.use_brand(2)");
        EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
        app_.must("SAVEPOINT a; SELECT entitle.use_brand(1)");
        EXPECT_EQ(execute("asked"), kNull);
        app_.must("ROLLBACK TO a");
        EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
        app_.must("SELECT entitle.use_brand(NULL)");
        EXPECT_EQ(execute("asked"), kNull);
        app_.must("SELECT entitle.use_brand(2); COMMIT");
        EXPECT_EQ(execute("asked"), kNull);
    }
}

TEST_F(PlanAttackTest, ACustomerChosenLaterCounts) {
    for (const char *table : {"orders", "goods", "parts"}) {
        app_.must(std::string("DEALLOCATE ALL; PREPARE asked AS ") + kIds + table);
        app_.must("BEGIN");
        sign_in("both");
        EXPECT_EQ(execute("asked"), "1,2,3,4,5");
        app_.must("SELECT entitle.use_customer(2)");
        EXPECT_EQ(execute("asked"), "4,5");
        app_.must("SELECT entitle.use_customer(1)");
        EXPECT_EQ(execute("asked"), "1,2,3");
        sign_in("staff"); // the choice was another user's
        EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
        sign_in("both");
        app_.must("SELECT entitle.use_customer(NULL)");
        EXPECT_EQ(execute("asked"), "1,2,3,4,5");
        app_.must("COMMIT");
    }
}

// A grant that is still open-ended, next to a chosen customer with a window, and the other way
// round.
TEST_F(PlanAttackTest, AChosenCustomersWindowCounts) {
    admin_.must("INSERT INTO entitle.external_access VALUES (2, 104, 'L40', 30)");
    app_.must(std::string("PREPARE asked AS ") + kIds + "orders");
    app_.must("BEGIN");
    sign_in("unlimited");
    app_.must("SELECT entitle.use_customer(2)");
    EXPECT_EQ(execute("asked"), "4,5");
    app_.must("SELECT entitle.use_customer(1)");
    EXPECT_EQ(execute("asked"), "1,2,3,7,9");
    app_.must("SELECT entitle.use_customer(NULL)");
    EXPECT_EQ(execute("asked"), "1,2,3,4,5,7,9");
    app_.must("COMMIT");
    admin_.must("DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (2, 104)");
}

// The identity of the database role is nobody's call: no function of entitle sees it change.
TEST_F(PlanAttackTest, DatabaseRolesTakeTurns) {
    for (const char *asked : {"EXECUTE asked", "SELECT by_static()", "SELECT by_definer()",
                              "SELECT by_loop()", "SELECT by_sql()", "EXECUTE inlined"}) {
        SCOPED_TRACE(asked);
        app_.must(std::string("DEALLOCATE ALL; PREPARE asked AS ") + kIds +
                  "orders; PREPARE inlined AS " + kIds + "all_orders()");
        for (const char *begin : {"", "BEGIN"}) {
            app_.must(begin);
            for (int round = 0; round < 3; ++round) {
                app_.must("SET ROLE plan_staff");
                EXPECT_EQ(app_.run(asked).value(), "1,2,3,4,5,6,7,8,9");
                app_.must("SET ROLE plan_outsider");
                EXPECT_EQ(app_.run(asked).value(), "1,2,3");
                app_.must("SET ROLE plan_app");
                EXPECT_EQ(app_.run(asked).value(), kNull);
            }
            app_.must(*begin == '\0' ? "" : "COMMIT");
        }
    }
}

// A cursor is never continued with rows of another identity, nor with rights that are gone.
TEST_F(PlanAttackTest, CursorsEndWithTheRightsTheyBeganWith) {
    const auto declare = [&] {
        app_.must("DECLARE reading CURSOR FOR SELECT order_id FROM orders ORDER BY order_id");
        EXPECT_EQ(app_.must("FETCH 1 FROM reading").rows.size(), 1u);
    };
    app_.must("BEGIN; SET LOCAL enable_sort = off; SET LOCAL ROLE plan_staff");
    declare();
    app_.must("SAVEPOINT a; SET LOCAL ROLE plan_outsider");
    EXPECT_EQ(error_of("FETCH ALL FROM reading"), "40001");
    app_.must("ROLLBACK");

    app_.must("BEGIN; SET LOCAL enable_sort = off");
    sign_in("staff");
    declare();
    app_.must("SAVEPOINT a");
    EXPECT_EQ(error_of("SELECT entitle.sign_in('one')"), "55000");
    app_.must("ROLLBACK TO a");
    admin_.must("UPDATE entitle.role SET is_active = false WHERE role_id = 101");
    EXPECT_EQ(error_of("FETCH ALL FROM reading"), "40001");
    app_.must("ROLLBACK TO a");
    admin_.must("UPDATE entitle.role SET is_active = true WHERE role_id = 101");
    app_.must("ROLLBACK");

    // RESET ALL takes the session's identity from under an open cursor.
    sign_in("staff", true);
    app_.must("BEGIN; SET LOCAL enable_sort = off");
    declare();
    app_.must("RESET ALL");
    EXPECT_EQ(error_of("FETCH ALL FROM reading"), "40001");
    app_.must("ROLLBACK");
    sign_in("");
}

// An outsider's plan keeps its row test, so what is revoked is just not there.
TEST_F(PlanAttackTest, AnOutsidersCursorLosesTheRows) {
    app_.must("BEGIN; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; SET LOCAL "
              "enable_seqscan = off");
    sign_in("both");
    app_.must("DECLARE reading CURSOR FOR SELECT order_id FROM orders ORDER BY order_id");
    EXPECT_EQ(app_.must("FETCH 1 FROM reading").value(), "1");
    admin_.must("DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (2, 103)");
    EXPECT_EQ(app_.must("FETCH ALL FROM reading").rows.size(), 2u);
    app_.must("ROLLBACK");
    admin_.must("INSERT INTO entitle.external_access VALUES (2, 103, 'L40', 7)");
}

// What a holdable cursor has read is a result, kept for whoever declared it: when that user's
// sign-in has ended, the rows have, too, and nobody else gets them.
TEST_F(PlanAttackTest, NobodySignsInOverAHeldCursor) {
    app_.must("BEGIN");
    sign_in("staff");
    app_.must("DECLARE held CURSOR WITH HOLD FOR SELECT order_id FROM orders; COMMIT");
    EXPECT_EQ(error_of("FETCH 1 FROM held"), "40001");
    app_.must("SELECT entitle.sign_in('one', true)");
    EXPECT_NE(error_of("FETCH 1 FROM held"), "");
    app_.must("CLOSE held; SELECT entitle.sign_out()");
    app_.must("SELECT entitle.sign_in('staff', true)");
    app_.must("BEGIN; DECLARE held CURSOR WITH HOLD FOR SELECT order_id FROM orders; COMMIT");
    EXPECT_EQ(error_of("SELECT entitle.sign_in('one')"), "55000");
    app_.must("CLOSE held");
    EXPECT_EQ(error_of("SELECT entitle.sign_in('one')"), "");
}

// A list that leaves out partitions has a length; grants outgrow it, and shrink again.
TEST_F(PlanAttackTest, ListsOfCustomersGrow) {
    admin_.must(
        "INSERT INTO parts SELECT 100 + i, 1, i, current_date FROM generate_series(3, 40) AS i");
    app_.must("PREPARE asked AS SELECT count(*) FROM parts; PREPARE listed AS SELECT * FROM parts");
    sign_in("one", true);
    EXPECT_EQ(execute("asked"), "3");
    EXPECT_NE(plan_of("EXECUTE listed").find("Subplans Removed: 2"), std::string::npos)
        << plan_of("EXECUTE listed");
    for (int customer = 3; customer <= 40; ++customer) {
        admin_.must("INSERT INTO entitle.external_access VALUES (" + std::to_string(customer) +
                    ", 102, 'L40', 30)");
        EXPECT_EQ(execute("asked"), std::to_string(3 + customer - 2 + (customer >= 3 ? 1 : 0)));
    }
    for (int customer = 40; customer >= 3; --customer) {
        admin_.must("DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (" +
                    std::to_string(customer) + ", 102)");
        EXPECT_EQ(execute("asked"), std::to_string(customer == 3 ? 3 : 3 + customer - 3 + 1));
    }
    EXPECT_NE(plan_of("EXECUTE listed").find("Subplans Removed: 2"), std::string::npos);
    admin_.must("DELETE FROM parts WHERE order_id > 100");
}

// An index on the brand serves only those without any grant.
TEST_F(PlanAttackTest, AFirstGrantReachesBeyondTheBrand) {
    admin_.must("INSERT INTO goods SELECT 200 + i, i % 4, 30 + i % 3, current_date FROM "
                "generate_series(1, 40) AS i; ANALYZE goods");
    app_.must("SET enable_seqscan = off; PREPARE asked AS SELECT count(*) FROM goods; PREPARE "
              "listed AS SELECT * FROM goods");
    sign_in("goods", true); // everything in brand 2
    EXPECT_EQ(execute("asked"), "10");
    EXPECT_NE(plan_of("EXECUTE listed").find("permitted_brands"), std::string::npos)
        << plan_of("EXECUTE listed");
    admin_.must("INSERT INTO entitle.external_access VALUES (31, 107, 'L40', 30)");
    const std::string expected =
        admin_.must("SELECT count(*) FROM goods WHERE brand_id = 2 OR customer_id = 31").value();
    EXPECT_EQ(execute("asked"), expected);
    EXPECT_EQ(plan_of("EXECUTE listed").find("permitted_brands"), std::string::npos);
    admin_.must("DELETE FROM entitle.external_access WHERE user_id = 107");
    EXPECT_EQ(execute("asked"), "10");
    admin_.must("DELETE FROM goods WHERE order_id > 200");
    sign_in("");
}

// The same for partitions that are left out by brand.
TEST_F(PlanAttackTest, AFirstGrantReachesBeyondThePartition) {
    app_.must(std::string("PREPARE asked AS ") + kIds +
              "shelves; PREPARE listed AS SELECT * FROM shelves");
    sign_in("goods", true);
    EXPECT_EQ(execute("asked"), "1,3,5,7,9");
    EXPECT_NE(plan_of("EXECUTE listed").find("Subplans Removed: 1"), std::string::npos);
    admin_.must("INSERT INTO entitle.external_access VALUES (2, 107, 'L40', NULL)");
    EXPECT_EQ(execute("asked"), "1,3,4,5,7,8,9");
    admin_.must("DELETE FROM entitle.external_access WHERE user_id = 107");
    EXPECT_EQ(execute("asked"), "1,3,5,7,9");
    admin_.must("INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (107, 1, 101)");
    EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
    admin_.must("DELETE FROM entitle.membership WHERE user_id = 107 AND brand_id = 1");
    EXPECT_EQ(execute("asked"), "1,3,5,7,9");
    sign_in("");
}

// Printed trees hold what the query says, and nobody's customers (S61).
TEST_F(PlanAttackTest, PrintedTreesHoldNoCustomers) {
    std::string printed;
    PQsetNoticeProcessor(
        app_.handle(),
        [](void *text, const char *message) { *static_cast<std::string *>(text) += message; },
        &printed);
    sign_in("both", true);
    app_.must("SET client_min_messages = log; SET debug_print_parse = on; SET "
              "debug_print_rewritten = on; SET debug_print_plan = on");
    for (const char *table : {"orders", "goods", "parts", "priced_view"}) {
        printed.clear();
        app_.must(std::string("SELECT count(*) FROM ") + table);
        EXPECT_NE(printed.find("PLANNEDSTMT"), std::string::npos) << table;
        EXPECT_EQ(printed.find(":consttype 1016 "), std::string::npos) << "a list of bigint\n"
                                                                       << printed;
    }
    printed.clear();
    app_.must("SELECT '{1}'::bigint[]");
    EXPECT_NE(printed.find(":consttype 1016 "), std::string::npos) << printed;
    app_.must("SET debug_print_parse = off; SET debug_print_rewritten = off; SET debug_print_plan "
              "= off; SET client_min_messages = notice");
    sign_in("");
}

// The checks on new rows are folded into plans as well.
TEST_F(PlanAttackTest, WritesAreCheckedForWhoeverWrites) {
    struct Write {
        const char *command;
        std::map<std::string, std::string> outcome; // an error code, or what the command says
    };
    const Write writes[] = {
        {"INSERT INTO orders (order_id, customer_id, order_date) VALUES (900, 2, current_date)",
         {{"staff", "INSERT 0 1"}, {"one", "42501"}, {"both", "INSERT 0 1"}, {"", "42501"}}},
        {"INSERT INTO parts (order_id, customer_id, order_date) VALUES (900, 2, current_date)",
         {{"staff", "INSERT 0 1"}, {"one", "42501"}, {"both", "INSERT 0 1"}, {"", "42501"}}},
        {"INSERT INTO orders (order_id, customer_id, order_date) VALUES (901, 2, current_date - "
         "20)",
         {{"staff", "INSERT 0 1"}, {"one", "42501"}, {"both", "42501"}, {"", "42501"}}},
        {"INSERT INTO goods (order_id, brand_id, customer_id, order_date) VALUES (900, 2, 1, "
         "current_date)", // not the customer's brand (R55)
         {{"staff", "42501"}, {"one", "42501"}, {"both", "42501"}, {"", "42501"}}},
        {"UPDATE orders SET customer_id = 2 WHERE order_id IN (1, 6)",
         {{"staff", "UPDATE 2"}, {"one", "42501"}, {"both", "UPDATE 1"}, {"", "UPDATE 0"}}},
        {"UPDATE orders SET order_date = current_date - 20 WHERE order_id = 1",
         {{"staff", "UPDATE 1"}, {"one", "UPDATE 1"}, {"both", "UPDATE 1"}, {"", "UPDATE 0"}}},
        {"UPDATE goods SET brand_id = 2 WHERE order_id = 6",
         {{"staff", "42501"}, {"one", "UPDATE 0"}, {"both", "UPDATE 0"}, {"", "UPDATE 0"}}},
        {"DELETE FROM orders WHERE order_id IN (1, 4)",
         {{"staff", "DELETE 2"}, {"one", "42501"}, {"both", "42501"}, {"", "DELETE 0"}}},
        {"DELETE FROM parts WHERE order_id = 6",
         {{"staff", "DELETE 1"}, {"one", "DELETE 0"}, {"both", "DELETE 0"}, {"", "DELETE 0"}}},
        {"MERGE INTO orders t USING (VALUES (1, 2), (902, 2)) AS s (id, customer) ON t.order_id = "
         "s.id WHEN MATCHED THEN UPDATE SET "
         "amount = 5 WHEN NOT MATCHED THEN INSERT (order_id, customer_id, order_date) VALUES "
         "(s.id, s.customer, current_date)",
         {{"staff", "MERGE 2"}, {"one", "42501"}, {"both", "MERGE 2"}, {"", "42501"}}},
        {"INSERT INTO orders SELECT order_id + 900, brand_id, customer_id, order_date FROM goods",
         {{"staff", "INSERT 0 9"},
          {"one", "INSERT 0 3"},
          {"both", "INSERT 0 5"},
          {"", "INSERT 0 0"}}},
        {"INSERT INTO orders VALUES (1, 1, 2, current_date) ON CONFLICT (order_id) DO UPDATE SET "
         "customer_id = 2",
         {{"staff", "INSERT 0 1"}, {"one", "42501"}, {"both", "INSERT 0 1"}, {"", "42501"}}},
    };
    for (const Write &write : writes) {
        SCOPED_TRACE(write.command);
        app_.must(std::string("DEALLOCATE ALL; PREPARE written AS ") + write.command);
        ASSERT_TRUE(app_.prepare("by_libpq", write.command).ok());
        for (const char *login : {"staff", "one", "", "staff", "both", "", "one", "staff"}) {
            for (const bool by_sql : {true, false}) {
                app_.must("BEGIN");
                sign_in(login);
                const Reply reply =
                    by_sql ? app_.run("EXECUTE written") : app_.run_prepared("by_libpq");
                const std::string expected = write.outcome.at(login);
                EXPECT_EQ(reply.ok() ? reply.tag : reply.error, expected)
                    << login << " " << reply.message;
                app_.must("ROLLBACK");
            }
        }
    }
}

// The other commands that run a prepared plan.
TEST_F(PlanAttackTest, TablesExplanationsAndCopiesFollow) {
    app_.must("PREPARE asked AS SELECT order_id FROM orders ORDER BY order_id");
    const std::map<std::string, std::string> counts = {
        {"staff", "9"}, {"one", "3"}, {"both", "5"}, {"", "0"}};
    for (const char *login : {"staff", "one", "", "both", "staff", "one"}) {
        SCOPED_TRACE(login);
        app_.must("BEGIN");
        sign_in(login);
        const std::string expected = counts.at(login);
        app_.must("CREATE TEMP TABLE answer AS EXECUTE asked");
        EXPECT_EQ(app_.must("SELECT count(*) FROM answer").value(), expected);
        app_.must("CREATE TEMP TABLE copied AS SELECT * FROM orders");
        EXPECT_EQ(app_.must("SELECT count(*) FROM copied").value(), expected);
        EXPECT_EQ(std::to_string(app_.copy_out("COPY orders TO STDOUT").rows.size()), expected);
        EXPECT_EQ(
            std::to_string(app_.copy_out("COPY (SELECT * FROM orders) TO STDOUT").rows.size()),
            expected);
        const std::string json =
            app_.must("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) EXECUTE asked")
                .value();
        // PostgreSQL 18 counts them with decimals.
        EXPECT_TRUE(json.find("\"Actual Rows\": " + expected + ",") != std::string::npos ||
                    json.find("\"Actual Rows\": " + expected + ".00,") != std::string::npos)
            << json;
        app_.must("EXPLAIN EXECUTE asked");
        app_.must("DECLARE reading CURSOR FOR SELECT * FROM orders");
        EXPECT_EQ(std::to_string(app_.must("FETCH ALL FROM reading").rows.size()), expected);
        app_.must("ROLLBACK");
    }
}

// A table for staff only is left out of the plan of those who see nothing of it.
TEST_F(PlanAttackTest, ATableForStaffOnlyComesBack) {
    app_.must(
        "PREPARE asked AS SELECT count(*) FROM ledger; PREPARE joined AS SELECT count(*) FROM "
        "orders JOIN ledger USING (order_id) WHERE order_id > 0");
    const auto expect = [&](const std::string &ids, const char *when) {
        EXPECT_EQ(execute("asked"), ids) << when;
        EXPECT_EQ(execute("joined"), ids) << when;
    };
    sign_in("");
    for (const char *begin : {"BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"}) {
        app_.must(begin);
        expect("0", "nobody");
        sign_in("staff");
        expect("9", "staff");
        sign_in("one");
        expect("0", "one");
        admin_.must(
            "INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (102, 1, 101)");
        expect("9", "one who has become staff");
        admin_.must("DELETE FROM entitle.membership WHERE user_id = 102");
        expect("0", "one");
        sign_in("two brands");
        expect("0", "no brand chosen");
        app_.must("SELECT entitle.use_brand(2)");
        expect("9", "the brand with the permission chosen");
        app_.must("COMMIT");
    }
}

// The plan of one who sees nothing names no partition, so it does not notice what happens to one.
TEST_F(PlanAttackTest, PartitionsChangeBehindAPlanThatNamesNone) {
    admin_.must(
        "CREATE TABLE books (order_id integer) PARTITION BY LIST (order_id); CREATE TABLE books_1 "
        "PARTITION OF books DEFAULT; CREATE INDEX books_1_id ON books_1 (order_id); INSERT INTO "
        "books "
        "SELECT order_id FROM orders; GRANT SELECT ON books TO plan_app; DO $$ BEGIN PERFORM "
        "entitle.protect_table('books', view_permission => 'conversions.view'); END $$");
    app_.must("SET enable_seqscan = off");
    sign_in("one", true);
    app_.must(std::string("PREPARE asked AS ") + kIds + "books WHERE order_id > 0");
    EXPECT_EQ(execute("asked"), kNull);
    sign_in("staff", true);
    EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
    EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
    admin_.must("DROP INDEX books_1_id");
    EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
    admin_.must(
        "ALTER TABLE books_1 ALTER order_id SET STATISTICS 10; CREATE INDEX ON books_1 (order_id)");
    EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
    sign_in("");
    admin_.must("DROP TABLE books");
}

// A partition asked directly is as protected as the whole.
TEST_F(PlanAttackTest, PartitionsAskedDirectly) {
    app_.must(std::string("PREPARE asked AS ") + kIds + "parts_1");
    for (const char *login : {"staff", "one", "", "unlimited", "nothing", "staff"}) {
        app_.must("BEGIN");
        sign_in(login);
        const std::string who = login;
        EXPECT_EQ(execute("asked"), who == "staff" || who == "unlimited" ? "1,2,3,7,9"
                                    : who == "one"                       ? "1,2,3"
                                                                         : kNull)
            << who;
        app_.must("ROLLBACK");
    }
}

// Rules belong to their table's owner, whom row-level security binds as well.
TEST_F(PlanAttackTest, RulesFollow) {
    app_.must("PREPARE asked AS INSERT INTO ruled VALUES (1)");
    for (const char *login : {"staff", "one", "", "staff", "both"}) {
        app_.must("BEGIN");
        sign_in(login);
        const std::string who = login;
        EXPECT_EQ(execute("asked"), who == "staff"  ? "1,2,3,4,5,6,7,8,9"
                                    : who == "one"  ? "1,2,3"
                                    : who == "both" ? "1,2,3,4,5"
                                                    : kNull);
        app_.must("ROLLBACK");
    }
}

// Identity that changes between two statements of one function, whose plans are kept.
TEST_F(PlanAttackTest, IdentityChangesInsideAFunction) {
    admin_.must("CREATE FUNCTION take_turns(logins text[]) RETURNS text LANGUAGE plpgsql AS $$ "
                "DECLARE login text; said text; BEGIN "
                "FOREACH login IN ARRAY logins LOOP PERFORM entitle.sign_in(login); "
                "said := concat_ws(' ', said, (SELECT count(*) FROM orders), (SELECT count(*) FROM "
                "parts), by_static()); END LOOP; "
                "RETURN said; END $$");
    for (int round = 0; round < 4; ++round) {
        EXPECT_EQ(
            app_.must("SELECT take_turns('{staff,one,both,staff,nothing,unlimited,staff}')")
                .value(),
            "9 9 1,2,3,4,5,6,7,8,9 3 3 1,2,3 5 5 1,2,3,4,5 9 9 1,2,3,4,5,6,7,8,9 0 0 5 5 1,2,3,7,9 "
            "9 9 1,2,3,4,5,6,7,8,9");
    }
}

// DISCARD ALL is what poolers send between clients.
TEST_F(PlanAttackTest, DiscardAllLeavesNobody) {
    sign_in("staff", true);
    app_.must(std::string("PREPARE asked AS ") + kIds + "orders");
    EXPECT_EQ(execute("asked"), "1,2,3,4,5,6,7,8,9");
    app_.must("DISCARD ALL");
    app_.must(std::string("SET ROLE plan_app; PREPARE asked AS ") + kIds + "orders");
    EXPECT_EQ(execute("asked"), kNull);
    EXPECT_EQ(app_.must("SELECT by_static()").value(), kNull);
}

// A schema change between two executions meets the plans that are kept beside the cached one.
TEST_F(PlanAttackTest, SchemaChangesMeetKeptPlans) {
    app_.must(std::string("PREPARE asked AS ") + kIds + "parts; SET enable_seqscan = off");
    const auto expect_all = [&](const char *when) {
        for (const char *login : {"staff", "one", "both", "", "staff", "one"}) {
            app_.must("BEGIN");
            sign_in(login);
            const std::string who = login;
            EXPECT_EQ(execute("asked"), who == "staff"  ? "1,2,3,4,5,6,7,8,9"
                                        : who == "one"  ? "1,2,3"
                                        : who == "both" ? "1,2,3,4,5"
                                                        : kNull)
                << when << " " << login;
            app_.must("COMMIT");
        }
    };
    expect_all("at first");
    admin_.must("CREATE TABLE parts_30 PARTITION OF parts FOR VALUES IN (30)");
    expect_all("with a new partition");
    admin_.must("ALTER TABLE parts DETACH PARTITION parts_30; DROP TABLE parts_30");
    expect_all("without it");
    admin_.must("CREATE INDEX parts_extra ON parts (order_date, customer_id)");
    expect_all("with a new index");
    admin_.must("DROP INDEX parts_extra");
    expect_all("without it");
    admin_.must("ALTER TABLE parts ADD COLUMN extra integer DEFAULT 1; ALTER TABLE parts DROP "
                "COLUMN extra");
    expect_all("with a column come and gone");
    admin_.must("ANALYZE parts");
    expect_all("with statistics");
}

} // namespace
} // namespace entitle::client
