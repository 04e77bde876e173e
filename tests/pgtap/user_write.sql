-- Who sets users up, and switches them off and on (R61; S309, S314): who manages members or a customer's external access adds a user, who has
-- nothing by that; switching off takes managing every place where the user has rights. Logins and mappings are superusers'.
\ir tried.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
CREATE ROLE test_other;

INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group'), (103, 'rival');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, 103, 'rival shop');
INSERT INTO entitle.brand_module VALUES (102, 'customers'), (103, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES
    (201, 102, 'member admin'), (202, 102, 'reader'), (203, 102, 'exporter'), (204, 102, 'access manager'), (205, 102, 'role admin'), (301, 103, 'reader');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'members.manage'), (201, 'customers.view'), (202, 'customers.view'), (203, 'customers.view'), (203, 'customers.export'),
    (204, 'customers.view'), (204, 'external_access.manage'), (205, 'roles.manage'), (301, 'customers.view');
INSERT INTO entitle.app_user (user_id, login) VALUES
    (201, 'owner'), (202, 'admin'), (203, 'clerk'), (204, 'access manager'), (205, 'role admin'), (206, 'L80'), (207, 'L90'), (208, 'L40'),
    (209, 'exporter'), (210, 'two places'), (211, 'rival owner'), (212, 'clerk with access'), (213, 'second L90'), (214, 'unplaced');
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (215, 'dba', current_user);
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES
    (201, 102, NULL, true), (202, 102, 201, false), (203, 102, 202, false), (204, 102, 204, false), (205, 102, 205, false), (209, 102, 203, false),
    (210, 102, 202, false), (210, 103, 301, false), (211, 103, NULL, true), (212, 102, 202, false), (215, 102, NULL, false);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (101, 102, 'a', 'a', '1'), (102, 103, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES
    (101, 206, 'L80'), (101, 207, 'L90'), (101, 208, 'L40'), (101, 212, 'L30'), (101, 213, 'L90');

-- Adding.
SELECT is(tried(login, command), CASE WHEN login IN ('owner', 'admin', 'access manager', 'L80', 'L90', 'second L90', 'rival owner') THEN '1' ELSE '42501' END,
          format('R61: %s: %s', coalesce(login, 'nobody'), command))
FROM unnest(ARRAY['SELECT entitle.add_user(''new'', ''New One'')', 'INSERT INTO entitle.app_user (login, full_name) VALUES (''new'', ''x'')']) AS command,
     unnest(ARRAY['owner', 'admin', 'clerk', 'access manager', 'role admin', 'L80', 'L90', 'L40', 'exporter', 'rival owner', NULL]) AS login;
SELECT is(tried('owner', 'INSERT INTO entitle.app_user (login, db_role) VALUES (''new'', ''test_other'')'), '42501', 'R61: a mapping is a superuser''s');
SELECT is(tried('owner', 'SELECT entitle.add_user(''clerk'')'), '23505', 'R61: a login is one user''s');
SELECT is(tried('clerk', 'SELECT entitle.add_user(''admin'')'), '42501', 'who may not add learns of no login');
SELECT is(tried('owner', 'SELECT entitle.add_user('' x'')'), '23514', 'a login shows where it begins');
CREATE TEMP TABLE made AS SELECT ask('owner', 'SELECT entitle.add_user(''fresh'')')::bigint AS id;
SELECT is((SELECT u.login || u.is_active FROM entitle.app_user u WHERE user_id = (SELECT id FROM made)), 'freshtrue', 'R61: add_user gives the key of an active user');
SELECT is(ask('fresh', 'SELECT count(*) FROM entitle.customer_profile'), '0', 'R61: who has nothing');
SELECT is(do_as('owner', 'INSERT INTO entitle.app_user (user_id, login) VALUES (55555, ''chosen'')'), 1::bigint, 'a user with a chosen key');
SELECT is((SELECT count(*) FROM entitle.app_user WHERE user_id = 55555), 0::bigint, 'S300: gets one of the sequence');

-- Switching off and on. Who manages every place: memberships within the own rights, grants within R42.
CREATE TEMP TABLE switched (login text, may text[]);
INSERT INTO switched VALUES
    ('clerk', '{owner,admin}'), ('exporter', '{owner}'), ('owner', '{}'), ('two places', '{}'), ('L80', '{owner,access manager,L80,L90}'),
    ('L40', '{owner,access manager,L80,L90}'), ('second L90', '{owner,access manager,L90}'), ('clerk with access', '{owner}'), ('unplaced', '{}'),
    ('rival owner', '{}'), ('dba', '{}'), ('no such', '{}'), ('admin', '{owner,admin}');
SELECT is(tried(writer, format('SELECT entitle.%s(%L)', call, s.login)), CASE WHEN writer = ANY (may) THEN '1' ELSE '42501' END,
          format('R61: %s: %s(%s)', coalesce(writer, 'nobody'), call, s.login))
FROM switched s, unnest(ARRAY['deactivate_user', 'reactivate_user']) AS call,
     unnest(ARRAY['owner', 'admin', 'clerk', 'access manager', 'role admin', 'L80', 'L90', 'L40', NULL]) AS writer
-- The last owner is asked about in member_write.sql; switching on what is on loses nobody.
WHERE NOT (s.login = 'owner' AND writer = 'owner');
SELECT is(tried('owner', 'UPDATE entitle.app_user SET is_active = false WHERE login = ''clerk'''), '1', 'R61: by DML');
SELECT is(tried('admin', 'UPDATE entitle.app_user SET is_active = false WHERE login = ''exporter'''), '42501', 'R61: by DML a visible user beyond one''s rights');
SELECT is(tried('clerk', 'UPDATE entitle.app_user SET is_active = false WHERE login = ''exporter'''), '0', 'R3: by DML one who does not show');
SELECT is(tried('owner', 'UPDATE entitle.app_user SET is_active = false WHERE login = ''dba'''), '42501', 'R61: by DML one who is mapped to a superuser');
SELECT is(tried('owner', 'UPDATE entitle.app_user SET is_active = false WHERE login = ''two places'''), '42501', 'S309: a user of two organizations is no one''s to switch off');
SELECT is(tried('owner', format('UPDATE entitle.app_user SET %s WHERE login = ''clerk''', change)), '42501', format('R61: a superuser sets %s', change))
FROM unnest(ARRAY['login = ''x''', 'db_role = ''test_other''', 'user_id = 999']) AS change;
SELECT is(tried('clerk', 'UPDATE entitle.app_user SET full_name = ''x'' WHERE login = ''clerk'''), '42501', 'nor does one one''s own name');
SELECT is(tried('owner', 'UPDATE entitle.app_user SET full_name = ''x'' WHERE login = ''clerk'''), '1', 'who manages every place sets the name');
SELECT is(tried('owner', 'DELETE FROM entitle.app_user WHERE login = ''clerk'''), '42501', 'R61: nobody but a superuser deletes users');
-- S314: a mapping whose role was dropped and made anew counts for nothing, and is not renewed by writing it as it is.
CREATE ROLE test_mapped;
UPDATE entitle.app_user SET db_role = 'test_mapped' WHERE login = 'clerk';
DROP ROLE test_mapped;
CREATE ROLE test_mapped;
CREATE TEMP TABLE bound AS SELECT db_role_oid FROM entitle.app_user WHERE login = 'clerk';
SELECT is(do_as('owner', 'UPDATE entitle.app_user SET db_role = db_role, full_name = ''x'' WHERE login = ''clerk'''), 1::bigint, 'S314: a mapping is written as it is');
SELECT is((SELECT db_role_oid FROM entitle.app_user WHERE login = 'clerk'), (SELECT db_role_oid FROM bound), 'S314: and not renewed');
SELECT is(do_as('owner', 'UPDATE entitle.app_user SET db_role_oid = 0 WHERE login = ''clerk'''), 1::bigint, 'S314: the number of the role is written');
SELECT is((SELECT db_role_oid FROM entitle.app_user WHERE login = 'clerk'), (SELECT db_role_oid FROM bound), 'S314: which nobody gives');
UPDATE entitle.app_user SET db_role = NULL WHERE login = 'clerk';
GRANT TRUNCATE ON ALL TABLES IN SCHEMA entitle TO test_app;
SELECT is(tried('owner', 'TRUNCATE entitle.app_user CASCADE'), '42501', 'R61: nor truncates');
SELECT lives_ok($$ SELECT entitle.deactivate_user('owner'); SELECT entitle.reactivate_user('owner') $$, 'R53: a superuser is not bound');
SELECT throws_ok($$ SELECT entitle.deactivate_user('no such') $$, '22023', NULL, 'and is told who does not exist');
SELECT is(do_as('owner', 'SELECT entitle.deactivate_user(''clerk'')'), 1::bigint, 'R61: a user is switched off');
SELECT throws_ok($$ SELECT do_as('clerk', 'SELECT 1') $$, '42501', NULL, 'R1: and does not sign in');
SELECT is((SELECT count(*) FROM entitle.membership m JOIN entitle.app_user u USING (user_id) WHERE login = 'clerk'), 1::bigint, 'R61: and keeps the rights');
SELECT is(do_as('owner', 'SELECT entitle.reactivate_user(''clerk'')'), 1::bigint, 'R61: for when he is switched on');

SELECT * FROM finish();
ROLLBACK;
