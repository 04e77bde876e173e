-- Moves that go past the row's own update (R54; S172): lines that are taken over by another document, and rows that change on their
-- way to another partition.
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'yuki');
INSERT INTO entitle.customer (customer_id, brand_id, customer_code, legal_name, trade_name, tax_id) VALUES
    (101, 1, 'one', 'a', 'a', 'a'), (102, 1, 'two', 'b', 'b', 'b');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L30', NULL), (102, 101, 'L20', NULL);

-- A foreign key is checked when the statement ends, and content if another row has the key by then.
CREATE TABLE orders (id integer PRIMARY KEY, number text UNIQUE, customer_id bigint, item text);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders, cost numeric);
CREATE TABLE parcels (id integer PRIMARY KEY, number text REFERENCES orders (number), cost numeric);
CREATE TABLE notes (id integer PRIMARY KEY, line_id integer REFERENCES lines, note text);
INSERT INTO orders VALUES (2, 'b', 102, 'theirs'), (3, 'c', 101, 'own'), (4, 'd', 101, 'without lines'), (5, NULL, 101, 'without number');
INSERT INTO lines VALUES (1, 2, 777), (2, 3, 5), (3, 3, 6);
INSERT INTO parcels VALUES (1, 'b', 888);
INSERT INTO notes VALUES (1, 1, 'secret');
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, lines, parcels, notes TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, external_insert_level => 20, view_name => 'orders_view'),
       entitle.protect_table('lines', parent => 'orders', external_update_level => 20, masked_columns => '{"cost": 30}'),
       entitle.protect_table('parcels', parent => 'orders', external_update_level => 20, masked_columns => '{"cost": 30}'),
       entitle.protect_table('notes', parent => 'lines', external_update_level => 20, masked_columns => '{"note": 30}');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is well');
SELECT is(error_of('yuki', command), ended, 'S172: ' || command)
FROM (VALUES
    ('UPDATE orders SET id = CASE id WHEN 2 THEN 9 ELSE 2 END WHERE id IN (2, 3)', '42501 permission denied to change the key of this row of table "orders"'),
    ('UPDATE orders SET number = CASE id WHEN 2 THEN ''z'' ELSE ''b'' END WHERE id IN (2, 3)', '42501 permission denied to change the key of this row of table "orders"'),
    ('UPDATE lines SET id = CASE id WHEN 1 THEN 9 ELSE 1 END WHERE id IN (1, 2)', '42501 permission denied to change the key of this row of table "lines"'),
    ('WITH gone AS (UPDATE orders SET id = 9 WHERE id = 2 RETURNING 1) INSERT INTO orders (id, customer_id) SELECT 2, 101 FROM gone',
     '42501 permission denied to change the key of this row of table "orders"'),
    ('MERGE INTO orders o USING (VALUES (2, 9), (3, 2)) v (was, becomes) ON o.id = v.was WHEN MATCHED THEN UPDATE SET id = v.becomes',
     '42501 permission denied to change the key of this row of table "orders"'),
    ('UPDATE orders_view SET id = 9 WHERE id = 2', '42501 permission denied to change the key of this row of table "orders"'),
    -- What nothing refers to may be called otherwise.
    ('UPDATE orders SET id = 40, number = ''D'' WHERE id = 4', '1'),
    ('UPDATE orders_view SET id = 40, number = ''D'' WHERE id = 4', '1'),
    ('UPDATE orders SET number = ''e'' WHERE id = 5', '1'),
    ('UPDATE orders SET number = NULL WHERE id = 4', '1'),
    ('UPDATE lines SET id = 30 WHERE id = 3', '1')
) AS c (command, ended);
-- A key that came later is watched when lines follow by it.
ALTER TABLE orders ADD code integer UNIQUE;
CREATE TABLE late (id integer PRIMARY KEY, code integer REFERENCES orders (code));
SELECT throws_like($$ SELECT entitle.protect_table('late', parent => 'orders') $$, 'lines would follow "public.orders" by a key that is not watched',
                   'S172: a key that is not watched leads to no document');
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, external_insert_level => 20, view_name => 'orders_view');
SELECT lives_ok($$ SELECT entitle.protect_table('late', parent => 'orders') $$, 'when the document was protected again, it does');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'and all is well');
DROP TABLE late, notes, parcels, lines, orders CASCADE;

-- On its way to another partition a row fires no AFTER UPDATE trigger, and BEFORE it what is generated is there for ours alone.
CREATE TABLE jobs (id integer, state text, source bigint, customer_id bigint GENERATED ALWAYS AS (source + 100) STORED, item text, price integer,
                   PRIMARY KEY (id, state)) PARTITION BY LIST (state);
CREATE TABLE jobs_open PARTITION OF jobs FOR VALUES IN ('open');
CREATE TABLE jobs_done (price integer, item text, gone text, source bigint, state text NOT NULL, id integer NOT NULL,
                        customer_id bigint GENERATED ALWAYS AS (source + 100) STORED);
