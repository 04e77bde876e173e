-- A refused write names the call that explains it, PostgreSQL's own refusal of a new row too; and explain_new_row ends with what
-- INSERT and UPDATE do.
\ir setup.psql
SELECT no_plan();
SET LOCAL entitle.time_zone = 'UTC';

INSERT INTO entitle.permission (permission_key) VALUES ('orders.view'), ('orders.create'), ('orders.update');
INSERT INTO entitle.organization (organization_id, name) VALUES (2, 'other');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (201, 2, 'theirs');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'seller'), (102, 1, 'reader'), (103, 1, 'access manager');
INSERT INTO entitle.role_permission VALUES
    (101, 'orders.view'), (101, 'orders.create'), (101, 'orders.update'), (102, 'orders.view'),
    (103, 'customers.view'), (103, 'external_access.manage'), (103, 'orders.view');
INSERT INTO entitle.app_user (user_id, login) VALUES
    (1, 'seller'), (2, 'reader'), (3, 'l20'), (4, 'l30'), (5, 'l40'), (6, 'stranger'), (7, 'manager');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (1, 1, 101), (2, 1, 102), (7, 1, 103);
INSERT INTO entitle.customer (customer_id, customer_code, brand_id, legal_name, trade_name, tax_id)
SELECT n, 'c' || n, CASE WHEN n < 4 THEN 1 ELSE 201 END, 'a', 'a', '1' FROM generate_series(1, 5) AS n;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (1, 3, 'L20', 7), (1, 4, 'L30', NULL), (2, 4, 'L10', NULL), (4, 5, 'L40', 30), (2, 5, 'L20', NULL);
CREATE TABLE orders (order_id integer PRIMARY KEY, customer_code text, brand_id bigint, placed_on date, price numeric, note text);
CREATE TABLE lines (line_id integer PRIMARY KEY, order_id integer REFERENCES orders, price numeric);
INSERT INTO orders
SELECT n, 'c' || n % 5 + 1, CASE WHEN n % 5 + 1 < 4 THEN 1 ELSE 201 END, current_date - n, 1, '' FROM generate_series(1, 20) AS n;
INSERT INTO lines SELECT n, n, 1 FROM generate_series(1, 20) AS n;
SELECT entitle.protect_table('orders', 'customer_code', 'placed_on', 'brand_id', min_level => 20, view_permission => 'orders.view',
                             insert_permission => 'orders.create', update_permission => 'orders.update',
                             external_insert_level => 20, external_update_level => 30, masked_columns => '{"price": 30}'),
       entitle.protect_table('lines', parent => 'orders', insert_permission => 'orders.create', external_insert_level => 30,
                             masked_columns => '{"price": 30}') \g /dev/null
CREATE TABLE plain (id integer PRIMARY KEY, customer_id bigint);
SELECT entitle.protect_table('plain', 'customer_id', min_level => 10, external_insert_level => 40, external_update_level => 20) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON plain, orders_view, lines_view TO test_app;
GRANT INSERT, SELECT (order_id, customer_code, brand_id, placed_on) ON orders TO test_app;
INSERT INTO plain VALUES (1, 1);

-- Hints
CREATE FUNCTION hint_of(login text, command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    hint text;
BEGIN
    PERFORM do_as(login, command);
    RETURN 'done';
EXCEPTION WHEN insufficient_privilege THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' ', CASE WHEN SQLERRM LIKE 'new row violates%' THEN 'RLS:' END, substring(hint FROM 'SELECT.*'));
END
$$;
SELECT is(hint_of(v.login, v.command), v.expected, format('%s: %s', v.login, v.command))
FROM (VALUES
    ('l20', 'INSERT INTO plain VALUES (2, 1)', 'RLS: SELECT * FROM entitle.explain_new_row(''public.plain'', row).'),
    ('l30', 'UPDATE plain SET customer_id = 3', 'RLS: SELECT * FROM entitle.explain_new_row(''public.plain'', row, ''update'').'),
    ('l30', 'WITH n AS (INSERT INTO plain VALUES (2, 1) RETURNING 1) SELECT * FROM n', 'RLS: SELECT * FROM entitle.explain_new_row(''public.plain'', row).'),
    ('l30', 'DELETE FROM plain', 'SELECT * FROM entitle.explain_action(''public.plain'', key, ''delete'').'),
    ('l20', 'INSERT INTO orders_view (order_id, customer_code, brand_id) VALUES (100, ''c2'', 1)', 'SELECT * FROM entitle.explain_new_row(''public.orders_view'', row).'),
    ('l20', 'INSERT INTO orders_view (order_id, customer_code, brand_id, placed_on, price) VALUES (100, ''c1'', 1, ''2100-01-01'', 1)',
     'SELECT * FROM entitle.explain_new_row(''public.orders_view'', row).'),
    ('l20', 'UPDATE orders_view SET note = ''x''', 'SELECT * FROM entitle.explain_action(''public.orders_view'', key, ''update'').'),
    ('l30', 'DELETE FROM orders_view WHERE order_id = 5', 'SELECT * FROM entitle.explain_action(''public.orders_view'', key, ''delete'').'),
    ('l30', 'UPDATE lines_view SET line_id = line_id', 'SELECT * FROM entitle.explain_action(''public.lines_view'', key, ''update'').'),
    ('reader', 'INSERT INTO lines_view VALUES (100, 5)', 'SELECT * FROM entitle.explain_new_row(''public.lines_view'', row).')) AS v (login, command, expected);
