-- R34, R46, R51: a row of a customer that is joined with a filtered view of the customer's documents is not tested again; whatever else is
-- asked, and by whomever, the answer is that of the table and the view apart.
\ir setup.psql
\ir plan_of.psql
\ir apart.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 50) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'all'), (102, 'mixed'), (103, 'low'), (104, 'recent'), (105, 'staff'), (106, 'none'), (107, 'basic');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'all');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (105, 1, 101);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (1, 101, 'L30', NULL), (2, 101, 'L40', NULL), (1, 102, 'L30', NULL), (2, 102, 'L20', NULL), (3, 102, 'L10', NULL),
    (1, 103, 'L20', NULL), (2, 103, 'L20', NULL), (1, 104, 'L30', 40), (2, 104, 'L30', 40), (1, 107, 'L10', NULL), (2, 107, 'L10', NULL);
CREATE TABLE doc (id integer PRIMARY KEY, customer_id bigint, day date NOT NULL, state text);
CREATE TABLE client (customer_id bigint PRIMARY KEY, country text);
INSERT INTO doc SELECT i, nullif(1 + i % 50, 7), current_date - i % 100, 's' || i % 4 FROM generate_series(1, 4000) AS i;
INSERT INTO client SELECT i, CASE WHEN i % 3 = 0 THEN 'ES' ELSE 'PT' END FROM generate_series(1, 50) AS i;
CREATE INDEX ON doc (customer_id);
CREATE TABLE note AS SELECT 1 + i % 50::bigint AS customer_id, repeat('x', 200) AS body FROM generate_series(1, 4000) AS i;
ANALYZE doc, client, note;
SELECT entitle.protect_table('doc', 'customer_id', date_column => 'day', min_level => 20, view_permission => 'conversions.view', masked_columns => '{"state": 30}'),
       entitle.protect_table('client', 'customer_id', min_level => 10, view_permission => 'conversions.view'),
       entitle.protect_table('note', 'customer_id', min_level => 10, view_permission => 'conversions.view') \g /dev/null
CREATE VIEW moved_doc AS SELECT customer_id + 1 AS customer_id FROM doc WHERE entitle.row_allowed('conversions.view', 20, customer_id, day);
CREATE VIEW renamed_doc AS SELECT id::bigint AS customer_id FROM doc WHERE entitle.row_allowed('conversions.view', 20, customer_id, day);
CREATE VIEW open_doc AS SELECT customer_id FROM doc;
CREATE VIEW other_doc AS SELECT customer_id FROM doc WHERE entitle.row_allowed('customers.view', 20, customer_id, day);
CREATE VIEW either_doc AS SELECT customer_id FROM doc WHERE entitle.row_allowed('conversions.view', 20, customer_id, day) OR id < 60;
CREATE VIEW both_doc AS SELECT o.customer_id FROM doc o JOIN doc d USING (id) WHERE entitle.row_allowed('conversions.view', 20, d.customer_id, d.day);
CREATE VIEW last_doc AS SELECT max(customer_id) AS customer_id FROM doc WHERE entitle.row_allowed('conversions.view', 20, customer_id, day) GROUP BY id;
CREATE VIEW counted_doc AS SELECT customer_id, count(*) FROM doc WHERE entitle.row_allowed('conversions.view', 20, customer_id, day) GROUP BY customer_id;
GRANT SELECT ON doc_view, client, note, counted_doc, moved_doc, renamed_doc, open_doc, other_doc, either_doc, both_doc, last_doc TO test_app;

-- {d} and {l}: the documents and the customers' rows. is_tested: whether those are tested by themselves.
CREATE TEMP TABLE query (n integer GENERATED ALWAYS AS IDENTITY, is_tested boolean, sql text);
INSERT INTO query (is_tested, sql) VALUES
    (false, 'SELECT concat(count(*), '' '', count(c.country)) FROM {d} d JOIN {l} c ON c.customer_id = d.customer_id'),
    (false, 'SELECT concat(count(*), '' '', count(d.state)) FROM {l} c, {d} d WHERE d.customer_id = c.customer_id AND c.country = ''PT'''),
    (false, 'SELECT concat(count(*), '' '', count(c.country)) FROM {d} d LEFT JOIN {l} c ON c.customer_id = d.customer_id AND d.id > 9'),
    (false, 'SELECT count(*) FROM {d} d WHERE EXISTS (SELECT FROM {l} c WHERE c.customer_id = d.customer_id AND c.country = ''ES'')'),
    (false, 'SELECT count(*) FROM {d} d WHERE NOT EXISTS (SELECT FROM {l} c WHERE c.customer_id = d.customer_id AND c.country = ''PT'')'),
    (false, 'SELECT string_agg(t.country, '''' ORDER BY d.id) FROM {d} d, LATERAL (SELECT c.country FROM {l} c WHERE c.customer_id = d.customer_id) AS t'),
    (true, 'SELECT concat(count(*), '' '', count(d.id)) FROM {l} c LEFT JOIN {d} d ON c.customer_id = d.customer_id AND d.id > 300'),
    (true, 'SELECT concat(count(*), '' '', count(d.id), '' '', count(c.country)) FROM {l} c FULL JOIN {d} d ON c.customer_id = d.customer_id'),
    (true, 'SELECT count(*) FROM {d} d JOIN {l} c ON c.customer_id = d.customer_id + 1'),
    (true, 'SELECT count(*) FROM {d} d JOIN {l} c ON c.customer_id = d.id'),
    (true, 'SELECT count(*) FROM {d} d JOIN {l} c ON c.customer_id >= d.customer_id'),
    (true, 'SELECT count(*) FROM {d} d JOIN {l} c ON c.customer_id = d.customer_id OR c.country = ''ES'''),
    (true, 'SELECT count(*) FROM {d} d WHERE d.id < 90 AND EXISTS (SELECT FROM {l} c WHERE c.country = ''ES'')'),
    (true, 'SELECT count(*) FROM {l} c WHERE c.customer_id NOT IN (SELECT d.customer_id FROM {d} d WHERE d.customer_id IS NOT NULL)'),
    (true, 'SELECT count(*) FROM {d} d CROSS JOIN {l} c WHERE (c.customer_id = d.customer_id) IS NOT TRUE');

