-- The benchmark's data: the people and their grants, a shop's tables, their protection, and the policies to compare with.
--
-- psql variables: rows, the number of orders; filler, the number of grants of other people. There are always 100,000
-- customers. Orders are stored in the order of their dates, as an application writes them, over the last five years;
-- their customers are spread evenly. The same rows come every time.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET entitle.time_zone = 'UTC';
SET TimeZone = 'UTC';
CREATE SCHEMA bench;
SET search_path = bench;

-- A number below `most` that looks random, the same every time.
CREATE FUNCTION scatter(number bigint, seed integer, most bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT abs(hashint8(number * 64 + seed)::bigint) % most $$;

-- Nobody looks at the log here, and a million rows of it, each checked against what it refers to, would only take time.
SET session_replication_role = replica;
CREATE TEMP TABLE switched_off AS
SELECT t.tgrelid::regclass AS relation, t.tgname, t.tgenabled
FROM pg_trigger t
WHERE t.tgrelid IN ('entitle.customer'::regclass, 'entitle.external_access'::regclass) AND NOT t.tgisinternal;
ALTER TABLE entitle.customer DISABLE TRIGGER USER;
ALTER TABLE entitle.external_access DISABLE TRIGGER USER;

INSERT INTO entitle.customer (customer_code, legal_name, trade_name, tax_id)
SELECT 'c' || i, 'Customer ' || i, 'Customer ' || i, 'T' || i FROM generate_series(1, 100000) AS i;

-- Who: outsiders with so many customers, without and with a window of a year; 64 who take turns on one connection; the
-- newcomer with ten grants; somebody with a grant on every customer; a crowd with a hundred grants each; staff; a
-- member of staff with a hundred grants; and outsiders who see no prices, or those of every second customer.
CREATE TABLE person (login text PRIMARY KEY, customers integer NOT NULL, days_back integer, role text NOT NULL DEFAULT 'L30');
INSERT INTO person (login, customers, days_back)
SELECT 'outsider_' || n, n, NULL::integer FROM unnest('{1,10,100,1000,10000,50000}'::integer[]) AS n
UNION ALL
SELECT 'outsider_' || n || '_year', n, 365 FROM unnest('{1,10,100,1000,10000,50000}'::integer[]) AS n
UNION ALL
SELECT 'turn_' || i, 10, NULL FROM generate_series(1, 64) AS i
UNION ALL
VALUES ('ten', 10, NULL::integer), ('all', 100000, NULL), ('staff', 0, NULL), ('member', 100, NULL)
UNION ALL
SELECT 'crowd_' || i, 100, NULL FROM generate_series(1, :filler / 100) AS i;
INSERT INTO person VALUES ('priceless_1000', 1000, NULL, 'L20'), ('halfpriced_1000', 1000, NULL, 'L20');

INSERT INTO entitle.app_user (login) SELECT login FROM person;
INSERT INTO entitle.app_user (login) SELECT 'staff_turn_' || i FROM generate_series(1, 32) AS i;
INSERT INTO entitle.membership (user_id, organization_id, role_id)
SELECT u.user_id, 1, r.role_id
FROM entitle.app_user u, entitle.role r
WHERE (u.login LIKE 'staff%' OR u.login = 'member') AND r.name = 'read-only';

-- A person's customers lie evenly among all of them, starting somewhere.
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT (scatter(u.user_id, 1, 100000) + k::bigint * (100000 / p.customers)) % 100000 + 1, u.user_id,
       CASE WHEN p.login LIKE 'halfpriced%' AND k % 2 = 0 THEN 'L30' ELSE p.role END, p.days_back
FROM person p
JOIN entitle.app_user u USING (login),
     generate_series(1, p.customers) AS k;

SELECT format('ALTER TABLE %s ENABLE %s TRIGGER %I', relation, CASE tgenabled WHEN 'A' THEN 'ALWAYS' ELSE '' END, tgname)
FROM switched_off WHERE tgenabled IN ('A', 'O') \gexec
RESET session_replication_role;
ANALYZE entitle.customer, entitle.app_user, entitle.membership, entitle.external_access;

-- The shop. One transaction, so that the rows go past the log.
BEGIN;
CREATE TABLE client (customer_id bigint NOT NULL, name text NOT NULL, country text NOT NULL);
CREATE TABLE orders (
    id bigint NOT NULL, customer_id bigint NOT NULL, order_date date NOT NULL, amount numeric(10,2) NOT NULL,
    status text NOT NULL);
CREATE TABLE invoice (
    invoice_id bigint NOT NULL, order_id bigint NOT NULL, customer_id bigint NOT NULL, invoice_date date NOT NULL,
    total numeric(10,2) NOT NULL);
CREATE TABLE small_orders (LIKE orders);
CREATE TABLE line (
    line_id bigint NOT NULL, customer_id bigint NOT NULL, line_date date NOT NULL, price numeric(10,2) NOT NULL,
    discount numeric(10,2) NOT NULL);

INSERT INTO client
SELECT i, 'Customer ' || i, (ARRAY['PT', 'ES', 'FR', 'DE', 'IT'])[i % 5 + 1] FROM generate_series(1, 100000) AS i;
INSERT INTO orders
SELECT i, scatter(i, 2, 100000) + 1, current_date - 1825 + (i * 1825 / :rows)::integer, scatter(i, 3, 100000) / 100.0,
       (ARRAY['new', 'paid', 'sent', 'done'])[scatter(i, 4, 4) + 1]
FROM generate_series(1, :rows::bigint) AS i;
INSERT INTO invoice SELECT id / 5, id, customer_id, order_date + 10, amount FROM orders WHERE id % 5 = 0;
INSERT INTO small_orders SELECT * FROM orders WHERE id % 100 = 0;
INSERT INTO line SELECT id / 5, customer_id, order_date, amount, amount / 10 FROM orders WHERE id % 5 = 0;

ALTER TABLE client ADD PRIMARY KEY (customer_id);
ALTER TABLE orders ADD PRIMARY KEY (id);
ALTER TABLE invoice ADD PRIMARY KEY (invoice_id);
ALTER TABLE small_orders ADD PRIMARY KEY (id);
ALTER TABLE line ADD PRIMARY KEY (line_id);
CREATE INDEX orders_customer_date ON orders (customer_id, order_date);
CREATE INDEX orders_date ON orders (order_date);
CREATE INDEX invoice_customer_date ON invoice (customer_id, invoice_date);
CREATE INDEX invoice_order ON invoice (order_id);
CREATE INDEX line_customer_date ON line (customer_id, line_date);
CREATE INDEX small_orders_customer_date ON small_orders (customer_id, order_date);
COMMIT;

-- As the application runs, with its protection; as it runs with no policy at all; and with other people's policies.
CREATE ROLE bench_app;
CREATE ROLE bench_plain LOGIN BYPASSRLS;
CREATE ROLE bench_sql;
CREATE ROLE bench_naive;
GRANT USAGE ON SCHEMA bench TO bench_app, bench_plain, bench_sql, bench_naive;
GRANT USAGE ON SCHEMA entitle TO bench_plain, bench_sql, bench_naive;
GRANT SELECT ON client, orders, invoice, small_orders TO bench_app, bench_plain, bench_sql, bench_naive;
GRANT SELECT ON line TO bench_app;
GRANT SELECT ON entitle.external_access, entitle.app_user TO bench_plain;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text) TO bench_app;

