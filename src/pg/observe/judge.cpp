// The judge reads a declaration once, and keeps a test for each rule while the asker's rights
// stand.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/boundary/table_owner.hpp"
#include "pg/datum/datum.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/model/lookup.hpp"
#include "pg/observe/judge.hpp"
#include "pg/observe/reported_table.hpp"
#include "pg/protection/keyed_row.hpp"
#include "pg/subject/brand_key.hpp"
#include "pg/subject/current_subject.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/resowner.h"
}

#include <algorithm>
#include <new>

namespace entitle::pg {

namespace {

// As many as protect_table follows.
constexpr int kMaxParents = 30;
constexpr int kDeciding = 3;

bool find_above(Oid relation, Declaration &found) {
    found = Declaration{};
    if (find_reported_declaration(relation, found)) {
        return true;
    }
    Oid table = InvalidOid;
    return find_declaration(relation, found, table) && found.relation == relation;
}

bool owns_alike(Oid relation, Oid other) {
    const Oid owner = table_owner(relation);
    return OidIsValid(owner) && entitle_is_owner(other, owner);
}

// Whether the document has the columns by which it was declared: its owner may have altered it,
// which is no error to those who use its lines (S508).
bool has_deciding(const Judge &judge) {
    const char *const names[kDeciding] = {judge.deciding.customer, judge.deciding.date,
                                          judge.deciding.brand};
    return std::all_of(std::begin(names), std::end(names), [&](const char *name) {
        return name == nullptr || get_attnum(judge.document.relation, name) > 0;
    });
}

// May raise where a key or a policy is gone, or a declaration makes no sense.
void follow_parents(Judge &judge) {
    judge.document = judge.declared;
    judge.keys = static_cast<ParentKey *>(palloc0(kMaxParents * sizeof(ParentKey)));
    judge.above = static_cast<Oid *>(palloc0(kMaxParents * sizeof(Oid)));
    while (OidIsValid(judge.document.parent)) {
        Declaration above;
        if (judge.depth == kMaxParents || !find_above(judge.document.parent, above)) {
            return;
        }
        judge.keys[judge.depth++] = find_parent_key(judge.document);
        judge.document = above;
        judge.above[judge.depth - 1] = above.relation;
        judge.is_owner_told = judge.is_owner_told && owns_alike(judge.root, above.relation);
    }
    Declaration reported;
    const bool is_reported = find_reported_declaration(judge.document.relation, reported);
    judge.deciding = is_reported
                         ? DecidingColumns{judge.document.customer_column,
                                           judge.document.date_column, judge.document.brand_column}
                         : find_deciding_columns(judge.document);
    judge.masked = find_masked_columns(judge.declared, judge.root);
    judge.is_usable = has_deciding(judge);
}

// Whether an error tells of the server, and not of what is declared.
bool is_of_server(int code) noexcept {
    const int category = ERRCODE_TO_CATEGORY(code);
    return category == ERRCODE_INSUFFICIENT_RESOURCES ||
           category == ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK) ||
           category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_SYSTEM_ERROR ||
           code == ERRCODE_LOCK_NOT_AVAILABLE;
}

// What cannot be followed is told by verify_protection, and fails no statement. The subtransaction
// gives back what an error leaves open.
void try_follow_parents(Judge &judge) {
    if (IsInParallelMode()) { // where there are no subtransactions
        follow_parents(judge);
        return;
    }
    MemoryContext previous = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(previous);
    ErrorData *error =
        catch_error([](void *asked) { follow_parents(*static_cast<Judge *>(asked)); }, &judge);
    if (error == nullptr) {
        ReleaseCurrentSubTransaction();
    } else {
        RollbackAndReleaseCurrentSubTransaction();
    }
    MemoryContextSwitchTo(previous);
    CurrentResourceOwner = owner;
    if (error != nullptr && is_of_server(error->sqlerrcode)) {
        ReThrowError(error);
    }
}

RowRule rule_of(const Judge &judge, const char *permission, std::optional<std::int32_t> level) {
    return make_rule(permission, level, judge.deciding.brand != nullptr,
                     judge.deciding.date != nullptr);
}

// As protect_table writes them (joined_test of src/sql/parent.sql, mask_test of mask.sql).
// regime: C++
void make_rules(Judge &judge) {
    const Declaration &declared = judge.declared;
    const Declaration &document = judge.document;
    judge.rules.resize(kFirstMask + static_cast<std::size_t>(judge.masked.count));
    judge.rules[kSee].rule = rule_of(judge, document.view_permission, std::nullopt);
    if (judge.deciding.customer != nullptr) {
        judge.rules[kSee].rule.level = document.min_level;
    }
    judge.rules[kSee].rule.is_shared = document.has_shared_rows;
    judge.rules[kInsert].rule =
        rule_of(judge, declared.insert_permission, declared.external_insert_level);
    judge.rules[kInsert].is_new = !OidIsValid(declared.parent);
    judge.rules[kUpdate].rule =
        rule_of(judge, declared.update_permission, declared.external_update_level);
    judge.rules[kRemove].rule =
        rule_of(judge, declared.delete_permission, declared.external_delete_level);
    for (int i = 0; i < judge.masked.count; ++i) {
        RowRule &mask = judge.rules[kFirstMask + static_cast<std::size_t>(i)].rule;
        mask = rule_of(judge, document.view_permission, judge.masked.columns[i].level);
        mask.is_dated = false; // how much of a row shows is the level's alone (R36)
    }
}

ColumnValue read_column(const RowShape &shape, int place, TupleTableSlot *slot) {
    ColumnValue read{NullableDatum{Datum(0), true}, shape.types[place]};
    if (shape.columns[place] > 0) {
        read.value.value = slot_getattr(slot, shape.columns[place], &read.value.isnull);
    }
    return read;
}

RowMatter make_matter(const ColumnValue *values) {
    RowMatter matter{};
    matter.is_found = true;
    matter.facts.customer = customer_value(values[0].value, values[0].type);
    matter.facts.lacks_customer = values[0].value.isnull;
    matter.facts.date = day_value(values[1].value, values[1].type);
    matter.facts.brand = find_brand(values[2].value, values[2].type);
    return matter;
}

void prepare_grants(Judge &judge, JudgedRule &judged) {
    const std::vector<Grant> *grants = few_grants_of(judge.asker.user);
    if (grants != nullptr && judged.test->is_worth_preparing(grants->size())) {
        compute([&] { judged.test->prepare(*grants); });
    }
}

// Judges of the tables that were asked about last. Each is held by its place, too.
constexpr std::size_t kMaxJudges = 32;
Judge *kept_judges[kMaxJudges] = {};
std::size_t next_judge = 0;

// Lasts until it is released. regime: C
Judge *make_judge(Oid root) {
    struct Kept {
        MemoryContextCallback callback;
        Judge judge;
    };
    MemoryContext memory =
        AllocSetContextCreate(CurrentMemoryContext, "entitle judge", ALLOCSET_SMALL_SIZES);
    auto *kept = new (MemoryContextAlloc(memory, sizeof(Kept))) Kept{};
    kept->callback.func = [](void *argument) {
        static_cast<Judge *>(argument)->~Judge();
    };
    kept->callback.arg = &kept->judge;
    MemoryContextRegisterResetCallback(memory, &kept->callback);
    Judge &judge = kept->judge;
    judge.root = root;
    judge.memory = memory;
    judge.version = reported_version();
    judge.scratch = AllocSetContextCreate(memory, "entitle judged row", ALLOCSET_SMALL_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(memory);
    if (find_reported_declaration(root, judge.declared)) {
        try_follow_parents(judge);
    }
    if (judge.is_usable) {
        compute([&] { make_rules(judge); });
    }
    MemoryContextSwitchTo(previous);
    MemoryContextSetParent(memory, TopMemoryContext);
    return &judge;
}

} // namespace

Judge *hold_judge(Oid root) {
    for (Judge *judge : kept_judges) {
        if (judge != nullptr && judge->root == root && judge->version == reported_version()) {
            ++judge->holders;
            return judge;
        }
    }
    Judge *judge = make_judge(root);
    judge->holders = 2; // its place is one
    Judge *&place = kept_judges[next_judge];
    next_judge = (next_judge + 1) % kMaxJudges;
    if (place != nullptr) {
        release_judge(place);
    }
    place = judge;
    return judge;
}

Judge *hold_steady_judge(Oid root) {
    constexpr int kTries = 3;
    for (int i = 1;; ++i) {
        Judge *judge = hold_judge(root);
        for (int above = 0; above < judge->depth; ++above) {
            LockRelationOid(judge->above[above], AccessShareLock);
        }
        if (judge->version == reported_version() || i == kTries) {
            return judge;
        }
        release_judge(judge);
    }
}

void release_judge(Judge *judge) noexcept {
    if (--judge->holders == 0) {
        MemoryContextDelete(judge->memory);
    }
}

RowShape make_shape(const Judge &judge, Relation relation) {
    RowShape shape{};
    shape.relation = RelationGetRelid(relation);
    shape.is_usable = judge.is_usable;
    const char *const deciding[kDeciding] = {judge.deciding.customer, judge.deciding.date,
                                             judge.deciding.brand};
    const bool is_line = judge.depth > 0;
    const char *const *names = is_line ? judge.keys[0].columns : deciding;
    shape.count = is_line ? judge.keys[0].count : kDeciding;
    for (int i = 0; shape.is_usable && i < shape.count; ++i) {
        if (names[i] == nullptr) {
            continue;
        }
        shape.columns[i] = get_attnum(RelationGetRelid(relation), names[i]);
        shape.is_usable = shape.columns[i] > 0;
        if (shape.is_usable) {
            shape.types[i] = getBaseType(
                TupleDescAttr(RelationGetDescr(relation), shape.columns[i] - 1)->atttypid);
        }
    }
    return shape;
}

void refresh(Judge &judge) {
    judge.asker = observed_asker();
    judge.epoch = asker_epoch();
    compute([&] {
        for (JudgedRule &judged : judge.rules) {
            judged.test.emplace(judge.asker.subject, judge.asker.session, judged.rule);
            judged.groups.clear();
            judged.last_group = nullptr;
        }
    });
}

void take_asker(Judge &judge) {
    (void)observed_asker();
    if (judge.epoch != asker_epoch() || !judge.rules[kSee].test) {
        refresh(judge);
    }
}

bool sees_all(Judge &judge) {
    take_asker(judge);
    return judge.rules[kSee].test->allows_all();
}

RowMatter read_matter(Judge &judge, const RowShape &shape, TupleTableSlot *slot) {
    if (judge.depth == 0) {
        const ColumnValue values[kDeciding] = {
            read_column(shape, 0, slot), read_column(shape, 1, slot), read_column(shape, 2, slot)};
        return make_matter(values);
    }
    ColumnValue values[INDEX_MAX_KEYS]{};
    for (int i = 0; i < shape.count; ++i) {
        values[i] = read_column(shape, i, slot);
    }
    const char *const deciding[kDeciding] = {judge.deciding.customer, judge.deciding.date,
                                             judge.deciding.brand};
    for (int i = 0; i < judge.depth; ++i) {
        const ParentKey &key = judge.keys[i];
        const bool is_last = i + 1 == judge.depth;
        ColumnValue next[INDEX_MAX_KEYS]{};
        if (!find_row_by_values(key.indexes, values, key.count,
                                is_last ? deciding : judge.keys[i + 1].columns,
                                is_last ? kDeciding : judge.keys[i + 1].count, next)) {
            return RowMatter{};
        }
        std::copy(std::begin(next), std::end(next), std::begin(values));
    }
    return make_matter(values);
}

bool allows(Judge &judge, int rule, const RowMatter &matter) {
    if (judge.epoch != epoch()) {
        refresh(judge);
    }
    JudgedRule &judged = judge.rules[static_cast<std::size_t>(rule)];
    RowTest &test = *judged.test;
    if (test.allows_all()) {
        return matter.is_found;
    }
    if (!matter.is_found) {
        return false;
    }
    const RowFacts &facts = matter.facts;
    if (judged.rule.is_branded) {
        bool is_allowed = false;
        compute([&] { is_allowed = test.allows_by_permission(facts.brand); });
        if (is_allowed) {
            return true;
        }
    }
    if (facts.lacks_customer) {
        return test.allows_shared();
    }
    if (judge.asker.user == nullptr || !judged.rule.level || !facts.customer) {
        return false;
    }
    if (!test.is_prepared()) {
        prepare_grants(judge, judged);
    }
    if (!test.is_prepared_for(*facts.customer)) {
        const Grant *grant = grant_of(judge.asker.user, *facts.customer);
        compute([&] { test.prepare_one(*facts.customer, grant); });
    }
    if (!test.allows_prepared(*facts.customer, facts.date)) {
        return false;
    }
    if (!judged.is_new || !judged.rule.is_branded) {
        return true;
    }
    const auto home = find_customer(*facts.customer);
    return is_home_brand(facts.brand, home ? home->brand : std::nullopt);
}

} // namespace entitle::pg
