-- Signed tokens where no keys are configured: nothing verifies, nothing falls back, nothing is told (S121; R1, R48, R49).
-- Tokens that verify, and those that must not, are put to a server by tests/client/token_test.cpp.
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_mapped;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'ann', 'test_mapped'), (2, 'bob', NULL);

-- Unsigned, and as any key would sign it: a header and claims for ann.
CREATE TEMP TABLE token (name, token) AS VALUES
    ('unsigned', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.'), ('signed', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDB9.AAAA'),
    ('empty', ''), ('NULL', NULL), ('a login', 'ann'), ('an id', '1'), ('long', repeat('a', 100000)), ('dots', repeat('.', 9000));

SELECT throws_ok(format('SELECT entitle.sign_in_token(%L)', token), '28000', 'the token does not verify', 'S121: ' || name || ' signs nobody in')
FROM token;
SELECT is(entitle.current_login(), NULL, 'and leaves nobody behind');

SET LOCAL ROLE test_mapped;
SELECT is(entitle.current_login(), 'ann', 'without a token the role''s user is asking');
SET LOCAL entitle.token = 'rubbish';
SELECT is(entitle.current_login(), NULL, 'S121: a token that does not verify is nobody, not the role''s user');
SELECT is(entitle.has_permission('customers.view'), false, 'R48: a check answers');
SELECT is(entitle.access_level(1), 0, 'R48: and denies');
SELECT is(entitle.accessible_customers(), '{}', 'R48: and lists nothing');
SET LOCAL entitle.token = '';
SELECT is(entitle.current_login(), 'ann', 'an empty token is no token');
RESET ROLE;

SELECT throws_ok('ALTER ROLE test_app SET entitle.token = ''x''', '22023', NULL, 'R49: no role is given a token by its settings');
SELECT throws_ok(format('ALTER DATABASE %I SET entitle.token = ''x''', current_database()), '22023', NULL, 'R49: nor a database''s users');
SELECT throws_ok('ALTER SYSTEM SET entitle.token = ''x''', NULL, NULL, 'R49: nor everybody');
SELECT is_empty($$ SELECT name FROM pg_settings WHERE name IN ('entitle.token', 'entitle.seal', 'entitle.identity') $$,
                'S119: the settings that carry something are listed nowhere');

SET LOCAL ROLE test_app;
SELECT throws_ok(format('SET %s = ''x''', name), '55P02', NULL, format('R49: %s is set in the server configuration only', name))
FROM unnest(ARRAY['entitle.token_keys_file', 'entitle.token_audience', 'entitle.token_issuer']) AS name;
SELECT throws_ok('SHOW entitle.token_keys_file', '42501', NULL, 'S119: where the keys are is the superuser''s to know');
SELECT throws_ok('SELECT entitle.sign_in_token(''x'')', '42501', NULL, 'S20: sign_in_token is not for everyone');
RESET ROLE;

-- A cursor keeps the user it was opened by (S6).
DECLARE open CURSOR FOR SELECT 1;
SELECT throws_ok('SET entitle.token = ''other''', '55000', 'cannot change the token while a cursor is open', 'S6: the token stays while a cursor is open');
SELECT throws_ok('SELECT entitle.sign_in_token(''x'')', '55000', 'cannot sign in while a cursor is open', 'S6: nobody signs in by token either');
CLOSE open;
DECLARE held CURSOR WITH HOLD FOR SELECT 1;
SELECT throws_ok('SELECT entitle.sign_in_token(''x'')', '55000', NULL, 'S7: nor while a cursor WITH HOLD is');
CLOSE held;

SELECT * FROM finish();
ROLLBACK;
