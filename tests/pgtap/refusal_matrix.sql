-- Everybody is refused what he may not do, by the same SQLSTATE and with a hint that says what to do (R3, R41 to R44, R58 to R63; S421): every function
-- and every way of plain DML that self-service has, tried by an owner, an organization's administrator, a brand's, a clerk, an external
-- administrator (L80), one who has nothing, and a pool's role that signed nobody in.
\ir tried.psql
SELECT no_plan();

-- No sequence goes back with the transaction: past the numbers that the tests give.
SELECT setval(pg_get_serial_sequence('entitle.' || t, c), 5000)
FROM (VALUES ('app_user', 'user_id'), ('role', 'role_id'), ('membership', 'membership_id'), ('pending_invitation', 'invitation_id')) AS s (t, c) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group'), (103, 'other');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, 102, 'store'), (105, 103, 'theirs');
INSERT INTO entitle.brand_module (brand_id, module_key) VALUES (102, 'customers'), (103, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES
    (201, 102, 'admin'), (202, 102, 'reader'), (203, 102, 'exporter'), (204, 102, 'spare'), (301, 103, 'theirs');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'roles.manage'), (201, 'members.manage'), (201, 'customers.view'), (202, 'customers.view'), (203, 'customers.view'), (203, 'customers.export'),
    (204, 'customers.view'), (301, 'customers.view');
INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (204, 'sales');
INSERT INTO entitle.app_user (user_id, login) VALUES
    (201, 'owner'), (202, 'admin'), (203, 'brand admin'), (204, 'clerk'), (205, 'L80'), (206, 'nothing'), (207, 'L90'), (208, 'member'), (209, 'theirs'),
    (210, 'fresh'), (211, 'strong'), (212, 'second owner'), (213, 'L30');
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner) VALUES
    (201, 201, 102, NULL, true), (202, 202, 102, 201, false), (204, 204, 102, 202, false), (209, 209, 103, 301, false), (211, 211, 102, 203, false),
    (212, 212, 102, NULL, true);
INSERT INTO entitle.membership (membership_id, user_id, brand_id, role_id) VALUES (203, 203, 102, 201), (208, 208, 102, 202), (210, 208, 103, 202);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (101, 102, 'a', 'a', '1'), (102, 103, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 205, 'L80'), (101, 207, 'L90'), (101, 213, 'L30'), (102, 213, 'L30');
INSERT INTO entitle.pending_invitation (invitation_id, user_id, inviter_id, organization_id, brand_id, customer_id, access_role, expires) VALUES
    (901, 210, 201, 102, NULL, NULL, NULL, current_date + 9), (902, 210, 201, NULL, 102, NULL, NULL, current_date + 9),
    (903, 210, 201, NULL, NULL, 101, 'L30', current_date + 9);

