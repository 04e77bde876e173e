-- Invitations (R61; S310 to S312): they give nothing until the invited user accepts, are judged by the inviter's rights at both times,
-- and tell nothing about a login.
\ir tried.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, 102, 'store');
INSERT INTO entitle.brand_module VALUES (102, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (201, 102, 'member admin'), (202, 102, 'reader'), (203, 102, 'exporter');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'members.manage'), (201, 'customers.view'), (202, 'customers.view'), (203, 'customers.view'), (203, 'customers.export');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (201, 'owner', true), (202, 'admin', true), (203, 'clerk', true), (204, 'L80', true), (205, 'L90', true), (206, 'L40', true), (207, 'there', true),
    (208, 'gone', false), (209, 'brand admin', true);
SELECT setval(pg_get_serial_sequence('entitle.app_user', 'user_id'), 1000) \g /dev/null
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner) VALUES
    (201, 201, 102, NULL, true), (202, 202, 102, 201, false), (203, 203, 102, 202, false);
INSERT INTO entitle.membership (membership_id, user_id, brand_id, role_id) VALUES (209, 209, 102, 201);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (101, 102, 'a', 'a', '1'), (102, 102, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 204, 'L80'), (101, 205, 'L90'), (101, 206, 'L40');

CREATE TEMP TABLE attempt (command text, may text[]);
INSERT INTO attempt VALUES
    ('SELECT entitle.invite_user(''new'', ''reader'', 102)', '{owner,admin}'),
    ('SELECT entitle.invite_user(''new'', ''exporter'', 102)', '{owner}'),
    ('SELECT entitle.invite_user(''new'', organization_id => 102)', '{owner,admin}'),
    ('SELECT entitle.invite_user(''new'', ''reader'', brand_id => 102)', '{owner,admin,brand admin}'),
    ('SELECT entitle.invite_user(''new'', ''reader'', brand_id => 103)', '{owner,admin}'),
    ('SELECT entitle.invite_user(''new'', organization_id => 1)', '{}'),
    ('SELECT entitle.invite_user(''new'', organization_id => 999)', '{}'),
    ('SELECT entitle.invite_user(''new'', customer_id => 101)', '{owner,L80,L90}'),
    ('SELECT entitle.invite_user(''new'', customer_id => 101, access_role => ''L80'', days_back => NULL)', '{owner,L80,L90}'),
    ('SELECT entitle.invite_user(''new'', customer_id => 101, access_role => ''L90'')', '{owner,L90}'),
    ('SELECT entitle.invite_user(''new'', customer_id => 102)', '{owner}'),
    ('SELECT entitle.invite_user(''new'', customer_id => 999)', '{}'),
    ('SELECT entitle.invite_user(''new'', ''reader'', 102, customer_id => 101)', '{owner}');
SELECT is(tried(login, replace(command, 'new', invited)), CASE WHEN login = ANY (may) THEN '1' ELSE '42501' END,
          format('R61, S310: %s invites %s: %s', coalesce(login, 'nobody'), invited, command))
FROM attempt, unnest(ARRAY['new', 'there', 'gone']) AS invited,
     unnest(ARRAY['owner', 'admin', 'clerk', 'brand admin', 'L80', 'L90', 'L40', 'there', NULL]) AS login
WHERE login IS DISTINCT FROM invited;

-- Oneself.
SELECT is(tried(login, command), '42501', format('R61: %s invites himself: %s', login, command))
FROM (VALUES ('owner', 'SELECT entitle.invite_user(''owner'', ''reader'', 102)'), ('admin', 'SELECT entitle.invite_user(''admin'', ''reader'', 102)'),
             ('L80', 'SELECT entitle.invite_user(''L80'', customer_id => 101, access_role => ''L80'')')) AS c (login, command);

-- S310: nothing tells whether a login exists: the same answer, the same tables, the same step of the sequence.
CREATE FUNCTION moved_by(command text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT last_value FROM entitle.app_user_user_id_seq);
BEGIN
    PERFORM do_as('L80', command);
    RETURN (SELECT last_value FROM entitle.app_user_user_id_seq) - before;
END
$$;
SELECT is(moved_by('SELECT entitle.invite_user(''first'', customer_id => 101)'), moved_by('SELECT entitle.invite_user(''there'', customer_id => 101)'),
          'S310: the sequence of users moves alike');
SELECT is(ask('L80', 'SELECT count(*) FROM entitle.app_user WHERE login IN (''first'', ''there'')'), '0', 'S310: who is invited does not show');
SELECT is(ask('L80', 'SELECT string_agg(login || '' '' || access_role || '' '' || days_back, '', '' ORDER BY login) FROM entitle.invitation'), 'first L30 30, there L30 30',
          'R61: the invitations do, with the login that was given');

