-- Moves: an UPDATE that changes what a row belongs to gives its writer no right on it that was denied where it was (R54), and
-- external access gives a row no brand but its customer's (R55): through the table, the view, MERGE, ON CONFLICT, lines,
-- documents, partitions, and for customers and grants (S142 to S147).
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.brand (brand_id, organization_id, name) OVERRIDING SYSTEM VALUE VALUES (102, 1, 'two'), (103, NULL, 'a bookshop');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, module_key FROM entitle.module, unnest('{102,103}'::bigint[]) b;
INSERT INTO entitle.role (role_id, organization_id, name) OVERRIDING SYSTEM VALUE VALUES (150, 1, 'editor'), (151, 1, 'manager');
INSERT INTO entitle.role_permission
    SELECT 150, k FROM unnest('{customers.view,customers.edit,conversions.view,conversions.update}'::text[]) k
    UNION ALL
    SELECT 151, k FROM unnest('{external_access.manage,conversions.delete}'::text[]) k;
INSERT INTO entitle.app_user (user_id, login) VALUES
    (101, 'yuki'), (102, 'eve'), (103, 'friend'), (104, 'tom'), (105, 'staff'), (106, 'admin'), (107, 'updater');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (102, 1, 150), (102, 102, 150), (102, 1, 151), (105, 1, 1), (107, 1, 150);
INSERT INTO entitle.customer (customer_id, brand_id, customer_code, legal_name, trade_name, tax_id) VALUES
    (101, 1, 'one', 'a', 'a', 'a'), (102, 1, 'two', 'b', 'b', 'b'), (103, 1, 'three', 'c', 'c', 'c'), (107, 102, 'seven', 'd', 'd', 'd');
-- yuki reads prices of customer 101 alone; of customer 103 she sees nothing.
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (101, 101, 'L30', NULL), (102, 101, 'L20', NULL), (101, 104, 'L20', NULL), (102, 104, 'L20', NULL),
    (101, 106, 'L80', NULL), (102, 106, 'L90', NULL), (101, 103, 'L10', NULL);

CREATE FUNCTION make_tables(owner name) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, day date DEFAULT current_date, item text, price numeric);
    CREATE TABLE lines (order_id integer NOT NULL REFERENCES orders, number integer, cost numeric, PRIMARY KEY (order_id, number));
    CREATE TABLE notes (id integer PRIMARY KEY, order_id integer, number integer, note text, FOREIGN KEY (order_id, number) REFERENCES lines);
    INSERT INTO orders (id, customer_id, item, price) VALUES (1, 101, 'own', 10), (2, 102, 'theirs', 777), (3, 103, 'hidden', 5);
    INSERT INTO lines VALUES (1, 1, 1), (2, 1, 66), (2, 2, 67), (3, 1, 9);
    INSERT INTO notes VALUES (1, 1, 1, 'x'), (2, 2, 1, 'secret');
    EXECUTE format('ALTER TABLE orders OWNER TO %1$I; ALTER TABLE lines OWNER TO %1$I; ALTER TABLE notes OWNER TO %1$I', owner);
    GRANT SELECT, INSERT, UPDATE, DELETE ON orders, lines, notes TO test_app;
    PERFORM entitle.protect_table('orders', 'customer_id', 'day', min_level => 20, view_permission => 'conversions.view',
                update_permission => 'conversions.update', delete_permission => 'conversions.delete', external_insert_level => 20,
                external_update_level => 20, masked_columns => '{"price": 30}'),
            entitle.protect_table('lines', parent => 'orders', external_insert_level => 20, external_update_level => 20,
                update_permission => 'conversions.update', masked_columns => '{"cost": 30}'),
            entitle.protect_table('notes', parent => 'lines', external_update_level => 20, masked_columns => '{"note": 30}');
END
$$;

