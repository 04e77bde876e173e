#include "history.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>

namespace entitle::campaign {

namespace {

using client::kNull;
using client::Row;

std::int64_t number(const std::string &text) { return std::stoll(text); }

template <typename Value> std::optional<Value> maybe(const std::string &text) {
    return text == kNull ? std::nullopt : std::optional<Value>(static_cast<Value>(number(text)));
}

std::optional<std::string> maybe_text(const std::string &text) {
    return text == kNull ? std::nullopt : std::optional<std::string>(text);
}

} // namespace

naive::World load_world(client::Session &from) {
    naive::World world;
    const auto each = [&](const char *query, auto take) {
        for (const Row &row : from.must(query).rows) {
            take(row);
        }
    };
    each("SELECT user_id, is_active FROM entitle.app_user", [&](const Row &r) {
        world.app_user.push_back({number(r[0]), r[1] == "t"});
    });
    each("SELECT organization_id, is_active FROM entitle.organization", [&](const Row &r) {
        world.organization.push_back({number(r[0]), r[1] == "t"});
    });
    each("SELECT plan_key, permission_key FROM entitle.plan_denial", [&](const Row &r) {
        world.plan_denial.push_back({r[0], r[1]});
    });
    each("SELECT brand_id, organization_id, plan_key, is_active FROM entitle.brand",
         [&](const Row &r) {
             world.brand.push_back(
                 {number(r[0]), maybe<naive::Id>(r[1]), maybe_text(r[2]), r[3] == "t"});
         });
    each("SELECT module_key FROM entitle.module",
         [&](const Row &r) { world.module.push_back(r[0]); });
    each("SELECT brand_id, module_key, is_enabled FROM entitle.brand_module", [&](const Row &r) {
        world.brand_module.push_back({number(r[0]), r[1], r[2] == "t"});
    });
    each("SELECT permission_key, is_active FROM entitle.permission", [&](const Row &r) {
        world.permission.push_back({r[0], r[1] == "t"});
    });
    each("SELECT permission_key, module_key FROM entitle.permission_module", [&](const Row &r) {
        world.permission_module.push_back({r[0], r[1]});
    });
    each("SELECT permission_key, requires_key FROM entitle.permission_prerequisite",
         [&](const Row &r) {
             world.permission_prerequisite.push_back({r[0], r[1]});
         });
    each("SELECT role_id, organization_id, is_active FROM entitle.role", [&](const Row &r) {
        world.role.push_back({number(r[0]), number(r[1]), r[2] == "t"});
    });
    each("SELECT role_id, permission_key FROM entitle.role_permission", [&](const Row &r) {
        world.role_permission.push_back({number(r[0]), r[1]});
    });
    each("SELECT user_id, organization_id, brand_id, role_id, is_owner FROM entitle.membership",
         [&](const Row &r) {
             world.membership.push_back({number(r[0]), maybe<naive::Id>(r[1]),
                                         maybe<naive::Id>(r[2]), maybe<naive::Id>(r[3]),
                                         r[4] == "t"});
         });
    each("SELECT customer_id, brand_id, status FROM entitle.customer", [&](const Row &r) {
        world.customer.push_back({number(r[0]), number(r[1]), r[2]});
    });
    each("SELECT customer_id, user_id, ltrim(role, 'L'), days_back, valid_from - public.today(),"
         " valid_until - public.today() FROM entitle.external_access",
         [&](const Row &r) {
             const auto day = [](const std::string &text) {
                 const auto from_today = maybe<naive::Date>(text);
                 return from_today ? std::optional<naive::Date>(*from_today + kHistoryToday)
                                   : std::nullopt;
             };
             world.external_access.push_back({number(r[0]), number(r[1]),
                                              static_cast<int>(number(r[2])),
                                              maybe<std::int32_t>(r[3]), day(r[4]), day(r[5])});
         });
    return world;
}

namespace {

template <typename Items> auto &pick(Items &items, std::mt19937_64 &random) {
    return items[random() % items.size()];
}

std::string shown(std::optional<naive::Id> id) { return id ? std::to_string(*id) : "NULL"; }

std::string shown(bool is_true) { return is_true ? "true" : "false"; }

std::string shown_day(std::optional<naive::Date> day) {
    return day ? "public.today() + " + std::to_string(*day - kHistoryToday) : "NULL";
}

constexpr const char *kKeys[] = {"conversions.view", "customers.view", "products.view"};
constexpr const char *kModules[] = {"conversions", "customers"};

// One grant comes, changes or goes.
std::string change_grant(naive::World &world, std::mt19937_64 &random) {
    const auto user = static_cast<naive::Id>(1 + random() % 8);
    const auto customer = static_cast<naive::Id>(1 + random() % kHistoryCustomers);
    auto &all = world.external_access;
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto &one) {
        return one.user_id == user && one.customer_id == customer;
    });
    const std::string where = " WHERE user_id = " + std::to_string(user) +
                              " AND customer_id = " + std::to_string(customer);
    if (found != all.end() && random() % 2 == 0) {
        all.erase(found);
        return "DELETE FROM entitle.external_access" + where;
    }
    naive::ExternalAccess grant{customer, user, 0, std::nullopt, std::nullopt, std::nullopt};
    static constexpr int levels[] = {10, 20, 30, 40, 80};
    static constexpr int windows[] = {0, 7, 30, 365};
    grant.level = levels[random() % 5];
    if (random() % 3 != 0) {
        grant.days_back = windows[random() % 4];
    }
    if (random() % 6 == 0) {
        grant.valid_until = kHistoryToday + static_cast<int>(random() % 3) - 1;
    } else if (random() % 6 == 0) {
        grant.valid_from = kHistoryToday + static_cast<int>(random() % 3) - 1;
    }
    const std::string level = "'L" + std::to_string(grant.level) + "'";
    const std::string days = grant.days_back ? std::to_string(*grant.days_back) : "NULL";
    if (found != all.end()) {
        *found = grant;
        return "UPDATE entitle.external_access SET role = " + level + ", days_back = " + days +
               ", valid_from = " + shown_day(grant.valid_from) +
               ", valid_until = " + shown_day(grant.valid_until) + where;
    }
    all.push_back(grant);
    return "INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, "
           "valid_from, valid_until) VALUES (" +
           std::to_string(customer) + ", " + std::to_string(user) + ", " + level + ", " + days +
           ", " + shown_day(grant.valid_from) + ", " + shown_day(grant.valid_until) + ")";
}

