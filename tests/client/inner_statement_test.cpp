// Inside one long DO block, function or message of several commands each inner statement counts:
// the last valid day and the change of the day are noticed there as a revoke is (R38, R40, R46;
// S151, S152), and rows that were put aside end with the day (S84).
#include <gtest/gtest.h>

#include <iterator>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

// Ways to look at customer 2's rows: each gives true while they show.
const char *const kLooks[] = {
    "(SELECT count(*) FROM orders WHERE customer_id = 2) > 0", // a query
    "entitle.access_level(2) >= 20",                           // expressions that PL/pgSQL
    "entitle.row_allowed('conversions.view', 20, 2::bigint)",  // evaluates by itself
    "2 = ANY(entitle.accessible_customers(20))",
    "entitle.accessible_customer(20, 2) IS NOT NULL",
    "entitle.earliest_visible_date(40) < 'infinity'",
};

const std::string kBefore = "{t,t,t,t,t,t}";
const std::string kAfter = "{f,f,f,f,f,f}";

// Assigns what each look gives to an element of the array.
std::string look(const std::string &array) {
    std::string text;
    int number = 0;
    for (const char *one : kLooks) {
        text += array + "[" + std::to_string(++number) + "] := " + one + "; ";
    }
    return text;
}

// A block that raises what it sees before and after the pause.
std::string look_twice(const std::string &pause) {
    return "DO $$ DECLARE first boolean[]; later boolean[]; BEGIN " + look("first") + pause +
           look("later") +
           "RAISE EXCEPTION 'seen % %', first, later USING ERRCODE = 'XX999'; END $$";
}

// What a command gives that was sent before: the last value, or the message of its error.
std::string read_last(Session &session) {
    std::string last;
    while (PGresult *result = PQgetResult(session.handle())) {
        if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0) {
            last = PQgetvalue(result, PQntuples(result) - 1, 0);
        } else if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
            last = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        }
        PQclear(result);
    }
    return last;
}

class InnerStatementTest : public PlanWorld {
  protected:
    void SetUp() override {
        admin_.must(kGrant);
        // A zone whose day ends with a minute, and both grants with it. PostgreSQL takes no zone
        // that is apart by seconds.
        midnight_ = admin_
                        .must("SELECT date_trunc('minute', clock_timestamp() + interval '8 s') +"
                              " interval '1 min'")
                        .value();
        zone_ = admin_
                    .must("SELECT 'EOD-' || to_char(make_interval(secs => 86400 - extract(epoch "
                          "FROM ('" +
                          midnight_ + "'::timestamptz AT TIME ZONE 'UTC')::time)), 'HH24:MI')")
                    .value();
        admin_.must("UPDATE entitle.external_access SET valid_until = (('" + midnight_ +
                    "'::timestamptz - interval '1 s') AT TIME ZONE '" + zone_ +
                    "')::date WHERE user_id = 104");
    }

    void TearDown() override {
        admin_.must("UPDATE entitle.external_access SET valid_until = NULL WHERE user_id = 104");
        admin_.must(kRevoke);
    }

    // A session of that user's, in whose zone the day is about to end.
    void begin(Session &session) const {
        session.must("SELECT entitle.current_login()"); // the setting is known from now on
        session.must("SET entitle.time_zone = '" + zone_ + "'");
        session.must("SET ROLE plan_app; SELECT entitle.sign_in('unlimited', true)");
    }

    std::string until_midnight() const { return until("0.3 s"); }
    std::string until(const std::string &more) const {
        return "('" + midnight_ + "'::timestamptz + interval '" + more + "')";
    }
    std::string sleep() const { return "pg_sleep_until" + until_midnight(); }
    // No statement either: nothing but expressions runs in it.
    std::string loop() const {
        return "WHILE clock_timestamp() < " + until_midnight() + " LOOP NULL; END LOOP; ";
    }

    void wait_for_the_last_seconds() {
        admin_.must("SELECT pg_sleep_until" + until("-4 s"));
        EXPECT_EQ(admin_.must("SELECT clock_timestamp() < " + until("-2 s")).value(), "t");
    }

    std::string midnight_;
    std::string zone_;
};

