// Loads the catalogue: permissions, modules, metrics and capabilities.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/model/subject_load.hpp"
#include "pg/model/model_table.hpp"

#include <string>

namespace entitle::pg {

namespace {

struct PairRow {
    const char *key;
    const char *needs;
};

struct PermissionRow {
    const char *key;
    bool is_active;
};

struct CapabilityRow {
    const char *key;
    const char *section;
    int position;
};

struct AlternativeRow {
    const char *capability;
    int alternative;
    const char *permission;
};

RowList<PairRow> read_pairs(const Reader &reader, Table table) {
    RowList<PairRow> pairs;
    Rows rows = open_rows(reader, table, TableIndex::none);
    while (next_row(rows)) {
        pairs.add(PairRow{get_text(rows, NeedColumn::key), get_text(rows, NeedColumn::needs)});
    }
    close_rows(rows);
    return pairs;
}

// NULL stands last: a capability without a position is no section's landing page (R29).
int get_position(const Rows &rows, int column) {
    bool is_null = false;
    const Datum value = get_value(rows, column, &is_null);
    return is_null ? PG_INT32_MAX : DatumGetInt32(value);
}

std::vector<CatalogueRows::Pair> copy_pairs(const RowList<PairRow> &rows) {
    std::vector<CatalogueRows::Pair> pairs;
    for (const PairRow &row : rows) {
        pairs.push_back({row.key, row.needs});
    }
    return pairs;
}

} // namespace

void load_catalogue(std::shared_ptr<const Catalogue> &result) {
    Scratch scratch;
    RowList<PermissionRow> permissions;
    RowList<const char *> metrics;
    RowList<CapabilityRow> capabilities;
    RowList<AlternativeRow> alternatives;

    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::permission, TableIndex::none);
    while (next_row(rows)) {
        permissions.add(PermissionRow{get_text(rows, PermissionColumn::key),
                                      get_bool(rows, PermissionColumn::is_active)});
    }
    close_rows(rows);
    const RowList<PairRow> permission_modules = read_pairs(reader, Table::permission_module);
    const RowList<PairRow> prerequisites = read_pairs(reader, Table::permission_prerequisite);
    rows = open_rows(reader, Table::metric, TableIndex::none);
    while (next_row(rows)) {
        metrics.add(get_text(rows, MetricColumn::key));
    }
    close_rows(rows);
    const RowList<PairRow> metric_modules = read_pairs(reader, Table::metric_module);
    rows = open_rows(reader, Table::capability, TableIndex::none);
    while (next_row(rows)) {
        capabilities.add(CapabilityRow{get_text(rows, CapabilityColumn::key),
                                       get_text(rows, CapabilityColumn::section),
                                       get_position(rows, CapabilityColumn::position)});
    }
    close_rows(rows);
    rows = open_rows(reader, Table::capability_permission, TableIndex::none);
    while (next_row(rows)) {
        alternatives.add(AlternativeRow{get_text(rows, CapabilityPermissionColumn::capability),
                                        get_position(rows, CapabilityPermissionColumn::alternative),
                                        get_text(rows, CapabilityPermissionColumn::permission)});
    }
    close_rows(rows);
    close_reader(reader);

    compute([&] {
        CatalogueRows facts;
        for (const PermissionRow &row : permissions) {
            facts.permissions.push_back({row.key, row.is_active});
        }
        facts.permission_modules = copy_pairs(permission_modules);
        facts.permission_prerequisites = copy_pairs(prerequisites);
        for (const char *key : metrics) {
            facts.metrics.emplace_back(key);
        }
        facts.metric_modules = copy_pairs(metric_modules);
        for (const CapabilityRow &row : capabilities) {
            facts.capabilities.push_back(
                {row.key,
                 row.section == nullptr ? std::nullopt : std::optional<std::string>(row.section),
                 row.position});
        }
        for (const AlternativeRow &row : alternatives) {
            facts.alternatives.push_back({row.capability, row.alternative, row.permission});
        }
        result = std::make_shared<const Catalogue>(facts);
    });
    scratch.close();
}

} // namespace entitle::pg
