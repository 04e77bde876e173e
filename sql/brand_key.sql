-- Brand columns of every type that can hold a key: a number stands for brand_id, a uuid for brand_uuid, a text, a padded text or an enum's
-- label for brand_code byte for byte (R4), a domain for what it is over. Rows are judged in their brand (R52), found by index, and parts of
-- tables are left out.
-- customer_key.sql asks the same of customers. Keys, index conditions and casts of the two are functions of their own, so each is asked by each type.
CREATE EXTENSION citext;
CREATE ROLE test_app;
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO test_app;
INSERT INTO entitle.brand (brand_id, organization_id, name, brand_uuid, brand_code)
SELECT 10 + i, 1, 'brand ' || i, ('00000000-0000-0000-0000-00000000000' || i)::uuid, (ARRAY['acme', 'Acme', 'birch', NULL])[i]
FROM generate_series(1, 4) i;
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT 10 + i, 'customers' FROM generate_series(1, 4) i;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'yuki', 'test_app');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (20, 1, 'reader');
INSERT INTO entitle.role_permission VALUES (20, 'customers.view');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (1, 11, 20), (1, 13, 20), (1, 14, 20), (1, 12, NULL);
CREATE TYPE shop.home AS ENUM ('acme', 'Acme', 'birch', 'nobody');
CREATE DOMAIN shop.number AS integer;
CREATE DOMAIN shop.code AS varchar(20) COLLATE "C";
CREATE DOMAIN shop.key AS uuid;

