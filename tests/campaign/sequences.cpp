// People who administer something take up to twelve steps, one after the other, in one transaction
// that is rolled back: by DML and by the functions, signed in through a pool or by a database role
// of their own. The naive second model says of each step whether it is refused, finds no row or is
// done, and what it leaves behind; a superuser changes modules, plans, permissions, users and
// brands meanwhile. After every step nobody may have what neither he nor the giver had (R41 to R44,
// R54, R58 to R61). A sequence that comes out otherwise is made as short as it can be.
#include "campaign.hpp"

#include "../client/session.hpp"
#include "sequence_step.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace entitle::campaign {

namespace {

constexpr int kSteps = 12;
constexpr int kSequences = 50; // of one world
constexpr int kClients = 2;

constexpr const char *kState =
    "PREPARE state AS"
    " SELECT 'user', user_id, concat_ws('/', user_id, login, is_active::text)"
    " FROM entitle.app_user"
    " UNION ALL SELECT 'role', role_id, concat_ws('/', role_id, organization_id, name,"
    " is_active::text) FROM entitle.role WHERE organization_id <> 1"
    " UNION ALL SELECT 'permission', 0, concat_ws('/', role_id, permission_key)"
    " FROM entitle.role_permission WHERE role_id > 100"
    " UNION ALL SELECT 'metric', 0, concat_ws('/', role_id, metric_key) FROM entitle.role_metric"
    " UNION ALL SELECT 'membership', membership_id, concat_ws('/', user_id,"
    " coalesce(organization_id, 0), coalesce(brand_id, 0), coalesce(role_id, 0), is_owner::text)"
    " FROM entitle.membership"
    " UNION ALL SELECT 'grant', 0, concat_ws('/', customer_id, user_id, role,"
    " coalesce(days_back::text, 'none')) FROM entitle.external_access"
    " UNION ALL SELECT 'invitation', invitation_id, concat_ws('/', user_id, inviter_id,"
    " coalesce(organization_id, 0), coalesce(brand_id, 0), coalesce(role_id, 0),"
    " coalesce(customer_id, 0), coalesce(access_role, 'none'), coalesce(days_back::text, 'none'))"
    " FROM entitle.pending_invitation";

using Counts = std::map<std::string, long>;

// The first step that came out otherwise.
struct Failure {
    std::size_t place = 0;
    std::string what;
};

// One client in a database of its own.
class Client {
  public:
    explicit Client(const std::string &database) : session_(database) {
        session_.must(kState);
        catalogue_ = load();
    }

    const naive::World &catalogue() const { return catalogue_; }
    void begin_world(const Affairs &affairs) { session_.must(commands_of(affairs)); }

    // Takes steps that are there, or makes them as it goes. Returns: what went wrong, if anything.
    std::optional<Failure> run(const Affairs &begun, std::vector<Step> &steps, Dice *dice,
                               Counts *counts) {
        Affairs affairs = begun;
        RealIds real;
        session_.must("BEGIN");
        std::optional<Failure> failure;
        const std::size_t count =
            dice == nullptr ? steps.size() : static_cast<std::size_t>(1 + dice->below(kSteps));
        for (std::size_t place = 0; place < count && !failure; ++place) {
            if (dice != nullptr) {
                steps.push_back(sensible_step(*dice, affairs));
            }
            const std::string what = take(steps[place], affairs, real, counts);
            if (!what.empty()) {
                failure = Failure{place, what};
            }
        }
        if (!failure) {
            const std::string what = compare(affairs, real);
            failure = what.empty() ? failure : Failure{count - 1, "after the last step: " + what};
        }
        session_.must("ROLLBACK");
        return failure;
    }

  private:
    naive::World load() {
        naive::World world;
        const auto each = [&](const char *query, auto take) {
            for (const client::Row &row : session_.must(query).rows) {
                take(row);
            }
        };
        each("SELECT permission_key FROM entitle.permission", [&](const client::Row &r) {
            world.permission.push_back({r[0], true});
        });
        each("SELECT permission_key, module_key FROM entitle.permission_module WHERE module_key IN"
             " ('customers', 'reports', 'conversions')",
             [&](const client::Row &r) {
                 world.permission_module.push_back({r[0], r[1]});
             });
        each("SELECT permission_key, requires_key FROM entitle.permission_prerequisite",
             [&](const client::Row &r) {
                 world.permission_prerequisite.push_back({r[0], r[1]});
             });
        each("SELECT metric_key FROM entitle.metric",
             [&](const client::Row &r) { world.metric.push_back({r[0]}); });
        return world;
    }

