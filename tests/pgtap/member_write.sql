-- Who writes memberships (R60; S305 to S308), through plain DML and through the functions: owner, manager of members, of one brand, of
-- another organization, clerk, nobody. Nobody gives a role beyond his own rights, nor changes his own membership; an organization keeps
-- an active owner.
\ir tried.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, 102, 'store'), (104, NULL, 'alone');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES
    (201, 102, 'member admin'), (202, 102, 'reader'), (203, 102, 'exporter'), (204, 102, 'blank'), (301, 1, 'elsewhere'), (302, 1, 'reader');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'members.manage'), (201, 'customers.view'), (202, 'customers.view'), (203, 'customers.view'), (203, 'customers.export'),
    (301, 'members.manage'), (302, 'customers.view');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (201, 'owner', true), (202, 'admin', true), (203, 'clerk', true), (204, 'second owner', true), (205, 'brand admin', true),
    (206, 'elsewhere', true), (207, 'exporter', true), (208, 'new', true), (209, 'alone', true), (210, 'gone', false), (211, 'their', true), (216, 'met', true);
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner) VALUES
    (201, 201, 102, NULL, true), (202, 202, 102, 201, false), (203, 203, 102, 202, false), (204, 204, 102, NULL, true),
    (206, 206, 1, 301, false), (207, 207, 102, 203, false), (211, 211, 1, 302, false);
INSERT INTO entitle.membership (membership_id, user_id, brand_id, role_id) VALUES
    (205, 205, 102, 201), (209, 209, 104, NULL), (213, 203, 102, 202), (214, 203, 103, 202), (215, 207, 102, 203), (216, 216, 102, 204);

CREATE TEMP TABLE attempt (command text, may text[], sees text[]);
INSERT INTO attempt VALUES
    ('INSERT INTO entitle.membership (user_id, organization_id) VALUES (216, 102)', '{owner,second owner,admin}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (216, 102, 202)', '{owner,second owner,admin}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (216, 102, 203)', '{owner,second owner}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (216, 102, 301)', '{}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (216, 102, 999)', '{}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (216, 102, true)', '{owner,second owner}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (216, 102, 202)', '{owner,second owner,admin,brand admin}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (216, 103, 202)', '{owner,second owner,admin}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (216, 102, 203)', '{owner,second owner}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, brand_id) VALUES (216, 999)', '{}', '{all}'),
    ('INSERT INTO entitle.membership (user_id, organization_id) VALUES (216, 999)', '{}', '{all}'),
    ('SELECT entitle.add_member(''new'', ''reader'', 102)', '{owner,second owner,admin}', '{all}'),
    ('SELECT entitle.add_member(''new'', ''exporter'', 102)', '{owner,second owner}', '{all}'),
    ('SELECT entitle.add_member(''new'', NULL, 102, is_owner => true)', '{owner,second owner}', '{all}'),
    ('SELECT entitle.add_member(''new'', ''reader'', brand_id => 102)', '{owner,second owner,admin,brand admin}', '{all}'),
    ('SELECT entitle.add_member(''new'', brand_id => 104)', '{alone}', '{all}'),
    ('UPDATE entitle.membership SET role_id = NULL WHERE membership_id = 214', '{owner,second owner,admin}', '{owner,second owner,admin,clerk}'),
    ('UPDATE entitle.membership SET role_id = NULL WHERE membership_id = 213', '{owner,second owner,admin,brand admin}', '{owner,second owner,admin,brand admin,clerk}'),
    ('UPDATE entitle.membership SET role_id = 203 WHERE membership_id = 214', '{owner,second owner}', '{owner,second owner,admin,clerk}'),
    ('UPDATE entitle.membership SET role_id = 202 WHERE membership_id = 207', '{owner,second owner}', '{owner,second owner,admin,exporter}'),
    ('UPDATE entitle.membership SET is_owner = true WHERE membership_id = 203', '{owner,second owner}', '{owner,second owner,admin,clerk}'),
    ('UPDATE entitle.membership SET brand_id = 103, role_id = 204 WHERE membership_id = 213', '{owner,second owner,admin}', '{owner,second owner,admin,brand admin,clerk}'),
    ('UPDATE entitle.membership SET brand_id = NULL, organization_id = 102, role_id = 204 WHERE membership_id = 213', '{owner,second owner,admin}', '{owner,second owner,admin,brand admin,clerk}'),
    ('UPDATE entitle.membership SET user_id = 216, role_id = 202 WHERE membership_id = 203', '{owner,second owner,admin}', '{owner,second owner,admin,clerk}'),
    ('UPDATE entitle.membership SET organization_id = 1, role_id = NULL WHERE membership_id = 203', '{}', '{owner,second owner,admin,clerk}'),
    ('UPDATE entitle.membership SET membership_id = 999 WHERE membership_id = 203', '{}', '{owner,second owner,admin,clerk}'),
    ('UPDATE entitle.membership SET is_owner = false WHERE membership_id = 204', '{owner}', '{owner,second owner,admin}'),
    ('DELETE FROM entitle.membership WHERE membership_id = 204', '{owner,second owner}', '{owner,second owner,admin}'),
    ('DELETE FROM entitle.membership WHERE membership_id = 203', '{owner,second owner,admin,clerk}', '{owner,second owner,admin,clerk}'),
    ('DELETE FROM entitle.membership WHERE membership_id = 207', '{owner,second owner,exporter}', '{owner,second owner,admin,exporter}'),
    ('DELETE FROM entitle.membership WHERE membership_id = 215', '{owner,second owner,exporter}', '{owner,second owner,admin,exporter,brand admin}'),
    ('DELETE FROM entitle.membership WHERE membership_id = 213', '{owner,second owner,admin,brand admin,clerk}', '{owner,second owner,admin,brand admin,clerk}'),
    ('DELETE FROM entitle.membership WHERE membership_id = 209', '{alone}', '{alone}');
