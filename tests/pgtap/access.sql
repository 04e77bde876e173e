-- External access as applications ask about it: levels, grants, windows and the chosen customer, through sign_in and the
-- public functions, as an ordinary role (R1, R33 to R35, R38 to R42, R45).
\ir setup.psql
SELECT no_plan();

CREATE FUNCTION today() RETURNS date
    LANGUAGE sql
    AS $$ SELECT (statement_timestamp() AT TIME ZONE current_setting('entitle.time_zone'))::date $$;
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, legal_name, trade_name, tax_id)
SELECT 300 + n, ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'code ' || n, 'x', 'x', 'x' FROM generate_series(1, 9) AS n;
INSERT INTO entitle.app_user (user_id, login) VALUES (301, 'ann'), (302, 'bob'), (303, 'nobody''s friend'), (304, 'owner'), (305, 'manager');

-- The level on a customer, by each of its keys; they must agree.
CREATE FUNCTION level_on(login text, wanted bigint) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    levels integer[] := ask(login, format('SELECT ARRAY[entitle.access_level(%s), entitle.access_level(%L::uuid), entitle.access_level(%L::text)]',
        wanted, (SELECT customer_uuid FROM entitle.customer WHERE customer_id = wanted),
        (SELECT customer_code FROM entitle.customer WHERE customer_id = wanted)));
BEGIN
    IF levels[1] <> levels[2] OR levels[1] <> levels[3] THEN
        RAISE 'the keys of customer % disagree: %', wanted, levels;
    END IF;
    RETURN levels[1];
END
$$;
-- Whether a date is inside the window, by each key and each type of date; they must agree.
CREATE FUNCTION in_window(login text, wanted bigint, on_date date) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    answers boolean[];
BEGIN
    answers := ask(login, format($q$
        SELECT array_agg(DISTINCT a) FROM unnest(ARRAY[
            entitle.days_back_filter(%1$s, %4$L::date), entitle.days_back_filter(%2$L::uuid, %4$L::date), entitle.days_back_filter(%3$L::text, %4$L::date),
            entitle.days_back_filter(%1$s, %4$L::timestamp), entitle.days_back_filter(%2$L::uuid, %4$L::timestamp),
            entitle.days_back_filter(%3$L::text, %4$L::timestamp),
            entitle.days_back_filter(%1$s, %5$L::timestamptz), entitle.days_back_filter(%2$L::uuid, %5$L::timestamptz),
            entitle.days_back_filter(%3$L::text, %5$L::timestamptz)]) AS a$q$,
        wanted, (SELECT customer_uuid FROM entitle.customer WHERE customer_id = wanted),
        (SELECT customer_code FROM entitle.customer WHERE customer_id = wanted), on_date,
        on_date::timestamp AT TIME ZONE current_setting('entitle.time_zone')));
    IF cardinality(answers) <> 1 THEN
        RAISE 'the keys and dates of customer % disagree about %', wanted, on_date;
    END IF;
    RETURN answers[1];
END
$$;