-- What a command comes to: how many rows or which answer, or the SQLSTATE and the hint.
CREATE FUNCTION outcome(login text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
    hint text;
BEGIN
    IF command ~ '^SELECT' THEN
        told := ask(login, command);
        told := CASE WHEN told ~ '^[1-9]\d*$' OR coalesce(told, '') = '' THEN 'done' ELSE told END;
    ELSE
        told := do_as(login, command);
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN CASE WHEN SQLSTATE = 'P0042' THEN told
                -- PostgreSQL's own words; from 18 on ON DELETE RESTRICT is 23001.
                WHEN hint = '' AND SQLSTATE ~ '^23' THEN replace(SQLSTATE, '23001', '23503')
                ELSE SQLSTATE || ': ' || CASE WHEN hint = '' AND position('row-level security' IN SQLERRM) > 0 THEN 'policy' ELSE hint END
           END;
END
$$;
CREATE TEMP TABLE actor (place integer, login text);
INSERT INTO actor VALUES (1, 'owner'), (2, 'admin'), (3, 'brand admin'), (4, 'clerk'), (5, 'L80'), (6, 'nothing'), (7, NULL);

-- What it takes, in the hint's words.
CREATE TEMP TABLE told (word text, sqlstate text, hint text);
INSERT INTO told VALUES
    ('roles', '42501', 'It takes roles.manage by a membership of the whole organization. To see why: SELECT * FROM entitle.explain_permission(''roles.manage'', brand_id => brand).'),
    ('beyond', '42501', 'Ask an owner of the organization, or somebody who holds it.'),
    ('superuser', '42501', 'Only a superuser may.'),
    ('held', '42501', 'Ask an owner, or somebody else who manages roles.'),
    ('truncate', '42501', 'Delete the rows; only those whom row security does not bind may truncate.'),
    ('no_permission', '22023', 'See entitle.permission for the permissions there are.'),
    ('members', '42501', 'It takes members.manage in the organization, or in the brand for that brand. To see why: SELECT * FROM entitle.explain_permission(''members.manage'', brand_id => brand).'),
    ('no_user', '22023', 'Set the user up with entitle.add_user(login), or invite them with entitle.invite_user; logins match byte for byte.'),
    ('own', '42501', 'Ask an owner, or somebody else who manages members.'),
    ('foreign', '42501', 'Name a role of the organization that the membership is in.'),
    ('owners', '42501', 'Ask an owner of the organization.'),
    ('last', '42501', 'Make another active user an owner first: SELECT entitle.add_member(login, organization_id => organization, is_owner => true).'),
    ('users', '42501', 'It takes members.manage or external_access.manage in some brand, or L80 or L90 on some customer.'),
    ('places', '42501', 'It takes managing every place where the user has rights. Rights in the own places end by entitle.remove_member(membership_id) and entitle.revoke_access(customer_id, login).'),
    ('switch', '42501', 'Switch the user off: SELECT entitle.deactivate_user(login).'),
    ('access', '42501', 'It takes external_access.manage in the customer''s brand, or L80 or L90 on the customer. To see why: SELECT * FROM entitle.explain_permission(''external_access.manage'', brand_id => brand).'),
    ('above', '42501', 'An owner (L90) of this customer or a user who manages external access can.'),
    ('oneself', '42501', 'Ask another L80 or L90 of this customer, or a user who manages external access.'),
    ('grantee', '22023', 'External access is granted to users who exist and are active; logins match byte for byte.'),
    ('kept', '42501', 'Only a superuser can take it away, with entitle.force_revoke_owner(customer_id, login, reason).'),
    ('kept_all', '42501', 'Only a superuser can take the grant away first, with entitle.force_revoke_owner(customer_id, login, reason).'),
    ('policy', '42501', 'policy'),
    ('read', '42501', 'The row may be read, but not written, by the signed-in user.'),
    ('log', '42501', 'Write the table; its triggers write the log.'),
    ('prune', '42501', 'Only a superuser may prune it.'),
    ('which', '22023', 'Give organization_id: the signed-in user belongs to several organizations, or to none.'),
    ('no_key', '22023', 'See entitle.permission and entitle.metric; keys match byte for byte.'),
    ('members_first', '23503', 'End those memberships, or give them another role, first.'),
    ('taken', '23505', 'Invite the user with entitle.invite_user, or give another login.'),
    ('blank', '23514', 'Give it at least one visible character.'),
    ('not_at_hand', '22023', 'Set the user up with entitle.add_user(login), or invite them with entitle.invite_user, as it takes for users of other places.'),
    ('no_role', '22023', 'See entitle.role for the roles of the organization; names match byte for byte.'),
    ('one_place', '23514', 'Give organization_id for all brands of an organization, or brand_id for one brand.'),
    ('past', '22023', 'Give today or a later day; NULL is 30 days from today.'),
    ('invitation', '42501', 'See entitle.invitation for the own ones.'),
    ('reason', '42501', 'Only a superuser may, and the reason is logged.');

CREATE TEMP TABLE attempt (command text, comes_to text);
INSERT INTO attempt VALUES
    ('INSERT INTO entitle.role (organization_id, name) VALUES (102, ''new'')', '1 1 roles roles roles roles roles'),
    ('INSERT INTO entitle.role (organization_id, name) VALUES (103, ''new'')', 'roles roles roles roles roles roles roles'),
    ('INSERT INTO entitle.role (organization_id, name) VALUES (999, ''new'')', 'roles roles roles roles roles roles roles'),
    ('UPDATE entitle.role SET name = ''x'' WHERE role_id = 204', '1 beyond roles 0 0 0 0'),
    ('UPDATE entitle.role SET is_active = false WHERE role_id = 203', '1 beyond roles 0 0 0 0'),
    ('UPDATE entitle.role SET organization_id = 103 WHERE role_id = 204', 'roles beyond roles 0 0 0 0'),
    ('UPDATE entitle.role SET role_id = 999 WHERE role_id = 204', 'superuser beyond roles 0 0 0 0'),
    ('UPDATE entitle.role SET name = ''x'' WHERE role_id = 301', '0 0 0 0 0 0 0'),
    ('UPDATE entitle.role SET name = ''x'' WHERE role_id = 201', '1 held roles 0 0 0 0'),
    ('DELETE FROM entitle.role WHERE role_id = 204', '1 beyond roles 0 0 0 0'),
    ('DELETE FROM entitle.role WHERE role_id = 203', '23503 beyond roles 0 0 0 0'),
    ('DELETE FROM entitle.role WHERE role_id = 301', '0 0 0 0 0 0 0'),
    ('TRUNCATE entitle.role CASCADE', 'truncate truncate truncate truncate truncate truncate truncate'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (204, ''roles.manage'')', '1 beyond roles roles roles roles roles'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (204, ''customers.export'')', '1 beyond roles roles roles roles roles'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (204, ''no.such'')', 'no_permission beyond roles roles roles roles roles'),
    ('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (301, ''customers.view'')', 'roles roles roles roles roles roles roles'),
    ('UPDATE entitle.role_permission SET permission_key = ''customers.export'' WHERE role_id = 204', '1 beyond roles 0 0 0 0'),
    ('UPDATE entitle.role_permission SET role_id = 301 WHERE role_id = 204', 'roles beyond roles 0 0 0 0'),
    ('DELETE FROM entitle.role_permission WHERE role_id = 204', '1 beyond roles 0 0 0 0'),
    ('DELETE FROM entitle.role_permission WHERE role_id = 301', '0 0 0 0 0 0 0'),
    ('TRUNCATE entitle.role_permission', 'truncate truncate truncate truncate truncate truncate truncate'),
    ('INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (204, ''revenue'')', '1 beyond roles roles roles roles roles'),
    ('INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (204, ''*'')', '1 beyond roles roles roles roles roles'),
    ('UPDATE entitle.role_metric SET metric_key = ''*'' WHERE role_id = 204', '1 beyond roles 0 0 0 0'),
    ('DELETE FROM entitle.role_metric WHERE role_id = 204', '1 beyond roles 0 0 0 0'),
    ('TRUNCATE entitle.role_metric', 'truncate truncate truncate truncate truncate truncate truncate'),
    ('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (208, 102, 202)', '1 1 members members members members members'),
    ('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (208, 102, 203)', '1 beyond members members members members members'),
    ('INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (204, 102, 202)', '1 1 no_user own members members members'),
    ('INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (204, 103, 202)', '1 1 members own members members members'),
    ('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (208, 102, 301)', 'foreign foreign members members members members members'),
    ('INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (208, 102, true)', '1 owners members members members members members'),
    ('INSERT INTO entitle.membership (user_id, organization_id) VALUES (209, 102)', 'no_user no_user members members members members members'),
    ('INSERT INTO entitle.membership (user_id, organization_id) VALUES (208, 103)', 'members members members members members members members'),
    ('INSERT INTO entitle.membership (user_id, organization_id) VALUES (entitle.current_user_id(), 102)', 'own own own own own own members'),
    ('UPDATE entitle.membership SET role_id = NULL WHERE membership_id = 208', '1 1 1 0 0 0 0'),
    ('UPDATE entitle.membership SET role_id = 203 WHERE membership_id = 208', '1 beyond beyond 0 0 0 0'),
    ('UPDATE entitle.membership SET user_id = 209 WHERE membership_id = 208', 'no_user no_user no_user 0 0 0 0'),
    ('UPDATE entitle.membership SET brand_id = 105, role_id = NULL WHERE membership_id = 208', 'members members members 0 0 0 0'),
    ('UPDATE entitle.membership SET is_owner = true WHERE membership_id = 204', '1 owners 0 own 0 0 0'),
    ('UPDATE entitle.membership SET is_owner = false WHERE membership_id = 212', '1 owners 0 0 0 0 0'),
    ('UPDATE entitle.membership SET membership_id = 999 WHERE membership_id = 208', 'superuser superuser superuser 0 0 0 0'),
    ('UPDATE entitle.membership SET role_id = 203 WHERE user_id = entitle.current_user_id()', 'own own own own 0 0 0'),
    ('DELETE FROM entitle.membership WHERE membership_id = 208', '1 1 1 0 0 0 0'),
    ('DELETE FROM entitle.membership WHERE membership_id = 211', '1 beyond 0 0 0 0 0'),
    ('DELETE FROM entitle.membership WHERE membership_id = 212', '1 owners 0 0 0 0 0'),
    ('DELETE FROM entitle.membership WHERE membership_id = 209', '0 0 0 0 0 0 0'),
    ('DELETE FROM entitle.membership WHERE user_id = entitle.current_user_id()', '1 1 1 1 0 0 0'),
    ('DELETE FROM entitle.membership WHERE is_owner', 'last owners 0 0 0 0 0'),
    ('TRUNCATE entitle.membership', 'truncate truncate truncate truncate truncate truncate truncate'),
    ('INSERT INTO entitle.app_user (login) VALUES (''new'')', '1 1 1 users 1 users users'),
    ('INSERT INTO entitle.app_user (login) VALUES (''theirs'')', '23505 23505 23505 users 23505 users users'),
    ('INSERT INTO entitle.app_user (login, db_role) VALUES (''new'', ''test_app'')', 'superuser superuser superuser users superuser users users'),
    ('UPDATE entitle.app_user SET full_name = ''x'' WHERE user_id = 208', '1 1 places 0 0 0 0'),
    ('UPDATE entitle.app_user SET is_active = false WHERE user_id = 208', '1 1 places 0 0 0 0'),
    ('UPDATE entitle.app_user SET is_active = false WHERE user_id = 211', '1 places 0 0 0 0 0'),
    ('UPDATE entitle.app_user SET is_active = false WHERE user_id = 209', '0 0 0 0 0 0 0'),
    ('UPDATE entitle.app_user SET is_active = false WHERE user_id = 213', '1 0 0 0 places 0 0'),
    ('UPDATE entitle.app_user SET login = ''x'' WHERE user_id = 208', 'superuser superuser places 0 0 0 0'),
    ('UPDATE entitle.app_user SET db_role = ''test_app'' WHERE user_id = 208', 'superuser superuser places 0 0 0 0'),
    ('UPDATE entitle.app_user SET full_name = ''x'' WHERE user_id = entitle.current_user_id()', '1 1 1 places 1 places 0'),
    ('DELETE FROM entitle.app_user WHERE user_id = 208', 'switch switch switch 0 0 0 0'),
    ('DELETE FROM entitle.app_user WHERE user_id = 209', '0 0 0 0 0 0 0'),
    ('TRUNCATE entitle.app_user CASCADE', 'truncate truncate truncate truncate truncate truncate truncate'),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 208, ''L80'')', '1 access access access 1 access access'),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 208, ''L90'')', '1 access access access above access access'),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (102, 208, ''L10'')', '1 access access access access access access'),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, entitle.current_user_id(), ''L10'')', 'oneself access access access oneself access access'),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 999, ''L10'')', 'grantee access access access grantee access access'),
    ('UPDATE entitle.external_access SET role = ''L40'' WHERE customer_id = 101 AND user_id = 213', '1 0 0 0 1 0 0'),
    ('UPDATE entitle.external_access SET role = ''L90'' WHERE customer_id = 101 AND user_id = 213', '1 0 0 0 above 0 0'),
    ('UPDATE entitle.external_access SET role = ''L80'' WHERE customer_id = 101 AND user_id = 207', 'kept 0 0 0 above 0 0'),
    ('UPDATE entitle.external_access SET customer_id = 102, user_id = 208 WHERE customer_id = 101 AND user_id = 213', '1 0 0 0 access 0 0'),
    ('DELETE FROM entitle.external_access WHERE customer_id = 101 AND user_id = 213', '1 0 0 0 1 0 0'),
    ('DELETE FROM entitle.external_access WHERE customer_id = 101 AND user_id = 207', 'kept 0 0 0 above 0 0'),
    ('DELETE FROM entitle.external_access WHERE customer_id = 102 AND user_id = 213', '1 0 0 0 0 0 0'),
    ('TRUNCATE entitle.external_access', 'kept_all kept_all kept_all kept_all kept_all kept_all kept_all'),
    ('INSERT INTO entitle.pending_invitation (user_id, organization_id, expires) VALUES (208, 102, ''infinity'')', 'policy policy policy policy policy policy policy'),
    ('UPDATE entitle.pending_invitation SET expires = ''infinity''', '0 0 0 0 0 0 0'),
    ('DELETE FROM entitle.pending_invitation', '0 0 0 0 0 0 0'),
    ('TRUNCATE entitle.pending_invitation', 'truncate truncate truncate truncate truncate truncate truncate'),
    ('INSERT INTO entitle.sign_in_grant (db_role, login) VALUES (''test_app'', NULL)', 'policy policy policy policy policy policy policy'),
    ('UPDATE entitle.sign_in_grant SET login = NULL', '0 0 0 0 0 0 0'),
    ('DELETE FROM entitle.sign_in_grant', '0 0 0 0 0 0 0'),
    ('INSERT INTO entitle.organization (name) VALUES (''new'')', 'policy policy policy policy policy policy policy'),
    ('UPDATE entitle.organization SET name = ''x'' WHERE organization_id = 102', 'policy policy policy policy 0 0 0'),
    ('DELETE FROM entitle.organization WHERE organization_id = 102', 'read read read read 0 0 0'),
    ('INSERT INTO entitle.brand (organization_id, name) VALUES (102, ''new'')', 'policy policy policy policy policy policy policy'),
    ('UPDATE entitle.brand SET name = ''x'' WHERE brand_id = 102', 'policy policy policy policy 0 0 0'),
    ('UPDATE entitle.brand SET organization_id = 103 WHERE brand_id = 102', 'policy policy policy policy 0 0 0'),
    ('DELETE FROM entitle.brand WHERE brand_id = 102', 'read read read read 0 0 0'),
    ('INSERT INTO entitle.brand_module (brand_id, module_key) VALUES (102, ''pages'')', 'policy policy policy policy policy policy policy'),
    ('UPDATE entitle.brand_module SET is_enabled = false WHERE brand_id = 102', 'policy policy policy policy 0 0 0'),
    ('INSERT INTO entitle.permission (permission_key) VALUES (''new'')', 'policy policy policy policy policy policy policy'),
    ('UPDATE entitle.permission SET is_active = true WHERE permission_key = ''customers.view''', 'policy policy policy policy policy policy 0'),
    ('DELETE FROM entitle.permission_prerequisite WHERE permission_key = ''customers.edit''', 'read read read read read read 0'),
    ('UPDATE entitle.plan_denial SET plan_key = ''x''', '0 0 0 0 0 0 0'),
    ('INSERT INTO entitle.change_log (relation, action, row_key) VALUES (''entitle.role'', ''insert'', ''{}'')', 'log log log log log log log'),
    ('UPDATE entitle.change_log SET actor_login = ''x''', 'prune prune prune prune prune prune prune'),
    ('DELETE FROM entitle.change_log', 'prune prune prune prune prune prune prune'),
    ('TRUNCATE entitle.change_log', 'prune prune prune prune prune prune prune'),
    ('SELECT entitle.create_role(''new'', organization_id => 102)', 'done done roles roles roles roles roles'),
    ('SELECT entitle.create_role(''new'')', 'done done roles roles which which which'),
    ('SELECT entitle.create_role(''new'', ''{customers.export}'', ''{}'', 102)', 'done beyond roles roles roles roles roles'),
    ('SELECT entitle.create_role(''new'', ''{no.such}'', ''{}'', 102)', 'no_key no_key roles roles roles roles roles'),
    ('SELECT entitle.create_role(''new'', ''{}'', ''{}'', 103)', 'roles roles roles roles roles roles roles'),
    ('SELECT entitle.create_role(''reader'', ''{}'', ''{}'', 102)', '23505 23505 roles roles roles roles roles'),
    ('SELECT entitle.set_role(202, ''{}'', NULL)', 'done done roles roles roles roles roles'),
    ('SELECT entitle.set_role(204, ''{}'', ''{}'')', 'done beyond roles roles roles roles roles'),
    ('SELECT entitle.set_role(203, ''{}'', NULL)', 'done beyond roles roles roles roles roles'),
    ('SELECT entitle.set_role(201, ''{}'', NULL)', 'done held roles roles roles roles roles'),
    ('SELECT entitle.set_role(301, ''{}'', NULL)', 'roles roles roles roles roles roles roles'),
    ('SELECT entitle.set_role(999, ''{}'', NULL)', 'roles roles roles roles roles roles roles'),
    ('SELECT entitle.set_role(202, ''{no.such}'', NULL)', 'no_key no_key roles roles roles roles roles'),
    ('SELECT entitle.drop_role(202)', 'members_first members_first roles roles false false false'),
    ('SELECT entitle.drop_role(203)', 'members_first beyond roles false false false false'),
    ('SELECT entitle.drop_role(204)', 'true beyond roles false false false false'),
    ('SELECT entitle.drop_role(301)', 'false false false false false false false'),
    ('SELECT entitle.drop_role(999)', 'false false false false false false false'),
    ('SELECT entitle.add_user(''new'')', 'done done done users done users users'),
    ('SELECT entitle.add_user(''theirs'')', 'taken taken taken users taken users users'),
    ('SELECT entitle.add_user('''')', 'blank blank blank users blank users users'),
    ('SELECT entitle.deactivate_user(''member'')', 'done done places places places places places'),
    ('SELECT entitle.deactivate_user(''strong'')', 'done places places places places places places'),
    ('SELECT entitle.deactivate_user(''theirs'')', 'places places places places places places places'),
    ('SELECT entitle.deactivate_user(''no such'')', 'places places places places places places places'),
    ('SELECT entitle.reactivate_user(''member'')', 'done done places places places places places'),
    ('SELECT entitle.reactivate_user(''theirs'')', 'places places places places places places places'),
    ('SELECT entitle.add_member(''fresh'', ''reader'', 102)', 'not_at_hand not_at_hand members members members members members'),
    ('SELECT entitle.add_member(''member'', ''reader'', 102)', 'done done members members members members members'),
    ('SELECT entitle.add_member(''member'', ''reader'')', 'done done members members which which which'),
    ('SELECT entitle.add_member(''member'', ''exporter'', 102)', 'done beyond members members members members members'),
    ('SELECT entitle.add_member(''member'', ''theirs'', 102)', 'no_role no_role members members members members members'),
    ('SELECT entitle.add_member(''clerk'', ''reader'', brand_id => 102)', 'done done not_at_hand members members members members'),
    ('SELECT entitle.add_member(''clerk'', ''reader'', brand_id => 105)', 'members members members members members members members'),
    ('SELECT entitle.add_member(''clerk'', ''reader'', 102, 102)', 'one_place one_place one_place one_place one_place one_place one_place'),
    ('SELECT entitle.add_member(''member'', organization_id => 102, is_owner => true)', 'done owners members members members members members'),
    ('SELECT entitle.add_member(''theirs'', organization_id => 102)', 'not_at_hand not_at_hand members members members members members'),
    ('SELECT entitle.add_member(''no such'', organization_id => 102)', 'not_at_hand not_at_hand members members members members members'),
    ('SELECT entitle.add_member(''member'', organization_id => 103)', 'members members members members members members members'),
    ('SELECT entitle.add_member(entitle.current_login(), ''exporter'', 102)', 'own own members members members members members'),
    ('SELECT entitle.remove_member(208)', 'true true true false false false false'),
    ('SELECT entitle.remove_member(211)', 'true beyond false false false false false'),
    ('SELECT entitle.remove_member(212)', 'true owners false false false false false'),
    ('SELECT entitle.remove_member(209)', 'false false false false false false false'),
    ('SELECT entitle.remove_member(999)', 'false false false false false false false'),
    ('SELECT entitle.invite_user(''new'', ''reader'', 102)', 'done done members members members members members'),
    ('SELECT entitle.invite_user(''theirs'', ''reader'', 102)', 'done done members members members members members'),
    ('SELECT entitle.invite_user(''new'', ''exporter'', 102)', 'done beyond members members members members members'),
    ('SELECT entitle.invite_user(''new'', ''reader'')', 'done done members members which which which'),
    ('SELECT entitle.invite_user(''new'', ''no such'', 102)', 'no_role no_role members members members members members'),
    ('SELECT entitle.invite_user(''new'', ''reader'', brand_id => 102)', 'done done done members members members members'),
    ('SELECT entitle.invite_user(''new'', organization_id => 103)', 'members members members members members members members'),
    ('SELECT entitle.invite_user(''new'', ''reader'', 102, 102)', 'one_place one_place one_place one_place one_place one_place one_place'),
    ('SELECT entitle.invite_user(''new'', customer_id => 101)', 'done access access access done access access'),
    ('SELECT entitle.invite_user(''new'', customer_id => 101, access_role => ''L90'')', 'done access access access above access access'),
    ('SELECT entitle.invite_user(''new'', customer_id => 102)', 'done access access access access access access'),
    ('SELECT entitle.invite_user(''new'', customer_id => 101, expires => ''2000-01-01'')', 'past access access access past access access'),
    ('SELECT entitle.invite_user(entitle.current_login(), ''reader'', 102)', 'own own members members members members members'),
    ('SELECT entitle.accept_invitation(901)', 'invitation invitation invitation invitation invitation invitation invitation'),
    ('SELECT entitle.accept_invitation(999)', 'invitation invitation invitation invitation invitation invitation invitation'),
    ('SELECT entitle.withdraw_invitation(901)', 'true true false false false false false'),
    ('SELECT entitle.withdraw_invitation(902)', 'true true true false false false false'),
    ('SELECT entitle.withdraw_invitation(903)', 'true false false false true false false'),
    ('SELECT entitle.withdraw_invitation(999)', 'false false false false false false false'),
    ('SELECT entitle.grant_access(101, ''member'', ''L40'')', 'done access access access done access access'),
    ('SELECT entitle.grant_access(101, ''member'', ''L90'')', 'done access access access above access access'),
    ('SELECT entitle.grant_access(101, ''no such'')', 'grantee access access access grantee access access'),
    ('SELECT entitle.grant_access(102, ''member'')', 'done access access access access access access'),
    ('SELECT entitle.grant_access(999, ''member'')', 'access access access access access access access'),
    ('SELECT entitle.grant_access(101, entitle.current_login(), ''L90'')', 'oneself access access access oneself access access'),
    ('SELECT entitle.revoke_access(101, ''L30'')', 'true access access access true access access'),
    ('SELECT entitle.revoke_access(101, ''L90'')', 'kept access access access above access access'),
    ('SELECT entitle.revoke_access(102, ''L30'')', 'true access access access access access access'),
    ('SELECT entitle.revoke_access(999, ''L30'')', 'access access access access access access access'),
    ('SELECT entitle.force_revoke_owner(101, ''L90'', ''because'')', 'reason reason reason reason reason reason reason'),
    ('SELECT entitle.erase_user(''member'', ''because'')', 'reason reason reason reason reason reason reason'),
    ('SELECT entitle.prune_log(now())', 'superuser superuser superuser superuser superuser superuser superuser'),
    ('SELECT count(*) || ''_steps'' FROM entitle.explain_permission(''customers.view'', ''member'', 102)', '6_steps 6_steps 6_steps 2_steps 2_steps 2_steps 2_steps'),
    ('SELECT count(*) FROM entitle.permission_matrix(102)', 'done done done 0 0 0 0'),
    ('SELECT count(*) FROM entitle.permission_matrix(103)', '0 0 0 0 0 0 0'),
    ('SELECT count(*) FROM entitle.compare_roles(202, 203)', 'done done done 0 0 0 0'),
    ('SELECT count(*) FROM entitle.compare_roles(202, 301)', '0 0 0 0 0 0 0'),
    ('SELECT count(*) FROM entitle.user_access(''L30'')', 'done 0 0 0 done 0 0'),
    ('SELECT count(*) FROM entitle.user_access(''no such'')', '0 0 0 0 0 0 0'),
    ('SELECT count(*) FROM entitle.customer_access(101)', 'done 0 0 0 done 0 0'),
    ('SELECT count(*) FROM entitle.customer_access(999)', '0 0 0 0 0 0 0'),
    ('SELECT count(*) || ''_steps'' FROM entitle.explain_sign_in(''member'', ''test_app'')', '4_steps 4_steps 4_steps 2_steps 2_steps 2_steps 2_steps'),
    ('SELECT count(*) || ''_steps'' FROM entitle.explain_sign_in(''no such'', ''test_app'')', '2_steps 2_steps 2_steps 2_steps 2_steps 2_steps 2_steps'),
    ('SELECT entitle.user_has_permission(208, ''customers.view'', 102)', 'true true true false false false false'),
    ('SELECT entitle.user_access_level(213, 101)', 'done 0 0 0 done 0 0');

SELECT is((SELECT string_agg(coalesce(t.word, o.outcome), ' ' ORDER BY o.place)
           FROM (SELECT r.place, outcome(r.login, a.command) AS outcome FROM actor r) AS o LEFT JOIN told t ON t.sqlstate || ': ' || t.hint = o.outcome),
          a.comes_to, 'R58 to R63: ' || a.command)
FROM attempt a;

SELECT * FROM finish();
ROLLBACK;
