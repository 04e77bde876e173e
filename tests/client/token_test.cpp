// Signed tokens put to a server: every algorithm, by sign_in_token and by entitle.token; the corpus
// of what must be refused with one message; expiry at every statement; rotation by reload; what can
// be seen of keys and tokens (S110 to S116, S118 to S122; R46, R48, R50).
#include "world.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "../token/corpus.hpp"
#include "../token/forge.hpp"

namespace entitle::client {

namespace {

constexpr const char kWho[] = "SELECT entitle.current_login()";
constexpr const char kSignIn[] = "SELECT entitle.sign_in_token($1, true)";

class Token : public testing::Test {
  protected:
    void SetUp() override {
        write_keys(issuer.key_file());
        ask(administrator, "SELECT 1 FROM entitle.current_user_id()"); // loads the library
        set("entitle.token_keys_file", file());
        set("entitle.token_audience", forge::kAudience);
        set("entitle.token_issuer", forge::kIssuer);
        administrator.run("INSERT INTO entitle.app_user (login) VALUES ('ann'), ('bob')");
        administrator.run("INSERT INTO entitle.app_user (login, is_active) VALUES ('gone', false)");
        administrator.run("CREATE ROLE token_app LOGIN");
        administrator.run("GRANT EXECUTE ON FUNCTION entitle.sign_in_token, entitle.sign_in, "
                          "entitle.sign_out TO token_app");
        await(administrator);
    }

    void TearDown() override {
        for (const char *name :
             {"entitle.token_keys_file", "entitle.token_audience", "entitle.token_issuer"}) {
            administrator.run(std::string("ALTER SYSTEM RESET ") + name);
        }
        await(administrator);
        administrator.run("DELETE FROM entitle.app_user WHERE login IN ('ann', 'bob', 'gone')");
        administrator.run("DROP OWNED BY token_app; DROP ROLE token_app");
        std::remove(file().c_str());
    }

    // In the folder the tests start in, which the server can read.
    static std::string file() { return std::filesystem::absolute("token_keys.json").string(); }

    static void write_keys(const std::string &text) { std::ofstream(file()) << text; }

    void set(const std::string &name, const std::string &value) {
        const Reply answer = administrator.run("ALTER SYSTEM SET " + name + " = '" + value + "'");
        ASSERT_TRUE(answer.ok()) << answer.message;
    }

    // Reloads the configuration, and waits until the connection has taken it in: a backend does so
    // before its next command, once the signal has come.
    void await(Session &connection) {
        const std::string newest = ask(administrator, "SELECT clock_timestamp()");
        administrator.run("SELECT pg_reload_conf()");
        for (int i = 0; i < 1000; ++i) {
            if (ask(connection, "SELECT pg_conf_load_time() >= '" + newest + "'") == "t") {
                return;
            }
            connection.run("SELECT pg_sleep(0.01)");
        }
        FAIL() << "the configuration was not reloaded";
    }

    static Session application(const std::string &more = "") {
        return Session(std::getenv("PGDATABASE") + (" user=token_app " + more));
    }

    static std::int64_t now() { return std::time(nullptr); }

    std::string good(const std::string &id, const std::string &login = "ann") const {
        return issuer.token(id, forge::claims_of(login, now() + 3600));
    }

