-- In a guarded schema a new table is closed to everybody but its owner, however it comes there, until it is protected, or excepted with a
-- reason; and everything can be put back as it was (R67).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE ROLE test_reader;
CREATE ROLE test_other;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA other AUTHORIZATION test_owner;
CREATE SCHEMA foreigners AUTHORIZATION test_other;
GRANT USAGE ON SCHEMA shop, other TO test_reader, test_app;
GRANT USAGE, CREATE ON SCHEMA shop TO test_other;
-- What a careless DBA has: whatever comes is everybody's.
ALTER DEFAULT PRIVILEGES FOR ROLE test_owner, test_other GRANT ALL ON TABLES TO test_reader, PUBLIC;
GRANT EXECUTE ON FUNCTION entitle.guard_schema, entitle.unguard_schema, entitle.except_table, entitle.protect_table, entitle.unprotect_table TO test_owner;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7);

CREATE FUNCTION as_role(role name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    touched bigint;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE command;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RESET ROLE;
    RETURN touched;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION shape() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', c.oid::regclass, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
                     (SELECT string_agg(p.polname, ',') FROM pg_policy p WHERE p.polrelid = c.oid),
                     (SELECT string_agg(t.tgname, ',') FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal))
    FROM pg_class c WHERE c.relnamespace IN ('shop'::regnamespace, 'other'::regnamespace) AND c.relkind IN ('r', 'p', 'm', 'f', 'v')
    $$;

SELECT is(as_role('test_owner', command), '0', command)
FROM unnest(ARRAY['CREATE TABLE shop.old (id integer PRIMARY KEY, customer_id bigint)', 'CREATE TABLE other.moved (id integer)']) AS command;
SELECT is(as_role('test_owner', 'SELECT entitle.guard_schema(''shop'')'), '1', 'a schema''s owner guards it, with EXECUTE');
SELECT is(as_role('test_reader', 'SELECT * FROM shop.old'), '0', 'what was there stays as it is');
INSERT INTO shop.old VALUES (1, 1), (2, 2);
INSERT INTO other.moved VALUES (1);
SELECT is(as_role('test_reader', 'SELECT * FROM shop.old'), '2', 'and shows');

-- Every way in which a table comes. Each has rows, and its reader would see them.
CREATE EXTENSION IF NOT EXISTS file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
GRANT USAGE ON FOREIGN SERVER files TO test_owner;
CREATE TEMP TABLE way (number integer, command text, relation text);
INSERT INTO way VALUES
    (1, 'CREATE TABLE shop.plain AS SELECT 1 AS id', 'shop.plain'),
    (2, 'CREATE TABLE shop.filled (id integer)', 'shop.filled'),
    (3, 'SELECT id INTO shop.selected FROM shop.old', 'shop.selected'),
    (4, 'CREATE TABLE shop.alike (LIKE shop.old INCLUDING ALL)', 'shop.alike'),
    (5, 'CREATE TABLE shop.heir () INHERITS (shop.old)', 'shop.heir'),
    (6, 'CREATE TABLE shop.parted (id integer) PARTITION BY LIST (id)', 'shop.parted'),
    (7, 'CREATE TABLE shop.part_1 PARTITION OF shop.parted FOR VALUES IN (1)', 'shop.part_1'),
    (8, 'CREATE TABLE shop.part_2 (id integer); ALTER TABLE shop.parted ATTACH PARTITION shop.part_2 FOR VALUES IN (2)', 'shop.part_2'),
    (9, 'ALTER TABLE other.moved SET SCHEMA shop', 'shop.moved'),
    (10, 'CREATE MATERIALIZED VIEW shop.summed AS SELECT 1 AS id', 'shop.summed'),
    (11, 'CREATE UNLOGGED TABLE shop.unlogged AS SELECT 1 AS id', 'shop.unlogged'),
    (12, 'CREATE TABLE IF NOT EXISTS shop.maybe AS SELECT 1 AS id', 'shop.maybe'),
    (13, 'DO $x$BEGIN EXECUTE ''CREATE TABLE shop.inner_one AS SELECT 1 AS id''; END$x$', 'shop.inner_one'),
    (14, 'CREATE FOREIGN TABLE shop.outside (line text) SERVER files OPTIONS (program ''echo 1'')', 'shop.outside');
