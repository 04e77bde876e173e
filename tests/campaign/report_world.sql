-- The same tables three times: without protection, in report mode, and enforced; documents with a brand, a date and a masked column,
-- their lines, notes that everybody may share, visits in partitions. Users of every kind.
CREATE EXTENSION entitle;
DO $$
DECLARE
    shift CONSTANT integer := 12 - extract(hour FROM now() AT TIME ZONE 'UTC')::integer;
BEGIN
    -- Midnight in the business time zone is as far away as can be.
    EXECUTE format('ALTER DATABASE %I SET entitle.time_zone = %L', current_database(),
                   'Etc/GMT' || CASE WHEN shift > 0 THEN '-' ELSE '+' END || abs(shift));
    EXECUTE format('SET entitle.time_zone = %L', 'Etc/GMT' || CASE WHEN shift > 0 THEN '-' ELSE '+' END || abs(shift));
END
$$;
CREATE FUNCTION today() RETURNS date LANGUAGE sql STABLE AS
    $$ SELECT (now() AT TIME ZONE current_setting('entitle.time_zone'))::date $$;
CREATE ROLE report_app;
CREATE ROLE report_owner;
CREATE ROLE report_mapped;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (201, 1, 'ours'), (202, NULL, 'theirs');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, m.module_key FROM unnest('{201,202}'::bigint[]) AS b, entitle.module m;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (301, 1, 'whatever there is');
INSERT INTO entitle.role_permission (role_id, permission_key) SELECT 301, p.permission_key FROM entitle.permission p;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES
    (101, 'reader', NULL), (102, 'reader here', NULL), (103, 'seller', NULL), (104, 'everything', NULL), (105, 'owner', NULL),
    (106, 'alone', NULL), (107, 'no role', NULL), (110, 'basic', NULL), (111, 'orders', NULL), (112, 'prices', NULL), (113, 'billing', NULL),
    (114, 'admin', NULL), (115, 'customer owner', NULL), (116, 'expired', NULL), (117, 'reader outside', NULL), (118, 'stranger', NULL),
    (119, 'mapped', 'report_mapped');
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner)
SELECT v.u, v.o, v.b, coalesce(v.i, r.role_id), v.w
FROM (VALUES (101, 1, NULL, 'read-only', NULL, false), (102, NULL, 201, 'read-only', NULL, false), (103, 1, NULL, 'sales', NULL, false),
             (104, NULL, 201, NULL, 301, false), (105, 1, NULL, NULL, NULL, true), (106, NULL, 202, NULL, NULL, false),
             (107, 1, NULL, NULL, NULL, false), (117, NULL, 201, 'read-only', NULL, false)) AS v (u, o, b, named, i, w)
LEFT JOIN entitle.role r ON r.organization_id = 1 AND r.name = v.named;
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id)
SELECT i, CASE WHEN i % 2 = 0 THEN 201 ELSE 202 END, 'c' || i, 'c' || i, i FROM generate_series(101, 112) AS i;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_until)
SELECT c, u, (ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90', 'L30', 'L80', NULL, 'L20'])[u - 109],
       CASE WHEN c % 3 = 0 THEN NULL ELSE (ARRAY[0, 7, 30])[1 + (c + u) % 3] END, CASE u WHEN 116 THEN today() - 1 END
FROM generate_series(101, 112) AS c, unnest('{110,111,112,113,114,115,116,117,119}'::bigint[]) AS u
WHERE (c * 7 + u) % 3 > 0;

CREATE FUNCTION make_tables(place text) RETURNS void LANGUAGE plpgsql AS $f$
BEGIN
    EXECUTE format('CREATE SCHEMA %I AUTHORIZATION report_owner', place);
    PERFORM set_config('search_path', place, true);
    SET LOCAL ROLE report_owner;
    CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, brand_id bigint, placed date, title text, price numeric);
    CREATE TABLE lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, title text, price numeric);
    CREATE TABLE notes (id integer PRIMARY KEY, customer_id bigint, title text);
    CREATE TABLE visits (id integer PRIMARY KEY, customer_id bigint, placed date, title text) PARTITION BY RANGE (id);
    CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (MINVALUE) TO (100);
    CREATE TABLE visits_2 (title text, id integer NOT NULL, placed date, customer_id bigint);
    ALTER TABLE visits ATTACH PARTITION visits_2 FOR VALUES FROM (100) TO (MAXVALUE);
    INSERT INTO orders SELECT i, CASE WHEN i % 13 > 0 THEN 100 + i % 14 END, CASE WHEN i % 17 > 0 THEN 201 + i % 2 END,
                              CASE WHEN i % 11 > 0 THEN public.today() - (ARRAY[-1, 0, 1, 7, 8, 30, 31, 400])[1 + i % 8] END, 'o' || i, i
    FROM generate_series(1, 200) AS i;
    INSERT INTO lines SELECT i, 1 + i * 7 % 200, 'l' || i, i FROM generate_series(1, 300) AS i;
    INSERT INTO notes SELECT i, CASE WHEN i % 5 > 0 THEN 100 + i % 14 END, 'n' || i FROM generate_series(1, 120) AS i;
    INSERT INTO visits SELECT i, 100 + i % 14, public.today() - i % 60, 'v' || i FROM generate_series(1, 200) AS i;
    CREATE INDEX ON orders (customer_id);
    CREATE INDEX ON lines (order_id);
    CREATE INDEX ON visits (customer_id, placed);
    GRANT SELECT, INSERT, UPDATE, DELETE ON orders, lines, notes, visits, visits_1, visits_2 TO report_app, report_mapped;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO report_app, report_mapped', place);
    RESET ROLE;
END
$f$;
CREATE FUNCTION protect_tables(place text, mode text) RETURNS void LANGUAGE plpgsql AS $f$
BEGIN
    PERFORM set_config('search_path', place, true);
    PERFORM entitle.protect_table('orders', 'customer_id', 'placed', 'brand_id', min_level => 20, view_permission => 'customers.view',
        insert_permission => 'customers.edit', update_permission => 'customers.edit', external_insert_level => 20, external_update_level => 80,
        masked_columns => '{"price": 30}', external_delete_level => 80, mode => mode);
    PERFORM entitle.protect_table('lines', parent => 'orders', update_permission => 'customers.edit', external_update_level => 20,
        delete_permission => 'customers.edit', masked_columns => '{"price": 80}', mode => mode);
    PERFORM entitle.protect_table('notes', 'customer_id', shared_rows => true, external_insert_level => 80, external_delete_level => 40, mode => mode);
    PERFORM entitle.protect_table('visits', 'customer_id', 'placed', external_update_level => 20, delete_permission => 'customers.edit', mode => mode);
END
$f$;
SELECT public.make_tables(place) FROM unnest('{plain,reported,enforced}'::text[]) AS place;
SELECT public.protect_tables('reported', 'report'), public.protect_tables('enforced', 'enforce');
GRANT SELECT, UPDATE ON enforced.orders_view, enforced.lines_view TO report_app, report_mapped;
ANALYZE;
