-- Masks and tables of a level that none of the asker's customers reaches are left out of plans: statements prepared once tell every
-- user, after every change of grants, what a plain table of what the user may see tells, which is worked out here without entitle
-- (R36, R38 to R40, R45 to R47, R51; S1, S4, S10, S15).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'second');
INSERT INTO entitle.brand_module SELECT 2, module_key FROM entitle.module;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'c', 'c', 'c' FROM generate_series(1, 1204) i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'one'), (102, 'two'), (103, 'many'), (104, 'both brands'), (105, 'staff');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (104, 1, 7);
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (105, 1, 7);
CREATE FUNCTION today() RETURNS date LANGUAGE sql AS $$ SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date $$;

-- The same rows in all tables; goods are judged by brand, bills and parts are for higher levels, lines follow their orders.
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, brand_id bigint, placed_on date, price integer, cost integer);
INSERT INTO orders SELECT i, nullif(i % 5, 0), 1 + i % 2, today() - i, i % 7, i FROM generate_series(1, 60) i;
CREATE TABLE goods (LIKE orders INCLUDING ALL);
CREATE TABLE bills (LIKE orders INCLUDING ALL);
CREATE TABLE parts (LIKE orders) PARTITION BY LIST (customer_id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
CREATE TABLE lines (id integer REFERENCES orders, line integer, paid integer, PRIMARY KEY (id, line));
INSERT INTO goods SELECT * FROM orders;
INSERT INTO bills SELECT * FROM orders;
INSERT INTO parts SELECT * FROM orders;
INSERT INTO lines SELECT id, l, id * l FROM orders, generate_series(1, 2) l;
CREATE INDEX ON bills (customer_id);
CREATE TABLE everyone AS SELECT id, customer_id FROM orders;
GRANT SELECT ON orders, goods, bills, parts, lines, everyone TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', 'placed_on', min_level => 20, view_permission => 'customers.view', masked_columns => '{"price": 30, "cost": 40}'),
       entitle.protect_table('goods', 'customer_id', 'placed_on', 'brand_id', min_level => 20, view_permission => 'customers.view', masked_columns => '{"price": 30}'),
       entitle.protect_table('bills', 'customer_id', min_level => 40),
       entitle.protect_table('parts', 'customer_id', min_level => 30, view_permission => 'customers.view', masked_columns => '{"cost": 40}'),
       entitle.protect_table('lines', parent => 'orders', masked_columns => '{"paid": 30}') \g /dev/null

-- What the rules say, in plain SQL, for every order and whom it may concern.
-- Who is staff of two brands and chose none has no permission where rows carry no brand.
CREATE TABLE standing (id integer PRIMARY KEY, level integer, in_window boolean, is_staff boolean, is_staff_of_brand boolean);
CREATE FUNCTION judge(who text, chosen bigint) RETURNS void
    LANGUAGE sql
    AS $$
    DELETE FROM standing;
    INSERT INTO standing
    SELECT o.id, coalesce(g.level, 0), g.days_back IS NULL OR o.placed_on >= today() - g.days_back,
           coalesce(u.is_active AND who = 'staff', false), coalesce(u.is_active AND (who = 'both brands' OR who = 'staff' AND o.brand_id = 1), false)
    FROM orders o
    LEFT JOIN entitle.app_user u ON u.login = who
    LEFT JOIN LATERAL (SELECT substr(a.role, 2)::integer AS level, a.days_back
                       FROM entitle.external_access a
                       WHERE a.user_id = u.user_id AND u.is_active AND a.customer_id = o.customer_id AND a.customer_id = coalesce(chosen, a.customer_id)
                         AND coalesce(a.valid_from <= today(), true) AND coalesce(a.valid_until >= today(), true)) g ON true
    $$;
CREATE SCHEMA plain;
CREATE VIEW plain.orders_view AS
    SELECT o.id, o.customer_id, o.brand_id, o.placed_on, CASE WHEN p.level >= 30 THEN price END AS price, CASE WHEN p.level >= 40 THEN cost END AS cost,
           array_remove(ARRAY[CASE WHEN p.level < 30 THEN 'price' END, CASE WHEN p.level < 40 THEN 'cost' END], NULL) AS masked_columns
    FROM orders o JOIN (SELECT id, CASE WHEN s.is_staff THEN 90 ELSE s.level END AS level, s.in_window OR s.is_staff AS shows FROM standing s) p USING (id)
    WHERE p.shows AND p.level >= 20;
CREATE VIEW plain.goods_view AS
    SELECT o.id, o.customer_id, o.brand_id, o.placed_on, CASE WHEN s.is_staff_of_brand OR s.level >= 30 THEN price END AS price, o.cost,
           CASE WHEN s.is_staff_of_brand OR s.level >= 30 THEN '{}'::text[] ELSE '{price}' END AS masked_columns
    FROM orders o JOIN standing s USING (id) WHERE s.is_staff_of_brand OR s.level >= 20 AND s.in_window;
CREATE VIEW plain.bills AS SELECT o.* FROM orders o JOIN standing s USING (id) WHERE s.level >= 40;
CREATE VIEW plain.parts_view AS
    SELECT o.id, o.customer_id, o.brand_id, o.placed_on, o.price, CASE WHEN s.is_staff OR s.level >= 40 THEN cost END AS cost,
           CASE WHEN s.is_staff OR s.level >= 40 THEN '{}'::text[] ELSE '{cost}' END AS masked_columns
    FROM orders o JOIN standing s USING (id) WHERE s.is_staff OR s.level >= 30;
CREATE VIEW plain.lines_view AS
    SELECT l.id, l.line, CASE WHEN s.is_staff OR s.level >= 30 THEN paid END AS paid, CASE WHEN s.is_staff OR s.level >= 30 THEN '{}'::text[] ELSE '{paid}' END AS masked_columns
    FROM lines l JOIN standing s USING (id) WHERE s.is_staff OR s.level >= 20 AND s.in_window;

CREATE TABLE shape (number integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO shape (statement) VALUES
    ('SELECT * FROM @orders_view'), ('SELECT id, price FROM @orders_view WHERE price > 2'), ('SELECT id FROM @orders_view WHERE price IS NULL AND id > 9'),
    ('SELECT masked_columns, count(*), sum(price), max(cost) FROM @orders_view GROUP BY 1'), ('SELECT id FROM @orders_view WHERE ''cost'' = ANY (masked_columns)'),
    ('SELECT a.id, b.id FROM @orders_view a JOIN @orders_view b ON a.price = b.price + 1 AND a.cost > b.cost'), ('SELECT * FROM @goods_view WHERE cost > 3'),
    ('SELECT price, count(*) FROM @goods_view WHERE brand_id = 1 GROUP BY 1'), ('SELECT * FROM @lines_view'), ('SELECT id, sum(paid) FROM @lines_view WHERE line > 1 GROUP BY 1'),
    ('SELECT o.id, o.price, l.paid FROM @orders_view o LEFT JOIN @lines_view l ON l.id = o.id AND l.paid > 5'), ('SELECT id, price FROM @bills'), ('SELECT id FROM @bills WHERE price > 2 AND id > 4'),
    ('SELECT max(id), min(id), count(*) FROM @bills WHERE price > 2'), ('SELECT e.id, b.price FROM everyone e LEFT JOIN @bills b ON b.id = e.id AND b.price > 2'),
    ('SELECT e.id, b.id, c.id FROM everyone e LEFT JOIN (@bills b JOIN @orders_view c ON c.id = b.id AND c.cost > 2) ON b.id = e.id'),
    ('SELECT b.id, o.id FROM @bills b FULL JOIN @orders_view o ON b.id = o.price'), ('SELECT id FROM everyone e WHERE NOT EXISTS (SELECT FROM @bills b WHERE b.id = e.id AND b.price > 0)'),
    ('SELECT id FROM everyone WHERE id NOT IN (SELECT price FROM @orders_view WHERE id > 2)'), ('SELECT id FROM everyone WHERE id NOT IN (SELECT id FROM @bills WHERE price > 1)'),
    ('SELECT e.id, l.price FROM everyone e, LATERAL (SELECT price FROM @bills b WHERE b.customer_id = e.customer_id AND b.price > 0 ORDER BY id LIMIT 2) l'),
    ('SELECT id, (SELECT max(cost) FROM @orders_view o WHERE o.customer_id = e.customer_id) FROM everyone e'),
    ('SELECT id FROM @bills WHERE price > 0 UNION ALL SELECT price FROM @orders_view WHERE id > 0 UNION ALL SELECT cost FROM @parts_view'),
    ('SELECT id, price FROM @orders_view EXCEPT SELECT id, price FROM @bills WHERE price > 0'),
    ('WITH b AS MATERIALIZED (SELECT * FROM @bills WHERE price > 0) SELECT e.id, b.id FROM everyone e LEFT JOIN b USING (id)'),
    ('WITH RECURSIVE w AS (SELECT id FROM @orders_view WHERE id < 9 UNION SELECT b.id FROM w JOIN @bills b ON b.id = w.id + 5 AND b.price >= 0) SELECT * FROM w'),
    ('SELECT * FROM @parts_view WHERE price >= 0'), ('SELECT p.id, q.cost FROM @parts_view p LEFT JOIN @parts_view q ON p.customer_id = q.customer_id AND q.id = p.id AND q.cost > 5'),
    ('SELECT count(*), count(cost) FROM @parts_view WHERE customer_id = 1 AND price >= 0'),
    ('SELECT id, rank() OVER (ORDER BY cost, price), count(price) OVER (PARTITION BY customer_id) FROM @orders_view');
UPDATE shape SET statement = format('SELECT string_agg(r::text, E''\n'' ORDER BY r::text) FROM (%s) r', statement);
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT format('PREPARE shape_%s AS %s', number, replace(statement, '@', '')) FROM shape \gexec

CREATE FUNCTION answers(statements text[]) RETURNS text[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    statement text; answer text; list text[];
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement INTO answer;
        list := list || coalesce(answer, 'no rows');
    END LOOP;
    RETURN list;
END
$$;
-- The statements that tell somebody something else, prepared or not.
CREATE FUNCTION differences(who text, chosen bigint) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    expected CONSTANT text[] := (SELECT array_agg(replace(statement, '@', 'plain.') ORDER BY number) FROM shape);
    direct CONSTANT text[] := (SELECT array_agg(replace(statement, '@', '') ORDER BY number) FROM shape);
    prepared CONSTANT text[] := (SELECT array_agg(format('EXECUTE shape_%s', number) ORDER BY number) FROM shape);
    told text[];
    told_direct text[];
    told_prepared text[];
BEGIN
    PERFORM judge(who, chosen);
    told := answers(expected);
    IF who IS NOT NULL THEN
        PERFORM entitle.sign_in(who);
        PERFORM entitle.use_customer(chosen);
    END IF;
    SET LOCAL ROLE test_app;
    told_prepared := answers(prepared);
    told_direct := answers(direct);
    RESET ROLE;
    PERFORM entitle.sign_out();
    RETURN QUERY SELECT format(E'%s: %s\n%s\nnot\n%s', way, s.statement, v.seen, told[s.number])
                 FROM shape s, LATERAL (VALUES ('prepared', told_prepared[s.number]), ('direct', told_direct[s.number])) AS v (way, seen)
                 WHERE v.seen IS DISTINCT FROM told[s.number];
END
$$;

-- Each change is followed by everyone's turn; who was switched off cannot sign in.
CREATE TABLE change (number integer GENERATED ALWAYS AS IDENTITY, command text);
INSERT INTO change (command) VALUES
    ('INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)'
     ' VALUES (1, 101, ''L20'', NULL), (2, 101, ''L20'', 30), (1, 102, ''L30'', 20), (3, 102, ''L40'', NULL), (4, 102, ''L10'', NULL)'),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) SELECT i, 103, ''L20'', 30 FROM generate_series(1, 1204) i'),
    ('UPDATE entitle.external_access SET role = ''L30'' WHERE user_id = 101 AND customer_id = 2'), ('UPDATE entitle.external_access SET role = ''L10'' WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET role = ''L80'' WHERE user_id = 101 AND customer_id = 1'),
    ('UPDATE entitle.external_access SET valid_from = today() + 1 WHERE user_id = 101 AND customer_id = 1'),
    ('UPDATE entitle.external_access SET valid_from = today() WHERE user_id = 101 AND customer_id = 1'),
    ('UPDATE entitle.external_access SET valid_from = NULL, valid_until = today() - 1 WHERE user_id = 101 AND customer_id = 1'),
    ('UPDATE entitle.external_access SET valid_until = today() WHERE user_id = 101 AND customer_id = 1'), ('UPDATE entitle.external_access SET role = ''L20'' WHERE user_id = 102'),
    ('UPDATE entitle.app_user SET is_active = false WHERE user_id = 104'), ('UPDATE entitle.app_user SET is_active = true WHERE user_id = 104'),
    ('DELETE FROM entitle.external_access WHERE user_id = 101'), ('SELECT entitle.grant_access(2, ''one'', ''L40'', 7)'),
    ('UPDATE entitle.external_access SET role = ''L40'' WHERE user_id = 103 AND customer_id = 4'),
    ('DELETE FROM entitle.external_access WHERE user_id = 103 AND customer_id > 20'), ('UPDATE entitle.external_access SET role = ''L20'' WHERE user_id = 103'),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (3, 105, ''L20'', NULL)'), ('UPDATE entitle.external_access SET role = ''L40'' WHERE user_id = 105');
CREATE FUNCTION after(command text) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    who text;
    chosen bigint;
BEGIN
    EXECUTE command;
    FOREACH who IN ARRAY ARRAY(SELECT login FROM entitle.app_user WHERE is_active ORDER BY user_id) || NULL::text LOOP
        RETURN NEXT is((SELECT string_agg(d, E'\n') FROM differences(who, NULL) d), NULL, format('%s: %s', left(command, 90), coalesce(who, 'nobody')));
    END LOOP;
    -- one customer chosen, lower and higher in turns
    FOREACH who IN ARRAY ARRAY['one', 'two', 'one'] LOOP
        FOREACH chosen IN ARRAY ARRAY(SELECT customer_id FROM entitle.external_access JOIN entitle.app_user USING (user_id)
                                      WHERE login = who AND coalesce(valid_from <= today(), true) AND coalesce(valid_until >= today(), true) ORDER BY role, customer_id) LOOP
            RETURN NEXT is((SELECT string_agg(d, E'\n') FROM differences(who, chosen) d), NULL, format('%s: %s chose %s', left(command, 90), who, chosen));
        END LOOP;
    END LOOP;
END
$$;
SELECT after(command) FROM change ORDER BY number;

-- A change that is rolled back leaves nothing.
SAVEPOINT before;
SELECT after('UPDATE entitle.external_access SET role = ''L90'' WHERE user_id IN (101, 103)');
ROLLBACK TO before;
SELECT after('SELECT 1');

SELECT * FROM finish();
ROLLBACK;
