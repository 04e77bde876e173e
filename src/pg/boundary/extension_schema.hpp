// The extension's schemas: `entitle` holds what users, policies, views and plans name, and
// `entitle_internal` what they do not.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

constexpr char kInternalSchema[] = "entitle_internal";

// Returns: the schema `entitle`; InvalidOid where the extension is not installed. regime: C
inline Oid extension_schema() { return get_namespace_oid("entitle", true); }

// regime: C
inline bool is_extension_schema(Oid schema) {
    return OidIsValid(schema) &&
           (schema == extension_schema() || schema == get_namespace_oid(kInternalSchema, true));
}

} // namespace entitle::pg
