-- What protect_table and unprotect_table refuse: a clear error with a hint, and nothing is left behind.
\set ECHO none
\i sql/refused.psql
\set ECHO all
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE ROLE app_role;
CREATE ROLE table_owner;
CREATE ROLE other_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO table_owner, other_owner;
CREATE TABLE orders (
    order_id integer PRIMARY KEY, customer_id bigint, customer_name name, customer_oid oid, amount numeric, ordered_on date,
    ordered_at time, ordered_text text, brand_id bigint, brand_key boolean, "odd ""column" bigint, keys bigint[]);
ALTER TABLE orders ADD COLUMN gone bigint;
ALTER TABLE orders DROP COLUMN gone;
ALTER TABLE orders OWNER TO table_owner;
CREATE VIEW orders_view AS SELECT * FROM orders;
ALTER VIEW orders_view OWNER TO table_owner;
CREATE MATERIALIZED VIEW orders_copy AS SELECT * FROM orders;
CREATE SEQUENCE numbers;
CREATE TYPE pair AS (customer_id bigint);
CREATE INDEX orders_idx ON orders (customer_id);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE orders_elsewhere (customer_id bigint) SERVER elsewhere;
CREATE TEMP TABLE orders_temp (customer_id bigint);
CREATE TABLE parted (customer_id bigint) PARTITION BY LIST (customer_id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE FOREIGN TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) SERVER elsewhere;
CREATE TABLE mixed (customer_id bigint);
CREATE TABLE mixed_child () INHERITS (mixed);
ALTER TABLE mixed OWNER TO table_owner;

-- All that protect_table makes or changes, anywhere.
CREATE FUNCTION traces() RETURNS text
    LANGUAGE sql
    AS $$
    SELECT concat_ws('; ',
        (SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND (relrowsecurity OR relforcerowsecurity)),
        (SELECT string_agg(format('%s.%s', polrelid::regclass, polname), ',' ORDER BY polrelid::regclass::text, polname) FROM pg_policy WHERE polrelid::regclass::text !~ '^entitle\.'),
        (SELECT string_agg(format('%s.%s', tgrelid::regclass, tgname), ',' ORDER BY tgrelid::regclass::text, tgname) FROM pg_trigger WHERE tgrelid::regclass::text !~ '^entitle\.' AND NOT tgisinternal),
        (SELECT string_agg(relation::text, ',' ORDER BY relation::text) FROM entitle.protection),
        (SELECT string_agg(relation::text, ',' ORDER BY relation::text) FROM entitle.protection_member))
    $$;

-- Relations that cannot be protected.
SELECT * FROM refused($$SELECT entitle.protect_table(NULL)$$);
SELECT * FROM refused($$SELECT entitle.protect_table(0)$$);
SELECT * FROM refused($$SELECT entitle.protect_table(4294967295)$$);
SELECT * FROM refused($$SELECT entitle.protect_table('no_such_table', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders_view', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders_copy', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders_elsewhere', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders_temp', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('numbers', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders_idx', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('pair', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('pg_catalog.pg_class', 'oid')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('entitle.customer', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('parted_1', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('parted', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('mixed_child', 'customer_id')$$);

-- Columns that are not there or have no type the row tests know.
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'no_such_column')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'Customer_Id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', '')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'gone')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', '........pg.dropped.13........')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'ctid')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'tableoid')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id) OR true --')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_name')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_oid')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'keys')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'ordered_on')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', 'no_such_date')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', 'ordered_at')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', 'ordered_text')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', brand_column => 'no_such_brand')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', brand_column => 'brand_key')$$);

-- Levels, permissions and combinations.
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', min_level => 15)$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', min_level => 0)$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', min_level => -10)$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', min_level => 2147483647)$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', min_level => NULL)$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', external_insert_level => 91)$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 50)$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', view_permission => 'customers.views')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', insert_permission => 'Customers.edit')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', update_permission => '')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', delete_permission => '*')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', date_column => 'ordered_on', view_permission => 'customers.view')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', view_permission => 'customers.view', external_update_level => 30)$$);
SELECT code, length(message), hint FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', view_permission => repeat('x', 100000))$$);

-- Callers.
SET LOCAL ROLE app_role;
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.unprotect_table('orders')$$);
RESET ROLE;
SET LOCAL ROLE other_owner;
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id')$$);
SELECT * FROM refused($$SELECT entitle.unprotect_table('orders')$$);
RESET ROLE;
-- An owner of the root who does not own a part of it.
SET LOCAL ROLE table_owner;
SELECT * FROM refused($$SELECT entitle.protect_table('mixed', 'customer_id')$$);
RESET ROLE;

SELECT traces() = '' AS nothing_is_left;

-- What is there stays as it is when a later call is refused.
SET LOCAL ROLE table_owner;
SELECT entitle.protect_table('orders', 'customer_id', 'ordered_on', min_level => 20);
RESET ROLE;
CREATE TEMP TABLE before AS SELECT traces() AS traces, p FROM entitle.protected_tables p;
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'no_such_column')$$);
SET LOCAL ROLE other_owner;
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', min_level => 10)$$);
SELECT * FROM refused($$SELECT entitle.unprotect_table('orders')$$);
RESET ROLE;
SELECT * FROM refused($$SELECT entitle.unprotect_table('parted')$$);
SELECT * FROM refused($$SELECT entitle.unprotect_table(NULL)$$);
SELECT * FROM refused($$SELECT entitle.unprotect_table(0)$$);
SELECT * FROM refused($$SELECT entitle.unprotect_table('orders_view')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', view_name => '')$$);
SELECT * FROM refused($$SELECT entitle.protect_table('orders', 'customer_id', view_name => 'a.b.c')$$);
SELECT traces() = traces AS as_before, p = (SELECT q FROM entitle.protected_tables q) AS declared_as_before FROM before;

SELECT entitle.unprotect_table('orders');
SELECT traces() = '' AS nothing_is_left;

-- A part is named as such; and what was built on a filtered view is told.
CREATE TABLE halves (customer_id bigint, price integer) PARTITION BY LIST (customer_id);
CREATE TABLE halves_1 PARTITION OF halves FOR VALUES IN (1);
SELECT entitle.protect_table('halves', 'customer_id', masked_columns => '{"price": 30}');
SELECT * FROM refused($$SELECT entitle.unprotect_table('halves_1')$$);
CREATE VIEW built AS SELECT customer_id FROM halves_view;
SAVEPOINT a;
\set SHOW_CONTEXT never
SELECT entitle.unprotect_table('halves');
ROLLBACK TO a;
ROLLBACK;
DROP FUNCTION refused;
