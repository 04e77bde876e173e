// Privileges and policies of the asking role.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/protection/readable.hpp"
#include "pg/subject/statement.hpp"

extern "C" {
#include "catalog/pg_operator.h"
#include "executor/spi.h"
#include "rewrite/rowsecurity.h"
}

namespace entitle::pg {

namespace {

// A filtered view's columns keep the order of the table's, whatever either calls them by now.
AttrNumber shown_column(Oid view, Oid table, const char *column) {
    const AttrNumber number = get_attnum(table, column);
    if (number <= 0) {
        return InvalidAttrNumber;
    }
    if (find_view(table) != view) {
        return get_attnum(view, column);
    }
    Relation relation = table_open(table, AccessShareLock);
    int position = 0;
    for (int i = 0; i < number; ++i) {
        position += TupleDescAttr(RelationGetDescr(relation), i)->attisdropped ? 0 : 1;
    }
    table_close(relation, AccessShareLock);
    // The last one is masked_columns, where a column that came later would be.
    const bool is_shown = get_attname(view, static_cast<AttrNumber>(position + 1), true) != nullptr;
    return static_cast<AttrNumber>(is_shown ? position : 0);
}

bool is_ours(const RowSecurityPolicy *policy) {
    static constexpr const char *kOurs[] = {"entitle_select", "entitle_insert", "entitle_update",
                                            "entitle_delete"};
    for (const char *name : kOurs) {
        if (strcmp(policy->policy_name, name) == 0) {
            return true;
        }
    }
    return false;
}

// The operator of a key's column as SQL names it whatever the search_path.
const char *equals_text(Relation index, int number) {
    const Oid compared = index->rd_opcintype[number];
    const Oid equals =
        get_opfamily_member(index->rd_opfamily[number], compared, compared, BTEqualStrategyNumber);
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(equals));
    if (!HeapTupleIsValid(tuple)) {
        elog(ERROR, "index \"%s\" knows no equality", RelationGetRelationName(index));
    }
    const auto *found = reinterpret_cast<const FormData_pg_operator *>(GETSTRUCT(tuple));
    const char *text =
        psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(found->oprnamespace)),
                 NameStr(found->oprname));
    ReleaseSysCache(tuple);
    return text;
}

} // namespace

bool may_read(Oid relation, Oid table, const char *column) {
    const AttrNumber number = shown_column(relation, table, column);
    const auto is_read_by = [&](Oid role) {
        return pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK ||
               pg_attribute_aclcheck(relation, number, role, ACL_SELECT) == ACLCHECK_OK;
    };
    return number > 0 && is_read_by(asking_role()) && is_read_by(GetUserId());
}

Oid find_reader(const List *relations, Oid table, const char *const *columns, int count) {
    for (const Oid relation : each_oid(relations)) {
        bool is_read = OidIsValid(relation);
        for (int i = 0; is_read && i < count; ++i) {
            is_read = columns[i] == nullptr || may_read(relation, table, columns[i]);
        }
        if (is_read) {
            return relation;
        }
    }
    return InvalidOid;
}

const char *other_policies(Oid table) {
    Relation relation = table_open(table, AccessShareLock);
    StringInfoData names;
    initStringInfo(&names);
    for (const auto *policy : each<RowSecurityPolicy>(
             relation->rd_rsdesc == nullptr ? NIL : relation->rd_rsdesc->policies)) {
        if (!is_ours(policy)) {
            appendStringInfo(&names, "%s\"%s\"", names.len == 0 ? "" : ", ", policy->policy_name);
        }
    }
    table_close(relation, AccessShareLock);
    return names.len == 0 ? nullptr : names.data;
}

bool shows_by_select(Oid relation, Oid table, Oid index_oid, const RowKey &key) {
    StringInfoData query;
    initStringInfo(&query);
    appendStringInfo(&query, "SELECT FROM %s t WHERE true", qualified_name(relation));
    Relation index = index_open(index_oid, AccessShareLock);
    for (int i = 0; i < key.count; ++i) {
        const Oid home = index->rd_index->indrelid;
        const AttrNumber number = index->rd_index->indkey.values[i];
        const AttrNumber shown = shown_column(relation, table, get_attname(home, number, false));
        if (key.texts[i] == nullptr || shown <= 0) {
            index_close(index, AccessShareLock);
            return false;
        }
        appendStringInfo(
            &query, " AND t.%s %s %s::%s", quote_identifier(get_attname(relation, shown, false)),
            equals_text(index, i), quote_literal_cstr(key.texts[i]),
            // Without a length: that of a column would cut the key to it.
            format_type_extended(getBaseType(get_atttype(home, number)), -1,
                                 FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
    }
    index_close(index, AccessShareLock);
    SPI_connect();
    const int result = SPI_execute(query.data, true, 1);
    const bool is_shown = result == SPI_OK_SELECT && SPI_processed > 0;
    SPI_finish();
    return is_shown;
}

} // namespace entitle::pg
