-- What a protected table shows and lets write: keys and dates of every type, levels, windows, brands, partitions and
-- inheriting tables, moves of rows (R3, R4, R20, R23, R34 to R36, R38 to R40, R45, R52; S42 to S44, S49 to S52, S58). What
-- protect_table makes of a declaration is told in model_protection.sql.
\ir setup.psql
SELECT no_plan();

SET LOCAL entitle.time_zone = 'America/New_York';
CREATE FUNCTION today() RETURNS date
    LANGUAGE sql
    AS $$ SELECT (statement_timestamp() AT TIME ZONE 'America/New_York')::date $$;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (601, 1, 'second'), (602, NULL, 'alone');
INSERT INTO entitle.brand_module (brand_id, module_key) VALUES (601, 'customers'), (602, 'customers');
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, legal_name, trade_name, tax_id)
SELECT n, ('00000000-0000-0000-0000-000000000' || n)::uuid, 'c' || n, 'x', 'x', 'x' FROM unnest(ARRAY[601, 602, 603]) AS n;
INSERT INTO entitle.app_user (user_id, login) VALUES
    (601, 'outsider'), (602, 'unlimited'), (603, 'L10'), (604, 'viewer'), (605, 'editor'), (606, 'both brands'), (607, 'alone'), (608, 'stranger'), (609, 'second only');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (601, 601, 'L30', 30), (602, 601, 'L20', 0), (601, 602, 'L40', NULL), (603, 602, 'L90', NULL), (601, 603, 'L10', NULL);
INSERT INTO entitle.membership (user_id, brand_id, role_id)
SELECT u, b, role_id FROM (VALUES (604, 1, 'read-only'), (605, 1, 'sales'), (606, 1, 'read-only'), (606, 601, 'read-only'), (609, 601, 'read-only')) AS m (u, b, r)
JOIN entitle.role ON organization_id = 1 AND name = r;
INSERT INTO entitle.membership (user_id, brand_id) VALUES (607, 602);

