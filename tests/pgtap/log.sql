-- Every write leaves a row in the change log (R21): who, what, before and after; nobody below superuser writes or alters it, and
-- those who manage what it tells about read it.
\ir setup.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

CREATE TEMP TABLE seen AS SELECT coalesce(max(change_id), 0) AS change_id FROM entitle.change_log;
-- What was logged since the last question.
CREATE FUNCTION logged(what text DEFAULT 'concat_ws('' '', actor_login, db_role, relation, action, row_key)') RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT (%s)::text FROM entitle.change_log WHERE change_id > (SELECT change_id FROM seen) ORDER BY change_id', what);
    UPDATE seen SET change_id = (SELECT max(change_id) FROM entitle.change_log);
END
$$;
SELECT is((SELECT count(*) FROM entitle.change_log), 0::bigint, 'the shipped rows are no change');

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'sales'), (102, 'manager'), (103, 'guest'), (104, 'admin'), (105, 'boss');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (109, 1, 'access manager');
INSERT INTO entitle.role_permission VALUES (109, 'customers.view'), (109, 'external_access.manage');
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner) VALUES (101, 101, 1, 6, false), (102, 102, 1, 109, false), (105, 105, 1, NULL, true);
SELECT set_eq($$ SELECT logged('concat_ws('' '', db_role, relation, action, row_key)') $$, ARRAY(
    SELECT concat_ws(' ', current_user, relation, 'insert', key) FROM (
        SELECT 'entitle.app_user', format('{"user_id": %s}', id) FROM generate_series(101, 105) AS id
        UNION ALL VALUES ('entitle.role', '{"role_id": 109}'),
        ('entitle.role_permission', '{"role_id": 109, "permission_key": "customers.view"}'),
        ('entitle.role_permission', '{"role_id": 109, "permission_key": "external_access.manage"}'),
        ('entitle.membership', '{"membership_id": 101}'), ('entitle.membership', '{"membership_id": 102}'), ('entitle.membership', '{"membership_id": 105}')
    ) AS x (relation, key)), 'R21, R53: a superuser''s inserts are logged, a row each');

