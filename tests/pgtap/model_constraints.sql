-- Every rule on stored data refuses what breaks it, whoever writes (R53): each constraint once, by its SQLSTATE (S85 among them).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'ann'), (102, 'bob');
INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group');
INSERT INTO entitle.plan VALUES ('basic');
INSERT INTO entitle.brand (brand_id, organization_id, name, plan_key) VALUES (102, 102, 'shop', 'basic'), (103, NULL, 'alone', NULL);
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (108, 102, 'clerk');
INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id) VALUES (101, 'A', 'a', 'a', '1');
INSERT INTO entitle.client_metric (metric_id, name) VALUES (101, 'pays');
INSERT INTO entitle.customer_metric VALUES (101, 101, 50);

-- Names and keys that are blank: each column, with each kind of blank.
SELECT throws_ok(format(statement, quote_literal(blank)), '23514', NULL, format('%s is not %s', what, label))
FROM (VALUES
    ('a login', 'INSERT INTO entitle.app_user (login) VALUES (%s)'),
    ('an organization''s name', 'INSERT INTO entitle.organization (name) VALUES (%s)'),
    ('a plan', 'INSERT INTO entitle.plan VALUES (%s)'),
    ('a brand''s name', 'INSERT INTO entitle.brand (name) VALUES (%s)'),
    ('a module', 'INSERT INTO entitle.module (module_key) VALUES (%s)'),
    ('a permission', 'INSERT INTO entitle.permission (permission_key) VALUES (%s)'),
    ('a capability', 'INSERT INTO entitle.capability (capability_key) VALUES (%s)'),
    ('a metric', 'INSERT INTO entitle.metric (metric_key) VALUES (%s)'),
    ('a role''s name', 'INSERT INTO entitle.role (organization_id, name) VALUES (1, %s)'),
    ('R8: a customer''s legal name', 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (%s, ''b'', ''c'')'),
    ('R8: a customer''s trade name', 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (''a'', %s, ''c'')'),
    ('R8: a customer''s tax id', 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (''a'', ''b'', %s)'),
    ('a customer''s code', 'UPDATE entitle.customer SET customer_code = %s'),
    ('a client metric''s name', 'INSERT INTO entitle.client_metric (name) VALUES (%s)'),
    ('an integration''s provider', 'INSERT INTO entitle.integration_link VALUES (101, %s, ''x'')'),
    ('an integration''s key', 'INSERT INTO entitle.integration_link VALUES (101, ''x'', %s)'),
    ('a logged action', 'INSERT INTO entitle.change_log (relation, action, row_key) VALUES (''entitle.role'', %s, ''{}'')')
) AS s (what, statement), (VALUES ('empty', ''), ('a blank', ' '), ('tabs and lines', E'\t\r\n\f\x0b')) AS b (label, blank);

-- What must be given.
SELECT throws_ok(statement, '23502', NULL, format('%s must be given', what))
FROM (VALUES
    ('a login', 'INSERT INTO entitle.app_user (login) VALUES (NULL)'),
    ('is_active of a user', 'UPDATE entitle.app_user SET is_active = NULL'),
    ('the user of a membership', 'INSERT INTO entitle.membership (organization_id) VALUES (1)'),
    ('the organization of a role', 'INSERT INTO entitle.role (name) VALUES (''x'')'),
    ('is_active of a role', 'UPDATE entitle.role SET is_active = NULL'),
    ('is_active of a permission', 'UPDATE entitle.permission SET is_active = NULL'),
    ('is_enabled of a brand''s module', 'UPDATE entitle.brand_module SET is_enabled = NULL'),
    ('R8: a legal name', 'INSERT INTO entitle.customer (trade_name, tax_id) VALUES (''b'', ''c'')'),
    ('R8: a trade name', 'INSERT INTO entitle.customer (legal_name, tax_id) VALUES (''b'', ''c'')'),
    ('R8: a tax id', 'INSERT INTO entitle.customer (legal_name, trade_name) VALUES (''b'', ''c'')'),
    ('a customer''s brand', 'UPDATE entitle.customer SET brand_id = NULL'),
    ('a customer''s status', 'UPDATE entitle.customer SET status = NULL'),
    ('a customer''s uuid', 'UPDATE entitle.customer SET customer_uuid = NULL'),
    ('a multiplier', 'UPDATE entitle.client_metric SET multiplier = NULL'),
    ('a metric value', 'UPDATE entitle.customer_metric SET value = NULL'),
    ('a grant''s role', 'INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 101, NULL)')
) AS s (what, statement);

-- Values out of their range.
SELECT throws_ok(format('INSERT INTO entitle.app_user (login) VALUES (%L)', login), '23514', NULL,
                 format('a login has no %s', label))
FROM (VALUES ('blank before', ' ann'), ('blank behind', 'ann '), ('line end', E'ann\n'), ('tab', E'\tann')) AS l (label, login);
SELECT throws_ok($$ INSERT INTO entitle.metric (metric_key) VALUES ('*') $$, '23514', NULL,
                 'R30: no metric is called *, which means all');
SELECT throws_ok(format('UPDATE entitle.customer SET status = %L', status), '23514', NULL,
                 format('%L is no status', status))
FROM unnest(ARRAY['', 'pain', 'ACTIVE', 'INACT', 'ACTV ']) AS status;
SELECT throws_ok(format('UPDATE entitle.customer SET client_score = %s', score), '23514', NULL, format('%s is no score', score))
FROM unnest(ARRAY['-0.01', '100.01', '''NaN''']) AS score;
SELECT throws_ok(format('UPDATE entitle.client_metric SET multiplier = %L', multiplier), '23514', NULL,
                 format('R16: %s is no multiplier', multiplier))
FROM unnest(ARRAY['-0.000001', '-1', 'NaN', 'Infinity', '-Infinity']) AS multiplier;
SELECT lives_ok('UPDATE entitle.client_metric SET multiplier = 0', 'R16: a multiplier may be 0');
SELECT throws_ok(format('UPDATE entitle.customer_metric SET value = %L', value), '23514', NULL,
                 format('R12: %s is no metric value', value))
FROM unnest(ARRAY['-0.000001', '100.000001', 'NaN', 'Infinity', '-Infinity']) AS value;
SELECT lives_ok(format('UPDATE entitle.customer_metric SET value = %s', value), format('R12: %s is a metric value', value))
FROM unnest(ARRAY['0', '100', '33.333333333333333333']) AS value;
SELECT throws_ok(format('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 101, %L)', role),
                 '23514', NULL, format('R33: %L is no level', role))
FROM unnest(ARRAY['', 'L15', 'L0', 'L91', 'l30', 'L30 ', '30', 'owner']) AS role;
SELECT lives_ok(format($$ INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, %L, 0)
                          ON CONFLICT (customer_id, user_id) DO UPDATE SET role = excluded.role $$, role),
                format('R33: %s is a level', role))
FROM unnest(ARRAY['L10', 'L20', 'L30', 'L40', 'L80']) AS role;
SELECT throws_ok('UPDATE entitle.external_access SET days_back = -1', '23514', NULL, 'R38: days back is not negative');
SELECT lives_ok('UPDATE entitle.external_access SET days_back = NULL', 'R38: days back may be unlimited');
SELECT throws_ok($$ UPDATE entitle.external_access SET valid_from = '2026-01-02', valid_until = '2026-01-01' $$, '23514', NULL,
                 'R40: a grant does not end before it begins');
SELECT lives_ok($$ UPDATE entitle.external_access SET valid_from = '2026-01-02', valid_until = '2026-01-02' $$,
                'R40: a grant may last one day');

-- One of a kind.
SELECT throws_ok(statement, '23505', NULL, what)
FROM (VALUES
    ('R34: one grant a customer and user', 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (101, 101)'),
    ('one user a login', 'INSERT INTO entitle.app_user (login) VALUES (''ann'')'),
    ('one organization a name', 'INSERT INTO entitle.organization (name) VALUES (''group'')'),
    ('one role a name and organization', 'INSERT INTO entitle.role (organization_id, name) VALUES (102, ''clerk'')'),
    ('one customer a code', 'INSERT INTO entitle.customer (customer_code, legal_name, trade_name, tax_id) VALUES (''A'', ''a'', ''a'', ''1'')'),
    ('one customer a uuid', 'INSERT INTO entitle.customer (customer_uuid, legal_name, trade_name, tax_id) SELECT customer_uuid, ''a'', ''a'', ''1'' FROM entitle.customer'),
    ('one client metric a name', 'INSERT INTO entitle.client_metric (name) VALUES (''pays'')'),
    ('one value a customer and metric', 'INSERT INTO entitle.customer_metric VALUES (101, 101, 1)')
) AS s (what, statement);
SELECT lives_ok('INSERT INTO entitle.role (organization_id, name) VALUES (1, ''clerk'')', 'another organization may use the name');
SELECT lives_ok($$ INSERT INTO entitle.app_user (login) VALUES ('v'), ('f v'), ('x0b') $$, 'letters are not taken for blanks');
SELECT lives_ok($$ INSERT INTO entitle.app_user (login) VALUES ('Ann') $$, 'R4: logins differ by case');
SELECT lives_ok($$ INSERT INTO entitle.integration_link VALUES (101, 'freshbooks', 'f1') $$, 'R19: a customer has a link');
SELECT throws_ok($$ INSERT INTO entitle.integration_link VALUES (101, 'freshbooks', 'f2') $$, '23505', NULL,
                 'R19: one link a provider and customer');
CREATE ROLE test_clerk;
UPDATE entitle.app_user SET db_role = 'test_clerk' WHERE login = 'ann';
SELECT throws_ok($$ UPDATE entitle.app_user SET db_role = 'test_clerk' WHERE login = 'bob' $$, '23505', NULL,
                 'one user a database role');

-- References that must exist.
SELECT throws_ok(statement, '23503', NULL, format('%s must exist', what))
FROM (VALUES
    ('the organization of a brand', 'INSERT INTO entitle.brand (organization_id, name) VALUES (-1, ''x'')'),
    ('the plan of a brand', 'INSERT INTO entitle.brand (name, plan_key) VALUES (''x'', ''none'')'),
    ('the module of a permission', 'INSERT INTO entitle.permission_module VALUES (''pages.view'', ''none'')'),
    ('a required permission', 'INSERT INTO entitle.permission_prerequisite VALUES (''pages.view'', ''none'')'),
    ('a denied permission', 'INSERT INTO entitle.plan_denial VALUES (''basic'', ''none'')'),
    ('a granted permission', 'INSERT INTO entitle.role_permission VALUES (108, ''none'')'),
    ('R4: byte for byte, a granted permission', 'INSERT INTO entitle.role_permission VALUES (108, ''Pages.View'')'),
    ('a granted metric', 'INSERT INTO entitle.role_metric VALUES (108, ''none'')'),
    ('a capability''s permission', 'INSERT INTO entitle.capability_permission VALUES (''pages'', 2, ''none'')'),
    ('the brand of a customer', 'INSERT INTO entitle.customer (brand_id, legal_name, trade_name, tax_id) VALUES (-1, ''a'', ''b'', ''c'')'),
    ('R44: the grantee', 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (101, -1)'),
    ('the customer of a grant', 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (-1, 101)'),
    ('the role of a membership', 'INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, -1)'),
    ('the brand of a membership', 'INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, -1, 108)')
) AS s (what, statement);
SELECT lives_ok($$ INSERT INTO entitle.role_metric VALUES (108, '*') $$, 'R30: * is every metric');

-- What must not be deleted, because somebody would then hold more, or a shipped row would go along. PostgreSQL 18 gave
-- ON DELETE RESTRICT a code of its own.
SELECT CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN '23001' ELSE '23503' END AS restricted \gset
SELECT throws_ok(statement, :'restricted', NULL, what)
FROM (VALUES
    ('an organization with brands, which would become standalone (R25)', 'DELETE FROM entitle.organization WHERE organization_id = 102'),
    ('a plan that brands have', 'DELETE FROM entitle.plan'),
    ('a brand with customers', 'DELETE FROM entitle.brand WHERE brand_id = 1'),
    ('a module that permissions need', 'DELETE FROM entitle.module WHERE module_key = ''customers'''),
    ('a permission that others require', 'DELETE FROM entitle.permission WHERE permission_key = ''customers.view'''),
    ('a permission that roles grant', 'DELETE FROM entitle.permission WHERE permission_key = ''conversions.update'''),
    ('a permission that capabilities need', 'DELETE FROM entitle.permission WHERE permission_key = ''conversions.create'''),
    ('a client metric with values', 'DELETE FROM entitle.client_metric')
) AS s (what, statement);

-- R22: memberships.
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id, organization_id, brand_id) VALUES (101, 102, 102) $$, '23514', NULL,
                 'R22: a membership does not name both an organization and a brand');
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id) VALUES (101) $$, '23514', NULL, 'R22: nor neither');
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id, brand_id, is_owner) VALUES (101, 102, true) $$, '23514', NULL,
                 'R22: ownership names an organization');
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 108) $$, '23514',
                 'the role of a membership belongs to another organization', 'R22: the role is one of the organization');
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 102, 5) $$, '23514',
                 'the role of a membership belongs to another organization', 'R22: the role is one of the brand''s organization');
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 103, 108) $$, '23514',
                 'a membership of a standalone brand has no role', 'R22: a standalone brand has no roles');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (190, 102, 'moving');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 102, 190);
