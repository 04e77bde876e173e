-- PostgreSQL takes comparisons of texts for LEAKPROOF that raise an error whatever they are given: of columns with different collations, and
-- whether one begins with another where the collation is not deterministic. With CASE they ask whatever one likes of hidden rows (S537). Each
-- is asked of what a hidden row has, and of what none has: the answers are the same.
\ir setup.psql
\ir fails.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 20) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'outsider'), (102, 'ceo');
GRANT USAGE ON SCHEMA entitle TO test_app;
GRANT SELECT ON entitle.app_user, entitle.change_log TO test_app;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L20', NULL);
CREATE SCHEMA shop;
CREATE COLLATION shop.vague (provider = icu, locale = 'und', deterministic = false);
CREATE TABLE shop.document (document_id integer PRIMARY KEY, customer_id bigint NOT NULL, number integer, name text COLLATE "POSIX", code text COLLATE "C", short char(4) COLLATE "C");
INSERT INTO shop.document SELECT i, 1 + i % 20, i, 'name', 'code', 'c' FROM generate_series(1, 200) AS i;
CREATE TABLE shop.bill (document_id integer PRIMARY KEY, customer_id bigint NOT NULL, number integer, price numeric, name text COLLATE "POSIX", code text COLLATE "C", short char(4) COLLATE "C");
INSERT INTO shop.bill SELECT document_id, customer_id, number, number, name, code, short FROM shop.document;
CREATE TABLE shop.line (document_id integer NOT NULL REFERENCES shop.document, number integer, name text COLLATE "POSIX", code text COLLATE "C", short char(4) COLLATE "C");
INSERT INTO shop.line SELECT document_id, number, name, code, short FROM shop.document;
CREATE TABLE shop.own (number integer, code text COLLATE "C");
INSERT INTO shop.own VALUES (1, 'code');
SELECT entitle.protect_table('shop.document', customer_column => 'customer_id', view_permission => 'conversions.view'),
       entitle.protect_table('shop.bill', customer_column => 'customer_id', view_permission => 'conversions.view', masked_columns => '{"price": 30}'),
       entitle.protect_table('shop.line', parent => 'shop.document') \g /dev/null
