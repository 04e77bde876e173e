// Several sessions write adopted tables at random, by every command and in transactions of every
// kind; now and then they stop, and the database must say what the rows say: verify_adoption has
// nothing to tell but of rows that give nothing by their own fault, and everybody's permissions,
// levels and rows are those that the naive model finds in the tables themselves (R64). Then single
// changes: the next statement of another session, which has been asking all along, knows (R46).
#include "campaign.hpp"

#include "adopted_statement.hpp"
#include "adopted_tables.hpp"

#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace entitle::campaign {

namespace {

using client::Reply;
using client::Session;

constexpr const char *kDatabase = "campaign_adoption";
constexpr int kWriters = 4;
constexpr int kStatements = 50; // of each writer, before all stop
constexpr int kAsked = 6;       // persons, each time they have stopped
constexpr int kChanges = 8;     // single ones, then

using Counts = std::map<std::string, long>;

class Writer {
  public:
    explicit Writer(bool is_watched)
        : is_watched_(is_watched),
          session_(std::string(kDatabase) + (is_watched ? " user=adopt_writer" : "")) {}

    // Writes so many statements. Returns: what went wrong, if anything.
    std::string write(std::uint64_t seed, int statements) {
        Dice dice(seed);
        counts_.clear();
        wrong_.clear();
        for (left_ = statements; left_ > 0 && wrong_.empty();) {
            if (!is_watched_) {
                transaction(dice, "BEGIN; SET LOCAL session_replication_role = replica");
            } else if (dice.chance(60)) {
                (void)run(dice);
            } else {
                transaction(dice, dice.chance(75)   ? "BEGIN"
                                  : dice.chance(50) ? "BEGIN ISOLATION LEVEL REPEATABLE READ"
                                                    : "BEGIN ISOLATION LEVEL SERIALIZABLE");
            }
        }
        return wrong_;
    }

    const Counts &counts() const { return counts_; }

  private:
    // Some statements, of which some are taken back, and perhaps all.
    void transaction(Dice &dice, const std::string &begin) {
        session_.must(begin);
        for (int count = 1 + dice.below(4); count > 0 && left_ > 0; --count) {
            session_.must("SAVEPOINT one");
            const bool is_done = run(dice);
            if (!is_done || dice.chance(20)) {
                session_.must("ROLLBACK TO one");
                counts_["statements taken back"] += is_done ? 1 : 0;
            } else if (dice.chance(50)) {
                session_.must("RELEASE one");
            }
        }
        if (dice.chance(25)) {
            session_.must("ROLLBACK");
            ++counts_["transactions rolled back"];
            return;
        }
        const Reply reply = session_.run("COMMIT");
        if (!reply.ok() && reply.error != "40001") {
            wrong_ = "COMMIT: " + reply.error + " " + reply.message;
        }
    }

    // Returns: whether it was done.
    bool run(Dice &dice) {
        const AdoptedStatement statement =
            is_watched_ ? random_adopted_statement(dice) : random_unwatched_statement(dice);
        --left_;
        ++counts_["statements"];
        const Reply reply = statement.lines.empty()
                                ? session_.run(statement.text)
                                : session_.copy_in(statement.text, statement.lines);
        if (reply.ok()) {
            ++counts_["statements done"];
            return true;
        }
        if (reply.message.find("cannot be followed") != std::string::npos &&
            reply.error == "23505") {
            ++counts_["statements refused, because they cannot be followed"];
        } else if (reply.error == "23505" || reply.error == "23503" || reply.error == "23502") {
            ++counts_["statements refused by the tables' own keys"];
        } else if (reply.error == "40P01" || reply.error == "40001") {
            ++counts_["statements that met another session"];
        } else {
            wrong_ = statement.text + "\n" + reply.error + " " + reply.message;
        }
        return false;
    }

    bool is_watched_;
    Session session_;
    Counts counts_;
    std::string wrong_;
    int left_ = 0;
};

// Somebody who asks by a statement that was prepared long before.
class Asker {
  public:
    Asker() : session_(std::string(kDatabase) + " user=adopt_pool") {
        if (!session_.prepare("question", kAdoptionQuestion).ok()) {
            throw std::runtime_error("the question is not prepared");
        }
    }

    Reply sign_in(const std::string &login) {
        return session_.run("SELECT entitle.sign_in('" + login + "', true)");
    }
    std::string ask() {
        const Reply reply = session_.run_prepared("question");
        return reply.ok() ? reply.value() : reply.error + " " + reply.message;
    }

  private:
    Session session_;
};

class Adoption {
  public:
    explicit Adoption(Report &report)
        : report_(report), administrator_(kDatabase), catalogue_(load_catalogue(administrator_)),
          deals_(load_deals(administrator_)) {
        for (int i = 0; i < kWriters; ++i) {
            writers_.push_back(std::make_unique<Writer>(i + 1 < kWriters));
        }
    }

    void round(std::uint64_t seed) {
        Dice dice(seed);
        std::string wrong = write(dice);
        wrong = wrong.empty() ? compare(dice) : wrong;
        for (int i = 0; i < kChanges && wrong.empty(); ++i) {
            wrong = change(dice);
        }
        if (!wrong.empty()) {
            report_.fail(wrong + "\nwith these rows:\n" + described());
        }
    }

