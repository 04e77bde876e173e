// Doors of the explanations of rows: they find what is declared, and the row or its document.
#include "pg/boundary/postgres.hpp"

#include "pg/protection/declaration.hpp"
#include "pg/explain/explain.hpp"
#include "pg/boundary/function.hpp"
#include "pg/protection/keyed_row.hpp"
#include "pg/model/lookup.hpp"
#include "pg/observe/reported_table.hpp"
#include "pg/protection/parent_key.hpp"
#include "pg/protection/readable.hpp"
#include "pg/explain/row_explanation.hpp"
#include "pg/subject/statement.hpp"
#include "pg/datum/datum.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

// What is asked about: a stored row by its key, or a row as it would be written.
struct Asked {
    enum class Action { select, update, remove, insert_new, update_new };
    Action action;
    std::optional<std::string_view> login;
    const char *key; // of a stored row; a null pointer is NULL
    Datum new_row;   // jsonb

    [[nodiscard]] bool is_new() const noexcept {
        return action == Action::insert_new || action == Action::update_new;
    }
};

// The columns that decide: customer, date, brand.
constexpr int kDeciding = 3;

// Where the row in question is, of a line its document's.
struct Place {
    List *indexes;
    RowKey key;
};

FoundRow make_row(const ColumnValue *values, bool is_branded) {
    FoundRow row{};
    row.is_found = true;
    row.facts.customer = customer_value(values[0].value, values[0].type);
    row.facts.lacks_customer = values[0].value.isnull;
    row.facts.date = day_value(values[1].value, values[1].type);
    row.facts.brand = find_brand(values[2].value, values[2].type);
    row.names_brand = read_key(values[2].value, values[2].type).type != KeyType::integer;
    const auto customer = row.facts.customer ? find_customer(*row.facts.customer) : std::nullopt;
    row.home = customer ? customer->brand : is_branded ? row.facts.brand : std::nullopt;
    return row;
}

// As many as protect_table follows.
constexpr int kMaxParents = 30;

// Follows a line to its document: from there on, the row in question is that one. A new line says
// itself which its document is. regime: C
Declaration find_document(const Declaration &declared, const Asked &asked, Place &place) {
    Declaration document = declared;
    for (int depth = 0; OidIsValid(document.parent); ++depth) {
        const ParentKey parent = find_parent_key(document);
        if (depth == 0 && asked.is_new()) {
            place.key = key_of_new_row(asked.new_row, parent.columns, parent.count);
        } else {
            place.key = read_row_key(place.indexes, place.key, parent.columns, parent.count,
                                     linitial_oid(parent.indexes));
        }
        place.indexes = parent.indexes;
        Oid table = InvalidOid;
        const Oid above = document.parent;
        document = Declaration{};
        if (!find_declaration(above, document, table) || document.relation != above ||
            depth == kMaxParents) {
            ereport(ERROR,
                    (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                     errmsg("parent \"%s\" is not protected by itself", qualified_name(above)),
                     errhint("SELECT * FROM entitle.verify_protection() tells what mends it.")));
        }
    }
    return document;
}

bool holds_any(Oid relation, Oid role, AclMode privileges) {
    return pg_class_aclcheck(relation, role, privileges) == ACLCHECK_OK ||
           pg_attribute_aclcheck_all(relation, role, privileges, ACLMASK_ANY) == ACLCHECK_OK;
}

// Raises for a role that could not ask for such a row itself: a new one it neither reads nor
// writes, a stored one whose key it does not read.
void require_privilege(Oid relation, Oid table, const Asked &asked, const Place &place) {
    const AclMode needed = asked.is_new() ? ACL_SELECT | ACL_INSERT | ACL_UPDATE : ACL_SELECT;
    // Nor is the owner of a function told what its caller could ask for.
    bool is_held =
        holds_any(relation, asking_role(), needed) && holds_any(relation, GetUserId(), needed);
    if (is_held && !asked.is_new()) {
        Relation index = index_open(linitial_oid(place.indexes), AccessShareLock);
        for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); ++i) {
            is_held = is_held && may_read(relation, table,
                                          get_attname(index->rd_index->indrelid,
                                                      index->rd_index->indkey.values[i], false));
        }
        index_close(index, AccessShareLock);
    }
    if (!is_held) {
        aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relation)),
                       get_rel_name(relation));
    }
}

// Names columns as they are granted.
const char *list_columns(Oid table, const char *const *columns, int count) {
    StringInfoData list;
    initStringInfo(&list);
    for (int i = 0; i < count; ++i) {
        if (columns[i] != nullptr) {
            appendStringInfo(&list, "%s%s", list.len == 0 ? "" : ", ",
                             quote_identifier(columns[i]));
        }
    }
    return psprintf("%s (%s)", qualified_name(table), list.data);
}