SET LOCAL ROLE test_owner;
SELECT id INTO shop.selected FROM shop.old; -- no function can
RESET ROLE;
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT * FROM way WHERE number <> 3 ORDER BY number LOOP
        SET LOCAL ROLE test_owner;
        IF one.number = 14 THEN
            RESET ROLE;
        END IF;
        EXECUTE one.command;
        RESET ROLE;
        IF one.number = 14 THEN
            GRANT ALL ON shop.outside TO test_reader;
            ALTER FOREIGN TABLE shop.outside OWNER TO test_owner;
        ELSIF one.number IN (2, 4, 5, 7, 8) THEN
            EXECUTE format('INSERT INTO %s (id) VALUES (%s)', one.relation, CASE one.number WHEN 8 THEN 2 ELSE 1 END);
        END IF;
    END LOOP;
END
$$;
SELECT is(as_role('test_reader', 'SELECT * FROM ' || relation),
          CASE WHEN number IN (10, 14) THEN '42501 permission denied for ' || CASE number WHEN 10 THEN 'materialized view summed' ELSE 'foreign table outside' END
          ELSE '0' END, 'S332: closed: ' || command)
FROM way ORDER BY number;
SELECT is((SELECT string_agg(g.relation::text, ' ') FROM entitle.guarded_tables g WHERE g.state = 'closed' AND g.relation::text NOT IN (SELECT relation FROM way)), NULL,
          'no other is');
SELECT is((SELECT count(*) FROM entitle.guarded_tables g WHERE g.state = 'closed'), (SELECT count(*) FROM way), 'and all are written down');
SELECT matches(as_role('test_reader', command), '^42501', 'S333: nothing else opens by privileges: ' || command)
FROM unnest(ARRAY['TRUNCATE shop.plain', 'INSERT INTO shop.plain VALUES (2)', 'TRUNCATE shop.parted', 'SELECT * FROM shop.summed']) AS command;
SELECT is(as_role('test_reader', 'UPDATE shop.plain SET id = 5') || as_role('test_reader', 'DELETE FROM shop.plain'), '00', 'nor writes');

-- Its owner goes on with the migration.
SELECT is(as_role('test_owner', command), rows, 'the owner: ' || command)
FROM (VALUES ('SELECT * FROM shop.plain', '1'), ('INSERT INTO shop.plain VALUES (7)', '1'), ('UPDATE shop.plain SET id = 8 WHERE id = 7', '1'),
             ('CREATE UNIQUE INDEX ON shop.plain (id)', '0'), ('ALTER TABLE shop.filled ADD FOREIGN KEY (id) REFERENCES shop.plain (id)', '0'),
             ('ALTER TABLE shop.plain ADD COLUMN more text', '0'), ('REFRESH MATERIALIZED VIEW shop.summed', '0'),
             ('TRUNCATE shop.unlogged', '0'), ('CREATE POLICY own ON shop.plain USING (true)', '0')) AS v (command, rows);
SELECT is(as_role('test_reader', 'SELECT * FROM shop.plain'), '0', 'S333: a policy of the owner''s own opens nothing');
SELECT is(as_role('test_owner', command), '42501 table "shop.plain" is closed until it is protected or excepted', 'S333: refused: ' || command)
FROM unnest(ARRAY['ALTER TABLE shop.plain DISABLE ROW LEVEL SECURITY', 'DROP POLICY entitle_closed ON shop.plain', 'DROP TRIGGER entitle_closed ON shop.plain',
                  'ALTER POLICY entitle_closed ON shop.plain USING (true)', 'ALTER POLICY entitle_closed ON shop.plain TO test_other',
                  'ALTER POLICY entitle_closed ON shop.plain RENAME TO other', 'ALTER TABLE shop.plain DISABLE TRIGGER USER']) AS command;
