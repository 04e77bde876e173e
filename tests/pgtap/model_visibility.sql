-- Row-level security on the model's own tables: with every table privilege granted, an ordinary role sees no more than its own
-- rights, a manager what it manages, and a write that the rules do not give is refused (R1, R3, R15, R19, R53, S92, S100).
\ir setup.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;

INSERT INTO entitle.organization (organization_id, name) VALUES (102, 'group');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 102, 'shop'), (103, NULL, 'alone');
INSERT INTO entitle.brand_module VALUES (102, 'customers'), (103, 'customers');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (108, 102, 'clerk');
INSERT INTO entitle.role_permission VALUES (108, 'customers.view');
INSERT INTO entitle.role_metric VALUES (108, '*');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (101, 'viewer', true), (102, 'sales', true), (103, 'sales manager', true), (104, 'access manager', true),
    (105, 'owner of the group', true), (106, 'clerk of the shop', true), (107, 'customer''s admin', true),
    (108, 'customer''s reader', true), (109, 'gone', false), (110, 'stranger', true);
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (109, 1, 'access manager');
INSERT INTO entitle.role_permission VALUES (109, 'customers.view'), (109, 'external_access.manage');
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner) VALUES
    (101, 101, 1, 7, false), (102, 102, 1, 5, false), (103, 103, 1, 6, false), (104, 104, 1, 109, false),
    (105, 105, 102, NULL, true), (109, 109, 1, 6, true);
INSERT INTO entitle.membership (membership_id, user_id, brand_id, role_id) VALUES (106, 106, 102, 108);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id, status) VALUES
    (101, 1, 'a', 'a', '1', 'ACTV'), (102, 1, 'b', 'b', '2', 'PAIN'), (103, 1, 'c', 'c', '3', 'INAC'), (104, 102, 'd', 'd', '4', 'ACTV');
INSERT INTO entitle.client_metric (metric_id, name, is_active) VALUES (101, 'pays', true), (102, 'answers', true), (103, 'old', false);
INSERT INTO entitle.client_metric (metric_id, organization_id, name) VALUES (111, 102, 'pays'), (112, 102, 'answers'); -- the group's own (R57)
INSERT INTO entitle.customer_metric VALUES (101, 101, 50), (102, 101, 50), (103, 101, 50), (104, 111, 50), (101, 103, 1);
INSERT INTO entitle.integration_link VALUES (101, 'freshbooks', 'f1'), (103, 'freshbooks', 'f3'), (104, 'freshbooks', 'f4');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES
    (101, 107, 'L80'), (101, 108, 'L10'), (102, 107, 'L20'), (104, 108, 'L40'), (104, 105, 'L10');
INSERT INTO entitle.change_log (relation, action, row_key) VALUES ('entitle.role', 'INSERT', '{}');

CREATE TEMP TABLE key_of (relation, expression) AS VALUES
    ('app_user', 'user_id'), ('organization', 'organization_id'), ('brand', 'brand_id'), ('membership', 'membership_id'),
    ('role', 'role_id'), ('role_metric', 'role_id'), ('customer', 'customer_id'), ('client_metric', 'metric_id'),
    ('customer_metric', 'customer_id'), ('integration_link', 'customer_id'),
    ('external_access', 'customer_id || ''/'' || user_id'), ('customer_profile', 'customer_id'),
    ('customer_metric_value', 'customer_id || ''/'' || metric'), ('protected_tables', 'relation'), ('shipped_row', 'relation'),
    ('shipped_removal', 'relation'), ('protection', 'relation'), ('protection_member', 'relation');

-- What somebody sees of each table.
CREATE FUNCTION seen(login text) RETURNS TABLE (relation text, keys text)
    LANGUAGE sql
    AS $$
    SELECT k.relation, ask(login, format(
        'SELECT string_agg(key, '' '' ORDER BY key COLLATE "C") FROM (SELECT DISTINCT (%s)::text AS key FROM entitle.%I) t',
        k.expression, k.relation))
    FROM key_of k
    $$;
CREATE FUNCTION sees(login text, expected text[]) RETURNS SETOF text
    LANGUAGE sql
    AS $$
    SELECT is(s.keys, e.keys, format('%s sees %s of %s', coalesce(login, 'nobody'), coalesce(e.keys, 'nothing'), s.relation))
    FROM seen(login) s
    LEFT JOIN (SELECT split_part(x, ': ', 1) AS relation, split_part(x, ': ', 2) AS keys FROM unnest(expected) AS x) e USING (relation)
    ORDER BY s.relation
    $$;

