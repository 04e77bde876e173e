-- What becomes of a protected table afterwards, with masks, lines and partitions: each change either leaves the protection whole,
-- or verify_protection names it and the remedy mends it. Until then, and afterwards, nobody sees more than before. And
-- unprotect_table leaves what it found (R36, R51; S44, S46, S78).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (103, 'l20'), (104, 'l30');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 1, 7);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1'), (102, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 103, 'L20', 30), (101, 104, 'L30', 30);
CREATE ROLE test_clerk;
CREATE ROLE test_owner;

-- Rows 1 and 2 show to the outsiders; what they may not see says so. An L20 may not see what an L30 may.
CREATE FUNCTION make(own_key text DEFAULT 'PRIMARY KEY (id)', parts text DEFAULT '') RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    CREATE SCHEMA shop;
    GRANT USAGE ON SCHEMA shop TO test_app, test_clerk, test_owner;
    EXECUTE format('CREATE TABLE shop.orders (gone integer, id integer, customer_id bigint, brand_id bigint, placed_on date,'
                   ' item text DEFAULT ''box'', price text, cost text, %s) %s', own_key, parts);
    IF parts <> '' THEN
        CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES IN (101);
        CREATE TABLE shop.orders_2 PARTITION OF shop.orders FOR VALUES IN (102);
        GRANT SELECT, DELETE, TRIGGER ON shop.orders_1 TO test_app;
    ELSE
        CREATE TABLE shop.lines (order_id integer REFERENCES shop.orders, line integer, what text, price text, PRIMARY KEY (order_id, line));
        GRANT SELECT, INSERT, UPDATE, DELETE ON shop.lines TO test_app;
        GRANT SELECT (order_id, price) ON shop.lines TO test_clerk;
        CREATE TRIGGER own BEFORE UPDATE ON shop.lines FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
        ALTER TABLE shop.lines ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.lines AS RESTRICTIVE FOR SELECT USING (line > 0);
    END IF;
    ALTER TABLE shop.orders DROP COLUMN gone;
    INSERT INTO shop.orders VALUES (1, 101, 1, current_date, 'tea', 'secret to L20', 'secret'), (2, 101, 1, current_date, 'cup', 'secret to L20', 'secret'),
        (3, 102, 1, current_date, 'secret', 'secret', 'secret'), (4, 101, 1, current_date - 90, 'secret', 'secret', 'secret'),
        (5, 102, 2, current_date, 'secret', 'secret', 'secret');
    GRANT ALL ON shop.orders TO test_app;
    GRANT SELECT (id, price), UPDATE (item) ON shop.orders TO test_clerk;
    GRANT SELECT ON shop.orders TO PUBLIC;
    PERFORM set_config('test.before', snapshot(), false);
    PERFORM entitle.protect_table('shop.orders', 'customer_id', 'placed_on', 'brand_id', min_level => 20, view_permission => 'customers.view',
                                  update_permission => 'customers.edit', masked_columns => '{"price": 30, "cost": 80}');
    IF parts = '' THEN
        INSERT INTO shop.lines SELECT id, 1, item, 'secret' FROM shop.orders;
        PERFORM entitle.protect_table('shop.lines', parent => 'shop.orders', masked_columns => '{"price": 40}');
    END IF;
END
$$;

-- Everything of the tables that protect_table touches, but for the order of their privileges.
CREATE FUNCTION snapshot() RETURNS text
    LANGUAGE sql
    AS $$
    SELECT string_agg(x, E'\n' ORDER BY x)
    FROM (
        SELECT format('%s rls %s %s', c.relname, c.relrowsecurity, c.relforcerowsecurity) FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('shop') AND c.relkind IN ('r', 'p', 'v')
        UNION ALL
        SELECT format('%s acl %s', c.relname, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) AS a)) FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('shop') AND c.relkind IN ('r', 'p', 'v')
        UNION ALL
        SELECT format('%s column %s acl %s', c.relname, a.attname, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(nullif(a.attacl, '{}')) AS x))
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = to_regnamespace('shop') AND c.relkind IN ('r', 'p', 'v') AND NOT a.attisdropped
        UNION ALL
        SELECT format('%s policy %s %s %s %s %s', p.polrelid::regclass, p.polname, p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid))
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = to_regnamespace('shop')
        UNION ALL
        SELECT format('trigger %s %s', t.tgenabled, pg_get_triggerdef(t.oid))
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = to_regnamespace('shop') AND NOT t.tgisinternal
    ) AS s (x)
    $$;

