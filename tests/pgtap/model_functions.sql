-- Who may execute what, and what the planner may believe about it (S9, S20, S70).
\ir setup.psql
SELECT no_plan();

-- What PUBLIC may execute, complete: checks about oneself, what carries them in policies, and what a table's owner does with
-- rights of his own. Nothing here changes an identity or the model.
CREATE TEMP TABLE public_function (signature) AS VALUES
    -- identity
    ('acting_superuser()'),
    ('current_brand_id()'),
    ('current_customer_id()'),
    ('current_login()'),
    ('current_user_id()'),
    ('use_brand(bigint)'),
    ('use_customer(bigint)'),
    -- permission
    ('allowed_capabilities(text,bigint)'),
    ('has_capability(text)'),
    ('has_capability(text,bigint)'),
    ('has_metric(text)'),
    ('has_metric(text,bigint)'),
    ('has_permission(text)'),
    ('has_permission(text,bigint)'),
    ('permitted_brands(text)'),
    ('user_has_permission(bigint,text,bigint)'),
    ('visible_metrics(bigint)'),
    -- access
    ('access_level(bigint)'),
    ('access_level(text)'),
    ('access_level(uuid)'),
    ('accessible_customer_codes(integer)'),
    ('accessible_customer_uuids(integer)'),
    ('accessible_customers(integer)'),
    ('days_back_filter(bigint,date)'),
    ('days_back_filter(bigint,timestamp with time zone)'),
    ('days_back_filter(bigint,timestamp without time zone)'),
    ('days_back_filter(text,date)'),
    ('days_back_filter(text,timestamp with time zone)'),
    ('days_back_filter(text,timestamp without time zone)'),
    ('days_back_filter(uuid,date)'),
    ('days_back_filter(uuid,timestamp with time zone)'),
    ('days_back_filter(uuid,timestamp without time zone)'),
    ('manages_access(bigint)'),
    ('user_access_level(bigint,bigint)'),
    -- score: recalc_scores looks at its caller itself
    ('can_score(bigint)'),
    ('recalc_scores()'),
    -- planner: what its conditions call
    ('accessible_customer(integer,integer)'),
    ('earliest_visible_date(integer)'),
    ('earliest_visible_timestamp(integer)'),
    ('earliest_visible_timestamptz(integer)'),
    ('permitted_brand(text,integer)'),
    -- log
    ('log_shows(regclass,jsonb,jsonb)'),
    -- protection
    ('brand_row_allowed(text,"any",integer,"any")'),
    ('brand_row_allowed(text,"any",integer,"any","any")'),
    ('row_allowed(text,integer,"any")'),
    ('row_allowed(text,integer,"any","any")'),
    ('refuse_write()'),
    ('check_protectable(regclass)'),
    ('check_protection(protection)'),
    ('check_protection_column(regclass,text,name,regtype[])'),
    ('check_protection_level(text,integer)'),
    ('check_unprotectable(regclass)'),
    ('forget_protection(regclass)'),
    ('install_protection(protection,regclass)'),
    ('may_declare(regclass,regprocedure)'),
    ('protection_family(regclass)'),
    ('protection_test(protection,text,integer,text)'),
    ('record_protection(protection)'),
    ('remove_protection(regclass)'),
    -- visibility
    ('can_link(bigint)'),
    ('customer_allowed(bigint,text)'),
    ('manages_user(bigint)'),
    ('own_brands()'),
    ('own_organizations()'),
    ('own_roles()'),
    ('own_user()'),
    ('owned_brands()'),
    ('owned_organizations()'),
    -- explain: what the caller may know is decided inside
    ('explain_action(regclass,text,text,text)'),
    ('explain_capability(text,text,bigint)'),
    ('explain_metric(text,text,bigint)'),
    ('explain_permission(text,text,bigint)'),
    ('explain_row(regclass,text,text)'),
    -- report: as explain
    ('customer_access(bigint)'),
    ('permission_matrix(bigint)'),
    ('permission_matrix(bigint,bigint)'),
    ('user_access(text)');

SET LOCAL search_path = entitle, public;
CREATE TEMP VIEW our_function AS
    SELECT p.*, p.oid::regprocedure::text AS signature
    FROM pg_proc p
    WHERE p.pronamespace = 'entitle'::regnamespace;

SELECT set_eq(
    $$ SELECT f.signature FROM our_function f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) x
       WHERE x.grantee = 0 $$,
    'SELECT signature FROM public_function', 'S20: PUBLIC may execute these functions and no others');
SELECT is_empty(
    $$ SELECT f.signature, x.grantee::regrole FROM our_function f, aclexplode(f.proacl) x
       WHERE x.grantee NOT IN (0, f.proowner) OR x.is_grantable AND x.grantee <> f.proowner $$,
    'S20: nobody else has a privilege of his own');
SELECT is_empty(
    'SELECT signature FROM our_function WHERE proacl IS NULL', 'S20: no function is left to the default privileges');
SELECT is_empty(
    $$ SELECT signature FROM our_function
       WHERE proname IN ('sign_in', 'sign_out', 'protect_table', 'unprotect_table')
         AND has_function_privilege('test_app', oid, 'EXECUTE') $$,
    'an ordinary role neither signs in nor protects tables unless the DBA grants it');

