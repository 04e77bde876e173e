// Doors of the checks on external access. They ask core and never raise for a strange argument.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/lending/definer.hpp"
#include "pg/boundary/function.hpp"
#include "pg/model/lookup.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/datum/datum.hpp"

extern "C" {
#include "utils/numeric.h"
#include "utils/syscache.h"
}

#include "core/access.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

// What a call site asks with, found once: the declared types of its arguments.
struct CallTypes {
    Oid first;
    Oid second;
};

const CallTypes &call_types(FunctionCallInfo fcinfo) {
    if (fcinfo->flinfo->fn_extra == nullptr) {
        auto *types = static_cast<CallTypes *>(
            MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(CallTypes)));
        types->first = argument_type(fcinfo, 0);
        types->second = PG_NARGS() > 1 ? argument_type(fcinfo, 1) : InvalidOid;
        fcinfo->flinfo->fn_extra = types;
    }
    return *static_cast<CallTypes *>(fcinfo->flinfo->fn_extra);
}

// The customers on which the asker has at least the level asked for, by id. regime: C
PlainIds accessible_ids(FunctionCallInfo fcinfo) {
    const Asker &asker = asker_now();
    return PG_ARGISNULL(0) ? PlainIds{} : reached_customers(asker, PG_GETARG_INT32(0));
}

// The same customers by another key of theirs; those without such a key are left out. regime: C
Datum accessible_keys(FunctionCallInfo fcinfo, Datum (*read)(CustomerId, bool *), Oid type,
                      int length, bool by_value, char alignment) {
    const PlainIds ids = accessible_ids(fcinfo);
    auto *keys =
        static_cast<Datum *>(palloc_extended((ids.count + 1) * sizeof(Datum), MCXT_ALLOC_HUGE));
    int count = 0;
    for (std::size_t i = 0; i < ids.count; ++i) {
        bool is_null = false;
        const Datum key = read(ids.values[i], &is_null);
        if (!is_null) {
            keys[count++] = key;
        }
    }
    return PointerGetDatum(construct_array(keys, count, type, length, by_value, alignment));
}

} // namespace

// access_level(customer_id | customer_uuid | customer_code) -> integer: 0, 10, 20, 30, 40, 80
// or 90. R1, R33, R34, R40, R45
ENTITLE_FUNCTION(entitle_access_level) {
    const Asker &asker = asker_now();
    if (asker.user == nullptr) {
        PG_RETURN_INT32(kNoLevel);
    }
    const auto customer = customer_value(argument(fcinfo, 0), call_types(fcinfo).first);
    if (!customer) {
        PG_RETURN_INT32(kNoLevel);
    }
    const Grant *grant = grant_of(asker.user, *customer);
    PG_RETURN_INT32(access_level(asker.subject, asker.session, *customer, grant));
}

// days_back_filter(customer, on_date) -> boolean: has access, and the date lies inside the window.
// R38, R39
ENTITLE_FUNCTION(entitle_days_back_filter) {
    const Asker &asker = asker_now();
    if (asker.user == nullptr) {
        PG_RETURN_BOOL(false);
    }
    const CallTypes &types = call_types(fcinfo);
    const auto customer = customer_value(argument(fcinfo, 0), types.first);
    if (!customer) {
        PG_RETURN_BOOL(false);
    }
    const auto date = day_value(argument(fcinfo, 1), types.second);
    const Grant *grant = grant_of(asker.user, *customer);
    PG_RETURN_BOOL(
        check_access(asker.subject, asker.session, *customer, grant, kLevels[0], true, date)
            .allowed);
}

// accessible_customers(min_level) -> bigint[], sorted
ENTITLE_FUNCTION(entitle_accessible_customers) { return bigint_array(accessible_ids(fcinfo)); }

// unlimited_customers(min_level) -> bigint[], sorted: those of accessible_customers whose window
// has no first day. R38
ENTITLE_FUNCTION(entitle_unlimited_customers) {
    const Asker &asker = asker_now();
    return bigint_array(PG_ARGISNULL(0) ? PlainIds{}
                                        : reached_customers(asker, PG_GETARG_INT32(0), true));
}