-- Whatever of the secrets an outsider, somebody else's staff or nobody finds anywhere, in any column of any relation.
CREATE FUNCTION leaks() RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    who text;
    query text;
    found bigint;
    told text := '';
BEGIN
    -- No loop over a query: nobody signs in while a cursor is open.
    FOREACH query IN ARRAY ARRAY(SELECT format('SELECT count(*) FROM %s AS t WHERE t.%I::text ~ ''^secret', c.oid::regclass, a.attname)
                                 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
                                 WHERE n.nspname IN ('shop', 'store', 'elsewhere') AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0
                                   AND NOT a.attisdropped) LOOP
        FOREACH who IN ARRAY ARRAY['l20', 'l30', NULL] LOOP
            BEGIN
                found := ask(who, query || CASE who WHEN 'l30' THEN '$''' ELSE '''' END);
                IF found > 0 THEN
                    told := told || format('%s found %s by %s; ', coalesce(who, 'nobody'), found, query);
                END IF;
            EXCEPTION WHEN insufficient_privilege THEN
                NULL;
            END;
        END LOOP;
    END LOOP;
    RETURN told;
END
$$;
CREATE FUNCTION problems() RETURNS SETOF text
    LANGUAGE sql AS $$ SELECT DISTINCT format('%s: %s', relation, problem) FROM entitle.verify_protection() $$;
-- Runs each remedy as soon as it is found, as an administrator goes down the list.
CREATE FUNCTION mend() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    remedy text;
BEGIN
    FOREACH remedy IN ARRAY ARRAY(SELECT DISTINCT v.remedy FROM entitle.verify_protection() v) LOOP
        EXECUTE remedy;
    END LOOP;
END
$$;
CREATE FUNCTION seen(login text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN ask(login, format('SELECT count(*) FROM %s', (SELECT entitle_internal.find_view(relation) FROM entitle.protected_tables WHERE parent IS NULL ORDER BY relation::oid LIMIT 1)));
END
$$;

-- named: a part of what verify_protection says, or NULL when it has nothing to say. kept: how many orders the L20 sees afterwards.
CREATE FUNCTION check_change(title text, command text, named text, kept text DEFAULT '2', own_key text DEFAULT 'PRIMARY KEY (id)', parts text DEFAULT '')
    RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    relation regclass;
    found text[];
BEGIN
    PERFORM make(own_key, parts);
    EXECUTE command;
    RETURN NEXT is(leaks(), '', title || ' opens nothing');
    found := ARRAY(SELECT p FROM problems() p);
    IF named IS NULL THEN
        RETURN NEXT is(nullif(array_to_string(found, '; '), ''), NULL, title || ' keeps the protection');
    ELSE
        RETURN NEXT ok(EXISTS (SELECT FROM unnest(found) p WHERE strpos(p, named) > 0), title || ' is named: '
                       || coalesce(nullif(array_to_string(found, '; '), ''), 'no'));
        RETURN NEXT lives_ok('SELECT mend()', title || ' has remedies that work');
        RETURN NEXT is((SELECT string_agg(p, '; ') FROM problems() p), NULL, title || ' is mended by them');
        RETURN NEXT is(leaks(), '', title || ' opens nothing when mended');
    END IF;
    RETURN NEXT is(seen('l20') || ' ' || seen('staff'), kept, title || ': the orders show to whom they did');
    FOR relation IN SELECT p.relation FROM entitle.protected_tables p ORDER BY p.parent NULLS LAST LOOP
        PERFORM entitle.unprotect_table(relation);
    END LOOP;
    RETURN NEXT is((SELECT count(*) FROM entitle.protection_member) + (SELECT count(*) FROM entitle.protection_privilege), 0::bigint,
                   title || ': unprotected, nothing is remembered');
    DROP SCHEMA IF EXISTS shop, store, elsewhere CASCADE;
END
$$;

-- Found and left.
SELECT make();
SELECT isnt(snapshot(), current_setting('test.before'), 'protect_table changes privileges, policies, flags and triggers');
CREATE TEMP TABLE protected AS SELECT snapshot() AS state;
SELECT entitle.protect_table(relation, customer_column, date_column, brand_column, min_level, view_permission, insert_permission, update_permission,
                             delete_permission, external_insert_level, external_update_level, masked_columns, view_name, parent)
FROM entitle.protected_tables;
SELECT is(snapshot(), (SELECT state FROM protected), 'called again with the same arguments it changes nothing');
SELECT entitle.unprotect_table('shop.lines'), entitle.unprotect_table('shop.orders');
SELECT is(snapshot(), current_setting('test.before'), 'unprotect_table leaves privileges, policies, flags and triggers as they were found');
DROP SCHEMA shop CASCADE;
SELECT make('PRIMARY KEY (id, customer_id)', 'PARTITION BY LIST (customer_id)');
SELECT entitle.unprotect_table('shop.orders');
SELECT is(snapshot(), current_setting('test.before'), 'of partitions, too');
DROP SCHEMA shop CASCADE;

-- Also when columns were renamed meanwhile, and by a partition that was detached.
SELECT make();
ALTER TABLE shop.orders RENAME COLUMN price TO amount;
SELECT entitle.unprotect_table('shop.lines'), entitle.unprotect_table('shop.orders');
SELECT set_eq($$ SELECT column_name::text, privilege FROM entitle_internal.table_privileges('shop.orders') WHERE grantee = 'test_clerk' $$,
              $$ VALUES ('id', 'SELECT'), ('amount', 'SELECT'), ('item', 'UPDATE') $$, 'a renamed column''s privileges are put back under its new name');
DROP SCHEMA shop CASCADE;
SELECT make('PRIMARY KEY (id, customer_id)', 'PARTITION BY LIST (customer_id)');
ALTER TABLE shop.orders DETACH PARTITION shop.orders_1;
SELECT mend();
SELECT throws_ok($$ SELECT do_as('staff', 'DELETE FROM shop.orders_1') $$, '42501', 'permission denied to delete this row of table "orders_1"', 'R3: mended, a detached partition refuses writes again');
SELECT is(ask('l20', 'SELECT count(*) || '' '' || count(price) FROM shop.orders_1_view'), '2 0', 'R36: and has a filtered view of its own');
SELECT entitle.unprotect_table('shop.orders_1'), entitle.unprotect_table('shop.orders');
SELECT set_eq($$ SELECT privilege FROM entitle_internal.table_privileges('shop.orders_1') WHERE grantee = 'test_app' AND column_name IS NULL $$,
              $$ VALUES ('SELECT'), ('DELETE'), ('TRIGGER') $$, 'which gives back what it held as a partition');
DROP SCHEMA shop CASCADE;

-- What was revoked meanwhile stays revoked, if it was all there was; a view that is gone revokes nothing.
CREATE TABLE single (id integer PRIMARY KEY, customer_id bigint, price text);
GRANT SELECT ON single TO test_app;
SELECT entitle.protect_table('single', 'customer_id', masked_columns => '{"price": 30}');
DROP VIEW single_view;
SELECT mend();
SELECT ok(has_table_privilege('test_app', 'single_view', 'SELECT') AND NOT has_column_privilege('test_app', 'single', 'price', 'SELECT'),
          'privileges live through a view that was dropped');
REVOKE SELECT ON single_view FROM test_app;
SELECT entitle.unprotect_table('single');
SELECT is_empty($$ SELECT * FROM entitle_internal.table_privileges('single') $$, 'the only privilege, revoked on the view, is not given back');
DROP TABLE single;

-- Other arguments.
SELECT check_change('other masks and another name', $$ SELECT entitle.protect_table('shop.orders', 'customer_id', 'placed_on', 'brand_id', min_level => 20,
                    view_permission => 'customers.view', masked_columns => '{"cost": 80, "price": 30, "item": 90}', view_name => 'shop.order_list') $$, NULL, '2 4');
SELECT make();
SELECT entitle.protect_table('shop.orders', 'customer_id', 'placed_on', 'brand_id', min_level => 20, view_permission => 'customers.view');
SELECT is(to_regclass('shop.orders_view'), NULL, 'without masks there is no view');
SELECT is(ask('l20', 'SELECT count(price) FROM shop.orders'), '2', 'and the table''s columns are open again');
SELECT throws_ok($$ SELECT entitle.protect_table('shop.orders', view_permission => 'customers.view') $$, '22023', NULL, 'a document keeps its customer while its lines have masks');
SELECT entitle.protect_table('shop.lines', parent => 'shop.orders'), entitle.protect_table('shop.orders', view_permission => 'customers.view');
SELECT is(ask('l20', 'SELECT count(*) FROM shop.orders') || ask('l20', 'SELECT count(*) FROM shop.lines_view'), '00', 'without customer it is staff''s, and its lines, too');
SELECT is_empty('SELECT problems()', 'all of which verify_protection knows');
SELECT entitle.unprotect_table('shop.lines'), entitle.unprotect_table('shop.orders');
SELECT is(snapshot(), current_setting('test.before'), 'and unprotect_table undoes');
DROP SCHEMA shop CASCADE;

-- Columns.
SELECT check_change('a renamed masked column', 'ALTER TABLE shop.orders RENAME COLUMN cost TO expense; ALTER TABLE shop.lines RENAME price TO paid',
                    'column "expense" is "cost" in the filtered view', '2 4');
SELECT check_change('a renamed open column', 'ALTER TABLE shop.orders RENAME COLUMN item TO thing', 'column "thing" is "item" in the filtered view', '2 4');
SELECT check_change('exchanged names', 'ALTER TABLE shop.orders RENAME COLUMN cost TO x; ALTER TABLE shop.orders RENAME COLUMN item TO cost; ALTER TABLE shop.orders RENAME COLUMN x TO item',
                    'column "cost" is "item" in the filtered view', '2 4');
SELECT check_change('renamed columns that decide', 'ALTER TABLE shop.orders RENAME COLUMN customer_id TO buyer; ALTER TABLE shop.orders RENAME COLUMN placed_on TO day;'
                    ' ALTER TABLE shop.orders RENAME COLUMN brand_id TO shop', 'a declared column was renamed or dropped', '2 4');
SELECT check_change('a renamed customer column, and a policy that is gone', 'ALTER TABLE shop.orders RENAME COLUMN customer_id TO buyer; DROP POLICY entitle_update ON shop.orders;'
                    ' DROP VIEW shop.orders_view', 'policy "entitle_update" is missing', '2 4');
SELECT check_change('a renamed key of lines', 'ALTER TABLE shop.orders RENAME COLUMN id TO number; ALTER TABLE shop.lines RENAME COLUMN order_id TO number',
                    'column "number" is "order_id" in the filtered view', '2 4');
SELECT check_change('masked columns of lines and their document, dropped', 'ALTER TABLE shop.lines DROP COLUMN price CASCADE; ALTER TABLE shop.orders DROP COLUMN cost CASCADE',
                    'the filtered view, or the trigger that writes through it, is missing', '2 4');
SELECT check_change('a dropped open column', 'ALTER TABLE shop.orders DROP COLUMN item CASCADE', 'the filtered view, or the trigger that writes through it, is missing', '2 4');
SELECT check_change('a dropped masked column', 'ALTER TABLE shop.orders DROP COLUMN cost CASCADE', 'the filtered view, or the trigger that writes through it, is missing', '2 4');
SELECT check_change('a masked column that was dropped and came back', 'ALTER TABLE shop.orders DROP COLUMN cost CASCADE; ALTER TABLE shop.orders ADD COLUMN cost text DEFAULT ''secret''',
                    'the filtered view, or the trigger that writes through it, is missing', '2 4');
