#include "random_world.hpp"

#include <algorithm>

namespace {

using naive::Id;
using naive::World;
using Keys = std::vector<std::string>;

const Keys kPermissions = {"customers.view",         "customers.edit", "customers.client_metrics",
                           "external_access.manage", "orders.view",    "orders.create",
                           "orders.export",          "reports.view"};
const Keys kMetrics = {"revenue", "sales", "roas", "sessions"};
const Keys kModules = {"customers", "orders", "tracking", "reports"};
const Keys kCapabilities = {"list", "screen", "report", "export", "landing"};
const Keys kSections = {"reports", "tools"};
const Keys kPlans = {"basic", "full"};
const std::vector<Id> kOrganizations = {1, 2};
const std::vector<Id> kBrands = {10, 20, 30, 40};
const std::vector<Id> kUsers = {1, 2, 3, 4};
const std::vector<Id> kRoles = {71, 72, 73, 74, 75, 76};
const std::vector<Id> kCustomers = {101, 102, 103, 104};
constexpr Id kNoSuchId = 999;
const char *const kNoSuchKey = "no.such";

void add_permissions(Dice &dice, World &world) {
    Keys present;
    for (const auto &key : kPermissions) {
        if (dice.chance(93)) {
            world.permission.push_back({key, dice.chance(93)});
            present.push_back(key);
        }
    }
    for (const auto &key : present) {
        for (const auto &module : kModules) {
            if (dice.chance(15)) {
                world.permission_module.push_back({key, module});
            }
        }
        if (dice.chance(2)) {
            world.permission_module.push_back({key, kNoSuchKey});
        }
    }
    // Mostly chains down the list; sometimes any pair at all, which may close a cycle.
    for (std::size_t at = 0; at < present.size(); ++at) {
        if (at > 0 && dice.chance(40)) {
            const auto earlier = static_cast<std::size_t>(dice.below(static_cast<int>(at)));
            world.permission_prerequisite.push_back({present[at], present[earlier]});
        }
        if (dice.chance(5)) {
            world.permission_prerequisite.push_back({present[at], dice.pick(present)});
        }
        if (dice.chance(2)) {
            world.permission_prerequisite.push_back({present[at], kNoSuchKey});
        }
    }
}

void add_metrics_and_capabilities(Dice &dice, World &world) {
    for (const auto &metric : kMetrics) {
        if (dice.chance(88)) {
            world.metric.push_back({metric});
            for (const auto &module : kModules) {
                if (dice.chance(25)) {
                    world.metric_module.push_back({metric, module});
                }
            }
        }
    }
    for (const auto &capability : kCapabilities) {
        if (!dice.chance(90)) {
            continue;
        }
        std::optional<std::string> section;
        if (dice.chance(75)) {
            section = dice.pick(kSections);
        }
        world.capability.push_back({capability, section, dice.below(4)});
        const int alternatives = dice.below(3);
        for (int alternative = 0; alternative <= alternatives; ++alternative) {
            for (const auto &key : kPermissions) {
                if (dice.chance(18)) {
                    world.capability_permission.push_back({capability, alternative, key});
                }
            }
            if (dice.chance(4)) {
                world.capability_permission.push_back({capability, alternative, kNoSuchKey});
            }
        }
    }
}

void add_brands(Dice &dice, World &world) {
    for (Id organization : kOrganizations) {
        world.organization.push_back({organization, dice.chance(92)});
    }
    for (const auto &plan : kPlans) {
        for (const auto &permission : world.permission) {
            if (dice.chance(15)) {
                world.plan_denial.push_back({plan, permission.permission_key});
            }
        }
    }
    for (Id id : kBrands) {
        if (!dice.chance(90)) {
            continue;
        }
        naive::Brand brand{id, std::nullopt, std::nullopt, dice.chance(88)};
        if (dice.chance(75)) {
            brand.organization_id = dice.pick(kOrganizations);
        }
        if (dice.chance(45)) {
            brand.plan_key = dice.pick(kPlans);
        }
        world.brand.push_back(brand);
        for (const auto &module : kModules) {
            if (dice.chance(92)) {
                world.brand_module.push_back({id, module, dice.chance(88)});
            }
        }
    }
}

void add_roles(Dice &dice, World &world) {
    for (Id id : kRoles) {
        world.role.push_back({id, dice.pick(kOrganizations), dice.chance(88)});
        for (const auto &key : kPermissions) {
            if (dice.chance(70)) {
                world.role_permission.push_back({id, key});
            }
        }
        for (const auto &metric : kMetrics) {
            if (dice.chance(35)) {
                world.role_metric.push_back({id, metric});
            }
        }
        if (dice.chance(20)) {
            world.role_metric.push_back({id, "*"});
        }
        if (dice.chance(5)) {
            world.role_permission.push_back({id, kNoSuchKey});
            world.role_metric.push_back({id, kNoSuchKey});
        }
    }
}

// Mostly a role of the right organization; sometimes any, one that does not exist, or none.
std::optional<Id> random_role(Dice &dice, const World &world, const naive::Membership &row) {
    if (dice.chance(10)) {
        return std::nullopt;
    }
    if (dice.chance(3)) {
        return kNoSuchId;
    }
    auto organization = row.organization_id;
    for (const auto &brand : world.brand) {
        if (row.brand_id == brand.brand_id) {
            organization = brand.organization_id;
        }
    }
    naive::Role role = dice.pick(world.role);
    for (int tries = 0; tries < 4 && role.organization_id != organization; ++tries) {
        role = dice.pick(world.role);
    }
    return role.role_id;
}

void add_users(Dice &dice, World &world) {
    for (Id user : kUsers) {
        world.app_user.push_back({user, dice.chance(88)});
        const int memberships = dice.chance(8) ? 0 : 1 + dice.below(4);
        for (int count = 0; count < memberships; ++count) {
            naive::Membership row{user, std::nullopt, std::nullopt, std::nullopt, dice.chance(15)};
            const int kind = dice.below(100);
            if (kind < 47 || kind >= 97) {
                row.organization_id = dice.pick(kOrganizations);
            }
            if (kind >= 47 &&
                kind < 99) { // 97 and 98 name both, which no membership may; 99 neither
                row.brand_id = dice.pick(kBrands);
            }
            if (kind == 99) {
                row.organization_id.reset();
            }
            row.role_id = random_role(dice, world, row);
            world.membership.push_back(row);
        }
    }
}

void add_customers(Dice &dice, World &world) {
    const Keys statuses = {"PAIN", "PAIN", "ACTV", "ACTV", "INAC", "actv", ""};
    const std::vector<int> levels = {10, 20, 30, 40, 80, 90};
    const std::vector<int> corrupt_levels = {15, 91, 255, -1, 0, 100};
    const std::vector<std::int32_t> days = {0, 1, 7, 30, 365, INT32_MAX, INT32_MAX - 1, -7};
    for (Id customer : kCustomers) {
        world.customer.push_back(
            {customer, dice.pick(kBrands), dice.pick(statuses), dice.chance(10)});
        for (Id user : kUsers) {
            if (!dice.chance(60)) {
                continue;
            }
            naive::ExternalAccess grant{customer, user, dice.pick(levels), 30, {}, {}};
            if (dice.chance(8)) {
                grant.level = dice.pick(corrupt_levels);
            }
            if (dice.chance(25)) {
                grant.days_back.reset();
            } else {
                grant.days_back = dice.pick(days);
            }
            if (dice.chance(25)) {
                grant.valid_from = random_date(dice, 0);
            }
            if (dice.chance(25)) {
                grant.valid_until = random_date(dice, 0);
            }
            world.external_access.push_back(grant);
        }
    }
}

} // namespace

