// The SQL of steps, and rows as lines of text.
#include "sequence_step.hpp"

#include <algorithm>

namespace entitle::campaign {

namespace {

// Writes statements with the database's ids.
class Writer {
  public:
    explicit Writer(const RealIds &real) : real_(real) {}

    std::string id(MaybeId one) const {
        return one ? std::to_string(real_id(real_, *one)) : "NULL";
    }
    static std::string text(const std::string &word) { return "'" + word + "'"; }
    static std::string truth(bool is_true) { return is_true ? "true" : "false"; }
    static std::string days(const std::optional<std::int32_t> &number) {
        return number ? std::to_string(*number) : "NULL";
    }
    static std::string list(const std::optional<std::vector<std::string>> &words) {
        std::string all;
        for (const std::string &word : words.value_or(std::vector<std::string>())) {
            all += (all.empty() ? "" : ",") + word;
        }
        return words ? "'{" + all + "}'::text[]" : "NULL";
    }

  private:
    const RealIds &real_;
};

// What `look` asks; see Judge::sight.
constexpr const char *kLook =
    "SELECT concat('organizations ', array_to_string(entitle.managed_organizations(), ','),"
    " ' brands ', array_to_string(entitle.managed_brands(), ','),"
    " ' users ', (SELECT string_agg(user_id::text, ',' ORDER BY user_id) FROM entitle.app_user"
    " WHERE user_id < 1000),"
    " ' roles ', (SELECT string_agg(role_id::text, ',' ORDER BY role_id) FROM entitle.role"
    " WHERE role_id < 1000),"
    " ' memberships ', (SELECT count(*) FROM entitle.membership),"
    " ' grants ', (SELECT count(*) FROM entitle.external_access),"
    " ' invitations ', (SELECT count(*) FROM entitle.invitation))";

std::string role_statement(const Step &step, const Writer &w) {
    const std::string table = step.is_metric ? "entitle.role_metric" : "entitle.role_permission";
    const std::string key = step.is_metric ? "metric_key" : "permission_key";
    const std::string where = " WHERE role_id = " + w.id(step.role);
    switch (step.act) {
    case Act::insert_role:
        return "INSERT INTO entitle.role (organization_id, name, is_active) VALUES (" +
               w.id(step.organization) + ", " + w.text(step.name) + ", " + w.truth(step.is_on) +
               ")";
    case Act::rename_role:
        return "UPDATE entitle.role SET name = " + w.text(step.name) + where;
    case Act::switch_role:
        return "UPDATE entitle.role SET is_active = " + w.truth(step.is_on) + where;
    case Act::move_role:
        return "UPDATE entitle.role SET organization_id = " + w.id(step.organization) + where;
    case Act::delete_role:
        return "DELETE FROM entitle.role" + where;
    case Act::list_key:
        return "INSERT INTO " + table + " (role_id, " + key + ") VALUES (" + w.id(step.role) +
               ", " + w.text(step.key) + ")";
    case Act::unlist_key:
        return "DELETE FROM " + table + where + " AND " + key + " = " + w.text(step.key);
    case Act::exchange_key:
        return "UPDATE " + table + " SET role_id = " + w.id(step.other_role) + ", " + key + " = " +
               w.text(step.other_key) + where + " AND " + key + " = " + w.text(step.key);
    case Act::create_role:
        return "SELECT entitle.create_role(" + w.text(step.name) + ", " + w.list(step.permissions) +
               ", " + w.list(step.metrics) + ", " + w.id(step.organization) + ")";
    case Act::set_role:
        return "SELECT entitle.set_role(" + w.id(step.role) + ", " + w.list(step.permissions) +
               ", " + w.list(step.metrics) + ")";
    default:
        return "SELECT entitle.drop_role(" + w.id(step.role) + ")";
    }
}

std::string member_statement(const Step &step, const Writer &w) {
    const std::string role = step.has_role ? w.id(step.role) : "NULL";
    const std::string where = " WHERE membership_id = " + w.id(step.membership);
    switch (step.act) {
    case Act::insert_member:
        return "INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id,"
               " is_owner) VALUES (" +
               w.id(step.user) + ", " + w.id(step.organization) + ", " + w.id(step.brand) + ", " +
               role + ", " + w.truth(step.is_on) + ")";
    case Act::change_member:
        if (step.key == "user") {
            return "UPDATE entitle.membership SET user_id = " + w.id(step.user) + where;
        }
        if (step.key == "role") {
            return "UPDATE entitle.membership SET role_id = " + role + where;
        }
        if (step.key == "owner") {
            return "UPDATE entitle.membership SET is_owner = " + w.truth(step.is_on) + where;
        }
        return "UPDATE entitle.membership SET organization_id = " + w.id(step.organization) +
               ", brand_id = " + w.id(step.brand) + ", role_id = " + role + where;
    case Act::delete_member:
        return "DELETE FROM entitle.membership" + where;
    case Act::delete_members:
        return "DELETE FROM entitle.membership WHERE user_id = " + w.id(step.user);
    case Act::clear_place:
        return "DELETE FROM entitle.membership WHERE organization_id = " + w.id(step.organization) +
               " OR brand_id = " + w.id(step.brand);
    case Act::add_member:
        return "SELECT entitle.add_member(" + w.text(step.name) + ", " +
               (step.has_role ? w.text(step.key) : "NULL") + ", " + w.id(step.organization) + ", " +
               w.id(step.brand) + ", " + w.truth(step.is_on) + ")";
    default:
        return "SELECT entitle.remove_member(" + w.id(step.membership) + ")";
    }
}

std::string user_statement(const Step &step, const Writer &w) {
    const std::string where = " WHERE user_id = " + w.id(step.user);
    switch (step.act) {
    case Act::insert_user:
        return "INSERT INTO entitle.app_user (login) VALUES (" + w.text(step.name) + ")";
    case Act::switch_user:
        return "UPDATE entitle.app_user SET is_active = " + w.truth(step.is_on) + where;
    case Act::name_user:
        return "UPDATE entitle.app_user SET full_name = 'someone'" + where;
    case Act::relabel_user:
        return "UPDATE entitle.app_user SET login = 'other'" + where;
    case Act::delete_user:
        return "DELETE FROM entitle.app_user" + where;
    case Act::add_user:
        return "SELECT entitle.add_user(" + w.text(step.name) + ")";
    case Act::deactivate_user:
        return "SELECT entitle.deactivate_user(" + w.text(step.name) + ")";
    default:
        return "SELECT entitle.reactivate_user(" + w.text(step.name) + ")";
    }
}

std::string grant_statement(const Step &step, const Writer &w) {
    const std::string level = "'L" + std::to_string(step.level) + "'";
    const std::string where =
        " WHERE customer_id = " + w.id(step.customer) + " AND user_id = " + w.id(step.user);
    switch (step.act) {
    case Act::insert_grant:
        return "INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES"
               " (" +
               w.id(step.customer) + ", " + w.id(step.user) + ", " + level + ", " +
               w.days(step.days) + ")";
    case Act::change_grant:
        return "UPDATE entitle.external_access SET role = " + level +
               ", days_back = " + w.days(step.days) + where;
    case Act::move_grant:
        return "UPDATE entitle.external_access SET customer_id = " + w.id(step.other_customer) +
               ", user_id = " + w.id(step.other_user) + where;
    case Act::delete_grant:
        return "DELETE FROM entitle.external_access" + where;
    case Act::grant_access:
        return "SELECT entitle.grant_access(" + w.id(step.customer) + ", " + w.text(step.name) +
               ", " + level + ", " + w.days(step.days) + ")";
    default:
        return "SELECT entitle.revoke_access(" + w.id(step.customer) + ", " + w.text(step.name) +
               ")";
    }
}

std::string superusers_statement(const Step &step, const Writer &w) {
    switch (step.act) {
    case Act::flip_permission:
        return "UPDATE entitle.permission SET is_active = " + w.truth(step.is_on) +
               " WHERE permission_key = " + w.text(step.key);
    case Act::flip_module:
        return "UPDATE entitle.brand_module SET is_enabled = " + w.truth(step.is_on) +
               " WHERE brand_id = " + w.id(step.brand) + " AND module_key = " + w.text(step.key);
    case Act::flip_denial:
        return step.is_on
                   ? "INSERT INTO entitle.plan_denial VALUES ('sequence', " + w.text(step.key) +
                         ") ON CONFLICT DO NOTHING"
                   : "DELETE FROM entitle.plan_denial WHERE permission_key = " + w.text(step.key);
    case Act::flip_user:
        return "UPDATE entitle.app_user SET is_active = " + w.truth(step.is_on) +
               " WHERE user_id = " + w.id(step.user);
    default:
        return "UPDATE entitle.brand SET organization_id = " + w.id(step.organization) +
               " WHERE brand_id = " + w.id(step.brand);
    }
}

} // namespace

std::string statement_of(const Step &step, const RealIds &real) {
    const Writer w(real);
    if (step.act <= Act::drop_role) {
        return role_statement(step, w);
    }
    if (step.act <= Act::remove_member) {
        return member_statement(step, w);
    }
    if (step.act <= Act::reactivate_user) {
        return user_statement(step, w);
    }
    if (step.act <= Act::revoke_access) {
        return grant_statement(step, w);
    }
    switch (step.act) {
    case Act::invite:
        return "SELECT entitle.invite_user(" + w.text(step.name) + ", " +
               (step.has_role ? w.text(step.key) : "NULL") + ", " + w.id(step.organization) + ", " +
               w.id(step.brand) + ", " + w.id(step.customer) + ", " +
               (step.customer ? "'L" + std::to_string(step.level) + "'" : "NULL") + ", " +
               w.days(step.days) + ")";
    case Act::accept:
        return "SELECT entitle.accept_invitation(" + w.id(step.invitation) + ")";
    case Act::withdraw:
        return "SELECT entitle.withdraw_invitation(" + w.id(step.invitation) + ")";
    case Act::write_brand:
        return "UPDATE entitle.brand SET name = 'other' WHERE brand_id = " + w.id(step.brand);
    case Act::write_permission:
        return "UPDATE entitle.permission SET is_active = true WHERE permission_key = " +
               w.text(step.key);
    case Act::write_pool:
        return "INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('seq_pool', 'u401')";
    case Act::look:
        return kLook;
    default:
        return superusers_statement(step, w);
    }
}

std::vector<std::string> lines_of(const Affairs &affairs, const RealIds &real) {
    const Writer w(real);
    std::vector<std::string> lines;
    const auto add = [&](std::initializer_list<std::string> words) {
        std::string line;
        for (const std::string &word : words) {
            line += (line.empty() ? "" : "/") + word;
        }
        lines.push_back(line);
    };
    const auto zero = [&](MaybeId id) {
        return id ? w.id(id) : std::string("0");
    };
    for (const auto &row : affairs.world.app_user) {
        add({"user", w.id(row.user_id), affairs.logins.at(row.user_id), w.truth(row.is_active)});
    }
    for (const auto &row : affairs.world.role) {
        add({"role", w.id(row.role_id), w.id(row.organization_id),
             affairs.role_names.at(row.role_id), w.truth(row.is_active)});
    }
    for (const auto &row : affairs.world.role_permission) {
        add({"permission", w.id(row.role_id), row.permission_key});
    }
    for (const auto &row : affairs.world.role_metric) {
        add({"metric", w.id(row.role_id), row.metric_key});
    }
    for (const auto &row : affairs.world.membership) {
        add({"membership", w.id(row.user_id), zero(row.organization_id), zero(row.brand_id),
             zero(row.role_id), w.truth(row.is_owner)});
    }
    for (const auto &row : affairs.world.external_access) {
        add({"grant", w.id(row.customer_id), w.id(row.user_id), "L" + std::to_string(row.level),
             row.days_back ? w.days(row.days_back) : "none"});
    }
    for (const auto &row : affairs.invitations) {
        add({"invitation", w.id(row.user), w.id(row.inviter), zero(row.organization),
             zero(row.brand), zero(row.role), zero(row.customer),
             row.customer ? "L" + std::to_string(row.level) : "none",
             row.days ? w.days(row.days) : "none"});
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

} // namespace entitle::campaign