CREATE TABLE own (id integer);
ALTER TABLE own ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON own FOR INSERT WITH CHECK (id > 5);
CREATE POLICY extra ON plain AS RESTRICTIVE FOR INSERT WITH CHECK (id < 5);
GRANT INSERT ON own TO test_app;
SELECT is(hint_of('l20', 'INSERT INTO own VALUES (1)'), 'RLS:', 'other people''s policies have no such hint');
CREATE FUNCTION raise_own() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'mine' USING ERRCODE = '42501', HINT = 'SELECT mine'; END $$;
CREATE TRIGGER mine BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION raise_own();
SELECT is(hint_of('l20', 'INSERT INTO own VALUES (9)'), 'SELECT mine', 'nor is another error''s hint taken away');
DROP POLICY extra ON plain;

-- Every proposed row, to everybody, against what INSERT does
CREATE FUNCTION told(relation regclass, new_row jsonb, action text, login text) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT CASE WHEN bool_or(passed) FILTER (WHERE gate = 'decision')
                THEN 'allowed' || coalesce(' but ' || string_agg(substring(detail FROM '"(.*?)"'), ' ') FILTER (WHERE gate = 'mask' AND NOT passed), '')
                ELSE 'denied' END
    FROM entitle.explain_new_row(relation, new_row, action, login)
    $$;
