#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/document_join.hpp"
#include "pg/planner/leakproof.hpp"
#include "pg/planner/leaky_query.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

namespace entitle::pg {

namespace {

// What a search is for.
struct Finding : Leaks {
    bool is_probe;  // only whether there is any leak
    bool is_nested; // within a query in a condition, which may be run or not
    int cte_visits;
};

struct Search {
    Finding *leaks;
    const QueryLevel *level;
    bool is_leaked;   // below an expression that may leak
    bool is_computed; // after all joins: only queries further in matter
};

// What becomes of a query's own columns.
enum class Columns {
    result,   // the client's: after all joins
    by_name,  // looked at where somebody uses them
    anywhere, // the planner may work them out early
};

bool search(Node *node, void *context);
void search_query(Finding *leaks, Query *query, const QueryLevel *outer, Columns columns);

// Conditions and columns, each for itself. Whether the leaking part of one is reached may depend on
// any of its other parts: so where something in it leaks, be it about other tables or about none,
// all of its columns are told.
void search_in(Finding *leaks, const QueryLevel *level, void *node, bool is_computed) {
    if (node != nullptr && IsA(node, List)) {
        for (auto *item : each<Node>(static_cast<List *>(node))) {
            search_in(leaks, level, item, is_computed);
        }
        return;
    }
    Search context{leaks, level, false, is_computed};
    if (!leaks->is_probe && !is_computed) {
        Finding probe{};
        probe.is_probe = true;
        Search first{&probe, level, false, false};
        (void)search(static_cast<Node *>(node), &first);
        context.is_leaked = probe.is_any;
        leaks->is_any = leaks->is_any || probe.is_any;
    }
    (void)search(static_cast<Node *>(node), &context);
}

void search_conditions(Finding *leaks, const QueryLevel *level, Node *conditions) {
    search_in(leaks, level, make_ands_implicit(reinterpret_cast<Expr *>(conditions)), false);
}

// What is joined, and by which conditions.
void search_joins(Finding *leaks, const QueryLevel *level, Node *item) {
    check_stack_depth();
    if (IsA(item, FromExpr)) {
        for (auto *part : each<Node>(ENTITLE_NODE(FromExpr, item)->fromlist)) {
            search_joins(leaks, level, part);
        }
        search_conditions(leaks, level, ENTITLE_NODE(FromExpr, item)->quals);
    } else if (IsA(item, JoinExpr)) {
        search_joins(leaks, level, ENTITLE_NODE(JoinExpr, item)->larg);
        search_joins(leaks, level, ENTITLE_NODE(JoinExpr, item)->rarg);
        search_conditions(leaks, level, ENTITLE_NODE(JoinExpr, item)->quals);
    }
}

bool tell_all_tables(Node *node, void *leaks) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        List *&told = static_cast<Finding *>(leaks)->told;
        told = list_append_unique_ptr(told, node);
        return false;
    }
    if (IsA(node, Query)) {
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(tell_all_tables), leaks,
                                 QTW_EXAMINE_RTES_BEFORE);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(tell_all_tables), leaks);
}

const QueryLevel *level_of(const QueryLevel *level, const Var *column) {
    for (Index up = column->varlevelsup; up > 0 && level != nullptr; --up) {
        level = level->outer;
    }
    return level;
}

// What a column of a join, or of a grouped query, stands for. Returns: null when it is a table's
// own.
Node *meaning_of(const RangeTblEntry *entry, const Var *column) {
    const List *meanings =
        entry->rtekind == RTE_JOIN ? entry->joinaliasvars : entitle_group_expressions(entry);
    return column->varattno > 0 && column->varattno <= list_length(meanings)
               ? static_cast<Node *>(list_nth(meanings, column->varattno - 1))
               : nullptr;
}

// The column of a query in FROM that a column names.
Node *column_of_query(const RangeTblEntry *entry, const Var *column) {
    for (const auto *item : each<TargetEntry>(entry->subquery->targetList)) {
        if (item->resno == column->varattno) {
            return reinterpret_cast<Node *>(item->expr);
        }
    }
    return nullptr;
}

bool has_leak(Node *node, void *) {
    return node != nullptr &&
           (may_leak(node) || expression_tree_walker(node, ENTITLE_WALKER(has_leak), nullptr));
}

// All of the query at hand, and of those around it.
void tell_everything(const Search *context) {
    context->leaks->is_any = true;
    for (const QueryLevel *level = context->level; level != nullptr; level = level->outer) {
        (void)tell_all_tables(reinterpret_cast<Node *>(level->query), context->leaks);
    }
}

void search_column(const Var *column, Search *context);

struct OuterColumns {
    Search *context;
    Index depth;
};

// The columns of the queries around.
bool tell_outer(Node *node, void *argument) {
    auto *outer = static_cast<OuterColumns *>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var) && ENTITLE_NODE(Var, node)->varlevelsup >= outer->depth) {
        Var column = *ENTITLE_NODE(Var, node);
        column.varlevelsup -= outer->depth;
        search_column(&column, outer->context);
        return false;
    }
    if (IsA(node, Query)) {
        OuterColumns inner{outer->context, outer->depth + 1};
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(tell_outer), &inner, 0);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(tell_outer), argument);
}

