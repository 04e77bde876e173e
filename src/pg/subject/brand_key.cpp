// Brands by their keys.
#include "pg/boundary/postgres.hpp"

#include "pg/datum/datum.hpp"
#include "pg/subject/brand_key.hpp"

namespace entitle::pg {

namespace {

// The brand's key of the kind that columns of the type hold.
PlainKey key_of(const Brand &brand, KeyType type) noexcept {
    switch (type) {
    case KeyType::integer:
    case KeyType::numeric:
        return PlainKey{KeyType::integer, brand.id, {}};
    case KeyType::uuid:
        return brand.uuid.empty() ? PlainKey{} : PlainKey{KeyType::uuid, 0, brand.uuid};
    case KeyType::text:
    case KeyType::padded:
    case KeyType::label:
        return brand.code.empty() ? PlainKey{} : PlainKey{KeyType::text, 0, brand.code};
    case KeyType::none:
        break;
    }
    return PlainKey{};
}

} // namespace

std::optional<BrandId> reached_brand(const Subject *subject, NullableDatum value, Oid type) {
    const PlainKey key = read_key(value, type);
    if (key.type == KeyType::integer) {
        return key.number;
    }
    const Brand *brand = subject == nullptr          ? nullptr
                         : key.type == KeyType::uuid ? subject->find_brand_by_uuid(key.bytes)
                         : key.type == KeyType::text ? subject->find_brand_by_code(key.bytes)
                                                     : nullptr;
    return brand == nullptr ? std::nullopt : std::optional<BrandId>(brand->id);
}

KeyList permitted_brand_keys(const Asker &asker, std::string_view permission, Oid type) {
    const PlainIds ids = permitted_brand_ids(asker, permission);
    KeyList list{
        static_cast<Datum *>(palloc_extended((ids.count + 1) * sizeof(Datum), MCXT_ALLOC_HUGE)), 0};
    const KeyType kind = key_type_of(type);
    for (std::size_t i = 0; i < ids.count; ++i) {
        const Brand *brand = asker.subject->find_brand(ids.values[i]);
        const NullableDatum key = make_key(key_of(*brand, kind), type);
        if (!key.isnull) {
            list.keys[list.count++] = key.value;
        }
    }
    return list;
}

} // namespace entitle::pg
