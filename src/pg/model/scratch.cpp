// The memory of one load: gone with all that was read, when the load ends or fails.
#include "pg/boundary/postgres.hpp"

#include "pg/model/subject_load.hpp"

namespace entitle::pg {

Scratch::Scratch()
    : context_(AllocSetContextCreate(CurrentMemoryContext, "entitle load", ALLOCSET_DEFAULT_SIZES)),
      previous_(MemoryContextSwitchTo(context_)) {}

void Scratch::close() {
    MemoryContextSwitchTo(previous_);
    MemoryContextDelete(context_);
}

} // namespace entitle::pg