CREATE FUNCTION check_moves(owner name) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    denied CONSTANT text := '42501 permission denied to move this row of table "%s"';
    of CONSTANT text := format(' (table of %s)', owner);
    command text;
    said text[];
BEGIN
    PERFORM make_tables(owner);
    FOREACH command IN ARRAY ARRAY[
        'UPDATE %s SET customer_id = 101 WHERE id = 2',
        'UPDATE %s SET customer_id = 101',
        'UPDATE %s SET customer_id = 101, item = ''x'' WHERE id = 2 RETURNING id, customer_id',
        'UPDATE %s o SET customer_id = v.c FROM (VALUES (2, 101)) v (i, c) WHERE o.id = v.i',
        'MERGE INTO %s o USING (VALUES (2)) v (i) ON o.id = v.i WHEN MATCHED THEN UPDATE SET customer_id = 101',
        'INSERT INTO %s (id, customer_id, item) VALUES (2, 101, ''x'') ON CONFLICT (id) DO UPDATE SET customer_id = 101',
        'WITH moved AS (UPDATE %s SET customer_id = 101 WHERE id = 2) SELECT 1',
        'WITH moved AS (UPDATE %s SET customer_id = 101 WHERE id = 2 RETURNING id) SELECT id FROM moved LIMIT 0'] LOOP
        RETURN NEXT is(error_of('yuki', format(command, 'orders')), format(denied, 'orders'), 'R54, S142: ' || format(command, 'orders') || of);
        CONTINUE WHEN command ~ '^(MERGE|INSERT)'; -- PostgreSQL has neither for views with INSTEAD OF triggers
        RETURN NEXT is(error_of('yuki', format(command, 'orders_view')), format(denied, 'orders'), 'R54, S142: ' || format(command, 'orders_view') || of);
    END LOOP;
    RETURN NEXT is(error_of('yuki', 'UPDATE orders_view SET customer_id = 101, price = 1 WHERE id = 2'),
                   '42501 permission denied to update column "price" of "public.orders_view"', 'R37: nor is it written on the way' || of);
    RETURN NEXT is((SELECT string_agg(concat_ws(' ', id, customer_id, price), ', ' ORDER BY id) FROM orders),
                   '1 101 10, 2 102 777, 3 103 5', 'nothing moved' || of);
    -- What gains nothing goes through: to fewer rights, to equal ones, and what moves nothing.
    RETURN NEXT is(error_of('yuki', 'UPDATE orders_view SET customer_id = 102 WHERE id = 1'), '1', 'R54: to where there is less' || of);
    RETURN NEXT is(error_of('tom', 'UPDATE orders SET customer_id = 101 WHERE id = 2'), '1', 'R54: to where there is as much' || of);
    RETURN NEXT is(error_of('tom', 'UPDATE orders_view SET customer_id = 101 WHERE id = 2'), '1', 'R54: through the view, too' || of);
    RETURN NEXT is(error_of('yuki', 'UPDATE orders SET item = ''x'', customer_id = customer_id WHERE id = 2'), '1', 'R54: what stays is no move' || of);
    RETURN NEXT is(error_of('yuki', 'UPDATE orders SET day = current_date + 1 WHERE id = 2'), '1', 'R54: nor is another day' || of);
    RETURN NEXT is(error_of('updater', 'UPDATE orders_view SET customer_id = 101 WHERE id = 2'), '1', 'R54: staff see it whole here and there' || of);
    RETURN NEXT is(error_of('yuki', 'UPDATE orders SET customer_id = NULL WHERE id = 2') ~ '^42501 ', true, 'S142: nor over a row of nobody' || of);

    -- R51: lines, and lines of lines
    FOREACH command IN ARRAY ARRAY['UPDATE lines SET order_id = 1, number = 5 WHERE order_id = 2 AND number = 1',
                                   'UPDATE lines_view SET order_id = 1, number = 5 WHERE order_id = 2 AND number = 1'] LOOP
        DELETE FROM notes WHERE id = 2;
        RETURN NEXT is(error_of('yuki', command), format(denied, 'lines'), 'R54, S145: ' || command || of);
        RETURN NEXT is(error_of('tom', command), '1', 'R54: who sees as much may: ' || command || of);
        RETURN NEXT is(error_of('updater', command), '1', 'R54: so may staff: ' || command || of);
        INSERT INTO notes VALUES (2, 2, 1, 'secret');
    END LOOP;
    RETURN NEXT is(error_of('yuki', 'UPDATE notes SET order_id = 1 WHERE id = 2'), format(denied, 'notes'), 'S145: a line''s line' || of);
    RETURN NEXT is(error_of('yuki', 'UPDATE notes_view SET order_id = 1 WHERE id = 2'), format(denied, 'notes'), 'S145: through its view' || of);
    RETURN NEXT is(error_of('yuki', 'UPDATE notes SET order_id = 2 WHERE id = 1'), '1', 'R54: to where there is less' || of);

    -- R3: a document that is hidden and one that is not there are the same, whatever keys there are
    said := ARRAY(SELECT error_of('yuki', c) FROM unnest(ARRAY[
        'UPDATE lines_view SET order_id = 3, number = 1 WHERE order_id = 1',
        'UPDATE lines_view SET order_id = 3, number = 7 WHERE order_id = 1',
        'UPDATE lines_view SET order_id = 4, number = 1 WHERE order_id = 1']) AS c);
    RETURN NEXT is(said, array_fill(said[1], '{3}'), 'S147: hidden, taken and absent are told alike' || of);
    RETURN NEXT matches(said[1], '^42501 ', 'S147: as denied' || of);
    said := ARRAY(SELECT error_of('yuki', c) FROM unnest(ARRAY[
        'UPDATE lines SET order_id = 3, number = 1 WHERE order_id = 1',
        'UPDATE lines SET order_id = 3, number = 7 WHERE order_id = 1',
        'UPDATE lines SET order_id = 4, number = 1 WHERE order_id = 1']) AS c);
    RETURN NEXT is(said, array_fill(said[1], '{3}'), 'S147: and on the table' || of);
    RETURN NEXT matches(said[1], '^42501 ', 'S147: as denied' || of);

    -- Another trigger that makes the move, before or after ours by its name
    CREATE FUNCTION take_customer() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.item = ''take'' THEN NEW.customer_id := 101; END IF; RETURN NEW; END';
    FOREACH command IN ARRAY ARRAY['a_trigger', 'zzz_trigger'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION take_customer()', command);
        RETURN NEXT is(error_of('yuki', 'UPDATE orders SET item = ''take'' WHERE id = 2'), format(denied, 'orders'), 'S145: by ' || command || of);
        RETURN NEXT is(error_of('yuki', 'UPDATE orders_view SET item = ''take'' WHERE id = 2'), format(denied, 'orders'),
                       'S145: through the view by ' || command || of);
        EXECUTE format('DROP TRIGGER %I ON orders', command);
    END LOOP;
    RETURN NEXT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared' || of);
    DROP TABLE orders, lines, notes CASCADE;
    DROP FUNCTION take_customer;
END
$$;
CREATE ROLE test_owner;
GRANT ALL ON SCHEMA public TO test_owner;
SELECT check_moves('test_owner');
SELECT check_moves(current_user);

-- Nothing looks at a row where it must not be, not even for a moment: a sequence is not rolled back.
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, price numeric);
INSERT INTO orders VALUES (2, 102, 777);
GRANT SELECT, UPDATE ON orders TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}');
CREATE SEQUENCE seen;
GRANT ALL ON SEQUENCE seen TO test_app;
CREATE FUNCTION peek(wanted integer) RETURNS bigint LANGUAGE sql AS
    'SELECT setval(''public.seen'', coalesce((SELECT price FROM public.orders_view WHERE id = wanted), 1)::bigint)';