// All of a query in a condition that leaks, and what it takes from the queries around.
void tell_query(Query *query, Search *context) {
    context->leaks->is_any = true;
    if (!context->leaks->is_probe) {
        OuterColumns outer{context, 0};
        (void)tell_all_tables(reinterpret_cast<Node *>(query), context->leaks);
        (void)tell_outer(reinterpret_cast<Node *>(query), &outer);
    }
}

// A column that reaches an expression that may leak, or one that does not.
void search_column(const Var *column, Search *context) {
    const QueryLevel *level = level_of(context->level, column);
    if (level == nullptr) {
        context->leaks->is_any = context->leaks->is_any || context->is_leaked;
        return;
    }
    RangeTblEntry *entry = rt_fetch(column->varno, level->query->rtable);
    Node *meaning = meaning_of(entry, column);
    if (meaning != nullptr || (entry->rtekind == RTE_JOIN && column->varattno == 0)) {
        Search of_meaning{context->leaks, level, context->is_leaked, context->is_computed};
        (void)search(meaning != nullptr ? meaning : reinterpret_cast<Node *>(entry->joinaliasvars),
                     &of_meaning);
        return;
    }
    if (context->is_leaked) {
        context->leaks->is_any = true;
        (void)tell_all_tables(reinterpret_cast<Node *>(entry), context->leaks);
        (void)tell_all_tables(reinterpret_cast<Node *>(entry->subquery), context->leaks);
        if (entry->rtekind == RTE_CTE) {
            tell_everything(context);
        }
    } else if (entry->rtekind == RTE_SUBQUERY && !context->is_computed) {
        const QueryLevel inner{entry->subquery, level};
        if (column->varattno > 0) {
            search_in(context->leaks, &inner, column_of_query(entry, column), false);
        } else {
            search_in(context->leaks, &inner, entry->subquery->targetList, false);
        }
    }
}

// What an aggregate sorts its rows by may be what the query sorts by.
void search_aggregate(const Aggref *aggregate, const Search *context) {
    if (aggregate->aggorder != NIL || aggregate->aggdistinct != NIL) {
        Finding found{};
        found.is_probe = true;
        search_in(&found, context->level, aggregate->args, false);
        context->leaks->is_sorting = context->leaks->is_sorting || found.is_any;
    }
}

// What the rows meet on their way through the joins.
bool search(Node *node, void *argument) {
    auto *context = static_cast<Search *>(argument);
    if (node == nullptr) {
        return false;
    }
    check_stack_depth();
    if (IsA(node, Query)) {
        auto *query = ENTITLE_NODE(Query, node);
        if (context->is_leaked) {
            tell_query(query, context);
            return false;
        }
        const bool was_nested = context->leaks->is_nested;
        context->leaks->is_nested = context->leaks->is_probe;
        search_query(context->leaks, query, context->level, Columns::anywhere);
        context->leaks->is_nested = was_nested;
        return false;
    }
    if (IsA(node, Var)) {
        search_column(ENTITLE_NODE(Var, node), context);
        return false;
    }
    // The sublink's columns meet the comparison as parameters.
    if (IsA(node, SubLink) && has_leak(ENTITLE_NODE(SubLink, node)->testexpr, nullptr)) {
        context->leaks->is_any = true;
        (void)tell_all_tables(ENTITLE_NODE(SubLink, node)->subselect, context->leaks);
    }
    if (IsA(node, Aggref)) {
        search_aggregate(ENTITLE_NODE(Aggref, node), context);
    }
    Search below = *context;
    if (IsA(node, Aggref) || IsA(node, WindowFunc)) {
        const bool is_early = context->leaks->is_nested ||
                              (IsA(node, Aggref) && may_have_conditions(context->level->query));
        below.is_computed = !is_early;
        below.is_leaked = false;
        if (context->leaks->is_nested &&
            (IsA(node, WindowFunc) || may_fail(ENTITLE_NODE(Aggref, node)))) {
            context->leaks->is_any = true;
        }
    } else if (!below.is_computed && counts_calls(node)) {
        tell_everything(context);
    } else if (!below.is_computed && may_leak(node) && !is_folded(node)) {
        context->leaks->is_any = true;
        below.is_leaked = true;
    }
    return expression_tree_walker(node, ENTITLE_WALKER(search), &below);
}

bool has_outer_join(const Node *item) {
    if (IsA(item, FromExpr)) {
        for (const auto *part : each<Node>(ENTITLE_NODE(FromExpr, item)->fromlist)) {
            if (has_outer_join(part)) {
                return true;
            }
        }
        return false;
    }
    return IsA(item, JoinExpr) && (ENTITLE_NODE(JoinExpr, item)->jointype != JOIN_INNER ||
                                   has_outer_join(ENTITLE_NODE(JoinExpr, item)->larg) ||
                                   has_outer_join(ENTITLE_NODE(JoinExpr, item)->rarg));
}

