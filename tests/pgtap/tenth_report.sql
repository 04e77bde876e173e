-- What a hostile owner made of report mode (R66): S500, S502 to S504, S506.
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE ROLE test_mallory;
CREATE SCHEMA test_trusted;
GRANT CREATE ON SCHEMA public TO test_owner, test_mallory;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.protection_report TO test_owner, test_mallory;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20');
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) SELECT i, 1, 'c' || i, 'c' || i, i FROM generate_series(101, 103) i;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', 30);
CREATE FUNCTION as_role(who name, commands text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    EXECUTE commands;
    RESET ROLE;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RESET ROLE;
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION modes() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(relation || ' ' || mode, ', ' ORDER BY relation::text, mode) FROM entitle.protected_tables
$$;

-- S515: where nothing is protected yet, one call enforces a schema that was in report mode.
CREATE SCHEMA test_first;
CREATE TABLE test_first.sale (id integer PRIMARY KEY, customer_id bigint);
CREATE TABLE test_first.item (id integer PRIMARY KEY, sale_id integer NOT NULL REFERENCES test_first.sale);
SELECT is(entitle.protect_schema('{test_first}', mode => 'report'), 2, 'the first tables of all are in report mode');
SELECT is(entitle.protect_schema('{test_first}'), 2, 'S515: and enforced by one call');
SELECT is(modes(), 'test_first.item enforce, test_first.sale enforce', 'S515: all of them');
SELECT is(entitle.unprotect_all(), 2, 'and taken back');

GRANT EXECUTE ON FUNCTION entitle.unprotect_table TO test_owner, test_mallory;
-- S500: a superuser who runs the remedy would make the view for its declarer, in a schema where that one may make nothing.
SELECT is(as_role('test_mallory', $$CREATE TABLE priced (id integer PRIMARY KEY, customer_id bigint, price numeric);
                  SELECT entitle.protect_table('priced', 'customer_id', masked_columns => '{"price": 30}', view_name => 'test_trusted.orders', mode => 'report')$$),
          '42501', 'S500: a view is declared where its owner may not make it, in report mode as well');

REVOKE EXECUTE ON FUNCTION entitle.unprotect_table FROM test_owner, test_mallory;
-- An owner who may protect and not unprotect tries a new table, and enforces it.
SELECT is(as_role('test_mallory', $$CREATE TABLE own (id integer NOT NULL, customer_id bigint); SELECT entitle.protect_table('own', 'customer_id', mode => 'report')$$),
          'done', 'report mode of what nobody enforces takes no right to unprotect');
SELECT is(as_role('test_mallory', $$SELECT entitle.unprotect_table('own')$$), '42501', 'which its end takes');
SELECT is(as_role('test_mallory', $$SELECT entitle.protect_table('own', 'customer_id')$$), 'done', 'but not enforcement');
SELECT is(modes(), 'own enforce', 'which ends it');
SELECT is_empty($$ SELECT * FROM pg_trigger WHERE tgname = 'entitle_report' $$, 'with its trigger');
SELECT is(as_role('test_mallory', $$SELECT entitle.protect_table('own', 'customer_id', mode => 'report')$$), '42501', 'what is enforced stays so');
GRANT EXECUTE ON FUNCTION entitle.unprotect_table TO test_owner, test_mallory;

-- S502: lines of others' documents. The owner of lines who may not read the documents declares none, and keeps them from nothing.
SELECT is(as_role('test_owner', $$CREATE TABLE doc (id integer PRIMARY KEY, customer_id bigint, placed date);
                  INSERT INTO doc VALUES (1, 101, current_date), (2, 102, current_date), (3, 101, current_date - 100);
                  SELECT entitle.protect_table('doc', 'customer_id', 'placed', mode => 'report');
                  GRANT REFERENCES ON doc TO test_mallory$$), 'done', 'documents in report mode');
SELECT is(as_role('test_mallory', $$CREATE TABLE line (id integer PRIMARY KEY, doc_id integer NOT NULL REFERENCES doc); INSERT INTO line SELECT i, i FROM generate_series(1, 3) i;
                  CREATE TABLE part (id integer PRIMARY KEY, line_id integer NOT NULL REFERENCES line); INSERT INTO part SELECT i, i FROM generate_series(1, 3) i;
                  GRANT SELECT ON line, part TO test_app$$), 'done', 'tables that refer to them');
SELECT is(as_role('test_mallory', $$SELECT entitle.protect_table('line', parent => 'doc', mode => 'report')$$), '42501', 'S502: lines of a document that one may not read are refused');
GRANT SELECT ON doc TO test_mallory;
SELECT is(as_role('test_mallory', $$SELECT entitle.protect_table('line', parent => 'doc', mode => 'report'), entitle.protect_table('part', parent => 'line', mode => 'report')$$), 'done', 'with SELECT they are lines');
SELECT is(as_role('test_owner', $$SELECT entitle.protect_table('doc', 'customer_id', 'placed')$$), 'done', 'the documents are enforced');

-- S503: whose documents they are is hidden from the owner of the lines, and so are the gates, keys and users that tell of it.
SELECT is(ask('l20', 'SELECT count(*) FROM line'), '3', 'lines show');
SELECT is(ask('l20', 'SELECT count(*) FROM part'), '3', 'and lines of lines');
SELECT results_eq('SELECT relation::text, gate, sample_keys FROM entitle.protection_report() ORDER BY 1, 2',
                  $$ VALUES ('line', 'customer', '{2}'::text[]), ('line', 'window', '{3}'), ('part', 'customer', '{2}'), ('part', 'window', '{3}') $$, 'a superuser is told all');
SET LOCAL ROLE test_mallory;
SELECT is_empty('SELECT * FROM entitle.protection_report()', 'S503: the owner of lines is told nothing of others'' documents');
RESET ROLE;
SELECT as_role('test_mallory', $$SELECT entitle.unprotect_table('part'), entitle.unprotect_table('line')$$) \g /dev/null
SET LOCAL ROLE test_mallory;
SELECT is_empty('SELECT * FROM entitle.protection_report()', 'S503: nor when they are no lines any more');
RESET ROLE;
SELECT is(as_role('test_owner', $$CREATE TABLE owned (id integer PRIMARY KEY, doc_id integer NOT NULL REFERENCES doc); INSERT INTO owned VALUES (1, 2);
                  GRANT SELECT ON owned TO test_app;
                  SELECT entitle.protect_table('owned', parent => 'doc', mode => 'report')$$), 'done', 'lines of one''s own documents');
SELECT is(ask('l20', 'SELECT count(*) FROM owned'), '1', 'show');
SET LOCAL ROLE test_owner;
SELECT results_eq('SELECT relation::text, gate, sample_keys FROM entitle.protection_report()', $$ VALUES ('owned', 'customer', '{1}'::text[]) $$, 'and are told of');
RESET ROLE;
SELECT is(as_role('test_owner', $$SELECT entitle.unprotect_table('owned'), entitle.unprotect_table('doc')$$), 'done', 'all is taken back');

-- S504: the mode of a table is one, and the true one.
DELETE FROM entitle.reported_rows;
SELECT is(as_role('test_owner', $$CREATE TABLE whole (id integer, customer_id bigint) PARTITION BY RANGE (id);
                  SELECT entitle.protect_table('whole', 'customer_id');
                  CREATE TABLE piece (id integer NOT NULL, customer_id bigint);
                  SELECT entitle.protect_table('piece', 'customer_id', mode => 'report');
                  ALTER TABLE whole ATTACH PARTITION piece FOR VALUES FROM (0) TO (100)$$), 'done', 'a table in report mode becomes a part of an enforced one');
SELECT is(modes(), 'own enforce, whole enforce', 'S504: and is enforced');
SELECT is_empty($$ SELECT * FROM entitle.lint() WHERE finding ~ 'nothing is enforced' $$, 'S504: which lint does not deny');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'S504: nothing is missing');
SELECT is(as_role('test_owner', $$CREATE TABLE above (id integer, customer_id bigint); CREATE TABLE below (id integer, customer_id bigint);
                  SELECT entitle.protect_table('below', 'customer_id', mode => 'report');
                  ALTER TABLE below INHERIT above;
                  SELECT entitle.protect_table('above', 'customer_id')$$), 'done', 'one that is a part already');