SELECT check_change('a masked column renamed behind a view that is gone', 'DROP VIEW shop.orders_view; ALTER TABLE shop.orders RENAME COLUMN cost TO expense',
                    'the filtered view, or the trigger that writes through it, is missing', '2 4');
SELECT check_change('a dropped date column', 'ALTER TABLE shop.orders DROP COLUMN placed_on CASCADE', 'a declared column was renamed or dropped', '0 4');
SELECT check_change('a dropped customer column', 'ALTER TABLE shop.orders DROP COLUMN customer_id CASCADE', 'a declared column was renamed or dropped', '0 4');
SELECT check_change('a dropped brand column', 'ALTER TABLE shop.orders DROP COLUMN brand_id CASCADE', 'a declared column was renamed or dropped', '2 0');
-- Added later it is open to nobody, until the table is protected again.
SELECT make();
ALTER TABLE shop.orders ADD COLUMN margin text;
SELECT throws_ok($$ SELECT ask('staff', 'SELECT margin FROM shop.orders') $$, '42501', NULL, 'S78: a column added later is open to nobody');
SELECT throws_ok('ALTER TABLE shop.orders ALTER COLUMN price TYPE varchar(20)', '0A000', NULL, 'a column keeps its type while the view shows it');
SELECT throws_ok('ALTER TABLE shop.orders DROP COLUMN item', '2BP01', NULL, 'and is not dropped by accident');
SELECT entitle.unprotect_table('shop.lines'), entitle.unprotect_table('shop.orders');
DROP SCHEMA shop CASCADE;
SELECT check_change('an added column', 'ALTER TABLE shop.orders ADD COLUMN margin text; ALTER TABLE shop.lines ADD COLUMN margin text',
                    'column "margin" is not in the filtered view', '2 4');
