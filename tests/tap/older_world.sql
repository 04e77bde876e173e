-- What a database of an older major may hold: every shape of protection, of masks and of keys, and decisions of many users with
-- what they were there. Nothing depends on the day.
CREATE EXTENSION entitle;
GRANT EXECUTE ON FUNCTION entitle.sign_in TO older_app;

INSERT INTO entitle.organization (organization_id, name) SELECT i, 'organization ' || i FROM generate_series(2, 4) i;
INSERT INTO entitle.brand (brand_id, organization_id, name) SELECT i, 1 + i % 4, 'brand ' || i FROM generate_series(2, 10) i;
UPDATE entitle.brand SET brand_uuid = md5(name)::uuid, brand_code = name WHERE brand_id BETWEEN 2 AND 5;
INSERT INTO entitle.brand_module SELECT b.brand_id, m.module_key FROM entitle.brand b CROSS JOIN entitle.module m WHERE b.brand_id > 1 AND (b.brand_id + length(m.module_key)) % 3 > 0;
INSERT INTO entitle.role (role_id, organization_id, name) SELECT 100 + i, 1 + i % 4, 'role ' || i FROM generate_series(0, 11) i;
INSERT INTO entitle.role_permission (role_id, permission_key) SELECT r.role_id, p.permission_key FROM entitle.role r CROSS JOIN entitle.permission p
    WHERE r.role_id >= 100 AND (r.role_id + length(p.permission_key)) % 3 > 0;
INSERT INTO entitle.app_user (user_id, login, is_active) SELECT i, 'user ' || i, i % 10 > 0 FROM generate_series(101, 140) i;
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT 'older_app', login FROM entitle.app_user;
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 100 + i, 1 + i % 4, 100 + i % 12 FROM generate_series(1, 20) i;
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 100 + i, 1 + b.brand_id % 10, r.role_id FROM generate_series(5, 25) i
    JOIN entitle.brand b ON b.brand_id % 4 = i % 4 JOIN entitle.brand n ON n.brand_id = 1 + b.brand_id % 10
    JOIN LATERAL (SELECT min(role_id) AS role_id FROM entitle.role WHERE role_id >= 100 AND organization_id = n.organization_id) r ON true;
INSERT INTO entitle.customer (customer_id, customer_code, customer_uuid, brand_id, legal_name, trade_name, tax_id)
    SELECT i, 'C' || i, md5(i::text)::uuid, 1 + i % 10, 'customer ' || i, 'customer ' || i, i FROM generate_series(1, 50) i;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
    SELECT 1 + (i * 7 + j * 3) % 50, 100 + i, (ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90'])[1 + (i + j) % 6], CASE (i + j) % 3 WHEN 0 THEN NULL ELSE 30 * j END
    FROM generate_series(15, 40) i CROSS JOIN generate_series(1, 4) j ON CONFLICT DO NOTHING;

CREATE SCHEMA "Shop ""x";
CREATE SCHEMA sales;
GRANT USAGE ON SCHEMA "Shop ""x", sales TO older_app;
CREATE TABLE sales.keys AS SELECT permission_key AS key FROM entitle.permission;
CREATE DOMAIN sales.amount AS numeric(12,2);
CREATE TYPE sales.state AS ENUM ('open', 'paid');
CREATE TABLE sales.orders (order_id bigint PRIMARY KEY, gone text, customer_id bigint NOT NULL, placed_on date, brand_id bigint, price sales.amount,
    note varchar(20), code char(6), details jsonb, tags text[], paid boolean, state sales.state, at timestamptz, took interval, share real,
    "Net ""x" numeric GENERATED ALWAYS AS (price * 2) STORED);
ALTER TABLE sales.orders DROP COLUMN gone;
INSERT INTO sales.orders SELECT i, 1 + i % 50, CASE i % 3 WHEN 0 THEN 'infinity' WHEN 1 THEN '1999-12-31'::date END, CASE WHEN i % 4 > 0 THEN 1 + i % 10 END, i,
    'note ' || i, 'c' || i, jsonb_build_object('price', i), ARRAY['t' || i], i % 2 = 0, (ARRAY['open', 'paid'])[1 + i % 2]::sales.state,
    '2000-01-01 00:00+00'::timestamptz, i * interval '1 day', i FROM generate_series(1, 200) i;
CREATE TABLE sales.lines (order_id bigint REFERENCES sales.orders, line integer, price numeric, note text, PRIMARY KEY (order_id, line));
INSERT INTO sales.lines SELECT i, j, i * j, 'line' FROM generate_series(1, 200) i CROSS JOIN generate_series(1, 2) j;
CREATE TABLE "Shop ""x"."Visits ""y" ("Visit" bigint, "Customer ""z" text, "On" timestamp, "Cost" numeric) PARTITION BY LIST ("Customer ""z");
CREATE TABLE "Shop ""x".visits_1 PARTITION OF "Shop ""x"."Visits ""y" FOR VALUES IN ('C1', 'C2', 'C3');
CREATE TABLE "Shop ""x".visits_2 PARTITION OF "Shop ""x"."Visits ""y" DEFAULT;
INSERT INTO "Shop ""x"."Visits ""y" SELECT i, 'C' || 1 + i % 50, CASE WHEN i % 2 = 0 THEN 'infinity'::timestamp END, i FROM generate_series(1, 100) i;
CREATE TABLE sales.tickets (ticket_id integer PRIMARY KEY, customer uuid, opened timestamptz, body text, home uuid);
INSERT INTO sales.tickets SELECT i, md5((1 + i % 50)::text)::uuid, 'infinity', 'body ' || i, md5('brand ' || 1 + i % 6)::uuid FROM generate_series(1, 100) i;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA sales, "Shop ""x" TO older_app;

SELECT entitle.protect_table('sales.orders', 'customer_id', 'placed_on', 'brand_id', min_level => 20, view_permission => 'customers.view',
    update_permission => 'customers.edit', external_insert_level => 20, external_update_level => 30, view_name => 'sales.order_list',
    masked_columns => '{"price": 30, "note": 30, "code": 40, "details": 40, "tags": 80, "paid": 30, "state": 40, "at": 40, "took": 30, "share": 80, "Net \"x": 30}');
SELECT entitle.protect_table('sales.lines', parent => 'sales.orders', masked_columns => '{"price": 30, "note": 40}');
SELECT entitle.protect_table('"Shop ""x"."Visits ""y"', 'Customer "z', 'On', min_level => 10, masked_columns => '{"Cost": 30}');
SELECT entitle.protect_table('sales.tickets', 'customer', 'opened', 'home', view_permission => 'customers.view');
CREATE VIEW sales.totals WITH (security_invoker) AS SELECT customer_id, sum(price) AS total FROM sales.order_list GROUP BY customer_id;
GRANT SELECT ON sales.totals TO older_app;
TRUNCATE entitle.change_log; -- it names days
