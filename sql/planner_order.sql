-- Where the array of customers may not stand in an index scan: below the first column it would spoil the order that the
-- path promises, and beside an equality it finds nothing more (R3: right answers, whatever the plan).
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE ROLE app_role;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id)
SELECT i, 'n', 'n', 't' FROM generate_series(1, 2000) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'outsider');
INSERT INTO entitle.external_access (customer_id, user_id) SELECT i * 3, 1 FROM generate_series(1, 20) AS i;
CREATE TABLE entry (entry_id integer PRIMARY KEY, region integer, customer_id bigint, on_date date);
INSERT INTO entry SELECT i, i % 7, 1 + i * 37 % 100, date '2026-01-01' + i * 13 % 300 FROM generate_series(1, 20000) AS i;
CREATE INDEX by_region ON entry (region, customer_id, on_date);
CREATE INDEX by_date ON entry (on_date, customer_id);
ANALYZE entry;
SELECT entitle.protect_table('entry', customer_column => 'customer_id', min_level => 20);
GRANT SELECT ON entry TO app_role;
GRANT SELECT ON entitle.external_access TO app_role;
CREATE FUNCTION is_ordered(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    result boolean;
BEGIN
    EXECUTE format('SELECT bool_and(is_next) AND count(*) > 1 FROM (SELECT v >= lag(v) OVER () IS NOT FALSE AS is_next FROM (%s) AS q (v)) AS n',
                   query) INTO result;
    RETURN result;
END
$$;
SELECT entitle.sign_in('outsider') > 0 AS signed_in;
SET LOCAL ROLE app_role;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_sort = off;
SET LOCAL enable_incremental_sort = off;

-- A range, or nothing, on the columns before: no array in a path that gives an order.
EXPLAIN (COSTS OFF) SELECT region FROM entry WHERE region > 1 ORDER BY region;
SELECT is_ordered('SELECT region FROM entry WHERE region > 1 ORDER BY region');
EXPLAIN (COSTS OFF) SELECT on_date FROM entry ORDER BY on_date DESC LIMIT 20;
SELECT is_ordered('SELECT -(on_date - date ''2026-01-01'') FROM entry ORDER BY on_date DESC');
-- Some values before it are no better than a range.
EXPLAIN (COSTS OFF) SELECT region FROM entry WHERE region IN (1, 2) ORDER BY region, customer_id;
-- One value before it: the order is that of the customers, and the array stays.
EXPLAIN (COSTS OFF) SELECT customer_id FROM entry WHERE region = 1 ORDER BY customer_id;
SELECT is_ordered('SELECT customer_id FROM entry WHERE region = 1 ORDER BY customer_id');
-- Without an order to keep, too: a range is not read once for each of the twenty customers. From 17 on PostgreSQL goes through an
-- array in one pass, and may take it.
SELECT pg_stat_get_xact_numscans('by_region'::regclass) AS scans \gset
SELECT count(*) FROM entry WHERE region > 1;
SELECT pg_stat_get_xact_numscans('by_region'::regclass) - :scans < 10 AS is_read_in_few_scans;

-- The query names its customers: a literal, a parameter, a few, a join.
EXPLAIN (COSTS OFF) SELECT on_date FROM entry WHERE region = 1 AND customer_id = 3 ORDER BY on_date DESC LIMIT 20;
SELECT count(DISTINCT on_date) FROM (SELECT on_date FROM entry WHERE region = 1 AND customer_id = 3 ORDER BY on_date DESC LIMIT 20) AS q;
SELECT count(*) FROM entry WHERE region = 1 AND customer_id = 4;
EXPLAIN (COSTS OFF) SELECT count(*) FROM entry WHERE region = 1 AND customer_id IN (3, 4);
SELECT count(*) = (SELECT count(*) FROM entry WHERE customer_id = 3) AS is_own FROM entry WHERE customer_id IN (3, 4);
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE of_one AS SELECT count(*) FROM entry WHERE region = 1 AND customer_id = $1;
EXPLAIN (COSTS OFF) EXECUTE of_one(3);
EXECUTE of_one(3);
EXECUTE of_one(4);
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
EXPLAIN (COSTS OFF)
SELECT count(*) FROM (VALUES (3), (4), (6)) AS v (id) JOIN entry e ON e.region = 1 AND e.customer_id = v.id;

-- Workers of a parallel index scan would share out the array's elements by number, each with an array of its own.
SET LOCAL plan_cache_mode = auto;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_index_scan_size = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL enable_indexonlyscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM entry WHERE region > 1;
ROLLBACK;