-- Keys of every type, under names that need quoting: the same rows show.
CREATE FUNCTION shown_by_key(type text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('CREATE TABLE "Orders; --" (order_id integer, "Customer ""key" %s, "select" date)', type);
    EXECUTE format($q$INSERT INTO "Orders; --" SELECT n, (CASE %L
                          WHEN 'uuid' THEN k.customer_uuid::text WHEN 'text' THEN k.customer_code WHEN 'varchar' THEN k.customer_code
                          WHEN 'varchar(4)' THEN k.customer_code WHEN 'text COLLATE "C"' THEN k.customer_code ELSE k.customer_id::text END)::%s, CURRENT_DATE
                      FROM entitle.customer k, generate_series(1, 3) n WHERE n = k.customer_id - 600
                      UNION ALL SELECT 4, NULL, CURRENT_DATE$q$, type, type);
    PERFORM entitle.protect_table('"Orders; --"', 'Customer "key', 'select');
    GRANT SELECT ON "Orders; --" TO test_app;
    SELECT string_agg(login || ' ' || coalesce(ask(login, 'SELECT string_agg(order_id::text, '','' ORDER BY order_id) FROM "Orders; --"'), '-'), ', ' ORDER BY login)
    INTO answer FROM unnest(ARRAY['outsider', 'stranger', 'unlimited', 'viewer']) AS login;
    DROP TABLE "Orders; --";
    RETURN answer;
END
$$;
SELECT is(shown_by_key(type), 'outsider 1,2, stranger -, unlimited 1,3, viewer -', format('R34: rows show by a key of type %s, and one without a key shows to nobody', type))
FROM unnest(ARRAY['smallint', 'integer', 'bigint', 'uuid', 'text', 'varchar', 'varchar(4)', 'text COLLATE "C"']) AS type;

-- Dates of every type, and rows that no application should have written (R38, R39; S58).
CREATE FUNCTION shown_by_date(type text, login text, VARIADIC dates text[]) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('CREATE TABLE dated (n integer, customer_id bigint, on_date %s)', type);
    EXECUTE format('INSERT INTO dated SELECT n, 601, d::%s FROM unnest(%L::text[]) WITH ORDINALITY AS t (d, n)', type, dates);
    INSERT INTO dated VALUES (98, NULL, NULL), (99, 604, NULL), (100, -9223372036854775808, NULL);
    PERFORM entitle.protect_table('dated', 'customer_id', 'on_date');
    GRANT SELECT ON dated TO test_app;
    answer := coalesce(ask(login, 'SELECT string_agg(n::text, '' '' ORDER BY n) FROM dated'), '-');
    DROP TABLE dated;
    RETURN answer;
END
$$;
SELECT is(shown_by_date('date', 'outsider', (today() - 31)::text, (today() - 30)::text, today()::text, (today() + 1)::text, 'infinity', '-infinity', NULL,
                        '4714-11-24 BC', '5874897-12-31', '1999-12-31', '2000-01-01'), '2 3 4 5 9', 'R38: dates in and out of 30 days');
SELECT is(shown_by_date('timestamp', 'outsider', (today() - 30)::timestamp::text, (today() - 30 - interval '1 us')::text, 'infinity', '-infinity', NULL,
                        '4714-11-24 00:00 BC', '294276-12-31 23:59:59.999999', '1999-12-31 23:59:59.999999'), '1 3 7', 'R38: a timestamp is the date it is written with');
SET LOCAL TimeZone = 'Pacific/Kiritimati';
SELECT is(shown_by_date('timestamptz', 'outsider', ((today() - 30)::timestamp AT TIME ZONE 'America/New_York')::text,
                        (((today() - 30)::timestamp AT TIME ZONE 'America/New_York') - interval '1 us')::text, 'infinity', '-infinity', NULL,
                        '4714-11-24 00:00+00 BC', '294276-12-31 23:59:59.999999+00'), '1 3 7',
          'R38: a moment is the date it has in the business time zone, whatever the session''s');
SET LOCAL TimeZone = 'UTC';
SELECT is(shown_by_date('date', 'unlimited', NULL, 'infinity', '-infinity', '4714-11-24 BC', '1970-01-01'), '1 2 3 4 5', 'R38: unlimited, every date shows, and none at all');
SELECT is(shown_by_date('date', 'L10', NULL, '1970-01-01'), '1 2', 'R35: L10 suffices where min_level says so');
UPDATE entitle.external_access SET valid_from = today() + 1 WHERE user_id = 602 AND customer_id = 601;
SELECT is(shown_by_date('date', 'unlimited', today()::text), '-', 'R40: a grant that has not begun shows nothing');
UPDATE entitle.external_access SET valid_from = NULL WHERE valid_from IS NOT NULL;

-- Levels (R35), the chosen customer (R45), permissions beside external access (R36).
CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint, on_date date, brand_id bigint DEFAULT 1, note text NOT NULL DEFAULT 'n', CHECK (note <> 'bad'));
INSERT INTO orders (order_id, customer_id, on_date) VALUES (1, 601, today()), (2, 602, today()), (3, 603, today()), (4, 601, today() - 31), (5, 602, today() - 1), (6, NULL, today()), (7, 601, NULL);
GRANT ALL ON orders TO test_app;
CREATE FUNCTION shown(login text, brand bigint DEFAULT NULL, customer bigint DEFAULT NULL) RETURNS text
    LANGUAGE sql
    AS $$ SELECT coalesce(ask(login, 'SELECT string_agg(order_id::text, '' '' ORDER BY order_id) FROM orders', brand, customer), '-') $$;
