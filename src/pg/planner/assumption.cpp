// The assumptions of cached plans, and the guard that asks them again.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/planner/assumption.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/model/invalidation.hpp"

extern "C" {
#include "utils/plancache.h"
}

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/permission.hpp"

namespace entitle::pg {

namespace {

// Marks our items among a plan's invalidation items: no syscache has this number, so PostgreSQL
// skips them.
constexpr int kAssumptionItem = -7771;

// Bounds the memory of a session that plans with ever new keys: at this number the half that was
// not used for the longest time is forgotten. A plan that relies on one of those is made anew;
// only a cursor over it ends in 40001.
constexpr std::size_t kMaxAssumptions = 10000;
constexpr std::size_t kMaxPermission = 256; // bytes

struct Assumption {
    std::uint32_t id; // in plans; never given twice
    std::uint64_t last_use;
    Fact fact;
    std::string permission;
    int level;
    std::size_t number;
    bool expected;
    bool is_orphaned = false; // a cached plan may carry it that cannot be exchanged
    std::uint64_t asked_epoch = 0;
    bool answer = false;
};

struct Assumptions {
    std::vector<Assumption> list; // by id
    std::uint32_t last_id = 0;
    std::uint64_t clock = 0;
    bool has_forgotten = false; // since somebody asked
};

Assumptions &assumptions() {
    static NoDestructor<Assumptions> known;
    return known.get();
}

// Returns: what the item names, null when it is none of ours, or was forgotten.
Assumption *find(const PlanInvalItem *item) noexcept {
    std::vector<Assumption> &list = assumptions().list;
    const auto at = std::lower_bound(
        list.begin(), list.end(), item->hashValue,
        [](const Assumption &known, std::uint32_t wanted) { return known.id < wanted; });
    return item->cacheId == kAssumptionItem && at != list.end() && at->id == item->hashValue
               ? &*at
               : nullptr;
}

bool find_answer(const Asker &asker, const Question &question) {
    const std::string_view permission = question.permission;
    bool answer = false;
    switch (question.fact) {
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
    case Fact::is_somebody:
        return asker.subject != nullptr;
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
    case Fact::has_limited_window:
        if (asker.user != nullptr) {
            const GrantSummary *summary = cheap_grant_summary(asker);
            const auto place = level_place(question.level);
            answer = summary == nullptr || !place || summary->limited[*place] > 0;
        }
        return answer;
    case Fact::customers_as_begun:
        return true;
    case Fact::reaches_more:
        if (asker.user != nullptr) {
            const GrantSummary *summary = cheap_grant_summary(asker);
            const auto place = level_place(question.level);
            answer = summary == nullptr || (place && summary->customers[*place] > question.number);
        }
        return answer;
    case Fact::reaches_alike:
        if (asker.user != nullptr) {
            const GrantSummary *summary = cheap_grant_summary(asker);
            const auto one = level_place(question.level);
            const auto other = level_place(static_cast<int>(question.number));
            // Who is reached at the higher level is at the lower one, too: the numbers tell.
            answer = summary != nullptr && one && other && summary->customers[*one] > 0 &&
                     summary->customers[*one] == summary->customers[*other];
        }
        return answer;
    case Fact::permits_more:
        compute([&] {
            answer =
                permitted_brands(asker.subject, asker.session, permission).size() > question.number;
        });
        return answer;
    }
    return answer;
}

bool holds(Assumption &assumption, const Asker &asker) {
    assumption.last_use = ++assumptions().clock;
    if (assumption.asked_epoch != epoch()) {
        // The asker's: somebody else may be by now, where changes came all the time.
        const std::uint64_t before = asker_epoch();
        const std::uint64_t unknown = unknown_grants();
        assumption.answer = find_answer(asker, Question{assumption.fact, assumption.permission,
                                                        assumption.level, assumption.number});
        // Grants may be loaded at any time; then the answer is another, in the same epoch.
        assumption.asked_epoch = unknown == unknown_grants() ? before : 0;
    }
    return assumption.answer == assumption.expected;
}

bool is_same(const Assumption &known, const Question &question, bool expected) {
    return known.fact == question.fact && known.expected == expected &&
           known.level == question.level && known.number == question.number &&
           known.permission == question.permission;
}

// Makes room. regime: C++
void forget_half(Assumptions &known) {
    std::vector<std::uint64_t> uses;
    uses.reserve(known.list.size());
    for (const Assumption &assumption : known.list) {
        uses.push_back(assumption.last_use);
    }
    const auto middle = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 2);
    std::nth_element(uses.begin(), middle, uses.end());
    known.list.erase(std::remove_if(known.list.begin(), known.list.end(),
                                    [&](const Assumption &one) { return one.last_use < *middle; }),
                     known.list.end());
    known.has_forgotten = true;
}

// Returns: the id of the assumption, none when there are no more numbers. regime: C++
std::optional<std::uint32_t> record(const Question &question, bool expected) {
    Assumptions &known = assumptions();
    for (Assumption &assumption : known.list) {
        if (is_same(assumption, question, expected)) {
            assumption.last_use = ++known.clock;
            return assumption.id;
        }
    }
    if (known.last_id == UINT32_MAX) {
        return std::nullopt;
    }
    if (known.list.size() >= kMaxAssumptions) {
        forget_half(known);
    }
    known.list.push_back(Assumption{known.last_id + 1, ++known.clock, question.fact,
                                    std::string(question.permission), question.level,
                                    question.number, expected});
    return ++known.last_id;
}

bool is_customers_as_begun(const PlanInvalItem *item) noexcept {
    const Assumption *known = find(item);
    return known != nullptr && known->fact == Fact::customers_as_begun;
}

void add_item(List **items, std::uint32_t id) {
    for (const auto *item : each<PlanInvalItem>(*items)) {
        if (item->cacheId == kAssumptionItem && item->hashValue == id) {
            return;
        }
    }
    PlanInvalItem *item = makeNode(PlanInvalItem);
    item->cacheId = kAssumptionItem;
    item->hashValue = id;
    *items = lappend(*items, item);
}

bool assume_in(List **items, List **relations, const Question &question, bool answer) {
    if (!can_be_assumed(question)) {
        return false;
    }
    std::optional<std::uint32_t> id;
    compute([&] { id = record(question, answer); });
    if (!id) {
        return false;
    }
    add_item(items, *id);
    // PostgreSQL itself replans when one of these signals arrives: they stand among the plan's
    // relations. Another extension that reads relationOids finds OIDs there that no table has.
    const Asker &asker = current_asker();
    const bool on_grants =
        question.fact == Fact::has_grants || question.fact == Fact::has_unlimited_window ||
        question.fact == Fact::has_limited_window || question.fact == Fact::customers_as_begun ||
        question.fact == Fact::reaches_more || question.fact == Fact::reaches_alike;
    const Oid model = on_grants ? InvalidOid : model_signal();
    const Oid user = asker.subject == nullptr ? InvalidOid
                     : on_grants              ? access_signal(asker.subject->id)
                                              : user_signal(asker.subject->id);
    for (const Oid signal : {model, user}) {
        if (OidIsValid(signal)) {
            *relations = list_append_unique_oid(*relations, signal);
        }
    }
    return true;
}

} // namespace

