-- Reports say what the checks decide: roles by capability, grants by customer and by user, and what a change would give and
-- take; each to those who may know.
\ir setup.psql
SELECT no_plan();
SET LOCAL entitle.time_zone = 'UTC';

-- catalogue.md's roles against the capabilities that their permissions open
SELECT results_eq(
    $$ SELECT role, string_agg(capability, ' ' ORDER BY capability) FROM entitle.permission_matrix() WHERE allowed GROUP BY role ORDER BY role $$,
    $$ VALUES
        ('conversions-only viewer', 'conversions_list fulfillment_list reports'),
        ('customers-only viewer', 'customers_report customers_screen reports'),
        ('operations user', 'conversion_operations conversions_list fulfillment_list reports'),
        ('read-only', 'customers_report customers_screen reports'),
        ('reports reader', 'conversions_list custom_reports customers_report customers_screen fulfillment_list reports tracking_report tracking_reports utm_report'),
        ('sales', 'customer_edit customer_metrics customers_report customers_screen reports'),
        ('sales manager', 'client_metrics_catalogue customer_edit customer_metrics customers_report customers_screen reports') $$,
    'R28, R32: the shipped roles open what the catalogue says');
SELECT is((SELECT count(*) FROM entitle.permission_matrix()),
          (SELECT count(*) FROM entitle.role, entitle.capability), 'every role stands against every capability');

INSERT INTO entitle.organization (organization_id, name) VALUES (2, 'other');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (101, 1, 'without modules'), (201, 2, 'theirs');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (201, 2, 'theirs'), (101, 1, 'access manager');
INSERT INTO entitle.role_permission VALUES (101, 'customers.view'), (101, 'external_access.manage');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (1, 'clerk', true), (2, 'manager', true), (3, 'l80', true), (4, 'ext', true), (5, 'off', false);
INSERT INTO entitle.membership (user_id, brand_id, role_id)
SELECT v.user_id, 1, r.role_id FROM (VALUES (1, 'sales'), (2, 'access manager')) AS v (user_id, role) JOIN entitle.role r ON r.name = v.role;
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (1, 1, 'a', 'a', '1'), (2, 201, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_from, valid_until) VALUES
    (1, 3, 'L80', NULL, NULL, NULL), (1, 4, 'L20', 7, '2020-01-01', '2020-12-31'), (1, 5, 'L30', 30, NULL, NULL), (2, 4, 'L30', 30, NULL, NULL);

SELECT is((SELECT count(*) FROM entitle.permission_matrix(1, 101) WHERE allowed), 0::bigint, 'R23: nothing is open in a brand without modules');
UPDATE entitle.role SET is_active = false WHERE name = 'sales';
SELECT is((SELECT count(*) FROM entitle.permission_matrix() WHERE role = 'sales' AND allowed), 0::bigint, 'R20: a role switched off opens nothing');
UPDATE entitle.role SET is_active = true WHERE name = 'sales';
SELECT is(ask('manager', 'SELECT count(DISTINCT role) FROM entitle.permission_matrix()'), '8', 'a manager reads the matrix of the organization');
SELECT is(ask('manager', 'SELECT count(*) FROM entitle.permission_matrix(2)'), '0', 'but of no other');
SELECT is(ask(asker, 'SELECT count(*) FROM entitle.permission_matrix()'), '0', format('%s reads no matrix', coalesce(asker, 'nobody')))
FROM unnest(ARRAY['clerk', 'l80', 'ext', NULL]) AS asker;

-- Grants by customer and by user
SELECT results_eq('SELECT * FROM entitle.customer_access(1)',
    $$ VALUES ('ext', 'L20', 0, 7, '2020-01-01'::date, '2020-12-31'::date), ('l80', 'L80', 80, NULL, NULL, NULL), ('off', 'L30', 0, 30, NULL, NULL) $$,
    'R34, R40: a customer''s grants, with the level that counts today');
SELECT results_eq($$ SELECT * FROM entitle.user_access('ext') $$,
    $$ VALUES (1::bigint, 'L20', 0, 7, '2020-01-01'::date, '2020-12-31'::date), (2, 'L30', 30, 30, NULL, NULL) $$, 'and a user''s');
SELECT is(ask(asker, 'SELECT string_agg(login, '' '') FROM entitle.customer_access(1)'), expected, format('R41: %s reads %s', asker, coalesce(expected, 'none')))
FROM (VALUES ('manager', 'ext l80 off'), ('l80', 'ext l80 off'), ('ext', 'ext'), ('clerk', NULL)) AS v (asker, expected);
SELECT is(ask(asker, format('SELECT string_agg(customer_id || '':'' || level, '' '') FROM entitle.user_access(%L)', login)), expected,
          format('R41: %s of %s reads %s', asker, login, coalesce(expected, 'none')))
