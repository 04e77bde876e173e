// Rows of protected tables, and their documents, as triggers find them.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/protection/keyed_row.hpp"
#include "pg/model/lookup.hpp"
#include "pg/protection/parent_key.hpp"
#include "pg/protection/row_place.hpp"
#include "pg/datum/datum.hpp"

namespace entitle::pg {

namespace {

// As many as protect_table follows.
constexpr int kMaxParents = 30;

constexpr int kDeciding = 3;

[[noreturn]] void raise_unfollowed(Oid parent) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("parent \"%s\" is not protected by itself", qualified_name(parent)),
                    errhint("SELECT * FROM entitle.verify_protection() tells what mends it.")));
    pg_unreachable();
}

// Columns by name: a partition's numbers need not be its root's.
void read_columns(Relation table, HeapTuple row, const char *const *names, int count,
                  ColumnValue *values) {
    TupleDesc shape = RelationGetDescr(table);
    for (int i = 0; i < count; ++i) {
        values[i] = ColumnValue{NullableDatum{Datum(0), true}, InvalidOid};
        if (names[i] == nullptr) {
            continue;
        }
        const AttrNumber number = get_attnum(RelationGetRelid(table), names[i]);
        if (number <= 0) {
            ereport(ERROR,
                    (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                     errmsg("table \"%s\" no longer has the declared column \"%s\"",
                            RelationGetRelationName(table), names[i]),
                     errhint("SELECT * FROM entitle.verify_protection() tells what mends it.")));
        }
        bool is_null = false;
        values[i].value.value = heap_getattr(row, number, shape, &is_null);
        values[i].value.isnull = is_null;
        values[i].type = getBaseType(TupleDescAttr(shape, number - 1)->atttypid);
    }
}

// A value as good as the current memory context.
NullableDatum detached(const ColumnValue &column) {
    if (column.value.isnull) {
        return column.value;
    }
    std::int16_t length = 0;
    bool by_value = false;
    get_typlenbyval(column.type, &length, &by_value);
    return NullableDatum{datumCopy(column.value.value, by_value, length), false};
}

// What is declared of a table's parent. regime: C
Declaration declaration_above(const Declaration &line, int depth) {
    Declaration above;
    Oid table = InvalidOid;
    if (!find_declaration(line.parent, above, table) || above.relation != line.parent ||
        depth == kMaxParents) {
        raise_unfollowed(line.parent);
    }
    return above;
}

} // namespace

Declaration find_document(const Declaration &declared) {
    Declaration document = declared;
    for (int depth = 0; OidIsValid(document.parent); ++depth) {
        document = declaration_above(document, depth);
    }
    return document;
}

RowPlace find_place(Relation table, HeapTuple row, const Declaration &declared) {
    ColumnValue values[INDEX_MAX_KEYS]{};
    const List *indexes = NIL;
    int key_count = 0;
    Declaration document = declared;
    bool is_found = true;
    for (int depth = 0; OidIsValid(document.parent); ++depth) {
        const ParentKey parent = find_parent_key(document);
        if (depth == 0) {
            read_columns(table, row, parent.columns, parent.count, values);
        } else {
            ColumnValue next[INDEX_MAX_KEYS]{};
            is_found = is_found && find_row_by_values(indexes, values, key_count, parent.columns,
                                                      parent.count, next);
            std::copy(std::begin(next), std::end(next), std::begin(values));
        }
        indexes = parent.indexes;
        key_count = parent.count;
        document = declaration_above(document, depth);
    }
    const DecidingColumns columns = find_deciding_columns(document);
    const char *const names[kDeciding] = {columns.customer, columns.date, columns.brand};
    ColumnValue deciding[kDeciding]{};
    if (!OidIsValid(declared.parent)) {
        read_columns(table, row, names, kDeciding, deciding);
    } else {
        is_found =
            is_found && find_row_by_values(indexes, values, key_count, names, kDeciding, deciding);
    }

    RowPlace place{};
    place.is_found = is_found;
    if (!is_found) {
        return place;
    }
    place.customer = customer_value(deciding[0].value, deciding[0].type);
    place.lacks_customer = deciding[0].value.isnull;
    place.date = day_value(deciding[1].value, deciding[1].type);
    place.brand = find_brand(deciding[2].value, deciding[2].type);
    place.strange_brand = place.brand ? NullableDatum{Datum(0), true} : detached(deciding[2]);
    place.brand_type = deciding[2].type;
    if (columns.brand != nullptr && place.customer) {
        const auto customer = find_customer(*place.customer);
        place.home = customer ? customer->brand : std::nullopt;
    }
    const Asker &asker = current_asker();
    if (place.customer && asker.user != nullptr) {
        const Grant *grant = grant_of(asker.user, *place.customer);
        place.has_grant = grant != nullptr;
        if (grant != nullptr) {
            place.grant = *grant;
        }
    }
    return place;
}

bool is_same_brand(const RowPlace &from, const RowPlace &to) {
    if (from.brand != to.brand || from.strange_brand.isnull != to.strange_brand.isnull) {
        return false;
    }
    if (to.strange_brand.isnull) {
        return true;
    }
    const PlainKey before = read_key(from.strange_brand, from.brand_type);
    const PlainKey after = read_key(to.strange_brand, to.brand_type);
    return before.type == after.type && before.bytes == after.bytes;
}

bool gives_away(const RowPlace &from, const RowPlace &to) {
    return ((to.brand || !to.strange_brand.isnull) && !is_same_brand(from, to)) ||
           (to.date && (!from.date || *from.date < *to.date)) ||
           (from.customer && to.customer && *from.customer != *to.customer &&
            find_customer(*from.customer).has_value());
}

bool is_same_document(Relation home, HeapTuple before, Relation table, HeapTuple after,
                      const Declaration &declared) {
    const ParentKey key = find_parent_key(declared);
    ColumnValue from[INDEX_MAX_KEYS]{};
    ColumnValue to[INDEX_MAX_KEYS]{};
    read_columns(home, before, key.columns, key.count, from);
    read_columns(table, after, key.columns, key.count, to);
    for (int i = 0; i < key.count; ++i) {
        std::int16_t length = 0;
        bool by_value = false;
        get_typlenbyval(to[i].type, &length, &by_value);
        if (from[i].value.isnull != to[i].value.isnull ||
            (!to[i].value.isnull &&
             !datum_image_eq(from[i].value.value, to[i].value.value, by_value, length))) {
            return false;
        }
    }
    return true;
}

RowRule to_rule(const ActionRule &action, const Declaration &document) {
    RowRule rule = make_rule(action.permission, action.level, document.brand_column != nullptr,
                             action.is_dated && document.date_column != nullptr);
    rule.is_shared = action.is_seeing && document.has_shared_rows;
    return rule;
}

std::optional<RowFacts> to_facts(const RowPlace &place) {
    if (!place.is_found) {
        return std::nullopt;
    }
    return RowFacts{place.brand, place.customer, place.has_grant ? &place.grant : nullptr,
                    place.date, place.lacks_customer};
}

} // namespace entitle::pg
