-- Ways to a masked cell that were tried and held: what a conflict brings along (S228), views of one's own over a filtered view (S229), rows
-- that change their partition beside others (S230), and roles that change in the middle of a statement (S231).
\ir error_of.psql
SELECT no_plan();
SET LOCAL client_min_messages = error; -- of triggers that read

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't'), (2, 'n', 'n', 't');
CREATE ROLE test_l20;
CREATE ROLE test_l30;
GRANT test_l20, test_l30 TO test_app;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (101, 'l20', NULL), (102, 'mapped20', 'test_l20'), (103, 'mapped30', 'test_l30');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
VALUES (1, 101, 'L20', NULL), (2, 101, 'L30', NULL), (1, 102, 'L20', NULL), (1, 103, 'L30', NULL);
CREATE SCHEMA shop;
CREATE SCHEMA own;
GRANT USAGE ON SCHEMA shop TO test_app, test_l20, test_l30;
GRANT USAGE, CREATE ON SCHEMA own TO test_app;
CREATE TABLE shop.prices (item text PRIMARY KEY, price integer);
INSERT INTO shop.prices VALUES ('pen', 4711);
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, item text, price integer DEFAULT 4242);
CREATE FUNCTION shop.fill() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, pg_temp
    AS 'BEGIN SELECT p.price INTO NEW.price FROM prices p WHERE p.item = NEW.item; RETURN NEW; END';
