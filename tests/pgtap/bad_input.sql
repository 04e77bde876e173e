-- Bad input is refused by its SQLSTATE, in the field's words, with a hint, and nothing is changed: once for every CHECK of the
-- model, and for every trigger that refuses anything. A new one without a line here fails.
\ir setup.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'ann'), (102, 'owner'), (103, 'sales'), (104, 'boss');
INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, NULL, 'alone');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (108, 102, 'clerk');
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id) VALUES (101, 101, 102, 108);
INSERT INTO entitle.membership (membership_id, user_id, organization_id, is_owner) VALUES (104, 104, 102, true);
INSERT INTO entitle.membership (user_id, organization_id, role_id)
SELECT 103, 1, role_id FROM entitle.role WHERE organization_id = 1 AND name = 'sales';
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, status, country, address, contact_email)
VALUES (101, 'a', 'a', '1', 'ACTV', 'c', 'a', 'e'), (102, 'b', 'b', '2', 'INAC', NULL, NULL, NULL);
INSERT INTO entitle.client_metric (metric_id, name) VALUES (101, 'pays');
INSERT INTO entitle.customer_metric VALUES (101, 101, 50);
INSERT INTO entitle.integration_link VALUES (101, 'freshbooks', 'f');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 102, 'L90'), (101, 101, 'L30');

CREATE TABLE adopted (login text PRIMARY KEY);
INSERT INTO adopted VALUES ('adopted');
SELECT entitle.adopt_users('adopted', 'login');

