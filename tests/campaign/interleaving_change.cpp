// The administrative changes: what each does to the database, and what to the model.
#include "history.hpp"
#include "interleaving_case.hpp"

#include <algorithm>
#include <stdexcept>

namespace entitle::campaign {

namespace {

using naive::World;

World &keep(World &world, std::size_t before, std::size_t after, const char *what) {
    if (before == after) {
        throw std::runtime_error(std::string("nothing to change for the model: ") + what);
    }
    return world;
}

template <typename Items, typename Test> void drop(World &world, Items &items, Test test) {
    const std::size_t before = items.size();
    items.erase(std::remove_if(items.begin(), items.end(), test), items.end());
    keep(world, before, items.size(), "drop");
}

template <typename Items, typename Test> auto &find(Items &items, Test test) {
    const auto found = std::find_if(items.begin(), items.end(), test);
    if (found == items.end()) {
        throw std::runtime_error("the model lacks what changes");
    }
    return *found;
}

naive::ExternalAccess &grant_on(World &world, naive::Id customer) {
    return find(world.external_access,
                [&](const auto &one) { return one.customer_id == customer && one.user_id == 1; });
}

naive::Membership &member(World &world, naive::Id user) {
    return find(world.membership, [&](const auto &one) { return one.user_id == user; });
}

Change grant_change(const char *name, naive::Id customer, const char *set, const char *back,
                    void (*apply)(World &)) {
    const std::string begin = "UPDATE entitle.external_access SET ";
    const std::string where =
        " WHERE customer_id = " + std::to_string(customer) + " AND user_id = ";
    const bool moves = std::string(set).find("user_id") != std::string::npos;
    return {name, 1, begin + set + where + "1", begin + back + where + (moves ? "7" : "1"), apply};
}

} // namespace

const std::vector<Change> &changes() {
    static const std::vector<Change> all = {
        {"a revoke", 1, "DELETE FROM entitle.external_access WHERE customer_id = 2 AND user_id = 1",
         "INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (2, "
         "1, "
         "'L20', 30)",
         [](World &world) {
             drop(world, world.external_access,
                  [](const auto &one) { return one.customer_id == 2 && one.user_id == 1; });
         }},
        {"a grant", 1,
         "INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (6, "
         "1, "
         "'L30', NULL)",
         "DELETE FROM entitle.external_access WHERE customer_id = 6",
         [](World &world) {
             world.external_access.push_back({6, 1, 30, std::nullopt, std::nullopt, std::nullopt});
         }},
        grant_change("a lower level", 1, "role = 'L10'", "role = 'L40'",
                     [](World &world) { grant_on(world, 1).level = 10; }),
        grant_change("a higher level", 5, "role = 'L80'", "role = 'L10'",
                     [](World &world) { grant_on(world, 5).level = 80; }),
        grant_change("a shorter window", 1, "days_back = 7", "days_back = NULL",
                     [](World &world) { grant_on(world, 1).days_back = 7; }),
        grant_change("an end yesterday", 1, "valid_until = public.today() - 1",
                     "valid_until = NULL",
                     [](World &world) { grant_on(world, 1).valid_until = kHistoryToday - 1; }),
        grant_change("a beginning tomorrow", 4, "valid_from = public.today() + 1",
                     "valid_from = NULL",
                     [](World &world) { grant_on(world, 4).valid_from = kHistoryToday + 1; }),
        grant_change("a grant that another gets", 5, "user_id = 7", "user_id = 1",
                     [](World &world) { grant_on(world, 5).user_id = 7; }),
        {"a user switched off", 1,
         "UPDATE entitle.app_user SET is_active = false WHERE user_id = 1",
         "UPDATE entitle.app_user SET is_active = true WHERE user_id = 1",
         [](World &world) {
             find(world.app_user, [](const auto &one) { return one.user_id == 1; }).is_active =
                 false;
         }},
        {"a customer that goes", 1, "DELETE FROM entitle.customer WHERE customer_id = 4",
         "INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) "
         "VALUES (4, 1, 'n', 'n', 't'); INSERT INTO entitle.external_access (customer_id, user_id, "
         "role, days_back) VALUES (4, 1, 'L80', NULL), (4, 5, 'L20', 7)",
         [](World &world) {
             drop(world, world.customer, [](const auto &one) { return one.customer_id == 4; });
             drop(world, world.external_access,
                  [](const auto &one) { return one.customer_id == 4; });
         }},
        {"a role loses a permission", 6,
         "DELETE FROM entitle.role_permission WHERE role_id = 101 AND permission_key = "
         "'conversions.view'",
         "INSERT INTO entitle.role_permission VALUES (101, 'conversions.view')",
         [](World &world) {
             drop(world, world.role_permission, [](const auto &one) {
                 return one.role_id == 101 && one.permission_key == "conversions.view";
             });
         }},
        {"a role gets a permission", 8,
         "INSERT INTO entitle.role_permission VALUES (102, 'conversions.view')",
         "DELETE FROM entitle.role_permission WHERE role_id = 102 AND permission_key = "
         "'conversions.view'",
         [](World &world) {
             world.role_permission.push_back({102, "conversions.view"});
         }},
        {"a manager no more", 8,
         "DELETE FROM entitle.role_permission WHERE role_id = 102 AND permission_key = "
         "'external_access.manage'",
         "INSERT INTO entitle.role_permission VALUES (102, 'external_access.manage')",
         [](World &world) {
             drop(world, world.role_permission, [](const auto &one) {
                 return one.role_id == 102 && one.permission_key == "external_access.manage";
             });
         }},
        {"a role switched off", 6, "UPDATE entitle.role SET is_active = false WHERE role_id = 101",
         "UPDATE entitle.role SET is_active = true WHERE role_id = 101",
         [](World &world) {
             find(world.role, [](const auto &one) { return one.role_id == 101; }).is_active = false;
         }},
        {"a membership that ends", 6, "DELETE FROM entitle.membership WHERE user_id = 6",
         "INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (6, 1, 101)",
         [](World &world) {
             drop(world, world.membership, [](const auto &one) { return one.user_id == 6; });
         }},
        {"a membership in another brand", 6,
         "UPDATE entitle.membership SET brand_id = 2 WHERE user_id = 6",
         "UPDATE entitle.membership SET brand_id = 1 WHERE user_id = 6",
         [](World &world) {
             member(world, 6).brand_id = 2;
         }},
        {"an owner no more", 10,
         "UPDATE entitle.membership SET is_owner = false, role_id = 103 WHERE user_id = 10",
         "UPDATE entitle.membership SET is_owner = true, role_id = NULL WHERE user_id = 10",
         [](World &world) {
             member(world, 10).is_owner = false;
             member(world, 10).role_id = 103;
         }},
        {"a module switched off", 6,
         "UPDATE entitle.brand_module SET is_enabled = false WHERE brand_id = 1 AND module_key = "
         "'conversions'",
         "UPDATE entitle.brand_module SET is_enabled = true WHERE brand_id = 1 AND module_key = "
         "'conversions'",
         [](World &world) {
             find(world.brand_module, [](const auto &one) {
                 return one.brand_id == 1 && one.module_key == "conversions";
             }).is_enabled = false;
         }},
        {"a brand switched off", 6, "UPDATE entitle.brand SET is_active = false WHERE brand_id = 1",
         "UPDATE entitle.brand SET is_active = true WHERE brand_id = 1",
         [](World &world) {
             find(world.brand, [](const auto &one) { return one.brand_id == 1; }).is_active = false;
         }},
        {"an organization switched off", 10,
         "UPDATE entitle.organization SET is_active = false WHERE organization_id = 2",
         "UPDATE entitle.organization SET is_active = true WHERE organization_id = 2",
         [](World &world) {
             find(world.organization, [](const auto &one) {
                 return one.organization_id == 2;
             }).is_active = false;
         }},
        {"a permission switched off", 6,
         "UPDATE entitle.permission SET is_active = false WHERE permission_key = "
         "'conversions.view'",
         "UPDATE entitle.permission SET is_active = true WHERE permission_key = "
         "'conversions.view'",
         [](World &world) {
             find(world.permission, [](const auto &one) {
                 return one.permission_key == "conversions.view";
             }).is_active = false;
         }},
        {"a plan that denies more", 6,
         "INSERT INTO entitle.plan_denial VALUES ('small', 'conversions.view')",
         "DELETE FROM entitle.plan_denial WHERE plan_key = 'small'",
         [](World &world) {
             world.plan_denial.push_back({"small", "conversions.view"});
         }},
        {"another plan", 6, "UPDATE entitle.brand SET plan_key = 'tiny' WHERE brand_id = 1",
         "UPDATE entitle.brand SET plan_key = 'small' WHERE brand_id = 1",
         [](World &world) {
             find(world.brand, [](const auto &one) { return one.brand_id == 1; }).plan_key = "tiny";
         }},
        {"one more prerequisite", 6,
         "INSERT INTO entitle.permission_prerequisite VALUES ('conversions.view', 'products.view')",
         "DELETE FROM entitle.permission_prerequisite WHERE permission_key = 'conversions.view' "
         "AND "
         "requires_key = 'products.view'",
         [](World &world) {
             world.permission_prerequisite.push_back({"conversions.view", "products.view"});
         }},
    };
    return all;
}

} // namespace entitle::campaign
