#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/document_join.hpp"
#include "pg/planner/implied_test.hpp"
#include "pg/planner/joined_view.hpp"
#include "pg/planner/leaky_query.hpp"
#include "pg/planner/opened_test.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

namespace entitle::pg {

namespace {

struct Opening {
    Leaks leaks;
    Opened opened;
};

// Whether all that the table asks of a row are tests of ours; with `is_line`, one about its
// document among them.
bool has_own_tests(const RangeTblEntry *entry, bool *is_line) {
    *is_line = false;
    for (const auto *condition : each<Node>(entry->securityQuals)) {
        if (documents_of(condition) != nullptr) {
            *is_line = true;
        } else if (!is_row_test(condition) && !IsA(condition, NullTest)) {
            return false;
        }
    }
    return entry->securityQuals != NIL;
}

// Whether the table's tests may be ordinary conditions.
bool can_open(const RangeTblEntry *entry, const Opening &opening) {
    bool is_line = false;
    return entry->rtekind == RTE_RELATION && entry->tablesample == nullptr &&
           has_own_tests(entry, &is_line) && !list_member_ptr(opening.leaks.told, entry) &&
           !(is_line && opening.leaks.is_any);
}

// Makes the table's tests a condition of its scan, wherever it is joined.
Node *open_table(const Query *query, Node *reference, Opening *opening) {
    RangeTblEntry *entry = rt_fetch(ENTITLE_NODE(RangeTblRef, reference)->rtindex, query->rtable);
    if (!can_open(entry, *opening)) {
        return reference;
    }
    bool is_line = false;
    (void)has_own_tests(entry, &is_line);
    opening->opened.has_joins = opening->opened.has_joins || is_line;
    List *tests = entry->securityQuals;
    entry->securityQuals = NIL;
    return reinterpret_cast<Node *>(
        makeFromExpr(list_make1(reference), reinterpret_cast<Node *>(make_ands_explicit(tests))));
}

Node *open_item(const Query *query, Node *item, Opening *opening) {
    check_stack_depth();
    if (IsA(item, RangeTblRef)) {
        return open_table(query, item, opening);
    }
    if (IsA(item, FromExpr)) {
        ListCell *cell = nullptr;
        foreach (cell, ENTITLE_NODE(FromExpr, item)->fromlist) {
            lfirst(cell) = open_item(query, static_cast<Node *>(lfirst(cell)), opening);
        }
    } else if (IsA(item, JoinExpr)) {
        auto *join = ENTITLE_NODE(JoinExpr, item);
        join->larg = open_item(query, join->larg, opening);
        join->rarg = open_item(query, join->rarg, opening);
    }
    return item;
}

bool has_test(const Node *node) {
    List *tests = make_ands_implicit(reinterpret_cast<Expr *>(const_cast<Node *>(node)));
    for (const auto *condition : each<Node>(tests)) {
        if (is_row_test(condition)) {
            return true;
        }
    }
    return false;
}

// Lifts the barriers of views that test their rows.
void lift_barriers(const Query *query, Opening *opening) {
    for (auto *entry : each<RangeTblEntry>(query->rtable)) {
        if (entry->rtekind != RTE_SUBQUERY || !entry->security_barrier ||
            list_member_ptr(opening->leaks.told, entry)) {
            continue;
        }
        const Query *view = entry->subquery;
        List *tables = NIL;
        List *conditions = NIL;
        if (!reads_rows_plainly(view) || !has_test(view->jointree->quals) ||
            !gather_inner_joins(view, reinterpret_cast<const Node *>(view->jointree), &tables,
                                &conditions)) {
            continue;
        }
        const bool is_joined = list_length(tables) > 1;
        if (!is_joined || !opening->leaks.is_any) {
            entry->security_barrier = false;
            opening->opened.has_joins = opening->opened.has_joins || is_joined;
        }
    }
}

// Leaves out the tests that follow from others.
void drop_implied(const QueryLevel &level, Opening *opening) {
    if (opening->leaks.is_any) {
        return;
    }
    const bool has_dropped = drop_implied_tests(level);
    if (drop_joined_documents(level, opening->leaks) || has_dropped) {
        opening->opened.has_joins = true;
    }
}

struct Visit {
    Opening *opening;
    const QueryLevel *outer;
};

bool open_queries(Node *node, void *argument);

// Where a line's test stays what it is, nothing but itself is asked in its query.
// Returns: whether there is one.
bool open_within(const RangeTblEntry *entry) {
    bool is_line = false;
    for (const auto *condition : each<Node>(entry->securityQuals)) {
        Query *documents = documents_of(condition);
        if (documents != nullptr) {
            Opening opening{find_inner_leaks(documents), {}};
            Visit visit{&opening, nullptr};
            (void)open_queries(reinterpret_cast<Node *>(documents), &visit);
            is_line = true;
        }
    }
    return is_line;
}

bool open_queries(Node *node, void *argument) {
    const auto *visit = static_cast<const Visit *>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        const auto *entry = ENTITLE_NODE(RangeTblEntry, node);
        if (!can_open(entry, *visit->opening) && open_within(entry)) {
            visit->opening->opened.has_lines = true;
        }
        return false; // the walker goes on into it by itself
    }
    if (IsA(node, Query)) {
        const QueryLevel level{ENTITLE_NODE(Query, node), visit->outer};
        Visit inner{visit->opening, &level};
        drop_implied(level, visit->opening);
        lift_barriers(level.query, visit->opening);
        // Inner queries first: those in a table's tests are no longer found there afterwards.
        (void)query_tree_walker(level.query, ENTITLE_WALKER(open_queries), &inner,
                                QTW_EXAMINE_RTES_BEFORE);
        (void)open_item(level.query, reinterpret_cast<Node *>(level.query->jointree),
                        visit->opening);
        return false;
    }
    return expression_tree_walker(node, ENTITLE_WALKER(open_queries), argument);
}

// Rows that are locked are tested again when they have changed.
bool only_reads(Node *node, void *is_reading) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        auto *query = ENTITLE_NODE(Query, node);
        if (query->commandType != CMD_SELECT || query->rowMarks != NIL) {
            *static_cast<bool *>(is_reading) = false;
            return true;
        }
        return query_tree_walker(query, ENTITLE_WALKER(only_reads), is_reading, 0);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(only_reads), is_reading);
}

} // namespace

Opened open_tests(Query *query) {
    bool is_reading = true;
    (void)only_reads(reinterpret_cast<Node *>(query), &is_reading);
    if (!is_reading) {
        return Opened{};
    }
    Opening opening{find_leaks(query), {}};
    Visit visit{&opening, nullptr};
    (void)open_queries(reinterpret_cast<Node *>(query), &visit);
    opening.opened.must_sort_last = opening.opened.has_joins && opening.leaks.is_sorting;
    return opening.opened;
}

} // namespace entitle::pg