DELETE FROM entitle.membership WHERE role_id = 190;
UPDATE entitle.role SET organization_id = 1 WHERE role_id = 190;
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 102, 190) $$, '23514',
                 'the role of a membership belongs to another organization', 'R22: a role that moved is none of its old organization at once');
SELECT lives_ok($$ INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 190) $$, 'R22: but one of its new');
DELETE FROM entitle.membership WHERE role_id = 190;
DELETE FROM entitle.role WHERE role_id = 190;
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner) VALUES (101, 101, 102, 108, true);
INSERT INTO entitle.membership (membership_id, user_id, brand_id, role_id) VALUES (102, 102, 102, 108), (103, 102, 103, NULL);
SELECT throws_ok($$ UPDATE entitle.membership SET organization_id = 1 WHERE membership_id = 101 $$, '23514', NULL,
                 'R22: a membership with a role does not move to another organization');
SELECT throws_ok($$ UPDATE entitle.membership SET brand_id = 1 WHERE membership_id = 102 $$, '23514', NULL,
                 'R22: nor to a brand of another organization');
SELECT throws_ok($$ UPDATE entitle.membership SET role_organization_id = 1 WHERE membership_id = 101;
                    SELECT 1 / count(*) FROM entitle.membership WHERE membership_id = 101 AND role_organization_id = 1 $$,
                 '22012', NULL, 'the role''s organization is never believed from input');