// accessible_customer_uuids(min_level) -> uuid[]
ENTITLE_FUNCTION(entitle_accessible_customer_uuids) {
    return accessible_keys(fcinfo, uuid_of_customer, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
}

// accessible_customer_codes(min_level) -> text[]
ENTITLE_FUNCTION(entitle_accessible_customer_codes) {
    return accessible_keys(fcinfo, code_of_customer, TEXTOID, -1, false, TYPALIGN_INT);
}

// accessible_customer_keys(min_level, sample) -> array of the sample's type: ids as numbers, codes
// as texts, or as those labels of an enum that are codes. For the planner.
ENTITLE_FUNCTION(entitle_accessible_customer_keys) {
    const Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);
    int16 length = 0;
    bool by_value = false;
    char alignment = 0;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    switch (key_type_of(type)) {
    case KeyType::numeric: {
        const PlainIds ids = accessible_ids(fcinfo);
        auto *keys =
            static_cast<Datum *>(palloc_extended((ids.count + 1) * sizeof(Datum), MCXT_ALLOC_HUGE));
        for (std::size_t i = 0; i < ids.count; ++i) {
            keys[i] = NumericGetDatum(int64_to_numeric(ids.values[i]));
        }
        return PointerGetDatum(
            construct_array(keys, static_cast<int>(ids.count), type, length, by_value, alignment));
    }
    case KeyType::text:
    case KeyType::padded:
        return accessible_keys(fcinfo, code_of_customer, type, length, by_value, alignment);
    case KeyType::label: {
        ArrayType *codes = DatumGetArrayTypeP(
            accessible_keys(fcinfo, code_of_customer, TEXTOID, -1, false, TYPALIGN_INT));
        Datum *keys = nullptr;
        int count = 0;
        deconstruct_array(codes, TEXTOID, -1, false, TYPALIGN_INT, &keys, nullptr, &count);
        int known = 0;
        for (int i = 0; i < count; ++i) {
            const text *code = DatumGetTextPP(keys[i]);
            const PlainKey key{
                KeyType::text,
                0,
                {VARDATA_ANY(code), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(code))}};
            const NullableDatum label = make_key(key, type);
            if (!label.isnull) {
                keys[known++] = label.value;
            }
        }
        return PointerGetDatum(construct_array(keys, known, type, length, by_value, alignment));
    }
    default:
        return PointerGetDatum(construct_empty_array(type));
    }
}

// earliest_visible_date|timestamp|timestamptz(min_level): how far back the widest window at a level
// reaches. Plans compare with it before the row test, so it may reach too far back, never too
// little. R38
ENTITLE_FUNCTION(entitle_earliest_visible) {
    struct Kept {
        std::uint64_t epoch;
        int level;
        Datum value;
    };
    auto *kept = static_cast<Kept *>(fcinfo->flinfo->fn_extra);
    if (kept == nullptr) {
        kept = static_cast<Kept *>(MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Kept)));
        fcinfo->flinfo->fn_extra = kept;
    }
    const Asker &asker = current_asker();
    const int level = PG_ARGISNULL(0) ? kNoLevel : PG_GETARG_INT32(0);
    if (kept->epoch != epoch() || kept->level != level) {
        // The asker's, from before the grants: what is taken in with them counts from the next call
        // on.
        const std::uint64_t before = asker_epoch();
        const auto place = level_place(level);
        const Day earliest =
            asker.user == nullptr || !place ? kLastDay : grant_summary(asker).earliest[*place];
        *kept = Kept{before, level, day_start(earliest, get_func_rettype(fcinfo->flinfo->fn_oid))};
    }
    return kept->value;
}

// manages_access(customer_id) -> boolean: may the asker see and manage this customer's external
// access? R41
ENTITLE_FUNCTION(entitle_manages_access) {
    const auto customer = bigint_argument(fcinfo, 0);
    const Asker &asker = asker_now();
    if (asker.user == nullptr || !customer) {
        PG_RETURN_BOOL(false);
    }
    PG_RETURN_BOOL(manages_access(asker, *customer));
}

// user_access_level(user_id, customer_id) -> integer: another user's level, for superusers and
// those who manage that customer's access; 0 for anyone else.
ENTITLE_FUNCTION(entitle_user_access_level) {
    const auto user = bigint_argument(fcinfo, 0);
    const auto customer = bigint_argument(fcinfo, 1);
    if (!user || !customer) {
        PG_RETURN_INT32(kNoLevel);
    }
    const Asker &asker = asker_now();
    const bool may_ask = acts_as_superuser() ||
                         (asker.subject != nullptr && asker.subject->id == *user) ||
                         (asker.user != nullptr && manages_access(asker, *customer));
    CachedUser *other = may_ask ? find_user(*user) : nullptr;
    if (other == nullptr) {
        PG_RETURN_INT32(kNoLevel);
    }
    // One's own answer follows one's own choices (R45).
    const bool is_self = asker.subject != nullptr && asker.subject->id == *user;
    const Session session =
        is_self ? asker.session : Session{std::nullopt, std::nullopt, asker.session.today};
    PG_RETURN_INT32(
        access_level(subject_of(other), session, *customer, grant_of(other, *customer)));
}
