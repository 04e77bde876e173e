-- A pool's role: what a seal holds, and whom a pool may become (S20, S23, S30; R47, R49, R63).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_pool;
CREATE ROLE other_pool;
CREATE ROLE test_boss SUPERUSER;
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out, entitle.sign_in_token TO test_pool, other_pool;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES
    (1, 'ann', NULL), (2, 'bob', NULL), (3, 'owner', NULL), (4, 'manager', NULL), (5, 'boss', 'test_boss'), (6, 'member', NULL),
    (7, 'mapped', 'test_app');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (100, 1, 'manages access');
INSERT INTO entitle.role_permission VALUES (100, 'customers.view'), (100, 'external_access.manage');
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES
    (3, 1, NULL, true), (4, 1, 100, false), (6, 1, 5, false);

-- Runs as the pool; NULL where it succeeds, else SQLSTATE and message.
CREATE FUNCTION as_pool(command text, pool name DEFAULT 'test_pool') RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM set_config('role', pool, true);
    EXECUTE command;
    RESET ROLE;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION sealed() RETURNS text LANGUAGE sql AS $$ SELECT '55000 the identity of this session is sealed' $$;
CREATE FUNCTION unlisted() RETURNS text LANGUAGE sql AS $$ SELECT '42501 this login may not sign in' $$;

-- Whom a pool may become (S30).
SELECT is(as_pool($$ SELECT entitle.sign_in('ann') $$), NULL, 'S30: an external user needs no entry');
SELECT is(as_pool($$ SELECT entitle.sign_in('member') $$), NULL, 'S30: nor does staff');
SELECT is(as_pool(format('SELECT entitle.sign_in(%L)', login)), unlisted(), format('S30: the pool cannot become %s', login))
FROM unnest(ARRAY['owner', 'manager', 'boss']) AS login;
SELECT is(as_pool($$ SELECT entitle.sign_in('nobody') $$), unlisted(), 'S30: the same answer as for a login that does not exist');
SELECT lives_ok($$ SELECT entitle.sign_in('owner'), entitle.sign_in('manager'), entitle.sign_in('boss') $$,
                'S30: a superuser becomes anyone');
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT 'test_pool', unnest(ARRAY['owner', 'manager', 'boss']);
SELECT is(as_pool(format('SELECT entitle.sign_in(%L)', login)), NULL, format('S30: listed, the pool becomes %s', login))
FROM unnest(ARRAY['owner', 'manager', 'boss']) AS login;
SELECT is(as_pool($$ SELECT entitle.sign_in('owner') $$, 'other_pool'), unlisted(), 'S30: the list is each role''s own');
INSERT INTO entitle.role_permission VALUES (5, 'external_access.manage');
SELECT is(as_pool($$ SELECT entitle.sign_in('member') $$), unlisted(), 'S30: who becomes a manager needs an entry from then on');
UPDATE entitle.app_user SET login = 'owner of all' WHERE login = 'owner';
SELECT is(as_pool($$ SELECT entitle.sign_in('owner of all') $$), NULL, 'S30: an entry follows the login');
DELETE FROM entitle.sign_in_grant WHERE login = 'manager';
SELECT is(as_pool($$ SELECT entitle.sign_in('manager') $$), unlisted(), 'S30: an entry taken away counts at once');
ALTER ROLE test_pool RENAME TO renamed_pool;
SELECT is(as_pool($$ SELECT entitle.sign_in('boss') $$, 'renamed_pool'), NULL, 'S28: an entry follows its role');
CREATE ROLE test_pool;
GRANT EXECUTE ON FUNCTION entitle.sign_in TO test_pool;
SELECT is(as_pool($$ SELECT entitle.sign_in('boss') $$), unlisted(), 'S28: a new role of the old name inherits no entry');
DROP OWNED BY test_pool;
DROP ROLE test_pool;
ALTER ROLE renamed_pool RENAME TO test_pool;

