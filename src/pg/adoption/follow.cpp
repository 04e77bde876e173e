// The model follows adopted tables (R64): a trigger tells which keys were written, and what the
// rows with those keys say now is written into the model. So it does not matter in which order, by
// which command or how often a row was written.
#include "pg/boundary/postgres.hpp"

#include "pg/adoption/batch.hpp"
#include "pg/adoption/expression.hpp"
#include "pg/adoption/row_lock.hpp"
#include "pg/adoption/source.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/datum/row_set.hpp"
#include "pg/lending/following.hpp"

extern "C" {
#include "catalog/partition.h"
#include "executor/spi.h"
#include "nodes/nodeFuncs.h"
#include "utils/ruleutils.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

// Writes what the keys' rows say now, or all with none given. Returns: how many rows of the model
// changed.
std::int64_t follow(std::int64_t adoption, Datum keys, bool has_keys) {
    std::int64_t changed = 0;
    demand_current_rows(adoption, NullableDatum{keys, !has_keys});
    compute([&] {
        const Following following;
        changed = call_pg([&] {
            Oid types[] = {INT8OID, TEXTARRAYOID};
            Datum values[] = {Int64GetDatum(adoption), keys};
            const char nulls[] = {' ', has_keys ? ' ' : 'n', '\0'};
            static SPIPlanPtr kept = nullptr;
            SPI_connect();
            if (kept == nullptr) {
                SPIPlanPtr plan =
                    SPI_prepare("SELECT entitle_internal.follow_rows($1, $2)", 2, types);
                if (plan == nullptr || SPI_keepplan(plan) != 0) {
                    elog(ERROR, "an adopted table cannot be followed");
                }
                kept = plan;
            }
            const int outcome = SPI_execute_plan(kept, values, nulls, false, 0);
            bool is_null = true;
            const Datum count =
                outcome == SPI_OK_SELECT && SPI_processed == 1
                    ? SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null)
                    : Datum(0);
            if (is_null) {
                elog(ERROR, "an adopted table was not followed");
            }
            const std::int64_t result = DatumGetInt64(count);
            SPI_finish();
            return result;
        });
    });
    return changed;
}

Oid root_of(Relation table) {
    if (!table->rd_rel->relispartition) {
        return RelationGetRelid(table);
    }
    return llast_oid(get_partition_ancestors(RelationGetRelid(table)));
}

// What a trigger's call site keeps for the statement.
struct Site {
    AdoptionList list;
    Source **sources; // opened when a row comes
};

Site &site_of(FunctionCallInfo fcinfo, Relation table) {
    if (fcinfo->flinfo->fn_extra == nullptr) {
        MemoryContext previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        demand_current_adoptions(root_of(table));
        auto *site = static_cast<Site *>(palloc0(sizeof(Site)));
        site->list = find_adoptions(root_of(table));
        site->sources = static_cast<Source **>(
            palloc0((static_cast<Size>(site->list.count) + 1) * sizeof(void *)));
        MemoryContextSwitchTo(previous);
        fcinfo->flinfo->fn_extra = site;
    }
    return *static_cast<Site *>(fcinfo->flinfo->fn_extra);
}

Source &source_of(FunctionCallInfo fcinfo, Site &site, int number, Relation table) {
    if (site.sources[number] == nullptr) {
        MemoryContext previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        site.sources[number] = open_source(site.list.adoptions[number], table);
        MemoryContextSwitchTo(previous);
    }
    return *site.sources[number];
}

// Whether the two versions of a row say the same.
bool says_same(const Source &source, const char *old_key, const char *new_key, HeapTuple before,
               HeapTuple after) {
    if ((old_key == nullptr) != (new_key == nullptr) ||
        (old_key != nullptr && strcmp(old_key, new_key) != 0)) {
        return false;
    }
    const int count = source.adoption->fact_count;
    auto **was = static_cast<const char **>(palloc((count + 1) * sizeof(char *)));
    auto **is = static_cast<const char **>(palloc((count + 1) * sizeof(char *)));
    row_facts(source, before, was);
    row_facts(source, after, is);
    for (int i = 0; i < count; ++i) {
        if ((was[i] == nullptr) != (is[i] == nullptr) ||
            (was[i] != nullptr && strcmp(was[i], is[i]) != 0)) {
            return false;
        }
    }
    return true;
}

