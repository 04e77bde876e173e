#include "pg/boundary/postgres.hpp"

#include "pg/boundary/extension_schema.hpp"
#include "pg/model/part_lock.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
}

namespace entitle::pg {

void lock_part(const char *table, std::int64_t number, LOCKMODE mode) {
    constexpr std::uint64_t kParts = 65535; // PostgreSQL numbers parts from 1 on, in 16 bits
    const auto spread = static_cast<std::uint64_t>(number) * UINT64_C(0x9E3779B97F4A7C15);
    LockDatabaseObject(RelationRelationId, get_relname_relid(table, extension_schema()),
                       static_cast<uint16>(1 + (spread >> 32) % kParts), mode);
}

} // namespace entitle::pg
