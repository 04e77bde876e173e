// The roles of memberships: one belongs to the organization of the membership, or of its brand
// (R22), and is found there by name. regime: C throughout.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/dump_preamble.hpp"
#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"
#include "pg/lending/definer.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/model_table.hpp"
#include "pg/model/replay.hpp"
#include "pg/model/row_trigger.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

constexpr const char *kColumns[] = {"organization_id", "brand_id", "role_id", "is_owner",
                                    "role_organization_id"};
enum ColumnPlace { organization_id, brand_id, role_id, is_owner, role_organization_id };

bool stands_alone(BrandId brand) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::brand, TableIndex::brand_by_id, 1, Int64GetDatum(brand));
    bool is_null = false;
    if (next_row(rows)) {
        (void)get_value(rows, BrandColumn::organization, &is_null);
    }
    close_rows(rows);
    close_reader(reader);
    return is_null;
}

// Among the roles that its index holds: those of adopted tables whose row is gone are not there.
std::optional<RoleId> find_role(OrganizationId organization, Datum name) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::role, TableIndex::role_by_name, 2,
                          Int64GetDatum(organization), name);
    std::optional<RoleId> role;
    if (next_row(rows)) {
        bool is_null = false;
        role = get_bigint(rows, RoleColumn::id, &is_null);
    }
    close_rows(rows);
    close_reader(reader);
    return role;
}

// The organization of a role, which is kept until anything of the model changes. One that another
// session changes meanwhile is refused by the foreign key.
std::optional<OrganizationId> home_of_role(RoleId role) {
    static struct {
        RoleId role;
        std::uint64_t generation;
        std::optional<OrganizationId> home;
    } last = {};
    if (!last.home || last.role != role || last.generation != model_generation()) {
        const std::uint64_t generation = model_generation();
        last = {role, generation, organization_of_role(role)};
    }
    return last.home;
}

Datum with_role_organization(const FiredRow &row, AttrNumber number,
                             std::optional<OrganizationId> organization) {
    int column = number;
    Datum value = Int64GetDatum(organization.value_or(0));
    bool is_null = !organization;
    return PointerGetDatum(
        heap_modify_tuple_by_cols(row.after, row.shape, 1, &column, &value, &is_null));
}

} // namespace

// Trigger of membership, before each row: sets role_organization_id, and says in words what the
// foreign keys and constraints would refuse. A role or brand that does not exist is left to those.
ENTITLE_FUNCTION(entitle_check_membership) {
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    // A restored or replicated row brings its value; its brand and role may come later.
    if (row.after == nullptr || is_replaying() || is_restoring()) {
        return pass(row);
    }
    const auto organization = id_column(row, row.after, columns[organization_id]);
    const auto brand = id_column(row, row.after, columns[brand_id]);
    const auto role = id_column(row, row.after, columns[role_id]);
    const Relation table = row.data->tg_relation;
    if (organization.has_value() == brand.has_value()) {
        ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
                        errmsg("a membership names either an organization or a brand"),
                        errhint("Give organization_id for all brands of an organization, or "
                                "brand_id for one brand."),
                        errtable(table)));
    }
    if (bool_column(row, row.after, columns[is_owner]) && !organization) {
        ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
                        errmsg("an owner owns an organization, not a brand"),
                        errhint("Give organization_id, or leave is_owner false."),
                        errtablecol(table, columns[is_owner])));
    }
    if (!role) {
        return with_role_organization(row, columns[role_organization_id], std::nullopt);
    }
    const auto home = organization ? organization : organization_of_brand(*brand);
    if (!home && stands_alone(*brand)) {
        ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
                        errmsg("a membership of a standalone brand has no role"),
                        errhint("Leave role_id NULL: members of a standalone brand are not "
                                "restricted by roles."),
                        errtablecol(table, columns[role_id])));
    }
    const auto its_home = home ? home_of_role(*role) : std::nullopt;
    if (its_home && its_home != home) {
        ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
                        errmsg("the role of a membership belongs to another organization"),
                        errhint("Name a role of the membership's organization, or of its brand's "
                                "organization."),
                        errtablecol(table, columns[role_id])));
    }
    return with_role_organization(row, columns[role_organization_id], home);
}

// role_named(role, organization_id, brand_id) -> bigint: the role with that name in the
// organization, or in that of the brand; NULL for NULL. Who looks for a role by name manages
// members of the place, and may know its roles. 22023 when there is none.
ENTITLE_FUNCTION(entitle_role_named) {
    if (PG_ARGISNULL(0)) {
        PG_RETURN_NULL();
    }
    const auto brand = bigint_argument(fcinfo, 2);
    auto organization = bigint_argument(fcinfo, 1);
    if (!organization && brand) {
        organization = organization_of_brand(*brand);
    }
    const auto role = organization ? find_role(*organization, PG_GETARG_DATUM(0)) : std::nullopt;
    if (!role) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the organization has no role \"%s\"",
                               text_to_cstring(PG_GETARG_TEXT_PP(0))),
                        errhint("See entitle.role for the roles of the organization; names match "
                                "byte for byte.")));
    }
    PG_RETURN_INT64(*role);
}
