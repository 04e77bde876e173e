// Memory that runs out (S350), and statements that are cancelled. Where an allocation fails, the
// statement gives its right answer or an error; it never gives another answer, and the session's
// next statement gives the right one (R48).
//
// The server must have been started with tests/campaign/shim/malloc_fault.cpp in front of the C
// library's malloc.
#include "campaign.hpp"

#include "../client/session.hpp"

#include <memory>

namespace entitle::campaign {

namespace {

constexpr int kMany = 20; // allocations that fail one after the other

struct Scene {
    const char *name;
    const char *role;
    std::vector<std::string> before; // what the session has done already
    const char *disturb;             // what an administrator does then
    std::string question;
    std::string answer; // its rows, as `joined` writes them
};

const std::vector<Scene> &scenes() {
    static const std::string ids = "SELECT id FROM doc ORDER BY id";
    static const std::string prices = "SELECT id, price FROM doc_view ORDER BY id";
    static const std::vector<Scene> all = {
        {"the library loads", "fault_ann", {}, "", ids, "1;2;3;"},
        {"the library loads for staff", "fault_bob", {}, "", "SELECT count(*) FROM doc", "40;"},
        {"a check is the first question",
         "fault_ann",
         {},
         "",
         "SELECT entitle.access_level(1), entitle.access_level(7)",
         "20,0;"},
        {"rights are loaded",
         "fault_ann",
         {ids},
         "UPDATE entitle.app_user SET full_name = 'x' WHERE user_id = 1",
         ids,
         "1;2;3;"},
        {"the catalogue is loaded",
         "fault_bob",
         {ids},
         "UPDATE entitle.permission SET description = 'x'",
         "SELECT count(*) FROM doc",
         "40;"},
        {"a query is planned",
         "fault_ann",
         {ids},
         "",
         "SELECT d.id FROM doc d JOIN doc e USING (customer_id) WHERE e.id > 1 ORDER BY 1",
         "2;3;"},
        {"a mask", "fault_ann", {}, "", prices, "1,(null);2,(null);3,30;"},
        {"a mask, planned before",
         "fault_ann",
         {prices},
         "UPDATE entitle.app_user SET full_name = 'x' WHERE user_id = 1",
         prices,
         "1,(null);2,(null);3,30;"},
        {"a sign-in", "fault_pool", {}, "", "SELECT entitle.sign_in('ann', true)", "1;"},
        {"a second sign-in",
         "fault_pool",
         {"SELECT entitle.sign_in('eve', true)", ids},
         "",
         "SELECT entitle.sign_in('ann', true)",
         "1;"},
        {"a write",
         "fault_ann",
         {},
         "",
         "UPDATE doc SET day = day WHERE id IN (2, 7) RETURNING id",
         "2;"},
        {"a write through the view",
         "fault_ann",
         {ids},
         "",
         "UPDATE doc_view SET day = day WHERE id IN (2, 7) RETURNING id",
         "2;"},
        {"a refused grant",
         "fault_ann",
         {ids},
         "",
         "SELECT entitle.access_level(7), count(*) FROM doc",
         "0,3;"},
        {"an explanation",
         "fault_ann",
         {},
         "",
         "SELECT passed FROM entitle.explain_row('doc', '2') WHERE gate = 'decision'",
         "t;"},
        {"an explanation of a hidden row",
         "fault_ann",
         {},
         "",
         "SELECT passed FROM entitle.explain_row('doc', '9') WHERE gate = 'decision'",
         "f;"},
    };
    return all;
}

std::string joined(const client::Reply &reply) {
    std::string text;
    for (const client::Row &row : reply.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += (i > 0 ? "," : "") + row[i];
        }
        text += ";";
    }
    return text;
}

class Faults {
  public:
    explicit Faults(Report &report) : report_(report) {}