SELECT is(tried(login, command),
          CASE WHEN login = ANY (may) THEN '1' WHEN sees <> '{all}' AND (login IS NULL OR login <> ALL (sees)) THEN '0' ELSE '42501' END,
          format('R60: %s: %s', coalesce(login, 'nobody'), command))
FROM attempt, unnest(ARRAY['owner', 'second owner', 'admin', 'clerk', 'brand admin', 'elsewhere', 'exporter', 'alone', NULL]) AS login;

-- Oneself.
SELECT is(tried(login, command), '42501', format('R60: %s for oneself: %s', login, command))
FROM (VALUES ('owner', 'INSERT INTO entitle.membership (user_id, organization_id) VALUES (201, 102)'),
             ('admin', 'INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (202, 102, 202)'),
             ('admin', 'SELECT entitle.add_member(''admin'', ''reader'', 102)'),
             ('admin', 'UPDATE entitle.membership SET role_id = 202 WHERE membership_id = 202'),
             ('owner', 'UPDATE entitle.membership SET role_id = 203 WHERE membership_id = 201'),
             ('owner', 'UPDATE entitle.membership SET user_id = 208 WHERE membership_id = 201'),
             ('admin', 'UPDATE entitle.membership SET user_id = 202 WHERE membership_id = 203')) AS c (login, command);
SELECT is(tried(login, 'SELECT FROM (SELECT entitle.remove_member(m.membership_id) AS is_done FROM entitle.membership m
                              WHERE m.user_id = entitle.current_user_id() OFFSET 0) AS l WHERE is_done'),
          CASE login WHEN 'clerk' THEN '3' ELSE '1' END, format('R60: %s leaves', login))
FROM unnest(ARRAY['admin', 'owner', 'brand admin', 'alone', 'clerk']) AS login; -- the clerk from three places

-- S305: by a number alone nobody is made a member of one's own place, where he would be seen.
SELECT is(tried('owner', 'INSERT INTO entitle.membership (user_id, organization_id) VALUES (211, 102)'), '22023', 'S305: a user of another organization, by number');
SELECT is(tried('owner', 'UPDATE entitle.membership SET user_id = 211 WHERE membership_id = 203'), '22023', 'S305: by UPDATE');
SELECT is(tried('owner', 'SELECT entitle.add_member(''their'', organization_id => 102)'), '22023', 'S362: nor by the login: he is invited');
SELECT is(tried('owner', 'INSERT INTO entitle.membership (user_id, organization_id) VALUES (999, 102)'), '22023', 'nobody has this number');
SELECT is(tried('owner', 'INSERT INTO entitle.membership (user_id, organization_id) VALUES (210, 102)'), '22023', 'one who is switched off is as one who is not there');
SELECT is(tried('owner', format('SELECT entitle.add_member(%s, organization_id => 102)', login)), '22023', format('%s is no member to be', login))
FROM unnest(ARRAY['''gone''', '''no such''', '''New''', 'NULL']) AS login;
SELECT is(tried('clerk', 'SELECT entitle.add_member(''no such'', organization_id => 102)'), '42501', 'who manages nothing learns of no login');
SELECT is(tried('clerk', 'SELECT entitle.add_member(''new'', ''no such'', 102)'), '42501', 'nor of a role');
SELECT is(tried('owner', 'SELECT entitle.add_member(''new'', ''elsewhere'', 102)'), '22023', 'R3: a role elsewhere is as one that is not there');
SELECT is(tried('owner', 'SELECT entitle.add_member(''clerk'', ''reader'', 102)'), '23505', 'the same membership is not held twice');
SELECT is(tried('alone', 'SELECT entitle.add_member(''new'')'), '22023', 'R60: who belongs to no organization says where');
SELECT is(ask('admin', 'SELECT entitle.remove_member(206)'), 'false', 'R3: a membership elsewhere is as one that is not there');
SELECT is(tried('owner', 'INSERT INTO entitle.membership (user_id) VALUES (208)'), '23514', 'a membership names a place, for everyone');

