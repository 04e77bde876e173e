-- Self-service: attacks that were tried and held (R58 to R63; S370 to S375).
\ir tried.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
GRANT TEMPORARY ON DATABASE :DBNAME TO test_app;
INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group'), (103, 'other');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (104, NULL, 'alone'), (105, 103, 'theirs');
INSERT INTO entitle.brand_module (brand_id, module_key) VALUES (102, 'customers'), (105, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (201, 102, 'admin'), (202, 102, 'reader'), (203, 102, 'exporter'), (301, 103, 'theirs'), (302, 103, 'reader');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'members.manage'), (201, 'roles.manage'), (201, 'customers.view'), (202, 'customers.view'), (203, 'customers.view'), (203, 'customers.export'),
    (301, 'members.manage'), (301, 'customers.view'), (302, 'customers.view');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (201, 'owner', true), (202, 'admin', true), (203, 'clerk', true), (205, 'L80', true), (206, 'theirs', true), (207, 'gone', false), (209, 'alone', true),
    (210, 'both', true), (211, 'second admin', true);
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner) VALUES
    (201, 201, 102, NULL, true), (202, 202, 102, 201, false), (203, 203, 102, 202, false), (206, 206, 103, 301, false), (207, 207, 102, 201, false),
    (210, 210, 102, 202, false), (211, 210, 103, 302, false), (212, 211, 102, 201, false);
INSERT INTO entitle.membership (membership_id, user_id, brand_id) VALUES (209, 209, 104);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (101, 102, 'a', 'a', '1');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 205, 'L80');

-- S370: every way of writing a row.
SELECT is(tried(login, command), state, format('S370: %s: %s', login, command))
FROM (VALUES
    ('admin', 'INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id) VALUES (203, 203, 102, 203) ON CONFLICT (membership_id) DO UPDATE SET role_id = 203', '42501'),
    ('admin', 'INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (203, 102, 202) ON CONFLICT (user_id, organization_id, brand_id, role_id) DO UPDATE SET role_id = 203', '42501'),
    ('admin', 'MERGE INTO entitle.membership m USING (VALUES (203)) v (u) ON m.user_id = v.u WHEN MATCHED THEN UPDATE SET role_id = 203', '42501'),
    ('admin', 'MERGE INTO entitle.membership m USING (VALUES (203)) v (u) ON m.user_id = v.u AND m.role_id = 203 WHEN NOT MATCHED THEN INSERT (user_id, organization_id, role_id) VALUES (v.u, 102, 203)', '42501'),
    ('admin', 'WITH w AS (INSERT INTO entitle.role_permission VALUES (202, ''customers.export'') RETURNING *) SELECT * FROM w', '42501'),
    ('admin', 'UPDATE entitle.role_permission SET permission_key = ''customers.export'' WHERE role_id = 202', '42501'),
    ('admin', 'UPDATE entitle.role_permission SET role_id = 201 WHERE role_id = 202', '42501'),
    ('admin', 'INSERT INTO entitle.role_metric VALUES (202, ''*'')', '42501'),
    ('admin', 'INSERT INTO entitle.role_permission VALUES (202, ''customers.view'') ON CONFLICT (role_id, permission_key) DO UPDATE SET role_id = 201', '42501'),
    ('admin', 'UPDATE entitle.role SET organization_id = 103 WHERE role_id = 202', '42501'),
    ('admin', 'INSERT INTO entitle.app_user (user_id, login) VALUES (206, ''x'') ON CONFLICT (user_id) DO UPDATE SET is_active = false', '42501'),
    ('admin', 'INSERT INTO entitle.app_user (login) VALUES (''theirs'') ON CONFLICT (login) DO UPDATE SET is_active = false', '42501'),
    ('admin', 'INSERT INTO entitle.app_user (login, db_role_oid) VALUES (''x'', 10)', '1'),
    ('admin', 'INSERT INTO entitle.app_user (login, db_role) VALUES (''x'', ''test_app'')', '42501'),
    ('both', 'UPDATE entitle.membership SET role_id = NULL', '42501'),
    ('admin', 'SELECT entitle.deactivate_user(''both'')', '42501'),
    ('theirs', 'SELECT entitle.deactivate_user(''both'')', '42501'),
    ('admin', 'SELECT entitle.deactivate_user(''owner'')', '42501'),
    ('admin', 'SELECT entitle.reactivate_user(''gone'')', '1'),
    ('admin', 'SELECT entitle.invite_user(''clerk'', ''exporter'', 102)', '42501')) AS c (login, command, state);