-- One row for everybody (R63).
DELETE FROM entitle.sign_in_grant;
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES (8, 'role admin', true), (9, 'member admin', true), (10, 'gone', false), (11, 'shop admin', true),
    (12, 'owner of no brand', true), (13, 'shop role admin', true);
INSERT INTO entitle.organization (organization_id, name) VALUES (900, 'without brands');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'role admin'), (102, 1, 'member admin');
INSERT INTO entitle.role_permission VALUES (101, 'roles.manage'), (102, 'members.manage');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (8, 1, 101), (9, 1, 102);
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (12, 900, true);
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (11, 1, 102), (13, 1, 101);
SELECT is(as_pool(format('SELECT entitle.sign_in(%L)', login)), unlisted(), format('S30: without an entry the pool becomes no %s', login))
FROM unnest(ARRAY['owner of all', 'owner of no brand', 'manager', 'role admin', 'member admin', 'shop admin', 'shop role admin', 'boss', 'gone']) AS login;
INSERT INTO entitle.sign_in_grant (db_role) VALUES ('test_pool');
SELECT is(as_pool(format('SELECT entitle.sign_in(%L)', login)), NULL, format('R63: an entry without login is one for %s', login))
FROM unnest(ARRAY['owner of all', 'owner of no brand', 'manager', 'role admin', 'member admin', 'shop admin', 'shop role admin', 'ann']) AS login;
CREATE FUNCTION lent(login text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT entitle.sign_in(login)';
ALTER FUNCTION lent OWNER TO test_pool;
SELECT is(as_pool($$ SELECT lent('manager') $$), NULL, 'R63: the pool by a function of its own');
SELECT is(as_pool($$ SELECT lent('manager') $$, 'other_pool'), unlisted(), 'R63: a function of the pool signs in nobody for another role');
ALTER FUNCTION lent OWNER TO other_pool;
SELECT throws_ok($$ SELECT lent('manager') $$, '42501', 'this login may not sign in', 'R63: nor one of another role for the pool, or for a superuser');
SELECT is(as_pool($$ SELECT lent('manager') $$), unlisted(), 'R63: whoever calls it');
SELECT is(as_pool(format('SELECT entitle.sign_in(%L)', login)), unlisted(), format('R63: but not for %s', login))
FROM unnest(ARRAY['boss', 'gone', 'nobody']) AS login;
SELECT is(as_pool($$ SELECT entitle.sign_in('manager') $$, 'other_pool'), unlisted(), 'R63: nor for another role');
SELECT throws_ok($$ INSERT INTO entitle.sign_in_grant (db_role) VALUES ('test_pool') $$, '23505', NULL, 'R63: one is enough');
SELECT throws_ok($$ INSERT INTO entitle.sign_in_grant (login) VALUES ('ann') $$, '23502', NULL, 'an entry names a role');
DELETE FROM entitle.sign_in_grant;
SELECT is(as_pool($$ SELECT entitle.sign_in('manager') $$), unlisted(), 'R63: an entry taken away counts at once');
ALTER ROLE other_pool RENAME TO renamed_other;
INSERT INTO entitle.sign_in_grant (db_role) VALUES ('renamed_other');
ALTER ROLE renamed_other RENAME TO other_pool;
SELECT results_eq($$ SELECT finding, remedy FROM entitle.lint() WHERE object = 'entitle.sign_in_grant' $$,
                  $$ VALUES ('lists everybody for database role renamed_other, which is called other_pool now',
                             'UPDATE entitle.sign_in_grant SET db_role = ''other_pool'' WHERE db_role = ''renamed_other'' AND login IS NULL;') $$,
                  'R63: lint tells of an entry that counts for nothing');

SELECT entitle.sign_out() \g /dev/null
SELECT is(as_pool('SELECT * FROM entitle.sign_in_grant'), '42501 permission denied for table sign_in_grant', 'the list is not the pool''s to read');
SELECT throws_ok($$ INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_pool', 'no such login') $$, '23503', NULL,
                 'an entry names a user who exists');

-- Seals (S23): what runs in the session, with every right of the pool, becomes nobody else without the seal.
SELECT is(as_pool($$ SELECT entitle.sign_in('ann', seal => 'secret') $$), NULL, 'S23: a sealed sign-in');
SELECT is(as_pool($$ SELECT entitle.sign_in('bob') $$), sealed(), 'S23: a second sign-in needs the seal');
SELECT is(as_pool(format('SELECT entitle.sign_in(''bob'', seal => %L)', seal)), sealed(), format('S23: the seal, not %L', seal))
FROM unnest(ARRAY['', 'Secret', 'secret ', encode(sha256('secret'), 'hex')]) AS seal;
SELECT is(as_pool($$ SELECT entitle.sign_out() $$), sealed(), 'S23: signing out needs it');
SELECT is(as_pool($$ SELECT entitle.sign_in_token('x') $$), sealed(), 'S23: a token does not replace it');
SELECT is(entitle.current_login(), 'ann', 'S23: none of that changed who is asking');
SELECT is(as_pool('RESET ALL'), NULL, 'S23: RESET ALL is not refused');
SELECT is(entitle.current_login(), NULL, 'S23: and ends the identity');
SELECT is(as_pool($$ SELECT entitle.sign_in('bob') $$), sealed(), 'S23: but not the seal');
SELECT is(as_pool('SET SESSION entitle.token = ''x'''), NULL, 'S23: a token may be set');
SET LOCAL ROLE test_app;
SELECT entitle.current_login() IS NULL AS is_nobody \gset
RESET ROLE;
SELECT ok(:'is_nobody', 'S23: but under a seal neither a token nor the role''s own user comes after who was signed in');
SELECT is(as_pool('RESET entitle.token'), NULL, 'the token is taken back');
SELECT is(as_pool('RESET entitle.seal'), '42501 permission denied to set parameter "entitle.seal"', 'S23: the seal itself is not the pool''s to set');
SELECT is(as_pool('SET LOCAL entitle.seal = '''''), '42501 permission denied to set parameter "entitle.seal"', 'S23: in no way');
SELECT is(as_pool('SELECT current_setting(''entitle.seal'')') ~ '^42501', true, 'S23: nor to read');
SELECT is(as_pool($$ SELECT entitle.sign_in('bob', seal => 'secret') $$), NULL, 'S23: with the seal another user signs in');
SELECT is(entitle.current_login(), 'bob', 'S23: and is asking');
SELECT is(as_pool($$ SELECT entitle.sign_out('secret') $$), NULL, 'S23: with the seal signing out works');
SELECT is(as_pool($$ SELECT entitle.sign_in('ann') $$), NULL, 'S23: after which nothing is sealed');

SELECT is(as_pool($$ SELECT entitle.sign_in('ann', seal => '') $$), '22023 the seal is empty', 'S23: a secret that was never filled in is no seal');

-- A seal is as transactional as the identity it holds (R47).
SELECT entitle.sign_out() \g /dev/null
SAVEPOINT before;
SELECT entitle.sign_in('ann', true, 'secret') \g /dev/null
ROLLBACK TO before;
SELECT is(as_pool($$ SELECT entitle.sign_in('bob') $$), NULL, 'R47: a sealed sign-in that was rolled back seals nothing');
SELECT entitle.sign_in('ann', false, 'secret') \g /dev/null
SAVEPOINT before;
SELECT entitle.sign_out('secret') \g /dev/null
ROLLBACK TO before;
SELECT is(as_pool($$ SELECT entitle.sign_in('bob') $$), sealed(), 'R47: a sign-out that was rolled back leaves the seal');
SELECT entitle.sign_out('secret') \g /dev/null

SELECT * FROM finish();
ROLLBACK;
