-- begin_migration: what the end of the transaction does. The bracket itself is tested in tests/pgtap/migration.sql.
SET client_min_messages = warning;
BEGIN;
CREATE ROLE test_owner NOLOGIN;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table, entitle.begin_migration TO test_owner;
SET LOCAL ROLE test_owner;
CREATE TABLE shop.orders (order_id bigint PRIMARY KEY, customer_id bigint, parent bigint REFERENCES shop.orders DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE shop.notes (id bigint, customer_id bigint);
SELECT entitle.protect_table('shop.orders', customer_column => 'customer_id'), entitle.protect_table('shop.notes', customer_column => 'customer_id');
COMMIT;
CREATE FUNCTION forced() RETURNS text
    LANGUAGE sql
    AS $$ SELECT string_agg(c.relname || ' ' || c.relforcerowsecurity, ', ' ORDER BY c.relname) FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'shop'::regnamespace $$;

BEGIN;
SET LOCAL ROLE test_owner;
SELECT entitle.begin_migration();
INSERT INTO shop.orders VALUES (1, 1, 1); -- its foreign key is checked while the transaction commits
SAVEPOINT s;
SELECT entitle.unprotect_table('shop.notes');
ROLLBACK TO s;
COMMIT;
\echo the commit brings FORCE back, deferred checks pending or not
SELECT forced();

BEGIN;
SET LOCAL ROLE test_owner;
SELECT entitle.begin_migration();
SELECT entitle.unprotect_table('shop.notes');
SELECT entitle.protect_table('shop.notes', customer_column => 'customer_id'), entitle.protect_table('shop.orders', customer_column => 'customer_id');
SELECT forced();
COMMIT;
\echo also to what was protected anew meanwhile
SELECT forced();

BEGIN;
SET LOCAL ROLE test_owner;
SELECT entitle.begin_migration();
SELECT entitle.unprotect_table('shop.notes');
CREATE TABLE shop.more (id bigint, customer_id bigint);
DROP TABLE shop.orders;
COMMIT;
\echo but not to a table that was unprotected or dropped meanwhile
SELECT forced();

BEGIN;
SET LOCAL ROLE test_owner;
SELECT entitle.protect_table('shop.notes', customer_column => 'customer_id'), entitle.begin_migration(ARRAY['shop.notes'::regclass]);
ROLLBACK;
\echo a rollback leaves everything as it was
SELECT forced();

DROP SCHEMA shop CASCADE;
DROP FUNCTION forced();
DROP OWNED BY test_owner CASCADE;
DROP ROLE test_owner;
