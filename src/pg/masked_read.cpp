// The masked columns of all tables, in memory while nothing about them changes: a table that has
// none costs a look into a short sorted list.
#include "pg/postgres.hpp"

#include "pg/compat.hpp"
#include "pg/function.hpp"
#include "pg/load.hpp"
#include "pg/masked_read.hpp"

extern "C" {
#include "catalog/pg_attribute.h"
#include "catalog/pg_inherits.h"
#include "utils/jsonb.h"
}

#include <algorithm>

namespace entitle::pg {

namespace {

ExecutorCheckPerms_hook_type next_check = nullptr;

struct MaskedTable {
    Oid relation;
    Oid view;           // through which its masked columns are read
    Bitmapset *columns; // as range tables name them, whole rows included
    bool is_closed;     // what is masked cannot be told, so every column is
};

struct Masks {
    MemoryContext context; // of all the others
    RowList<MaskedTable> tables;
    RowList<Oid> watched; // whose invalidation makes this stale
};

// absent: no extension in this database, or one that is being created.
enum class State { unknown, absent, loaded };

State state = State::unknown;
Masks masks = {};
std::uint64_t changes = 0;    // grows whenever something may have become stale
bool has_own_changes = false; // by the running transaction, which may take them back

int bit_of(int column) noexcept { return column - FirstLowInvalidHeapAttributeNumber; }

void forget() noexcept {
    ++changes;
    state = State::unknown;
}

// regime: callback
void on_relcache(Datum, Oid relation) {
    if (state != State::loaded || relation == InvalidOid ||
        std::binary_search(masks.watched.begin(), masks.watched.end(), relation)) {
        forget();
    }
}

void on_transaction(XactEvent event, void *) {
    if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT ||
        event == XACT_EVENT_PREPARE) {
        if (has_own_changes) {
            forget();
        }
        has_own_changes = false;
    } else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PARALLEL_COMMIT) {
        has_own_changes = false;
    }
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
    if (event == SUBXACT_EVENT_ABORT_SUB && has_own_changes) {
        forget();
    }
}

// The rows of one of the tables of declarations.
struct Scan {
    Relation table;
    SysScanDesc scan;
    HeapTuple tuple;
};

Scan open_scan(Masks &loaded, Oid table) {
    Scan found{table_open(table, AccessShareLock), nullptr, nullptr};
    found.scan = systable_beginscan(found.table, InvalidOid, false, nullptr, 0, nullptr);
    loaded.watched.add(table);
    return found;
}

bool next_tuple(Scan &scan) {
    scan.tuple = systable_getnext(scan.scan);
    return HeapTupleIsValid(scan.tuple);
}

void close_scan(Scan &scan) {
    systable_endscan(scan.scan);
    table_close(scan.table, AccessShareLock);
}

// Returns: false when the field is null.
bool get_field(const Scan &scan, const char *name, Datum &value) {
    const AttrNumber number = get_attnum(RelationGetRelid(scan.table), name);
    if (number <= 0) {
        elog(ERROR, "table \"%s\" has no column \"%s\"", RelationGetRelationName(scan.table), name);
    }
    bool is_null = false;
    value = heap_getattr(scan.tuple, number, RelationGetDescr(scan.table), &is_null);
    return !is_null;
}

// Returns: a null pointer when the column was dropped.
const char *column_name(Oid relation, int column) {
    HeapTuple row = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation),
                                    Int16GetDatum(static_cast<AttrNumber>(column)));
    if (!HeapTupleIsValid(row)) {
        return nullptr;
    }
    const auto *form = reinterpret_cast<const FormData_pg_attribute *>(GETSTRUCT(row));
    const char *name = form->attisdropped ? nullptr : pstrdup(NameStr(form->attname));
    ReleaseSysCache(row);
    return name;
}

// A view's columns stand for those of its table in order, whatever these are called by now.
// Returns: 0 when the table has no such column any more.
AttrNumber nth_column(Oid relation, int position) {
    HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(row)) {
        return InvalidAttrNumber;
    }
    const int count = reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relnatts;
    ReleaseSysCache(row);
    for (int column = 1; position > 0 && column <= count; ++column) {
        if (column_name(relation, column) != nullptr && --position == 0) {
            return static_cast<AttrNumber>(column);
        }
    }
    return InvalidAttrNumber;
}

// Adds what one name masks: the column that the view shows under it, and the one that bears it now.
// Returns: false when there is neither.
bool add_column(Bitmapset *&columns, Oid relation, Oid view, const char *name) {
    const AttrNumber position = OidIsValid(view) ? get_attnum(view, name) : InvalidAttrNumber;
    const AttrNumber shown = nth_column(relation, position);
    const AttrNumber named = get_attnum(relation, name);
    if (shown > 0) {
        columns = bms_add_member(columns, bit_of(shown));
    }
    if (named > 0) {
        columns = bms_add_member(columns, bit_of(named));
    }
    return shown > 0 || named > 0;
}

