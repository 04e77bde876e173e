-- protect_table makes what it declares, on every part of the table, replaces it when called again, and unprotect_table removes
-- exactly that; what cannot be protected is refused with nothing left behind (R3, S36, S40, S43, S44, S50).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'viewer'), (102, 'seller'), (103, 'outsider'), (104, 'reader');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7), (102, 1, 5);
INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id)
    VALUES (101, 'A', 'a', 'a', '1'), (102, 'B', 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 103, 'L30'), (101, 104, 'L10');

-- A table whose names need quoting, with columns that keywords are named after.
CREATE SCHEMA "Odd ""schema";
CREATE TABLE "Odd ""schema"."Table; 'x'" ("select" integer PRIMARY KEY, "Kunde ""Nr" smallint, "user" timestamptz, "old" bigint DEFAULT 1);
CREATE TABLE plain (id integer PRIMARY KEY, customer_id bigint, on_date date, brand_id integer DEFAULT 1, amount numeric);
INSERT INTO plain SELECT i, 101 + i % 2, (statement_timestamp() AT TIME ZONE 'UTC')::date - i FROM generate_series(1, 60) AS i;
GRANT ALL ON plain TO test_app;

-- What the policies and triggers of a table say, for comparing.
CREATE FUNCTION made(relation regclass) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT concat_ws(E'\n',
        format('enabled %s forced %s', c.relrowsecurity, c.relforcerowsecurity),
        (SELECT string_agg(format('%s %s using %s check %s', p.polname, p.polcmd, coalesce(pg_get_expr(p.polqual, p.polrelid), '-'),
                                  coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-')), E'\n' ORDER BY p.polname)
         FROM pg_policy p WHERE p.polrelid = c.oid),
        (SELECT string_agg(format('%s %s %s', t.tgname, t.tgenabled, regexp_replace(pg_get_triggerdef(t.oid), '.* WHEN ', '')),
                           E'\n' ORDER BY t.tgname)
         FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal))
    FROM pg_class c WHERE c.oid = relation
    $$;

SELECT lives_ok($$ SELECT entitle.protect_table('plain', 'customer_id', 'on_date', min_level => 20, view_permission => 'customers.view',
                   update_permission => 'customers.edit', external_insert_level => 30) $$, 'a table is protected');
SELECT is(made('plain'), $m$enabled t forced t
entitle_delete d using entitle.row_allowed('customers.view'::text, 20, customer_id, on_date) check -
entitle_insert a using - check entitle.row_allowed(NULL::text, 30, customer_id, on_date)
entitle_select r using entitle.row_allowed('customers.view'::text, 20, customer_id, on_date) check -
entitle_update w using entitle.row_allowed('customers.view'::text, 20, customer_id, on_date) check entitle.row_allowed('customers.edit'::text, NULL::integer, customer_id, on_date)
entitle_delete A ((row_security_active(('plain'::regclass)::oid) AND (NOT entitle.row_allowed(NULL::text, NULL::integer, old.customer_id, old.on_date)))) EXECUTE FUNCTION entitle_internal.refuse_write()
entitle_left A (row_security_active(('plain'::regclass)::oid)) EXECUTE FUNCTION entitle_internal.refuse_move()
entitle_moved A (((old.id IS DISTINCT FROM new.id) OR (old.customer_id IS DISTINCT FROM new.customer_id) OR (old.on_date IS DISTINCT FROM new.on_date))) EXECUTE FUNCTION entitle_internal.refuse_move()
entitle_truncate A (row_security_active(('plain'::regclass)::oid)) EXECUTE FUNCTION entitle_internal.refuse_write()
entitle_update A ((row_security_active(('plain'::regclass)::oid) AND (NOT entitle.row_allowed('customers.edit'::text, NULL::integer, old.customer_id, old.on_date)))) EXECUTE FUNCTION entitle_internal.refuse_write()
zz_entitle_move A (((old.id IS DISTINCT FROM new.id) OR (old.customer_id IS DISTINCT FROM new.customer_id) OR (old.on_date IS DISTINCT FROM new.on_date))) EXECUTE FUNCTION entitle_internal.refuse_move()$m$,
    'one policy a command, each one call of the row test, and the triggers that refuse');

-- The same rules for a superuser's loader, an ordinary role, and each kind of user (R3).
SELECT is(ask('viewer', 'SELECT count(*) FROM plain'), '60', 'a viewer sees every row');
SELECT is(ask('outsider', 'SELECT count(*) FROM plain'), '15', 'an outsider sees the granted customer inside the window');
SELECT is(ask('reader', 'SELECT count(*) FROM plain'), '0', 'below the level nothing shows');
SELECT is(ask(NULL, 'SELECT count(*) FROM plain'), '0', 'R1: nobody sees nothing');
SELECT throws_ok($$ SELECT do_as('viewer', 'UPDATE plain SET amount = 1 WHERE id = 1') $$, '42501', NULL, 'R3: a visible row is not updated');
SELECT is(do_as('seller', 'UPDATE plain SET amount = 1 WHERE id = 1'), 1::bigint, 'it is with the permission');
SELECT throws_ok($$ SELECT do_as('seller', 'DELETE FROM plain WHERE id = 1') $$, '42501', NULL, 'R3: no permission named, nobody deletes');
SELECT throws_ok($$ SELECT do_as('seller', 'TRUNCATE plain') $$, '42501', NULL, 'S40: TRUNCATE is refused whatever the privileges');
SELECT throws_ok($$ SELECT do_as('outsider', 'UPDATE plain SET amount = 1 WHERE id = 2') $$, '42501', NULL, 'R3: an outsider updates no visible row');
SELECT is(do_as('outsider', 'UPDATE plain SET amount = 1 WHERE id = 1'), 0::bigint, 'R3: a hidden row is not there');
SELECT is(do_as('outsider', 'DELETE FROM plain WHERE id = 1'), 0::bigint, 'R3: nor for DELETE');
SELECT is(do_as('outsider', 'INSERT INTO plain VALUES (101, 101, current_date)'), 1::bigint, 'an outsider inserts at the level');
SELECT throws_ok($$ SELECT do_as('outsider', 'INSERT INTO plain VALUES (102, 102, current_date)') $$, '42501', NULL,
                 'but not for another customer');
SELECT throws_ok($$ SELECT do_as('seller', 'INSERT INTO plain VALUES (102, 102, current_date)') $$, '42501', NULL,
                 'no permission named, no internal user inserts');
SELECT lives_ok('UPDATE plain SET amount = 2 WHERE id = 2; DELETE FROM plain WHERE id = 101', 'R53: a superuser is not bound');

-- S36: the owner is.
CREATE ROLE test_owner;
GRANT ALL ON SCHEMA public TO test_owner;
ALTER TABLE plain OWNER TO test_owner;
SET LOCAL ROLE test_owner;
SELECT is((SELECT count(*) FROM plain), 0::bigint, 'S36: without an identity the owner sees nothing');
SELECT throws_ok('TRUNCATE plain', '42501', NULL, 'S40: nor truncates');
RESET ROLE;

-- S43: a cascade of a foreign key is nobody's write.
CREATE TABLE parent (id bigint PRIMARY KEY);
INSERT INTO parent VALUES (1);
CREATE TABLE child (id integer, parent_id bigint REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE, customer_id bigint);
INSERT INTO child VALUES (1, 1, 101);
SELECT entitle.protect_table('child', 'customer_id');
CREATE ROLE test_parent;
GRANT USAGE ON SCHEMA public TO test_parent;
ALTER TABLE parent OWNER TO test_parent;
SET LOCAL ROLE test_parent;
SELECT lives_ok('UPDATE parent SET id = 2', 'ON UPDATE CASCADE reaches a protected child');
SELECT lives_ok('DELETE FROM parent', 'ON DELETE CASCADE reaches a protected child');
RESET ROLE;
SELECT is_empty('SELECT * FROM child', 'and deletes it');

-- Again, with other arguments; then undone.
CREATE TEMP TABLE first_made AS SELECT made('plain') AS text;
SELECT lives_ok($$ SELECT entitle.protect_table('plain', 'customer_id', 'on_date', min_level => 20, view_permission => 'customers.view',
                   update_permission => 'customers.edit', external_insert_level => 30) $$, 'a table is protected again');
SELECT is(made('plain'), (SELECT text FROM first_made), 'the same call changes nothing');
SELECT lives_ok($$ SELECT entitle.protect_table('plain', brand_column => 'brand_id', view_permission => 'customers.view',
                   delete_permission => 'customers.edit') $$, 'other arguments are taken');
SELECT is(made('plain'), $m$enabled t forced t
entitle_delete d using entitle.brand_row_allowed('customers.view'::text, brand_id, NULL::integer, NULL::bigint) check -
entitle_insert a using - check entitle.brand_row_allowed(NULL::text, brand_id, NULL::integer, NULL::bigint)
entitle_select r using entitle.brand_row_allowed('customers.view'::text, brand_id, NULL::integer, NULL::bigint) check -
entitle_update w using entitle.brand_row_allowed('customers.view'::text, brand_id, NULL::integer, NULL::bigint) check entitle.brand_row_allowed(NULL::text, brand_id, NULL::integer, NULL::bigint)
entitle_delete A ((row_security_active(('plain'::regclass)::oid) AND (NOT entitle.brand_row_allowed('customers.edit'::text, old.brand_id, NULL::integer, NULL::bigint)))) EXECUTE FUNCTION entitle_internal.refuse_write()
entitle_left A (row_security_active(('plain'::regclass)::oid)) EXECUTE FUNCTION entitle_internal.refuse_move()
entitle_moved A (((old.id IS DISTINCT FROM new.id) OR (old.brand_id IS DISTINCT FROM new.brand_id))) EXECUTE FUNCTION entitle_internal.refuse_move()
entitle_truncate A (row_security_active(('plain'::regclass)::oid)) EXECUTE FUNCTION entitle_internal.refuse_write()
entitle_update A ((row_security_active(('plain'::regclass)::oid) AND (NOT entitle.brand_row_allowed(NULL::text, old.brand_id, NULL::integer, NULL::bigint)))) EXECUTE FUNCTION entitle_internal.refuse_write()
zz_entitle_move A (((old.id IS DISTINCT FROM new.id) OR (old.brand_id IS DISTINCT FROM new.brand_id))) EXECUTE FUNCTION entitle_internal.refuse_move()$m$,
    'and replace what was made');
SELECT results_eq($$ SELECT relation, customer_column, brand_column, min_level, view_permission, update_permission, delete_permission
                     FROM entitle.protected_tables WHERE relation = 'plain'::regclass $$,
    $$ VALUES ('plain'::regclass, NULL::name, 'brand_id'::name, 10, 'customers.view', NULL::text, 'customers.edit') $$,
    'protected_tables shows what is declared now');
ALTER TABLE plain RENAME COLUMN brand_id TO shop;
SELECT is(ask('viewer', 'SELECT count(*) FROM plain'), '60', 'the row test follows a renamed column');
ALTER TABLE plain RENAME COLUMN shop TO brand_id;
SELECT lives_ok($$ SELECT entitle.unprotect_table('plain') $$, 'a table is unprotected');
SELECT is(made('plain'), 'enabled f forced f', 'nothing is left of it');
SELECT is_empty($$ SELECT * FROM entitle.protected_tables WHERE relation = 'plain'::regclass $$, 'nor of the declaration');
SELECT throws_ok($$ SELECT entitle.unprotect_table('plain') $$, '42704', 'table "public.plain" is not protected',
                 'a table that is not protected cannot be unprotected');

-- What was there before stays.
ALTER TABLE plain ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_policy ON plain AS RESTRICTIVE USING (amount IS NOT NULL);
CREATE FUNCTION own_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER entitle_own BEFORE UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION own_trigger();
CREATE TEMP TABLE found AS SELECT made('plain') AS text;
SELECT entitle.protect_table('plain', 'customer_id', view_permission => 'customers.view');
SELECT entitle.protect_table('plain', 'customer_id', view_permission => 'customers.edit');
SELECT is(ask('seller', 'SELECT count(*) FROM plain'), '2', 'an own restrictive policy still narrows');
SELECT entitle.unprotect_table('plain');
SELECT is(made('plain'), (SELECT text FROM found), 'unprotect_table puts back exactly what it found');
CREATE POLICY entitle_select ON plain USING (true);
SELECT throws_ok($$ SELECT entitle.protect_table('plain', 'customer_id') $$, '42710', NULL, 'a policy of somebody else with our name is not taken over');
DROP POLICY entitle_select ON plain;
DROP POLICY own_policy ON plain;
DROP TRIGGER entitle_own ON plain;

-- Odd names.
SELECT lives_ok($$ SELECT entitle.protect_table('"Odd ""schema"."Table; ''x''"', 'Kunde "Nr', 'user', 'old', view_permission => 'customers.view') $$,
                'names that need quoting are quoted');
INSERT INTO "Odd ""schema"."Table; 'x'" VALUES (1, 101, now()), (2, 102, now());
GRANT USAGE ON SCHEMA "Odd ""schema" TO test_app;
GRANT ALL ON "Odd ""schema"."Table; 'x'" TO test_app;
SELECT is(ask('outsider', $$ SELECT count(*) FROM "Odd ""schema"."Table; 'x'" $$), '1', 'and filtered by');
SELECT lives_ok($$ SELECT entitle.unprotect_table('"Odd ""schema"."Table; ''x''"') $$, 'and unprotected');
SELECT is(made('"Odd ""schema"."Table; ''x''"'), 'enabled f forced f', 'with nothing left');

-- S44: partitions of partitions, and inheriting tables.
CREATE TABLE parted (id integer, customer_id bigint, on_date date) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100) PARTITION BY LIST (customer_id);
CREATE TABLE parted_1_1 PARTITION OF parted_1 FOR VALUES IN (101);
CREATE TABLE parted_1_2 PARTITION OF parted_1 FOR VALUES IN (102);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
ALTER TABLE parted_2 ENABLE ROW LEVEL SECURITY;
ALTER TABLE parted_2 FORCE ROW LEVEL SECURITY;
INSERT INTO parted VALUES (1, 101), (2, 102), (101, 101), (102, 102);
CREATE TABLE base (id integer, customer_id bigint);
CREATE TABLE derived (more text) INHERITS (base);
INSERT INTO base VALUES (1, 101), (2, 102);
INSERT INTO derived VALUES (3, 101), (4, 102);
GRANT ALL ON parted, parted_1, parted_1_1, parted_1_2, parted_2, base, derived TO test_app;
SELECT entitle.protect_table('parted', 'customer_id', view_permission => 'customers.view', update_permission => 'customers.edit');
SELECT entitle.protect_table('base', 'customer_id', view_permission => 'customers.view', update_permission => 'customers.edit');
SELECT is(ask('outsider', format('SELECT count(*) FROM %I', part)), seen, format('S44: an outsider sees %s of %s', seen, part))
FROM (VALUES ('parted', '2'), ('parted_1', '1'), ('parted_1_1', '1'), ('parted_1_2', '0'), ('parted_2', '1'),
             ('base', '2'), ('derived', '1')) AS p (part, seen);
SELECT throws_ok(format('SELECT do_as(''outsider'', ''UPDATE %I SET id = id WHERE customer_id = 101'')', part), '42501', NULL,
                 format('S44: and updates nothing of %s', part))
FROM unnest(ARRAY['parted', 'parted_1', 'parted_1_1', 'parted_2', 'base', 'derived']) AS part;
SELECT throws_ok(format('SELECT do_as(''outsider'', ''DELETE FROM %I WHERE customer_id = 101'')', part), '42501', NULL,
                 format('S44: nor deletes of %s', part))
FROM unnest(ARRAY['parted', 'parted_1', 'parted_1_1', 'parted_2', 'base', 'derived']) AS part;
SELECT throws_ok(format('SELECT do_as(''seller'', ''TRUNCATE %I'')', part), '42501', NULL, format('S44: nobody truncates %s', part))
FROM unnest(ARRAY['parted', 'parted_1', 'parted_1_1', 'parted_2', 'base', 'derived']) AS part;
SELECT is(do_as('seller', 'UPDATE parted SET id = id + 1 WHERE customer_id = 101'), 2::bigint, 'an update within a partition is one');
SELECT is(do_as('seller', 'UPDATE parted SET id = 150 WHERE id = 2'), 2::bigint, 'so is one that moves a row to another partition');
SELECT is((SELECT count(*) FROM pg_trigger t
           WHERE t.tgname LIKE 'entitle\_%' AND t.tgenabled <> 'A'
             AND t.tgrelid IN (SELECT m.relation FROM entitle.protection_member m)), 0::bigint,
          'every trigger fires always, those PostgreSQL copied to partitions too');
-- A partition made later has the triggers and the policies at once.
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (200) TO (300);
GRANT ALL ON parted_3 TO test_app;
INSERT INTO parted VALUES (201, 101), (202, 102);
SELECT is(ask('outsider', 'SELECT count(*) FROM parted_3'), '1', 'S44: a later partition is filtered from the first moment');
SELECT throws_ok($$ SELECT do_as('outsider', 'UPDATE parted_3 SET id = id') $$, '42501', NULL, 'S44: and refuses writes');
SELECT throws_ok($$ SELECT do_as('outsider', 'UPDATE parted SET id = id WHERE id = 201') $$, '42501', NULL,
                 'S44: and refuses writes by way of the table above');
SELECT entitle.protect_table('parted', 'customer_id', view_permission => 'customers.view', update_permission => 'customers.edit');
SELECT is(ask('outsider', 'SELECT count(*) FROM parted_3'), '1', 'S44: and so when the table is protected again');
-- A table that was protected by itself follows the root of which it becomes a part.
CREATE TABLE joined (id integer, customer_id bigint, more text);
SELECT entitle.protect_table('joined', 'customer_id', view_permission => 'conversions.view');
ALTER TABLE joined INHERIT base;
SELECT entitle.protect_table('base', 'customer_id', view_permission => 'customers.view', update_permission => 'customers.edit');
SELECT is(made('joined'), made('derived'), 'a table that was protected by itself is as the other children');
SELECT is_empty($$ SELECT * FROM entitle.protected_tables WHERE relation = 'joined'::regclass $$, 'and is declared no more');
DROP TABLE parted_2;
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
SELECT lives_ok($$ SELECT entitle.unprotect_table('parted'), entitle.unprotect_table('base') $$, 'all parts are unprotected together');
SELECT is(made(part::regclass), 'enabled f forced f', format('nothing is left of %s', part))
FROM unnest(ARRAY['parted', 'parted_1', 'parted_1_1', 'parted_1_2', 'parted_2', 'parted_3', 'base', 'derived', 'joined']) AS part;
SELECT is_empty('SELECT * FROM entitle.protection_member WHERE root IN (''parted''::regclass, ''base''::regclass)',
                'nor of what was found');

-- What cannot be protected: an SQLSTATE, a hint, and nothing left behind.
CREATE VIEW a_view AS SELECT * FROM plain;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM plain;
CREATE SEQUENCE a_sequence;
CREATE FOREIGN DATA WRAPPER test_wrapper;
CREATE SERVER test_server FOREIGN DATA WRAPPER test_wrapper;
CREATE FOREIGN TABLE a_foreign (customer_id bigint) SERVER test_server;
CREATE FOREIGN TABLE parted_5 PARTITION OF parted FOR VALUES FROM (400) TO (500) SERVER test_server;
CREATE TEMP TABLE a_temp (customer_id bigint);
CREATE DOMAIN a_domain AS bigint;
CREATE TABLE types (n numeric, d a_domain, c char(5), t time, s smallint, dropped bigint);
ALTER TABLE types DROP COLUMN dropped;
CREATE FUNCTION error_of(statement text) RETURNS TABLE (state text, has_hint boolean)
    LANGUAGE plpgsql
    AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN QUERY VALUES ('00000', false);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, hint = PG_EXCEPTION_HINT;
    RETURN QUERY VALUES (state, hint ~ '^[A-Za-z"].* .*\.$');
END
$$;
CREATE TEMP TABLE before AS
    SELECT (SELECT count(*) FROM pg_policy) AS policies, (SELECT count(*) FROM pg_trigger) AS triggers,
           (SELECT count(*) FROM pg_class WHERE relrowsecurity) AS secured, (SELECT count(*) FROM entitle.protection) AS declared;
SELECT results_eq(format('SELECT * FROM error_of(%L)', format('SELECT entitle.protect_table(%s)', arguments)),
                  format('VALUES (%L, true)', state), what)
FROM (VALUES
    ('22004', 'no table', 'NULL'),
    ('42809', 'a view', $$ 'a_view', 'customer_id' $$),
    ('42809', 'a materialized view', $$ 'a_matview', 'customer_id' $$),
    ('42809', 'a sequence', $$ 'a_sequence', 'customer_id' $$),
    ('42809', 'a foreign table', $$ 'a_foreign', 'customer_id' $$),
    ('42809', 'a table with a foreign partition', $$ 'parted', 'customer_id' $$),
    ('42809', 'a temporary table', $$ 'a_temp', 'customer_id' $$),
    ('42809', 'a table of entitle', $$ 'entitle.customer', 'customer_id' $$),
    ('42809', 'a catalogue of PostgreSQL', $$ 'pg_class', 'relname' $$),
    ('42809', 'a partition by itself', $$ 'parted_1', 'customer_id' $$),
    ('42809', 'an inheriting table by itself', $$ 'derived', 'customer_id' $$),
    ('42P01', 'a table that is gone', $$ 1::oid::regclass, 'customer_id' $$),
    ('42703', 'a missing customer column', $$ 'plain', 'nothing' $$),
    ('42703', 'a missing date column', $$ 'plain', 'customer_id', 'nothing' $$),
    ('42703', 'a missing brand column', $$ 'plain', 'customer_id', 'on_date', 'nothing' $$),
    ('42703', 'a dropped column', $$ 'types', 'dropped' $$),
    ('42703', 'a system column', $$ 'plain', 'ctid' $$),
    ('42804', 'a customer column of type time', $$ 'types', 't' $$),
    ('42804', 'a date column of type time', $$ 'types', 's', 't' $$),
    ('42804', 'a brand column of type time', $$ 'types', 's', NULL, 't' $$),
    ('22023', 'a level that is none', $$ 'plain', 'customer_id', min_level => 15 $$),
    ('22023', 'no level', $$ 'plain', 'customer_id', min_level => NULL $$),
    ('22023', 'an insert level that is none', $$ 'plain', 'customer_id', external_insert_level => 0 $$),
    ('22023', 'an update level that is none', $$ 'plain', 'customer_id', external_update_level => 91 $$),
    ('22023', 'an unknown permission', $$ 'plain', 'customer_id', view_permission => 'customers.viewer' $$),
    ('22023', 'a permission in another case', $$ 'plain', 'customer_id', delete_permission => 'Customers.view' $$),
    ('22023', 'an empty permission', $$ 'plain', 'customer_id', update_permission => '' $$),
    ('22023', 'a table that nobody could see', $$ 'plain' $$),
    ('22023', 'a date without a customer', $$ 'plain', date_column => 'on_date', view_permission => 'customers.view' $$),
    ('22023', 'an insert level without a customer', $$ 'plain', view_permission => 'customers.view', external_insert_level => 20 $$),
    ('22023', 'an update level without a customer', $$ 'plain', view_permission => 'customers.view', external_update_level => 20 $$)
) AS bad (state, what, arguments);
SELECT results_eq('SELECT * FROM before', $$
    SELECT (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM pg_trigger),
           (SELECT count(*) FROM pg_class WHERE relrowsecurity), (SELECT count(*) FROM entitle.protection) $$,
    'and nothing is left behind');

-- Whose table it is. EXECUTE on protect_table is the DBA's to grant, and then goes as far as ownership does.
CREATE TABLE mixed (customer_id bigint) PARTITION BY LIST (customer_id);
CREATE TABLE mixed_1 PARTITION OF mixed FOR VALUES IN (101);
ALTER TABLE mixed OWNER TO test_owner;
SET LOCAL ROLE test_owner;
SELECT throws_ok($$ SELECT entitle.protect_table('plain', 'customer_id') $$, '42501', NULL,
                 'an owner needs EXECUTE on protect_table');
SELECT throws_ok($$ SELECT entitle_internal.record_protection(ROW('plain'::regclass, 'customer_id', NULL, NULL, 10, NULL, NULL, NULL, NULL,
                                                         NULL, NULL, '{}', NULL, NULL, NULL, false, NULL)::entitle.protection) $$, '42501', NULL,
                 'its helper gives nothing without it');
RESET ROLE;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner, test_parent;
SET LOCAL ROLE test_owner;
SELECT lives_ok($$ SELECT entitle.protect_table('plain', 'customer_id', view_permission => 'customers.view') $$,
                'with it the owner protects the own table');
SELECT throws_ok($$ SELECT entitle.protect_table('base', 'customer_id') $$, '42501', 'must be owner of table "public.base"',
                 'but not another''s');
SELECT throws_ok($$ SELECT entitle.protect_table('mixed', 'customer_id') $$, '42501', 'must be owner of table "public.mixed_1"',
                 'nor one with a partition of another''s');
SELECT throws_ok('SELECT * FROM entitle.protection', '42501', NULL, 'the declarations are not the owner''s to read');
RESET ROLE;
SET LOCAL ROLE test_parent;
SELECT throws_ok($$ SELECT entitle.unprotect_table('plain') $$, '42501', NULL, 'nobody else unprotects it');
SELECT throws_ok($$ SELECT entitle_internal.forget_protection('plain') $$, '42501', NULL, 'nor has it forgotten');
RESET ROLE;
SELECT is(ask('viewer', 'SELECT count(*) FROM plain'), '60', 'and it stays protected');
SET LOCAL ROLE test_owner;
SELECT lives_ok($$ SELECT entitle.unprotect_table('plain') $$, 'the owner unprotects it');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