bool has_same_place(const naive::Membership &one, const naive::Membership &other) {
    return one.user_id == other.user_id && one.brand_id == other.brand_id &&
           one.organization_id == other.organization_id;
}

std::string end_membership(naive::World &world, const naive::Membership &gone) {
    auto &all = world.membership;
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const auto &one) { return has_same_place(one, gone); }),
              all.end());
    return "DELETE FROM entitle.membership WHERE user_id = " + std::to_string(gone.user_id) +
           " AND brand_id IS NOT DISTINCT FROM " + shown(gone.brand_id) +
           " AND organization_id IS NOT DISTINCT FROM " + shown(gone.organization_id);
}

std::string change_membership(naive::World &world, std::mt19937_64 &random) {
    auto &all = world.membership;
    if (all.size() > 4 && random() % 2 == 0) {
        const naive::Membership gone = pick(all, random);
        return end_membership(world, gone);
    }
    naive::Membership fresh{static_cast<naive::Id>(4 + random() % 7), std::nullopt, std::nullopt,
                            std::nullopt, false};
    const naive::Role &role = world.role[world.role.size() - 1 - random() % 3];
    if (random() % 8 == 0) {
        fresh.organization_id = 1 + random() % 2;
        fresh.is_owner = true;
    } else if (random() % 3 == 0) {
        fresh.organization_id = role.organization_id;
        fresh.role_id = role.role_id;
    } else {
        fresh.brand_id = role.organization_id == 2 ? 3 : 1 + random() % 2;
        fresh.role_id = role.role_id;
    }
    if (std::any_of(all.begin(), all.end(),
                    [&](const auto &one) { return has_same_place(one, fresh); })) {
        return end_membership(world, fresh);
    }
    all.push_back(fresh);
    return "INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner) "
           "VALUES (" +
           std::to_string(fresh.user_id) + ", " + shown(fresh.organization_id) + ", " +
           shown(fresh.brand_id) + ", " + shown(fresh.role_id) + ", " + shown(fresh.is_owner) + ")";
}

