-- Who manages roles or members troubleshoots them (R62): every explanation and report about the organization's members and roles, and
-- about nobody else's. What a sign-in fails at (R63). And whoever manages an organization reads the log of what its people changed.
\ir setup.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, 102, 'store');
INSERT INTO entitle.brand_module VALUES (102, 'customers'), (103, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES
    (201, 102, 'member admin'), (202, 102, 'reader'), (203, 102, 'role admin'), (204, 102, 'exporter');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'members.manage'), (201, 'customers.view'), (202, 'customers.view'), (203, 'roles.manage'), (203, 'customers.view'), (204, 'customers.view'),
    (204, 'customers.export');
INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (204, '*');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (201, 'owner', true), (202, 'member admin', true), (203, 'role admin', true), (204, 'clerk', true), (205, 'shop admin', true), (206, 'store clerk', true),
    (207, 'stranger', true), (208, 'gone', false);
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES
    (201, 102, NULL, true), (202, 102, 201, false), (203, 102, 203, false), (204, 102, 202, false), (207, 1, 7, false), (208, 102, 202, false);
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (205, 102, 201), (206, 103, 202);

-- The last step tells the decision; a user one may not ask about is as one who does not exist.
CREATE FUNCTION told(login text, question text) RETURNS text LANGUAGE sql AS $$
    SELECT ask(login, format('SELECT string_agg(detail, ''; '' ORDER BY step) FROM entitle.%s', question)) $$;
SELECT is(told(login, format('%s(%L, %L, 102)', call, key, about)) !~ 'no user', login = ANY (may), format('R62: %s asks %s about %s', login, call, about))
FROM (VALUES ('clerk', '{owner,member admin,role admin,shop admin,clerk}'::text[]), ('store clerk', '{}'), ('stranger', '{}'), ('no such', '{}')) AS q (about, may),
     (VALUES ('explain_permission', 'customers.export'), ('explain_capability', 'customers_export'), ('explain_metric', 'revenue')) AS c (call, key),
     unnest(ARRAY['owner', 'member admin', 'role admin', 'shop admin', 'clerk', 'stranger']) AS login
WHERE login <> about OR about = 'clerk';
SELECT matches(told('role admin', 'explain_permission(''customers.export'', ''clerk'', 102)'), 'role "reader" does not grant "customers.export"',
               'R62: why can this user not export?');
SELECT is(ask(login, 'SELECT entitle.user_has_permission(204, ''customers.view'', 102)'), CASE WHEN login = 'stranger' THEN 'false' ELSE 'true' END, format('R62: %s asks for a member', login))
FROM unnest(ARRAY['owner', 'member admin', 'role admin', 'shop admin', 'stranger']) AS login;

-- Reports.
SELECT is(ask(login, 'SELECT string_agg(DISTINCT role, '' '' ORDER BY role) FROM entitle.permission_matrix(102)'),
          CASE WHEN login IN ('clerk', 'stranger') THEN NULL ELSE 'exporter member admin reader role admin' END, format('R62: the matrix of %s', login))
FROM unnest(ARRAY['owner', 'member admin', 'role admin', 'shop admin', 'clerk', 'stranger']) AS login;
SELECT is(ask('role admin', 'SELECT count(*) FROM entitle.permission_matrix(1)'), '0', 'R62: nobody else''s');
SELECT is(ask('role admin', 'SELECT string_agg(concat_ws('' '', kind, key, in_a, in_b), '', '' ORDER BY kind, key) FROM entitle.compare_roles(202, 204) WHERE in_a <> in_b'),
          'capability customers_export f t, metric * f t, permission customers.export f t', 'R62: two roles side by side');
SELECT is(ask('role admin', 'SELECT count(*) FROM entitle.compare_roles(202, 204) WHERE in_a AND in_b') > '0', true, 'R62: what both have, too');
SELECT is(ask(login, format('SELECT count(*) FROM entitle.compare_roles(%s, %s)', a, b)), '0', format('R62: %s compares %s and %s', login, a, b))
FROM (VALUES ('clerk', 202, 204), ('role admin', 202, 7), ('role admin', 7, 202), ('role admin', 202, 999), ('stranger', 202, 204)) AS c (login, a, b);
SELECT isnt_empty('SELECT * FROM entitle.compare_roles(202, 7)', 'a superuser compares any');

