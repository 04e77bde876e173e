-- Masked columns opened by GRANT after masking, read and written in every way SQL has: through the table, its parts, other people's
-- views and functions, and plans made before the mask (R36, R37; issue 12, 20); and a protected table put below another (S44).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error; -- of readers, oracles and generated columns

CREATE ROLE shop_owner;
CREATE ROLE stranger;
GRANT CREATE, USAGE ON SCHEMA public TO shop_owner, stranger;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'yuki');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', 'a');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', NULL);
SET ROLE shop_owner;
CREATE TABLE t (id integer PRIMARY KEY, customer_id bigint, item text, price integer UNIQUE, twice integer GENERATED ALWAYS AS (price * 2) STORED, a integer DEFAULT 3);
CREATE TABLE p (id integer, customer_id bigint, item text, price integer, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 (price integer, item text, x integer, id integer NOT NULL, customer_id bigint);
ALTER TABLE p2 DROP COLUMN x;
CREATE TABLE child () INHERITS (t);
INSERT INTO t VALUES (1, 101, 'a', 777), (2, 101, 'b', 888);
INSERT INTO p VALUES (1, 101, 'a', 777);
GRANT SELECT ON t TO stranger;
GRANT SELECT, INSERT, UPDATE ON t TO test_app;
SET ROLE stranger;
CREATE VIEW lent AS SELECT id, price FROM t;
CREATE FUNCTION lent_function() RETURNS SETOF t LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM t';
GRANT SELECT ON lent TO PUBLIC;
SET ROLE test_app;
PREPARE q1 AS SELECT id, price FROM t;
PREPARE q2 AS SELECT t FROM t;
PREPARE q3 AS UPDATE t SET item = 'x' RETURNING *;
PREPARE q4 AS INSERT INTO t (id, customer_id, item, price) VALUES (9, 101, 'x', 1);
PREPARE q5 AS SELECT sum(a.price) FROM t a JOIN t b USING (price);
RESET ROLE;
SELECT entitle.protect_table('t', 'customer_id', external_update_level => 20, external_insert_level => 20, masked_columns => '{"price": 30, "twice": 30}'),
       entitle.protect_table('p', 'customer_id', external_update_level => 20, external_insert_level => 20, masked_columns => '{"price": 30}');
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
INSERT INTO p VALUES (11, 101, 'a', 777);
GRANT ALL ON ALL TABLES IN SCHEMA public TO test_app, stranger;

CREATE FUNCTION state_of(command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM entitle.sign_in('yuki');
    SET LOCAL ROLE test_app;
    EXECUTE command;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(state_of(c), '42501', 'R36, R37: ' || c)
FROM unnest(ARRAY[
    'SELECT price FROM t', 'SELECT t FROM t', 'TABLE t', 'SELECT (t).price FROM t', 'SELECT price(t) FROM t', 'SELECT t.*::text FROM t',
    'SELECT to_jsonb(t) FROM t', 'SELECT count(t) FROM t', 'SELECT count(t.*) FROM t', 'EXECUTE q1', 'EXECUTE q2', 'EXECUTE q3', 'EXECUTE q4',
    'EXECUTE q5', 'SELECT * FROM lent', 'SELECT * FROM lent_function()', 'SELECT 1 FROM t a JOIN t b USING (price)',
    'SELECT 1 FROM t a JOIN t b USING (price) AS m', 'SELECT 1 FROM t a NATURAL JOIN p', 'SELECT j FROM (t a JOIN p b USING (id)) j',
    'SELECT 1 FROM (t a JOIN (VALUES (777)) v (price) USING (price)) j', 'SELECT price FROM p1', 'SELECT price FROM p2', 'SELECT price FROM child',
    'SELECT price FROM ONLY t', 'UPDATE t SET item = item RETURNING price', 'UPDATE t SET item = ''q'' WHERE price > 1',
    'DELETE FROM t USING p WHERE t.price = p.id', 'INSERT INTO t (id, customer_id) VALUES (50, 101) RETURNING twice',
    'INSERT INTO t (id, customer_id) VALUES (1, 101) ON CONFLICT (price) DO NOTHING',
    'INSERT INTO t (id, customer_id) VALUES (1, 101) ON CONFLICT ON CONSTRAINT t_price_key DO NOTHING',
    'INSERT INTO t (id, customer_id) VALUES (1, 101) ON CONFLICT (id) DO UPDATE SET item = t.price::text',
    'INSERT INTO t (id, customer_id) VALUES (1, 101) ON CONFLICT (id) DO UPDATE SET item = ''z'' WHERE t.price > 3',
    'INSERT INTO t (id, customer_id) VALUES (1, 101) ON CONFLICT (id) DO UPDATE SET price = excluded.id',
    'MERGE INTO t USING (VALUES (1)) v (k) ON t.id = v.k WHEN MATCHED AND t.price > 1 THEN UPDATE SET item = ''m''',
    'MERGE INTO t USING (VALUES (777)) v (k) ON t.price = v.k WHEN MATCHED THEN UPDATE SET item = ''m''',
    'MERGE INTO t USING (VALUES (1)) v (k) ON t.id = v.k WHEN MATCHED THEN UPDATE SET price = 1',
    'MERGE INTO t USING (VALUES (99)) v (k) ON t.id = v.k WHEN NOT MATCHED THEN INSERT (id, customer_id, price) VALUES (99, 101, 1)',
    'INSERT INTO t SELECT 60, 101, ''x'', 5', 'SELECT x.price FROM t, LATERAL (SELECT t.price) x', 'SELECT max(price) OVER () FROM t',
    'SELECT 1 FROM t ORDER BY price', 'SELECT 1 FROM t GROUP BY price', 'SELECT DISTINCT ON (price) id FROM t', 'SELECT price FROM t FOR UPDATE',
    'SELECT * FROM t TABLESAMPLE system (100)', 'WITH u AS (UPDATE t SET item = ''q'' RETURNING *) SELECT * FROM u',
    'UPDATE t SET (item, a) = (SELECT price::text, 1)', 'UPDATE t SET item = ''x'' FROM t b WHERE b.price = 777',
    'SELECT * FROM (SELECT id FROM t) a JOIN (SELECT id, price FROM p) b USING (id)',
    'SELECT id FROM t WHERE EXISTS (SELECT FROM p WHERE p.price = t.id)', 'CREATE TABLE kept AS SELECT price FROM t',
    'EXPLAIN SELECT 1 FROM t WHERE price > 5', 'DECLARE c CURSOR FOR SELECT price FROM t']) AS c
-- MERGE came with PostgreSQL 15.
WHERE c !~ '^MERGE' OR current_setting('server_version_num')::integer >= 150000;
SELECT is(state_of(c), 'ZZ000', 'what is open stays so: ' || c)
FROM unnest('{SELECT count(*) FROM t,"SELECT id, item FROM t",SELECT * FROM t_view,SELECT m FROM t a JOIN t b USING (id) AS m,UPDATE t SET item = item RETURNING id}'::text[]) AS c;

-- Below another table.
CREATE TABLE roof (id integer NOT NULL, customer_id bigint, item text, price integer);
CREATE TABLE under (id integer PRIMARY KEY, customer_id bigint, item text, price integer);
CREATE TABLE parted_roof (LIKE roof) PARTITION BY RANGE (id);
SELECT entitle.protect_table('under', 'customer_id', masked_columns => '{"price": 30}');
CREATE FUNCTION told() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(v.remedy, ' ') FROM entitle.verify_protection() v WHERE v.relation = 'under'::regclass
    $$;
ALTER TABLE under INHERIT roof;
SELECT is(told(), 'ALTER TABLE public.under NO INHERIT public.roof;', 'S44: a protected table that another one shows is told');
ALTER TABLE under NO INHERIT roof;
ALTER TABLE parted_roof ATTACH PARTITION under DEFAULT;
SELECT is(told(), 'ALTER TABLE public.parted_roof DETACH PARTITION public.under;', 'S44: as a partition, too');
ALTER TABLE parted_roof DETACH PARTITION under;
SELECT is(told(), NULL, 'S44: and no more when it left');

SELECT * FROM finish();
ROLLBACK;
