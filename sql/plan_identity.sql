-- A plan outlives the identity it was made for and decides nothing: whatever the shape of a prepared statement or function, it
-- shows each user who runs it that user's rows (S1 to S5, S10, S59).
CREATE ROLE app_role;
CREATE ROLE other_role;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT n, 'x', 'x', 'x' FROM generate_series(1, 100) AS n;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'few'), (2, 'many'), (3, 'staff'), (4, 'none'), (5, 'owner'), (6, 'dated');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT n, 1, 'L30', NULL::integer FROM generate_series(1, 2) AS n
UNION ALL SELECT n, 2, 'L20', NULL::integer FROM generate_series(1, 60) AS n
UNION ALL SELECT n, 6, 'L20', n FROM generate_series(1, 60) AS n;
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner)
SELECT 3, 1, role_id, false FROM entitle.role WHERE name = 'read-only' UNION ALL SELECT 5, 1, NULL::bigint, true;
CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint, ordered_on date, amount integer);
INSERT INTO orders SELECT n, n % 100 + 1, CURRENT_DATE - n % 30, n FROM generate_series(1, 3000) AS n;
CREATE INDEX orders_customer_idx ON orders (customer_id);
ANALYZE orders;
SELECT entitle.protect_table('orders', 'customer_id', 'ordered_on', min_level => 20, view_permission => 'customers.view');
CREATE VIEW orders_view WITH (security_invoker) AS SELECT * FROM orders;
CREATE FUNCTION orders_inlined() RETURNS SETOF orders LANGUAGE sql STABLE AS 'SELECT * FROM orders';
CREATE FUNCTION orders_of(wanted bigint) RETURNS SETOF orders LANGUAGE sql STABLE AS 'SELECT * FROM orders WHERE customer_id = wanted';
CREATE FUNCTION orders_counted() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM orders); END';
CREATE FUNCTION orders_looped() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    seen bigint := 0;
    number integer;
BEGIN
    FOR number IN SELECT order_id FROM orders LOOP
        seen := seen + 1;
    END LOOP;
    RETURN seen;
END
$$;
GRANT SELECT, UPDATE ON orders, orders_view TO app_role, other_role;

