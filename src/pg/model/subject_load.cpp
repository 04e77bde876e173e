// The loads: users with memberships, brands and roles.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/model/subject_load.hpp"
#include "pg/model/model_table.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace entitle::pg {

namespace {

struct OptionalId {
    bool is_set;
    std::int64_t id;

    std::optional<std::int64_t> get() const noexcept {
        return is_set ? std::optional<std::int64_t>(id) : std::nullopt;
    }
};

struct MembershipRow {
    OptionalId organization;
    OptionalId brand;
    OptionalId role;
    bool is_owner;
    bool is_brand_off;
    bool is_organization_off;
};

struct BrandRow {
    std::int64_t id;
    OptionalId organization;
    const char *name;
    const char *plan;
    const pg_uuid_t *uuid; // null pointers for none
    const char *code;
    bool is_active;
};

// A key that belongs to a brand or role.
struct KeyRow {
    std::int64_t owner;
    const char *key;
};

struct RoleRow {
    std::int64_t id;
    std::int64_t organization;
    const char *name;
    bool is_active;
    bool is_gone;
};

struct SubjectRows {
    const char *login;
    bool is_active;
    RowList<MembershipRow> memberships;
    RowList<BrandRow> brands;
    RowList<KeyRow> modules;
    RowList<KeyRow> denials;
    RowList<RoleRow> roles;
    RowList<KeyRow> permissions;
    RowList<KeyRow> metrics;
};

OptionalId get_id(const Rows &rows, int column) {
    bool is_null = false;
    const std::int64_t id = get_bigint(rows, column, &is_null);
    return OptionalId{!is_null, id};
}

constexpr int kNoColumn = -1;

// Reads the keys in a column; where a column of booleans is named, of the rows where it is true.
void read_keys(const Reader &reader, Table table, TableIndex index, Datum value, std::int64_t owner,
               int key_column, int enabled_column, RowList<KeyRow> &keys) {
    Rows rows = open_rows(reader, table, index, 1, value);
    while (next_row(rows)) {
        if (enabled_column == kNoColumn || get_bool(rows, enabled_column)) {
            keys.add(KeyRow{owner, get_text(rows, key_column)});
        }
    }
    close_rows(rows);
}

template <typename Row> bool has_id(const RowList<Row> &list, std::int64_t id) noexcept {
    return std::any_of(list.begin(), list.end(), [&](const Row &row) { return row.id == id; });
}

bool is_organization_on(const Reader &reader, std::int64_t organization) {
    Rows rows = open_rows(reader, Table::organization, TableIndex::organization_by_id, 1,
                          Int64GetDatum(organization));
    const bool found = next_row(rows) && get_bool(rows, OrganizationColumn::is_active);
    close_rows(rows);
    return found;
}

void read_brands(const Reader &reader, TableIndex index, std::int64_t id, SubjectRows &subject) {
    Rows rows = open_rows(reader, Table::brand, index, 1, Int64GetDatum(id));
    while (next_row(rows)) {
        bool is_null = false;
        subject.brands.add(
            BrandRow{get_bigint(rows, BrandColumn::id, &is_null),
                     get_id(rows, BrandColumn::organization), get_text(rows, BrandColumn::name),
                     get_text(rows, BrandColumn::plan), get_uuid(rows, BrandColumn::uuid),
                     get_text(rows, BrandColumn::code), get_bool(rows, BrandColumn::is_active)});
    }
    close_rows(rows);
}

void read_role(const Reader &reader, std::int64_t id, SubjectRows &subject) {
    if (has_id(subject.roles, id)) {
        return;
    }
    Rows rows = open_rows(reader, Table::role, TableIndex::role_by_id, 1, Int64GetDatum(id));
    if (next_row(rows)) {
        bool is_null = false;
        const bool is_active = get_bool(rows, RoleColumn::is_active);
        subject.roles.add(RoleRow{id, get_bigint(rows, RoleColumn::organization, &is_null),
                                  get_text(rows, RoleColumn::name), is_active,
                                  !is_active && get_id(rows, RoleColumn::adoption).is_set});
    }
    close_rows(rows);
    read_keys(reader, Table::role_permission, TableIndex::permission_by_role, Int64GetDatum(id), id,
              RolePermissionColumn::permission, kNoColumn, subject.permissions);
    read_keys(reader, Table::role_metric, TableIndex::metric_by_role, Int64GetDatum(id), id,
              RoleMetricColumn::metric, kNoColumn, subject.metrics);
}

bool read_user(const Reader &reader, UserId user, SubjectRows &subject) {
    Rows rows = open_rows(reader, Table::app_user, TableIndex::user_by_id, 1, Int64GetDatum(user));
    const bool found = next_row(rows);
    if (found) {
        subject.login = get_text(rows, UserColumn::login);
        subject.is_active = get_bool(rows, UserColumn::is_active);
    }
    close_rows(rows);
    return found;
}

// Reads which of a membership's places are switched off. One that is not there counts as such.
void read_places(const Reader &reader, MembershipRow &membership) {
    OptionalId home = membership.organization;
    if (membership.brand.is_set) {
        Rows rows = open_rows(reader, Table::brand, TableIndex::brand_by_id, 1,
                              Int64GetDatum(membership.brand.id));
        const bool is_there = next_row(rows);
        membership.is_brand_off = !is_there || !get_bool(rows, BrandColumn::is_active);
        home = is_there ? get_id(rows, BrandColumn::organization) : home;
        close_rows(rows);
    }
    membership.is_organization_off = home.is_set && !is_organization_on(reader, home.id);
}

void read_memberships(const Reader &reader, UserId user, SubjectRows &subject) {
    Rows rows = open_rows(reader, Table::membership, TableIndex::membership_by_user, 1,
                          Int64GetDatum(user));
    while (next_row(rows)) {
        subject.memberships.add(MembershipRow{
            get_id(rows, MembershipColumn::organization), get_id(rows, MembershipColumn::brand),
            get_id(rows, MembershipColumn::role), get_bool(rows, MembershipColumn::is_owner), false,
            false});
    }
    close_rows(rows);
    for (MembershipRow &membership : subject.memberships) {
        read_places(reader, membership);
    }
}

// Whether an earlier membership already brought this organization's or this brand's brands.
bool is_repeated(const RowList<MembershipRow> &memberships, const MembershipRow &membership) {
    for (const MembershipRow *other = memberships.begin(); other != &membership; ++other) {
        if (other->organization.get() == membership.organization.get() &&
            other->brand.get() == membership.brand.get()) {
            return true;
        }
    }
    return false;
}

// Reads what the memberships reach: brands with their modules and plans, roles with their grants.
void read_reach(const Reader &reader, SubjectRows &subject) {
    for (const MembershipRow &membership : subject.memberships) {
        if (!is_repeated(subject.memberships, membership)) {
            if (membership.organization.is_set) {
                read_brands(reader, TableIndex::brand_by_organization, membership.organization.id,
                            subject);
            } else if (membership.brand.is_set) {
                read_brands(reader, TableIndex::brand_by_id, membership.brand.id, subject);
            }
        }
        if (membership.role.is_set) {
            read_role(reader, membership.role.id, subject);
        }
    }
    for (const BrandRow &brand : subject.brands) {
        read_keys(reader, Table::brand_module, TableIndex::module_by_brand, Int64GetDatum(brand.id),
                  brand.id, BrandModuleColumn::module, BrandModuleColumn::is_enabled,
                  subject.modules);
        if (brand.plan != nullptr) {
            read_keys(reader, Table::plan_denial, TableIndex::denial_by_plan,
                      CStringGetTextDatum(brand.plan), brand.id, PlanDenialColumn::permission,
                      kNoColumn, subject.denials);
        }
    }
}

bool read_subject(UserId user, SubjectRows &subject) {
    Reader reader = open_reader();
    const bool found = read_user(reader, user, subject);
    if (found) {
        read_memberships(reader, user, subject);
    }
    read_reach(reader, subject);
    close_reader(reader);
    return found;
}

// Somebody whose only place is the role, in all brands of its organization.
bool read_role_member(RoleId role, SubjectRows &subject) {
    Reader reader = open_reader();
    subject.login = "";
    subject.is_active = true;
    read_role(reader, role, subject);
    const bool found = subject.roles.count == 1;
    if (found) {
        MembershipRow membership{{true, subject.roles.rows[0].organization},
                                 {false, 0},
                                 {true, role},
                                 false,
                                 false,
                                 false};
        read_places(reader, membership);
        subject.memberships.add(membership);
    }
    read_reach(reader, subject);
    close_reader(reader);
    return found;
}

// C++ from here: plain rows to core's types.

template <typename Item> void sort_unique_by_id(std::vector<Item> &items) {
    std::sort(items.begin(), items.end(), [](const Item &a, const Item &b) { return a.id < b.id; });
    items.erase(std::unique(items.begin(), items.end(),
                            [](const Item &a, const Item &b) { return a.id == b.id; }),
                items.end());
}

template <typename Item> Item *find_item(std::vector<Item> &items, std::int64_t id) noexcept {
    const auto at =
        std::lower_bound(items.begin(), items.end(), id,
                         [](const Item &item, std::int64_t wanted) { return item.id < wanted; });
    return at == items.end() || at->id != id ? nullptr : &*at;
}

void sort_keys(std::vector<KeyIndex> &keys) {
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

// Adds each key to the item it belongs to. A key the catalogue does not know grants nothing anyway.
template <typename Item, typename Find>
void distribute(const RowList<KeyRow> &rows, std::vector<Item> &items,
                std::vector<KeyIndex> Item::*keys, Find find) {
    for (const KeyRow &row : rows) {
        Item *item = find_item(items, row.owner);
        const std::optional<KeyIndex> index = find(std::string_view(row.key));
        if (item != nullptr && index) {
            (item->*keys).push_back(*index);
        }
    }
    for (Item &item : items) {
        sort_keys(item.*keys);
    }
}

Subject build_subject(UserId user, const SubjectRows &rows,
                      const std::shared_ptr<const Catalogue> &catalogue) {
    Subject subject;
    subject.id = user;
    subject.login = rows.login;
    subject.is_active = rows.is_active;
    subject.catalogue = catalogue;
    for (const MembershipRow &row : rows.memberships) {
        subject.memberships.push_back(Membership{row.organization.get(), row.brand.get(),
                                                 row.role.get(), row.is_owner, row.is_brand_off,
                                                 row.is_organization_off});
    }
    for (const BrandRow &row : rows.brands) {
        subject.brands.push_back(
            Brand{row.id,
                  row.organization.get(),
                  row.name,
                  row.plan == nullptr ? "" : row.plan,
                  {},
                  {},
                  row.uuid == nullptr
                      ? std::string()
                      : std::string(reinterpret_cast<const char *>(row.uuid->data), UUID_LEN),
                  row.code == nullptr ? "" : row.code,
                  row.is_active});
    }
    for (const RoleRow &row : rows.roles) {
        subject.roles.push_back(
            Role{row.id, row.organization, row.name, row.is_active, false, {}, {}, row.is_gone});
    }
    sort_unique_by_id(subject.brands);
    sort_unique_by_id(subject.roles);
    subject.settle();
    if (catalogue == nullptr) {
        return subject;
    }
    distribute(rows.modules, subject.brands, &Brand::modules,
               [&](std::string_view key) { return catalogue->find_module(key); });
    distribute(rows.denials, subject.brands, &Brand::denied,
               [&](std::string_view key) { return catalogue->find_permission(key); });
    distribute(rows.permissions, subject.roles, &Role::permissions,
               [&](std::string_view key) { return catalogue->find_permission(key); });
    distribute(rows.metrics, subject.roles, &Role::metrics,
               [&](std::string_view key) { return catalogue->find_metric(key); });
    for (const KeyRow &row : rows.metrics) {
        Role *role = find_item(subject.roles, row.owner);
        if (role != nullptr && std::string_view(row.key) == "*") {
            role->all_metrics = true;
        }
    }
    return subject;
}

bool load_rows(bool (*read)(std::int64_t, SubjectRows &), std::int64_t id,
               const std::shared_ptr<const Catalogue> &(*catalogue)(), Subject &result) {
    Scratch scratch;
    SubjectRows rows{};
    const bool found = read(id, rows);
    if (found) {
        // The catalogue may have to be loaded first, which may raise: before any C++ object lives.
        const std::shared_ptr<const Catalogue> *keys =
            rows.memberships.count > 0 ? &catalogue() : nullptr;
        compute([&] { result = build_subject(id, rows, keys == nullptr ? nullptr : *keys); });
    }
    scratch.close();
    return found;
}

} // namespace

bool load_subject(UserId user, const std::shared_ptr<const Catalogue> &(*catalogue)(),
                  Subject &result) {
    return load_rows(read_subject, user, catalogue, result);
}

bool load_role_member(RoleId role, const std::shared_ptr<const Catalogue> &(*catalogue)(),
                      Subject &result) {
    return load_rows(read_role_member, role, catalogue, result);
}

bool load_role(RoleId role, const std::shared_ptr<const Catalogue> &catalogue, Role &result) {
    Scratch scratch;
    SubjectRows rows{};
    Reader reader = open_reader();
    read_role(reader, role, rows);
    close_reader(reader);
    const bool found = rows.roles.count == 1;
    if (found) {
        compute([&] {
            const RoleRow &row = rows.roles.rows[0];
            Role built{row.id, row.organization, row.name, row.is_active, false, {},
                       {},     row.is_gone};
            for (const KeyRow &key : rows.permissions) {
                built.permissions.push_back(
                    catalogue->find_permission(key.key).value_or(kUnknownKey));
            }
            for (const KeyRow &key : rows.metrics) {
                if (std::string_view(key.key) == "*") {
                    built.all_metrics = true;
                } else {
                    built.metrics.push_back(catalogue->find_metric(key.key).value_or(kUnknownKey));
                }
            }
            sort_keys(built.permissions);
            sort_keys(built.metrics);
            result = std::move(built);
        });
    }
    scratch.close();
    return found;
}

} // namespace entitle::pg
