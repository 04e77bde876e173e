// What is declared of a table. Its columns are checked against the table at hand: policies follow a
// renamed column, declarations do not, and an explanation of the wrong column would be a lie.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/protection/declaration.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "catalog/partition.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "nodes/parsenodes.h"
#include "rewrite/rowsecurity.h"
}

namespace entitle::pg {

namespace {

constexpr const char kSchema[] = "entitle";

Oid find_relation(const char *name) {
    const Oid schema = get_namespace_oid(kSchema, true);
    const Oid relation = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
    if (!OidIsValid(relation)) {
        ereport(
            ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("extension \"entitle\" is incomplete: \"%s\" is missing or changed", name),
             errhint("Restore the extension's own objects, or drop and create the extension.")));
    }
    return relation;
}

// One row of one of the tables of declarations, by an index on a column that holds a relation.
struct Record {
    Relation table;
    SysScanDesc scan;
    HeapTuple tuple; // null: no such row
};

Record open_record(const char *table, const char *index, const char *column, Oid relation) {
    Record record{table_open(find_relation(table), AccessShareLock), nullptr, nullptr};
    const AttrNumber number = get_attnum(RelationGetRelid(record.table), column);
    ScanKeyData key;
    ScanKeyInit(&key, number, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
    record.scan = systable_beginscan(record.table, find_relation(index), true, nullptr, 1, &key);
    record.tuple = systable_getnext(record.scan);
    return record;
}

void close_record(Record &record) {
    systable_endscan(record.scan);
    table_close(record.table, AccessShareLock);
}

Datum get_field(const Record &record, const char *name, bool *is_null) {
    const AttrNumber number = get_attnum(RelationGetRelid(record.table), name);
    if (number <= 0) {
        elog(ERROR, "table \"%s\" has no column \"%s\"", RelationGetRelationName(record.table),
             name);
    }
    return heap_getattr(record.tuple, number, RelationGetDescr(record.table), is_null);
}

const char *get_name(const Record &record, const char *name) {
    bool is_null = false;
    const Datum value = get_field(record, name, &is_null);
    return is_null ? nullptr : pstrdup(NameStr(*DatumGetName(value)));
}

const char *get_text(const Record &record, const char *name) {
    bool is_null = false;
    const Datum value = get_field(record, name, &is_null);
    return is_null ? nullptr : TextDatumGetCString(value);
}

std::optional<std::int32_t> get_level(const Record &record, const char *name) {
    bool is_null = false;
    const Datum value = get_field(record, name, &is_null);
    return is_null ? std::nullopt : std::optional<std::int32_t>(DatumGetInt32(value));
}

Oid get_oid(const Record &record, const char *name) {
    bool is_null = false;
    const Datum value = get_field(record, name, &is_null);
    return is_null ? InvalidOid : DatumGetObjectId(value);
}

// Finds one OID beside another, such as the root of a part. Returns: InvalidOid when there is none.
Oid find_beside(const char *table, const char *index, const char *column, Oid relation,
                const char *wanted) {
    Record record = open_record(table, index, column, relation);
    const Oid oid = HeapTupleIsValid(record.tuple) ? get_oid(record, wanted) : InvalidOid;
    close_record(record);
    return oid;
}

bool read_declaration(Oid relation, Declaration &declared, const char *table = "protection",
                      const char *index = "protection_pkey") {
    Record record = open_record(table, index, "relation", relation);
    const bool is_found = HeapTupleIsValid(record.tuple);
    if (is_found) {
        bool is_null = false;
        declared.relation = relation;
        declared.customer_column = get_name(record, "customer_column");
        declared.date_column = get_name(record, "date_column");
        declared.brand_column = get_name(record, "brand_column");
        declared.min_level = DatumGetInt32(get_field(record, "min_level", &is_null));
        declared.view_permission = get_text(record, "view_permission");
        declared.insert_permission = get_text(record, "insert_permission");
        declared.update_permission = get_text(record, "update_permission");
        declared.delete_permission = get_text(record, "delete_permission");
        declared.external_insert_level = get_level(record, "external_insert_level");
        declared.external_update_level = get_level(record, "external_update_level");
        declared.external_delete_level = get_level(record, "external_delete_level");
        declared.has_shared_rows = DatumGetBool(get_field(record, "shared_rows", &is_null));
        declared.masked_columns = DatumGetJsonbPCopy(get_field(record, "masked_columns", &is_null));
        declared.parent = get_oid(record, "parent");
        declared.parent_key = get_name(record, "parent_key");
    }
    close_record(record);
    return is_found;
}

// The model's own table and view of customers. Returns: false for any other relation.
bool declare_customers(Oid relation, Declaration &declared, Oid &table) {
    const char *name = get_rel_namespace(relation) == get_namespace_oid(kSchema, true)
                           ? get_rel_name(relation)
                           : nullptr;
    const bool is_profile = name != nullptr && strcmp(name, "customer_profile") == 0;
    if (!is_profile && (name == nullptr || strcmp(name, "customer") != 0)) {
        return false;
    }
    declared.relation = relation;
    declared.customer_column = is_profile ? "customer_id" : nullptr;
    declared.brand_column = "brand_id";
    declared.min_level = 10;
    declared.view_permission = "customers.view";
    declared.is_model = true;
    table = find_relation("customer");
    return true;
}

bool is_primary(Oid index) {
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    const bool is_found =
        HeapTupleIsValid(tuple) && reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple))->indisprimary;
    if (HeapTupleIsValid(tuple)) {
        ReleaseSysCache(tuple);
    }
    return is_found;
}

