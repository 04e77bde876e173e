#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/assumption.hpp"
#include "pg/planner/document_join.hpp"
#include "pg/planner/implied_mask.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
}

namespace entitle::pg {

namespace {

// A test of rows that have a customer, whatever the brand. Shared rows have none, and what is
// masked of them stays so.
std::optional<Call> read_plain_test(const Node *node) {
    const auto call = read_row_test(node);
    return call && !call->is_branded && call->level && call->customer != nullptr &&
                   !is_shared_test(ENTITLE_NODE(FuncExpr, node)->funcid)
               ? call
               : std::nullopt;
}

// The view's test as it would be at a level.
Call at_level(const Call &shown, int level) {
    Call raised = shown;
    raised.level = level;
    return raised;
}

// Whether the mask opens for each row that the view shows at the level.
bool is_implied(const Call &shown, int level, const Call &mask) {
    return equal(shown.customer, mask.customer) && implies(at_level(shown, level), mask);
}

// What is looked for in a view's columns.
struct Search {
    Call shown;
    int level; // the highest at which the asker has the same customers
};

bool find_level(Node *node, void *argument) {
    auto *search = static_cast<Search *>(argument);
    if (node == nullptr) {
        return false;
    }
    const auto mask = read_plain_test(node);
    if (mask && *mask->level > search->level && is_implied(search->shown, *mask->level, *mask)) {
        const Question same{
            Fact::reaches_alike, {}, *search->shown.level, static_cast<std::size_t>(*mask->level)};
        search->level = ask(same) ? *mask->level : search->level;
    }
    return expression_tree_walker(node, ENTITLE_WALKER(find_level), argument);
}

Node *open_masks(Node *node, void *argument) {
    const auto *search = static_cast<const Search *>(argument);
    const auto mask = read_plain_test(node);
    if (mask && is_implied(search->shown, search->level, *mask)) {
        return makeBoolConst(true, false);
    }
    return expression_tree_mutator(node, ENTITLE_MUTATOR(open_masks), argument);
}

} // namespace

List *open_implied_masks(Query *view) {
    List *levels = NIL;
    List *tables = NIL;
    List *conditions = NIL;
    if (!reads_rows_plainly(view) ||
        !gather_inner_joins(view, reinterpret_cast<const Node *>(view->jointree), &tables,
                            &conditions)) {
        return levels;
    }
    for (auto *condition : each<Node>(conditions)) {
        const auto shown = read_plain_test(condition);
        if (!shown) {
            continue;
        }
        Search search{*shown, *shown->level};
        (void)find_level(reinterpret_cast<Node *>(view->targetList), &search);
        if (search.level > *shown->level) {
            levels = lappend_int(levels, *shown->level);
            levels = lappend_int(levels, search.level);
            set_level(ENTITLE_NODE(FuncExpr, condition), search.level);
            view->targetList = reinterpret_cast<List *>(
                open_masks(reinterpret_cast<Node *>(view->targetList), &search));
        }
    }
    return levels;
}

} // namespace entitle::pg
