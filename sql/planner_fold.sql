-- What the row test becomes where the answer is the same for every row: nothing for staff, no scan at all for those who can
-- see nothing; and how the plans of one prepared statement follow the user.
BEGIN;
\set ECHO none
\i sql/plain_plan.psql
\set ECHO all
SET LOCAL client_min_messages = warning;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE ROLE app_role;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'other'), (3, 1, 'third');
INSERT INTO entitle.brand_module (brand_id, module_key)
SELECT b, module_key FROM entitle.module, generate_series(2, 3) AS b;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id)
SELECT i, 'n', 'n', 't' FROM generate_series(1, 2000) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'outsider'), (2, 'staff'), (3, 'nothing'), (4, 'second brand'), (5, 'both'), (6, 'low');
INSERT INTO entitle.external_access (customer_id, user_id, days_back) VALUES (7, 1, 30), (8, 1, 7), (7, 5, 30);
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (7, 6, 'L10'), (8, 6, 'L10');
INSERT INTO entitle.membership (user_id, brand_id, role_id)
SELECT u, b, role_id FROM entitle.role, (VALUES (2, 1), (4, 2), (5, 2)) AS v (u, b) WHERE name = 'operations user';

CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint, order_date date, amount integer);
INSERT INTO orders SELECT i, i % 2000 + 1, current_date - i % 400, i FROM generate_series(1, 20000) AS i;
CREATE INDEX ON orders (customer_id, order_date);
CREATE TABLE ledger (entry_id integer PRIMARY KEY, amount integer);
INSERT INTO ledger SELECT i, i FROM generate_series(1, 1000) AS i;
CREATE TABLE goods (LIKE orders INCLUDING ALL, brand_id integer);
INSERT INTO goods SELECT o.*, CASE WHEN order_id % 100 = 0 THEN 2 ELSE 1 END FROM orders o;
CREATE INDEX ON goods (brand_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, ledger, goods TO app_role;
DO $$
BEGIN
    PERFORM entitle.protect_table('orders', customer_column => 'customer_id', date_column => 'order_date', min_level => 20,
                                  view_permission => 'conversions.view', update_permission => 'conversions.update'),
            entitle.protect_table('ledger', view_permission => 'conversions.view'),
            entitle.protect_table('goods', customer_column => 'customer_id', brand_column => 'brand_id', min_level => 20,
                                  view_permission => 'conversions.view');
END
$$;
ANALYZE orders, ledger, goods;


-- Staff: as if there were no policy.
SELECT plan_for('staff', 'SELECT * FROM orders');
SELECT plan_for('staff', 'SELECT sum(amount) FROM orders WHERE order_date > ''2020-01-01''');
SELECT plan_for('staff', 'SELECT * FROM orders WHERE order_id = 5');
SELECT plan_for('staff', 'SELECT * FROM orders JOIN ledger ON entry_id = order_id WHERE order_id < 10');
SELECT plan_for('staff', 'UPDATE orders SET amount = 1 WHERE order_id = 5');
-- Staff of one brand among rows of several: the index on the brand, if they are few.
SELECT plan_for('second brand', 'SELECT * FROM goods');
-- With a grant beside, a row may show in another brand: then there is only the test.
SELECT plan_for('both', 'SELECT * FROM goods');

-- Nobody, and users who hold nothing: a table for staff only is not even scanned, or not read beyond the query's own index.
SELECT plan_for(NULL, 'SELECT * FROM ledger');
SELECT plan_for('nothing', 'SELECT count(*) FROM ledger');
SELECT plan_for('outsider', 'SELECT * FROM ledger WHERE entry_id = 5');
SELECT plan_for('nothing', 'SELECT * FROM orders o JOIN ledger ON entry_id = o.order_id');
SELECT plan_for(NULL, 'SELECT * FROM orders');
SELECT plan_for('nothing', 'SELECT * FROM orders');

-- Whose customers are all below the table's level: no scan, whatever else is asked.
SELECT plan_for('low', 'SELECT * FROM orders');
SELECT plan_for('low', 'SELECT count(*) FROM orders WHERE amount > 5');
SELECT plan_for('low', 'SELECT * FROM orders o JOIN goods g USING (order_id) WHERE order_id = 5');

-- One statement, prepared once: the generic plan is exchanged for the user who runs it.
SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL ROLE app_role;
PREPARE listed AS SELECT * FROM orders;
RESET ROLE;
SELECT plan_for('staff', 'EXECUTE listed');
SELECT plan_for('outsider', 'EXECUTE listed');
SELECT plan_for('staff', 'EXECUTE listed');
SELECT plan_for('second brand', 'EXECUTE listed');
SELECT plan_for('nothing', 'EXECUTE listed');
SELECT plan_for('low', 'EXECUTE listed');
SELECT plan_for('outsider', 'EXECUTE listed');
DEALLOCATE listed;
ROLLBACK;
