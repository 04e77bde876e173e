#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/document_join.hpp"
#include "pg/planner/leaky_query.hpp"
#include "pg/planner/opened_test.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
}

namespace entitle::pg {

namespace {

struct Opening {
    Leaks leaks;
    Opened opened;
};

bool is_test(const Node *condition) {
    bool is_branded = false;
    return condition != nullptr && IsA(condition, FuncExpr) &&
           is_row_test(ENTITLE_NODE(FuncExpr, condition)->funcid, is_branded);
}

// Whether all that the table asks of a row are tests of ours; with `is_line`, one about its
// document among them.
bool has_own_tests(const RangeTblEntry *entry, bool *is_line) {
    *is_line = false;
    for (const auto *condition : each<Node>(entry->securityQuals)) {
        if (documents_of(condition) != nullptr) {
            *is_line = true;
        } else if (!is_test(condition) && !IsA(condition, NullTest)) {
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

// A query among those it stands in.
struct Level {
    Query *query;
    const Level *outer;
};

// Tables that appear together, and the conditions that hold for each of their rows that appears.
struct Scope {
    List *tables;
    List *conditions;
    List *beside; // the tables of the side that an outer join keeps
};

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

// Whether a table of the query asks of its rows just what a line asks of its document.
bool asks_the_same(const Place &joined, const Query *documents, int document,
                   const List *conditions) {
    const RangeTblEntry *entry = joined.entry;
    const RangeTblEntry *other = rt_fetch(document, documents->rtable);
    if (entry->rtekind != RTE_RELATION || entry->relid != other->relid ||
        list_length(entry->securityQuals) != 1 ||
        !is_test(static_cast<const Node *>(linitial(entry->securityQuals))) ||
        (entry->inh != other->inh && has_subclass(entry->relid)) || entry->tablesample != nullptr) {
        return false;
    }
    auto *wanted =
        static_cast<List *>(copyObjectImpl(list_concat_copy(conditions, other->securityQuals)));
    ChangeVarNodes(reinterpret_cast<Node *>(wanted), document, joined.number, 0);
    bool is_found = false;
    for (const auto *condition : each<Node>(wanted)) {
        if (is_test(condition)) {
            if (!equal(condition, linitial(entry->securityQuals))) {
                return false;
            }
            is_found = true;
        }
    }
    return is_found;
}

// A line's test taken apart.
struct LineTest {
    const Query *documents;
    Place document;
    Place line; // as the document's query sees it
    List *conditions;
};

bool is_joined_with(const LineTest &test, const Scope &scope, const Place &joined) {
    const Place line{test.line.entry, test.line.number, 0};
    return asks_the_same(joined, test.documents, test.document.number, test.conditions) &&
           are_joined_alike(line, joined, scope.conditions, test.line, test.document,
                            test.conditions);
}

// A line that is joined with its document shows just when that does, whose test stays. The document
// may be one of a query around, which asks for lines of the row at hand.
bool follows_joined(const Level &level, const Scope &scope, const LineTest &test) {
    for (const List *tables : {scope.tables, scope.beside}) {
        for (const int other : each_int(tables)) {
            const Place joined{rt_fetch(other, level.query->rtable), other, 0};
            if (other != test.line.number && is_joined_with(test, scope, joined)) {
                return true;
            }
        }
    }
    Index levels_up = 1;
    for (const Level *outer = level.outer; outer != nullptr; outer = outer->outer) {
        for (int other = 1; other <= list_length(outer->query->rtable); ++other) {
            const Place joined{rt_fetch(other, outer->query->rtable), other, levels_up};
            if (is_joined_with(test, scope, joined)) {
                return true;
            }
        }
        ++levels_up;
    }
    return false;
}

// Returns: whether the line's test is about one document, and nothing else.
bool read_line_test(const RangeTblEntry *entry, int number, LineTest *test) {
    Query *documents = documents_of(static_cast<const Node *>(linitial(entry->securityQuals)));
    List *tables = NIL;
    if (documents == nullptr || list_length(entry->securityQuals) != 1) {
        return false;
    }
    test->conditions = NIL;
    (void)gather_inner_joins(documents, reinterpret_cast<const Node *>(documents->jointree),
                             &tables, &test->conditions);
    const int document = linitial_int(tables);
    test->documents = documents;
    test->document = Place{rt_fetch(document, documents->rtable), document, 0};
    test->line = Place{entry, number, 1};
    return list_length(tables) == 1;
}

// Leaves out the tests of lines whose documents the query joins.
void drop_joined(const Level &level, Opening *opening) {
    List *scopes = NIL;
    begin_scope(reinterpret_cast<const Node *>(level.query->jointree), nullptr, nullptr, &scopes);
    for (const auto *scope : each<Scope>(scopes)) {
        for (const int number : each_int(scope->tables)) {
            RangeTblEntry *entry = rt_fetch(number, level.query->rtable);
            LineTest test{};
            if (can_open(entry, *opening) && read_line_test(entry, number, &test) &&
                follows_joined(level, *scope, test)) {
                keep_privileges(level.query, static_cast<Node *>(linitial(entry->securityQuals)));
                entry->securityQuals = NIL;
                opening->opened.has_joins = true;
            }
        }
    }
}

bool has_test(const Node *node) {
    List *tests = make_ands_implicit(reinterpret_cast<Expr *>(const_cast<Node *>(node)));
    for (const auto *condition : each<Node>(tests)) {
        if (is_test(condition)) {
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

struct Visit {
    Opening *opening;
    const Level *outer;
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
        const Level level{ENTITLE_NODE(Query, node), visit->outer};
        Visit inner{visit->opening, &level};
        drop_joined(level, visit->opening);
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
    return opening.opened;
}

} // namespace entitle::pg
