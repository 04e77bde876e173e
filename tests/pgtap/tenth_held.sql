-- What the tenth attack tried in vain: S510 to S513.
\ir error_of.psql
SELECT no_plan();
CREATE EXTENSION citext;
CREATE ROLE test_owner;
CREATE ROLE test_mallory;
GRANT CREATE ON SCHEMA public TO test_owner, test_mallory;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table, entitle.protection_report TO test_owner, test_mallory;
INSERT INTO entitle.organization (organization_id, name) VALUES (90, 'another');
INSERT INTO entitle.brand (brand_id, organization_id, name, is_active, brand_uuid, brand_code) VALUES
    (201, 1, 'ours', true, '00000000-0000-0000-0000-000000000201', '201'), (202, 1, 'theirs', true, '00000000-0000-0000-0000-000000000202', '202'),
    (203, 1, 'off', false, '00000000-0000-0000-0000-000000000203', '203'), (290, 90, 'of another organization', true, NULL, NULL);
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, m.module_key FROM unnest('{201,202,203,290}'::bigint[]) AS b, entitle.module m;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (301, 1, 'editor');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (301, 'customers.view'), (301, 'customers.edit');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'ours'), (102, 'both'), (103, 'external'), (104, 'nobody'), (105, 'staff and external'), (106, 'all'), (107, 'l20'), (108, 'admin');
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id) VALUES (101, NULL, 201, 301), (102, NULL, 201, 301), (102, NULL, 202, 301), (105, NULL, 201, 301), (106, 1, NULL, 301);
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (108, 1, true);
INSERT INTO entitle.customer (customer_id, customer_code, brand_id, legal_name, trade_name, tax_id)
SELECT i, 'k' || i, CASE WHEN i < 105 THEN 201 ELSE 202 END, 'c' || i, 'c' || i, i FROM generate_series(101, 108) i;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (101, 103, 'L80', NULL), (105, 103, 'L80', NULL), (102, 103, 'L20', NULL), (101, 105, 'L80', NULL), (101, 107, 'L20', 30), (103, 107, 'L80', NULL), (104, 107, 'L40', NULL);