CREATE FUNCTION shown_from(level integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM entitle.protect_table('orders', 'customer_id', 'on_date', min_level => level);
    RETURN concat_ws(', ', shown('outsider'), shown('unlimited'), shown('L10'));
END
$$;
SELECT is(array_agg(shown_from(level) ORDER BY level), ARRAY['1 2, 1 3 4 7, 1 4 7', '1 2, 1 3 4 7, -', '1, 1 3 4 7, -', '-, 1 3 4 7, -', '-, 3, -', '-, 3, -'],
          'R35, R39: from each level on those at or above it, inside their windows') FROM unnest(ARRAY[10, 20, 30, 40, 80, 90]) AS level;
SELECT entitle.protect_table('orders', 'customer_id', 'on_date', min_level => 20, view_permission => 'customers.view', insert_permission => 'customers.edit',
                             update_permission => 'customers.edit', delete_permission => 'customers.client_metrics', external_insert_level => 30,
                             external_update_level => 40) \g /dev/null
SELECT is(shown('outsider', customer => 602), '2', 'R45: with a customer chosen only that one''s rows show');
SELECT is(shown('unlimited', customer => 601), '1 4 7', 'R45: whichever it is');
SELECT is(shown('viewer'), '1 2 3 4 5 6 7', 'R36: by permission every row shows, whatever its customer and date');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (601, 604, 'L10', 0);
SELECT is(shown('viewer', customer => 601), '1 2 3 4 5 6 7', 'R45: a chosen customer does not narrow permissions');
SELECT is(shown('both brands'), '-', 'R52: without a brand column the current brand is judged, and there is none');
SELECT is(shown('both brands', 601), '1 2 3 4 5 6 7', 'R52: until one is chosen');
UPDATE entitle.brand_module SET is_enabled = false WHERE brand_id = 1 AND module_key = 'customers';
SELECT is(shown('viewer'), '-', 'R23: without the module the permission shows nothing, nor does a grant below the level');
SELECT is(shown('outsider'), '1 2', 'R23: external access has no module');
UPDATE entitle.brand_module SET is_enabled = true;
UPDATE entitle.role SET is_active = false WHERE name = 'read-only';
SELECT is(shown('viewer'), '-', 'R20: nor with the role switched off');
UPDATE entitle.role SET is_active = true;

-- Writing (R3). Outsider: 601 at L30, 602 at L20; unlimited: 601 at L40, 603 at L90.
SELECT throws_ok(format('SELECT do_as(%L, %L)', login, command), '42501', NULL, format('R3: %s may not: %s', login, command))
FROM (VALUES
    ('viewer', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (50, 601, ''infinity'')'),
    ('viewer', 'UPDATE orders SET note = ''x'' WHERE order_id = 1'), ('viewer', 'DELETE FROM orders WHERE order_id = 1'),
    ('editor', 'DELETE FROM orders WHERE order_id = 1'),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (50, 602, ''infinity'')'),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (50, 603, ''infinity'')'),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (50, NULL, ''infinity'')'),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (50, 601, ''2000-01-01'')'),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (50, 601, NULL)'),
    ('outsider', 'UPDATE orders SET note = ''x'' WHERE order_id = 1'), ('outsider', 'DELETE FROM orders WHERE order_id = 1'),
    ('unlimited', 'UPDATE orders SET customer_id = 602 WHERE order_id = 1'), ('unlimited', 'UPDATE orders SET customer_id = NULL WHERE order_id = 1'),
    ('unlimited', 'UPDATE orders SET customer_id = 99999'), ('unlimited', 'DELETE FROM orders WHERE order_id = 1'),
    ('unlimited', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (1, 602, ''infinity'')'),
    ('L10', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (50, 601, ''infinity'')'),
    ('stranger', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (50, 601, ''infinity'')'),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (2, 603, ''infinity'') ON CONFLICT DO NOTHING'),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (3, 601, ''infinity'') ON CONFLICT (order_id) DO UPDATE SET note = orders.note'),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (1, 601, ''infinity'') ON CONFLICT (order_id) DO UPDATE SET note = ''x'''),
    ('outsider', 'MERGE INTO orders o USING (SELECT 1 AS id) s ON o.order_id = s.id WHEN MATCHED THEN UPDATE SET note = ''x'''),
    ('outsider', 'MERGE INTO orders o USING (SELECT 1 AS id) s ON o.order_id = s.id WHEN MATCHED THEN DELETE'),
    ('outsider', 'MERGE INTO orders o USING (SELECT 3 AS id) s ON o.order_id = s.id WHEN NOT MATCHED THEN INSERT (order_id, customer_id, on_date) VALUES (50, 603, ''infinity'')')
) AS e (login, command);
SELECT is(do_as(login, command), touched::bigint, format('R3: %s touches %s: %s', login, touched, command))
FROM (VALUES
    ('outsider', 'UPDATE orders SET note = ''x'' WHERE order_id IN (3, 4, 5, 6, 7)', 0), ('outsider', 'DELETE FROM orders WHERE order_id IN (3, 4, 5, 6, 7)', 0),
    ('outsider', 'UPDATE orders SET customer_id = 601 WHERE order_id = 3', 0), ('stranger', 'UPDATE orders SET note = ''x''', 0), ('stranger', 'DELETE FROM orders', 0),
    ('L10', 'DELETE FROM orders', 0), ('outsider', 'UPDATE orders SET note = ''x'' WHERE note = ''n'' AND order_id = 3 RETURNING *', 0),
    ('outsider', 'MERGE INTO orders o USING (SELECT 3 AS id) s ON o.order_id = s.id WHEN MATCHED THEN UPDATE SET note = ''x''', 0),
    ('outsider', 'MERGE INTO orders o USING (SELECT 3 AS id) s ON o.order_id = s.id WHEN MATCHED THEN DELETE', 0),
    ('outsider', 'SELECT * FROM orders WHERE order_id > 2 FOR UPDATE', 0),
    ('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (51, 601, ''infinity'')', 1),
    ('unlimited', 'UPDATE orders SET note = ''x'' WHERE order_id IN (1, 2, 3)', 2), ('unlimited', 'UPDATE orders SET customer_id = 603 WHERE order_id = 51', 1),
    ('editor', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (52, NULL, NULL)', 1), ('editor', 'UPDATE orders SET note = ''y''', 9)
) AS e (login, command, touched);
SELECT is((SELECT string_agg(order_id || ' ' || note, ', ' ORDER BY order_id) FROM orders), '1 y, 2 y, 3 y, 4 y, 5 y, 6 y, 7 y, 51 y, 52 y', 'R3: and nothing else was written');
-- A hidden row is as absent for a key as row-level security can make it: the policy is asked before the index (S42).
SELECT throws_like($$SELECT do_as('outsider', 'INSERT INTO orders (order_id, customer_id, on_date) VALUES (3, 603, ''infinity'')')$$, '%row-level security policy%',
                   'S42: a hidden customer''s row is refused by the policy, not by the key');
DELETE FROM orders WHERE order_id > 50;
-- A row that may be written is not moved to where one may only look: 602 shows to the outsider from L20, writing takes L30 (S50).
SELECT entitle.protect_table('orders', 'customer_id', 'on_date', min_level => 20, external_update_level => 30) \g /dev/null
SELECT throws_ok($$SELECT do_as('outsider', 'UPDATE orders SET customer_id = 602 WHERE order_id = 1')$$, '42501', NULL,
                 'S50: a row is not moved to a customer whose rows one only sees');
SELECT throws_ok($$SELECT do_as('outsider', 'UPDATE orders SET customer_id = 601 WHERE order_id = 2')$$, '42501', NULL, 'S50: nor taken from there');
SELECT is(do_as('outsider', 'UPDATE orders SET note = ''z'' WHERE order_id = 1'), 1::bigint, 'S50: it may be written where it is');

-- The row's own brand (R52).
UPDATE orders SET brand_id = CASE WHEN order_id <= 3 THEN 601 WHEN order_id <= 5 THEN 602 WHEN order_id = 6 THEN NULL ELSE 1 END;
SELECT entitle.protect_table('orders', 'customer_id', 'on_date', brand_column => 'brand_id', view_permission => 'customers.view', update_permission => 'customers.edit',
                             insert_permission => 'customers.edit') \g /dev/null
SELECT is(concat_ws(', ', shown('viewer'), shown('both brands'), shown('second only'), shown('alone'), shown('stranger')), '1 7, 1 2 3 7, 1 2 3, 4 5, -',
          'R52: rows that carry their brand are judged by it, one without a brand shows to nobody by permission');
SELECT is(shown('both brands', 601), '1 2 3 7', 'R52: the chosen brand makes no difference');
SELECT is(shown('outsider'), '1 2', 'R52: nor does the brand to external access');
SELECT throws_ok($$SELECT do_as('editor', 'UPDATE orders SET brand_id = 601 WHERE order_id = 7')$$, '42501', NULL, 'R52: a row is not moved to a brand where one may not write');
SELECT throws_ok($$SELECT do_as('editor', 'INSERT INTO orders (order_id, brand_id) VALUES (60, 602)')$$, '42501', NULL, 'R52: nor put there');
SELECT is(do_as('editor', 'UPDATE orders SET note = ''b'' WHERE brand_id = 1'), 1::bigint, 'R52: in one''s own brand it may be written');

-- Partitions and inheriting tables, asked directly (S44).
CREATE TABLE parted (order_id integer, customer_id integer, on_date date) PARTITION BY RANGE (on_date);
CREATE TABLE parted_old PARTITION OF parted FOR VALUES FROM (MINVALUE) TO ('2020-01-01') PARTITION BY LIST (customer_id);
CREATE TABLE parted_old_601 PARTITION OF parted_old FOR VALUES IN (601);
CREATE TABLE parted_old_rest PARTITION OF parted_old DEFAULT;
CREATE TABLE parted_new PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT n, 601 + n % 3, d FROM generate_series(1, 3) n, unnest(ARRAY[today(), '2000-01-01', NULL]) AS d;
CREATE TABLE base (order_id integer, customer_id text);
CREATE TABLE derived (extra integer) INHERITS (base);
CREATE TABLE derived_twice () INHERITS (derived);
INSERT INTO base VALUES (1, 'c601'), (2, 'c602');
INSERT INTO derived VALUES (3, 'c601'), (4, 'c603');
INSERT INTO derived_twice VALUES (5, 'c601'), (6, 'c603');
SELECT entitle.protect_table('parted', 'customer_id', 'on_date'), entitle.protect_table('base', 'customer_id') \g /dev/null
GRANT ALL ON parted, parted_old, parted_old_601, parted_old_rest, parted_new, base, derived, derived_twice TO test_app;
SELECT is(array_agg(ask(login, 'SELECT count(*) FROM ' || source) ORDER BY n), ARRAY[outsider, unlimited, '0'],
          format('S44: an outsider, one without a limit and a stranger ask %s', source))
FROM unnest(ARRAY['outsider', 'unlimited', 'stranger']) WITH ORDINALITY AS l (login, n),
     (VALUES ('parted', '2', '6'), ('parted_old', '0', '2'), ('parted_old_601', '0', '1'), ('parted_old_rest', '0', '1'), ('parted_new', '2', '4'),
             ('base', '4', '5'), ('ONLY base', '2', '1'), ('derived', '2', '4'), ('derived_twice', '1', '2')) AS e (source, outsider, unlimited)
GROUP BY source, outsider, unlimited ORDER BY source;
SELECT throws_ok(format('SELECT do_as(''outsider'', %L)', format('INSERT INTO %s (order_id, customer_id) VALUES (9, %L)', target, customer)), '42501', NULL,
                 format('S44: nothing is put into %s directly', target))
FROM (VALUES ('parted', '603'), ('parted_new', '601'), ('base', 'c603'), ('derived', 'c601'), ('derived_twice', 'c603')) AS e (target, customer);
SELECT throws_ok(format('SELECT do_as(''outsider'', ''TRUNCATE %s'')', target), '42501', NULL, format('S40, S44: %s is not truncated directly', target))
FROM unnest(ARRAY['parted', 'parted_old', 'parted_old_601', 'parted_new', 'base', 'derived', 'derived_twice']) AS target;
-- A partition attached later is reached through its parent only, until the table is protected again.
CREATE TABLE parted_later (LIKE parted);
INSERT INTO parted_later VALUES (7, 603, '2019-01-01');
ALTER TABLE parted_old DETACH PARTITION parted_old_rest;
ALTER TABLE parted_old ATTACH PARTITION parted_later DEFAULT;
SELECT is(ask('outsider', 'SELECT count(*) FROM parted'), '2', 'S44: through the parent an attached partition is filtered at once');
SELECT throws_ok($$SELECT ask('outsider', 'SELECT count(*) FROM parted_later')$$, '42501', NULL, 'S44: directly nobody has been given it');
SELECT is(ask('unlimited', 'SELECT count(*) FROM parted_old_rest'), '1', 'S44: one that was detached stays protected');
SELECT entitle.protect_table('parted', 'customer_id', 'on_date') \g /dev/null
GRANT SELECT ON parted_later TO test_app;
SELECT is(ask('outsider', 'SELECT count(*) FROM parted_later') || ask('unlimited', 'SELECT count(*) FROM parted_later'), '01', 'S44: protected again, it is filtered directly');

-- Cascades of foreign keys pass row-level security, as they must; a child is judged by its own customer (S43).
CREATE TABLE lines (order_id integer REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE, customer_id bigint);
INSERT INTO lines VALUES (1, 601), (3, 603);
GRANT ALL ON lines TO test_app;
SELECT entitle.protect_table('lines', 'customer_id', external_insert_level => 10) \g /dev/null
SELECT throws_like($$SELECT do_as('outsider', 'INSERT INTO lines VALUES (3, 603)')$$, '%row-level security policy%', 'S43: a line of a hidden order is refused by the policy');
SELECT is(do_as('outsider', 'INSERT INTO lines VALUES (1, 601)'), 1::bigint, 'S43: a line of one''s own is not');
DELETE FROM orders WHERE order_id = 1;
SELECT is((SELECT string_agg(order_id::text, ' ') FROM lines), '3', 'S43: a cascade reaches every child');

SELECT * FROM finish();
ROLLBACK;
