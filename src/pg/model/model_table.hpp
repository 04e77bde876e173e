// Reads model tables by index, without SQL: no search_path, no row security, no recursion; legal in
// the planner, in parallel workers and on standbys. One Reader reads any number of tables under one
// snapshot: the latest committed state and this transaction's own changes. regime: C throughout.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

enum class Table {
    app_user,
    sign_in_grant,
    membership,
    organization,
    brand,
    brand_module,
    plan_denial,
    role,
    role_permission,
    role_metric,
    permission,
    permission_module,
    permission_prerequisite,
    metric,
    metric_module,
    capability,
    capability_permission,
    external_access,
    customer,
    client_metric,
    pending_invitation,
    count_,
};

// The columns of these tables that C++ reads.
struct UserColumn {
    enum { id, login, is_active, role_name, role, count };
};
struct SignInGrantColumn {
    enum { role, login, count };
};
struct MembershipColumn {
    enum { user, organization, brand, role, is_owner, count };
};
struct OrganizationColumn {
    enum { id, is_active, count };
};
struct BrandColumn {
    enum { id, organization, name, plan, is_active, uuid, code, count };
};
struct BrandModuleColumn {
    enum { brand, module, is_enabled, count };
};
struct PlanDenialColumn {
    enum { plan, permission, count };
};
struct RoleColumn {
    enum { id, organization, name, is_active, adoption, count };
};
struct RolePermissionColumn {
    enum { role, permission, count };
};
struct RoleMetricColumn {
    enum { role, metric, count };
};
struct PermissionColumn {
    enum { key, is_active, count };
};
struct MetricColumn {
    enum { key, count };
};
// Tables of pairs: what a permission or a metric needs.
struct NeedColumn {
    enum { key, needs, count };
};
struct CapabilityColumn {
    enum { key, section, position, count };
};
struct CapabilityPermissionColumn {
    enum { capability, alternative, permission, count };
};
struct GrantColumn {
    enum { customer, user, role, days_back, valid_from, valid_until, count };
};
struct CustomerColumn {
    enum { id, uuid, code, brand, status, adoption, count };
};
struct ClientMetricColumn {
    enum { id, organization, count };
};
struct InvitationColumn {
    enum { user, count };
};

// The indexes that loads use, by what they find.
enum class TableIndex {
    none, // read it all
    user_by_id,
    user_by_login,
    user_by_role,
    sign_in_grant_by_role,
    sign_in_grant_of_all,
    membership_by_user,
    membership_by_organization,
    membership_by_brand,
    owner_by_organization,
    organization_by_id,
    brand_by_id,
    brand_by_uuid,
    brand_by_code,
    brand_by_organization,
    module_by_brand,
    denial_by_plan,
    role_by_id,
    role_by_name,
    permission_by_role,
    metric_by_role,
    grant_by_user,
    grant_by_customer,
    customer_by_id,
    customer_by_uuid,
    customer_by_code,
    gone_customer, // of an adopted table, whose row is gone
    client_metric_by_id,
    invitation_by_user,
    count_,
};

// True when a table that was read lacks its signal trigger: then nothing may be remembered past a
// statement.
bool has_unwatched_tables() noexcept;

// Finds out whether tables that were invalidated have changed, or were only analyzed. Then what is
// known of them stays.
void settle_tables();

// Estimates from statistics how many grants a user with many grants has.
double estimate_grants(std::int64_t user);

// A snapshot held for one load. Always closed with close_reader, or by the error that ends the
// load.
struct Reader {
    Snapshot snapshot;
};

Reader open_reader();
void close_reader(Reader &reader);

constexpr int kMaxColumns = 8;

// Rows of one table. Columns are numbered by the enumerations above.
struct Rows {
    Relation relation;
    SysScanDesc scan;
    HeapTuple tuple;
    AttrNumber columns[kMaxColumns];
};

// Opens the rows whose index columns equal the given values; TableIndex::none reads the whole
// table.
Rows open_rows(const Reader &reader, Table table, TableIndex index, int keys = 0, Datum first = 0,
               Datum second = 0);
bool next_row(Rows &rows);
void close_rows(Rows &rows);

// Returns: the column's value in the current row; text is copied into the current memory context.
Datum get_value(const Rows &rows, int column, bool *is_null);
std::int64_t get_bigint(const Rows &rows, int column, bool *is_null);
const char *get_text(const Rows &rows, int column); // null pointer for NULL
const pg_uuid_t *get_uuid(const Rows &rows, int column);
bool get_bool(const Rows &rows, int column); // NULL is false

} // namespace entitle::pg