-- R33
INSERT INTO entitle.external_access (customer_id, user_id, role)
SELECT 300 + n, 301, (ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90'])[n] FROM generate_series(1, 6) AS n;
SELECT is(array_agg(level_on('ann', 300 + n) ORDER BY n), ARRAY[10, 20, 30, 40, 80, 90], 'R33: the six levels') FROM generate_series(1, 6) AS n;
SELECT is(ask('ann', format('SELECT entitle.accessible_customers(%s)', level)), expected, format('R33: each level includes the ones below: at least %s', level))
FROM (VALUES (10, '{301,302,303,304,305,306}'), (20, '{302,303,304,305,306}'), (30, '{303,304,305,306}'), (40, '{304,305,306}'),
             (80, '{305,306}'), (90, '{306}'), (0, '{}'), (15, '{}'), (91, '{}'), (-10, '{}')) AS e (level, expected);
INSERT INTO entitle.external_access (customer_id, user_id) VALUES (301, 302);
SELECT is(level_on('bob', 301), 30, 'R33: L30 is the default');
SELECT throws_ok(format('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (309, 302, %L)', role), '23514', NULL, format('R33: "%s" is no level', role))
FROM unnest(ARRAY['L15', 'L91', 'l30', '30', 'L30 ', '']) AS role;

-- R34
SELECT is(level_on('nobody''s friend', 301), 0, 'R34: without a grant there is no access');
SELECT is(level_on('bob', 302), 0, 'R34: access to one customer is none to another');
SELECT throws_ok('INSERT INTO entitle.external_access (customer_id, user_id) VALUES (301, 302)', '23505', NULL, 'R34: one grant per customer and user');
SELECT is(ask('bob', 'SELECT entitle.access_level(''CODE 1''::text) + entitle.access_level(''code 1 ''::text) + entitle.access_level(''code''::text)'), '0',
          'R4: a customer''s code matches byte for byte');

-- R1
SELECT is(level_on(NULL, 301), 0, 'R1: nobody signed in has no access');
SELECT is(ask(NULL, 'SELECT entitle.accessible_customers()'), '{}', 'R1: nor any customer');
SELECT is(in_window(NULL, 301, today()), false, 'R1: nor any date');

-- R38
UPDATE entitle.external_access SET days_back = CASE customer_id WHEN 301 THEN 0 WHEN 302 THEN 1 WHEN 303 THEN 30 WHEN 304 THEN 2147483647 WHEN 305 THEN NULL END
WHERE user_id = 301 AND customer_id < 306;
SELECT is(array_agg(in_window('ann', customer, today() - days) ORDER BY days), expected, format('R38: %s, from tomorrow back', title))
FROM (VALUES (301, ARRAY[-1, 0, 1], ARRAY[true, true, false], 'no day back'),
             (302, ARRAY[-1, 0, 1, 2], ARRAY[true, true, true, false], 'one day back'),
             (303, ARRAY[-1, 0, 29, 30, 31], ARRAY[true, true, true, true, false], '30 days back'),
             (306, ARRAY[-1, 0, 29, 30, 31], ARRAY[true, true, true, true, false], 'nothing said is 30'),
             (304, ARRAY[-1, 0, 100000], ARRAY[true, true, true], 'farther back than dates reach'),
             (305, ARRAY[-1, 0, 100000], ARRAY[true, true, true], 'unlimited')) AS e (customer, back, expected, title),
     unnest(back) AS days
GROUP BY customer, expected, title ORDER BY customer;
SELECT is(array_agg(in_window('ann', customer, NULL) ORDER BY customer), ARRAY[false, false, false, false, true, false],
          'R38: a row without a date is hidden under a limit, shown when unlimited') FROM generate_series(301, 306) AS customer;
SELECT is(array_agg(in_window('ann', customer, 'infinity') ORDER BY customer), array_fill(true, ARRAY[6]), 'R38: dates in the future are visible, the end of time too')
FROM generate_series(301, 306) AS customer;
SELECT is(ask('ann', format('SELECT entitle.unlimited_customers(%s)', level)), expected, format('R38: those of the customers with at least %s that have no window', level))
FROM (VALUES (10, '{305}'), (80, '{305}'), (90, '{}'), (15, '{}')) AS e (level, expected);
SELECT is(ask('bob', 'SELECT entitle.unlimited_customers(10)'), '{}', 'R38: none of them, where every grant has one');
SELECT throws_ok('UPDATE entitle.external_access SET days_back = -1', '23514', NULL, 'R38: a negative number of days is refused');
SELECT is(in_window('bob', 302, today()), false, 'R38: without access no date is inside a window');

-- R38: the day changes with the business time zone, whatever the session's is. -12 and +14 hours are never on the same day.
CREATE FUNCTION window_in(business text, session text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('entitle.time_zone', business, true), set_config('TimeZone', session, true);
    SELECT string_agg(in_window('ann', 301, (statement_timestamp() AT TIME ZONE 'UTC')::date + n)::text, ' ' ORDER BY n) INTO answer
    FROM generate_series(-2, 2) AS n;
    -- Moments, too: the last before today and the first of it.
    answer := answer || ask('ann', format(' SELECT entitle.days_back_filter(301, %1$L::timestamptz - interval ''1 us'') || '' '' || entitle.days_back_filter(301, %1$L::timestamptz)',
        today()::timestamp AT TIME ZONE business));
    PERFORM set_config('entitle.time_zone', 'UTC', true), set_config('TimeZone', 'UTC', true);
    RETURN answer;
END
$$;
SELECT is(window_in(business, session),
          (SELECT string_agg((d >= (statement_timestamp() AT TIME ZONE business)::date)::text, ' ' ORDER BY d)
           FROM generate_series(-2, 2) AS n, LATERAL (SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date + n) AS t (d)) || 'false true',
          format('R38: today is that of %s for a session in %s', business, session))
FROM unnest(ARRAY['UTC', 'Etc/GMT+12', 'Pacific/Kiritimati', 'Asia/Kathmandu', 'America/New_York']) AS business,
     unnest(ARRAY['UTC', 'Etc/GMT+12', 'Pacific/Kiritimati']) AS session;

-- R40
CREATE FUNCTION level_from_until(valid_from date, valid_until date) RETURNS integer
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE entitle.external_access a SET valid_from = level_from_until.valid_from, valid_until = level_from_until.valid_until
    WHERE customer_id = 301 AND user_id = 302;
    RETURN level_on('bob', 301);
END
$$;
SELECT is(level_from_until(today() + "from", today() + "until"), expected, 'R40: ' || title)
FROM (VALUES (0, NULL, 30, 'a grant from today counts'), (1, NULL, 0, 'a grant from tomorrow is absent'), (-1, NULL, 30, 'a grant from yesterday counts'),
             (NULL, 0, 30, 'a grant until today counts'), (NULL, -1, 0, 'a grant until yesterday is absent'), (NULL, 1, 30, 'a grant until tomorrow counts'),
             (0, 0, 30, 'a grant for today counts'), (-2, -1, 0, 'a grant that is over is absent'), (NULL, NULL, 30, 'a grant without dates counts'))
     AS e ("from", "until", expected, title);
UPDATE entitle.external_access SET valid_until = today() - 1 WHERE customer_id = 301 AND user_id = 302;
SELECT is(ask('bob', 'SELECT entitle.accessible_customers()'), '{}', 'R40: and so it is for the list of customers');
SELECT is(in_window('bob', 301, today()), false, 'R40: and for dates');
UPDATE entitle.external_access SET valid_until = NULL;

-- R39
SELECT ok(in_window('ann', 306, today() - 30) AND NOT in_window('ann', 306, today() - 31), 'R39: days back narrows L90');
SELECT is(ask('ann', 'SELECT entitle.unlimited_customers(10)', customer => 303), '{}', 'R45: a chosen customer with a window leaves none without');
UPDATE entitle.external_access SET days_back = 5 WHERE customer_id = 305;
SELECT ok(in_window('ann', 305, today() - 5) AND NOT in_window('ann', 305, today() - 6), 'R39: and L80');

-- R45
SELECT is(ask('ann', 'SELECT entitle.current_customer_id()', customer => 303), '303', 'R45: a customer is chosen');
SELECT is(ask('ann', 'SELECT entitle.accessible_customers()', customer => 303), '{303}', 'R45: then only that one''s grant counts, in lists');
SELECT is(ask('ann', 'SELECT ARRAY[entitle.access_level(303), entitle.access_level(304), entitle.access_level(''code 4''::text)]', customer => 303),
          '{30,0,0}', 'R45: in levels');
SELECT is(ask('ann', 'SELECT ARRAY[entitle.days_back_filter(303, current_date), entitle.days_back_filter(304, current_date)]', customer => 303), '{t,f}',
          'R45: in windows');
SELECT is(ask('ann', 'SELECT ARRAY[entitle.manages_access(305), entitle.manages_access(306)]', customer => 305), '{t,f}', 'R45: and in who manages access');
SELECT is(ask('ann', 'SELECT entitle.accessible_customers()'), '{301,302,303,304,305,306}', 'R45: not chosen, all granted customers');
SELECT throws_ok(format('SELECT ask(%L, ''SELECT 1'', customer => %s)', login, customer), '42501', NULL, 'R45: ' || title)
FROM (VALUES ('ann', 307, 'choosing a customer without a grant is an error'), ('ann', 99999, 'one that does not exist looks the same'),
             (NULL, 301, 'nobody chooses a customer')) AS e (login, customer, title);
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 301, 1, role_id FROM entitle.role WHERE name = 'read-only';
SELECT is(ask('ann', 'SELECT entitle.has_permission(''customers.view'')', customer => 303), 'true', 'R45: rights from permissions are not narrowed by it');
DELETE FROM entitle.membership WHERE user_id = 301;

-- R41, R42
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (304, 1, true);
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (301, 1, 'managers');
INSERT INTO entitle.role_permission VALUES (301, 'external_access.manage');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (305, 1, 301);
SELECT is(ask('manager', 'SELECT entitle.manages_access(301)'), 'false', 'R41: external_access.manage without customers.view manages nothing');
INSERT INTO entitle.role_permission VALUES (301, 'customers.view');
SELECT is(ask('manager', 'SELECT entitle.manages_access(301)'), 'true', 'R41: with it, every customer of the brand');
SELECT is(ask('ann', 'SELECT array_agg(entitle.manages_access(c) ORDER BY c) FROM generate_series(301, 307) AS c'), '{f,f,f,f,t,t,f}', 'R41: L80 and L90 manage that same customer');
SELECT is(ask('manager', 'SELECT entitle.user_access_level(301, 304)'), '40', 'R41: who manages a customer may ask about others'' access to it');
SELECT is(ask('ann', 'SELECT ARRAY[entitle.user_access_level(302, 301), entitle.user_access_level(301, 301)]'), '{0,10}', 'R41: who does not, only about their own');
UPDATE entitle.external_access SET customer_id = 305 WHERE user_id = 302;
SELECT is(ask('ann', 'SELECT entitle.user_access_level(302, 305)'), '30', 'R41: an L80 may ask about others'' access to that customer');
INSERT INTO entitle.brand (brand_id, name) VALUES (301, 'elsewhere');
UPDATE entitle.customer SET brand_id = 301 WHERE customer_id = 302;
SELECT is(ask('manager', 'SELECT entitle.manages_access(302)'), 'false', 'R41: a customer of another brand is not theirs');

SELECT * FROM finish();
ROLLBACK;