  private:
    std::string write(Dice &dice) {
        std::vector<std::string> wrong(kWriters);
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < kWriters; ++i) {
            const std::uint64_t seed = static_cast<std::uint64_t>(dice.below(1 << 30));
            threads.emplace_back([this, i, seed, &wrong] {
                try {
                    wrong[i] = writers_[i]->write(seed, kStatements);
                } catch (const std::exception &error) {
                    wrong[i] = error.what();
                }
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
        for (std::size_t i = 0; i < kWriters; ++i) {
            for (const auto &[key, value] : writers_[i]->counts()) {
                report_.count(key, value);
            }
            wrong[0] = wrong[0].empty() ? wrong[i] : wrong[0];
        }
        return wrong[0];
    }

    // What the database says of all tables, and of some persons.
    std::string compare(Dice &dice) {
        const AdoptedTables tables = read();
        std::map<std::string, std::set<std::string>> told;
        for (const client::Row &row :
             administrator_.must("SELECT source, key, problem FROM entitle.verify_adoption()")
                 .rows) {
            if (row[0] != "crew" || (row[2].find(" has the key ") == std::string::npos &&
                                     row[2].find(" of another ") == std::string::npos)) {
                return "verify_adoption: " + row[0] + " " + row[1] + ": " + row[2];
            }
            if (tables.untold.count(row[1]) == 0) {
                told[row[1]].insert(row[2]);
            }
        }
        if (told != tables.told) {
            return "verify_adoption tells of crew otherwise than its rows do";
        }
        report_.count("times that verify_adoption told nothing wrong");
        report_.count("rows that it told of, because their posts are of another team",
                      static_cast<long>(told.size()));
        for (int i = 1; i <= kAsked; ++i) {
            const std::string login = any_login(dice, tables);
            const auto found = tables.logins.find(login);
            const Reply reply = asker_.sign_in(login);
            report_.count("decisions");
            if (reply.ok() != (found != tables.logins.end()) ||
                (!reply.ok() && reply.error != "42501")) {
                return "sign_in of " + login + ": " + (reply.ok() ? "done" : reply.message);
            }
            const std::string wrong =
                reply.ok() ? judge(tables, found->second, asker_.ask(), nullptr) : "";
            if (!wrong.empty()) {
                return login + wrong;
            }
        }
        return {};
    }

    // One change, and what somebody is told by the next statement.
    std::string change(Dice &dice) {
        const AdoptedTables before = read();
        if (before.logins.empty()) {
            return {};
        }
        std::pair<std::string, naive::Id> whom = dice.pick(before.logins);
        for (int tries = 8; tries > 0 && !shows(adoption_answer(before.world, whom.second, deals_));
             --tries) {
            whom = dice.pick(before.logins);
        }
        const auto &[login, user] = whom;
        if (!asker_.sign_in(login).ok()) {
            return "sign_in of " + login + " is refused";
        }
        const std::string known = asker_.ask();
        const std::string command = random_change_of(dice, std::to_string(user));
        const Reply reply = administrator_.run(command);
        const std::string given = asker_.ask();
        if (!reply.ok() && reply.error != "23505") {
            return command + ": " + reply.message;
        }
        report_.count("changes", reply.ok() ? 1 : 0);
        std::string wrong = judge(before, user, known, nullptr);
        wrong = wrong.empty() ? judge(read(), user, given, &known) : wrong;
        return wrong.empty() ? "" : login + ", after " + command + wrong;
    }

    std::string judge(const AdoptedTables &tables, naive::Id user, const std::string &given,
                      const std::string *before) {
        const std::string wanted = adoption_answer(tables.world, user, deals_);
        report_.count("decisions", adoption_decisions(deals_));
        report_.count("answers that show something", shows(given) ? 1 : 0);
        if (before != nullptr && wanted != *before) {
            report_.count("changes that the next statement of another session knew");
        }
        return wanted == given ? ""
                               : ", user " + std::to_string(user) + ":\n" + given +
                                     "\nand should be\n" + wanted;
    }

    static bool shows(const std::string &answer) {
        return answer.find_first_of("t123456789") != std::string::npos;
    }

    // Mostly one that may sign in.
    std::string any_login(Dice &dice, const AdoptedTables &tables) {
        if (!tables.logins.empty() && dice.chance(80)) {
            return dice.pick(tables.logins).first;
        }
        return (dice.chance(80) ? "m" : "n") + std::to_string(1 + dice.below(16));
    }

    // What is there, on either side: sessions that meet may not do so twice.
    std::string described() {
        std::string text;
        for (const std::string table :
             {"person", "team", "store", "account", "post", "post_right", "staff", "crew", "seat",
              "entitle.app_user", "entitle.organization", "entitle.brand", "entitle.customer",
              "entitle.role", "entitle.role_permission", "entitle.membership",
              "entitle.external_access", "entitle.adoption_finding"}) {
            text += table + ":";
            for (const client::Row &row :
                 administrator_.must("SELECT t::text FROM " + table + " t ORDER BY 1").rows) {
                text += " " + row[0];
            }
            text += "\n";
        }
        return text;
    }

    AdoptedTables read() {
        AdoptedTables tables = read_adopted_tables(administrator_, catalogue_);
        report_.set("rows of the tables at the end", tables.rows);
        return tables;
    }

    Report &report_;
    Session administrator_;
    naive::World catalogue_;
    std::vector<Deal> deals_;
    std::vector<std::unique_ptr<Writer>> writers_;
    Asker asker_;
};

void make_world() {
    Session cluster;
    cluster.must("DROP DATABASE IF EXISTS campaign_adoption WITH (FORCE)");
    cluster.must("DROP ROLE IF EXISTS adopt_writer, adopt_pool");
    cluster.must("CREATE DATABASE campaign_adoption");
    Session(kDatabase).must(read_file("tests/campaign/adoption_world.sql"));
}

} // namespace

bool run_adoption(const Options &options) {
    Report report("adoption", options);
    make_world();
    Adoption adoption(report);
    while (report.has_next_round()) {
        adoption.round(report.next_round());
    }
    return report.close();
}

} // namespace entitle::campaign
