#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/join_scope.hpp"
#include "pg/planner/joined_view.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
}

namespace entitle::pg {

namespace {

// A view of lines, each of which it joins with its one document.
struct LineView {
    Place place; // in the query that reads it
    Query *query;
    Place line;
    Place document;
    List *keys;  // the conditions that join them
    List *tests; // the row tests
};

bool read_line_view(const Place &place, LineView *view) {
    Query *query = place.entry->rtekind == RTE_SUBQUERY ? place.entry->subquery : nullptr;
    List *tables = NIL;
    List *conditions = NIL;
    if (query == nullptr || !reads_rows_plainly(query) ||
        !gather_inner_joins(query, reinterpret_cast<const Node *>(query->jointree), &tables,
                            &conditions) ||
        list_length(tables) != 2) {
        return false;
    }
    const int first = linitial_int(tables);
    const int second = lsecond_int(tables);
    *view = LineView{place,
                     query,
                     Place{rt_fetch(first, query->rtable), first, 0},
                     Place{rt_fetch(second, query->rtable), second, 0},
                     NIL,
                     NIL};
    for (auto *condition : each<Node>(conditions)) {
        List *&kind = is_row_test(condition) ? view->tests : view->keys;
        kind = lappend(kind, condition);
    }
    List *left = list_copy(view->keys);
    Bitmapset *nullable = nullptr;
    return view->tests != NIL && view->line.entry->securityQuals == NIL &&
           view->document.entry->securityQuals == NIL && view->line.entry->tablesample == nullptr &&
           joins_by_key(view->line, view->document, &left, &nullable) && left == NIL;
}

// From the tables of two views to what the views' columns are in the query that reads both.
struct Naming {
    const LineView *view;
    const Place *documents; // the other view
    int document;           // its only table
    bool is_whole;          // whether every column has a name there
};

Node *name_outside(Node *node, void *argument) {
    auto *naming = static_cast<Naming *>(argument);
    if (node == nullptr) {
        return nullptr;
    }
    if (!IsA(node, Var)) {
        return expression_tree_mutator(node, ENTITLE_MUTATOR(name_outside), argument);
    }
    auto *column = static_cast<Var *>(copyObjectImpl(node));
    const bool is_line = column->varno == naming->view->line.number;
    const Place &outside = is_line ? naming->view->place : *naming->documents;
    const AttrNumber name =
        is_line ? name_given(naming->view->query, naming->view->line.number, column->varattno)
                : name_given(outside.entry->subquery, naming->document, column->varattno);
    naming->is_whole = naming->is_whole && name != 0;
    column->varno = outside.number;
    column->varattno = name;
    column->varlevelsup = outside.levels_up;
    return reinterpret_cast<Node *>(column);
}

bool holds_each(const List *conditions, const List *wanted) {
    for (const auto *condition : each<Node>(wanted)) {
        if (!list_member(conditions, condition)) {
            return false;
        }
    }
    return true;
}

// Whether another view shows documents, and only those that pass the same tests, and is joined by
// the key that leads from the lines to them.
bool shows_documents(const LineView &view, const Scope &scope, const Place &documents) {
    if (documents.entry->rtekind != RTE_SUBQUERY) {
        return false;
    }
    const Query *query = documents.entry->subquery;
    List *tables = NIL;
    List *conditions = NIL;
    if (!reads_rows_plainly(query) ||
        !gather_inner_joins(query, reinterpret_cast<const Node *>(query->jointree), &tables,
                            &conditions) ||
        list_length(tables) != 1) {
        return false;
    }
    const int number = linitial_int(tables);
    const RangeTblEntry *table = rt_fetch(number, query->rtable);
    const RangeTblEntry *tested = view.document.entry;
    if (table->relid != tested->relid || table->tablesample != nullptr ||
        (table->inh != tested->inh && has_subclass(table->relid))) {
        return false;
    }
    auto *tests = static_cast<List *>(copyObjectImpl(view.tests));
    ChangeVarNodes(reinterpret_cast<Node *>(tests), view.document.number, number, 0);
    if (!holds_each(conditions, tests)) {
        return false;
    }
    Naming naming{&view, &documents, number, true};
    auto *keys =
        reinterpret_cast<List *>(name_outside(reinterpret_cast<Node *>(view.keys), &naming));
    return naming.is_whole &&
           are_joined_alike(view.place, documents, scope.conditions, view.place, documents, keys);
}

// Columns of one entry of a range table.
struct Named {
    const Query *query;
    int number;
    const Bitmapset *columns;
    Index levels_up;
};

// Whether any of them is read, or may be by a name that stands for more than one.
bool is_read(Node *node, void *argument) {
    const auto *named = static_cast<const Named *>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var)) {
        const auto *column = ENTITLE_NODE(Var, node);
        if (column->varlevelsup != named->levels_up) {
            return false;
        }
        return column->varno == named->number
                   ? column->varattno <= 0 || bms_is_member(column->varattno, named->columns)
                   : rt_fetch(column->varno, named->query->rtable)->rtekind == RTE_JOIN;
    }
    if (IsA(node, Query)) {
        Named inner = *named;
        ++inner.levels_up;
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(is_read), &inner,
                                 QTW_IGNORE_JOINALIASES);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(is_read), argument);
}

// Takes the documents out of the view where nothing that it says of them is read.
bool leave_out(const Query *query, const LineView &view) {
    Bitmapset *columns = nullptr;
    for (const auto *target : each<TargetEntry>(view.query->targetList)) {
        if (names_other(reinterpret_cast<Node *>(target->expr), view.line.number)) {
            columns = bms_add_member(columns, target->resno);
        }
    }
    Named named{query, view.place.number, columns, 0};
    if (query_tree_walker(const_cast<Query *>(query), ENTITLE_WALKER(is_read), &named,
                          QTW_IGNORE_JOINALIASES)) {
        return false;
    }
    for (auto *target : each<TargetEntry>(view.query->targetList)) {
        if (bms_is_member(target->resno, columns)) {
            auto *expression = reinterpret_cast<Node *>(target->expr);
            target->expr = reinterpret_cast<Expr *>(makeNullConst(
                exprType(expression), exprTypmod(expression), exprCollation(expression)));
        }
    }
    RangeTblRef *only = makeNode(RangeTblRef);
    only->rtindex = view.line.number;
    view.query->jointree = makeFromExpr(list_make1(only), nullptr);
    return true;
}

} // namespace

bool drop_joined_documents(const QueryLevel &level, const Leaks &leaks) {
    bool is_any = false;
    for (const auto *scope : each<Scope>(scopes_of(level.query))) {
        for (const int number : each_int(scope->tables)) {
            RangeTblEntry *entry = rt_fetch(number, level.query->rtable);
            LineView view{};
            if (!list_member_ptr(leaks.told, entry) &&
                read_line_view(Place{entry, number, 0}, &view) &&
                find_joined(
                    level, *scope,
                    [&](const Place &other) { return shows_documents(view, *scope, other); }) &&
                leave_out(level.query, view)) {
                entry->security_barrier = false;
                is_any = true;
            }
        }
    }
    return is_any;
}

} // namespace entitle::pg
