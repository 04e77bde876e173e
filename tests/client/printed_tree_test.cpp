// What debug_print_plan and its like print of statements that run inside a write: a function's
// variables stand in plans as constants, and a trigger's are whole rows (S200).
#include <gtest/gtest.h>

#include <string>

#include "plan_world.hpp"

namespace entitle::client {
namespace {

// The masked cells, as printed constants show their bytes, and as statements spell them.
constexpr const char kCode[] = "83 69 67 82 69 84";
constexpr const char kSpelled[] = "SECRET";

class PrintedTreeTest : public PlanWorld {
  protected:
    void SetUp() override {
        admin_.must(
            "SET client_min_messages = error; CREATE TABLE printed (order_id integer PRIMARY KEY, "
            "customer_id bigint, note text, code text);"
            "INSERT INTO printed VALUES (1, 1, 'n', 'SECRET');"
            "GRANT SELECT, INSERT, UPDATE, DELETE ON printed TO plan_app;"
            "SELECT entitle.protect_table('printed', customer_column => 'customer_id', "
            "external_insert_level => 20, external_update_level => 20, "
            "masked_columns => '{\"code\": 30}');");
        PQsetNoticeProcessor(
            app_.handle(),
            [](void *text, const char *message) {
                for (const char *at = message; *at != '\0'; ++at) {
                    if (*at != '\n') {
                        *static_cast<std::string *>(text) += *at;
                    }
                }
            },
            &printed_);
        app_.must("SET ROLE plan_app; SET jit = off; SET client_min_messages = log; "
                  "SET debug_pretty_print = off");
        sign_in("low", true);
    }

    void TearDown() override {
        app_.must("ROLLBACK; SET client_min_messages = error");
        sign_in("");
        admin_.must("DROP TABLE printed CASCADE; DROP FUNCTION IF EXISTS look(), look_later(), "
                    "fits(text)");
    }

    // What a command, which is taken back, makes the server print; `before` it in its transaction.
    std::string printed(const std::string &command, const std::string &before = "SELECT") {
        app_.must("BEGIN; " + before +
                  "; SET debug_print_plan = on; SET debug_print_parse = on; "
                  "SET debug_print_rewritten = on");
        printed_.clear();
        app_.must(command);
        app_.must("SET CONSTRAINTS ALL IMMEDIATE");
        const std::string text = printed_;
        app_.must("ROLLBACK");
        return text;
    }

    void expect_hidden(const std::string &text) {
        EXPECT_NE(text.find("PLANNEDSTMT"), std::string::npos) << "the command itself is printed";
        EXPECT_EQ(text.find(kCode), std::string::npos);
        EXPECT_EQ(text.find(kSpelled), std::string::npos);
    }

    std::string printed_;
};

TEST_F(PrintedTreeTest, AWriteThroughTheViewPrintsNoStoredRow) {
    expect_hidden(printed("UPDATE printed_view SET note = 'x' WHERE order_id = 1"));
    expect_hidden(printed("INSERT INTO printed_view (order_id, customer_id) VALUES (2, 1)"));
}

TEST_F(PrintedTreeTest, NorDoesATrigger) {
    admin_.must("CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "EXECUTE format('SELECT %L', NEW.code); "
                "IF EXISTS (SELECT FROM pg_class WHERE relname = NEW.code) THEN RETURN NULL; "
                "END IF; RETURN NEW; END $$;"
                "CREATE FUNCTION look_later() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
                "AS $$ BEGIN PERFORM relname FROM pg_class WHERE relname = OLD.code; "
                "RETURN NULL; END $$;"
                "CREATE TRIGGER look BEFORE UPDATE ON printed FOR EACH ROW "
                "EXECUTE FUNCTION look();"
                "CREATE CONSTRAINT TRIGGER look_later AFTER UPDATE ON printed "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION look_later()");
    for (const char *table : {"printed", "printed_view"}) {
        SCOPED_TRACE(table);
        const std::string update = std::string("UPDATE ") + table + " SET note = ";
        expect_hidden(printed(update + "'x' WHERE order_id = 1"));
        // Switched on by an expression of the statement itself, when the row is at hand.
        expect_hidden(printed(update + "set_config('debug_print_plan', 'on', false) "
                                       "WHERE order_id = 1"));
    }
}

TEST_F(PrintedTreeTest, NorDoesACheck) {
    admin_.must("CREATE FUNCTION fits(code text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
                "RETURN NOT EXISTS (SELECT FROM pg_class WHERE relname = code); END $$;"
                "ALTER TABLE printed ADD CHECK (fits(code))");
    for (const char *table : {"printed", "printed_view"}) {
        SCOPED_TRACE(table);
        expect_hidden(
            printed(std::string("UPDATE ") + table + " SET note = 'x' WHERE order_id = 1"));
    }
}

TEST_F(PrintedTreeTest, TheSettingsComeBack) {
    app_.must("SET debug_print_plan = on");
    app_.must("UPDATE printed_view SET note = 'x' WHERE order_id = 1");
    EXPECT_EQ(app_.run("SHOW debug_print_plan").value(), "on");
    app_.must("SET debug_print_plan = off");
}

} // namespace
} // namespace entitle::client