bool ask(const Question &question) { return find_answer(current_asker(), question); }

bool assume(PlannerInfo *root, const Question &question, bool answer) {
    return assume_in(&root->glob->invalItems, &root->glob->relationOids, question, answer);
}

bool can_be_assumed(const Question &question) noexcept {
    return question.permission.size() <= kMaxPermission;
}

bool assume(PlannedStmt *plan, const Question &question, bool answer) {
    return assume_in(&plan->invalItems, &plan->relationOids, question, answer);
}

bool has_assumptions(const PlannedStmt *plan) noexcept {
    for (const auto *item : each<PlanInvalItem>(plan->invalItems)) {
        if (item->cacheId == kAssumptionItem) {
            return true;
        }
    }
    return false;
}

bool is_assumed(const PlannedStmt *plan, const Question &question, bool answer) {
    for (const auto *item : each<PlanInvalItem>(plan->invalItems)) {
        const Assumption *known = find(item);
        if (known != nullptr && is_same(*known, question, answer)) {
            return true;
        }
    }
    return false;
}

bool assumptions_hold(const PlannedStmt *plan) { return assumptions_hold(plan->invalItems); }

bool assumptions_hold(const List *items) {
    const Asker *asker = nullptr;
    for (const auto *item : each<PlanInvalItem>(items)) {
        if (item->cacheId != kAssumptionItem) {
            continue;
        }
        if (asker == nullptr) {
            asker = &current_asker();
        }
        Assumption *known = find(item);
        if (known == nullptr || !holds(*known, *asker)) {
            return false;
        }
    }
    return true;
}

void drop_customers_as_begun(PlannedStmt *plan) {
    ListCell *cell = nullptr;
    foreach (cell, plan->invalItems) {
        const auto *item = static_cast<const PlanInvalItem *>(lfirst(cell));
        if (is_customers_as_begun(item)) {
            plan->invalItems = foreach_delete_current(plan->invalItems, cell);
        }
    }
}

std::uint64_t customers_version(const PlannedStmt *plan) {
    std::uint64_t version = 0;
    for (const auto *item : each<PlanInvalItem>(plan->invalItems)) {
        if (!is_customers_as_begun(item)) {
            continue;
        }
        const Asker &asker = current_asker();
        const auto place = level_place(find(item)->level);
        // A version is never used twice, and a new one is greater than all before it: the greatest
        // tells.
        const std::uint64_t of_level =
            asker.user == nullptr || !place ? 0 : customer_versions(asker)[*place];
        version = std::max(version, of_level + 1);
    }
    return version;
}

bool assumptions_hold_loaded(const PlannedStmt *plan) {
    load_asker_grants();
    for (Assumption &assumption : assumptions().list) {
        assumption.asked_epoch = 0;
    }
    return assumptions_hold(plan);
}

void orphan_assumptions(const List *items) noexcept {
    for (const auto *item : each<PlanInvalItem>(items)) {
        Assumption *known = find(item);
        if (known != nullptr) {
            known->is_orphaned = true;
        }
    }
}

bool has_contradicted_orphan() {
    const Asker *asker = nullptr;
    for (Assumption &assumption : assumptions().list) {
        if (!assumption.is_orphaned) {
            continue;
        }
        if (asker == nullptr) {
            asker = &asker_now();
        }
        if (!holds(assumption, *asker)) {
            return true;
        }
    }
    return false;
}

void forget_orphans() noexcept {
    for (Assumption &assumption : assumptions().list) {
        assumption.is_orphaned = false;
    }
}

bool take_forgotten() noexcept { return std::exchange(assumptions().has_forgotten, false); }

} // namespace entitle::pg