SELECT is(as_role('test_owner', 'GRANT SELECT ON ALL TABLES IN SCHEMA shop TO test_reader'), '0', 'a GRANT to all tables goes through');
SELECT matches(as_role('test_reader', 'SELECT * FROM shop.' || r), '^42501', 'S333: and does not open ' || r) FROM unnest('{summed,outside}'::text[]) AS r;
SELECT is(as_role('test_reader', 'SELECT * FROM shop.plain'), '0', 'S333: nor a table');

-- Another role's table, a renamed schema, one made anew.
SELECT is(as_role('test_other', 'CREATE TABLE shop.theirs AS SELECT 1 AS id'), '1', 'others who may create tables do');
SELECT is(as_role('test_reader', 'SELECT * FROM shop.theirs'), '0', 'S332: and have them closed');
ALTER SCHEMA shop RENAME TO store;
SELECT is(as_role('test_owner', 'CREATE TABLE store.later AS SELECT 1 AS id') || as_role('test_reader', 'SELECT * FROM store.later'), '10', 'S334: a renamed schema stays guarded');
ALTER SCHEMA store RENAME TO shop;
SELECT is((SELECT string_agg(name, ' ') FROM entitle.guarded_schema), 'shop', 'under its name');
SELECT is(as_role('test_other', format('SELECT entitle_internal.%s', call)), result, 'S335: nobody else ' || call)
FROM (VALUES ('note_closing(''shop.plain'')', '42501 must be owner of table "shop.plain"'), ('note_privileges(''shop.summed'')', '42501 must be owner of table "shop.summed"'),
             ('record_exception(''shop.plain'', ''x'')', '42501 permission denied to except table "shop.plain"'),
             ('forget_guard(''shop'')', '42501 permission denied to guard schema "shop"'),
             ('record_guard(''foreigners'')', '42501 permission denied to guard schema "foreigners"')) AS v (call, result);
SELECT matches(as_role('test_other', 'SELECT * FROM entitle.guarded_table'), '^42501', 'nor reads what is written down');

-- Out by protection, and back in.
SELECT is(as_role('test_owner', 'ALTER TABLE shop.plain ADD COLUMN customer_id bigint'), '0', 'a column for customers');
SELECT is(as_role('test_owner', 'SELECT entitle.protect_table(''shop.plain'', ''customer_id'', view_permission => ''customers.view'')'), '1', 'a closed table is protected');
GRANT SELECT ON shop.plain TO test_app;
SELECT is(ask('staff', 'SELECT count(*) FROM shop.plain') || ask(NULL, 'SELECT count(*) FROM shop.plain'), '22', 'and shows by its rules, and by its owner''s policy');
SELECT is(as_role('test_owner', 'DROP POLICY own ON shop.plain'), '0', 'which goes');
SELECT is(ask('staff', 'SELECT count(*) FROM shop.plain') || ask(NULL, 'SELECT count(*) FROM shop.plain'), '20', 'then by its rules alone');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'as declared');
SELECT is(as_role('test_owner', 'SELECT entitle.unprotect_table(''shop.plain'')'), '1', 'unprotected');
SELECT is(as_role('test_reader', 'SELECT * FROM shop.plain'), '0', 'it is closed again');
SELECT is(as_role('test_owner', 'SELECT entitle.protect_table(''shop.old'', ''customer_id'', view_permission => ''customers.view'')'), '1', 'what was open before');
SELECT is(as_role('test_owner', 'SELECT entitle.unprotect_table(''shop.old'')') || as_role('test_reader', 'SELECT * FROM ONLY shop.old'), '12', 'is open again');
SELECT is(as_role('test_reader', 'SELECT * FROM shop.heir'), '0', 'its part that came later is closed');

