// Doors of what the asker belongs to, for the policies of the model's own tables. They read the
// rights in memory, so a removed membership counts at once, whatever snapshot the statement has.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/boundary/function.hpp"
#include "pg/datum/datum.hpp"

#include "core/membership.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

Datum list_belongings(std::vector<std::int64_t> Belongings::*list) {
    const Asker &asker = asker_now();
    PlainIds ids;
    compute([&] { ids = copy_out(find_belongings(asker.subject).*list); });
    return bigint_array(ids);
}

} // namespace

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
    const Asker &asker = asker_now();
    PlainIds ids;
    compute([&] { ids = copy_out(find_managed(asker.subject).organizations); });
    return bigint_array(ids);
}

// managed_brands() -> bigint[]. R60
ENTITLE_FUNCTION(entitle_managed_brands) {
    const Asker &asker = asker_now();
    PlainIds ids;
    compute([&] { ids = copy_out(find_managed(asker.subject).brands); });
    return bigint_array(ids);
}

// held_roles() -> bigint[]: the roles of the asker's memberships
ENTITLE_FUNCTION(entitle_held_roles) { return list_belongings(&Belongings::roles); }