SELECT throws_ok($$ UPDATE entitle.brand SET organization_id = 1 WHERE brand_id = 102 $$, '23514', NULL,
                 'R22: a brand does not leave the organization whose roles its members hold');
SELECT throws_ok($$ UPDATE entitle.brand SET organization_id = NULL WHERE brand_id = 102 $$, '23514', NULL,
                 'R22: nor become standalone under them');
SELECT throws_ok($$ UPDATE entitle.role SET organization_id = 1 WHERE role_id = 108 $$, '23514', NULL,
                 'R22: a role does not leave the organization of its holders');
SELECT lives_ok($$ UPDATE entitle.brand SET name = 'store' WHERE brand_id = 102 $$, 'another change of the brand is free');
SELECT throws_ok($$ DELETE FROM entitle.role WHERE role_id = 108 $$, :'restricted', NULL, 'a role that is held is not deleted');
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 102, 108) $$, '23505', NULL,
                 'the same role is not held twice in one place');
SELECT throws_ok($$ INSERT INTO entitle.membership (user_id, brand_id) VALUES (102, 103) $$, '23505', NULL,
                 'nor the same place without a role');

-- R5: prerequisites are free of cycles, whoever asks and however long the way round.
SELECT throws_ok($$ INSERT INTO entitle.permission_prerequisite VALUES ('pages.view', 'pages.view') $$, '23514', NULL,
                 'R5: a permission does not require itself');
