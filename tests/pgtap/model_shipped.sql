-- The extension knows which rows are as it shipped them, which were changed and which were removed: that is what a dump is made
-- of. Restoring itself is proved by tests/tap/010_dump.pl.
\ir setup.psql
SELECT no_plan();

SELECT is((SELECT as_shipped FROM entitle.permission WHERE permission_key = 'pages.view'), true, 'a shipped row is as shipped');
UPDATE entitle.permission SET is_active = false WHERE permission_key = 'pages.view';
SELECT is((SELECT as_shipped FROM entitle.permission WHERE permission_key = 'pages.view'), false, 'a changed one is not');
UPDATE entitle.permission SET is_active = true, as_shipped = true WHERE permission_key = 'pages.view';
SELECT is((SELECT as_shipped FROM entitle.permission WHERE permission_key = 'pages.view'), false, 'and cannot be declared to be');
INSERT INTO entitle.permission (permission_key, as_shipped) VALUES ('own', true);
SELECT is((SELECT as_shipped FROM entitle.permission WHERE permission_key = 'own'), false, 'an own row is not as shipped');
SELECT is_empty('SELECT * FROM entitle.shipped_removal', 'nothing was removed so far');

-- Removed rows are remembered, whatever removed them.
CREATE FUNCTION removed() RETURNS text
    LANGUAGE sql
    AS $$ SELECT string_agg(format('%s %s', relation, row_key), ', ' ORDER BY relation, row_key::text) FROM entitle.shipped_removal $$;

DELETE FROM entitle.role_permission WHERE role_id = 5 AND permission_key = 'customers.edit';
SELECT is(removed(), 'role_permission {"role_id": 5, "permission_key": "customers.edit"}', 'a removed row is remembered');
INSERT INTO entitle.role_permission VALUES (5, 'customers.edit');
SELECT is(removed(), NULL, 'and forgotten when it is added again');
DELETE FROM entitle.role_permission WHERE role_id = 5 AND permission_key = 'customers.edit';
SELECT is(removed(), 'role_permission {"role_id": 5, "permission_key": "customers.edit"}',
          'a shipped key is remembered when its own row is removed');
DELETE FROM entitle.permission WHERE permission_key = 'own';
SELECT is(removed(), 'role_permission {"role_id": 5, "permission_key": "customers.edit"}', 'a removed own row is not');
UPDATE entitle.metric_module SET module_key = 'reports' WHERE metric_key = 'aov';
SELECT is(removed(), 'metric_module {"metric_key": "aov", "module_key": "conversions"},'
                     ' role_permission {"role_id": 5, "permission_key": "customers.edit"}', 'a new key leaves the old one behind');
DELETE FROM entitle.role WHERE role_id = 1;
SELECT matches(removed(), 'role {"role_id": 1}, role_permission {"role_id": 1, "permission_key": "conversions.view"}',
               'what a cascade removes is remembered');
TRUNCATE entitle.permission_prerequisite;
SELECT is((SELECT count(*) FROM entitle.shipped_removal WHERE relation = 'permission_prerequisite'), 4::bigint,
          'what TRUNCATE removes is remembered');
SET LOCAL session_replication_role = replica;
DELETE FROM entitle.brand_module WHERE module_key = 'pages';
SET LOCAL session_replication_role = origin;
SELECT matches(removed(), 'brand_module {"brand_id": 1, "module_key": "pages"}', 'under session_replication_role = replica, too');

-- An ordinary role that the DBA lets write is followed as well, without rights on the bookkeeping.
CREATE ROLE test_modeller BYPASSRLS;
GRANT USAGE ON SCHEMA entitle TO test_modeller;
GRANT SELECT, INSERT, UPDATE, DELETE ON entitle.capability_permission TO test_modeller;
SET LOCAL ROLE test_modeller;
DELETE FROM entitle.capability_permission WHERE capability_key = 'reports';
INSERT INTO entitle.capability_permission VALUES ('reports', 1, 'conversions.view', true);
RESET ROLE;
SELECT is((SELECT count(*) FROM entitle.shipped_removal WHERE row_key @> '{"capability_key": "reports"}'), 4::bigint,
          'removals by a role without rights on the bookkeeping are remembered');
SELECT is((SELECT as_shipped FROM entitle.capability_permission WHERE capability_key = 'reports'), false, 'and its rows are its own');

-- Outside a restore a taken key is an error; the setting that marks a restore gives an ordinary role nothing.
SELECT throws_ok($$ INSERT INTO entitle.role (role_id, organization_id, name) VALUES (2, 1, 'mine') $$, '23505', NULL,
                 'a taken key is an error');
SET LOCAL check_function_bodies = off;
SET LOCAL ROLE test_modeller;
SELECT throws_ok($$ INSERT INTO entitle.capability_permission VALUES ('billing', 1, 'billing.invoices.view') $$, '23505', NULL,
                 'an ordinary role does not restore');
SELECT throws_ok($$ INSERT INTO entitle.capability_permission VALUES ('none', 1, 'customers.view') $$, '23503', NULL,
                 'and keeps to the foreign keys');
RESET ROLE;
-- Migrations switch the setting off, too: alone it is no restore, for a superuser neither (R21, R53).
SELECT throws_ok($$ INSERT INTO entitle.role (role_id, organization_id, name) VALUES (2, 1, 'mine') $$, '23505', NULL,
                 'R53: check_function_bodies alone lays no row over a shipped one');
SELECT throws_ok($$ INSERT INTO entitle.role_permission VALUES (-1, 'customers.view') $$, '23503', NULL,
                 'R53: and switches off no foreign key');
INSERT INTO entitle.plan VALUES ('bodies');
SELECT is(count(*), 1::bigint, 'R21: what it inserts is logged') FROM (
    SELECT FROM entitle.change_log WHERE relation = 'entitle.plan'::regclass AND row_key = '{"plan_key": "bodies"}') AS logged;
SET LOCAL row_security = off;
SELECT lives_ok($$ INSERT INTO entitle.role (role_id, organization_id, name) VALUES (2, 1, 'mine') $$,
                'a superuser who restores lays the row over the shipped one');
SELECT results_eq('SELECT name, as_shipped FROM entitle.role WHERE role_id = 2', $$ VALUES ('mine', false) $$,
                  'which is changed by it');
SELECT is(current_setting('session_replication_role'), 'origin', 'and leaves the session as it was');
SET LOCAL check_function_bodies = on;
SET LOCAL row_security = on;

SELECT * FROM finish();
ROLLBACK;