// Below an outer join, where rows are grouped in several ways, and where a query looks at its
// neighbours, the planner works out the columns of a query in FROM as early as it can.
Columns columns_of(const Query *query, const RangeTblEntry *entry) {
    return entry->lateral || query->groupingSets != NIL || query->setOperations != nullptr ||
                   has_outer_join(reinterpret_cast<const Node *>(query->jointree))
               ? Columns::anywhere
               : Columns::by_name;
}

// Where one of its columns leaks early, a view keeps its barrier.
void search_subquery(Finding *leaks, const QueryLevel *level, RangeTblEntry *entry) {
    const Columns columns = columns_of(level->query, entry);
    if (columns == Columns::anywhere && entry->security_barrier && !leaks->is_probe) {
        Finding probe{};
        probe.is_probe = true;
        search_query(&probe, entry->subquery, level, columns);
        if (probe.is_any) {
            leaks->told = list_append_unique_ptr(leaks->told, entry);
        }
    }
    search_query(leaks, entry->subquery, level, columns);
}

// The rows that a query in a condition takes from a query of WITH.
void search_cte(Finding *leaks, const QueryLevel *level, const RangeTblEntry *entry) {
    constexpr int kMostVisits = 100;
    for (Index up = entry->ctelevelsup; up > 0 && level != nullptr; --up) {
        level = level->outer;
    }
    if (entry->self_reference || level == nullptr || ++leaks->cte_visits > kMostVisits) {
        leaks->is_any = true;
        return;
    }
    for (const auto *table : each<CommonTableExpr>(level->query->cteList)) {
        if (strcmp(table->ctename, entry->ctename) == 0) {
            leaks->is_any = leaks->is_any || table->cterecursive;
            search_query(leaks, ENTITLE_NODE(Query, table->ctequery), level, Columns::anywhere);
        }
    }
}

void search_tables(Finding *leaks, const QueryLevel *level) {
    for (auto *entry : each<RangeTblEntry>(level->query->rtable)) {
        search_in(leaks, level, entry->securityQuals, false);
        search_in(leaks, level, entry->tablesample, false);
        if (entry->rtekind == RTE_SUBQUERY) {
            search_subquery(leaks, level, entry);
        } else if (entry->rtekind == RTE_CTE && leaks->is_nested) {
            search_cte(leaks, level, entry);
        } else if (entry->rtekind == RTE_FUNCTION) {
            for (const auto *function : each<RangeTblFunction>(entry->functions)) {
                search_in(leaks, level, function->funcexpr, false);
            }
        } else if (entry->rtekind == RTE_TABLEFUNC) {
            leaks->is_any = true;
            (void)tell_all_tables(reinterpret_cast<Node *>(level->query), leaks);
        } else if (entry->rtekind == RTE_VALUES) {
            search_in(leaks, level, entry->values_lists, false);
        }
    }
}

// Notes whether what rows are grouped or ordered by may leak.
void search_sorting(Finding *leaks, const QueryLevel *level) {
    Finding found{};
    found.is_probe = true;
    for (auto *item : each<TargetEntry>(level->query->targetList)) {
        if (item->ressortgroupref != 0) {
            search_in(&found, level, item->expr, false);
        }
    }
    for (const auto *entry : each<RangeTblEntry>(level->query->rtable)) {
        search_in(&found, level, entitle_group_expressions(entry), false);
    }
    leaks->is_sorting = leaks->is_sorting || found.is_any || found.is_sorting;
}

void search_query(Finding *leaks, Query *query, const QueryLevel *outer, Columns columns) {
    check_stack_depth();
    const QueryLevel level{query, outer};
    search_tables(leaks, &level);
    for (const auto *table : each<CommonTableExpr>(query->cteList)) {
        search_query(leaks, ENTITLE_NODE(Query, table->ctequery), &level, Columns::anywhere);
    }
    search_joins(leaks, &level, reinterpret_cast<Node *>(query->jointree));
    search_conditions(leaks, &level, query->havingQual);
    leaks->is_any = leaks->is_any || (leaks->is_nested && may_fail(query));
    search_in(leaks, &level, query->limitOffset, true);
    search_in(leaks, &level, query->limitCount, true);
    search_in(leaks, &level, query->targetList, columns != Columns::anywhere);
    search_sorting(leaks, &level);
    if (columns == Columns::anywhere) {
        for (const auto *entry : each<RangeTblEntry>(query->rtable)) {
            search_in(leaks, &level, entitle_group_expressions(entry), false);
        }
    }
}

} // namespace

Leaks find_leaks(Query *query) {
    Finding leaks{};
    search_query(&leaks, query, nullptr, Columns::result);
    return leaks;
}

Leaks find_inner_leaks(Query *query) {
    Finding leaks{};
    search_query(&leaks, query, nullptr, Columns::anywhere);
    return leaks;
}

} // namespace entitle::pg
