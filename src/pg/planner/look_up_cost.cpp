// Who joins documents with the table of access by hand, and those with their lines, gets the lines
// looked up one document after another. PostgreSQL prices a look-up by how many there might be
// before a join has left some out, as pages that were read once are read again from memory. A row
// test leaves rows out before any join: of the same few look-ups each then costs several times as
// much, and all lines are read instead. So where a row test stands, look-ups are priced by the rows
// before it.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/look_up_cost.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
}

#include <algorithm>
#include <cmath>

namespace entitle::pg {

namespace {

constexpr double kLeastFraction = 1e-7;

// How many rows a table has for others, before its row tests.
double rows_before_tests(PlannerInfo *root, const RelOptInfo *table) {
    double rows = table->rows;
    for (const auto *condition : each<RestrictInfo>(table->baserestrictinfo)) {
        if (is_row_test(reinterpret_cast<const Node *>(condition->clause))) {
            auto *clause = const_cast<RestrictInfo *>(condition);
            const double fraction =
                clause_selectivity(root, reinterpret_cast<Node *>(clause), 0, JOIN_INNER, nullptr);
            rows /= std::max(fraction, kLeastFraction);
        }
    }
    return std::max(table->rows, std::min(rows, table->tuples));
}

// Whether PostgreSQL counts the outer table's distinct keys, not its rows.
bool counts_keys(const PlannerInfo *root, Index inner, int outer) {
    for (const auto *join : each<SpecialJoinInfo>(root->join_info_list)) {
        if (join->jointype == JOIN_SEMI && bms_is_member(outer, join->syn_righthand) &&
            bms_is_member(static_cast<int>(inner), join->syn_lefthand)) {
            return true;
        }
    }
    return false;
}

// As PostgreSQL counts look-ups: by the smallest of the tables that give keys.
// Returns: 0 where its own count stands.
double count_look_ups(PlannerInfo *root, Index inner, const Path *path) {
    double counted = 0;
    double possible = 0;
    for (int outer = -1; (outer = bms_next_member(path->param_info->ppi_req_outer, outer)) >= 0;) {
        const RelOptInfo *table =
            outer < root->simple_rel_array_size ? root->simple_rel_array[outer] : nullptr;
        if (table == nullptr) {
            continue; // an outer join's own number, from PostgreSQL 16 on
        }
        if (counts_keys(root, inner, outer)) {
            return 0;
        }
        const double before = rows_before_tests(root, table);
        counted = counted == 0 ? table->rows : std::min(counted, table->rows);
        possible = possible == 0 ? before : std::min(possible, before);
    }
    return possible > counted ? std::sqrt(possible * counted) : 0;
}

} // namespace

void price_look_ups(PlannerInfo *root, RelOptInfo *relation) {
    bool is_changed = false;
    for (auto *path : each<Path>(relation->pathlist)) {
        if (!IsA(path, IndexPath) || path->param_info == nullptr) {
            continue;
        }
        const double look_ups = count_look_ups(root, relation->relid, path);
        if (look_ups > 0) {
            cost_index(ENTITLE_NODE(IndexPath, path), root, look_ups, false);
            is_changed = true;
        }
    }
    if (is_changed) {
        List *paths = relation->pathlist;
        relation->pathlist = NIL;
        for (auto *path : each<Path>(paths)) {
            add_path(relation, path);
        }
        list_free(paths);
    }
}

} // namespace entitle::pg