ANALYZE shop.document, shop.bill, shop.line;
CREATE FUNCTION shop.told(asked boolean, name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT CASE WHEN asked THEN (name COLLATE shop.vague) ^@ 'n' ELSE true END $$;
CREATE FUNCTION shop.told_of_slice(asked boolean, name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT CASE WHEN asked THEN ('(1,2)'::point)[length(name):1] IS NULL ELSE true END $$;
CREATE FUNCTION shop.told_of_name(asked boolean, name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT CASE WHEN asked THEN ('name'::name)[CASE name WHEN 'n' THEN 0 ELSE 1 END:1] IS NULL ELSE true END $$;
CREATE FUNCTION shop.told_by_another(asked boolean, name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT shop.told(asked, name) $$;
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO test_app;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text) TO test_app;

CREATE TEMPORARY TABLE shape (compared text);
INSERT INTO shape VALUES
    ('t.name = t.code'), ('t.name <> t.code'), ('t.name < t.code'), ('t.name >= t.code'), ('t.name = t.short'), ('t.short > t.name::char(4)'), ('t.name = t.code::name'),
    ('COALESCE(t.name, t.code) = ''x'''), ('t.name IS DISTINCT FROM t.code'), ('NULLIF(t.name, t.code) IS NULL'), ('t.name IN (t.code, ''c'')'),
    ('t.name = ANY (ARRAY[t.code, t.code])'), ('t.name NOT IN (t.code, ''c'')'), ('(t.name, 1) < (t.code, 2)'), ('(1, t.name) = (2, t.code)'), ('GREATEST(t.name, t.code) IS NULL'),
    ('LEAST(t.name, t.code, ''x'') IS NULL'), ('starts_with(t.name, t.code)'), ('t.name ^@ t.code'), ('texteq(t.name, t.code)'), ('bttextcmp(t.name, t.code) = 0'),
    ('text_larger(t.name, t.code) IS NULL'), ('t.name BETWEEN t.code AND ''z'''), ('CASE t.name WHEN t.code THEN true END'), ('t.name = (SELECT ''x'' COLLATE "C")'),
    ('t.name = (SELECT o.code FROM shop.own AS o)'), ('t.name = (SELECT max(o.code) FROM shop.own AS o)'), ('t.name = ANY (SELECT o.code FROM shop.own AS o)'),
    ('EXISTS (SELECT FROM shop.own AS o WHERE o.code = t.name)'), ('t.name ^@ (''n'' COLLATE shop.vague)'), ('starts_with(t.name COLLATE shop.vague, ''n'')'),
    ('(SELECT t.name = t.code)'),
    -- S541: a slice of what has none.
    ('(''(1,2)''::point)[t.number:1] IS NULL'), ('(''name''::name)[0:1] IS NULL OR t.number IS NULL'), ('(t.name::name)[0:t.number] IS NULL'), ('((t.name::name)[0:]) IS NULL'),
    ('EXISTS (SELECT FROM shop.own AS o WHERE (t.name::name)[0:o.number] IS NULL)');
CREATE TEMPORARY TABLE place (query text);
INSERT INTO place
SELECT replace(query, 'shop.t', relation)
FROM unnest(ARRAY['shop.document', 'shop.bill_view', 'shop.line', 'shop.line_view']) AS relation,
     unnest(ARRAY['SELECT count(*) FROM shop.t AS t WHERE ASKED', 'SELECT count(*) FROM shop.own AS o LEFT JOIN shop.t AS t ON ASKED',
                  'SELECT count(*) FROM (SELECT ASKED AS c FROM shop.t AS t) AS q WHERE c', 'WITH t AS (SELECT * FROM shop.t) SELECT count(*) FROM t WHERE ASKED',
                  'SELECT count(*) FROM shop.own WHERE EXISTS (SELECT FROM shop.t AS t WHERE ASKED)']) AS query;
GRANT SELECT ON shape, place TO test_app;
CREATE VIEW pg_temp.question AS
SELECT replace(query, 'ASKED', format(asked, '7')) AS of_hidden, replace(query, 'ASKED', format(asked, '-7')) AS of_none
FROM place, (SELECT 'CASE WHEN t.number = %s THEN ' || compared || ' ELSE true END' FROM shape
             UNION ALL SELECT format('%s(t.number = %%s, t.name)', f) FROM unnest('{shop.told,shop.told_by_another,shop.told_of_slice,shop.told_of_name}'::text[]) AS f) AS s (asked);
GRANT SELECT ON pg_temp.question TO test_app;

SET LOCAL ROLE test_app;
SELECT entitle.sign_in('outsider') \g /dev/null
SELECT is((SELECT count(*) FROM shop.document), 10::bigint, 'the row is hidden');
SELECT is((SELECT count(*) FROM shop.document WHERE number = 7), 0::bigint, 'so that nothing is asked of it');
SELECT is_empty($$ SELECT * FROM (SELECT of_hidden, pg_temp.fails(of_hidden) AS said, pg_temp.fails(of_none) AS said_of_none FROM pg_temp.question) AS q
                   WHERE said IS DISTINCT FROM said_of_none $$, 'S537, S541: a hidden row is told of by no comparison of texts, and by no slice');
SELECT is(pg_temp.fails(format(query, 'ceo')), pg_temp.fails(format(query, 'nobody')), 'S537: in tables of the model: ' || query)
FROM unnest(ARRAY['SELECT count(*) FROM entitle.app_user WHERE CASE WHEN login = %L THEN login = (SELECT ''x'' COLLATE "POSIX") ELSE true END',
                  'SELECT count(*) FROM entitle.app_user WHERE CASE WHEN login = %L THEN login ^@ (''n'' COLLATE shop.vague) ELSE true END',
                  'SELECT count(*) FROM entitle.app_user WHERE shop.told(login = %L, full_name)',
                  'SELECT count(*) FROM entitle.change_log WHERE CASE WHEN new_row ->> ''login'' = %L THEN actor_login = (SELECT ''x'' COLLATE "POSIX") ELSE true END']) AS query;
SELECT is(pg_temp.fails('SELECT count(*) FROM shop.document AS t WHERE t.name = t.code'), 'could not determine which collation to use for string comparison', 'S537: refused as PostgreSQL does');
SELECT is(pg_temp.fails('SELECT count(*) FROM shop.document AS t WHERE t.name ^@ (''n'' COLLATE shop.vague)'), 'nondeterministic collations are not supported for substring searches', 'S537: likewise');
SELECT is(pg_temp.fails(format('SELECT %s FROM shop.document AS t', harmless)), NULL, 'what raises nothing goes on: ' || harmless)
FROM unnest(ARRAY['md5(t.name || t.code)', 't.name ~<~ t.code', 't.name = t.code COLLATE "C"', 'length(COALESCE(t.name, t.code))', '(t.name || t.code)::varchar', 't.name ^@ ''n''',
                  't.number IN (1, 2)', '(t.number, t.name) < (1, ''x'')', 'GREATEST(t.number, 1)', '(ARRAY[t.number])[0:1]', '(''(1,2)''::point)[t.number]', 'shop.told(false, t.name)']) AS harmless;
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE asked (integer) AS SELECT count(*) FROM shop.line AS t WHERE shop.told(t.number = $1, t.name);
SELECT is(pg_temp.fails('EXECUTE asked (7)'), NULL, 'S537: nor by a prepared statement');

SELECT * FROM finish();
ROLLBACK;
