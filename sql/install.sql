-- Installing, removing and installing again: no squatted schema is adopted, nobody but a superuser installs, and what stays
-- behind after a removal shows nothing (S71, S72, S73, S97, S108, S109; R48).
SELECT current_database() AS home \gset
CREATE ROLE app_role;
CREATE ROLE squatter;
CREATE DATABASE entitle_install OWNER squatter;
\c entitle_install
-- The owner of a database is not enough (S72).
SET ROLE squatter;
CREATE EXTENSION entitle;
-- A schema that is there already (S71): somebody's, or a superuser's with something in it.
CREATE SCHEMA entitle;
RESET ROLE;
\set SHOW_CONTEXT never
CREATE EXTENSION entitle;
\set SHOW_CONTEXT errors
DROP SCHEMA entitle;
CREATE SCHEMA entitle;
CREATE FUNCTION public.squat(attempt text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE attempt;
    CREATE EXTENSION entitle;
    RETURN 'installed';
EXCEPTION WHEN insufficient_privilege THEN
    RETURN SQLERRM;
END
$$;
SELECT public.squat('CREATE FUNCTION entitle.has_permission(permission text) RETURNS boolean LANGUAGE sql AS ''SELECT true''');
SELECT public.squat('CREATE TABLE entitle.external_access (customer_id bigint)');
SELECT public.squat('CREATE TYPE entitle.anything AS (a integer)');
SELECT public.squat('CREATE SCHEMA entitle_internal AUTHORIZATION squatter');
SELECT public.squat('CREATE OPERATOR entitle.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = pg_catalog.int8eq)');
SELECT public.squat('CREATE COLLATION entitle."C" (locale = ''C'')');
SELECT public.squat('ALTER DEFAULT PRIVILEGES IN SCHEMA entitle GRANT ALL ON TABLES TO squatter');
SELECT public.squat('CREATE TEXT SEARCH CONFIGURATION entitle.english (COPY = pg_catalog.english)');
DROP FUNCTION public.squat;
DROP SCHEMA entitle;
CREATE EXTENSION entitle SCHEMA public;

-- The library without the extension: nothing to call, nothing to break, and settings that mean nothing (S108). Loading it
-- again and again changes nothing (S97).
LOAD 'entitle';
SELECT entitle.has_permission('customers.view');
SET entitle.identity = '1';
CREATE TABLE plain AS SELECT 1 AS a;
SELECT * FROM plain;
DO $$ BEGIN FOR i IN 1..200 LOOP LOAD 'entitle'; END LOOP; END $$;
RESET entitle.identity;

-- Installed: a table is protected and shows its rows.
CREATE EXTENSION entitle;
CREATE FUNCTION public.set_up() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'One', 'One', '1');
    INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann');
    INSERT INTO entitle.external_access (customer_id, user_id) VALUES (1, 1);
END
$$;
SELECT public.set_up();
CREATE TABLE orders AS SELECT 1 AS order_id, 1::bigint AS customer_id;
GRANT SELECT ON orders TO app_role;
SELECT entitle.protect_table('orders', 'customer_id');
SELECT entitle.sign_in('ann', session_wide => true);
PREPARE see AS SELECT count(*) FROM orders;
SET ROLE app_role;
EXECUTE see;

-- A broken installation is an error, and mended again (R48).
RESET ROLE;
BEGIN;
ALTER TABLE entitle.external_access RENAME TO elsewhere;
SET LOCAL ROLE app_role;
EXECUTE see;
ROLLBACK;
BEGIN;
ALTER TABLE entitle.external_access RENAME COLUMN role TO roll;
SELECT entitle.access_level(1);
ROLLBACK;
BEGIN;
DROP INDEX entitle.external_access_user_idx;
SELECT entitle.accessible_customers();
ROLLBACK;
BEGIN;
ALTER TABLE entitle.external_access ALTER days_back TYPE bigint;
SELECT entitle.access_level(1);
ROLLBACK;
SET ROLE app_role;
EXECUTE see;
RESET ROLE;

-- Removing it takes a CASCADE, and the policies with it; the table stays shut for everyone they let in (S73).
\set VERBOSITY terse
DROP EXTENSION entitle;
\set VERBOSITY default
SET client_min_messages = warning;
DROP EXTENSION entitle CASCADE;
RESET client_min_messages;
SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'orders';
SET ROLE app_role;
EXECUTE see;
SELECT count(*) FROM orders;
RESET ROLE;
SELECT count(*) FROM orders;

-- Installed again in the same session, which remembers other OIDs (S109): the identity of before is nobody until the user
-- exists again.
CREATE EXTENSION entitle;
SELECT entitle.current_login(), entitle.access_level(1);
SELECT entitle.protect_table('orders', 'customer_id');
SELECT public.set_up();
SELECT entitle.current_login(), entitle.access_level(1);
SET ROLE app_role;
EXECUTE see;
RESET ROLE;
SELECT entitle.sign_out();
SET ROLE app_role;
EXECUTE see;
RESET ROLE;
-- Dropped and made anew inside one transaction, and rolled back.
BEGIN;
SELECT entitle.sign_in('ann') \g /dev/null
SET LOCAL client_min_messages = warning;
DROP EXTENSION entitle CASCADE;
CREATE EXTENSION entitle;
SELECT entitle.access_level(1);
ROLLBACK;
BEGIN;
SELECT entitle.sign_in('ann') \g /dev/null
SELECT entitle.access_level(1);
COMMIT;

\c :home
DROP DATABASE entitle_install;
DROP ROLE app_role, squatter;
