// Brands by whatever key a table names them: which of the asker's brands one stands for, and the
// other way round. From the asker's rights in memory, which hold the keys of every brand that could
// permit anything; no table is read. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string_view>

#include "core/subject.hpp"
#include "pg/subject/subject_cache.hpp"

namespace entitle::pg {

// Finds the brand that a key of any of the types stands for. Returns: none for a uuid or text that
// is none of the subject's brands'; a number is not looked for.
std::optional<BrandId> reached_brand(const Subject *subject, NullableDatum key, Oid type);

// Keys of a column's type, in the current memory context.
struct KeyList {
    Datum *keys;
    int count;
};

// Lists the keys of the type that the brands have in which the asker holds the permission, in the
// order of their ids.
KeyList permitted_brand_keys(const Asker &asker, std::string_view permission, Oid type);

} // namespace entitle::pg
