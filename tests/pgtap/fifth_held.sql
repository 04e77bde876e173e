-- A cursor that is opened deep down goes by rights of its own (S255). Tried and held: masks after a savepoint that took them away (S254),
-- foreign keys that move rows by defaults, generated columns and triggers (S256), parts whose columns stand in another order (S257).
\ir error_of.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_mapped;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', 'a'), (102, 'b', 'b', 'b'), (103, 'c', 'c', 'c');
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (101, 'l20', NULL), (102, 'mapped', 'test_mapped');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', NULL), (101, 102, 'L20', NULL), (102, 102, 'L20', NULL);

-- S254
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, item text, price integer);
INSERT INTO orders SELECT i, 101 + i % 2, 'item', 7 FROM generate_series(1, 9) i;
SELECT entitle.protect_table('orders', 'customer_id', min_level => 20, masked_columns => '{"price": 30}') \g /dev/null
GRANT SELECT ON orders TO test_app, test_mapped;
PREPARE prices AS SELECT max(price) FROM orders;
SELECT is(error_of('l20', 'EXECUTE prices'), '42501 permission denied for table orders', 'a masked column is closed');
SAVEPOINT unmasked;
SELECT entitle.unprotect_table('orders') \g /dev/null
SELECT is(error_of('l20', 'EXECUTE prices'), '1', 'until the table is unprotected');
ROLLBACK TO unmasked;
SELECT is(error_of('l20', 'EXECUTE prices'), '42501 permission denied for table orders', 'S254: a rollback closes it again');
SELECT is(error_of('l20', 'SELECT price FROM orders'), '42501 permission denied for table orders', 'S254: for new statements, too');
SAVEPOINT exchanged;
ALTER TABLE orders RENAME price TO other;
ALTER TABLE orders RENAME item TO price;
SELECT is(error_of('l20', 'SELECT ' || c || ' FROM orders'), '42501 permission denied for table orders', 'S254: names are exchanged: ' || c) FROM unnest('{price,other}'::text[]) c;
ROLLBACK TO exchanged;
SELECT is(error_of('l20', 'SELECT item FROM orders'), '4', 'S254: and back');

