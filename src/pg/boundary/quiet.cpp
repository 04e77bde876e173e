// Commands whose errors carry no context: a caller of protect_table is not told the twenty lines of
// PL/pgSQL between the call and the error.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/internal_function.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/quiet.hpp"

extern "C" {
#include "nodes/value.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace entitle::pg {

Datum invoke_quietly(FunctionCallInfo call) {
    struct Frame {
        FunctionCallInfo call;
        Datum result;
    } frame{call, 0};
    ErrorData *error = catch_error(
        [](void *self) {
            auto *inner = static_cast<Frame *>(self);
            inner->result = FunctionCallInvoke(inner->call);
        },
        &frame);
    if (error != nullptr) {
        // What stands around this call adds its own lines again.
        error->context = nullptr;
        ThrowErrorData(error);
    }
    return frame.result;
}

} // namespace entitle::pg

// The door of a command NAME calls entitle.NAME_steps with the same arguments. Who may execute the
// door may do what it does, so nobody is asked for the steps. regime: C
ENTITLE_FUNCTION(entitle_run_steps) {
    Oid *types = nullptr;
    int count = 0;
    const char *name = get_func_name(fcinfo->flinfo->fn_oid);
    get_func_signature(fcinfo->flinfo->fn_oid, &types, &count);
    FmgrInfo function;
    fmgr_info(internal_function(psprintf("%s_steps", name), count, types), &function);
    auto *call = static_cast<FunctionCallInfo>(palloc0(SizeForFunctionCallInfo(count)));
    InitFunctionCallInfoData(*call, &function, static_cast<short>(count), fcinfo->fncollation,
                             nullptr, nullptr);
    for (int i = 0; i < count; ++i) {
        call->args[i] = fcinfo->args[i];
    }
    const Datum result = invoke_quietly(call);
    fcinfo->isnull = call->isnull;
    return result;
}
