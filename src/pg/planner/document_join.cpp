#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/document_join.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace entitle::pg {

namespace {

// One comparison of a key, as foreign keys have it: the document's column before the line's.
struct KeyPair {
    AttrNumber line;
    AttrNumber document;
    Oid operation;
};

const Var *column_at(const Node *node, const Place &place) {
    while (IsA(node, RelabelType)) {
        node = reinterpret_cast<const Node *>(ENTITLE_NODE(RelabelType, node)->arg);
    }
    const Var *column = IsA(node, Var) ? ENTITLE_NODE(Var, node) : nullptr;
    return column != nullptr && column->varno == place.number &&
                   column->varlevelsup == place.levels_up
               ? column
               : nullptr;
}

bool read_pair(const Node *condition, const Place &line, const Place &document, KeyPair *pair) {
    if (!IsA(condition, OpExpr) || list_length(ENTITLE_NODE(OpExpr, condition)->args) != 2) {
        return false;
    }
    const auto *comparison = ENTITLE_NODE(OpExpr, condition);
    const auto *left = static_cast<const Node *>(linitial(comparison->args));
    const auto *right = static_cast<const Node *>(lsecond(comparison->args));
    if (column_at(left, document) != nullptr && column_at(right, line) != nullptr) {
        *pair = KeyPair{column_at(right, line)->varattno, column_at(left, document)->varattno,
                        comparison->opno};
        return true;
    }
    if (column_at(right, document) != nullptr && column_at(left, line) != nullptr) {
        *pair = KeyPair{column_at(left, line)->varattno, column_at(right, document)->varattno,
                        get_commutator(comparison->opno)};
        return true;
    }
    return false;
}

// Finds the comparison of a key's columns. Returns: the condition, null when there is none.
Node *find_pair(const ForeignKeyCacheInfo *key, int number, const Place &line,
                const Place &document, const List *conditions) {
    for (auto *condition : each<Node>(conditions)) {
        KeyPair pair{};
        if (read_pair(condition, line, document, &pair) && pair.line == key->conkey[number] &&
            pair.document == key->confkey[number] && pair.operation == key->conpfeqop[number]) {
            return condition;
        }
    }
    return nullptr;
}

bool is_validated(Oid constraint) {
    HeapTuple row = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
    if (!HeapTupleIsValid(row)) {
        return false;
    }
    const auto *form = reinterpret_cast<const FormData_pg_constraint *>(GETSTRUCT(row));
    const bool is_valid = form->convalidated && !form->condeferrable && !entitle_is_temporal(form);
    ReleaseSysCache(row);
    return is_valid;
}

// Tables that inherit have no part in a foreign key; partitions have.
bool has_heirs(const RangeTblEntry *entry) {
    return entry->inh && entry->relkind != RELKIND_PARTITIONED_TABLE && has_subclass(entry->relid);
}

bool joins_by(const ForeignKeyCacheInfo *key, const Place &line, const Place &document,
              List **conditions) {
    List *used = NIL;
    for (int i = 0; i < key->nkeys; ++i) {
        Node *pair = find_pair(key, i, line, document, *conditions);
        if (pair == nullptr) {
            return false;
        }
        used = lappend(used, pair);
    }
    if (!is_validated(key->conoid)) {
        return false;
    }
    *conditions = list_difference_ptr(*conditions, used);
    return true;
}

bool keep_all(Node *node, void *query) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        auto *from = ENTITLE_NODE(Query, node);
        for (const auto *entry : each<RangeTblEntry>(from->rtable)) {
            if (entry->rtekind == RTE_RELATION) {
                entitle_keep_privileges(static_cast<Query *>(query), from, entry);
            }
        }
        return query_tree_walker(from, ENTITLE_WALKER(keep_all), query, 0);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(keep_all), query);
}

bool is_other(Node *node, void *number) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var)) {
        return ENTITLE_NODE(Var, node)->varno != *static_cast<int *>(number);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(is_other), number);
}

} // namespace

bool names_other(Node *node, int number) { return is_other(node, &number); }

bool reads_rows_plainly(const Query *query) {
    return query->commandType == CMD_SELECT && query->rowMarks == NIL && query->cteList == NIL &&
           query->groupClause == NIL && query->groupingSets == NIL &&
           query->havingQual == nullptr && query->distinctClause == NIL &&
           query->setOperations == nullptr && query->limitCount == nullptr &&
           query->limitOffset == nullptr && !query->hasAggs && !query->hasWindowFuncs &&
           !query->hasTargetSRFs &&
           !checkExprHasSubLink(reinterpret_cast<Node *>(query->targetList)) &&
           !checkExprHasSubLink(reinterpret_cast<Node *>(query->jointree));
}

