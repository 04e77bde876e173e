// Attacks on what a backend keeps in memory, one by one: keys and rights that were rolled back,
// plans that are run again, variants of plans, and memory itself.
#include <gtest/gtest.h>

#include <fstream>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

class RightsAttackTest : public PlanWorld {
  protected:
    void SetUp() override {
        app_.must("SET ROLE plan_app; SET plan_cache_mode = force_generic_plan; SET jit = off");
    }

    // The memory that a server process may write to, in megabytes.
    static double megabytes(Session &session) {
        std::ifstream status("/proc/" + session.must("SELECT pg_backend_pid()").value() +
                             "/status");
        std::string word;
        double kilobytes = 0;
        while (status >> word) {
            if (word == "VmData:") {
                status >> kilobytes;
            }
        }
        return kilobytes / 1024;
    }

    // Changes users and grants in bulk. All triggers of the model fire always.
    void without_triggers(const std::string &commands) {
        const auto all = [](const std::string &state) {
            return "DO $$ DECLARE t record; BEGIN FOR t IN SELECT tgrelid::regclass AS relation, "
                   "tgname FROM pg_trigger WHERE tgrelid IN ('entitle.external_access'::regclass, "
                   "'entitle.app_user'::regclass) AND NOT tgisinternal LOOP EXECUTE format('ALTER "
                   "TABLE %s " +
                   state + " TRIGGER %I', t.relation, t.tgname); END LOOP; END $$;";
        };
        admin_.must("BEGIN; SET LOCAL session_replication_role = replica;" + all("DISABLE") +
                    commands + ";" + all("ENABLE ALWAYS") + "COMMIT");
    }
};

// R48, S94: PostgreSQL simplifies the condition of an EXISTS behind an OR with the outer query at
// hand, in which the row test's column is another table's, or nobody's.
TEST_F(RightsAttackTest, ARowTestInAnotherQuerysExists) {
    app_.must("CREATE TEMP TABLE small (id integer, x boolean); INSERT INTO small VALUES (1, "
              "false), (2, true); CREATE TEMP TABLE own (id integer, customer_id bigint); "
              "INSERT INTO own VALUES (1, 1)");
    sign_in("one", true);
    for (int others = 0; others <= 12; ++others) {
        SCOPED_TRACE(others);
        std::string tables;
        for (int i = 0; i < others; ++i) {
            tables += "(SELECT " + std::to_string(i) + ") a" + std::to_string(i) + ", ";
        }
        const std::string query = "SELECT count(*) FROM small WHERE x OR EXISTS (SELECT FROM " +
                                  tables +
                                  "own p WHERE entitle.row_allowed(NULL, 10, p.customer_id) AND "
                                  "p.id = small.id)";
        EXPECT_EQ(app_.run(query).value(), "2");
        EXPECT_EQ(app_.run("SELECT count(*) FROM small WHERE x OR EXISTS (SELECT FROM " + tables +
                           "parts p WHERE p.order_id = small.id)")
                      .value(),
                  "2");
    }
    sign_in("");
}

// R47, S15: the key of a customer whose row was rolled back stands for nobody.
TEST_F(RightsAttackTest, KeysOfCustomersThatNeverWere) {
    const std::string insert =
        "INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, customer_code, "
        "customer_uuid) VALUES (5000, 'a', 'b', 'c', 'NEW', "
        "'5f7bd0a3-0000-0000-0000-000000000000')";
    const std::string level = "SELECT entitle.access_level('NEW'::text) || ' ' || "
                              "entitle.access_level('5f7bd0a3-0000-0000-0000-000000000000'::uuid)";
    admin_.must("SET entitle.identity = '102'");
    for (const char *rollback : {"ROLLBACK", "ROLLBACK TO a; COMMIT"}) {
        SCOPED_TRACE(rollback);
        // Asked for once, the key is known, though nobody has a grant on it yet.
        admin_.must("BEGIN; SAVEPOINT a; " + insert);
        EXPECT_EQ(admin_.run(level).value(), "0 0");
        admin_.must(rollback);
        // Another customer takes the key; the number of the one that never was is somebody else's.
        admin_.must("INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, "
                    "customer_code, customer_uuid) VALUES (5000, 'a', 'b', 'c', 'OTHER', DEFAULT), "
                    "(5001, 'a', 'b', 'c', 'NEW', '5f7bd0a3-0000-0000-0000-000000000000'); INSERT "
                    "INTO entitle.external_access VALUES (5000, 102, 'L40', NULL)");
        EXPECT_EQ(admin_.run(level).value(), "0 0");
        EXPECT_EQ(admin_.run("SELECT entitle.access_level('OTHER'::text)").value(), "40");
        admin_.must("DELETE FROM entitle.external_access WHERE customer_id = 5000; DELETE FROM "
                    "entitle.customer WHERE customer_id >= 5000");
    }
}

