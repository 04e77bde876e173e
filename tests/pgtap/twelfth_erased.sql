-- S530: whoever takes a login that was another's, and has himself erased, takes that one's deeds out of the log, or what became of his own.
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'first'), (103, 'head');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'admin'), (102, 1, 'none');
INSERT INTO entitle.role_permission VALUES (101, 'members.manage'), (101, 'customers.view'), (101, 'roles.manage');
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (103, 1, true), (101, 1, true);
CREATE FUNCTION renames(who text, role_name text) RETURNS bigint LANGUAGE sql AS $$ SELECT do_as(who, format('UPDATE entitle.role SET name = %L WHERE role_id = 102', role_name)) $$;
CREATE VIEW told AS
    SELECT string_agg(format('%s: %s', new_row ->> 'name', actor_login), ', ' ORDER BY change_id) AS text
    FROM entitle.change_log WHERE relation = 'entitle.role'::regclass AND action = 'update';

SELECT renames('first', 'one') \g /dev/null
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_app', 'first');
INSERT INTO entitle.reported_rows (relation, owner_told, login, action, gate, rows, sample_keys, first_seen, last_seen)
VALUES (1, true, 'first', 'select', 'before', 1, '{}', clock_timestamp(), clock_timestamp());
DELETE FROM entitle.sign_in_grant WHERE login = 'first';
UPDATE entitle.app_user SET login = 'changed' WHERE user_id = 101;
INSERT INTO entitle.app_user (user_id, login) VALUES (102, 'first');
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (102, 1, true);
SELECT renames('first', 'two'), renames('changed', 'three') \g /dev/null
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_app', 'first');
INSERT INTO entitle.reported_rows (relation, owner_told, login, action, gate, rows, sample_keys, first_seen, last_seen)
VALUES (1, true, 'first', 'select', 'between', 1, '{}', clock_timestamp(), clock_timestamp());
DELETE FROM entitle.membership WHERE user_id = 102;
UPDATE entitle.app_user SET login = 'second' WHERE user_id = 102;
UPDATE entitle.app_user SET login = 'first' WHERE user_id = 101;
SELECT renames('first', 'four') \g /dev/null
INSERT INTO entitle.reported_rows (relation, owner_told, login, action, gate, rows, sample_keys, first_seen, last_seen)
VALUES (1, true, 'first', 'select', 'after', 1, '{}', clock_timestamp(), clock_timestamp());
SELECT is((SELECT text FROM told), 'one: first, two: first, three: changed, four: first', 'one login, two users');

SELECT entitle.erase_user('second', 'asked for') \g /dev/null
SELECT is((SELECT text FROM told), 'one: first, two: erased-102, three: changed, four: first', 'S530: who had the login in between is erased, and nobody else');
SELECT is((SELECT string_agg(gate || ': ' || login, ', ' ORDER BY gate) FROM entitle.reported_rows), 'after: first, before: first, between: erased-102', 'S530: in what report mode counted');
SELECT is((SELECT string_agg(action || ': ' || (coalesce(new_row, old_row) ->> 'login'), ', ' ORDER BY change_id) FROM entitle.change_log WHERE relation = 'entitle.sign_in_grant'::regclass),
          'insert: first, delete: first, insert: erased-102, update: erased-102, delete: erased-102', 'S530: and among the logins of pools');
SELECT is((SELECT string_agg(DISTINCT new_row ->> 'login', ', ') FROM entitle.change_log WHERE relation = 'entitle.app_user'::regclass AND new_row ->> 'user_id' = '102'), 'erased-102', 'his own rows');

-- And the other way round: nothing names the first one any more.
DELETE FROM entitle.membership WHERE user_id = 101;
SELECT entitle.erase_user('first', 'asked for') \g /dev/null
SELECT is((SELECT text FROM told), 'one: erased-101, two: erased-102, three: erased-101, four: erased-101', 'S530: the first one by all logins that there were');
SELECT is_empty($$ SELECT l FROM entitle.change_log l WHERE l::text ~ 'first|changed' $$, 'nothing names either');
SELECT is_empty($$ SELECT l FROM entitle.reported_rows l WHERE l::text ~ 'first|changed' $$, 'in what report mode counted, too');

SELECT * FROM finish();
ROLLBACK;
