// What recalculation does that SQL cannot: writing scores past the rule that nobody else writes
// them (R17), and waiting for values that are being written.
#include "pg/boundary/postgres.hpp"

#include "pg/write/customer.hpp"
#include "pg/boundary/function.hpp"

extern "C" {
#include "executor/spi.h"
#include "storage/lmgr.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

// Opens the way for scores for as long as it lives. No setting and no SQL reaches it.
class Recalculating {
  public:
    Recalculating() noexcept { is_recalculating = true; }
    ~Recalculating() { is_recalculating = false; }
    Recalculating(const Recalculating &) = delete;
    Recalculating &operator=(const Recalculating &) = delete;
};

// Returns: how many rows were written. regime: C
std::int64_t write_scores(Datum customers, Datum scores) {
    Oid types[] = {INT8ARRAYOID, NUMERICARRAYOID};
    Datum values[] = {customers, scores};
    SPI_connect();
    // A customer that was deactivated, or scored by another recalculation, meanwhile is left alone.
    const int outcome = SPI_execute_with_args(
        "UPDATE entitle.customer AS c"
        " SET client_score = s.score, scored_at = pg_catalog.now()"
        " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS s (customer_id, score)"
        " WHERE c.customer_id OPERATOR(pg_catalog.=) s.customer_id"
        " AND c.status OPERATOR(pg_catalog.<>) 'INAC'::pg_catalog.text"
        " AND c.client_score IS DISTINCT FROM s.score",
        2, types, values, nullptr, false, 0);
    const std::int64_t written =
        outcome == SPI_OK_UPDATE ? static_cast<std::int64_t>(SPI_processed) : 0;
    SPI_finish();
    return written;
}

} // namespace

// write_scores(customers bigint[], scores numeric[]) -> how many changed. The owner's only: called
// by recalc_scores, which decides who may.
ENTITLE_FUNCTION(entitle_write_scores) {
    const Datum customers = PG_GETARG_DATUM(0);
    const Datum scores = PG_GETARG_DATUM(1);
    std::int64_t written = 0;
    compute([&] {
        const Recalculating open;
        written = call_pg([&] { return write_scores(customers, scores); });
    });
    PG_RETURN_INT64(written);
}

// await_writers(relation): waits until every transaction that has written to the table by now has
// ended. Holds nothing while it waits, so that nobody waits for it in turn.
ENTITLE_FUNCTION(entitle_await_writers) {
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, PG_GETARG_OID(0));
    WaitForLockers(tag, ShareLock, false);
    PG_RETURN_VOID();
}
