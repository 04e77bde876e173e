-- Brands by uuid and by text: rows of protected tables that name them so are judged as those that name them by number (R52, R54, R55), and
-- a key that no brand has, or another's, opens nothing and tells nothing (S470 to S474, S476).
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.brand (brand_id, organization_id, name, brand_uuid, brand_code) VALUES
    (102, 1, 'two', md5('two')::uuid, 'two'), (103, NULL, 'a bookshop', md5('shop')::uuid, 'shop'), (104, 1, 'by number', NULL, NULL);
UPDATE entitle.brand SET brand_uuid = md5('one')::uuid, brand_code = 'one' WHERE brand_id = 1;
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, module_key FROM entitle.module, unnest('{102,103,104}'::bigint[]) b;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (150, 1, 'editor');
INSERT INTO entitle.role_permission
SELECT 150, k FROM unnest('{customers.view,conversions.view,conversions.create,conversions.update,conversions.delete}'::text[]) k;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'tom'), (102, 'eve'), (103, 'both'), (104, 'stranger');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (102, 102, 150), (103, 1, 150), (103, 102, 150), (103, 104, 150);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (101, 1, 'a', 'a', 'a'), (102, 102, 'b', 'b', 'b'), (104, 104, 'd', 'd', 'd');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', NULL), (104, 101, 'L20', NULL);

-- The keys of the model.
SELECT throws_ok(format('UPDATE entitle.brand SET %s WHERE brand_id = 102', change), state, NULL, change)
FROM (VALUES ('brand_uuid = md5(''one'')::uuid', '23505'), ('brand_code = ''one''', '23505'), ('brand_code = '' ''', '23514'),
             ('brand_code = repeat(''x'', 1001)', '23514')) AS c (change, state);
SELECT lives_ok($$ UPDATE entitle.brand SET brand_code = 'One' WHERE brand_id = 104; UPDATE entitle.brand SET brand_code = NULL WHERE brand_id = 104 $$,
                'R4: keys are compared byte for byte, and nobody needs one');

