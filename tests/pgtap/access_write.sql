-- Who writes which grant (R41, R42, R44), through plain DML and through the functions: nobody, every level, every example role,
-- managers, the table's owner and a superuser; and what a grant may say (R33, R38, R40; S80).
\ir tried.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

INSERT INTO entitle.role (role_id, organization_id, name) VALUES (109, 1, 'manager'), (110, 1, 'blind manager');
INSERT INTO entitle.role_permission VALUES (109, 'customers.view'), (109, 'external_access.manage'), (110, 'external_access.manage');
INSERT INTO entitle.app_user (user_id, login) SELECT 100 + level, 'L' || level FROM unnest(ARRAY[10, 20, 30, 40, 80, 90]) AS level;
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (201, 'manager', true), (202, 'blind manager', true), (204, 'elsewhere', true),
    (205, 'expired admin', true), (206, 'gone', false), (207, 'target', true), (208, 'second owner', true), (209, 'second admin', true),
    (210, 'new', true), (211, 'met', true);
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (201, 1, 109), (202, 1, 110);
INSERT INTO entitle.app_user (user_id, login) SELECT 300 + role_id, name FROM entitle.role WHERE role_id < 100;
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 300 + role_id, 1, role_id FROM entitle.role WHERE role_id < 100;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (190, NULL, 'elsewhere');
INSERT INTO entitle.brand_module VALUES (190, 'customers');
INSERT INTO entitle.membership (user_id, brand_id) VALUES (204, 190);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES
    (101, 1, 'a', 'a', '1'), (102, 1, 'b', 'b', '2'), (103, 190, 'c', 'c', '3'), (104, 1, 'd', 'd', '4');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) SELECT 101, 100 + level, 'L' || level, 30
FROM unnest(ARRAY[10, 20, 30, 40, 80, 90]) AS level;
INSERT INTO entitle.external_access (customer_id, user_id, role, valid_until) VALUES (101, 205, 'L80', '2000-01-01');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES
    (101, 207, 'L30'), (101, 208, 'L90'), (101, 209, 'L80'), (102, 208, 'L30');
-- The new user has a grant elsewhere.
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (104, 180, 'L80'), (104, 190, 'L80'), (104, 210, 'L10'), (104, 211, 'L10');

CREATE TEMP TABLE writer (login, can, sees, can_owner) AS VALUES
    (NULL, false, false, false), ('L10', false, false, false), ('L20', false, false, false), ('L30', false, false, false),
    ('L40', false, false, false), ('L80', true, true, false), ('L90', true, true, true), ('manager', true, true, true),
    ('blind manager', false, false, false), ('elsewhere', false, false, false),
    ('expired admin', false, false, false), ('new', false, false, false);
INSERT INTO writer SELECT login, false, false, false FROM entitle.app_user WHERE user_id > 300;

-- R41, R42: each writer against each level.
SELECT is(tried(login, format('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 210, %L)', level)),
          CASE WHEN can AND (level <> 'L90' OR can_owner) THEN '1' ELSE '42501' END,
          format('R41, R42: %s inserts a grant of %s', coalesce(login, 'nobody'), level))
