-- What is told of masked columns and hidden rows beside the answer: by the size of an index row (S224), by readers whom lint does not
-- name (S225), and by an explanation of a key that two rows bear (S226).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error; -- of readers

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't'), (2, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L20', NULL);
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO test_app;

-- S224
CREATE TABLE shop.notes (id integer PRIMARY KEY, customer_id bigint, item text, secret text);
CREATE INDEX notes_both ON shop.notes (item, secret);
INSERT INTO shop.notes VALUES (1, 1, 'a', 'fifteen letters');
GRANT SELECT, UPDATE ON shop.notes TO test_app;
SELECT entitle.protect_table('shop.notes', 'customer_id', min_level => 20, external_update_level => 20, masked_columns => '{"secret": 30}') \g /dev/null
CREATE FUNCTION says(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM do_as('l20', command);
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
CREATE TABLE long AS SELECT string_agg(md5(i::text), '') AS text FROM generate_series(1, 84) i;
SELECT is(says(format('UPDATE shop.%I SET item = %L', target, long.text)),
          '54000 | the row has no valid value for what the table computes of it | A generated column, check, index or trigger of the table, or an expression of the statement refuses it; the server''s log has the text.',
          'S224: no size is told: ' || target)
FROM long, unnest('{notes,notes_view}'::text[]) AS target;
SELECT is(says('UPDATE shop.notes_view SET item = ''b'''), 'done', 'what fits is written');

-- S225: what reads a masked column, whatever that is called by now.
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE VIEW shop.peek AS SELECT id, price FROM shop.orders;
CREATE FUNCTION shop.peek_at() RETURNS SETOF integer LANGUAGE sql SECURITY DEFINER SET search_path = shop, pg_temp AS 'SELECT price FROM orders';
CREATE TABLE shop.box (i integer);
CREATE TABLE shop.closed_box (i integer);
CREATE TABLE shop.open_box (i integer);
CREATE RULE peek AS ON INSERT TO shop.box DO INSTEAD SELECT id, price FROM shop.orders;
CREATE RULE peek_all AS ON DELETE TO shop.box DO ALSO SELECT o FROM shop.orders o;
CREATE RULE peek AS ON INSERT TO shop.closed_box DO INSTEAD SELECT id, price FROM shop.orders;
CREATE RULE peek AS ON INSERT TO shop.open_box DO INSTEAD SELECT id FROM shop.orders;
GRANT SELECT ON shop.peek TO test_app;
GRANT INSERT, DELETE ON shop.box, shop.open_box TO test_app;
SELECT entitle.protect_table('shop.orders', 'customer_id', min_level => 20, masked_columns => '{"price": 30}') \g /dev/null
CREATE FUNCTION named() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(object || ' ' || (regexp_match(finding, 'view shows|function reads|rule peek'))[1], ', ' ORDER BY object)
    FROM entitle.lint() WHERE severity = 'error' AND object ~ 'shop.*(peek|box)' AND finding ~ 'mask' $$;
CREATE TEMP TABLE expected AS SELECT 'shop.box rule peek, shop.box rule peek, shop.peek view shows, shop.peek_at() function reads'::text AS names;
SELECT is(named(), names, 'S225: views, functions and rules are named') FROM expected;
ALTER TABLE shop.orders RENAME price TO cost;
SELECT is(named(), 'shop.box rule peek, shop.box rule peek, shop.peek view shows, shop.peek_at() function reads', 'S225: once it is renamed, too');
ALTER TABLE shop.orders ADD price integer;
SELECT is(named(), names, 'S225: and exchanged') FROM expected;
SELECT is((SELECT string_agg(DISTINCT remedy, ' ' ORDER BY remedy) FROM entitle.lint() WHERE object = 'shop.box'), 'DROP RULE peek ON shop.box; DROP RULE peek_all ON shop.box;', 'the remedy of a rule drops it');

-- S226: with a policy beside entitle's the server is asked whether the row shows.
CREATE TABLE shop.bills (id integer PRIMARY KEY, customer_id bigint, item text);
CREATE TABLE shop.old_bills (PRIMARY KEY (id)) INHERITS (shop.bills);
CREATE TABLE shop.lines (id integer PRIMARY KEY, bill_id integer REFERENCES shop.bills ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO shop.bills VALUES (1, 1, 'own'), (2, 2, 'theirs');
INSERT INTO shop.lines VALUES (1, 1), (2, 2);
INSERT INTO shop.old_bills VALUES (3, 1, 'old');
CREATE POLICY more ON shop.bills AS RESTRICTIVE USING (item <> 'never');
CREATE POLICY more ON shop.old_bills AS RESTRICTIVE USING (item <> 'never');
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.bills, shop.old_bills, shop.lines TO test_app;
SELECT entitle.protect_table('shop.bills', 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20) \g /dev/null
SELECT is(do_as('l20', 'INSERT INTO shop.old_bills VALUES (2, 1, ''fake'')'), 1::bigint, 'a row under the key of a hidden one');
CREATE FUNCTION told(of_table regclass, key text) RETURNS text LANGUAGE sql
    AS $$ SELECT ask('l20', format('SELECT string_agg(detail, ''; '') FROM entitle.explain_row(%L, %L) WHERE gate = ''row''', of_table, key)) $$;
SELECT is(told('shop.bills', '1'), 'there is a row with this key, of customer 1', 'a row is explained');
SELECT is(told('shop.bills', '3'), 'there is a row with this key, of customer 1', 'one of the inheriting table, too');
SELECT is(told('shop.bills', '2'), 'no row with this key, or none that you may see', 'S226: where two bear the key, nothing is told');
SELECT is(told('shop.old_bills', '2'), 'there is a row with this key, of customer 1', 'by the name of its table it is');

-- Whether a hidden document has lines is not told by the key of a row of an inheriting table, to which nothing refers.
SELECT entitle.protect_table('shop.lines', parent => 'shop.bills') \g /dev/null
SELECT is(says(c), 'done', 'S226: lines of others keep no row: ' || c)
FROM unnest(ARRAY['UPDATE shop.old_bills SET id = 4 WHERE id = 2', 'UPDATE shop.old_bills SET id = 2 WHERE id = 4', 'UPDATE shop.bills SET id = 5 WHERE id = 3', 'UPDATE shop.bills SET id = 3 WHERE id = 5']) AS c;
SELECT alike(says('UPDATE shop.bills SET id = 9 WHERE id = 1; UPDATE shop.bills SET id = 1 WHERE id = 9'), 'done', 'and their own follow');

SELECT * FROM finish();
ROLLBACK;
