-- explain_permission tells the gates of R2 in their order and ends with what has_permission answers; about another user only
-- to those who may ask, and a user whom one may not know is told apart from none in no way.
\ir setup.psql
\ir explained.psql
SELECT no_plan();

INSERT INTO entitle.plan VALUES ('starter');
INSERT INTO entitle.plan_denial VALUES ('starter', 'conversions.create');
INSERT INTO entitle.brand (brand_id, organization_id, name, plan_key) VALUES (101, 1, 'second', 'starter'), (102, NULL, 'alone', NULL);
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, m FROM unnest(ARRAY[101, 102]) b, unnest(ARRAY['customers']) m;
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (1, 'boss', true), (2, 'clerk', true), (3, 'gone', false), (4, 'outsider', true), (5, 'manager', true), (6, 'loner', true),
    (7, 'clerk of both', true);
INSERT INTO entitle.role (role_id, organization_id, name, is_active) VALUES (101, 1, 'access manager', true), (102, 1, 'old', false);
INSERT INTO entitle.role_permission VALUES (101, 'customers.view'), (101, 'external_access.manage'), (102, 'billing.cards.view');
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner)
SELECT u.user_id, m.organization_id, m.brand_id, r.role_id, m.is_owner
FROM (VALUES ('boss', 1, NULL, NULL, true), ('clerk', NULL, 1, 'operations user', false), ('clerk', NULL, 1, 'old', false),
             ('gone', NULL, 1, 'sales', false), ('manager', NULL, 1, 'access manager', false),
             ('loner', NULL, 102, NULL, false), ('clerk of both', NULL, 1, 'operations user', false),
             ('clerk of both', NULL, 101, 'sales', false)) AS m (login, organization_id, brand_id, role, is_owner)
JOIN entitle.app_user u ON u.login = m.login
LEFT JOIN entitle.role r ON r.name = m.role;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', '1');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (1, 4, 'L80');

-- R2: gate by gate
SELECT is(gates(NULL, 'explain_permission(''customers.view'')'), '-identity -decision', 'R1: nobody is denied by identity');
SELECT is(gates('outsider', 'explain_permission(''customers.view'', brand_id => 1)'), 'identity -membership -decision',
          'R22: who is no member is denied by membership');
SELECT is(gates('clerk', 'explain_permission(''conversions.view'')'), 'identity membership module plan permission decision',
          'R2: what is held passes every gate in order');
SELECT is(gates('clerk of both', 'explain_permission(''conversions.view'')'), 'identity -membership -decision',
          'R52: several brands and none chosen is denied by membership');
SELECT is(gates('boss', 'explain_permission(''conversions.create'', brand_id => 101)'),
          'identity membership -module -decision', 'R23: a module that is not enabled denies, owners too');
UPDATE entitle.brand SET plan_key = 'starter' WHERE brand_id = 1;
SELECT is(gates('clerk', 'explain_permission(''conversions.create'', brand_id => 1)'),
          'identity membership module -plan -decision', 'R26: the plan denies');
SELECT is(gates('clerk', 'explain_permission(''customers.view'')'), 'identity membership module plan -permission -decision',
          'R2: what no role grants is denied by permission');
SELECT matches(details('clerk', 'explain_permission(''billing.cards.view'')'),
               'roles "operations user", "old" \(switched off\) do not grant "billing.cards.view"; denied at gate "permission"',
               'R20: the roles that do not grant are named, one that is switched off as such');
SELECT matches(details('clerk', 'explain_permission(''conversions.view'')'), '"conversions.view": granted by role "operations user"; allowed',
               'the role that grants is named');
SELECT matches(details('clerk', 'explain_permission(''conversion.view'')'), 'permission "conversion.view" is not known',
               'R4: an unknown key is told');
SELECT is(gates('clerk', 'explain_permission(NULL)'), '-permission -decision', 'a NULL permission is denied');
INSERT INTO entitle.role_permission SELECT role_id, 'customers.edit' FROM entitle.role WHERE name = 'operations user';
SELECT is(gates('clerk', 'explain_permission(''customers.edit'')'),
          'identity membership module plan permission module plan -permission -prerequisite -decision',
          'R5: the prerequisite that is not held denies');
SELECT matches(details('clerk', 'explain_permission(''customers.edit'')'), '"customers.edit" requires "customers.view", which is not held',
               'R5: the prerequisite is named');
SELECT is(gates('manager', 'explain_permission(''external_access.manage'')'),
          'identity membership module plan permission module plan permission prerequisite decision',
          'R5: each prerequisite is shown through every gate');
SELECT matches(details('boss', 'explain_permission(''customers.view'', brand_id => 101)'), 'an owner of the organization', 'R24: ownership is told');
SELECT matches(details('loner', 'explain_permission(''customers.view'')'), 'the brand stands alone: members are not restricted',
               'R25: a standalone brand is told');
SELECT is(gates('clerk', 'explain_capability(''reports'')') ~ 'capability decision$', true, 'R28: capabilities are told alternative by alternative');
SELECT matches(details('clerk', 'explain_metric(''roas'')'), 'do not grant metric "roas"; denied at gate "metric"', 'R30: metrics are told');

-- For another user
SELECT matches(details(NULL, 'explain_permission(''customers.view'', ''clerk'')'), 'no user "clerk" about whom you may ask', 'nobody asks about nobody');
SELECT is(details('clerk', 'explain_permission(''conversions.view'', ''clerk'')'), details('clerk', 'explain_permission(''conversions.view'')'),
          'one''s own login is oneself');
SELECT is(gates('manager', 'explain_permission(''conversions.view'', ''clerk'')'),
          'identity membership module plan permission decision', 'a manager asks about members of the brand');
SELECT matches(details('manager', 'explain_permission(''customers.view'', ''gone'')'), 'user "gone" is switched off',
               'R1: a manager is told of a member who is switched off');
SELECT is(replace(details(asker, format('explain_permission(''customers.view'', %L, %s)', login, brand)), login, 'X'),
          'no user "X" about whom you may ask; denied at gate "identity"',
          format('%s learns nothing of %s in brand %s', asker, login, brand))
FROM (VALUES ('clerk', 'boss', '1'), ('clerk', 'nobody at all', '1'), ('clerk', 'boss', 'NULL'), ('outsider', 'clerk', '1'),
             ('manager', 'loner', '1'), ('manager', 'loner', '102'), ('manager', 'loner', 'NULL'), ('manager', 'nobody at all', '1'),
             ('manager', 'clerk of both', '101'), ('manager', 'clerk of both', 'NULL'), ('manager', 'outsider', '1')) AS v (asker, login, brand);
SELECT is((SELECT string_agg(detail, '; ' ORDER BY step) FROM entitle.explain_permission('customers.view', 'nobody at all')),
          'no user "nobody at all" about whom you may ask; denied at gate "identity"', 'a superuser is told of a login that does not exist');
SELECT is((SELECT passed FROM entitle.explain_permission('conversions.view', 'clerk') ORDER BY step DESC LIMIT 1), true,
          'a superuser asks about everyone');

SELECT finish();
ROLLBACK;
