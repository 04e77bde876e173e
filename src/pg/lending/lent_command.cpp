// Commands that PostgreSQL runs without a plan, while rights are lent.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
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
    for (const auto *item : each<RangeVar>(statement->inhRelations)) {
        check_named(item);
    }
    for (const auto *element : each<Node>(statement->tableElts)) {
        if (IsA(element, TableLikeClause)) {
            check_named(ENTITLE_NODE(TableLikeClause, element)->relation);
        }
    }
}

// The prepared statement that a statement executes, also where it is explained or makes a table.
const ExecuteStmt *find_executed(const Node *statement) {
    const Node *inner = nullptr;
    switch (nodeTag(statement)) {
    case T_ExecuteStmt:
        return ENTITLE_NODE(ExecuteStmt, statement);
    case T_ExplainStmt:
        inner = ENTITLE_NODE(ExplainStmt, statement)->query;
        break;
    case T_CreateTableAsStmt:
        inner = ENTITLE_NODE(CreateTableAsStmt, statement)->query;
        break;
    default:
        return nullptr;
    }
    const auto *query =
        inner != nullptr && IsA(inner, Query) ? ENTITLE_NODE(Query, inner) : nullptr;
    return query != nullptr && query->utilityStmt != nullptr ? find_executed(query->utilityStmt)
                                                             : nullptr;
}

} // namespace

void check_lent_utility(const Node *statement) {
    demand_seen();
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
    switch (nodeTag(statement)) {
    case T_CopyStmt:
        check_types(made);
        check_named(ENTITLE_NODE(CopyStmt, statement)->relation);
        break;
    case T_TruncateStmt:
        for (const auto *named : each<RangeVar>(ENTITLE_NODE(TruncateStmt, statement)->relations)) {
            check_named(named);
        }
        break;
    case T_AlterTableStmt:
        check_named(ENTITLE_NODE(AlterTableStmt, statement)->relation);
        break;
    case T_CreateStmt:
    case T_CreateForeignTableStmt: // begins with one
        check_types(made);
        check_created(ENTITLE_NODE(CreateStmt, statement));
        break;
    case T_ConstraintsSetStmt:
        // It would fire triggers of the caller's tables, too, that wait for the commit.
        if (!ENTITLE_NODE(ConstraintsSetStmt, statement)->deferred) {
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
