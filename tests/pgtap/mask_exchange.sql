-- Columns exchange their names, as a migration without downtime has it, and every way back to order opens nothing: a masked column
-- stays masked by its name and by what it is until protect_table is told other masks (R36; S137), and the column that decides whose
-- a row is stays the one that it was made with (R54; S138).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (103, 'l20'), (104, 'l80');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1'), (102, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 103, 'L20', NULL), (102, 104, 'L80', NULL);

CREATE FUNCTION make() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DROP SCHEMA IF EXISTS shop CASCADE;
    CREATE SCHEMA shop;
    GRANT USAGE ON SCHEMA shop TO test_app;
    CREATE TABLE shop.orders (gone text, id integer PRIMARY KEY, customer_id bigint, other_id bigint, item text, note text, price text);
    CREATE TABLE shop.lines (order_id integer REFERENCES shop.orders, line integer, what text, price text, PRIMARY KEY (order_id, line));
    ALTER TABLE shop.orders DROP COLUMN gone;
    INSERT INTO shop.orders VALUES (1, 101, 102, 'tea', 'open', 'secret');
    INSERT INTO shop.lines VALUES (1, 1, 'open', 'secret');
    GRANT SELECT, INSERT, UPDATE, DELETE ON shop.orders, shop.lines TO test_app;
    PERFORM protect_orders(), entitle.protect_table('shop.lines', parent => 'shop.orders', external_update_level => 20,
                                                    masked_columns => '{"price": 30}');
END
$$;
CREATE FUNCTION protect_orders() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM entitle.protect_table('shop.orders', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}');
END
$$;