INSERT INTO entitle.customer (customer_id, customer_uuid, legal_name, trade_name, tax_id) VALUES (101, '00000000-0000-0000-0000-000000000101', 'a "quoted" \', E'ä\n', '1');
SELECT results_eq($$ SELECT logged('new_row') $$, $$ SELECT to_jsonb(c)::text FROM entitle.customer c $$, 'R21: the new row whole, as to_jsonb gives it');
SELECT do_as('sales', 'UPDATE entitle.customer SET country = ''c'' WHERE customer_id = 101');
SELECT results_eq($$ SELECT logged('concat_ws('' '', actor_login, db_role, action, old_row -> ''country'', new_row -> ''country'')') $$,
                  ARRAY['sales test_app update null "c"'], 'R21: user, role, old and new');
SELECT do_as('sales', 'UPDATE entitle.customer SET address = ''a'', contact_email = ''e'' WHERE customer_id = 101');
SELECT do_as('sales', 'SELECT entitle.deactivate_customer(101)');
SELECT do_as('sales', 'SELECT entitle.reactivate_customer(101)');
SELECT results_eq($$ SELECT logged('concat_ws('' '', actor_login, db_role, action, old_row ->> ''status'', new_row ->> ''status'')') $$,
                  ARRAY['sales test_app status change PAIN ACTV', 'sales test_app status change ACTV INAC', 'sales test_app status change INAC ACTV'],
                  'R21: status changes, through functions too');

INSERT INTO entitle.client_metric (metric_id, name, multiplier) VALUES (101, 'pays', 2.50);
SELECT do_as('sales', 'SELECT entitle.set_metric_value(101, ''pays'', 7.5)');
SELECT do_as('sales', 'SELECT entitle.set_metric_value(101, ''pays'', 8)');
SELECT do_as('sales', 'SELECT * FROM entitle.recalc_scores()');
SELECT do_as('sales', 'INSERT INTO entitle.integration_link VALUES (101, ''freshbooks'', ''f'')');
SELECT do_as('sales', 'DELETE FROM entitle.integration_link');
SELECT results_eq($$ SELECT logged('concat_ws('' '', relation, action, row_key, old_row - ''scored_at'', new_row - ''scored_at'')') $$, ARRAY[
    'entitle.client_metric insert {"metric_id": 101} {"name": "pays", "is_active": true, "metric_id": 101, "multiplier": 2.50, "organization_id": 1}',
    'entitle.customer_metric insert {"metric_id": 101, "customer_id": 101} {"value": 7.5, "metric_id": 101, "customer_id": 101}',
    'entitle.customer_metric update {"metric_id": 101, "customer_id": 101} {"value": 7.5, "metric_id": 101, "customer_id": 101} {"value": 8, "metric_id": 101, "customer_id": 101}',
    'entitle.customer recalculate {"customer_id": 101} {"client_score": null} {"client_score": 8.00}',
    'entitle.integration_link insert {"provider": "freshbooks", "customer_id": 101} {"provider": "freshbooks", "customer_id": 101, "external_id": "f"}',
    'entitle.integration_link delete {"provider": "freshbooks", "customer_id": 101} {"provider": "freshbooks", "customer_id": 101, "external_id": "f"}'],
    'R21: values, scores and links');

SELECT do_as('manager', 'SELECT entitle.grant_access(101, ''guest'')');
SELECT do_as('manager', 'UPDATE entitle.external_access SET role = ''L40''');
SELECT do_as('manager', 'SELECT entitle.revoke_access(101, ''guest'')');
INSERT INTO entitle.external_access (customer_id, user_id, role, valid_from) VALUES (101, 103, 'L10', '2026-01-02') ON CONFLICT (customer_id, user_id) DO UPDATE SET role = 'L20';
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 103, 'L10'), (101, 104, 'L80') ON CONFLICT (customer_id, user_id) DO UPDATE SET role = 'L20';
MERGE INTO entitle.external_access g USING (VALUES (103)) v (id) ON g.user_id = v.id WHEN MATCHED THEN DELETE;
SELECT results_eq($$ SELECT logged('concat_ws('' '', coalesce(actor_login, ''nobody''), action, row_key ->> ''user_id'', old_row ->> ''role'', new_row ->> ''role'', new_row ->> ''valid_from'')') $$,
    ARRAY['manager grant 103 L30', 'manager update 103 L30 L40', 'manager revoke 103 L40', 'nobody grant 103 L10 2026-01-02',
          'nobody update 103 L10 L20 2026-01-02', 'nobody grant 104 L80', 'nobody revoke 103 L20'],
    'R21: grants and revokes, ON CONFLICT and MERGE too');
SAVEPOINT undone;
DELETE FROM entitle.external_access;
ROLLBACK TO undone;
UPDATE entitle.external_access SET role = 'L30' WHERE false;
SELECT is_empty('SELECT logged()', 'R21: what is undone, or touches nothing, is not logged');
INSERT INTO entitle.app_user (user_id, login) VALUES (106, 'short-lived');
INSERT INTO entitle.external_access (customer_id, user_id) VALUES (101, 106);
DELETE FROM entitle.app_user WHERE user_id = 106;
SELECT set_eq($$ SELECT logged('concat_ws('' '', relation, action)') $$,
    ARRAY['entitle.app_user insert', 'entitle.external_access grant', 'entitle.external_access revoke', 'entitle.app_user delete'], 'R21: cascades are logged');
SET LOCAL session_replication_role = replica;
UPDATE entitle.role SET name = 'x' WHERE role_id = 109;
RESET session_replication_role;
SELECT results_eq($$ SELECT logged('concat_ws('' '', relation, action)') $$, ARRAY['entitle.role update'], 'R21: under replica, too');
TRUNCATE entitle.integration_link;
SELECT results_eq($$ SELECT logged('concat_ws('' '', relation, action, row_key)') $$, ARRAY['entitle.integration_link truncate {}'], 'R21: TRUNCATE is logged');
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO entitle.plan VALUES ('restored');
UPDATE entitle.plan SET plan_key = 'changed' WHERE plan_key = 'restored';
RESET check_function_bodies;
RESET row_security;
SELECT results_eq($$ SELECT logged('concat_ws('' '', relation, action)') $$, ARRAY['entitle.plan update'],
                  'R53: what a restore inserts is in the restored log; anything else in such a session is logged');

