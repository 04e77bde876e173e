-- R34, R46, R51: a filtered view of lines that is joined with the view of their documents by the key does not read the documents again;
-- whatever else is asked, and by whomever, the answer is that of the two views apart.
\ir setup.psql
\ir plan_of.psql
\ir apart.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 50) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'all'), (102, 'mixed'), (103, 'low'), (104, 'recent'), (105, 'staff'), (106, 'none');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'all');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (105, 1, 101);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (1, 101, 'L30', NULL), (2, 101, 'L40', NULL), (1, 102, 'L30', NULL), (2, 102, 'L20', NULL), (1, 103, 'L20', NULL), (2, 103, 'L20', NULL),
    (1, 104, 'L30', 40), (2, 104, 'L30', 40);
CREATE TABLE doc (id integer PRIMARY KEY, other integer NOT NULL, customer_id bigint, day date NOT NULL, state text);
CREATE TABLE line (id integer PRIMARY KEY, doc integer NOT NULL REFERENCES doc, quantity integer NOT NULL, price integer);
INSERT INTO doc SELECT i, i % 40, 1 + i % 50, current_date - i % 100, 's' || i % 4 FROM generate_series(1, 2000) AS i;
INSERT INTO line SELECT i, 1 + i * 7 % 2000, i % 10, i FROM generate_series(1, 5000) AS i WHERE i % 11 > 0;
CREATE INDEX ON line (doc);
ANALYZE doc, line;
SELECT entitle.protect_table('doc', 'customer_id', date_column => 'day', min_level => 20, view_permission => 'conversions.view', masked_columns => '{"state": 30}'),
       entitle.protect_table('line', parent => 'doc', masked_columns => '{"price": 30}') \g /dev/null
GRANT SELECT ON doc_view, line_view TO test_app;

-- {d} and {l}: the documents and lines. `reads`: how often at most the plan reads documents for somebody whose rows are all of one level;
-- PostgreSQL leaves out some self-joins by itself from 18 on.
CREATE TEMP TABLE query (n integer GENERATED ALWAYS AS IDENTITY, reads integer, sql text);
INSERT INTO query (reads, sql) VALUES
    (1, 'SELECT count(*) FROM {d} d WHERE NOT EXISTS (SELECT FROM {l} l WHERE l.doc = d.id AND l.quantity > 5)'),
    (1, 'SELECT count(*) FROM {d} d WHERE EXISTS (SELECT FROM {l} l WHERE l.doc = d.id AND l.quantity > 8)'),
    (1, 'SELECT concat(count(*), '' '', sum(l.quantity)) FROM {d} d JOIN {l} l ON l.doc = d.id'),
    (1, 'SELECT concat(count(*), '' '', sum(l.quantity)) FROM {l} l, {d} d WHERE d.id = l.doc AND d.day < current_date - 3'),
    (1, 'SELECT concat(count(*), '' '', count(l.id)) FROM {d} d LEFT JOIN {l} l ON l.doc = d.id AND l.quantity > 5'),
    (1, 'SELECT concat(count(*), '' '', count(l.id)) FROM {l} l RIGHT JOIN {d} d ON l.doc = d.id AND l.quantity > 5'),
    (1, 'SELECT string_agg(n::text, '' '' ORDER BY d.id) FROM {d} d, LATERAL (SELECT count(*) AS n FROM {l} l WHERE l.doc = d.id) AS t'),
    (1, 'SELECT sum((SELECT count(*) FROM {l} l WHERE l.doc = d.id AND l.quantity > 5)) FROM {d} d'),
    (1, 'SELECT count(*) FROM (SELECT d.id FROM {d} d JOIN {l} l ON l.doc = d.id GROUP BY d.id HAVING count(*) > 2) AS g'),
    (2, 'SELECT count(*) FROM {d} d WHERE d.id IN (SELECT l.doc FROM {l} l WHERE l.quantity = 3)'),
    (1, 'SELECT concat(count(*), '' '', sum(price)) FROM {d} d JOIN {l} l ON l.doc = d.id'), -- a mask that opens for all of them
    (2, 'SELECT concat(count(*), '' '', count(d.id)) FROM {l} l LEFT JOIN {d} d ON l.doc = d.id AND d.other > 20'),
    (2, 'SELECT concat(count(*), '' '', count(d.id), '' '', count(l.id)) FROM {l} l FULL JOIN {d} d ON l.doc = d.id'),
    (2, 'SELECT count(*) FROM {d} d JOIN {l} l ON l.doc = d.other'),
    (2, 'SELECT count(*) FROM {d} d JOIN {l} l ON l.id = d.id'),
    (2, 'SELECT count(*) FROM {d} d JOIN {l} l ON l.doc >= d.id AND l.doc <= d.id'),
    (2, 'SELECT count(*) FROM {d} d JOIN {l} l ON l.doc = d.id OR l.quantity = 2'),
    (2, 'SELECT count(*) FROM {d} d, {l} l WHERE l.doc + 0 = d.id'),
    (2, 'SELECT count(*) FROM {d} d WHERE d.other < 3 AND EXISTS (SELECT FROM {l} l WHERE l.doc = 7)'),
    (2, 'SELECT count(*) FROM (SELECT * FROM {d} LIMIT 1000000) d JOIN (SELECT * FROM {l} LIMIT 1000000) l ON l.doc = d.id'),
    (2, 'SELECT count(*) FROM {l} l WHERE NOT EXISTS (SELECT FROM {d} d WHERE d.id = l.doc AND d.other = 3)'),
    (2, 'SELECT count(DISTINCT j) FROM ({d} d JOIN {l} l ON l.doc = d.id) AS j (a, b, c, e, f, g, h, i, k)');