INSERT INTO shown VALUES ('d', 'public.doc_view'), ('l', 'public.client');
-- By its level a test is known to be the customer's row's.
CREATE FUNCTION is_tested(sql text) RETURNS boolean LANGUAGE sql AS $$ SELECT plan_of('all', sql) ~ 'row_allowed\(''conversions.view''::text, 10,|accessible_customers\(10\)' $$;

SELECT is(ask(login, joined(q.sql)), apart(login, q.sql), format('R46: %s: %s', login, q.sql))
FROM query q, unnest('{all,mixed,low,recent,staff,none,basic}'::text[]) AS login ORDER BY q.n, login;
SELECT is(is_tested(joined(q.sql)), q.is_tested, format('R51: tested by itself %s: %s', q.is_tested, q.sql)) FROM query q ORDER BY q.n;

-- Views that give out another column, or rows that passed another test, or none.
SELECT ok(is_tested(format('SELECT count(*) FROM %s d JOIN client c ON c.customer_id = d.customer_id', v)), 'R34: beside ' || v)
FROM unnest('{moved_doc,renamed_doc,open_doc,other_doc,either_doc,both_doc,last_doc,counted_doc}'::text[]) AS v;

SELECT is(ask(login, 'SELECT count(*) FROM counted_doc d JOIN client c ON c.customer_id = d.customer_id'),
          ask(login, 'SELECT count(DISTINCT customer_id) FROM doc_view'), 'R46: counted for ' || login)
FROM unnest('{all,mixed,low,recent,none,basic}'::text[]) AS login;
SELECT ok(is_tested('SELECT count(*) FROM doc_view d JOIN note n ON n.customer_id = d.customer_id'), 'R51: a table larger than that of the documents keeps its test');

-- Nothing that could tell of hidden rows is worked out about them.
CREATE FUNCTION tells(customer bigint) RETURNS boolean LANGUAGE plpgsql STABLE COST 0.0001 AS $$
BEGIN
    IF customer NOT IN (1, 2) THEN
        RAISE EXCEPTION 'customer % is told of', customer;
    END IF;
    RETURN true;
END
$$;
SELECT isnt(ask('all', q), NULL, 'R34: ' || q)
FROM unnest(ARRAY['SELECT count(*) FROM doc_view d JOIN client c ON c.customer_id = d.customer_id WHERE tells(c.customer_id)',
                  'SELECT count(*) FROM doc_view d JOIN client c ON c.customer_id = d.customer_id AND tells(c.customer_id)',
                  'SELECT count(c.country) FROM doc_view d LEFT JOIN client c ON c.customer_id = d.customer_id AND tells(c.customer_id)',
                  'SELECT count(*) FROM doc_view d WHERE EXISTS (SELECT FROM client c WHERE c.customer_id = d.customer_id AND tells(c.customer_id))',
                  'SELECT count(*) FROM (SELECT tells(c.customer_id) FROM doc_view d JOIN client c ON c.customer_id = d.customer_id GROUP BY 1) AS s']) AS q;

-- A kept plan, for one after the other.
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE kept AS SELECT concat(count(*), ' ', count(c.country)) FROM doc_view d LEFT JOIN client c ON c.customer_id = d.customer_id;
SELECT is(ask(login, 'EXECUTE kept'), ask(login, 'SELECT concat(count(*), '' '', count(customer_id)) FROM doc_view'), format('R46: a kept plan for %s', login))
FROM unnest('{all,mixed,low,recent,none,basic,all}'::text[]) AS login;

SELECT * FROM finish();
ROLLBACK;
