// Counts rows that are denied: at which gate, and under which key.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/model/lookup.hpp"
#include "pg/observe/judge.hpp"

extern "C" {
#include "utils/json.h"
}

#include <algorithm>

namespace entitle::pg {

namespace {

// Brands and customers whose gate is kept.
constexpr std::size_t kMaxPlaces = 100000;

const Grant *find_grant(const Judge &judge, const RowFacts &facts) {
    return facts.customer && judge.asker.user != nullptr
               ? grant_of(judge.asker.user, *facts.customer)
               : nullptr;
}

// The gate at which the row is denied, as the last step of explain_row names it. regime: C++
std::string find_gate(const Judge &judge, int rule, const RowMatter &matter, const Grant *grant) {
    if (rule >= kFirstMask) {
        return "mask " + std::string(judge.masked.columns[rule - kFirstMask].name);
    }
    if (!matter.is_found) {
        return std::string(gate_name(Gate::row));
    }
    const JudgedRule &judged = judge.rules[static_cast<std::size_t>(rule)];
    RowFacts facts = matter.facts;
    facts.grant = grant;
    const Decision decision =
        judged.is_new
            ? check_new_row(judge.asker.subject, judge.asker.session, judged.rule, facts,
                            matter.home, nullptr)
            : check_row(judge.asker.subject, judge.asker.session, judged.rule, facts, nullptr);
    // Staff come by permission: where they were refused on that way is what mends it.
    const auto &by_permission = decision.failed_by_permission;
    return std::string(
        gate_name(by_permission ? *by_permission : decision.failed.value_or(Gate::row)));
}

DeniedPlace place_of(const RowMatter &matter, const char *action) noexcept {
    const RowFacts &facts = matter.facts;
    return DeniedPlace{action, facts.brand.value_or(0), facts.customer.value_or(0),
                       (matter.is_found ? 1 : 0) | (facts.brand ? 2 : 0) |
                           (facts.customer         ? 4
                            : facts.lacks_customer ? 8
                                                   : 0)};
}

// Finds where rows of that place are counted: of one brand and customer, all that are denied are so
// at the same gate. regime: C
Group *find_counter(Judge &judge, int rule, const RowMatter &matter, const char *action) {
    JudgedRule &judged = judge.rules[static_cast<std::size_t>(rule)];
    if (judge.tally != tally_version()) {
        for (JudgedRule &other : judge.rules) {
            other.groups.clear();
            other.last_group = nullptr;
        }
        judge.tally = tally_version();
    }
    const DeniedPlace place = place_of(matter, action);
    if (judged.last_group != nullptr && judged.last == place) {
        return judged.last_group;
    }
    judged.last = place;
    const auto known = judged.groups.find(place);
    if (known != judged.groups.end()) {
        return judged.last_group = known->second;
    }
    const Grant *grant = find_grant(judge, matter.facts);
    RowMatter whole = matter;
    if (judged.is_new && judged.rule.is_branded && matter.facts.customer) {
        const auto home = find_customer(*matter.facts.customer);
        whole.home = home ? home->brand : std::nullopt;
    }
    Group *group = nullptr;
    compute([&] {
        const auto login = judge.asker.subject == nullptr
                               ? std::nullopt
                               : std::optional<std::string_view>(judge.asker.subject->login);
        group = &find_group(judge.root, login, action, find_gate(judge, rule, whole, grant));
        group->is_owner_told = group->is_owner_told && judge.is_owner_told;
        if (judged.groups.size() >= kMaxPlaces) {
            judged.groups.clear();
        }
        judged.groups.emplace(place, group);
    });
    judged.last_group = group;
    return group;
}

// Whether a value may be written as part of a key without running what somebody made.
bool is_plain(Oid type) {
    const char kind = get_typtype(type);
    return (kind == TYPTYPE_BASE || kind == TYPTYPE_ENUM) && !OidIsValid(get_element_type(type));
}

// The columns of a primary key. Plain memory.
struct KeyColumns {
    int count; // 0: none that can be shown
    AttrNumber columns[INDEX_MAX_KEYS];
};

KeyColumns find_key(Oid table) {
    KeyColumns key{};
    Relation relation = table_open(table, AccessShareLock);
    list_free(RelationGetIndexList(relation)); // finds out which is the primary key
    if (OidIsValid(relation->rd_pkindex)) {
        Relation index = index_open(relation->rd_pkindex, AccessShareLock);
        const int count = IndexRelationGetNumberOfKeyAttributes(index);
        bool are_plain = true;
        for (int i = 0; i < count; ++i) {
            key.columns[i] = index->rd_index->indkey.values[i];
            are_plain =
                are_plain &&
                is_plain(TupleDescAttr(RelationGetDescr(relation), key.columns[i] - 1)->atttypid);
        }
        index_close(index, AccessShareLock);
        key.count = are_plain ? count : 0;
    }
    table_close(relation, AccessShareLock);
    return key;
}

void append_value(StringInfo text, TupleTableSlot *slot, AttrNumber column, bool is_object) {
    const FormData_pg_attribute *attribute = TupleDescAttr(slot->tts_tupleDescriptor, column - 1);
    bool is_null = false;
    const Datum value = slot_getattr(slot, column, &is_null);
    if (is_object) {
        escape_json(text, NameStr(attribute->attname));
        appendStringInfoString(text, ": ");
    }
    if (is_null) {
        appendStringInfoString(text, "null");
        return;
    }
    Oid output = InvalidOid;
    bool is_varlena = false;
    getTypeOutputInfo(attribute->atttypid, &output, &is_varlena);
    const char *written = OidOutputFunctionCall(output, value);
    const bool is_number = attribute->atttypid == INT2OID || attribute->atttypid == INT4OID ||
                           attribute->atttypid == INT8OID;
    if (is_object && !is_number) {
        escape_json(text, written);
    } else {
        appendStringInfoString(text, written);
    }
}

// The key as explain_row takes it. Returns: a null pointer when there is none to show.
const char *key_text(Oid table, TupleTableSlot *slot) {
    const KeyColumns key = find_key(table);
    if (key.count == 0) {
        return nullptr;
    }
    StringInfoData text;
    initStringInfo(&text);
    const bool is_object = key.count > 1;
    for (int i = 0; i < key.count; ++i) {
        appendStringInfoString(&text, !is_object ? "" : i == 0 ? "{" : ", ");
        append_value(&text, slot, key.columns[i], is_object);
    }
    appendStringInfoString(&text, is_object ? "}" : "");
    return text.data;
}

} // namespace

void count_denied(Judge &judge, int rule, const RowMatter &matter, const char *action,
                  const RowShape &shape, TupleTableSlot *slot) {
    if (judge.epoch != epoch()) {
        refresh(judge);
    }
    Group *group = find_counter(judge, rule, matter, action);
    ++group->rows;
    group->last = GetCurrentStatementStartTimestamp();
    if (group->keys.size() >= kMaxSampleKeys) {
        return;
    }
    const char *key = key_text(shape.relation, slot);
    if (key != nullptr) {
        compute([&] {
            if (std::find(group->keys.begin(), group->keys.end(), key) == group->keys.end()) {
                group->keys.emplace_back(key);
            }
        });
    }
}

} // namespace entitle::pg
