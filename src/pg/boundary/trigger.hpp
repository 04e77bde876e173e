// Functions that only triggers may call.
#pragma once

#include "pg/boundary/node.hpp"

extern "C" {
#include "utils/fmgroids.h"
}

namespace entitle::pg {

constexpr char kOwnTables[] = "a trigger of entitle's own tables";

// Returns: what fired the function. Raises (0A000) when no trigger did. what: what the function
// is, for the message. regime: C
inline const TriggerData *require_trigger(FunctionCallInfo fcinfo, const char *what = kOwnTables) {
    if (!CALLED_AS_TRIGGER(fcinfo)) {
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("this function is %s", what)));
    }
    return ENTITLE_NODE(TriggerData, fcinfo->context);
}

// How many triggers are running, one inside the other. regime: C
inline int trigger_depth() { return DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH)); }

} // namespace entitle::pg
