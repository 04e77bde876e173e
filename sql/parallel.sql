-- A parallel plan gives the same rows as a serial one, with workers really launched, whoever asks and however the identity
-- got there (R50; S32).
BEGIN;
SET LOCAL client_min_messages = warning;
-- Days of the same length: in a zone with summer time, some would end an hour earlier on the business calendar, which is UTC.
SET LOCAL TIME ZONE 'UTC';
CREATE ROLE app_role;
CREATE ROLE mapped_role;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'Second');
INSERT INTO entitle.brand_module (brand_id, module_key) VALUES (2, 'customers');
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, brand_id, legal_name, trade_name, tax_id)
SELECT n, md5(n::text)::uuid, 'C' || n, n % 2 + 1, 'x', 'x', 'x' FROM generate_series(1, 200) AS n;
INSERT INTO entitle.app_user (user_id, login, db_role)
VALUES (1, 'few', NULL), (2, 'many', NULL), (3, 'staff', NULL), (4, 'none', NULL), (5, 'mapped', 'mapped_role');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT n, 1, 'L30', NULL FROM generate_series(1, 3) AS n
UNION ALL
SELECT n, 2, (ARRAY['L10', 'L20', 'L30', 'L40'])[n % 4 + 1], CASE WHEN n % 3 > 0 THEN n END FROM generate_series(1, 150) AS n
UNION ALL
SELECT n, 5, 'L20', NULL FROM generate_series(1, 10) AS n;
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 3, 1, role_id FROM entitle.role WHERE name = 'read-only';

CREATE TABLE orders (order_id integer, customer_id bigint, customer_uuid uuid, customer_code text, brand_id bigint, ordered_at timestamptz);
INSERT INTO orders
SELECT n, n % 200 + 1, md5((n % 200 + 1)::text)::uuid, 'C' || n % 200 + 1, (n % 200 + 1) % 2 + 1, now() - (n % 97) * interval '1 day'
FROM generate_series(1, 20000) AS n;
CREATE TABLE orders_by_uuid AS SELECT * FROM orders;
CREATE TABLE orders_by_code AS SELECT * FROM orders;
CREATE TABLE orders_by_brand AS SELECT * FROM orders;
GRANT SELECT ON orders, orders_by_uuid, orders_by_code, orders_by_brand TO app_role, mapped_role;
ANALYZE orders, orders_by_uuid, orders_by_code, orders_by_brand;
SELECT entitle.protect_table('orders', 'customer_id', 'ordered_at', min_level => 20, view_permission => 'customers.view'),
       entitle.protect_table('orders_by_uuid', 'customer_uuid', 'ordered_at', min_level => 20),
       entitle.protect_table('orders_by_code', 'customer_code', min_level => 20),
       entitle.protect_table('orders_by_brand', 'customer_id', brand_column => 'brand_id', view_permission => 'customers.view')
\g /dev/null

CREATE FUNCTION workers(query text) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
    RETURN jsonb_path_query_first(plan::jsonb, '$.**."Workers Launched"');
END
$$;

-- What a query gives serially and in parallel, and whether workers took part.
CREATE FUNCTION compare(source text) RETURNS TABLE (answer text, same boolean, launched boolean)
    LANGUAGE plpgsql
    AS $$
DECLARE
    query CONSTANT text := 'SELECT format(''%s rows, sum %s'', count(*), sum(order_id)) FROM ' || source;
    in_parallel text;
BEGIN
    SET LOCAL max_parallel_workers_per_gather = 0;
    EXECUTE query INTO answer;
    SET LOCAL max_parallel_workers_per_gather = 2;
    SET LOCAL parallel_setup_cost = 0;
    SET LOCAL parallel_tuple_cost = 0;
    SET LOCAL min_parallel_table_scan_size = 0;
    SET LOCAL parallel_leader_participation = off;
    SET LOCAL enable_indexscan = off;
    EXECUTE query INTO in_parallel;
    same := in_parallel = answer;
    launched := workers(query) > 0;
    RETURN NEXT;