FROM (VALUES ('manager', 'ext', '1:0'), ('l80', 'ext', '1:0'), ('ext', 'ext', '1:0 2:30'), ('ext', 'l80', NULL), ('clerk', 'ext', NULL),
             ('manager', 'no such user', NULL)) AS v (asker, login, expected);

-- As it was
CREATE TEMP TABLE moment (name text PRIMARY KEY, at timestamptz);
INSERT INTO moment VALUES ('begin', clock_timestamp());
UPDATE entitle.external_access SET role = 'L40', days_back = 90 WHERE (customer_id, user_id) = (1, 4);
UPDATE entitle.external_access SET valid_from = NULL, valid_until = NULL WHERE (customer_id, user_id) = (1, 4);
DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (1, 5);
INSERT INTO moment VALUES ('raised', clock_timestamp());
UPDATE entitle.app_user SET is_active = false WHERE user_id = 4;
INSERT INTO moment VALUES ('off', clock_timestamp());
SELECT is((SELECT string_agg(concat_ws(' ', login, role, level, days_back), '; ' ORDER BY login) FROM entitle.customer_access(1, m.at)), v.expected,
          'customer_access as it was: ' || v.name)
FROM moment m JOIN (VALUES
    ('begin', 'ext L20 0 7; l80 L80 80; off L30 0 30'), ('raised', 'ext L40 40 90; l80 L80 80'), ('off', 'ext L40 0 90; l80 L80 80')) AS v (name, expected) USING (name);
SELECT is_empty('SELECT * FROM entitle.customer_access(1, ''2020-06-01'')', 'and before there was any');
SELECT is((SELECT string_agg(concat_ws(' ', customer_id, role, level), '; ' ORDER BY customer_id) FROM entitle.user_access('ext', m.at)), v.expected,
          'user_access as it was: ' || v.name)
FROM moment m JOIN (VALUES ('begin', '1 L20 0; 2 L30 30'), ('raised', '1 L40 40; 2 L30 30'), ('off', '1 L40 0; 2 L30 0')) AS v (name, expected) USING (name);
SELECT is((SELECT string_agg(concat_ws(' ', login, role, level, days_back, valid_from, valid_until), '; ' ORDER BY login) FROM entitle.customer_access(1, clock_timestamp())),
          (SELECT string_agg(concat_ws(' ', login, role, level, days_back, valid_from, valid_until), '; ' ORDER BY login) FROM entitle.customer_access(1)),
          'now is the present');
SELECT is(ask(asker, 'SELECT count(*) FROM entitle.customer_access(1, now() + interval ''1 day'')'), expected, format('R21, R41: %s reads of the past what the present shows', asker))
FROM (VALUES ('manager', '2'), ('l80', '2'), ('clerk', '0')) AS v (asker, expected);
UPDATE entitle.app_user SET is_active = true WHERE user_id = 4;
DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (1, 4);

-- Rows whose key changed, or that went with their table
INSERT INTO entitle.app_user (user_id, login) VALUES (60, 'mover');
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (3, 1, 'c', 'c', '3');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (3, 60, 'L30');
INSERT INTO moment VALUES ('given', clock_timestamp());
UPDATE entitle.external_access SET customer_id = 2 WHERE user_id = 60;
INSERT INTO moment VALUES ('moved', clock_timestamp());
UPDATE entitle.external_access SET user_id = 3 WHERE user_id = 60;
INSERT INTO moment VALUES ('handed on', clock_timestamp());
UPDATE entitle.external_access SET user_id = 60 WHERE (customer_id, user_id) = (2, 3);
DELETE FROM entitle.external_access WHERE user_id = 60;
UPDATE entitle.app_user SET user_id = 61, login = 'renumbered' WHERE user_id = 60;
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (3, 61, 'L40');
INSERT INTO moment VALUES ('renumbered', clock_timestamp());
DELETE FROM entitle.external_access WHERE user_id = 61;
INSERT INTO moment VALUES ('deleted', clock_timestamp());
SELECT is((SELECT coalesce(string_agg(concat_ws(' ', g.customer, p.login, p.role, p.level), '; ' ORDER BY g.customer, p.login), '')
           FROM unnest(ARRAY[2, 3]) AS g (customer), entitle.customer_access(g.customer, m.at) p WHERE p.login IN ('mover', 'renumbered', 'l80')), v.expected,
          'the grants of two customers as they were: ' || v.name)
