// The shop of a world: deals with a brand and a date, papers whose price is masked below L40, and
// their lines; and what the naive model says that shows of them.
#pragma once

#include "../client/session.hpp"
#include "../unit/naive_model.hpp"

#include <string>
#include <vector>

namespace entitle::campaign {

struct ShopRow {
    int id;
    naive::Id brand;
    naive::Id customer;
    naive::Date day;
    int parent; // a paper's price, a line's paper
};
struct ShopRows {
    std::vector<ShopRow> deals;
    std::vector<ShopRow> papers;
    std::vector<ShopRow> lines;
};

// today: of the model, for the day that the database's today() is.
ShopRows load_shop(client::Session &administrator, naive::Date today);

// Parted by commas.
std::string joined(const std::vector<std::string> &words);

bool deal_shows(const naive::World &world, const naive::Asker &asker, const ShopRow &deal,
                const char *permission, int level);
std::vector<std::string> shown_deals(const std::vector<ShopRow> &deals, const naive::World &world,
                                     const naive::Asker &asker, int level);
// Each with its price, or - where that is masked.
std::string shown_papers(const std::vector<ShopRow> &papers, const naive::World &world,
                         const naive::Asker &asker);
std::string shown_lines(const std::vector<ShopRow> &lines, const naive::World &world,
                        const naive::Asker &asker);

// The asker's levels on customers 1, 2, ..., and what he holds in brands 1 to 4.
std::vector<std::string> held_levels(const naive::World &world, const naive::Asker &asker,
                                     naive::Id customers);
std::vector<std::string> held_permissions(const naive::World &world, const naive::Asker &asker);

} // namespace entitle::campaign
