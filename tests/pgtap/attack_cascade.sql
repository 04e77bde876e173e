-- Lines follow a document whose key changes when the statement ends. Until then no other document gets the old key, not even for a
-- moment; and a cascade that comes from elsewhere is a move like any other (R54; S190).
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'yuki');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', 'a'), (102, 'b', 'b', 'b');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L30', NULL), (102, 101, 'L20', NULL);
CREATE SEQUENCE seen; -- what a function saw stays there, whatever is rolled back
GRANT ALL ON SEQUENCE seen TO test_app;
CREATE FUNCTION look() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM setval('public.seen', 2) FROM public.lines_view WHERE cost > 100;
    RETURN 0;
END
$$;
CREATE FUNCTION take() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN UPDATE public.orders SET id = 5 WHERE id = 2; RETURN public.look(); END $$;
CREATE FUNCTION put() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.orders VALUES (2, 101, 'decoy'); RETURN public.look(); END $$;
CREATE FUNCTION ship() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN UPDATE public.shipments SET order_id = 6 WHERE order_id = 2; RETURN public.look(); END $$;

CREATE FUNCTION make_tables(owner name, foreign_key text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DROP TABLE IF EXISTS lines, orders, shipments CASCADE;
    CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, item text);
    CREATE TABLE shipments (order_id integer PRIMARY KEY);
    EXECUTE 'CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders ' || foreign_key
            || ', cost numeric, FOREIGN KEY (order_id) REFERENCES shipments ON UPDATE CASCADE)';
    INSERT INTO orders VALUES (2, 102, 'theirs'), (5, 101, 'own'), (6, 101, 'without lines');
    INSERT INTO shipments VALUES (2), (5), (9);
    ALTER TABLE lines DISABLE TRIGGER USER;
    INSERT INTO lines VALUES (1, 2, 777), (2, 5, 1);
    ALTER TABLE lines ENABLE TRIGGER USER;
    EXECUTE format('ALTER TABLE orders OWNER TO %1$I; ALTER TABLE shipments OWNER TO %1$I; ALTER TABLE lines OWNER TO %1$I', owner);
    PERFORM entitle.protect_table('orders', 'customer_id', min_level => 20, external_update_level => 20, external_insert_level => 20,
                                  view_name => 'orders_view'),
            entitle.protect_table('lines', parent => 'orders', external_update_level => 20, masked_columns => '{"cost": 30}');
    GRANT SELECT, INSERT, UPDATE ON orders, orders_view, shipments TO test_app;
    GRANT SELECT ON lines_view TO test_app;
    GRANT SELECT (id, order_id), UPDATE (id, order_id) ON lines TO test_app;
    PERFORM setval('seen', 1);
END
$$;
CREATE ROLE test_owner;
GRANT ALL ON SCHEMA public TO test_owner;

CREATE FUNCTION check_cascades(owner name, foreign_key text) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    key CONSTANT text := '42501 permission denied to change the key of this row of table "orders"';
    inside CONSTANT text := '42501 permission denied to write table "%s" while a running statement takes keys from documents';
    of CONSTANT text := format(' (%s, table of %s)', foreign_key, owner);
    tried text[];
BEGIN
    PERFORM make_tables(owner, foreign_key);
    FOREACH tried SLICE 1 IN ARRAY ARRAY[
        ['UPDATE orders SET id = 9 WHERE id = 5 RETURNING take()', format(inside, 'orders')],
        ['UPDATE orders SET id = 9 WHERE id = 2 RETURNING put()', format(inside, 'orders')],
        ['UPDATE orders SET id = 9 WHERE id = 2 RETURNING ship()', format(inside, 'lines')],
        ['UPDATE orders SET id = CASE id WHEN 2 THEN 9 ELSE 2 END WHERE id IN (2, 5) RETURNING look()', key],
        ['UPDATE orders SET id = CASE id WHEN 2 THEN 9 ELSE 2 END WHERE id IN (2, 6) RETURNING look()', key],
        ['WITH gone AS (UPDATE orders SET id = 9 WHERE id = 2 RETURNING 1) INSERT INTO orders SELECT 2, 101 FROM gone RETURNING look()', key],
        ['WITH gone AS (UPDATE orders SET id = 9 WHERE id = 2 RETURNING 1) UPDATE orders SET id = 2 FROM gone WHERE id = 6 RETURNING look()', key],
        ['MERGE INTO orders o USING (VALUES (2), (7)) v (i) ON o.id = v.i WHEN MATCHED THEN UPDATE SET id = 9'
         ' WHEN NOT MATCHED THEN INSERT VALUES (2, 101)', key],
        ['INSERT INTO orders VALUES (2, 101), (2, 101) ON CONFLICT (id) DO UPDATE SET id = 9 RETURNING look()', key]] LOOP
        RETURN NEXT is(error_of('yuki', tried[1]), tried[2], 'S190: ' || tried[1] || of);
    END LOOP;
    RETURN NEXT is(error_of('yuki', 'UPDATE shipments SET order_id = 6 WHERE order_id = 2'), '42501 permission denied to move this row of table "lines"',
                   'S190: nor by a cascade from elsewhere' || of);
    RETURN NEXT is((SELECT last_value FROM seen), 1::bigint, 'S190: nothing was seen on the way' || of);
    RETURN NEXT is(error_of('yuki', 'UPDATE orders SET id = id + 100 WHERE id = 6'), '1', 'R54: without lines' || of);
    RETURN NEXT is(error_of('yuki', 'UPDATE orders SET id = id + 100 WHERE id = 6 RETURNING put()'),
                   '23505 duplicate key value violates unique constraint "orders_pkey"', 'R54: and nothing waits for them' || of);