// All of it over one midnight: it comes once a minute.
TEST_F(InnerStatementTest, NoticeTheEndOfTheLastValidDay) {
    admin_.must("CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql AS $$ DECLARE first "
                "boolean[]; later boolean[]; BEGIN " +
                look("first") + loop() + look("later") +
                "RETURN concat('seen ', first, ' ', later); END $$;"
                "CREATE FUNCTION planned_look() RETURNS text LANGUAGE plpgsql IMMUTABLE AS"
                " 'BEGIN RETURN look(); END';"
                "CREATE FUNCTION slow_count() RETURNS bigint LANGUAGE plpgsql AS"
                " 'BEGIN PERFORM pg_sleep(0.8); RETURN (SELECT count(*) FROM orders); END'");
    const std::string noticed = "seen " + kBefore + " " + kAfter;
    const struct {
        const char *name;
        std::string command;
        std::string expected;
    } cases[] = {
        {"statements of a block", look_twice("PERFORM " + sleep() + "; "), noticed},
        {"expressions of a block", look_twice(loop()), noticed},
        // The query goes on with the day it began on.
        {"a function in a query", "SELECT look() FROM orders LIMIT 1", noticed},
        {"a function that is called while its query is planned",
         "SELECT planned_look() || ' ' || count(*) FROM orders", noticed + " 0"},
        {"commands of one message", "SELECT " + sleep() + "; SELECT count(*) FROM orders", "0"},
        {"a statement keeps its day",
         "SELECT count(*) FROM orders o, LATERAL (SELECT pg_sleep(0.8), o.order_id) AS slow", "8"},
        {"a statement keeps its day beside inner ones",
         "SELECT count(*) || ' ' || min(n) FROM (SELECT order_id, slow_count() AS n FROM orders"
         " OFFSET 0) AS o",
         "8 0"},
        {"a cursor that tests each row",
         "BEGIN; DECLARE c CURSOR FOR SELECT customer_id FROM orders; FETCH 1 FROM c; SELECT " +
             sleep() + "; MOVE ALL IN c; FETCH BACKWARD ALL FROM c; SELECT 'no row'",
         "no row"},
        {"a cursor that has sorted",
         "BEGIN; DECLARE c CURSOR FOR SELECT customer_id FROM orders ORDER BY amount; FETCH 1 FROM "
         "c; SELECT " +
             sleep() + "; FETCH ALL FROM c",
         "the rights this statement was planned with have changed"},
        {"rows that a cursor holds",
         "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT customer_id FROM orders; COMMIT; SELECT " +
             sleep() + "; FETCH ALL FROM c",
         "the rights this statement was planned with have changed"},
    };
    std::vector<Session> sessions;
    for (std::size_t i = 0; i < std::size(cases); ++i) {
        sessions.push_back(open());
        begin(sessions.back());
    }
    wait_for_the_last_seconds();
    for (std::size_t i = 0; i < std::size(cases); ++i) {
        ASSERT_EQ(PQsendQuery(sessions[i].handle(), cases[i].command.c_str()), 1);
    }
    for (std::size_t i = 0; i < std::size(cases); ++i) {
        EXPECT_EQ(read_last(sessions[i]), cases[i].expected) << cases[i].name;
    }
    admin_.must("DROP FUNCTION planned_look(), look(), slow_count()");
}

// What a block commits or rolls back does not end the rows that it goes on reading (S175).
TEST_F(InnerStatementTest, LoopsGoOnOverCommitsAndRollbacks) {
    begin(app_);
    app_.must(
        "DECLARE reading CURSOR WITH HOLD FOR SELECT customer_id FROM orders ORDER BY amount");
    const Reply reply = app_.run(
        "DO $$ DECLARE c refcursor := 'reading'; r record; n integer := 0; BEGIN"
        " FOR r IN SELECT * FROM orders LOOP n := n + 1; COMMIT; PERFORM 1; END LOOP;"
        " FOR r IN SELECT * FROM orders ORDER BY amount LOOP n := n + 1; ROLLBACK; PERFORM 1;"
        " END LOOP;"
        " LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; n := n + 1; ROLLBACK; PERFORM 1; END LOOP;"
        " RAISE EXCEPTION 'seen %', n USING ERRCODE = 'XX999'; END $$");
    EXPECT_NE(reply.message.find("seen 24"), std::string::npos) << reply.message;
    app_.must("MOVE BACKWARD ALL IN reading");
    EXPECT_EQ(app_.must("FETCH ALL FROM reading").rows.size(), 8U);
}

// A procedure's loop over rows that its first COMMIT has put aside (S84).
TEST_F(InnerStatementTest, HeldRowsOfALoopEnd) {
    begin(app_);
    admin_.must("INSERT INTO orders SELECT i, 2, 2, current_date FROM generate_series(1001, 1200) "
                "AS i; SELECT pg_advisory_lock(8)");
    const std::string loop_with_commits =
        "DO $$ DECLARE r record; n integer := 0; BEGIN"
        " FOR r IN SELECT customer_id FROM orders LOOP n := n + 1; COMMIT;"
        " IF n = 20 THEN PERFORM pg_advisory_lock(8); END IF;"
        " END LOOP; RAISE EXCEPTION '%', n USING ERRCODE = 'XX999'; END $$";
    ASSERT_EQ(PQsendQuery(app_.handle(), loop_with_commits.c_str()), 1);
    while (admin_.must("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
               .value() != "1") {
    }
    admin_.must(kRevoke);
    admin_.must("SELECT pg_advisory_unlock(8)");
    EXPECT_NE(read_last(app_).find("cannot be run"), std::string::npos);
    admin_.must("DELETE FROM orders WHERE order_id > 1000");
}

} // namespace
} // namespace entitle::client