SELECT is(modes(), 'above enforce, own enforce, whole enforce', 'S504: follows the whole');
SELECT is(as_role('test_owner', $$CREATE TABLE above_2 (id integer, customer_id bigint); CREATE TABLE below_2 (id integer, customer_id bigint);
                  SELECT entitle.protect_table('below_2', 'customer_id', mode => 'report');
                  ALTER TABLE below_2 INHERIT above_2;
                  SELECT entitle.protect_table('above_2', 'customer_id', mode => 'report')$$), 'done', 'in report mode, too');
SELECT is(modes(), 'above enforce, above_2 report, own enforce, whole enforce', 'S504: follows the whole there');
SELECT is(as_role('test_owner', $$SELECT entitle_internal.record_protection(entitle_internal.reported_declaration('above_2'))$$), 'done', 'the step that writes down what is enforced is called alone');
SELECT is(modes(), 'above enforce, above_2 enforce, own enforce, whole enforce', 'S504: there is one declaration');
SELECT is(as_role('test_owner', $$SELECT entitle.unprotect_table('above_2'), entitle.unprotect_table('above'), entitle.unprotect_table('whole')$$), 'done', 'and each is taken back');
SELECT is(modes(), 'own enforce', 'S504: once');

-- S506: what comes past a thousand counts of one transaction is counted together, of each table apart.
SELECT is(as_role('test_mallory', $$DO $d$ BEGIN
                  EXECUTE 'CREATE TABLE wide (id text PRIMARY KEY, customer_id bigint, ' || (SELECT string_agg('c' || i || ' integer', ', ') FROM generate_series(1, 1010) i) || ')';
                  PERFORM entitle.protect_table('wide', 'customer_id', mode => 'report',
                                                masked_columns => (SELECT jsonb_object_agg('c' || i, 30) FROM generate_series(1, 1010) i)); END $d$;
                  INSERT INTO wide VALUES ('mine', 101); GRANT SELECT ON wide TO test_app$$), 'done', 'a table with many masked columns');