CREATE TRIGGER fill BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.fill();
INSERT INTO shop.orders VALUES (1, 1, 'pen'), (2, 2, 'pen');
CREATE TABLE shop.months (id integer, customer_id bigint, item text, price integer, at integer, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE shop.months_1 PARTITION OF shop.months FOR VALUES FROM (0) TO (10);
CREATE TABLE shop.months_2 (price integer, at integer NOT NULL, gone text, item text, customer_id bigint, id integer NOT NULL);
ALTER TABLE shop.months_2 DROP gone;
ALTER TABLE shop.months ATTACH PARTITION shop.months_2 FOR VALUES FROM (10) TO (20);
INSERT INTO shop.months SELECT i, 1 + i % 2, 'm', 700 + i, i FROM generate_series(1, 9) i;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.orders, shop.months TO test_app, test_l20, test_l30;
SELECT entitle.protect_table(t, 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}')
FROM unnest('{shop.orders,shop.months}'::regclass[]) t \g /dev/null
GRANT ALL ON ALL TABLES IN SCHEMA shop TO test_app;

-- S228: the row that is proposed holds what triggers and defaults made of it.
SELECT alike(error_of('l20', 'INSERT INTO shop.orders (id, customer_id, item) VALUES (1, 1, ''pen'') ON CONFLICT (id) DO UPDATE SET ' || c), '42501 permission denied for table orders', 'S228: ' || c)
FROM unnest(ARRAY['item = excluded.price::text', 'item = excluded::text', 'item = ''y'' WHERE excluded.price > 5', 'item = (SELECT to_jsonb(e)::text FROM (SELECT excluded.*) e)',
                  'item = ''y'' WHERE orders.price > excluded.price', 'item = ''y'' RETURNING price']) AS c;
SELECT is(error_of('l20', 'INSERT INTO shop.orders (id, customer_id, item) VALUES (1, 1, ''pen'') ON CONFLICT (id) DO UPDATE SET item = excluded.item || orders.id'), '1', 'what is open is merged as ever');

-- S229
SELECT do_as(NULL, 'CREATE VIEW own.part AS SELECT id, customer_id, item, price AS p, masked_columns FROM shop.orders_view WHERE price IS NULL WITH LOCAL CHECK OPTION') \g /dev/null
SELECT do_as(NULL, 'CREATE FUNCTION own.whole(shop.orders_view) RETURNS text LANGUAGE plpgsql AS ''BEGIN RETURN $1::text; END''') \g /dev/null
CREATE FUNCTION test_returned(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    BEGIN
        told := ask('l20', command);
        RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN told;
    END;
END $$;
SELECT is(test_returned(command), told, 'S229: ' || command)
FROM (VALUES ('INSERT INTO own.part (id, customer_id, item) VALUES (3, 1, ''pen'') RETURNING part::text', '(3,1,pen,,{price})'),
             ('UPDATE own.part SET item = ''pen'' RETURNING part::text', '(1,1,pen,,{price})'),
             ('UPDATE shop.orders_view SET item = ''x'' WHERE id = 1 RETURNING own.whole(orders_view)', '(1,1,x,,{price})'),
             ('WITH u AS (UPDATE shop.orders_view SET item = ''x'' WHERE id = 1 RETURNING *) INSERT INTO shop.orders (id, customer_id, item) SELECT 9, 1, coalesce(price::text, ''none'') FROM u RETURNING item', 'none'))
     AS v (command, told);
SELECT is(error_of('l20', 'UPDATE own.part SET p = 1'), '42501 permission denied to update column "price" of "shop.orders_view"', 'S229: nor is it written so');
-- Before PostgreSQL 17 no view is the target of MERGE.
SELECT alike(error_of('l20', c), CASE WHEN current_setting('server_version_num')::integer < 170000 THEN '0A000%' ELSE told END, 'S229: ' || c)
FROM (VALUES ('MERGE INTO own.part USING (VALUES (1)) v (i) ON id = i WHEN MATCHED THEN DELETE', '42501 permission denied to delete this row%'),
             ('MERGE INTO shop.orders_view USING (VALUES (1)) v (i) ON id = i WHEN MATCHED THEN UPDATE SET item = coalesce(price::text, ''none'')', '1'))
     AS v (c, told);
SELECT CASE WHEN current_setting('server_version_num')::integer < 170000 THEN skip('RETURNING of MERGE came with PostgreSQL 17') ELSE
    is(test_returned('MERGE INTO shop.orders_view USING (VALUES (1)) v (i) ON id = i WHEN MATCHED THEN UPDATE SET item = coalesce(price::text, ''none'') RETURNING item'),
       'none', 'S229: MERGE reads what its user sees') END;

-- S230: 2, 4, 6 and 8 are of customer 1, where the price is masked.
SELECT alike(error_of('l20', c), '42501 permission denied to move this row of table "%"', 'S230: ' || c)
FROM unnest(ARRAY['UPDATE shop.months SET at = at + 10, customer_id = 2 WHERE id = 2',
                  'UPDATE shop.months SET at = at + 10, customer_id = 2 WHERE id < 4',
                  'MERGE INTO shop.months m USING generate_series(1, 9) i ON m.id = i WHEN MATCHED AND i % 2 = 1 THEN UPDATE SET at = 19 WHEN MATCHED THEN UPDATE SET at = 18, customer_id = 2',
                  'WITH m AS (UPDATE shop.months SET at = 19 WHERE id = 3 RETURNING id) UPDATE shop.months SET customer_id = 2, at = 18 WHERE id = 2',
                  'WITH m AS (UPDATE shop.months SET at = 19 WHERE id = 3), n AS (UPDATE shop.months SET customer_id = 2, at = 18 WHERE id = 2) SELECT',
                  'WITH n AS (UPDATE shop.months SET customer_id = 2, at = 18 WHERE id = 2), m AS (UPDATE shop.months SET at = 19 WHERE id = 3) SELECT',
                  'INSERT INTO shop.months (id, customer_id, at) VALUES (2, 1, 2) ON CONFLICT (id, at) DO UPDATE SET customer_id = 2',
                  'UPDATE shop.months_view SET customer_id = 2, at = 18 WHERE id = 2']) AS c;
SELECT is(error_of('l20', 'UPDATE shop.months SET at = at + 10'), '9', 'partitions alone are changed');
SELECT is(test_returned('UPDATE shop.months_view SET at = 19 WHERE id = 2 RETURNING months_view::text'), '(2,1,m,,19,{price})', 'through the view, too');

-- S231: rows that come after the role has changed are judged by the new one, and a mask is no answer that is kept.
CREATE FUNCTION test_as(role name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE command INTO told;
    RESET ROLE;
    RETURN told;
END $$;
SET LOCAL plan_cache_mode = force_generic_plan;
CREATE FUNCTION own.total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(price) FROM shop.orders_view';
CREATE FUNCTION own.each() RETURNS SETOF shop.orders_view LANGUAGE plpgsql STABLE AS 'BEGIN RETURN QUERY SELECT * FROM shop.orders_view; END';
CREATE FUNCTION own.changed(role name) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN set_config(''role'', role, true); END';
GRANT USAGE ON SCHEMA own TO test_l20, test_l30;
SELECT is(test_as(r, c), told, format('S231: %s: %s', r, c))
FROM (VALUES ('test_l30', '4711'), ('test_l20', NULL), ('test_l30', '4711'), ('test_l20', NULL)) AS v (r, told),
     unnest(ARRAY['SELECT own.total()', 'SELECT sum(price) FROM own.each()', 'SELECT sum(price) FROM shop.orders_view']) AS c;
SELECT is(test_as('test_l30', 'SELECT count(price) FROM (SELECT own.changed(''test_l20'') OFFSET 0) s, shop.orders_view'), '0', 'S231: the role in the middle counts');

SELECT * FROM finish();
ROLLBACK;
