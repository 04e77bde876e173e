-- Who writes metric values and their catalogue (R12 to R15), through plain DML and set_metric_value, and which values there are:
-- nobody, each level, each example role, the tables' owner and a superuser.
\ir tried.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

INSERT INTO entitle.role (role_id, organization_id, name) VALUES (81, 1, 'edit without view'), (82, 1, 'metrics without view');
INSERT INTO entitle.role_permission VALUES (81, 'customers.edit'), (82, 'customers.client_metrics'), (82, 'customers.edit');
INSERT INTO entitle.app_user (user_id, login) SELECT 100 + role_id, name FROM entitle.role;
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 100 + role_id, 1, role_id FROM entitle.role;
INSERT INTO entitle.app_user (user_id, login) VALUES (190, 'organization''s owner'), (192, 'elsewhere');
INSERT INTO entitle.app_user (user_id, login) SELECT 200 + level, 'L' || level FROM unnest(ARRAY[10, 20, 30, 40, 80, 90]) AS level;
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (190, 1, true);
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (190, NULL, 'elsewhere');
INSERT INTO entitle.brand_module VALUES (190, 'customers');
INSERT INTO entitle.membership (user_id, brand_id) VALUES (192, 190);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id, status) VALUES
    (101, 1, 'a', 'a', '1', 'PAIN'), (102, 1, 'b', 'b', '2', 'ACTV'), (103, 1, 'c', 'c', '3', 'INAC'), (104, 190, 'd', 'd', '4', 'ACTV');
INSERT INTO entitle.external_access (customer_id, user_id, role) SELECT customer_id, user_id, login FROM entitle.customer, entitle.app_user WHERE login ~ '^L[0-9]+$';
INSERT INTO entitle.client_metric (metric_id, organization_id, name) VALUES (101, 1, 'pays'), (102, 1, 'answers'), (103, NULL, 'pays');
INSERT INTO entitle.customer_metric SELECT customer_id, CASE customer_id WHEN 104 THEN 103 ELSE 101 END, 50 FROM entitle.customer;

CREATE TEMP TABLE writer (login, sees, may) AS
SELECT u.login, u.login IS NOT NULL AND u.login IN ('customers-only viewer', 'read-only', 'reports reader', 'sales', 'sales manager', 'organization''s owner'),
       CASE WHEN u.login IN ('sales manager', 'organization''s owner') THEN '{101,102}'::bigint[]
            WHEN u.login = 'sales' THEN '{102}' ELSE '{}' END
FROM (SELECT login FROM entitle.app_user WHERE login <> 'elsewhere' UNION ALL VALUES (NULL)) AS u;

SELECT is(ask(login, format('SELECT entitle.can_score(%s)', customer)), (customer = ANY (may))::text,
          format('R12 to R14: can_score(%s) of %s', customer, coalesce(login, 'nobody')))
FROM writer, generate_series(101, 104) AS customer;
SELECT is(tried(login, format(command, customer)),
          CASE WHEN customer = ANY (may) THEN '1' WHEN hides AND NOT (sees AND customer <> 104) THEN '0' ELSE '42501' END,
          format('R5, R12 to R14: %s: %s', coalesce(login, 'nobody'), format(command, customer)))
FROM writer, generate_series(101, 104) AS customer, (VALUES
    ('INSERT INTO entitle.customer_metric VALUES (%s, 102, 1)', false),
    ('INSERT INTO entitle.customer_metric VALUES (%s, 101, 1) ON CONFLICT (customer_id, metric_id) DO UPDATE SET value = excluded.value', false),
    ('UPDATE entitle.customer_metric SET value = 1 WHERE customer_id = %s', true),
    ('DELETE FROM entitle.customer_metric WHERE customer_id = %s', true),
    ('MERGE INTO entitle.customer_metric v USING (VALUES (%s)) c (id) ON v.customer_id = c.id WHEN MATCHED THEN UPDATE SET value = 2', true),
    ('SELECT entitle.set_metric_value(%s, ''pays'', 7)', false)) AS c (command, hides);
SELECT is(tried('sales', 'UPDATE entitle.customer_metric SET customer_id = 101, metric_id = 102 WHERE customer_id = 102'), '42501',
          'R13: a value does not move to a customer out of reach');

-- R3: a customer elsewhere is as one that is not.
SELECT is(tried('sales manager', format('SELECT entitle.set_metric_value(%s, ''none'', 500)', customer)), '42501', format('R3: nothing is told of customer %s', customer))
FROM unnest(ARRAY['104', '-1', 'NULL']) AS customer;