FROM writer, unnest(ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90']) AS level;
SELECT is(tried(login, format('SELECT entitle.grant_access(101, ''new'', %L)', level)),
          CASE WHEN login = 'new' OR NOT can OR level = 'L90' AND NOT can_owner THEN '42501' ELSE '1' END,
          format('R41, R42: %s calls grant_access with %s', coalesce(login, 'nobody'), level))
FROM writer, unnest(ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90']) AS level;
SELECT is(tried(login, format('UPDATE entitle.external_access SET role = %L WHERE user_id = 207', level)),
          CASE WHEN NOT sees THEN '0' WHEN level <> 'L90' OR can_owner THEN '1' ELSE '42501' END,
          format('R41, R42: %s changes a grant to %s', coalesce(login, 'nobody'), level))
FROM writer, unnest(ARRAY['L10', 'L80', 'L90']) AS level;
SELECT is(tried(login, command), CASE WHEN NOT sees THEN '0' WHEN owners AND NOT can_owner THEN '42501' ELSE '1' END,
          format('R41, R42: %s: %s', coalesce(login, 'nobody'), command))
FROM writer, (VALUES
    ('DELETE FROM entitle.external_access WHERE user_id = 207', false),
    ('DELETE FROM entitle.external_access WHERE user_id = 209', false),
    ('UPDATE entitle.external_access SET days_back = NULL, valid_until = ''2100-01-01'' WHERE user_id = 207', false),
    ('UPDATE entitle.external_access SET notes = ''x'' WHERE user_id = 208 AND customer_id = 101', true),
    ('UPDATE entitle.external_access SET days_back = NULL WHERE user_id = 208 AND customer_id = 101', true)) AS c (command, owners);
SELECT is(tried(login, 'SELECT entitle.revoke_access(101, ''target'')'), CASE WHEN can THEN '1' ELSE '42501' END,
          format('R41: %s calls revoke_access', coalesce(login, 'nobody')))
FROM writer;
SELECT is(tried(login, 'SELECT entitle.grant_access(102, ''new'')'), CASE WHEN login = 'manager' THEN '1' ELSE '42501' END,
          format('R41: %s grants on another customer', coalesce(login, 'nobody')))
FROM writer;
SELECT is(tried('manager', format('SELECT entitle.grant_access(%s, ''new'')', customer)), '42501', 'R3: a customer elsewhere is as one that is not')
FROM unnest(ARRAY['103', '-1', 'NULL']) AS customer;
SELECT is(tried('L80', 'UPDATE entitle.external_access SET customer_id = 102 WHERE user_id = 207'), '42501', 'R41: an L80 moves no grant to another customer');
SELECT is(tried('manager', 'UPDATE entitle.external_access SET customer_id = 102 WHERE user_id = 207'), '1', 'R41: a manager may');
SELECT is(tried('manager', 'UPDATE entitle.external_access SET customer_id = 103 WHERE user_id = 207'), '42501', 'R41: not to another brand');
SELECT is(tried('second owner', 'UPDATE entitle.external_access SET role = ''L40'' WHERE customer_id = 102'), '42501', 'R41: an owner of one customer is none of another');

-- R42: oneself.
SELECT is(tried(login, format('UPDATE entitle.external_access SET %s WHERE customer_id = 101 AND user_id = entitle.current_user_id()', change)), ended,
          format('R42: %s sets %s of the own grant', login, change))
FROM (VALUES ('L30', 'role = ''L40''', '42501'), ('L80', 'role = ''L90''', '42501'), ('L80', 'days_back = 31', '42501'), ('L80', 'days_back = NULL', '42501'),
             ('L90', 'days_back = 31', '42501'), ('L30', 'days_back = NULL, role = ''L10''', '42501'), ('expired admin', 'valid_until = NULL', '42501'),
             ('expired admin', 'valid_until = ''2100-01-01''', '42501'), ('L30', 'notes = ''x''', '42501'), ('L30', 'user_id = 210', '42501'),
             ('L80', 'user_id = 211', '1'), ('L30', 'role = ''L10''', '1'), ('L80', 'role = ''L40'', notes = ''x''', '1'), ('L40', 'days_back = 3', '1'),
             ('L40', 'valid_from = ''2100-01-01''', '1'), ('L90', 'role = ''L80''', '42501')) AS c (login, change, ended);
SELECT is(tried(login, 'DELETE FROM entitle.external_access WHERE customer_id = 101 AND user_id = entitle.current_user_id()'), CASE login WHEN 'L90' THEN '42501' ELSE '1' END,
          format('R42: %s gives up the own grant', login))
FROM unnest(ARRAY['L10', 'L40', 'L80', 'L90', 'expired admin']) AS login;
SELECT is(tried(login, format('SELECT entitle.revoke_access(101, %L)', login)), CASE login WHEN 'L90' THEN '42501' ELSE '1' END,
          format('R42: %s gives up the own grant by the function', login))
FROM unnest(ARRAY['L10', 'L80', 'L90']) AS login;
SELECT is(tried('L80', 'SELECT entitle.grant_access(101, ''L80'', ''L40'', 3)'), '1', 'R42: or lowers it');
SELECT is(tried(login, command), '42501', format('R42: %s grants nothing to the own login: %s', login, command))
FROM (VALUES ('manager', 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (101, 201)'), ('manager', 'SELECT entitle.grant_access(101, ''manager'')'),
             ('new', 'SELECT entitle.grant_access(101, ''new'')'), ('new', 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (101, 210)'),
             ('L80', 'INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 180, ''L80'') ON CONFLICT (customer_id, user_id) DO UPDATE SET days_back = NULL'),
             ('L80', 'UPDATE entitle.external_access SET user_id = 180 WHERE user_id = 207'),
             ('L80', 'MERGE INTO entitle.external_access g USING (VALUES (180)) v (id) ON g.user_id = v.id WHEN MATCHED THEN UPDATE SET days_back = NULL')) AS c (login, command);

-- R44
SELECT is(tried('manager', format('SELECT entitle.grant_access(101, %s)', login)), '22023', format('R44: %s is no grantee', login))
FROM unnest(ARRAY['''gone''', '''nobody''', '''New''', '''new ''', '''''', 'NULL']) AS login;
SELECT is(tried('manager', format('INSERT INTO entitle.external_access (customer_id, user_id) VALUES (101, %s)', id)), '22023', format('R44: user %s is no grantee', id))
FROM unnest(ARRAY['206', '-1']) AS id;
SELECT throws_ok($$ SELECT entitle.grant_access(101, 'gone') $$, '22023', NULL, 'R44: not for a superuser''s call, either');
SELECT is(tried('L40', 'SELECT entitle.grant_access(101, ''nobody'')'), '42501', 'R44: who manages nothing learns of no login');
SELECT is(ask('manager', 'SELECT entitle.revoke_access(101, ''new'')'), 'false', 'R44: without a grant there is nothing to revoke');
SELECT is(ask('manager', 'SELECT entitle.revoke_access(101, ''target'')'), 'true', 'R44: a grant is revoked');
SELECT is((SELECT count(*) FROM entitle.app_user WHERE login = 'target'), 1::bigint, 'R44: and the user stays');

-- R34, R38: what grant_access stores.
SELECT lives_ok($$ SELECT do_as('manager', 'SELECT entitle.grant_access(102, ''target'')') $$, 'a grant is made');
SELECT is((SELECT g::text FROM entitle.external_access g WHERE user_id = 207), '(102,207,L30,30,,,,,)', 'R33, R38: L30 and 30 days when omitted');
SELECT lives_ok($$ SELECT do_as('manager', 'SELECT entitle.grant_access(102, ''target'', ''L40'', NULL, ''n'')') $$, 'and changed');
SELECT is((SELECT g::text FROM entitle.external_access g WHERE user_id = 207), '(102,207,L40,,,,n,,)', 'R34: still one grant; NULL is unlimited');
SELECT is(tried('manager', command), '23514', format('R33, R38, R40: %s', command))
FROM unnest(ARRAY['SELECT entitle.grant_access(102, ''new'', ''L15'')', 'SELECT entitle.grant_access(102, ''new'', '''')', 'SELECT entitle.grant_access(102, ''new'', ''l30'')',
                  'SELECT entitle.grant_access(102, ''new'', ''L30'', -1)', 'UPDATE entitle.external_access SET days_back = -1 WHERE user_id = 207',
                  'UPDATE entitle.external_access SET valid_from = ''2026-01-02'', valid_until = ''2026-01-01'' WHERE user_id = 207',
                  'INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (102, 210, ''L100'')']) AS command;
SELECT throws_matching($$ INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (102, 210, 'L15') $$, 'not a level of external access',
                       'R33: a superuser is told in the field''s words');

-- R45: with another customer chosen the own level is out of reach.
SELECT throws_ok($$ SELECT ask('L80', 'SELECT entitle.grant_access(101, ''new'')', customer => 102) $$, '42501', NULL, 'R45: not while no grant of it counts');

-- Owner and superuser.
CREATE ROLE test_owner;
GRANT USAGE ON SCHEMA entitle TO test_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA entitle TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.grant_access, entitle.revoke_access TO test_owner;
ALTER TABLE entitle.external_access OWNER TO test_owner;
SET LOCAL ROLE test_owner;
SELECT throws_ok(command, '42501', NULL, format('R41: the table''s owner, signed in as nobody: %s', command))
FROM unnest(ARRAY['INSERT INTO entitle.external_access (customer_id, user_id) VALUES (102, 210)', 'DELETE FROM entitle.external_access WHERE user_id = 207',
                  'UPDATE entitle.external_access SET role = ''L10'' WHERE user_id = 207', 'COPY entitle.external_access (customer_id, user_id) FROM PROGRAM ''echo''',
                  'SELECT entitle.grant_access(102, ''new'')', 'SELECT entitle.revoke_access(101, ''target'')']) AS command;
RESET ROLE;
SELECT lives_ok(command, format('R53: a superuser: %s', command))
FROM unnest(ARRAY['INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (102, 206, ''L90'')', 'UPDATE entitle.external_access SET role = ''L10'' WHERE user_id = 207',
                  'DELETE FROM entitle.external_access WHERE user_id = 207', 'SELECT entitle.grant_access(101, ''new'', ''L90'')']) AS command;

SELECT * FROM finish();
ROLLBACK;