// Returns: InvalidOid when the table has none, or holds no rows itself.
Oid find_primary_key(Oid table) {
    Relation relation = table_open(table, AccessShareLock);
    Oid found = InvalidOid;
    if (relation->rd_rel->relkind == RELKIND_RELATION) {
        for (const Oid index : each_oid(RelationGetIndexList(relation))) {
            if (is_primary(index)) {
                found = index;
            }
        }
    }
    table_close(relation, AccessShareLock);
    return found;
}

[[noreturn]] void raise_undeclared(Relation table) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" is not protected as it was declared",
                           RelationGetRelationName(table)),
                    errhint("SELECT * FROM entitle.verify_protection() tells what mends it.")));
    pg_unreachable();
}

} // namespace

bool find_declaration(Oid relation, Declaration &declared, Oid &table) {
    if (declare_customers(relation, declared, table)) {
        return true;
    }
    const Oid viewed = get_rel_relkind(relation) == RELKIND_VIEW
                           ? find_beside("protection_view", "protection_view_view_key", "view",
                                         relation, "relation")
                           : InvalidOid;
    table = OidIsValid(viewed) ? viewed : relation;
    const Oid root =
        find_beside("protection_member", "protection_member_pkey", "relation", table, "root");
    return OidIsValid(root) && read_declaration(root, declared);
}

bool find_reported_declaration(Oid relation, Declaration &declared) {
    return read_declaration(relation, declared, "reported_protection", "reported_protection_pkey");
}

Declaration require_declaration(Relation table) {
    Declaration declared;
    Oid found = InvalidOid;
    bool is_found = find_declaration(RelationGetRelid(table), declared, found);
    if (!is_found && table->rd_rel->relispartition) {
        declared = Declaration{};
        const List *above = get_partition_ancestors(RelationGetRelid(table));
        is_found = above != NIL && find_declaration(llast_oid(above), declared, found);
    }
    if (!is_found) {
        raise_undeclared(table);
    }
    return declared;
}

List *find_lines(Oid relation) {
    List *lines = NIL;
    List *above = list_make1_oid(relation);
    for (int at = 0; at < list_length(above); ++at) {
        Relation table = table_open(find_relation("protection"), AccessShareLock);
        ScanKeyData key;
        ScanKeyInit(&key, get_attnum(RelationGetRelid(table), "parent"), BTEqualStrategyNumber,
                    F_OIDEQ, ObjectIdGetDatum(list_nth_oid(above, at)));
        // Few tables are protected, and none but a move asks.
        SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 1, &key);
        List *next = NIL;
        for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
             tuple = systable_getnext(scan)) {
            const Record record{table, nullptr, tuple};
            next = list_append_unique_oid(next, get_oid(record, "relation"));
        }
        systable_endscan(scan);
        table_close(table, AccessShareLock);
        for (const Oid child : each_oid(next)) {
            auto *line = static_cast<Declaration *>(palloc(sizeof(Declaration)));
            *line = Declaration{};
            if (!list_member_oid(above, child) &&
                SearchSysCacheExists1(RELOID, ObjectIdGetDatum(child)) &&
                read_declaration(child, *line)) {
                lines = lappend(lines, line);
                above = lappend_oid(above, child);
            }
        }
    }
    return lines;
}