-- Labels.
SELECT set_eq('SELECT signature FROM our_function WHERE proleakproof',
    $$ SELECT signature FROM public_function WHERE signature LIKE '%row\_allowed(%' $$,
    'S9: the row tests are leakproof, and nothing else is');
SELECT set_eq($$ SELECT signature FROM our_function WHERE provolatile = 'i' $$,
    ARRAY['check_protection_level(text,integer)', 'shipped_key(jsonb,text[])', 'shown_test(text)'],
    'S9: nothing that knows an identity or reads a table is immutable');
SELECT is_empty(
    $$ SELECT signature, provolatile, proparallel FROM our_function
       WHERE prorettype <> 'trigger'::regtype AND prorettype <> 'internal'::regtype
         AND NOT (provolatile IN ('s', 'i') AND proparallel = 's' OR provolatile = 'v' AND proparallel = 'u') $$,
    'S9: what reads is stable and parallel safe, what writes is volatile and parallel unsafe');
SELECT set_eq(
    $$ SELECT f.signature FROM our_function f JOIN public_function USING (signature) WHERE f.provolatile = 'v' $$,
    ARRAY['use_brand(bigint)', 'use_customer(bigint)', 'recalc_scores()', 'refuse_write()', 'forget_protection(regclass)',
          'install_protection(protection,regclass)', 'record_protection(protection)', 'remove_protection(regclass)'],
    'S9: of what PUBLIC may execute, these are volatile');
SELECT is_empty(
    $$ SELECT f.signature FROM our_function f JOIN public_function USING (signature)
       JOIN pg_language l ON l.oid = f.prolang
       WHERE l.lanname = 'c' AND f.proisstrict $$,
    'a NULL argument reaches the check, which denies');
SELECT is_empty(
    $$ SELECT f.signature FROM our_function f JOIN pg_language l ON l.oid = f.prolang
       WHERE l.lanname <> 'c' AND 'search_path=pg_catalog, pg_temp' <> ALL (coalesce(f.proconfig, '{}')) $$,
    'S70: functions in SQL and PL/pgSQL pin their search_path');

-- What runs with the owner's rights, complete.
SELECT set_eq('SELECT proname FROM our_function WHERE prosecdef', ARRAY[
    'apply_removals', 'begin_restore', 'check_home', 'check_membership', 'check_prerequisite',
    'customer_allowed', 'deactivate_customer', 'end_restore', 'forget_protection', 'grant_access', 'manages_user',
    'log_shows', 'mark_change', 'mark_removal', 'own_brands', 'own_organizations', 'own_roles', 'own_user', 'owned_brands', 'owned_organizations', 'reactivate_customer',
    'recalc_scores', 'record_protection', 'record_removal', 'revoke_access', 'set_metric_value',
    'skip_known_removal',
    'declared_protection', 'explain_action', 'customer_access', 'permission_matrix', 'user_access',
    'verify_protection', 'lint']::name[],
    'these functions are SECURITY DEFINER');

-- The interface: names, arguments and defaults an application relies on.
SELECT is(pg_get_function_arguments(oid), arguments, format('%s takes what the interface says', name))
FROM (VALUES
    ('sign_in', 'login text, session_wide boolean DEFAULT false, seal text DEFAULT NULL::text'),
    ('sign_out', 'seal text DEFAULT NULL::text'),
    ('use_brand', 'brand_id bigint'),
    ('use_customer', 'customer_id bigint'),
    ('visible_metrics', 'brand_id bigint DEFAULT NULL::bigint'),
    ('permitted_brands', 'permission text'),
    ('allowed_capabilities', 'section text, brand_id bigint DEFAULT NULL::bigint'),
    ('accessible_customers', 'min_level integer DEFAULT 10'),
    ('can_score', 'customer_id bigint'),
    ('user_has_permission', 'user_id bigint, permission text, brand_id bigint'),
    ('user_access_level', 'user_id bigint, customer_id bigint'),
    ('explain_permission', 'permission text, login text DEFAULT NULL::text, brand_id bigint DEFAULT NULL::bigint'),
    ('explain_row', 'relation regclass, key text, login text DEFAULT NULL::text'),
    ('unprotect_table', 'relation regclass'),
    ('protect_table',
     'relation regclass, customer_column name DEFAULT NULL::name, date_column name DEFAULT NULL::name,'
     ' brand_column name DEFAULT NULL::name, min_level integer DEFAULT 10, view_permission text DEFAULT NULL::text,'
     ' insert_permission text DEFAULT NULL::text, update_permission text DEFAULT NULL::text,'
     ' delete_permission text DEFAULT NULL::text, external_insert_level integer DEFAULT NULL::integer,'
     ' external_update_level integer DEFAULT NULL::integer, masked_columns jsonb DEFAULT ''{}''::jsonb,'
     ' view_name text DEFAULT NULL::text, parent regclass DEFAULT NULL::regclass')
) AS i (name, arguments)
JOIN our_function f ON f.proname = i.name;
SELECT is(pg_get_function_result('entitle.recalc_scores()'::regprocedure), 'TABLE(recalculated bigint, changed bigint)',
          'recalc_scores gives what the interface says');

SELECT * FROM finish();
ROLLBACK;