AttrNumber name_given(const Query *view, int table, AttrNumber column) {
    for (const auto *target : each<TargetEntry>(view->targetList)) {
        const auto *given = IsA(target->expr, Var) ? ENTITLE_NODE(Var, target->expr) : nullptr;
        if (given != nullptr && !target->resjunk && given->varno == table &&
            given->varattno == column && given->varlevelsup == 0) {
            return target->resno;
        }
    }
    return 0;
}

void keep_privileges(Query *query, Node *condition) { (void)keep_all(condition, query); }

bool gather_inner_joins(const Query *query, const Node *item, List **tables, List **conditions) {
    if (IsA(item, RangeTblRef)) {
        const int number = ENTITLE_NODE(RangeTblRef, item)->rtindex;
        *tables = lappend_int(*tables, number);
        return rt_fetch(number, query->rtable)->rtekind == RTE_RELATION;
    }
    if (IsA(item, FromExpr)) {
        const auto *from = ENTITLE_NODE(FromExpr, item);
        for (const auto *part : each<Node>(from->fromlist)) {
            if (!gather_inner_joins(query, part, tables, conditions)) {
                return false;
            }
        }
        *conditions =
            list_concat(*conditions, make_ands_implicit(reinterpret_cast<Expr *>(from->quals)));
        return true;
    }
    const auto *join = ENTITLE_NODE(JoinExpr, item);
    if (!IsA(item, JoinExpr) || join->jointype != JOIN_INNER ||
        !gather_inner_joins(query, join->larg, tables, conditions) ||
        !gather_inner_joins(query, join->rarg, tables, conditions)) {
        return false;
    }
    *conditions =
        list_concat(*conditions, make_ands_implicit(reinterpret_cast<Expr *>(join->quals)));
    return true;
}

bool joins_by_key(const Place &line, const Place &document, List **conditions,
                  Bitmapset **nullable) {
    if (has_heirs(line.entry) || line.entry->relkind == RELKIND_FOREIGN_TABLE ||
        document.entry->tablesample != nullptr ||
        (document.entry->relkind == RELKIND_PARTITIONED_TABLE && !document.entry->inh)) {
        return false;
    }
    bool is_found = false;
    Relation relation = table_open(line.entry->relid, NoLock);
    for (const auto *key : each<ForeignKeyCacheInfo>(RelationGetFKeyList(relation))) {
        if (key->confrelid != document.entry->relid || !joins_by(key, line, document, conditions)) {
            continue;
        }
        for (int i = 0; i < key->nkeys; ++i) {
            if (!entitle_is_not_null(RelationGetDescr(relation), key->conkey[i])) {
                *nullable = bms_add_member(*nullable, key->conkey[i]);
            }
        }
        is_found = true;
        break;
    }
    table_close(relation, NoLock);
    return is_found;
}

bool are_joined_alike(const Place &line, const Place &document, const List *conditions,
                      const Place &other_line, const Place &other_document, const List *wanted) {
    for (const auto *condition : each<Node>(wanted)) {
        KeyPair pair{};
        if (is_row_test(condition)) {
            continue;
        }
        if (!read_pair(condition, other_line, other_document, &pair)) {
            return false;
        }
        bool is_found = false;
        for (const auto *other : each<Node>(conditions)) {
            KeyPair found{};
            is_found =
                is_found || (read_pair(other, line, document, &found) && found.line == pair.line &&
                             found.document == pair.document && found.operation == pair.operation);
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}

Query *documents_of(const Node *condition) {
    if (!IsA(condition, SubLink) ||
        ENTITLE_NODE(SubLink, condition)->subLinkType != EXISTS_SUBLINK) {
        return nullptr;
    }
    auto *documents = ENTITLE_NODE(Query, ENTITLE_NODE(SubLink, condition)->subselect);
    List *tables = NIL;
    List *conditions = NIL;
    return reads_rows_plainly(documents) &&
                   gather_inner_joins(documents,
                                      reinterpret_cast<const Node *>(documents->jointree), &tables,
                                      &conditions)
               ? documents
               : nullptr;
}

} // namespace entitle::pg
