// What the tables of adoption_world.sql say, read row by row, and the world of the naive model that
// they stand for by the documentation of the adopt functions. Neither src/sql nor src/core has a
// part in it.
#pragma once

#include "../client/session.hpp"
#include "../unit/naive_model.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace entitle::campaign {

constexpr naive::Date kAdoptionToday = 20000; // any day: rows and grants count from it

struct AdoptedTables {
    naive::World world;
    std::map<std::string, naive::Id> logins; // of active users
    // Rows of crew, which is adopted with on_conflict => 'report', and what verify_adoption must
    // tell of them; and rows of which it may tell, which name what is gone.
    std::map<std::string, std::set<std::string>> told;
    std::set<std::string> untold;
    long rows = 0;
};

struct Deal {
    int id;
    naive::Id store;
    naive::Id account;
    naive::Date day;
};

// The permissions with what they need, from the database's catalogue, which nobody adopts.
naive::World load_catalogue(client::Session &administrator);
std::vector<Deal> load_deals(client::Session &administrator);
AdoptedTables read_adopted_tables(client::Session &administrator, const naive::World &catalogue);

// What one statement asks: permissions in stores, levels on accounts, and the deals that show.
extern const char kAdoptionQuestion[];
std::string adoption_answer(const naive::World &world, naive::Id user,
                            const std::vector<Deal> &deals);
// How many decisions one answer is.
long adoption_decisions(const std::vector<Deal> &deals);

} // namespace entitle::campaign
