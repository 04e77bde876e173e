-- Every organization has a catalogue of client metrics of its own (R57, R15, S164): who reads and writes it, whose customers it
-- scores, and what becomes of values when a customer or a metric moves. The standalone brands have one together.
\ir setup.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'second'), (103, 'third');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (101, 1, 'first B'), (102, 102, 'second A'), (103, NULL, 'alone A'), (104, NULL, 'alone B');
INSERT INTO entitle.brand_module SELECT b, 'customers' FROM generate_series(101, 104) AS b;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (102, 102, 'manager there'), (103, 1, 'without view');
INSERT INTO entitle.role_permission SELECT 102, p FROM unnest(ARRAY['customers.view', 'customers.edit', 'customers.client_metrics']) AS p;
INSERT INTO entitle.role_permission VALUES (103, 'customers.client_metrics');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'first'), (102, 'second'), (103, 'both'), (104, 'alone'), (105, 'owner'), (106, 'sales'), (107, 'without view');
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner) VALUES
    (101, NULL, 101, 6, false), (102, 102, NULL, 102, false), (103, 1, NULL, 6, false), (103, 102, NULL, 102, false),
    (104, NULL, 103, NULL, false), (105, 102, NULL, NULL, true), (106, 1, NULL, 5, false), (107, 1, NULL, 103, false);
INSERT INTO entitle.client_metric (metric_id, organization_id, name, multiplier) VALUES
    (101, 1, 'pays', 1), (102, 102, 'pays', 3), (103, NULL, 'pays', 5), (104, 1, 'answers', 2), (105, 102, 'laughs', 1);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id, status)
SELECT c, b, 'x', 'x', 'x', 'ACTV' FROM (VALUES (101, 1), (102, 101), (103, 102), (104, 103), (105, 104)) AS v (c, b);