-- Which secrets a user finds in any column of any relation.
CREATE FUNCTION leaks(login text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    query text;
    told text := '';
BEGIN
    FOREACH query IN ARRAY ARRAY(SELECT format('SELECT count(*) FROM %s AS t WHERE t.%I::text ~ ''^secret''', c.oid::regclass, a.attname)
                                 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                                 WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped) LOOP
        BEGIN
            IF ask(login, query)::integer > 0 THEN
                told := told || query || '; ';
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN
            NULL;
        END;
    END LOOP;
    RETURN told;
END
$$;
-- As an administrator goes down the list, again and again until there is nothing left to do.
CREATE FUNCTION mend() RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    remedies text[];
    remedy text;
BEGIN
    FOR rounds IN 0..4 LOOP
        remedies := ARRAY(SELECT DISTINCT v.remedy FROM entitle.verify_protection() v);
        IF remedies = '{}' THEN
            RETURN rounds;
        END IF;
        FOREACH remedy IN ARRAY remedies LOOP
            EXECUTE remedy;
        END LOOP;
    END LOOP;
    RETURN 5;
END
$$;
-- What the ways back to order give, each on a world of its own.
CREATE FUNCTION check_exchange(title text, change text) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    way text[];
BEGIN
    FOREACH way SLICE 1 IN ARRAY ARRAY[['the remedies', 'SELECT mend()'],
                                       ['the same call again', 'SELECT protect_orders()'],
                                       ['the same call twice, and the remedies', 'SELECT protect_orders(); SELECT protect_orders(); SELECT mend()'],
                                       ['another argument', $w$ SELECT entitle.protect_table('shop.orders', 'customer_id', min_level => 20,
                                           external_update_level => 20, masked_columns => '{"price": 30}') $w$]] LOOP
        PERFORM make();
        EXECUTE change;
        RETURN NEXT is(leaks('l20') || leaks('l80'), '', title || ' opens nothing');
        IF way[1] = 'the remedies' THEN
            RETURN NEXT isnt_empty('SELECT FROM entitle.verify_protection()', title || ' is told by verify_protection');
        END IF;
        BEGIN
            EXECUTE way[2];
        EXCEPTION WHEN object_not_in_prerequisite_state THEN
            RETURN NEXT ok(way[1] <> 'the remedies', format('%s: %s may be refused', title, way[1]));
        END;
        RETURN NEXT is(leaks('l20') || leaks('l80'), '', format('%s opens nothing after %s', title, way[1]));
        PERFORM mend();
        RETURN NEXT is_empty('SELECT relation, problem FROM entitle.verify_protection()', format('%s is mended after %s', title, way[1]));
        RETURN NEXT is(leaks('l20') || leaks('l80'), '', format('%s opens nothing in the end, after %s', title, way[1]));
        RETURN NEXT is(ask('l20', 'SELECT count(*) FROM shop.orders_view') || ask('l80', 'SELECT count(*) FROM shop.orders_view'), '10',
                       format('%s: after %s the order shows to its customer''s and to no other', title, way[1]));
    END LOOP;
END
$$;

-- S137: masks.
SELECT check_exchange('S137: a masked column replaced', $$
    ALTER TABLE shop.orders ADD price_new text; UPDATE shop.orders SET price_new = 'secret new';
    ALTER TABLE shop.orders RENAME price TO price_old; ALTER TABLE shop.orders RENAME price_new TO price $$);
SELECT check_exchange('S137: a masked column replaced behind a view that is gone', $$
    ALTER TABLE shop.orders ADD price_new text; UPDATE shop.orders SET price_new = 'secret new'; DROP VIEW shop.lines_view, shop.orders_view;
    ALTER TABLE shop.orders RENAME price TO price_old; ALTER TABLE shop.orders RENAME price_new TO price $$);
SELECT check_exchange('S137: a masked column whose name an open one takes', $$
    ALTER TABLE shop.orders RENAME price TO x; ALTER TABLE shop.orders RENAME note TO price; ALTER TABLE shop.orders RENAME x TO note $$);
SELECT check_exchange('S137: the same behind a view that is gone', $$
    DROP VIEW shop.orders_view; ALTER TABLE shop.orders RENAME price TO x; ALTER TABLE shop.orders RENAME note TO price;
    ALTER TABLE shop.orders RENAME x TO note $$);
SELECT check_exchange('S137: the same while another table is protected', $$
    DROP VIEW shop.orders_view; ALTER TABLE shop.orders RENAME price TO x; ALTER TABLE shop.orders RENAME note TO price;
    ALTER TABLE shop.orders RENAME x TO note; CREATE TABLE shop.other (id integer PRIMARY KEY, customer_id bigint, price text);
    SELECT entitle.protect_table('shop.other', 'customer_id', masked_columns => '{"price": 30}') $$);
SELECT check_exchange('S137: a masked column dropped and made again', $$
    ALTER TABLE shop.orders DROP price CASCADE; ALTER TABLE shop.orders ADD price text DEFAULT 'secret' $$);
SELECT check_exchange('S137: a masked column dropped, whose name an open one takes, and made again', $$
    ALTER TABLE shop.orders RENAME price TO price_old; ALTER TABLE shop.orders ADD price text DEFAULT 'secret';
    ALTER TABLE shop.orders DROP item CASCADE $$);
SELECT check_exchange('S137: a line''s masked column replaced', $$
    ALTER TABLE shop.lines RENAME price TO x; ALTER TABLE shop.lines RENAME what TO price; ALTER TABLE shop.lines RENAME x TO what $$);
SELECT check_exchange('S137: a line''s masked column replaced behind a view that is gone', $$
    DROP VIEW shop.lines_view; ALTER TABLE shop.lines ADD more text; UPDATE shop.lines SET more = 'secret';
    ALTER TABLE shop.lines RENAME price TO x; ALTER TABLE shop.lines RENAME more TO price $$);

-- Step by step, each with its own way back to order, or through alter_protected.
CREATE FUNCTION check_steps(title text, steps text[], after_each text) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    step text;
BEGIN
    PERFORM make();
    FOREACH step IN ARRAY steps LOOP
        EXECUTE step;
        EXECUTE after_each;
    END LOOP;
    UPDATE shop.orders SET price = 'secret new';
    PERFORM mend();
    RETURN NEXT is(leaks('l20') || leaks('l80'), '', title);
    RETURN NEXT is_empty('SELECT relation, problem FROM entitle.verify_protection()', title || ': and all is well');
END
$$;
SELECT check_steps('S137: a masked column replaced in three steps, each with its remedies', ARRAY[
    'ALTER TABLE shop.orders ADD price_new text', 'ALTER TABLE shop.orders RENAME price TO price_old', 'ALTER TABLE shop.orders RENAME price_new TO price'],
    'SELECT mend()');
SELECT check_steps('S137: a masked column replaced through alter_protected', ARRAY[
    $$ SELECT entitle.alter_protected('shop.orders', 'ADD price_new text') $$, $$ SELECT entitle.alter_protected('shop.orders', 'RENAME price TO price_old') $$,
    $$ SELECT entitle.alter_protected('shop.orders', 'RENAME price_new TO price') $$], 'SELECT 1');
SELECT make();
SELECT entitle.alter_protected('shop.orders', 'RENAME price TO price_old', '{"price_old": 40}'), entitle.alter_protected('shop.orders', 'ADD price text');
SELECT is((SELECT masked_columns FROM entitle.protected_tables WHERE relation = 'shop.orders'::regclass), '{"price_old": 40}',
          'S137: told other masks, alter_protected forgets the name');

-- And protect_table, told other masks, opens what they leave out.
SELECT make();
ALTER TABLE shop.orders RENAME price TO x;
ALTER TABLE shop.orders RENAME note TO price;
ALTER TABLE shop.orders RENAME x TO note;
SELECT mend();
SELECT is((SELECT masked_columns FROM entitle.protected_tables WHERE relation = 'shop.orders'::regclass), '{"note": 30, "price": 30}',
          'S137: what is masked now is what is declared');
SELECT protect_orders();
SELECT is(leaks('l20'), '', 'S137: the first call again, after the remedies, opens nothing');
SELECT entitle.protect_table('shop.orders', 'customer_id', external_update_level => 20, masked_columns => '{"price": 40}');
SELECT is(ask('l20', 'SELECT note FROM shop.orders_view') || coalesce(ask('l20', 'SELECT price FROM shop.orders_view'), ' masked'),
          'secret masked', 'S137: told other masks, protect_table does as it is told');

-- S138: what decides whose a row is. Lines are judged by their document's own column all the while.
SELECT check_exchange('S138: the customer column exchanged', $$
    ALTER TABLE shop.orders RENAME customer_id TO x; ALTER TABLE shop.orders RENAME other_id TO customer_id;
    ALTER TABLE shop.orders RENAME x TO other_id $$);
SELECT check_exchange('S138: the customer column replaced', $$
    ALTER TABLE shop.orders RENAME customer_id TO x; ALTER TABLE shop.orders ADD customer_id bigint DEFAULT 102 $$);
SELECT check_exchange('S138: the customer column replaced, and the view gone', $$
    DROP VIEW shop.lines_view, shop.orders_view;
    ALTER TABLE shop.orders RENAME customer_id TO x; ALTER TABLE shop.orders ADD customer_id bigint DEFAULT 102 $$);
SELECT make();
ALTER TABLE shop.orders RENAME customer_id TO x;
ALTER TABLE shop.orders RENAME other_id TO customer_id;
SELECT throws_ok('SELECT protect_orders()', '55000', 'column "customer_id" of table "shop.orders" is another one than the protection was made with',
                 'S138: the same call again is refused');
SELECT is(do_as('l20', 'UPDATE shop.lines_view SET what = ''changed'''), 1::bigint, 'S138: until then lines follow the column that decided');
SELECT is(do_as('l80', 'UPDATE shop.lines_view SET what = ''stolen'''), 0::bigint, 'S138: and no other');
SELECT is(do_as('l80', 'UPDATE shop.lines SET what = ''stolen'''), 0::bigint, 'S138: also past the view');
SELECT entitle.unprotect_table('shop.lines'), entitle.unprotect_table('shop.orders'), protect_orders();
SELECT is(ask('l20', 'SELECT count(*) FROM shop.orders_view') || ask('l80', 'SELECT count(*) FROM shop.orders_view'), '01',
          'S138: protected anew, the other column decides');
CREATE TABLE dated (id integer PRIMARY KEY, customer_id bigint, sold date, due date, brand bigint, shop bigint);
SELECT entitle.protect_table('dated', 'customer_id', 'sold', 'brand', view_permission => 'customers.view');
ALTER TABLE dated RENAME sold TO x;
ALTER TABLE dated RENAME due TO sold;
ALTER TABLE dated RENAME brand TO y;
ALTER TABLE dated RENAME shop TO brand;
SELECT set_eq($$ SELECT problem, remedy FROM entitle.verify_protection() WHERE relation = 'dated'::regclass $$,
    $$ VALUES ('a declared column was renamed or dropped', 'SELECT entitle.protect_table(''public.dated'', customer_column => ''customer_id'','
               ' date_column => ''x'', brand_column => ''y'', view_permission => ''customers.view'');') $$,
    'S138: date and brand columns, too, are those that they were');
ALTER POLICY entitle_select ON dated USING (entitle.brand_row_allowed('customers.view', brand, 10, id, sold));
SELECT is((SELECT count(*) FROM entitle.verify_protection() WHERE relation = 'dated'::regclass AND remedy ~ 'brand_column => ''brand''|customer_column => ''id'''),
          0::bigint, 'S138: one policy that somebody changed does not tell which column decides');

SELECT * FROM finish();
ROLLBACK;