GRANT CREATE, USAGE ON SCHEMA public TO test_app;
INSERT INTO shown VALUES ('d', 'public.doc_view'), ('l', 'public.line_view');

SELECT is(ask(login, joined(q.sql)), apart(login, q.sql), format('R46: %s: %s', login, q.sql))
FROM query q, unnest('{all,mixed,low,recent,staff,none}'::text[]) AS login ORDER BY q.n, login;
SELECT cmp_ok(regexp_count(plan_of('all', joined(q.sql)), 'on doc\y'), '<=', q.reads, format('R51: documents are read %s times: %s', q.reads, q.sql))
FROM query q ORDER BY q.n;

-- Nothing that could tell of hidden lines is worked out about them.
CREATE FUNCTION tells(line integer) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER COST 0.0001 AS $$
BEGIN
    IF EXISTS (SELECT FROM public.line l JOIN public.doc d ON d.id = l.doc WHERE l.id = line AND d.customer_id NOT IN (1, 2)) THEN
        RAISE EXCEPTION 'line % is told of', line;
    END IF;
    RETURN true;
END
$$;
SELECT isnt(ask('all', q), NULL, 'R34: ' || q)
FROM unnest(ARRAY['SELECT count(*) FROM doc_view d JOIN line_view l ON l.doc = d.id WHERE tells(l.id)',
                  'SELECT count(*) FROM doc_view d JOIN line_view l ON l.doc = d.id AND tells(l.id)',
                  'SELECT count(*) FROM doc_view d WHERE EXISTS (SELECT FROM line_view l WHERE l.doc = d.id AND tells(l.id))',
                  'SELECT count(*) FROM doc_view d WHERE NOT EXISTS (SELECT FROM line_view l WHERE l.doc = d.id AND tells(l.id))',
                  'SELECT count(l.id) FROM doc_view d LEFT JOIN line_view l ON l.doc = d.id AND tells(l.id)',
                  'SELECT count(*) FROM (SELECT tells(l.id) AS t FROM doc_view d JOIN line_view l ON l.doc = d.id ORDER BY 1) AS s WHERE t',
                  'SELECT count(*) FROM (SELECT tells(l.id) FROM doc_view d JOIN line_view l ON l.doc = d.id GROUP BY 1) AS s']) AS q;