// R47, S15: a statement that runs others inside sees its own rows; when it fails, PostgreSQL drops
// the signals of those rows unapplied.
TEST_F(RightsAttackTest, RightsSeenInAStatementThatFailed) {
    admin_.must("CREATE TABLE side (x integer); CREATE FUNCTION nested() RETURNS boolean LANGUAGE "
                "plpgsql AS $$ BEGIN INSERT INTO side VALUES (1); RETURN true; END $$");
    const std::string grants =
        "INSERT INTO entitle.external_access (customer_id, user_id, role) SELECT 37 + i, 105, "
        "'L40' FROM generate_series(1, 2) AS i WHERE CASE i WHEN 1 THEN nested() ELSE 1 / "
        "(entitle.user_access_level(105, 38) - 40) = 1 END";
    const std::string memberships =
        "INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 105, i, 101 FROM "
        "generate_series(1, 2) AS i WHERE CASE i WHEN 1 THEN nested() ELSE 1 / "
        "(entitle.user_has_permission(105, 'pages.view', 1)::integer - 1) = 1 END";
    const std::string rights = "SELECT entitle.user_access_level(105, 38) || ' ' || "
                               "entitle.user_has_permission(105, 'pages.view', 1)";
    for (const std::string &statement : {grants, memberships}) {
        for (const char *begin : {"BEGIN", "BEGIN; SAVEPOINT a"}) {
            SCOPED_TRACE(statement + begin);
            Session fresh = open(); // which was asked nothing yet
            fresh.must(begin);
            // Division by zero: the statement has seen its own row.
            EXPECT_EQ(fresh.run(statement).error, "22012");
            fresh.must(std::string(begin) == "BEGIN" ? "ROLLBACK" : "ROLLBACK TO a");
            EXPECT_EQ(fresh.run(rights).value(), "0 false");
        }
        Session fresh = open();
        EXPECT_EQ(fresh.run(statement).error, "22012");
        EXPECT_EQ(fresh.run(rights).value(), "0 false");
    }
    admin_.must("DROP FUNCTION nested; DROP TABLE side");
}

// R3, S5: an SQL function runs one plan as often as it is called, under whoever is asking.
TEST_F(RightsAttackTest, AnSqlFunctionUnderOneUserAfterTheOther) {
    for (int round = 0; round < 2; ++round) {
        const Reply reply = app_.run(
            "DO $$ DECLARE who text; ids text; seen text := ''; BEGIN FOREACH who IN ARRAY "
            "'{staff,one,both,staff,one,nothing,staff}'::text[] LOOP PERFORM "
            "entitle.sign_in(who); ids := by_sql(); seen := seen || coalesce(ids, '-') || ';'; END "
            "LOOP; PERFORM set_config('test.seen', seen, false); END $$");
        EXPECT_EQ(reply.error, "");
        EXPECT_EQ(app_.run("SELECT current_setting('test.seen')").value(),
                  "1,2,3,4,5,6,7,8,9;1,2,3;1,2,3,4,5;1,2,3,4,5,6,7,8,9;1,2,3;-;1,2,3,4,5,6,7,8,9;");
    }
}

// R46, S12: the model's own tables show by the rights of now, however old the snapshot.
TEST_F(RightsAttackTest, ModelTablesUnderAnOldSnapshot) {
    admin_.must("GRANT SELECT ON entitle.membership, entitle.permission TO plan_app");
    const std::string count = "SELECT (SELECT count(*) > 0 FROM entitle.membership) || ' ' || "
                              "(SELECT count(*) > 0 FROM entitle.permission)";
    for (const char *level : {"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"}) {
        SCOPED_TRACE(level);
        admin_.must("INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES "
                    "(105, 1, true)");
        app_.must(std::string("BEGIN ISOLATION LEVEL ") + level);
        sign_in("nothing");
        EXPECT_EQ(app_.run(count).value(), "true true");
        admin_.must("UPDATE entitle.app_user SET is_active = false WHERE user_id = 105");
        EXPECT_EQ(app_.run(count).value(), "false false");
        admin_.must("DELETE FROM entitle.membership WHERE user_id = 105; UPDATE entitle.app_user "
                    "SET is_active = true WHERE user_id = 105");
        // The old snapshot still has the membership; organization 1 is owned no more.
        EXPECT_EQ(app_.run("SELECT count(*) FROM entitle.membership WHERE user_id <> 105").value(),
                  "0");
        app_.must("ROLLBACK");
    }
    admin_.must("REVOKE SELECT ON entitle.membership, entitle.permission FROM plan_app");
}

