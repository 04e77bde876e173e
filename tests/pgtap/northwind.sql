-- On tables that were not made for entitle (../shared/data/northwind: text customer keys, orders of 1996 to 1998), a user
-- of every level with every kind of window sees exactly the rows that a plain WHERE finds (R33 to R35, R38, R39).
\ir northwind.psql
\if :absent
\echo 1..0 # SKIP no folder ../shared/data/northwind beside the tree
\quit
\endif

-- The same orders by the other keys and dates an application may have. The moments lie in the last half hour of the
-- order's day in the business time zone, which is the next day in UTC.
SET LOCAL entitle.time_zone = 'America/New_York';
CREATE TABLE orders_by_id AS
    SELECT o.order_id, k.customer_id, o.order_date + time '23:45' AS ordered_at
    FROM orders o JOIN entitle.customer k ON k.customer_code = o.customer_id;
CREATE TABLE orders_by_uuid AS
    SELECT o.order_id, k.customer_uuid AS customer_id,
           (o.order_date + time '23:45') AT TIME ZONE 'America/New_York' AS ordered_at
    FROM orders o JOIN entitle.customer k ON k.customer_code = o.customer_id;

-- Windows: none, today only, 30 days, one that ends on the first order, on the last and on one between, a day to either
-- side of each, and one that reaches back farther than dates do.
CREATE FUNCTION business_today() RETURNS date
    LANGUAGE sql
    AS $$ SELECT (statement_timestamp() AT TIME ZONE 'America/New_York')::date $$;
CREATE TEMP TABLE day_window AS
    SELECT NULL::integer AS days_back
    UNION ALL VALUES (0), (30), (2147483647)
    UNION ALL
    SELECT business_today() - edge + shift
    FROM (SELECT min(order_date), max(order_date), '1997-06-30'::date FROM orders) AS d (first, last, middle),
         unnest(ARRAY[first, middle, last]) AS edge, unnest(ARRAY[-1, 0, 1]) AS shift;