-- Signing in (R63).
CREATE ROLE test_pool;
GRANT USAGE ON SCHEMA entitle TO test_pool;
SELECT is((SELECT string_agg(gate || ' ' || passed || ' ' || detail, '; ' ORDER BY step) FROM entitle.explain_sign_in('owner', 'test_pool')),
          'identity true user "owner" is active; privilege false role "test_pool" has no EXECUTE on entitle.sign_in; decision false denied at gate "privilege"',
          'R62: EXECUTE is missing');
GRANT EXECUTE ON FUNCTION entitle.sign_in TO test_pool;
CREATE FUNCTION decided(login text, role name) RETURNS text LANGUAGE sql AS
    'SELECT string_agg(CASE WHEN gate IN (''permission'', ''identity'') THEN detail END, ''; '' ORDER BY step) || '' -> '' || bool_and(passed) FROM entitle.explain_sign_in(login, role)';
SELECT is(decided(login, 'test_pool'), expected, format('R63: %s by a pool', login))
FROM (VALUES ('clerk', 'user "clerk" is active; the user neither owns nor manages anything -> true'),
             ('owner', 'user "owner" is active; the user owns or manages something, and sign_in_grant does not list him for role "test_pool" -> false'),
             ('gone', 'user "gone" is switched off -> false'),
             ('no such', 'no user "no such" about whom you may ask -> false')) AS c (login, expected);
INSERT INTO entitle.sign_in_grant (db_role) VALUES ('test_pool');
SELECT matches(decided('owner', 'test_pool'), 'sign_in_grant has an entry without login for the role -> true', 'R63: an entry for everybody');
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_pool', 'owner');
SELECT matches(decided('owner', 'test_pool'), 'sign_in_grant lists the user for the role -> true', 'R63: the own entry');
SELECT matches(decided('owner', NULL), 'may sign in anyone -> true', 'R63: the session''s role is a superuser');
SELECT is(decided('owner', 'no_such_role') ~ 'false$', true, 'R63: no such role');
SELECT is(told(login, 'explain_sign_in(''clerk'', ''test_pool'')') ~ 'no user', login IN ('stranger', 'store clerk'), format('R62: %s asks why a member may sign in', login))
FROM unnest(ARRAY['owner', 'member admin', 'role admin', 'clerk', 'stranger', 'store clerk']) AS login;

-- The log: who did what, for those who manage the place.
SELECT do_as('owner', 'SELECT entitle.create_role(''made'', ''{customers.view}'', ''{}'', 102)');
INSERT INTO entitle.app_user (login) VALUES ('unplaced');
SELECT do_as('member admin', 'SELECT entitle.add_member(''unplaced'', ''reader'', 102)');
SELECT do_as('member admin', 'SELECT entitle.invite_user(''invited'', ''reader'', 102)');
SELECT is(ask(login, 'SELECT string_agg(DISTINCT relation::text || '' by '' || actor_login, '', '') FROM entitle.change_log WHERE actor_login IS NOT NULL AND relation <> ''entitle.app_user''::regclass'),
          CASE WHEN login IN ('owner', 'member admin', 'role admin')
               THEN 'entitle.membership by member admin, entitle.pending_invitation by member admin, entitle.role by owner, entitle.role_permission by owner' END,
          format('R21: what %s reads in the log', login))
FROM unnest(ARRAY['owner', 'member admin', 'role admin', 'clerk', 'shop admin', 'store clerk']) AS login;

