-- Ways to a masked cell that were tried and held: parts of a masked value are written, to NULL too, and its default is (S248).
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't'), (2, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'mixed');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L20', NULL), (2, 101, 'L30', NULL);
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO test_app;
CREATE TYPE shop.pair AS (a text, b integer);
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, quantity integer, names text[], pair shop.pair, data jsonb, price integer DEFAULT 7, remark text);
INSERT INTO shop.orders SELECT i, i, i, '{a,b}', '(a,1)'::shop.pair, '{"a": 1}', 100, 'r' FROM generate_series(1, 2) i;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.orders TO test_app;
SELECT entitle.protect_table('shop.orders', 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20,
                             masked_columns => '{"names": 30, "pair": 30, "data": 30, "price": 30, "remark": 30}') \g /dev/null

SELECT alike(error_of('mixed', format('UPDATE shop.orders_view SET %s WHERE id = 1', c)), '42501 permission denied to update column "%" of "shop.orders_view"', 'S248: ' || c)
FROM unnest(ARRAY['names[2] = ''x''', 'names[2] = NULL', 'pair.b = 2', 'pair.b = NULL', 'pair = ROW(NULL, NULL)', 'data[''a''] = ''2''', 'data[''a''] = NULL', 'price = 7',
                  'names = ''{}''', 'remark = ''''']) AS c;
SELECT is(do_as('mixed', 'UPDATE shop.orders_view SET price = DEFAULT WHERE id = 1'), 1::bigint, 'S248: a default is no value where it is masked');
SELECT is(do_as('mixed', 'UPDATE shop.orders_view SET remark = DEFAULT, names = names, pair = NULL, data = NULL, quantity = 9'), 2::bigint, 'S248: the NULL that shows is no change');
SELECT is((SELECT string_agg(concat_ws(' ', id, quantity, names, pair, data, price, remark), '; ' ORDER BY id) FROM shop.orders), '1 9 {a,b} (a,1) {"a": 1} 100 r; 2 9 {a,b} 100',
          'S248: of a masked value, and is one where it shows');

SELECT * FROM finish();
ROLLBACK;
