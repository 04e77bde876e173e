#include "pg/boundary/postgres.hpp"

#include "pg/adoption/expression.hpp"
#include "pg/adoption/key_set.hpp"
#include "pg/adoption/one_row.hpp"
#include "pg/adoption/row_lock.hpp"
#include "pg/adoption/source.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"

#include <cerrno>
#include <cstdlib>

extern "C" {
#include "catalog/pg_am.h"
#include "catalog/pg_inherits.h"
#include "nodes/nodeFuncs.h"
#include "utils/snapmgr.h"
}

namespace entitle::pg {

namespace {

[[noreturn]] void raise_lost_column(const Adoption &adoption, const char *name) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of adopted table \"%s\" is gone", name,
                           get_rel_name(adoption.table)),
                    errhint("Adopt the table again without it, or SELECT "
                            "entitle.forget_adopted('%s');",
                            get_rel_name(adoption.table))));
    pg_unreachable();
}

AttrNumber find_known(const Adoption &adoption, const KnownColumn *known, int count,
                      const char *name) {
    for (int i = 0; i < count; ++i) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].number;
        }
    }
    raise_lost_column(adoption, name);
}

// The index that finds a key's first column. Returns: InvalidOid when there is none.
Oid find_key_index(Relation table, AttrNumber key, Oid type) {
    Oid found = InvalidOid;
    List *indexes = RelationGetIndexList(table);
    for (const Oid candidate : each_oid(indexes)) {
        Relation index = index_open(candidate, AccessShareLock);
        const Form_pg_index form = index->rd_index;
        if (form->indisvalid && index->rd_rel->relam == BTREE_AM_OID &&
            form->indkey.values[0] == key && RelationGetIndexPredicate(index) == NIL &&
            !OidIsValid(found) &&
            OidIsValid(get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0],
                                           index->rd_opcintype[0], BTEqualStrategyNumber)) &&
            (index->rd_opcintype[0] == type ||
             (index->rd_opcintype[0] == TEXTOID && type == VARCHAROID))) {
            found = candidate;
        }
        index_close(index, AccessShareLock);
    }
    list_free(indexes);
    return found;
}

// A key's text as a value of a column. Returns: false where the column cannot hold it. Other types
// are found without an index.
bool parse_key(const char *text, Oid type, Datum *value) {
    switch (type) {
    case INT2OID:
    case INT4OID:
    case INT8OID: {
        char *end = nullptr;
        errno = 0;
        const long long number = strtoll(text, &end, 10);
        const bool is_number = errno == 0 && end != text && *end == '\0';
        const bool fits =
            type == INT8OID || (type == INT4OID ? number == static_cast<int32>(number)
                                                : number == static_cast<int16>(number));
        *value = type == INT8OID   ? Int64GetDatum(number)
                 : type == INT4OID ? Int32GetDatum(static_cast<int32>(number))
                                   : Int16GetDatum(static_cast<int16>(number));
        return is_number && fits;
    }
    case UUIDOID:
        if (strlen(text) != 36 || strspn(text, "0123456789abcdef-") != 36) {
            return false;
        }
        *value = DirectFunctionCall1(uuid_in, CStringGetDatum(text));
        return true;
    default:
        *value = CStringGetTextDatum(text);
        return true;
    }
}

bool has_index_type(Oid type) {
    return type == INT2OID || type == INT4OID || type == INT8OID || type == UUIDOID ||
           type == TEXTOID || type == VARCHAROID;
}

struct Visit {
    const char *const *keys;
    int count;
    HTAB *wanted; // the same, where no index finds them
    void (*call)(const Source &source, const char *key, HeapTuple row, void *context);
    void *context;
};

// The first of a key's columns, of which an index finds rows.
const char *first_part(const Source &source, const char *key) {
    if (source.adoption->key_count == 1) {
        return key;
    }
    int count = 0;
    const char **parts = texts_of(OidFunctionCall3(F_ARRAY_IN, CStringGetDatum(key),
                                                   ObjectIdGetDatum(TEXTOID), Int32GetDatum(-1)),
                                  &count);
    return count == 0 ? "" : parts[0];
}

