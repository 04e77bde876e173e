-- An owner's grant stays (R43): every way that plain SQL has to take it away is refused with a hint, for everybody, and the row
-- is as it was (S79). Only force_revoke_owner takes it, and the log says why.
\ir setup.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'owner'), (102, 'admin'), (103, 'manager'), (104, 'unlimited'), (105, 'other');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (109, 1, 'access manager');
INSERT INTO entitle.role_permission VALUES (109, 'customers.view'), (109, 'external_access.manage'), (109, 'customers.edit');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (103, 1, 109);
INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id) VALUES (101, 'A', 'a', 'a', '1'), (102, 'B', 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_from, valid_until) VALUES
    (101, 101, 'L90', 30, '2020-01-01', '2100-01-01'), (101, 102, 'L80', 30, NULL, NULL), (101, 104, 'L90', NULL, NULL, NULL);
CREATE ROLE test_owner;
GRANT USAGE ON SCHEMA entitle TO test_owner;
GRANT SELECT, TRUNCATE ON ALL TABLES IN SCHEMA entitle TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.force_revoke_owner(bigint, text, text) TO test_owner;

CREATE TEMP TABLE attack (command) AS VALUES
    ('DELETE FROM entitle.external_access WHERE role = ''L90'''),
    ('DELETE FROM entitle.external_access'),
    ('UPDATE entitle.external_access SET role = ''L80'' WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET role = ''L10'' WHERE role = ''L90'''),
    ('UPDATE entitle.external_access SET days_back = 29 WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET days_back = 0 WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET days_back = 100000 WHERE user_id = 104'),
    ('UPDATE entitle.external_access SET valid_from = ''2020-01-02'' WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET valid_from = ''infinity'', valid_until = NULL WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET valid_until = ''2099-12-31'' WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET valid_until = ''2020-01-01'' WHERE user_id = 104'),
    ('UPDATE entitle.external_access SET user_id = 105 WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET customer_id = 102 WHERE user_id = 101'),
    ('UPDATE entitle.external_access SET customer_id = 102, user_id = 105, role = ''L10'' WHERE user_id = 101'),
    ('MERGE INTO entitle.external_access g USING (VALUES (101)) v (id) ON g.user_id = v.id WHEN MATCHED THEN DELETE'),
    ('MERGE INTO entitle.external_access g USING (VALUES (101)) v (id) ON g.user_id = v.id WHEN MATCHED THEN UPDATE SET role = ''L40'''),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 101, ''L30'')
      ON CONFLICT (customer_id, user_id) DO UPDATE SET role = excluded.role'),
    ('WITH gone AS (DELETE FROM entitle.external_access WHERE user_id = 101 RETURNING 1) SELECT count(*) FROM gone');
CREATE TEMP TABLE owners_attack (command) AS VALUES
    ('TRUNCATE entitle.external_access'),
    ('TRUNCATE entitle.customer CASCADE'),
    ('TRUNCATE entitle.app_user CASCADE'),
    ('TRUNCATE entitle.brand CASCADE'),
    ('DELETE FROM entitle.customer WHERE customer_id = 101'),
    ('DELETE FROM entitle.app_user WHERE user_id = 101'),
    ('UPDATE entitle.customer SET customer_id = 202 WHERE customer_id = 101'),
    ('UPDATE entitle.customer SET customer_uuid = gen_random_uuid() WHERE customer_id = 101'),
    ('UPDATE entitle.app_user SET user_id = 201 WHERE user_id = 101'),
    ('MERGE INTO entitle.customer c USING (VALUES (101)) v (id) ON c.customer_id = v.id WHEN MATCHED THEN DELETE');

CREATE FUNCTION owners() RETURNS text LANGUAGE sql
    AS $$ SELECT md5(string_agg(g::text, '|' ORDER BY g::text)) FROM entitle.external_access g WHERE role = 'L90' $$;
CREATE TEMP TABLE was AS SELECT owners() AS owners;