SELECT check_change('an added column masked_columns', 'ALTER TABLE shop.orders ADD COLUMN masked_columns text', 'column "masked_columns" is not in the filtered view', '2 4');
SELECT check_change('an added column with a grant on the table', 'ALTER TABLE shop.orders ADD COLUMN margin text; GRANT SELECT (margin) ON shop.orders TO test_app',
                    'column "margin" is not in the filtered view', '2 4');

-- The table, its schema, its owner, its foreign key.
SELECT check_change('a renamed table', 'ALTER TABLE shop.orders RENAME TO purchases; ALTER TABLE shop.lines RENAME TO positions', NULL, '2 4');
SELECT check_change('a renamed schema', 'ALTER SCHEMA shop RENAME TO store', NULL, '2 4');
SELECT check_change('another schema', 'CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO test_app; ALTER TABLE shop.orders SET SCHEMA elsewhere', NULL, '2 4');
SELECT check_change('another owner', 'ALTER TABLE shop.orders OWNER TO test_owner; ALTER TABLE shop.lines OWNER TO test_owner', 'does not belong to the table''s owner', '2 4');
SELECT check_change('a foreign key that is not valid', 'ALTER TABLE shop.lines DROP CONSTRAINT lines_order_id_fkey; ALTER TABLE shop.lines ADD CONSTRAINT'
                    ' lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES shop.orders NOT VALID', 'foreign key', '2 4');