naive::World random_world(Dice &dice) {
    World world;
    world.module = kModules;
    add_permissions(dice, world);
    add_metrics_and_capabilities(dice, world);
    add_brands(dice, world);
    add_roles(dice, world);
    add_users(dice, world);
    add_customers(dice, world);
    return world;
}

std::vector<naive::Asker> random_askers(Dice &dice, const World &world) {
    const std::vector<naive::Date> days = {0, 0, 0, 1, -1, 9821, -2451507, 2147483493};
    std::vector<naive::Asker> askers;
    askers.push_back({std::nullopt, std::nullopt, std::nullopt, 0});
    askers.push_back({kNoSuchId, 10, 101, 0});
    for (const auto &user : world.app_user) {
        askers.push_back({user.user_id, std::nullopt, std::nullopt, 0});
        for (int count = 0; count < 2; ++count) {
            naive::Asker asker{user.user_id, std::nullopt, std::nullopt, dice.pick(days)};
            if (dice.chance(50)) {
                asker.chosen_brand = dice.pick(asked_brands());
            }
            if (dice.chance(50)) {
                asker.chosen_customer = dice.pick(asked_customers());
            }
            askers.push_back(asker);
        }
    }
    return askers;
}

std::optional<naive::Date> random_date(Dice &dice, naive::Date today) {
    switch (dice.below(12)) {
    case 0:
        return std::nullopt;
    case 1:
        return naive::kMinusInfinity;
    case 2:
        return naive::kInfinity;
    case 3:
        return naive::kMinusInfinity + 1;
    case 4:
        return naive::kInfinity - 1;
    default:
        break;
    }
    const std::vector<int> back = {0, 1, 2, 6, 7, 8, 29, 30, 31, 364, 365, 366, -1, -30};
    const auto date = std::int64_t{today} - dice.pick(back);
    return static_cast<naive::Date>(
        std::min<std::int64_t>(std::max<std::int64_t>(date, INT32_MIN), INT32_MAX));
}

