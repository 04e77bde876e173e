// The loads of external grants.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/model/model_table.hpp"
#include "pg/model/subject_load.hpp"

#include <algorithm>
#include <utility>

namespace entitle::pg {

namespace {

Grant read_grant(const Rows &rows) {
    bool is_null = false;
    const std::int64_t customer = get_bigint(rows, GrantColumn::customer, &is_null);
    const char *role = get_text(rows, GrantColumn::role);
    const auto integer = [&](int column) {
        const Datum value = get_value(rows, column, &is_null);
        return is_null ? std::nullopt : std::optional<std::int32_t>(DatumGetInt32(value));
    };
    return make_grant(customer,
                      role == nullptr ? std::nullopt : std::optional<std::string_view>(role),
                      integer(GrantColumn::days_back), integer(GrantColumn::valid_from),
                      integer(GrantColumn::valid_until));
}

} // namespace

bool load_grants(UserId user, std::size_t limit, std::vector<Grant> &result) {
    Scratch scratch;
    RowList<Grant> grants;
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::external_access, TableIndex::grant_by_user, 1,
                          Int64GetDatum(user));
    // Texts of single rows are dropped as they come: a user may have 100,000 rows.
    MemoryContext row_context =
        AllocSetContextCreate(CurrentMemoryContext, "entitle row", ALLOCSET_SMALL_SIZES);
    bool is_complete = true;
    while (next_row(rows)) {
        if (grants.count >= limit) {
            is_complete = false;
            break;
        }
        MemoryContext previous = MemoryContextSwitchTo(row_context);
        const Grant grant = read_grant(rows);
        MemoryContextSwitchTo(previous);
        MemoryContextReset(row_context);
        grants.add(grant);
    }
    close_rows(rows);
    close_reader(reader);

    if (!is_complete) {
        scratch.close();
        return false;
    }
    compute([&] {
        std::vector<Grant> sorted(grants.begin(), grants.end());
        std::sort(sorted.begin(), sorted.end(),
                  [](const Grant &a, const Grant &b) { return a.customer < b.customer; });
        result = std::move(sorted);
    });
    scratch.close();
    return true;
}

bool load_grant(UserId user, CustomerId customer, Grant &result) {
    Scratch scratch;
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::external_access, TableIndex::grant_by_customer, 2,
                          Int64GetDatum(customer), Int64GetDatum(user));
    const bool found = next_row(rows);
    if (found) {
        result = read_grant(rows);
    }
    close_rows(rows);
    close_reader(reader);
    scratch.close();
    return found;
}

} // namespace entitle::pg
