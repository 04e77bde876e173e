-- No argument makes a check raise, and none but a right one is allowed (R1, R4, R33, R38; S58, S86).
BEGIN;
SET LOCAL entitle.time_zone = 'America/New_York';
SET LOCAL timezone = 'Pacific/Kiritimati';
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'owner'), (2, 'limited'), (3, 'unlimited'), (4, 'nobody');
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (1, 1, true);
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, legal_name, trade_name, tax_id)
VALUES (1, '11111111-1111-1111-1111-111111111111', 'ALFKI', 'One', 'One', '1'),
       (9223372036854775807, '22222222-2222-2222-2222-222222222222', 'Ünï', 'Last', 'Last', '2'),
       (-9223372036854775808, '33333333-3333-3333-3333-333333333333', 'ALFKI ', 'First', 'First', '3');
INSERT INTO entitle.external_access (customer_id, user_id, days_back)
SELECT c.customer_id, u.user_id, CASE u.user_id WHEN 2 THEN 30 END FROM entitle.customer c, entitle.app_user u WHERE u.user_id IN (2, 3);

-- Arguments of every type: what a caller may get wrong, the ends of each range, and what is right.
CREATE TEMP TABLE value_of (type text, value text);
INSERT INTO value_of VALUES
    ('text', NULL), ('text', ''), ('text', ' '), ('text', 'customers.view'), ('text', 'Customers.View'),
    ('text', 'customers.view '), ('text', 'customers.vie'), ('text', 'customers.viewer'), ('text', 'customers.%'),
    ('text', 'customers_view'), ('text', '*'), ('text', 'customers.*'), ('text', E'customers.view\n'),
    ('text', E'\u200Bcustomers.view'), ('text', 'cuѕtomers.view'), ('text', repeat('x', 1000000)),
    ('text', 'reports'), ('text', 'revenue'), ('text', 'ALFKI'), ('text', 'alfki'), ('text', 'ALFKI '), ('text', 'Ünï'),
    ('text', $$'; DROP TABLE entitle.customer; --$$), ('text', '{}'), ('text', 'NULL'), ('text', '1'),
    ('bigint', NULL), ('bigint', '0'), ('bigint', '-1'), ('bigint', '1'), ('bigint', '2'), ('bigint', '4'),
    ('bigint', '9223372036854775807'), ('bigint', '-9223372036854775808'), ('bigint', '4294967297'),
    ('integer', NULL), ('integer', '0'), ('integer', '-1'), ('integer', '10'), ('integer', '15'), ('integer', '30'),
    ('integer', '31'), ('integer', '91'), ('integer', '2147483647'), ('integer', '-2147483648'),
    ('uuid', NULL), ('uuid', '00000000-0000-0000-0000-000000000000'), ('uuid', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    ('uuid', '11111111-1111-1111-1111-111111111111'),
    ('date', NULL), ('date', 'infinity'), ('date', '-infinity'), ('date', '4714-11-24 BC'), ('date', '5874897-12-31'),
    ('date', '2000-01-01'), ('date', '1999-12-31'), ('date', '0001-12-31 BC'), ('date', 'today'),
    ('timestamp', NULL), ('timestamp', 'infinity'), ('timestamp', '-infinity'), ('timestamp', '4714-11-24 00:00:00 BC'),
    ('timestamp', '294276-12-31 23:59:59.999999'), ('timestamp', '2000-01-01'), ('timestamp', '1999-12-31 23:59:59.999999'),
    ('timestamp', 'now'),
    ('timestamptz', NULL), ('timestamptz', 'infinity'), ('timestamptz', '-infinity'),
    ('timestamptz', '4714-11-24 00:00:00+00 BC'), ('timestamptz', '294276-12-31 23:59:59.999999+00'),
    ('timestamptz', '2000-01-01 00:00+00'), ('timestamptz', '1999-12-31 23:59:59.999999+00'), ('timestamptz', 'now');

-- Every check of the public interface, with every combination of those values.
CREATE FUNCTION every_question() RETURNS TABLE (question text)
    LANGUAGE sql
    AS $$
    WITH checks AS (
        SELECT p.proname, string_to_array(pg_get_function_identity_arguments(p.oid), ', ') AS arguments
        FROM pg_proc p
        WHERE p.pronamespace = 'entitle'::regnamespace
          AND p.proname IN ('has_permission', 'has_capability', 'has_metric', 'visible_metrics', 'permitted_brands',
                            'access_level', 'days_back_filter', 'accessible_customers', 'can_score', 'allowed_capabilities',
                            'user_has_permission', 'user_access_level', 'manages_access')
    ), types AS (
        SELECT c.proname, a.n,
               CASE regexp_replace(a.argument, '^\w+ ', '')
                   WHEN 'timestamp without time zone' THEN 'timestamp'
                   WHEN 'timestamp with time zone' THEN 'timestamptz'
                   ELSE regexp_replace(a.argument, '^\w+ ', '')
               END AS type,
               c.arguments
        FROM checks c, unnest(c.arguments) WITH ORDINALITY AS a (argument, n)
    )
    SELECT format('entitle.%s(%s)', c.proname, v1.literal || coalesce(', ' || v2.literal, '') || coalesce(', ' || v3.literal, ''))
    FROM checks c
    JOIN types t1 ON (t1.proname, t1.arguments, t1.n) = (c.proname, c.arguments, 1)
    LEFT JOIN types t2 ON (t2.proname, t2.arguments, t2.n) = (c.proname, c.arguments, 2)
    LEFT JOIN types t3 ON (t3.proname, t3.arguments, t3.n) = (c.proname, c.arguments, 3)
    JOIN LATERAL (SELECT format('%L::%s', value, type) FROM value_of WHERE type = t1.type) AS v1 (literal) ON true
    LEFT JOIN LATERAL (SELECT format('%L::%s', value, type) FROM value_of WHERE type = t2.type) AS v2 (literal) ON true
    LEFT JOIN LATERAL (SELECT format('%L::%s', value, type) FROM value_of WHERE type = t3.type) AS v3 (literal) ON true
    $$;

-- What is not a plain no: false, 0, and an empty list are.
CREATE TEMP TABLE answer (login text, question text, answer text);
CREATE FUNCTION ask_everything(login text) RETURNS text
    LANGUAGE plpgsql
    AS $$
    #variable_conflict use_variable
DECLARE
    question text;
    given text;
    asked bigint := 0;
    raised bigint := 0;
    empty bigint := 0;
BEGIN
    FOR question IN SELECT * FROM every_question() LOOP
        asked := asked + 1;
        BEGIN
            EXECUTE 'SELECT ' || question INTO given;
            empty := empty + (given IS NULL)::integer;
            IF given NOT IN ('false', '0', '{}') THEN
                INSERT INTO answer VALUES (login, regexp_replace(question, 'x{100,}', 'x...'), given);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            raised := raised + 1;
            RAISE NOTICE '%: %', left(question, 200), SQLERRM;
        END;
    END LOOP;
    RETURN format('%s raised, %s NULL, more than 1000 asked: %s', raised, empty, asked > 1000);
END
$$;
CREATE ROLE app_role;
GRANT ALL ON value_of, answer TO app_role;

SELECT entitle.sign_in('nobody') \g /dev/null
SET LOCAL ROLE app_role;
SELECT ask_everything('nobody');
RESET ROLE;
SELECT entitle.sign_in('owner') \g /dev/null
SET LOCAL ROLE app_role;
SELECT ask_everything('owner');
RESET ROLE;
SELECT entitle.sign_in('limited') \g /dev/null
SET LOCAL ROLE app_role;
SELECT ask_everything('limited');
RESET ROLE;
SELECT entitle.sign_in('unlimited') \g /dev/null
SET LOCAL ROLE app_role;
SELECT ask_everything('unlimited');
RESET ROLE;
SELECT entitle.sign_out() \g /dev/null
SET LOCAL ROLE app_role;
SELECT ask_everything('no user');
RESET ROLE;

-- The three keys of each of three customers answer alike; the rest is listed one by one.
SELECT login, asked, count(*)
FROM answer, regexp_replace(question, '\(.*(bigint|uuid|text), ', '(\1 key, ') AS asked
WHERE question LIKE 'entitle.days\_back%'
GROUP BY login, asked
ORDER BY login, asked COLLATE "C";
SELECT login, question, answer FROM answer WHERE question NOT LIKE 'entitle.days\_back%' ORDER BY login, question COLLATE "C";

-- The last moment there is lies in the future of every business time zone, and the first one in the past.
SET LOCAL entitle.time_zone = 'Pacific/Kiritimati';
SELECT entitle.sign_in('limited') \g /dev/null
SELECT entitle.days_back_filter(1, '294276-12-31 23:59:59.999999+00'::timestamptz) AS last,
       entitle.days_back_filter(1, '4714-11-24 00:00:00+00 BC'::timestamptz) AS first;
SET LOCAL entitle.time_zone = 'Pacific/Pago_Pago';
SELECT entitle.days_back_filter(1, '294276-12-31 23:59:59.999999+00'::timestamptz) AS last,
       entitle.days_back_filter(1, '4714-11-24 00:00:00+00 BC'::timestamptz) AS first;

-- So wide a window leaves out no date but minus infinity and none at all.
UPDATE entitle.external_access SET days_back = 2147483647;
SELECT entitle.days_back_filter(1, '4714-11-24 BC'::date) AS first, entitle.days_back_filter(1, '-infinity'::date) AS before,
       entitle.days_back_filter(1, 'infinity'::date) AS after, entitle.days_back_filter(1, NULL::date) AS never;
-- A grant from or until a day at the end of the calendar counts like any other.
UPDATE entitle.external_access SET valid_from = '-infinity', valid_until = 'infinity';
SELECT entitle.access_level(1);
UPDATE entitle.external_access SET valid_from = '4714-11-24 BC', valid_until = '5874897-12-31';
SELECT entitle.access_level(1);
UPDATE entitle.external_access SET valid_from = 'infinity', valid_until = 'infinity';
SELECT entitle.access_level(1);
UPDATE entitle.external_access SET valid_from = '-infinity', valid_until = '-infinity';
SELECT entitle.access_level(1);
ROLLBACK;
