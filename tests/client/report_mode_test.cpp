// Random statements over tables in report mode, as users of every kind: each gives what it gives to
// a superuser, reads and writes, by every plan (R66). What the report says of them row for row,
// tests/pgtap/report_mode.sql compares.
//
//   ENTITLE_STATEMENTS, ENTITLE_SEED   as random_query_test.cpp has them
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "query_generator.hpp"
#include "session.hpp"

namespace entitle::client {
namespace {

constexpr std::size_t kStatements = 1000;
constexpr std::uint64_t kSeed = 20261130;

std::uint64_t number_setting(const char *name, std::uint64_t otherwise) {
    const char *text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class ReportMode : public ::testing::Test {
  protected:
    static Session make_world() {
        Session cluster;
        cluster.must("DROP DATABASE IF EXISTS report_mode");
        cluster.must("DROP DATABASE IF EXISTS random_query");
        cluster.must("DROP ROLE IF EXISTS rq_app, rq_staff, rq_outsider, rq_inactive");
        cluster.must("CREATE DATABASE report_mode");
        return Session("report_mode");
    }

    // The world of the random queries, with the same declarations in report mode.
    void SetUp() override {
        std::ifstream file("tests/client/random_query_world.sql");
        std::stringstream world;
        world << file.rdbuf();
        admin_.must(world.str());
        admin_.must("DO $$ DECLARE calls text[] := ARRAY(SELECT "
                    "left(entitle_internal.protection_call(p), -2) || ', mode => ''report'')' FROM "
                    "entitle.protection p ORDER BY p.parent IS NOT NULL, p.relation::text); made "
                    "text; BEGIN PERFORM entitle.unprotect_all(); FOREACH made IN ARRAY calls LOOP "
                    "EXECUTE made; END LOOP; END $$");
        // In the place of the filtered views that the statements name.
        for (const char *table : {"contract", "contract_item"}) {
            const std::string view = "rq." + std::string(table) + "_view";
            admin_.must("CREATE VIEW " + view + " WITH (security_invoker) AS SELECT * FROM rq." +
                        table + "; GRANT SELECT ON " + view + ", rq." + table + " TO PUBLIC");
        }
        admin_.must("SET search_path = rq; SET statement_timeout = '20s'; SET jit = off");
        app_.must("SET search_path = rq; SET statement_timeout = '100s'; SET jit = off; SET "
                  "min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0");
    }

    void sign_in();
    std::string settings();
    void compare(const Statement &statement);

    QueryGenerator random_{number_setting("ENTITLE_SEED", kSeed)};
    Session admin_{make_world()};
    Session app_{"report_mode"};
    std::string user_;
    std::size_t failures_ = 0;
    std::size_t with_rows_ = 0;
    std::size_t slow_ = 0;
};

void ReportMode::sign_in() {
    user_ = random_.one_of({"", "viewer", "seller", "everything", "other brand", "owner", "alone",
                            "basic", "prices", "admin", "mixed", "one customer", "many customers",
                            "unlimited", "goods outside", "nothing"});
    app_.must("RESET ROLE; SELECT entitle.sign_out()");
    if (!user_.empty()) {
        app_.must("SELECT entitle.sign_in('" + user_ + "', true)");
    }
    app_.must("SET ROLE rq_app");
}

std::string ReportMode::settings() {
    std::string text;
    for (const char *name :
         {"enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan",
          "enable_hashjoin", "enable_mergejoin", "enable_nestloop", "enable_sort",
          "enable_material", "enable_memoize", "enable_partition_pruning"}) {
        if (random_.chance(20)) {
            text += std::string("SET LOCAL ") + name + " = off; ";
        }
    }
    if (random_.chance(25)) {
        text += "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; ";
    }
    return text;
}

void ReportMode::compare(const Statement &statement) {
    const std::string &text = statement.text;
    admin_.must("BEGIN");
    Reply wanted = admin_.run(text);
    admin_.must("ROLLBACK");
    const std::string how = settings();
    app_.must("BEGIN; " + how);
    Reply given = random_.chance(50) ? app_.run(text) : app_.run_extended(text);
    app_.must(given.ok() && (statement.target.empty() || random_.chance(10)) ? "COMMIT"
                                                                             : "ROLLBACK");
    if (wanted.error == "57014" || given.error == "57014") {
        ++slow_; // a statement that no machine answers in time says nothing
        return;
    }
    trim_scales(wanted.rows);
    trim_scales(given.rows);
    std::sort(wanted.rows.begin(), wanted.rows.end());
    std::sort(given.rows.begin(), given.rows.end());
    with_rows_ += given.rows.empty() ? 0 : 1;
    if (wanted.error != given.error || wanted.rows != given.rows || wanted.tag != given.tag) {
        ++failures_;
        ADD_FAILURE() << "as \"" << user_ << "\": " << how << text << "\n"
                      << wanted.error << " " << wanted.tag << ", then " << given.error << " "
                      << given.message << " " << given.tag;
    }
}

TEST_F(ReportMode, GivesWhatIsThere) {
    const std::size_t wanted = number_setting("ENTITLE_STATEMENTS", kStatements);
    for (std::size_t done = 0; done < wanted && failures_ < 5; ++done) {
        if (done % 4 == 0) {
            sign_in();
        }
        compare(random_.statement());
    }
    EXPECT_LT(slow_ * 100, wanted);
    EXPECT_GT(with_rows_ * 3, wanted);
    EXPECT_GT(std::stoi(admin_
                            .must("SELECT count(DISTINCT (relation, action)) FROM "
                                  "entitle.protection_report()")
                            .value()),
              10);
}

} // namespace
} // namespace entitle::client
