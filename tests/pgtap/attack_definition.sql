-- What verify_protection compares by is C, and takes any relation and any text: it answers or refuses, and nothing breaks (S171).
\ir setup.psql
SELECT no_plan();

CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint, price numeric);
SELECT entitle.protect_table('orders', 'customer_id', masked_columns => '{"price": 30}') \g /dev/null
CREATE TYPE pair AS (a integer, b text);
CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a;
CREATE SEQUENCE number;

CREATE FUNCTION outcome(expression text) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE 'SELECT ' || expression INTO answer;
    RETURN coalesce(answer, 'null');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(outcome(format('entitle_internal.view_shows(%s, ''SELECT 1'')', relation)), '42809', 'no view: ' || relation)
FROM (VALUES ('''orders'''), ('''orders_pkey'''), ('''pair'''), ('''kept'''), ('''number'''), ('0::oid::regclass'), ('4294967295::oid::regclass'),
             ('(SELECT reltoastrelid::regclass FROM pg_class WHERE relname = ''pg_proc'')')) AS v (relation);
SELECT is(outcome(format('entitle_internal.view_shows(''orders_view'', %L)', query)), expected, 'no such query: ' || query)
FROM (VALUES ('', '42601'), ('SELECT 1; SELECT 2', '42601'), ('SELECT', 'false'), ('SELECT $1', '42P02'), ('VALUES (1)', 'false'), ('SELECT 1 FOR UPDATE', 'false'),
             ('SELECT * INTO x FROM orders', 'false'), ('EXPLAIN SELECT 1', 'false'), ('DROP TABLE orders', 'false'), ('DELETE FROM orders', 'false'),
             ('DECLARE c CURSOR FOR SELECT 1', 'false'), ('SELECT nothing', '42703'), ('WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d', 'false')) AS v (query, expected);
SELECT ok(to_regclass('orders') IS NOT NULL AND to_regclass('x') IS NULL, 'nothing of it was run');
SELECT is(entitle_internal.view_shows('orders_view', pg_get_viewdef('orders_view'::regclass)), true, 'the query of the view is its query');

CREATE FUNCTION same(part text, condition text) RETURNS text LANGUAGE sql
    AS $$ SELECT outcome(format('entitle_internal.same_condition(%s, oid, %s) FROM pg_policy WHERE polrelid = ''orders''::regclass AND polname = ''entitle_select''',
                                part, condition)) $$;
SELECT is(same(part, condition), expected, format('%s, %s', part, condition))
FROM (VALUES ('NULL', '''true''', 'false'), ('''other''', '''true''', 'false'), ('''using''', 'NULL', 'false'), ('''check''', 'NULL', 'true'), ('''when''', '''true''', 'false'),
             ('''using''', '''''', '42601'), ('''using''', '''true; SELECT 1''', '42601'), ('''using''', '''true UNION SELECT 1''', 'false'), ('''using''', '''1''', '42804'),
             ('''using''', '''OLD.order_id = 1''', '42P01'), ('''using''', '''true''', 'false')) AS v (part, condition, expected);
SELECT is(outcome(format('entitle_internal.same_condition(%L, %s, ''true'')', part, coalesce(object, 'NULL'))), 'false', format('no such object: %s %s', part, object))
FROM unnest('{using,check,when}'::text[]) AS part, unnest('{NULL,0,4294967295,1259}'::text[]) AS object;

SELECT finish();
ROLLBACK;