DecidingColumns find_deciding_columns(const Declaration &document) {
    DecidingColumns columns{nullptr, nullptr, nullptr};
    Relation table = table_open(document.relation, AccessShareLock);
    Node *test = nullptr;
    for (const auto *policy :
         each<RowSecurityPolicy>(table->rd_rsdesc == nullptr ? NIL : table->rd_rsdesc->policies)) {
        if (strcmp(policy->policy_name, "entitle_select") == 0) {
            test = reinterpret_cast<Node *>(policy->qual);
        }
    }
    const auto call = read_row_test(test);
    if (!call) {
        raise_undeclared(table);
    }
    const auto name_of = [&](const Node *node) -> const char * {
        return node != nullptr && IsA(node, Var)
                   ? get_attname(document.relation, ENTITLE_NODE(Var, node)->varattno, false)
                   : nullptr;
    };
    columns.customer = name_of(call->customer);
    columns.date = name_of(call->date);
    columns.brand = name_of(call->brand);
    table_close(table, AccessShareLock);
    return columns;
}

Oid find_view(Oid table) {
    const Oid view =
        find_beside("protection_view", "protection_view_pkey", "relation", table, "view");
    return get_rel_relkind(view) == RELKIND_VIEW ? view : InvalidOid; // it may have been dropped
}

List *find_primary_keys(Oid table) {
    List *indexes = NIL;
    for (const Oid member : each_oid(find_all_inheritors(table, AccessShareLock, nullptr))) {
        const Oid index = find_primary_key(member);
        if (OidIsValid(index)) {
            indexes = lappend_oid(indexes, index);
        }
    }
    if (indexes == NIL) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("table \"%s\" has no primary key", qualified_name(table)),
                        errhint("Rows are explained by their primary key; give the table one.")));
    }
    return indexes;
}

MaskedColumns find_masked_columns(const Declaration &declared, Oid table) {
    const int most = declared.masked_columns == nullptr
                         ? 0
                         : static_cast<int>(JB_ROOT_COUNT(declared.masked_columns));
    if (most == 0) {
        return MaskedColumns{nullptr, 0};
    }
    auto *masked = static_cast<MaskedColumn *>(palloc(most * sizeof(MaskedColumn)));
    int count = 0;
    Relation relation = table_open(table, AccessShareLock);
    TupleDesc columns = RelationGetDescr(relation);
    for (int i = 0; i < columns->natts; ++i) {
        const FormData_pg_attribute &column = *TupleDescAttr(columns, i);
        const char *name = NameStr(column.attname);
        const char *level = column.attisdropped
                                ? nullptr
                                : get_json_field(JsonbPGetDatum(declared.masked_columns), name);
        if (level != nullptr) {
            masked[count++] = MaskedColumn{pstrdup(name), pg_strtoint32(level), false};
        }
    }
    if (count < most) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("table \"%s\" no longer has a declared masked column",
                               RelationGetRelationName(relation)),
                        errhint("SELECT * FROM entitle.verify_protection() tells what mends it.")));
    }
    table_close(relation, AccessShareLock);
    return MaskedColumns{masked, count};
}

const char *get_json_field(Datum object, const char *name) {
    LOCAL_FCINFO(call, 2);
    InitFunctionCallInfoData(*call, nullptr, 2, InvalidOid, nullptr, nullptr);
    call->args[0] = NullableDatum{object, false};
    call->args[1] = NullableDatum{CStringGetTextDatum(name), false};
    const Datum field = jsonb_object_field_text(call);
    return call->isnull ? nullptr : TextDatumGetCString(field);
}

const char *qualified_name(Oid relation) {
    const char *name = get_rel_name(relation);
    return name == nullptr
               ? psprintf("%u", relation)
               : quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

} // namespace entitle::pg
