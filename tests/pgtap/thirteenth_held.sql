-- What the thirteenth attack tried in vain: S539 and S540.
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;
-- No sequence goes back with the transaction: past the numbers that the tests give.
SELECT setval(pg_get_serial_sequence('entitle.' || t, c), 5000)
FROM (VALUES ('app_user', 'user_id'), ('organization', 'organization_id')) AS s (t, c) \g /dev/null

-- S539: rows that stand for adopted ones are written in every column, by a superuser, by whoever has all privileges, under the settings of a
-- dump or of a replica, by MERGE, ON CONFLICT, a foreign key, and as another adoption's.
CREATE SCHEMA shop;
CREATE TABLE shop.person (id integer PRIMARY KEY, login text, active boolean NOT NULL DEFAULT true);
CREATE TABLE shop.client (id integer PRIMARY KEY, name text);
CREATE TABLE shop.access (id integer PRIMARY KEY, client integer REFERENCES shop.client, person integer REFERENCES shop.person, level text);
CREATE TABLE shop.company (id integer PRIMARY KEY, name text);
CREATE TABLE shop.brand (id integer PRIMARY KEY, company integer REFERENCES shop.company, name text);
CREATE TABLE shop.job (id integer PRIMARY KEY, company integer REFERENCES shop.company, name text, permissions text[]);
CREATE TABLE shop.member (id integer PRIMARY KEY, company integer REFERENCES shop.company, person integer REFERENCES shop.person, job integer REFERENCES shop.job);
INSERT INTO shop.person VALUES (1, 'ann'), (2, 'bob');
INSERT INTO shop.client VALUES (1, 'one');
INSERT INTO shop.company VALUES (11, 'eleven');
INSERT INTO shop.brand VALUES (900, 11, 'nine hundred');
INSERT INTO shop.job VALUES (21, 11, 'clerk', '{customers.view}');
INSERT INTO shop.member VALUES (1, 11, 2, 21);
INSERT INTO shop.access VALUES (1, 1, 2, 'L30');
SELECT entitle.adopt_users('shop.person', 'login', active_when => 'active'), entitle.adopt_customers('shop.client', 'id', 'name'), entitle.adopt_organizations('shop.company', 'id', 'name'),
       entitle.adopt_brands('shop.brand', 'id', 'name', organization_column => 'company'),
       entitle.adopt_roles('shop.job', 'id', 'name', organization_column => 'company', permissions_column => 'permissions'),
       entitle.adopt_memberships('shop.member', 'person', organization_column => 'company', role_column => 'job'),
       entitle.adopt_access('shop.access', 'client', 'person', level_column => 'level') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT USAGE ON SCHEMA entitle TO test_app;
CREATE FUNCTION ended(who text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    touched bigint;
BEGIN
    PERFORM set_config('role', who, true);
    EXECUTE command;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RESET ROLE;
    RAISE EXCEPTION USING ERRCODE = 'P0042', MESSAGE = touched;
EXCEPTION WHEN SQLSTATE 'P0042' THEN
    RETURN SQLERRM;
WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
CREATE TEMPORARY TABLE written AS
SELECT c.relname::text AS relation, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, o.other
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
CROSS JOIN LATERAL (VALUES (CASE format_type(a.atttypid, -1) WHEN 'bigint' THEN '4711' WHEN 'integer' THEN '3' WHEN 'boolean' THEN format('NOT %I', a.attname) WHEN 'uuid' THEN 'gen_random_uuid()' WHEN 'date' THEN '''2020-01-01'''
                            WHEN 'numeric' THEN '7' WHEN 'timestamp with time zone' THEN '''2020-01-01''' WHEN 'name' THEN '''postgres''' WHEN 'oid' THEN '10' ELSE '''L20''' END), ('NULL')) AS o (other)
WHERE c.relnamespace = 'entitle'::regnamespace AND c.relname IN ('app_user', 'customer', 'external_access', 'organization', 'brand', 'role', 'role_permission', 'membership');
CREATE VIEW pg_temp.told AS
SELECT w.*, ended('none', format('UPDATE entitle.%I SET %I = %s WHERE adoption_id IS NOT NULL AND %I IS DISTINCT FROM %s', relation, name, other, name, other)) AS said FROM written w;
SELECT is_empty($$ SELECT * FROM pg_temp.told WHERE said NOT IN ('42501', '0') AND name NOT IN ('client_score', 'scored_at', 'db_role', 'db_role_oid') $$, 'S539: a superuser changes no column');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.told WHERE said = '42501'), '>', 50::bigint, 'of those there are');
SET LOCAL session_replication_role = replica;
SELECT is_empty($$ SELECT * FROM pg_temp.told WHERE said NOT IN ('42501', '0') AND name NOT IN ('client_score', 'scored_at', 'db_role', 'db_role_oid') $$, 'S539: nor as a replica');
SET LOCAL session_replication_role = origin;
SET LOCAL check_function_bodies = off;
SELECT is_empty($$ SELECT * FROM pg_temp.told WHERE said NOT IN ('42501', '0') AND name NOT IN ('client_score', 'scored_at', 'db_role', 'db_role_oid') $$, 'S539: nor as a migration');
SET LOCAL check_function_bodies = on;
SELECT is(ended('none', command), '42501', 'S539: ' || command)
FROM unnest(ARRAY[
    'DELETE FROM entitle.app_user WHERE login = ''ann''', 'DELETE FROM entitle.customer WHERE adoption_id IS NOT NULL', 'DELETE FROM entitle.external_access', 'DELETE FROM entitle.role_permission WHERE adoption_id IS NOT NULL',
    'DELETE FROM entitle.membership WHERE adoption_id IS NOT NULL', 'DELETE FROM entitle.brand WHERE adoption_id IS NOT NULL',
    'INSERT INTO entitle.app_user (login, adoption_id, source_key) SELECT ''eve'', max(adoption_id), ''7'' FROM entitle.adoption', 'INSERT INTO entitle.app_user (login, adoption_id, source_key) VALUES (''eve'', 4711, ''7'')',
    'INSERT INTO entitle.app_user (login) VALUES (''ann'') ON CONFLICT (login) DO UPDATE SET is_active = false', 'UPDATE entitle.app_user SET adoption_id = NULL, source_key = NULL WHERE login = ''ann''',
    'UPDATE entitle.app_user u SET adoption_id = a.adoption_id FROM entitle.adoption a WHERE a.kind = ''customers'' AND u.login = ''ann''',
    'MERGE INTO entitle.app_user u USING (VALUES (''ann'')) v (l) ON u.login = v.l WHEN MATCHED THEN UPDATE SET full_name = ''x''', 'MERGE INTO entitle.app_user u USING (VALUES (''ann'')) v (l) ON u.login = v.l WHEN MATCHED THEN DELETE']) AS command;