END
$$;
SELECT check_cascades(owner, foreign_key)
FROM unnest(ARRAY['test_owner', current_user]) AS owner, unnest('{ON UPDATE CASCADE,ON UPDATE RESTRICT,ON UPDATE SET NULL}'::text[]) AS foreign_key;

-- What takes nobody's key goes on.
CREATE FUNCTION check_honest() RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM make_tables('test_owner', 'ON UPDATE CASCADE');
    ALTER TABLE lines DROP CONSTRAINT lines_order_id_fkey1;
    RETURN QUERY SELECT is(error_of('yuki', format('UPDATE %s SET id = 9 WHERE id = 2', t)), '1', 'R54: lines follow their document: ' || t)
                 FROM unnest('{orders,orders_view}'::text[]) AS t;
    RETURN NEXT is(error_of('yuki', 'UPDATE orders SET id = id + 100'), '3', 'R54: those of all of them');
    RETURN NEXT is(error_of('yuki', 'UPDATE orders SET id = id + 100 RETURNING look()'), '3', 'R54: whatever is read meanwhile');
    RETURN NEXT is((SELECT last_value FROM seen), 1::bigint, 'S190: which shows nothing');
    RETURN NEXT lives_ok('UPDATE orders SET id = CASE id WHEN 2 THEN 9 ELSE 2 END WHERE id IN (2, 6)', 'R53: a superuser exchanges keys');
    RETURN NEXT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared');
END
$$;
SELECT check_honest();

-- S194: a column that decides, or a key, may be generated: it is computed before anything sees the row.
DROP TABLE lines, orders, shipments CASCADE;
CREATE TABLE orders (id integer PRIMARY KEY, label text, customer_id integer GENERATED ALWAYS AS (left(label, 3)::integer) STORED, cost integer);
INSERT INTO orders VALUES (1, '102x', DEFAULT, 777), (2, '101x', DEFAULT, 5);
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, masked_columns => '{"cost": 30}', view_name => 'lines_view') \g /dev/null
GRANT SELECT, UPDATE ON lines_view TO test_app;
GRANT SELECT (id, label), UPDATE (id, label) ON orders TO test_app;
SELECT is(error_of('yuki', command), ended, 'S194: ' || command)
FROM (VALUES
    ('UPDATE orders SET label = ''101x'' WHERE id = 1 RETURNING look()', '42501 permission denied to move this row of table "orders"'),
    ('UPDATE lines_view SET label = ''101x'' WHERE id = 1 RETURNING look()', '42501 permission denied to move this row of table "orders"'),
    ('UPDATE orders SET label = ''101y'' WHERE id = 2 RETURNING look()', '1'),
    ('UPDATE orders SET label = ''102y'' WHERE id = 1', '1'),
    ('UPDATE lines_view SET label = ''102y'' WHERE id = 2', '1')
) AS c (command, ended);
SELECT is((SELECT last_value FROM seen), 1::bigint, 'S194: nothing was seen on the way');
SELECT is(error_of('yuki', 'UPDATE orders SET label = ''abcx'' WHERE id = 2'), '22P02 the row has no valid value for what the table computes of it',
          'S194: nor is told what cannot be computed');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared');
DROP TABLE orders CASCADE;
-- A line whose own key is generated
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint);
CREATE TABLE shipments (order_id integer PRIMARY KEY);
CREATE TABLE products (id integer PRIMARY KEY);
CREATE TABLE lines (id integer GENERATED ALWAYS AS (order_id * 10) STORED PRIMARY KEY, order_id integer REFERENCES orders REFERENCES shipments ON UPDATE CASCADE,
                    product integer REFERENCES products ON UPDATE CASCADE, cost integer);
INSERT INTO orders VALUES (2, 102), (5, 101), (6, 103);
INSERT INTO shipments VALUES (2), (6);
INSERT INTO products VALUES (1);
INSERT INTO lines VALUES (DEFAULT, 2, 1, 777), (DEFAULT, 6, 1, 1);
SELECT entitle.protect_table('orders', 'customer_id', min_level => 20, external_update_level => 20),
       entitle.protect_table('lines', parent => 'orders', external_update_level => 20, masked_columns => '{"cost": 30}') \g /dev/null
GRANT SELECT, UPDATE ON orders, shipments, products TO test_app;
SELECT is(error_of('yuki', command), ended, 'S194: ' || command)
FROM (VALUES ('UPDATE shipments SET order_id = 5 WHERE order_id = 2', '42501 permission denied to move this row of table "lines"'),
             ('UPDATE products SET id = 2', '1')) AS c (command, ended);
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared');

SELECT * FROM finish();
ROLLBACK;
