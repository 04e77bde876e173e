-- Every column of every table of the model takes NULLs, wrong words and extremes, alone and two at a time, by INSERT and by UPDATE, from
-- a superuser, a manager, an external administrator and nobody: they are stored or refused, and nothing breaks (S155).
\ir odd.psql
SELECT no_plan();

CREATE TEMP TABLE place AS
SELECT a.attrelid::regclass AS relation, a.attname AS name, a.atttypid::regtype AS type, a.attidentity <> '' OR a.atthasdef AS has_default
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';

-- The last row of each table, where it is and what stands in it.
CREATE TEMP TABLE example (relation regclass, place tid, image jsonb);
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT DISTINCT p.relation FROM place p LOOP
        EXECUTE format('INSERT INTO example SELECT %L, t.ctid, to_jsonb(t) FROM %s t ORDER BY t.ctid DESC LIMIT 1', relation, relation);
    END LOOP;
END
$$;
SELECT set_eq('SELECT DISTINCT relation FROM place', 'SELECT relation FROM example', 'every table of the model has a row to change');

-- One odd value, or two NULLs.
CREATE TEMP TABLE change AS
SELECT p.relation, ARRAY[p.name] AS names, ARRAY[e] AS expressions
FROM place p CROSS JOIN LATERAL unnest(odd.expressions(p.type)) e
UNION ALL
SELECT p.relation, ARRAY[p.name, o.name], ARRAY['NULL', 'NULL']
FROM place p JOIN place o ON o.relation = p.relation AND o.name > p.name;

CREATE TEMP TABLE command AS
SELECT format('UPDATE %s SET %s WHERE ctid = %L', c.relation, string_agg(format('%I = %s', n, x), ', '), e.place) AS command
FROM change c JOIN example e USING (relation) CROSS JOIN LATERAL unnest(c.names, c.expressions) AS u (n, x)
GROUP BY c.relation, c.names, c.expressions, e.place
UNION ALL
SELECT format('INSERT INTO %s (%s) VALUES (%s)', c.relation, string_agg(quote_ident(p.name), ', '),
              string_agg(coalesce(c.expressions[array_position(c.names, p.name)],
                                  CASE WHEN p.has_default THEN 'DEFAULT' ELSE format('%L::%s', e.image ->> p.name, p.type) END), ', '))
FROM change c JOIN example e USING (relation) JOIN place p USING (relation)
GROUP BY c.relation, c.names, c.expressions;
-- The life of customers: every status before, wanted and held.
INSERT INTO command
SELECT command
FROM unnest(ARRAY['NULL', '''PAIN''', '''ACTV''', '''INAC''', '''''', '''INACTIVE''']) AS now (status),
     unnest(ARRAY['NULL', '''PAIN''', '''ACTV''', '''INAC''', '''''', '''INACTIVE''']) AS held (status),
     LATERAL (VALUES (format('INSERT INTO entitle.customer (legal_name, trade_name, tax_id, status, status_before) VALUES (''a'', ''a'', ''a'', %s, %s)', now.status, held.status)),
                     (format('UPDATE entitle.customer SET status = %s, status_before = %s WHERE customer_id = 101', now.status, held.status)),
                     (format('UPDATE entitle.customer SET status = %s, status_before = %s WHERE customer_id = 102', now.status, held.status))) AS w (command);

SELECT cmp_ok((SELECT count(*) FROM command), '>=', 2500::bigint, 'commands are made of all columns');
SELECT is_empty(format($$ SELECT odd.faults(%L, (SELECT array_agg(command ORDER BY command) FROM command), %L) $$, login, question), format('S155: %s writes odd values everywhere, and nothing breaks', login))
FROM (VALUES ('superuser', 'SELECT entitle.has_permission(''customers.view''), entitle.access_level(101), entitle.access_level(''c1''), entitle.user_has_permission(101, ''customers.edit'', 1)'),
             ('manager', NULL), ('admin', NULL), ('nobody', NULL)) AS who (login, question);

SELECT * FROM finish();
ROLLBACK;
