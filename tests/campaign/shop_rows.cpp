#include "shop_rows.hpp"

namespace entitle::campaign {

namespace {

bool paper_shows(const naive::Model &model, const naive::Asker &asker, const ShopRow &row,
                 bool by_permission_alone) {
    naive::RowQuestion question;
    question.permission = "customers.view";
    question.min_level = 10;
    question.customer_id = row.customer;
    return by_permission_alone ? model.row_shows_by_permission(asker, question)
                               : model.row_shows(asker, question);
}

} // namespace

ShopRows load_shop(client::Session &administrator, naive::Date today) {
    const auto take = [&](const char *query) {
        std::vector<ShopRow> rows;
        for (const client::Row &r : administrator.must(query).rows) {
            rows.push_back({std::stoi(r[0]), std::stoll(r[1]), std::stoll(r[2]),
                            static_cast<naive::Date>(std::stol(r[3])) + today, std::stoi(r[4])});
        }
        return rows;
    };
    return {take("SELECT id, brand_id, customer_id, day - today(), 0 FROM deal ORDER BY id"),
            take("SELECT id, 0, customer_id, 0, price FROM paper ORDER BY id"),
            take("SELECT l.id, 0, p.customer_id, 0, p.id FROM line l JOIN paper p ON p.id ="
                 " l.paper_id ORDER BY l.id")};
}

std::string joined(const std::vector<std::string> &words) {
    std::string text;
    for (const std::string &word : words) {
        text += (text.empty() ? "" : ",") + word;
    }
    return text;
}

bool deal_shows(const naive::World &world, const naive::Asker &asker, const ShopRow &deal,
                const char *permission, int level) {
    naive::RowQuestion question;
    question.permission = permission;
    question.has_brand = true;
    question.brand_id = deal.brand;
    question.min_level = level;
    question.customer_id = deal.customer;
    question.is_dated = true;
    question.on_date = deal.day;
    return naive::Model(world).row_shows(asker, question);
}

std::vector<std::string> shown_deals(const std::vector<ShopRow> &deals, const naive::World &world,
                                     const naive::Asker &asker, int level) {
    std::vector<std::string> ids;
    for (const ShopRow &row : deals) {
        if (deal_shows(world, asker, row, "conversions.view", level)) {
            ids.push_back(std::to_string(row.id));
        }
    }
    return ids;
}

std::string shown_papers(const std::vector<ShopRow> &papers, const naive::World &world,
                         const naive::Asker &asker) {
    const naive::Model model(world);
    std::vector<std::string> ids;
    for (const ShopRow &row : papers) {
        if (!paper_shows(model, asker, row, false)) {
            continue;
        }
        const bool has_price =
            paper_shows(model, asker, row, true) || model.access_level(asker, row.customer) >= 40;
        ids.push_back(std::to_string(row.id) + ":" +
                      (has_price ? std::to_string(row.parent) : "-"));
    }
    return joined(ids);
}

std::string shown_lines(const std::vector<ShopRow> &lines, const naive::World &world,
                        const naive::Asker &asker) {
    const naive::Model model(world);
    std::vector<std::string> ids;
    for (const ShopRow &row : lines) {
        if (paper_shows(model, asker, row, false)) {
            ids.push_back(std::to_string(row.id));
        }
    }
    return joined(ids);
}

std::vector<std::string> held_levels(const naive::World &world, const naive::Asker &asker,
                                     naive::Id customers) {
    const naive::Model model(world);
    std::vector<std::string> all;
    for (naive::Id customer = 1; customer <= customers; ++customer) {
        all.push_back(std::to_string(model.access_level(asker, customer)));
    }
    return all;
}

std::vector<std::string> held_permissions(const naive::World &world, const naive::Asker &asker) {
    const naive::Model model(world);
    std::vector<std::string> all;
    for (naive::Id brand = 1; brand <= 4; ++brand) {
        for (const char *key : {"conversions.view", "customers.view"}) {
            all.emplace_back(model.has_permission(asker, brand, key) ? "t" : "f");
        }
    }
    return all;
}

} // namespace entitle::campaign