SELECT is(error_of('yuki', 'UPDATE orders SET customer_id = 101 RETURNING peek(id)'), '42501 permission denied to move this row of table "orders"',
          'S142: by a function in RETURNING');
SELECT is((SELECT last_value FROM seen), 1::bigint, 'S142: which did not see the price');
DROP TABLE orders CASCADE;

-- A document's rights are its lines', too: with no mask of its own.
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders, cost numeric);
INSERT INTO orders VALUES (1, 101), (2, 102);
INSERT INTO lines VALUES (1, 1, 1), (2, 2, 66);
GRANT SELECT, UPDATE ON orders, lines TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20);
SELECT is(error_of('yuki', 'UPDATE orders SET customer_id = 101 WHERE id = 2'), '1', 'R54: an order with nothing masked moves');
SELECT entitle.protect_table('lines', parent => 'orders', masked_columns => '{"cost": 30}');
SELECT is(error_of('yuki', 'UPDATE orders SET customer_id = 101 WHERE id = 2'), '42501 permission denied to move this row of table "orders"',
          'S145: not when its lines would show what is masked');
SELECT entitle.protect_table('lines', parent => 'orders', external_update_level => 30);
SELECT is(error_of('yuki', 'UPDATE orders SET customer_id = 101 WHERE id = 2'), '42501 permission denied to move this row of table "orders"',
          'S145: nor when they could be written');
