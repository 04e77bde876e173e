-- Who may write metric values, and what a score is (R6, R12 to R18).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (501, 1, 'second'), (502, NULL, 'alone');
INSERT INTO entitle.brand_module (brand_id, module_key) VALUES (501, 'customers'), (502, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (501, 1, 'edit only'), (502, 1, 'metrics only'), (503, 1, 'view and metrics');
INSERT INTO entitle.role_permission VALUES (501, 'customers.edit'), (502, 'customers.client_metrics'), (503, 'customers.view'), (503, 'customers.client_metrics');
INSERT INTO entitle.app_user (user_id, login) VALUES
    (501, 'viewer'), (502, 'sales'), (503, 'manager'), (504, 'edit only'), (505, 'metrics only'), (506, 'view and metrics'), (507, 'owner'),
    (508, 'alone'), (509, 'stranger'), (510, 'L90'), (511, 'manager everywhere');
INSERT INTO entitle.membership (user_id, brand_id, role_id)
SELECT u.user_id, 1, r.role_id
FROM (VALUES ('viewer', 'read-only'), ('sales', 'sales'), ('manager', 'sales manager'), ('edit only', 'edit only'), ('metrics only', 'metrics only'),
             ('view and metrics', 'view and metrics')) AS m (login, role)
JOIN entitle.app_user u USING (login) JOIN entitle.role r ON r.name = m.role;
INSERT INTO entitle.membership (user_id, organization_id, role_id)
SELECT 511, 1, role_id FROM entitle.role WHERE organization_id = 1 AND name = 'sales manager';
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (507, 1, true);
INSERT INTO entitle.membership (user_id, brand_id) VALUES (508, 502);

-- Of each brand one customer in each status.
INSERT INTO entitle.customer (customer_id, brand_id, status, legal_name, trade_name, tax_id)
SELECT brand * 10 + n, CASE brand WHEN 50 THEN 1 WHEN 51 THEN 501 ELSE 502 END, (ARRAY['PAIN', 'ACTV', 'INAC'])[n], 'x', 'x', 'x'
FROM generate_series(50, 52) AS brand, generate_series(1, 3) AS n;
INSERT INTO entitle.external_access (customer_id, user_id, role) SELECT customer_id, 510, 'L90' FROM entitle.customer;

-- The statuses a user may score in a brand.
CREATE FUNCTION scores(login text, brand integer DEFAULT 50) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT ask(login, format('SELECT coalesce(string_agg((ARRAY[''PAIN'', ''ACTV'', ''INAC''])[n], '' '' ORDER BY n), ''none'')'
                             ' FROM generate_series(1, 3) AS n WHERE entitle.can_score(%s * 10 + n)', brand))
    $$;
SELECT is(scores('sales'), 'ACTV', 'R12: of an ACTV customer view and edit suffice');
SELECT is(scores('manager'), 'PAIN ACTV', 'R13: of a PAIN customer client_metrics is needed, too');
SELECT is(scores(login), 'none', format('R12, R13: not with %s', login)) FROM unnest(ARRAY['viewer', 'edit only', 'metrics only', 'view and metrics', 'stranger', 'L90']) AS login;
SELECT is(scores('owner'), 'PAIN ACTV', 'R14: of an INAC customer nobody writes values, an owner neither');
SELECT is(scores('alone', 52), 'PAIN ACTV', 'R14: nor a member of a standalone brand');
SELECT is(scores('sales', 51) || ', ' || scores('manager', 51) || ', ' || scores('alone'), 'none, none, none', 'R12: in the customer''s brand, not another');
SELECT is(scores('manager everywhere', 51), 'PAIN ACTV', 'R12: a member of the organization, in all its brands');
SELECT is(scores(NULL), 'none', 'R1: nobody scores');
SELECT is(ask('manager', 'SELECT bool_or(entitle.can_score(c)) FROM unnest(ARRAY[0, -1, 99999, 9223372036854775807, NULL]) AS c'), 'false', 'R12: nor a customer that does not exist');
UPDATE entitle.customer SET status = 'INAC' WHERE customer_id = 502;
SELECT is(scores('sales'), 'none', 'R14: deactivated, a customer is refused');
UPDATE entitle.customer SET status = 'ACTV' WHERE customer_id = 502;
SELECT is(scores('sales'), 'ACTV', 'R14: until it is reactivated');
UPDATE entitle.brand_module SET is_enabled = false WHERE brand_id = 1 AND module_key = 'customers';
SELECT is(scores('manager') || ', ' || scores('owner'), 'none, none', 'R23: without the module nobody scores');
UPDATE entitle.brand_module SET is_enabled = true;

-- Who recalculates, and what (R15, R17).
SELECT throws_ok(format('SELECT ask(%L, ''SELECT entitle.recalc_scores()'')', login), '42501', NULL, format('R15: %s may not recalculate', coalesce(login, 'nobody')))
FROM unnest(ARRAY['viewer', 'sales', 'edit only', 'metrics only', 'stranger', 'L90', NULL]) AS login;
INSERT INTO entitle.client_metric (metric_id, name, multiplier) VALUES (501, 'payments', 2), (502, 'answers', 1), (503, 'off', 100);
-- The standalone brands' (R57): the same again.
INSERT INTO entitle.client_metric (metric_id, organization_id, name, multiplier) SELECT metric_id + 10, NULL, name, multiplier FROM entitle.client_metric;
UPDATE entitle.client_metric SET is_active = false WHERE name = 'off';
CREATE FUNCTION own(metric bigint, brand bigint) RETURNS bigint LANGUAGE sql AS 'SELECT CASE WHEN brand = 502 THEN metric + 10 ELSE metric END';
INSERT INTO entitle.customer_metric (customer_id, metric_id, value) SELECT customer_id, own(501, brand_id), 90 FROM entitle.customer WHERE customer_id <> 511;
INSERT INTO entitle.customer_metric (customer_id, metric_id, value) SELECT customer_id, own(502, brand_id), 61 FROM entitle.customer WHERE status <> 'PAIN';
INSERT INTO entitle.customer_metric (customer_id, metric_id, value) SELECT customer_id, own(503, brand_id), 1 FROM entitle.customer;
CREATE FUNCTION scored() RETURNS text
    LANGUAGE sql
    AS $$ SELECT string_agg(customer_id || ' ' || coalesce(client_score::text, '-'), ', ' ORDER BY customer_id) FROM entitle.customer $$;

SELECT is(scored(), '501 -, 502 -, 503 -, 511 -, 512 -, 513 -, 521 -, 522 -, 523 -', 'R18: a customer never scored has none, whatever its values');
SELECT is(ask('view and metrics', 'SELECT entitle.recalc_scores()'), '(2,2)', 'R15, R17: view and client_metrics recalculate, without edit; it tells how many');
-- (90 x 2 + 61 x 1) / 3 = 80.333; only 90 without the second value; the inactive metric counts for nothing.
SELECT is(scored(), '501 90.00, 502 80.33, 503 -, 511 -, 512 -, 513 -, 521 -, 522 -, 523 -', 'R16, R17: of the caller''s brand, INAC untouched');
SELECT is(ask('view and metrics', 'SELECT entitle.recalc_scores()'), '(2,0)', 'R17: again, nothing changes');
SELECT is(ask('alone', 'SELECT entitle.recalc_scores()'), '(2,2)', 'R17: a member of a standalone brand recalculates that brand');
SELECT is(ask('manager everywhere', 'SELECT entitle.recalc_scores()'), '(4,1)', 'R17: a member of the organization all its brands, with values or without');
SELECT is(scored(), '501 90.00, 502 80.33, 503 -, 511 -, 512 80.33, 513 -, 521 90.00, 522 80.33, 523 -', 'R17: a customer without values has no score');
UPDATE entitle.customer_metric SET value = 0 WHERE customer_id = 501 AND metric_id = 501;
SELECT is(scored(), '501 90.00, 502 80.33, 503 -, 511 -, 512 80.33, 513 -, 521 90.00, 522 80.33, 523 -', 'R17: a stored score does not change with the values');
SELECT is(entitle.recalc_scores()::text, '(6,1)', 'R17: a superuser recalculates all brands');
SELECT is((SELECT client_score FROM entitle.customer WHERE customer_id = 501), 0.00, 'R16: a score may be 0');
DELETE FROM entitle.customer_metric WHERE customer_id = 501 AND metric_id <> 503;
SELECT is(entitle.recalc_scores()::text, '(6,1)', 'R17: values that are gone take the score along');
SELECT is((SELECT client_score FROM entitle.customer WHERE customer_id = 501), NULL, 'R16: without a value of an active metric the score is NULL');
UPDATE entitle.client_metric SET multiplier = 0;
SELECT is(entitle.recalc_scores()::text, '(6,4)', 'R17: so do multipliers');
SELECT is((SELECT count(client_score) FROM entitle.customer), 0::bigint, 'R16: multipliers that sum to 0 give NULL');

-- R16: rounded half away from zero to two places, exact.
UPDATE entitle.client_metric SET multiplier = 1;
CREATE FUNCTION score_of(first numeric, second numeric DEFAULT NULL, first_weight numeric DEFAULT 1, second_weight numeric DEFAULT 1) RETURNS numeric
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM entitle.customer_metric WHERE customer_id = 502;
    INSERT INTO entitle.customer_metric SELECT 502, 501, first UNION ALL SELECT 502, 502, second WHERE second IS NOT NULL;
    UPDATE entitle.client_metric SET multiplier = CASE metric_id WHEN 501 THEN first_weight ELSE second_weight END;
    PERFORM ask('manager', 'SELECT entitle.recalc_scores()');
    RETURN (SELECT client_score FROM entitle.customer WHERE customer_id = 502);
END
$$;
SELECT is(score_of(0.005), 0.01, 'R16: 0.005 is rounded up');
SELECT is(score_of(50.015), 50.02, 'R16: 50.015 is rounded up, as a binary fraction would not be');
SELECT is(score_of(50.01, 50.02), 50.02, 'R16: half away from zero');
SELECT is(score_of(100, 100), 100.00, 'R16: never more than 100');
SELECT is(score_of(99.994), 99.99, 'R16: 99.994 is rounded down');
SELECT is(score_of(10, 20, 0, 3), 20.00, 'R16: a weight of 0 counts for nothing');
SELECT is(score_of(10, 20, 1e30, 1e-30), 10.00, 'R16: weights far apart');
SELECT is(score_of(33.333333333333333333333, 66.666666666666666666667, 1, 2), 55.56, 'R16: long fractions');
UPDATE entitle.client_metric SET is_active = false;
SELECT is(ask('manager', 'SELECT entitle.recalc_scores()'), '(2,1)', 'R16: metrics that are switched off have no value');
SELECT is((SELECT client_score FROM entitle.customer WHERE customer_id = 502), NULL, 'R16: and no score');

SELECT * FROM finish();
ROLLBACK;