SELECT entitle.protect_table('client', customer_column => 'customer_id', view_permission => 'customers.view'),
       entitle.protect_table('orders', customer_column => 'customer_id', date_column => 'order_date', min_level => 20,
                             view_permission => 'customers.view'),
       entitle.protect_table('invoice', customer_column => 'customer_id', date_column => 'invoice_date', min_level => 20,
                             view_permission => 'customers.view'),
       entitle.protect_table('small_orders', customer_column => 'customer_id', date_column => 'order_date', min_level => 20,
                             view_permission => 'customers.view'),
       entitle.protect_table('line', customer_column => 'customer_id', date_column => 'line_date', min_level => 20,
                             view_permission => 'customers.view', masked_columns => '{"price": 30, "discount": 30}')
\g /dev/null
GRANT SELECT ON line TO bench_plain; -- after protect_table, which would have taken the masked columns from it
-- What the checks are asked, and a table that has nothing to do with rights.
CREATE ROLE bench_reader;
GRANT bench_reader TO bench_app;
CREATE TABLE question AS
SELECT 'customers.view' AS permission, g.customer_id, 'bench_reader'::name AS role, 'USAGE' AS privilege,
       'bench.orders' AS relation
FROM entitle.external_access g JOIN entitle.app_user u USING (user_id), generate_series(1, 100)
WHERE u.login = 'member';
CREATE TABLE unrelated (id bigint PRIMARY KEY, number bigint NOT NULL);
INSERT INTO unrelated SELECT i, 0 FROM generate_series(1, 500) AS i;
GRANT SELECT ON question TO bench_app;

-- What the other policies ask (policy_cases.cpp). The careful one asks each question once a query.
CREATE FUNCTION is_staff() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT EXISTS (SELECT
                   FROM entitle.membership m
                   JOIN entitle.role_permission p ON p.role_id = m.role_id AND p.permission_key = 'customers.view'
                   WHERE m.user_id = current_setting('bench.user_id')::bigint)
    $$;
CREATE FUNCTION my_customers() RETURNS SETOF bigint
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT g.customer_id FROM entitle.external_access g WHERE g.user_id = current_setting('bench.user_id')::bigint
    $$;

-- The naive one asks for every row.
CREATE FUNCTION may_see(customer bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT
               FROM entitle.membership m
               JOIN entitle.role_permission p ON p.role_id = m.role_id AND p.permission_key = 'customers.view'
               WHERE m.user_id = current_setting('bench.user_id')::bigint) THEN
        RETURN true;
    END IF;
    RETURN EXISTS (SELECT
                   FROM entitle.external_access g
                   WHERE g.user_id = current_setting('bench.user_id')::bigint AND g.customer_id = customer);
END
$$;

-- People with a database role of their own: they are signed in by connecting.
DO $$
DECLARE
    who text;
BEGIN
    FOREACH who IN ARRAY ARRAY['ten', 'all', 'staff', 'outsider_100'] LOOP
        EXECUTE format('CREATE ROLE %I LOGIN', 'role_' || who);
        EXECUTE format('GRANT USAGE ON SCHEMA bench TO %I', 'role_' || who);
        EXECUTE format('GRANT SELECT ON bench.orders TO %I', 'role_' || who);
        UPDATE entitle.app_user SET db_role = 'role_' || who WHERE login = who;
    END LOOP;
END
$$;
VACUUM (ANALYZE, FREEZE);
CHECKPOINT;
