// Doors of the explanations of rows: the row test's own decision with a trace. A row that the asker
// may not know gives the very answer that one that does not exist gives.
#include "pg/postgres.hpp"

#include "pg/declaration.hpp"
#include "pg/explain.hpp"
#include "pg/function.hpp"
#include "pg/keyed_row.hpp"
#include "pg/lookup.hpp"
#include "pg/value.hpp"

#include "core/access.hpp"
#include "core/permission.hpp"
#include "core/protection.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

// What is asked, and what is declared of the row and of its document (R51). Texts are in palloc'd
// memory, a null pointer is none.
struct RowQuestion {
    std::optional<std::string_view> login;
    const char *table;  // as declared
    const char *parent; // of a line
    const char *date_column;
    const char *permission;
    std::optional<std::int32_t> level;
    bool is_branded;
    bool is_dated;
    bool is_write; // then these open the write of a visible row
    const char *write_permission;
    std::optional<std::int32_t> write_level;
    MaskedColumns masked;
};

// Where the document's row is, and which of its columns decide.
struct Place {
    List *indexes;
    RowKey key;
    const char *columns[3]; // customer, date, brand
};

RowRule make_rule(const RowQuestion &question, const char *permission,
                  std::optional<std::int32_t> level) {
    RowRule rule;
    if (permission != nullptr) {
        rule.permission = permission;
    }
    if (level) {
        rule.level = *level;
    }
    rule.is_branded = question.is_branded;
    rule.is_dated = question.is_dated;
    return rule;
}

bool is_visible(const Subject *subject, const Session &session, const RowQuestion &question,
                const RowFacts &facts) {
    const RowRule rule = make_rule(question, question.permission, question.level);
    return check_row(subject, session, rule, facts, nullptr).allowed;
}

// A row is written by those to whom it shows: to anybody else it is not there (R3).
Decision decide(const Subject *subject, const Session &session, const RowQuestion &question,
                const RowFacts &facts, Trace &trace) {
    const bool asks_write = question.is_write && is_visible(subject, session, question, facts);
    const RowRule rule = asks_write
                             ? make_rule(question, question.write_permission, question.write_level)
                             : make_rule(question, question.permission, question.level);
    const Decision decision = check_row(subject, session, rule, facts, &trace);
    for (int i = 0; decision && !question.is_write && i < question.masked.count; ++i) {
        (void)check_mask(subject, session, rule, facts, question.masked.columns[i].name,
                         question.masked.columns[i].level, &trace);
    }
    return decision;
}

// A row's facts, and what is known of its customer.
struct FoundRow {
    bool is_found;
    RowFacts facts;
    std::optional<BrandId> home; // the brand that judges who manages its external access
};

std::string tell_row(const FoundRow &row, const RowQuestion &question) {
    std::string text = "there is a row with this key";
    if (question.level) {
        text += row.facts.customer ? ", of customer " + std::to_string(*row.facts.customer)
                                   : ", of no known customer";
    }
    if (question.is_branded) {
        text +=
            row.facts.brand ? ", in brand " + std::to_string(*row.facts.brand) : ", in no brand";
    }
    return text;
}

Decision refuse_row(Trace &trace) {
    return Recorder(&trace).fail(
        Gate::row, [] { return std::string("no row with this key, or none that you may see"); });
}

// What an asker may know of the ways to a row that does not show: only what is the same for every
// row.
Decision tell_ways(const Subject *subject, const Session &session, const RowQuestion &question,
                   Trace &trace) {
    const Recorder recorder(&trace);
    if (question.permission != nullptr && !question.is_branded) {
        const bool is_held =
            check_permission(subject, session, question.permission, std::nullopt, &trace).allowed;
        const auto text = [&] {
            return std::string(is_held ? "every row shows by permission"
                                       : "no row shows by permission");
        };
        if (is_held) {
            recorder.pass(Gate::staff, text);
        } else {
            recorder.fail(Gate::staff, text);
        }
    } else if (question.permission != nullptr) {
        std::string brands;
        for (const BrandId brand : permitted_brands(subject, session, question.permission)) {
            brands += (brands.empty() ? "" : ", ") + std::to_string(brand);
        }
        recorder.fail(Gate::staff, [&] {
            return "rows show by permission \"" + std::string(question.permission) +
                   "\" in their brand; it is held in " +
                   (brands.empty() ? "no brand" : "brands " + brands);
        });
    }
    if (question.level) {
        recorder.fail(Gate::external, [&] {
            return "rows show by external access from L" + std::to_string(*question.level) +
                   " on their customer" + (question.is_dated ? ", inside the window" : "");
        });
    }
    return refuse_row(trace);
}