FROM moment m JOIN (VALUES
    ('given', '3 mover L30 30'), ('moved', '2 mover L30 30'), ('handed on', '2 l80 L30 30'), ('renumbered', '3 renumbered L40 40'), ('deleted', '')) AS v (name, expected) USING (name);
SELECT is((SELECT coalesce(string_agg(p.customer_id || ' ' || p.role, '; ' ORDER BY p.customer_id), '') FROM entitle.user_access('renumbered', m.at) p), v.expected,
          'a user''s grants as they were: ' || v.name)
FROM moment m JOIN (VALUES ('given', ''), ('renumbered', '3 L40'), ('deleted', '')) AS v (name, expected) USING (name);
TRUNCATE entitle.external_access;
INSERT INTO moment VALUES ('emptied', clock_timestamp());
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_from, valid_until) VALUES
    (1, 3, 'L80', NULL, NULL, NULL), (2, 4, 'L30', 30, NULL, NULL), (1, 4, 'L20', 7, '2020-01-01', '2020-12-31'), (1, 5, 'L30', 30, NULL, NULL);
SELECT is((SELECT count(*) FROM entitle.customer_access(c, m.at)), expected, format('customer %s: %s grants, %s', c, expected, name))
FROM moment m JOIN (VALUES ('handed on', 1, 1::bigint), ('deleted', 1, 1), ('emptied', 1, 0)) AS v (name, c, expected) USING (name);

-- A change, tried and taken back
SELECT results_eq($$ SELECT * FROM entitle.explain_change('INSERT INTO entitle.role_permission VALUES (101, ''customers.edit'')') $$,
    $$ VALUES ('manager', 'permission', 'brand 1', 'customers.edit', NULL::text, 'held') $$, 'a role''s new permission gives it to who holds the role');
SELECT is((SELECT count(*) FROM entitle.role_permission WHERE (role_id, permission_key) = (101, 'customers.edit')), 0::bigint, 'and is taken back');
SELECT is(entitle.user_has_permission(2, 'customers.edit', 1), false, 'R47: leaving no trace in any decision');
SELECT results_eq($$ SELECT login, key, before, after FROM entitle.explain_change(
        'UPDATE entitle.brand_module SET is_enabled = false WHERE (brand_id, module_key) = (1, ''customers'')') $$,
    $$ VALUES ('clerk', 'customers.edit', 'held', NULL::text), ('clerk', 'customers.view', 'held', NULL),
              ('manager', 'customers.view', 'held', NULL), ('manager', 'external_access.manage', 'held', NULL) $$,
    'a module switched off takes what needs it, prerequisites too');
SELECT results_eq($$ SELECT * FROM entitle.explain_change(
        'UPDATE entitle.external_access SET role = ''L40'', days_back = NULL WHERE (customer_id, user_id) = (2, 4);'
        'DELETE FROM entitle.external_access WHERE (customer_id, user_id) = (1, 3);'
        'INSERT INTO entitle.app_user (user_id, login) VALUES (50, ''new'');'
        'INSERT INTO entitle.external_access (customer_id, user_id) SELECT 1, user_id FROM entitle.app_user WHERE login = ''new''') $$,
    $$ VALUES ('ext', 'access', 'customer 2', 'level', 'L30, 30 days back', 'L40, all days'),
              ('l80', 'access', 'customer 1', 'level', 'L80, all days', NULL),
              ('new', 'access', 'customer 1', 'level', NULL, 'L30, 30 days back') $$,
    'several statements are one change: grants changed, revoked and given, users too');
SELECT is_empty($$ SELECT * FROM entitle.explain_change('INSERT INTO entitle.role_permission VALUES (101, ''customers.export''); DELETE FROM entitle.role_permission WHERE permission_key = ''customers.export''') $$,
                'what cancels itself gives and takes nothing');
SELECT throws_ok($$ SELECT entitle.explain_change('INSERT INTO entitle.role_permission VALUES (101, ''no.such.key'')') $$, '23503', NULL,
                 'a change that is refused answers with its own error');
SELECT throws_ok($$ SELECT ask('manager', 'SELECT count(*) FROM entitle.explain_change(''DELETE FROM entitle.role'')') $$, '42501', NULL,
                 'an ordinary role tries nothing that it may not do');
SELECT throws_ok($$ SELECT entitle.explain_change('COMMIT') $$, NULL, NULL, 'a change does not end the transaction');

SELECT finish();
ROLLBACK;
