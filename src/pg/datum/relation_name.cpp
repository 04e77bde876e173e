// entitle.relation_name: a relation as regclass has it. A dump tells declarations by the names of
// their tables; one whose table was left out is kept by that name, and the others are restored.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/boundary/dump_preamble.hpp"
#include "pg/boundary/function.hpp"

extern "C" {
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/regproc.h"
#include "utils/varlena.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

// Numbers of ours that no table has.
constexpr Oid kAbsent = 0xF0000000U;

// Returns: null when there is none.
const char *find_absent_name(Oid number) {
    const Oid schema = extension_schema();
    const Oid table =
        OidIsValid(schema) ? get_relname_relid("absent_relation", schema) : InvalidOid;
    const Oid index =
        OidIsValid(schema) ? get_relname_relid("absent_relation_pkey", schema) : InvalidOid;
    if (!OidIsValid(table) || !OidIsValid(index)) {
        return nullptr;
    }
    Relation relation = table_open(table, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(number));
    SysScanDesc scan = systable_beginscan(relation, index, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    const char *name = nullptr;
    if (HeapTupleIsValid(tuple)) {
        bool is_null = false;
        name = TextDatumGetCString(heap_getattr(tuple, 2, RelationGetDescr(relation), &is_null));
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return name;
}

// Two names may have one number: the next that is free.
Oid keep_name(const char *name) {
    Oid number = kAbsent | (DatumGetUInt32(hash_any(reinterpret_cast<const unsigned char *>(name),
                                                    static_cast<int>(strlen(name)))) &
                            ~kAbsent);
    const char *kept = find_absent_name(number);
    while (kept != nullptr && strcmp(kept, name) != 0) {
        number = kAbsent | ((number + 1) & ~kAbsent);
        kept = find_absent_name(number);
    }
    if (kept == nullptr) {
        Oid types[] = {OIDOID, TEXTOID};
        Datum values[] = {ObjectIdGetDatum(number), CStringGetTextDatum(name)};
        SPI_connect();
        SPI_execute_with_args(
            "INSERT INTO entitle.absent_relation VALUES ($1, $2) ON CONFLICT DO NOTHING", 2, types,
            values, nullptr, false, 0);
        SPI_finish();
        CommandCounterIncrement();
    }
    return number;
}

} // namespace

// relation_name_in(name) -> relation_name. Only a superuser who restores a dump may name what is
// not there. regime: C
ENTITLE_FUNCTION(entitle_relation_name_in) {
    const char *name = PG_GETARG_CSTRING(0);
    if (has_dump_preamble() && superuser() && strspn(name, "0123456789") < strlen(name) &&
        strcmp(name, "-") != 0) {
        List *names = entitle_name_list(name);
        const Oid found = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
        PG_RETURN_OID(OidIsValid(found) ? found : keep_name(name));
    }
    return DirectFunctionCall1(regclassin, CStringGetDatum(name));
}

// relation_name_out(relation_name) -> cstring. regime: C
ENTITLE_FUNCTION(entitle_relation_name_out) {
    const Oid number = PG_GETARG_OID(0);
    const char *name = (number & kAbsent) == kAbsent && get_rel_name(number) == nullptr
                           ? find_absent_name(number)
                           : nullptr;
    if (name != nullptr) {
        PG_RETURN_CSTRING(pstrdup(name));
    }
    return DirectFunctionCall1(regclassout, ObjectIdGetDatum(number));
}