-- Names that were exchanged, or changed, do not mislead.
ALTER TABLE orders RENAME customer_id TO client;
ALTER TABLE orders ADD customer_id bigint DEFAULT 101;
SELECT is(error_of('yuki', 'UPDATE orders SET client = 101 WHERE id = 2'), '42501 permission denied to move this row of table "orders"',
          'S145: by a renamed column');
DROP TABLE lines, orders CASCADE;

-- Keys that documents exchange, where a deferrable foreign key lets lines wait for it
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders DEFERRABLE INITIALLY DEFERRED, cost numeric);
INSERT INTO orders VALUES (1, 101), (2, 102), (3, 101);
INSERT INTO lines VALUES (1, 1, 1), (2, 2, 66);
SET CONSTRAINTS ALL IMMEDIATE;
GRANT SELECT, UPDATE ON orders, lines TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, view_name => 'orders_view');
SELECT is(error_of('yuki', 'UPDATE orders SET id = 100 WHERE id = 3'), '1', 'a key changes');
SELECT entitle.protect_table('lines', parent => 'orders', masked_columns => '{"cost": 30}');
SELECT is(error_of('yuki', format('UPDATE %s SET id = 100 WHERE id = 1', t)), '42501 permission denied to change the key of this row of table "orders"',
          'S145: not where lines would take another order for theirs: ' || t)
FROM unnest('{orders,orders_view}'::text[]) AS t;
DROP TABLE lines, orders CASCADE;

-- Cascades of foreign keys are the doing of who began them; lines stay with a document that gets another key.
CREATE TABLE clients (id bigint PRIMARY KEY, name text);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint DEFAULT 101 REFERENCES clients ON UPDATE CASCADE ON DELETE SET DEFAULT, price numeric);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders ON UPDATE CASCADE, cost numeric);
INSERT INTO clients VALUES (1, 'first'), (102, 'b');
INSERT INTO orders VALUES (2, 102, 777);
INSERT INTO lines VALUES (1, 2, 66);
GRANT SELECT, UPDATE, DELETE ON clients, orders TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}'),
       entitle.protect_table('lines', parent => 'orders', masked_columns => '{"cost": 30}');
SELECT is(error_of('yuki', 'UPDATE clients SET id = 101 WHERE id = 102'), '42501 permission denied to move this row of table "orders"',
          'S145: by ON UPDATE CASCADE');
