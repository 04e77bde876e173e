-- The ninth attack, on guarded schemas: EXPLAIN ANALYZE makes tables and calls no event trigger (S440).
\ir setup.psql
SELECT no_plan();

CREATE ROLE maker;
CREATE ROLE reader;
CREATE SCHEMA kept AUTHORIZATION maker;
GRANT USAGE ON SCHEMA kept TO reader;
SELECT entitle.guard_schema('kept');
SET ROLE maker;
ALTER DEFAULT PRIVILEGES IN SCHEMA kept GRANT SELECT ON TABLES TO reader;
PREPARE one AS SELECT 1 AS secret;
EXPLAIN ANALYZE CREATE TABLE kept.made AS SELECT 1 AS secret;
EXPLAIN (ANALYZE) SELECT 1 AS secret INTO kept.taken;
EXPLAIN ANALYZE CREATE MATERIALIZED VIEW kept.stored AS SELECT 1 AS secret;
EXPLAIN ANALYZE CREATE TABLE kept.run AS EXECUTE one;
DO $$ BEGIN EXECUTE 'EXPLAIN ANALYZE CREATE TABLE kept.inside AS SELECT 1 AS secret'; END $$;
EXPLAIN CREATE TABLE kept.planned AS SELECT 1 AS secret;
RESET ROLE;
CREATE FUNCTION read_as_reader(relation text) RETURNS text LANGUAGE plpgsql
    AS $$ DECLARE found bigint; BEGIN
        SET LOCAL ROLE reader;
        EXECUTE format('SELECT count(*) FROM kept.%I', relation) INTO found;
        RESET ROLE;
        RETURN found;
    EXCEPTION WHEN insufficient_privilege THEN
        RETURN 'denied';
    END $$;
SELECT is(read_as_reader(t), CASE t WHEN 'stored' THEN 'denied' ELSE '0' END, format('S440: nobody reads kept.%s', t)) FROM unnest('{made,taken,stored,run,inside}'::text[]) AS t;
SELECT is((SELECT count(*) FROM entitle.lint() l WHERE l.object LIKE 'kept.%'), 0::bigint, 'and lint has nothing to tell');

-- Last: it makes a table itself, and with any such command the event trigger closes what was left open.
SELECT bag_eq($$ SELECT relation::text, state FROM entitle.guarded_tables $$, $$ SELECT 'kept.' || t AS relation, 'closed' AS state FROM unnest('{made,taken,stored,run,inside}'::text[]) AS t $$,
              'S440: what EXPLAIN ANALYZE makes is closed');

SELECT * FROM finish();
ROLLBACK;
