// Doors of what the asker belongs to, for the policies of the model's own tables. They read the
// rights in memory, so a removed membership counts at once, whatever snapshot the statement has.
#include "pg/boundary/postgres.hpp"

#include "pg/check/membership.hpp"
#include "pg/check/placed_user.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"
#include "pg/model/model_table.hpp"

#include "core/membership.hpp"

#include <algorithm>

using namespace entitle;
using namespace entitle::pg;

namespace {

Datum list_belongings(std::vector<std::int64_t> Belongings::*list) {
    const Asker &asker = asker_now();
    PlainIds ids;
    compute([&] { ids = copy_out(find_belongings(asker.subject).*list); });
    return bigint_array(ids);
}

// What the asker manages, kept until rights change or somebody else asks: policies ask for it row
// by row.
struct KeptManaged {
    MemoryContext memory;
    bool is_there;
    std::uint64_t epoch;
    UserId asker;
    std::uint64_t state; // another one each time this is found anew
    PlainIds organizations;
    PlainIds brands;
};
KeptManaged kept = {};

// Finds what the asker manages. Requires: an active one. regime: C
const KeptManaged &managed_by(const Asker &asker) {
    if (kept.is_there && kept.epoch == asker_epoch() && kept.asker == asker.subject->id) {
        return kept;
    }
    if (kept.memory == nullptr) {
        kept.memory =
            AllocSetContextCreate(TopMemoryContext, "entitle managed places", ALLOCSET_SMALL_SIZES);
    }
    kept.is_there = false;
    MemoryContextReset(kept.memory);
    MemoryContext previous = MemoryContextSwitchTo(kept.memory);
    compute([&] {
        const Managed managed = find_managed(asker.subject);
        kept.organizations = copy_out(managed.organizations);
        kept.brands = copy_out(managed.brands);
    });
    MemoryContextSwitchTo(previous);
    kept.epoch = asker_epoch();
    kept.asker = asker.subject->id;
    ++kept.state;
    kept.is_there = true;
    return kept;
}

bool is_somebody(const Asker &asker) noexcept {
    return asker.subject != nullptr && asker.subject->is_active;
}

Datum list_managed(PlainIds KeptManaged::*list) {
    const Asker &asker = asker_now();
    return bigint_array(is_somebody(asker) ? managed_by(asker).*list : PlainIds());
}

bool has_managed_grant(UserId user) {
    Reader reader = open_reader();
    Rows rows = open_rows(reader, Table::external_access, TableIndex::grant_by_user, 1,
                          Int64GetDatum(user));
    bool found = false;
    while (!found && next_row(rows)) {
        bool is_null = false;
        found = manages_access(asker_now(), get_bigint(rows, GrantColumn::customer, &is_null));
    }
    close_rows(rows);
    close_reader(reader);
    return found;
}

} // namespace

namespace entitle::pg {

bool manages_user(UserId user) {
    const Asker &asker = asker_now();
    if (!is_somebody(asker)) {
        return false;
    }
    const KeptManaged &managed = managed_by(asker);
    return has_place_among(managed.organizations, managed.brands, managed.state, user) ||
           has_managed_grant(user);
}

} // namespace entitle::pg

// manages_user(user_id) -> boolean. R41, R60, R62
ENTITLE_FUNCTION(entitle_manages_user) {
    const auto user = bigint_argument(fcinfo, 0);
    PG_RETURN_BOOL(user && manages_user(*user));
}

// own_user() -> bigint: the asker's id while active, else NULL. R1
ENTITLE_FUNCTION(entitle_own_user) {
    const Asker &asker = asker_now();
    if (asker.subject == nullptr || !asker.subject->is_active) {
        PG_RETURN_NULL();
    }
    PG_RETURN_INT64(asker.subject->id);
}

// owned_organizations() -> bigint[]. R24
ENTITLE_FUNCTION(entitle_owned_organizations) {
    return list_belongings(&Belongings::owned_organizations);
}

// owned_brands() -> bigint[]
ENTITLE_FUNCTION(entitle_owned_brands) { return list_belongings(&Belongings::owned_brands); }

// own_organizations() -> bigint[]. R22
ENTITLE_FUNCTION(entitle_own_organizations) { return list_belongings(&Belongings::organizations); }

// own_brands() -> bigint[]. R22
ENTITLE_FUNCTION(entitle_own_brands) { return list_belongings(&Belongings::brands); }

// managed_organizations() -> bigint[]. R59, R60
ENTITLE_FUNCTION(entitle_managed_organizations) {
    return list_managed(&KeptManaged::organizations);
}

// managed_brands() -> bigint[]. R60
ENTITLE_FUNCTION(entitle_managed_brands) { return list_managed(&KeptManaged::brands); }

// held_roles() -> bigint[]: the roles of the asker's memberships
ENTITLE_FUNCTION(entitle_held_roles) { return list_belongings(&Belongings::roles); }
