-- Maintenance commands run functions of whoever owns the table, of an index or a materialized view, in the session of a superuser or of
-- autovacuum. Such a function signs nobody in (S244), asks for its owner and not for that session's user (S245), and neither declares
-- anything nor writes through a filtered view (S246). Nor does a superuser who calls a function with its owner's rights become anybody for
-- that owner (S247).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_pool;
CREATE ROLE test_owner;
CREATE ROLE test_dba SUPERUSER;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't'), (2, 'n', 'n', 't'), (3, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (101, 'odile', NULL), (102, 'l20', NULL), (103, 'dba', 'test_dba'), (104, 'pool', 'test_pool');
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES (101, 1, 7, true);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 102, 'L20', NULL), (2, 103, 'L80', NULL), (3, 104, 'L20', NULL);
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, price integer);
INSERT INTO shop.orders VALUES (1, 1, 100), (2, 2, 200), (3, 3, 300);
GRANT SELECT, UPDATE ON shop.orders TO test_pool, test_app;
GRANT USAGE ON SCHEMA shop TO test_pool, test_app;
GRANT ALL ON SCHEMA shop TO test_owner;
ALTER TABLE shop.orders OWNER TO test_owner;
SELECT entitle.protect_table('shop.orders', 'customer_id', min_level => 20, view_permission => 'customers.view', external_update_level => 20,
                             masked_columns => '{"price": 30}') \g /dev/null
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.protect_table, entitle.unprotect_table, entitle.grant_access TO test_pool;
CREATE SCHEMA hers AUTHORIZATION test_pool;

-- What the hostile function does, and what came of it.
CREATE TABLE hers.orders (command text);
CREATE TABLE hers.told (said text);
CREATE FUNCTION hers.obey() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    command text;
    answer text;
BEGIN
    SELECT o.command INTO command FROM hers.orders o;
    IF command IS NOT NULL THEN
        EXECUTE command INTO answer;
        INSERT INTO hers.told VALUES (current_user || ': ' || coalesce(answer, 'nothing'));
    END IF;
EXCEPTION WHEN OTHERS THEN
    INSERT INTO hers.told VALUES (current_user || ': ' || SQLSTATE || ' ' || SQLERRM);