// A brand or an organization is switched off, or on again.
std::string switch_place(naive::World &world, std::mt19937_64 &random) {
    const auto turn = [&](const char *table, auto &place, naive::Id id) {
        place.is_active = !place.is_active || random() % 2 == 0;
        return std::string("UPDATE entitle.") + table +
               " SET is_active = " + shown(place.is_active) + " WHERE " + table +
               "_id = " + std::to_string(id);
    };
    if (random() % 3 == 0) {
        naive::Organization &organization = pick(world.organization, random);
        return turn("organization", organization, organization.organization_id);
    }
    naive::Brand &brand = pick(world.brand, random);
    return turn("brand", brand, brand.brand_id);
}

std::string change_at_random(naive::World &world, std::mt19937_64 &random) {
    switch (random() % 13) {
    case 0:
    case 1:
    case 2:
    case 3:
        return change_grant(world, random);
    case 4:
    case 5:
        return change_membership(world, random);
    case 6: {
        naive::AppUser &user = pick(world.app_user, random);
        user.is_active = !user.is_active || random() % 2 == 0;
        return "UPDATE entitle.app_user SET is_active = " + shown(user.is_active) +
               " WHERE user_id = " + std::to_string(user.user_id);
    }
    case 7: {
        naive::Role &role = world.role[world.role.size() - 1 - random() % 3];
        role.is_active = !role.is_active || random() % 3 == 0;
        return "UPDATE entitle.role SET is_active = " + shown(role.is_active) +
               " WHERE role_id = " + std::to_string(role.role_id);
    }
    case 8: {
        const naive::Id role = world.role[world.role.size() - 1 - random() % 3].role_id;
        const std::string key = kKeys[random() % 3];
        auto &all = world.role_permission;
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto &one) {
            return one.role_id == role && one.permission_key == key;
        });
        if (found != all.end()) {
            all.erase(found);
            return "DELETE FROM entitle.role_permission WHERE role_id = " + std::to_string(role) +
                   " AND permission_key = '" + key + "'";
        }
        all.push_back({role, key});
        return "INSERT INTO entitle.role_permission VALUES (" + std::to_string(role) + ", '" + key +
               "')";
    }
    case 9: {
        const std::string key = kKeys[random() % 2];
        for (naive::Permission &permission : world.permission) {
            if (permission.permission_key == key) {
                permission.is_active = !permission.is_active || random() % 3 == 0;
                return "UPDATE entitle.permission SET is_active = " + shown(permission.is_active) +
                       " WHERE permission_key = '" + key + "'";
            }
        }
        return "";
    }
    case 10: {
        const naive::Id brand = 1 + random() % 4;
        const std::string key = kModules[random() % 2];
        for (naive::BrandModule &module : world.brand_module) {
            if (module.brand_id == brand && module.module_key == key) {
                module.is_enabled = !module.is_enabled || random() % 3 == 0;
                return "UPDATE entitle.brand_module SET is_enabled = " + shown(module.is_enabled) +
                       " WHERE brand_id = " + std::to_string(brand) + " AND module_key = '" + key +
                       "'";
            }
        }
        return "";
    }
    case 11:
        return switch_place(world, random);
    default: {
        if (random() % 2 == 0) {
            naive::Brand &brand = pick(world.brand, random);
            brand.plan_key = brand.plan_key ? std::nullopt : std::optional<std::string>("small");
            return std::string("UPDATE entitle.brand SET plan_key = ") +
                   (brand.plan_key ? "'small'" : "NULL") +
                   " WHERE brand_id = " + std::to_string(brand.brand_id);
        }
        auto &all = world.plan_denial;
        const std::string key = kKeys[random() % 2];
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const auto &one) { return one.permission_key == key; });
        if (found != all.end()) {
            all.erase(found);
            return "DELETE FROM entitle.plan_denial WHERE permission_key = '" + key + "'";
        }
        all.push_back({"small", key});
        return "INSERT INTO entitle.plan_denial VALUES ('small', '" + key + "')";
    }
    }
}

