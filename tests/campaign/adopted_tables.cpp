#include "adopted_tables.hpp"

#include <algorithm>
#include <optional>

namespace entitle::campaign {

namespace {

using client::kNull;
using client::Row;
using client::Session;

constexpr const char *kKeys[] = {"conversions.update", "conversions.view", "customers.edit",
                                 "customers.view"};
constexpr naive::Id kFirstStore = 101;
constexpr naive::Id kStores = 8;
constexpr naive::Id kAccounts = 12;

bool is_true(const std::string &text) { return text == "t"; }

template <typename Value> std::optional<Value> maybe(const std::string &text) {
    return text == kNull ? std::nullopt
                         : std::optional<Value>(static_cast<Value>(std::stoll(text)));
}

// The words of an array of integers or of words without blanks, as PostgreSQL prints it.
std::vector<std::string> words_of(const std::string &array) {
    std::vector<std::string> words;
    std::string word;
    for (const char letter : array == kNull ? std::string() : array) {
        if (letter == ',' || letter == '}') {
            if (!word.empty() && word != "NULL") {
                words.push_back(word);
            }
            word.clear();
        } else if (letter != '{') {
            word += letter;
        }
    }
    return words;
}

std::string folded(std::string text) {
    text.erase(0, text.find_first_not_of(' '));
    text.erase(text.find_last_not_of(' ') + 1);
    std::transform(text.begin(), text.end(), text.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return text;
}

int level_of(const std::string &word) {
    return word == "see"     ? 10
           : word == "buy"   ? 30
           : word == "own"   ? 90
           : word.size() < 2 ? 0
                             : std::stoi(word.substr(1));
}

struct Store {
    naive::Id team = 0;
    bool is_closed = true;
};
struct Post {
    naive::Id team = 0;
};

class Reader {
  public:
    Reader(Session &administrator, const naive::World &catalogue) : session_(administrator) {
        tables_.world = catalogue;
    }

    AdoptedTables read() {
        read_places();
        read_people();
        read_posts();
        read_staff();
        read_crew();
        read_accounts();
        return std::move(tables_);
    }

  private:
    template <typename Take> void each(const char *query, Take take) {
        for (const Row &row : session_.must(query).rows) {
            ++tables_.rows;
            take(row);
        }
    }

    // A number for the text that a team is known by; 0 for one that is not there.
    naive::Id team_of(const std::string &key) const {
        const auto found = teams_.find(key);
        return found == teams_.end() ? 0 : found->second;
    }

    // Teams that are closed, and stores of such, give their members nothing.
    void read_places() {
        naive::World &world = tables_.world;
        each("SELECT id, closed FROM team", [&](const Row &r) {
            const auto number = static_cast<naive::Id>(teams_.size() + 1);
            teams_[r[0]] = number;
            if (is_true(r[1])) {
                closed_teams_.insert(number);
            } else {
                world.organization.push_back({number});
            }
        });
        each("SELECT id, team, closed FROM store", [&](const Row &r) {
            const naive::Id team = team_of(r[1]);
            const bool is_closed = is_true(r[2]) || team == 0 || closed_teams_.count(team) > 0;
            stores_[std::stoll(r[0])] = Store{team, is_closed};
            if (is_closed) {
                return;
            }
            world.brand.push_back({std::stoll(r[0]), team, std::nullopt});
            for (const std::string &module : world.module) {
                world.brand_module.push_back({std::stoll(r[0]), module, true});
            }
        });
    }

    void read_people() {
        each("SELECT id, mail, gone FROM person", [&](const Row &r) {
            const std::string login = r[1] == kNull ? "" : folded(r[1]);
            const bool is_active = !is_true(r[2]) && !login.empty();
            people_.insert(std::stoll(r[0]));
            tables_.world.app_user.push_back({std::stoll(r[0]), is_active});
            if (is_active) {
                tables_.logins[login] = std::stoll(r[0]);
            }
        });
    }

    void read_posts() {
        naive::World &world = tables_.world;
        each("SELECT id, team, may, gone FROM post", [&](const Row &r) {
            posts_[std::stoll(r[0])] = Post{team_of(r[1])};
            world.role.push_back({std::stoll(r[0]), team_of(r[1]), !is_true(r[3])});
            for (const std::string &word : words_of(r[2])) {
                world.role_permission.push_back({std::stoll(r[0]), word});
            }
        });
        each("SELECT post, word FROM post_right", [&](const Row &r) {
            world.role_permission.push_back({std::stoll(r[0]), r[1]});
        });
    }

    void read_staff() {
        each("SELECT who, team, post, boss, away FROM staff", [&](const Row &r) {
            const auto post = maybe<naive::Id>(r[2]);
            const naive::Id team = team_of(r[1]);
            if (is_true(r[4]) || r[0] == kNull || team == 0 || closed_teams_.count(team) > 0 ||
                (post && (posts_.count(*post) == 0 || posts_[*post].team != team))) {
                return;
            }
            tables_.world.membership.push_back(
                {std::stoll(r[0]), team, std::nullopt, post, is_true(r[3])});
        });
    }

    // Each post is a membership, but those of another team.
    void read_crew() {
        each("SELECT no, who, store, posts FROM crew", [&](const Row &r) {
            if (r[1] == kNull || r[2] == kNull) {
                return;
            }
            const auto found = stores_.find(std::stoll(r[2]));
            bool is_whole = found != stores_.end() && found->second.team != 0 &&
                            people_.count(std::stoll(r[1])) > 0;
            const bool is_open = found != stores_.end() && !found->second.is_closed;
            std::set<std::string> odd;
            const std::vector<std::string> words = words_of(r[3]);
            for (const std::string &word : words) {
                const naive::Id post = std::stoll(word);
                const auto known = posts_.find(post);
                const bool is_there = known != posts_.end() && known->second.team != 0;
                is_whole = is_whole && is_there;
                const bool is_same =
                    is_there && found != stores_.end() && known->second.team == found->second.team;
                if (is_there && !is_same) {
                    odd.insert("role \"" + word + "\" is one of another organization");
                }
                if (is_open && is_same) {
                    tables_.world.membership.push_back(
                        {std::stoll(r[1]), std::nullopt, std::stoll(r[2]), post, false});
                }
            }
            if (words.empty() && is_open) {
                tables_.world.membership.push_back(
                    {std::stoll(r[1]), std::nullopt, std::stoll(r[2]), std::nullopt, false});
            }
            if (is_whole && !odd.empty()) {
                tables_.told[r[0]] = odd;
            } else if (!is_whole) {
                tables_.untold.insert(r[0]);
            }
        });
    }

    void read_accounts() {
        naive::World &world = tables_.world;
        std::set<naive::Id> open;
        each("SELECT id, state, store FROM account", [&](const Row &r) {
            if (r[1] == "open" && r[2] != kNull) {
                open.insert(std::stoll(r[0]));
                world.customer.push_back({std::stoll(r[0]), std::stoll(r[2]), "ACTV"});
            }
        });
        each("SELECT account, who, what, days, until - today() FROM seat", [&](const Row &r) {
            if (r[0] == kNull || r[1] == kNull || open.count(std::stoll(r[0])) == 0) {
                return;
            }
            const auto until = maybe<naive::Date>(r[4]);
            world.external_access.push_back(
                {std::stoll(r[0]), std::stoll(r[1]), level_of(r[2]), maybe<std::int32_t>(r[3]),
                 std::nullopt,
                 until ? std::optional<naive::Date>(*until + kAdoptionToday) : std::nullopt});
        });
    }

    Session &session_;
    AdoptedTables tables_;
    std::map<std::string, naive::Id> teams_;
    std::set<naive::Id> closed_teams_;
    std::map<naive::Id, Store> stores_;
    std::map<naive::Id, Post> posts_;
    std::set<naive::Id> people_;
};

} // namespace

naive::World load_catalogue(Session &administrator) {
    naive::World world;
    for (const Row &r : administrator.must("SELECT module_key FROM entitle.module").rows) {
        world.module.push_back(r[0]);
    }
    for (const Row &r : administrator.must("SELECT permission_key FROM entitle.permission").rows) {
        world.permission.push_back({r[0], true});
    }
    for (const Row &r :
         administrator.must("SELECT permission_key, module_key FROM entitle.permission_module")
             .rows) {
        world.permission_module.push_back({r[0], r[1]});
    }
    for (const Row &r :
         administrator
             .must("SELECT permission_key, requires_key FROM entitle.permission_prerequisite")
             .rows) {
        world.permission_prerequisite.push_back({r[0], r[1]});
    }
    return world;
}

std::vector<Deal> load_deals(Session &administrator) {
    std::vector<Deal> deals;
    for (const Row &r :
         administrator.must("SELECT id, store, account, day - today() FROM deal ORDER BY id")
             .rows) {
        deals.push_back({std::stoi(r[0]), std::stoll(r[1]), std::stoll(r[2]),
                         kAdoptionToday + static_cast<naive::Date>(std::stol(r[3]))});
    }
    return deals;
}

AdoptedTables read_adopted_tables(Session &administrator, const naive::World &catalogue) {
    return Reader(administrator, catalogue).read();
}

const char kAdoptionQuestion[] =
    "SELECT concat_ws('|', (SELECT string_agg(CASE WHEN entitle.has_permission(k, b) THEN 't' ELSE"
    " 'f' END, '' ORDER BY b, k COLLATE \"C\") FROM generate_series(101, 108) AS b, unnest("
    "'{conversions.update,conversions.view,customers.edit,customers.view}'::text[]) AS k),"
    " (SELECT string_agg(entitle.access_level(c)::text, ',' ORDER BY c) FROM"
    " generate_series(1, 12) AS c),"
    " (SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM deal))";

std::string adoption_answer(const naive::World &world, naive::Id user,
                            const std::vector<Deal> &deals) {
    const naive::Model model(world);
    naive::Asker asker;
    asker.user_id = user;
    asker.today = kAdoptionToday;
    std::string text;
    for (naive::Id store = kFirstStore; store < kFirstStore + kStores; ++store) {
        for (const char *key : kKeys) {
            text += model.has_permission(asker, store, key) ? 't' : 'f';
        }
    }
    for (naive::Id account = 1; account <= kAccounts; ++account) {
        text += (account == 1 ? "|" : ",") + std::to_string(model.access_level(asker, account));
    }
    bool is_first = true;
    text += '|';
    for (const Deal &deal : deals) {
        naive::RowQuestion question;
        question.permission = "conversions.view";
        question.has_brand = true;
        question.brand_id = deal.store;
        question.min_level = 20;
        question.customer_id = deal.account;
        question.is_dated = true;
        question.on_date = deal.day;
        if (model.row_shows(asker, question)) {
            text += (is_first ? "" : ",") + std::to_string(deal.id);
            is_first = false;
        }
    }
    return text;
}

long adoption_decisions(const std::vector<Deal> &deals) {
    return static_cast<long>(std::size(kKeys)) * kStores + kAccounts +
           static_cast<long>(deals.size());
}

} // namespace entitle::campaign