END
$$;
CREATE FUNCTION hers.quiet(i integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM hers.obey(); RETURN i; END $$;
CREATE TABLE hers.bait AS SELECT 1 AS i;
CREATE INDEX bait_index ON hers.bait (hers.quiet(i));
CREATE MATERIALIZED VIEW hers.bait_view AS SELECT hers.quiet(i) FROM hers.bait;
ALTER TABLE hers.orders OWNER TO test_pool;
ALTER TABLE hers.told OWNER TO test_pool;
ALTER TABLE hers.bait OWNER TO test_pool;
ALTER MATERIALIZED VIEW hers.bait_view OWNER TO test_pool;
ALTER FUNCTION hers.obey() OWNER TO test_pool;
ALTER FUNCTION hers.quiet(integer) OWNER TO test_pool;

-- Has it done while a role runs a maintenance command. Returns: what came of it.
CREATE FUNCTION done(role name, maintenance text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    INSERT INTO hers.orders VALUES (command);
    PERFORM set_config('role', role, true);
    EXECUTE maintenance;
    PERFORM set_config('role', 'none', true);
    SELECT string_agg(DISTINCT said, '; ') INTO answer FROM hers.told;
    DELETE FROM hers.orders;
    DELETE FROM hers.told;
    RETURN answer;
END
$$;
CREATE TABLE maintenance AS SELECT unnest(ARRAY['ANALYZE hers.bait', 'REINDEX TABLE hers.bait', 'REFRESH MATERIALIZED VIEW hers.bait_view', 'CREATE INDEX ON hers.bait (hers.quiet(i))',
                                                'CLUSTER hers.bait USING bait_index']) AS command;
GRANT SELECT ON maintenance TO PUBLIC;

SELECT is(done('postgres', command, 'SELECT entitle.sign_in(''odile'')'), 'test_pool: 42501 cannot sign in within a security-restricted operation', 'S244: ' || command)
FROM maintenance;
SELECT is(done('test_pool', 'ANALYZE hers.bait', 'SELECT entitle.sign_in(''odile'')'), 'test_pool: 42501 cannot sign in within a security-restricted operation', 'S244: their own');
SELECT is(done('test_dba', command, 'SELECT entitle.current_login() || (SELECT array_agg(id) FROM shop.orders)::text'), 'test_pool: pool{3}', 'S245: it asks for its owner: ' || command)
FROM maintenance;
SELECT is(done('test_dba', 'ANALYZE hers.bait', 'SELECT count(*) FROM ' || c), 'test_pool: 0', 'S245: and so do reports: ' || c)
FROM unnest(ARRAY['entitle.customer_access(2)', 'entitle.user_access(''dba'')', 'entitle.permission_matrix(1)']) AS c;
SELECT is(done('test_dba', 'ANALYZE hers.bait', 'SELECT entitle.grant_access(2, ''l20'', ''L20'')'), 'test_pool: 42501 permission denied to manage external access of this customer', 'S245: nothing is granted');
SELECT entitle.sign_in('odile') \g /dev/null
SELECT is(done('postgres', 'ANALYZE hers.bait', 'SELECT entitle.current_login() || (SELECT array_agg(id) FROM shop.orders)::text'), 'test_pool: pool{3}', 'S245: whoever is signed in');
SELECT is(done('postgres', 'ANALYZE hers.bait', 'SELECT count(*) FROM entitle.permission_matrix(1)'), 'test_pool: 0', 'S245: and so do reports');
SELECT is(entitle.current_login(), 'odile', 'who stays signed in');
SELECT entitle.sign_out() \g /dev/null

-- The rights of the table's owner are lent to nobody.
GRANT UPDATE ON shop.orders_view TO test_pool;
SELECT is(done('postgres', command, 'UPDATE shop.orders_view SET id = 4 WHERE id = 3 RETURNING id'), 'test_pool: 42501 cannot write a filtered view within a security-restricted operation', 'S246: ' || command)
FROM maintenance;
CREATE TABLE declared AS SELECT p::text AS was FROM entitle.protection p WHERE p.relation = 'shop.orders'::regclass;
SELECT alike(done('postgres', command, c), 'test_pool: 42501 permission denied to %protect table "shop.orders"', format('S246: %s: %s', command, c))
FROM maintenance, unnest(ARRAY[
    'SELECT entitle_internal.forget_protection(''shop.orders'')',
    'SELECT entitle_internal.record_protection((''(shop.orders,customer_id,,,20,customers.view,,,,20,20,{},,,,f,)'')::entitle.protection)']) AS c;
SELECT is(p::text, d.was, 'S246: what is declared stays') FROM entitle.protection p, declared d WHERE p.relation = 'shop.orders'::regclass;

-- One's own.
GRANT CREATE ON SCHEMA public TO test_app;
SELECT do_as('l20', 'CREATE MATERIALIZED VIEW own_orders AS SELECT *, entitle.own_user() AS asker FROM shop.orders_view') \g /dev/null
SELECT is((SELECT array_agg(id || ' ' || asker)::text FROM own_orders), '{"1 102"}', 'a materialized view of one''s own holds what showed');
SELECT do_as('l20', 'CREATE MATERIALIZED VIEW own_access AS SELECT * FROM entitle.customer_access(1)') \g /dev/null
SELECT is((SELECT array_agg(login)::text FROM own_access), '{l20}', 'by functions with other rights, too');

-- S247
CREATE FUNCTION hers.enter(who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN RETURN entitle.sign_in(who); EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; END $$;
ALTER FUNCTION hers.enter(text) OWNER TO test_pool;
SELECT is(hers.enter('odile'), 'this login may not sign in', 'S247: a superuser who calls a function of a pool''s becomes nobody of weight for it');
SELECT is(hers.enter('l20'), '102', 'S247: but whom the pool may become');
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_pool', 'odile');
SELECT is(hers.enter('odile'), '101', 'S247: and who is listed for it');
DELETE FROM entitle.sign_in_grant;
ALTER FUNCTION hers.enter(text) OWNER TO test_dba;
SELECT is(hers.enter('odile'), '101', 'S247: in a superuser''s own function a superuser becomes anybody');

SELECT * FROM finish();
ROLLBACK;
