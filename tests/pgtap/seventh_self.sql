-- Self-service, attacked (R58 to R62; S361 to S369): users reached by a number or taken in unasked, what errors, invitations and the log tell about
-- other organizations, the last owner, brands that come later or move.
\ir tried.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group'), (103, 'other');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, 102, 'store'), (104, NULL, 'alone'), (105, 103, 'theirs');
INSERT INTO entitle.brand_module (brand_id, module_key) VALUES (102, 'customers'), (103, 'customers'), (105, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES
    (201, 102, 'member admin'), (203, 102, 'exporter'), (204, 102, 'both admin'), (301, 103, 'reader'), (302, 103, 'their admin');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'members.manage'), (201, 'customers.view'), (203, 'customers.view'), (203, 'customers.export'), (204, 'members.manage'), (204, 'roles.manage'),
    (301, 'customers.view'), (302, 'members.manage'), (302, 'roles.manage');
INSERT INTO entitle.app_user (user_id, login, full_name, is_active) VALUES
    (201, 'owner', NULL, true), (202, 'admin', NULL, true), (203, 'clerk', NULL, true), (205, 'L80', NULL, true), (206, 'theirs', 'Victor Theirs', true),
    (207, 'their gone', NULL, false), (208, 'fresh', 'Fresh', true), (209, 'alone', NULL, true), (210, 'their admin', NULL, true),
    (211, 'second owner', NULL, true), (212, 'helper', NULL, true), (213, 'their guest', NULL, true);
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner) VALUES
    (201, 201, 102, NULL, true), (202, 202, 102, 201, false), (203, 203, 102, NULL, false), (206, 206, 103, 301, false), (207, 207, 103, 301, false),
    (210, 210, 103, 302, false), (212, 212, 102, 204, false);
INSERT INTO entitle.membership (membership_id, user_id, brand_id, role_id) VALUES (209, 209, 104, NULL), (214, 212, 102, 203), (215, 212, 103, 203);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (101, 102, 'a', 'a', '1'), (102, 102, 'b', 'b', '2'), (103, 105, 'c', 'c', '3');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (103, 213, 'L30'), (101, 205, 'L80'), (102, 205, 'L80'), (101, 203, 'L10');

