// ENTITLE_VERSION is what entitle.control said when the library was built. regime: C
#include "pg/boundary/postgres.hpp"

#include "pg/model/version.hpp"

#include <cstdlib>

extern "C" {
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
}

namespace entitle::pg {

namespace {

// Returns: what pg_extension says of entitle; null where it says nothing.
const char *objects_version() {
    Relation extensions = table_open(ExtensionRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
                CStringGetDatum("entitle"));
    SysScanDesc scan = systable_beginscan(extensions, ExtensionNameIndexId, true, nullptr, 1, &key);
    const HeapTuple row = systable_getnext(scan);
    const char *version = nullptr;
    if (HeapTupleIsValid(row)) {
        bool is_null = false;
        const Datum value =
            heap_getattr(row, Anum_pg_extension_extversion, RelationGetDescr(extensions), &is_null);
        version = is_null ? nullptr : TextDatumGetCString(value);
    }
    systable_endscan(scan);
    table_close(extensions, AccessShareLock);
    return version;
}

// Versions are MAJOR.MINOR.
bool is_older(const char *one, const char *other) {
    char *rest = nullptr;
    char *other_rest = nullptr;
    const long major = strtol(one, &rest, 10);
    const long other_major = strtol(other, &other_rest, 10);
    if (major != other_major) {
        return major < other_major;
    }
    return *rest == '.' && *other_rest == '.' &&
           strtol(rest + 1, nullptr, 10) < strtol(other_rest + 1, nullptr, 10);
}

} // namespace

void check_version() {
    const char *objects = objects_version();
    if (objects == nullptr) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("extension \"entitle\" is not installed in this database"),
                        errhint("Run CREATE EXTENSION entitle.")));
    }
    if (strcmp(objects, ENTITLE_VERSION) == 0) {
        return;
    }
    const bool is_library_older = is_older(ENTITLE_VERSION, objects);
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("entitle's library has version %s and its objects in this database have version %s",
                ENTITLE_VERSION, objects),
         is_library_older
             ? errhint("Connect again: a session keeps the library that it began with. Restart the "
                       "server where "
                       "shared_preload_libraries names entitle.")
             : errhint("A superuser runs ALTER EXTENSION entitle UPDATE in this database.")));
}

} // namespace entitle::pg