SELECT sees(NULL, '{}');
SELECT sees('stranger', ARRAY['app_user: 110']);
SELECT sees('viewer', ARRAY['app_user: 101', 'organization: 1', 'brand: 1', 'membership: 101', 'role: 7',
    'customer: 101 102 103', 'customer_profile: 101 102 103', 'customer_metric: 101 102 103', 'integration_link: 101 103']);
SELECT sees('sales', ARRAY['app_user: 102', 'organization: 1', 'brand: 1', 'membership: 102', 'role: 5',
    'customer: 101 102 103', 'customer_profile: 101 102 103', 'customer_metric: 101 102 103', 'integration_link: 101 103',
    'customer_metric_value: 101/answers 101/old 101/pays 102/answers 102/pays 103/answers 103/pays']);
SELECT sees('sales manager', ARRAY['app_user: 103', 'organization: 1', 'brand: 1', 'membership: 103', 'role: 6',
    'customer: 101 102 103', 'customer_profile: 101 102 103', 'client_metric: 101 102 103',
    'customer_metric: 101 102 103', 'integration_link: 101 103',
    'customer_metric_value: 101/answers 101/old 101/pays 102/answers 102/pays 103/answers 103/pays']);
SELECT sees('access manager', ARRAY['app_user: 104 107 108', 'organization: 1', 'brand: 1', 'membership: 104', 'role: 109',
    'customer: 101 102 103', 'customer_profile: 101 102 103', 'customer_metric: 101 102 103', 'integration_link: 101 103',
    'external_access: 101/107 101/108 102/107']);
SELECT sees('owner of the group', ARRAY['app_user: 105 106 108', 'organization: 102', 'brand: 102', 'membership: 105 106',
    'role: 108', 'role_metric: 108', 'customer: 104', 'customer_profile: 104', 'client_metric: 111 112',
    'customer_metric: 104', 'integration_link: 104', 'external_access: 104/105 104/108',
    'customer_metric_value: 104/answers 104/pays']);
SELECT sees('clerk of the shop', ARRAY['app_user: 106', 'organization: 102', 'brand: 102', 'membership: 106', 'role: 108',
    'role_metric: 108', 'customer: 104', 'customer_profile: 104', 'customer_metric: 104', 'integration_link: 104']);
SELECT sees('customer''s admin', ARRAY['app_user: 107 108', 'external_access: 101/107 101/108 102/107',
    'customer_profile: 101 102']);
SELECT sees('customer''s reader', ARRAY['app_user: 108', 'external_access: 101/108 104/108', 'customer_profile: 101 104']);

-- The catalogue is for everyone who is somebody.
SELECT is(ask('stranger', format('SELECT count(*) > 0 FROM entitle.%I', t)), 'true', format('a user reads %s', t))
FROM unnest(ARRAY['module', 'permission', 'permission_module', 'permission_prerequisite', 'capability', 'capability_permission',
                  'metric', 'metric_module']) AS t;
SELECT is(ask(NULL, format('SELECT count(*) FROM entitle.%I', t)), '0', format('R1: nobody reads %s', t))
FROM unnest(ARRAY['module', 'permission', 'permission_module', 'permission_prerequisite', 'capability', 'capability_permission',
                  'metric', 'metric_module', 'brand_module', 'role_permission', 'plan', 'plan_denial']) AS t;
SELECT is(ask('viewer', 'SELECT string_agg(DISTINCT role_id::text, '' '') FROM entitle.role_permission'), '7',
          'a user reads what the own roles grant');
SELECT is(ask('clerk of the shop', 'SELECT string_agg(DISTINCT brand_id::text, '' '') FROM entitle.brand_module'), '102',
          'a user reads the modules of the own brands');

-- Deactivated while signed in.
CREATE FUNCTION seen_when_deactivated() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    total bigint := 0;
    part bigint;
    relation text;