CREATE FUNCTION said(login text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    PERFORM do_as(login, command);
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
    RETURN CASE WHEN SQLSTATE <> 'P0042' THEN concat_ws(' ', SQLSTATE, SQLERRM, nullif(told, '')) END;
END
$$;

-- S361: whoever has a place elsewhere, or is not there: one answer, and nothing is learnt.
SELECT is(said(login, format(command, id)), '22023 there is no active user with this login', format('S361: %s makes %s a member: %s', login, id, command))
FROM unnest(ARRAY[206, 207, 999]) AS id,
     (VALUES ('owner', 'INSERT INTO entitle.membership (user_id, organization_id) VALUES (%s, 102)'), ('admin', 'UPDATE entitle.membership SET user_id = %s WHERE user_id = 203'),
             ('alone', 'INSERT INTO entitle.membership (user_id, brand_id) VALUES (%s, 104)')) AS c (login, command);
SELECT is(tried('L80', 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (102, 203)'), '1', 'R42: one whom he sees he may');
SELECT is(tried('L80', 'SELECT entitle.grant_access(101, ''fresh'')'), '1', 'R44: or whose login he knows');
SELECT is(tried('owner', 'INSERT INTO entitle.membership (user_id, brand_id) VALUES (203, 103)'), '1', 'R60: so may who manages members');

-- S362: unasked, nobody is taken in who has a place elsewhere: he would show, lose checks that name no brand (R52), and become one whom a pool may not sign in.
SELECT is(said(login, command), '22023 there is no active user with this login', format('S362: %s: %s', login, command))
FROM unnest(ARRAY['theirs', 'their gone', 'their guest', 'no such']) AS victim,
     (VALUES ('owner', 'SELECT entitle.add_member(%L, organization_id => 102, is_owner => true)'), ('admin', 'SELECT entitle.add_member(%L)'),
             ('alone', 'SELECT entitle.add_member(%L, brand_id => 104)')) AS c (login, pattern), LATERAL format(pattern, victim) AS command;
SELECT is(tried('admin', 'SELECT entitle.add_member(''fresh'')'), '1', 'R60: who has no place is');
SELECT is(tried('admin', 'SELECT entitle.add_member(''clerk'', brand_id => 103)'), '1', 'so is who has one here');
SELECT do_as('their admin', 'SELECT entitle.invite_user(''fresh'')');
SELECT is(tried('admin', 'SELECT entitle.add_member(''fresh'')'), '22023', 'S362: not whom somebody else has invited');
SELECT is(tried('admin', 'SELECT entitle.invite_user(''fresh'')'), '1', 'R61: he is invited, too');
SELECT lives_ok('SELECT entitle.add_member(''theirs'', organization_id => 102)', 'R53: a superuser adds anybody');
DELETE FROM entitle.membership WHERE user_id = 206 AND organization_id = 102;

-- S363: a role's name, asked for in an organization that is another's.
SELECT is(said('admin', format('SELECT entitle.add_member(''clerk'', %L, 103, 102)', role)), '23514 a membership names either an organization or a brand', format('S363: %s', role))
FROM unnest(ARRAY['their admin', 'no such']) AS role;

-- S364: whoever takes the login that erasing gives.
SELECT do_as('L80', 'SELECT entitle.add_user(''erased-207'')');
SELECT do_as('L80', 'SELECT entitle.add_user(''erased-207-1'')');
SELECT lives_ok('SELECT entitle.erase_user(''their gone'', ''asked for'')', 'S364: keeps nobody from being erased');
SELECT is((SELECT login FROM entitle.app_user WHERE user_id = 207), 'erased-207-2', 'S364: who gets one of his own');

-- S365: an owner of two organizations leaves both and is switched off, in one command: at the second he no longer counted.
INSERT INTO entitle.membership (membership_id, user_id, organization_id, is_owner) VALUES (198, 201, 103, true), (199, 211, 103, true);
DELETE FROM entitle.membership WHERE membership_id = 201;
INSERT INTO entitle.membership (membership_id, user_id, organization_id, is_owner) VALUES (201, 201, 102, true);
SELECT is(tried('owner', command), '42501', format('S365: %s', command))
FROM (VALUES ('WITH a AS (UPDATE entitle.app_user SET is_active = false WHERE user_id = 201) DELETE FROM entitle.membership WHERE user_id = 201'),
             ('WITH a AS (DELETE FROM entitle.membership WHERE user_id = 201) UPDATE entitle.app_user SET is_active = false WHERE user_id = 201')) AS c (command);
UPDATE entitle.app_user SET is_active = false WHERE user_id = 211;
SELECT is(tried('owner', 'DELETE FROM entitle.membership WHERE membership_id = 199'), '1', 'R60: an owner who is switched off is ended by another');
DELETE FROM entitle.membership WHERE membership_id IN (198, 199);

-- S367: an invitation to an organization and to a customer is neither seen nor ended by who manages one of the two.
SELECT do_as('owner', 'SELECT entitle.invite_user(''kai'', ''member admin'', 102, customer_id => 101)');
SELECT do_as('owner', 'SELECT entitle.invite_user(''nora'', customer_id => 101)');
SELECT is(ask(login, 'SELECT string_agg(login, '' '' ORDER BY login) FROM entitle.invitation WHERE login <> ''fresh'''), sees, format('S367: %s', login))
FROM (VALUES ('owner', 'kai nora'), ('L80', 'nora'), ('admin', NULL), ('clerk', NULL)) AS c (login, sees);
SELECT is(ask(login, 'SELECT count(*) FROM entitle.change_log WHERE relation = ''entitle.pending_invitation''::regclass AND new_row ->> ''customer_id'' = ''101'''), sees,
          format('S367: in the log, %s', login))
FROM (VALUES ('owner', '2'), ('L80', '1'), ('admin', '0'), ('clerk', '0')) AS c (login, sees);
SELECT is(ask(login, format('SELECT entitle.withdraw_invitation(%s)', (SELECT max(invitation_id) - 1 FROM entitle.pending_invitation))), 'false', format('S367: %s ends none', login))
FROM unnest(ARRAY['L80', 'admin']) AS login;
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO entitle.change_log (relation, action, row_key) VALUES ('entitle.pending_invitation', 'truncate', '{}');
SELECT is(ask('clerk', 'SELECT count(*) FROM entitle.change_log WHERE action = ''truncate'''), '0', 'S367: an entry about no row shows to nobody');

-- S368: what the log and invitations tell of other organizations.
SELECT do_as('their admin', 'SELECT entitle.add_user(''vic'')');
SELECT do_as('L80', 'SELECT entitle.grant_access(101, ''vic'')');
SELECT is(ask('L80', 'SELECT string_agg(DISTINCT actor_login, '' '') FROM entitle.change_log WHERE actor_login LIKE ''their%'''), NULL,
          'S368: who set up a user elsewhere is not told');
SELECT is(ask('L80', 'SELECT string_agg(DISTINCT login, '' '') FROM entitle.app_user WHERE login = ''vic'''), 'vic', 'the user shows');
SELECT do_as('their admin', 'SELECT entitle.add_user(''val'')');
SELECT do_as('their admin', 'SELECT entitle.add_member(''val'', ''their admin'', brand_id => 105)');
SELECT do_as('their admin', 'SELECT entitle.invite_user(''vera'', brand_id => 105)');
DELETE FROM entitle.membership WHERE brand_id = 105;
UPDATE entitle.brand SET organization_id = 102 WHERE brand_id = 105;
SELECT is(ask('owner', 'SELECT count(*) FROM entitle.invitation WHERE brand_id = 105'), '0', 'S368: invitations do not go with a brand');
SELECT is(ask('owner', 'SELECT count(*) FROM entitle.change_log WHERE relation = ''entitle.membership''::regclass AND coalesce(new_row, old_row) ->> ''brand_id'' = ''105'''), '0',
          'S368: nor what roles its members had there');

-- S369: what a role listed in the organization that it came from.
SELECT do_as('their admin', 'SELECT entitle.create_role(''moving'', ''{members.manage}'', ''{}'', 103)');
SELECT do_as('owner', 'SELECT entitle.create_role(''staying'', ''{customers.view}'', ''{revenue}'', 102)');
UPDATE entitle.role SET organization_id = 102 WHERE name = 'moving';
SELECT is(ask('owner', 'SELECT string_agg(DISTINCT r.name || '' by '' || l.actor_login, '', '') FROM entitle.change_log l JOIN entitle.role r ON r.role_id = (l.row_key ->> ''role_id'')::bigint'
                       ' WHERE l.relation IN (''entitle.role_permission''::regclass, ''entitle.role_metric''::regclass)'), 'staying by owner', 'S369: is not told in the next');

SELECT * FROM finish();
ROLLBACK;