void scan_all(const Source &source, const Visit &visit, Snapshot snapshot) {
    SysScanDesc scan = systable_beginscan(source.table, InvalidOid, false, snapshot, 0, nullptr);
    while (HeapTuple row = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        ResetPerTupleExprContext(source.state);
        MemoryContext previous = MemoryContextSwitchTo(GetPerTupleMemoryContext(source.state));
        const char *key = row_key(source, row);
        if (key != nullptr && visit.wanted != nullptr && has_key(visit.wanted, key)) {
            row = settled_row(source.table, row, snapshot);
            key = row == nullptr ? nullptr : row_key(source, row);
        }
        if (key != nullptr && (visit.wanted == nullptr || has_key(visit.wanted, key))) {
            visit.call(source, key, row, visit.context);
        }
        MemoryContextSwitchTo(previous);
    }
    systable_endscan(scan);
}

bool is_wanted(const Source &source, HeapTuple row, const char *key) {
    const char *found = row_key(source, row);
    return found != nullptr && strcmp(found, key) == 0;
}

void scan_keys(const Source &source, const Visit &visit, Snapshot snapshot, Oid index_oid,
               Oid type) {
    Relation index = index_open(index_oid, AccessShareLock);
    const Oid equal =
        get_opcode(get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0],
                                       index->rd_opcintype[0], BTEqualStrategyNumber));
    const Oid collation = index->rd_indcollation[0];
    index_close(index, NoLock);
    for (int i = 0; i < visit.count; ++i) {
        CHECK_FOR_INTERRUPTS();
        ResetPerTupleExprContext(source.state);
        MemoryContext previous = MemoryContextSwitchTo(GetPerTupleMemoryContext(source.state));
        Datum value = 0;
        if (parse_key(first_part(source, visit.keys[i]), type, &value)) {
            ScanKeyData key;
            ScanKeyEntryInitialize(&key, 0, source.keys[0], BTEqualStrategyNumber, InvalidOid,
                                   collation, equal, value);
            SysScanDesc scan = systable_beginscan(source.table, index_oid, true, snapshot, 1, &key);
            while (HeapTuple row = systable_getnext(scan)) {
                if (is_wanted(source, row, visit.keys[i])) {
                    row = settled_row(source.table, row, snapshot);
                    if (row != nullptr && is_wanted(source, row, visit.keys[i])) {
                        visit.call(source, visit.keys[i], row, visit.context);
                    }
                }
            }
            systable_endscan(scan);
        }
        MemoryContextSwitchTo(previous);
    }
}

// As print_fact, and apart where the facts of two are alike: moments of one day.
const char *print_key(Datum value, Oid type) {
    return type == TIMESTAMPOID || type == TIMESTAMPTZOID
               ? psprintf("%lld", static_cast<long long>(DatumGetTimestamp(value)))
               : print_fact(value, type);
}

void visit_table(const Adoption &adoption, Oid table_oid, Visit visit, Snapshot snapshot) {
    Relation table = table_open(table_oid, AccessShareLock);
    Source *source = open_source(adoption, table);
    const Oid type =
        getBaseType(TupleDescAttr(RelationGetDescr(table), source->keys[0] - 1)->atttypid);
    const Oid index = visit.keys != nullptr && has_index_type(type)
                          ? find_key_index(table, source->keys[0], type)
                          : InvalidOid;
    if (OidIsValid(index)) {
        scan_keys(*source, visit, snapshot, index, type);
    } else {
        visit.wanted = visit.keys == nullptr ? nullptr : make_key_set(visit.keys, visit.count);
        scan_all(*source, visit, snapshot);
    }
    close_source(source);
    table_close(table, NoLock);
}

} // namespace

KnownColumn *known_columns(const Adoption &adoption, Oid table, int *count) {
    auto *known = static_cast<KnownColumn *>(
        palloc((static_cast<Size>(adoption.column_count) + 1) * sizeof(KnownColumn)));
    *count = 0;
    for (int i = 0; i < adoption.column_count; ++i) {
        // A renamed column is known by its number in the adopted table, and found in a partition
        // by the name it has now.
        const char *name = adoption.numbers == nullptr
                               ? adoption.columns[i]
                               : get_attname(adoption.table, adoption.numbers[i], true);
        const AttrNumber number =
            name == nullptr ? AttrNumber{InvalidAttrNumber} : get_attnum(table, name);
        if (number > 0) {
            known[(*count)++] = KnownColumn{adoption.columns[i], number};
        }
    }
    return known;
}