-- Nothing before it is accepted.
SELECT is(ask('first', 'SELECT count(*) FROM entitle.customer_profile'), '0', 'R61: an invitation gives nothing');
SELECT is(ask('first', 'SELECT string_agg(inviter || '' '' || customer_id, '', '') FROM entitle.invitation'), 'L80 101', 'R61: the invited user sees his own');
SELECT is(ask('clerk', 'SELECT count(*) FROM entitle.invitation'), '0', 'others see none');
SELECT is(ask('L40', 'SELECT count(*) FROM entitle.invitation'), '0', 'an L40 neither');
SELECT is(ask('L90', 'SELECT count(*) FROM entitle.invitation'), '2', 'who manages the customer sees them');
SELECT is(ask('owner', 'SELECT count(*) FROM entitle.pending_invitation'), '0', 'the table itself shows nothing');
SELECT is(tried('owner', 'INSERT INTO entitle.pending_invitation (user_id, customer_id, expires) VALUES (201, 101, ''2100-01-01'')'), '42501', 'S311: nor takes anything');
GRANT TRUNCATE ON entitle.pending_invitation TO test_app;
SELECT is(tried('owner', 'TRUNCATE entitle.pending_invitation'), '42501', 'S311: nor is it emptied');

-- Accepting.
CREATE FUNCTION invited(login text) RETURNS bigint LANGUAGE sql AS
    'SELECT max(invitation_id) FROM entitle.pending_invitation JOIN entitle.app_user u USING (user_id) WHERE u.login = invited.login';
SELECT is(tried('there', format('SELECT entitle.accept_invitation(%s)', invited('first'))), '42501', 'R61: nobody accepts another''s');
SELECT is(tried('there', 'SELECT entitle.accept_invitation(999999)'), '42501', 'nor one that is not there');
SELECT is(tried('there', 'SELECT entitle.accept_invitation(NULL)'), '42501', 'nor none');
SELECT is(tried(NULL, format('SELECT entitle.accept_invitation(%s)', invited('first'))), '42501', 'R1: nobody accepts nothing');
SELECT is(do_as('first', format('SELECT entitle.accept_invitation(%s)', invited('first'))), 1::bigint, 'R61: accepted');
SELECT is(ask('first', 'SELECT entitle.access_level(101)'), '30', 'R61: it gives what it says');
SELECT is(invited('first'), NULL, 'once');
SELECT is(do_as('admin', 'SELECT entitle.invite_user(''first'', ''reader'', 102)'), 1::bigint, 'a membership is offered');
SELECT is(ask('first', 'SELECT entitle.has_permission(''customers.view'', 102)'), 'false', 'R61: and gives nothing yet');
SELECT is(do_as('first', format('SELECT entitle.accept_invitation(%s)', invited('first'))), 1::bigint, 'R61: accepted');
SELECT is(held('first', '{customers.view,customers.export}', 102), 'customers.view', 'R61: it gives what it says');

-- S312: judged by the inviter's rights at acceptance.
CREATE FUNCTION accepted_after(change text, offer text DEFAULT 'SELECT entitle.invite_user(''late'', ''reader'', 102)', inviter text DEFAULT 'admin') RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM do_as(inviter, offer);
    EXECUTE change;
    answer := tried('late', format('SELECT entitle.accept_invitation(%s)', coalesce(invited('late'), -1)));
    RAISE EXCEPTION USING ERRCODE = 'P0043', MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'P0043' THEN
    RETURN SQLERRM;
END
$$;
SELECT is(accepted_after(change), answer, format('S312: after %s', change))
FROM (VALUES ('SELECT 1', '1'),
             ('DELETE FROM entitle.membership WHERE user_id = 202', '42501'),
             ('UPDATE entitle.app_user SET is_active = false WHERE user_id = 202', '42501'),
             ('UPDATE entitle.role SET is_active = false WHERE role_id = 201', '42501'),
             ('DELETE FROM entitle.role_permission WHERE role_id = 201 AND permission_key = ''customers.view''', '42501'),
             ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (202, ''customers.export'')', '42501'),
             ('UPDATE entitle.permission SET is_active = false WHERE permission_key = ''members.manage''', '42501'),
             ('UPDATE entitle.pending_invitation SET expires = current_date - 2', '42501'),
             ('DELETE FROM entitle.app_user WHERE user_id = 202', '42501')) AS c (change, answer);
SELECT is(accepted_after(change, 'SELECT entitle.invite_user(''late'', customer_id => 101, access_role => ''L80'')', 'L80'), answer, format('S312: of access, after %s', change))
FROM (VALUES ('SELECT 1', '1'),
             ('DELETE FROM entitle.external_access WHERE user_id = 204', '42501'),
             ('UPDATE entitle.external_access SET role = ''L40'' WHERE user_id = 204', '42501'),
             ('UPDATE entitle.external_access SET valid_until = ''2020-01-01'' WHERE user_id = 204', '42501'),
             ('UPDATE entitle.app_user SET is_active = false WHERE user_id = 204', '42501')) AS c (change, answer);
