// Non-interference: two databases that differ in nothing but what the asker may not see answer the
// same statements byte for byte alike. Needs no oracle: whatever tells the two apart tells the
// asker something hidden.
//
// A round makes both databases anew from one that is kept, takes an asker, and changes hidden
// things in one of them, again and again, between the asker's statements: rows, masked cells,
// others' grants, roles, members, users, invitations. Each statement runs in a transaction of its
// own that is rolled back. What docs/security.md lists as side channels is counted apart.
#include "campaign.hpp"

#include "hidden.hpp"
#include "leaky_statement.hpp"
#include "transcript.hpp"

#include <regex>
#include <set>

namespace entitle::campaign {

namespace {

constexpr int kStages = 5;      // changes of what is hidden, in a round
constexpr int kStatements = 80; // between two of them

std::vector<Asker> askers(client::Session &administrator) {
    std::vector<Asker> all = {{"", "", "rq_app", false}};
    const client::Reply users =
        administrator.must("SELECT user_id, login, coalesce(db_role, 'rq_app'), db_role IS NULL "
                           "FROM entitle.app_user WHERE is_active "
                           "AND db_role IS DISTINCT FROM 'rq_inactive' ORDER BY user_id");
    for (const client::Row &row : users.rows) {
        all.push_back({row[0], row[1], row[2], row[3] == "t"});
    }
    return all;
}

// The base of all rounds.
void make_base() {
    client::Session cluster;
    for (const char *database : {"pair_a", "pair_b", "pair_base"}) {
        cluster.must(std::string("DROP DATABASE IF EXISTS ") + database);
    }
    cluster.must("DROP ROLE IF EXISTS rq_app, rq_staff, rq_outsider, rq_inactive");
    cluster.must("CREATE DATABASE pair_base");
    client::Session base("pair_base");
    base.must(read_file("tests/client/random_query_world.sql"));
    base.must(read_file("tests/campaign/pair_world.sql"));
    base.must(read_file("tests/campaign/pair_hidden.sql"));
    for (const client::Row &row : base.must("SELECT oid::regclass FROM pg_class WHERE relnamespace "
                                            "= 'rq'::regnamespace AND relkind = 'r'")
                                      .rows) {
        base.must("VACUUM FULL " + row[0]);
    }
    base.must("ANALYZE");
}

// The constants that a plan shows.
std::set<std::string> constants(const std::string &plan) {
    static const std::regex quoted("'[^']*'");
    return {std::sregex_token_iterator(plan.begin(), plan.end(), quoted),
            std::sregex_token_iterator()};
}

class Round {
  public:
    Round(Report &report, std::uint64_t seed) : report_(report), random_(seed), leaky_(random_) {}

    void run() {
        renew();
        client::Session original("pair_a");
        client::Session changed("pair_b");
        const std::vector<Asker> all = askers(original);
        asker_ = all[random_.below(all.size())];
        note_hidden(changed, asker_);
        const Sight seen = sight(original, asker_);
        Listener one("pair_a", asker_.role);
        Listener other("pair_b", asker_.role);
        a_ = &one;
        b_ = &other;
        begin(original);
        for (int stage = 0; stage < kStages && !report_.is_over(); ++stage) {
            for (std::size_t count = 1 + random_.below(6); count > 0; --count) {
                const std::string done = change_hidden(changed, random_, asker_);
                if (!done.empty()) {
                    changes_ += "hidden change: " + done + "\n";
                    report_.count("hidden changes");
                }
            }
            align(original, changed);
            if (sight(changed, asker_) != seen) {
                report_.count("stages left out, because a change showed");
                return;
            }
            for (int i = 0; i < kStatements && !report_.is_over(); ++i) {
                compare();
            }
        }
    }

  private:
    static void renew() {
        client::Session cluster;
        for (const char *database : {"pair_a", "pair_b"}) {
            cluster.must(std::string("DROP DATABASE IF EXISTS ") + database + " WITH (FORCE)");
            cluster.must(std::string("CREATE DATABASE ") + database +
                         " TEMPLATE pair_base STRATEGY file_copy");
            cluster.must(std::string("ALTER DATABASE ") + database + " SET entitle.time_zone = '" +
                         time_zone() + "'");
        }
    }

    static std::string time_zone() {
        static const std::string zone =
            client::Session("pair_base").must("SHOW entitle.time_zone").value();
        return zone;
    }

    // Sequences tell how often they were asked, which docs/security.md lists.
    void align(client::Session &original, client::Session &changed) {
        static const char *const set =
            "SELECT setval(quote_ident(schemaname) || '.' || quote_ident(sequencename), ";
        ++aligned_;
        for (client::Session *session : {&original, &changed}) {
            session->must(set + std::to_string(100000 + aligned_ * 10000) +
                          ") FROM pg_sequences WHERE schemaname IN ('entitle', 'rq')");
        }
    }

    void begin(client::Session &) {
        const std::string commands =
            "SET search_path = rq, own, public; SET statement_timeout = '60s'; SET jit = off; "
            "SET max_parallel_workers_per_gather = 0";
        both([&](Listener &listener) { return listener.tell(commands); });
        if (asker_.signs_in) {
            both([&](Listener &listener) {
                return listener.tell("SELECT entitle.sign_in('" + asker_.login + "', true)");
            });
        }
    }