-- A kept plan, for one after the other; and a cursor whose rights change.
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE kept AS SELECT concat(count(*), ' ', count(l.price)) FROM doc_view d JOIN line_view l ON l.doc = d.id;
SELECT is(ask(login, 'EXECUTE kept'), ask(login, 'SELECT concat(count(*), '' '', count(price)) FROM line_view'), format('R46: a kept plan for %s', login))
FROM unnest('{all,mixed,low,recent,staff,none,all}'::text[]) AS login;
RESET plan_cache_mode;
CREATE FUNCTION fetched(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    rows CONSTANT refcursor := 'rows';
    told text;
BEGIN
    PERFORM entitle.sign_in('all');
    SET LOCAL ROLE test_app;
    OPEN rows FOR SELECT d.customer_id FROM doc_view d JOIN line_view l ON l.doc = d.id WHERE d.customer_id = 1;
    FETCH rows INTO told;
    RESET ROLE;
    EXECUTE change;
    SET LOCAL ROLE test_app;
    FETCH rows INTO told;
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0042' THEN told ELSE SQLSTATE END;
END
$$;
SELECT is(fetched('SELECT 1'), '1', 'a cursor');
SELECT is(fetched('DELETE FROM entitle.external_access WHERE user_id = 101 AND customer_id = 1'), '40001', 'R46: FETCH shows no line of a customer who is gone');

-- Who reads the documents is asked all the same, and what other views ask beside is kept.
CREATE ROLE test_viewer;
GRANT CREATE, USAGE ON SCHEMA public TO test_viewer;
GRANT SELECT ON line TO test_viewer;
GRANT USAGE ON SCHEMA entitle TO test_viewer;
SET LOCAL ROLE test_viewer;
CREATE VIEW their_line AS
    SELECT t.id, t.doc FROM line t JOIN doc p ON p.id = t.doc WHERE entitle.row_allowed('conversions.view', 20, p.customer_id, p.day);
RESET ROLE;
CREATE VIEW fewer_line AS
    SELECT t.id, t.doc FROM line t JOIN doc p ON p.id = t.doc WHERE entitle.row_allowed('conversions.view', 20, p.customer_id, p.day) AND p.other = 1;
CREATE VIEW line_by_other AS
    SELECT t.id, t.doc FROM line t JOIN doc p ON p.other = t.doc WHERE entitle.row_allowed('conversions.view', 20, p.customer_id, p.day);
CREATE VIEW any_doc AS SELECT id FROM doc WHERE entitle.row_allowed('conversions.view', 10, customer_id, day);
CREATE VIEW all_doc AS SELECT id FROM doc;
GRANT SELECT ON their_line, fewer_line, line_by_other, any_doc, all_doc TO test_app;
SELECT throws_ok($$ SELECT ask('low', 'SELECT count(*) FROM doc_view d JOIN their_line l ON l.doc = d.id') $$, '42501', NULL,
                 'R34: a view reads documents with its owner''s privileges');
SELECT is(ask('low', 'SELECT count(*) FROM doc_view d JOIN fewer_line l ON l.doc = d.id'), ask('low', 'SELECT count(*) FROM fewer_line'), 'a view with a condition of its own');
SELECT is(ask('low', 'SELECT count(*) FROM doc_view d JOIN line_by_other l ON l.doc = d.other'),
          ask('low', 'SELECT count(*) FROM (SELECT * FROM doc_view OFFSET 0) d JOIN (SELECT * FROM line_by_other OFFSET 0) l ON l.doc = d.other'),
          'a view that joins a line with several documents');
UPDATE entitle.external_access SET role = 'L10' WHERE user_id = 103 AND customer_id = 1;
SELECT is(ask('low', format('SELECT count(*) FROM %I d JOIN line_view l ON l.doc = d.id', other)), ask('low', 'SELECT count(*) FROM line_view'),
          format('R34: joined with %s, lines are tested by themselves', other))
FROM unnest('{any_doc,all_doc}'::text[]) AS other;

SELECT * FROM finish();
ROLLBACK;
