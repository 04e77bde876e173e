-- Northwind's orders with their freight, and their lines with unit_price and discount, masked below L30, show to every level, and to
-- somebody of a level a customer, exactly the cells that a plain query tells (R35, R36, R51).
\ir northwind.psql
\if :absent
\echo 1..0 # SKIP no folder ../shared/data/northwind beside the tree
\quit
\endif

-- Each level has two thirds of the customers, half of them as far back as the middle of the orders.
INSERT INTO entitle.app_user (login) VALUES ('L10'), ('L20'), ('L30'), ('L40'), ('L80'), ('L90'), ('mixed'), ('staff'), ('stranger');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT k.customer_id, u.user_id, CASE u.login WHEN 'mixed' THEN (ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90'])[1 + k.customer_id / 3 % 6] ELSE u.login END,
       CASE WHEN k.customer_id % 2 = 0 THEN (statement_timestamp() AT TIME ZONE 'UTC')::date - '1997-06-30' END
FROM entitle.app_user u JOIN entitle.customer k ON (k.customer_id + u.user_id) % 3 > 0
WHERE u.login LIKE 'L%' OR u.login = 'mixed';
INSERT INTO entitle.membership (user_id, organization_id, role_id)
SELECT u.user_id, 1, r.role_id FROM entitle.app_user u, entitle.role r WHERE u.login = 'staff' AND r.name = 'read-only';

GRANT USAGE ON SCHEMA northwind TO test_app;
GRANT SELECT ON orders, order_details TO test_app;
SELECT entitle.protect_table('orders', customer_column => 'customer_id', date_column => 'order_date', min_level => 20,
                             view_permission => 'customers.view', masked_columns => '{"freight": 30}'),
       entitle.protect_table('order_details', parent => 'orders', masked_columns => '{"unit_price": 30, "discount": 30}')
\g /dev/null

-- The orders that show, and whether their masked columns do.
CREATE FUNCTION plain_orders(who text) RETURNS TABLE (order_id integer, shows boolean)
    LANGUAGE sql
    AS $$
    SELECT o.order_id, r.shows
    FROM orders o
    JOIN entitle.customer k ON k.customer_code = o.customer_id
    LEFT JOIN (entitle.external_access g JOIN entitle.app_user u ON u.user_id = g.user_id AND u.login = who) ON g.customer_id = k.customer_id
    CROSS JOIN LATERAL (SELECT who = 'staff' OR g.role >= 'L30' AS shows) r
    WHERE who = 'staff'
       OR g.role >= 'L20' AND (g.days_back IS NULL OR o.order_date >= (statement_timestamp() AT TIME ZONE 'UTC')::date - g.days_back)
    $$;
CREATE FUNCTION plain_documents(who text) RETURNS TABLE (LIKE orders_view)
    LANGUAGE sql
    AS $$
    SELECT o.order_id, o.customer_id, o.employee_id, o.order_date, o.required_date, o.shipped_date, o.ship_via, CASE WHEN p.shows THEN o.freight END,
           o.ship_name, o.ship_address, o.ship_city, o.ship_region, o.ship_postal_code, o.ship_country, CASE WHEN p.shows THEN '{}'::text[] ELSE '{freight}' END
    FROM orders o JOIN plain_orders(who) p USING (order_id)
    $$;
CREATE FUNCTION plain_lines(who text) RETURNS TABLE (order_id integer, product_id integer, unit_price numeric, quantity integer, discount numeric, masked text[])
    LANGUAGE sql
    AS $$
    SELECT d.order_id, d.product_id, CASE WHEN p.shows THEN d.unit_price END, d.quantity, CASE WHEN p.shows THEN d.discount END,
           CASE WHEN p.shows THEN '{}'::text[] ELSE '{unit_price,discount}' END
    FROM order_details d JOIN plain_orders(who) p USING (order_id)
    $$;
CREATE FUNCTION cells(source text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT 'SELECT count(*) || '' rows '' || md5(string_agg(r::text, '' '' ORDER BY r)) FROM ' || source || ' r' $$;
CREATE FUNCTION plain_cells(source text) RETURNS text
    LANGUAGE plpgsql
    AS $$ DECLARE answer text; BEGIN EXECUTE cells(source) INTO answer; RETURN answer; END $$;
CREATE TEMP TABLE who AS SELECT login FROM entitle.app_user UNION ALL SELECT NULL;

SELECT plan(9 + 4 * count(*)::integer) FROM who;
SELECT is((SELECT count(*) FROM order_details), 2155::bigint, 'all lines are loaded');
SELECT is(ask(login, cells('northwind.orders_view')), plain_cells(format('plain_documents(%L)', login)),
          format('R36: %s sees every cell of the orders as a plain query tells', coalesce(login, 'nobody')))
FROM who;
SELECT is(ask(login, cells('northwind.order_details_view')), plain_cells(format('plain_lines(%L)', login)),
          format('R36, R51: %s sees every cell of the lines as a plain query tells', coalesce(login, 'nobody')))
FROM who;
SELECT is(ask(login, 'SELECT count(*) FROM northwind.order_details'), (SELECT count(*)::text FROM plain_lines(login)),
          format('R51: %s sees as many lines in the table', coalesce(login, 'nobody')))
FROM who;
SELECT is(ask(login, 'SELECT format(''%s %s'', sum(unit_price * quantity * (1 - discount)), count(*) FILTER (WHERE ''discount'' = ANY (masked_columns)))'
                     ' FROM northwind.order_details_view NATURAL JOIN (SELECT order_id, freight FROM northwind.orders_view) o'),
          (SELECT format('%s %s', sum(unit_price * quantity * (1 - discount)), count(*) FILTER (WHERE 'discount' = ANY (masked))) FROM plain_lines(login)),
          format('R36: %s adds up what it may see', coalesce(login, 'nobody')))
FROM who;
SELECT ok((SELECT count(*) FROM plain_lines('L20')) > 500, 'an L20 sees many lines');
SELECT is((SELECT count(unit_price) FROM plain_lines('L20')), 0::bigint, 'and no price');
SELECT ok((SELECT count(*) FROM plain_documents('L20')) > 200, 'many orders');
SELECT is((SELECT count(freight) FROM plain_documents('L20')), 0::bigint, 'and no freight');
SELECT ok(count(unit_price) > 200 AND count(*) - count(unit_price) > 100, 'of a level a customer, one sees prices of some lines and not of others') FROM plain_lines('mixed');
SELECT is(ask('staff', 'SELECT count(*) || '' '' || count(discount) FROM northwind.order_details_view'), '2155 2155', 'R36: by permission all shows');
SELECT throws_ok($$ SELECT ask('L90', 'SELECT unit_price FROM northwind.order_details') $$, '42501', NULL, 'the table''s masked columns are closed');
SELECT throws_ok($$ SELECT ask('L90', 'SELECT freight FROM northwind.orders') $$, '42501', NULL, 'those of the orders, too');
SELECT * FROM finish();
ROLLBACK;
