-- A virtual generated column decides about no row: triggers and explanations judge rows as they are stored, and would take every move
-- for none (R54). As a column like others it may be read, and masked.
\ir error_of.psql
SELECT no_plan();
SELECT current_setting('server_version_num')::integer >= 180000 AS has_virtual \gset
\if :has_virtual
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'yuki');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', 'a'), (102, 'b', 'b', 'b');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L30', NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, at timestamp, place integer, price integer,
                     other_id bigint GENERATED ALWAYS AS (customer_id) VIRTUAL, day date GENERATED ALWAYS AS (at::date) VIRTUAL,
                     brand_id integer GENERATED ALWAYS AS (place) VIRTUAL, double integer GENERATED ALWAYS AS (price * 2) VIRTUAL);
INSERT INTO orders VALUES (1, 101, now(), 1, 10), (2, 102, now(), 1, 20);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO test_app;
SELECT throws_ok(format('SELECT entitle.protect_table(''orders'', %s)', arguments), '22023',
                 format('column "%s" of table "public.orders" is a virtual generated column, which no row has', refused), 'R54: ' || arguments)
FROM (VALUES ('''other_id''', 'other_id'), ('''customer_id'', ''day''', 'day'), ('''customer_id'', brand_column => ''brand_id''', 'brand_id')) AS v (arguments, refused);

SELECT entitle.protect_table('orders', 'customer_id', 'at', external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 40, "double": 40}') \g /dev/null
SELECT is(ask('yuki', 'SELECT string_agg(concat_ws('' '', id, day = current_date, price, double, masked_columns), '', '') FROM orders_view'), '1 t {price,double}',
          'R36: one is masked like any other');
SELECT matches(error_of('yuki', 'SELECT double FROM orders'), '^42501 ', 'R36: on the table, too');
SELECT is(error_of('yuki', 'INSERT INTO orders_view (id, customer_id, at) VALUES (3, 101, now())'), '1', 'a row of such a table is inserted');
SELECT is(error_of('yuki', 'UPDATE orders_view SET place = 2 WHERE id = 1'), '1', 'and updated');
\else
SELECT skip('virtual generated columns came with PostgreSQL 18', 7);
\endif

SELECT * FROM finish();
ROLLBACK;
