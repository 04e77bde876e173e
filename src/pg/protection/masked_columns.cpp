#include "pg/boundary/postgres.hpp"

#include "pg/protection/masked_columns.hpp"

extern "C" {
#include "catalog/pg_attribute.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/jsonb.h"
}

#include <algorithm>

namespace entitle::pg {

namespace {

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
    const int number = SPI_fnumber(RelationGetDescr(scan.table), name);
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

// What protection_view says of a table: the columns it had when the filtered view was made.
struct ViewRecord {
    Oid relation;
    Oid view;  // InvalidOid when it is gone
    Oid table; // that numbered the columns: a restored one numbers anew
    NullableDatum *names;
    NullableDatum *numbers;
    int count;
};

// Whatever a superuser stored there: elements may be null.
NullableDatum *read_array(Datum array, Oid element, int &count) {
    Datum *elements = nullptr;
    bool *nulls = nullptr;
    int16 length = 0;
    bool is_by_value = false;
    char alignment = 0;
    get_typlenbyvalalign(element, &length, &is_by_value, &alignment);
    deconstruct_array(DatumGetArrayTypePCopy(array), element, length, is_by_value, alignment,
                      &elements, &nulls, &count);
    auto *read = static_cast<NullableDatum *>(palloc(count * sizeof(NullableDatum)));
    for (int i = 0; i < count; ++i) {
        read[i].value = elements[i];
        read[i].isnull = nulls[i];
    }
    return read;
}

// Returns: the column that was called so then; 0 when the record does not tell, or it is gone.
AttrNumber recorded_column(const ViewRecord &record, const char *name) {
    for (int i = 0; record.table == record.relation && i < record.count; ++i) {
        if (record.names[i].isnull || record.numbers[i].isnull ||
            strcmp(NameStr(*DatumGetName(record.names[i].value)), name) != 0) {
            continue;
        }
        const auto number = DatumGetInt16(record.numbers[i].value);
        if (number > 0 && column_name(record.relation, number) != nullptr) {
            return number;
        }
    }
    return InvalidAttrNumber;
}

// Whether anything tells what became of the columns since.
bool is_traceable(const ViewRecord &record) noexcept {
    return OidIsValid(record.view) || record.table == record.relation;
}

// Adds what one name masks: the column that bore it when the view was made, by its number and by
// its place in the view, and the one that bears it now.
// Returns: false when there is none.
bool add_column(Bitmapset *&columns, const ViewRecord &record, const char *name) {
    const AttrNumber position =
        OidIsValid(record.view) ? get_attnum(record.view, name) : InvalidAttrNumber;
    const AttrNumber found[] = {recorded_column(record, name),
                                nth_column(record.relation, position),
                                get_attnum(record.relation, name)};
    bool is_any = false;
    for (const AttrNumber column : found) {
        if (column > 0) {
            columns = bms_add_member(columns, bit_of(column));
            is_any = true;
        }
    }
    return is_any;
}

// Returns: false when nothing is masked.
bool read_masks(Jsonb *declared, const ViewRecord &record, MaskedTable &table) {
    if (!JB_ROOT_IS_OBJECT(declared)) {
        table.is_closed = true; // no declaration says so, whoever wrote it
        return true;
    }
    JsonbIterator *iterator = JsonbIteratorInit(&declared->root);
    JsonbValue key;
    JsonbIteratorToken token = WJB_DONE;
    while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE) {
        if (token == WJB_KEY &&
            !add_column(table.columns, record, pnstrdup(key.val.string.val, key.val.string.len))) {
            table.is_closed = true;
        }
    }
    if (table.columns != nullptr) {
        table.is_closed = table.is_closed || !is_traceable(record);
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

Oid find_table(const char *name) {
    const Oid table = get_relname_relid(name, get_namespace_oid("entitle", false));
    if (!OidIsValid(table)) {
        elog(ERROR, "extension \"entitle\" has no table \"%s\"", name);
    }
    return table;
}

// Returns: an empty record for a table that has none.
ViewRecord find_record(const RowList<ViewRecord> &records, Oid relation) {
    for (const ViewRecord &record : records) {
        if (record.relation == relation) {
            return record;
        }
    }
    return ViewRecord{relation, InvalidOid, InvalidOid, nullptr, nullptr, 0};
}

RowList<ViewRecord> read_records(Masks &loaded) {
    RowList<ViewRecord> records;
    Scan scan = open_scan(loaded, find_table("protection_view"));
    while (next_tuple(scan)) {
        Datum relation = 0;
        Datum view = 0;
        Datum table = 0;
        Datum names = 0;
        Datum numbers = 0;
        if (!get_field(scan, "relation", relation) || !get_field(scan, "view", view) ||
            !get_field(scan, "table_oid", table) || !get_field(scan, "columns", names) ||
            !get_field(scan, "numbers", numbers)) {
            continue;
        }
        ViewRecord record{
            DatumGetObjectId(relation), InvalidOid, DatumGetObjectId(table), nullptr, nullptr, 0};
        if (get_rel_relkind(DatumGetObjectId(view)) == RELKIND_VIEW) {
            record.view = DatumGetObjectId(view);
            loaded.watched.add(record.view);
        }
        int number_count = 0;
        record.names = read_array(names, NAMEOID, record.count);
        record.numbers = read_array(numbers, INT2OID, number_count);
        record.count = std::min(record.count, number_count);
        records.add(record);
    }
    close_scan(scan);
    return records;
}

// A declaration that masks something, or is none.
struct Declared {
    Oid relation;
    Jsonb *masked;
};

RowList<Declared> read_declared(Masks &loaded) {
    RowList<Declared> all;
    Scan scan = open_scan(loaded, find_table("protection"));
    while (next_tuple(scan)) {
        Datum relation = 0;
        Datum masked = 0;
        if (get_field(scan, "relation", relation) && get_field(scan, "masked_columns", masked)) {
            Jsonb *columns = DatumGetJsonbPCopy(masked);
            if (!JB_ROOT_IS_OBJECT(columns) || JB_ROOT_COUNT(columns) > 0) {
                all.add(Declared{DatumGetObjectId(relation), columns});
            }
        }
    }
    close_scan(scan);
    return all;
}

// Where nothing is masked, the records of views stay closed: each table that is opened costs the
// first statement of a connection some tenths of a millisecond.
RowList<MaskedTable> read_wholes(Masks &loaded) {
    const RowList<Declared> all = read_declared(loaded);
    const RowList<ViewRecord> records =
        all.count == 0 ? RowList<ViewRecord>{} : read_records(loaded);
    RowList<MaskedTable> wholes;
    for (const Declared &declared : all) {
        const ViewRecord record = find_record(records, declared.relation);
        MaskedTable table{record.relation, record.view, nullptr, false};
        if (read_masks(declared.masked, record, table)) {
            wholes.add(table);
        }
    }
    return wholes;
}

} // namespace

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

// Parts that were attached since the declaration count: whoever is kept from a column of the whole
// is kept from theirs.
Masks load_masks() {
    Masks loaded{};
    loaded.context =
        AllocSetContextCreate(CurrentMemoryContext, "entitle masked columns", ALLOCSET_SMALL_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(loaded.context);
    for (const MaskedTable &whole : read_wholes(loaded)) {
        for (const Oid part : find_parts(whole.relation)) {
            loaded.tables.add(read_part(whole, part));
            loaded.watched.add(part);
        }
    }
    std::sort(loaded.tables.rows, loaded.tables.rows + loaded.tables.count,
              [](const MaskedTable &one, const MaskedTable &other) {
                  return one.relation < other.relation;
              });
    std::sort(loaded.watched.rows, loaded.watched.rows + loaded.watched.count);
    MemoryContextSwitchTo(previous);
    return loaded;
}

} // namespace entitle::pg
