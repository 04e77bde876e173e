-- Customer columns of every type that can hold a key: a number stands for customer_id, a text, a padded text or an enum's label for
-- customer_code byte for byte (R4), a domain for what it is over. Rows are found by index.
-- brand_key.sql asks the same of brands. Keys, index conditions and casts of the two are functions of their own, so each is asked by each type.
CREATE EXTENSION citext;
CREATE ROLE test_app;
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO test_app;
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, legal_name, trade_name, tax_id)
SELECT i, ('00000000-0000-0000-0000-00000000000' || i)::uuid, (ARRAY['acme', 'Acme', 'birch', NULL])[i], 'a', 'a', 'a'
FROM generate_series(1, 4) i;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'yuki', 'test_app');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L30', NULL), (3, 1, 'L30', 30), (4, 1, 'L30', NULL);
CREATE TYPE shop.client AS ENUM ('acme', 'Acme', 'birch', 'nobody');
CREATE DOMAIN shop.number AS integer;
CREATE DOMAIN shop.big_number AS shop.number CHECK (VALUE > -2);
CREATE DOMAIN shop.code AS varchar(20) COLLATE "C";
CREATE DOMAIN shop.key AS uuid;
CREATE DOMAIN shop.day AS date;

-- A table whose key has that type: a row for each of the keys, and 5,000 of others (an expression over i). Gives the keys that show,
-- and how they are found.
CREATE FUNCTION try_key(type text, keys text[], others text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    plan text;
    seen text;
    line text;
BEGIN
    EXECUTE format('CREATE TABLE shop.t (id integer PRIMARY KEY, client %s, on_day shop.day DEFAULT current_date)', type);
    EXECUTE format('INSERT INTO shop.t SELECT n, k::%s FROM unnest($1) WITH ORDINALITY u (k, n)', type) USING keys;
    EXECUTE format('INSERT INTO shop.t SELECT 1000 + i, (%s)::%s FROM generate_series(1, 5000) i', others, type);
    CREATE INDEX ON shop.t (client, on_day);
    ANALYZE shop.t;
    PERFORM entitle.protect_table('shop.t', customer_column => 'client', date_column => 'on_day');
    GRANT SELECT ON shop.t TO test_app;
    SET LOCAL ROLE test_app;
    SELECT string_agg(client::text, ' ' ORDER BY id) INTO seen FROM shop.t;
    FOR line IN EXPLAIN (COSTS OFF) SELECT * FROM shop.t LOOP
        plan := concat_ws(E'\n', plan, CASE WHEN line ~ 'Scan|Cond' THEN line END);
    END LOOP;
    RESET ROLE;
    PERFORM entitle.unprotect_table('shop.t');
    DROP TABLE shop.t;
    RETURN seen || E'\n' || plan;
END
$$;
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse
SELECT try_key('smallint', '{1,2,3,4,-1,NULL}', 'i + 9');
SELECT try_key('numeric', '{1.00,2,3,4,1.5,NaN,Infinity,-1,99999999999999999999,9223372036854775808,NULL}', 'i + 0.5');
SELECT try_key('numeric(20,3)', '{1,2,3,4}', 'i + 9');
SELECT try_key('shop.number', '{1,2,3,NULL}', 'i + 9');
SELECT try_key('shop.big_number', '{1,2,3,-1}', 'i + 9');
SELECT try_key('shop.key', '{00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002}', 'gen_random_uuid()');
SELECT try_key('text', '{acme,Acme,birch,ACME,"acme ",NULL}', '''n'' || i');
SELECT try_key('shop.code', '{acme,Acme,birch}', '''n'' || i');
SELECT try_key('char(8)', '{acme,Acme,birch}', '''n'' || i');
SELECT try_key('citext', '{acme,Acme,birch,BIRCH}', '''n'' || i');
-- An enum has few labels, so the planner would rather read the whole table.
SET enable_seqscan = off;
SELECT try_key('shop.client', '{acme,Acme,birch,nobody}', '''nobody''');
RESET enable_seqscan;
-- What is no key
SELECT try_key('boolean', '{t}', 'true');
SELECT try_key('date', '{2020-01-01}', 'current_date');
SELECT try_key('text[]', '{"{acme}"}', '''{}''');

-- The function behind the index conditions, asked by hand
SELECT entitle.accessible_customer_keys(10, NULL::numeric), entitle.accessible_customer_keys(NULL, NULL::numeric),
       entitle.accessible_customer_keys(11, NULL::date), entitle.accessible_customer_keys(10, NULL::shop.client);
SET ROLE test_app;
SELECT entitle.accessible_customer_keys(10, NULL::numeric), entitle.accessible_customer_keys(40, NULL::numeric),
       entitle.accessible_customer_keys(10, NULL::citext), entitle.accessible_customer_keys(10, NULL::shop.client),
       entitle.accessible_customer_keys(10, NULL::char(3));
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
DROP FUNCTION try_key(text, text[], text);
DELETE FROM entitle.external_access; DELETE FROM entitle.customer; DELETE FROM entitle.app_user;
DROP EXTENSION citext;
DROP ROLE test_app;
