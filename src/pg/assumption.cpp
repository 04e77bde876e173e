// The assumptions of cached plans, and the guard that asks them again.
#include "pg/postgres.hpp"

#include "pg/assumption.hpp"
#include "pg/guard.hpp"
#include "pg/rights.hpp"
#include "pg/signal.hpp"

extern "C" {
#include "utils/plancache.h"
}

#include <algorithm>
#include <optional>
#include <string>

#include "core/permission.hpp"

namespace entitle::pg {

namespace {

// Marks our items among a plan's invalidation items: no syscache has this number, so PostgreSQL
// skips them.
constexpr int kAssumptionItem = -7771;

// Bounds the memory of a session that plans with ever new keys; past it plans simply assume
// nothing.
constexpr std::size_t kMaxAssumptions = 10000;

struct Assumption {
    Fact fact;
    std::string permission;
    bool expected;
    bool is_live = true; // some cached plan may carry it
    std::uint64_t asked_epoch = 0;
    bool answer = false;
};

std::vector<Assumption> &assumptions() {
    static auto *const list = new std::vector<Assumption>; // never destroyed
    return *list;
}

bool find_answer(const Asker &asker, Fact fact, std::string_view permission) {
    bool answer = false;
    switch (fact) {
    case Fact::permission_held:
        compute([&] {
            answer =
                check_permission(asker.subject, asker.session, permission, std::nullopt).allowed;
        });
        return answer;
    case Fact::some_brand_permitted:
        compute(
            [&] { answer = !permitted_brands(asker.subject, asker.session, permission).empty(); });
        return answer;
    case Fact::has_grants:
        if (asker.user != nullptr) {
            const std::vector<Grant> *grants = few_grants_of(asker.user);
            answer = grants == nullptr || !grants->empty();
        }
        return answer;
    case Fact::has_unlimited_window:
        if (asker.user != nullptr) {
            const GrantSummary *summary = cheap_grant_summary(asker);
            answer = summary == nullptr || summary->earliest[0] == kFirstDay;
        }
        return answer;
    }
    return answer;
}

bool holds(Assumption &assumption, const Asker &asker) {
    if (assumption.asked_epoch != epoch) {
        const std::uint64_t before = epoch;
        assumption.answer = find_answer(asker, assumption.fact, assumption.permission);
        assumption.asked_epoch = before;
    }
    return assumption.answer == assumption.expected;
}

bool has_live() noexcept {
    return std::any_of(assumptions().begin(), assumptions().end(),
                       [](const Assumption &assumption) { return assumption.is_live; });
}

// Returns: the number of the assumption, none when there are too many. regime: C++
std::optional<std::size_t> record(Fact fact, std::string_view permission, bool expected) {
    std::vector<Assumption> &list = assumptions();
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].fact == fact && list[i].expected == expected &&
            list[i].permission == permission) {
            list[i].is_live = true;
            return i;
        }
    }
    if (list.size() >= kMaxAssumptions) {
        return std::nullopt;
    }
    Assumption assumption;
    assumption.fact = fact;
    assumption.permission = std::string(permission);
    assumption.expected = expected;
    list.push_back(std::move(assumption));
    return list.size() - 1;
}

void add_item(PlannerGlobal *global, std::size_t number) {
    ListCell *cell = nullptr;
    foreach (cell, global->invalItems) {
        const auto *item = static_cast<const PlanInvalItem *>(lfirst(cell));
        if (item->cacheId == kAssumptionItem && item->hashValue == number) {
            return;
        }
    }
    PlanInvalItem *item = makeNode(PlanInvalItem);
    item->cacheId = kAssumptionItem;
    item->hashValue = static_cast<uint32>(number);
    global->invalItems = lappend(global->invalItems, item);
}

} // namespace

bool ask(Fact fact, std::string_view permission) {
    return find_answer(current_asker(), fact, permission);
}

bool assume(PlannerInfo *root, Fact fact, std::string_view permission, bool answer) {
    std::optional<std::size_t> number;
    compute([&] { number = record(fact, permission, answer); });
    if (!number) {
        return false;
    }
    add_item(root->glob, *number);
    // PostgreSQL itself replans when one of these signals arrives: they stand among the plan's
    // relations.
    const Asker &asker = current_asker();
    const bool on_grants = fact == Fact::has_grants || fact == Fact::has_unlimited_window;
    const Oid model = on_grants ? InvalidOid : model_signal();
    const Oid user = asker.subject == nullptr ? InvalidOid
                     : on_grants              ? access_signal(asker.subject->id)
                                              : user_signal(asker.subject->id);
    for (const Oid signal : {model, user}) {
        if (OidIsValid(signal)) {
            root->glob->relationOids = list_append_unique_oid(root->glob->relationOids, signal);
        }
    }
    return true;
}

bool has_assumptions(const PlannedStmt *plan) noexcept {
    ListCell *cell = nullptr;
    foreach (cell, plan->invalItems) {
        if (static_cast<const PlanInvalItem *>(lfirst(cell))->cacheId == kAssumptionItem) {
            return true;
        }
    }
    return false;
}

bool assumptions_hold(const PlannedStmt *plan) {
    const Asker *asker = nullptr;
    ListCell *cell = nullptr;
    foreach (cell, plan->invalItems) {
        const auto *item = static_cast<const PlanInvalItem *>(lfirst(cell));
        if (item->cacheId != kAssumptionItem) {
            continue;
        }
        if (asker == nullptr) {
            asker = &current_asker();
        }
        if (item->hashValue >= assumptions().size() ||
            !holds(assumptions()[item->hashValue], *asker)) {
            return false;
        }
    }
    return true;
}

void raise_changed_rights() {
    ereport(ERROR,
            (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
             errmsg("the rights this statement was planned with have changed"),
             errhint("Run the statement again; in a transaction, run the transaction again.")));
    pg_unreachable();
}

void drop_plans() noexcept {
    ResetPlanCache();
    for (Assumption &assumption : assumptions()) {
        assumption.is_live = false;
    }
}

void drop_contradicted_plans() {
    if (!has_live()) {
        return;
    }
    const Asker &asker = asker_now();
    for (Assumption &assumption : assumptions()) {
        if (assumption.is_live && !holds(assumption, asker)) {
            drop_plans();
            return;
        }
    }
}

} // namespace entitle::pg
