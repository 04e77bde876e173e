-- A person is erased, and the log pruned, by a superuser alone: nothing names the person any more, what hangs on the key stays (R21, R34,
-- R43).
\ir setup.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
CREATE ROLE test_mapped;
INSERT INTO entitle.app_user (user_id, login, full_name) VALUES (101, 'rosa.person', 'Rosa Person'), (102, 'other', 'Other One'), (103, 'head', NULL);
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'admin');
INSERT INTO entitle.role_permission VALUES (101, 'members.manage'), (101, 'customers.view'), (101, 'external_access.manage');
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id) VALUES (101, 101, 1, 101);
SELECT do_as('rosa.person', 'SELECT entitle.invite_user(''other'', organization_id => 1)');
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_app', 'rosa.person'), ('test_app', 'other');
UPDATE entitle.app_user SET full_name = 'Rosa P.', db_role = 'test_mapped' WHERE user_id = 101;
UPDATE entitle.app_user SET login = 'rosa.person@harrow' WHERE user_id = 101;
INSERT INTO entitle.membership (membership_id, user_id, organization_id, is_owner) VALUES (103, 103, 1, true);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 101, 'L40'), (101, 103, 'L90');
SELECT do_as('rosa.person@harrow', 'SELECT entitle.invite_user(''other'', organization_id => 1)');
SELECT entitle.invite_user('rosa.person@harrow', 'admin', 1);
SELECT is((SELECT count(*) > 5 FROM entitle.change_log l WHERE l::text ~* 'rosa'), true, 'the log names the person');

SELECT throws_ok($$ SELECT entitle.erase_user('head', 'asked for') $$, '55000', NULL, 'an owner hands over first');
SELECT throws_ok($$ SELECT entitle.erase_user('other', ' ') $$, '22023', NULL, 'for a reason');
SELECT throws_ok($$ SELECT do_as('rosa.person@harrow', 'SELECT entitle.erase_user(''other'', ''x'')') $$, '42501', NULL, 'a superuser does');
SELECT lives_ok($$ SELECT entitle.erase_user('rosa.person@harrow', 'asked for') $$, 'a person is erased');
SELECT is((SELECT concat_ws(' ', login, full_name, db_role, db_role_oid, is_active) FROM entitle.app_user WHERE user_id = 101), 'erased-101 f', 'of the user the key is left');
SELECT is_empty($$ SELECT l FROM entitle.change_log l WHERE l::text ~* 'rosa' $$, 'nothing in the log names the person, by no login that there was');
SELECT is_empty($$ SELECT FROM entitle.sign_in_grant WHERE login ~ 'rosa' $$, 'nor the list of whom a pool signs in');
SELECT is((SELECT count(*) FROM entitle.sign_in_grant), 1::bigint, 'which keeps the others');
SELECT is((SELECT g.role FROM entitle.external_access g WHERE user_id = 101), 'L40', 'R34: grants stay, on the key');
SELECT is((SELECT count(*) FROM entitle.membership WHERE user_id = 101), 1::bigint, 'memberships, too');
SELECT is((SELECT string_agg(DISTINCT actor_login, ' ') FROM entitle.change_log WHERE relation = 'entitle.pending_invitation'::regclass AND actor_login IS NOT NULL), 'erased-101',
          'R21: what the person did is told of the pseudonym');
SELECT is((SELECT reason FROM entitle.change_log WHERE action = 'erase'), 'asked for', 'R21: the reason is logged');
SELECT is((SELECT full_name FROM entitle.app_user WHERE user_id = 102), 'Other One', 'others are left alone');
SELECT isnt_empty($$ SELECT FROM entitle.change_log WHERE new_row ->> 'full_name' = 'Other One' $$, 'in the log, too');
SELECT is((SELECT login FROM entitle.customer_access(101, clock_timestamp()) WHERE role = 'L40'), 'erased-101', 'the past is told with the pseudonym');
UPDATE entitle.app_user SET is_active = false WHERE user_id = 103;
SELECT lives_ok($$ SELECT entitle.erase_user('head', 'asked for') $$, 'an owner who is switched off is erased');
SELECT is((SELECT g.role FROM entitle.external_access g WHERE user_id = 103), 'L90', 'R43: and the grant stays');

-- Pruning.
UPDATE entitle.change_log SET changed_at = '2020-01-01' WHERE relation = 'entitle.customer'::regclass;
CREATE TEMP TABLE kept AS SELECT count(*) AS total FROM entitle.change_log WHERE changed_at > '2020-01-02';
SELECT is(entitle.prune_log('2020-01-02'), 1::bigint, 'R21: what is older goes');
SELECT is((SELECT count(*) FROM entitle.change_log), (SELECT total + 1 FROM kept), 'the rest stays, and an entry tells of it');
SELECT is((SELECT new_row ->> 'pruned' FROM entitle.change_log WHERE action = 'prune'), '1', 'R21: how many went');
SELECT throws_ok($$ SELECT do_as('other', 'SELECT entitle.prune_log(now())') $$, '42501', NULL, 'a superuser prunes');

SELECT * FROM finish();
ROLLBACK;