SELECT is(as_role('test_owner', $$CREATE TABLE secret (id text PRIMARY KEY, customer_id bigint); INSERT INTO secret VALUES ('of somebody else', 102);
                  GRANT SELECT ON secret TO test_app; SELECT entitle.protect_table('secret', 'customer_id', mode => 'report')$$), 'done', 'and another''s');
SELECT is(ask('l20', 'SELECT c1 FROM (SELECT * FROM wide OFFSET 0) w'), NULL, 'the one is read');
SELECT is(ask('l20', 'SELECT count(*) FROM secret'), '1', 'and then the other');
SET LOCAL ROLE test_mallory;
SELECT results_eq('SELECT DISTINCT relation::text, sample_keys FROM entitle.protection_report()', $$ VALUES ('wide', '{mine}'::text[]) $$, 'S506: nobody is told of another''s rows');
SET LOCAL ROLE test_owner;
SELECT results_eq('SELECT relation::text, gate, sample_keys FROM entitle.protection_report()', $$ VALUES ('secret', 'more', '{of somebody else}'::text[]) $$, 'S506: who owns them is');
RESET ROLE;

-- S508: the owner of documents alters them, or a superuser stores nonsense, and nobody who uses the lines, or the table, meets an error.
SELECT is(as_role('test_owner', $$CREATE TABLE bill (id integer PRIMARY KEY, customer_id bigint, placed date, price numeric);
                  INSERT INTO bill SELECT i, 100 + i % 3, current_date, i FROM generate_series(1, 9) i; GRANT SELECT, REFERENCES ON bill TO test_mallory; GRANT SELECT, UPDATE ON bill TO test_app;
                  SELECT entitle.protect_table('bill', 'customer_id', 'placed', masked_columns => '{"price": 30}', mode => 'report')$$), 'done', 'documents');
SELECT is(as_role('test_mallory', $$CREATE TABLE item (id integer PRIMARY KEY, bill_id integer NOT NULL REFERENCES bill); INSERT INTO item SELECT i, i FROM generate_series(1, 9) i;
                  GRANT SELECT, INSERT, UPDATE, DELETE ON item TO test_app; SELECT entitle.protect_table('item', parent => 'bill', mode => 'report')$$), 'done', 'and lines of another''s');