SELECT check_change('row security that does not bind the owner', 'ALTER TABLE shop.orders NO FORCE ROW LEVEL SECURITY', 'row-level security', '2 4');
SELECT check_change('a disabled trigger', 'ALTER TABLE shop.orders DISABLE TRIGGER entitle_update', 'trigger "entitle_update"', '2 4');

-- The view.
SELECT check_change('a renamed view', 'ALTER VIEW shop.orders_view RENAME TO order_list', NULL, '2 4');
SELECT check_change('a view in another schema', 'CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO test_app; ALTER VIEW shop.orders_view SET SCHEMA elsewhere', NULL, '2 4');
SELECT check_change('a renamed column of the view', 'ALTER VIEW shop.orders_view RENAME COLUMN price TO amount', 'column "price" is "amount" in the filtered view', '2 4');
SELECT check_change('a dropped view', 'DROP VIEW shop.lines_view, shop.orders_view', 'the filtered view, or the trigger that writes through it, is missing', '2 4');
SELECT check_change('a dropped trigger of the view', 'DROP TRIGGER entitle_write ON shop.orders_view', 'the filtered view, or the trigger that writes through it, is missing', '2 4');
SELECT check_change('a view with its reader''s rights', 'ALTER VIEW shop.orders_view SET (security_invoker = true)', 'is no plain security barrier', '2 4');
SELECT check_change('another owner of the view', 'ALTER VIEW shop.orders_view OWNER TO test_owner', 'does not belong to the table''s owner', '2 4');
SELECT check_change('a rule of the view', 'CREATE RULE past AS ON UPDATE TO shop.orders_view DO INSTEAD UPDATE shop.orders SET price = NEW.price WHERE id = OLD.id',
                    'rule "past" of the filtered view "shop.orders_view" goes past its trigger', '2 4');