SELECT is_empty($$ SELECT * FROM (SELECT relation, name, ended('test_app', format('UPDATE entitle.%I SET %I = %s', relation, name, other)) AS said FROM written) AS s WHERE said <> '0' AND said !~ '^(42501|22|23)' $$, 'S539: who is nobody changes nothing');
UPDATE shop.person SET active = false WHERE id = 1;
SELECT is(ended('none', 'UPDATE entitle.app_user SET full_name = ''gone'' WHERE login = ''ann'''), '1', 'who is not active may be erased');
SELECT is(ended('none', 'UPDATE entitle.app_user SET full_name = ''gone'', is_active = true WHERE login = ''ann'''), '42501', 'S539: and comes back at the source alone');

-- S540: who was locked once in a transaction is not taken for active when savepoints, deletes and other users with the same key come between.
INSERT INTO entitle.organization (organization_id, name) VALUES (701, 'one'), (702, 'two');
INSERT INTO entitle.app_user (user_id, login) VALUES (701, 'boss'), (702, 'new'), (703, 'newer');
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (701, 701, true);
GRANT EXECUTE ON FUNCTION entitle.add_member TO test_app;
CREATE FUNCTION adds(login text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN do_as('boss', format('SELECT entitle.add_member(%L, organization_id => 701)', login));
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SAVEPOINT before;
SELECT is(adds('new'), '1', 'somebody new is taken in');
SAVEPOINT added;
DELETE FROM entitle.membership WHERE user_id = 702;
UPDATE entitle.app_user SET is_active = false WHERE user_id = 702;
SELECT is(adds('new'), '22023', 'S540: switched off since');
ROLLBACK TO added;
DELETE FROM entitle.membership WHERE user_id = 702;
SELECT is(adds('new'), '1', 'S540: and on again by a rollback');
DELETE FROM entitle.membership WHERE user_id = 702;
DELETE FROM entitle.app_user WHERE user_id = 702;
SELECT is(adds('new'), '22023', 'S540: deleted');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES (702, 'new', false);
SELECT is(adds('new'), '22023', 'S540: made again under the same key, and not active');
UPDATE entitle.app_user SET login = 'other' WHERE user_id = 702;
UPDATE entitle.app_user SET login = 'new' WHERE user_id = 703;
SELECT is(adds('new'), '1', 'S540: the login is another user''s');
SELECT is((SELECT string_agg(user_id::text, ' ') FROM entitle.membership WHERE organization_id = 701 AND NOT is_owner), '703', 'S540: who is taken in');
ROLLBACK TO before;
SELECT is(adds('new'), '1', 'as in the beginning');
ROLLBACK TO before;
-- In one part of the transaction, by table privileges.
CREATE FUNCTION joins_twice(meanwhile text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    joins CONSTANT text := 'INSERT INTO entitle.membership (user_id, organization_id) VALUES (702, 701)';
BEGIN
    PERFORM do_as('boss', joins);
    DELETE FROM entitle.membership WHERE user_id = 702;
    EXECUTE meanwhile;
    RAISE EXCEPTION USING ERRCODE = 'P0042', MESSAGE = do_as('boss', joins);
EXCEPTION WHEN SQLSTATE 'P0042' THEN
    RETURN SQLERRM;
WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(joins_twice(meanwhile), said, 'S540: between ' || meanwhile)
FROM (VALUES ('SELECT', '1'), ('UPDATE entitle.app_user SET is_active = false WHERE user_id = 702', '22023'),
             ('DELETE FROM entitle.app_user WHERE user_id = 702', '22023'),
             ('WITH gone AS (DELETE FROM entitle.app_user WHERE user_id = 702) SELECT', '22023'),
             ('DO ''BEGIN DELETE FROM entitle.app_user WHERE user_id = 702; INSERT INTO entitle.app_user (user_id, login, is_active) VALUES (702, ''''new'''', false); END''', '22023'),
             ('UPDATE entitle.app_user SET is_active = user_id <> 702 WHERE user_id IN (702, 703)', '22023')) AS v (meanwhile, said);

SELECT * FROM finish();
ROLLBACK;