naive::RowQuestion random_row(Dice &dice, naive::Date today) {
    const std::vector<int> levels = {10, 20, 30, 40, 80, 90, 10, 20,
                                     30, 40, 80, 90, 0,  15, -1, 255};
    naive::RowQuestion row;
    if (dice.chance(60)) {
        row.permission = dice.pick(asked_permissions());
    }
    row.has_brand = dice.chance(50);
    if (row.has_brand && dice.chance(93)) {
        row.brand_id = dice.pick(asked_brands());
    }
    if (dice.chance(70)) {
        row.min_level = dice.pick(levels);
    }
    if (dice.chance(93)) {
        row.customer_id = dice.pick(asked_customers());
    }
    row.is_dated = dice.chance(60);
    if (row.is_dated) {
        row.on_date = random_date(dice, today);
    }
    return row;
}

const Keys &asked_permissions() {
    static const Keys keys = [] {
        Keys all = kPermissions;
        all.insert(all.end(), {"", "*", "customers.*", "customers", "Customers.View",
                               "customers.view ", kNoSuchKey});
        return all;
    }();
    return keys;
}

const Keys &asked_metrics() {
    static const Keys keys = [] {
        Keys all = kMetrics;
        all.insert(all.end(), {"", "*", "Revenue", "revenu", kNoSuchKey});
        return all;
    }();
    return keys;
}

const Keys &asked_capabilities() {
    static const Keys keys = [] {
        Keys all = kCapabilities;
        all.insert(all.end(), {"", "LIST", kNoSuchKey});
        return all;
    }();
    return keys;
}

const Keys &asked_sections() {
    static const Keys keys = {"reports", "tools", "Reports", ""};
    return keys;
}

const std::vector<Id> &asked_brands() {
    static const std::vector<Id> ids = [] {
        std::vector<Id> all = kBrands;
        all.push_back(kNoSuchId);
        return all;
    }();
    return ids;
}

const std::vector<Id> &asked_customers() {
    static const std::vector<Id> ids = [] {
        std::vector<Id> all = kCustomers;
        all.push_back(kNoSuchId);
        return all;
    }();
    return ids;
}