-- By whom (NULL: a superuser), what, and how it is refused.
CREATE TEMP TABLE input (guarded_by, login, command, sqlstate, words) AS VALUES
    -- CHECKs. A superuser is told in the same words: triggers stand before them.
    ('app_user_login_check', NULL, 'INSERT INTO entitle.app_user (login) VALUES ('' '')', '23514', 'field "login" cannot be blank'),
    ('app_user_login_check', NULL, 'UPDATE entitle.app_user SET login = ''ann '' WHERE user_id = 101', '23514', 'a login neither begins nor ends with a blank'),
    ('organization_name_check', NULL, 'INSERT INTO entitle.organization (name) VALUES ('''')', '23514', 'field "name" cannot be blank'),
    ('plan_key_check', NULL, 'INSERT INTO entitle.plan VALUES (E''\t'')', '23514', 'field "plan_key" cannot be blank'),
    ('brand_name_check', NULL, 'UPDATE entitle.brand SET name = '' '' WHERE brand_id = 102', '23514', 'field "name" cannot be blank'),
    ('brand_code_check', NULL, 'UPDATE entitle.brand SET brand_code = E''\n'' WHERE brand_id = 102', '23514', 'field "brand_code" cannot be blank'),
    ('module_key_check', NULL, 'INSERT INTO entitle.module VALUES ('' '')', '23514', 'field "module_key" cannot be blank'),
    ('permission_key_check', NULL, 'INSERT INTO entitle.permission VALUES ('' '')', '23514', 'field "permission_key" cannot be blank'),
    ('capability_key_check', NULL, 'INSERT INTO entitle.capability VALUES ('' '')', '23514', 'field "capability_key" cannot be blank'),
    ('metric_key_check', NULL, 'INSERT INTO entitle.metric VALUES ('' '')', '23514', 'field "metric_key" cannot be blank'),
    ('metric_key_check', NULL, 'INSERT INTO entitle.metric VALUES ('' *'')', '23514', 'a metric is not called "\*"'),
    ('role_name_check', NULL, 'UPDATE entitle.role SET name = '''' WHERE role_id = 108', '23514', 'field "name" cannot be blank'),
    ('membership_place_check', NULL, 'INSERT INTO entitle.membership (user_id) VALUES (101)', '23514', 'either an organization or a brand'),
    ('membership_place_check', NULL, 'UPDATE entitle.membership SET brand_id = 102 WHERE membership_id = 101', '23514', 'either an organization or a brand'),
    ('membership_owner_check', NULL, 'INSERT INTO entitle.membership (user_id, brand_id, is_owner) VALUES (101, 102, true)', '23514', 'an owner owns an organization'),
    ('customer_client_score_check', NULL, 'UPDATE entitle.customer SET client_score = 100.01 WHERE customer_id = 101', '23514', 'a score lies between 0 and 100'),
    ('customer_client_score_check', NULL, 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id, client_score) VALUES (''x'', ''x'', ''x'', ''NaN'')', '23514', 'a score lies between 0 and 100'),
    ('customer_code_check', NULL, 'UPDATE entitle.customer SET customer_code = '''' WHERE customer_id = 101', '23514', 'field "customer_code" cannot be blank'),
    ('customer_legal_name_check', 'sales', 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('' '', ''x'', ''x'')', '23514', 'field "legal_name" cannot be blank'),
    ('customer_trade_name_check', 'sales', 'UPDATE entitle.customer SET trade_name = '''' WHERE customer_id = 101', '23514', 'field "trade_name" cannot be blank'),
    ('customer_tax_id_check', 'sales', 'UPDATE entitle.customer SET tax_id = E''\n'' WHERE customer_id = 101', '23514', 'field "tax_id" cannot be blank'),
    ('customer_status_check', 'sales', 'UPDATE entitle.customer SET status = ''ACTIVE'' WHERE customer_id = 101', '23514', 'not a status of a customer'),
    ('customer_status_before_check', NULL, 'UPDATE entitle.customer SET status_before = ''INAC'' WHERE customer_id = 102', '23514', 'PAIN or ACTV'),
    ('customer_status_before_check', NULL, 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id, status, status_before) VALUES (''x'', ''x'', ''x'', ''INAC'', ''x'')', '23514', 'PAIN or ACTV'),
    ('integration_link_external_id_check', 'sales', 'UPDATE entitle.integration_link SET external_id = '' '' WHERE customer_id = 101', '23514', 'field "external_id" cannot be blank'),
    ('integration_link_provider_check', 'sales', 'INSERT INTO entitle.integration_link VALUES (101, '''', ''x'')', '23514', 'field "provider" cannot be blank'),
    ('client_metric_multiplier_check', NULL, 'UPDATE entitle.client_metric SET multiplier = -1', '23514', 'a multiplier is a number from 0 up'),
    ('client_metric_name_check', NULL, 'UPDATE entitle.client_metric SET name = '' ''', '23514', 'field "name" cannot be blank'),
    ('customer_metric_value_check', 'sales', 'UPDATE entitle.customer_metric SET value = 100.5 WHERE customer_id = 101', '23514', 'a metric value lies between 0 and 100'),
    ('external_access_role_check', NULL, 'UPDATE entitle.external_access SET role = ''L50'' WHERE user_id = 101', '23514', 'not a level of external access'),
    ('external_access_days_back_check', NULL, 'UPDATE entitle.external_access SET days_back = -1 WHERE user_id = 101', '23514', 'days back cannot be negative'),
    ('external_access_valid_check', NULL, 'UPDATE entitle.external_access SET valid_from = ''2026-01-02'', valid_until = ''2026-01-01'' WHERE user_id = 101', '23514', 'a grant cannot end before it begins'),
    ('change_log_action_check', NULL, 'INSERT INTO entitle.change_log (relation, action, row_key) VALUES (''entitle.role'', '' '', ''{}'')', '23514', 'field "action" cannot be blank'),
    ('customer_adopted_check', 'sales', 'INSERT INTO entitle.customer (legal_name, trade_name) VALUES (''x'', ''x'')', '23502', 'null value in column "tax_id"'),
    ('customer_adopted_check', NULL, 'UPDATE entitle.customer SET legal_name = NULL WHERE customer_id = 101', '23502', 'null value in column "legal_name"'),
    -- Triggers.
    ('guard_adopted', NULL, 'UPDATE entitle.app_user SET is_active = false WHERE login = ''adopted''', '42501', 'belongs to adopted table'),
    ('guard_adopted', NULL, 'DELETE FROM entitle.app_user WHERE login = ''adopted''', '42501', 'belongs to adopted table'),
    ('keep_adoption', NULL, 'DELETE FROM entitle.adoption', '23503', 'rows of the model belong to the adoption'),
    ('keep_adopted', NULL, 'TRUNCATE entitle.app_user CASCADE', '42501', 'it follows adopted table'),
    ('guard_customer', 'sales', 'UPDATE entitle.customer SET notes = ''x'' WHERE customer_id = 102', '42501', 'an INAC customer takes no change'),
    ('guard_customer', 'sales', 'UPDATE entitle.customer SET client_score = 1 WHERE customer_id = 101', '42501', 'a score changes by recalculation only'),
    ('guard_customer', 'sales', 'UPDATE entitle.customer SET country = NULL WHERE customer_id = 101', '23514', 'field "country" of an ACTV customer cannot be blanked'),
    ('guard_customer', 'sales', 'DELETE FROM entitle.customer WHERE customer_id = 101', '42501', 'customers are not deleted'),
    ('guard_link', 'sales', 'UPDATE entitle.integration_link SET customer_id = 102', '42501', 'INAC customer'),
    ('guard_metric', 'sales', 'INSERT INTO entitle.client_metric (name) VALUES (''x'')', '42501', 'permission denied to write client metrics'),
    ('guard_metric_value', 'sales', 'UPDATE entitle.customer_metric SET customer_id = 102', '42501', 'customer'),
    ('guard_grant', NULL, 'DELETE FROM entitle.external_access', '42501', 'the grant of an owner \(L90\) cannot be removed'),
    ('keep_owners', NULL, 'TRUNCATE entitle.external_access', '42501', 'the grant of an owner'),
    ('keep_owned_customer', NULL, 'DELETE FROM entitle.customer WHERE customer_id = 101', '42501', 'a customer cannot be deleted'),
    ('keep_owning_user', NULL, 'UPDATE entitle.app_user SET user_id = 202 WHERE user_id = 102', '42501', 'a user cannot get another key'),
    ('keep_change_log', 'ann', 'INSERT INTO entitle.change_log (relation, action, row_key) VALUES (''entitle.role'', ''x'', ''{}'')', '42501', 'the change log is written by the changes'),
    ('keep_change_log', 'ann', 'TRUNCATE entitle.change_log', '42501', 'append-only'),
    ('guard_name', NULL, 'INSERT INTO entitle.plan VALUES ('''')', '23514', 'field "plan_key" cannot be blank'),
    ('guard_name', NULL, 'UPDATE entitle.app_user SET login = repeat(''x'', 1001) WHERE user_id = 101', '23514', 'field "login" takes at most 1000 bytes'),
    ('guard_name', NULL, 'UPDATE entitle.app_user SET login = E''ann\u00a0'' WHERE user_id = 101', '23514', 'a login neither begins nor ends with a blank'),
    ('guard_name', NULL, 'UPDATE entitle.app_user SET login = E''\u200bann'' WHERE user_id = 101', '23514', 'a login neither begins nor ends with a blank'),
    ('guard_key', NULL, 'INSERT INTO entitle.role_permission VALUES (108, repeat(''x'', 1001))', '23514', 'field "permission_key" takes at most 1000 bytes'),
    ('guard_customer', 'sales', 'UPDATE entitle.customer SET customer_code = repeat(''x'', 1001) WHERE customer_id = 101', '23514', 'field "customer_code" takes at most 1000 bytes'),
    ('guard_link', 'sales', 'INSERT INTO entitle.integration_link VALUES (101, repeat(''x'', 1001), ''x'')', '23514', 'field "provider" takes at most 1000 bytes'),
    ('guard_metric', NULL, 'UPDATE entitle.client_metric SET name = repeat(''x'', 1001)', '23514', 'field "name" takes at most 1000 bytes'),
    ('check_membership', NULL, 'INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 108)', '23514', 'belongs to another organization'),
    ('check_membership', NULL, 'INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 103, 7)', '23514', 'standalone brand has no role'),
    ('check_membership', NULL, 'INSERT INTO entitle.membership (user_id, brand_id, is_owner) VALUES (101, 103, true)', '23514', 'not a brand'),
    ('check_home', NULL, 'UPDATE entitle.role SET organization_id = 1 WHERE role_id = 108', '23514', 'does not change its organization'),
    ('check_prerequisite', NULL, 'INSERT INTO entitle.permission_prerequisite VALUES (''customers.view'', ''customers.edit'')', '23514', 'its own prerequisite'),
    ('refuse_write', 'ann', 'UPDATE entitle.customer_profile SET address = ''x''', '42501', 'customer_profile'),
    ('refuse_write', 'ann', 'TRUNCATE entitle.role_permission', '42501', 'role_permission'),
    ('pending_invitation_place_check', 'boss', 'SELECT entitle.invite_user(''x'', organization_id => 102, brand_id => 102)', '23514', 'either an organization or a brand'),
    ('pending_invitation_gift_check', 'ann', 'SELECT entitle.invite_user(''x'')', '42501', 'permission denied to manage members there'),
    ('guard_role', 'ann', 'UPDATE entitle.role SET name = ''x'' WHERE role_id = 108', '42501', 'permission denied to manage roles of this organization'),
    ('guard_role', 'boss', 'UPDATE entitle.role SET role_id = 208 WHERE role_id = 108', '42501', 'permission denied to change the key of a row'),
    ('guard_role_list', 'ann', 'INSERT INTO entitle.role_metric VALUES (108, ''*'')', '42501', 'permission denied to manage roles of this organization'),
    ('guard_role_list', 'boss', 'INSERT INTO entitle.role_metric VALUES (108, ''none'')', '22023', 'there is no such metric'),
    ('guard_member', 'ann', 'INSERT INTO entitle.membership (user_id, organization_id) VALUES (103, 102)', '42501', 'permission denied to manage members there'),
    ('guard_member', 'ann', 'UPDATE entitle.membership SET role_id = NULL WHERE membership_id = 101', '42501', 'nobody changes his own membership'),
    ('guard_user', 'ann', 'INSERT INTO entitle.app_user (login) VALUES (''x'')', '42501', 'permission denied to set up users'),
    ('guard_user', 'ann', 'DELETE FROM entitle.app_user WHERE login = ''ann''', '42501', 'permission denied to delete users'),
    ('keep_last_owner', 'boss', 'DELETE FROM entitle.membership WHERE membership_id = 104', '42501', 'an organization keeps its last active owner'),
    ('keep_last_active_owner', 'boss', 'SELECT entitle.deactivate_user(''boss'')', '42501', 'an organization keeps its last active owner');

