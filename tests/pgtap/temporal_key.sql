-- A foreign key with a PERIOD leads to every version of a row whose time it meets, each of which may be another customer's; one that
-- is NOT ENFORCED may lead nowhere. Neither is a way from a line to its document (R51).
\ir error_of.psql
SELECT no_plan();
SELECT current_setting('server_version_num')::integer >= 180000 AS has_temporal \gset
\if :has_temporal
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'yuki');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', 'a'), (102, 'b', 'b', 'b');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L30', NULL);
CREATE TABLE orders (id int4range, valid daterange, number integer UNIQUE, customer_id bigint, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
CREATE TABLE lines (line integer PRIMARY KEY, id int4range, valid daterange, number integer,
                    CONSTRAINT lines_order FOREIGN KEY (id, PERIOD valid) REFERENCES orders (id, PERIOD valid));
INSERT INTO orders VALUES ('[1,2)', '[2026-01-01,2026-02-01)', 1, 101), ('[1,2)', '[2026-02-01,2026-03-01)', 2, 102);
INSERT INTO lines VALUES (1, '[1,2)', '[2026-01-10,2026-02-10)', 1);
GRANT SELECT, UPDATE ON orders, lines TO test_app;
SELECT entitle.protect_table('orders', 'customer_id') \g /dev/null

SELECT throws_ok($$ SELECT entitle.protect_table('lines', parent => 'orders') $$, '42830',
                 'the foreign key from "public.lines" to "public.orders" has a PERIOD, which leads to no one document', 'R51: a PERIOD is no way to the parent');
ALTER TABLE lines DROP CONSTRAINT lines_order, ADD CONSTRAINT lines_order FOREIGN KEY (number) REFERENCES orders (number) NOT ENFORCED;
SELECT throws_ok($$ SELECT entitle.protect_table('lines', parent => 'orders') $$, '42830',
                 'the foreign key from "public.lines" to "public.orders" is not validated', 'R51: nor is what nobody enforces');
ALTER TABLE lines ALTER CONSTRAINT lines_order ENFORCED;
SELECT entitle.protect_table('orders', 'customer_id'), entitle.protect_table('lines', parent => 'orders', external_update_level => 20) \g /dev/null
SELECT is(ask('yuki', 'SELECT count(*) FROM lines'), '1', 'an enforced one is');
SELECT is(error_of('yuki', 'UPDATE lines SET line = 2'), '1', 'and lets the line be written');
ALTER TABLE lines DROP CONSTRAINT lines_order, ADD CONSTRAINT lines_order FOREIGN KEY (id, PERIOD valid) REFERENCES orders (id, PERIOD valid);
SELECT ok(EXISTS (SELECT FROM entitle.verify_protection() v WHERE v.relation = 'lines'::regclass AND v.problem LIKE '%has a PERIOD%'),
          'R51: verify_protection tells of one that takes its place');
SELECT matches(error_of('yuki', 'UPDATE lines SET line = 3'), '^55000 .*no longer has its foreign key', 'R51: by which nothing is written');
\else
SELECT skip('foreign keys with a PERIOD came with PostgreSQL 18', 6);
\endif

SELECT * FROM finish();
ROLLBACK;