SELECT check_change('another trigger of the view', 'CREATE TRIGGER other INSTEAD OF UPDATE ON shop.orders_view FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
                    'trigger "other" of the filtered view "shop.orders_view" writes in the place of ours', '2 4');
SELECT check_change('a comment', 'COMMENT ON COLUMN shop.orders.price IS ''per piece''', NULL, '2 4');

-- Partitions.
SELECT check_change('a new partition', $$ CREATE TABLE shop.orders_3 PARTITION OF shop.orders FOR VALUES IN (103); INSERT INTO shop.orders_3 VALUES (9, 103, 2, current_date, 'secret', 'secret', 'secret') $$,
                    NULL, '2 4', 'PRIMARY KEY (id, customer_id)', 'PARTITION BY LIST (customer_id)');
SELECT check_change('an attached partition', $$ CREATE TABLE shop.orders_3 (LIKE shop.orders INCLUDING ALL); GRANT ALL ON shop.orders_3 TO test_clerk;
                    ALTER TABLE shop.orders ATTACH PARTITION shop.orders_3 FOR VALUES IN (103) $$,
                    NULL, '2 4', 'PRIMARY KEY (id, customer_id)', 'PARTITION BY LIST (customer_id)');
SELECT check_change('a detached partition', 'ALTER TABLE shop.orders DETACH PARTITION shop.orders_2', 'was a part of protected table shop.orders', '2 3',
                    'PRIMARY KEY (id, customer_id)', 'PARTITION BY LIST (customer_id)');
SELECT check_change('a dropped partition', 'DROP TABLE shop.orders_2', NULL, '2 3', 'PRIMARY KEY (id, customer_id)', 'PARTITION BY LIST (customer_id)');
SELECT check_change('a partition that has partitions', $$ CREATE TABLE shop.orders_3 PARTITION OF shop.orders FOR VALUES IN (103) PARTITION BY RANGE (id);
                    CREATE TABLE shop.orders_31 PARTITION OF shop.orders_3 FOR VALUES FROM (0) TO (100); GRANT ALL ON shop.orders_31 TO test_clerk;
                    INSERT INTO shop.orders_31 VALUES (9, 103, 2, current_date, 'secret', 'secret', 'secret') $$,
                    'test_clerk may select masked columns of shop.orders_31', '2 4', 'PRIMARY KEY (id, customer_id)', 'PARTITION BY LIST (customer_id)');
SELECT check_change('a masked column of a partition, granted', 'GRANT SELECT (price) ON shop.orders_1 TO test_clerk',
                    'test_clerk may select masked column price of shop.orders_1', '2 4', 'PRIMARY KEY (id, customer_id)', 'PARTITION BY LIST (customer_id)');
SELECT check_change('an inheriting table', $$ CREATE TABLE shop.orders_3 () INHERITS (shop.orders); INSERT INTO shop.orders_3 VALUES (9, 102, 2, current_date, 'secret', 'secret', 'secret') $$,
                    NULL, '2 4');

SELECT * FROM finish();
ROLLBACK;