SELECT is(error_of('yuki', 'UPDATE clients SET id = 104 WHERE id = 102'), '1', 'R54: a cascade that gains nothing');
SELECT is(error_of('yuki', 'UPDATE orders SET id = 5 WHERE id = 2'), '1', 'R54: lines stay with their document when it gets another key');
SELECT lives_ok('UPDATE clients SET id = 101 WHERE id = 102', 'R53: a superuser''s cascade');
UPDATE clients SET id = 102 WHERE id = 101;
INSERT INTO clients VALUES (101, 'a');
SELECT is(error_of('yuki', 'DELETE FROM clients WHERE id = 102'), '42501 permission denied to move this row of table "orders"',
          'S145: by ON DELETE SET DEFAULT');
DROP TABLE lines, orders, clients CASCADE;

-- Rows by their brand: who deletes in one brand alone moves nothing there to delete it (attack 13).
CREATE TABLE deals (id integer PRIMARY KEY, brand_id bigint, name text);
INSERT INTO deals VALUES (1, 102), (2, 1);
GRANT SELECT, UPDATE, DELETE ON deals TO test_app;
SELECT entitle.protect_table('deals', brand_column => 'brand_id', view_permission => 'conversions.view',
                             update_permission => 'conversions.update', delete_permission => 'conversions.delete');
SELECT is(error_of('eve', 'DELETE FROM deals WHERE id = 1'), '42501 permission denied to delete this row of table "deals"', 'she may not delete it');
SELECT is(error_of('eve', 'UPDATE deals SET brand_id = 1 WHERE id = 1'), '42501 permission denied to move this row of table "deals"',
          'R54, S143: nor move it to where she may');
SELECT is(error_of('eve', 'UPDATE deals SET brand_id = 102 WHERE id = 2'), '1', 'R54: the other way she may');
DROP TABLE deals;

-- Keys of customers match byte for byte, whatever the column's collation says.
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id) VALUES (108, 'ONE', 'e', 'e', 'e');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (108, 101, 'L10', NULL);
CREATE TABLE visits (id integer PRIMARY KEY, code text COLLATE blind, note text);
INSERT INTO visits VALUES (1, 'ONE', 'x');
GRANT SELECT, UPDATE ON visits TO test_app;
SELECT entitle.protect_table('visits', 'code', external_update_level => 10, masked_columns => '{"note": 30}');
SELECT is(error_of('yuki', 'UPDATE visits SET code = ''one'''), '42501 permission denied to move this row of table "visits"',
          'S142: another customer by a key that compares equal');
DROP TABLE visits CASCADE;

-- R55: a row with brand and customer, by external access (attack 19)
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, brand_id bigint);
INSERT INTO orders VALUES (1, 101, 1), (2, 101, 102), (3, 101, NULL);
GRANT SELECT, INSERT, UPDATE ON orders TO test_app;
SELECT entitle.protect_table('orders', customer_column => 'customer_id', brand_column => 'brand_id', view_permission => 'conversions.view',
                             insert_permission => 'conversions.create', update_permission => 'conversions.update',
                             external_insert_level => 20, external_update_level => 20, view_name => 'orders_seen');