// S10: a variant calls what the plan it stands for did not: nobody told it that a function became
// another.
TEST_F(RightsAttackTest, VariantsAfterAFunctionBecameAnother) {
    admin_.must(
        "CREATE FUNCTION inner_test(bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 = "
        "3'; CREATE FUNCTION outer_test(bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT "
        "inner_test($1)'; CREATE POLICY beside ON orders FOR SELECT USING "
        "(outer_test(customer_id))");
    app_.must("PREPARE asked AS SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM "
              "orders");
    const auto seen = [&] {
        return app_.run("EXECUTE asked").value();
    };
    for (int round = 0; round < 2; ++round) {
        sign_in("staff", true);
        EXPECT_EQ(seen(), "1,2,3,4,5,6,7,8,9");
        sign_in("nothing", true);
        EXPECT_EQ(seen(), "6");
        admin_.must("CREATE OR REPLACE FUNCTION inner_test(bigint) RETURNS boolean LANGUAGE sql "
                    "STABLE AS 'SELECT false'");
        EXPECT_EQ(seen(), kNull);
        admin_.must("CREATE OR REPLACE FUNCTION inner_test(bigint) RETURNS boolean LANGUAGE sql "
                    "STABLE AS 'SELECT $1 = 3'");
        EXPECT_EQ(seen(), "6");
    }
    sign_in("");
    admin_.must("DROP POLICY beside ON orders; DROP FUNCTION outer_test, inner_test");
}

// S6: PostgreSQL decides by the cached plan that a cursor can go back; the plan put in its place
// must be able to.
TEST_F(RightsAttackTest, CursorsOfExchangedPlansGoBack) {
    app_.must("SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = "
              "off; CREATE FUNCTION pg_temp.opened() RETURNS refcursor LANGUAGE plpgsql AS $$ "
              "DECLARE c refcursor := 'reading'; BEGIN OPEN c FOR SELECT order_id FROM orders; "
              "RETURN c; END $$");
    const auto fetch = [&](const std::string &how) {
        std::string ids;
        for (const Row &row : app_.must("FETCH " + how + " FROM reading").rows) {
            ids += row[0];
        }
        return ids;
    };
    for (const char *login : {"staff", "both", "one", "staff", "both"}) {
        SCOPED_TRACE(login);
        app_.must("BEGIN");
        sign_in(login);
        app_.must("SELECT pg_temp.opened()");
        EXPECT_EQ(fetch("3"), "123");
        EXPECT_EQ(fetch("BACKWARD 2"), "21");
        EXPECT_EQ(fetch("2"), "23");
        app_.must("COMMIT");
    }
}

// S91: a question with a long permission leaves nothing behind.
TEST_F(RightsAttackTest, LongPermissionsAreNotKept) {
    sign_in("one", true);
    const auto ask = [&](int number) {
        EXPECT_EQ(app_.run("SELECT count(*) FROM orders WHERE entitle.row_allowed(repeat('" +
                           std::to_string(10 + number) + "', 5000000), 10, customer_id)")
                      .value(),
                  "3");
    };
    ask(0);
    const double before = megabytes(app_);
    for (int number = 1; number <= 12; ++number) {
        ask(number);
    }
    // Twelve kept ones would be 120; allocators give back what one question took in steps of ten.
    EXPECT_LT(megabytes(app_) - before, 60);
    sign_in("");
}

// S91: however many grants a backend was asked about, it keeps a bounded number of them: 400,000 of
// 24 bytes.
TEST_F(RightsAttackTest, GrantsAreKeptUpToABound) {
    without_triggers(
        "INSERT INTO entitle.app_user (user_id, login) SELECT 1000 + u, 'many ' || u FROM "
        "generate_series(1, 60) AS u; INSERT INTO entitle.external_access (customer_id, user_id, "
        "role) SELECT 10000 + c, 1000 + u, 'L40' FROM generate_series(1, 60) AS u, "
        "generate_series(1, 15000) AS c");
    Session reader = open();
    const auto as = [&](int user) {
        return "SET entitle.identity = '" + std::to_string(user) + "'";
    };
    // First all are known, then all are loaded.
    for (const char *question : {"SELECT entitle.has_permission('pages.view')",
                                 "SELECT cardinality(entitle.accessible_customers())"}) {
        const double before = megabytes(reader);
        for (int user = 1001; user <= 1060; ++user) {
            reader.must(as(user));
            reader.must(question);
        }
        EXPECT_LT(megabytes(reader) - before, 16) << question;
    }
    EXPECT_EQ(reader.must("SELECT cardinality(entitle.accessible_customers())").value(), "15000");
    without_triggers("DELETE FROM entitle.external_access WHERE user_id > 1000; DELETE FROM "
                     "entitle.app_user WHERE user_id > 1000");
}

} // namespace
} // namespace entitle::client