// Finds out what of the deciding columns the asking role may not read. What it is told of its own
// view does without them; all else is refused before the row is looked for. regime: C
void limit_telling(Oid relation, Oid table, const Declaration &declared,
                   const Declaration &document, const Asked &asked, const char *const *columns,
                   RowQuestion &question) {
    const bool is_line = OidIsValid(declared.parent);
    if (knows_all() || (asked.is_new() && !is_line)) {
        return; // a new row's values are the asker's own
    }
    if (declared.is_model) {
        // The profile shows no brand; the table of customers does, to those who come by permission.
        const bool is_brand_read = may_read(table, table, columns[2]);
        question.hides_brand = !is_brand_read;
        question.shows_brand_to_staff = true;
        return;
    }
    const List *readers = list_make2_oid(document.relation, find_view(document.relation));
    if (!is_line) {
        readers = lappend_oid(lappend_oid(list_copy(readers), relation), table);
    }
    const char *const brand[] = {columns[2]};
    question.hides_brand = !OidIsValid(find_reader(readers, document.relation, brand, 1));
    question.hides_place = !OidIsValid(find_reader(readers, document.relation, columns, 2));
    if (!question.hides_brand && !question.hides_place) {
        return;
    }
    question.needed_columns = list_columns(document.relation, columns, kDeciding);
    if (asked.login || asked.action != Asked::Action::select) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied to explain rows of \"%s\"",
                               qualified_name(declared.relation)),
                        errhint("It takes SELECT on %s, or on the same columns of its view.",
                                question.needed_columns)));
    }
}

// Names the policies that are not entitle's, of the table and of those above it. regime: C
const char *policies_beside(Oid table, const Declaration &declared) {
    const char *names = other_policies(table);
    Declaration line = declared;
    for (int depth = 0; OidIsValid(line.parent) && depth < kMaxParents; ++depth) {
        const char *above = other_policies(line.parent);
        names = names == nullptr || above == nullptr ? (names == nullptr ? above : names)
                                                     : psprintf("%s, %s", names, above);
        Declaration parent{};
        Oid found = InvalidOid;
        if (!find_declaration(line.parent, parent, found)) {
            break;
        }
        line = parent;
    }
    return names;
}

// Where other policies decide, too, PostgreSQL says whether the row shows to the asker: of a new
// line its document. regime: C
std::optional<bool> ask_policies(Oid relation, Oid table, const Declaration &declared,
                                 const Asked &asked, const Place &first) {
    if (knows_all() || (asked.is_new() && !OidIsValid(declared.parent))) {
        return std::nullopt;
    }
    if (!asked.is_new()) {
        return shows_by_select(relation, table, linitial_oid(first.indexes), first.key);
    }
    const List *readers = list_make2_oid(declared.parent, find_view(declared.parent));
    const ParentKey parent = find_parent_key(declared);
    Relation index = index_open(linitial_oid(parent.indexes), AccessShareLock);
    const char *columns[INDEX_MAX_KEYS];
    for (int i = 0; i < parent.count; ++i) {
        columns[i] =
            get_attname(index->rd_index->indrelid, index->rd_index->indkey.values[i], false);
    }
    index_close(index, AccessShareLock);
    const Oid reader = find_reader(readers, declared.parent, columns, parent.count);
    const RowKey key = key_of_new_row(asked.new_row, parent.columns, parent.count);
    return OidIsValid(reader) &&
           shows_by_select(reader, declared.parent, linitial_oid(parent.indexes), key);
}

RowQuestion make_question(const Declaration &declared, const Declaration &document,
                          const Asked &asked) {
    RowQuestion question{};
    question.login = asked.login;
    question.table = qualified_name(declared.relation);
    question.parent = OidIsValid(declared.parent) ? qualified_name(declared.parent) : nullptr;
    question.date_column = document.date_column;
    question.permission = document.view_permission;
    if (document.customer_column != nullptr) {
        question.level = document.min_level;
    }
    question.is_branded = document.brand_column != nullptr;
    question.is_dated = document.date_column != nullptr;
    question.is_shared = document.has_shared_rows;
    question.is_line = OidIsValid(declared.parent);
    question.is_write = asked.action != Asked::Action::select;
    question.is_new = asked.is_new();
    switch (asked.action) {
    case Asked::Action::select:
        break;
    case Asked::Action::update_new:
        question.must_show = true;
        [[fallthrough]];
    case Asked::Action::update:
        question.write_permission = declared.update_permission;
        question.write_level = declared.external_update_level;
        break;
    case Asked::Action::remove:
        question.write_permission = declared.delete_permission;
        question.write_level = declared.external_delete_level;
        break;
    case Asked::Action::insert_new:
        question.write_permission = declared.insert_permission;
        question.write_level = declared.external_insert_level;
        break;
    }
    return question;
}