SELECT is(error_of('tom', command), ended, 'R55, S144: ' || command)
FROM (VALUES
    ('UPDATE orders SET brand_id = 103 WHERE id = 1', '42501 permission denied to move this row of table "orders"'),
    ('UPDATE orders SET brand_id = 102 WHERE id = 1', '42501 permission denied to move this row of table "orders"'),
    ('UPDATE orders SET brand_id = NULL WHERE id = 1', '42501 permission denied to move this row of table "orders"'),
    ('UPDATE orders_seen SET brand_id = 103 WHERE id = 1', '42501 permission denied to move this row of table "orders"'),
    ('MERGE INTO orders o USING (VALUES (1)) v (i) ON o.id = v.i WHEN MATCHED THEN UPDATE SET brand_id = 103',
     '42501 permission denied to move this row of table "orders"'),
    ('UPDATE orders SET brand_id = 1 WHERE id = 2', '1'),
    ('UPDATE orders SET brand_id = 1 WHERE id = 3', '1'),
    ('UPDATE orders SET customer_id = 102 WHERE id = 2', '1'),
    ('UPDATE orders_seen SET brand_id = 1 WHERE id = 2', '1'),
    ('INSERT INTO orders VALUES (4, 101, 1)', '1'),
    ('INSERT INTO orders VALUES (4, 101, 103)', '42501 new row violates row-level security policy for table "orders"'),
    ('INSERT INTO orders VALUES (4, 101, NULL)', '42501 new row violates row-level security policy for table "orders"'),
    ('INSERT INTO orders_seen VALUES (4, 101, 1)', '1'),
    ('INSERT INTO orders_seen VALUES (4, 101, 103)', '42501 permission denied to insert this row of "public.orders_seen"'),
    ('INSERT INTO orders VALUES (1, 101, 1) ON CONFLICT (id) DO UPDATE SET brand_id = 103',
     '42501 permission denied to move this row of table "orders"')
) AS c (command, ended);
SELECT is(ask('tom', $$ SELECT passed || ' ' || coalesce(detail, '') FROM entitle.explain_new_row('orders', '{"customer_id": 101, "brand_id": 103}')
                        WHERE gate = 'external' ORDER BY step DESC LIMIT 1 $$),
          'false by external access a row takes the brand of its customer', 'R55: explained');
DROP TABLE orders CASCADE;

-- Customers between brands, one right after the other (attack 13)
GRANT SELECT, UPDATE ON entitle.customer, entitle.external_access TO test_app;
SELECT is(error_of('eve', 'UPDATE entitle.customer SET brand_id = 1 WHERE customer_id = 107'), '42501 permission denied to move this customer',
          'R54, S143: not to where she manages external access');
SELECT is(error_of('eve', 'UPDATE entitle.customer SET brand_id = 102 WHERE customer_id = 101'), '1', 'R54: the other way she may');
DELETE FROM entitle.role_permission WHERE role_id = 151;
SELECT is(error_of('eve', 'UPDATE entitle.customer SET brand_id = 1 WHERE customer_id = 107'), '1', 'R54: nor where she gains nothing');
INSERT INTO entitle.role_permission SELECT 151, k FROM unnest('{customers.client_metrics}'::text[]) k;
SELECT is(error_of('eve', 'UPDATE entitle.customer SET brand_id = 1 WHERE customer_id = 107'), '42501 permission denied to move this customer',
          'R54, S143: nor to where she scores a PAIN customer');
-- Their keys: rows come along with them.
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 102, 'L30');
SELECT is(error_of('eve', 'UPDATE entitle.customer SET customer_code = ''new'' WHERE customer_id = 101'), '42501 permission denied to move this customer',
          'R54, S143: nobody takes another''s rows to a customer of the own by its code');
SELECT is(error_of('eve', 'UPDATE entitle.customer SET customer_uuid = gen_random_uuid() WHERE customer_id = 101'),
          '42501 permission denied to move this customer', 'R54, S143: nor by its uuid');
SELECT is(error_of('eve', 'UPDATE entitle.customer SET customer_code = ''new'' WHERE customer_id = 103'), '42501 permission denied to change the keys of this customer',
          'R54, S191: nor does one who does not manage its access take a code away');
INSERT INTO entitle.role_permission VALUES (151, 'external_access.manage');
SELECT is(error_of('eve', 'UPDATE entitle.customer SET customer_code = ''new'' WHERE customer_id = 103'), '1', 'R54: a code of a customer without own access');

-- Grants
SELECT is(error_of('admin', 'UPDATE entitle.external_access SET customer_id = 102 WHERE customer_id = 101 AND user_id = 103'),
          '42501 permission denied to move this grant', 'R54, S143: an L80 moves no grant to where it is L90');
