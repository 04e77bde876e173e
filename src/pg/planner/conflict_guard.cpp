#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/conflict_guard.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
}

namespace entitle::pg {

namespace {

// Marks a WHERE that is guarded, in a place of the query's text that no expression has.
constexpr int kGuarded = -7773;

bool is_guarded(const Node *where) {
    return IsA(where, CaseExpr) && ENTITLE_NODE(CaseExpr, where)->location == kGuarded;
}

// What row-level security asks of the row that is there already. Returns: null when it asks
// nothing.
Expr *find_test(const Query *query) {
    List *tests = NIL;
    for (const auto *option : each<WithCheckOption>(query->withCheckOptions)) {
        if (option->kind == WCO_RLS_CONFLICT_CHECK && option->qual != nullptr) {
            auto *test = static_cast<Node *>(copyObjectImpl(option->qual));
            // The tests before the one that is being prepared are lists already.
            tests = lappend(tests, IsA(test, List) ? reinterpret_cast<Node *>(make_ands_explicit(
                                                         reinterpret_cast<List *>(test)))
                                                   : test);
        }
    }
    return tests == NIL ? nullptr : make_ands_explicit(tests);
}

} // namespace

void guard_conflict(const PlannerInfo *root) {
    for (; root != nullptr; root = root->parent_root) {
        OnConflictExpr *conflict = root->parse == nullptr ? nullptr : root->parse->onConflict;
        // Once it is a list, it is prepared.
        if (conflict == nullptr || conflict->onConflictWhere == nullptr ||
            IsA(conflict->onConflictWhere, List) || is_guarded(conflict->onConflictWhere)) {
            continue;
        }
        Expr *test = find_test(root->parse);
        if (test == nullptr) {
            continue;
        }
        // CASE, because it alone promises an order.
        CaseWhen *passed = makeNode(CaseWhen);
        passed->expr = test;
        passed->result = reinterpret_cast<Expr *>(conflict->onConflictWhere);
        passed->location = -1;
        CaseExpr *guard = makeNode(CaseExpr);
        guard->casetype = BOOLOID;
        guard->args = list_make1(passed);
        guard->defresult = reinterpret_cast<Expr *>(makeBoolConst(true, false));
        guard->location = kGuarded;
        conflict->onConflictWhere = reinterpret_cast<Node *>(guard);
    }
}

} // namespace entitle::pg