-- Many rows in one statement, more than one batch.
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT g, 'many', 'm', 'm' FROM generate_series(1001, 3001) AS g;
SELECT is((SELECT count(*) || ' ' || count(DISTINCT row_key) || ' ' || count(DISTINCT new_row ->> 'customer_id') FROM entitle.change_log WHERE new_row ->> 'legal_name' = 'many'),
          '2001 2001 2001', 'R21: many rows leave many rows');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT action FROM entitle.change_log WHERE change_id = (SELECT max(change_id) FROM entitle.change_log)), 'insert', 'the log''s index knows them');
RESET enable_seqscan;
DELETE FROM entitle.customer WHERE customer_id > 1000;

-- A row goes into the indexes that are about its table, and only those are opened.
CREATE EXTENSION amcheck;
CREATE FUNCTION counted(condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    rows bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM entitle.change_log WHERE %s', coalesce(condition, 'true')) INTO rows;
    RETURN rows;
END
$$;
INSERT INTO entitle.organization (organization_id, name) VALUES (201, 'indexed');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (201, 1, 'indexed');
UPDATE entitle.role SET organization_id = 201 WHERE role_id = 201;
INSERT INTO entitle.app_user (user_id, login) VALUES (201, 'indexed');
UPDATE entitle.app_user SET user_id = 202 WHERE user_id = 201;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT g, 'indexed', 'i', 'i' FROM generate_series(201, 202) AS g;
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (201, 202, 'L10');
UPDATE entitle.external_access SET customer_id = 202, user_id = 103 WHERE customer_id = 201;
TRUNCATE entitle.plan_denial;
SELECT ok(counted(pg_get_expr(i.indpred, i.indrelid)) > 0, format('%s has rows to hold', i.indexrelid::regclass)) FROM pg_index i WHERE i.indrelid = 'entitle.change_log'::regclass;
SELECT lives_ok(format('SELECT bt_index_check(%L::regclass, true)', i.indexrelid::regclass), format('%s holds them all', i.indexrelid::regclass))
FROM pg_index i WHERE i.indrelid = 'entitle.change_log'::regclass;
DELETE FROM entitle.customer WHERE customer_id > 200;
DELETE FROM entitle.app_user WHERE user_id > 200;
DELETE FROM entitle.role WHERE role_id = 201;
DELETE FROM entitle.organization WHERE organization_id = 201;

-- Append-only.
CREATE ROLE test_owner;
GRANT USAGE ON SCHEMA entitle TO test_owner;
SELECT throws_ok(format('SELECT do_as(%L, %L)', login, command), '42501', NULL, format('R21: %s may not: %s', login, command))
FROM unnest(ARRAY['sales', 'boss', NULL]) AS login, unnest(ARRAY['INSERT INTO entitle.change_log (relation, action, row_key) VALUES (''entitle.role'', ''x'', ''{}'')',
    'UPDATE entitle.change_log SET action = ''x''', 'DELETE FROM entitle.change_log', 'TRUNCATE entitle.change_log']) AS command;
ALTER TABLE entitle.change_log OWNER TO test_owner;
SET LOCAL ROLE test_owner;
SELECT throws_ok(command, '42501', NULL, format('R21: the table''s owner may not: %s', command))
FROM unnest(ARRAY['INSERT INTO entitle.change_log (relation, action, row_key) VALUES (''entitle.role'', ''x'', ''{}'')',
    'UPDATE entitle.change_log SET action = ''x''', 'DELETE FROM entitle.change_log', 'TRUNCATE entitle.change_log']) AS command;
RESET ROLE;

-- Who reads it.
CREATE FUNCTION reads(login text) RETURNS text LANGUAGE sql
    AS $$ SELECT ask(login, 'SELECT string_agg(DISTINCT substr(relation::text, 9), '' '' ORDER BY substr(relation::text, 9)) FROM entitle.change_log') $$;
SELECT is(reads(login), relations, format('R21: %s reads of %s', coalesce(login, 'nobody'), coalesce(relations, 'nothing')))
FROM (VALUES (NULL, NULL), ('guest', NULL), ('sales', 'client_metric customer customer_metric integration_link'), ('manager', 'app_user external_access'),
             ('admin', 'app_user external_access'), ('boss', 'app_user client_metric customer customer_metric external_access integration_link membership role role_permission')) AS r (login, relations);

SELECT * FROM finish();
ROLLBACK;