SELECT is(accepted_after('SELECT 1', 'SELECT entitle.invite_user(''late'', customer_id => 101, access_role => ''L90'')', 'L90'), '1', 'an L90 invites an L90');
SELECT is(accepted_after('UPDATE entitle.app_user SET is_active = false WHERE login = ''late'''), '42501', 'R1: who is switched off accepts nothing');

-- A role's own user needs no sign-in that would be refused.
CREATE ROLE test_invited IN ROLE test_app;
UPDATE entitle.app_user SET db_role = 'test_invited' WHERE login = 'there';
SELECT do_as('owner', 'SELECT entitle.invite_user(''there'', ''reader'', 102)') \g /dev/null
UPDATE entitle.app_user SET is_active = false WHERE login = 'there';
SELECT throws_ok(format('SET LOCAL ROLE test_invited; SELECT entitle.accept_invitation(%s)', coalesce(invited('there'), -1)), '42501', NULL,
                 'R1: nor who is switched off and mapped to the session''s role');
UPDATE entitle.app_user SET is_active = true WHERE login = 'there';
SELECT lives_ok(format('SET LOCAL ROLE test_invited; SELECT entitle.accept_invitation(%s)', coalesce(invited('there'), -1)), 'R61: who is switched on does');
RESET ROLE;

-- In a superuser's session by the rights of who is signed in, as they are what the acceptance is judged by. By a superuser who signed
-- nobody in: nobody's rights count.
SELECT throws_ok(format('SELECT entitle.sign_in(%L); SELECT entitle.invite_user(''late'', ''exporter'', 102)', login), '42501', NULL,
                 format('R61: %s invites in a superuser''s session', login)) FROM unnest('{admin,clerk}'::text[]) AS login;
SELECT throws_ok($$ SELECT entitle.sign_in('L40'); SELECT entitle.invite_user('late', customer_id => 101) $$, '42501', NULL, 'R61: to a customer, too');
SELECT entitle.invite_user('late', 'exporter', 102);
SELECT is(do_as('late', format('SELECT entitle.accept_invitation(%s)', coalesce(invited('late'), -1))), 1::bigint, 'R53: a superuser''s invitation');
SELECT throws_ok($$ SELECT entitle.accept_invitation(1) $$, '42501', NULL, 'a superuser accepts for nobody');

-- Withdrawing.
SELECT do_as('admin', 'SELECT entitle.invite_user(''there'', ''reader'', 102)');
SELECT is(ask(login, format('SELECT entitle.withdraw_invitation(%s)', invited('there'))), 'false', format('R61: %s withdraws none', coalesce(login, 'nobody')))
FROM unnest(ARRAY['clerk', 'L80', 'L90', 'brand admin', NULL]) AS login;
SELECT is(ask(login, format('SELECT entitle.withdraw_invitation(%s)', invited('there'))), expected, format('R61: %s does', login))
FROM (VALUES ('admin', 'true'), ('admin', 'false')) AS c (login, expected);
SELECT is(ask('L90', format('SELECT entitle.withdraw_invitation(%s)', invited('there'))), 'true', 'R61: who manages the customer withdraws what another offered');

-- What may be said.
SELECT is(tried('owner', command), state, command)
FROM (VALUES ('SELECT entitle.invite_user(''new'', ''no such'', 102)', '22023'), ('SELECT entitle.invite_user(''new'', customer_id => 101, access_role => ''L15'')', '23514'),
             ('SELECT entitle.invite_user(''new'', customer_id => 101, days_back => -1)', '23514'), ('SELECT entitle.invite_user(''new'', expires => ''2020-01-01'')', '22023'),
             ('SELECT entitle.invite_user('' new'')', '23514'), ('SELECT entitle.invite_user(''new'', organization_id => 102, brand_id => 102)', '23514')) AS c (command, state);
SELECT is(tried('clerk', 'SELECT entitle.invite_user(''new'', ''no such'', 102)'), '42501', 'who manages nothing learns of no role');

-- Whoever made an invitation ends it, though he manages nothing any more.
INSERT INTO entitle.app_user (login) VALUES ('made it');
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT user_id, 102, 201 FROM entitle.app_user WHERE login = 'made it';
SELECT do_as('made it', 'SELECT entitle.invite_user(''taken back'', brand_id => 102)');
DELETE FROM entitle.membership WHERE user_id = (SELECT user_id FROM entitle.app_user WHERE login = 'made it');
SELECT is(ask('made it', 'SELECT string_agg(login, '' '') FROM entitle.invitation'), 'taken back', 'R61: who invited sees the invitation');
SELECT is(ask('made it', format('SELECT entitle.withdraw_invitation(%s)', (SELECT max(invitation_id) FROM entitle.pending_invitation))), 'true', 'R61: and withdraws it');

SELECT * FROM finish();
ROLLBACK;
