-- Foreign keys of tables that anybody may write carry rows to other customers. Whoever does not see a row gives it to nobody: not to a
-- friend, nor as nobody to oneself (S236).
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id) VALUES
    (101, 'one', 'a', 'a', 'a'), (102, 'two', 'b', 'b', 'b'), (103, 'three', 'c', 'c', 'c'), (104, 'four', 'd', 'd', 'd');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20'), (102, 'editor');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', NULL), (102, 101, 'L40', 30);
INSERT INTO entitle.role (role_id, organization_id, name) OVERRIDING SYSTEM VALUE VALUES (150, 1, 'editor');
INSERT INTO entitle.role_permission SELECT 150, k FROM unnest('{customers.view,customers.edit,external_access.manage}'::text[]) k;
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (102, 1, 150);
GRANT SELECT, UPDATE ON entitle.customer TO test_app;

-- What the application looks its customers up in, and did not protect.
CREATE TABLE contracts (id integer, customer_id bigint, PRIMARY KEY (id, customer_id));
CREATE TABLE parts (id integer, customer_id bigint, PRIMARY KEY (id, customer_id));
CREATE TABLE orders (id integer PRIMARY KEY, contract integer, customer_id bigint, day date DEFAULT current_date, price integer,
                     FOREIGN KEY (contract, customer_id) REFERENCES contracts ON UPDATE CASCADE ON DELETE SET NULL);
CREATE TABLE parted (id integer, contract integer, customer_id bigint, FOREIGN KEY (contract, customer_id) REFERENCES parts ON UPDATE CASCADE)
    PARTITION BY LIST (customer_id);
CREATE TABLE parted_one PARTITION OF parted FOR VALUES IN (103);
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
CREATE TABLE coded (id integer PRIMARY KEY, code text REFERENCES entitle.customer (customer_code) ON UPDATE CASCADE);
INSERT INTO contracts VALUES (1, 101), (2, 102), (3, 103), (4, 999), (5, 102);
INSERT INTO orders (id, contract, customer_id, price) VALUES (1, 1, 101, 10), (2, 2, 102, 20), (3, 3, 103, 30), (4, 4, 999, 40);
INSERT INTO orders VALUES (5, 5, 102, current_date - 100, 50);
INSERT INTO parts VALUES (1, 101), (3, 103);
INSERT INTO parted VALUES (1, 1, 101), (3, 3, 103);
INSERT INTO coded VALUES (1, 'three');
SELECT entitle.protect_table('orders', 'customer_id', 'day', masked_columns => '{"price": 30}'), entitle.protect_table('coded', 'code'), entitle.protect_table('parted', 'customer_id') \g /dev/null
GRANT SELECT, UPDATE, DELETE ON contracts, parts, orders_view, coded, parted TO test_app;

SELECT is(error_of(login, command), told, format('S236: %s: %s', coalesce(login, 'nobody'), command))
FROM (VALUES
    (NULL, 'UPDATE contracts SET customer_id = 101 WHERE id = 3', '42501 permission denied to move this row of table "orders"'),
    -- To where a friend sees it.
    ('l20', 'UPDATE contracts SET customer_id = 104 WHERE id = 3', '42501 permission denied to move this row of table "orders"'),
    -- Too old to show.
    ('l20', 'UPDATE contracts SET customer_id = 104 WHERE id = 5', '42501 permission denied to move this row of table "orders"'),
    ('l20', 'MERGE INTO contracts c USING (VALUES (3)) v (i) ON c.id = v.i WHEN MATCHED THEN UPDATE SET customer_id = 104', '42501 permission denied to move this row of table "orders"'),
    ('l20', 'UPDATE parts SET customer_id = 104 WHERE id = 3', '42501 permission denied to move this row of table "parted_one"'),
    ('l20', 'UPDATE parts SET customer_id = 103 WHERE id = 1', '1'),
    -- What shows may go where there are fewer rights, as by an UPDATE; what is no customer's stays nobody's or gains nobody.
    ('l20', 'UPDATE contracts SET customer_id = 104 WHERE id = 1', '1'),
    ('l20', 'UPDATE contracts SET customer_id = 104 WHERE id = 4', '1'),
    ('l20', 'UPDATE contracts SET id = 30 WHERE id = 3', '1'),
    ('l20', 'DELETE FROM contracts WHERE id = 3', '1'),
    -- A customer's rows come along with its new key.
    ('editor', 'UPDATE entitle.customer SET customer_code = ''drei'' WHERE customer_id = 103', '1')) AS v (login, command, told);

SELECT * FROM finish();
ROLLBACK;