CREATE FUNCTION named(type text, word text) RETURNS text LANGUAGE sql AS $$ SELECT CASE type WHEN 'uuid' THEN md5(word)::uuid::text ELSE word END $$;
-- A command in which %word stands for the key.
CREATE FUNCTION spelled(type text, command text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(regexp_replace(command, '%\w+', quote_literal(named(type, (regexp_match(command, '%(\w+)'))[1]))), command)
$$;
-- The rows of the table that somebody sees.
CREATE FUNCTION seen(login text, relation text DEFAULT 'orders') RETURNS text LANGUAGE sql
    AS $$ SELECT ask(login, format('SELECT coalesce(string_agg(id::text, '' '' ORDER BY id), ''nothing'') FROM %s', relation)) $$;
-- The last step before the decision, and the decision.
CREATE FUNCTION explained(login text, call text) RETURNS text LANGUAGE sql
    AS $$ SELECT ask(login, format('SELECT string_agg(format(''%%s %%s'', passed, detail), ''; '' ORDER BY step) FROM entitle.%s WHERE gate IN (''membership'', ''decision'', ''staff'')', call)) $$;

CREATE FUNCTION check_keys(type text) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    moved CONSTANT text := '42501 permission denied to move this row of table "orders"';
    refused CONSTANT text := '42501 new row violates row-level security policy for table "orders"';
    tried text[];
BEGIN
    EXECUTE format('CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, home %s, price numeric)', type);
    CREATE TABLE lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders);
    EXECUTE format('INSERT INTO orders SELECT i, c, k::%s, 10 FROM (VALUES (1, 101, %L), (2, 102, %L), (3, 101, NULL), (4, 101, %L), (5, NULL, %L), (6, 102, %L)) v (i, c, k)',
                   type, named(type, 'one'), named(type, 'two'), named(type, 'none yet'), named(type, 'two'), named(type, 'shop'));
    INSERT INTO lines SELECT id, id FROM orders;
    GRANT SELECT, INSERT, UPDATE, DELETE ON orders, lines TO test_app;
    PERFORM entitle.protect_table('orders', 'customer_id', brand_column => 'home', view_permission => 'conversions.view', insert_permission => 'conversions.create',
                                  update_permission => 'conversions.update', delete_permission => 'conversions.delete', external_insert_level => 20,
                                  external_update_level => 20, masked_columns => '{"price": 30}', view_name => 'orders_seen'),
            entitle.protect_table('lines', parent => 'orders');

    RETURN NEXT is(seen('eve'), '2 5', type || ', R52: staff see their brand''s rows');
    RETURN NEXT is(seen('both'), '1 2 5', type || ', R52: of several brands');
    RETURN NEXT is(seen('tom'), '1 3 4', type || ': whoever has access sees the customer''s, whatever the brand');
    RETURN NEXT is(seen('stranger') || seen(NULL), 'nothingnothing', type || ', S470: a key that no brand has, and none, open nothing');
    RETURN NEXT is(seen('eve', 'lines'), '2 5', type || ', R51: lines follow');
    RETURN NEXT is(ask('both', 'SELECT string_agg(coalesce(price::text, ''-''), '' '' ORDER BY id) FROM orders_seen'), '10 10 10', type || ', R36: whole by permission');
    RETURN NEXT is(ask('tom', 'SELECT string_agg(coalesce(price::text, ''-''), '' '' ORDER BY id) FROM orders_seen'), '- - -', type || ', R36: and masked by access');

    FOREACH tried SLICE 1 IN ARRAY ARRAY[['UPDATE orders SET home = %two WHERE id = 1', moved], ['UPDATE orders SET home = %shop WHERE id = 1', moved],
               ['UPDATE orders SET home = %later WHERE id = 1', moved], ['UPDATE orders SET home = NULL WHERE id = 1', moved],
               ['UPDATE orders_seen SET home = %later WHERE id = 1', moved], ['UPDATE orders SET home = %later WHERE id = 3', moved],
               ['UPDATE orders SET home = %later WHERE id = 4', moved], ['UPDATE orders SET home = NULL WHERE id = 4', moved],
               ['UPDATE orders SET home = %one WHERE id = 3', '1'], ['UPDATE orders SET home = %one WHERE id = 4', '1'],
               ['UPDATE orders SET customer_id = 101 WHERE id = 4', '1'], ['UPDATE orders SET home = home WHERE id = 4', '1'],
               ['UPDATE orders SET home = NULL WHERE id = 3', '1'], ['INSERT INTO orders VALUES (9, 101, %one)', '1'],
               ['INSERT INTO orders VALUES (9, 101, %two)', refused], ['INSERT INTO orders VALUES (9, 101, %later)', refused],
               ['INSERT INTO orders VALUES (9, 101, NULL)', refused], ['INSERT INTO orders VALUES (9, 104, NULL)', refused],
               ['INSERT INTO orders VALUES (9, 102, %two)', refused]] LOOP
        RETURN NEXT is(error_of('tom', spelled(type, tried[1])), tried[2], type || ', R55, S471: ' || tried[1]);
    END LOOP;
    FOREACH tried SLICE 1 IN ARRAY ARRAY[['INSERT INTO orders VALUES (9, 102, %two)', '1'], ['INSERT INTO orders VALUES (9, 101, %one)', refused], ['INSERT INTO orders VALUES (9, 102, %later)', refused],
               ['INSERT INTO orders VALUES (9, 102, NULL)', refused], ['UPDATE orders SET home = %one WHERE id = 2', moved], ['UPDATE orders SET home = %later WHERE id = 2', moved],
               ['DELETE FROM orders WHERE id = 5', '23503'], ['UPDATE orders_seen SET price = 1', '2'], ['DELETE FROM orders WHERE id = 1', '0']] LOOP
        RETURN NEXT is(left(error_of('eve', spelled(type, tried[1])), length(tried[2])), tried[2], type || ', R3, R52: by permission in the row''s brand: ' || tried[1]);
    END LOOP;
    RETURN NEXT is(error_of('both', format('UPDATE orders SET home = %L WHERE id = 2', named(type, 'one'))), '1', type || ', R54: from brand to brand where nothing is gained');

    RETURN NEXT is(explained('eve', 'explain_row(''orders'', ''2'')'), 't a member of brand "two" (102); t allowed by permission; t allowed', type || ': explained');
    RETURN NEXT is(ask('both', format('SELECT passed::text FROM entitle.explain_new_row(''orders'', %L) WHERE gate = ''decision''',
                                       jsonb_build_object('customer_id', 101, 'home', named(type, 'two')))), 'true', type || ': a new row in a brand');
    RETURN NEXT is(ask('tom', format('SELECT passed || '' '' || detail FROM entitle.explain_new_row(''orders'', %L) WHERE gate = ''external'' ORDER BY step DESC LIMIT 1',
                                       jsonb_build_object('customer_id', 101, 'home', named(type, 'later')))), 'false by external access a row takes the brand of its customer',
                  type || ', R55: of one in none');
    RETURN NEXT is((SELECT count(*) FROM entitle.verify_protection()), 0::bigint, type || ': it is installed as declared');
    RETURN NEXT is((SELECT count(*) FROM entitle.lint() l WHERE l.finding ~ 'every organization'), 0::bigint, type || ', S164: no tenant shares its rows');

    -- S472: a key that comes, moves or goes is in force at the next statement.
    EXECUTE format('UPDATE entitle.brand SET brand_%s = %L WHERE brand_id = 104', CASE type WHEN 'uuid' THEN 'uuid' ELSE 'code' END, named(type, 'none yet'));
    RETURN NEXT is(seen('both'), '1 2 4 5', type || ', S472: a key that comes');
    EXECUTE format('UPDATE entitle.brand SET brand_%s = NULL WHERE brand_id = 102', CASE type WHEN 'uuid' THEN 'uuid' ELSE 'code' END);
    RETURN NEXT is(seen('both') || seen('eve'), '1 4nothing', type || ', S472: one that goes');
    EXECUTE format('UPDATE entitle.brand SET brand_%s = NULL WHERE brand_id = 103; UPDATE entitle.brand SET brand_%1$s = %L WHERE brand_id = 104',
                   CASE type WHEN 'uuid' THEN 'uuid' ELSE 'code' END, named(type, 'shop'));
    RETURN NEXT is(seen('both'), '1 6', type || ', S472: and one that moves');
    UPDATE entitle.brand SET is_active = false WHERE brand_id = 1;
    RETURN NEXT is(seen('both'), '6', type || ', S473: a brand that is switched off has no key');
    UPDATE entitle.brand SET is_active = true WHERE brand_id = 1;
    EXECUTE format('UPDATE entitle.brand SET brand_%s = NULL WHERE brand_id = 104; UPDATE entitle.brand SET brand_%1$s = %L WHERE brand_id = 102;'
                   ' UPDATE entitle.brand SET brand_%1$s = %3$L WHERE brand_id = 103', CASE type WHEN 'uuid' THEN 'uuid' ELSE 'code' END, named(type, 'two'), named(type, 'shop'));

    -- Rows without customer, whatever their brand.
    PERFORM entitle.unprotect_table('lines'), entitle.protect_table('orders', 'customer_id', brand_column => 'home', view_permission => 'conversions.view', shared_rows => true);
    RETURN NEXT is(seen('stranger') || ' ' || seen('eve'), '5 2 5', type || ': shared rows are everybody''s');
    DROP TABLE lines, orders CASCADE;
