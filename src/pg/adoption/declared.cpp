// What is declared of adopted tables, as it is stored.
#include "pg/boundary/postgres.hpp"

#include "pg/adoption/source.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/snapmgr.h"
}

namespace entitle::pg {

namespace {

AttrNumber *numbers_of(Datum array, int expected) {
    Datum *values = nullptr;
    int count = 0;
    deconstruct_array(DatumGetArrayTypeP(array), INT2OID, sizeof(int16), true, TYPALIGN_SHORT,
                      &values, nullptr, &count);
    if (count != expected) {
        return nullptr;
    }
    auto *numbers = static_cast<AttrNumber *>(palloc((count + 1) * sizeof(AttrNumber)));
    for (int i = 0; i < count; ++i) {
        numbers[i] = DatumGetInt16(values[i]);
    }
    return numbers;
}

Adoption read_adoption(HeapTuple row, TupleDesc shape) {
    const auto value = [&](int number) {
        bool is_null = false;
        return SPI_getbinval(row, shape, number, &is_null);
    };
    Adoption adoption{};
    adoption.id = DatumGetInt64(value(1));
    adoption.table = DatumGetObjectId(value(2));
    adoption.keys = texts_of(value(3), &adoption.key_count);
    adoption.facts = texts_of(value(4), &adoption.fact_count);
    know_columns(adoption, value(5), value(6));
    if (!DatumGetBool(value(7))) {
        adoption.numbers = nullptr;
    }
    return adoption;
}

// A query by which adoptions are found. Its plan is kept: each write of an adopted table asks.
struct AdoptionQuery {
    const char *condition;
    Oid type; // of what is looked for
    SPIPlanPtr plan;
};

AdoptionList select_adoptions(AdoptionQuery &query, Datum value) {
    MemoryContext caller = CurrentMemoryContext;
    // Not by the statement's snapshot, which it may have taken before it waited for the adoption
    // (S431).
    PushCopiedSnapshot(GetLatestSnapshot());
    UpdateActiveSnapshotCommandId();
    SPI_connect();
    if (query.plan == nullptr) {
        SPIPlanPtr plan = SPI_prepare(
            psprintf(
                "SELECT adoption_id, source::pg_catalog.oid, key_columns, facts, column_names,"
                " column_numbers, source_number OPERATOR(pg_catalog.=) source::pg_catalog.oid"
                " FROM entitle.adoption WHERE NOT is_forgotten AND %s OPERATOR(pg_catalog.=) $1"
                " ORDER BY adoption_id",
                query.condition),
            1, &query.type);
        if (plan == nullptr || SPI_keepplan(plan) != 0) {
            elog(ERROR, "adoptions cannot be looked for");
        }
        query.plan = plan;
    }
    if (SPI_execute_plan(query.plan, &value, nullptr, true, 0) != SPI_OK_SELECT) {
        elog(ERROR, "adoptions cannot be read");
    }
    MemoryContext previous = MemoryContextSwitchTo(caller);
    AdoptionList list{nullptr, static_cast<int>(SPI_processed)};
    list.adoptions =
        static_cast<Adoption *>(palloc0((static_cast<Size>(list.count) + 1) * sizeof(Adoption)));
    for (int i = 0; i < list.count; ++i) {
        list.adoptions[i] = read_adoption(SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
    }
    MemoryContextSwitchTo(previous);
    SPI_finish();
    PopActiveSnapshot();
    return list;
}

} // namespace

const char **texts_of(Datum array, int *count) {
    Datum *values = nullptr;
    bool *nulls = nullptr;
    deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
                      count);
    auto **texts = static_cast<const char **>(palloc((*count + 1) * sizeof(char *)));
    for (int i = 0; i < *count; ++i) {
        texts[i] = nulls[i] ? "" : TextDatumGetCString(values[i]);
    }
    return texts;
}

void know_columns(Adoption &adoption, Datum names, Datum numbers) {
    adoption.columns = texts_of(names, &adoption.column_count);
    adoption.numbers = numbers_of(numbers, adoption.column_count);
}

AdoptionList find_adoptions(Oid table) {
    static AdoptionQuery query{"source::pg_catalog.oid", OIDOID, nullptr};
    return select_adoptions(query, ObjectIdGetDatum(table));
}

AdoptionList find_adoption(std::int64_t id) {
    static AdoptionQuery query{"adoption_id", INT8OID, nullptr};
    return select_adoptions(query, Int64GetDatum(id));
}

} // namespace entitle::pg
