-- Known ways around views and masks, by number in the list of attacks this project keeps: S46 to S49, S53, S55, S57 to S60, S66,
-- S67, S78. Statement shapes are in mask_matrix (S54, S59, S76, S77), writes in mask_write (S50 to S53), changes in mask_change.
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (103, 'l20'), (104, 'l30'), (105, 'mixed');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1'), (102, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 103, 'L20', NULL), (101, 104, 'L30', 2147483647),
    -- who sees the prices of one customer and not of the other: no plan knows beforehand
    (101, 105, 'L20', NULL), (102, 105, 'L30', NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, placed_on date, quantity integer CHECK (quantity < 1000), price integer) PARTITION BY RANGE (id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (500);
CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (500) TO (5000);
-- The prices of customer 101 are even, those of 102 are odd.
INSERT INTO orders SELECT i, 101 + i % 2, '2026-01-01'::date - i, i % 9, 7000 + i % 50 FROM generate_series(1, 900) i;
CREATE INDEX ON orders (price);
CREATE STATISTICS orders_price (mcv) ON customer_id, price FROM orders_1;
ANALYZE orders, orders_1, orders_2;
GRANT ALL ON orders, orders_1, orders_2 TO test_app;
GRANT CREATE ON SCHEMA public TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', 'placed_on', min_level => 20, view_permission => 'customers.view', update_permission => 'customers.edit',
                             external_update_level => 20, masked_columns => '{"price": 30}');

