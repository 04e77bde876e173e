-- Who writes an organization's roles (R58, R59; S300 to S304), through plain DML and through the functions: owner, manager of roles,
-- of one brand, of another organization, clerk, nobody. Nobody hands on what he does not hold.
\ir tried.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group'), (103, 'empty');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, 102, 'store'), (104, 102, 'closed');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES
    (201, 102, 'role admin'), (202, 102, 'reader'), (203, 102, 'exporter'), (204, 102, 'half'), (205, 102, 'figures'), (206, 102, 'off'),
    (207, 102, 'blank'), (208, 102, 'foreman'), (301, 1, 'elsewhere'), (302, 1, 'role admin');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'roles.manage'), (201, 'customers.view'), (201, 'customers.edit'), (202, 'customers.view'), (203, 'customers.view'),
    (203, 'customers.export'), (204, 'roles.manage'), (204, 'customers.edit'), (206, 'customers.export'), (208, 'roles.manage'),
    (301, 'customers.view'), (302, 'roles.manage'), (302, 'customers.view');
INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (201, 'revenue'), (201, 'sales'), (205, '*');
UPDATE entitle.role SET is_active = false WHERE role_id = 206;
INSERT INTO entitle.app_user (user_id, login) VALUES
    (201, 'owner'), (202, 'admin'), (203, 'clerk'), (204, 'half'), (205, 'brand admin'), (206, 'elsewhere'), (207, 'member'), (208, 'both'),
    (209, 'founder');
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES
    (201, 102, 202, true), (202, 102, 201, false), (203, 102, 202, false), (204, 102, 204, false), (206, 1, 302, false), (207, 102, 207, false),
    (208, 102, 201, false), (208, 1, 302, false), (209, 103, NULL, true);
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (205, 102, 201);