-- A change, tried and taken back, by who may make it: of the people and places that he manages.
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (201, 102, 'a', 'a', '1'), (202, 1, 'b', 'b', '2');
INSERT INTO entitle.app_user (user_id, login) VALUES (209, 'l80'), (210, 'both');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (201, 209, 'L80'), (201, 210, 'L20'), (202, 210, 'L20'), (202, 209, 'L20');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (210, 1, 7);
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (210, 102, 202);
CREATE FUNCTION tried(login text, change text) RETURNS text LANGUAGE sql AS $$
    SELECT ask(login, format(
        'SELECT string_agg(concat_ws('' '', login, kind, place, key, coalesce(before, ''-''), coalesce(after, ''-'')), ''; '' ORDER BY login, kind, place, key)'
        ' FROM entitle.explain_change(%L)', change)) $$;
SELECT is(tried(login, $$ UPDATE entitle.role SET is_active = false WHERE role_id = 202 $$), expected, format('R62: %s tries to switch a role off', login))
FROM (VALUES
    ('owner', 'both permission brand 102 customers.view held -; both permission brand 103 customers.view held -; '
              'clerk permission brand 102 customers.view held -; clerk permission brand 103 customers.view held -; '
              'store clerk permission brand 103 customers.view held -; '
              'unplaced permission brand 102 customers.view held -; unplaced permission brand 103 customers.view held -'),
    ('role admin', 'both permission brand 102 customers.view held -; both permission brand 103 customers.view held -; '
                   'clerk permission brand 102 customers.view held -; clerk permission brand 103 customers.view held -; '
                   'store clerk permission brand 103 customers.view held -; '
                   'unplaced permission brand 102 customers.view held -; unplaced permission brand 103 customers.view held -')) AS v (login, expected);
SELECT is((SELECT is_active FROM entitle.role WHERE role_id = 202), true, 'and it is taken back');
SELECT throws_ok(format('SELECT tried(%L, %L)', login, change), '42501', NULL, format('R62: %s tries nothing that he may not do: %s', login, change))
FROM (VALUES ('clerk', 'UPDATE entitle.role SET is_active = false WHERE role_id = 202'), ('member admin', 'SELECT entitle.set_role(204, ''{customers.view}'', ''{}'')'),
             ('l80', 'INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (209, 102, 202)')) AS v (login, change);
SELECT is(tried('member admin', 'SELECT entitle.remove_member(membership_id) FROM entitle.membership WHERE user_id = 210'),
          'both permission brand 102 customers.view held -; both permission brand 103 customers.view held -', 'R62: who is shared with others is told of here');
SELECT is(tried('l80', 'SELECT entitle.grant_access(201, ''both'', ''L30'')'), 'both access customer 201 level L20, 30 days back L30, 30 days back',
          'R62: who manages a customer''s access tries a grant');
SELECT is(tried('both', 'SELECT 1'), NULL, 'R62: what changes nothing tells nothing');
SELECT is(ask('both', 'SELECT string_agg(DISTINCT r ->> ''login'', '' '') FROM jsonb_array_elements(entitle.rights_of(ARRAY[201, 204, 209, 210])) AS r'), 'both',
          'R62: everybody is told of himself');
SELECT is(ask('l80', 'SELECT string_agg(DISTINCT concat_ws('' '', r ->> ''login'', r ->> ''place''), '', '') FROM jsonb_array_elements(entitle.rights_of(ARRAY[201, 204, 209, 210])) AS r'),
          'both customer 201, l80 customer 201, l80 customer 202', 'R62: and of the customers that he manages');
SELECT is(ask('owner', 'SELECT string_agg(DISTINCT concat_ws('' '', r ->> ''login'', r ->> ''place''), '', '') FROM jsonb_array_elements(entitle.rights_of(ARRAY[207, 209, 210])) AS r'),
          'both brand 102, both brand 103, both customer 201, l80 customer 201', 'S404, R62: in the places that he manages alone')
FROM (SELECT entitle.user_has_permission(210, 'customers.view', 1)) AS held (elsewhere) WHERE elsewhere;
SELECT is(ask(NULL, 'SELECT entitle.rights_digests()'), '{}', 'nobody is told nothing');

SELECT * FROM finish();
ROLLBACK;
