-- Masks that go away by repeating what was said: when the document is protected again, by the same call, by a remedy (S207).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint);
-- Two ways to the document, of which one is followed and the other is masked.
CREATE TABLE lines (line integer PRIMARY KEY, order_id integer REFERENCES orders, replaces_id integer REFERENCES orders, price integer);
CREATE TABLE notes (id integer PRIMARY KEY, customer_id bigint, price integer NOT NULL);
INSERT INTO orders VALUES (1, 1), (2, 1);
INSERT INTO lines VALUES (1, 1, 2, 777);
INSERT INTO notes VALUES (1, 1, 777);
GRANT SELECT ON orders, lines, notes TO test_app;
SELECT entitle.protect_table('orders', 'customer_id'),
       entitle.protect_table('lines', parent => 'orders', customer_column => 'order_id', masked_columns => '{"replaces_id": 30, "price": 30}'),
       entitle.protect_table('notes', 'customer_id', masked_columns => '{"price": 30}') \g /dev/null

CREATE FUNCTION shown(relation text) RETURNS text LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN (SELECT masked_columns::text FROM entitle.protected_tables p WHERE p.relation = shown.relation::regclass)
           || ' ' || ask('l20', format('SELECT to_jsonb(v) - ''masked_columns'' FROM %I v', relation || '_view'));
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
CREATE VIEW as_told AS SELECT '{"price": 30, "replaces_id": 30} {"line": 1, "price": null, "order_id": 1, "replaces_id": null}' AS lines;
SELECT is(shown('lines'), lines, 'a masked key that is not followed') FROM as_told;
SELECT entitle.protect_table('orders', 'customer_id') \g /dev/null
SELECT is(shown('lines'), lines, 'S207: stays masked when the document is protected again') FROM as_told;
SELECT entitle.protect_table('lines', parent => 'orders', customer_column => 'order_id', masked_columns => '{"replaces_id": 30, "price": 30}') \g /dev/null
SELECT is(shown('lines'), lines, 'S207: and by the same call') FROM as_told;
DROP POLICY entitle_update ON lines;
SELECT is((SELECT string_agg(substring(remedy FROM 'masked_columns => ([^)]*)[,)]'), ' ') FROM entitle.verify_protection()), '''{"price": 30, "replaces_id": 30}'', parent => ''public.orders''', 'S207: by a remedy');
DO $$ BEGIN EXECUTE (SELECT remedy FROM entitle.verify_protection()); END $$;
SELECT is(shown('lines'), lines, 'S207: which is run') FROM as_told;
ALTER TABLE lines RENAME replaces_id TO instead_of;
DO $$ BEGIN EXECUTE (SELECT remedy FROM entitle.verify_protection() LIMIT 1); END $$;
SELECT is(shown('lines'), '{"price": 30, "instead_of": 30} {"line": 1, "price": null, "order_id": 1, "instead_of": null}', 'S207: and by another name');
SELECT throws_ok($$ SELECT entitle.protect_table('lines', parent => 'orders', customer_column => 'order_id', masked_columns => '{"order_id": 30}') $$, '22023', NULL,
                 'the one that is followed cannot be masked');

-- What tells the row shows with it: a masked column that comes to do so closes the table, rather than showing.
ALTER TABLE notes DROP CONSTRAINT notes_pkey, ADD PRIMARY KEY (id, price);
SELECT is((SELECT string_agg(problem, '; ' ORDER BY problem) FROM entitle.verify_protection() WHERE problem ~ 'masked'),
          'masked column "price" is a part of a key, which shows with its row', 'S207: a masked column that became a key is told');
SELECT throws_ok($$ SELECT entitle.protect_table('notes', 'customer_id', masked_columns => '{"price": 30}') $$, '22023', NULL, 'the same call is refused');
SELECT is(shown('notes'), '{"price": 30} {"id": 1, "price": null, "customer_id": 1}', 'it stays masked');
SELECT is((SELECT count(*) FROM entitle.verify_protection() WHERE remedy !~ 'closed to everyone'), 0::bigint, 'S207: no remedy opens it');
SELECT matches((SELECT remedy FROM entitle.verify_protection() WHERE problem ~ 'masked'), '^DO ''BEGIN [^'']*(''''[^'']*''''[^'']*)* END''; -- ', 'S181: each is one statement, so that nobody meets the table in between');
DO $$ BEGIN EXECUTE (SELECT remedy FROM entitle.verify_protection() ORDER BY problem LIMIT 1); END $$;
SELECT is(ask('l20', 'SELECT count(*) FROM notes'), '0', 'they close the table');
SELECT lives_ok($$ SELECT entitle.protect_table('notes', 'customer_id') $$, 'it is protected again without the mask');

-- A key that merely bears the name of a masked column now is none.
CREATE TABLE swapped (id integer, number integer PRIMARY KEY, customer_id bigint);
INSERT INTO swapped VALUES (5, 6, 1);
GRANT SELECT ON swapped TO test_app;
SELECT entitle.protect_table('swapped', 'customer_id', masked_columns => '{"id": 30}') \g /dev/null
ALTER TABLE swapped RENAME id TO old_id;
ALTER TABLE swapped RENAME number TO id;
SELECT string_agg(remedy, ' ' ORDER BY remedy) AS remedy FROM (SELECT DISTINCT remedy FROM entitle.verify_protection() WHERE relation = 'swapped'::regclass) v \gset
:remedy
SELECT is(shown('swapped'), '{"old_id": 30} {"id": 6, "old_id": null, "customer_id": 1}', 'after an exchange the masked column stays masked, and the key shows');

SELECT * FROM finish();
ROLLBACK;