// Reads the row from the first of the tables that has it. regime: C
FoundRow find_row(const Place &place, bool is_branded) {
    FoundRow row{};
    ColumnValue values[3]{};
    row.is_found = find_keyed_row(place.indexes, place.key, place.columns, 3, values);
    if (row.is_found) {
        row.facts.customer = customer_value(values[0].value, values[0].type);
        row.facts.date = day_value(values[1].value, values[1].type);
        row.facts.brand = integer_value(values[2].value, values[2].type);
        const auto customer =
            row.facts.customer ? find_customer(*row.facts.customer) : std::nullopt;
        row.home = customer ? customer->brand : is_branded ? row.facts.brand : std::nullopt;
    }
    return row;
}

// A declaration in words.
std::string tell_protection(const RowQuestion &question) {
    std::string text = "table " + std::string(question.table) + " is protected: rows show ";
    if (question.parent != nullptr) {
        return text + "with the row of " + question.parent + " that they refer to";
    }
    if (question.permission != nullptr) {
        text += "by permission \"" + std::string(question.permission) + "\"";
        text += question.is_branded ? " in the brand of the row" : "";
        text += question.level ? ", or " : "";
    }
    if (question.level) {
        text += "from L" + std::to_string(*question.level) + " on their customer";
        if (question.is_dated) {
            text += " while \"" + std::string(question.date_column) + "\" is inside the window";
        }
    }
    return text;
}

void add_heading(const RowQuestion &question, Trace &trace) {
    trace.push_back(Step{Gate::protection, true, tell_protection(question)});
}

// The steps for the asker's own view. regime: C
PlainSteps explain_own(const Asker &asker, const RowQuestion &question, FoundRow row) {
    const bool knows_every_row = knows_all();
    if (row.facts.customer && asker.user != nullptr) {
        row.facts.grant = grant_of(asker.user, *row.facts.customer);
    }
    PlainSteps steps;
    compute([&] {
        Trace trace;
        add_heading(question, trace);
        Decision decision;
        if (row.is_found &&
            (knows_every_row || is_visible(asker.subject, asker.session, question, row.facts))) {
            Recorder(&trace).pass(Gate::row, [&] { return tell_row(row, question); });
            decision = decide(asker.subject, asker.session, question, row.facts, trace);
        } else {
            decision = tell_ways(asker.subject, asker.session, question, trace);
        }
        steps = close_trace(trace, decision);
    });
    return steps;
}

// Decides what the asker may know before looking at the other user: the row, then its customer's
// external access. regime: C
enum class Knowledge { nothing, row, all };
Knowledge knowledge_of(const Asker &asker, const RowQuestion &question, FoundRow row) {
    if (knows_all()) {
        return Knowledge::all;
    }
    if (asker.user == nullptr || !row.is_found) {
        return Knowledge::nothing;
    }
    if (row.facts.customer) {
        row.facts.grant = grant_of(asker.user, *row.facts.customer);
    }
    bool sees = false;
    bool manages = false;
    compute([&] {
        sees = is_visible(asker.subject, asker.session, question, row.facts);
        manages = row.facts.customer
                      ? check_manages_access(asker.subject, asker.session, *row.facts.customer,
                                             row.home, row.facts.grant)
                            .allowed
                      : check_permission(asker.subject, asker.session, kManagePermission, row.home)
                            .allowed;
    });
    return !sees ? Knowledge::nothing : manages ? Knowledge::all : Knowledge::row;
}

// The steps for another user. regime: C
PlainSteps explain_other(const RowQuestion &question, FoundRow row) {
    const bool knows_every_row = knows_all();
    const Asker &asker = asker_now();
    const Session session{std::nullopt, std::nullopt, asker.session.today};
    const auto place = row.home || asker.subject == nullptr
                           ? row.home
                           : current_brand(*asker.subject, asker.session);
    const Knowledge knowledge = knowledge_of(asker, question, row);
    CachedUser *other = knowledge == Knowledge::all ? find_by_login(*question.login) : nullptr;
    if (other != nullptr && row.facts.customer) {
        row.facts.grant = grant_of(other, *row.facts.customer);
    }
    const Subject *subject = subject_of(other);
    PlainSteps steps;
    compute([&] {
        Trace trace;
        add_heading(question, trace);
        // A manager knows who has access to the customer, or a place in its brand.
        const bool is_known =
            subject != nullptr && (knows_every_row || row.facts.grant != nullptr ||
                                   (place && is_member(*subject, *place)));
        Decision decision;
        if (knowledge != Knowledge::nothing && !is_known) {
            decision = refuse_user(*question.login, trace);
        } else if (knowledge == Knowledge::nothing || !row.is_found) {
            decision = refuse_row(trace);
        } else {
            Recorder(&trace).pass(Gate::row, [&] { return tell_row(row, question); });
            decision = decide(subject, session, question, row.facts, trace);
        }
        steps = close_trace(trace, decision);
    });
    return steps;
}

