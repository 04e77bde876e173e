-- S165: an explanation tells nobody more than a SELECT would: it agrees with PostgreSQL where other policies narrow or widen a
-- protected table, and tells no value of a column that the asking role may not read: of tables, views, partitions, lines and
-- documents.
\ir setup.psql
SELECT no_plan();
SET LOCAL entitle.time_zone = 'UTC';

INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'yuki'), (2, 'staff'), (3, 'guest'), (4, 'lost'), (5, 'admin');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'other');
INSERT INTO entitle.brand_module (brand_id, module_key, is_enabled) SELECT 2, module_key, is_enabled FROM entitle.brand_module WHERE brand_id = 1;
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (2, 1, 6), (4, 2, 6);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L30', NULL), (2, 3, 'L20', NULL), (1, 5, 'L80', NULL);
CREATE TABLE orders (order_id integer, customer_id bigint, brand_id bigint, placed_on date, is_secret boolean, price integer, PRIMARY KEY (order_id))
    PARTITION BY RANGE (order_id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (100);
INSERT INTO orders VALUES (1, 1, 1, '2020-05-05', true, 7), (2, 1, 1, '2021-06-06', false, 7), (3, 2, 1, '2021-06-06', false, 7);
CREATE TABLE lines (line_id integer PRIMARY KEY, order_id integer REFERENCES orders, cost integer);
INSERT INTO lines VALUES (1, 1, 1), (2, 2, 1), (3, 3, 1);
SELECT entitle.protect_table('orders', customer_column => 'customer_id', date_column => 'placed_on', brand_column => 'brand_id',
                             view_permission => 'customers.view', update_permission => 'customers.edit', insert_permission => 'customers.edit',
                             external_update_level => 20, external_insert_level => 20, masked_columns => '{"price": 40}'),
       entitle.protect_table('lines', parent => 'orders', insert_permission => 'customers.edit', external_insert_level => 20) \g /dev/null

CREATE FUNCTION told(login text, question text) RETURNS text
    LANGUAGE sql
    AS $$ SELECT ask(login, 'SELECT string_agg(gate || '': '' || detail, ''; '' ORDER BY step) FROM entitle.' || question) $$;
CREATE FUNCTION ends(login text, question text) RETURNS text
    LANGUAGE sql
    AS $$ SELECT ask(login, 'SELECT string_agg(detail, ''; '' ORDER BY step) FROM entitle.' || question || ' WHERE gate IN (''row'', ''decision'')') $$;

-- Columns without privilege: neither their values nor the steps that depend on them.
GRANT SELECT (order_id) ON orders, orders_1 TO test_app;
GRANT SELECT (line_id) ON lines TO test_app;
SELECT is(ends('yuki', format('explain_row(%L, ''2'')', relation)), 'there is a row with this key; allowed', format('S165: of %s the key is all that is told', relation))
FROM unnest(ARRAY['orders', 'orders_1', 'lines']) AS relation;
SELECT unalike(told(login, format('explain_row(%L, ''2'')', relation)), '%' || word || '%', format('S165: %s is not told of %s: %s', login, relation, word))
FROM unnest(ARRAY['orders', 'orders_1', 'lines']) AS relation, unnest(ARRAY['yuki', 'staff']) AS login, unnest(ARRAY['customer 1', 'brand 1', '2021', 'grant of', 'mask:', 'staff:', 'external:']) AS word;
SELECT alike(told('yuki', 'explain_row(''orders'', ''2'')'), '%privilege: more is told to a role with SELECT on public.orders (customer_id, placed_on, brand_id)%', 'S165: but what it takes is');
SELECT is(told('yuki', 'explain_row(''orders'', ''2'')'), replace(told('staff', 'explain_row(''orders'', ''2'')'), 'x', 'x'), 'S165: not even by which way it shows');
SELECT is(told('yuki', 'explain_row(''orders'', ''3'')'), told('yuki', 'explain_row(''orders'', ''99'')'), 'R3: a hidden row is no row all the same');
SELECT throws_ok(format('SELECT told(''staff'', %L)', question), '42501', NULL, 'S165: nor is anything else told: ' || question)
FROM (VALUES ('explain_action(''orders'', ''2'', ''update'')'), ('explain_action(''orders'', ''99'', ''update'')'), ('explain_row(''orders'', ''2'', ''yuki'')'),
             ('explain_row(''orders'', ''99'', ''yuki'')'), ('explain_row(''lines'', ''2'', ''yuki'')')) AS v (question);
REVOKE ALL ON orders, orders_1, lines FROM test_app;
GRANT SELECT (customer_id) ON orders TO test_app;
SELECT throws_ok($$ SELECT told('yuki', 'explain_row(''orders'', ''2'')') $$, '42501', NULL, 'S165: whoever cannot read the key cannot ask by it');
GRANT SELECT (order_id, customer_id, placed_on) ON orders TO test_app;
SELECT unalike(told('staff', 'explain_row(''orders'', ''2'')'), '%brand 1%', 'S165: the brand alone is closed');
SELECT alike(told('yuki', 'explain_row(''orders'', ''2'')'), '%of customer 1;%the row''s date 2021-06-06%', 'and the other way told');
REVOKE SELECT (customer_id, placed_on) ON orders FROM test_app;
GRANT SELECT (brand_id) ON orders TO test_app;
SELECT unalike(told(login, 'explain_row(''orders'', ''2'')'), '%' || word || '%', format('S165: where the brand alone is open, %s is not told: %s', login, word))
FROM unnest(ARRAY['yuki', 'staff']) AS login, unnest(ARRAY['customer 1', '2021', 'grant of', 'mask:', 'external:']) AS word;
GRANT SELECT (customer_id, placed_on) ON orders TO test_app;
SELECT alike(told('staff', 'explain_row(''orders'', ''2'')'), '%of customer 1, in brand 1; %staff: allowed by permission%', 'with all columns all is told');
-- A line's document, by the document's own privileges; a view counts as its table.
GRANT SELECT ON lines_view TO test_app;
SELECT alike(told('yuki', 'explain_row(''lines_view'', ''2'')'), '%of customer 1, in brand 1%', 'a line''s document is told to whom may read it');
REVOKE ALL ON orders FROM test_app;
SELECT unalike(told('yuki', 'explain_row(''lines_view'', ''2'')'), '%customer 1%', 'S165: and to nobody else');
GRANT SELECT ON orders_view TO test_app;
SELECT alike(told('yuki', 'explain_row(''lines_view'', ''2'')'), '%of customer 1, in brand 1%', 'through its view, too');
SELECT alike(told('yuki', 'explain_row(''orders_view'', ''2'')'), '%of customer 1, in brand 1%"price" is masked%', 'and a filtered view is told whole');
-- The profile shows no brand.
GRANT SELECT ON entitle.customer_profile TO test_app;
SELECT is(ends('yuki', 'explain_row(''entitle.customer_profile'', ''1'')'), 'there is a row with this key, of customer 1; allowed', 'S165: the profile''s brand is not told');
SELECT unalike(told('yuki', 'explain_row(''entitle.customer_profile'', ''1'')'), '%brand 1%', 'S165: by no step');
SELECT unalike(told('admin', 'explain_row(''entitle.customer_profile'', ''1'', ''yuki'')'), '%brand 1%', 'S165: nor when another is asked about');
GRANT SELECT ON entitle.customer TO test_app;
SELECT alike(told('staff', 'explain_row(''entitle.customer_profile'', ''1'')'), '%in brand 1%', 'but to those who read it in the table of customers');
SELECT unalike(told('yuki', 'explain_row(''entitle.customer_profile'', ''1'')'), '%brand 1%', 'S165: which external users do not');

-- Restrictive policies: of an owner whom row-level security binds, so that they hold through the view as well
CREATE ROLE test_owner;
ALTER TABLE orders OWNER TO test_owner;
ALTER TABLE orders_1 OWNER TO test_owner;
ALTER TABLE lines OWNER TO test_owner;
ALTER VIEW orders_view OWNER TO test_owner;
ALTER VIEW lines_view OWNER TO test_owner;
GRANT SELECT (order_id, customer_id, brand_id, placed_on) ON orders, orders_1 TO test_app;
GRANT SELECT (line_id, order_id) ON lines TO test_app;
CREATE POLICY no_secrets ON orders AS RESTRICTIVE USING (order_id <> 1);
SELECT is(told('yuki', format('explain_row(%L, ''1'')', relation)), told('yuki', format('explain_row(%L, ''99'')', relation)), format('S165: a row of %s that a policy hides is no row', relation))
FROM unnest(ARRAY['orders', 'orders_view', 'lines', 'lines_view']) AS relation;
SELECT alike(told('yuki', 'explain_row(''orders'', ''1'')'), '%policy: other policies of the table decide, too: "no_secrets"; row: no row%', 'that there is a policy is told');
SELECT is(ends('yuki', format('explain_row(%L, ''2'')', relation)), 'there is a row with this key, of customer 1, in brand 1; allowed', format('what it lets through of %s is told', relation))
FROM unnest(ARRAY['orders', 'orders_view', 'lines', 'lines_view']) AS relation;
SELECT is(ends('admin', 'explain_row(''orders'', ''1'', ''yuki'')'), ends('admin', 'explain_row(''orders'', ''99'', ''yuki'')'), 'S165: nor is another''s view of a row told to whom it does not show');
SELECT is(ends('yuki', 'explain_new_row(''lines'', ''{"line_id": 9, "order_id": 1}'')'), ends('yuki', 'explain_new_row(''lines'', ''{"line_id": 9, "order_id": 99}'')'),
          'S165: a new line''s document that a policy hides is none');
SELECT alike(ends('yuki', 'explain_new_row(''lines_view'', ''{"line_id": 9, "order_id": 2}'')'), '%allowed', 'one that shows is told');
SELECT alike(told('yuki', 'explain_action(''orders'', ''2'', ''update'')'), '%policy: other policies of the table decide, too%', 'of a write it is said that they decide');
SELECT alike((SELECT string_agg(detail, '; ') FROM entitle.explain_row('orders', '1', 'yuki')), '%other policies of the table decide, too%', 'and to a superuser');
DROP POLICY no_secrets ON orders;
-- Permissive policies
CREATE POLICY all_open ON orders FOR SELECT USING (order_id = 3);
SELECT is(ask('yuki', 'SELECT count(*) FROM orders WHERE order_id = 3'), '1', 'a permissive policy shows a row');
SELECT is(ends('yuki', 'explain_row(''orders'', ''3'')'), 'there is a row with this key, of customer 2, in brand 1; allowed', 'S165: which is explained as shown');
SELECT is(ends('yuki', 'explain_row(''orders'', ''2'')'), 'there is a row with this key, of customer 1, in brand 1; allowed', 'beside what entitle shows');
DROP POLICY all_open ON orders;

-- Staff whose brand is wrong are told that gate.
SELECT is((SELECT detail FROM entitle.explain_row('orders', '2', login) WHERE gate = 'decision'), expected, format('R2: %s is told where the way failed', login))
FROM (VALUES ('lost', 'denied at gate "membership" by permission, and at gate "customer" by external access'), ('guest', 'denied at gate "customer"')) AS v (login, expected);

SELECT * FROM finish();
ROLLBACK;
