// Doors of the explanations: the checks of core with a trace, for oneself and for those about whom
// the asker may know. A row or user that the asker may not know gives the very answer that one that
// does not exist gives.
#include "pg/postgres.hpp"

#include "pg/function.hpp"
#include "pg/keyed_row.hpp"
#include "pg/lookup.hpp"
#include "pg/rights.hpp"
#include "pg/rowset.hpp"
#include "pg/value.hpp"

#include "core/access.hpp"
#include "core/permission.hpp"
#include "core/protection.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

using Check = Decision (*)(const Subject *, const Session &, std::string_view,
                           std::optional<BrandId>, Trace *);

constexpr const char *kManage = "external_access.manage";

bool is_superuser() { return superuser_arg(GetOuterUserId()); }

// A question without a login, or with the asker's own, is about the asker.
bool is_about_asker(const Asker &asker, std::optional<std::string_view> login) noexcept {
    return !login || (asker.subject != nullptr && asker.subject->login == *login);
}

CachedUser *find_by_login(std::string_view login) {
    const auto user = user_by_login(login);
    return user ? find_user(*user) : nullptr;
}

Decision refuse_user(std::string_view login, Trace &trace) {
    return Recorder(&trace).fail(Gate::identity, [&] {
        return "no user \"" + std::string(login) + "\" about whom you may ask";
    });
}

PlainSteps close_trace(Trace &trace, const Decision &decision) {
    trace.push_back(conclude(decision));
    return copy_out(trace);
}

// The brand that a question about another user is judged in: the one named, else the user's only
// one. regime: C
std::optional<BrandId> brand_of_question(std::string_view login, std::optional<BrandId> named) {
    const Subject *subject = subject_of(find_by_login(login));
    return named || subject == nullptr ? named : current_brand(*subject, Session{});
}

// (key, login, brand_id): the steps of a check. regime: C
Datum explain_key(FunctionCallInfo fcinfo, Check check, Gate unnamed) {
    const auto key = text_argument(fcinfo, 0);
    const auto login = text_argument(fcinfo, 1);
    const auto named = bigint_argument(fcinfo, 2);
    const auto explain = [&](const Subject *subject, const Session &session,
                             std::optional<BrandId> brand, Trace &trace) {
        return key ? check(subject, session, *key, brand, &trace)
                   : Recorder(&trace).fail(unnamed, [] { return std::string("no key is given"); });
    };
    PlainSteps steps;
    if (is_about_asker(asker_now(), login)) {
        const Asker &asker = asker_now();
        compute([&] {
            Trace trace;
            const Decision decision = explain(asker.subject, asker.session, named, trace);
            steps = close_trace(trace, decision);
        });
        return return_steps(fcinfo, steps);
    }
    // Finding one user may push another out of memory, so each is found again where it is used.
    const bool knows_all = is_superuser();
    const auto brand = brand_of_question(*login, named);
    const Asker &asker = asker_now();
    const Session session{std::nullopt, std::nullopt, asker.session.today};
    bool may_ask = knows_all;
    compute([&] {
        may_ask = may_ask ||
                  (brand && check_permission(asker.subject, asker.session, kManage, brand).allowed);
    });
    const Subject *subject = may_ask ? subject_of(find_by_login(*login)) : nullptr;
    compute([&] {
        Trace trace;
        // A manager knows the members of the brand, and nobody else's.
        const bool is_known = subject != nullptr && (knows_all || is_member(*subject, *brand));
        const Decision decision =
            is_known ? explain(subject, session, named, trace) : refuse_user(*login, trace);
        steps = close_trace(trace, decision);
    });
    return return_steps(fcinfo, steps);
}

// What explain_declared_row is asked, as its SQL caller found it declared.
struct RowQuestion {
    std::optional<std::string_view> login;
    std::optional<std::string_view> heading;
    std::optional<std::string_view> permission;
    std::optional<std::int32_t> level;
    bool is_branded;
    bool is_dated;
    bool is_write; // then these open the write of a visible row
    std::optional<std::string_view> write_permission;
    std::optional<std::int32_t> write_level;
    const Datum *masked; // names of columns
    const Datum *masked_levels;
    int masked_count;
};