// Returns: false when nothing is masked.
bool read_masks(Jsonb *declared, MaskedTable &table) {
    if (!JB_ROOT_IS_OBJECT(declared)) {
        table.is_closed = true; // no declaration says so, whoever wrote it
        return true;
    }
    JsonbIterator *iterator = JsonbIteratorInit(&declared->root);
    JsonbValue key;
    JsonbIteratorToken token = WJB_DONE;
    while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE) {
        if (token == WJB_KEY && !add_column(table.columns, table.relation, table.view,
                                            pnstrdup(key.val.string.val, key.val.string.len))) {
            table.is_closed = true;
        }
    }
    if (table.columns != nullptr) {
        table.columns = bms_add_member(table.columns, bit_of(InvalidAttrNumber));
    }
    return table.is_closed || table.columns != nullptr;
}

// The same columns of a part, whose numbers are its own.
MaskedTable read_part(const MaskedTable &whole, Oid part) {
    MaskedTable table{part, whole.view, nullptr, whole.is_closed};
    int bit = -1;
    while ((bit = bms_next_member(whole.columns, bit)) >= 0) {
        const int column = bit + FirstLowInvalidHeapAttributeNumber;
        const char *name = column > 0 ? column_name(whole.relation, column) : nullptr;
        const int own = name == nullptr ? 0 : get_attnum(part, name);
        table.columns = bms_add_member(table.columns, bit_of(std::max(own, 0)));
        table.is_closed = table.is_closed || (column > 0 && own <= 0);
    }
    return table;
}

// The table and its parts. PostgreSQL's own walk raises an error when one of them is just gone.
RowList<Oid> find_parts(Oid relation) {
    RowList<Oid> parts;
    parts.add(relation);
    Relation inheritance = table_open(InheritsRelationId, AccessShareLock);
    for (std::size_t i = 0; i < parts.count; ++i) {
        ScanKeyData key;
        ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber, F_OIDEQ,
                    ObjectIdGetDatum(parts.rows[i]));
        SysScanDesc scan =
            systable_beginscan(inheritance, InheritsParentIndexId, true, nullptr, 1, &key);
        HeapTuple row = nullptr;
        while (HeapTupleIsValid(row = systable_getnext(scan))) {
            const Oid part = reinterpret_cast<Form_pg_inherits>(GETSTRUCT(row))->inhrelid;
            if (std::find(parts.begin(), parts.end(), part) == parts.end()) {
                parts.add(part);
            }
        }
        systable_endscan(scan);
    }
    table_close(inheritance, AccessShareLock);
    return parts;
}

Oid find_table(const char *name) {
    const Oid table = get_relname_relid(name, get_namespace_oid("entitle", false));
    if (!OidIsValid(table)) {
        elog(ERROR, "extension \"entitle\" has no table \"%s\"", name);
    }
    return table;
}

bool is_before(const MaskedTable &one, const MaskedTable &other) noexcept {
    return one.relation < other.relation;
}