END
$$;
CREATE FUNCTION compare_all() RETURNS TABLE (source text, answer text, same boolean, launched boolean)
    LANGUAGE sql
    AS $$
    SELECT s, c.*
    FROM unnest(ARRAY['orders', 'orders_by_uuid', 'orders_by_code', 'orders_by_brand']) WITH ORDINALITY AS t (s, n), LATERAL compare(s) c
    ORDER BY n
    $$;

SELECT entitle.sign_in('few') \g /dev/null
SET LOCAL ROLE app_role;
SELECT * FROM compare_all();
RESET ROLE;
SELECT entitle.sign_in('many') \g /dev/null
SET LOCAL ROLE app_role;
SELECT * FROM compare_all();
SELECT entitle.use_customer(5) \g /dev/null
SELECT * FROM compare_all();
SELECT entitle.use_customer(NULL) \g /dev/null
RESET ROLE;
SELECT entitle.sign_in('none') \g /dev/null
SET LOCAL ROLE app_role;
SELECT * FROM compare_all();
RESET ROLE;

-- The same numbers by a plain WHERE.
SELECT login,
       (SELECT count(*) FROM orders o WHERE EXISTS (
            SELECT FROM entitle.external_access g
            WHERE g.user_id = u.user_id AND g.customer_id = o.customer_id AND g.role >= 'L20'
              AND (days_back IS NULL OR (ordered_at AT TIME ZONE 'UTC')::date >= (statement_timestamp() AT TIME ZONE 'UTC')::date - days_back))) AS dated,
       (SELECT count(*) FROM orders o WHERE EXISTS (
            SELECT FROM entitle.external_access g
            WHERE g.user_id = u.user_id AND g.customer_id = o.customer_id AND g.role >= 'L20')) AS undated
FROM entitle.app_user u
WHERE login IN ('few', 'many', 'none') ORDER BY user_id;

-- Staff of two brands: no brand is chosen, then one.
SELECT entitle.sign_in('staff') \g /dev/null
SET LOCAL ROLE app_role;
SELECT * FROM compare_all() WHERE source IN ('orders', 'orders_by_brand');
SELECT entitle.use_brand(2) \g /dev/null
SELECT * FROM compare_all() WHERE source IN ('orders', 'orders_by_brand');
RESET ROLE;
-- A session-wide identity; a database role mapped to a user; nobody.
SELECT entitle.sign_in('few', session_wide => true) \g /dev/null
SET LOCAL ROLE app_role;
SELECT * FROM compare_all() WHERE source = 'orders';
RESET ROLE;
SELECT entitle.sign_out() \g /dev/null
SET LOCAL ROLE mapped_role;
SELECT * FROM compare_all() WHERE source = 'orders';
SET LOCAL ROLE app_role;
SELECT * FROM compare_all() WHERE source = 'orders';
RESET ROLE;

-- Workers see what the transaction itself has granted and taken away, not yet committed, and not what it rolled back.
SELECT entitle.sign_in('none') \g /dev/null
INSERT INTO entitle.external_access (customer_id, user_id, days_back) VALUES (7, 4, NULL);
SET LOCAL ROLE app_role;
SELECT * FROM compare_all() WHERE source = 'orders';
RESET ROLE;
SAVEPOINT before;
INSERT INTO entitle.external_access (customer_id, user_id, days_back) VALUES (8, 4, NULL);
ROLLBACK TO before;
SET LOCAL ROLE app_role;
SELECT * FROM compare_all() WHERE source = 'orders';
RESET ROLE;
DELETE FROM entitle.external_access WHERE user_id = 4;
SET LOCAL ROLE app_role;
SELECT * FROM compare_all() WHERE source = 'orders';
RESET ROLE;

-- The checks themselves run in workers.
SELECT entitle.sign_in('many') \g /dev/null
SET LOCAL ROLE app_role;
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
SELECT workers('SELECT entitle.access_level(2), entitle.has_permission(''customers.view''), entitle.accessible_customers(40), entitle.current_user_id()') AS launched;
SELECT entitle.access_level(2), entitle.access_level(3), entitle.has_permission('customers.view') AS may, cardinality(entitle.accessible_customers(40)) AS at_40,
       entitle.current_user_id(), entitle.current_login();
ROLLBACK;
