-- The functions where nobody expects them: in indexes, statistics, partition keys and materialized views, behind a function that says
-- it is immutable; in the default and the policy that they themselves ask for. They answer, or the stack's depth ends it, and nothing
-- breaks; and a maintenance command of a superuser's gives those who own the table no superuser's answers (S184).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
GRANT CREATE ON SCHEMA public TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table TO test_owner;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'guest');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);

SET LOCAL ROLE test_owner;
CREATE FUNCTION shows(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT entitle.row_allowed('customers.view', 10, $1) $$;
-- How many grants the asker is told of, and whether as a superuser.
CREATE FUNCTION told(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$ BEGIN RETURN (SELECT count(*) FROM entitle.user_access('guest')) + CASE WHEN entitle.acting_superuser() THEN 100 ELSE 0 END; END $$;
CREATE TABLE place (id bigint);
INSERT INTO place SELECT generate_series(1, 2000);
CREATE TABLE parted (id bigint) PARTITION BY LIST (shows(id));
CREATE TABLE parted_yes PARTITION OF parted FOR VALUES IN (true);
CREATE TABLE parted_no PARTITION OF parted FOR VALUES IN (false);
CREATE TABLE defaulted (id integer PRIMARY KEY, a integer);
ALTER TABLE defaulted ALTER a SET DEFAULT entitle.column_default('defaulted'::regclass, 2, NULL::integer);
CREATE TABLE asked (id integer PRIMARY KEY, customer_id bigint);
INSERT INTO asked VALUES (1, 1);
SELECT entitle.protect_table('asked', 'customer_id') \g /dev/null
CREATE FUNCTION is_explained(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT bool_and(passed) FROM entitle.explain_row('public.asked', $1::text)); END $$;
CREATE POLICY explained ON asked AS RESTRICTIVE USING (is_explained(id));
GRANT SELECT ON asked TO test_app;
CREATE MATERIALIZED VIEW stored AS SELECT told(1) AS told;
RESET ROLE;

SELECT lives_ok(command, 'S184: ' || command)
FROM unnest(ARRAY['CREATE INDEX place_shows ON place (shows(id))', 'CREATE INDEX place_told ON place (told(id)) WHERE NOT shows(id)',
                  'CREATE STATISTICS place_kinds ON told(id), shows(id) FROM place', 'REINDEX TABLE place', 'CLUSTER place USING place_shows',
                  'ANALYZE place', 'INSERT INTO parted VALUES (1)', 'SELECT count(*) FROM parted WHERE shows(id)',
                  'ALTER TABLE place ADD CHECK (told(id) >= 0)', 'REFRESH MATERIALIZED VIEW stored']) AS command;
-- What the index and the statistics keep is what the function answered while a superuser made them.
SELECT is((SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'place_told'), '{0}', 'S184: a superuser who analyzes a table has its owner''s functions told nothing');
SELECT is((SELECT told FROM stored), 0::bigint, 'S184: nor by refreshing a materialized view');
SELECT throws_ok('INSERT INTO defaulted (id) VALUES (1)', '54001', NULL, 'S184: a default that asks for itself ends with the stack');
SELECT throws_ok(format('SELECT ask(''guest'', %L)', command), '54001', NULL, 'S184: so does a policy: ' || command)
FROM unnest(ARRAY['SELECT count(*) FROM asked', 'SELECT count(*) FROM entitle.explain_row(''asked'', ''1'')']) AS command;
SELECT is(ask('guest', 'SELECT entitle.access_level(1)'), '20', 'S184: and the session goes on');

SELECT * FROM finish();
ROLLBACK;