    // Mostly one that is done, else whatever comes.
    static Step sensible_step(Dice &dice, const Affairs &affairs) {
        Step step = random_step(dice, affairs);
        for (int tries = dice.chance(60) ? 12 : 0; tries > 0 && !is_superusers(step.act); --tries) {
            if (step.act != Act::look && judge(affairs, step).is_done()) {
                break;
            }
            do {
                step = random_step(dice, affairs);
            } while (is_superusers(step.act));
        }
        return step;
    }

    static bool is_known_inactive(const Affairs &affairs, Id user) {
        return !naive::Delegation(affairs.world).is_active(user);
    }

    // Takes one step. Returns: what is wrong with it, empty when nothing is.
    std::string take(const Step &step, Affairs &affairs, RealIds &real, Counts *counts) {
        Verdict expected = judge(affairs, step);
        if (!is_superusers(step.act) && step.writer != kNobody && !step.is_mapped &&
            is_known_inactive(affairs, step.writer)) {
            expected = Verdict();
            expected.is_refused = true; // sign_in refuses
        }
        const client::Reply reply = session_.run("SAVEPOINT step; " + identity_of(step, affairs) +
                                                 statement_of(step, real));
        const bool is_rule = reply.error == "42501" || reply.error == "22023";
        const bool is_constraint = reply.error.substr(0, 2) == "23";
        const bool finds_nothing = reply.ok() && !is_superusers(step.act) &&
                                   (reply.tag == "UPDATE 0" || reply.tag == "DELETE 0" ||
                                    (reply.rows.size() == 1 && reply.rows[0][0] == "f"));
        if (counts != nullptr) {
            ++(*counts)["steps"];
            ++(*counts)[is_rule                 ? "steps refused"
                        : is_constraint         ? "steps that break a constraint"
                        : finds_nothing         ? "steps that find nothing"
                        : step.act == Act::look ? "questions"
                                                : "steps done"];
        }
        std::string what;
        if (!reply.ok() && !is_rule && !is_constraint) {
            what = "an error of another kind";
        } else if (expected.is_done() ? !reply.ok() || finds_nothing
                   : expected.is_refused || expected.is_broken
                       ? (is_rule ? !expected.is_refused : !is_constraint || !expected.is_broken)
                       : !finds_nothing) {
            what = std::string("the model says ") + (expected.is_done()    ? "done"
                                                     : expected.is_refused ? "refused"
                                                     : expected.is_broken  ? "a broken constraint"
                                                                           : "nothing found");
        } else if (step.act == Act::look && reply.ok() && reply.value() != expected.sight) {
            what = "the model says: " + expected.sight;
        }
        if (!what.empty()) {
            return what + ", the database: " +
                   (reply.ok() ? reply.tag + " " + reply.value()
                               : reply.error + " " + reply.message);
        }
        if (!reply.ok()) {
            session_.must("ROLLBACK TO step");
            return {};
        }
        session_.must("RESET ROLE; RELEASE step");
        if (finds_nothing || step.act == Act::look) {
            return {};
        }
        const std::string gain =
            is_superusers(step.act) ? "" : find_gain(affairs, expected.next, step);
        if (!gain.empty()) {
            return gain;
        }
        if (counts != nullptr && !is_superusers(step.act)) {
            count_gifts(affairs.world, expected.next.world, *counts);
        }
        affairs = expected.next;
        return compare(affairs, real);
    }

    static void count_gifts(const naive::World &before, const naive::World &after, Counts &counts) {
        const Listed had = all_listed(before);
        for (const auto &one : all_listed(after)) {
            counts["rights given"] += static_cast<long>(1 - had.count(one));
        }
    }