    // Fails `count` allocations after `skip`. Returns whether one failed.
    bool try_once(const Scene &scene, int skip, int count) {
        const auto session = open(scene.role);
        for (const std::string &earlier : scene.before) {
            session->must(earlier);
        }
        if (*scene.disturb != '\0') {
            administrator_.must(scene.disturb);
        }
        report_.count("tries");
        const std::string how = std::string(scene.name) + ", " + std::to_string(skip) +
                                " allocations, then " + std::to_string(count) + " that fail: ";
        session->must("SELECT fault_arm(" + std::to_string(skip) + ", " + std::to_string(count) +
                      ")");
        const client::Reply reply = session->run(scene.question);
        if (PQstatus(session->handle()) != CONNECTION_OK) {
            report_.count("sessions that ended");
            const auto next = open(scene.role);
            expect(how + "a new session", next->run(scene.question), scene.answer);
            return true;
        }
        client::Reply disarmed = session->run("SELECT fault_disarm()");
        for (int i = 0; i < kMany && !disarmed.ok(); ++i) {
            disarmed = session->run("SELECT fault_disarm()");
        }
        const std::string failed = disarmed.value();
        if (reply.ok()) {
            expect(how + "the answer", reply, scene.answer);
        } else if (reply.error != "53200") {
            report_.count("errors other than out of memory");
            if (reply.error == "XX000") {
                report_.fail(how + reply.message);
            }
        }
        expect(how + "the next statement", session->run(scene.question), scene.answer);
        expect(how + "what is hidden", session->run("SELECT count(*) FROM doc WHERE id = 9"),
               std::string(scene.role) == "fault_bob" ? "1;" : "0;");
        if (failed == "0") {
            return false;
        }
        report_.count(reply.ok() ? "failed allocations that were borne"
                                 : "failed allocations with an error");
        return true;
    }

  private:
    std::unique_ptr<client::Session> open(const char *role) {
        auto session =
            std::make_unique<client::Session>(std::string("campaign_faults user=") + role);
        // PL/pgSQL of PostgreSQL 15 does not bear it that its own load fails.
        session->must("DO $$ BEGIN END $$");
        return session;
    }

    void expect(const std::string &what, const client::Reply &reply, const std::string &answer) {
        const std::string found = reply.ok() ? joined(reply) : reply.message;
        if (found != answer) {
            report_.fail(what + " is\n" + found + "\nand should be\n" + answer);
        }
    }

    Report &report_;
    client::Session administrator_{"campaign_faults"};
};

void make_world() {
    client::Session cluster;
    cluster.must("DROP DATABASE IF EXISTS campaign_faults");
    cluster.must("DROP ROLE IF EXISTS fault_ann, fault_bob, fault_pool");
    cluster.must(
        "CREATE ROLE fault_ann LOGIN; CREATE ROLE fault_bob LOGIN; CREATE ROLE fault_pool LOGIN");
    cluster.must("CREATE DATABASE campaign_faults");
    client::Session world("campaign_faults");
    world.must(read_file("tests/campaign/fault_world.sql"));
    const std::string as = "AS '" + fault_library() + "'";
    world.must("CREATE FUNCTION fault_arm(integer, integer) RETURNS void LANGUAGE C " + as +
               "; CREATE FUNCTION fault_disarm() RETURNS bigint LANGUAGE C " + as);
}

} // namespace

bool run_faults(const Options &options) {
    Report report("faults", options);
    make_world();
    Faults faults(report);
    constexpr int kMost = 20000;
    // What a scene asks for in all, as soon as that is known.
    std::vector<int> ends(scenes().size(), kMost);
    const auto fail_after = [&](int skip) {
        report.begin_round(static_cast<std::uint64_t>(skip));
        bool is_any = false;
        for (std::size_t i = 0; i < scenes().size() && !report.is_over(); ++i) {
            if (skip >= ends[i]) {
                continue;
            }
            is_any = true;
            if (faults.try_once(scenes()[i], skip, 1)) {
                (void)faults.try_once(scenes()[i], skip, kMany);
            } else {
                ends[i] = skip;
            }
        }
        return is_any;
    };
    if (options.rounds > 0) {
        for (long i = 0; i < options.rounds; ++i) {
            (void)fail_after(static_cast<int>(options.seed) + static_cast<int>(i));
        }
    } else {
        // Every eighth allocation first: a short run goes through all of a scene, too.
        for (const int offset : {0, 4, 2, 6, 1, 5, 3, 7}) {
            for (int skip = offset; !report.is_over() && fail_after(skip); skip += 8) {
            }
            report.count("of eight parts, done whole", report.is_over() ? 0 : 1);
        }
    }
    report.count("scenes", static_cast<long>(scenes().size()));
    return report.close();
}

} // namespace entitle::campaign