    const forge::Issuer issuer;
    Session administrator;
};

TEST_F(Token, SignsInByEveryAlgorithm) {
    Session connection = application();
    for (const char *id : {"h1", "r1", "e1", "d1"}) {
        EXPECT_EQ(ask(connection, kSignIn, {good(id)}),
                  ask(administrator, "SELECT user_id FROM entitle.app_user WHERE login = 'ann'"));
        EXPECT_EQ(ask(connection, kWho), "ann") << id;
        ask(connection, "SELECT entitle.sign_out()");
        EXPECT_EQ(ask(connection, kWho), kNull);
        ask(connection, "SELECT set_config('entitle.token', $1, false)", {good(id, "bob")});
        EXPECT_EQ(ask(connection, kWho), "bob") << id;
        connection.run("RESET entitle.token");
        EXPECT_EQ(ask(connection, kWho), kNull);
    }
}

TEST_F(Token, RefusesTheCorpusWithOneMessage) {
    auto cases = forge::bad_tokens(issuer, "ann", now());
    for (const char *login : {"nobody", "Ann", "ann ", " ann", "1", "\xC3\xA5nn"}) {
        cases.push_back({std::string("login ") + login, good("e1", login)});
    }
    EXPECT_GE(cases.size(), 200U);
    RecordProperty("cases", static_cast<int>(cases.size()));
    Session connection = application();
    connection.run("SET client_min_messages = debug1"); // the cause would show
    int shown = 0;
    PQsetNoticeReceiver(
        connection.handle(), [](void *count, const PGresult *) { ++*static_cast<int *>(count); },
        &shown);
    for (const auto &bad : cases) {
        // Text of the protocol ends at NUL and is UTF-8: nothing else gets as far as the token.
        if (bad.token.find('\0') != std::string::npos) {
            continue;
        }
        const Reply answer = connection.run_extended(kSignIn, {bad.token});
        EXPECT_EQ(answer.error, "28000") << bad.name;
        EXPECT_NE(answer.message.find("the token does not verify"), std::string::npos) << bad.name;
        EXPECT_EQ(answer.message.find("signature"), std::string::npos) << bad.name;
        EXPECT_EQ(ask(connection, kWho), kNull) << bad.name;
        // Shown instead of signed in with, it is nobody, and no error of any check (R48). An
        // empty one is none.
        ask(connection, "SELECT set_config('entitle.token', $1, false)", {bad.token});
        EXPECT_EQ(ask(connection, kWho), kNull) << bad.name;
        EXPECT_EQ(ask(connection, "SELECT entitle.has_permission('customers.view')"), "f");
        connection.run("RESET entitle.token");
    }
    EXPECT_EQ(shown, 0);
    // Nobody signs an inactive user in; shown, the token is that user, who is denied everything.
    EXPECT_EQ(connection.run_extended(kSignIn, {good("e1", "gone")}).error, "28000");
    ask(connection, "SELECT set_config('entitle.token', $1, false)", {good("e1", "gone")});
    EXPECT_EQ(ask(connection, kWho), kNull);
    EXPECT_EQ(connection.run("SELECT entitle.use_customer(1)").error, "42501");
}

TEST_F(Token, EndsBetweenStatements) {
    Session signed_in = application();
    Session shown = application();
    const std::string token = issuer.token("h1", forge::claims_of("ann", now() + 2));
    ask(signed_in, kSignIn, {token});
    ask(shown, "SELECT set_config('entitle.token', $1, false)", {token});
    EXPECT_EQ(ask(signed_in, kWho), "ann");
    EXPECT_EQ(ask(shown, kWho), "ann");
    signed_in.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    signed_in.run("SELECT pg_sleep(2.1)");
    EXPECT_EQ(ask(signed_in, kWho), kNull); // S113
    EXPECT_EQ(ask(shown, kWho), kNull);
    EXPECT_EQ(signed_in.run_extended(kSignIn, {token}).error, "28000");
    signed_in.run("ROLLBACK");
}

// Inside a block the end is noticed by the next inner statement, and by an expression (S153).
TEST_F(Token, EndsInsideABlock) {
    for (const bool is_signed_in : {false, true}) {
        Session app = application();
        const std::string token = issuer.token("h1", forge::claims_of("ann", now() + 2));
        if (is_signed_in) {
            ask(app, kSignIn, {token});
        } else {
            ask(app, "SELECT set_config('entitle.token', $1, false) IS NULL", {token});
        }
        const Reply reply = app.run(
            "DO $$ DECLARE seen text[]; BEGIN seen := ARRAY[entitle.current_login()];"
            " PERFORM pg_sleep(3); seen := seen || (SELECT entitle.current_login())"
            " || entitle.current_login(); RAISE EXCEPTION '%', seen USING ERRCODE = 'XX999';"
            " END $$");
        EXPECT_NE(reply.message.find("{ann,NULL,NULL}"), std::string::npos) << reply.message;
    }
}

TEST_F(Token, BeginsWhenItsTimeHasCome) {
    Session connection = application();
    const std::string claims = forge::claims_of("ann", now() + 3600);
    const std::string later =
        claims.substr(0, claims.size() - 1) + ",\"nbf\":" + std::to_string(now() + 62) + "}";
    ask(connection, "SELECT set_config('entitle.token', $1, false)", {issuer.token("d1", later)});
    EXPECT_EQ(ask(connection, kWho), kNull);
    connection.run("SELECT pg_sleep(2.1)");
    EXPECT_EQ(ask(connection, kWho), "ann");
}

TEST_F(Token, GoesBehindWhoIsSignedInAndBeforeTheRole) {
    administrator.run("UPDATE entitle.app_user SET db_role = 'token_app' WHERE login = 'bob'");
    Session connection = application();
    EXPECT_EQ(ask(connection, kWho), "bob");
    ask(connection, "SELECT set_config('entitle.token', $1, false)", {good("e1")});
    EXPECT_EQ(ask(connection, kWho), "ann");
    ask(connection, "SELECT entitle.sign_in('bob', true)");
    EXPECT_EQ(ask(connection, kWho), "bob");
    ask(connection, "SELECT entitle.sign_out()");
    EXPECT_EQ(ask(connection, kWho), "ann");
    connection.run("SET entitle.token = 'x'");
    EXPECT_EQ(ask(connection, kWho), kNull); // no falling back to the role
    connection.run("DISCARD ALL");
    EXPECT_EQ(ask(connection, kWho), "bob");
}

TEST_F(Token, FollowsTransactionsAndConnections) {
    Session connection = application();
    connection.run("BEGIN");
    ask(connection, "SELECT set_config('entitle.token', $1, true)", {good("h1")});
    connection.run("SAVEPOINT s");
    ask(connection, "SELECT set_config('entitle.token', $1, true)", {good("h1", "bob")});
    EXPECT_EQ(ask(connection, kWho), "bob");
    connection.run("ROLLBACK TO s");
    EXPECT_EQ(ask(connection, kWho), "ann");
    connection.run("COMMIT");
    EXPECT_EQ(ask(connection, kWho), kNull);
    // With the connection's options, before the library is loaded.
    Session started = application("options='-c entitle.token=" + good("r1") + "'");
    EXPECT_EQ(ask(started, kWho), "ann");
    // One statement, as poolers in statement mode pass on.
    EXPECT_EQ(connection.run("SET LOCAL entitle.token = '" + good("r1") + "'; " + kWho).value(),
              "ann");
    EXPECT_EQ(ask(connection, kWho), kNull);
}

TEST_F(Token, ReachesParallelWorkers) {
    Session connection = application();
    ask(connection, "SELECT set_config('entitle.token', $1, false)", {good("e1")});
    // The setting has another name since PostgreSQL 16.
    connection.must("SELECT set_config(name, 'on', false) FROM pg_settings "
                    "WHERE name IN ('force_parallel_mode', 'debug_parallel_query')");
    EXPECT_EQ(ask(connection, kWho), "ann");
    connection.run("RESET entitle.token");
    ask(connection, kSignIn, {good("e1", "bob")});
    EXPECT_EQ(ask(connection, kWho), "bob");
}

TEST_F(Token, FollowsTheUsersOwnFate) {
    Session connection = application();
    ask(connection, "SELECT set_config('entitle.token', $1, false)", {good("e1")});
    EXPECT_EQ(ask(connection, kWho), "ann");
    administrator.run("UPDATE entitle.app_user SET login = 'anna' WHERE login = 'ann'");
    EXPECT_EQ(ask(connection, kWho), kNull);
    administrator.run("UPDATE entitle.app_user SET login = 'ann' WHERE login = 'anna'");
    EXPECT_EQ(ask(connection, kWho), "ann");
    administrator.run("DELETE FROM entitle.app_user WHERE login = 'ann'");
    EXPECT_EQ(ask(connection, kWho), kNull);
    administrator.run("INSERT INTO entitle.app_user (login) VALUES ('ann')");
    EXPECT_EQ(ask(connection, kWho), "ann");
}

TEST_F(Token, BelievesNoRights) {
    Session connection = application();
    const std::string claims = forge::claims_of("ann", now() + 3600);
    ask(connection, kSignIn,
        {issuer.token("h1", claims.substr(0, claims.size() - 1) +
                                R"(,"role":"postgres","level":90,"is_owner":true})")});
    EXPECT_EQ(ask(connection, "SELECT current_user"), "token_app");
    EXPECT_EQ(ask(connection, "SELECT entitle.has_permission('customers.view')"), "f"); // S120
}

TEST_F(Token, RotatesKeysOnReload) {
    Session shown = application();
    Session signed_in = application();
    ask(shown, "SELECT set_config('entitle.token', $1, false)", {good("e1")});
    ask(signed_in, kSignIn, {good("e1")});
    EXPECT_EQ(ask(shown, kWho), "ann");
    write_keys(R"({"keys":[)" + issuer.entry("r1") + "]}");
    EXPECT_EQ(ask(shown, kWho), "ann"); // not before the reload
    await(shown);
    EXPECT_EQ(ask(shown, kWho), kNull);
    EXPECT_EQ(shown.run_extended(kSignIn, {good("e1")}).error, "28000");
    EXPECT_EQ(shown.run_extended(kSignIn, {good("r1")}).error, "");
    EXPECT_EQ(ask(signed_in, kWho), "ann"); // signed in until the token ends
    ask(shown, "SELECT entitle.sign_out()");
    // A file that cannot be used leaves no keys.
    for (const std::string &bad :
         {std::string("{"), std::string(), issuer.entry("e1"),
          R"({"keys":[)" + issuer.entry("e1") + "," + issuer.entry("e1") + "]}"}) {
        write_keys(bad);
        await(shown);
        EXPECT_EQ(ask(shown, kWho), kNull) << bad.substr(0, 20);
    }
    write_keys(issuer.key_file());
    await(shown);
    EXPECT_EQ(ask(shown, kWho), "ann");
    chmod(file().c_str(), 0666);
    await(shown);
    EXPECT_EQ(ask(shown, kWho), kNull) << "whoever writes the keys is everyone";
    std::remove(file().c_str());
    await(shown);
    EXPECT_EQ(ask(shown, kWho), kNull);
}

TEST_F(Token, ShowsKeysNowhere) {
    Session connection = application();
    const std::string token = good("h1");
    ask(connection, kSignIn, {token});
    const std::string refused = issuer.token("h1", "{}");
    EXPECT_EQ(connection.run("SELECT entitle.sign_in_token('" + refused + "')").error, "28000");
    const std::string secret = forge::base64url(issuer.secret);
    connection.run("SET debug_print_plan = on; SET debug_print_parse = on; "
                   "SET client_min_messages = debug5");
    std::string seen;
    PQsetNoticeReceiver(
        connection.handle(),
        [](void *text, const PGresult *result) {
            *static_cast<std::string *>(text) +=
                PQresultVerboseErrorMessage(result, PQERRORS_VERBOSE, PQSHOW_CONTEXT_ALWAYS);
        },
        &seen);
    ask(connection, kSignIn, {good("r1")});
    connection.run(kWho);
    EXPECT_EQ(seen.find(secret), std::string::npos);
    for (const char *query :
         {"SELECT string_agg(name || coalesce(setting, ''), '') FROM pg_settings",
          "SELECT string_agg(p::text, '') FROM pg_proc p WHERE pronamespace = "
          "'entitle'::regnamespace",
          "SELECT string_agg(a::text, '') FROM pg_stat_activity a",
          "SELECT pg_read_file(pg_current_logfile())"}) {
        const Reply answer = administrator.run(query);
        if (answer.ok()) {
            EXPECT_EQ(answer.value().find(secret), std::string::npos) << query;
        }
    }
    // The server's log tells causes, and shows no token that was given for signing in.
    std::ifstream log("../server.log");
    const std::string text((std::istreambuf_iterator<char>(log)), {});
    EXPECT_NE(text.find("a token was refused: it is from another issuer"), std::string::npos);
    EXPECT_EQ(text.find(secret), std::string::npos);
    EXPECT_EQ(text.find(refused), std::string::npos);
}

} // namespace

} // namespace entitle::client
