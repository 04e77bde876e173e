-- The world of the random-query test: protected tables in schema rq, and in schema naive plain tables of the same names
-- that hold only what the signed-in user may see, found by the rules in plain SQL over the model's tables. Nothing in
-- schema naive calls a function of entitle.
SET client_min_messages = warning;
CREATE EXTENSION entitle;
CREATE SCHEMA rq;
CREATE SCHEMA naive;

-- Midnight in the business time zone is as far away as can be.
DO $$
DECLARE
    shift CONSTANT integer := 12 - extract(hour FROM now() AT TIME ZONE 'UTC')::integer;
BEGIN
    EXECUTE format('ALTER DATABASE %I SET entitle.time_zone = %L', current_database(),
                   'Etc/GMT' || CASE WHEN shift > 0 THEN '-' ELSE '+' END || abs(shift));
    EXECUTE format('SET entitle.time_zone = %L', 'Etc/GMT' || CASE WHEN shift > 0 THEN '-' ELSE '+' END || abs(shift));
END
$$;

-- The model: two organizations, a brand that stands alone, forty customers.
INSERT INTO entitle.organization (organization_id, name) VALUES (2, 'second');
INSERT INTO entitle.plan (plan_key) VALUES ('small');
INSERT INTO entitle.plan_denial (plan_key, permission_key) VALUES ('small', 'conversions.create'), ('small', 'products.view');
INSERT INTO entitle.brand (brand_id, organization_id, name, plan_key) VALUES
    (2, 1, 'main, other brand', NULL), (3, 2, 'second', 'small'), (4, NULL, 'alone', NULL);
INSERT INTO entitle.brand_module (brand_id, module_key)
SELECT b, m.module_key FROM generate_series(2, 4) AS b, entitle.module m WHERE (b, m.module_key) NOT IN ((2, 'products'));
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, brand_id, legal_name, trade_name, tax_id)
SELECT CASE i WHEN 40 THEN 9000000000 WHEN 39 THEN -7 ELSE i END, md5('customer ' || i)::uuid,
       CASE WHEN i % 9 > 0 THEN 'C' || i END, 1 + i % 4, 'n', 'n', 't'
FROM generate_series(1, 40) AS i;

INSERT INTO entitle.role (role_id, organization_id, name) VALUES
    (101, 1, 'everything'), (102, 2, 'second everything'), (103, 1, 'billing'), (104, 1, 'goods'), (105, 2, 'second viewer');
INSERT INTO entitle.role_permission (role_id, permission_key)
SELECT r, p.permission_key FROM (VALUES (101), (102)) AS v (r), entitle.permission p
UNION ALL VALUES (103, 'billing.invoices.view'), (103, 'billing.cards.view'), (104, 'products.view'), (104, 'conversions.view'),
    (105, 'conversions.view'), (105, 'customers.view');

CREATE ROLE rq_app;
CREATE ROLE rq_staff;
CREATE ROLE rq_outsider;
CREATE ROLE rq_inactive;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text), entitle.sign_out(text) TO rq_app, rq_staff, rq_outsider, rq_inactive;

INSERT INTO entitle.app_user (user_id, login, db_role, is_active) VALUES
    (101, 'viewer', NULL, true), (102, 'seller', NULL, true), (103, 'operator', NULL, true), (104, 'everything', NULL, true),
    (105, 'accountant', NULL, true), (106, 'other brand', NULL, true), (107, 'second', NULL, true), (108, 'owner', NULL, true),
    (109, 'second owner', NULL, true), (110, 'alone', NULL, true), (111, 'two organizations', NULL, true),
    (112, 'goods', NULL, true), (113, 'no role', NULL, true), (114, 'role of both', NULL, true),
    (120, 'basic', NULL, true), (121, 'orders', NULL, true), (122, 'prices', NULL, true), (123, 'billing', NULL, true),
    (124, 'admin', NULL, true), (125, 'customer owner', NULL, true), (126, 'mixed', NULL, true), (127, 'expired', NULL, true),
    (128, 'one customer', NULL, true), (129, 'many customers', NULL, true), (130, 'unlimited', NULL, true),
    (131, 'seller outside', NULL, true), (132, 'goods outside', NULL, true), (133, 'nothing', NULL, true),
    (140, 'mapped staff', 'rq_staff', true), (141, 'mapped outsider', 'rq_outsider', true),
    (142, 'mapped inactive', 'rq_inactive', false), (143, 'inactive', NULL, false);

