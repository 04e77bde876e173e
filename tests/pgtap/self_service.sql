-- The recipes of docs/self-service.md, run as they are written there: an application's admin screens without a superuser (R58 to R63).
\ir setup.psql
SELECT no_plan();
\set set_up `sed -n '/recipe: set up/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`
\set roles `sed -n '/recipe: roles/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`
\set members `sed -n '/recipe: members/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`
\set invite `sed -n '/recipe: invite/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`
\set accept `sed -n '/recipe: accept/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`
\set switch_off `sed -n '/recipe: switch off/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`
\set why `sed -n '/recipe: why/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`
\set try `sed -n '/recipe: try/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`
\set log `sed -n '/recipe: log/,/^\x60\x60\x60$/p' docs/self-service.md | sed '1d;$d'`

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1');
\o /dev/null
:set_up
SET LOCAL ROLE admin_app;
SELECT entitle.sign_in('olga');
:roles
:members
:invite
\o
RESET ROLE;
SELECT is((SELECT string_agg(permission_key, ' ' ORDER BY permission_key) FROM entitle.role_permission JOIN entitle.role USING (role_id) WHERE name = 'exporter'),
          'customers.export customers.view', 'R59: a role as it was set');
SELECT is((SELECT string_agg(metric_key, ' ' ORDER BY metric_key) FROM entitle.role_metric JOIN entitle.role USING (role_id) WHERE name = 'exporter'),
          'revenue sales', 'R59: with its metrics');
SELECT is(held('mia', '{customers.view,customers.export,members.manage}'), 'customers.view customers.export', 'R60: a member holds the role');
SELECT is(held('tom', '{customers.view,customers.export,members.manage}'), 'customers.view members.manage', 'R60: of one brand');
SELECT is((SELECT string_agg(login || coalesce(' ' || role, '') || coalesce(' ' || access_role, ''), ', ' ORDER BY login) FROM entitle.invitation),
          'kai@harrow L20, nora read-only', 'R61: two are invited');

\o /dev/null
SET LOCAL ROLE admin_app;
SELECT entitle.sign_in('kai@harrow');
:accept
SELECT entitle.sign_in('nora');
:accept
SELECT entitle.sign_in('olga');
:switch_off
\o
RESET ROLE;
SELECT is(ask('kai@harrow', 'SELECT entitle.access_level(101)'), '20', 'R61: external access is accepted');
SELECT is(held('nora', '{customers.view}'), 'customers.view', 'R61: a membership, too');
SELECT is_empty('SELECT FROM entitle.invitation', 'R61: nothing is open any more');

\t on
\o self_service.out
SET LOCAL ROLE admin_app;
SELECT entitle.sign_in('olga') IS NULL;
:why
:try
:log
\o
\t off
RESET ROLE;
\set told `cat self_service.out; rm -f self_service.out`
SELECT matches(:'told'::text, 'role "team lead" does not grant "customers.export"', 'R62: why can this user not export?');
SELECT matches(:'told'::text, 'permission *\| *customers.export', 'R62: what the other role has');
SELECT matches(:'told'::text, 'exporter *\| *customers_export', 'R62: the matrix');
SELECT matches(:'told'::text, 'sign_in_grant has an entry without login for the role', 'R63: why may he sign in?');
SELECT matches(:'told'::text, 'mia *\| *brand 1 *\| *customers.export *\| *held *\|', 'R62: what a change would take');
SELECT matches(:'told'::text, 'olga *\| *entitle.role_permission *\| *insert', 'R21: who changed what');

SELECT * FROM finish();
ROLLBACK;