CREATE FUNCTION tried(login text, command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM do_as(login, command);
    RAISE EXCEPTION 'taken back' USING ERRCODE = 'P0099';
EXCEPTION
    WHEN SQLSTATE 'P0099' THEN
        RETURN 'allowed';
    WHEN insufficient_privilege THEN
        RETURN 'denied';
END
$$;
CREATE FUNCTION own_told(login text, relation regclass, new_row jsonb, action text) RETURNS text
    LANGUAGE sql AS $$ SELECT ask(login, format('SELECT told(%L, %L, %L, NULL)', relation, new_row, action)) $$;
CREATE TEMP TABLE proposal AS
    SELECT u.login, 'orders_view' AS relation, 'insert' AS action,
           jsonb_build_object('order_id', 100, 'customer_code', c, 'brand_id', b, 'placed_on', current_date - d, 'price', p) AS new_row,
           format('INSERT INTO orders_view (order_id, customer_code, brand_id, placed_on, price) VALUES (100, %L, %L, current_date - %s, %L)', c, b, d, p) AS command
    FROM entitle.app_user u, unnest(ARRAY['c1', 'c2', 'c3', 'c4', 'c5', 'none', NULL]) AS c, unnest(ARRAY[1, 201, NULL]) AS b, unnest(ARRAY[0, 7, 8, 31]) AS d,
         unnest(ARRAY[NULL, 5]) AS p
    UNION ALL
    SELECT u.login, 'lines_view', 'insert', jsonb_build_object('line_id', 100, 'order_id', o, 'price', p), format('INSERT INTO lines_view (line_id, order_id, price) VALUES (100, %L, %L)', o, p)
    FROM entitle.app_user u, unnest(ARRAY[1, 2, 3, 4, 5, 8, 10, 15, 99, NULL]) AS o, unnest(ARRAY[NULL, 5]) AS p
    UNION ALL
    SELECT u.login, 'plain', action, jsonb_build_object('id', 1, 'customer_id', c),
           CASE action WHEN 'insert' THEN format('INSERT INTO plain VALUES (100, %L)', c) ELSE format('UPDATE plain SET customer_id = %L', c) END
    FROM entitle.app_user u, unnest(ARRAY[1, 2, 3, 4, 5, 99, NULL]) AS c, unnest(ARRAY['insert', 'update']) AS action
    -- An update asks about the row as it was, too.
    WHERE action = 'insert' OR u.login IN ('l20', 'l30');
CREATE TEMP TABLE answer AS
    SELECT p.*, tried(p.login, p.command) AS done, substring(own_told(p.login, p.relation, p.new_row, p.action) FROM '^\w+') AS own,
           substring(told(p.relation, p.new_row, p.action, p.login) FROM '^\w+') AS others
    FROM proposal p;
SELECT diag(format('%s new rows proposed, %s allowed', count(*), count(*) FILTER (WHERE done = 'allowed'))) FROM answer;
SELECT is((SELECT coalesce(string_agg(format('%s: %s: %s, told %s, to a superuser %s', login, command, done, own, others), E'\n'), '')
           FROM answer WHERE (done, done) <> (own, others)), '', 'explain_new_row ends with what the write does');
SELECT ok((SELECT count(*) > 500 AND count(*) FILTER (WHERE done = 'allowed') BETWEEN 50 AND 800 FROM answer), 'many rows were allowed, many were not');
SELECT is(told('orders', jsonb_build_object('customer_code', 'c1', 'brand_id', 1, 'placed_on', current_date), 'insert', login), expected, format('R37: what %s may not write of it', login))
FROM (VALUES ('l20', 'allowed but price'), ('l30', 'allowed'), ('seller', 'allowed'), ('reader', 'denied')) AS v (login, expected);

-- Who may ask
CREATE FUNCTION steps(login text, relation regclass, new_row jsonb, about text DEFAULT NULL) RETURNS text
    LANGUAGE sql
    AS $$ SELECT ask(login, format('SELECT string_agg(gate || '' '' || passed || '' '' || detail, E''\n'' ORDER BY step) FROM entitle.explain_new_row(%L, %L, login => %L)', relation, new_row, about)) $$;
SELECT is(steps(login, 'orders_view', '{"customer_code": "c5", "brand_id": 1}'), steps(login, 'orders_view', '{"customer_code": "nobody", "brand_id": 1}'),
          format('R3: %s does not learn whether a customer exists', login))
FROM unnest(ARRAY['l20', 'stranger', 'reader', NULL]) AS login;
SELECT is(steps(login, 'lines_view', '{"order_id": 9}'), steps(login, 'lines_view', '{"order_id": 999}'), format('R3: nor %s whether a document does', login))
FROM unnest(ARRAY['l20', 'stranger', NULL]) AS login;
SELECT is(steps(login, 'orders_view', '{"customer_code": "c1", "brand_id": 1, "placed_on": "2100-01-01"}', about) ~ 'decision true', expected, format('%s asks about %s', login, about))
FROM (VALUES ('manager', 'l20', true), ('manager', 'reader', false), ('l20', 'l30', false), ('stranger', 'l30', false)) AS v (login, about, expected);
SELECT is(steps('manager', 'orders_view', '{"customer_code": "c4", "brand_id": 201}', 'l40'), steps('manager', 'orders_view', '{"customer_code": "c?", "brand_id": 201}', 'l40'),
          'a manager learns nothing of customers elsewhere');
SELECT throws_ok($$ SELECT ask('l20', 'SELECT 1 FROM entitle.explain_new_row(''lines'', ''{}'')') $$, '42501', NULL, 'a table that the role may neither read nor write is not explained');
SELECT throws_ok($$ SELECT entitle.explain_new_row('orders', '{"placed_on": "no day"}') $$, '22007', NULL, 'a value that is none of its column is refused');
SELECT throws_ok($$ SELECT entitle.explain_new_row('orders', '{}', 'delete') $$, '22023', NULL, 'a new row is not deleted');
SELECT throws_ok($$ SELECT entitle.explain_new_row('entitle.customer', '{}') $$, '0A000', NULL, 'writes of the model''s own tables obey rules that are no declaration');
SELECT throws_ok(format('SELECT entitle.explain_new_row(''orders'', %L)', new_row), '22023', NULL, format('%L is no row', new_row))
FROM unnest(ARRAY[NULL, '1', '[{"order_id": 1}]', '"order_id"', 'null']) AS new_row;
SELECT is(ask('l30', 'SELECT count(*) FROM orders_view v, entitle.explain_new_row(''orders_view'', to_jsonb(v)) WHERE gate = ''decision'' AND passed')::integer > 0, true,
          'a row of the view, which tells its masked columns, is one');
SELECT is(steps('l20', 'orders_view', jsonb_build_object('customer_code', 'c1', 'brand_id', 1, 'placed_on', current_date, 'price', 1)) ~ 'denied at gate "mask"$', true,
          'R37: a masked column that is filled is the gate');
SELECT throws_ok($$ SELECT entitle.explain_new_row('orders', '{"order_id": 1, "client": 2}') $$, '42703', NULL, 'a misspelt column is not taken for one left out');

SELECT finish();
ROLLBACK;
