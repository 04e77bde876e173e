-- Ways around row-level security that are known, tried on a protected table by an ordinary role with every privilege, and by the
-- table's owner (P1; S34, S36, S37, S39 to S42, S48, S49, S51, S53 to S55, S57 to S60, S63).
CREATE ROLE table_owner;
CREATE ROLE app_role;
GRANT CREATE ON SCHEMA public TO table_owner, app_role;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.sign_in TO table_owner, app_role;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'One', 'One', '1'), (2, 'Two', 'Two', '2');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L30', NULL);
SET ROLE table_owner;
CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint, secret text NOT NULL UNIQUE, price integer CHECK (price > 0));
INSERT INTO orders VALUES (1, 1, 'own', 50), (2, 2, 'hidden', 100);
CREATE TABLE parted (customer_id bigint, secret text) PARTITION BY LIST (customer_id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
INSERT INTO parted VALUES (1, 'own'), (2, 'hidden');
ANALYZE orders, parted;
SELECT entitle.protect_table('orders', 'customer_id', external_insert_level => 10, external_update_level => 30),
       entitle.protect_table('parted', 'customer_id');
GRANT ALL ON orders, parted, parted_1, parted_2 TO app_role;

-- The owner is bound (S36), and so is a dump made by it (S39).
SELECT * FROM orders;
DELETE FROM orders;
UPDATE orders SET price = 1;
INSERT INTO orders VALUES (3, 1, 'x', 1);
TRUNCATE orders;
SET row_security = off;
SELECT * FROM orders;
COPY orders TO STDOUT;
RESET row_security;
RESET ROLE;

SET ROLE app_role;
SELECT entitle.sign_in('ann', session_wide => true);
SELECT * FROM orders;
-- What only an owner may (S37), and what protection withholds whatever was granted (S40).
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;
ALTER TABLE orders NO FORCE ROW LEVEL SECURITY;
DROP POLICY entitle_select ON orders;
ALTER POLICY entitle_select ON orders USING (true);
CREATE POLICY mine ON orders USING (true);
ALTER TABLE orders DISABLE TRIGGER entitle_update;
SET session_replication_role = replica;
SET row_security = off;
SELECT * FROM orders;
RESET row_security;
TRUNCATE orders;
TRUNCATE parted_2;
SELECT entitle.unprotect_table('orders');
ALTER FUNCTION entitle.row_allowed(text, integer, "any") COST 1;

-- COPY, both ways (S48).
COPY orders TO STDOUT;
COPY (SELECT * FROM orders) TO STDOUT;
COPY (TABLE parted) TO STDOUT;
COPY (DELETE FROM orders WHERE order_id = 2 RETURNING *) TO STDOUT;
COPY orders FROM STDIN;
\.
COPY parted_2 FROM STDIN;
\.

-- RETURNING, ON CONFLICT, MERGE and keys tell nothing of a hidden row (S42, S49, S51).
UPDATE orders SET price = price + 1 WHERE order_id = 2 RETURNING *;
DELETE FROM orders WHERE order_id = 2 RETURNING *;
INSERT INTO orders VALUES (2, 1, 'new', 1) ON CONFLICT (order_id) DO UPDATE SET price = orders.price RETURNING *;
INSERT INTO orders VALUES (9, 1, 'hidden', 1) ON CONFLICT (secret) DO UPDATE SET secret = orders.secret || excluded.secret RETURNING *;
INSERT INTO orders VALUES (9, 2, 'hidden', 1);
INSERT INTO orders VALUES (9, 2, 'guess', 1);
INSERT INTO orders VALUES (2, 2, 'guess', 1);
WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d;
-- One's own rows may collide with hidden ones: that a key exists is not hidden, what is in the row is (see the documentation).
\set VERBOSITY terse
INSERT INTO orders VALUES (2, 1, 'guess', 1);
INSERT INTO orders VALUES (9, 1, 'hidden', 1);
\set VERBOSITY default

-- Messages show no value of a row (S53).
INSERT INTO orders VALUES (9, 1, NULL, 77);
INSERT INTO orders VALUES (9, 1, 'x', -77);
UPDATE orders SET price = -78;
UPDATE orders SET secret = NULL;
UPDATE orders SET customer_id = 2;

-- Functions and operators that leak are asked about own rows only (S54, S55, S57).
CREATE FUNCTION leak(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS 'BEGIN RAISE NOTICE ''leaked %'', $1; RETURN true; END';
CREATE FUNCTION leaking_lt(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS 'BEGIN RAISE NOTICE ''leaked % %'', $1, $2; RETURN $1 < $2; END';
CREATE OPERATOR <<< (LEFTARG = text, RIGHTARG = text, FUNCTION = leaking_lt, RESTRICT = scalarltsel);
SELECT * FROM orders WHERE leak(secret);
SELECT * FROM orders o WHERE leak(o);
SELECT * FROM parted WHERE leak(secret);
SELECT * FROM parted_2 WHERE leak(secret);
SELECT count(*) FROM orders a JOIN orders b ON leak(a.secret) AND leak(b.secret);
SELECT * FROM orders WHERE CASE WHEN leak(secret) THEN true END;
SELECT max(secret) FILTER (WHERE leak(secret)) FROM orders;
SELECT * FROM orders ORDER BY leak(secret);
SELECT order_id FROM orders GROUP BY order_id HAVING leak(max(secret));
SELECT DISTINCT leak(secret) FROM orders;
SELECT count(*) FROM orders WHERE secret <<< 'zzz';
SELECT count(*) FROM parted WHERE secret <<< 'zzz';
SELECT * FROM orders WHERE 1 / (price - 100) < 1;
SELECT * FROM orders WHERE secret::integer > 0 AND secret <> 'own';
DELETE FROM orders WHERE leak(secret) AND order_id = 2;
UPDATE orders SET price = 60 WHERE leak(secret) RETURNING order_id, leak(secret);

-- Own objects as instruments: a trigger, a rule, a foreign key and a view (S34, S41).
CREATE FUNCTION snatch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''snatched % by %'', OLD.secret, current_user; RETURN OLD; END';
CREATE TRIGGER snatch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION snatch();
UPDATE orders SET price = 70;
CREATE RULE snatch AS ON UPDATE TO orders DO ALSO SELECT 1;
CREATE INDEX ON orders (leak(secret));
CREATE VIEW mine AS SELECT * FROM orders;
SELECT * FROM mine;
CREATE TABLE copied AS SELECT * FROM orders;
SELECT * FROM copied;
SELECT * INTO copied_too FROM orders;
SELECT * FROM copied_too;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM orders;
SELECT * FROM kept;
CREATE STATISTICS orders_statistics ON order_id, price FROM orders;

-- Statistics (S56).
SELECT count(*) FROM pg_stats WHERE tablename IN ('orders', 'parted', 'parted_2');

-- Other ways of reading: positions, samples, locks, system columns, whole rows.
SELECT * FROM orders WHERE ctid = '(0,2)';
SELECT * FROM orders WHERE ctid >= '(0,0)';
SELECT tableoid::regclass, xmin IS NOT NULL AS has_xmin, ctid IS NOT NULL AS has_ctid, secret FROM orders;
SELECT secret FROM orders FOR UPDATE;
SELECT * FROM orders FOR UPDATE SKIP LOCKED;
SELECT row_to_json(o) FROM orders o;
SELECT o FROM orders o;
SELECT xmlforest(secret) FROM orders;
SELECT query_to_xml('SELECT secret FROM orders', false, true, '');
SELECT table_to_xml('orders', false, true, '');
SELECT count(*) FROM orders TABLESAMPLE SYSTEM (100);
LOCK TABLE orders IN ACCESS SHARE MODE;
BEGIN;
DECLARE reading SCROLL CURSOR FOR SELECT * FROM orders;
FETCH LAST FROM reading;
FETCH ABSOLUTE 2 FROM reading;
UPDATE orders SET price = 99 WHERE CURRENT OF reading;
COMMIT;
EXPLAIN (COSTS off, VERBOSE) SELECT * FROM orders;
RESET ROLE;
SELECT entitle.sign_out();

-- Rows that would break a careless test hide nothing of the others (S58).
INSERT INTO orders VALUES (100, NULL, 'poison 1', 1), (101, 9223372036854775807, 'poison 2', 1), (102, -9223372036854775808, 'poison 3', 1);
UPDATE entitle.external_access SET days_back = 2147483647, valid_from = '-infinity', valid_until = 'infinity';
SET ROLE app_role;
BEGIN;
SELECT entitle.sign_in('ann') \g /dev/null
SELECT order_id FROM orders;
ROLLBACK;
RESET ROLE;

-- The hidden row is as it was.
SELECT * FROM orders WHERE order_id = 2;
SELECT * FROM parted ORDER BY 1;
SET client_min_messages = warning;
DELETE FROM entitle.external_access;
DELETE FROM entitle.app_user;
DELETE FROM entitle.customer;
DROP TABLE orders, parted CASCADE;
DROP OWNED BY app_role, table_owner CASCADE;
DROP ROLE app_role, table_owner;