-- Runs a command; tells the SQLSTATE and whether there was a hint.
CREATE FUNCTION refused(command text, acting name DEFAULT NULL, login text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    hint text;
BEGIN
    IF login IS NOT NULL THEN
        PERFORM entitle.sign_in(login);
    END IF;
    IF acting IS NOT NULL THEN
        EXECUTE format('SET LOCAL ROLE %I', acting);
    END IF;
    EXECUTE command;
    RETURN 'not at all';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || CASE WHEN hint = '' THEN ' without a hint: ' || SQLERRM ELSE '' END;
END
$$;

SELECT is(refused(command), '42501', format('R43: a superuser is refused %s', command)) FROM attack;
SELECT is(refused(command), '42501', format('R43: a superuser is refused %s', command)) FROM owners_attack;
SET LOCAL session_replication_role = replica;
SELECT is(refused(command), '42501', format('R43: under replica, too: %s', command)) FROM attack;
SELECT is(refused(command), '42501', format('R43: under replica, too: %s', command)) FROM owners_attack;
RESET session_replication_role;
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
SELECT is(refused(command), '42501', format('R43: a session that restores, too: %s', command)) FROM attack;
SELECT is(refused(command), '42501', format('R43: a session that restores, too: %s', command)) FROM owners_attack;
RESET check_function_bodies;
RESET row_security;
SELECT is(refused(command, 'test_app', login), '42501', format('R43: %s is refused %s', login, command))
FROM attack, unnest(ARRAY['owner', 'admin', 'manager']) AS login
WHERE login = 'manager' OR command !~ 'user_id = 104' AND (login = 'admin' OR command !~ 'customer_id = 102|user_id = 105');
ALTER TABLE entitle.external_access OWNER TO test_owner;
ALTER TABLE entitle.customer OWNER TO test_owner;
ALTER TABLE entitle.app_user OWNER TO test_owner;
SELECT is(refused(command, 'test_owner'), '42501', format('R43: the tables'' owner is refused %s', command))
FROM (TABLE attack UNION ALL TABLE owners_attack) AS a
WHERE command !~ 'brand';
SELECT is(refused('UPDATE entitle.customer SET customer_code = ''C'' WHERE customer_id = 101', 'test_app', 'manager'), '42501',
          'R43: an editor does not give an owned customer another code');
SELECT is(owners(), (SELECT owners FROM was), 'R43: after all of it the owners'' grants are as they were');

-- What is not taking anything away.
SELECT lives_ok(command, format('R43 allows %s', command))
FROM unnest(ARRAY['UPDATE entitle.external_access SET notes = ''n'' WHERE user_id = 101',
                  'UPDATE entitle.external_access SET days_back = NULL, valid_from = NULL, valid_until = NULL WHERE user_id = 101',
                  'UPDATE entitle.customer SET trade_name = ''x'', customer_code = ''AA'' WHERE customer_id = 101',
                  'UPDATE entitle.app_user SET full_name = ''x'' WHERE user_id = 101',
                  'DELETE FROM entitle.external_access WHERE user_id = 102', 'DELETE FROM entitle.customer WHERE customer_id = 102']) AS command;
SELECT lives_ok('UPDATE entitle.app_user SET is_active = false WHERE user_id = 101', 'R43: an owner''s user may be switched off');
SELECT is(ask('manager', 'SELECT entitle.user_access_level(101, 101)'), '0', 'R43: which stops the person');
UPDATE entitle.app_user SET is_active = true WHERE user_id = 101;
SELECT is(ask('owner', 'SELECT entitle.access_level(101)'), '90', 'R43: and the grant waits');

-- The way there is.
SELECT is(refused(format('SELECT entitle.force_revoke_owner(101, ''owner'', ''moved away'')'), acting, login), '42501',
          format('R43: %s forces nothing', coalesce(login, acting)))
FROM (VALUES ('test_app', 'manager'), ('test_app', 'owner'), ('test_owner', NULL)) AS a (acting, login);
SELECT is(refused(format('SELECT entitle.force_revoke_owner(%s)', arguments)), '22023', format('R43: not with (%s)', arguments))
FROM unnest(ARRAY['101, ''owner'', ''''', '101, ''owner'', '' ''', '101, ''owner'', NULL', '101, ''nobody'', ''why''', '-1, ''owner'', ''why''',
                  'NULL, ''owner'', ''why''', '101, NULL, ''why''', '101, ''manager'', ''why''', '101, ''Owner'', ''why''']) AS arguments;
SELECT lives_ok($$ SELECT entitle.force_revoke_owner(101, 'owner', 'moved away') $$, 'R43: a superuser forces an owner''s grant away');
SELECT is((SELECT count(*) FROM entitle.external_access WHERE user_id = 101), 0::bigint, 'R43: it is gone');
SELECT results_eq(
    $$ SELECT action, reason, db_role, row_key, old_row ->> 'role', new_row FROM entitle.change_log ORDER BY change_id DESC LIMIT 1 $$,
    $$ VALUES ('force revoke', 'moved away', current_user::name, '{"customer_id": 101, "user_id": 101}'::jsonb, 'L90', NULL::jsonb) $$,
    'R43: it is logged with its reason');
SELECT is(refused('DELETE FROM entitle.external_access'), '42501', 'R43: other owners stay, now as before');
SELECT is(ask('owner', 'SELECT entitle.access_level(101)'), '0', 'R46: the right ended with it');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 101, 'L90');
SELECT is(refused('DELETE FROM entitle.external_access WHERE user_id = 101'), '42501', 'R43: who is an owner again, is one that stays: the force was for one time');

SELECT * FROM finish();
ROLLBACK;
