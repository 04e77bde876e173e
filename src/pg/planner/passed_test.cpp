#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/assumption.hpp"
#include "pg/planner/document_join.hpp"
#include "pg/planner/implied_mask.hpp"
#include "pg/planner/passed_test.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
}

namespace entitle::pg {

namespace {

struct Passing {
    Reliance reliance;
    bool is_reading; // what writes through a view goes by its trigger, row by row
};

// Adds a permission that was found to be held.
void rely_on(Passing *passing, std::string_view permission) {
    char *name = pnstrdup(permission.data(), permission.size());
    for (auto *known : each<String>(passing->reliance.permissions)) {
        if (strcmp(strVal(known), name) == 0) {
            return;
        }
    }
    passing->reliance.permissions = lappend(passing->reliance.permissions, makeString(name));
}

// Whether a row test says TRUE for every row because of a permission.
bool is_passed(const Node *condition, Passing *passing) {
    const auto call = read_row_test(condition);
    if (!call || call->is_branded || !call->permission ||
        !can_be_assumed(permission_question(*call)) || !ask(permission_question(*call))) {
        return false;
    }
    rely_on(passing, *call->permission);
    return true;
}

// Takes the passed tests out of a list of conditions.
List *without_passed(const List *conditions, Passing *passing) {
    List *kept = NIL;
    for (auto *condition : each<Node>(conditions)) {
        if (!is_passed(condition, passing)) {
            kept = lappend(kept, condition);
        }
    }
    return kept;
}

// The same within an expression: TRUE takes their place.
Node *mark_passed(Node *node, void *passing) {
    if (node != nullptr && is_passed(node, static_cast<Passing *>(passing))) {
        return makeBoolConst(true, false);
    }
    return expression_tree_mutator(node, ENTITLE_MUTATOR(mark_passed), passing);
}

// Follows foreign keys from a line to its document, through all of the tables.
// Returns: false when a document may be missing for another reason than a NULL in `nullable`.
bool reaches_document(const Query *query, Place line, List *tables, List **conditions,
                      Bitmapset **nullable) {
    bool is_first = true;
    while (tables != NIL) {
        int next = 0;
        Bitmapset *may_be_null = nullptr;
        for (const int number : each_int(tables)) {
            const Place document{rt_fetch(number, query->rtable), number, 0};
            if (joins_by_key(line, document, conditions, &may_be_null)) {
                line = document;
                next = number;
                break;
            }
        }
        if (next == 0 || (!is_first && !bms_is_empty(may_be_null))) {
            return false;
        }
        *nullable = is_first ? may_be_null : *nullable;
        is_first = false;
        tables = list_delete_int(tables, next);
    }
    return true;
}

// column IS NOT NULL, for each of them.
List *not_null(const Place &line, const Bitmapset *columns) {
    List *conditions = NIL;
    for (int column = -1; (column = bms_next_member(columns, column)) >= 0;) {
        Oid type = InvalidOid;
        int32 modifier = -1;
        Oid collation = InvalidOid;
        get_atttypetypmodcoll(line.entry->relid, static_cast<AttrNumber>(column), &type, &modifier,
                              &collation);
        NullTest *test = makeNode(NullTest);
        test->arg = reinterpret_cast<Expr *>(
            makeVar(line.number, static_cast<AttrNumber>(column), type, modifier, collation, 0));
        test->nulltesttype = IS_NOT_NULL;
        test->argisrow = false;
        test->location = -1;
        conditions = lappend(conditions, test);
    }
    return conditions;
}

// Whether all conditions of a table are passed.
bool is_open(const RangeTblEntry *entry, Passing *passing) {
    return without_passed(entry->securityQuals, passing) == NIL;
}

void open_tables(Query *query, Passing *passing);

// A line's test: whether there is a document that shows. Where all of them do, there is one.
// Returns: what is left of the test.
List *open_line(Query *query, int number, Node *test, Passing *passing) {
    List *const unchanged = list_make1(test);
    if (!IsA(test, SubLink) || ENTITLE_NODE(SubLink, test)->subLinkType != EXISTS_SUBLINK) {
        return unchanged;
    }
    auto *documents = ENTITLE_NODE(Query, ENTITLE_NODE(SubLink, test)->subselect);
    open_tables(documents, passing);
    List *tables = NIL;
    List *conditions = NIL;
    if (!reads_rows_plainly(documents) ||
        !gather_inner_joins(documents, reinterpret_cast<const Node *>(documents->jointree), &tables,
                            &conditions)) {
        return unchanged;
    }
    for (const int table : each_int(tables)) {
        if (!is_open(rt_fetch(table, documents->rtable), passing)) {
            return unchanged;
        }
    }
    List *left = without_passed(conditions, passing);
    const Place line{rt_fetch(number, query->rtable), number, 1};
    Bitmapset *nullable = nullptr;
    if (!reaches_document(documents, line, tables, &left, &nullable) || left != NIL) {
        return unchanged;
    }
    keep_privileges(query, test);
    return not_null(line, nullable);
}

void open_tables(Query *query, Passing *passing) {
    const int count = list_length(query->rtable); // what is kept for its privileges comes behind
    for (int number = 1; number <= count; ++number) {
        RangeTblEntry *entry = rt_fetch(number, query->rtable);
        if (entry->rtekind != RTE_RELATION || entry->securityQuals == NIL) {
            continue;
        }
        List *left = NIL;
        for (auto *condition : each<Node>(without_passed(entry->securityQuals, passing))) {
            left = list_concat(left, open_line(query, number, condition, passing));
        }
        // The list of the range table may have been made anew.
        rt_fetch(number, query->rtable)->securityQuals = left;
    }
}

// A view of lines joins their documents. Where all of those show, it needs the lines only, unless
// it gives out something of the documents.
bool leave_out_documents(Query *view, List *tables, List *conditions, Passing *passing) {
    int number = linitial_int(tables);
    const Place line{rt_fetch(number, view->rtable), number, 0};
    Bitmapset *nullable = nullptr;
    for (const int table : each_int(tables)) {
        if (!is_open(rt_fetch(table, view->rtable), passing)) {
            return false;
        }
    }
    if (!reaches_document(view, line, list_delete_first(list_copy(tables)), &conditions,
                          &nullable) ||
        conditions != NIL) {
        return false;
    }
    auto *columns =
        reinterpret_cast<List *>(mark_passed(reinterpret_cast<Node *>(view->targetList), passing));
    if (names_other(reinterpret_cast<Node *>(columns), number)) {
        return false;
    }
    view->targetList = columns;
    RangeTblRef *only = makeNode(RangeTblRef);
    only->rtindex = number;
    List *const left = not_null(line, nullable);
    view->jointree =
        makeFromExpr(list_make1(only),
                     left == NIL ? nullptr : reinterpret_cast<Node *>(make_ands_explicit(left)));
    return true;
}

// Whether no row of the view is hidden from the asker: all that can hide one is the view's
// condition. Any view will do, whoever made it.
bool is_open_view(Query *view, Passing *passing) {
    List *tables = NIL;
    List *conditions = NIL;
    if (!reads_rows_plainly(view) ||
        !gather_inner_joins(view, reinterpret_cast<const Node *>(view->jointree), &tables,
                            &conditions)) {
        return false;
    }
    List *left = without_passed(conditions, passing);
    if (list_length(left) == list_length(conditions)) {
        return false; // no view of a protected table
    }
    return list_length(tables) == 1 ? left == NIL
                                    : leave_out_documents(view, tables, left, passing);
}

bool visit(Node *node, void *argument) {
    auto *passing = static_cast<Passing *>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto *entry = ENTITLE_NODE(RangeTblEntry, node);
        if (passing->is_reading && entry->rtekind == RTE_SUBQUERY && entry->security_barrier) {
            open_tables(entry->subquery, passing);
            entry->security_barrier = !is_open_view(entry->subquery, passing);
            if (entry->security_barrier) {
                passing->reliance.levels =
                    list_concat(passing->reliance.levels, open_implied_masks(entry->subquery));
            }
        }
        return false; // the walker goes on into the subquery by itself
    }
    if (IsA(node, Query)) {
        auto *query = ENTITLE_NODE(Query, node);
        Passing inner{passing->reliance, passing->is_reading && query->commandType == CMD_SELECT};
        open_tables(query, &inner);
        (void)query_tree_walker(query, ENTITLE_WALKER(visit), &inner, QTW_EXAMINE_RTES_BEFORE);
        passing->reliance = inner.reliance;
        return false;
    }
    return expression_tree_walker(node, ENTITLE_WALKER(visit), passing);
}

} // namespace

Reliance drop_passed_tests(Query *query) {
    Passing passing{{NIL, NIL}, true};
    (void)visit(reinterpret_cast<Node *>(query), &passing);
    return passing.reliance;
}

} // namespace entitle::pg
