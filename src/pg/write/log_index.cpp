// Most indexes of the change log are about one table of the model. To open one of them and to read
// its condition, only to find that the row is not of its table, takes longer than to add the row.
// regime: C throughout.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/once.hpp"
#include "pg/write/log_index.hpp"

extern "C" {
#include "access/genam.h"
#include "catalog/index.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"
}

using namespace entitle::pg;

namespace {

// What was found, until the log's indexes change.
struct Key {
    Oid index;
    Oid source;
};
struct Known {
    Key key; // first, as PostgreSQL's hash tables demand
    bool is_skipped;
};
HTAB *known = nullptr;
Oid known_log = InvalidOid;

void forget() {
    if (known != nullptr) {
        hash_destroy(known);
        known = nullptr;
    }
}

void on_relcache(Datum, Oid relation) {
    if (!OidIsValid(relation) || relation == known_log) {
        forget();
    }
}

void begin_known(Oid log) {
    once([] { CacheRegisterRelcacheCallback(on_relcache, static_cast<Datum>(0)); });
    if (known != nullptr && known_log == log) {
        return;
    }
    forget();
    HASHCTL control{};
    control.keysize = sizeof(Key);
    control.entrysize = sizeof(Known);
    control.hcxt = TopMemoryContext;
    known = hash_create("entitle log indexes", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    known_log = log;
}

// Whether the index's condition contradicts `relation = source`.
bool contradicts(Relation log, Relation index, Oid source) {
    List *condition = RelationGetIndexPredicate(index);
    if (condition == NIL) {
        return false;
    }
    const AttrNumber column = get_attnum(RelationGetRelid(log), "relation");
    const Oid type = get_atttype(RelationGetRelid(log), column);
    auto *found = reinterpret_cast<Expr *>(makeVar(1, column, type, -1, InvalidOid, 0));
    auto *compared = reinterpret_cast<Expr *>(
        makeRelabelType(found, OIDOID, -1, InvalidOid, COERCE_IMPLICIT_CAST));
    auto *wanted = reinterpret_cast<Expr *>(
        makeConst(OIDOID, -1, InvalidOid, sizeof(Oid), ObjectIdGetDatum(source), false, true));
    const Oid equals = lookup_type_cache(OIDOID, TYPECACHE_EQ_OPR)->eq_opr;
    Expr *equal = make_opclause(equals, BOOLOID, false, compared, wanted, InvalidOid, InvalidOid);
    set_opfuncid(reinterpret_cast<OpExpr *>(equal));
    return predicate_refuted_by(condition, list_make1(equal), false);
}

bool is_skipped(Relation log, Oid index, Oid source) {
    begin_known(RelationGetRelid(log));
    const Key key = {index, source};
    const auto *entry = static_cast<Known *>(hash_search(known, &key, HASH_FIND, nullptr));
    if (entry != nullptr) {
        return entry->is_skipped;
    }
    Relation opened = index_open(index, RowExclusiveLock);
    const bool is_skipped = contradicts(log, opened, source);
    index_close(opened, NoLock);
    // An invalidation may have come with the lock.
    begin_known(RelationGetRelid(log));
    static_cast<Known *>(hash_search(known, &key, HASH_ENTER, nullptr))->is_skipped = is_skipped;
    return is_skipped;
}

} // namespace

namespace entitle::pg {

void open_log_indexes(ResultRelInfo *log, Oid source) {
    Relation relation = log->ri_RelationDesc;
    List *indexes = RelationGetIndexList(relation);
    log->ri_NumIndices = 0;
    log->ri_IndexRelationDescs =
        static_cast<Relation *>(palloc(sizeof(Relation) * list_length(indexes)));
    log->ri_IndexRelationInfo =
        static_cast<IndexInfo **>(palloc(sizeof(IndexInfo *) * list_length(indexes)));
    for (const Oid index : each_oid(indexes)) {
        if (is_skipped(relation, index, source)) {
            continue;
        }
        const int place = log->ri_NumIndices++;
        log->ri_IndexRelationDescs[place] = index_open(index, RowExclusiveLock);
        log->ri_IndexRelationInfo[place] = BuildIndexInfo(log->ri_IndexRelationDescs[place]);
    }
    list_free(indexes);
}

} // namespace entitle::pg
