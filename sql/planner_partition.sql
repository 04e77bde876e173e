-- Partitions are left out by customer, brand and date. Which ones is found out when the plan starts, so that the plan can be
-- kept: an EXPLAIN counts them as removed.
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
SELECT i, 'n', 'n', 't' FROM generate_series(1, 40) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'one'), (2, 'three'), (3, 'many'), (4, 'staff'), (5, 'unlimited');
INSERT INTO entitle.external_access (customer_id, user_id, days_back)
SELECT c, u, CASE WHEN u = 5 THEN NULL ELSE 30 END
FROM generate_series(1, 40) AS c, generate_series(1, 5) AS u
WHERE u = 1 AND c = 3 OR u = 2 AND c IN (3, 4, 11) OR u = 3 AND c <= 20 OR u = 5 AND c = 3;
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 4, 2, role_id FROM entitle.role WHERE name = 'operations user';

CREATE TABLE by_customer (id integer, customer_id bigint) PARTITION BY LIST (customer_id);
CREATE TABLE by_customer_1 PARTITION OF by_customer FOR VALUES IN (1, 2, 3);
CREATE TABLE by_customer_2 PARTITION OF by_customer FOR VALUES IN (4, 5, 6);
CREATE TABLE by_customer_3 PARTITION OF by_customer FOR VALUES IN (7, 8, 9);
CREATE TABLE by_customer_4 PARTITION OF by_customer DEFAULT;
CREATE TABLE by_range (id integer, customer_id integer) PARTITION BY RANGE (customer_id);
CREATE TABLE by_range_1 PARTITION OF by_range FOR VALUES FROM (0) TO (10);
CREATE TABLE by_range_2 PARTITION OF by_range FOR VALUES FROM (10) TO (20);
CREATE TABLE by_range_3 PARTITION OF by_range FOR VALUES FROM (20) TO (50);
CREATE TABLE by_hash (id integer, customer_id bigint) PARTITION BY HASH (customer_id);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE by_hash_2 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE by_hash_3 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 2);
CREATE TABLE by_brand (id integer, customer_id bigint, brand_id integer) PARTITION BY LIST (brand_id);
CREATE TABLE by_brand_1 PARTITION OF by_brand FOR VALUES IN (1);
CREATE TABLE by_brand_2 PARTITION OF by_brand FOR VALUES IN (2);
CREATE TABLE by_brand_3 PARTITION OF by_brand FOR VALUES IN (3);
CREATE TABLE by_date (id integer, customer_id bigint, on_date date) PARTITION BY RANGE (on_date);
CREATE TABLE by_date_old PARTITION OF by_date FOR VALUES FROM ('1990-01-01') TO ('2000-01-01');
CREATE TABLE by_date_older PARTITION OF by_date FOR VALUES FROM (MINVALUE) TO ('1990-01-01');
CREATE TABLE by_date_new PARTITION OF by_date FOR VALUES FROM ('2000-01-01') TO (MAXVALUE);
CREATE TABLE by_moment (id integer, customer_id bigint, at_moment timestamptz) PARTITION BY RANGE (at_moment);
CREATE TABLE by_moment_old PARTITION OF by_moment FOR VALUES FROM (MINVALUE) TO ('2000-01-01');
CREATE TABLE by_moment_new PARTITION OF by_moment FOR VALUES FROM ('2000-01-01') TO (MAXVALUE);
-- First by date, then by customer.
CREATE TABLE by_both (id integer, customer_id bigint, on_date date) PARTITION BY RANGE (on_date);
CREATE TABLE by_both_old PARTITION OF by_both FOR VALUES FROM (MINVALUE) TO ('2000-01-01');
CREATE TABLE by_both_new PARTITION OF by_both FOR VALUES FROM ('2000-01-01') TO (MAXVALUE) PARTITION BY LIST (customer_id);
CREATE TABLE by_both_new_1 PARTITION OF by_both_new FOR VALUES IN (1, 2, 3);
CREATE TABLE by_both_new_2 PARTITION OF by_both_new DEFAULT;
DO $$
BEGIN
    PERFORM entitle.protect_table(t, customer_column => 'customer_id', view_permission => 'conversions.view',
                date_column => CASE WHEN t IN ('by_date'::regclass, 'by_both'::regclass) THEN 'on_date'
                                    WHEN t = 'by_moment'::regclass THEN 'at_moment' END,
                brand_column => CASE WHEN t = 'by_brand'::regclass THEN 'brand_id' END)
    FROM unnest('{by_customer,by_range,by_hash,by_brand,by_date,by_moment,by_both}'::regclass[]) AS t;
END
$$;
GRANT SELECT ON by_customer, by_range, by_hash, by_brand, by_date, by_moment, by_both TO app_role;


SELECT plan_for('one', 'SELECT * FROM by_customer');
SELECT plan_for('three', 'SELECT * FROM by_customer');
-- A list longer than the longest: all partitions are looked at.
SELECT plan_for('many', 'SELECT * FROM by_customer');
SELECT plan_for('one', 'SELECT * FROM by_range');
SELECT plan_for('one', 'SELECT * FROM by_hash');
SELECT plan_for('staff', 'SELECT * FROM by_brand');
SELECT plan_for('one', 'SELECT * FROM by_date');
SELECT plan_for('one', 'SELECT * FROM by_moment');
SELECT plan_for('unlimited', 'SELECT * FROM by_date');
SELECT plan_for('one', 'SELECT * FROM by_both');
-- What the query itself asks for leaves out the rest.
SELECT plan_for('one', 'SELECT * FROM by_customer WHERE customer_id = 3');
SELECT plan_for('one', 'SELECT * FROM by_customer WHERE customer_id = 8');
ROLLBACK;