CREATE FUNCTION used_after(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    EXECUTE change;
    told := concat_ws(' ', ask('l20', 'SELECT count(*) FROM item'), ask('l20', 'WITH made AS (INSERT INTO item VALUES (100, 1) RETURNING id) SELECT id FROM made'),
                      ask('l20', 'WITH made AS (UPDATE item SET id = id RETURNING 1) SELECT count(*) FROM made'),
                      ask('l20', 'WITH made AS (DELETE FROM item WHERE id = 1 RETURNING 1) SELECT count(*) FROM made'),
                      ask('l20', 'SELECT count(*) FROM bill'), ask('l20', 'WITH made AS (UPDATE bill SET id = id RETURNING 1) SELECT count(*) FROM made'),
                      (SELECT count(*) > 0 FROM entitle.lint()), (SELECT string_agg(problem, ', ' ORDER BY relation::text) FROM entitle.verify_protection()));
    RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = told;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0999' THEN SQLERRM ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;
SELECT is(used_after(change), '9 100 10 1 9 9 t' || problems, 'S508: ' || change)
FROM (VALUES ('SELECT', ''),
             ('ALTER TABLE bill RENAME customer_id TO buyer', ' is in report mode, and reports nothing: no column customer_id, is in report mode, and reports nothing: no column customer_id of public.bill'),
             ('ALTER TABLE bill DROP placed', ' is in report mode, and reports nothing: no column placed, is in report mode, and reports nothing: no column placed of public.bill'),
             ('ALTER TABLE bill DROP price', ' is in report mode, and reports nothing: no column price'),
             ('ALTER TABLE item DROP CONSTRAINT item_bill_id_fkey', ' is in report mode, and reports nothing: table "public.item" has no such foreign key to "public.bill"'),
             ('REVOKE SELECT ON bill FROM test_mallory', ' is in report mode, and reports nothing: the owner of table "public.item" may not read its parent "public.bill"'),
             ($$UPDATE entitle.reported_protection SET masked_columns = '[1]' WHERE relation = 'bill'::regclass$$, ' is in report mode, and reports nothing: masked_columns is no object: [1]'),
             ($$UPDATE entitle.reported_protection SET masked_columns = '{"price": 99999999999}' WHERE relation = 'bill'::regclass$$,
              ' is in report mode, and reports nothing: the level of masked column "price" is no external level: 99999999999'),
             ($$UPDATE entitle.reported_protection SET masked_columns = '{"price": null}' WHERE relation = 'bill'::regclass$$,
              ' is in report mode, and reports nothing: the level of masked column "price" is no external level: null'),
             ($$UPDATE entitle.reported_protection SET parent = relation WHERE relation = 'bill'::regclass$$,
              ' is in report mode, and reports nothing: table "public.bill" is its own parent, is in report mode, and reports nothing: table "public.item" is its own parent')) AS v (change, problems);

-- S509: whoever has the TRIGGER privilege has rows counted twice.
GRANT TRIGGER ON bill TO test_mallory;
SELECT is(as_role('test_mallory', $$CREATE TRIGGER again AFTER UPDATE ON bill FOR EACH ROW EXECUTE FUNCTION entitle_internal.report_write()$$), 'done', 'another trigger of the kind');
SELECT count(*) FROM entitle.protection_report() \g /dev/null
DELETE FROM entitle.reported_rows;
SELECT is(ask('l20', 'WITH made AS (UPDATE bill SET id = id WHERE id = 2 RETURNING 1) SELECT count(*) FROM made'), '1', 'one row is written');
SELECT is((SELECT string_agg(action || ' ' || rows, ', ') FROM entitle.protection_report() WHERE relation = 'bill'::regclass), 'update 1', 'S509: and counted once');

-- S514: a table in report mode that was altered since keeps nobody from enforcing the others.
CREATE SCHEMA test_shared;
GRANT CREATE, USAGE ON SCHEMA test_shared TO test_owner, test_mallory;
SELECT is(as_role('test_owner', 'CREATE TABLE test_shared.good (id integer PRIMARY KEY, customer_id bigint)'), 'done', 'a table of customers');
SELECT is(as_role('test_mallory', $$CREATE TABLE test_shared.odd (id integer PRIMARY KEY, customer_id bigint); SELECT entitle.protect_table('test_shared.odd', 'customer_id', mode => 'report');
                  ALTER TABLE test_shared.odd DROP COLUMN customer_id$$), 'done', 'another''s, in report mode');
SELECT lives_ok($$SELECT entitle.protect_schema('{test_shared}')$$, 'S514: all are enforced that can be');
SELECT is((SELECT string_agg(relation || ' ' || mode, ', ' ORDER BY relation::text) FROM entitle.protected_tables WHERE relation::text ~ '^test_shared'), 'test_shared.good enforce, test_shared.odd report', 'S514: and those alone');
SELECT is((SELECT reason FROM entitle.plan_protection('{test_shared}') WHERE relation::text = 'test_shared.odd'), 'in report mode, and reports nothing: no column customer_id', 'S514: the plan tells why');

-- S516: whoever is erased is in no report any more, by any login that he had.
INSERT INTO entitle.app_user (user_id, login) VALUES (102, 'maiden name');
SELECT is(ask('maiden name', 'SELECT count(*) FROM secret'), '1', 'somebody reads');
UPDATE entitle.app_user SET login = 'married name' WHERE user_id = 102;
SELECT is(ask('married name', 'SELECT count(*) FROM secret'), '1', 'and again, under another login');
SELECT results_eq($$SELECT login FROM entitle.protection_report() WHERE login ~ 'name' ORDER BY 1$$, $$ VALUES ('maiden name'), ('married name') $$, 'both are told');
SELECT entitle.erase_user('married name', 'asked for');
SELECT results_eq($$SELECT login, rows FROM entitle.protection_report() WHERE login ~ 'name|erased' ORDER BY 1$$, $$ VALUES ('erased-102', 2::bigint) $$, 'S516: until the user is erased');

SELECT * FROM finish();
ROLLBACK;
