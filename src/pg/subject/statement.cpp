// A stack in a place of its own: whatever an error leaves behind is overwritten, and never
// followed.
#include "pg/boundary/postgres.hpp"
#include "pg/boundary/once.hpp"

#include "pg/subject/cursor.hpp"
#include "pg/model/lookup.hpp"
#include "pg/subject/statement.hpp"

namespace entitle::pg {

std::uint64_t statement_number = 0;

namespace {

struct Statement {
    MemoryContext memory; // a null pointer for a utility command
    int transaction_level;
    bool may_go_on;
    bool is_own_maintenance; // of the role whose session it is
    TimestampTz moment;      // 0: nobody asked yet
    RightsMark asked;
    std::uint64_t key_questions; // before it began
};

// As deep as PostgreSQL's own stack lets statements nest.
Statement *statements = nullptr;
int room = 0;
int depth = 0;

// The client's message whose procedure or block is under way: a ROLLBACK inside it forgets the
// statements, and it goes on.
TimestampTz procedure_start = 0;

// Whether nothing of the client's last message is under way any more.
bool is_outside() noexcept {
    return depth == 0 && procedure_start != GetCurrentStatementStartTimestamp();
}

Statement *innermost() noexcept { return depth == 0 ? nullptr : &statements[depth - 1]; }

// Makes room for one more. regime: C
void grow() {
    if (depth == room) {
        const int wanted = room == 0 ? 64 : 2 * room;
        const Size bytes = wanted * sizeof(Statement);
        statements = static_cast<Statement *>(
            room == 0 ? MemoryContextAlloc(TopMemoryContext, bytes) : repalloc(statements, bytes));
        room = wanted;
    }
}

const RightsMark &asked_of(Statement &statement) noexcept {
    statement.asked.uses_keys =
        statement.asked.uses_keys || statement.key_questions != key_questions;
    return statement.asked;
}

// Whether a statement that begins in that memory belongs to a maintenance command of something that
// the outer role owns itself. A utility command may work on anything. Inside a SECURITY DEFINER
// function only the statement that called it tells.
bool begins_own_maintenance(MemoryContext memory) noexcept {
    if (memory == nullptr || !InSecurityRestrictedOperation()) {
        return false;
    }
    const Statement *outside = innermost();
    return InLocalUserIdChange() ? outside != nullptr && outside->is_own_maintenance
                                 : GetUserId() == GetOuterUserId();
}

// What an inner statement showed, the outer one may keep.
void pop() noexcept {
    const RightsMark asked = asked_of(*innermost());
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
        lock_if_outside();
    }
}

void on_transaction(XactEvent event, void *) {
    switch (event) {
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PARALLEL_ABORT:
        depth = 0;
        ++statement_number;
        // A procedure's ROLLBACK comes from within it; after an error nobody is left.
        if (error_context_stack == nullptr) {
            procedure_start = 0;
            lock_portals();
        }
        break;
    case XACT_EVENT_PRE_COMMIT:
        fail_outdated_portals();
        break;
    case XACT_EVENT_COMMIT:
        lock_if_outside();
        break;
    case XACT_EVENT_PARALLEL_COMMIT:
    case XACT_EVENT_PREPARE:
    case XACT_EVENT_PARALLEL_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
        break;
    }
}

} // namespace

int begin_statement(MemoryContext memory, bool may_go_on) {
    grow();
    ++statement_number;
    const bool is_kept =
        may_go_on || may_go_on_later() || (depth == 0 && may_be_rewinding_around(memory));
    const bool is_own_maintenance = begins_own_maintenance(memory);
    statements[depth] = Statement{memory,
                                  GetCurrentTransactionNestLevel(),
                                  is_kept,
                                  is_own_maintenance,
                                  0,
                                  RightsMark(),
                                  key_questions};
    return depth++;
}

void end_statement(int place) {
    while (depth > place) {
        const RightsMark asked = asked_of(*innermost());
        pop();
        if (asked.is_set) {
            note_answer(asked, false);
        }
    }
}

bool begin_procedure() noexcept {
    const bool is_first = procedure_start != GetCurrentStatementStartTimestamp();
    procedure_start = GetCurrentStatementStartTimestamp();
    return is_first;
}

void end_procedure() noexcept { procedure_start = 0; }

void lock_if_outside() noexcept {
    if (is_outside()) {
        lock_portals();
    }
}

bool is_asked_from(MemoryContext memory) noexcept {
    MemoryContext context = CurrentMemoryContext;
    while (context != nullptr && context != memory) {
        context = context->parent;
    }
    return context != nullptr;
}

bool is_own_statement() noexcept {
    const Statement *statement = innermost();
    // A function's expressions, and its queries', are evaluated in memory that hangs below the
    // transaction's.
    return statement == nullptr || statement->memory == nullptr ||
           !is_asked_from(statement->memory);
}

bool may_go_on_later() noexcept {
    const Statement *statement = innermost();
    return statement != nullptr && statement->may_go_on;
}

Oid asking_role() noexcept {
    if (!InSecurityRestrictedOperation()) {
        return GetOuterUserId();
    }
    if (!InLocalUserIdChange()) {
        return GetUserId();
    }
    const Statement *statement = innermost();
    return statement != nullptr && statement->is_own_maintenance ? GetOuterUserId() : InvalidOid;
}

TimestampTz statement_moment(bool is_own) noexcept {
    if (is_own) {
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

const RightsMark &asked_rights(int place) noexcept { return asked_of(statements[place]); }

void register_statements() {
    note_loading_portal();
    once([] { RegisterXactCallback(on_transaction, nullptr); });
    once([] { RegisterSubXactCallback(on_subtransaction, nullptr); });
}

} // namespace entitle::pg