// What change_at_random changes, in any order.
std::string print_of(const naive::World &world) {
    std::vector<std::string> lines;
    for (const auto &one : world.app_user) {
        lines.push_back("user " + shown(one.user_id) + " " + shown(one.is_active));
    }
    for (const auto &one : world.role) {
        lines.push_back("role " + shown(one.role_id) + " " + shown(one.is_active));
    }
    for (const auto &one : world.role_permission) {
        lines.push_back("role " + shown(one.role_id) + " " + one.permission_key);
    }
    for (const auto &one : world.permission) {
        lines.push_back("permission " + one.permission_key + " " + shown(one.is_active));
    }
    for (const auto &one : world.plan_denial) {
        lines.push_back("denial " + one.plan_key + " " + one.permission_key);
    }
    for (const auto &one : world.brand) {
        lines.push_back("brand " + shown(one.brand_id) + " " + one.plan_key.value_or("-") + " " +
                        shown(one.is_active));
    }
    for (const auto &one : world.organization) {
        lines.push_back("organization " + shown(one.organization_id) + " " + shown(one.is_active));
    }
    for (const auto &one : world.brand_module) {
        lines.push_back("module " + shown(one.brand_id) + " " + one.module_key + " " +
                        shown(one.is_enabled));
    }
    for (const auto &one : world.membership) {
        lines.push_back("member " + shown(one.user_id) + " " + shown(one.organization_id) + " " +
                        shown(one.brand_id) + " " + shown(one.role_id) + " " + shown(one.is_owner));
    }
    for (const auto &one : world.external_access) {
        lines.push_back("grant " + shown(one.user_id) + " " + shown(one.customer_id) + " " +
                        std::to_string(one.level) + " " +
                        std::to_string(one.days_back.value_or(-1)) + " " +
                        shown_day(one.valid_from) + " " + shown_day(one.valid_until));
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string &line : lines) {
        text += line + "\n";
    }
    return text;
}

long count_log(client::Session &administrator) {
    return number(administrator.must("SELECT count(*) FROM entitle.change_log").value());
}

// A question takes less time than so many changes.
constexpr std::size_t kKept = 10000;

} // namespace

History::History(client::Session &administrator) {
    states_.push_back(std::make_shared<const naive::World>(load_world(administrator)));
    commands_.emplace_back("the beginning");
    logged_.push_back(count_log(administrator));
}

std::string History::settle(client::Session &administrator, std::size_t first) {
    const naive::World found = load_world(administrator);
    const std::string print = print_of(found);
    const long logged = count_log(administrator);
    const std::lock_guard<std::mutex> lock(mutex_);
    std::size_t at = states_.size();
    while (at > first && (states_[at - 1] == nullptr || print_of(*states_[at - 1]) != print)) {
        --at;
    }
    if (at == first) {
        return "the model is none of the states from " + std::to_string(first) + " to " +
               std::to_string(states_.size() - 1) + ":\n" + print + "the last:\n" +
               print_of(*states_.back());
    }
    // Of states that are alike the log tells which it is.
    std::size_t same = at;
    while (same > first && logged_[same - 1] != logged) {
        --same;
    }
    if (same == first || print_of(*states_[same - 1]) != print) {
        return "the change log has " + std::to_string(logged) + " rows and should have " +
               std::to_string(logged_[at - 1]);
    }
    states_.push_back(states_[same - 1]);
    commands_.push_back("the server came back with state " + std::to_string(same - 1));
    logged_.push_back(logged);
    sent_ = returned_ = states_.size() - 1;
    return "";
}

bool History::change(client::Session &writer, std::uint64_t chance) {
    std::mt19937_64 random(chance);
    auto next = std::make_shared<naive::World>(*states_.back());
    const std::string command = change_at_random(*next, random);
    if (random() % 8 == 0) {
        writer.must("BEGIN; SAVEPOINT s; " + command +
                    (random() % 2 == 0 ? "; ROLLBACK" : "; ROLLBACK TO s; COMMIT"));
        return false;
    }
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        states_.push_back(next);
        commands_.push_back(command);
        logged_.push_back(logged_.back() + 1);
        if (states_.size() > kKept) {
            states_[states_.size() - kKept].reset();
        }
    }
    ++sent_;
    writer.must(command);
    ++returned_;
    return true;
}

std::shared_ptr<const naive::World> History::state(std::size_t number) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return states_.at(number);
}

std::string History::described(std::size_t number) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string text;
    for (std::size_t i = number < 4 ? 0 : number - 4; i < std::min(number + 4, commands_.size());
         ++i) {
        text += std::to_string(i) + ": " + commands_[i] + "\n";
    }
    return text;
}

const ShopRows &history_rows(client::Session *administrator) {
    static const ShopRows rows = load_shop(*administrator, kHistoryToday);
    return rows;
}

} // namespace entitle::campaign