ALTER TABLE jobs_done DROP COLUMN gone;
ALTER TABLE jobs ATTACH PARTITION jobs_done FOR VALUES IN ('done');
CREATE TABLE tasks (id integer, state text, customer_id bigint, item text, price integer, PRIMARY KEY (id, state)) PARTITION BY LIST (state);
CREATE TABLE tasks_open PARTITION OF tasks FOR VALUES IN ('open');
CREATE TABLE tasks_done PARTITION OF tasks FOR VALUES IN ('done');
INSERT INTO jobs (id, state, source, item, price) VALUES (1, 'open', 1, 'own', 10), (2, 'open', 2, 'theirs', 777), (3, 'open', 1, 'own', 11);
INSERT INTO tasks VALUES (1, 'open', 101, 'own', 10), (2, 'open', 102, 'theirs', 777);
GRANT SELECT, INSERT, UPDATE ON jobs, tasks TO test_app;
SELECT entitle.protect_table(t::regclass, 'customer_id', min_level => 20, external_update_level => 20, external_insert_level => 20,
                             masked_columns => '{"price": 30}') FROM unnest('{jobs,tasks}'::text[]) AS t;
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.item ~ '^\d+$' THEN
        NEW.customer_id := NEW.item::bigint;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER fill BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION fill();
SELECT is(error_of('yuki', command), ended, 'S172: ' || command)
FROM (VALUES
    ('UPDATE jobs SET source = 1, state = ''done'' WHERE id = 2', '42501 permission denied to move this row of table "jobs_open"'),
    ('UPDATE jobs SET source = 1, state = ''done''', '42501 permission denied to move this row of table "jobs_open"'),
    ('MERGE INTO jobs j USING (VALUES (2)) v (i) ON j.id = v.i WHEN MATCHED THEN UPDATE SET source = 1, state = ''done''',
     '42501 permission denied to move this row of table "jobs_open"'),
    ('WITH moved AS (UPDATE jobs SET source = 1, state = ''done'' WHERE id = 2) SELECT 1', '42501 permission denied to move this row of table "jobs_open"'),
    ('UPDATE jobs SET state = ''done''', '3'),
    ('UPDATE jobs SET source = 1, state = ''done'' WHERE source = 1', '2'),
    ('UPDATE jobs SET source = 2, state = ''done'' WHERE id = 1', '1'),
    ('INSERT INTO jobs (id, state, source) VALUES (9, ''done'', 1)', '1'),
    ('UPDATE tasks SET item = ''101'', state = ''done'' WHERE id = 2', '42501 permission denied to move this row of table "tasks_done"'),
    ('UPDATE tasks SET item = ''tea'', state = ''done''', '2')
) AS c (command, ended);
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is well with the partitions');
SELECT lives_ok('UPDATE jobs SET source = 1, state = ''done'' WHERE id = 2', 'R53: a superuser moves what he wants');
SELECT entitle.unprotect_table('jobs');
SELECT is_empty($$ SELECT FROM pg_trigger WHERE tgrelid = 'jobs'::regclass $$, 'unprotect_table takes all triggers along');


-- A document that is deleted while another takes its key: its lines would go along.
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (901, 1, 'remover');
INSERT INTO entitle.role_permission SELECT 901, k FROM unnest('{conversions.delete,conversions.create,conversions.view}'::text[]) AS k;
INSERT INTO entitle.app_user (user_id, login) VALUES (901, 'remover');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (901, 1, 901);
CREATE TABLE bills (id integer PRIMARY KEY, customer_id bigint);
CREATE TABLE items (bill integer REFERENCES bills, n integer, cost integer, PRIMARY KEY (bill, n));
CREATE TABLE late_items (bill integer REFERENCES bills DEFERRABLE INITIALLY DEFERRED, n integer PRIMARY KEY);
CREATE TABLE gone_items (bill integer REFERENCES bills ON DELETE CASCADE, n integer PRIMARY KEY);
INSERT INTO bills VALUES (1, 101), (2, 102), (3, 102), (4, 102);
INSERT INTO items VALUES (2, 1, 777);
INSERT INTO gone_items VALUES (4, 1);
SELECT entitle.protect_table('bills', 'customer_id', view_permission => 'conversions.view', insert_permission => 'conversions.create',
                             delete_permission => 'conversions.delete') \g /dev/null
SELECT entitle.protect_table(t::regclass, parent => 'bills', delete_permission => 'conversions.delete') FROM unnest('{items,late_items,gone_items}'::text[]) AS t \g /dev/null
INSERT INTO late_items VALUES (3, 1);
GRANT SELECT, INSERT, DELETE ON bills, items, late_items, gone_items TO test_app;
SELECT is(error_of('remover', command), ended, 'S172: ' || command)
FROM (VALUES
    ('WITH gone AS (DELETE FROM bills WHERE id = 2 RETURNING 1) INSERT INTO bills SELECT 2, 101 FROM gone', '42501 permission denied to leave the lines of a row of table "bills"'),
    ('DELETE FROM bills WHERE id = 2', '23503 update or delete on table "bills" violates foreign key constraint "items_bill_fkey" on table "items"'),
    ('DELETE FROM bills WHERE id = 3', '42501 permission denied to leave the lines of a row of table "bills"'),
    ('DELETE FROM bills WHERE id = 4', '1'),
    ('DELETE FROM bills WHERE id = 1', '1'),
    ('WITH gone AS (DELETE FROM bills WHERE id = 1 RETURNING 1) INSERT INTO bills SELECT 1, 101 FROM gone', '1')
) AS c (command, ended);
DELETE FROM late_items;
SELECT is(error_of('remover', 'DELETE FROM bills WHERE id = 3'), '1', 'without lines a document is deleted');

SELECT * FROM finish();
ROLLBACK;
