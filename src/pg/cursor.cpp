// The note hangs among the reset callbacks of the execution's memory, the one place that an
// extension finds again from a QueryDesc and that ends with it whatever happens.
#include "pg/postgres.hpp"

#include "pg/assumption.hpp"
#include "pg/cursor.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace entitle::pg {

namespace {

struct Note {
    MemoryContextCallback callback;
    std::uint64_t version;
};

void forget(void *) {} // marks the callback as ours

} // namespace

void note_customers(QueryDesc *query) {
    const std::uint64_t version = customers_version(query->plannedstmt);
    if (version == 0) {
        return;
    }
    MemoryContext context = query->estate->es_query_cxt;
    auto *note = static_cast<Note *>(MemoryContextAllocZero(context, sizeof(Note)));
    note->version = version;
    note->callback.func = forget;
    note->callback.arg = note;
    MemoryContextRegisterResetCallback(context, &note->callback);
}

bool has_customers_as_begun(const QueryDesc *query) {
    const MemoryContextCallback *callback = query->estate->es_query_cxt->reset_cbs;
    while (callback != nullptr && callback->func != forget) {
        callback = callback->next;
    }
    return callback == nullptr || static_cast<const Note *>(callback->arg)->version ==
                                      customers_version(query->plannedstmt);
}

} // namespace entitle::pg