-- S510: whatever type a table's brands have, each write by each kind of user ends alike: keys of the own brand, another's, one that is
-- switched off, two that no brand has, and none.
CREATE TYPE brand_label AS ENUM ('201', '202', '203', '998', '999');
CREATE DOMAIN brand_domain AS uuid;
CREATE FUNCTION uuid_of(i integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-0000-0000-000000000' || i)::uuid $$;
CREATE TABLE kind (name text, type text, made text);
INSERT INTO kind VALUES ('by_int', 'integer', '%s'), ('by_numeric', 'numeric', '%s.00'), ('by_uuid', 'uuid', 'uuid_of(%s)'), ('by_text', 'text', '%s::text'),
    ('by_char', 'char(9)', '%s::text'), ('by_citext', 'citext', '%s::text'), ('by_label', 'brand_label', '%s::text::brand_label'), ('by_domain', 'brand_domain', 'uuid_of(%s)');
CREATE FUNCTION key_of(made text, k integer) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN k IS NULL THEN 'NULL' ELSE format(made, k) END $$;
DO $$
DECLARE
    k record;
BEGIN
    FOR k IN SELECT * FROM public.kind LOOP
        EXECUTE format('CREATE TABLE %I (id integer PRIMARY KEY, customer_id integer, brand %s)', k.name, k.type);
        EXECUTE format('INSERT INTO %I SELECT 1 + row_number() OVER (), c, %s FROM unnest(ARRAY[201, 202, 203, 998, 999, NULL]) b, unnest(ARRAY[101, 105, 103, NULL]) c', k.name,
                       CASE k.made WHEN '%s.00' THEN 'b' ELSE replace(k.made, '%s', 'b') END);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO test_app', k.name);
        PERFORM entitle.protect_table(k.name::regclass, 'customer_id', brand_column => 'brand', view_permission => 'customers.view', insert_permission => 'customers.edit',
            update_permission => 'customers.edit', delete_permission => 'customers.edit', external_insert_level => 80, external_update_level => 80, external_delete_level => 80);
    END LOOP;
END
$$;
CREATE TABLE ended AS
SELECT u.login, w.what, k.name, replace(error_of(u.login, w.command), k.name, 'the table') AS ended
FROM kind k, unnest(ARRAY['ours', 'both', 'external', 'nobody', 'staff and external', 'all', NULL]) AS u (login),
     LATERAL (SELECT format('row %s to %s', i, b) AS what, format('UPDATE %I SET brand = %s WHERE id = %s', k.name, key_of(k.made, b), i) AS command
              FROM generate_series(2, 25) i, unnest(ARRAY[201, 202, 203, 998, NULL]) b
              UNION ALL
              SELECT format('new row of %s, %s', c, b), format('INSERT INTO %I VALUES (100, %s, %s)', k.name, coalesce(c::text, 'NULL'), key_of(k.made, b))
              FROM unnest(ARRAY[101, 105, 102, NULL]) c, unnest(ARRAY[201, 202, 203, 998, NULL]) b
              UNION ALL
              SELECT 'delete', format('DELETE FROM %I', k.name)) w;
SELECT is_empty('SELECT login, what, string_agg(DISTINCT ended, '' or '') FROM ended GROUP BY 1, 2 HAVING count(DISTINCT ended) > 1', 'S510: all types end alike');
SELECT cmp_ok((SELECT count(DISTINCT ended) FROM ended), '>', 5::bigint, 'in several ways');
SELECT is_empty($$ SELECT * FROM ended WHERE ended = '1' AND (login IN ('nobody') OR login IS NULL OR login = 'ours' AND what !~ '201$') $$, 'S510: nobody gives a row away to where he may not write');

-- S511: lines know their document by keys of other types, in another order, of partitions and of tables that others inherit from.
SET LOCAL ROLE test_owner;
CREATE TABLE d1 (k1 integer, k2 bigint, customer_id integer, d date, PRIMARY KEY (k1, k2));
INSERT INTO d1 SELECT i, i * 10, CASE WHEN i % 7 > 0 THEN 100 + i % 6 END, current_date - i % 60 FROM generate_series(1, 100) i;
CREATE TABLE l1 (id integer PRIMARY KEY, x smallint, y integer, FOREIGN KEY (y, x) REFERENCES d1 (k2, k1));
INSERT INTO l1 SELECT i, CASE WHEN i % 9 > 0 THEN i END, i * 10 FROM generate_series(1, 100) i;
CREATE TABLE m1 (id integer PRIMARY KEY, l integer REFERENCES l1);
INSERT INTO m1 SELECT i, i FROM generate_series(1, 100) i;
CREATE TABLE d2 (k char(8) PRIMARY KEY, customer_code citext, d timestamptz);
INSERT INTO d2 SELECT 'd' || i, 'k' || (100 + i % 6), now() - i * interval '1 day' FROM generate_series(1, 100) i;
CREATE TABLE l2 (id integer PRIMARY KEY, d text REFERENCES d2);
INSERT INTO l2 SELECT i, 'd' || i FROM generate_series(1, 100) i;
CREATE TABLE d3 (k numeric PRIMARY KEY, customer_id numeric);
INSERT INTO d3 SELECT i, 100 + i % 6 + CASE WHEN i % 5 = 0 THEN 0.5 ELSE 0 END FROM generate_series(1, 100) i;
CREATE TABLE l3 (id integer PRIMARY KEY, d integer REFERENCES d3) PARTITION BY RANGE (id);
CREATE TABLE l3_1 PARTITION OF l3 FOR VALUES FROM (0) TO (50);
CREATE TABLE l3_2 (d integer, id integer NOT NULL);
ALTER TABLE l3 ATTACH PARTITION l3_2 FOR VALUES FROM (50) TO (1000);
INSERT INTO l3 SELECT i, i FROM generate_series(1, 100) i;
CREATE TABLE d4 (id integer PRIMARY KEY, customer_id integer) PARTITION BY LIST (id);
CREATE TABLE d4_1 PARTITION OF d4 FOR VALUES IN (1, 2, 3);
CREATE TABLE d4_2 PARTITION OF d4 DEFAULT;
INSERT INTO d4 SELECT i, 100 + i % 6 FROM generate_series(1, 50) i;
CREATE TABLE l4 (id integer PRIMARY KEY, d integer REFERENCES d4);
INSERT INTO l4 SELECT i, i FROM generate_series(1, 50) i;
CREATE TABLE d5 (id integer PRIMARY KEY, customer_id integer);
CREATE TABLE d5_child () INHERITS (d5);
ALTER TABLE d5_child ADD PRIMARY KEY (id);
INSERT INTO d5 SELECT i, 100 + i % 6 FROM generate_series(1, 50) i;
INSERT INTO d5_child SELECT i, 103 FROM generate_series(20, 70) i;
CREATE TABLE l5 (id integer PRIMARY KEY, d bigint REFERENCES d5);
INSERT INTO l5 SELECT i, i FROM generate_series(1, 50) i;
GRANT SELECT ON d1, l1, m1, d2, l2, d3, l3, d4, l4, d5, l5 TO test_app;
RESET ROLE;
CREATE TABLE calls (name text, arguments text);
INSERT INTO calls VALUES ('d1', $$customer_column => 'customer_id', date_column => 'd', shared_rows => true$$), ('l1', $$parent => 'd1'$$), ('m1', $$parent => 'l1'$$),
    ('d2', $$customer_column => 'customer_code', date_column => 'd', min_level => 20$$), ('l2', $$parent => 'd2'$$),
    ('d3', $$customer_column => 'customer_id', min_level => 30$$), ('l3', $$parent => 'd3'$$), ('d4', $$customer_column => 'customer_id'$$), ('l4', $$parent => 'd4'$$),
    ('d5', $$customer_column => 'customer_id'$$), ('l5', $$parent => 'd5'$$);
CREATE FUNCTION protect(mode text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made text;
BEGIN
    SET LOCAL ROLE test_owner;
    FOR made IN SELECT format('SELECT entitle.protect_table(%L, %s, mode => %L)', c.name, c.arguments, mode) FROM public.calls c LOOP
        EXECUTE made;
    END LOOP;
    RESET ROLE;
END
$$;
GRANT SELECT ON calls TO test_owner;
SELECT protect('report') \g /dev/null
CREATE TABLE seen AS SELECT name, ask('l20', format('SELECT count(*) FROM %I', name))::bigint AS rows FROM calls;
CREATE TABLE told AS SELECT relation::text AS name, sum(rows) AS rows FROM entitle.protection_report() GROUP BY 1;
SELECT protect('enforce') \g /dev/null
SELECT is_empty($$ SELECT s.name, s.rows, t.rows, ask('l20', format('SELECT count(*) FROM %I', s.name)) FROM seen s LEFT JOIN told t USING (name)
                   WHERE s.rows - t.rows IS DISTINCT FROM ask('l20', format('SELECT count(*) FROM %I', s.name))::bigint $$, 'S511: the report tells as many rows as enforcement hides');

-- S512: the steps of report mode, called by name, for tables that are another's, for nothing, and for what is no table.
CREATE TABLE record_of AS SELECT entitle_internal.declaration('d1') AS declared;
GRANT SELECT ON record_of TO test_mallory;
GRANT USAGE ON SCHEMA entitle, entitle_internal TO test_mallory;
SET LOCAL ROLE test_mallory;
SELECT throws_ok(format('SELECT entitle_internal.%s', step), state, NULL, 'S512: refused: ' || step)
FROM (VALUES ('record_report(declared) FROM record_of', '42501'), ('record_report(NULL)', '42501'), ('begin_report(declared) FROM record_of', '42501'), ('begin_report(NULL)', '22004'),
             ($$forget_report('d1')$$, '42501'), ('forget_report(NULL)', '42501'), ($$forget_reported('d1')$$, '42501'), ('keep_report()', '42501'), ('verify_reported()', '42501')) AS v (step, state);
SELECT lives_ok(format('SELECT entitle_internal.%s', step), 'S512: does nothing: ' || step)
FROM (VALUES ($$end_report('d1')$$), ('end_report(NULL)'), ('remove_report(NULL)'), ($$remove_report('pg_class')$$), ('report_active(NULL)'), ('report_active(0)'), ('reported_declaration(NULL)'), ('reported_document(NULL)'),
             ('reported_lines(NULL)'), ('report_condition(NULL)'), ('check_unreported_lines(NULL)'), ('reported_problem(NULL)')) AS v (step);
RESET ROLE;

-- S513: what a role opens in a brand of another organization, or in none, tells nothing of that brand.
GRANT EXECUTE ON FUNCTION entitle.permission_matrix(bigint, bigint) TO test_app;
SELECT is(ask('admin', 'SELECT string_agg(format(''%s %s %s'', role, capability, allowed), '','' ORDER BY role, capability) FROM entitle.permission_matrix(1, 290)'),
          ask('admin', 'SELECT string_agg(format(''%s %s %s'', role, capability, allowed), '','' ORDER BY role, capability) FROM entitle.permission_matrix(1, 12345)'),
          'S513: it is as one that is not there');
SELECT is(ask('admin', 'SELECT count(*) FROM entitle.permission_matrix(90, 290)'), '0', 'S513: and of its organization''s roles nothing is told');

SELECT * FROM finish();
ROLLBACK;
