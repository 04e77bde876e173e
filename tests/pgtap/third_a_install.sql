-- What is open when the extension has just been made, whatever the database gives to new objects (S213), who owns its schemas and the
-- functions that run with lent rights; foreign tables as parts of protected ones (S212).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

-- S212
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO test_app;
CREATE TABLE parts (id integer, customer_id bigint, price integer) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
CREATE TABLE heirs (id integer, customer_id bigint, price integer);
CREATE TABLE free (id integer, customer_id bigint, price integer) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE alone (id integer, customer_id bigint, price integer) SERVER files OPTIONS (filename '/dev/null');
SELECT entitle.protect_table('parts', 'customer_id', masked_columns => '{"price": 30}'), entitle.protect_table('heirs', 'customer_id') \g /dev/null
SELECT throws_ok(command, '42809', format('partition "public.%s" is a foreign table, which cannot be protected', name), 'S212: ' || command)
FROM (VALUES ($$CREATE FOREIGN TABLE far PARTITION OF parts FOR VALUES FROM (10) TO (20) SERVER files OPTIONS (filename '/dev/null')$$, 'far'),
             ($$CREATE FOREIGN TABLE far PARTITION OF parts_1 FOR VALUES FROM (1) TO (2) SERVER files OPTIONS (filename '/dev/null')$$, 'far'),
             ('ALTER TABLE parts ATTACH PARTITION alone FOR VALUES FROM (10) TO (20)', 'alone'),
             ('ALTER FOREIGN TABLE alone INHERIT heirs', 'alone'),
             ('ALTER TABLE alone INHERIT heirs', 'alone'),
             ($$CREATE FOREIGN TABLE far () INHERITS (heirs) SERVER files OPTIONS (filename '/dev/null')$$, 'far')) AS c (command, name);
SELECT lives_ok('ALTER TABLE free ATTACH PARTITION alone DEFAULT', 'a table that is not protected has what it likes');
-- As a restored database has it.
ALTER EVENT TRIGGER entitle_close_parts DISABLE;
SAVEPOINT before;
ALTER TABLE free DETACH PARTITION alone;
ALTER TABLE parts ATTACH PARTITION alone FOR VALUES FROM (10) TO (20);
ALTER EVENT TRIGGER entitle_close_parts ENABLE ALWAYS;
SELECT is((SELECT string_agg(relation::text || ': ' || problem, '; ') FROM entitle.verify_protection() WHERE problem ~ 'a part'),
          'alone: a part of protected table public.parts, and not protected itself', 'one that is there is told');
SELECT lives_ok('ALTER TABLE parts DETACH PARTITION alone', 'and can be detached');
ROLLBACK TO before;
ALTER EVENT TRIGGER entitle_close_parts ENABLE ALWAYS;

-- lint tells who could put anything into the schemas.
SAVEPOINT before;
CREATE ROLE test_owner;
ALTER SCHEMA entitle OWNER TO test_owner;
ALTER SCHEMA entitle_internal OWNER TO test_owner;
CREATE FUNCTION found() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(remedy, ' ' ORDER BY object) FROM entitle.lint() WHERE finding = 'belongs to test_owner, who can change it' $$;
SELECT is(found(), 'ALTER SCHEMA entitle OWNER TO postgres; ALTER SCHEMA entitle_internal OWNER TO postgres;', 'lint names an owner of the schemas');
DO $$ BEGIN EXECUTE found(); END $$;
SELECT is(found(), NULL, 'its remedy mends it');
ROLLBACK TO before;

-- And whose functions run with the rights of others (R56): of a table with a filtered view, and of the model.
SAVEPOINT before;
CREATE ROLE test_owner;
CREATE ROLE test_deployer;
CREATE ROLE test_member;
GRANT test_owner TO test_member;
CREATE SCHEMA deployed;
CREATE FUNCTION deployed.audit() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION deployed.own() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION deployed.code() RETURNS integer LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
CREATE FUNCTION deployed.members() RETURNS integer LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
ALTER FUNCTION deployed.audit() OWNER TO test_deployer;
ALTER FUNCTION deployed.own() OWNER TO test_deployer;
ALTER FUNCTION deployed.code() OWNER TO test_deployer;
ALTER FUNCTION deployed.members() OWNER TO test_member;
CREATE TABLE notes (id integer PRIMARY KEY, customer_id bigint, code integer DEFAULT deployed.code(), price integer DEFAULT deployed.members());
CREATE TRIGGER audit BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION deployed.audit();
CREATE TRIGGER own BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION deployed.own();
CREATE TRIGGER audit AFTER UPDATE ON entitle.brand FOR EACH ROW EXECUTE FUNCTION deployed.audit();
ALTER TABLE notes OWNER TO test_owner;
SELECT entitle.protect_table('notes', 'customer_id', view_name => 'notes_view') \g /dev/null
SELECT results_eq($$ SELECT severity, object, finding, remedy FROM entitle.lint() WHERE finding ~ 'and runs with the rights of' $$,
                  $$ VALUES ('warning', 'deployed.audit()', 'belongs to test_deployer, who can change it, and runs with the rights of postgres for entitle.brand', 'ALTER FUNCTION deployed.audit() OWNER TO postgres;'),
                            ('warning', 'deployed.audit()', 'belongs to test_deployer, who can change it, and runs with the rights of test_owner for public.notes', 'ALTER FUNCTION deployed.audit() OWNER TO test_owner;'),
                            ('warning', 'deployed.code()', 'belongs to test_deployer, who can change it, and runs with the rights of test_owner for public.notes', 'ALTER FUNCTION deployed.code() OWNER TO test_owner;') $$,
                  'lint names functions of those who have not the rights that they run with');
DO $$ BEGIN EXECUTE (SELECT string_agg(remedy, '' ORDER BY remedy DESC) FROM entitle.lint() WHERE finding ~ 'and runs with the rights of'); END $$;
SELECT is((SELECT count(*) FROM entitle.lint() WHERE finding ~ 'and runs with the rights of'), 0::bigint, 'its remedies mend that');
ROLLBACK TO before;

-- S213
DROP EXTENSION entitle CASCADE;
GRANT ALL ON SCHEMA entitle TO test_app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO test_app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO test_app;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO test_app;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO test_app;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO PUBLIC;
CREATE EXTENSION entitle;
SELECT is_empty($$ SELECT n.nspname FROM pg_namespace n, aclexplode(n.nspacl) x WHERE n.nspname ~ '^entitle' AND x.grantee = 'test_app'::regrole $$, 'S213: default privileges open no schema');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c, aclexplode(c.relacl) x WHERE c.relnamespace::regnamespace::text ~ '^entitle' AND x.grantee = 'test_app'::regrole $$, 'S213: no table, view or sequence');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p, aclexplode(p.proacl) x WHERE p.pronamespace::regnamespace::text ~ '^entitle' AND x.grantee = 'test_app'::regrole $$, 'S213: no function');
SELECT is(has_function_privilege('test_app', 'entitle.sign_in(text, boolean, text)', 'EXECUTE'), false, 'S213: sign_in stays the DBA''s to grant');
SELECT is(has_schema_privilege('test_app', 'entitle', 'USAGE') AND NOT has_schema_privilege('test_app', 'entitle', 'CREATE'), true, 'as everybody test_app uses the schema, and no more');

SELECT * FROM finish();
ROLLBACK;