-- S46: a user's own view, invoker or not, barrier or not, shows no more.
CREATE FUNCTION built(login text, options text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    PERFORM do_as(login, format('CREATE VIEW own %s AS SELECT * FROM orders_view', options));
    answer := ask(login, 'SELECT count(*) || '' '' || count(price) FROM own');
    DROP VIEW own;
    RETURN answer;
END
$$;
SELECT is(built(login, options), seen, format('S46: a user''s own view %s shows no more to %s', options, login))
FROM unnest(ARRAY['', 'WITH (security_barrier)', 'WITH (security_invoker)']) AS options, (VALUES ('l20', '450 0'), ('mixed', '900 450')) AS v (login, seen);
-- S47
SELECT do_as('l20', 'CREATE MATERIALIZED VIEW own_copy AS SELECT * FROM orders_view');
SELECT is(ask('l20', 'SELECT count(*) || '' '' || count(price) FROM own_copy'), '450 0', 'S47: a user''s materialized copy holds what showed');
SELECT do_as('mixed', 'CREATE TEMP TABLE half_copy AS SELECT * FROM orders_view');
SELECT is((SELECT count(*) || ' ' || count(price) || ' ' || min(price % 2) FROM half_copy), '900 450 1', 'S47: and a copy half the prices');
SELECT do_as('l20', 'CREATE TEMP TABLE own_table AS SELECT * FROM orders_view');
SELECT is((SELECT count(*) || ' ' || count(price) FROM own_table), '450 0', 'S47: so does a table made of it');
-- S48: COPY (query) TO, by way of psql's output.
SELECT entitle.sign_in('l20') \g /dev/null
SET LOCAL ROLE test_app;
\o | grep -c '^[0-9]*.\\N.{price}$' > copied.txt
COPY (SELECT id, price, masked_columns FROM orders_view ORDER BY id) TO STDOUT;
\o
RESET ROLE;
SELECT entitle.sign_out() \g /dev/null
\set copied `cat copied.txt; rm copied.txt`
SELECT is(:'copied'::text, '450', 'S48: COPY (query) TO writes masked rows');
-- S49, S53: errors and RETURNING of the table itself.
SELECT throws_ok($$ SELECT do_as('l20', 'UPDATE orders SET quantity = quantity WHERE id = 2 RETURNING price') $$, '42501', NULL, 'S49: RETURNING tells no masked column');
SELECT throws_ok($$ SELECT do_as('l20', 'UPDATE orders SET quantity = price WHERE id = 2') $$, '42501', NULL, 'S49: nor is it copied into an open one');
SELECT throws_ok($$ SELECT do_as('l20', 'UPDATE orders SET quantity = 0 WHERE price > 7000') $$, '42501', NULL, 'S49: nor looked for');
-- S55: an operator with a selectivity function sees no statistics of the masked column, of no part of the table.
CREATE FUNCTION probe(a integer, b integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
    AS $$ BEGIN IF a >= 7000 OR b >= 7000 THEN RAISE EXCEPTION 'saw % %', a, b USING ERRCODE = 'ZZ001'; END IF; RETURN a < b; END $$;
CREATE OPERATOR <<< (PROCEDURE = probe, LEFTARG = integer, RIGHTARG = integer, RESTRICT = scalarltsel);
SELECT is(ask('l20', 'SELECT count(*) FROM orders_view WHERE price <<< 7'), '0', 'S55: a leaky operator is shown no statistics of the view');
SELECT throws_ok(format('SELECT ask(''l20'', ''SELECT count(*) FROM %I WHERE price <<< 7'')', part), '42501', NULL, format('S55: nor of %s', part))
FROM unnest(ARRAY['orders', 'orders_1', 'orders_2']) AS part;
SELECT is(ask('l20', 'SELECT count(*) FROM pg_stats WHERE tablename ~ ''^orders''') || ask('l20', 'SELECT count(*) FROM pg_stats_ext WHERE tablename ~ ''^orders'''), '00',
          'S56: pg_stats and pg_stats_ext show nothing of it');
CREATE FUNCTION probe_even(a integer, b integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
    AS $$ BEGIN IF a % 2 = 0 THEN RAISE EXCEPTION 'saw %', a USING ERRCODE = 'ZZ001'; END IF; RETURN a < b; END $$;
CREATE OPERATOR <<% (PROCEDURE = probe_even, LEFTARG = integer, RIGHTARG = integer, RESTRICT = scalarltsel);
SELECT is(ask('mixed', 'SELECT count(*) FROM orders_view WHERE ' || condition), seen, format('S54, S55: half the prices are masked: %s', condition))
FROM (VALUES ('price <<% 8000', '450'), ('price <<% 8000 IS NULL', '450'), ('probe_even(price, 8000) AND id < 101', '50'),
             ('(price <<% 8000) AND customer_id = 101', '0'), ('id IN (SELECT id FROM orders_view WHERE price <<% 8000)', '450')) AS v (condition, seen);
-- S57: an error that depends on a value needs the value.
SELECT is(ask('l20', 'SELECT count(*) FROM orders_view WHERE 1 / (price - 7002) > 0'), '0', 'S57: a masked value divides nothing');
SELECT is(ask('l20', 'SELECT count(*) FROM orders_view WHERE 1 / (id - 3) IS NOT NULL'), '450', 'S57: nor does a hidden row');
SELECT throws_ok($$ SELECT ask('l30', 'SELECT count(*) FROM orders_view WHERE 1 / (price - 7002) > 0') $$, '22012', NULL, 'S57: it does for whom it shows');
SELECT is(ask('mixed', 'SELECT count(*) FROM orders_view WHERE 1 / (price - 7002) > 0'), '18', 'S57: of two customers'' prices one''s divide');
SELECT throws_ok($$ SELECT ask('mixed', 'SELECT count(*) FROM orders_view WHERE 1 / (price - 7003) > 0') $$, '22012', NULL, 'S57: and that one''s only');
-- S52: MERGE into the table itself reads no masked column, and does nothing to hidden rows.
SELECT throws_ok(format('SELECT do_as(%L, %L)', who, 'MERGE INTO orders o USING (VALUES (2)) s (id) ON o.id = s.id ' || action), '42501', NULL, format('S52: %s: %s', who, action))
FROM unnest(ARRAY['l20', 'mixed', 'staff']) AS who,
     unnest(ARRAY['WHEN MATCHED AND o.price > 7000 THEN UPDATE SET quantity = 0', 'WHEN MATCHED THEN UPDATE SET quantity = o.price', 'WHEN MATCHED THEN UPDATE SET price = 1',
                  'AND o.price > 7000 WHEN MATCHED THEN DO NOTHING']) AS action;
SELECT is(do_as('l20', 'MERGE INTO orders o USING (VALUES (1)) s (id) ON o.id = s.id WHEN MATCHED THEN ' || action), 0::bigint, 'S52: a hidden row is not there for MERGE: ' || action)
FROM unnest(ARRAY['UPDATE SET quantity = 0', 'DELETE', 'DO NOTHING']) AS action;
-- What became of a statement, and a function that would tell what it sees before the lock.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql
    AS $$ BEGIN EXECUTE statement; RETURN 'none'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
CREATE FUNCTION leak_lock(price integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
    AS $$ BEGIN IF price IS NOT NULL THEN RAISE EXCEPTION 'saw %', price; END IF; RETURN true; END $$;
-- S58
INSERT INTO orders VALUES (1001, NULL, '2026-01-01', 1, 1), (1002, 101, 'infinity', 1, 1), (1003, 101, '-infinity', 1, 1), (1004, 101, NULL, 1, 1), (1005, 101, '5874897-12-31', NULL, NULL);
SELECT is(ask('l20', 'SELECT count(*) || '' '' || count(price) FROM orders_view'), '454 0', 'S58: odd customers and dates break no one''s view');
SELECT is(ask('l30', 'SELECT count(*) || '' '' || count(price) FROM orders_view WHERE id > 1000'), '2 1', 'S58: nor a limited one''s, which hides what has no date');
-- S59: samples, addresses and locks of the table and of its parts, beside the view.
SELECT throws_ok($$ SELECT ask('l20', 'SELECT count(*) FROM orders_view TABLESAMPLE SYSTEM (100)') $$, '0A000', NULL, 'S59: a view has no sample');
SELECT is(ask('l20', format('SELECT count(customer_id) || '' '' || min(customer_id) || '' '' || max(customer_id) FROM %I TABLESAMPLE %s (100) REPEATABLE (7)', part, method)),
          (SELECT count(*) || ' 101 101' FROM orders WHERE customer_id = 101 AND (part = 'orders' OR tableoid = part::regclass)), format('S59: a %s sample of %s has the rows that show', method, part))
FROM unnest(ARRAY['orders', 'orders_1', 'orders_2']) AS part, unnest(ARRAY['BERNOULLI', 'SYSTEM']) AS method;
SELECT throws_ok(format('SELECT ask(%L, %L)', who, format(query, part)), '42501', NULL, format('S59: %s: %s', who, format(query, part)))
FROM unnest(ARRAY['l20', 'staff']) AS who, unnest(ARRAY['orders', 'orders_1', 'orders_2']) AS part,
     unnest(ARRAY['SELECT max(price) FROM %I TABLESAMPLE SYSTEM (100)', 'SELECT count(*) FROM %I TABLESAMPLE SYSTEM (100) WHERE price > 7000',
                  'SELECT price FROM %I WHERE ctid = ''(0,1)''', 'SELECT count(*) FROM %I WHERE ctid = ANY (ARRAY(SELECT format(''(0,%%s)'', i)::tid FROM generate_series(1, 50) i))',
                  'SELECT count(*) FROM %I WHERE ctid >= ''(0,1)'' AND ctid < ''(1,1)''', 'SELECT min(xmin::text) FROM %I', 'SELECT currtid2(%1$L, ''(0,1)'')',
                  'SELECT price FROM %I FOR UPDATE SKIP LOCKED', 'SELECT count(*) FROM (SELECT id FROM %I ORDER BY price FOR KEY SHARE) l']) AS query;
SELECT throws_ok($$ SELECT ask('l20', 'SELECT ctid FROM orders_view') $$, '42703', NULL, 'S59: rows of the view have no address');
SELECT matches(error_of($$ SELECT ask('l20', 'SELECT currtid2(''orders_view'', ''(0,1)'')') $$), '^(0A000|42501|XX000|42P17|22023)$', 'S59: nor a newest version');
SELECT is(ask('l20', 'SELECT count(*) || '' '' || count(price) FROM (SELECT * FROM orders_view WHERE leak_lock(price) FOR UPDATE SKIP LOCKED) l'), '454 0', 'S59: what is locked is masked');
SELECT is((SELECT count(*) || ' ' || min(customer_id) || ' ' || max(customer_id) FROM orders WHERE xmax <> '0'), '454 101 101', 'S59: and only what shows is locked');
SELECT is(ask('mixed', 'SELECT count(*) || '' '' || count(price) FROM (SELECT * FROM orders_view WHERE price <<% 8000 IS NOT FALSE FOR UPDATE SKIP LOCKED) l'),
          (SELECT count(*) || ' ' || count(price) FILTER (WHERE customer_id = 102) FROM orders WHERE customer_id IN (101, 102)), 'S59: half of it where half is masked');
-- S60: a plan names nobody's customers, and no masked value.
CREATE FUNCTION plan_of(login text, statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    line text; plan text := '';
BEGIN
    PERFORM entitle.sign_in(login);
    SET LOCAL ROLE test_app;
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, COSTS off, TIMING off, SUMMARY off) ' || statement LOOP
        plan := plan || line || E'\n';
    END LOOP;
    RESET ROLE;
    PERFORM entitle.sign_out();
    RETURN plan;
END
$$;
SELECT unalike(plan_of('l20', 'SELECT * FROM orders_view WHERE price > 5'), '%10_%', 'S60: EXPLAIN names nobody''s customers');
SELECT unalike(plan_of('l20', 'SELECT price FROM orders_view WHERE price > 5'), '%Index Cond: %price%', 'S60: no index is asked for a masked value');
SELECT doesnt_match(plan_of('mixed', query), '\m10[12]\M|Index Cond: [^\n]*price', 'S60: nor where half is masked: ' || query)
FROM unnest(ARRAY['SELECT * FROM orders_view WHERE price > 5', 'SELECT price FROM orders_view WHERE price = 7003', 'SELECT max(price) FROM orders_view']) AS query;
-- S66: what pg_read_all_data opens, lint() names.
CREATE ROLE test_all IN ROLE pg_read_all_data;
SELECT isnt_empty($$ SELECT * FROM entitle.lint() WHERE finding ~ 'pg_read_all_data' $$, 'S66: a member of pg_read_all_data is named');
-- S67: what a user puts on the view or the table himself.
SELECT throws_ok($$ SELECT do_as('staff', 'CREATE TRIGGER t INSTEAD OF UPDATE ON orders_view FOR EACH ROW EXECUTE FUNCTION entitle_internal.write_view()') $$, '42501', NULL,
                 'S67: nobody else puts a trigger on the view');
SELECT throws_ok($$ SELECT do_as('staff', 'CREATE RULE r AS ON INSERT TO orders_view DO ALSO NOTHING') $$, '42501', NULL, 'S67: nor a rule');
SELECT is(ask('l20', 'SELECT count(*) FROM (SELECT DISTINCT price, masked_columns FROM orders_view) d'), '1', 'all is masked alike');
-- S78: columns that come later, to the table or to the view.
DROP MATERIALIZED VIEW own_copy;
ALTER TABLE orders ADD COLUMN margin integer DEFAULT 7000;
SELECT throws_ok(format('SELECT ask(%L, ''SELECT margin FROM %I'')', who, part), '42501', NULL, format('S78: a column added later is open to nobody, %s and %s', who, part))
FROM unnest(ARRAY['l20', 'staff']) AS who, unnest(ARRAY['orders', 'orders_1']) AS part;
SELECT throws_ok($$ SELECT ask('staff', 'SELECT margin FROM orders_view') $$, '42703', NULL, 'S78: nor in the view');
SELECT results_eq('SELECT problem FROM entitle.verify_protection()', $$ VALUES ('column "margin" is not in the filtered view "public.orders_view"') $$, 'S78: and named');
SELECT remedy FROM entitle.verify_protection() \gexec
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'S78: the remedy mends it');
SELECT is(ask('l20', 'SELECT count(margin) || '' '' || count(price) FROM orders_view'), '454 0', 'S78: the column shows, unless it is masked, too');
SELECT format('CREATE OR REPLACE VIEW orders_view WITH (security_barrier) AS SELECT v.*, o.price AS true_price FROM (%s) v JOIN orders o USING (id)',
              rtrim(pg_get_viewdef('orders_view'), ';')) \gexec
SELECT isnt_empty($$ SELECT * FROM entitle.verify_protection() WHERE problem = 'the filtered view "public.orders_view" is not as it was made' $$,
                  'S78: a column that was added to the view is named');
SELECT DISTINCT remedy FROM entitle.verify_protection() \gexec
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'S78: the remedy mends it');
SELECT is((SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders_view'::regclass AND attname = 'true_price' AND NOT attisdropped), 0::bigint, 'S78: and takes it away');

SELECT * FROM finish();
ROLLBACK;
