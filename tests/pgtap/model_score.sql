-- Scores: the formula to the last digit, and whose customers a recalculation touches (R15 to R18, R53).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 1, 'shop'), (103, NULL, 'alone');
INSERT INTO entitle.brand_module VALUES (102, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (108, 1, 'metrics without view');
INSERT INTO entitle.role_permission VALUES (108, 'customers.client_metrics');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'sales'), (102, 'manager of main'), (103, 'without view'), (104, 'member of alone');
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id) VALUES
    (101, 1, NULL, 5), (102, NULL, 1, 6), (103, 1, NULL, 108), (104, NULL, 103, NULL);
INSERT INTO entitle.client_metric (metric_id, name, multiplier, is_active) VALUES
    (101, 'once', 1, true), (102, 'twice', 2, true), (103, 'never', 0, true), (104, 'off', 100, false), (105, 'fraction', 0.3, true);
INSERT INTO entitle.client_metric (metric_id, organization_id, name) VALUES (106, NULL, 'once'); -- of standalone brands (R57)
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id, status, client_score) VALUES
    (101, 1, 'a', 'a', '1', 'ACTV', NULL), (102, 1, 'b', 'b', '2', 'PAIN', NULL), (103, 1, 'c', 'c', '3', 'INAC', 5),
    (104, 1, 'd', 'd', '4', 'ACTV', 5), (105, 1, 'e', 'e', '5', 'ACTV', NULL), (106, 102, 'f', 'f', '6', 'ACTV', NULL),
    (107, 1, 'g', 'g', '7', 'PAIN', NULL), (108, 103, 'h', 'h', '8', 'ACTV', NULL);
INSERT INTO entitle.customer_metric VALUES
    (101, 101, 10), (101, 102, 20), (101, 104, 99),     -- 50 / 3
    (102, 101, 0.005), (102, 103, 100),                 -- a tie, and a multiplier of 0
    (103, 101, 50),
    (105, 103, 100),                                    -- the multipliers sum to 0
    (106, 101, 100), (107, 101, 33.335), (107, 105, 33.335), (108, 106, 1);

CREATE FUNCTION scores() RETURNS text
    LANGUAGE sql
    AS $$ SELECT string_agg(format('%s:%s', customer_id, coalesce(client_score::text, 'none')), ' ' ORDER BY customer_id)
          FROM entitle.customer WHERE customer_id BETWEEN 101 AND 108 $$;

SELECT is(scores(), '101:none 102:none 103:5.00 104:5.00 105:none 106:none 107:none 108:none', 'R18: never scored is NULL');

SELECT throws_ok(format('SELECT do_as(%L, ''SELECT * FROM entitle.recalc_scores()'')', login), '42501',
                 'permission denied to recalculate scores', format('R15: %s may not recalculate', coalesce(login, 'nobody')))
FROM unnest(ARRAY['sales', 'without view', NULL]) AS login;
SELECT is(scores(), '101:none 102:none 103:5.00 104:5.00 105:none 106:none 107:none 108:none', 'and nothing was changed');

-- The manager of one brand: its PAIN and ACTV customers, with values or without.
SELECT is(ask('manager of main', 'SELECT t::text FROM entitle.recalc_scores() t'), '(5,4)',
          'R17: it tells how many were recalculated and how many changed');
SELECT is(scores(), '101:16.67 102:0.01 103:5.00 104:none 105:none 106:none 107:33.34 108:none',
          'R16: exact, half away from zero, NULL without values or multipliers; R17: INAC and other brands untouched');
SELECT is(ask('manager of main', 'SELECT t::text FROM entitle.recalc_scores() t'), '(5,0)', 'R17: a second time nothing changes');
SELECT is((SELECT count(*) FROM entitle.customer WHERE scored_at = now() AND customer_id BETWEEN 101 AND 108), 4::bigint,
          'only changed scores are written');

-- A member of a standalone brand is not restricted by permissions (R25), but by modules.
SELECT throws_ok($$ SELECT ask('member of alone', 'SELECT t::text FROM entitle.recalc_scores() t') $$, '42501', NULL,
                 'R23: without the module there is no permission');
INSERT INTO entitle.brand_module VALUES (103, 'customers');
SELECT is(ask('member of alone', 'SELECT t::text FROM entitle.recalc_scores() t'), '(1,1)', 'R25: with it the own brand is recalculated');

-- A superuser recalculates all brands.
UPDATE entitle.client_metric SET is_active = true WHERE name = 'off';
SELECT is((SELECT t.recalculated - (SELECT count(*) FROM entitle.customer WHERE status <> 'INAC') FROM entitle.recalc_scores() t), 0::bigint,
          'R17: a superuser recalculates every customer that is not INAC');
SELECT is(scores(), '101:96.60 102:0.01 103:5.00 104:none 105:none 106:100.00 107:33.34 108:1.00',
          'R16: a metric switched on counts again');

-- Equal to the formula, for numbers that no binary fraction can hold.
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id)
SELECT 1000 + i, 'x', 'x', 'x' FROM generate_series(1, 500) AS i;
INSERT INTO entitle.customer_metric
SELECT 1000 + i, 100 + m, ((i * 7919 + m * 104729) % 10001)::numeric / 100 FROM generate_series(1, 500) AS i, generate_series(1, 5) AS m
WHERE (i + m) % 4 <> 0;
SELECT lives_ok('SELECT * FROM entitle.recalc_scores()', 'five hundred more');
SELECT is_empty($$
    SELECT c.customer_id
    FROM entitle.customer c
    LEFT JOIN entitle.customer_metric v USING (customer_id)
    LEFT JOIN entitle.client_metric m ON m.metric_id = v.metric_id AND m.is_active
    WHERE c.customer_id > 1000
    GROUP BY c.customer_id
    HAVING c.client_score IS DISTINCT FROM
           round(sum(v.value * m.multiplier) FILTER (WHERE m.is_active) / nullif(sum(m.multiplier), 0), 2)
    $$, 'R16: every score equals the formula');

SELECT * FROM finish();
ROLLBACK;
