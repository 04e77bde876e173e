// Single rows of customers and users. Keys that stand for a customer are remembered while no
// customer's key changes; everything else is read anew.
#include "pg/boundary/postgres.hpp"

#include "pg/datum/datum.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/model/model_table.hpp"

#include <string>
#include <unordered_map>

namespace entitle::pg {

std::uint64_t key_questions = 0;

namespace {

using KeyMap = std::unordered_map<std::string, CustomerId>;

constexpr std::size_t kMaxKeys = 32768;

struct KnownKeys {
    KeyMap uuids;
    KeyMap codes;
    std::uint64_t generation = 0;
};

KnownKeys &known_keys() {
    static NoDestructor<KnownKeys> keys;
    return keys.get();
}

template <typename Find>
std::optional<CustomerId> customer_by_key(KeyMap KnownKeys::*map, const char *bytes,
                                          std::size_t size, Find &&find) {
    ++key_questions;
    std::optional<CustomerId> customer;
    compute([&] {
        KnownKeys &kept = known_keys();
        if (kept.generation != customer_generation()) {
            kept.uuids.clear();
            kept.codes.clear();
            kept.generation = customer_generation();
        }
        const auto at = (kept.*map).find(std::string(bytes, size));
        if (at != (kept.*map).end()) {
            customer = at->second;
        }
    });
    if (customer) {
        return customer;
    }
    const std::uint64_t generation = customer_generation();
    customer = find();
    // A key that stands for nobody is not remembered: a new customer is not signalled.
    if (customer && generation == customer_generation()) {
        compute([&] {
            KeyMap &keys = known_keys().*map;
            if (keys.size() >= kMaxKeys) {
                keys.clear();
            }
            keys.emplace(std::string(bytes, size), *customer);
        });
    }
    return customer;
}

std::optional<CustomerId> read_customer_id(TableIndex index, Datum key) {
    std::optional<CustomerId> customer;
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::customer, index, 1, key);
    if (next_row(rows)) {
        bool is_null = false;
        customer = get_bigint(rows, CustomerColumn::id, &is_null);
        if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(rows.tuple->t_data))) {
            note_own_customer();
        }
    }
    close_rows(rows);
    close_reader(reader);
    return customer;
}

Datum key_of_customer(CustomerId customer, int column, bool *is_null) {
    ++key_questions;
    Datum key = Datum(0);
    *is_null = true;
    Reader reader = open_reader();
    Rows rows =
        open_rows(reader, Table::customer, TableIndex::customer_by_id, 1, Int64GetDatum(customer));
    if (next_row(rows)) {
        const Datum stored = get_value(rows, column, is_null);
        if (!*is_null) {
            const Form_pg_attribute type =
                TupleDescAttr(RelationGetDescr(rows.relation), rows.columns[column] - 1);
            key = datumCopy(stored, type->attbyval, type->attlen);
        }
    }
    close_rows(rows);
    close_reader(reader);
    return key;
}

// Reads a brand by another key than its number. A key in a protected row may be longer than an
// index takes; it is only looked for.
std::optional<BrandId> read_brand_id(TableIndex index, Datum key) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::brand, index, 1, key);
    bool is_null = true;
    const std::int64_t brand = next_row(rows) ? get_bigint(rows, BrandColumn::id, &is_null) : 0;
    close_rows(rows);
    close_reader(reader);
    return is_null ? std::nullopt : std::optional<BrandId>(brand);
}

// The organization that a row names. Returns: none where it names none, or is not there.
std::optional<OrganizationId> find_organization(Table table, TableIndex index, int column,
                                                std::int64_t id) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, table, index, 1, Int64GetDatum(id));
    bool is_null = true;
    const std::int64_t organization = next_row(rows) ? get_bigint(rows, column, &is_null) : 0;
    close_rows(rows);
    close_reader(reader);
    return is_null ? std::nullopt : std::optional<OrganizationId>(organization);
}

} // namespace

std::optional<CustomerId> customer_by_uuid(const pg_uuid_t *uuid) {
    return customer_by_key(
        &KnownKeys::uuids, reinterpret_cast<const char *>(uuid->data), UUID_LEN,
        [&] { return read_customer_id(TableIndex::customer_by_uuid, UUIDPGetDatum(uuid)); });
}

