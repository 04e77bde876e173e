-- Run-time pruning in parallel plans: the library leaves other people's tables alone, and takes pruning from those plans only
-- whose processes could prune differently, because what they prune by asks for rights (R46).
CREATE FUNCTION first_day() RETURNS date
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$ BEGIN RETURN date '2026-03-01'; END $$;
CREATE TABLE events (day date, customer_id bigint) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
INSERT INTO events SELECT date '2026-01-01' + n % 90, n FROM generate_series(1, 9000) AS n;
CREATE TABLE visits (customer_id bigint) PARTITION BY LIST (customer_id);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN (1);
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES IN (2);
INSERT INTO visits SELECT n % 2 + 1 FROM generate_series(1, 9000) AS n;
ANALYZE events, visits;

-- A session that has the library and never asked for rights.
\c -
LOAD 'entitle';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET enable_parallel_append = off;
PREPARE since AS SELECT count(*) FROM events WHERE day >= first_day();
EXPLAIN (COSTS OFF) EXECUTE since;
EXPLAIN (COSTS OFF) SELECT count(*) FROM events WHERE day >= to_date('2026-02-01', 'YYYY-MM-DD');
-- What prunes by the extension's own functions has no workers at all.
EXPLAIN (COSTS OFF) SELECT count(*) FROM visits WHERE customer_id = entitle.accessible_customer(10, 1);

-- Once the session has asked, what is written in SQL or a procedural language may ask, too; what is built in does not.
SELECT entitle.has_permission('customers.view');
EXPLAIN (COSTS OFF) EXECUTE since;
EXPLAIN (COSTS OFF) SELECT count(*) FROM events WHERE day >= to_date('2026-02-01', 'YYYY-MM-DD');

DROP TABLE events, visits;
DROP FUNCTION first_day;
