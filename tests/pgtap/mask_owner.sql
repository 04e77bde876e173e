-- Filtered views of tables whose owner row-level security binds: each row is tested once, by the policy or by the view, and what
-- shows is the same (R36).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT c, 'n', 'n', 't' FROM generate_series(1, 4) AS c;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (102, 'l20'), (103, 'nothing');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 102, 'L20', NULL), (2, 102, 'L30', NULL);
CREATE ROLE test_owner;
GRANT CREATE ON SCHEMA public TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table TO test_owner;
SET LOCAL ROLE test_owner;
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE lines (id integer REFERENCES orders, line integer, price integer, PRIMARY KEY (id, line));
INSERT INTO orders SELECT i, 1 + i % 4, i FROM generate_series(1, 400) AS i;
INSERT INTO lines SELECT i, l, i FROM generate_series(1, 400) AS i, generate_series(1, 2) AS l;
GRANT SELECT ON orders, lines TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', view_permission => 'customers.view', masked_columns => '{"price": 30}'),
       entitle.protect_table('lines', parent => 'orders', masked_columns => '{"price": 30}');
RESET ROLE;
ANALYZE orders, lines;

-- How often a plan tests the rows of orders, but for the masks.
CREATE FUNCTION tests_in_plan(login text, statement text) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    plan text := ask(login, 'EXPLAIN (FORMAT JSON) ' || statement);
BEGIN
    RETURN (SELECT count(*) FROM regexp_matches(plan, '(?<!WHEN entitle\.)row_allowed', 'g'));
END
$$;
SELECT is(tests_in_plan('l20', 'SELECT count(price) FROM orders_view'), 1, 'R36: the policy and the view test a row once');
SELECT is((ask('l20', 'EXPLAIN (FORMAT JSON) SELECT id FROM orders_view')::jsonb #>> '{0,Plan,Plan Rows}')::integer, 200, 'and expect what shows');
SELECT is(tests_in_plan('staff', 'SELECT count(price) FROM orders_view'), 0, 'staff not at all');
SELECT is(ask(login, 'SELECT count(*) || '' '' || count(price) || '' '' || coalesce(sum(cardinality(masked_columns)), 0) FROM ' || view), seen, format('R36: %s sees %s', login, view))
FROM (VALUES ('staff', 'orders_view', '400 400 0'), ('l20', 'orders_view', '200 100 100'), ('nothing', 'orders_view', '0 0 0'), (NULL, 'orders_view', '0 0 0'),
             ('staff', 'lines_view', '800 800 0'), ('l20', 'lines_view', '400 200 200'), ('nothing', 'lines_view', '0 0 0'), (NULL, 'lines_view', '0 0 0')) AS v (login, view, seen);

-- A condition that looks like the policy's means something else in an outer join, under another name, and for another level.
SELECT is(ask('l20', $$ SELECT count(*) FROM generate_series(1, 400) AS n LEFT JOIN orders o ON o.id = n WHERE entitle.row_allowed('customers.view', 10, o.customer_id) $$),
          '200', 'in an outer join the condition on top stays');
SELECT is(ask('l20', $$ SELECT count(*) FROM generate_series(1, 400) AS n LEFT JOIN orders o ON o.id = n AND entitle.row_allowed('customers.view', 10, o.customer_id) $$),
          '400', 'and the one in the join');
SELECT is(ask('l20', $$ SELECT count(*) FROM orders a JOIN (VALUES (1, 3::bigint), (2, 1)) b (id, customer_id) USING (id)
                        WHERE entitle.row_allowed('customers.view', 10, b.customer_id) $$), '0', 'another table''s customer is another condition');
SELECT is(ask('l20', $$ SELECT count(*) FROM orders WHERE entitle.row_allowed('customers.view', 10, customer_id) AND entitle.row_allowed('customers.view', 30, customer_id) $$),
          '100', 'another level, too');
SELECT is(ask('l20', $$ SELECT count(*) FROM orders WHERE NOT entitle.row_allowed('customers.view', 10, customer_id) OR id = 1 $$), '1', 'and one that is part of another');

SELECT * FROM finish();
ROLLBACK;