CREATE TABLE shape (number integer GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO shape (query) VALUES
    ('SELECT count(*) FROM orders'),
    ('SELECT count(*) FROM orders WHERE customer_id > 0 AND ordered_on > ''-infinity'' AND amount > 0'),
    ('SELECT count(*) FROM orders WHERE order_id BETWEEN 1 AND 3000'),
    ('SELECT count(o) FROM orders o'),
    ('SELECT count(row_to_json(o)) FROM orders o'),
    ('SELECT count(ctid) FROM orders WHERE tableoid = ''orders''::regclass AND xmin IS NOT NULL'),
    ('WITH c AS (SELECT * FROM orders) SELECT count(*) FROM c'),
    ('WITH c AS MATERIALIZED (SELECT * FROM orders) SELECT count(*) FROM c'),
    ('WITH RECURSIVE r (id, n) AS (SELECT order_id, 1 FROM orders UNION ALL SELECT id, n + 1 FROM r WHERE n < 2) SELECT count(*) FROM r WHERE n = 2'),
    ('SELECT count(*) FROM (SELECT * FROM orders OFFSET 0) s'),
    ('SELECT count(*) FROM generate_series(1, 3000) n WHERE n IN (SELECT order_id FROM orders)'),
    ('SELECT count(*) FROM generate_series(1, 3000) n WHERE EXISTS (SELECT FROM orders WHERE order_id = n)'),
    ('SELECT 3000 - count(*) FROM generate_series(1, 3000) n WHERE n NOT IN (SELECT order_id FROM orders)'),
    ('SELECT (SELECT count(*) FROM orders)'),
    ('SELECT cardinality(ARRAY(SELECT order_id FROM orders))'),
    ('SELECT count(*) FROM orders_view'),
    ('SELECT count(*) FROM orders_inlined()'),
    ('SELECT count(*) FROM generate_series(1, 100) c, LATERAL orders_of(c)'),
    ('SELECT orders_counted()'),
    ('SELECT orders_looped()'),
    ('SELECT count(*) FROM orders a JOIN orders b USING (order_id)'),
    ('SELECT count(b.order_id) FROM orders a LEFT JOIN orders b USING (order_id)'),
    ('SELECT count(*) FROM orders a FULL JOIN orders b USING (order_id)'),
    ('SELECT count(*) FROM generate_series(1, 3000) n LEFT JOIN orders ON order_id = n WHERE order_id IS NOT NULL'),
    ('SELECT count(*) FROM (SELECT order_id FROM orders UNION SELECT order_id FROM orders) u'),
    ('SELECT count(*) FROM (SELECT order_id FROM orders UNION ALL SELECT NULL WHERE false) u'),
    ('SELECT count(*) FROM (SELECT order_id FROM orders INTERSECT SELECT order_id FROM orders_view) u'),
    ('SELECT coalesce(max(n), 0) FROM (SELECT row_number() OVER (ORDER BY order_id) AS n FROM orders) w'),
    ('SELECT coalesce(sum(n), 0) FROM (SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id HAVING count(*) > 0) g'),
    ('SELECT coalesce(sum(n), 0) FROM (SELECT customer_id, count(*) AS n FROM orders GROUP BY GROUPING SETS ((customer_id))) g'),
    ('SELECT count(*) FROM (SELECT DISTINCT order_id FROM orders) d'),
    ('SELECT count(*) FROM (SELECT DISTINCT ON (order_id) * FROM orders ORDER BY order_id, amount) d'),
    ('SELECT count(*) FILTER (WHERE amount > 0) FROM orders'),
    ('SELECT count(*) FROM (SELECT * FROM orders FOR UPDATE SKIP LOCKED) l'),
    ('SELECT count(*) FROM (SELECT * FROM orders FOR KEY SHARE) l'),
    ('SELECT count(*) FROM orders TABLESAMPLE BERNOULLI (100)'),
    ('SELECT count(*) FROM orders TABLESAMPLE SYSTEM (100)'),
    ('SELECT count(*) FROM ONLY orders'),
    ('SELECT count(*) FROM orders o, LATERAL (SELECT o.order_id AS id OFFSET 0) l WHERE l.id = o.order_id'),
    ('SELECT count(*) FROM (SELECT * FROM orders ORDER BY ordered_on DESC, order_id LIMIT 1000000) l'),
    ('SELECT count(*) FROM (VALUES (1)) v CROSS JOIN orders'),
    ('SELECT count(*) FROM orders WHERE customer_id = ANY (ARRAY(SELECT generate_series(1, 100)))'),
    ('SELECT count(*) FROM orders WHERE customer_id IS NOT NULL OR customer_id IS NULL'),
    ('SELECT count(*) FROM orders WHERE NOT (customer_id IS NULL)'),
    ('SELECT count(*) FROM orders WHERE ctid = ANY (ARRAY(SELECT ctid FROM orders))');

CREATE TABLE expected AS
SELECT u.login, count(o.order_id) AS rows
FROM (TABLE entitle.app_user) u
LEFT JOIN orders o ON u.login IN ('staff', 'owner') OR EXISTS (
    SELECT FROM entitle.external_access g
    WHERE g.user_id = u.user_id AND g.customer_id = o.customer_id AND (g.days_back IS NULL OR o.ordered_on >= CURRENT_DATE - g.days_back))
GROUP BY u.login;
TABLE expected ORDER BY login;
GRANT SELECT ON shape, expected TO app_role, other_role;
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO app_role, other_role;
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT r, u.login FROM unnest(ARRAY['app_role', 'other_role']) AS r, entitle.app_user AS u;

DO $$
DECLARE
    s shape;
BEGIN
    FOR s IN TABLE shape LOOP
        EXECUTE format('PREPARE shape_%s AS %s', s.number, s.query);
    END LOOP;
END
$$;

-- Runs every shape as everyone in turn, in an order that meets each change from one user to another; tells what differs.
CREATE FUNCTION run_all(prepared boolean, total integer DEFAULT NULL) RETURNS TABLE (login text, number integer, seen bigint, expected bigint)
    LANGUAGE plpgsql
    AS $$
DECLARE
    logins CONSTANT text[] := '{few,few,many,few,staff,few,none,few,owner,few,dated,many,staff,many,none,many,owner,many,dated,staff,none,staff,owner,staff,dated,none,owner,none,dated,owner,dated,few}';
    who text;
    command text;
    ran integer := 0;
BEGIN
    total := coalesce(total, (SELECT count(*) FROM shape));
    FOREACH who IN ARRAY logins LOOP
        PERFORM entitle.sign_in(who);
        FOR n IN 1..total LOOP
            login := who;
            number := n;
            command := CASE WHEN prepared THEN 'EXECUTE shape_' || n ELSE (SELECT query FROM shape s WHERE s.number = n) END;
            BEGIN
                EXECUTE command INTO seen;
            EXCEPTION WHEN serialization_failure THEN
                -- Only where a function's body came into the plan may another user's plan have to be refused once.
                IF command !~ 'shape_1[78]$' THEN
                    RAISE;
                END IF;
                EXECUTE command INTO seen;
            END;
            expected := (SELECT e.rows FROM expected e WHERE e.login = who);
            ran := ran + 1;
            IF seen IS DISTINCT FROM expected THEN
                RETURN NEXT;
            END IF;
        END LOOP;
    END LOOP;
    RAISE NOTICE '% questions', ran;
END
$$;

SET ROLE app_role;
SET jit = off; -- the cost of a forbidden kind of scan would bring it in
SELECT * FROM run_all(false);
SET plan_cache_mode = force_generic_plan;
SELECT * FROM run_all(true);
-- The role changes under the same plans, back and forth (S2).
SET ROLE other_role;
SELECT * FROM run_all(true);
SET ROLE app_role;
SET plan_cache_mode = auto;
SELECT * FROM run_all(true);
SET plan_cache_mode = force_custom_plan;
SELECT * FROM run_all(true);
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SELECT * FROM run_all(true);
SELECT * FROM run_all(false);
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_seqscan = on;
SELECT * FROM run_all(false);
RESET enable_indexscan;
RESET enable_bitmapscan;
SET jit = on;
SET jit_above_cost = 0;
SELECT * FROM run_all(false, 1);
SET jit = off;
-- Where row-level security cannot be applied, nothing shows (S39).
BEGIN;
SELECT entitle.sign_in('few');
SET LOCAL row_security = off;
SELECT count(*) FROM orders;
ROLLBACK;

-- EXPLAIN tells nobody's customers (S10, S60).
BEGIN;
SELECT entitle.sign_in('few') \g /dev/null
CREATE FUNCTION pg_temp.explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (VERBOSE, COSTS off) ' || query; END $$;
SELECT count(*) > 0 AS is_explained, count(*) FILTER (WHERE line ~ '\{1,2\}|''1''|= 1\y') AS tells_customers
FROM pg_temp.explained('EXECUTE shape_1') AS line;
ROLLBACK;

RESET ALL;
RESET ROLE;
DEALLOCATE ALL;
DROP FUNCTION run_all, orders_inlined, orders_of, orders_counted, orders_looped;
DROP TABLE orders, shape, expected CASCADE;
DELETE FROM entitle.external_access;
DELETE FROM entitle.membership;
DELETE FROM entitle.app_user;
DELETE FROM entitle.customer;
REVOKE EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out FROM app_role, other_role;
DROP ROLE app_role, other_role;