-- R60: the last active owner.
UPDATE entitle.app_user SET is_active = false WHERE user_id = 204;
SELECT is(tried('owner', command), '42501', format('R60: the last active owner stays: %s', command))
FROM unnest(ARRAY['DELETE FROM entitle.membership WHERE membership_id = 201', 'SELECT entitle.remove_member(201)',
                  'SELECT entitle.deactivate_user(''owner'')', 'UPDATE entitle.app_user SET is_active = false WHERE user_id = 201']) AS command;
SELECT is(tried('owner', 'DELETE FROM entitle.membership WHERE membership_id = 204'), '1', 'R60: one who is switched off may go');
UPDATE entitle.app_user SET is_active = true WHERE user_id = 204;
SELECT is(tried('owner', 'DELETE FROM entitle.membership WHERE is_owner'), '42501', 'S306: both owners in one command');
SELECT is(tried('owner', 'WITH a AS (DELETE FROM entitle.membership WHERE membership_id = 204) DELETE FROM entitle.membership WHERE membership_id = 201'), '42501',
          'S306: in two parts of one command');
SELECT is(tried('owner', 'WITH a AS (UPDATE entitle.app_user SET is_active = false WHERE user_id = 204) DELETE FROM entitle.membership WHERE membership_id = 201'), '42501',
          'S306: one switched off while the other leaves');
SELECT is(tried('owner', 'DELETE FROM entitle.membership WHERE membership_id IN (201)'), '1', 'R60: with another active owner one leaves');
SELECT lives_ok('DELETE FROM entitle.membership WHERE membership_id IN (201, 204)', 'R53: a superuser leaves none');
INSERT INTO entitle.membership (membership_id, user_id, organization_id, is_owner) VALUES (201, 201, 102, true), (204, 204, 102, true);

-- S307: ownership passed round ends where it began: whoever is made an owner ends the one who made him, and no more.
SELECT is(tried('owner', 'SELECT entitle.add_member(''clerk'', organization_id => 102, is_owner => true)'), '1', 'R60: an owner makes an owner');
SELECT is(tried('admin', 'UPDATE entitle.membership SET is_owner = true WHERE membership_id = 203'), '42501', 'S307: nobody else does');

-- A role counts as it is now, however often it was given as it was.
CREATE FUNCTION gives_reader() RETURNS text LANGUAGE sql AS $$ SELECT tried('admin', 'SELECT entitle.add_member(''new'', ''reader'', 102)') $$;
SELECT is(gives_reader(), '1', 'R60: a role within the writer''s rights is given');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (202, 'customers.export');
SELECT is(gives_reader(), '42501', 'R60: not after it got another permission');
DELETE FROM entitle.role_permission WHERE role_id = 202 AND permission_key = 'customers.export';
SELECT is(gives_reader(), '1', 'R60: again, when that is gone');
INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (202, '*');
SELECT is(gives_reader(), '42501', 'R60: nor after it got metrics');
DELETE FROM entitle.role_metric WHERE role_id = 202;

-- S308: two halves. One helper holds what the permission requires, the other lists the permission alone.
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (205, 102, 'half'), (206, 102, 'edit only');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (205, 'members.manage'), (205, 'roles.manage'), (205, 'customers.edit'), (206, 'customers.edit');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (208, 102, 205);
SELECT is(tried('new', 'INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (203, 102, 206)'), '42501', 'S308: half of a permission is not given');
SELECT is(tried('new', 'SELECT entitle.create_role(''x'', ''{customers.edit}'')'), '42501', 'S308: nor put into a role');

GRANT TRUNCATE ON entitle.membership TO test_app;
SELECT is(tried('owner', 'TRUNCATE entitle.membership'), '42501', 'R60: TRUNCATE asks no rule, so it is refused');
SELECT is(do_as('admin', 'INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id) VALUES (55555, 203, 102, 204)'), 1::bigint, 'a membership with a chosen key');
SELECT is((SELECT count(*) FROM entitle.membership WHERE membership_id = 55555), 0::bigint, 'S300: gets one of the sequence');

-- Who sees which.
SELECT is(ask('brand admin', 'SELECT string_agg(DISTINCT user_id::text, '' '') FROM entitle.membership'), '203 205 207 216', 'R60: a brand''s manager sees its members');
SELECT is(ask('admin', 'SELECT count(DISTINCT user_id) > 4 FROM entitle.membership'), 'true', 'R60: an organization''s manager sees its members');
SELECT is(ask('clerk', 'SELECT count(DISTINCT user_id) FROM entitle.membership'), '1', 'a clerk sees his own');
SELECT is(ask('brand admin', 'SELECT string_agg(name, '' '' ORDER BY name) FROM entitle.role WHERE name IN (''reader'', ''exporter'', ''elsewhere'')'), 'exporter reader',
          'R60: a brand''s manager sees the roles he may give');

-- A superuser adds whom he likes, of those who are switched on.
UPDATE entitle.app_user SET is_active = false WHERE login = 'clerk';
SELECT throws_ok($$ SELECT entitle.add_member('clerk', brand_id => 103) $$, '22023', NULL, 'R60: nobody makes a member of a user who is switched off');

SELECT * FROM finish();
ROLLBACK;