-- A table whose brand column has that type: a row for each of the keys, and 5,000 of others (an expression over i). Gives the keys that
-- show, how they are found, and what is read of a table in parts.
CREATE FUNCTION try_key(type text, keys text[], others text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    plan text;
    seen text;
    line text;
BEGIN
    EXECUTE format('CREATE TABLE shop.t (id integer PRIMARY KEY, home %s)', type);
    EXECUTE format('INSERT INTO shop.t SELECT n, k::%s FROM unnest($1) WITH ORDINALITY u (k, n)', type) USING keys;
    EXECUTE format('INSERT INTO shop.t SELECT 1000 + i, (%s)::%s FROM generate_series(1, 5000) i', others, type);
    CREATE INDEX ON shop.t (home);
    ANALYZE shop.t;
    EXECUTE format('CREATE TABLE shop.p (home %s) PARTITION BY LIST (home)', type);
    EXECUTE format('CREATE TABLE shop.p_1 PARTITION OF shop.p FOR VALUES IN (%L)', keys[1]);
    CREATE TABLE shop.p_2 PARTITION OF shop.p DEFAULT;
    PERFORM entitle.protect_table('shop.t', brand_column => 'home', view_permission => 'customers.view'),
            entitle.protect_table('shop.p', brand_column => 'home', view_permission => 'customers.view');
    GRANT SELECT ON shop.t, shop.p TO test_app;
    SET LOCAL ROLE test_app;
    SELECT string_agg(home::text, ' ' ORDER BY id) INTO seen FROM shop.t;
    FOR line IN EXPLAIN (COSTS OFF) SELECT * FROM shop.t LOOP
        plan := concat_ws(E'\n', plan, CASE WHEN line ~ 'Scan|Cond' THEN line END);
    END LOOP;
    RESET ROLE;
    EXECUTE 'DELETE FROM entitle.membership WHERE brand_id > 11';
    SET LOCAL ROLE test_app;
    FOR line IN EXPLAIN (COSTS OFF) SELECT * FROM shop.p LOOP
        plan := concat_ws(E'\n', plan, CASE WHEN line ~ 'Scan|Removed' THEN line END);
    END LOOP;
    RESET ROLE;
    RAISE EXCEPTION USING MESSAGE = seen || E'\n' || plan, ERRCODE = 'AAAAA';
EXCEPTION WHEN SQLSTATE 'AAAAA' THEN
    RETURN SQLERRM;
END
$$;
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse
SELECT try_key('smallint', '{11,12,13,14,-1,NULL}', 'i + 20');
SELECT try_key('bigint', '{11,12,13,14,-1,NULL}', 'i + 20');
SELECT try_key('numeric', '{11.00,12,13,14,11.5,NaN,Infinity,-1,99999999999999999999,NULL}', 'i + 20.5');
SELECT try_key('shop.number', '{11,12,13,NULL}', 'i + 20');
SELECT try_key('uuid', '{00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002,00000000-0000-0000-0000-000000000004,00000000-0000-0000-0000-000000000005,NULL}', 'gen_random_uuid()');
SELECT try_key('shop.key', '{00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002}', 'gen_random_uuid()');
SELECT try_key('text', '{acme,Acme,birch,ACME,"acme ","",NULL}', '''n'' || i');
SELECT try_key('shop.code', '{acme,Acme,birch}', '''n'' || i');
SELECT try_key('char(8)', '{acme,Acme,birch}', '''n'' || i');
SELECT try_key('citext', '{acme,Acme,birch,BIRCH}', '''n'' || i');
-- An enum has few labels, so the planner would rather read the whole table.
SET enable_seqscan = off;
SELECT try_key('shop.home', '{acme,Acme,birch,nobody}', '''nobody''');
RESET enable_seqscan;
-- What is no key
SELECT try_key('boolean', '{t}', 'true');
SELECT try_key('date', '{2020-01-01}', 'current_date');
SELECT try_key('text[]', '{"{acme}"}', '''{}''');

-- The functions behind the conditions, asked by hand
SELECT entitle.permitted_brand_keys('customers.view', NULL::uuid), entitle.permitted_brand_key('customers.view', 1, NULL::uuid);
SET ROLE test_app;
SELECT entitle.permitted_brand_keys('customers.view', NULL::bigint), entitle.permitted_brand_keys('customers.view', NULL::smallint),
       entitle.permitted_brand_keys('customers.view', NULL::numeric), entitle.permitted_brand_keys('customers.edit', NULL::uuid);
SELECT entitle.permitted_brand_keys('customers.view', NULL::uuid);
SELECT entitle.permitted_brand_keys('customers.view', NULL::text), entitle.permitted_brand_keys('customers.view', NULL::citext),
       entitle.permitted_brand_keys('customers.view', NULL::shop.home), entitle.permitted_brand_keys('customers.view', NULL::char(3));
SELECT entitle.permitted_brand_keys(NULL, NULL::uuid), entitle.permitted_brand_keys('no.such', NULL::text),
       entitle.permitted_brand_keys('customers.view', NULL::date), entitle.permitted_brand_keys('customers.view', NULL::shop.key);
SELECT i, entitle.permitted_brand_key('customers.view', i, NULL::text), entitle.permitted_brand_key('customers.view', i, NULL::bigint),
       entitle.permitted_brand_key('customers.view', i, NULL::date)
FROM unnest('{1,2,3,0,-1,2147483647,NULL}'::integer[]) i;
RESET ROLE;

-- A key that changes is in force at the next statement, for a plan that is kept, too; one that goes closes its rows.
CREATE TABLE shop.paper (id integer PRIMARY KEY, home uuid);
INSERT INTO shop.paper SELECT i, ('00000000-0000-0000-0000-00000000000' || i)::uuid FROM generate_series(1, 6) i;
SELECT FROM entitle.protect_table('shop.paper', brand_column => 'home', view_permission => 'customers.view');
GRANT SELECT ON shop.paper TO test_app;
SET ROLE test_app;
PREPARE papers AS SELECT string_agg(id::text, ',' ORDER BY id) FROM shop.paper;
EXECUTE papers;
RESET ROLE;
UPDATE entitle.brand SET brand_uuid = '00000000-0000-0000-0000-000000000006' WHERE brand_id = 11;
SET ROLE test_app;
EXECUTE papers;
RESET ROLE;
UPDATE entitle.brand SET brand_uuid = NULL WHERE brand_id = 11;
SET ROLE test_app;
EXECUTE papers;
RESET ROLE;
-- Rows that a cursor put aside end with the key (R46); one that tests each row goes on without them.
BEGIN;
SET LOCAL ROLE test_app;
DECLARE sorted CURSOR FOR SELECT id FROM shop.paper ORDER BY home;
DECLARE plain CURSOR FOR SELECT id FROM shop.paper;
FETCH sorted;
FETCH plain;
RESET ROLE;
UPDATE entitle.brand SET brand_uuid = NULL WHERE brand_id = 14;
SET LOCAL ROLE test_app;
FETCH plain;
FETCH sorted;
ROLLBACK;
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
DROP FUNCTION try_key(text, text[], text);
DELETE FROM entitle.membership; DELETE FROM entitle.role WHERE role_id = 20; DELETE FROM entitle.brand WHERE brand_id > 1; DELETE FROM entitle.app_user;
DROP EXTENSION citext;
DROP ROLE test_app;