SELECT do_as('admin', 'INSERT INTO entitle.app_user (login, db_role_oid) VALUES (''mapped'', 10)');
SELECT is((SELECT db_role_oid FROM entitle.app_user WHERE login = 'mapped'), NULL, 'S370: no mapping is believed');
SELECT is((SELECT is_active FROM entitle.app_user WHERE user_id = 206), true, 'S370: no key is chosen to meet somebody''s row');

-- S371: the caller's temporary tables, functions and operators.
CREATE FUNCTION with_own(login text, command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM entitle.sign_in(login);
    SET LOCAL ROLE test_app;
    CREATE TEMPORARY TABLE app_user (user_id bigint, login text, is_active boolean);
    CREATE TEMPORARY TABLE role (role_id bigint, organization_id bigint, name text);
    CREATE TEMPORARY TABLE pending_invitation (invitation_id bigint, user_id bigint, inviter_id bigint, expires date);
    INSERT INTO pg_temp.role VALUES (203, 102, 'reader');
    CREATE FUNCTION pg_temp.own_organizations() RETURNS bigint[] LANGUAGE sql AS 'SELECT ARRAY[103::bigint]';
    CREATE FUNCTION pg_temp.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS $f$ SELECT 'customers.export' $f$;
    CREATE FUNCTION pg_temp.same(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR pg_temp.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = pg_temp.same);
    SET LOCAL search_path = pg_temp, entitle, pg_catalog;
    EXECUTE command;
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0042' THEN 'done' ELSE SQLSTATE END;
END
$$;
SELECT is(with_own(login, command), state, format('S371: %s: %s', login, command))
FROM (VALUES ('admin', 'SELECT entitle.create_role(''x'', ''{customers.view}'')', 'done'), ('admin', 'SELECT entitle.create_role(''x'', ''{customers.export}'')', '42501'),
             ('admin', 'SELECT entitle.add_member(''clerk'', ''exporter'')', '42501'), ('clerk', 'SELECT entitle.accept_invitation(1)', '42501'),
             ('clerk', 'SELECT entitle.create_role(''x'')', '42501'), ('admin', 'SELECT entitle.drop_role(203)', '42501')) AS c (login, command, state);

-- S372: through a view of somebody else's, the session's user is asked.
CREATE ROLE test_viewer;
GRANT USAGE ON SCHEMA entitle TO test_viewer;
GRANT SELECT, INSERT, UPDATE ON entitle.membership, entitle.app_user TO test_viewer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_viewer;
CREATE VIEW public.their_members AS SELECT * FROM entitle.membership;
ALTER VIEW public.their_members OWNER TO test_viewer;
CREATE VIEW public.their_users AS SELECT * FROM entitle.app_user;
ALTER VIEW public.their_users OWNER TO test_viewer;
GRANT ALL ON public.their_members, public.their_users TO test_app;
SELECT is(ask('clerk', 'SELECT string_agg(DISTINCT user_id::text, '' '') FROM public.their_members'), '203', 'S372: a clerk sees himself');
SELECT is(ask('clerk', 'SELECT string_agg(login, '' '') FROM public.their_users'), 'clerk', 'S372: and his own name');
SELECT is(ask(NULL, 'SELECT count(*) FROM public.their_users'), '0', 'S372: nobody sees nothing');
SELECT is(tried('clerk', 'UPDATE public.their_members SET role_id = 203'), '42501', 'S372: nothing is written');
SELECT is(tried('admin', 'INSERT INTO public.their_members (user_id, organization_id, role_id) VALUES (203, 102, 203)'), '42501', 'S372: by an admin neither');

-- S373: explanations and reports tell of users and roles elsewhere what they tell of none.
SELECT is(ask('admin', replace(question, 'WHO', 'theirs')), replace(ask('admin', replace(question, 'WHO', 'no such')), 'no such', 'theirs'), format('S373: %s', question))
FROM unnest(ARRAY['SELECT string_agg(f::text, '' '') FROM entitle.explain_permission(''customers.view'', ''WHO'', 105) f',
                  'SELECT string_agg(f::text, '' '') FROM entitle.explain_permission(''customers.view'', ''WHO'', 102) f',
                  'SELECT string_agg(f::text, '' '') FROM entitle.explain_permission(''customers.view'', ''WHO'') f',
                  'SELECT string_agg(f::text, '' '') FROM entitle.explain_capability(''customers.report'', ''WHO'', 105) f',
                  'SELECT string_agg(f::text, '' '') FROM entitle.explain_metric(''revenue'', ''WHO'', 105) f',
                  'SELECT string_agg(f::text, '' '') FROM entitle.explain_sign_in(''WHO'', ''test_app'') f',
                  'SELECT string_agg(f::text, '' '') FROM entitle.user_access(''WHO'') f']) AS question;
SELECT is(ask('admin', question), '0', format('S373: %s', question))
FROM unnest(ARRAY['SELECT count(*) FROM entitle.permission_matrix(103)', 'SELECT count(*) FROM entitle.compare_roles(201, 301)', 'SELECT count(*) FROM entitle.compare_roles(301, 302)',
                  'SELECT count(*) FROM entitle.role WHERE organization_id = 103', 'SELECT count(*) FROM entitle.role_permission WHERE role_id = 301']) AS question;

-- S374: a role, brand or inviter that is another one when the invitation is accepted.
CREATE FUNCTION accepted(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
    answer text;
BEGIN
    PERFORM do_as('admin', 'SELECT entitle.invite_user(''late'', ''reader'', brand_id => 102)');
    made := (SELECT max(invitation_id) FROM entitle.pending_invitation);
    EXECUTE change;
    answer := tried('late', format('SELECT entitle.accept_invitation(%s)', made));
    RAISE EXCEPTION USING ERRCODE = 'P0043', MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'P0043' THEN
    RETURN SQLERRM;
END
$$;
SELECT is(accepted(change), answer, format('S374: after %s', change))
FROM (VALUES ('SELECT 1', '1'), ('DELETE FROM entitle.membership WHERE role_id = 202; UPDATE entitle.role SET organization_id = 103, name = ''moved'' WHERE role_id = 202', '42501'),
             ('UPDATE entitle.brand SET organization_id = 103 WHERE brand_id = 102', '42501'), ('UPDATE entitle.brand SET organization_id = NULL WHERE brand_id = 102', '42501'),
             ('UPDATE entitle.membership SET role_id = 202 WHERE membership_id = 202', '42501'),
             ('INSERT INTO entitle.permission_prerequisite VALUES (''customers.view'', ''products.view'')', '42501'),
             ('SELECT entitle.erase_user(''admin'', ''asked'')', '42501')) AS c (change, answer);

-- S375: nobody, whoever is switched off, and NULLs.
SELECT is(tried(NULL, command), '42501', format('S375: nobody: %s', command))
FROM unnest(ARRAY['SELECT entitle.add_user(''x'')', 'SELECT entitle.create_role(''x'', organization_id => 102)', 'SELECT entitle.add_member(''clerk'', organization_id => 102)',
                  'SELECT entitle.invite_user(''x'', organization_id => 102)', 'SELECT entitle.deactivate_user(''clerk'')', 'SELECT entitle.set_role(202, NULL, NULL)',
                  'SELECT entitle.set_role(NULL, NULL, NULL)', 'SELECT entitle.accept_invitation(NULL)', 'SELECT entitle.deactivate_user(NULL)',
                  'SELECT entitle.add_member(NULL, organization_id => 102)', 'SELECT entitle.invite_user(NULL, customer_id => 101)']) AS command;
SELECT is(ask(NULL, format('SELECT entitle.%s', call)), 'false', format('S375: nobody: %s', call)) FROM unnest(ARRAY['drop_role(202)', 'remove_member(203)', 'withdraw_invitation(1)']) AS call;
SELECT throws_ok($$ SELECT ask('gone', 'SELECT 1') $$, '42501', NULL, 'S375: who is switched off does not sign in');
SELECT is(tried('alone', 'SELECT entitle.add_member(''alone'', brand_id => 104)'), '42501', 'S375: of a standalone brand, nobody himself');
SELECT is(tried('alone', 'SELECT entitle.deactivate_user(''clerk'')'), '42501', 'S375: nor others');
SELECT is(tried('alone', 'SELECT entitle.create_role(''x'', organization_id => 102)'), '42501', 'S375: nor roles');

SELECT * FROM finish();
ROLLBACK;