-- Out by exception.
SELECT is(as_role('test_owner', 'SELECT entitle.except_table(''shop.filled'', ''countries'')') || as_role('test_reader', 'SELECT * FROM shop.filled'), '11', 'an exception opens it');
SELECT is(as_role('test_owner', 'SELECT entitle.except_table(''shop.summed'', ''figures'')') || as_role('test_reader', 'SELECT * FROM shop.summed'), '11',
          'what was granted on a view with rows comes back');
SELECT is((SELECT string_agg(format('%s %s', relation, reason), ', ' ORDER BY relation::text) FROM entitle.guarded_tables WHERE state = 'excepted'),
          'shop.filled countries, shop.summed figures', 'with its reason');
SELECT is(as_role('test_owner', 'ALTER TABLE shop.filled ADD COLUMN more text') || as_role('test_reader', 'SELECT * FROM shop.filled'), '01', 'it stays open');
SELECT is(as_role(role, call), result, 'refused: ' || call)
FROM (VALUES ('test_owner', 'SELECT entitle.except_table(''shop.alike'', '' '')', '22023 the reason is blank or longer than 1000 bytes'),
             ('test_owner', 'SELECT entitle.except_table(''shop.alike'', NULL)', '22004 no table or no reason is given'),
             ('test_owner', 'SELECT entitle.except_table(''other.moved2'', ''x'')', '42P01 relation "other.moved2" does not exist'),
             ('test_owner', 'SELECT entitle.guard_schema(''foreigners'')', '42501 permission denied to guard schema "foreigners"'),
             ('test_owner', 'SELECT entitle.guard_schema(NULL)', '22004 no schema is given'),
             ('test_owner', 'SELECT entitle.guard_schema(''none'')', '3F000 schema "none" does not exist'),
             ('test_owner', 'SELECT entitle.guard_schema(''pg_catalog'')', '42809 schema "pg_catalog" cannot be guarded'),
             ('test_owner', 'SELECT entitle.unguard_schema(''other'')', '42704 schema "other" is not guarded'),
             ('test_owner', 'SELECT entitle.unguard_schema(''shop'')', '42501 must be owner of table "shop.theirs"'),
             ('test_reader', 'SELECT entitle.guard_schema(''shop'')', '42501 permission denied for function guard_schema')) AS v (role, call, result);

-- What could not be closed is told.
ALTER EVENT TRIGGER entitle_guard_command DISABLE;
CREATE TABLE shop.unseen (id integer);
ALTER EVENT TRIGGER entitle_guard_command ENABLE ALWAYS;
SELECT is((SELECT string_agg(object || ' ' || severity, ' ') FROM entitle.lint() WHERE finding LIKE '%guarded schema%'), 'shop.unseen error', 'lint names an open table');
DO $$ BEGIN EXECUTE (SELECT remedy FROM entitle.lint() WHERE finding LIKE '%guarded schema%'); END $$;
SELECT is((SELECT string_agg(object, ' ') FROM entitle.lint() WHERE finding LIKE '%guarded schema%'), NULL, 'and its remedy closes it');

-- Back out without a trace.
DROP TABLE shop.theirs, shop.unseen;
SELECT is(as_role('test_owner', 'SELECT entitle.unguard_schema(''shop'')'), '1', 'unguarded');
SELECT is((SELECT string_agg(s, '; ') FROM shape() s WHERE s ~ 'entitle' OR split_part(s, ' ', 3) = 't'), NULL, 'nothing of it is left on the tables');
SELECT is((SELECT count(*) FROM entitle.guarded_table), 0::bigint, 'nor written down');
SELECT is(as_role('test_reader', 'SELECT * FROM ' || relation), CASE number WHEN 1 THEN '2' WHEN 3 THEN '2' WHEN 6 THEN '2' WHEN 11 THEN '0' ELSE '1' END, 'open again: ' || relation)
FROM way WHERE number NOT IN (12) ORDER BY number;
SELECT is(as_role('test_owner', 'CREATE TABLE shop.last AS SELECT 1 AS id') || as_role('test_reader', 'SELECT * FROM shop.last'), '11', 'and new ones are open');
SELECT * FROM finish();
ROLLBACK;