END
$$;
SELECT check_keys('uuid');
SELECT check_keys('text');
SELECT check_keys('varchar(40)');
SELECT check_keys('char(40)');

-- S476: whether a key that the asker made up is a brand's, is not told: not by explanations, nor by what is refused.
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, home text);
INSERT INTO orders VALUES (1, 101, 'one'), (3, 101, NULL);
GRANT SELECT, INSERT, UPDATE ON orders TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', brand_column => 'home', view_permission => 'conversions.view', insert_permission => 'conversions.create',
                             external_insert_level => 20, external_update_level => 20);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (102, 104, 'L80', NULL);
INSERT INTO entitle.role_permission VALUES (150, 'external_access.manage');
CREATE FUNCTION told(login text, about text, customer bigint, home text, whom text DEFAULT NULL) RETURNS text LANGUAGE sql
    AS $$ SELECT replace(ask(login, format('SELECT string_agg(e::text, ''; '' ORDER BY step) FROM entitle.explain_new_row(%L, %L, %L, %L) e', 'orders',
                                           jsonb_build_object('id', 1, 'customer_id', customer, 'home', home), about, whom)), home, 'KEY') $$;
SELECT is(told(login, about, customer, 'shop', whom), told(login, about, customer, 'nobody', whom), format('S476: %s of customer %s, asked by %s about %s', about, customer, login, whom))
FROM unnest('{tom,eve,stranger,NULL}'::text[]) login, unnest('{insert,update}'::text[]) about, unnest('{101,102,104,NULL}'::bigint[]) customer, unnest('{NULL,tom,eve}'::text[]) whom;
SELECT entitle.protect_table('orders', 'customer_id', brand_column => 'home', view_permission => 'conversions.view', insert_permission => 'conversions.create',
                             external_insert_level => 20, external_update_level => 20, shared_rows => true);
