// A stack in fixed places: whatever an error leaves behind is overwritten, and never followed.
#include "pg/postgres.hpp"

#include "pg/cursor.hpp"
#include "pg/statement.hpp"

#include <algorithm>

namespace entitle::pg {

std::uint64_t statement_number = 0;

namespace {

struct Statement {
    Extent extent;
    MemoryContext memory;
    int transaction_level;
    TimestampTz moment; // 0: nobody asked yet
    RightsMark asked;
};

// Deeper statements share the last place, and trust no moment but the present one.
constexpr int kMaxDepth = 128;
Statement statements[kMaxDepth];
int depth = 0;

Statement &statement_at(int place) noexcept { return statements[std::min(place, kMaxDepth - 1)]; }

Statement *innermost() noexcept { return depth == 0 ? nullptr : &statement_at(depth - 1); }

// What an inner statement showed, the outer one may keep.
void pop() noexcept {
    const RightsMark asked = innermost()->asked;
    --depth;
    if (asked.is_set) {
        ++statement_number;
        note_question(asked);
    }
}

// The statements of a transaction that failed are over; those outside it go on.
void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
    if (event == SUBXACT_EVENT_ABORT_SUB) {
        const int level = GetCurrentTransactionNestLevel();
        while (depth > 0 && innermost()->transaction_level >= level) {
            pop();
        }
        ++statement_number;
        if (depth == 0) {
            lock_portals();
        }
    }
}

void on_transaction(XactEvent event, void *) {
    switch (event) {
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PARALLEL_ABORT:
        depth = 0;
        ++statement_number;
        lock_portals();
        break;
    case XACT_EVENT_PRE_COMMIT:
        fail_outdated_portals();
        break;
    case XACT_EVENT_COMMIT:
        if (depth == 0) {
            lock_portals();
        }
        break;
    case XACT_EVENT_PARALLEL_COMMIT:
    case XACT_EVENT_PREPARE:
    case XACT_EVENT_PARALLEL_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
        break;
    }
}

} // namespace

int begin_statement(Extent extent, MemoryContext memory) noexcept {
    ++statement_number;
    Statement &statement = statement_at(depth);
    statement.extent = extent;
    statement.memory = memory;
    statement.transaction_level = GetCurrentTransactionNestLevel();
    statement.moment = 0;
    statement.asked.is_set = false;
    return depth++;
}

void end_statement(int place) {
    while (depth > place) {
        const RightsMark asked = innermost()->asked;
        pop();
        if (asked.is_set) {
            note_answer(asked);
        }
    }
}

bool is_own_statement() noexcept {
    const Statement *statement = innermost();
    if (statement == nullptr || depth > kMaxDepth) {
        return true;
    }
    if (statement->extent != Extent::rows) {
        return statement->extent == Extent::nothing;
    }
    // Expressions of an execution are evaluated in memory below its own; a function's, and its
    // queries', hang below the transaction's.
    MemoryContext context = CurrentMemoryContext;
    while (context != nullptr && context != statement->memory) {
        context = context->parent;
    }
    return context == nullptr;
}

TimestampTz statement_moment() noexcept {
    if (is_own_statement()) {
        return GetCurrentTimestamp();
    }
    Statement *statement = innermost();
    if (statement->moment == 0) {
        statement->moment = GetCurrentTimestamp();
    }
    return statement->moment;
}

void note_question(const RightsMark &rights) noexcept {
    Statement *statement = innermost();
    if (statement != nullptr) {
        add_mark(statement->asked, rights);
    }
}

const RightsMark &asked_rights(int place) noexcept { return statement_at(place).asked; }

void register_statements() {
    note_loading_portal();
    RegisterXactCallback(on_transaction, nullptr);
    RegisterSubXactCallback(on_subtransaction, nullptr);
}

} // namespace entitle::pg