-- Values.
SELECT is(tried('sales', format('SELECT entitle.set_metric_value(102, ''pays'', %s)', value)), '23514', format('R12: not %s', value))
FROM unnest(ARRAY['-0.001', '100.001', '''NaN''', '''Infinity''', '''-Infinity''']) AS value;
SELECT is(tried('sales', format('SELECT entitle.set_metric_value(102, ''pays'', %s)', value)), '1', format('R12: %s', value))
FROM unnest(ARRAY['0', '100', '33.33333']) AS value;
SELECT is(tried('sales', format('SELECT entitle.set_metric_value(102, %s)', arguments)), '22023', format('not with %s', arguments))
FROM unnest(ARRAY['''none'', 1', '''Pays'', 1', 'NULL, 1', '''pays'', NULL']) AS arguments;
SELECT throws_ok('SELECT entitle.set_metric_value(-1, ''pays'', 1)', '22023', NULL, 'a superuser is told that there is no such customer');

-- R15: the catalogue, and names for editors.
SELECT is(tried(login, command), CASE WHEN login IN ('sales manager', 'organization''s owner') THEN '1' WHEN command ~ '^INSERT' THEN '42501' ELSE '0' END,
          format('R5, R15: %s: %s', coalesce(login, 'nobody'), command))
FROM (SELECT login FROM writer UNION ALL VALUES ('elsewhere')) AS w, unnest(ARRAY[
    'INSERT INTO entitle.client_metric (name) VALUES (''x'')', 'UPDATE entitle.client_metric SET multiplier = 2 WHERE metric_id = 102',
    'DELETE FROM entitle.client_metric WHERE metric_id = 102']) AS command;
SELECT is(ask(login, 'SELECT count(*) FROM entitle.customer_metric_value WHERE customer_id = 101'),
          CASE WHEN login IN ('sales', 'sales manager', 'organization''s owner') THEN '2' ELSE '0' END,
          format('R15: metric names for %s', coalesce(login, 'nobody')))
FROM writer;
SELECT is(tried('sales manager', format('UPDATE entitle.client_metric SET %s WHERE metric_id = 102', change)), '23514', format('R16: not %s', change))
FROM unnest(ARRAY['multiplier = -1', 'multiplier = ''NaN''', 'multiplier = ''Infinity''', 'name = '' ''']) AS change;

-- R17, R16: recalculation, by whom and of what.
SELECT is(tried(login, 'SELECT * FROM entitle.recalc_scores()'), CASE WHEN login IN ('sales manager', 'organization''s owner', 'elsewhere') THEN '1' ELSE '42501' END,
          format('R17: %s recalculates', coalesce(login, 'nobody')))
FROM (SELECT login FROM writer UNION ALL VALUES ('elsewhere')) AS w;
SELECT is(ask('sales manager', 'SELECT r::text FROM entitle.recalc_scores() r'), '(2,2)', 'R17: of the own brand, PAIN and ACTV');
SELECT is((SELECT string_agg(customer_id || coalesce('=' || client_score, ''), ' ' ORDER BY customer_id) FROM entitle.customer), '101=50.00 102=50.00 103 104',
          'R17, R18: INAC and other brands are left untouched');
SELECT is((SELECT status FROM entitle.customer WHERE customer_id = 101), 'PAIN', 'R9: a recalculation is no save');

-- The tables' owner is bound, a superuser is not (R53).
CREATE ROLE test_owner;
GRANT USAGE ON SCHEMA entitle TO test_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA entitle TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.set_metric_value TO test_owner;
ALTER TABLE entitle.customer OWNER TO test_owner;
ALTER TABLE entitle.customer_metric OWNER TO test_owner;
ALTER TABLE entitle.client_metric OWNER TO test_owner;
SET LOCAL ROLE test_owner;
SELECT throws_ok(command, '42501', NULL, format('R12, R15, R17: the tables'' owner, signed in as nobody: %s', command))
FROM unnest(ARRAY['UPDATE entitle.customer_metric SET value = 1', 'DELETE FROM entitle.customer_metric', 'INSERT INTO entitle.customer_metric VALUES (102, 102, 1)',
                  'UPDATE entitle.client_metric SET multiplier = 5', 'DELETE FROM entitle.client_metric WHERE metric_id = 102',
                  'SELECT entitle.set_metric_value(102, ''pays'', 1)', 'SELECT * FROM entitle.recalc_scores()']) AS command;
RESET ROLE;
SELECT lives_ok(command, format('R53: a superuser: %s', command))
FROM unnest(ARRAY['UPDATE entitle.customer_metric SET value = 1', 'SELECT entitle.set_metric_value(103, ''answers'', 5)', 'SELECT * FROM entitle.recalc_scores()']) AS command;

-- R16: the formula, to the last place: ties, places, multipliers that sum to 0, metrics switched off, another organization's.
INSERT INTO entitle.client_metric (metric_id, organization_id, name, multiplier, is_active) VALUES
    (201, 1, 'one', 1, true), (202, 1, 'another', 1, true), (203, 1, 'third', 1e-9, true), (204, 1, 'none', 0, true), (205, 1, 'off', 5, false),
    (206, 1, 'long', 123456789012345.5, true);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id, status, country, address, contact_email)
SELECT 300 + i, 1, 'x', 'x', (300 + i)::text, 'ACTV', 'c', 'a', 'e' FROM generate_series(1, 8) AS i;
INSERT INTO entitle.customer_metric (customer_id, metric_id, value) VALUES
    (301, 201, 0.01), (301, 202, 0), (302, 201, 99.99), (302, 202, 99.98), (303, 203, 33.33), (304, 204, 50), (305, 205, 50),
    (306, 201, 1), (306, 203, 100), (306, 204, 100), (306, 205, 100), (307, 206, 12.34), (307, 201, 100), (308, 201, 100), (308, 202, 0);
SELECT isnt_empty('SELECT * FROM entitle.recalc_scores()', 'R17: a superuser recalculates all');
SELECT is((SELECT string_agg(customer_id || coalesce('=' || client_score, ''), ' ' ORDER BY customer_id) FROM entitle.customer WHERE customer_id > 300),
          '301=0.01 302=99.99 303=33.33 304 305 306=1.00 307=12.34 308=50.00', 'R16: halves are rounded away from zero, and what does not count is left out');

SELECT * FROM finish();
ROLLBACK;