SELECT is(told('eve', about, NULL, 'shop', whom), told('eve', about, NULL, 'nobody', whom), format('S476: %s of a shared row, asked by eve about %s', about, whom))
FROM unnest('{insert,update}'::text[]) about, unnest('{NULL,tom,eve,both}'::text[]) whom;
SELECT matches(told('eve', 'insert', 102, 'two'), 'in brand 102.*t,allowed', 'one''s own brand is known');
SELECT matches(told('tom', 'insert', 101, 'one'), 'in brand 1.*t,allowed', 'and that of a customer to whom one has access');
SELECT doesnt_match(told('tom', 'insert', 102, 'two'), 'brand 102', 'S476: not that of another');
CREATE FUNCTION hint_of(login text, command text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE hint text; BEGIN
    PERFORM do_as(login, command); RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT; RETURN SQLERRM || ' ' || hint;
END $$;
SELECT is(hint_of(login, format(command, 'shop')), hint_of(login, format(command, 'nobody')), format('S476: %s by %s', command, login))
FROM unnest('{tom,eve,stranger}'::text[]) login, unnest('{INSERT INTO orders VALUES (9\, 101\, %L),INSERT INTO orders VALUES (9\, NULL\, %L),UPDATE orders SET home = %L WHERE id = 1,UPDATE orders SET home = %L WHERE id = 3,INSERT INTO orders VALUES (9\, 101\, repeat(%L\, 100000)),UPDATE orders SET home = repeat(%L\, 100000) WHERE id = 3}'::text[]) command;
SELECT matches(hint_of('tom', 'INSERT INTO orders VALUES (9, 101, repeat(''x'', 100000))'), '^new row violates row-level security', 'a key longer than any is one that no brand has');
SELECT matches(hint_of('tom', 'UPDATE orders SET home = repeat(''x'', 100000) WHERE id = 3'), '^permission denied to move', 'in a row that moves, too');
DROP TABLE orders;

-- S474: texts that only look alike are others.
CREATE TABLE orders (id integer PRIMARY KEY, home text);
INSERT INTO orders VALUES (1, 'two'), (2, 'TWO'), (3, 'two '), (4, ' two'), (5, ''), (6, '102'), (7, repeat('two', 100000));
GRANT SELECT ON orders TO test_app;
SELECT entitle.protect_table('orders', brand_column => 'home', view_permission => 'conversions.view');
SELECT is(seen('eve'), '1', 'S474, R4: byte for byte');
DROP TABLE orders;

SELECT * FROM finish();
ROLLBACK;
