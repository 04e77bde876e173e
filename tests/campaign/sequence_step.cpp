#include "sequence_step.hpp"

#include <algorithm>

namespace entitle::campaign {

namespace {

using Words = std::vector<std::string>;

const std::vector<Id> kOrganizations = {101, 102};
const std::vector<Id> kBrands = {201, 202, 203, 204};
const std::vector<Id> kCustomers = {501, 502, 503, 504};
const std::vector<int> kLevels = {10, 30, 40, 80, 90};
const Words kKeys = {"roles.manage",   "members.manage",  "external_access.manage",
                     "customers.view", "customers.edit",  "customers.export",
                     "reports.view",   "conversions.view"};
const Words kMetrics = {"revenue", "sessions", "*"};
const Words kModules = {"customers", "reports"};
constexpr Id kNoSuchId = 999;

std::string text_of(Id id) { return std::to_string(id); }

std::string quoted(const std::string &text) { return "'" + text + "'"; }

std::string maybe(MaybeId id) { return id ? text_of(*id) : "NULL"; }

std::string maybe(const std::optional<std::int32_t> &number) {
    return number ? std::to_string(*number) : "NULL";
}

std::string truth(bool is_true) { return is_true ? "true" : "false"; }

std::string level_text(int level) { return "L" + std::to_string(level); }

Words some_of(Dice &dice, const Words &words, int percent) {
    Words some;
    for (const std::string &word : words) {
        if (dice.chance(percent)) {
            some.push_back(word);
        }
    }
    return some;
}

std::optional<std::int32_t> random_days(Dice &dice) {
    if (dice.chance(30)) {
        return std::nullopt;
    }
    return dice.pick(std::vector<std::int32_t>{0, 7, 30, 90});
}

// A place of a membership, rarely one that no membership can have.
void pick_place(Dice &dice, Step &step) {
    const int kind = dice.below(100);
    if (kind < 48 || kind >= 97) {
        step.organization = dice.pick(kOrganizations);
    }
    if (kind >= 48 && kind < 98) {
        step.brand = dice.pick(kBrands);
    }
}

Id pick_user(Dice &dice, const Affairs &affairs) {
    return dice.chance(2) ? kNoSuchId : dice.pick(affairs.logins).first;
}

Id pick_role(Dice &dice, const Affairs &affairs) {
    return affairs.role_names.empty() || dice.chance(2) ? kNoSuchId
                                                        : dice.pick(affairs.role_names).first;
}

std::string pick_login(Dice &dice, const Affairs &affairs, int new_percent) {
    return dice.chance(new_percent) ? "new" + std::to_string(dice.below(4))
                                    : dice.pick(affairs.logins).second;
}

std::string pick_role_name(Dice &dice, const Affairs &affairs) {
    return affairs.role_names.empty() || dice.chance(5) ? "no such"
                                                        : dice.pick(affairs.role_names).second;
}

void pick_lists(Dice &dice, Step &step) {
    step.permissions = some_of(dice, kKeys, 25);
    step.metrics = some_of(dice, kMetrics, 15);
    if (dice.chance(2)) {
        step.permissions->push_back("no.such");
    }
}

Id sample_membership(Dice &dice, const Affairs &affairs) {
    return affairs.membership_ids.empty() || dice.chance(2) ? kNoSuchId
                                                            : dice.pick(affairs.membership_ids);
}

void fill_role_step(Dice &dice, const Affairs &affairs, Step &step) {
    step.role = pick_role(dice, affairs);
    step.other_role = dice.chance(50) ? step.role : pick_role(dice, affairs);
    step.organization = dice.pick(kOrganizations);
    step.name =
        dice.chance(80) ? "n" + std::to_string(dice.below(5)) : pick_role_name(dice, affairs);
    step.is_on = dice.chance(50);
    step.is_metric = dice.chance(25);
    step.key = dice.pick(step.is_metric ? kMetrics : kKeys);
    step.other_key = dice.pick(step.is_metric ? kMetrics : kKeys);
    pick_lists(dice, step);
    if (step.act == Act::create_role && dice.chance(50)) {
        step.organization.reset();
    }
    if (step.act == Act::set_role && dice.chance(30)) {
        step.permissions.reset();
    }
    if (step.act == Act::set_role && dice.chance(40)) {
        step.metrics.reset();
    }
}

void fill_member_step(Dice &dice, const Affairs &affairs, Step &step) {
    static const Words kChanges = {"user", "role", "owner", "place"};
    step.membership = sample_membership(dice, affairs);
    step.user = pick_user(dice, affairs);
    step.role = pick_role(dice, affairs);
    step.has_role = dice.chance(75);
    step.is_on = dice.chance(15);
    pick_place(dice, step);
    step.name = pick_login(dice, affairs, 5);
    if (step.act == Act::change_member) {
        step.key = dice.pick(kChanges);
        step.is_on = dice.chance(60);
    } else {
        step.key = pick_role_name(dice, affairs);
    }
}

void fill_superusers_step(Dice &dice, const Affairs &affairs, Step &step) {
    step.user = dice.pick(affairs.logins).first;
    step.is_on = dice.chance(60);
    step.brand = dice.pick(kBrands);
    step.key = dice.pick(step.act == Act::flip_module ? kModules : kKeys);
    if (dice.chance(80)) {
        step.organization = dice.pick(kOrganizations);
    }
}

} // namespace

Id real_id(const RealIds &real, Id id) {
    const auto found = real.find(id);
    return found == real.end() ? id : found->second;
}

Affairs random_affairs(Dice &dice, const naive::World &catalogue) {
    Affairs all;
    naive::World &world = all.world;
    // What roles never list needs not be known.
    for (const auto &row : catalogue.permission) {
        if (std::count(kKeys.begin(), kKeys.end(), row.permission_key) != 0) {
            world.permission.push_back({row.permission_key, dice.chance(95)});
        }
    }
    world.permission_module = catalogue.permission_module;
    world.permission_prerequisite = catalogue.permission_prerequisite;
    world.metric = catalogue.metric;
    world.metric_module = catalogue.metric_module;
    world.module = catalogue.module;
    for (const Id id : kOrganizations) {
        world.organization.push_back({id});
    }
    for (const Id id : kBrands) {
        MaybeId home;
        if (id != 204) {
            home = id == 203 ? 102 : 101;
        }
        world.brand.push_back(
            {id, home, id == 202 ? std::optional<std::string>("sequence") : std::nullopt});
        for (const std::string &module : kModules) {
            world.brand_module.push_back({id, module, dice.chance(92)});
        }
    }
    for (const std::string &key : kKeys) {
        if (dice.chance(6)) {
            world.plan_denial.push_back({"sequence", key});
        }
    }
    for (const Id id : {301, 302, 303, 304, 311, 312, 313}) {
        world.role.push_back({id, id < 310 ? 101 : 102, dice.chance(92)});
        all.role_names[id] = "r" + std::to_string(id % 10);
        const bool is_admin = id == 301 || id == 311;
        for (const std::string &key : kKeys) {
            if (dice.chance(is_admin ? 75 : 30) || (is_admin && key == "roles.manage") ||
                (id % 10 <= 2 && key == "members.manage")) {
                world.role_permission.push_back({id, key});
            }
        }
        for (const std::string &metric : kMetrics) {
            if (dice.chance(is_admin ? 40 : 12)) {
                world.role_metric.push_back({id, metric});
            }
        }
    }
    const auto add = [&](naive::Membership row) {
        const auto is_same = [&](const auto &other) {
            return other.user_id == row.user_id && other.organization_id == row.organization_id &&
                   other.brand_id == row.brand_id && other.role_id == row.role_id;
        };
        if (std::none_of(world.membership.begin(), world.membership.end(), is_same)) {
            world.membership.push_back(row);
            all.membership_ids.push_back(600 + static_cast<Id>(all.membership_ids.size()));
        }
    };
    for (Id user = 401; user <= 410; ++user) {
        world.app_user.push_back({user, user < 410 || dice.chance(40)});
        all.logins[user] = "u" + text_of(user);
    }
    add({401, 101, {}, {}, true});
    add({402, 101, {}, 301, false});
    add({403, {}, 201, 302, false});
    add({404, 101, {}, 304, false});
    add({408, 102, {}, dice.chance(50) ? MaybeId(313) : MaybeId(), true});
    add({409, 102, {}, 311, false});
    for (int more = dice.below(6); more > 0; --more) {
        const Id user = 401 + dice.below(10);
        if (user == 407) {
            continue;
        }
        const naive::Role role = dice.pick(world.role);
        switch (dice.below(4)) {
        case 0:
            add({user, role.organization_id, {}, role.role_id, dice.chance(15)});
            break;
        case 1:
            add({user, role.organization_id, {}, {}, dice.chance(30)});
            break;
        case 2:
            add({user,
                 {},
                 role.organization_id == 102 ? 203 : 201 + dice.below(2),
                 role.role_id,
                 false});
            break;
        default:
            add({user, {}, dice.pick(kBrands), {}, false});
            break;
        }
    }
    for (const Id customer : kCustomers) {
        world.customer.push_back({customer, customer - 300, "PAIN"});
    }
    const auto grant = [&](Id customer, Id user, int level) {
        const auto is_same = [&](const auto &other) {
            return other.user_id == user && other.customer_id == customer;
        };
        if (std::none_of(world.external_access.begin(), world.external_access.end(), is_same)) {
            world.external_access.push_back({customer, user, level, random_days(dice), {}, {}});
        }
    };
    grant(501, 405, 80);
    grant(501, 406, 90);
    for (int more = dice.below(5); more > 0; --more) {
        const Id user = 401 + dice.below(10);
        if (user != 407) {
            grant(dice.pick(kCustomers), user, dice.pick(kLevels));
        }
    }
    // Whoever invited may have lost what he offers.
    for (int more = dice.below(4); more > 0; --more) {
        OpenInvitation row{
            700 + more, 401 + dice.below(10), 401 + dice.below(10), {}, {}, {}, {}, 0, {}};
        const naive::Role role = dice.pick(world.role);
        const int kind = dice.below(3);
        if (kind == 0) {
            row.organization = role.organization_id;
        } else if (kind == 1) {
            row.brand = role.organization_id == 102 ? 203 : 201 + dice.below(2);
        }
        if (kind != 2 && dice.chance(70)) {
            row.role = role.role_id;
        }
        if (kind == 2 || dice.chance(20)) {
            row.customer = dice.pick(kCustomers);
            row.level = dice.pick(kLevels);
            row.days = random_days(dice);
        }
        all.invitations.push_back(row);
    }
    return all;
}

std::string commands_of(const Affairs &affairs) {
    const naive::World &world = affairs.world;
    std::string sql = "BEGIN; SET LOCAL session_replication_role = replica;"
                      " DELETE FROM entitle.pending_invitation;"
                      " DELETE FROM entitle.membership; ALTER TABLE entitle.external_access DISABLE"
                      " TRIGGER entitle_keep_owner; TRUNCATE entitle.external_access; ALTER TABLE"
                      " entitle.external_access ENABLE ALWAYS TRIGGER entitle_keep_owner;"
                      " DELETE FROM entitle.role_metric WHERE role_id > 100;"
                      " DELETE FROM entitle.role_permission WHERE role_id > 100;"
                      " DELETE FROM entitle.role WHERE role_id > 100;"
                      " DELETE FROM entitle.app_user; DELETE FROM entitle.plan_denial;"
                      " TRUNCATE entitle.change_log;";
    for (const auto &row : world.permission) {
        sql += "UPDATE entitle.permission SET is_active = " + truth(row.is_active) +
               " WHERE permission_key = " + quoted(row.permission_key) + ";";
    }
    for (const auto &row : world.plan_denial) {
        sql += "INSERT INTO entitle.plan_denial VALUES ('sequence', " + quoted(row.permission_key) +
               ");";
    }
    for (const auto &row : world.brand_module) {
        sql += "UPDATE entitle.brand_module SET is_enabled = " + truth(row.is_enabled) +
               " WHERE brand_id = " + text_of(row.brand_id) +
               " AND module_key = " + quoted(row.module_key) + ";";
    }
    for (const auto &row : world.app_user) {
        sql += "INSERT INTO entitle.app_user (user_id, login, is_active, db_role) VALUES (" +
               text_of(row.user_id) + ", " + quoted(affairs.logins.at(row.user_id)) + ", " +
               truth(row.is_active) + ", 'seq_user_" + text_of(row.user_id) + "');";
    }
    for (const auto &row : world.role) {
        sql += "INSERT INTO entitle.role (role_id, organization_id, name, is_active) VALUES (" +
               text_of(row.role_id) + ", " + text_of(row.organization_id) + ", " +
               quoted(affairs.role_names.at(row.role_id)) + ", " + truth(row.is_active) + ");";
    }
    for (const auto &row : world.role_permission) {
        sql += "INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (" +
               text_of(row.role_id) + ", " + quoted(row.permission_key) + ");";
    }
    for (const auto &row : world.role_metric) {
        sql += "INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (" +
               text_of(row.role_id) + ", " + quoted(row.metric_key) + ");";
    }
    for (std::size_t i = 0; i < world.membership.size(); ++i) {
        const auto &row = world.membership[i];
        sql += "INSERT INTO entitle.membership (membership_id, user_id, organization_id, brand_id,"
               " role_id, is_owner) VALUES (" +
               text_of(affairs.membership_ids[i]) + ", " + text_of(row.user_id) + ", " +
               maybe(row.organization_id) + ", " + maybe(row.brand_id) + ", " + maybe(row.role_id) +
               ", " + truth(row.is_owner) + ");";
    }
    for (const auto &row : world.external_access) {
        sql += "INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES"
               " (" +
               text_of(row.customer_id) + ", " + text_of(row.user_id) + ", " +
               quoted(level_text(row.level)) + ", " + maybe(row.days_back) + ");";
    }
    for (const auto &row : affairs.invitations) {
        sql += "INSERT INTO entitle.pending_invitation (invitation_id, user_id, inviter_id,"
               " organization_id, brand_id, role_id, customer_id, access_role, days_back, expires)"
               " VALUES (" +
               text_of(row.id) + ", " + text_of(row.user) + ", " + text_of(row.inviter) + ", " +
               maybe(row.organization) + ", " + maybe(row.brand) + ", " + maybe(row.role) + ", " +
               maybe(row.customer) + ", " +
               (row.customer ? quoted(level_text(row.level)) : "NULL") + ", " + maybe(row.days) +
               ", 'infinity');";
    }
    return sql + "COMMIT;";
}

Step random_step(Dice &dice, const Affairs &affairs) {
    constexpr int kDecided = static_cast<int>(Act::look);
    Step step;
    const int kind = dice.below(100);
    if (kind < 8) {
        step.act = static_cast<Act>(kDecided + 1 + dice.below(kActs - kDecided - 1));
        fill_superusers_step(dice, affairs, step);
        return step;
    }
    // Mostly about what passes rights on.
    const auto between = [&](Act first, Act last) {
        return static_cast<Act>(static_cast<int>(first) +
                                dice.below(static_cast<int>(last) - static_cast<int>(first) + 1));
    };
    if (kind >= 85) {
        step.act = between(Act::insert_role, Act::write_pool);
    } else if (kind >= 65) {
        step.act = between(Act::invite, affairs.invitations.empty() ? Act::invite : Act::withdraw);
    } else if (kind >= 50) {
        step.act = between(Act::insert_grant, Act::revoke_access);
    } else if (kind >= 18) {
        step.act = between(Act::insert_role, Act::remove_member);
    }
    if (!dice.chance(4)) {
        step.writer = dice.pick(affairs.logins).first;
        bool is_active = false;
        for (const auto &row : affairs.world.app_user) {
            is_active = is_active || (row.user_id == step.writer && row.is_active);
        }
        step.is_mapped = step.writer < kFirstNew && dice.chance(is_active ? 30 : 80);
    }
    step.level = dice.pick(kLevels);
    step.days = random_days(dice);
    if (step.act <= Act::drop_role) {
        fill_role_step(dice, affairs, step);
    } else if (step.act <= Act::remove_member) {
        fill_member_step(dice, affairs, step);
    } else if (step.act <= Act::reactivate_user) {
        const bool is_new = step.act == Act::insert_user || step.act == Act::add_user;
        step.user = pick_user(dice, affairs);
        step.name = pick_login(dice, affairs, is_new ? 80 : 3);
        step.is_on = dice.chance(50);
    } else if (step.act <= Act::revoke_access) {
        step.user = pick_user(dice, affairs);
        step.customer = dice.chance(2) ? kNoSuchId : dice.pick(kCustomers);
        step.other_user = dice.chance(50) ? step.user : pick_user(dice, affairs);
        step.other_customer = step.other_user != step.user && dice.chance(70)
                                  ? *step.customer
                                  : dice.pick(kCustomers);
        step.name = pick_login(dice, affairs, 3);
    } else if (step.act == Act::invite) {
        fill_member_step(dice, affairs, step);
        step.name = pick_login(dice, affairs, 40);
        if (dice.chance(50)) {
            step.customer = dice.pick(kCustomers);
        }
        if (dice.chance(step.customer ? 70 : 25)) {
            step.organization.reset();
            step.brand.reset();
            step.has_role = !step.customer && step.has_role;
        }
    } else {
        step.invitation =
            affairs.invitations.empty() ? kNoSuchId : dice.pick(affairs.invitations).id;
        step.brand = dice.pick(kBrands);
        step.key = dice.pick(kKeys);
        // Mostly by the one who was invited.
        for (const auto &row : affairs.invitations) {
            if (step.act == Act::accept && row.id == step.invitation && dice.chance(80)) {
                step.writer = row.user;
                step.is_mapped = false;
            }
        }
    }
    return step;
}

std::string identity_of(const Step &step, const Affairs &affairs) {
    if (is_superusers(step.act)) {
        return "";
    }
    if (step.writer == kNobody) {
        return "SELECT entitle.sign_out(); SET LOCAL ROLE seq_pool; ";
    }
    if (step.is_mapped) {
        return "SELECT entitle.sign_out(); SET LOCAL ROLE seq_user_" + text_of(step.writer) + "; ";
    }
    const auto login = affairs.logins.find(step.writer);
    return "SET LOCAL ROLE seq_pool; SELECT entitle.sign_in('" +
           (login == affairs.logins.end() ? "no such" : login->second) + "'); ";
}

} // namespace entitle::campaign
