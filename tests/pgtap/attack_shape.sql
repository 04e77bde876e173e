-- Writes through a filtered view of tables whose columns and triggers stand in the way of how the view is written: columns that bear
-- the names used for the row, domains that refuse the NULL that stands for a type, triggers that keep a new row out (S182, R37).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'l20'), (2, 'l30');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL), (1, 2, 'L30', NULL);
CREATE DOMAIN quantity AS integer NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN present AS varchar(6) CHECK (VALUE IS NOT NULL);
CREATE DOMAIN short AS present CHECK (length(VALUE) < 5);
CREATE DOMAIN two AS integer[] CHECK (cardinality(VALUE) = 2);
-- Each of the names that the writes use for the rows.
CREATE TABLE orders (
    id integer PRIMARY KEY, customer_id bigint, t integer, hidden integer, written integer, located integer, stored integer, shown integer,
    old_row integer, new_row integer, "old" integer, "new" integer, declared integer, view integer, relation integer, entitle_parent_1 integer,
    ordered quantity DEFAULT 5, code present DEFAULT 'ab', tag short DEFAULT 'cd', pair two DEFAULT '{1,2}', price integer);
-- The column that bears the row's name is a row of the table.
CREATE TABLE nodes (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE trees (id integer PRIMARY KEY, customer_id bigint, price integer, t nodes);
INSERT INTO trees VALUES (1, 1, 10, ROW(1, 1, 99));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, trees TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', external_insert_level => 20, external_update_level => 20, view_permission => 'customers.view',
                             delete_permission => 'customers.view', masked_columns => '{"price": 30}'),
       entitle.protect_table('trees', 'customer_id', external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}') \g /dev/null

SELECT is(do_as('l20', 'INSERT INTO orders_view (id, customer_id, t, written) VALUES (1, 1, 7, 8)'), 1::bigint, 'S182: a row is added whose columns have the names of rows');
SELECT is((SELECT to_jsonb(o) - '{hidden,located,stored,shown,old_row,new_row,old,new,declared,view,relation,entitle_parent_1,price}'::text[] FROM orders o),
          '{"id": 1, "customer_id": 1, "t": 7, "written": 8, "ordered": 5, "code": "ab", "tag": "cd", "pair": [1, 2]}',
          'S182: as it was given, with the defaults of columns whose domains refuse NULL');
SELECT is(do_as('l20', 'UPDATE orders_view SET t = 9, hidden = 1, located = 2, "old" = 3, "new" = 4, ordered = 6, pair = ''{3,4}'''), 1::bigint, 'S182: and changed');
SELECT is((SELECT format('%s %s %s %s %s %s %s', t, hidden, located, "old", "new", ordered, pair) FROM orders), '9 1 2 3 4 6 {3,4}', 'S182: as it was told');
SELECT throws_ok($$ SELECT do_as('l20', 'UPDATE orders_view SET price = 1') $$, '42501', NULL, 'S182: where masks hold');
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO orders_view (id, customer_id) VALUES (2, 2)') $$, '42501', NULL, 'S182: and places');
SELECT throws_ok($$ SELECT do_as('l20', 'DELETE FROM orders_view') $$, '42501', NULL, 'S182: and rights');
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO orders_view (id, customer_id, ordered) VALUES (3, 1, NULL)') $$, '23502', NULL, 'a NULL that was given is refused by its domain');
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO orders_view (id, customer_id, tag) VALUES (3, 1, ''abcde'')') $$, '23514', NULL, 'as is what the domain checks');
ALTER TABLE orders ALTER ordered SET DEFAULT -1;
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO orders_view (id, customer_id) VALUES (3, 1)') $$, '23514', NULL, 'a default that its domain refuses is refused');
ALTER TABLE orders ALTER ordered DROP DEFAULT;
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO orders_view (id, customer_id) VALUES (3, 1)') $$, '23502', NULL, 'where there is no default, there is no value');

-- The function behind the defaults gives no value of a domain that its column is not of.
CREATE DOMAIN small AS integer CHECK (VALUE < 3);
SELECT throws_ok($$ SELECT entitle.column_default('orders', 1, NULL::small) $$, '55000', NULL, 'S182: a default is of its column''s type, and no other domain''s');
SELECT throws_ok($$ SELECT entitle.column_default('orders', 17, NULL::small) $$, '55000', NULL, 'S182: nor of another domain over the same type');

SELECT is(do_as('l20', 'INSERT INTO trees_view (id, customer_id, t) VALUES (2, 1, ROW(2, 2, 5))'), 1::bigint, 'S182: a row in a column of a row''s name is a value as others');
SELECT is(do_as('l20', 'UPDATE trees_view SET t = ROW(1, 1, 5) WHERE id = 1'), 1::bigint, 'S182: it may change');
SELECT throws_ok($$ SELECT do_as('l20', 'UPDATE trees_view SET price = 5 WHERE id = 1') $$, '42501', NULL, 'S182: and its columns are not those that are masked');
SELECT is((SELECT format('%s %s', price, t) FROM trees WHERE id = 1), '10 (1,1,5)', 'S182: each is written where it belongs');

-- A trigger of the table's own that keeps a row out keeps it out, and is no refusal.
CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.id < 100 THEN NEW END; END $$;
CREATE TRIGGER keep_out BEFORE INSERT ON trees FOR EACH ROW EXECUTE FUNCTION keep_out();
SELECT is(do_as(login, format('INSERT INTO trees_view (id, customer_id) VALUES (%s, 1)', id)), expected, format('S182: %s adds row %s', login, id))
FROM (VALUES ('l20', 100, 0::bigint), ('l30', 101, 0), ('l20', 3, 1)) AS v (login, id, expected);
INSERT INTO trees_view (id, customer_id) VALUES (102, 1);
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM trees), '1 2 3', 'S182: nor for a superuser');

SELECT * FROM finish();
ROLLBACK;
