-- What the row test of an outsider becomes: index conditions that call STABLE functions, for every type of key and date,
-- never a list of anybody's customers. The test itself stays as a recheck.
BEGIN;
\set ECHO none
\i sql/plain_plan.psql
\set ECHO all
SET LOCAL client_min_messages = warning;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE ROLE app_role;
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, legal_name, trade_name, tax_id)
SELECT i, md5(i::text)::uuid, 'C' || i, 'n', 'n', 't' FROM generate_series(1, 2000) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'outsider'), (2, 'unlimited');
INSERT INTO entitle.external_access (customer_id, user_id, days_back) VALUES (7, 1, 30), (8, 1, 7), (9, 1, 365), (7, 2, NULL), (8, 2, 7);

CREATE TABLE entry (
    entry_id integer PRIMARY KEY, small_key smallint, integer_key integer, big_key bigint, uuid_key uuid, text_key text,
    varchar_key varchar(20), on_date date, at_time timestamp, at_moment timestamptz, amount integer);
INSERT INTO entry
SELECT i, k, k, k, md5(k::text)::uuid, 'C' || k, 'C' || k, d, d, d, i
FROM generate_series(1, 20000) AS i, LATERAL (SELECT i % 2000 + 1, current_date - i % 400) AS v (k, d);
GRANT SELECT ON entry TO app_role;
ANALYZE entry;

CREATE FUNCTION plan_with(customer_column name, date_column name, indexed text, query text DEFAULT 'SELECT * FROM entry')
    RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE INDEX planned ON entry %s', indexed);
    PERFORM entitle.protect_table('entry', customer_column => customer_column, date_column => date_column, min_level => 20,
                                  view_permission => 'conversions.view');
    SET LOCAL ROLE app_role;
    RETURN QUERY SELECT plain_plan(query);
    RESET ROLE;
    DROP INDEX planned;
END
$$;

SELECT entitle.sign_in('outsider') > 0 AS signed_in;

-- Every type of key.
SELECT plan_with('small_key', NULL, '(small_key)');
SELECT plan_with('integer_key', NULL, '(integer_key)');
SELECT plan_with('big_key', NULL, '(big_key)');
SELECT plan_with('uuid_key', NULL, '(uuid_key)');
SELECT plan_with('text_key', NULL, '(text_key)');
SELECT plan_with('varchar_key', NULL, '(varchar_key)');
SELECT plan_with('text_key', NULL, '(text_key COLLATE "C")');
SELECT plan_with('varchar_key', NULL, '(varchar_key text_pattern_ops)');

-- Every type of date, beside the key; the window of the date is a condition of its own where every grant has one.
SELECT plan_with('big_key', 'on_date', '(big_key, on_date)');
SELECT plan_with('integer_key', 'at_time', '(integer_key, at_time)');
SELECT plan_with('uuid_key', 'at_moment', '(uuid_key, at_moment)');

-- Bitmap scans, one index for each condition.
SET LOCAL enable_indexscan = off;
SELECT plan_with('big_key', 'on_date', '(big_key, on_date)');
SELECT plan_with('varchar_key', NULL, '(varchar_key)');
RESET enable_indexscan;

-- Index-only scans; and the order that an index gives, for one customer and for the latest of all.
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT plan_with('big_key', 'on_date', '(big_key, on_date)', 'SELECT count(*) FROM entry');
SELECT plan_with('big_key', 'on_date', '(big_key, on_date)', 'SELECT big_key, on_date FROM entry WHERE big_key = 7');
SELECT plan_with('text_key', NULL, '(text_key)', 'SELECT text_key FROM entry ORDER BY text_key');
SELECT plan_with('big_key', 'on_date', '(on_date)', 'SELECT * FROM entry ORDER BY on_date DESC LIMIT 20');
RESET enable_bitmapscan;

-- Only the date is indexed: the window is all that the index can do.
SELECT plan_with('big_key', 'on_date', '(on_date)');
SELECT plan_with('integer_key', 'at_moment', '(at_moment)');
-- A partial match of an index that begins with something else.
SELECT plan_with('big_key', 'on_date', '(amount, big_key)', 'SELECT * FROM entry WHERE amount = 5');
-- Beside the index that the query itself asks for, the row test is a filter.
SELECT plan_with('big_key', NULL, '(amount)', 'SELECT * FROM entry WHERE entry_id = 5');
-- Other kinds of index know nothing of it.
SELECT plan_with('big_key', NULL, 'USING hash (big_key)', 'SELECT * FROM entry');
RESET enable_seqscan;

-- Without a window on every grant there is no earliest date.
SELECT entitle.sign_in('unlimited') > 0 AS signed_in;
SELECT plan_with('big_key', 'on_date', '(big_key, on_date)');

-- Writes find their rows the same way, and their new rows are checked by the same test.
SELECT entitle.sign_in('outsider') > 0 AS signed_in;
GRANT UPDATE, DELETE, INSERT ON entry TO app_role;
SELECT plan_with('big_key', NULL, '(big_key)', 'UPDATE entry SET amount = 1 WHERE amount > 5');
SELECT plan_with('big_key', NULL, '(big_key)', 'DELETE FROM entry WHERE amount > 5');
ROLLBACK;