// As many as protect_table follows.
constexpr int kMaxParents = 30;

// Follows a line to its document: from there on, the row in question is that one. regime: C
Declaration find_document(const Declaration &declared, Place &place) {
    Declaration document = declared;
    for (int depth = 0; OidIsValid(document.parent); ++depth) {
        const ParentKey parent = find_parent_key(document);
        place.key = read_row_key(place.indexes, place.key, parent.columns, parent.count);
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

void require_select(Oid relation) {
    const Oid role = GetOuterUserId();
    if (pg_class_aclcheck(relation, role, ACL_SELECT) != ACLCHECK_OK &&
        pg_attribute_aclcheck_all(relation, role, ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK) {
        aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relation)),
                       get_rel_name(relation));
    }
}

enum class Action { select, update, remove };

// Requires: relation is declared. regime: C
PlainSteps explain_declared(Oid relation, const Declaration &declared, Oid table, const char *key,
                            std::optional<std::string_view> login, Action action) {
    require_select(relation);
    Place place{};
    place.indexes = find_primary_keys(table);
    place.key = parse_row_key(linitial_oid(place.indexes), key);
    const Declaration document = find_document(declared, place);
    place.columns[0] = document.customer_column;
    place.columns[1] = document.date_column;
    place.columns[2] = document.brand_column;

    RowQuestion question{};
    question.login = login;
    question.table = qualified_name(declared.relation);
    question.parent = OidIsValid(declared.parent) ? qualified_name(declared.parent) : nullptr;
    question.date_column = document.date_column;
    question.permission = document.view_permission;
    if (document.customer_column != nullptr) {
        question.level = document.min_level;
    }
    question.is_branded = document.brand_column != nullptr;
    question.is_dated = document.date_column != nullptr;
    question.is_write = action != Action::select;
    if (action == Action::update) {
        question.write_permission = declared.update_permission;
        question.write_level = declared.external_update_level;
    } else if (action == Action::remove) {
        question.write_permission = declared.delete_permission;
    }
    question.masked = find_masked_columns(declared, table);
    const FoundRow row = find_row(place, question.is_branded);
    const Asker &asker = asker_now();
    return is_about_asker(asker, login) ? explain_own(asker, question, row)
                                        : explain_other(question, row);
}

// (relation, key, login). regime: C
Datum explain_row(FunctionCallInfo fcinfo, int login_number, Action action) {
    const auto key = text_argument(fcinfo, 1);
    const auto login = text_argument(fcinfo, login_number);
    Declaration declared;
    Oid table = InvalidOid;
    const Oid relation = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
    if (OidIsValid(relation) && find_declaration(relation, declared, table)) {
        if (declared.is_model && action != Action::select) {
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("writes of the model's own tables are not explained row by row"),
                            errhint("Ask entitle.explain_permission('customers.edit').")));
        }
        const char *written = key ? pnstrdup(key->data(), key->size()) : nullptr;
        return return_steps(fcinfo,
                            explain_declared(relation, declared, table, written, login, action));
    }
    const char *name = OidIsValid(relation) ? qualified_name(relation) : nullptr;
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
            return std::string(name) + " is not protected: table privileges decide";
        });
        steps = close_trace(trace, Decision{true, std::nullopt});
    });
    return return_steps(fcinfo, steps);
}

Action action_argument(FunctionCallInfo fcinfo, int number) {
    const auto name = text_argument(fcinfo, number);
    if (name && *name == "select") {
        return Action::select;
    }
    if (name && *name == "update") {
        return Action::update;
    }
    if (!name || *name != "delete") {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("no action of a row: %s",
                               name ? pnstrdup(name->data(), name->size()) : "NULL"),
                        errhint("Actions are select, update and delete.")));
    }
    return Action::remove;
}

} // namespace

// explain_row(relation, key, login) -> steps. R34 to R40, R45, R51
ENTITLE_FUNCTION(entitle_explain_row) { return explain_row(fcinfo, 2, Action::select); }

// explain_action(relation, key, action, login) -> steps: of an update or delete, too. R3, R37
ENTITLE_FUNCTION(entitle_explain_action) {
    return explain_row(fcinfo, 3, action_argument(fcinfo, 2));
}
