// Departures live in the memory of their statement, and are forgotten with it, whatever ends it.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/enforce/departure.hpp"
#include "pg/enforce/refused_write.hpp"
#include "pg/enforce/running_statement.hpp"

extern "C" {
#include "catalog/pg_am.h"
}

namespace entitle::pg {

namespace {

struct Noted {
    Noted *next;
    const QueryDesc *query;
    Departure departure;
    MemoryContextCallback forgotten;
};

Noted *all_noted = nullptr;

// regime: callback
void forget(void *argument) {
    for (Noted **at = &all_noted; *at != nullptr; at = &(*at)->next) {
        if (*at == argument) {
            *at = (*at)->next;
            return;
        }
    }
}

bool deletes(const PlannedStmt *plan) {
    for (const auto *node : each<ModifyTable>(find_writes(plan))) {
        if (node->operation == CMD_DELETE || has_action(node, CMD_DELETE)) {
            return true;
        }
    }
    return false;
}

// Whether a row that was deleted goes to another partition, which a heap marks. A MERGE may delete
// rows beside.
bool may_arrive(Relation table, HeapTuple row, const QueryDesc *query) {
    return !deletes(query->plannedstmt) || table->rd_rel->relam != HEAP_TABLE_AM_OID ||
           HeapTupleHeaderIndicatesMovedPartitions(row->t_data);
}

Noted *find_noted(const QueryDesc *query) {
    for (Noted *at = all_noted; at != nullptr; at = at->next) {
        if (at->query == query) {
            return at;
        }
    }
    return nullptr;
}

} // namespace

void note_departure(Relation table, HeapTuple row) {
    const QueryDesc *query = running_query();
    if (query == nullptr ||
        (query->operation == CMD_DELETE && !query->plannedstmt->hasModifyingCTE) ||
        !may_arrive(table, row, query)) {
        return; // nothing arrives
    }
    MemoryContext previous = MemoryContextSwitchTo(query->estate->es_query_cxt);
    Noted *noted = find_noted(query);
    if (noted == nullptr) {
        noted = static_cast<Noted *>(palloc0(sizeof(Noted)));
        noted->query = query;
        noted->forgotten.func = forget;
        noted->forgotten.arg = noted;
        MemoryContextRegisterResetCallback(query->estate->es_query_cxt, &noted->forgotten);
        noted->next = all_noted;
        all_noted = noted;
    } else if (noted->departure.row != nullptr) {
        heap_freetuple(noted->departure.row);
        noted->departure.row = nullptr;
    }
    noted->departure = Departure{RelationGetRelid(table), heap_copytuple(row)};
    MemoryContextSwitchTo(previous);
}

Departure take_departure() {
    Noted *noted = find_noted(running_query());
    if (noted == nullptr) {
        return Departure{InvalidOid, nullptr};
    }
    const Departure departure = noted->departure;
    noted->departure.row = nullptr;
    return departure;
}

} // namespace entitle::pg
