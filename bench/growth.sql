-- The data of bench/run growth: customers and grants that grow while they are measured, users with few and many grants, tables with
-- few and many parts, and several protected tables that one query joins.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET entitle.time_zone = 'UTC';
SET TimeZone = 'UTC';
CREATE SCHEMA bench;
SET search_path = bench;

INSERT INTO entitle.app_user (login)
SELECT 'holder_' || n FROM unnest('{100,10000,1000000}'::integer[]) AS n
UNION ALL SELECT 'turn_' || i FROM generate_series(1, 1000) AS i
UNION ALL SELECT 'crowd_' || i FROM generate_series(1, 1000) AS i;

-- Until there are so many customers, and as many grants of the crowd. A million rows of log, each checked against what it refers
-- to, would only take time.
CREATE PROCEDURE grow(customers integer) LANGUAGE plpgsql SET session_replication_role = replica AS $$
BEGIN
    ALTER TABLE entitle.customer DISABLE TRIGGER USER;
    ALTER TABLE entitle.external_access DISABLE TRIGGER USER;
    INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id)
    SELECT i, 'c' || i, 'Customer ' || i, 'Customer ' || i, 'T' || i
    FROM generate_series((SELECT count(*) + 1 FROM entitle.customer), customers) AS i;
    INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
    SELECT i, u.user_id, 'L30', NULL
    FROM generate_series((SELECT count(*) + 1 FROM entitle.external_access g JOIN entitle.app_user a USING (user_id) WHERE a.login LIKE 'crowd%'),
                         customers) AS i
    JOIN entitle.app_user u ON u.login = 'crowd_' || i % 1000 + 1;
    PERFORM bench.grow_back();
    ANALYZE entitle.customer, entitle.external_access;
END $$;

-- The person's customers lie evenly among those there are.
CREATE PROCEDURE give(who text, grants integer) LANGUAGE plpgsql SET session_replication_role = replica AS $$
BEGIN
    ALTER TABLE entitle.external_access DISABLE TRIGGER USER;
    INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
    SELECT 1 + (k::bigint * n / grants + u.user_id) % n, u.user_id, 'L30', NULL
    FROM (SELECT count(*) FROM entitle.customer) c(n), entitle.app_user u, generate_series(1, grants) AS k
    WHERE u.login LIKE who
    ON CONFLICT DO NOTHING;
    PERFORM bench.grow_back();
    ANALYZE entitle.external_access;
END $$;

-- Switches on again what the two above switched off.
CREATE TABLE switched (relation regclass, name name, how text);
INSERT INTO switched
SELECT t.tgrelid, t.tgname, CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'O' THEN 'ENABLE' ELSE 'DISABLE' END
FROM pg_trigger t
WHERE t.tgrelid IN ('entitle.customer'::regclass, 'entitle.external_access'::regclass) AND NOT t.tgisinternal;
CREATE FUNCTION grow_back() RETURNS void LANGUAGE plpgsql AS $$
DECLARE t bench.switched;
BEGIN
    FOR t IN SELECT * FROM bench.switched LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', t.relation, t.how, t.name);
    END LOOP;
END $$;
CALL grow(10000);
CALL give('holder_100', 100);

CREATE ROLE bench_app;
CREATE ROLE bench_plain LOGIN BYPASSRLS;
CREATE ROLE role_holder_100 LOGIN;
CREATE ROLE role_holder_10000 LOGIN;
CREATE ROLE role_holder_1000000 LOGIN;
UPDATE entitle.app_user SET db_role = 'role_' || login WHERE login LIKE 'holder%';
GRANT USAGE ON SCHEMA bench TO PUBLIC;
GRANT USAGE ON SCHEMA entitle TO bench_plain;
GRANT SELECT ON entitle.external_access, entitle.app_user TO bench_plain;

-- A million orders, a second table of as many columns that has nothing to do with rights, eight tables to join, and tables of many parts.
CREATE TABLE orders (id bigint, customer_id bigint NOT NULL, order_date date NOT NULL, amount numeric(10,2) NOT NULL);
INSERT INTO orders SELECT i, 1 + i % 10000, current_date - (i * 1024 / 1000000)::integer, 1 FROM generate_series(1, 1000000) AS i;
ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE INDEX ON orders (customer_id, order_date);
CREATE TABLE unrelated (id bigint PRIMARY KEY, number bigint NOT NULL);
INSERT INTO unrelated SELECT i, 0 FROM generate_series(1, 1000) AS i;
SELECT format('CREATE TABLE joined_%s AS SELECT * FROM orders WHERE id <= 10000', i),
       format('ALTER TABLE joined_%s ADD PRIMARY KEY (id)', i), format('CREATE INDEX ON joined_%s (customer_id)', i)
FROM generate_series(1, 8) AS i \gexec
SELECT format('CREATE TABLE parts_%s (LIKE orders) PARTITION BY RANGE (order_date)', n) FROM unnest('{1,16,128,1024}'::integer[]) AS n \gexec
SELECT format('CREATE TABLE parts_%s_%s PARTITION OF parts_%1$s FOR VALUES FROM (%3$L) TO (%4$L)', n, k,
              current_date - 1024 / n * k, current_date - 1024 / n * (k - 1))
FROM unnest('{1,16,128,1024}'::integer[]) AS n, generate_series(0, n) AS k \gexec
SELECT format('INSERT INTO parts_%s SELECT * FROM orders WHERE id %% 10 = 0', n), format('CREATE INDEX ON parts_%s (customer_id, order_date)', n)
FROM unnest('{1,16,128,1024}'::integer[]) AS n \gexec
GRANT SELECT ON ALL TABLES IN SCHEMA bench TO PUBLIC;
SELECT entitle.protect_table(format('bench.%I', name)::regclass, customer_column => 'customer_id', date_column => 'order_date',
                             view_permission => 'customers.view')
FROM (SELECT 'orders' UNION ALL SELECT 'joined_' || i FROM generate_series(1, 8) AS i
      UNION ALL SELECT 'parts_' || n FROM unnest('{1,16,128,1024}'::integer[]) AS n) AS t(name)
\g /dev/null
VACUUM ANALYZE;