RowRule make_rule(const RowQuestion &question, std::optional<std::string_view> permission,
                  std::optional<std::int32_t> level) {
    RowRule rule;
    if (permission) {
        rule.permission = std::string(*permission);
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
    for (int i = 0; decision && !question.is_write && i < question.masked_count; ++i) {
        const auto *name = reinterpret_cast<const text *>(DatumGetPointer(question.masked[i]));
        (void)check_mask(subject, session, rule, facts,
                         std::string_view(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)),
                         DatumGetInt32(question.masked_levels[i]), &trace);
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
    if (question.permission && !question.is_branded) {
        const bool is_held =
            check_permission(subject, session, *question.permission, std::nullopt, &trace).allowed;
        const auto text = [&] {
            return std::string(is_held ? "every row shows by permission"
                                       : "no row shows by permission");
        };
        if (is_held) {
            recorder.pass(Gate::staff, text);
        } else {
            recorder.fail(Gate::staff, text);
        }
    } else if (question.permission) {
        std::string brands;
        for (const BrandId brand : permitted_brands(subject, session, *question.permission)) {
            brands += (brands.empty() ? "" : ", ") + std::to_string(brand);
        }
        recorder.fail(Gate::staff, [&] {
            return "rows show by permission \"" + std::string(*question.permission) +
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
FoundRow find_row(FunctionCallInfo fcinfo, const RowQuestion &question) {
    FoundRow row{};
    const char *names[] = {PG_ARGISNULL(3) ? nullptr : NameStr(*PG_GETARG_NAME(3)),
                           PG_ARGISNULL(4) ? nullptr : NameStr(*PG_GETARG_NAME(4)),
                           PG_ARGISNULL(5) ? nullptr : NameStr(*PG_GETARG_NAME(5))};
    ColumnValue values[3]{};
    row.is_found = find_keyed_row(fcinfo, names, 3, values);
    if (row.is_found) {
        row.facts.customer = customer_value(values[0].value, values[0].type);
        row.facts.date = day_value(values[1].value, values[1].type);
        row.facts.brand = integer_value(values[2].value, values[2].type);
        const auto customer =
            row.facts.customer ? find_customer(*row.facts.customer) : std::nullopt;
        row.home = customer              ? customer->brand
                   : question.is_branded ? row.facts.brand
                                         : std::nullopt;
    }
    return row;
}

void add_heading(const RowQuestion &question, Trace &trace) {
    if (question.heading) {
        trace.push_back(Step{Gate::protection, true, std::string(*question.heading)});
    }
}

// The steps for the asker's own view. regime: C
PlainSteps explain_own(const Asker &asker, const RowQuestion &question, FoundRow row) {
    const bool knows_all = is_superuser();
    if (row.facts.customer && asker.user != nullptr) {
        row.facts.grant = grant_of(asker.user, *row.facts.customer);
    }
    PlainSteps steps;
    compute([&] {
        Trace trace;
        add_heading(question, trace);
        Decision decision;
        if (row.is_found &&
            (knows_all || is_visible(asker.subject, asker.session, question, row.facts))) {
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
    if (is_superuser()) {
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
                      : check_permission(asker.subject, asker.session, kManage, row.home).allowed;
    });
    return !sees ? Knowledge::nothing : manages ? Knowledge::all : Knowledge::row;
}

// The steps for another user. regime: C
PlainSteps explain_other(const RowQuestion &question, FoundRow row) {
    const bool knows_all = is_superuser();
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
        const bool is_known = subject != nullptr && (knows_all || row.facts.grant != nullptr ||
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

std::optional<std::int32_t> level_argument(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? std::nullopt
                                : std::optional<std::int32_t>(PG_GETARG_INT32(number));
}

void require_select(Oid relation) {
    const Oid role = GetOuterUserId();
    if (pg_class_aclcheck(relation, role, ACL_SELECT) != ACLCHECK_OK &&
        pg_attribute_aclcheck_all(relation, role, ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK) {
        aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relation)),
                       get_rel_name(relation));
    }
}

} // namespace

// explain_permission(permission, login, brand_id) -> steps. R1 to R5, R20, R22 to R27, R52
ENTITLE_FUNCTION(entitle_explain_permission) {
    return explain_key(fcinfo, check_permission, Gate::permission);
}

// explain_capability(capability, login, brand_id) -> steps. R28
ENTITLE_FUNCTION(entitle_explain_capability) {
    return explain_key(fcinfo, check_capability, Gate::capability);
}

// explain_metric(metric, login, brand_id) -> steps. R30, R31
ENTITLE_FUNCTION(entitle_explain_metric) { return explain_key(fcinfo, check_metric, Gate::metric); }

// explain_declared_row(relation, indexes, key, customer_column, date_column, brand_column, level,
// permission, login, heading, is_write, write_permission, write_level, masked, masked_levels) ->
// steps. Its SQL caller looks up what is declared. R34 to R40, R45
ENTITLE_FUNCTION(entitle_explain_declared_row) {
    require_select(PG_GETARG_OID(0));
    Datum *masked = nullptr;
    Datum *masked_levels = nullptr;
    int masked_count = 0;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(13), TEXTOID, -1, false, TYPALIGN_INT, &masked, nullptr,
                      &masked_count);
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(14), INT4OID, sizeof(std::int32_t), true, TYPALIGN_INT,
                      &masked_levels, nullptr, &masked_count);
    const RowQuestion question{text_argument(fcinfo, 8),
                               text_argument(fcinfo, 9),
                               text_argument(fcinfo, 7),
                               level_argument(fcinfo, 6),
                               !PG_ARGISNULL(5),
                               !PG_ARGISNULL(4),
                               PG_GETARG_BOOL(10),
                               text_argument(fcinfo, 11),
                               level_argument(fcinfo, 12),
                               masked,
                               masked_levels,
                               masked_count};
    const FoundRow row = find_row(fcinfo, question);
    const Asker &asker = asker_now();
    const PlainSteps steps = is_about_asker(asker, question.login)
                                 ? explain_own(asker, question, row)
                                 : explain_other(question, row);
    return return_steps(fcinfo, steps);
}