    // Compares the rows, and learns the database's numbers of new ones.
    std::string compare(const Affairs &affairs, RealIds &real) {
        std::vector<std::string> lines;
        std::map<std::string, Id> ids;
        std::map<std::string, Id> highest;
        for (const client::Row &row : session_.must("EXECUTE state").rows) {
            const std::string line = row[0] + "/" + row[2];
            const Id id = std::stoll(row[1]);
            lines.push_back(line);
            ids[line] = id;
            highest[row[0]] = std::max(highest[row[0]], id);
        }
        std::sort(lines.begin(), lines.end());
        const auto learn = [&](Id id, const char *kind) {
            if (id >= kFirstNew && real.count(id) == 0) {
                real[id] = highest[kind];
            }
        };
        for (const auto &row : affairs.world.app_user) {
            learn(row.user_id, "user");
        }
        for (const auto &row : affairs.world.role) {
            learn(row.role_id, "role");
        }
        for (const auto &row : affairs.invitations) {
            learn(row.id, "invitation");
        }
        for (std::size_t i = 0; i < affairs.membership_ids.size(); ++i) {
            const Id id = affairs.membership_ids[i];
            if (id >= kFirstNew && real.count(id) == 0) {
                Affairs only;
                only.world.membership = {affairs.world.membership[i]};
                real[id] = ids[lines_of(only, real)[0]];
            }
        }
        const std::vector<std::string> expected = lines_of(affairs, real);
        if (expected == lines) {
            return {};
        }
        std::string text = "the rows differ:";
        std::vector<std::string> only;
        std::set_difference(expected.begin(), expected.end(), lines.begin(), lines.end(),
                            std::back_inserter(only));
        for (const std::string &line : only) {
            text += "\n  only the model has " + line;
        }
        only.clear();
        std::set_difference(lines.begin(), lines.end(), expected.begin(), expected.end(),
                            std::back_inserter(only));
        for (const std::string &line : only) {
            text += "\n  only the database has " + line;
        }
        return text;
    }

    client::Session session_;
    naive::World catalogue_;
};

// Takes out every step without which it still comes out otherwise.
Failure shrink(Client &client, const Affairs &begun, std::vector<Step> &steps, Failure failure) {
    steps.resize(failure.place + 1);
    for (std::size_t at = steps.size(); at > 0; --at) {
        std::vector<Step> fewer = steps;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at - 1));
        if (const auto again = client.run(begun, fewer, nullptr, nullptr)) {
            fewer.resize(again->place + 1);
            steps = fewer;
            failure = *again;
            at = std::min(at, steps.size() + 1);
        }
    }
    return failure;
}

std::string described(const Affairs &begun, const std::vector<Step> &steps,
                      const Failure &failure) {
    std::string text;
    for (const Step &step : steps) {
        text += std::string(is_superusers(step.act)  ? "a superuser"
                            : step.writer == kNobody ? "nobody"
                                                     : "user " + std::to_string(step.writer) +
                                                           (step.is_mapped ? " by his role" : "")) +
                ", " + word_of(step.act) + ": " + statement_of(step, {}) + "\n";
    }
    text += failure.what + "\nin a world with\n";
    for (const std::string &line : lines_of(begun, {})) {
        text += "  " + line + "\n";
    }
    return text;
}

void make_databases() {
    client::Session cluster;
    for (int i = 0; i < kClients; ++i) {
        const std::string name = "campaign_sequence_" + std::to_string(i);
        cluster.must("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
        cluster.must("CREATE DATABASE " + name);
        client::Session(name).must(read_file("tests/campaign/sequence_world.sql"));
    }
}

} // namespace

bool run_sequences(const Options &options) {
    Report report("sequences", options);
    make_databases();
    std::mutex mutex;
    const auto work = [&](int number) {
        Client client("campaign_sequence_" + std::to_string(number));
        for (;;) {
            std::uint64_t seed = 0;
            {
                const std::lock_guard<std::mutex> lock(mutex);
                if (!report.has_next_round()) {
                    return;
                }
                seed = report.next_round();
            }
            Dice dice(seed);
            const Affairs begun = random_affairs(dice, client.catalogue());
            client.begin_world(begun);
            Counts counts;
            std::string told;
            for (int i = 0; i < kSequences && told.empty(); ++i) {
                std::vector<Step> steps;
                ++counts["sequences"];
                if (const auto failure = client.run(begun, steps, &dice, &counts)) {
                    const Failure small = shrink(client, begun, steps, *failure);
                    told = described(begun, steps, small);
                }
            }
            const std::lock_guard<std::mutex> lock(mutex);
            for (const auto &[key, value] : counts) {
                report.count(key, value);
            }
            if (!told.empty()) {
                report.fail(told, seed);
            }
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < kClients; ++i) {
        threads.emplace_back([&, i] {
            try {
                work(i);
            } catch (const std::exception &error) {
                const std::lock_guard<std::mutex> lock(mutex);
                report.fail(error.what());
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    return report.close();
}

} // namespace entitle::campaign
