-- Privileges on a protected table that are granted after it was masked open no masked column: who is bound by row-level security reads
-- and writes them through the filtered view alone, whatever he was granted on the table, its parts, or everything (S134, S66).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20'), (102, 'l30');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L20', NULL), (1, 102, 'L30', NULL);
CREATE ROLE test_owner;
CREATE ROLE test_heir;
CREATE ROLE test_all;
CREATE ROLE test_bypass BYPASSRLS;
GRANT test_owner TO test_heir;
GRANT pg_read_all_data TO test_all;
GRANT CREATE ON SCHEMA public TO test_owner, test_app;
SET LOCAL ROLE test_owner;
CREATE TABLE orders (gone integer, id integer PRIMARY KEY, customer_id bigint, price integer) PARTITION BY RANGE (id);
ALTER TABLE orders DROP COLUMN gone;
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10);
CREATE TABLE base (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE child (extra integer) INHERITS (base);
CREATE TABLE plain (id integer, price integer);
CREATE TABLE notes (id integer, customer_id bigint, note text);
INSERT INTO orders VALUES (1, 1, 10);
INSERT INTO base VALUES (1, 1, 10);
INSERT INTO child VALUES (2, 1, 20, 5);
INSERT INTO plain VALUES (1, 10);
RESET ROLE;
SELECT entitle.protect_table(t, 'customer_id', external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}')
FROM unnest('{orders,base}'::regclass[]) AS t;
SELECT entitle.protect_table('notes', 'customer_id');
CREATE TABLE orders_2 (price integer, customer_id bigint, id integer PRIMARY KEY);
INSERT INTO orders_2 VALUES (10, 1, 11);
ALTER TABLE orders ATTACH PARTITION orders_2 FOR VALUES FROM (10) TO (20); -- and not protected itself
GRANT ALL ON ALL TABLES IN SCHEMA public TO test_app, test_bypass, test_owner, test_all;

-- What a statement is answered with: the value, or the SQLSTATE.
CREATE FUNCTION answer(login text, statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        result := CASE WHEN statement ~ '^(INSERT|UPDATE|DELETE|COPY|CREATE|PREPARE|MERGE)' THEN do_as(login, statement)::text ELSE ask(login, statement) END;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ999';
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE <> 'ZZ999' THEN
            result := SQLSTATE;
        END IF;
    END;
    RETURN result;
END
$$;
CREATE VIEW test_invoker WITH (security_invoker) AS SELECT id, price FROM orders;
GRANT SELECT ON test_invoker TO test_app;

SELECT is(answer('l20', statement), '42501', format('S134: refused: %s', statement))
FROM (VALUES ('SELECT price FROM orders'), ('SELECT * FROM orders'), ('SELECT o FROM orders o'), ('SELECT to_jsonb(o) FROM orders o'), ('SELECT count(o) FROM orders o'),
             ('SELECT id FROM orders WHERE price > 5'), ('SELECT id FROM orders ORDER BY price'), ('SELECT max(price) FROM orders'), ('TABLE orders'),
             ('SELECT id FROM orders GROUP BY id, price'), ('SELECT p.id FROM plain p JOIN orders o ON o.price = p.price'),
             ('SELECT (SELECT price FROM orders LIMIT 1)'), ('SELECT id FROM plain WHERE EXISTS (SELECT FROM orders WHERE orders.price = plain.price)'),
             ('WITH o AS (SELECT price FROM orders) SELECT count(*) FROM o'), ('SELECT price FROM test_invoker'),
             ('SELECT price FROM orders_1'), ('SELECT price FROM orders_2'), ('SELECT price FROM base'), ('SELECT price FROM ONLY base'), ('SELECT price FROM child'),
             ('EXPLAIN SELECT id FROM orders WHERE price > 5'), ('SELECT query_to_xml(''SELECT price FROM orders'', true, true, '''')'),
             ('INSERT INTO orders (id, customer_id, price) VALUES (2, 1, 1)'), ('INSERT INTO orders VALUES (2, 1, 1)'), ('INSERT INTO orders_1 (price, id) VALUES (1, 3)'),
             ('INSERT INTO orders (id, customer_id) VALUES (2, 1) RETURNING price'), ('INSERT INTO orders (id, customer_id) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET price = 1'),
             ('UPDATE orders SET price = 1'), ('UPDATE orders SET id = id WHERE price = 10'), ('UPDATE orders SET id = id RETURNING *'), ('UPDATE child SET price = 1'),
             ('DELETE FROM orders WHERE price = 10'), ('UPDATE plain SET price = o.price FROM orders o'),
             ('MERGE INTO plain p USING orders o ON p.id = o.id WHEN MATCHED THEN UPDATE SET price = o.price'),
             ('CREATE TABLE copied AS SELECT price FROM orders'), ('CREATE MATERIALIZED VIEW copied AS SELECT price FROM orders')) AS s (statement);
SELECT is(answer('l20', statement), expected, format('and as before: %s', statement))
FROM (VALUES ('SELECT id FROM orders WHERE customer_id = 1 AND id = 1', '1'), ('SELECT count(*) FROM orders', '2'), ('SELECT ctid FROM orders_1', '(0,1)'), ('SELECT count(id) FROM base', '2'),
             ('SELECT extra FROM child', '5'), ('SELECT price FROM plain', '10'), ('SELECT count(*) FROM notes', '0'), ('SELECT count(*) FROM orders_view', '2'), ('SELECT price FROM orders_view WHERE id = 1', NULL),
             ('INSERT INTO orders (id, customer_id) VALUES (2, 1)', '1'), ('UPDATE orders SET id = id', '2'), ('UPDATE orders_view SET id = id WHERE id = 1', '1'), ('UPDATE plain SET price = 1', '1')) AS s (statement, expected);
SELECT is(answer('l30', 'SELECT price FROM orders_view WHERE id = 1'), '10', 'whose level sees the column reads it through the view');
SELECT is(answer('l30', 'SELECT price FROM orders'), '42501', 'and not in the table');
SELECT throws_ok($$ SELECT do_as('l20', 'SELECT price FROM orders') $$, '42501', 'permission denied for table orders', 'in PostgreSQL''s own words');

-- S66: pg_read_all_data reads past privileges, not past masks. Owners, and whom row-level security does not bind, go on.
CREATE FUNCTION as_role(name name, statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    PERFORM entitle.sign_in('l20'), set_config('role', name, true);
    EXECUTE statement INTO result;
    RESET ROLE;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RESET ROLE;
    RETURN SQLSTATE;
END
$$;
SELECT is(as_role(name, 'SELECT price FROM orders WHERE id = 1'), expected, format('%s: %s', name, expected))
FROM (VALUES ('test_app'::name, '42501'), ('test_all', '42501'), ('test_owner', '10'), ('test_heir', '10'), ('test_bypass', '10'), ('postgres', '10')) AS r (name, expected);

-- What changes the table, the declaration or the masks is known at once, in the same transaction and after a rollback.
SELECT is(answer('l20', 'SELECT note FROM notes'), NULL, 'a table without masks is open');
SAVEPOINT before;
SELECT entitle.protect_table('notes', 'customer_id', masked_columns => '{"note": 30}');
GRANT SELECT ON notes TO test_app;
SELECT is(answer('l20', 'SELECT note FROM notes'), '42501', 'and closed once it is masked');
ALTER TABLE notes RENAME note TO remark;
ALTER TABLE notes ADD COLUMN note text;
GRANT SELECT ON notes TO test_app;
SELECT is(answer('l20', format('SELECT %I FROM notes', c)), '42501', format('S134: after an exchange of names %s is closed', c)) FROM unnest('{note,remark}'::name[]) AS c;
SELECT is(answer('l20', 'SELECT id FROM notes'), NULL, 'and the others are open');
DROP VIEW notes_view;
SELECT is(answer('l20', format('SELECT %I FROM notes', c)), '42501', format('S134: without the view %s is closed, too', c)) FROM unnest('{note,remark}'::name[]) AS c;
SELECT is(answer('l20', 'SELECT id FROM notes'), NULL, 'and the others are open');
ALTER TABLE notes DROP COLUMN note;
SELECT is(answer('l20', 'SELECT remark FROM notes'), '42501', 'S134: nor does it open when the column that took its name goes');
ALTER TABLE notes DROP COLUMN remark;
SELECT is(answer('l20', 'SELECT id FROM notes'), '42501', 'S134: when nothing tells any more which column is masked, all are closed');
ROLLBACK TO before;
-- What another table numbered tells nothing of this one's columns.
SELECT entitle.protect_table('notes', 'customer_id', masked_columns => '{"note": 30}');
GRANT SELECT ON notes TO test_app;
UPDATE entitle.protection_view SET table_oid = 1 WHERE relation = 'notes'::regclass;
SELECT is(answer('l20', 'SELECT id FROM notes'), NULL, 'a restored table is told by its view');
DROP VIEW notes_view;
SELECT is(answer('l20', 'SELECT id FROM notes'), '42501', 'S134: without its view all of a restored table is closed');
ROLLBACK TO before;
SELECT is(answer('l20', 'SELECT note FROM notes'), NULL, 'undone, it is open again');
SELECT entitle.unprotect_table('base');
GRANT SELECT ON base TO test_app;
SELECT isnt(answer('l20', 'SELECT price FROM base'), '42501', 'an unprotected table is as any other');
SAVEPOINT before;
UPDATE entitle.protection SET masked_columns = '[]' WHERE relation = 'notes'::regclass;
SELECT is(answer('l20', 'SELECT id FROM notes'), '42501', 'S133: a declaration that makes no sense closes its table');
SELECT is(answer('l20', 'SELECT price FROM base WHERE id = 2'), '20', 'and no other');
ROLLBACK TO before;
DROP TABLE notes;
SELECT is(answer('l20', 'SELECT price FROM base WHERE id = 2'), '20', 'a dropped table is in nobody''s way');
SELECT isnt_empty($$ SELECT FROM entitle.verify_protection() WHERE problem LIKE 'test_app may select masked columns of%' $$,
          'and verify_protection still names what was granted');

SELECT * FROM finish();
ROLLBACK;
