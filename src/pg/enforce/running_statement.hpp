// Statements that run, one inside the other: PostgreSQL's own stack of error callbacks holds them,
// and puts itself back after every error. regime: C
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "executor/execdesc.h"
#include "nodes/plannodes.h"
}

namespace entitle::pg {

// A statement that runs, as the error context callback knows it.
struct Running {
    ErrorContextCallback callback;
    QueryDesc *query;
    Oid user; // who runs it
    bool writes_masked;
    bool tells_value;      // by the error that was reported last
    bool tells_parameters; // in its detail
    List *open_keys;       // OIDs of documents whose lines wait for another key
    bool is_finishing;     // foreign keys act, and other AFTER triggers
};

// The statement that a callback stands for, a null pointer when it is somebody else's.
Running *find_running(const ErrorContextCallback *at) noexcept;

// The innermost statement, a null pointer when there is none.
Running *find_innermost() noexcept;

// Who runs the innermost statement, InvalidOid when there is none.
Oid statement_user() noexcept;

// Who runs the statement around that one, whose foreign key may have begun it; InvalidOid when
// there is none.
Oid outer_statement_user() noexcept;

// Whether a MERGE has such an action.
bool has_action(const ModifyTable *node, CmdType action);

// What a plan writes: a List of ModifyTable *.
List *find_writes(const PlannedStmt *plan);

} // namespace entitle::pg
