#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/join_scope.hpp"

extern "C" {
#include "nodes/makefuncs.h"
}

namespace entitle::pg {

namespace {

void gather_scope(const Node *item, Scope *scope, List **scopes);

void begin_scope(const Node *item, Node *conditions, const Node *beside, List **scopes) {
    auto *scope = static_cast<Scope *>(palloc0(sizeof(Scope)));
    scope->conditions = make_ands_implicit(reinterpret_cast<Expr *>(conditions));
    if (beside != nullptr) {
        Scope other{};
        gather_scope(beside, &other, scopes);
        scope->beside = other.tables;
    }
    *scopes = lappend(*scopes, scope);
    gather_scope(item, scope, scopes);
}

void gather_scope(const Node *item, Scope *scope, List **scopes) {
    check_stack_depth();
    if (IsA(item, RangeTblRef)) {
        scope->tables = lappend_int(scope->tables, ENTITLE_NODE(RangeTblRef, item)->rtindex);
    } else if (IsA(item, FromExpr)) {
        const auto *from = ENTITLE_NODE(FromExpr, item);
        for (const auto *part : each<Node>(from->fromlist)) {
            gather_scope(part, scope, scopes);
        }
        scope->conditions = list_concat(scope->conditions,
                                        make_ands_implicit(reinterpret_cast<Expr *>(from->quals)));
    } else if (IsA(item, JoinExpr)) {
        const auto *join = ENTITLE_NODE(JoinExpr, item);
        switch (join->jointype) {
        case JOIN_INNER:
            gather_scope(join->larg, scope, scopes);
            gather_scope(join->rarg, scope, scopes);
            scope->conditions = list_concat(
                scope->conditions, make_ands_implicit(reinterpret_cast<Expr *>(join->quals)));
            return;
        case JOIN_LEFT:
            gather_scope(join->larg, scope, scopes);
            begin_scope(join->rarg, join->quals, join->larg, scopes);
            return;
        case JOIN_RIGHT:
            gather_scope(join->rarg, scope, scopes);
            begin_scope(join->larg, join->quals, join->rarg, scopes);
            return;
        default:
            begin_scope(join->larg, nullptr, nullptr, scopes);
            begin_scope(join->rarg, nullptr, nullptr, scopes);
        }
    }
}

} // namespace

List *scopes_of(const Query *query) {
    List *scopes = NIL;
    begin_scope(reinterpret_cast<const Node *>(query->jointree), nullptr, nullptr, &scopes);
    return scopes;
}

} // namespace entitle::pg
