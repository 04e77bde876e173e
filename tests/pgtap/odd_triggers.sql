-- A superuser puts the extension's triggers where they do not belong: on tables of another shape, on columns of another type, for other
-- events and levels, without their arguments. They refuse or do nothing, and nothing breaks (S155).
\ir odd.psql
SELECT no_plan();

CREATE TEMP TABLE function AS
SELECT p.oid::regprocedure AS signature FROM pg_proc p WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND p.prorettype = 'trigger'::regtype;

-- The columns of the model: all of them text, all of them numbers, in a view; and none. A log that is not the log.
DO $$
DECLARE
    columns text[] := array(SELECT DISTINCT attname FROM pg_attribute WHERE attrelid::regclass::text ~ '^entitle\.[a-z_]+$' AND attnum > 0 ORDER BY attname);
BEGIN
    EXECUTE (SELECT format('CREATE TABLE odd.texts (%s)', string_agg(format('%I text', c), ', ')) FROM unnest(columns) c);
    EXECUTE (SELECT format('CREATE TABLE odd.numbers (%s)', string_agg(format('%I smallint', c), ', ')) FROM unnest(columns) c);
    CREATE TABLE odd.customer AS SELECT * FROM entitle.customer;
    CREATE TABLE odd.change_log (LIKE odd.numbers);
    ALTER TABLE odd.change_log ADD x integer;
    CREATE SEQUENCE odd.change_log_change_id_seq;
    CREATE TABLE odd.bare (x integer);
    CREATE VIEW odd.window AS SELECT * FROM odd.texts;
    INSERT INTO odd.texts (status) VALUES ('PAIN');
    INSERT INTO odd.numbers (status) VALUES (1);
    INSERT INTO odd.bare VALUES (1);
END
$$;

CREATE TEMP TABLE command AS
SELECT f.signature, format('CREATE TRIGGER odd %s ON %s %s EXECUTE FUNCTION %s; %s', moment, relation, level,
                           replace(f.signature::text, '()', format('(%s)', arguments)), effect) AS command
FROM function f
CROSS JOIN LATERAL (
    SELECT place || ' ' || e.event AS moment, relation, 'FOR EACH ' || level AS level, arguments, format(e.effect, relation, a.attname) AS effect
    FROM unnest('{odd.texts,odd.numbers,odd.bare,odd.customer,entitle.customer,entitle.app_user}'::text[]) AS relation
    JOIN pg_attribute a ON a.attrelid = relation::regclass AND a.attnum = 1
    CROSS JOIN (VALUES ('BEFORE', 'ROW'), ('AFTER', 'STATEMENT')) AS l (place, level)
    CROSS JOIN (VALUES ('INSERT', 'INSERT INTO %s DEFAULT VALUES'), ('UPDATE', 'UPDATE %1$s SET %2$I = %2$I'), ('DELETE', 'DELETE FROM %s')) AS e (event, effect)
    CROSS JOIN unnest(CASE WHEN f.signature::text ~ 'guard_(name|key)' THEN ARRAY['', '''status''', '''user_id'', ''x'''] ELSE ARRAY[''] END) AS arguments
    UNION ALL
    SELECT 'AFTER UPDATE', 'odd.customer', 'FOR EACH ROW', '', 'UPDATE odd.customer SET status = NULL'
    UNION ALL
    SELECT 'BEFORE TRUNCATE', relation, 'FOR EACH STATEMENT', '', format('TRUNCATE %s', relation)
    FROM unnest('{odd.bare,odd.customer}'::text[]) AS relation
    UNION ALL
    SELECT 'AFTER INSERT', relation, 'REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT', '', format('INSERT INTO %1$s SELECT * FROM %1$s', relation)
    FROM unnest('{odd.texts,odd.numbers,odd.bare,odd.customer}'::text[]) AS relation
    UNION ALL
    SELECT 'INSTEAD OF ' || event, 'odd.window', 'FOR EACH ROW', '', effect
    FROM (VALUES ('INSERT', 'INSERT INTO odd.window DEFAULT VALUES'), ('UPDATE', 'UPDATE odd.window SET status = NULL'), ('DELETE', 'DELETE FROM odd.window')) AS e (event, effect)
) AS shape;

SELECT set_eq('SELECT DISTINCT signature FROM command', 'SELECT signature FROM function', 'every trigger function is tried');
SELECT is_empty($$ SELECT odd.faults('superuser', (SELECT array_agg(command ORDER BY command) FROM command)) $$, 'S155: triggers where they do not belong break nothing');

SELECT * FROM finish();
ROLLBACK;