-- All rows of the model.
CREATE FUNCTION model() RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    relation regclass;
    part text;
    whole text := '';
BEGIN
    FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'entitle'::regnamespace AND relkind = 'r' ORDER BY oid LOOP
        EXECUTE format('SELECT md5(string_agg(t::text, ''|'' ORDER BY t::text)) FROM %s t', relation) INTO part;
        whole := whole || relation || ' ' || coalesce(part, '-') || E'\n';
    END LOOP;
    RETURN whole;
END
$$;
-- The SQLSTATE, the message and whether there is a hint; whatever a refusal left behind is still there.
CREATE FUNCTION refusal(login text, command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    hint text;
BEGIN
    BEGIN
        IF login IS NULL THEN
            EXECUTE command;
        ELSE
            PERFORM do_as(login, command);
        END IF;
        RETURN 'not refused';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        RETURN format('%s %s%s', SQLSTATE, SQLERRM, CASE WHEN hint !~ '^[A-Z"].*\.$' THEN ', without a hint' END);
    END;
END
$$;
CREATE TEMP TABLE was AS SELECT model() AS model;

SELECT matches(refusal(login, command), format('^%s (?!.*(violates check constraint|row-level security|without a hint)).*%s', sqlstate, words),
               format('%s: %s refused: %s', guarded_by, coalesce(login, 'a superuser') || ' is', command))
FROM input;
SELECT is(model(), (SELECT model FROM was), 'nothing is changed');

-- membership_role_check: role_organization_id is written by check_membership alone, and never believed from input. What
-- protection_privilege, protection_view and absent_relation hold is written by protect_table alone (S130, S133).
SELECT set_eq($$ SELECT conname FROM pg_constraint WHERE connamespace = 'entitle'::regnamespace AND contype = 'c'
                 AND conname NOT IN ('membership_role_check', 'protection_privilege_privilege_check', 'protection_view_told_masks_check',
                                     'absent_relation_name_check')
                 -- and these by the adopt functions, pairs of columns in rows that guard_adopted keeps
                 AND conname !~ '^adoption_|_source_check$'
                 -- and these by guard_schema and except_table alone
                 AND conname !~ '^guarded_table_' $$,
              $$ SELECT guarded_by::name FROM input WHERE guarded_by ~ '_check$' $$, 'every CHECK was tried');
SELECT set_eq($$ SELECT DISTINCT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                 WHERE NOT t.tgisinternal AND p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND p.proname ~ '^(guard|keep|check|refuse)_' $$,
              $$ SELECT guarded_by::name FROM input WHERE guarded_by !~ '_check$' $$, 'every trigger that refuses was tried');
SELECT set_eq($$ SELECT DISTINCT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                 WHERE NOT t.tgisinternal AND p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND p.proname !~ '^(guard|keep|check|refuse)_' $$,
              ARRAY['apply_removals', 'begin_restore', 'end_invitations', 'end_restore', 'follow_source', 'log_change', 'mark_change', 'mark_removal', 'number_schema',
                    'record_privilege_roles',
                    'record_role_oid',
                    'signal_access', 'signal_customer', 'signal_declaration', 'signal_model', 'signal_user', 'skip_known_removal']::name[], 'the other triggers note and signal');

SELECT * FROM finish();
ROLLBACK;
