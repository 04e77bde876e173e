-- The eighth attack, on names: tables, columns, keys and schemas that are called like what the extension's texts use, or hold what ends
-- them, where a superuser plans, mends and takes back all (S386); and what was tried on the way and held.
\ir setup.psql
SELECT no_plan();

CREATE ROLE app_owner;
CREATE ROLE hostile;
GRANT CREATE ON SCHEMA public TO app_owner, hostile;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO app_owner, hostile;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (601, 'a', 'a', '1'), (602, 'b', 'b', '2');
INSERT INTO entitle.app_user (login) VALUES ('ann');
INSERT INTO entitle.external_access (customer_id, user_id, role) SELECT 601, user_id, 'L40' FROM entitle.app_user WHERE login = 'ann';

-- S386: lines called like the document in their own policy.
SET ROLE app_owner;
CREATE TABLE doc (id integer PRIMARY KEY, customer_id integer);
CREATE TABLE entitle_parent_1 (id integer REFERENCES doc ON DELETE CASCADE, n integer, PRIMARY KEY (id));
CREATE TABLE entitle_parent_2 (id integer REFERENCES entitle_parent_1 ON DELETE CASCADE, n integer, entitle_parent_1 integer, PRIMARY KEY (id, n));
CREATE TABLE entitle_parent_3 (entitle_parent_1 integer REFERENCES doc, t integer PRIMARY KEY);
INSERT INTO doc VALUES (1, 601), (2, 602);
INSERT INTO entitle_parent_1 VALUES (1, 1), (2, 2);
INSERT INTO entitle_parent_2 VALUES (1, 1, 2), (2, 2, 1);
INSERT INTO entitle_parent_3 VALUES (1, 1), (2, 2);
SELECT entitle.protect_table('doc', 'customer_id', external_update_level => 20, external_insert_level => 20, external_delete_level => 20);
SELECT entitle.protect_table(line, parent => parent, external_update_level => 20, external_insert_level => 20, external_delete_level => 20)
FROM (VALUES ('entitle_parent_1'::regclass, 'doc'::regclass), ('entitle_parent_2', 'entitle_parent_1'), ('entitle_parent_3', 'doc')) AS l (line, parent);
GRANT SELECT, INSERT, UPDATE, DELETE ON doc, entitle_parent_1, entitle_parent_2, entitle_parent_3, entitle_parent_1_view, entitle_parent_2_view, entitle_parent_3_view TO test_app;
RESET ROLE;
SELECT is(ask('ann', format('SELECT string_agg(%I::text, '','') FROM %I', key, relation)), '1', format('S386: %s shows the own lines', relation))
FROM (VALUES ('entitle_parent_1', 'id'), ('entitle_parent_1_view', 'id'), ('entitle_parent_2', 'id'), ('entitle_parent_2_view', 'id'),
             ('entitle_parent_3', 't'), ('entitle_parent_3_view', 't')) AS r (relation, key);
SELECT is(ask(NULL, format('SELECT count(*) FROM %I', relation)), '0', format('S386: and nobody those of %s', relation))
FROM unnest('{entitle_parent_1,entitle_parent_1_view,entitle_parent_2,entitle_parent_3_view}'::text[]) AS relation;
SELECT is(do_as('ann', 'UPDATE entitle_parent_2 SET entitle_parent_1 = 9'), 1::bigint, 'S386: what is written is tested alike');
SELECT is(do_as('ann', 'DELETE FROM entitle_parent_2_view'), 1::bigint, 'S386: through the view, too');
SELECT throws_ok($$ SELECT do_as('ann', 'INSERT INTO entitle_parent_2 VALUES (2, 3)') $$, '42501', NULL, 'S386: no line comes to another''s document');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'verify_protection finds nothing');
SET ROLE app_owner;
ALTER TABLE entitle_parent_3 RENAME TO third;
ALTER TABLE third RENAME TO entitle_parent_1x;
ALTER TABLE entitle_parent_1 RENAME TO first;
ALTER TABLE entitle_parent_1x RENAME TO entitle_parent_1;
SELECT entitle.protect_table('doc', 'customer_id', external_update_level => 20, external_insert_level => 20, external_delete_level => 20);
RESET ROLE;
SELECT is(ask('ann', 'SELECT string_agg(t::text, '','') FROM entitle_parent_1'), '1', 'S386: protected again under such a name, too');

-- Names that end what they stand in, for a superuser who plans, mends and takes back.
SET ROLE hostile;
CREATE TABLE "a""'; DROP TABLE doc; --" (id integer PRIMARY KEY, "c""'; DROP TABLE doc; --" integer, "p$$r$$" numeric);
SELECT entitle.protect_table('"a""''; DROP TABLE doc; --"', 'c"''; DROP TABLE doc; --', masked_columns => '{"p$$r$$": 30}');
ALTER TABLE "a""'; DROP TABLE doc; --" RENAME COLUMN "p$$r$$" TO "x'::text); DROP TABLE doc; --";
CREATE TABLE head (id integer PRIMARY KEY, customer_id integer);
CREATE TABLE tail (id integer PRIMARY KEY, head integer, CONSTRAINT "k""'; DROP TABLE doc; --" FOREIGN KEY (head) REFERENCES head);
SELECT entitle.protect_table('head', 'customer_id');
SELECT entitle.protect_table('tail', parent => 'head', parent_key => 'k"''; DROP TABLE doc; --');
ALTER TABLE tail RENAME CONSTRAINT "k""'; DROP TABLE doc; --" TO "é
'; DROP TABLE doc; --";
CREATE TABLE "№ ☃" ("ключ" integer PRIMARY KEY, "客户" integer);
SELECT entitle.protect_table('"№ ☃"', '客户', external_delete_level => 20, shared_rows => true);
CREATE TEMP TABLE doc (id integer);
CREATE TABLE planned ("id""; DROP TABLE doc; --" integer PRIMARY KEY, customer_id integer);
RESET ROLE;
SELECT lives_ok('CREATE TABLE ran AS SELECT * FROM entitle.repair()', 'a superuser mends all');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'and all is mended');
SELECT is((SELECT count(*) FROM entitle.plan_protection('{public}') WHERE relation = 'public.planned'::regclass), 1::bigint, 'and plans');
SELECT lives_ok('SELECT entitle.unprotect_all()', 'and takes back');
SELECT is((SELECT count(*) FROM public.doc), 2::bigint, 'no name was read as more than a name');
-- Temporary schemas are no place for a view.
SET ROLE hostile;
SELECT throws_ok($$ SELECT entitle.protect_table('head', 'customer_id', view_name => 'pg_temp.x') $$, '3F000', NULL, 'no filtered view is temporary');
SELECT throws_ok(format($$ SELECT entitle.protect_table('head', 'customer_id', view_name => %L) $$, (SELECT nspname || '.x' FROM pg_namespace WHERE oid = pg_my_temp_schema())), '42809', NULL,
                 'nor by the schema''s own name');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
