-- Questions that once were answered wrongly: several levels at one call site, oneself under a chosen customer, windows wider than
-- the calendar, a page without a position (R3, R29, R38, R45; S58, S83).
\ir setup.psql
SELECT plan(15);

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT c, 'n', 'n', 't' FROM generate_series(1, 5) AS c;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'ann'), (102, 'wide'), (103, 'viewer');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
VALUES (1, 101, 'L20', 10), (2, 101, 'L30', 30), (3, 101, 'L40', NULL), (1, 102, 'L20', NULL);

-- R38: one call site, asked for one level after the other, up and down.
CREATE FUNCTION reaches(levels text) RETURNS text LANGUAGE sql AS $$
    SELECT ask('ann', format('SELECT string_agg(entitle.earliest_visible_date(l)::text, '' '' ORDER BY n) '
                             'FROM unnest(%L::integer[]) WITH ORDINALITY AS v (l, n)', levels))
    $$;
SELECT is(reaches('{90}'), 'infinity', 'R38: no window at L90');
SELECT is(reaches('{40}'), '-infinity', 'R38: an unlimited one at L40');
SELECT is(reaches('{90,40,90,30,80,20}'), 'infinity -infinity infinity -infinity infinity -infinity', 'R38: each level its own, asked together');
SELECT is(reaches('{20,90,40,90}'), '-infinity infinity -infinity infinity', 'R38: in any order');
DELETE FROM entitle.external_access WHERE customer_id = 3;
SELECT is(reaches('{40,30,20}'), format('infinity %s %1$s', (statement_timestamp() AT TIME ZONE 'UTC')::date - 30), 'R38: the widest window of those at the level');

-- R45: about oneself one asks as oneself.
SELECT is(ask('ann', 'SELECT entitle.access_level(2) || '' '' || entitle.user_access_level(101, 2)'), '30 30', 'R45: the level on a customer, asked in two ways');
SELECT is(ask('ann', 'SELECT entitle.access_level(2) || '' '' || entitle.user_access_level(101, 2)', customer => 1), '0 0',
          'R45: with another customer chosen, none in both');
SELECT is(ask('ann', 'SELECT entitle.access_level(1) || '' '' || entitle.user_access_level(101, 1)', customer => 1), '20 20', 'R45: on the chosen one, the same in both');

-- R38, S58: windows that begin before the first day there is show everything with a date, and the planner expects so.
CREATE TABLE events (event_id integer, customer_id bigint, happened_at timestamp);
INSERT INTO events SELECT i, 1, timestamp '2026-01-01' - i * interval '1 hour' FROM generate_series(1, 1000) AS i;
ANALYZE events;
SELECT entitle.protect_table('events', 'customer_id', 'happened_at');
GRANT SELECT ON events TO test_app;
CREATE FUNCTION expected_and_found(days integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE entitle.external_access SET days_back = days WHERE user_id = 102;
    RETURN format('%s %s', (ask('wide', 'EXPLAIN (FORMAT JSON) SELECT * FROM events')::jsonb #>> '{0,Plan,Plan Rows}')::integer,
                  ask('wide', 'SELECT count(*) FROM events'));
END
$$;
SELECT is(expected_and_found(days), '1000 1000', format('S58: %s days back', days))
FROM unnest('{2451545,2600000,107000000,150000000,2147483647}'::integer[]) AS days;

-- R29: a capability without a position comes after those that have one.
INSERT INTO entitle.capability (capability_key, section) VALUES ('a new page', 'reports');
INSERT INTO entitle.capability_permission VALUES ('a new page', 1, 'customers.view');
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 103, 1, role_id FROM entitle.role WHERE name = 'read-only';
SELECT is(ask('viewer', 'SELECT entitle.allowed_capabilities(''reports'')'), '{customers_report,"a new page"}', 'R29: a page without a position is no landing page');

-- R3: whether a customer exists is not told to who may not see it.
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (301, 1, 'conversions');
INSERT INTO entitle.role_permission VALUES (301, 'conversions.view');
UPDATE entitle.membership SET role_id = 301 WHERE user_id = 103;
SELECT is(ask('viewer', 'SELECT ARRAY[entitle.customer_allowed(5, ''conversions.view''), entitle.customer_allowed(99999, ''conversions.view'')]'), '{f,f}',
          'R3: customer_allowed tells no hidden customer');

SELECT * FROM finish();
ROLLBACK;