INSERT INTO entitle.sign_in_grant (db_role, login)
SELECT r, login FROM unnest('{rq_app,rq_staff,rq_outsider,rq_inactive}'::text[]) AS r, entitle.app_user;
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner)
SELECT v.u, v.o, v.b, coalesce(v.i, r.role_id), v.w
FROM (VALUES
    (101, NULL, 1, 'read-only', NULL, false), (102, 1, NULL, 'sales', NULL, false),
    (103, NULL, 1, 'operations user', NULL, false), (104, 1, NULL, NULL, 101, false), (105, NULL, 1, NULL, 103, false),
    (106, NULL, 2, NULL, 101, false), (107, 2, NULL, NULL, 102, false), (108, 1, NULL, NULL, NULL, true),
    (109, 2, NULL, NULL, NULL, true), (110, NULL, 4, NULL, NULL, false), (111, 1, NULL, 'reports reader', NULL, false),
    (111, 2, NULL, NULL, 105, false), (112, 1, NULL, NULL, 104, false), (113, 1, NULL, NULL, NULL, false),
    (114, NULL, 1, 'sales', NULL, false), (114, NULL, 1, NULL, 103, false), (114, NULL, 2, NULL, 104, false),
    (131, NULL, 1, 'operations user', NULL, false), (132, NULL, 1, NULL, 104, false), (140, NULL, 1, NULL, 101, false),
    (142, 1, NULL, NULL, 101, false), (143, 1, NULL, NULL, NULL, true)) AS v (u, o, b, named, i, w)
LEFT JOIN entitle.role r ON r.organization_id = 1 AND r.name = v.named;