// At the end of the statement, where that fires a trigger; else at once.
void follow_key(const Adoption &adoption, const char *key) {
    if (key != nullptr && !add_to_batch(adoption.table, adoption.id, key)) {
        Datum only = CStringGetTextDatum(key);
        follow(adoption.id,
               PointerGetDatum(construct_array(&only, 1, TEXTOID, -1, false, TYPALIGN_INT)), true);
    }
}

void follow_row(Source &source, HeapTuple before, HeapTuple after) {
    const Adoption &adoption = *source.adoption;
    ResetPerTupleExprContext(source.state);
    const char *old_key = before == nullptr ? nullptr : row_key(source, before);
    const char *new_key = after == nullptr ? nullptr : row_key(source, after);
    const bool is_same =
        before != nullptr && after != nullptr && says_same(source, old_key, new_key, before, after);
    if (is_same) {
        return;
    }
    follow_key(adoption, old_key);
    if (old_key == nullptr || new_key == nullptr || strcmp(old_key, new_key) != 0) {
        follow_key(adoption, new_key);
    }
}

struct Rows {
    RowSet set;
    int count; // of facts
};

void add_facts(const Source &source, const char *key, HeapTuple row, void *context) {
    auto *rows = static_cast<Rows *>(context);
    auto **facts = static_cast<const char **>(palloc((rows->count + 1) * sizeof(char *)));
    auto *values = static_cast<Datum *>(palloc((rows->count + 1) * sizeof(Datum)));
    auto *nulls = static_cast<bool *>(palloc((rows->count + 1) * sizeof(bool)));
    row_facts(source, row, facts);
    for (int i = 0; i < rows->count; ++i) {
        nulls[i] = facts[i] == nullptr;
        values[i] = nulls[i] ? Datum(0) : CStringGetTextDatum(facts[i]);
    }
    int sizes[] = {rows->count};
    int bounds[] = {1};
    const Datum result[] = {CStringGetTextDatum(key),
                            PointerGetDatum(construct_md_array(values, nulls, 1, sizes, bounds,
                                                               TEXTOID, -1, false, TYPALIGN_INT))};
    const bool result_nulls[] = {false, false};
    add_row(rows->set, result, result_nulls);
}

// A table by its number, which may be gone by now.
Relation open_given(Oid number) {
    Relation table = try_table_open(number, AccessShareLock);
    if (table == nullptr) {
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no table with OID %u", number),
                 errhint("Give the table's name.")));
    }
    return table;
}

} // namespace

// Trigger of adopted tables: before and after each statement, after each row and after TRUNCATE.
// SECURITY DEFINER: whoever writes the table needs no privilege on the model. Its own declaration
// says what the table gives, so it trusts nothing of who made the trigger.
ENTITLE_FUNCTION(entitle_follow_source) {
    const TriggerData *data = require_trigger(fcinfo, "a trigger of adopted tables");
    Relation table = data->tg_relation;
    const bool is_row = TRIGGER_FIRED_FOR_ROW(data->tg_event);
    if (TRIGGER_FIRED_BEFORE(data->tg_event) == is_row && !TRIGGER_FIRED_AFTER(data->tg_event)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("this function is a trigger of adopted tables, of rows AFTER")));
    }
    Site &site = site_of(fcinfo, table);
    const AdoptionList &list = site.list;
    if (list.count == 0) {
        return Datum(0);
    }
    const Oid root = list.adoptions[0].table;
    if (is_row) {
        const bool is_update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
        const bool is_insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
        for (int i = 0; i < list.count; ++i) {
            follow_row(source_of(fcinfo, site, i, table), is_insert ? nullptr : data->tg_trigtuple,
                       is_insert   ? data->tg_trigtuple
                       : is_update ? data->tg_newtuple
                                   : nullptr);
        }
    } else if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event)) {
        for (int i = 0; i < list.count; ++i) {
            follow(list.adoptions[i].id, Datum(0), false);
        }
    } else if (TRIGGER_FIRED_BEFORE(data->tg_event)) {
        watch_batches();
        open_batch(root);
    } else {
        std::int64_t adoption = 0;
        Datum keys = 0;
        while (take_batch(root, &adoption, &keys)) {
            follow(adoption, keys, true);
        }
    }
    return Datum(0);
}

