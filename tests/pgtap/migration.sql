-- Migrations by the tables' owner, whom FORCE ROW LEVEL SECURITY binds: the bracket begin_migration, and what it leaves behind.
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner NOLOGIN;
CREATE ROLE test_other NOLOGIN;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT USAGE ON SCHEMA shop TO PUBLIC;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table, entitle.alter_protected, entitle.begin_migration TO test_owner, test_other;
CREATE FUNCTION touched(command text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    rows bigint;
BEGIN
    EXECUTE command;
    GET DIAGNOSTICS rows = ROW_COUNT;
    RETURN rows;
END
$$;
CREATE FUNCTION forced() RETURNS text
    LANGUAGE sql
    AS $$ SELECT string_agg(c.relname || ' ' || c.relforcerowsecurity, ', ' ORDER BY c.relname) FROM pg_class c WHERE c.relrowsecurity AND c.relnamespace = 'shop'::regnamespace $$;

SET LOCAL ROLE test_owner;
CREATE TABLE shop.orders (order_id bigint PRIMARY KEY, customer_id bigint, price numeric);
CREATE TABLE shop.lines (order_id bigint, line integer, PRIMARY KEY (order_id, line));
INSERT INTO shop.orders VALUES (1, 1, 10), (2, 2, 20);
INSERT INTO shop.lines VALUES (1, 1), (3, 1);
CREATE MATERIALIZED VIEW shop.totals AS SELECT customer_id, sum(price) AS total FROM shop.orders GROUP BY 1;
SELECT entitle.protect_table('shop.orders', customer_column => 'customer_id', masked_columns => '{"price": 30}'),
       entitle.protect_table('shop.lines', customer_column => 'order_id')
\g /dev/null
CREATE TABLE shop.open (id bigint);

-- Without the bracket
SELECT is(touched('UPDATE shop.orders SET price = price + 1'), 0::bigint, 'without the bracket the owner''s UPDATE finds no row');
SAVEPOINT unchecked;
ALTER TABLE shop.lines ADD CONSTRAINT lines_order FOREIGN KEY (order_id) REFERENCES shop.orders;
SELECT ok((SELECT convalidated FROM pg_constraint WHERE conname = 'lines_order'), 'and a foreign key counts as valid over a row that breaks it');
ROLLBACK TO unchecked;

-- Within
SELECT is(entitle.begin_migration(), 2, 'the bracket takes every protected table of the owner''s');
SELECT is(forced(), 'lines false, orders false', 'and lifts FORCE');
SELECT is(touched('UPDATE shop.orders SET price = price + 1'), 2::bigint, 'a data migration reaches every row');
SELECT throws_ok('ALTER TABLE shop.lines ADD CONSTRAINT lines_order FOREIGN KEY (order_id) REFERENCES shop.orders', '23503', NULL,
                 'a foreign key names the row that breaks it');
SELECT is(touched('DELETE FROM shop.lines WHERE order_id = 3'), 1::bigint, 'rows are deleted');
SELECT lives_ok('ALTER TABLE shop.lines ADD CONSTRAINT lines_order FOREIGN KEY (order_id) REFERENCES shop.orders',
                'and the foreign key is checked against all rows');
REFRESH MATERIALIZED VIEW shop.totals;
SELECT is((SELECT sum(total) FROM shop.totals), 32::numeric, 'a materialized view is refreshed from all rows');
SELECT is(entitle.begin_migration(), 0, 'a second call finds nothing to lift');
SELECT entitle.alter_protected('shop.orders', 'ADD COLUMN note text') \g /dev/null
SELECT is(touched($$ UPDATE shop.orders SET note = 'filled' $$), 2::bigint, 'a column that alter_protected adds is filled in all rows');
SELECT ok(entitle_internal.is_migrating('shop.orders') AND NOT entitle_internal.is_migrating('shop.open'), 'the bracket lasts until the end');
RESET ROLE;
SELECT is((SELECT string_agg(relation::text || ' ' || action || ' ' || db_role, ', ' ORDER BY relation::text) FROM entitle.change_log WHERE action = 'migrate'),
          'shop.lines migrate test_owner, shop.orders migrate test_owner', 'the change log tells who migrated what (R21)');

-- Whose tables
SET LOCAL ROLE test_other;
SELECT is(entitle.begin_migration(), 0, 'another role has nothing to migrate');
SELECT throws_ok($$ SELECT entitle.begin_migration('{shop.orders}') $$, '42501', NULL, 'nor may it migrate somebody else''s table');
SELECT throws_ok($$ SELECT entitle_internal.note_migration('shop.orders') $$, '42501', NULL, 'nor note one');
SELECT throws_ok($$ SELECT entitle_internal.note_migration(NULL) $$, '42501', NULL, 'nor none at all');
RESET ROLE;
SET LOCAL ROLE test_owner;
SELECT throws_ok($$ SELECT entitle.begin_migration('{shop.open}') $$, '42704', NULL, 'a table that is not protected needs no bracket');
SELECT throws_ok($$ SELECT entitle_internal.note_migration('shop.open') $$, '42501', NULL, 'and is not noted');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION entitle.begin_migration FROM test_owner;
SET LOCAL ROLE test_owner;
SELECT throws_ok($$ SELECT entitle.begin_migration() $$, '42501', NULL, 'the DBA decides who may begin one');

RESET ROLE;
SELECT finish();
ROLLBACK;