// Parts that were attached since the declaration count: whoever is kept from a column of the whole
// is kept from theirs. regime: C
Masks load_masks() {
    Masks loaded{};
    loaded.context =
        AllocSetContextCreate(CurrentMemoryContext, "entitle masked columns", ALLOCSET_SMALL_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(loaded.context);
    struct Pair {
        Oid relation;
        Oid other;
    };
    RowList<Pair> views;
    Scan scan = open_scan(loaded, find_table("protection_view"));
    while (next_tuple(scan)) {
        Datum relation = 0;
        Datum view = 0;
        if (get_field(scan, "relation", relation) && get_field(scan, "view", view)) {
            views.add(Pair{DatumGetObjectId(relation), DatumGetObjectId(view)});
        }
    }
    close_scan(scan);

    RowList<MaskedTable> wholes;
    scan = open_scan(loaded, find_table("protection"));
    while (next_tuple(scan)) {
        Datum relation = 0;
        Datum declared = 0;
        if (!get_field(scan, "relation", relation) ||
            !get_field(scan, "masked_columns", declared)) {
            continue;
        }
        MaskedTable table{DatumGetObjectId(relation), InvalidOid, nullptr, false};
        for (const Pair &pair : views) {
            if (pair.relation == table.relation && get_rel_relkind(pair.other) == RELKIND_VIEW) {
                table.view = pair.other;
                loaded.watched.add(pair.other);
            }
        }
        if (read_masks(DatumGetJsonbPCopy(declared), table)) {
            wholes.add(table);
        }
    }
    close_scan(scan);

    for (const MaskedTable &whole : wholes) {
        for (const Oid part : find_parts(whole.relation)) {
            loaded.tables.add(read_part(whole, part));
            loaded.watched.add(part);
        }
    }
    std::sort(loaded.tables.rows, loaded.tables.rows + loaded.tables.count, is_before);
    std::sort(loaded.watched.rows, loaded.watched.rows + loaded.watched.count);
    MemoryContextSwitchTo(previous);
    return loaded;
}

void bring_up_to_date() {
    while (state == State::unknown) {
        const std::uint64_t at_start = changes;
        const Oid extension = get_extension_oid("entitle", true);
        if (!OidIsValid(extension) || (creating_extension && CurrentExtensionObject == extension)) {
            state = changes == at_start ? State::absent : State::unknown;
            continue;
        }
        const Masks loaded = load_masks();
        if (changes != at_start) {
            MemoryContextDelete(loaded.context);
            CHECK_FOR_INTERRUPTS();
            continue;
        }
        if (masks.context != nullptr) {
            MemoryContextDelete(masks.context);
        }
        MemoryContextSetParent(loaded.context, TopMemoryContext);
        masks = loaded;
        state = State::loaded;
    }
}

const MaskedTable *find_masked(Oid relation) {
    if (state == State::unknown) {
        bring_up_to_date();
    }
    if (state == State::absent || masks.tables.count == 0) {
        return nullptr;
    }
    const MaskedTable *found =
        std::lower_bound(masks.tables.begin(), masks.tables.end(),
                         MaskedTable{relation, InvalidOid, nullptr, false}, is_before);
    return found != masks.tables.end() && found->relation == relation ? found : nullptr;
}

bool touches(const Bitmapset *used, const MaskedTable &table) {
    return table.is_closed ? bms_next_member(used, bit_of(InvalidAttrNumber) - 1) >= 0
                           : bms_overlap(used, table.columns);
}

// Whether someone is the owner of the table, or may do as the owner may.
bool has_owners_rights(Oid relation, Oid user) {
    HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(row)) {
        return false;
    }
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relowner;
    ReleaseSysCache(row);
    return has_privs_of_role(user, owner);
}

bool is_refused(const EntitleAccess &access) {
    if (!OidIsValid(access.relid) || access.requiredPerms == 0) {
        return false;
    }
    const MaskedTable *table = find_masked(access.relid);
    if (table == nullptr ||
        !(touches(access.selectedCols, *table) || touches(access.insertedCols, *table) ||
          touches(access.updatedCols, *table))) {
        return false;
    }
    const Oid user = OidIsValid(access.checkAsUser) ? access.checkAsUser : GetUserId();
    return !has_bypassrls_privilege(user) && !has_owners_rights(access.relid, user);
}

// In the words of a missing privilege on the column. regime: C
[[noreturn]] void raise_refused(Oid relation) {
    const MaskedTable *table = find_masked(relation);
    const char *view = table == nullptr ? nullptr : get_rel_name(table->view);
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied for table %s", get_rel_name(relation)),
             view == nullptr ? errhint("Some of the columns are masked. SELECT * FROM "
                                       "entitle.verify_protection() tells what mends the view.")
                             : errhint("Some of the columns are masked; read and write them "
                                       "through the filtered view \"%s\".",
                                       view)));
}

bool on_check(ENTITLE_CHECK_PARAMETERS) {
    ListCell *cell = nullptr;
    foreach (cell, ENTITLE_CHECKED) {
        const auto &access = *static_cast<const EntitleAccess *>(lfirst(cell));
        if (is_refused(access)) {
            if (is_error) {
                raise_refused(access.relid);
            }
            return false;
        }
    }
    return next_check == nullptr || next_check(ENTITLE_CHECK_ARGUMENTS);
}

} // namespace

void install_masked_reads() {
    next_check = ExecutorCheckPerms_hook;
    ExecutorCheckPerms_hook = on_check;
    CacheRegisterRelcacheCallback(on_relcache, static_cast<Datum>(0));
    RegisterXactCallback(on_transaction, nullptr);
    RegisterSubXactCallback(on_subtransaction, nullptr);
}

} // namespace entitle::pg

// Signals that what is declared changed: every backend reads it anew. Row trigger, AFTER. regime: C
ENTITLE_FUNCTION(entitle_signal_declaration) {
    if (!CALLED_AS_TRIGGER(fcinfo)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("this function is a trigger of entitle's own tables")));
    }
    CacheInvalidateRelcache(reinterpret_cast<TriggerData *>(fcinfo->context)->tg_relation);
    entitle::pg::has_own_changes = true;
    return PointerGetDatum(nullptr);
}