    template <typename Ask> std::pair<std::string, std::string> both(Ask ask) {
        const std::string mine = ask(*a_);
        error_a_ = a_->error();
        const std::string theirs = ask(*b_);
        error_b_ = b_->error();
        return {mine, theirs};
    }

    void compare() {
        std::string how = "simple";
        Leaky statement = leaky_.statement();
        const std::string settings = random_settings();
        both([&](Listener &listener) { return listener.tell(settings); });
        std::pair<std::string, std::string> told;
        const std::size_t way = random_.below(10);
        const bool is_query = statement.text.compare(0, 6, "SELECT") == 0;
        if (way == 0 && !prepared_.empty()) {
            const auto &[name, again] = prepared_[random_.below(prepared_.size())];
            statement = again;
            how = "prepared again";
            told = both([&, &kept = name](Listener &listener) {
                return listener.tell_prepared(kept, statement.is_ordered);
            });
        } else if (way <= 2 && prepared_.size() < 40) {
            const std::string name = "p" + std::to_string(++names_);
            how = "prepared";
            told = both([&](Listener &listener) {
                const std::string made = listener.prepare(name, statement.text);
                return listener.error().empty()
                           ? made + listener.tell_prepared(name, statement.is_ordered)
                           : made;
            });
            if (error_a_.empty()) {
                prepared_.emplace_back(name, statement);
            }
        } else if (way == 3) {
            how = "extended";
            told = both([&](Listener &listener) {
                return listener.tell_extended(statement.text, statement.is_ordered);
            });
        } else if (way == 4 && is_query) {
            how = "cursor";
            told = both([&](Listener &listener) {
                std::string all = listener.tell("DECLARE c SCROLL CURSOR FOR " + statement.text);
                return listener.error().empty()
                           ? all + listener.tell(
                                       "MOVE 2 FROM c; FETCH ALL FROM c; MOVE BACKWARD ALL FROM c")
                           : all;
            });
        } else if (way == 5 && is_query) {
            how = "copy";
            told = both([&](Listener &listener) {
                return listener.tell("COPY (" + statement.text + ") TO STDOUT");
            });
        } else {
            told = both([&](Listener &listener) {
                return listener.tell(statement.text, statement.is_ordered);
            });
        }
        judge(statement, how, told.first, told.second);
        both([&](Listener &listener) { return listener.tell("ROLLBACK"); });
    }

    std::string random_settings() {
        std::string settings =
            random_.chance(15) ? "BEGIN ISOLATION LEVEL REPEATABLE READ; " : "BEGIN; ";
        for (const char *name : {"enable_seqscan", "enable_indexscan", "enable_hashjoin",
                                 "enable_nestloop", "enable_bitmapscan"}) {
            if (random_.chance(8)) {
                settings += std::string("SET LOCAL ") + name + " = off; ";
            }
        }
        if (random_.chance(20)) {
            settings += std::string("SET LOCAL plan_cache_mode = ") +
                        random_.one_of({"force_generic_plan", "force_custom_plan"}) + "; ";
        }
        return settings;
    }

    void judge(const Leaky &statement, const std::string &how, const std::string &mine,
               const std::string &theirs) {
        report_.count("pairs");
        report_.count(error_a_.empty() ? "pairs with an answer" : "pairs with an error");
        if (!error_a_.empty()) {
            report_.count("pairs with error " + error_a_);
        }
        if (mine.find("\nrow") != std::string::npos) {
            report_.count("pairs with rows");
        }
        if (mine == theirs) {
            return;
        }
        const auto is_key = [](const std::string &code) {
            return code == "23505" || code == "23503";
        };
        if (statement.meets_keys && (is_key(error_a_) || is_key(error_b_))) {
            report_.count("side channel: a unique or foreign key");
            return;
        }
        const bool is_left_out =
            statement.text.find("ON CONFLICT DO NOTHING") != std::string::npos &&
            (mine.find("INSERT 0 0") != std::string::npos ||
             theirs.find("INSERT 0 0") != std::string::npos);
        if (is_left_out && error_a_.empty() && error_b_.empty()) {
            report_.count("side channel: a unique or foreign key");
            return;
        }
        if (statement.is_explained && constants(mine) == constants(theirs)) {
            report_.count("side channel: the shape of a plan, by sizes of tables");
            return;
        }
        if (!statement.channel.empty()) {
            report_.count("side channel: " + statement.channel);
            return;
        }
        report_.fail("asker " + asker_.login + " as " + asker_.role + ", " + how + "\n" + changes_ +
                     "statement: " + statement.text + "\nwithout the hidden changes:\n" +
                     mine.substr(0, 3000) + "\nwith them:\n" + theirs.substr(0, 3000));
    }

    Report &report_;
    client::QueryGenerator random_;
    LeakyGenerator leaky_;
    Asker asker_;
    Listener *a_ = nullptr;
    Listener *b_ = nullptr;
    std::string error_a_;
    std::string error_b_;
    std::string changes_;
    std::vector<std::pair<std::string, Leaky>> prepared_;
    long aligned_ = 0;
    long names_ = 0;
};

} // namespace

bool run_pairs(const Options &options) {
    Report report("pairs", options);
    make_base();
    while (report.has_next_round()) {
        const std::uint64_t seed = report.next_round();
        Round(report, seed).run();
    }
    return report.close();
}

} // namespace entitle::campaign
