-- A user who was switched off is nobody, however the identity came: nothing is read, written, chosen or given up, and nobody is named
-- (R1; S156). Switched on again, everything is as it was.
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_mapped;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app, test_mapped;
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.revoke_access, entitle.grant_access TO test_app, test_mapped;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (101, 'signed in', NULL), (102, 'mapped', 'test_mapped'), (103, 'other', NULL);
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'everything');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 101), (102, 1, 101);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L80', NULL), (101, 102, 'L80', NULL), (101, 103, 'L30', NULL);
INSERT INTO entitle.client_metric (metric_id, name) VALUES (101, 'pays');

-- What became of a command as the user of a role: the value, the number of rows or the SQLSTATE.
CREATE FUNCTION became(role name, command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    told text;
    touched bigint;
BEGIN
    BEGIN
        PERFORM set_config('role', role, true);
        IF command ~ '^SELECT' THEN
            EXECUTE command INTO told;
        ELSE
            EXECUTE command;
            GET DIAGNOSTICS touched = ROW_COUNT;
            told := touched || ' rows';
        END IF;
        RESET ROLE;
        RAISE EXCEPTION USING ERRCODE = 'RB000';
    EXCEPTION
        WHEN SQLSTATE 'RB000' THEN
            RETURN told;
        WHEN OTHERS THEN
            RETURN SQLSTATE;
    END;
END
$$;

-- Each with what an active user gets, and what one gets who was switched off.
CREATE TEMP TABLE question (command, active, inactive) AS VALUES
    ('SELECT entitle.current_login() IS NULL AND entitle.current_user_id() IS NULL AND entitle.own_user() IS NULL', 'false', 'true'),
    ('SELECT entitle.current_brand_id()', '1', NULL),
    ('SELECT entitle.has_permission(''customers.view'')', 'true', 'false'),
    ('SELECT entitle.access_level(101)', '80', '0'),
    ('SELECT entitle.accessible_customers()', '{101}', '{}'),
    ('SELECT count(*) > 0 FROM entitle.external_access', 'true', 'false'),
    ('SELECT count(*) > 0 FROM entitle.app_user', 'true', 'false'),
    ('SELECT count(*) > 0 FROM entitle.membership', 'true', 'false'),
    ('SELECT count(*) > 0 FROM entitle.customer', 'true', 'false'),
    ('SELECT count(*) > 0 FROM entitle.customer_profile', 'true', 'false'),
    ('SELECT entitle.use_brand(1)', '', '42501'),
    ('SELECT entitle.use_customer(101)', '', '42501'),
    ('SELECT entitle.revoke_access(101, :login)', 'true', '42501'),
    ('SELECT entitle.revoke_access(101, NULL)', 'false', '42501'),
    ('SELECT entitle.revoke_access(101, ''other'')', 'true', '42501'),
    ('SELECT entitle.grant_access(101, :login, ''L10'', NULL)', '', '42501'),
    ('SELECT entitle.grant_access(101, ''other'', ''L10'')', '', '42501'),
    ('DELETE FROM entitle.external_access WHERE user_id IN (101, 102)', '2 rows', '0 rows'),
    ('UPDATE entitle.external_access SET role = ''L10'' WHERE user_id = 103', '1 rows', '0 rows'),
    ('INSERT INTO entitle.client_metric (name) VALUES (''x'')', '1 rows', '42501'),
    ('INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (''x'', ''x'', ''x'')', '1 rows', '42501'),
    ('INSERT INTO entitle.customer_metric VALUES (101, 101, 1)', '1 rows', '42501'),
    ('INSERT INTO entitle.integration_link VALUES (101, ''x'', ''x'')', '1 rows', '42501'),
    ('SELECT recalculated FROM entitle.recalc_scores()', '1', '42501');

SELECT is(became('test_mapped', replace(command, ':login', '''mapped''')), active, 'mapped and active: ' || command) FROM question;
UPDATE entitle.app_user SET is_active = false WHERE login = 'mapped';
SELECT is(became('test_mapped', replace(command, ':login', '''mapped''')), inactive, 'S156, R1: mapped and switched off: ' || command) FROM question;
UPDATE entitle.app_user SET is_active = true WHERE login = 'mapped';
SELECT is(became('test_mapped', replace(command, ':login', '''mapped''')), active, 'mapped and active again: ' || command) FROM question;

SELECT entitle.sign_in('signed in', true) \g /dev/null
SELECT is(became('test_app', replace(command, ':login', '''signed in''')), active, 'signed in and active: ' || command) FROM question;
UPDATE entitle.app_user SET is_active = false WHERE login = 'signed in';
SELECT is(became('test_app', replace(command, ':login', '''signed in''')), inactive, 'S156, R1: signed in and switched off: ' || command) FROM question;
-- The log names nobody who was switched off, whoever writes in such a session.
UPDATE entitle.customer SET notes = 'x' WHERE customer_id = 101;
SELECT is((SELECT actor_login FROM entitle.change_log ORDER BY change_id DESC LIMIT 1), NULL, 'S156: the log names nobody who was switched off');
UPDATE entitle.app_user SET is_active = true WHERE login = 'signed in';
SELECT is(became('test_app', replace(command, ':login', '''signed in''')), active, 'signed in and active again: ' || command) FROM question;
SELECT entitle.sign_out() \g /dev/null

SELECT * FROM finish();
ROLLBACK;