Source *open_source(const Adoption &adoption, Relation table) {
    auto *source = static_cast<Source *>(palloc0(sizeof(Source)));
    source->adoption = &adoption;
    source->table = table;
    int count = 0;
    const KnownColumn *known = known_columns(adoption, RelationGetRelid(table), &count);
    source->keys = static_cast<AttrNumber *>(palloc(adoption.key_count * sizeof(AttrNumber)));
    for (int i = 0; i < adoption.key_count; ++i) {
        source->keys[i] = find_known(adoption, known, count, adoption.keys[i]);
    }
    source->state = CreateExecutorState();
    source->facts =
        static_cast<ExprState **>(palloc((adoption.fact_count + 1) * sizeof(ExprState *)));
    source->types = static_cast<Oid *>(palloc((adoption.fact_count + 1) * sizeof(Oid)));
    AsOwner owner(table);
    for (int i = 0; i < adoption.fact_count; ++i) {
        Expr *expression = read_expression(table, adoption.facts[i], known, count, false);
        source->types[i] = exprType(reinterpret_cast<Node *>(expression));
        source->facts[i] = ExecPrepareExpr(expression, source->state);
    }
    owner.end();
    // Of a shape of its own: a trigger keeps the source until the statement ends.
    source->slot =
        MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(table)), &TTSOpsHeapTuple);
    return source;
}

void close_source(Source *source) {
    ExecDropSingleTupleTableSlot(source->slot);
    FreeExecutorState(source->state);
}

const char *row_key(const Source &source, HeapTuple row) {
    const TupleDesc shape = RelationGetDescr(source.table);
    const int count = source.adoption->key_count;
    auto *parts = static_cast<Datum *>(palloc(count * sizeof(Datum)));
    const char *text = nullptr;
    for (int i = 0; i < count; ++i) {
        bool is_null = false;
        const Datum value = heap_getattr(row, source.keys[i], shape, &is_null);
        if (is_null) {
            return nullptr;
        }
        text = print_key(value, getBaseType(TupleDescAttr(shape, source.keys[i] - 1)->atttypid));
        parts[i] = count == 1 ? Datum(0) : CStringGetTextDatum(text);
    }
    if (count == 1) {
        return text;
    }
    ArrayType *array = construct_array(parts, count, TEXTOID, -1, false, TYPALIGN_INT);
    return OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(array));
}

void row_facts(const Source &source, HeapTuple row, const char **facts) {
    ExprContext *context = GetPerTupleExprContext(source.state);
    ExecStoreHeapTuple(row, source.slot, false);
    context->ecxt_scantuple = source.slot;
    AsOwner owner(source.table);
    for (int i = 0; i < source.adoption->fact_count; ++i) {
        bool is_null = false;
        const Datum value = ExecEvalExprSwitchContext(source.facts[i], context, &is_null);
        facts[i] = is_null ? nullptr : print_fact(value, source.types[i]);
    }
    owner.end();
    ExecClearTuple(source.slot);
}

void visit_rows(const Adoption &adoption, const char *const *keys, int count,
                void (*visit)(const Source &source, const char *key, HeapTuple row, void *context),
                void *context) {
    // Rows that are followed are locked by who writes them.
    Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    // A table that merely inherits has triggers, and maybe an owner, of its own (S433).
    const bool has_parts = get_rel_relkind(adoption.table) == RELKIND_PARTITIONED_TABLE;
    OneRow one_row = expect_one_row(visit, context);
    const bool is_doubtful = has_parts && adoption.key_count == 1;
    const Visit all{keys, count, nullptr, is_doubtful ? pass_one_row : visit,
                    is_doubtful ? &one_row : context};
    List *tables = has_parts ? find_all_inheritors(adoption.table, AccessShareLock, nullptr)
                             : list_make1_oid(adoption.table);
    for (const Oid table : each_oid(tables)) {
        if (get_rel_relkind(table) == RELKIND_RELATION) {
            visit_table(adoption, table, all, snapshot);
        }
    }
    UnregisterSnapshot(snapshot);
}

} // namespace entitle::pg
