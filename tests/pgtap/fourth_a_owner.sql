-- An owner who calls what protect_table calls: declarations that others carry out (S234).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA api;
GRANT USAGE ON SCHEMA shop, api TO PUBLIC;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
SET LOCAL ROLE test_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE shop.lines (id integer PRIMARY KEY REFERENCES shop.orders);
RESET ROLE;
CREATE TABLE api.bills (id integer PRIMARY KEY, customer_id bigint, price integer);
ALTER TABLE api.bills OWNER TO test_owner;

CREATE FUNCTION refused(command text) RETURNS text LANGUAGE plpgsql
    AS $$ BEGIN EXECUTE command; RETURN NULL; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;

-- What a superuser's remedies would make where the owner may make nothing.
SET LOCAL ROLE test_owner;
SELECT entitle.protect_table('shop.orders', 'customer_id') \g /dev/null
CREATE FUNCTION pg_temp.record(relation regclass, masks jsonb, view_name text, parent regclass) RETURNS void LANGUAGE sql
    AS $$
    SELECT entitle_internal.record_protection(
        ROW(relation, CASE WHEN parent IS NULL THEN 'customer_id' END, NULL, NULL, 10, NULL, NULL, NULL, NULL, NULL, NULL, masks, view_name, parent, NULL, false, NULL)::entitle.protection)
    $$;
SELECT is(refused(format('SELECT pg_temp.record(%L, %L, %L, %L)', relation, masks, view_name, parent)), error, format('S234: a view of %s is declared as %s', relation, view_name))
FROM (VALUES
    ('shop.orders', '{}', 'api.orders', NULL, '42501 permission denied for schema api'),
    ('shop.orders', '{"price": 30}', 'api.orders', NULL, '42501 permission denied for schema api'),
    ('shop.orders', '{}', 'nowhere.orders', NULL, '3F000 schema "nowhere" does not exist'),
    ('shop.lines', '{}', 'api.lines', 'shop.orders', '42501 permission denied for schema api'),
    ('api.bills', '{"price": 30}', NULL, NULL, '42501 permission denied for schema api'),
    ('api.bills', '{"price": 30}', 'shop.bills', NULL, NULL),
    ('api.bills', '{}', NULL, NULL, NULL)) AS v (relation, masks, view_name, parent, error);
RESET ROLE;
SELECT lives_ok($$SELECT entitle.protect_table('shop.orders', 'customer_id', view_name => 'api.orders')$$, 'a superuser makes it for the owner');
SELECT lives_ok($$SELECT entitle.unprotect_table('shop.orders')$$, 'and takes it away');

SELECT * FROM finish();
ROLLBACK;
