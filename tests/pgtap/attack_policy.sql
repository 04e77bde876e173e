-- A restrictive policy beside entitle's binds whoever reads the table; through the filtered view it binds the table's owner, if anybody
-- (S195): protect_table and lint say so. And a policy's row is what ON CONFLICT and MERGE do not hand to a function (S196).
\ir error_of.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE ROLE test_other;
GRANT ALL ON SCHEMA public TO test_owner;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'yuki'), (102, 'bookseller');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, notes) VALUES (101, 'a', 'a', 'a', 'a note'), (102, 'b', 'b', 'b', 'a note');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L30', NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, is_secret boolean);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders);
INSERT INTO orders VALUES (1, 101, true), (2, 101, false);
INSERT INTO lines VALUES (1, 1), (2, 2);
CREATE POLICY no_secrets ON orders AS RESTRICTIVE USING (NOT is_secret);
GRANT SELECT ON orders, lines TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', view_name => 'orders_view'), entitle.protect_table('lines', parent => 'orders') \g /dev/null
CREATE FUNCTION found() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(object || ': ' || split_part(remedy, ';', 1), ', ' ORDER BY object), 'nothing')
    FROM entitle.lint() WHERE severity = 'error' AND finding LIKE 'the filtered view passes by policy%'
$$;
CREATE FUNCTION shown() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(ask('yuki', format('SELECT string_agg(id::text, '' '' ORDER BY id) FROM %s', r)), ', ' ORDER BY n)
    FROM unnest('{orders,orders_view,lines_view}'::text[]) WITH ORDINALITY AS t (r, n)
$$;
SELECT is(shown(), '2, 1 2, 1 2', 'a superuser''s view passes by the policy');
SELECT is(found(), 'public.lines_view: ALTER TABLE public.lines OWNER TO ..., public.orders_view: ALTER TABLE public.orders OWNER TO ...', 'S195: lint says so');
ALTER TABLE orders OWNER TO test_owner;
ALTER TABLE lines OWNER TO test_owner;
ALTER VIEW orders_view OWNER TO test_owner;
ALTER VIEW lines_view OWNER TO test_owner;
SELECT is(shown(), '2, 2, 2', 'another owner''s does not');
SELECT is(found(), 'nothing', 'nor is it said');
ALTER POLICY no_secrets ON orders TO test_app;
SELECT is(shown(), '2, 1 2, 1 2', 'unless the policy is for somebody else');
SELECT is(found(), 'public.lines_view: ALTER POLICY no_secrets ON public.orders TO PUBLIC, public.orders_view: ALTER POLICY no_secrets ON public.orders TO PUBLIC', 'S195: which is said');
ALTER POLICY no_secrets ON orders TO test_app, test_other;
GRANT test_other TO test_owner;
SELECT is(found(), 'nothing', 'not when the owner belongs to them');
ALTER POLICY no_secrets ON orders TO test_app;
SELECT is((SELECT string_agg(u.finding, '; ' ORDER BY u.finding) FROM entitle_internal.unheld_policies('orders') u),
          'the filtered view passes by policy "no_secrets" of public.orders, because it reads with the rights of test_owner', 'S195: protect_table warns in these words');
DROP POLICY no_secrets ON orders;
SELECT is(found(), 'nothing', 'without policies there is nothing to say');

-- S196: ON CONFLICT and MERGE
DROP TABLE lines, orders CASCADE;
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, item text);
INSERT INTO orders VALUES (1, 101, 'own'), (2, 102, 'theirs'), (3, 102, '3');
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, external_insert_level => 20) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO test_app;
GRANT SELECT, INSERT, UPDATE ON entitle.customer TO test_app;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (103, NULL, 'a bookshop');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT 103, module_key FROM entitle.module;
INSERT INTO entitle.membership (user_id, brand_id) VALUES (102, 103);
CREATE SEQUENCE seen;
GRANT ALL ON SEQUENCE seen TO test_app;
CREATE FUNCTION leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
    PERFORM setval('public.seen', 2) WHERE value ~ 'theirs|3|note';
    RETURN false;
END
$$;
SELECT matches(error_of(login, command), ended, 'S196: ' || command)
FROM (VALUES
    ('yuki', 'INSERT INTO orders AS o VALUES (2, 101, ''x'') ON CONFLICT (id) DO UPDATE SET item = ''x'' WHERE leak(o.item)', '^42501 '),
    ('yuki', 'INSERT INTO orders AS o VALUES (2, 101, ''x'') ON CONFLICT (id) DO UPDATE SET item = ''x'' WHERE leak(o::text)', '^42501 '),
    ('yuki', 'INSERT INTO orders AS o VALUES (3, 101, ''x'') ON CONFLICT (id) DO UPDATE SET item = ''x'' WHERE 1 / (o.item::integer - 3) = 0', '^42501 '),
    ('yuki', 'INSERT INTO orders AS o VALUES (2, 101, ''x'') ON CONFLICT (id) DO UPDATE SET item = leak(o.item)::text', '^42501 '),
    ('yuki', 'INSERT INTO orders AS o VALUES (2, 101, ''x'') ON CONFLICT (id) DO UPDATE SET item = ''x'' RETURNING leak(o.item)', '^42501 '),
    ('yuki', 'MERGE INTO orders o USING (VALUES (2)) v (i) ON o.id = v.i WHEN MATCHED AND leak(o.item) THEN UPDATE SET item = ''x''', '^0$'),
    ('yuki', 'MERGE INTO orders o USING (VALUES (2)) v (i) ON leak(o.item) WHEN MATCHED THEN UPDATE SET item = ''x''', '^0$'),
    ('yuki', 'DELETE FROM orders o USING (VALUES (2)) v (i) WHERE leak(o.item)', '^0$'),
    ('bookseller', 'INSERT INTO entitle.customer AS c (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (101, 103, ''x'', ''x'', ''x'')'
                   ' ON CONFLICT (customer_id) DO UPDATE SET notes = ''x'' WHERE leak(c.notes)', '^42501 ')
) AS c (login, command, ended);
SELECT current_setting('server_version_num')::integer >= 190000 AS has_select \gset
\if :has_select
SELECT matches(error_of('yuki', command), ended, 'S196: ' || command)
FROM (VALUES
    ('INSERT INTO orders AS o VALUES (2, 101, ''x'') ON CONFLICT (id) DO SELECT WHERE leak(o.item) RETURNING id', '^42501 '),
    ('INSERT INTO orders AS o VALUES (3, 101, ''x'') ON CONFLICT (id) DO SELECT WHERE 1 / (o.item::integer - 3) = 0 RETURNING id', '^42501 '),
    ('INSERT INTO orders AS o VALUES (2, 101, ''x'') ON CONFLICT (id) DO SELECT RETURNING leak(o.item)', '^42501 '),
    ('INSERT INTO orders AS o VALUES (1, 101, ''x'') ON CONFLICT (id) DO SELECT WHERE o.item = ''own'' RETURNING id', '^1$')
) AS c (command, ended);
\else
SELECT skip('ON CONFLICT DO SELECT came with PostgreSQL 19', 4);
\endif
SELECT is((SELECT last_value FROM seen), 1::bigint, 'S196: nothing was seen on the way');

SELECT * FROM finish();
ROLLBACK;
