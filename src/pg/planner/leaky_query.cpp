#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/document_join.hpp"
#include "pg/planner/leakproof.hpp"
#include "pg/planner/leaky_query.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

namespace entitle::pg {

namespace {

struct Search {
    Leaks *leaks;
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
void search_query(Leaks *leaks, Query *query, const QueryLevel *outer, Columns columns);

void search_in(Leaks *leaks, const QueryLevel *level, void *node, bool is_computed) {
    Search context{leaks, level, false, is_computed};
    (void)search(static_cast<Node *>(node), &context);
}

bool tell_all_tables(Node *node, void *leaks) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        List *&told = static_cast<Leaks *>(leaks)->told;
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
        Leaks found{NIL, false, false};
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
        search_query(context->leaks, ENTITLE_NODE(Query, node), context->level, Columns::anywhere);
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
        below.is_computed = true;
        below.is_leaked = false;
    } else if (!below.is_computed && counts_calls(node)) {
        tell_everything(context);
    } else if (!below.is_computed && may_leak(node)) {
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

void search_tables(Leaks *leaks, const QueryLevel *level) {
    for (auto *entry : each<RangeTblEntry>(level->query->rtable)) {
        search_in(leaks, level, entry->securityQuals, false);
        search_in(leaks, level, entry->tablesample, false);
        if (entry->rtekind == RTE_SUBQUERY) {
            search_query(leaks, entry->subquery, level, columns_of(level->query, entry));
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
void search_sorting(Leaks *leaks, const QueryLevel *level) {
    Leaks found{NIL, false, false};
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

void search_query(Leaks *leaks, Query *query, const QueryLevel *outer, Columns columns) {
    check_stack_depth();
    const QueryLevel level{query, outer};
    search_tables(leaks, &level);
    for (const auto *table : each<CommonTableExpr>(query->cteList)) {
        search_in(leaks, &level, table->ctequery, false);
    }
    search_in(leaks, &level, query->jointree, false);
    search_in(leaks, &level, query->havingQual, false);
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
    Leaks leaks{NIL, false, false};
    search_query(&leaks, query, nullptr, Columns::result);
    return leaks;
}

Leaks find_inner_leaks(Query *query) {
    Leaks leaks{NIL, false, false};
    search_query(&leaks, query, nullptr, Columns::anywhere);
    return leaks;
}

} // namespace entitle::pg
