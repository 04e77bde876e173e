#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/implied_test.hpp"
#include "pg/planner/join_scope.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

#include <optional>

namespace entitle::pg {

namespace {

bool are_row_tests(const List *conditions) {
    for (const auto *condition : each<Node>(conditions)) {
        if (!is_row_test(condition)) {
            return false;
        }
    }
    return true;
}

// Whether a table of the query asks of its rows just what a line asks of its document.
bool asks_the_same(const Place &joined, const Query *documents, int document,
                   const List *conditions) {
    const RangeTblEntry *entry = joined.entry;
    const RangeTblEntry *other = rt_fetch(document, documents->rtable);
    if (entry->rtekind != RTE_RELATION || entry->relid != other->relid ||
        list_length(entry->securityQuals) != 1 ||
        !is_row_test(static_cast<const Node *>(linitial(entry->securityQuals))) ||
        (entry->inh != other->inh && has_subclass(entry->relid)) || entry->tablesample != nullptr ||
        other->tablesample != nullptr || !are_row_tests(other->securityQuals)) {
        return false;
    }
    auto *wanted =
        static_cast<List *>(copyObjectImpl(list_concat_copy(conditions, other->securityQuals)));
    ChangeVarNodes(reinterpret_cast<Node *>(wanted), document, joined.number, 0);
    bool is_found = false;
    for (const auto *condition : each<Node>(wanted)) {
        if (is_row_test(condition)) {
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

// Returns: whether the line's test is about one document, and nothing else.
bool read_line_test(const RangeTblEntry *entry, int number, LineTest *test) {
    const Query *documents =
        documents_of(static_cast<const Node *>(linitial(entry->securityQuals)));
    List *tables = NIL;
    if (documents == nullptr) {
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

// A line that is joined with its document shows just when that does, whose test stays.
bool follows_document(const QueryLevel &level, const Scope &scope, int number) {
    LineTest test{};
    return read_line_test(rt_fetch(number, level.query->rtable), number, &test) &&
           find_joined(level, scope,
                       [&](const Place &joined) { return is_joined_with(test, scope, joined); });
}

// A row test as a table asks it, or a view of one table.
struct AskedTest {
    Call call;
    Oid table;
    AttrNumber customer; // as the query around names it
};

// Reads a row test that names no brand. Returns: none for other conditions.
std::optional<AskedTest> read_test_of(const Node *condition, const RangeTblEntry *table) {
    const auto call = read_row_test(condition);
    if (!call || call->is_branded || !IsA(call->customer, Var)) {
        return std::nullopt;
    }
    return AskedTest{*call, table->relid, ENTITLE_NODE(Var, call->customer)->varattno};
}

// The row test that is all that a table asks. Returns: none where more is asked.
std::optional<AskedTest> read_asked_test(const RangeTblEntry *entry) {
    if (entry->rtekind != RTE_RELATION || list_length(entry->securityQuals) != 1) {
        return std::nullopt;
    }
    return read_test_of(static_cast<const Node *>(linitial(entry->securityQuals)), entry);
}

// A row test that each row of a view has passed, whatever else is asked of it.
std::optional<AskedTest> read_passed_test(const RangeTblEntry *entry) {
    const Query *view = entry->rtekind == RTE_SUBQUERY ? entry->subquery : nullptr;
    List *tables = NIL;
    List *conditions = NIL;
    if (view == nullptr || !reads_rows_plainly(view) ||
        !gather_inner_joins(view, reinterpret_cast<const Node *>(view->jointree), &tables,
                            &conditions) ||
        list_length(tables) != 1) {
        return std::nullopt;
    }
    const int table = linitial_int(tables);
    for (const auto *condition : each<Node>(conditions)) {
        auto test = read_test_of(condition, rt_fetch(table, view->rtable));
        if (test && ENTITLE_NODE(Var, test->call.customer)->varlevelsup == 0) {
            test->customer = name_given(view, table, test->customer);
            return test->customer > 0 ? test : std::nullopt;
        }
    }
    return std::nullopt;
}

// Whether equal values are the same customer's.
bool is_equality_of_keys(Oid function) {
    switch (function) {
    case F_INT2EQ:
    case F_INT4EQ:
    case F_INT8EQ:
    case F_INT24EQ:
    case F_INT42EQ:
    case F_INT28EQ:
    case F_INT82EQ:
    case F_INT48EQ:
    case F_INT84EQ:
    case F_UUID_EQ:
        return true;
    default:
        return false;
    }
}

// A column of a table or view of the query, or of one around it.
struct Column {
    int table;
    AttrNumber number;
    Index levels_up;
};

bool is_column(const Node *node, const Column &column) {
    const auto *found = static_cast<const Var *>(static_cast<const void *>(node));
    return IsA(node, Var) && found->varno == column.table && found->varattno == column.number &&
           found->varlevelsup == column.levels_up;
}

bool are_equal(const Scope &scope, const Column &one, const Column &other) {
    for (const auto *condition : each<Node>(scope.conditions)) {
        if (!IsA(condition, OpExpr) || list_length(ENTITLE_NODE(OpExpr, condition)->args) != 2) {
            continue;
        }
        const auto *comparison = ENTITLE_NODE(OpExpr, condition);
        const auto *left = static_cast<const Node *>(linitial(comparison->args));
        const auto *right = static_cast<const Node *>(lsecond(comparison->args));
        if (is_equality_of_keys(get_opcode(comparison->opno)) &&
            ((is_column(left, one) && is_column(right, other)) ||
             (is_column(right, one) && is_column(left, other)))) {
            return true;
        }
    }
    return false;
}

double size_of(Oid table) {
    HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(row)) {
        return 0.0;
    }
    const double size = reinterpret_cast<const FormData_pg_class *>(GETSTRUCT(row))->relpages;
    ReleaseSysCache(row);
    return size;
}

// A row shows when another one of the same customer shows, by a test that asks no less. The test of
// the larger table stays, which has more use for it.
bool follows_customer(const QueryLevel &level, const Scope &scope, int number) {
    const RangeTblEntry *entry = rt_fetch(number, level.query->rtable);
    const auto test = read_asked_test(entry);
    return test && find_joined(level, scope, [&](const Place &joined) {
               if (joined.entry == entry || joined.entry->tablesample != nullptr) {
                   return false;
               }
               const auto asked = read_asked_test(joined.entry);
               const auto other = asked ? asked : read_passed_test(joined.entry);
               return other && implies(other->call, test->call) &&
                      are_equal(scope, Column{number, test->customer, 0},
                                Column{joined.number, other->customer, joined.levels_up}) &&
                      size_of(other->table) >= size_of(test->table);
           });
}

} // namespace

bool drop_implied_tests(const QueryLevel &level) {
    bool is_any = false;
    for (const auto *scope : each<Scope>(scopes_of(level.query))) {
        for (const int number : each_int(scope->tables)) {
            RangeTblEntry *entry = rt_fetch(number, level.query->rtable);
            if (entry->rtekind == RTE_RELATION && entry->tablesample == nullptr &&
                list_length(entry->securityQuals) == 1 &&
                (follows_document(level, *scope, number) ||
                 follows_customer(level, *scope, number))) {
                keep_privileges(level.query, static_cast<Node *>(linitial(entry->securityQuals)));
                entry->securityQuals = NIL;
                is_any = true;
            }
        }
    }
    return is_any;
}

} // namespace entitle::pg
