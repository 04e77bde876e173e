-- Every function of the extension takes NULLs, wrong types, objects of the wrong kind and extremes, argument by argument, from a
-- superuser, a manager, an external administrator and nobody: it answers or refuses, and nothing breaks (S155).
\ir odd.psql
SELECT no_plan();

CREATE TEMP TABLE subject AS
SELECT p.oid, format('%I.%I', n.nspname, p.proname) AS name, p.prokind, p.proretset, array(SELECT t::regtype FROM unnest(p.proargtypes) WITH ORDINALITY AS u (t, n) ORDER BY n) AS types
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('entitle', 'entitle_internal');

CREATE FUNCTION odd.call(subject subject, arguments text[]) RETURNS SETOF text
    LANGUAGE sql
    AS $$
    SELECT format(shape, subject.name, array_to_string(arguments, ', '))
    FROM unnest(CASE WHEN subject.prokind = 'a' THEN ARRAY['SELECT %s(%s) FROM generate_series(1, 3)', 'SELECT %s(%s) FROM generate_series(1, 0)',
                                                           'SELECT %s(%s) OVER (ORDER BY n ROWS 1 PRECEDING) FROM generate_series(1, 3) AS n']
                     WHEN subject.proretset THEN ARRAY['SELECT * FROM %s(%s)', 'SELECT %s(%s)']
                     ELSE ARRAY['SELECT %s(%s)'] END) AS shape
    $$;

CREATE TEMP TABLE command AS
WITH usual AS (
    SELECT s, array(SELECT (odd.expressions(t))[1] FROM unnest(s.types) WITH ORDINALITY AS u (t, n) ORDER BY n) AS arguments,
           array(SELECT 'NULL::' || CASE WHEN p.typtype = 'p' AND p.typname <> 'internal' THEN 'bigint' ELSE t::text END
                 FROM unnest(s.types) WITH ORDINALITY AS u (t, n) JOIN pg_type p ON p.oid = t ORDER BY n) AS nulls
    FROM subject s),
filled AS (
    SELECT s, arguments, true AS is_for_all FROM usual
    UNION SELECT s, array(SELECT replace(a, 'NULL::internal', 'NULL') FROM unnest(nulls) WITH ORDINALITY AS u (a, n) ORDER BY n), true FROM usual
    -- One odd argument among usual ones.
    UNION SELECT s, array(SELECT CASE n WHEN i THEN e ELSE a END FROM unnest(arguments) WITH ORDINALITY AS u (a, n) ORDER BY n), true
    FROM usual, generate_series(1, cardinality(arguments)) AS i, unnest(odd.expressions((s).types[i])) AS e
    -- Two NULLs.
    UNION SELECT s, array(SELECT CASE WHEN n IN (i, j) AND z <> 'NULL::internal' THEN z ELSE a END FROM unnest(arguments, nulls) WITH ORDINALITY AS u (a, z, n) ORDER BY n), false
    FROM usual, generate_series(1, cardinality(arguments)) AS i, generate_series(i + 1, cardinality(arguments)) AS j
)
SELECT DISTINCT ON (command) (s).name, c AS command, is_for_all FROM filled, odd.call(s, arguments) AS c ORDER BY command, is_for_all DESC;

SELECT set_eq('SELECT name FROM subject', 'SELECT name FROM command', 'every function is called');
SELECT cmp_ok((SELECT count(*) FROM command), '>=', 2500::bigint, 'commands are made of all arguments');
SELECT is_empty(format($$ SELECT odd.faults(%1$L, (SELECT array_agg(command ORDER BY command) FROM command WHERE is_for_all OR %1$L = 'superuser')) $$, login),
                format('S155: %s calls everything with odd arguments, and nothing breaks', login))
FROM unnest('{superuser,manager,admin,nobody}'::text[]) AS login;

SELECT * FROM finish();
ROLLBACK;
