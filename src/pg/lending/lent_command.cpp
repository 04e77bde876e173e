// Commands that PostgreSQL runs without a plan, while rights are lent.
#include "pg/boundary/postgres.hpp"

#include "pg/lending/definer.hpp"
#include "pg/lending/lent_rights.hpp"
#include "pg/lending/made.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

namespace {

void check_named(const RangeVar *name) {
    if (name != nullptr) {
        const Oid relation = RangeVarGetRelid(name, NoLock, true);
        if (OidIsValid(relation)) {
            check_relation(relation);
            check_attached(relation);
        }
    }
}

// Defaults, checks and generated columns come with what a new table is like, inherits or is a part
// of, and would be the lender's own then.
void check_created(const CreateStmt *statement) {
    ListCell *cell = nullptr;
    foreach (cell, statement->inhRelations) {
        check_named(static_cast<const RangeVar *>(lfirst(cell)));
    }
    foreach (cell, statement->tableElts) {
        if (IsA(lfirst(cell), TableLikeClause)) {
            check_named(static_cast<const TableLikeClause *>(lfirst(cell))->relation);
        }
    }
}

// The prepared statement that a statement executes, also where it is explained or makes a table.
const ExecuteStmt *find_executed(const Node *statement) {
    const Node *inner = nullptr;
    switch (nodeTag(statement)) {
    case T_ExecuteStmt:
        return reinterpret_cast<const ExecuteStmt *>(statement);
    case T_ExplainStmt:
        inner = reinterpret_cast<const ExplainStmt *>(statement)->query;
        break;
    case T_CreateTableAsStmt:
        inner = reinterpret_cast<const CreateTableAsStmt *>(statement)->query;
        break;
    default:
        return nullptr;
    }
    const auto *query =
        inner != nullptr && IsA(inner, Query) ? reinterpret_cast<const Query *>(inner) : nullptr;
    return query != nullptr && query->utilityStmt != nullptr ? find_executed(query->utilityStmt)
                                                             : nullptr;
}

} // namespace

void check_lent_utility(const Node *statement) {
    const Made *made = OidIsValid(lender()) ? find_made() : nullptr;
    if (made == nullptr || runs_as_borrower(made)) {
        return;
    }
    // Whoever owns nothing at all prepares statements, too.
    const ExecuteStmt *executed = find_executed(statement);
    if (executed != nullptr) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("prepared statement \"%s\" may be the caller's own, and would run "
                               "with the rights of \"%s\"",
                               executed->name, GetUserNameFromId(lender(), false)),
                        errhint("Let the trigger run the statement itself.")));
    }
    if (!made->is_anything()) {
        return;
    }
    ListCell *cell = nullptr;
    switch (nodeTag(statement)) {
    case T_CopyStmt:
        check_types(made);
        check_named(reinterpret_cast<const CopyStmt *>(statement)->relation);
        break;
    case T_TruncateStmt:
        foreach (cell, reinterpret_cast<const TruncateStmt *>(statement)->relations) {
            check_named(static_cast<const RangeVar *>(lfirst(cell)));
        }
        break;
    case T_AlterTableStmt:
        check_named(reinterpret_cast<const AlterTableStmt *>(statement)->relation);
        break;
    case T_CreateStmt:
    case T_CreateForeignTableStmt: // begins with one
        check_types(made);
        check_created(reinterpret_cast<const CreateStmt *>(statement));
        break;
    case T_ConstraintsSetStmt:
        // It would fire triggers of the caller's tables, too, that wait for the commit.
        if (!reinterpret_cast<const ConstraintsSetStmt *>(statement)->deferred) {
            ereport(ERROR,
                    (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                     errmsg("SET CONSTRAINTS would fire the caller's own triggers with the rights "
                            "of \"%s\"",
                            GetUserNameFromId(lender(), false)),
                     errhint("Make the constraint NOT DEFERRABLE, or INITIALLY IMMEDIATE.")));
        }
        break;
    default:
        break;
    }
}

} // namespace entitle::pg