INSERT INTO entitle.app_user (login)
SELECT format('%s, %s days', role, coalesce(days_back::text, 'all'))
FROM unnest(ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90']) AS role, day_window;
-- Each has access to another three quarters of the customers.
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT k.customer_id, u.user_id, left(u.login, 3), nullif(split_part(u.login, ' ', 2), 'all')::integer
FROM entitle.app_user u JOIN entitle.customer k ON (k.customer_id + u.user_id) % 4 > 0
WHERE u.login LIKE 'L%';

-- One person, another level and window for every customer.
INSERT INTO entitle.app_user (login) VALUES ('everybody''s bookkeeper');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT k.customer_id, u.user_id, (ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90'])[k.number % 6 + 1], w.days_back
FROM (SELECT customer_id, row_number() OVER (ORDER BY customer_code) AS number FROM entitle.customer) k
JOIN (SELECT days_back, row_number() OVER (ORDER BY days_back) AS number FROM day_window) w ON w.number = k.number % 13 + 1,
     entitle.app_user u
WHERE u.login = 'everybody''s bookkeeper';

INSERT INTO entitle.app_user (login) VALUES ('nobody''s friend'), ('staff');
INSERT INTO entitle.membership (user_id, organization_id, role_id)
SELECT u.user_id, 1, r.role_id FROM entitle.app_user u, entitle.role r WHERE u.login = 'staff' AND r.name = 'read-only';

SELECT entitle.protect_table('orders', customer_column => 'customer_id', date_column => 'order_date', min_level => 20,
                             view_permission => 'customers.view'),
       entitle.protect_table('orders_by_id', customer_column => 'customer_id', date_column => 'ordered_at', min_level => 20),
       entitle.protect_table('orders_by_uuid', customer_column => 'customer_id', date_column => 'ordered_at', min_level => 20)
\g /dev/null
GRANT USAGE ON SCHEMA northwind TO test_app;
GRANT SELECT ON ALL TABLES IN SCHEMA northwind TO test_app;

-- What a plain WHERE finds, in the words of rules.md.
CREATE FUNCTION plainly_visible(reader text) RETURNS SETOF orders
    LANGUAGE sql
    AS $$
    SELECT o.*
    FROM orders o
    JOIN entitle.customer k ON k.customer_code = o.customer_id
    JOIN entitle.external_access g ON g.customer_id = k.customer_id
    JOIN entitle.app_user u ON u.user_id = g.user_id
    WHERE u.login = reader AND g.role >= 'L20'
      AND (g.days_back IS NULL OR o.order_date - business_today() >= -g.days_back)
    $$;
CREATE TEMP TABLE reader AS
    SELECT u.login FROM entitle.app_user u WHERE u.user_id IN (SELECT user_id FROM entitle.external_access);

CREATE FUNCTION rows_of(source text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT 'SELECT format(''%s rows, %s'', count(*), md5(string_agg(order_id::text, '','' ORDER BY order_id))) FROM ' || source
    $$;

SELECT plan(10 + 4 * count(*)::integer) FROM reader;

SELECT is(format('%s customers, %s orders, %s lines', (SELECT count(*) FROM customers), (SELECT count(*) FROM orders),
                 (SELECT count(*) FROM order_details)),
          '91 customers, 830 orders, 2155 lines', 'all of Northwind is loaded');
SELECT is(count(*)::integer, 6 * 13 + 1, 'there is a reader for every level and window') FROM reader;
SELECT ok(count(DISTINCT (SELECT count(*) FROM plainly_visible(login))) > 10, 'the readers see many different numbers of orders')
FROM reader;

-- Both counts stand in one statement, so that midnight never falls between them.
SELECT is(ask(login, rows_of(source)), plain.found,
          format('R33, R34, R35, R38, R39: %s finds in %s what a plain WHERE finds', login, source))
FROM reader, unnest(ARRAY['northwind.orders', 'northwind.orders_by_id', 'northwind.orders_by_uuid']) AS source,
     LATERAL (SELECT format('%s rows, %s', count(*), md5(string_agg(order_id::text, ',' ORDER BY order_id))) AS found
              FROM plainly_visible(login)) AS plain
ORDER BY login, source;

SELECT is(ask(login, rows_of('northwind.orders NATURAL JOIN northwind.order_details')), plain.found,
          format('R34, R38: %s finds the lines of those orders', login))
FROM reader,
     LATERAL (SELECT format('%s rows, %s', count(*), md5(string_agg(order_id::text, ',' ORDER BY order_id))) AS found
              FROM plainly_visible(login) NATURAL JOIN order_details) AS plain
ORDER BY login;

SELECT is(ask('staff', 'SELECT count(*) FROM northwind.orders'), '830', 'R6: customers.view shows every order');
SELECT is(ask('staff', 'SELECT count(*) FROM northwind.orders_by_id'), '0',
          'R34: a table that names no permission shows nothing to staff');
SELECT is(ask('nobody''s friend', 'SELECT count(*) FROM northwind.orders'), '0', 'R34: without a grant no order shows');
SELECT is(ask(NULL, 'SELECT count(*) FROM northwind.orders'), '0', 'R1: nobody sees no order');

SELECT is(ask('everybody''s bookkeeper', $$SELECT count(*) FROM northwind.orders WHERE customer_id LIKE '%'$$),
          (SELECT count(*)::text FROM plainly_visible('everybody''s bookkeeper')), 'a WHERE of the reader''s own adds nothing');
SELECT is(ask('everybody''s bookkeeper', $$SELECT count(*) FROM northwind.orders WHERE customer_id = 'alfki'$$), '0',
          'R4: a customer''s key matches byte for byte');
UPDATE entitle.customer SET customer_code = lower(customer_code);
SELECT is(ask('everybody''s bookkeeper', 'SELECT count(*) FROM northwind.orders'), '0',
          'R4: orders of keys that are no longer known show to nobody');

SELECT * FROM finish();
ROLLBACK;
