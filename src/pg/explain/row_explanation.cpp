// Tells of a row what the asker may know. A row that the asker may not know gives the very steps
// that one that does not exist gives.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/explain/explain.hpp"
#include "pg/boundary/copy_out.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/model/lookup.hpp"
#include "pg/explain/row_explanation.hpp"

#include "core/access.hpp"
#include "core/membership.hpp"
#include "core/permission.hpp"

#include <algorithm>
#include <iterator>

namespace entitle::pg {

namespace {

RowRule rule_of(const RowQuestion &question, const char *permission,
                std::optional<std::int32_t> level) {
    return make_rule(permission, level, question.is_branded, question.is_dated);
}

// What shows the rows of the table.
RowRule seeing_rule(const RowQuestion &question) {
    RowRule rule = rule_of(question, question.permission, question.level);
    rule.is_shared = question.is_shared;
    return rule;
}

bool is_visible(const Subject *subject, const Session &session, const RowQuestion &question,
                const RowFacts &facts) {
    return check_row(subject, session, seeing_rule(question), facts, nullptr).allowed;
}

// Whether the asker sees the row: as PostgreSQL says where other policies have a word.
bool sees_row(const Asker &asker, const RowQuestion &question, const FoundRow &row) {
    return row.shows.value_or(is_visible(asker.subject, asker.session, question, row.facts));
}

// A brand that only staff know is hidden from whom the row does not show to by permission.
bool hides_brand(const Asker &asker, const RowQuestion &question, const RowFacts &facts) {
    return question.hides_brand ||
           (question.shows_brand_to_staff &&
            !check_row(asker.subject, asker.session,
                       rule_of(question, question.permission, std::nullopt), facts, nullptr));
}

// Takes out the steps of the ways that tell of columns that the asking role may not read (S165).
// Requires: the steps from `first` on are a decision's. Returns: the decision as it may be told.
Decision withhold(const RowQuestion &question, bool is_brand_hidden, std::size_t first,
                  Decision decision, Trace &trace) {
    if (!is_brand_hidden && !question.hides_place) {
        return decision;
    }
    // How far a way was gone tells of what was not told of it, so that neither is told in part.
    const auto is_told = [&, by_permission = true](const Step &step) mutable {
        const bool is_hidden =
            by_permission ? is_brand_hidden || question.hides_place : question.hides_place;
        by_permission = by_permission && step.gate != Gate::staff;
        return !is_hidden;
    };
    Trace told(trace.begin(), trace.begin() + static_cast<std::ptrdiff_t>(first));
    std::copy_if(trace.begin() + static_cast<std::ptrdiff_t>(first), trace.end(),
                 std::back_inserter(told), is_told);
    trace.swap(told);
    if (question.needed_columns != nullptr) {
        Recorder(&trace).pass(Gate::privilege, [&] {
            return "more is told to a role with SELECT on " + std::string(question.needed_columns);
        });
    }
    decision.failed_by_permission.reset();
    if (question.hides_place) {
        decision.failed.reset();
    }
    return decision;
}

// Says that others decide, too. What entitle decides, they may narrow or widen.
void tell_policies(const RowQuestion &question, bool is_passed, Trace &trace) {
    if (question.other_policies == nullptr) {
        return;
    }
    const auto text = [&] {
        return "other policies of the table decide, too: " + std::string(question.other_policies);
    };
    if (is_passed) {
        Recorder(&trace).pass(Gate::policy, text);
    } else {
        (void)Recorder(&trace).fail(Gate::policy, text);
    }
}

// A row is written by those to whom it shows: to anybody else it is not there (R3).
Decision decide(const Subject *subject, const Session &session, const RowQuestion &question,
                const FoundRow &row, Trace &trace) {
    const RowFacts &facts = row.facts;
    const bool asks_write =
        question.is_write && (question.is_new || is_visible(subject, session, question, facts));
    const RowRule rule = asks_write
                             ? rule_of(question, question.write_permission, question.write_level)
                             : seeing_rule(question);
    // A line has its document's brand, and an updated row keeps its own (R55).
    const bool gets_brand = question.is_new && !question.is_line && !question.must_show;
    Decision decision = gets_brand ? check_new_row(subject, session, rule, facts, row.home, &trace)
                                   : check_row(subject, session, rule, facts, &trace);
    if (decision && question.must_show) {
        decision = check_row(subject, session, seeing_rule(question), facts, &trace);
    }
    // A masked column of a new row is not written by whom it would be masked from (R37).
    for (int i = 0;
         decision && (question.is_new || !question.is_write) && i < question.masked.count; ++i) {
        const MaskedColumn &column = question.masked.columns[i];
        const Decision shown =
            check_mask(subject, session, rule_of(question, question.permission, question.level),
                       facts, column.name, column.level, &trace);
        if (column.is_given) {
            decision = shown;
        }
    }
    if (decision && question.is_new && !question.must_show &&
        !is_visible(subject, session, question, facts)) {
        (void)Recorder(&trace).fail(Gate::row, [] {
            return std::string("once written it would not show: RETURNING is refused");
        });
    }
    return decision;
}

std::string tell_row(const FoundRow &row, const RowQuestion &question, bool is_brand_hidden) {
    std::string text = !question.is_new   ? "there is a row with this key"
                       : question.is_line ? "the new row has a document"
                                          : "this would be the new row";
    if (question.level && !question.hides_place) {
        text += row.facts.customer         ? ", of customer " + std::to_string(*row.facts.customer)
                : row.facts.lacks_customer ? ", of no customer"
                : question.is_new          ? ", of no customer with a grant"
                                           : ", of no known customer";
    }
    if (question.is_branded && !is_brand_hidden) {
        text +=
            row.facts.brand ? ", in brand " + std::to_string(*row.facts.brand) : ", in no brand";
    }
    return text;
}

Decision refuse_row(const RowQuestion &question, Trace &trace) {
    return Recorder(&trace).fail(Gate::row, [&] {
        return std::string(question.is_new
                               ? (question.is_line
                                      ? "the new row has no document, or none that you may see"
                                      : "the new row is of no customer whose access you manage")
                               : "no row with this key, or none that you may see");
    });
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
    if (question.is_shared) {
        recorder.fail(Gate::customer, [] {
            return std::string("rows without customer show to every signed-in user");
        });
    }
    tell_policies(question, false, trace);
    return refuse_row(question, trace);
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
        text += question.is_shared ? "; without customer, to every signed-in user" : "";
    }
    return text;
}

void add_heading(const RowQuestion &question, Trace &trace) {
    trace.push_back(Step{Gate::protection, true, tell_protection(question)});
}

// Whether a brand's key that the asker made up is one is not told: only that of a brand of the
// asker's own, or of a customer to whom the asker has access. regime: C
void forget_made_up_brand(const Asker &asker, const RowQuestion &question, FoundRow &row) {
    if (!question.is_new || question.is_line || !row.names_brand || !row.facts.brand ||
        knows_all()) {
        return;
    }
    const bool is_own =
        asker.subject != nullptr && asker.subject->find_brand(*row.facts.brand) != nullptr;
    const bool is_customers = asker.user != nullptr && row.facts.customer &&
                              row.facts.brand == row.home &&
                              grant_of(asker.user, *row.facts.customer) != nullptr;
    if (!is_own && !is_customers) {
        row.facts.brand = std::nullopt;
        row.home = row.facts.customer ? row.home : std::nullopt;
    }
}

// The steps for the asker's own view. regime: C
PlainSteps explain_own(const Asker &asker, const RowQuestion &question, FoundRow row) {
    const bool knows_every_row = knows_all();
    if (row.facts.customer && asker.user != nullptr) {
        row.facts.grant = grant_of(asker.user, *row.facts.customer);
    }
    // Whether a customer's key that the asker made up is one, is not told.
    if (question.is_new && !question.is_line && row.facts.grant == nullptr && !knows_every_row) {
        row.facts.customer = std::nullopt;
    }
    forget_made_up_brand(asker, question, row);
    PlainSteps steps;
    compute([&] {
        Trace trace;
        add_heading(question, trace);
        Decision decision;
        if (row.is_found && (knows_every_row || (question.is_new && !question.is_line) ||
                             sees_row(asker, question, row))) {
            const bool is_brand_hidden =
                !knows_every_row && hides_brand(asker, question, row.facts);
            Recorder(&trace).pass(Gate::row,
                                  [&] { return tell_row(row, question, is_brand_hidden); });
            const std::size_t first = trace.size();
            decision = decide(asker.subject, asker.session, question, row, trace);
            decision = withhold(question, is_brand_hidden, first, decision, trace);
            tell_policies(question, true, trace);
            if (row.shows && !question.is_write) {
                decision = Decision{true, std::nullopt};
            }
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
        sees = sees_row(asker, question, row);
        manages = row.facts.customer
                      ? check_manages_access(asker.subject, asker.session, *row.facts.customer,
                                             row.home, row.facts.grant)
                            .allowed
                      : check_permission(asker.subject, asker.session, kManagePermission, row.home)
                            .allowed;
    });
    return !sees ? Knowledge::nothing : manages ? Knowledge::all : Knowledge::row;
}

// What the asker manages, kept while another user is found, who may push the asker out of memory.
struct PlainManaged {
    PlainIds organizations;
    PlainIds brands;
};

Managed from_plain(const PlainManaged &managed) {
    const auto list = [](const PlainIds &ids) {
        return std::vector<std::int64_t>(ids.values, ids.values + ids.count);
    };
    return Managed{list(managed.organizations), list(managed.brands)};
}

// Says that nothing is told of places that the asker does not know, whether or not there are any.
void tell_unknown_places(std::size_t first, Trace &trace) {
    const bool is_missed =
        std::any_of(trace.begin() + static_cast<std::ptrdiff_t>(first), trace.end(),
                    [](const Step &step) { return step.gate == Gate::membership && !step.passed; });
    if (is_missed) {
        Recorder(&trace).pass(Gate::privilege, [] {
            return std::string("what the user holds in places that you do not manage is not told");
        });
    }
}

// The steps for another user. regime: C
PlainSteps explain_other(const RowQuestion &question, FoundRow row) {
    const bool knows_every_row = knows_all();
    const Asker &asker = asker_now();
    const Session session{std::nullopt, std::nullopt, asker.session.today};
    forget_made_up_brand(asker, question, row);
    const auto place = row.home || asker.subject == nullptr
                           ? row.home
                           : current_brand(*asker.subject, asker.session);
    const Knowledge knowledge = knowledge_of(asker, question, row);
    bool is_brand_hidden = false;
    PlainManaged managed;
    compute([&] {
        is_brand_hidden = !knows_every_row && hides_brand(asker, question, row.facts);
        const Managed found = find_managed(asker.subject);
        managed = PlainManaged{copy_out(found.organizations), copy_out(found.brands)};
    });
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
            decision = refuse_row(question, trace);
        } else {
            Recorder(&trace).pass(Gate::row,
                                  [&] { return tell_row(row, question, is_brand_hidden); });
            const std::size_t first = trace.size();
            const Subject known = knows_every_row
                                      ? *subject
                                      : keep_known_places(*subject, from_plain(managed), place);
            decision = decide(&known, session, question, row, trace);
            decision = withhold(question, is_brand_hidden, first, decision, trace);
            if (!knows_every_row) {
                tell_unknown_places(first, trace);
            }
            tell_policies(question, true, trace);
        }
        steps = close_trace(trace, decision);
    });
    return steps;
}

} // namespace

PlainSteps explain_found_row(const RowQuestion &question, const FoundRow &row) {
    const Asker &asker = asker_now();
    return is_about_asker(asker, question.login) ? explain_own(asker, question, row)
                                                 : explain_other(question, row);
}

} // namespace entitle::pg
