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

// Whether the customer is one whose row of an adopted table is gone (R64).
bool is_gone(const Reader &reader, CustomerId customer) {
    Rows rows =
        open_rows(reader, Table::customer, TableIndex::gone_customer, 1, Int64GetDatum(customer));
    const bool found = next_row(rows);
    close_rows(rows);
    return found;
}

// Marks the grants on such customers. Where few are gone, they are read at once.
void mark_gone(const Reader &reader, RowList<Grant> &grants) {
    RowList<CustomerId> gone;
    const std::size_t limit = 64 + 4 * grants.count;
    Rows rows = open_rows(reader, Table::customer, TableIndex::gone_customer);
    while (grants.count > 0 && gone.count < limit && next_row(rows)) {
        bool is_null = false;
        gone.add(get_bigint(rows, CustomerColumn::id, &is_null));
    }
    close_rows(rows);
    if (gone.count == 0) {
        return;
    }
    std::sort(gone.begin(), gone.end());
    for (Grant &grant : grants) {
        grant.is_customer_gone = gone.count < limit
                                     ? std::binary_search(gone.begin(), gone.end(), grant.customer)
                                     : is_gone(reader, grant.customer);
    }
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
    if (!is_complete) {
        close_reader(reader);
        scratch.close();
        return false;
    }
    mark_gone(reader, grants);
    close_reader(reader);
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
        result.is_customer_gone = is_gone(reader, customer);
    }
    close_rows(rows);
    close_reader(reader);
    scratch.close();
    return found;
}

} // namespace entitle::pg