-- S255
CREATE FUNCTION no_question(i integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT 1 FROM pg_class LIMIT 1'; RETURN i; END $$;
CREATE FUNCTION deep(n integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c refcursor := 'deep_cursor';
    r text;
    x record;
BEGIN
    IF n = 0 THEN
        OPEN c NO SCROLL FOR EXECUTE 'SELECT id, no_question(id) FROM (SELECT id FROM orders ORDER BY item, id OFFSET 0) o';
        FETCH c INTO x;
        RETURN x.id;
    END IF;
    EXECUTE 'SELECT deep(' || n - 1 || ')' INTO r;
    RETURN r;
END
$$;
CREATE FUNCTION gone_on(n integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c refcursor := 'deep_cursor';
    x record;
BEGIN
    SET LOCAL ROLE test_mapped;
    PERFORM deep(n);
    RESET ROLE;
    UPDATE entitle.external_access SET customer_id = 103 WHERE user_id = 102 AND customer_id = 102;
    SET LOCAL ROLE test_mapped;
    FETCH c INTO x;
    RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = x.id;
EXCEPTION WHEN SQLSTATE 'P0999' THEN
    RETURN 'row ' || SQLERRM;
WHEN serialization_failure THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(gone_on(n), '40001', format('S255: a cursor that was opened below %s statements ends when rights change', n)) FROM unnest('{1,100,124,125,126,127,128,129,130,140}'::integer[]) n;

-- S256
CREATE TABLE kinds (id integer PRIMARY KEY);
INSERT INTO kinds VALUES (101), (102), (103);
CREATE TABLE defaulted (id integer PRIMARY KEY, customer_id integer DEFAULT 103 REFERENCES kinds ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
CREATE TABLE generated (id integer PRIMARY KEY, kind integer DEFAULT 103 REFERENCES kinds ON UPDATE CASCADE ON DELETE SET DEFAULT, customer_id bigint GENERATED ALWAYS AS (kind) STORED);
CREATE TABLE triggered (id integer PRIMARY KEY, kind integer REFERENCES kinds ON UPDATE CASCADE ON DELETE SET NULL, customer_id bigint);
CREATE FUNCTION give_away() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.customer_id := 103; RETURN NEW; END';
CREATE TRIGGER give_away BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION give_away();
SELECT entitle.protect_table(t, 'customer_id') FROM unnest('{defaulted,generated,triggered}'::regclass[]) t \g /dev/null
GRANT SELECT, UPDATE, DELETE ON kinds TO test_app;
CREATE FUNCTION tried(t text, login text, command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM defaulted; DELETE FROM generated; DELETE FROM triggered;
    EXECUTE format('INSERT INTO %I (id, %I) VALUES (1, 102)', t, CASE t WHEN 'defaulted' THEN 'customer_id' ELSE 'kind' END);
    IF t = 'triggered' THEN
        UPDATE triggered SET id = 1; ALTER TABLE triggered DISABLE TRIGGER USER; UPDATE triggered SET customer_id = 102;
        ALTER TABLE triggered ENABLE TRIGGER USER; ALTER TABLE triggered ENABLE ALWAYS TRIGGER zz_entitle_move;
    END IF;
    RETURN error_of(login, command);
END
$$;
SELECT is(tried(t, login, c), format('42501 permission denied to move this row of table "%s"', t), format('S256: %s, %s: %s', t, coalesce(login, 'nobody'), c))
FROM unnest('{defaulted,generated,triggered}'::text[]) t, unnest('{l20,NULL}'::text[]) login,
     unnest('{DELETE FROM kinds WHERE id = 102,UPDATE kinds SET id = 110 WHERE id = 102}'::text[]) c
WHERE NOT (t = 'generated' AND c LIKE 'UPDATE%');

-- S257
CREATE TABLE parted (id integer, customer_id bigint, item text, price integer) PARTITION BY LIST (customer_id);
CREATE TABLE parted_one (price integer, gone text, item text, id integer, customer_id bigint);
ALTER TABLE parted_one DROP gone;
ALTER TABLE parted ATTACH PARTITION parted_one FOR VALUES IN (101);
CREATE TABLE above (id integer, customer_id bigint, item text, price integer);
CREATE TABLE heir (price integer, own text, customer_id bigint, id integer, item text);
ALTER TABLE heir INHERIT above;
INSERT INTO parted VALUES (1, 101, 'a', 77);
INSERT INTO heir (id, customer_id, item, price) VALUES (1, 101, 'a', 77);
SELECT entitle.protect_table(t, 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}')
FROM unnest('{parted,above}'::regclass[]) t \g /dev/null
GRANT SELECT, INSERT, UPDATE ON parted, parted_one, above, heir TO test_app;
SELECT is(error_of('l20', replace(c, 'TAB', t)), '42501 permission denied for table ' || t, 'S257: ' || replace(c, 'TAB', t))
FROM unnest('{parted,parted_one,above,heir}'::text[]) t,
     unnest(ARRAY['SELECT price FROM TAB', 'SELECT t FROM TAB t', 'UPDATE TAB SET item = price', 'UPDATE TAB SET price = 1', 'INSERT INTO TAB (id, customer_id, price) VALUES (2, 101, 1)']) c;
SELECT is(error_of('l20', replace(c, 'TAB', t)), '1', 'what is not masked is open: ' || replace(c, 'TAB', t))
FROM unnest('{parted,parted_one,above,heir}'::text[]) t,
     unnest(ARRAY['SELECT id, customer_id, item FROM TAB', 'UPDATE TAB SET item = ''x''', 'INSERT INTO TAB (id, customer_id, item) VALUES (2, 101, ''y'')']) c;

-- R54: what a MERGE deletes does not go where it inserts; what it moves, does.
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'two'), (3, 1, 'three');
INSERT INTO entitle.brand_module SELECT b, m.module_key FROM entitle.module m, unnest('{1,2,3}'::bigint[]) b ON CONFLICT DO NOTHING;
INSERT INTO entitle.role (role_id, organization_id, name) OVERRIDING SYSTEM VALUE VALUES (150, 1, 'deleter'), (151, 1, 'writer');
INSERT INTO entitle.role_permission SELECT 150, k FROM unnest('{conversions.view,conversions.delete}'::text[]) k;
INSERT INTO entitle.role_permission SELECT 151, k FROM unnest('{conversions.view,conversions.create,conversions.update,conversions.delete}'::text[]) k;
INSERT INTO entitle.app_user (user_id, login) VALUES (103, 'staff');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (103, 1, 150), (103, 2, 151);
CREATE TABLE stock (id integer, brand_id bigint, item text) PARTITION BY LIST (brand_id);
CREATE TABLE stock_one PARTITION OF stock FOR VALUES IN (1);
CREATE TABLE stock_two PARTITION OF stock FOR VALUES IN (2);
CREATE TABLE stock_three PARTITION OF stock FOR VALUES IN (3);
INSERT INTO stock VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c');
SELECT entitle.protect_table('stock', brand_column => 'brand_id', view_permission => 'conversions.view', insert_permission => 'conversions.create',
                             update_permission => 'conversions.update', delete_permission => 'conversions.delete') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON stock TO test_app;
SELECT is(error_of('staff', 'MERGE INTO stock s USING (VALUES (1, 1), (2, 2), (7, 2)) v (i, b) ON s.id = v.i ' || c), told, 'R54: MERGE ... ' || c)
FROM (VALUES
    ('WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.i, v.b, ''new'')', '3'),
    ('WHEN MATCHED AND v.b = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET item = ''x'' WHEN NOT MATCHED THEN INSERT VALUES (v.i, v.b, ''new'')', '3'),
    ('WHEN MATCHED AND v.b = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET brand_id = 2 WHEN NOT MATCHED THEN INSERT VALUES (v.i, v.b, ''new'')', '42501 permission denied to update this row of table "stock_one"')) AS v (c, told);
INSERT INTO entitle.role_permission VALUES (150, 'conversions.update');
SELECT is(error_of('staff', 'MERGE INTO stock s USING (VALUES (1, 1), (2, 2), (7, 2)) v (i, b) ON s.id = v.i WHEN MATCHED AND v.b = 2 THEN DELETE '
                            'WHEN MATCHED THEN UPDATE SET brand_id = 2 WHEN NOT MATCHED THEN DO NOTHING'), '2', 'R54: a move among deletes, to as many rights');
DELETE FROM entitle.role_permission WHERE role_id = 150 AND permission_key = 'conversions.delete';
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (103, 3, 151);
SELECT is(error_of('staff', 'MERGE INTO stock s USING (VALUES (1, 1), (2, 2), (3, 3)) v (i, b) ON s.id = v.i WHEN MATCHED AND v.b = 3 THEN DELETE '
                            'WHEN MATCHED AND v.b = 1 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET brand_id = 3'), '2', 'R54: whatever else it deletes');

SELECT * FROM finish();
ROLLBACK;
