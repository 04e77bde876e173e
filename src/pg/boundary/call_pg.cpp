// The one place with PG_TRY. Its body neither throws nor returns early.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"

namespace entitle::pg {

ErrorData *catch_error(void (*call)(void *), void *argument) noexcept {
    ErrorData *volatile error = nullptr;
    MemoryContext context = CurrentMemoryContext;

    PG_TRY();
    { call(argument); }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        error = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();
    return error;
}

} // namespace entitle::pg