-- Tries and undoes: rows written, or the SQLSTATE and the message.
CREATE FUNCTION tried(login text, command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    touched text;
BEGIN
    touched := do_as(login, command);
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE WHEN SQLSTATE = 'P0042' THEN touched WHEN position('row-level security' IN SQLERRM) > 0 THEN '42501' ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;
CREATE FUNCTION shown(login text) RETURNS text
    LANGUAGE sql
    AS $$ SELECT ask(login, 'SELECT string_agg(metric_id::text, '' '' ORDER BY metric_id) FROM entitle.client_metric') $$;

-- R15, R57: who reads.
SELECT is(shown(login), shows, format('R57: the catalogue of %s', coalesce(login, 'nobody')))
FROM (VALUES ('first', '101 104'), ('second', '102 105'), ('both', '101 102 104 105'), ('alone', '103'), ('owner', '102 105'), ('sales', NULL),
             ('without view', NULL), (NULL, NULL)) AS v (login, shows);
SELECT is(ask(login, 'SELECT string_agg(DISTINCT row_key ->> ''metric_id'', '' '') FROM entitle.change_log WHERE relation = ''entitle.client_metric''::regclass'),
          shown(login), format('R57: its history to %s', login))
FROM unnest(ARRAY['first', 'second', 'both', 'alone', 'sales']) AS login;
DO $$ BEGIN DELETE FROM entitle.permission_prerequisite WHERE permission_key = 'customers.client_metrics'; END $$;
SELECT is(shown('without view'), NULL, 'R15: it takes customers.view too, whatever the prerequisites say');
INSERT INTO entitle.permission_prerequisite VALUES ('customers.client_metrics', 'customers.view');

-- R15, R57: who writes.
SELECT is(tried(login, format('UPDATE entitle.client_metric SET multiplier = 1000 WHERE metric_id = %s', metric)), outcome,
          format('R57: %s changes the multiplier of %s', login, metric))
FROM (VALUES ('first', 101, '1'), ('first', 102, '0'), ('first', 103, '0'), ('second', 101, '0'), ('second', 102, '1'), ('both', 101, '1'), ('owner', 102, '1'),
             ('owner', 101, '0'), ('sales', 101, '0'), ('alone', 101, '0'), ('alone', 103, '42501 permission denied to write client metrics of no organization')) AS v (login, metric, outcome);
SELECT is(tried('alone', 'DELETE FROM entitle.client_metric'), '42501 permission denied to write client metrics of no organization', 'R57: nor is the common one deleted');
SELECT is(left(tried(login, format('INSERT INTO entitle.client_metric (organization_id, name) VALUES (%s, %L)', coalesce(organization::text, 'NULL'), name)), 5), outcome,
          format('R57: %s adds %s to %s', login, name, organization))
FROM (VALUES ('first', 1, 'new', '1'), ('first', 102, 'new', '42501'), ('first', NULL, 'new', '42501'), ('second', 102, 'new', '1'), ('second', 102, 'answers', '1'),
             ('second', 102, 'pays', '23505'), ('second', 1, 'pays', '42501'), ('alone', 1, 'new', '42501'), ('alone', NULL, 'new', '42501')) AS v (login, organization, name, outcome);
SELECT is(tried('second', 'INSERT INTO entitle.client_metric (name) VALUES (''new'')'), '42501 permission denied to write client metrics',
          'R57: organization 1 is the default, for those who write there');
SELECT throws_ok('INSERT INTO entitle.client_metric (organization_id, name) VALUES (NULL, ''pays'')', '23505', NULL, 'R57: names are unique in the common catalogue, too');
SELECT is(left(tried(login, format('UPDATE entitle.client_metric SET organization_id = %s WHERE metric_id = %s', home, metric)), 5), outcome,
          format('R54: %s moves %s to %s', login, metric, home))
FROM (VALUES ('both', '102', 104, '1'), ('first', '102', 104, '42501'), ('first', 'NULL', 104, '42501'), ('second', '102', 104, '0'), ('both', 'NULL', 104, '42501'),
             ('alone', '1', 103, '42501')) AS v (login, home, metric, outcome);
SELECT ok(entitle.sees_metrics(1) IS FALSE AND entitle.writes_metrics(NULL) IS FALSE, 'R1: nobody sees a catalogue');

-- R57: values are of the customer's catalogue. What is elsewhere is as what is nowhere.
CREATE TEMP TABLE foreign_error AS SELECT tried('both', 'INSERT INTO entitle.customer_metric VALUES (103, 101, 5)') AS words;
SELECT is(words, '23514 the customer''s catalogue has no such client metric', 'R57: a metric of another organization') FROM foreign_error;
SELECT is(tried(login, command), words, format('R57, R3: %s: %s', login, command))
FROM foreign_error, (VALUES
    ('sales', 'INSERT INTO entitle.customer_metric VALUES (102, 102, 5)'), ('sales', 'INSERT INTO entitle.customer_metric VALUES (102, 103, 5)'),
    ('sales', 'INSERT INTO entitle.customer_metric VALUES (102, 99999, 5)'), ('alone', 'INSERT INTO entitle.customer_metric VALUES (104, 101, 5)')) AS v (login, command);
SELECT is(tried('sales', 'SELECT entitle.set_metric_value(102, ''laughs'', 5)'), '22023 there is no client metric "laughs"', 'R57: by name, within the catalogue');
SELECT throws_ok('INSERT INTO entitle.customer_metric VALUES (103, 101, 5)', '23514', 'the customer''s catalogue has no such client metric', 'R57: a superuser''s load neither');
SELECT throws_ok('INSERT INTO entitle.customer_metric VALUES (103, 99999, 5)', '23503', NULL, 'R53: who is told what there is not');
SELECT lives_ok($$ SELECT do_as('sales', 'SELECT entitle.set_metric_value(101, ''pays'', 10)'), do_as('sales', 'SELECT entitle.set_metric_value(101, ''answers'', 40)'),
    do_as('second', 'SELECT entitle.set_metric_value(103, ''pays'', 50)'), do_as('alone', 'SELECT entitle.set_metric_value(104, ''pays'', 70)') $$, 'R57: each by its own');
SELECT is((SELECT string_agg(customer_id || ':' || metric_id, ' ' ORDER BY customer_id, metric_id) FROM entitle.customer_metric), '101:101 101:104 103:102 104:103', 'the names find the right ones');
SELECT is(tried('both', 'UPDATE entitle.customer_metric SET metric_id = 101 WHERE customer_id = 103'), words, 'R57: nor by an update') FROM foreign_error;
SELECT is(tried('both', 'UPDATE entitle.customer_metric SET customer_id = 102 WHERE customer_id = 103'), words, 'R57: of either key') FROM foreign_error;
SELECT is(ask('both', 'SELECT string_agg(customer_id || metric || coalesce(''='' || value, ''''), '' '' ORDER BY customer_id, metric) FROM entitle.customer_metric_value'),
          '101answers=40 101pays=10 102answers 102pays 103laughs 103pays=50', 'R57: each customer with the metrics of its catalogue');

-- R57, R16: scores, whoever recalculates: of one catalogue, of two, of all.
CREATE FUNCTION scores() RETURNS text
    LANGUAGE sql
    AS $$ SELECT string_agg(customer_id || coalesce('=' || client_score, ''), ' ' ORDER BY customer_id) FROM entitle.customer $$;
CREATE FUNCTION recalculated(login text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    PERFORM do_as(login, 'SELECT entitle.recalc_scores()');
    result := scores();
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN SQLSTATE 'P0042' THEN
    RETURN result;
END
$$;
SELECT is(recalculated('second'), '101 102 103=50.00 104 105', 'R57: of one organization');
SELECT is(recalculated('both'), '101=30.00 102 103=50.00 104 105', 'R57: of two');
SELECT is(recalculated('alone'), '101 102 103 104=70.00 105', 'R57: of a standalone brand');
-- (10 x 1 + 40 x 2) / 3 = 30; the other catalogues' values are one each.
SELECT entitle.recalc_scores();
SELECT is(scores(), '101=30.00 102 103=50.00 104=70.00 105', 'R57: of all');

-- A customer that moves leaves its values behind: they count again when it comes back.
UPDATE entitle.customer SET brand_id = 102 WHERE customer_id = 101;
SELECT entitle.recalc_scores();
SELECT is(scores(), '101 102 103=50.00 104=70.00 105', 'R57: values of the old catalogue do not count');
SELECT is(recalculated('second'), scores(), 'R57: nor where only one catalogue is looked at');
SELECT is(ask('second', 'SELECT string_agg(metric || coalesce(''='' || value, ''''), '' '' ORDER BY metric) FROM entitle.customer_metric_value WHERE customer_id = 101'), 'laughs pays',
          'R57: nor are they listed');
SELECT is(tried('second', 'SELECT entitle.set_metric_value(101, ''pays'', 10)'), '1', 'R57: the new one''s are there to be set');
UPDATE entitle.customer SET brand_id = 1 WHERE customer_id = 101;
SELECT entitle.recalc_scores();
SELECT is(scores(), '101=30.00 102 103=50.00 104=70.00 105', 'R57: back in the old one they count');
UPDATE entitle.client_metric SET organization_id = 102 WHERE metric_id = 104;
SELECT entitle.recalc_scores();
SELECT is(scores(), '101=10.00 102 103=50.00 104=70.00 105', 'R57: so with a metric that moves');
SELECT is(ask('first', 'SELECT count(*) FROM entitle.change_log WHERE (row_key ->> ''metric_id'') = ''104'' AND action = ''update'''), '0',
          'R57: whose log is for those of both catalogues');

-- A load takes what a dump brings.
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
SELECT lives_ok('INSERT INTO entitle.customer_metric VALUES (105, 101, 5)', 'R53: a restore brings values of customers that had moved');

SELECT * FROM finish();
ROLLBACK;