// Requires: relation is declared. regime: C
PlainSteps explain_declared(Oid relation, const Declaration &declared, Oid table,
                            const Asked &asked) {
    Place place{};
    if (!asked.is_new()) {
        place.indexes = find_primary_keys(table);
    }
    require_privilege(relation, table, asked, place);
    if (asked.is_new()) {
        check_new_row(relation, table, asked.new_row);
    } else {
        place.key = parse_row_key(linitial_oid(place.indexes), asked.key);
    }
    const Place first = place;
    const Declaration document = find_document(declared, asked, place);
    RowQuestion question = make_question(declared, document, asked);
    question.masked = find_masked_columns(declared, table);
    for (int i = 0; asked.is_new() && i < question.masked.count; ++i) {
        MaskedColumn &column = question.masked.columns[i];
        column.is_given = get_json_field(asked.new_row, column.name) != nullptr;
    }

    const char *const columns[kDeciding] = {document.customer_column, document.date_column,
                                            document.brand_column};
    limit_telling(relation, table, declared, document, asked, columns, question);
    question.other_policies = policies_beside(table, declared);
    std::optional<bool> shows;
    if (question.other_policies != nullptr) {
        shows = ask_policies(relation, table, declared, asked, first);
    }
    ColumnValue values[kDeciding]{};
    FoundRow row{};
    if (question.is_new && !question.is_line) {
        read_new_row(table, asked.new_row, columns, kDeciding, values);
        row = make_row(values, question.is_branded);
    } else if (find_keyed_row(place.indexes, place.key, columns, kDeciding, values)) {
        row = make_row(values, question.is_branded);
    }
    row.shows = shows;
    return explain_found_row(question, row);
}

// Explains what is asked about a relation, the first argument. regime: C
Datum explain_asked(FunctionCallInfo fcinfo, const Asked &asked) {
    Declaration declared;
    Oid table = InvalidOid;
    const Oid relation = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
    if (OidIsValid(relation) && find_declaration(relation, declared, table)) {
        if (declared.is_model && asked.action != Asked::Action::select) {
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("writes of the model's own tables are not explained row by row"),
                            errhint("Ask entitle.explain_permission('customers.edit').")));
        }
        return return_steps(fcinfo, explain_declared(relation, declared, table, asked));
    }
    const char *name = OidIsValid(relation) ? qualified_name(relation) : nullptr;
    const bool is_reported = OidIsValid(relation) && OidIsValid(find_reported(relation));
    PlainSteps steps;
    compute([&] {
        Trace trace;
        if (name == nullptr) {
            const Decision decision =
                Recorder(&trace).fail(Gate::protection, [] { return "no table is given"; });
            steps = close_trace(trace, decision);
            return;
        }
        Recorder(&trace).pass(Gate::protection, [&] {
            return std::string(name) + (is_reported ? " is in report mode: table privileges decide"
                                                    : " is not protected: table privileges decide");
        });
        steps = close_trace(trace, Decision{true, std::nullopt});
    });
    return return_steps(fcinfo, steps);
}

[[noreturn]] void refuse_action(std::optional<std::string_view> name, const char *hint) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("no action of a row: %s", name ? pnstrdup(name->data(), name->size()) : "NULL"),
             errhint("%s", hint)));
    pg_unreachable();
}

const char *key_argument(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : TextDatumGetCString(PG_GETARG_DATUM(number));
}

} // namespace

// explain_row(relation, key, login) -> steps. R34 to R40, R45, R51
ENTITLE_FUNCTION(entitle_explain_row) {
    return explain_asked(fcinfo, Asked{Asked::Action::select, text_argument(fcinfo, 2),
                                       key_argument(fcinfo, 1), Datum(0)});
}

// explain_action(relation, key, action, login) -> steps: of an update or delete, too. R3, R37
ENTITLE_FUNCTION(entitle_explain_action) {
    const auto name = text_argument(fcinfo, 2);
    Asked asked{Asked::Action::select, text_argument(fcinfo, 3), key_argument(fcinfo, 1), Datum(0)};
    if (name && *name == "update") {
        asked.action = Asked::Action::update;
    } else if (name && *name == "delete") {
        asked.action = Asked::Action::remove;
    } else if (!name || *name != "select") {
        refuse_action(name, "Actions are select, update and delete; of a row that is not there yet "
                            "tells explain_new_row.");
    }
    return explain_asked(fcinfo, asked);
}

// explain_new_row(relation, new_row, action, login) -> steps: whether such a row may be inserted,
// or a row be updated to it. R3, R37
ENTITLE_FUNCTION(entitle_explain_new_row) {
    const auto name = text_argument(fcinfo, 2);
    Asked asked{Asked::Action::insert_new, text_argument(fcinfo, 3), nullptr,
                PG_ARGISNULL(1) ? DirectFunctionCall1(jsonb_in, CStringGetDatum("null"))
                                : PG_GETARG_DATUM(1)};
    if (name && *name == "update") {
        asked.action = Asked::Action::update_new;
    } else if (!name || *name != "insert") {
        refuse_action(name, "Actions of a new row are insert and update.");
    }
    return explain_asked(fcinfo, asked);
}
