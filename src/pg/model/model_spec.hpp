// What model_table.cpp reads: the names, columns, types and indexes of the model's tables, as the
// extension's script makes them.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <iterator>

#include "pg/model/model_table.hpp"

namespace entitle::pg {

constexpr int kTableCount = static_cast<int>(Table::count_);
constexpr int kIndexCount = static_cast<int>(TableIndex::count_);

struct Column {
    int number; // in the table's enumeration
    const char *name;
    Oid type;
};

struct TableSpec {
    Table table;
    const char *name;
    int column_count;
    Column columns[kMaxColumns];
};

struct IndexSpec {
    TableIndex index;
    Table table;
    const char *name;
    int key_count;
    int columns[2];
    RegProcedure equals[2];
};

constexpr TableSpec kTables[] = {
    {Table::app_user,
     "app_user",
     UserColumn::count,
     {{UserColumn::id, "user_id", INT8OID},
      {UserColumn::login, "login", TEXTOID},
      {UserColumn::is_active, "is_active", BOOLOID},
      {UserColumn::role_name, "db_role", NAMEOID},
      {UserColumn::role, "db_role_oid", OIDOID}}},
    {Table::sign_in_grant,
     "sign_in_grant",
     SignInGrantColumn::count,
     {{SignInGrantColumn::role, "db_role_oid", OIDOID},
      {SignInGrantColumn::login, "login", TEXTOID}}},
    {Table::membership,
     "membership",
     MembershipColumn::count,
     {{MembershipColumn::user, "user_id", INT8OID},
      {MembershipColumn::organization, "organization_id", INT8OID},
      {MembershipColumn::brand, "brand_id", INT8OID},
      {MembershipColumn::role, "role_id", INT8OID},
      {MembershipColumn::is_owner, "is_owner", BOOLOID}}},
    {Table::organization,
     "organization",
     OrganizationColumn::count,
     {{OrganizationColumn::id, "organization_id", INT8OID},
      {OrganizationColumn::is_active, "is_active", BOOLOID}}},
    {Table::brand,
     "brand",
     BrandColumn::count,
     {{BrandColumn::id, "brand_id", INT8OID},
      {BrandColumn::organization, "organization_id", INT8OID},
      {BrandColumn::name, "name", TEXTOID},
      {BrandColumn::plan, "plan_key", TEXTOID},
      {BrandColumn::is_active, "is_active", BOOLOID},
      {BrandColumn::uuid, "brand_uuid", UUIDOID},
      {BrandColumn::code, "brand_code", TEXTOID}}},
    {Table::brand_module,
     "brand_module",
     BrandModuleColumn::count,
     {{BrandModuleColumn::brand, "brand_id", INT8OID},
      {BrandModuleColumn::module, "module_key", TEXTOID},
      {BrandModuleColumn::is_enabled, "is_enabled", BOOLOID}}},
    {Table::plan_denial,
     "plan_denial",
     PlanDenialColumn::count,
     {{PlanDenialColumn::plan, "plan_key", TEXTOID},
      {PlanDenialColumn::permission, "permission_key", TEXTOID}}},
    {Table::role,
     "role",
     RoleColumn::count,
     {{RoleColumn::id, "role_id", INT8OID},
      {RoleColumn::organization, "organization_id", INT8OID},
      {RoleColumn::name, "name", TEXTOID},
      {RoleColumn::is_active, "is_active", BOOLOID},
      {RoleColumn::adoption, "adoption_id", INT8OID}}},
    {Table::role_permission,
     "role_permission",
     RolePermissionColumn::count,
     {{RolePermissionColumn::role, "role_id", INT8OID},
      {RolePermissionColumn::permission, "permission_key", TEXTOID}}},
    {Table::role_metric,
     "role_metric",
     RoleMetricColumn::count,
     {{RoleMetricColumn::role, "role_id", INT8OID},
      {RoleMetricColumn::metric, "metric_key", TEXTOID}}},
    {Table::permission,
     "permission",
     PermissionColumn::count,
     {{PermissionColumn::key, "permission_key", TEXTOID},
      {PermissionColumn::is_active, "is_active", BOOLOID}}},
    {Table::permission_module,
     "permission_module",
     NeedColumn::count,
     {{NeedColumn::key, "permission_key", TEXTOID}, {NeedColumn::needs, "module_key", TEXTOID}}},
    {Table::permission_prerequisite,
     "permission_prerequisite",
     NeedColumn::count,
     {{NeedColumn::key, "permission_key", TEXTOID}, {NeedColumn::needs, "requires_key", TEXTOID}}},
    {Table::metric, "metric", MetricColumn::count, {{MetricColumn::key, "metric_key", TEXTOID}}},
    {Table::metric_module,
     "metric_module",
     NeedColumn::count,
     {{NeedColumn::key, "metric_key", TEXTOID}, {NeedColumn::needs, "module_key", TEXTOID}}},
    {Table::capability,
     "capability",
     CapabilityColumn::count,
     {{CapabilityColumn::key, "capability_key", TEXTOID},
      {CapabilityColumn::section, "section", TEXTOID},
      {CapabilityColumn::position, "position", INT4OID}}},
    {Table::capability_permission,
     "capability_permission",
     CapabilityPermissionColumn::count,
     {{CapabilityPermissionColumn::capability, "capability_key", TEXTOID},
      {CapabilityPermissionColumn::alternative, "alternative", INT4OID},
      {CapabilityPermissionColumn::permission, "permission_key", TEXTOID}}},
    {Table::external_access,
     "external_access",
     GrantColumn::count,
     {{GrantColumn::customer, "customer_id", INT8OID},
      {GrantColumn::user, "user_id", INT8OID},
      {GrantColumn::role, "role", TEXTOID},
      {GrantColumn::days_back, "days_back", INT4OID},
      {GrantColumn::valid_from, "valid_from", DATEOID},
      {GrantColumn::valid_until, "valid_until", DATEOID}}},
    {Table::customer,
     "customer",
     CustomerColumn::count,
     {{CustomerColumn::id, "customer_id", INT8OID},
      {CustomerColumn::uuid, "customer_uuid", UUIDOID},
      {CustomerColumn::code, "customer_code", TEXTOID},
      {CustomerColumn::brand, "brand_id", INT8OID},
      {CustomerColumn::status, "status", TEXTOID},
      {CustomerColumn::adoption, "adoption_id", INT8OID}}},
    {Table::client_metric,
     "client_metric",
     ClientMetricColumn::count,
     {{ClientMetricColumn::id, "metric_id", INT8OID},
      {ClientMetricColumn::organization, "organization_id", INT8OID}}},
    {Table::pending_invitation,
     "pending_invitation",
     InvitationColumn::count,
     {{InvitationColumn::user, "user_id", INT8OID}}},
};

constexpr IndexSpec kIndexes[] = {
    {TableIndex::none, Table::count_, nullptr, 0, {0, 0}, {0, 0}},
    {TableIndex::user_by_id,
     Table::app_user,
     "app_user_pkey",
     1,
     {UserColumn::id, 0},
     {F_INT8EQ, 0}},
    {TableIndex::user_by_login,
     Table::app_user,
     "app_user_login_key",
     1,
     {UserColumn::login, 0},
     {F_TEXTEQ, 0}},
    {TableIndex::user_by_role,
     Table::app_user,
     "app_user_db_role_oid_key",
     1,
     {UserColumn::role, 0},
     {F_OIDEQ, 0}},
    {TableIndex::sign_in_grant_by_role,
     Table::sign_in_grant,
     "sign_in_grant_role_idx",
     2,
     {SignInGrantColumn::role, SignInGrantColumn::login},
     {F_OIDEQ, F_TEXTEQ}},
    {TableIndex::sign_in_grant_of_all,
     Table::sign_in_grant,
     "sign_in_grant_all_idx",
     1,
     {SignInGrantColumn::role, 0},
     {F_OIDEQ, 0}},
    {TableIndex::membership_by_user,
     Table::membership,
     "membership_user_idx",
     1,
     {MembershipColumn::user, 0},
     {F_INT8EQ, 0}},
    {TableIndex::membership_by_organization,
     Table::membership,
     "membership_organization_idx",
     1,
     {MembershipColumn::organization, 0},
     {F_INT8EQ, 0}},
    {TableIndex::membership_by_brand,
     Table::membership,
     "membership_brand_idx",
     1,
     {MembershipColumn::brand, 0},
     {F_INT8EQ, 0}},
    {TableIndex::owner_by_organization,
     Table::membership,
     "membership_owner_idx",
     1,
     {MembershipColumn::organization, 0},
     {F_INT8EQ, 0}},
    {TableIndex::organization_by_id,
     Table::organization,
     "organization_pkey",
     1,
     {OrganizationColumn::id, 0},
     {F_INT8EQ, 0}},
    {TableIndex::brand_by_id, Table::brand, "brand_pkey", 1, {BrandColumn::id, 0}, {F_INT8EQ, 0}},
    {TableIndex::brand_by_uuid,
     Table::brand,
     "brand_uuid_key",
     1,
     {BrandColumn::uuid, 0},
     {F_UUID_EQ, 0}},
    {TableIndex::brand_by_code,
     Table::brand,
     "brand_code_key",
     1,
     {BrandColumn::code, 0},
     {F_TEXTEQ, 0}},
    {TableIndex::brand_by_organization,
     Table::brand,
     "brand_organization_idx",
     1,
     {BrandColumn::organization, 0},
     {F_INT8EQ, 0}},
    {TableIndex::module_by_brand,
     Table::brand_module,
     "brand_module_pkey",
     1,
     {BrandModuleColumn::brand, 0},
     {F_INT8EQ, 0}},
    {TableIndex::denial_by_plan,
     Table::plan_denial,
     "plan_denial_pkey",
     1,
     {PlanDenialColumn::plan, 0},
     {F_TEXTEQ, 0}},
    {TableIndex::role_by_id, Table::role, "role_pkey", 1, {RoleColumn::id, 0}, {F_INT8EQ, 0}},
    {TableIndex::permission_by_role,
     Table::role_permission,
     "role_permission_pkey",
     1,
     {RolePermissionColumn::role, 0},
     {F_INT8EQ, 0}},
    {TableIndex::metric_by_role,
     Table::role_metric,
     "role_metric_pkey",
     1,
     {RoleMetricColumn::role, 0},
     {F_INT8EQ, 0}},
    {TableIndex::grant_by_user,
     Table::external_access,
     "external_access_user_idx",
     1,
     {GrantColumn::user, 0},
     {F_INT8EQ, 0}},
    {TableIndex::grant_by_customer,
     Table::external_access,
     "external_access_pkey",
     2,
     {GrantColumn::customer, GrantColumn::user},
     {F_INT8EQ, F_INT8EQ}},
    {TableIndex::customer_by_id,
     Table::customer,
     "customer_pkey",
     1,
     {CustomerColumn::id, 0},
     {F_INT8EQ, 0}},
    {TableIndex::customer_by_uuid,
     Table::customer,
     "customer_uuid_key",
     1,
     {CustomerColumn::uuid, 0},
     {F_UUID_EQ, 0}},
    {TableIndex::customer_by_code,
     Table::customer,
     "customer_code_key",
     1,
     {CustomerColumn::code, 0},
     {F_TEXTEQ, 0}},
    {TableIndex::gone_customer,
     Table::customer,
     "customer_gone_idx",
     1,
     {CustomerColumn::id, 0},
     {F_INT8EQ, 0}},
    {TableIndex::client_metric_by_id,
     Table::client_metric,
     "client_metric_pkey",
     1,
     {ClientMetricColumn::id, 0},
     {F_INT8EQ, 0}},
    {TableIndex::invitation_by_user,
     Table::pending_invitation,
     "pending_invitation_user_idx",
     1,
     {InvitationColumn::user, 0},
     {F_INT8EQ, 0}},
};

// The specifications are read by number: they stand in the order of their enumerations.
constexpr bool are_in_order() {
    int number = 0;
    for (const TableSpec &spec : kTables) {
        if (static_cast<int>(spec.table) != number++) {
            return false;
        }
        for (int i = 0; i < spec.column_count; ++i) {
            if (spec.columns[i].number != i || spec.columns[i].name == nullptr) {
                return false;
            }
        }
    }
    number = 0;
    for (const IndexSpec &spec : kIndexes) {
        if (static_cast<int>(spec.index) != number++) {
            return false;
        }
    }
    return true;
}
static_assert(std::size(kTables) == kTableCount && std::size(kIndexes) == kIndexCount);
static_assert(are_in_order());

} // namespace entitle::pg