// follow(adoption_id, keys) -> bigint: has the model follow the rows with these keys, or all.
ENTITLE_FUNCTION(entitle_follow) {
    if (PG_ARGISNULL(1)) {
        await_writers(PG_GETARG_INT64(0));
    }
    PG_RETURN_INT64(follow(PG_GETARG_INT64(0), PG_GETARG_DATUM(1), !PG_ARGISNULL(1)));
}

// source_facts(adoption_id, keys) -> rows (source_key, facts): what the rows of an adopted table
// say, those with these keys or all.
ENTITLE_FUNCTION(entitle_source_facts) {
    const AdoptionList list = find_adoption(PG_GETARG_INT64(0));
    Rows rows{open_row_set(fcinfo), 0};
    if (list.count == 0 ||
        !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(list.adoptions[0].table))) {
        return Datum(0);
    }
    rows.count = list.adoptions[0].fact_count;
    const char **keys = nullptr;
    int count = 0;
    if (!PG_ARGISNULL(1)) {
        Datum *values = nullptr;
        bool *nulls = nullptr;
        deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &values,
                          &nulls, &count);
        keys = static_cast<const char **>(palloc((count + 1) * sizeof(char *)));
        for (int i = 0; i < count; ++i) {
            keys[i] = nulls[i] ? "" : TextDatumGetCString(values[i]);
        }
    }
    visit_rows(list.adoptions[0], keys, count, add_facts, &rows);
    return Datum(0);
}

// check_expression(relation, expression, is_condition) -> regtype: its type; an error unless it may
// be worked out for the rows of the table.
ENTITLE_FUNCTION(entitle_check_expression) {
    Relation table = open_given(PG_GETARG_OID(0));
    const char *words = text_to_cstring(PG_GETARG_TEXT_PP(1));
    const TupleDesc shape = RelationGetDescr(table);
    auto *columns = static_cast<KnownColumn *>(palloc((shape->natts + 1) * sizeof(KnownColumn)));
    int count = 0;
    for (int i = 0; i < shape->natts; ++i) {
        if (!TupleDescAttr(shape, i)->attisdropped) {
            columns[count++] = KnownColumn{NameStr(TupleDescAttr(shape, i)->attname),
                                           static_cast<AttrNumber>(i + 1)};
        }
    }
    // A constant of a type that is the caller's own would run its code.
    AsOwner owner(table);
    const Expr *expression = read_expression(table, words, columns, count, PG_GETARG_BOOL(2));
    owner.end();
    table_close(table, NoLock);
    PG_RETURN_OID(exprType(reinterpret_cast<const Node *>(expression)));
}

// current_expression(relation, expression, names, numbers) -> text: the expression as it reads now,
// after columns were renamed that it knows by these names and numbers.
ENTITLE_FUNCTION(entitle_current_expression) {
    Adoption known{};
    known.table = PG_GETARG_OID(0);
    const char *words = text_to_cstring(PG_GETARG_TEXT_PP(1));
    know_columns(known, PG_GETARG_DATUM(2), PG_GETARG_DATUM(3));
    Relation table = open_given(known.table);
    int count = 0;
    const KnownColumn *columns = known_columns(known, known.table, &count);
    AsOwner owner(table);
    Expr *expression = read_expression(table, words, columns, count, false);
    List *context = deparse_context_for(RelationGetRelationName(table), known.table);
    const char *current =
        deparse_expression(reinterpret_cast<Node *>(expression), context, false, false);
    owner.end();
    table_close(table, NoLock);
    PG_RETURN_TEXT_P(cstring_to_text(current));
}