std::optional<CustomerId> customer_by_code(std::string_view code) {
    return customer_by_key(&KnownKeys::codes, code.data(), code.size(), [&] {
        const Datum key = text_datum(code);
        return read_customer_id(TableIndex::customer_by_code, key);
    });
}

std::optional<CustomerId> customer_of_key(Datum key, Oid type) {
    const PlainKey plain = read_key(NullableDatum{key, false}, type);
    switch (plain.type) {
    case KeyType::integer:
        return plain.number;
    case KeyType::uuid:
        return customer_by_uuid(DatumGetUUIDP(key));
    case KeyType::text:
        return customer_by_code(plain.bytes);
    default:
        return std::nullopt;
    }
}

CustomerFacts facts_of_customer(const Rows &rows) {
    bool is_null = false;
    const std::int64_t brand = get_bigint(rows, CustomerColumn::brand, &is_null);
    CustomerFacts facts{is_null ? std::nullopt : std::optional<BrandId>(brand), ""};
    const char *status = get_text(rows, CustomerColumn::status);
    strlcpy(facts.status, status == nullptr ? "" : status, sizeof(facts.status));
    return facts;
}

std::optional<CustomerFacts> find_customer(CustomerId customer) {
    std::optional<CustomerFacts> facts;
    Reader reader = open_reader();
    Rows rows =
        open_rows(reader, Table::customer, TableIndex::customer_by_id, 1, Int64GetDatum(customer));
    if (next_row(rows)) {
        facts = facts_of_customer(rows);
    }
    close_rows(rows);
    close_reader(reader);
    return facts;
}

Datum uuid_of_customer(CustomerId customer, bool *is_null) {
    return key_of_customer(customer, CustomerColumn::uuid, is_null);
}

Datum code_of_customer(CustomerId customer, bool *is_null) {
    return key_of_customer(customer, CustomerColumn::code, is_null);
}

std::optional<std::int64_t> user_by_login(std::string_view login) {
    const auto found = find_login(login);
    return found ? std::optional<std::int64_t>(found->user) : std::nullopt;
}

std::optional<LoginFacts> find_login(std::string_view login) {
    std::optional<LoginFacts> found;
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::app_user, TableIndex::user_by_login, 1, text_datum(login));
    if (next_row(rows)) {
        bool is_null = false;
        const std::int64_t user = get_bigint(rows, UserColumn::id, &is_null);
        const Datum role = get_value(rows, UserColumn::role, &is_null);
        found = LoginFacts{user, is_null ? InvalidOid : DatumGetObjectId(role)};
    }
    close_rows(rows);
    close_reader(reader);
    return found;
}

bool has_sign_in_grant(Oid role, std::string_view login) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::sign_in_grant, TableIndex::sign_in_grant_by_role, 2,
                          ObjectIdGetDatum(role), text_datum(login));
    const bool is_listed = next_row(rows);
    close_rows(rows);
    close_reader(reader);
    return is_listed;
}

bool has_sign_in_grant_of_all(Oid role) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::sign_in_grant, TableIndex::sign_in_grant_of_all, 1,
                          ObjectIdGetDatum(role));
    const bool is_listed = next_row(rows);
    close_rows(rows);
    close_reader(reader);
    return is_listed;
}

bool is_active_user(UserId user) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::app_user, TableIndex::user_by_id, 1, Int64GetDatum(user));
    const bool is_active = next_row(rows) && get_bool(rows, UserColumn::is_active);
    close_rows(rows);
    close_reader(reader);
    return is_active;
}

std::optional<BrandId> find_brand(NullableDatum key, Oid type) {
    const PlainKey plain = read_key(key, type);
    switch (plain.type) {
    case KeyType::integer:
        return plain.number;
    case KeyType::uuid:
        return read_brand_id(TableIndex::brand_by_uuid, key.value);
    case KeyType::text:
        return read_brand_id(TableIndex::brand_by_code, text_datum(plain.bytes));
    default:
        return std::nullopt;
    }
}

std::optional<OrganizationId> organization_of_brand(BrandId brand) {
    return find_organization(Table::brand, TableIndex::brand_by_id, BrandColumn::organization,
                             brand);
}

std::optional<OrganizationId> organization_of_role(RoleId role) {
    return find_organization(Table::role, TableIndex::role_by_id, RoleColumn::organization, role);
}

} // namespace entitle::pg