-- Outsiders of every level, with windows, without, and valid from and until.
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_from, valid_until)
SELECT k.customer_id, u.user_id,
       CASE WHEN u.user_id < 126 THEN (ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90'])[u.user_id - 119]
            ELSE (ARRAY['L10', 'L20', 'L30', 'L40', 'L80'])[1 + (k.n * 7 + u.user_id) % 5] END,
       CASE WHEN u.user_id = 130 THEN NULL ELSE (ARRAY[0, 7, 30, 365, NULL, 30, 90])[1 + (k.n + u.user_id) % 7] END,
       CASE WHEN u.user_id <> 125 AND (k.n + u.user_id) % 11 = 0 THEN current_date + 5 WHEN k.n % 5 = 0 THEN current_date - 5 END,
       CASE WHEN u.user_id = 127 THEN current_date - 3 WHEN u.user_id <> 125 AND k.n % 4 = 0 THEN current_date + 5 END
FROM (SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS n FROM entitle.customer) AS k
JOIN entitle.app_user u ON
    CASE u.user_id WHEN 128 THEN k.n = 3 WHEN 129 THEN k.n < 38 WHEN 130 THEN k.n % 8 = 2 WHEN 133 THEN false
                   ELSE (k.n * 13 + u.user_id * 5) % 9 < 3 END
WHERE u.user_id BETWEEN 120 AND 133 OR u.user_id IN (141, 142, 143);

UPDATE entitle.brand SET brand_uuid = md5('brand ' || brand_id)::uuid;

-- Protected tables: branded, dated and with customers; by uuid, partitioned by moment; staff only; partitioned by
-- customer; partitioned by brand, customers by code; brands by uuid.
CREATE TABLE rq.orders (
    order_id integer PRIMARY KEY, brand_id integer, customer_id bigint, order_date date, amount numeric, note text);
CREATE INDEX ON rq.orders (customer_id, order_date);
CREATE INDEX ON rq.orders (brand_id);
CREATE INDEX ON rq.orders (order_date) INCLUDE (customer_id, brand_id);

CREATE TABLE rq.shipments (shipment_id integer, customer_uuid uuid, shipped_at timestamptz, weight integer, carrier text)
    PARTITION BY RANGE (shipped_at);
CREATE TABLE rq.shipments_new PARTITION OF rq.shipments FOR VALUES FROM ('-infinity') TO ('2000-01-01');
CREATE TABLE rq.shipments_rest PARTITION OF rq.shipments DEFAULT;
CREATE INDEX ON rq.shipments (customer_uuid);
CREATE INDEX ON rq.shipments (shipped_at);

CREATE TABLE rq.ledger (entry_id integer PRIMARY KEY, brand_id bigint, entered date, amount integer, note varchar(20));

CREATE TABLE rq.visits (visit_id integer, customer_id bigint, visited timestamp, place text) PARTITION BY LIST (customer_id);
CREATE TABLE rq.visits_1 PARTITION OF rq.visits FOR VALUES IN (1, 2, 3, 4, 5, 6, 7);
CREATE TABLE rq.visits_2 PARTITION OF rq.visits FOR VALUES IN (8, 9, 10, 11, 12, 13, 14, NULL);
CREATE TABLE rq.visits_3 PARTITION OF rq.visits FOR VALUES IN (15, 16, 17, 18, 19, 20, -7);
CREATE TABLE rq.visits_rest PARTITION OF rq.visits DEFAULT;
CREATE INDEX ON rq.visits (customer_id, visited);

CREATE TABLE rq.stock (stock_id integer, brand_id bigint, customer_code varchar(10), quantity smallint) PARTITION BY LIST (brand_id);
CREATE TABLE rq.stock_1 PARTITION OF rq.stock FOR VALUES IN (1);
CREATE TABLE rq.stock_2 PARTITION OF rq.stock FOR VALUES IN (2, 3);
CREATE TABLE rq.stock_rest PARTITION OF rq.stock DEFAULT;
CREATE INDEX ON rq.stock (brand_id);
CREATE INDEX ON rq.stock (customer_code);

-- Documents and their lines: as they are, of brands, and masked, for their filtered views. A line may be without a document. They are
-- not written: a foreign key would refuse what the plain tables take.
CREATE TABLE rq.deals (deal_id integer PRIMARY KEY, customer_id bigint, signed date, worth numeric, title text);
CREATE TABLE rq.deal_items (item_id integer, deal_id integer REFERENCES rq.deals, quantity numeric, what text);
CREATE TABLE rq.bill (bill_id integer PRIMARY KEY, home uuid, customer_id bigint, billed date, title text);
CREATE TABLE rq.bill_items (item_id integer, bill_id integer NOT NULL REFERENCES rq.bill, quantity numeric, what text);
CREATE TABLE rq.contract (contract_id integer PRIMARY KEY, customer_id bigint, signed date, worth numeric, title text);
CREATE TABLE rq.contract_item (item_id integer, contract_id integer NOT NULL REFERENCES rq.contract, quantity numeric, what text);
CREATE INDEX ON rq.deals (customer_id, signed);
CREATE INDEX ON rq.deals (worth);
CREATE INDEX ON rq.deal_items (deal_id);
CREATE INDEX ON rq.bill (customer_id);
CREATE INDEX ON rq.bill (home);
CREATE INDEX ON rq.bill_items (bill_id);
CREATE INDEX ON rq.contract (customer_id);
CREATE INDEX ON rq.contract_item (contract_id);

-- Old shipments move to a partition of a range of days, so that windows leave it out.
DO $$
BEGIN
    EXECUTE format('CREATE TABLE rq.shipments_year PARTITION OF rq.shipments FOR VALUES FROM (%L) TO (%L)',
                   now() - interval '400 days', now() - interval '100 days');
    EXECUTE format('CREATE TABLE rq.shipments_month PARTITION OF rq.shipments FOR VALUES FROM (%L) TO (%L)',
                   now() - interval '100 days', now() - interval '10 days');
END
$$;

CREATE FUNCTION naive.day(n bigint) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN n % 17 = 0 THEN NULL
                ELSE (now() AT TIME ZONE current_setting('entitle.time_zone'))::date
                     - (ARRAY[-3, 0, 1, 6, 7, 8, 29, 30, 31, 90, 91, 200, 365, 366, 1000])[1 + n % 15] END $$;
CREATE FUNCTION naive.customer(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN n % 23 = 0 THEN NULL WHEN n % 42 = 40 THEN 9000000000 WHEN n % 42 = 39 THEN -7 ELSE n % 42 END $$;

INSERT INTO rq.orders
SELECT i, CASE WHEN i % 19 > 0 THEN 1 + i % 5 END, naive.customer(i * 31), naive.day(i * 7), (i * 37 % 1000) / 10.0,
       CASE WHEN i % 6 > 0 THEN 'note ' || i % 8 END
FROM generate_series(1, 260) AS i;
INSERT INTO rq.shipments
SELECT i, CASE WHEN i % 7 > 0 THEN coalesce(k.customer_uuid, md5(i::text)::uuid) END, naive.day(i * 5) + time '23:30', i % 50,
       CASE WHEN i % 5 > 0 THEN 'carrier ' || i % 4 END
FROM generate_series(1, 180) AS i LEFT JOIN entitle.customer k ON k.customer_id = naive.customer(i * 11);
INSERT INTO rq.ledger SELECT i, 1 + i % 4, naive.day(i), i * 7 % 100, 'entry ' || i % 5 FROM generate_series(1, 60) AS i;
INSERT INTO rq.visits
SELECT i, naive.customer(i * 5), naive.day(i * 3) + time '00:30' * (i % 40), 'place ' || i % 6 FROM generate_series(1, 200) AS i;
INSERT INTO rq.stock SELECT i, CASE WHEN i % 13 > 0 THEN 1 + i % 5 END, CASE WHEN i % 7 > 0 THEN 'C' || i % 42 END, i % 30
FROM generate_series(1, 120) AS i;
INSERT INTO rq.deals
SELECT i, naive.customer(i * 3), naive.day(i * 11), (i * 41 % 1000) / 10.0, 'note ' || i % 8 FROM generate_series(1, 150) AS i;
INSERT INTO rq.deal_items
SELECT i, CASE WHEN i % 29 > 0 THEN 1 + i * 17 % 150 END, i % 45 + 0.5, 'place ' || i % 6 FROM generate_series(1, 400) AS i;
INSERT INTO rq.bill SELECT order_id, md5('brand ' || brand_id)::uuid, customer_id, order_date, note FROM rq.orders;
INSERT INTO rq.bill_items SELECT i, 1 + i * 19 % 260, i % 45, 'carrier ' || i % 4 FROM generate_series(1, 500) AS i;
INSERT INTO rq.contract SELECT deal_id, customer_id, signed, worth, title FROM rq.deals;
INSERT INTO rq.contract_item SELECT i, 1 + i * 23 % 150, i % 45 + 0.5, 'place ' || i % 6 FROM generate_series(1, 300) AS i;

-- What is declared, once for entitle and once for the naive rules.
CREATE TABLE naive.declared (
    name text PRIMARY KEY, key_kind text, is_branded boolean, is_dated boolean, view_permission text, insert_permission text,
    update_permission text, delete_permission text, view_level integer, insert_level integer, update_level integer, delete_level integer,
    is_shared boolean);
INSERT INTO naive.declared VALUES
    ('orders', 'id', true, true, 'conversions.view', 'conversions.create', 'conversions.update', 'conversions.delete', 20, 20, 30, 40, false),
    ('shipments', 'uuid', false, true, 'customers.view', 'customers.edit', 'customers.edit', 'customers.edit', 10, NULL, 40, NULL, true),
    ('ledger', NULL, false, false, 'billing.invoices.view', 'billing.cards.view', 'billing.cards.view', 'billing.cards.view', NULL, NULL, NULL, NULL, false),
    ('visits', 'id', false, true, NULL, NULL, NULL, 'conversions.delete', 30, 30, 30, 30, true),
    ('stock', 'code', true, false, 'products.view', 'products.view', 'products.view', 'products.view', 10, 20, 20, 80, true),
    ('bill', 'id', true, true, 'conversions.view', NULL, NULL, NULL, 20, NULL, NULL, NULL, false),
    ('deals', 'id', false, true, 'customers.view', NULL, NULL, NULL, 20, NULL, NULL, NULL, true),
    ('contract', 'id', false, true, 'conversions.view', NULL, NULL, NULL, 10, NULL, NULL, NULL, true);
DO $$
BEGIN
PERFORM entitle.protect_table('rq.' || d.name,
    customer_column => CASE d.name WHEN 'ledger' THEN NULL WHEN 'shipments' THEN 'customer_uuid' WHEN 'stock' THEN 'customer_code'
                                   ELSE 'customer_id' END,
    date_column => CASE d.name WHEN 'orders' THEN 'order_date' WHEN 'shipments' THEN 'shipped_at' WHEN 'visits' THEN 'visited'
                             WHEN 'bill' THEN 'billed' WHEN 'deals' THEN 'signed' WHEN 'contract' THEN 'signed' END,
    brand_column => CASE WHEN d.name = 'bill' THEN 'home' WHEN d.is_branded THEN 'brand_id' END,
    min_level => coalesce(d.view_level, 10), view_permission => d.view_permission, insert_permission => d.insert_permission,
    update_permission => d.update_permission, delete_permission => d.delete_permission,
    external_insert_level => d.insert_level, external_update_level => d.update_level, external_delete_level => d.delete_level,
    shared_rows => d.is_shared,
    masked_columns => CASE d.name WHEN 'contract' THEN '{"worth": 30}' ELSE '{}' END::jsonb)
FROM naive.declared d;
END
$$;
SELECT entitle.protect_table('rq.deal_items', parent => 'rq.deals');
SELECT entitle.protect_table('rq.bill_items', parent => 'rq.bill');
SELECT entitle.protect_table('rq.contract_item', parent => 'rq.contract', masked_columns => '{"quantity": 40}');
GRANT USAGE ON SCHEMA rq TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rq TO PUBLIC;

CREATE TABLE naive.orders (LIKE rq.orders INCLUDING INDEXES);
CREATE TABLE naive.shipments (LIKE rq.shipments);
CREATE TABLE naive.ledger (LIKE rq.ledger INCLUDING INDEXES);
CREATE TABLE naive.visits (LIKE rq.visits);
CREATE TABLE naive.stock (LIKE rq.stock);
CREATE TABLE naive.deals (LIKE rq.deals INCLUDING INDEXES);
CREATE TABLE naive.deal_items (LIKE rq.deal_items);
CREATE TABLE naive.bill (LIKE rq.bill INCLUDING INDEXES);
CREATE TABLE naive.bill_items (LIKE rq.bill_items);
CREATE TABLE naive.contract_view (LIKE rq.contract INCLUDING INDEXES);
CREATE TABLE naive.contract_item_view (LIKE rq.contract_item);

-- R2, R5, R20 to R27: every permission that a user holds in a brand, its prerequisites aside, then with them.
CREATE VIEW naive.held_alone AS
    SELECT DISTINCT m.user_id, b.brand_id, p.permission_key
    FROM entitle.app_user u
    JOIN entitle.membership m ON m.user_id = u.user_id
    JOIN entitle.brand b ON m.brand_id = b.brand_id OR m.organization_id = b.organization_id
    JOIN entitle.permission p ON p.is_active
    WHERE u.is_active
      AND NOT EXISTS (SELECT FROM entitle.permission_module n
                      WHERE n.permission_key = p.permission_key
                        AND NOT EXISTS (SELECT FROM entitle.brand_module e
                                        WHERE e.brand_id = b.brand_id AND e.module_key = n.module_key AND e.is_enabled))
      AND NOT EXISTS (SELECT FROM entitle.plan_denial d WHERE d.plan_key = b.plan_key AND d.permission_key = p.permission_key)
      AND (b.organization_id IS NULL
           OR m.is_owner AND m.organization_id = b.organization_id
           OR EXISTS (SELECT FROM entitle.role r JOIN entitle.role_permission g ON g.role_id = r.role_id
                      WHERE r.role_id = m.role_id AND r.is_active AND r.organization_id = b.organization_id
                        AND g.permission_key = p.permission_key));
CREATE VIEW naive.held AS
    SELECT h.*
    FROM naive.held_alone h
    WHERE NOT EXISTS (
        WITH RECURSIVE needed (permission_key) AS (
            SELECT r.requires_key FROM entitle.permission_prerequisite r WHERE r.permission_key = h.permission_key
            UNION
            SELECT r.requires_key FROM needed n JOIN entitle.permission_prerequisite r ON r.permission_key = n.permission_key)
        SELECT FROM needed n
        WHERE NOT EXISTS (SELECT FROM naive.held_alone o
                          WHERE o.user_id = h.user_id AND o.brand_id = h.brand_id AND o.permission_key = n.permission_key));

-- R1, R34, R38, R40, R45: what the user's grants reach, today.
CREATE TABLE naive.reach (key_kind text, key text, level integer, first_day date);
-- The brands in which the user may do what, or NULL for a table that does not carry its brand, where only the current one counts.
CREATE TABLE naive.allowed (name text, action text, brands bigint[], everywhere boolean, level integer, key_kind text, is_dated boolean,
                            is_shared boolean, -- with the user who asks now
                            PRIMARY KEY (name, action));

CREATE FUNCTION naive.today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (now() AT TIME ZONE current_setting('entitle.time_zone'))::date $$;

CREATE FUNCTION naive.shows(wanted_name text, wanted_action text, brand bigint, wanted_key text, day date) RETURNS boolean LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(a.everywhere OR brand = ANY (a.brands) OR a.is_shared AND wanted_key IS NULL
                    OR EXISTS (SELECT FROM naive.reach r
                               WHERE r.key_kind = a.key_kind AND r.key = wanted_key AND r.level >= a.level
                                 AND (NOT a.is_dated OR r.first_day IS NULL OR day >= r.first_day)), false)
    FROM naive.allowed a WHERE a.name = wanted_name AND a.action = wanted_action
    $$;

CREATE FUNCTION naive.may_choose(usr bigint, brand bigint, customer bigint, OUT by_brand boolean, OUT by_customer boolean) LANGUAGE sql
    STABLE AS $$
    SELECT EXISTS (SELECT FROM entitle.app_user u JOIN entitle.membership m USING (user_id)
                   JOIN entitle.brand b ON m.brand_id = b.brand_id OR m.organization_id = b.organization_id
                   WHERE u.user_id = usr AND u.is_active AND b.brand_id = brand),
           EXISTS (SELECT FROM entitle.app_user u JOIN entitle.external_access e USING (user_id)
                   WHERE u.user_id = usr AND u.is_active AND e.customer_id = customer
                     AND naive.today() BETWEEN coalesce(e.valid_from, '-infinity') AND coalesce(e.valid_until, 'infinity'))
    $$;

-- Whether a column masked below a level shows in a customer's rows.
CREATE FUNCTION naive.unmasked(wanted_name text, customer bigint, wanted_level integer) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT a.everywhere OR EXISTS (SELECT FROM naive.reach r
                                   WHERE r.key_kind = 'id' AND r.key = customer::text AND r.level >= wanted_level)
    FROM naive.allowed a WHERE a.name = wanted_name AND a.action = 'view'
    $$;

-- Fills the plain tables for a user; NULL is nobody, or no choice.
CREATE FUNCTION naive.refresh(usr bigint, chosen_brand bigint, chosen_customer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    brand CONSTANT bigint := coalesce(chosen_brand, (
        SELECT min(b.brand_id) FROM entitle.membership m
        JOIN entitle.brand b ON m.brand_id = b.brand_id OR m.organization_id = b.organization_id
        WHERE m.user_id = usr HAVING count(DISTINCT b.brand_id) = 1));
BEGIN
    DELETE FROM naive.reach;
    INSERT INTO naive.reach
    SELECT k.kind, k.key, substr(e.role, 2)::integer, naive.today() - e.days_back
    FROM entitle.external_access e
    JOIN entitle.app_user u ON u.user_id = e.user_id AND u.is_active
    JOIN entitle.customer c ON c.customer_id = e.customer_id,
         LATERAL (VALUES ('id', c.customer_id::text), ('uuid', c.customer_uuid::text), ('code', c.customer_code)) AS k (kind, key)
    WHERE e.user_id = usr AND e.customer_id IS NOT DISTINCT FROM coalesce(chosen_customer, e.customer_id)
      AND naive.today() BETWEEN coalesce(e.valid_from, '-infinity') AND coalesce(e.valid_until, 'infinity');

    DELETE FROM naive.allowed;
    INSERT INTO naive.allowed
    SELECT d.name, a.action, CASE WHEN d.is_branded THEN h.brands END, NOT d.is_branded AND brand = ANY (h.brands),
           a.level, d.key_kind, d.is_dated,
           d.is_shared AND a.action = 'view' AND EXISTS (SELECT FROM entitle.app_user u WHERE u.user_id = usr AND u.is_active)
    FROM naive.declared d,
         LATERAL (VALUES ('view', d.view_permission, d.view_level), ('insert', d.insert_permission, d.insert_level),
                         ('update', d.update_permission, d.update_level), ('delete', d.delete_permission, d.delete_level))
             AS a (action, permission, level),
         LATERAL (SELECT array_agg(n.brand_id) FROM naive.held n WHERE n.user_id = usr AND n.permission_key = a.permission) AS h (brands);

    DELETE FROM naive.orders;
    DELETE FROM naive.shipments;
    DELETE FROM naive.ledger;
    DELETE FROM naive.visits;
    DELETE FROM naive.stock;
    DELETE FROM naive.deals;
    DELETE FROM naive.deal_items;
    DELETE FROM naive.bill;
    DELETE FROM naive.bill_items;
    DELETE FROM naive.contract_view;
    DELETE FROM naive.contract_item_view;
    INSERT INTO naive.orders SELECT t.* FROM rq.orders t, naive.allowed a
    WHERE a.name = 'orders' AND a.action = 'view'
      AND (t.brand_id = ANY (a.brands)
           OR EXISTS (SELECT FROM naive.reach r WHERE r.key_kind = 'id' AND r.key = t.customer_id::text AND r.level >= a.level
                        AND (r.first_day IS NULL OR t.order_date >= r.first_day)));
    INSERT INTO naive.shipments SELECT t.* FROM rq.shipments t, naive.allowed a
    WHERE a.name = 'shipments' AND a.action = 'view'
      AND (a.everywhere OR a.is_shared AND t.customer_uuid IS NULL
           OR EXISTS (SELECT FROM naive.reach r WHERE r.key_kind = 'uuid' AND r.key = t.customer_uuid::text AND r.level >= a.level
                        AND (r.first_day IS NULL
                             OR (t.shipped_at AT TIME ZONE current_setting('entitle.time_zone'))::date >= r.first_day)));
    INSERT INTO naive.ledger SELECT t.* FROM rq.ledger t, naive.allowed a
    WHERE a.name = 'ledger' AND a.action = 'view' AND a.everywhere;
    INSERT INTO naive.visits SELECT t.* FROM rq.visits t, naive.allowed a
    WHERE a.name = 'visits' AND a.action = 'view'
      AND (a.is_shared AND t.customer_id IS NULL
           OR EXISTS (SELECT FROM naive.reach r WHERE r.key_kind = 'id' AND r.key = t.customer_id::text AND r.level >= a.level
                        AND (r.first_day IS NULL OR t.visited::date >= r.first_day)));
    INSERT INTO naive.stock SELECT t.* FROM rq.stock t, naive.allowed a
    WHERE a.name = 'stock' AND a.action = 'view'
      AND (t.brand_id = ANY (a.brands) OR a.is_shared AND t.customer_code IS NULL
           OR EXISTS (SELECT FROM naive.reach r WHERE r.key_kind = 'code' AND r.key = t.customer_code AND r.level >= a.level));
    INSERT INTO naive.deals SELECT t.* FROM rq.deals t, naive.allowed a
    WHERE a.name = 'deals' AND a.action = 'view'
      AND (a.everywhere OR a.is_shared AND t.customer_id IS NULL
           OR EXISTS (SELECT FROM naive.reach r WHERE r.key_kind = 'id' AND r.key = t.customer_id::text AND r.level >= a.level
                        AND (r.first_day IS NULL OR t.signed >= r.first_day)));
    INSERT INTO naive.bill SELECT t.* FROM rq.bill t, naive.allowed a
    WHERE a.name = 'bill' AND a.action = 'view'
      AND (EXISTS (SELECT FROM entitle.brand b WHERE b.brand_uuid = t.home AND b.brand_id = ANY (a.brands))
           OR EXISTS (SELECT FROM naive.reach r WHERE r.key_kind = 'id' AND r.key = t.customer_id::text AND r.level >= a.level
                        AND (r.first_day IS NULL OR t.billed >= r.first_day)));
    INSERT INTO naive.contract_view
    SELECT t.contract_id, t.customer_id, t.signed, CASE WHEN naive.unmasked('contract', t.customer_id, 30) THEN t.worth END, t.title
    FROM rq.contract t, naive.allowed a
    WHERE a.name = 'contract' AND a.action = 'view'
      AND (a.everywhere OR a.is_shared AND t.customer_id IS NULL
           OR EXISTS (SELECT FROM naive.reach r WHERE r.key_kind = 'id' AND r.key = t.customer_id::text AND r.level >= a.level
                        AND (r.first_day IS NULL OR t.signed >= r.first_day)));
    -- R51
    INSERT INTO naive.deal_items SELECT i.* FROM rq.deal_items i JOIN naive.deals USING (deal_id);
    INSERT INTO naive.bill_items SELECT i.* FROM rq.bill_items i JOIN naive.bill USING (bill_id);
    INSERT INTO naive.contract_item_view
    SELECT i.item_id, i.contract_id, CASE WHEN naive.unmasked('contract', d.customer_id, 40) THEN i.quantity END, i.what
    FROM rq.contract_item i JOIN naive.contract_view d USING (contract_id);
END
$$;

-- R55: what external access may give a row as its brand: that of its customer.
CREATE FUNCTION naive.may_give(wanted_name text, wanted_action text, brand bigint, wanted_key text) RETURNS boolean LANGUAGE sql STABLE
    AS $$
    SELECT d.key_kind IS NULL OR NOT d.is_branded OR coalesce(brand = ANY (a.brands), false)
           OR EXISTS (SELECT FROM entitle.customer c
                      WHERE c.brand_id = brand
                        AND CASE d.key_kind WHEN 'id' THEN c.customer_id::text WHEN 'uuid' THEN c.customer_uuid::text
                                            ELSE c.customer_code END = wanted_key)
    FROM naive.allowed a JOIN naive.declared d USING (name)
    WHERE a.name = wanted_name AND a.action = wanted_action
    $$;

-- The rules on writes: 42501 where entitle must refuse (R3). The rows that a user cannot see are not here at all.
-- naive.reads_new: whether the statement reads the new row, which must then be visible too.
CREATE FUNCTION naive.check_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind CONSTANT text := lower(TG_OP);
BEGIN
    IF TG_OP <> 'INSERT' AND NOT naive.shows(TG_TABLE_NAME, kind, naive.brand(OLD), naive.key(OLD), naive.day(OLD))
       OR TG_OP <> 'DELETE' AND NOT naive.shows(TG_TABLE_NAME, kind, naive.brand(NEW), naive.key(NEW), naive.day(NEW))
       OR (TG_OP = 'UPDATE' OR TG_OP = 'INSERT' AND current_setting('naive.reads_new') = 'on')
          AND NOT naive.shows(TG_TABLE_NAME, 'view', naive.brand(NEW), naive.key(NEW), naive.day(NEW))
       -- R54
       OR TG_OP = 'UPDATE'
          AND EXISTS (SELECT FROM unnest('{view,update,delete}'::text[]) AS a
                      WHERE naive.shows(TG_TABLE_NAME, a, naive.brand(NEW), naive.key(NEW), naive.day(NEW))
                        AND NOT naive.shows(TG_TABLE_NAME, a, naive.brand(OLD), naive.key(OLD), naive.day(OLD)))
       OR (TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND naive.brand(NEW) IS DISTINCT FROM naive.brand(OLD))
          AND NOT naive.may_give(TG_TABLE_NAME, kind, naive.brand(NEW), naive.key(NEW)) THEN
        RAISE EXCEPTION 'refused by the naive rules' USING ERRCODE = '42501';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
DO $$
DECLARE
    d naive.declared;
    facts text[];
BEGIN
    FOR d IN SELECT * FROM naive.declared WHERE update_level IS NOT NULL OR update_permission IS NOT NULL LOOP
        facts := CASE d.name
            WHEN 'orders' THEN ARRAY['o.brand_id', 'o.customer_id', 'o.order_date']
            WHEN 'shipments' THEN ARRAY['NULL', 'o.customer_uuid',
                                        '(o.shipped_at AT TIME ZONE current_setting(''entitle.time_zone''))::date']
            WHEN 'ledger' THEN ARRAY['NULL', 'NULL', 'NULL']
            WHEN 'visits' THEN ARRAY['NULL', 'o.customer_id', 'o.visited']
            WHEN 'stock' THEN ARRAY['o.brand_id', 'o.customer_code', 'NULL'] END;
        EXECUTE format('CREATE FUNCTION naive.brand(o naive.%1$I) RETURNS bigint LANGUAGE sql STABLE AS ''SELECT (%2$s)::bigint'';'
                       'CREATE FUNCTION naive.key(o naive.%1$I) RETURNS text LANGUAGE sql STABLE AS ''SELECT (%3$s)::text'';'
                       'CREATE FUNCTION naive.day(o naive.%1$I) RETURNS date LANGUAGE sql STABLE AS %4$L',
                       d.name, facts[1], facts[2], 'SELECT (' || facts[3] || ')::date');
        EXECUTE format('CREATE TRIGGER check_write BEFORE INSERT OR UPDATE OR DELETE ON naive.%I FOR EACH ROW '
                       'WHEN (current_setting(''naive.writing'', true) = ''on'') EXECUTE FUNCTION naive.check_write()', d.name);
    END LOOP;
END
$$;

-- The same views and functions in both schemas: inlined and not, through PL/pgSQL, through a view of its own rights.
DO $$
DECLARE
    s text;
BEGIN
    FOREACH s IN ARRAY '{rq,naive}'::text[] LOOP
        EXECUTE replace($script$
            CREATE VIEW s.recent WITH (security_invoker) AS
                SELECT o.order_id, o.customer_id, o.order_date, o.amount, o.note FROM s.orders o WHERE o.amount > 20;
            CREATE VIEW s.movements WITH (security_invoker, security_barrier) AS
                SELECT v.visit_id AS id, v.customer_id, v.visited::date AS day, v.place AS what FROM s.visits v
                UNION ALL SELECT o.order_id, o.customer_id, o.order_date, o.note FROM s.orders o;
            CREATE FUNCTION s.orders_over(floor numeric) RETURNS SETOF s.orders LANGUAGE sql STABLE AS
                'SELECT * FROM s.orders o WHERE o.amount > floor';
            CREATE FUNCTION s.visits_of(customer bigint) RETURNS SETOF s.visits LANGUAGE plpgsql STABLE AS
                'BEGIN RETURN QUERY SELECT * FROM s.visits v WHERE v.customer_id = customer; END';
            CREATE FUNCTION s.orders_of(customer bigint) RETURNS bigint LANGUAGE sql STABLE AS
                'SELECT count(*) FROM s.orders o WHERE o.customer_id = customer';
            CREATE FUNCTION s.stock_of(brand bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS
                'DECLARE n bigint; BEGIN SELECT sum(quantity) INTO n FROM s.stock k WHERE k.brand_id = brand; RETURN n; END';
            CREATE FUNCTION s.run_query(statement text) RETURNS SETOF text LANGUAGE plpgsql AS
                'DECLARE r record; BEGIN FOR r IN EXECUTE statement LOOP RETURN NEXT r::text; END LOOP; END';
            $script$, 's.', s || '.');
    END LOOP;
END
$$;
GRANT SELECT ON ALL TABLES IN SCHEMA rq TO PUBLIC;
ANALYZE rq.orders, rq.shipments, rq.visits, rq.bill, rq.bill_items, rq.deals, rq.deal_items, rq.contract, rq.contract_item;