BEGIN
    PERFORM entitle.sign_in('sales manager');
    UPDATE entitle.app_user SET is_active = false WHERE login = 'sales manager';
    SET LOCAL ROLE test_app;
    FOR relation IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind IN ('r', 'v') LOOP
        EXECUTE format('SELECT count(*) FROM entitle.%I', relation) INTO part;
        total := total + part;
    END LOOP;
    RESET ROLE;
    PERFORM entitle.sign_out();
    UPDATE entitle.app_user SET is_active = true WHERE login = 'sales manager';
    RETURN total;
END
$$;
SELECT is(seen_when_deactivated(), 0::bigint, 'R1: a user who was deactivated sees nothing of any table');

-- Writing what one sees of the model is refused with an error, what one does not see does not exist (R3).
SELECT throws_ok(format('SELECT do_as(%L, %L)', login, command), '42501', NULL, format('R3: %s is refused: %s', login, command))
FROM (VALUES
    ('viewer', 'UPDATE entitle.app_user SET full_name = ''x'''),
    ('viewer', 'DELETE FROM entitle.app_user'),
    ('viewer', 'INSERT INTO entitle.app_user (login) VALUES (''x'')'),
    ('viewer', 'UPDATE entitle.membership SET role_id = 6'),
    ('viewer', 'INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 6)'),
    ('viewer', 'UPDATE entitle.role SET is_active = true'),
    ('viewer', 'UPDATE entitle.membership SET user_id = 102'),
    ('viewer', 'INSERT INTO entitle.role_permission VALUES (7, ''customers.edit'')'),
    ('viewer', 'DELETE FROM entitle.role_permission'),
    ('viewer', 'UPDATE entitle.permission SET is_active = true'),
    ('viewer', 'DELETE FROM entitle.permission_prerequisite'),
    ('viewer', 'UPDATE entitle.customer SET notes = ''x'''),
    ('viewer', 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (''x'', ''x'', ''x'')'),
    ('sales', 'DELETE FROM entitle.customer'),
    ('sales', 'UPDATE entitle.customer SET brand_id = 102 WHERE customer_id = 101'),
    ('sales', 'INSERT INTO entitle.client_metric (name) VALUES (''x'')'),
    ('sales', 'UPDATE entitle.customer_metric SET value = 1 WHERE customer_id = 102'),
    ('sales', 'UPDATE entitle.customer_metric SET customer_id = 101 WHERE customer_id = 102'),
    ('sales', 'DELETE FROM entitle.customer_metric WHERE customer_id = 103'),
    ('sales', 'INSERT INTO entitle.customer_metric VALUES (102, 102, 1)'),
    ('sales', 'UPDATE entitle.integration_link SET external_id = ''x'' WHERE customer_id = 103'),
    ('sales', 'INSERT INTO entitle.integration_link VALUES (103, ''other'', ''x'')'),
    ('sales', 'INSERT INTO entitle.integration_link VALUES (104, ''other'', ''x'')'),
    ('viewer', 'DELETE FROM entitle.integration_link WHERE customer_id = 101'),
    ('customer''s reader', 'UPDATE entitle.external_access SET role = ''L40'''),
    ('customer''s reader', 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (102, 108)'),
    ('customer''s reader', 'UPDATE entitle.customer_profile SET trade_name = ''x'''),
    ('customer''s reader', 'DELETE FROM entitle.customer_profile'),
    ('customer''s reader', 'INSERT INTO entitle.customer_profile (legal_name, trade_name, tax_id) VALUES (''x'', ''x'', ''x'')'),
    ('sales manager', 'INSERT INTO entitle.change_log (relation, action, row_key) VALUES (''entitle.role'', ''x'', ''{}'')'),
    ('sales manager', 'UPDATE entitle.change_log SET action = ''x'''),
    ('sales manager', 'DELETE FROM entitle.change_log')
) AS w (login, command);
SELECT is(do_as(login, command), 0::bigint, format('R3: for %s there is nothing: %s', login, command))
FROM (VALUES
    ('viewer', 'UPDATE entitle.app_user SET full_name = ''x'' WHERE user_id = 102'),
    ('viewer', 'DELETE FROM entitle.membership WHERE user_id = 102'),
    ('viewer', 'UPDATE entitle.role SET name = ''x'' WHERE role_id = 108'),
    ('viewer', 'UPDATE entitle.customer SET notes = ''x'' WHERE customer_id = 104'),
    ('viewer', 'DELETE FROM entitle.client_metric'),
    ('customer''s reader', 'UPDATE entitle.external_access SET role = ''L40'' WHERE user_id = 107'),
    ('customer''s reader', 'UPDATE entitle.customer SET notes = ''x''')
) AS w (login, command);

-- Writing what the rules give.
SELECT is(do_as(login, command), touched::bigint, format('%s may: %s', login, command))
FROM (VALUES
    ('sales', 'UPDATE entitle.customer SET notes = ''x'' WHERE customer_id = 101', 1),
    ('sales', 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (''x'', ''x'', ''x'')', 1),
    ('sales', 'UPDATE entitle.customer_metric SET value = 1 WHERE customer_id = 101', 2),
    ('sales manager', 'UPDATE entitle.customer_metric SET value = 1 WHERE customer_id = 102', 1),
    ('sales manager', 'INSERT INTO entitle.customer_metric VALUES (102, 102, 1)', 1),
    ('sales manager', 'DELETE FROM entitle.customer_metric WHERE customer_id = 102', 2),
    ('sales manager', 'UPDATE entitle.client_metric SET multiplier = 2', 3),
    ('sales manager', 'DELETE FROM entitle.client_metric WHERE metric_id = 102', 1),
    ('sales', 'UPDATE entitle.integration_link SET external_id = ''x'' WHERE customer_id = 101', 1),
    ('sales', 'DELETE FROM entitle.integration_link WHERE customer_id = 101', 1),
    ('sales', 'INSERT INTO entitle.integration_link VALUES (101, ''freshbooks'', ''x'')', 1)
) AS w (login, command, touched);

-- The change log is append-only for the owner of the table too.
SELECT lives_ok('UPDATE entitle.change_log SET actor_login = ''x''', 'R53: a superuser may prune the change log');
CREATE ROLE test_owner;
ALTER TABLE entitle.change_log OWNER TO test_owner;
GRANT USAGE ON SCHEMA entitle TO test_owner;
SET LOCAL ROLE test_owner;
SELECT throws_ok(command, '42501', 'the change log is append-only', format('R21: its owner may not: %s', command))
FROM unnest(ARRAY['UPDATE entitle.change_log SET action = ''x''', 'DELETE FROM entitle.change_log',
                  'TRUNCATE entitle.change_log']) AS command;
RESET ROLE;

-- A role that may run the helpers of the policies learns nothing about others from them.
SELECT is(ask('viewer', 'SELECT entitle.manages_user(102)'), 'false', 'a viewer manages nobody');
SELECT is(ask('viewer', 'SELECT entitle.customer_allowed(104, ''customers.view'')'), 'false',
          'a customer of another brand is denied');
SELECT is(ask('viewer', 'SELECT entitle.customer_allowed(-1, ''customers.view'')'), 'false',
          'as is one that does not exist');
SELECT is(ask(NULL, 'SELECT concat(entitle.own_user(), entitle.own_roles(), entitle.own_brands(), entitle.own_organizations(),'
                    ' entitle.owned_brands(), entitle.owned_organizations())'), '{}{}{}{}{}', 'R1: nobody has nothing');

-- A list of so many users that they are found all at once, after a first attempt that ends early (R60).
INSERT INTO entitle.app_user (user_id, login) SELECT i, 'listed ' || i FROM generate_series(10001, 13000) AS i;
INSERT INTO entitle.membership (membership_id, user_id, organization_id) SELECT i, i, 102 FROM generate_series(10001, 12400) AS i;
INSERT INTO entitle.membership (membership_id, user_id, brand_id) SELECT i, i, 102 FROM generate_series(12401, 12500) AS i;
INSERT INTO entitle.membership (membership_id, user_id, organization_id) SELECT i, i, 1 FROM generate_series(12501, 12600) AS i;
SELECT is(ask('owner of the group', 'SELECT format(''%s %s %s'', count(*), min(user_id), max(user_id)) FROM entitle.app_user WHERE user_id > 10000'),
          '2500 10001 12500', 'R60: an owner lists the members of the organization and of its brands');
SELECT is(ask('owner of the group', 'SELECT count(*) FROM entitle.app_user WHERE user_id BETWEEN 12401 AND 12700'), '100', 'and some of them');
SELECT is(ask('viewer', 'SELECT count(*) FROM entitle.app_user WHERE user_id > 10000'), '0', 'a viewer lists nobody');

SELECT * FROM finish();
ROLLBACK;
