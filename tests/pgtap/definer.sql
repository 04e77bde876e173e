-- Inside another role's SECURITY DEFINER function a superuser who called it is no superuser to entitle: what the function calls of
-- the extension's own, it may do as its owner alone (R53; S34).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_stranger;
CREATE ROLE test_boss SUPERUSER;
CREATE SCHEMA stranger AUTHORIZATION test_stranger;
GRANT test_stranger TO test_app;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann'), (2, 'mallory'), (3, 'staff');
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 3, 1, role_id FROM entitle.role WHERE name = 'operations user';
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', '1');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (1, 1, 'L30');
CREATE TABLE keys AS SELECT permission_key FROM entitle.permission;
GRANT SELECT ON keys TO test_stranger;
CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint);
SELECT entitle.protect_table('orders', 'customer_id');
GRANT INSERT ON entitle.external_access TO test_stranger;
GRANT EXECUTE ON FUNCTION entitle.grant_access, entitle.revoke_access, entitle.deactivate_customer, entitle.recalc_scores TO test_stranger;
CREATE FUNCTION run_stranger(command text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    AS $$ DECLARE answer text; BEGIN EXECUTE command INTO answer; RETURN answer; END $$;
ALTER FUNCTION run_stranger(text) OWNER TO test_stranger;
CREATE FUNCTION run_boss(command text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    AS $$ DECLARE answer text; BEGIN EXECUTE command INTO answer; RETURN answer; END $$;
ALTER FUNCTION run_boss(text) OWNER TO test_boss;

SELECT is(entitle.acting_superuser(), true, 'a superuser acts as one');
SELECT is(run_boss('SELECT entitle.acting_superuser()'), 'true', 'in another superuser''s function, too');
SELECT is(run_stranger('SELECT entitle.acting_superuser()'), 'false', 'but not in a stranger''s');
SELECT is(run_stranger('SELECT run_boss(''SELECT entitle.acting_superuser()'')'), 'true', 'a superuser''s function is in charge of what it does, whoever calls it');
SELECT is(run_boss('SELECT run_stranger(''SELECT entitle.acting_superuser()'')'), 'false', 'and a stranger''s of what that does');
SELECT is(run_stranger('SELECT entitle_internal.definer_in_charge()::regrole'), 'test_stranger', 'the one in charge is known');
SELECT is(entitle_internal.definer_in_charge(), NULL, 'until the function returns');
SELECT throws_ok($$ SELECT run_stranger('SELECT 1 / 0') $$, '22012', NULL, 'or fails');
SELECT is(entitle_internal.definer_in_charge(), NULL, 'which leaves nobody in charge');
CREATE FUNCTION refused(command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM run_stranger(command);
    RETURN 'done';
EXCEPTION WHEN insufficient_privilege THEN
    RETURN CASE WHEN SQLERRM LIKE 'permission denied for %' AND SQLERRM NOT LIKE '%this customer' THEN SQLERRM ELSE 'refused' END;
END
$$;
SELECT is(refused(command), 'refused', format('a stranger''s function, called by a superuser: %s', command))
FROM unnest(ARRAY[
    'SELECT entitle.grant_access(1, ''mallory'', ''L90'')',
    'INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (1, 2, ''L90'')',
    'SELECT entitle.revoke_access(1, ''ann'')',
    'SELECT entitle.deactivate_customer(1)',
    'SELECT entitle.recalc_scores()',
    'SELECT entitle_internal.forget_protection(''orders'')',
    'SELECT entitle_internal.forget_privileges(''orders'')',
    'SELECT entitle_internal.record_protection(ROW(''orders'', ''customer_id'', NULL, NULL, 10, NULL, NULL, NULL, NULL, NULL, NULL, ''{}'', NULL, NULL, NULL, false, NULL)::entitle.protection)']) AS command;
SELECT is(run_stranger(question), expected, format('nor does it read: %s', question))
FROM (VALUES ('SELECT count(*) FROM entitle.customer_access(1)', '0'), ('SELECT count(*) FROM entitle.user_access(''ann'')', '0'),
             ('SELECT count(*) FROM entitle.permission_matrix()', '0'),
             ('SELECT entitle.user_access_level(1, 1)', '0'),
             ('SELECT bool_or(entitle.user_has_permission(3, permission_key, 1)) FROM keys', 'false'),
             ('SELECT bool_or(passed) FROM entitle.explain_permission(''customers.view'', ''ann'')', 'false')) AS v (question, expected);
-- What runs in parallel workers is asked there.
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
SELECT is(run_stranger('SELECT bool_or(entitle.user_has_permission(3, permission_key, 1)) OR max(entitle.user_access_level(1, 1)) > 0 FROM keys'),
          'false', 'nor does it in a parallel worker');
SELECT is(run_boss('SELECT bool_or(entitle.user_has_permission(3, permission_key, 1)) AND max(entitle.user_access_level(1, 1)) = 30 FROM keys'),
          'true', 'where a superuser''s function does');
SELECT set_config(name, reset_val, true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
SELECT is((SELECT count(*) FROM entitle.protected_tables), 1::bigint, 'what was declared is still there');
SELECT is((SELECT string_agg(role, ' ') FROM entitle.external_access), 'L30', 'and so is what was granted');
SELECT lives_ok(format('SELECT run_boss(%L)', command), format('a superuser''s function may: %s', command))
FROM unnest(ARRAY['SELECT entitle.grant_access(1, ''mallory'', ''L40'')', 'SELECT entitle.revoke_access(1, ''mallory'')', 'SELECT entitle.unprotect_table(''orders'')']) AS command;

-- An owner's function declares for the owner's tables.
CREATE TABLE stranger.papers (paper_id integer PRIMARY KEY, customer_id bigint);
ALTER TABLE stranger.papers OWNER TO test_stranger;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_stranger;
SELECT lives_ok($$ SELECT run_stranger('SELECT entitle.protect_table(''stranger.papers'', ''customer_id'')') $$, 'a stranger''s function protects the stranger''s own table');
SELECT is((SELECT count(*) FROM entitle.protected_tables), 1::bigint, 'and that is declared');

SELECT finish();
ROLLBACK;
