// Functions that only triggers may call.
#pragma once

#include "pg/boundary/node.hpp"

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

} // namespace entitle::pg