SELECT is(error_of('admin', 'UPDATE entitle.external_access SET user_id = 107 WHERE customer_id = 101 AND user_id = 103'), '1',
          'R54: to another user of the same customer it may');

-- Partitions: an UPDATE is an UPDATE, wherever the row goes (issue 12, 25)
CREATE TABLE jobs (id integer, customer_id bigint, state text, note text, PRIMARY KEY (id, state)) PARTITION BY LIST (state);
CREATE TABLE jobs_open PARTITION OF jobs FOR VALUES IN ('open');
CREATE TABLE jobs_done PARTITION OF jobs FOR VALUES IN ('done') PARTITION BY RANGE (id);
CREATE TABLE jobs_done_1 PARTITION OF jobs_done FOR VALUES FROM (0) TO (100);
INSERT INTO jobs VALUES (1, 101, 'open'), (2, 102, 'open'), (3, 102, 'done');
GRANT SELECT, UPDATE, DELETE ON jobs TO test_app;
SELECT entitle.protect_table('jobs', 'customer_id', view_permission => 'conversions.view', update_permission => 'conversions.update',
                             external_update_level => 20, masked_columns => '{"note": 30}');
CREATE TABLE jobs_late PARTITION OF jobs FOR VALUES IN ('late');
GRANT CREATE ON SCHEMA public TO test_app;
CREATE FUNCTION remove_job(wanted integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM public.jobs WHERE id = wanted;
    RETURN wanted;
END
$$;
CREATE FUNCTION remove_job_in_with(wanted integer) RETURNS integer LANGUAGE sql AS
    'WITH gone AS (DELETE FROM public.jobs WHERE id = wanted) SELECT wanted';
SELECT is(error_of(login, command), ended, format('%s: %s', login, command))
FROM (VALUES
    ('eve', 'UPDATE jobs SET state = ''done'' WHERE id = 1', '1'),
    ('yuki', 'UPDATE jobs SET state = ''done'' WHERE id = 1', '1'),
    ('yuki', 'UPDATE jobs_view SET state = ''done'' WHERE id = 1', '1'),
    ('yuki', 'UPDATE jobs SET state = ''late'' WHERE id = 3', '1'),
    ('yuki', 'WITH moved AS (UPDATE jobs SET state = ''done'' WHERE id = 1) SELECT 1', '1'),
    ('yuki', 'MERGE INTO jobs j USING (VALUES (1)) v (i) ON j.id = v.i WHEN MATCHED THEN UPDATE SET state = ''done''', '1'),
    ('staff', 'UPDATE jobs SET state = ''done'' WHERE id = 1', '42501 permission denied to update this row of table "jobs_open"'),
    ('yuki', 'UPDATE jobs SET state = ''done'', customer_id = 101 WHERE id = 2', '42501 permission denied to move this row of table "jobs_open"'),
    ('yuki', 'UPDATE jobs SET customer_id = 101 WHERE id = 3', '42501 permission denied to move this row of table "jobs_done_1"'),
    -- No DELETE hides behind an UPDATE.
    ('yuki', 'DELETE FROM jobs WHERE id = 1', '42501 permission denied to delete this row of table "jobs_open"'),
    ('yuki', 'UPDATE jobs SET state = ''done'' WHERE id = remove_job(1)', '42501 permission denied to delete this row of table "jobs_open"'),
    ('yuki', 'UPDATE jobs SET state = ''done'' WHERE id = 1 RETURNING remove_job(2)', '42501 permission denied to delete this row of table "jobs_open"'),
    ('yuki', 'UPDATE jobs SET state = ''done'' WHERE id = 1 RETURNING remove_job_in_with(2)', '42501 permission denied to delete this row of table "jobs_open"'),
    ('yuki', 'WITH gone AS (DELETE FROM jobs WHERE id = 2) UPDATE jobs SET state = ''done'' WHERE id = 1', '42501 permission denied to delete this row of table "jobs_open"'),
    ('yuki', 'WITH moved AS (UPDATE jobs SET state = ''done'' WHERE id = 1) DELETE FROM jobs WHERE id = 2', '42501 permission denied to delete this row of table "jobs_open"'),
    ('yuki', 'MERGE INTO jobs j USING (VALUES (1), (2)) v (i) ON j.id = v.i WHEN MATCHED AND v.i = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET state = ''done''',
     '42501 permission denied to delete this row of table "jobs_open"')
) AS c (login, command, ended);
DROP TABLE jobs CASCADE;

-- unprotect_table takes the triggers along; verify_protection misses them; protect_table puts them back.
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, item text);
SELECT entitle.protect_table('orders', 'customer_id');
SELECT is((SELECT string_agg(tgname || tgenabled::text, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'orders'::regclass),
          'entitle_deleteA entitle_leftA entitle_movedA entitle_truncateA entitle_updateA zz_entitle_moveA', 'R54: the triggers are there and always fire');
ALTER TABLE orders DISABLE TRIGGER entitle_moved;
DROP TRIGGER zz_entitle_move ON orders;
SELECT set_eq('SELECT problem FROM entitle.verify_protection()',
              ARRAY['trigger "entitle_moved" does not always fire', 'trigger "zz_entitle_move" is missing'], 'R54: verify_protection names them');
SELECT entitle.protect_table('orders', 'customer_id');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'protect_table puts them back');
DROP TRIGGER zz_entitle_move ON orders;
CREATE TRIGGER zz_entitle_move BEFORE UPDATE ON orders FOR EACH ROW WHEN (false) EXECUTE FUNCTION entitle_internal.refuse_move();
ALTER TABLE orders ENABLE ALWAYS TRIGGER zz_entitle_move;
SELECT set_eq('SELECT problem FROM entitle.verify_protection()', ARRAY['trigger "zz_entitle_move" is not what was declared'], 'nor is a weaker one it');
SELECT entitle.protect_table('orders', 'customer_id');
SELECT entitle.unprotect_table('orders');
SELECT is_empty($$ SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders'::regclass $$, 'unprotect_table takes them along');

-- A customer told by a generated column
CREATE TABLE parcels (id integer PRIMARY KEY, label text, customer_id integer GENERATED ALWAYS AS (left(label, 3)::integer) STORED, cost integer);
INSERT INTO parcels (id, label, cost) VALUES (1, '102x', 5);
GRANT SELECT, UPDATE ON parcels TO test_app;
SELECT entitle.protect_table('parcels', 'customer_id', external_update_level => 20, masked_columns => '{"cost": 30}');
SELECT is(error_of('yuki', 'UPDATE parcels SET label = ''101x'''), '42501 permission denied to move this row of table "parcels"', 'S142: by a generated column');
SELECT is(error_of('yuki', 'UPDATE parcels_view SET label = ''101x'''), '42501 permission denied to move this row of table "parcels"', 'S142: and through its view');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared');

-- The function behind the view answers about visible rows alone, and takes no others.
SELECT throws_ok($$ SELECT entitle_internal.check_move('parcels', ROW(1), ROW(1)) $$, '42804');
SELECT throws_ok($$ SELECT entitle_internal.check_move('parcels', NULL::parcels, NULL::parcels) $$, '42804');
SELECT throws_ok($$ SELECT entitle_internal.check_move(NULL, NULL::parcels, NULL::parcels) $$, '42804');
SELECT throws_ok($$ SELECT entitle_internal.check_move('orders', o, o) FROM (SELECT ROW(1, 101, 'x')::orders AS o) s $$, '55000');
SELECT is(error_of('yuki', 'SELECT entitle_internal.check_move(''orders'', o, o) FROM (SELECT ROW(1, 101, ''x'')::orders AS o) s'), '42501 permission denied for table orders',
          'S142: nor answers it those who may not write the table');
SELECT * FROM finish();
ROLLBACK;