SELECT throws_ok($$ INSERT INTO entitle.permission_prerequisite VALUES ('customers.view', 'customers.edit') $$, '23514',
                 'permission "customers.view" would become its own prerequisite', 'R5: two do not require each other');
SELECT throws_ok($$ INSERT INTO entitle.permission_prerequisite VALUES
                        ('pages.view', 'pages.create'), ('pages.create', 'pages.update'), ('pages.update', 'pages.view') $$,
                 '23514', NULL, 'R5: a ring of three is refused');
SELECT lives_ok($$ INSERT INTO entitle.permission_prerequisite VALUES
                       ('pages.create', 'pages.view'), ('pages.update', 'pages.view'), ('pages.update', 'pages.create') $$,
                'R5: two ways to one prerequisite are no ring');
SELECT throws_ok($$ UPDATE entitle.permission_prerequisite SET requires_key = 'pages.update' WHERE permission_key = 'pages.create' $$,
                 '23514', NULL, 'R5: an update closes no ring either');

-- Every refusal in words says what to do.
CREATE FUNCTION hint_of(statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN hint;
END
$$;
SELECT matches(hint_of(statement), '^[A-Z"].*\.$', format('%s has a hint', what))
FROM (VALUES
    ('a role of another organization', 'INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 108)'),
    ('a role in a standalone brand', 'INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 103, 108)'),
    ('a brand that moves', 'UPDATE entitle.brand SET organization_id = 1 WHERE brand_id = 102'),
    ('a ring of prerequisites', 'INSERT INTO entitle.permission_prerequisite VALUES (''customers.view'', ''customers.edit'')')
) AS s (what, statement);

-- A mapping is bound to the role that exists when it is written, and never believed from input.
SELECT is((SELECT db_role_oid FROM entitle.app_user WHERE login = 'ann'), 'test_clerk'::regrole::oid, 'a mapping records its role');
UPDATE entitle.app_user SET db_role_oid = 10 WHERE login IN ('ann', 'bob');
SELECT results_eq('SELECT db_role_oid FROM entitle.app_user WHERE login IN (''ann'', ''bob'') ORDER BY login',
                  'VALUES (''test_clerk''::regrole::oid), (NULL)', 'the recorded role is never believed from input');
DROP ROLE test_clerk;
CREATE ROLE test_clerk;
UPDATE entitle.app_user SET full_name = 'Ann' WHERE login = 'ann';
SELECT isnt((SELECT db_role_oid FROM entitle.app_user WHERE login = 'ann'), 'test_clerk'::regrole::oid,
            'S28: another change of the user does not adopt a role made anew');
UPDATE entitle.app_user SET db_role = 'test_clerk' WHERE login = 'ann';
SELECT is((SELECT db_role_oid FROM entitle.app_user WHERE login = 'ann'), 'test_clerk'::regrole::oid,
          'S28: writing the mapping again does');

SELECT * FROM finish();
ROLLBACK;
