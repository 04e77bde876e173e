// Who applies a subscription's changes, as the server knows it.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/model/replay.hpp"

extern "C" {
#include "catalog/pg_subscription.h"
#include "replication/logicalworker.h"
#include "replication/worker_internal.h"
#include "utils/syscache.h"
}

namespace entitle::pg {

bool is_replaying() noexcept { return IsLogicalWorker() && MySubscription != nullptr; }

const char *replayed_subscription() noexcept { return MySubscription->name; }

bool is_replayed(Oid relation) {
    return SearchSysCacheExists2(SUBSCRIPTIONRELMAP, ObjectIdGetDatum(relation),
                                 ObjectIdGetDatum(MySubscription->oid));
}

} // namespace entitle::pg

// replaying() -> boolean: whether a subscription's changes are being written
ENTITLE_FUNCTION(entitle_replaying) { PG_RETURN_BOOL(entitle::pg::is_replaying()); }

// as_replica() -> boolean: whether session_replication_role is replica, as it is wherever changes
// are applied. Asked for each row, so without a look into the list of settings.
ENTITLE_FUNCTION(entitle_as_replica) {
    PG_RETURN_BOOL(SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA);
}