-- Each as everybody: who may, else 42501 with a hint, or nothing where the role does not show.
CREATE TEMP TABLE attempt (command text, may text[], sees text[]);
INSERT INTO attempt VALUES
    ('INSERT INTO entitle.role (organization_id, name) VALUES (102, ''new'')', '{owner,admin,half,both}', '{all}'),
    ('INSERT INTO entitle.role (organization_id, name) VALUES (103, ''new'')', '{founder}', '{all}'),
    ('SELECT entitle.create_role(''new'', organization_id => 102)', '{owner,admin,half,both}', '{all}'),
    ('SELECT entitle.create_role(''new'', ''{customers.view,customers.edit}'', ''{revenue}'', 102)', '{owner,admin,both}', '{all}'),
    ('SELECT entitle.create_role(''new'', ''{customers.export}'', ''{}'', 102)', '{owner}', '{all}'),
    ('SELECT entitle.create_role(''new'', ''{}'', ''{*}'', 102)', '{owner}', '{all}'),
    ('SELECT entitle.create_role(''new'', ''{}'', ''{roas}'', 102)', '{owner}', '{all}'),
    ('SELECT entitle.create_role(''new'', ''{customers.edit}'', ''{}'', 102)', '{owner,admin,both}', '{all}'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (207, ''customers.view'')', '{owner,admin,both}', '{all}'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (207, ''customers.export'')', '{owner}', '{all}'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (203, ''customers.edit'')', '{owner}', '{all}'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (206, ''customers.edit'')', '{owner}', '{all}'),
    ('INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (207, ''revenue'')', '{owner,admin,both}', '{all}'),
    ('INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (207, ''*'')', '{owner}', '{all}'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (301, ''customers.edit'')', '{}', '{all}'),
    ('SELECT entitle.set_role(207, ''{customers.view}'', ''{}'')', '{owner,admin,both}', '{all}'),
    ('SELECT entitle.set_role(202, ''{}'', ''{}'')', '{owner,admin,both}', '{all}'),
    ('SELECT entitle.set_role(203, ''{customers.view}'', ''{}'')', '{owner}', '{all}'),
    ('SELECT entitle.set_role(203, ''{customers.view,customers.export}'', ''{}'')', '{owner}', '{all}'),
    ('SELECT entitle.set_role(205, ''{}'', ''{}'')', '{owner}', '{all}'),
    ('SELECT entitle.set_role(201, ''{}'', ''{}'')', '{owner}', '{all}'),
    ('SELECT entitle.set_role(999, ''{}'', ''{}'')', '{}', '{all}'),
    ('DELETE FROM entitle.role_permission WHERE role_id = 202', '{owner,admin,both}', '{owner,admin,half,both,clerk}'),
    ('DELETE FROM entitle.role_permission WHERE role_id = 203 AND permission_key = ''customers.view''', '{owner}', '{owner,admin,half,both}'),
    ('UPDATE entitle.role_permission SET permission_key = ''customers.edit'' WHERE role_id = 202', '{owner,admin,both}', '{owner,admin,half,both,clerk}'),
    ('UPDATE entitle.role_permission SET role_id = 207 WHERE role_id = 202', '{owner,admin,both}', '{owner,admin,half,both,clerk}'),
    ('UPDATE entitle.role_permission SET role_id = 207 WHERE role_id = 203 AND permission_key = ''customers.view''', '{owner}', '{owner,admin,half,both}'),
    ('UPDATE entitle.role SET name = ''x'' WHERE role_id = 202', '{owner,admin,both}', '{owner,admin,half,both,clerk}'),
    ('UPDATE entitle.role SET name = ''x'' WHERE role_id = 203', '{owner}', '{owner,admin,half,both}'),
    ('UPDATE entitle.role SET is_active = true WHERE role_id = 206', '{owner}', '{owner,admin,half,both}'),
    ('UPDATE entitle.role SET is_active = false WHERE role_id = 201', '{owner}', '{owner,admin,half,both,brand admin}'),
    ('UPDATE entitle.role SET role_id = 999 WHERE role_id = 207', '{}', '{owner,admin,half,both,member}'),
    ('UPDATE entitle.role SET organization_id = 1 WHERE role_id = 203', '{}', '{owner,admin,half,both}'),
    ('DELETE FROM entitle.role WHERE role_id = 203', '{owner}', '{owner,admin,half,both}'),
    ('DELETE FROM entitle.role WHERE role_id = 205', '{owner}', '{owner,admin,half,both}');
SELECT is(tried(login, command),
          CASE WHEN login = ANY (may) THEN '1' WHEN sees <> '{all}' AND (login IS NULL OR login <> ALL (sees)) THEN '0' ELSE '42501' END,
          format('R59: %s: %s', coalesce(login, 'nobody'), command))
FROM attempt, unnest(ARRAY['owner', 'admin', 'clerk', 'half', 'elsewhere', 'member', 'both', 'founder', NULL]) AS login
WHERE NOT (command ~ '^UPDATE entitle.role SET organization_id = 1' AND login = 'both');
SELECT is(tried('brand admin', command), CASE WHEN sees = '{all}' OR 'brand admin' = ANY (sees) THEN '42501' ELSE '0' END,
          format('R59: a manager by a membership of one brand: %s', command))
FROM attempt;

-- Moved between two organizations that one user manages: both are asked.
SELECT is(tried('both', 'UPDATE entitle.role SET organization_id = 1 WHERE role_id = 207'), '23514', 'R59: between one''s own organizations, while nobody holds it');
DELETE FROM entitle.membership WHERE role_id = 207;
SELECT is(tried('both', 'UPDATE entitle.role SET organization_id = 1 WHERE role_id = 207'), '1', 'R59: then it moves');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (207, 'customers.edit');
SELECT is(tried('both', 'UPDATE entitle.role SET organization_id = 1 WHERE role_id = 207'), '42501', 'S304: not with what is held in the old one alone');

-- S300: an explicit key is not taken.
SELECT is(do_as('admin', 'INSERT INTO entitle.role (role_id, organization_id, name) VALUES (55555, 102, ''chosen'')'), 1::bigint, 'a role with a chosen key');
SELECT is((SELECT role_id = 55555 FROM entitle.role WHERE name = 'chosen'), false, 'S300: gets one of the sequence');

-- S301: a permission that is switched off today.
UPDATE entitle.permission SET is_active = false WHERE permission_key = 'customers.export';
SELECT is(tried('admin', 'SELECT entitle.create_role(''new'', ''{customers.export}'', ''{}'', 102)'), '42501', 'S301: a permission that is off today is asked for like one that is on');
SELECT is(tried('owner', 'SELECT entitle.create_role(''new'', ''{customers.export}'', ''{}'', 102)'), '1', 'an owner would hold it');
UPDATE entitle.permission SET is_active = true WHERE permission_key = 'customers.export';

-- Modules and plans that deny the writer today do not keep him from handing on.
UPDATE entitle.brand_module SET is_enabled = false WHERE brand_id = 102;
SELECT is(tried('admin', 'SELECT entitle.create_role(''new'', ''{customers.view}'', ''{}'', 102)'), '1', 'R59: modules aside');

-- S303: held in some brands only.
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (202, 102, 203);
SELECT is(tried('admin', 'SELECT entitle.create_role(''new'', ''{customers.export}'', ''{}'', 102)'), '42501', 'S303: what is held in one brand of three');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (202, 103, 203), (202, 104, 203);
SELECT is(tried('admin', 'SELECT entitle.create_role(''new'', ''{customers.export}'', ''{}'', 102)'), '1', 'R59: what is held in all of them');
DELETE FROM entitle.membership WHERE role_id = 203;

-- R26: a plan may keep roles from being managed.
INSERT INTO entitle.plan VALUES ('small');
INSERT INTO entitle.plan_denial VALUES ('small', 'roles.manage');
UPDATE entitle.brand SET plan_key = 'small' WHERE brand_id = 103;
SELECT is(tried(login, 'SELECT entitle.create_role(''new'', organization_id => 102)'), '42501', format('R26: a plan without roles.manage binds %s', login))
FROM unnest(ARRAY['admin', 'owner']) AS login;
UPDATE entitle.brand SET plan_key = NULL WHERE brand_id = 103;

-- Switched off, or gone.
UPDATE entitle.app_user SET is_active = false WHERE user_id = 202;
SELECT throws_ok($$ SELECT do_as('admin', 'SELECT entitle.create_role(''new'', organization_id => 102)') $$, '42501', NULL, 'R1: not while switched off');
UPDATE entitle.app_user SET is_active = true WHERE user_id = 202;

-- What the functions say and give back.
SELECT is(tried('owner', 'SELECT entitle.create_role(''new'', ''{no.such}'')'), '22023', 'no such permission');
SELECT is(tried('owner', 'SELECT entitle.create_role(''new'', ''{}'', ''{no.such}'')'), '22023', 'no such metric');
SELECT is(tried('owner', 'INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (202, ''no.such'')'), '22023', 'no such permission by DML');
SELECT is(tried('owner', 'INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (202, ''no.such'')'), '22023', 'no such metric by DML');
SELECT is(tried('both', 'SELECT entitle.create_role(''new'')'), '22023', 'which of two organizations');
SELECT is(tried('clerk', 'SELECT entitle.create_role(''new'', ''{no.such}'')'), '42501', 'who manages nothing learns of no key');
SELECT is(ask('admin', 'SELECT entitle.drop_role(301)'), 'false', 'R3: a role elsewhere is as one that is not there');
SELECT is(ask('admin', 'SELECT entitle.drop_role(999)'), 'false', 'none');
SELECT is(tried('admin', 'SELECT entitle.drop_role(203)'), '42501', 'R59: a role that grants more is not dropped');
SELECT is(tried('admin', 'SELECT entitle.drop_role(202)'), '23503', 'a role with members is not dropped');
SELECT is(ask('owner', 'SELECT entitle.drop_role(203)'), 'true', 'an owner drops it');
SELECT is_empty('SELECT FROM entitle.role_permission WHERE role_id = 203', 'with what it listed');
SELECT throws_ok('SELECT entitle.set_role(999, NULL, NULL)', '22023', NULL, 'a superuser is told that there is no such role');
SELECT lives_ok('SELECT entitle.set_role(202, NULL, ''{sales}'')', 'R53: a superuser is not bound');
SELECT results_eq('SELECT permission_key FROM entitle.role_permission WHERE role_id = 202', $$ VALUES ('customers.view'::text COLLATE "C") $$, 'NULL leaves a list');
CREATE TEMP TABLE made AS SELECT ask('owner', 'SELECT entitle.create_role(''made'', ''{customers.view,customers.view}'', ''{sales}'')')::bigint AS id;
SELECT is((SELECT name FROM entitle.role WHERE role_id = (SELECT id FROM made)), 'made', 'create_role gives the key');
SELECT is(ask('owner', 'SELECT has_table_privilege(''test_app'', ''entitle.role'', ''TRUNCATE'')'), 'false', 'nobody truncates');
GRANT TRUNCATE ON entitle.role_permission, entitle.role_metric TO test_app;
SELECT is(tried('owner', 'TRUNCATE entitle.role_permission'), '42501', 'S302: TRUNCATE asks no rule, so it is refused');
SELECT is(tried('owner', 'TRUNCATE entitle.role_metric'), '42501', 'S302: of the metrics, too');

-- R58: shipped, and held by owners.
SELECT is(held('owner', '{roles.manage,members.manage}', 102), 'roles.manage members.manage', 'R58: owners hold both');
SELECT is(held('admin', '{roles.manage,members.manage}', 102), 'roles.manage', 'R58: others by their roles');
SELECT is_empty($$ SELECT FROM entitle.permission_module WHERE permission_key IN ('roles.manage', 'members.manage') $$, 'R58: without module');

SELECT * FROM finish();
ROLLBACK;
