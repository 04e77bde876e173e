-- S166: who reads a row of the change log manages all that it tells about: the row before and the row after, where it belonged
-- then, and the organization of a role that is not the reader's own.
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'admin of 1'), (102, 'admin of 2'), (103, 'admin of both'), (104, 'guest'),
    (105, 'editor of 1'), (106, 'editor of 2'), (107, 'editor of both'), (108, 'owner of 1'), (109, 'owner of 2'), (110, 'owner of both'), (111, 'mover');
INSERT INTO entitle.organization (organization_id, name) VALUES (2, 'second');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'other'), (3, 2, 'theirs'), (4, 1, 'given');
INSERT INTO entitle.brand_module (brand_id, module_key, is_enabled)
SELECT b, module_key, is_enabled FROM entitle.brand_module, unnest(ARRAY[2, 3]) AS b WHERE brand_id = 1;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (201, 1, 'first''s'), (202, 2, 'second''s');
INSERT INTO entitle.membership (membership_id, user_id, organization_id, brand_id, role_id, is_owner) VALUES
    (101, 105, NULL, 1, 6, false), (102, 106, NULL, 2, 6, false), (103, 107, NULL, 1, 6, false), (104, 107, NULL, 2, 6, false),
    (105, 108, 1, NULL, NULL, true), (106, 109, 2, NULL, NULL, true), (107, 110, 1, NULL, NULL, true), (108, 110, 2, NULL, NULL, true),
    (109, 109, 1, NULL, 201, false), (110, 111, NULL, 1, NULL, false);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) VALUES (1, 1, 'a', 'a', '1'), (2, 1, 'b', 'b', '2'), (3, 1, 'c', 'c', '3');
INSERT INTO entitle.external_access (customer_id, user_id, role, notes) VALUES
    (1, 101, 'L80', NULL), (2, 102, 'L80', NULL), (1, 103, 'L80', NULL), (2, 103, 'L80', NULL), (1, 104, 'L10', 'of the first');

-- The changes, each of which leaves the last row of its table in the log.
CREATE TABLE change (name text, change_id bigint);
GRANT SELECT ON change TO test_app;
CREATE FUNCTION note(what text, command text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE command;
    INSERT INTO change SELECT what, max(change_id) FROM entitle.change_log;
END
$$;
SELECT note('grant moved', 'UPDATE entitle.external_access SET customer_id = 2, notes = ''of the second'' WHERE user_id = 104'),
       note('grant changed', 'UPDATE entitle.external_access SET role = ''L20'' WHERE user_id = 104'),
       note('customer before', 'UPDATE entitle.customer SET notes = ''of the first brand'' WHERE customer_id = 3'),
       note('customer moved', 'UPDATE entitle.customer SET brand_id = 2 WHERE customer_id = 3'),
       note('customer after', 'UPDATE entitle.customer SET notes = ''of the other brand'' WHERE customer_id = 3'),
       note('member moved', 'UPDATE entitle.membership SET brand_id = 3 WHERE membership_id = 110'),
       note('role given away', 'UPDATE entitle.role SET organization_id = 1, name = ''given'' WHERE role_id = 202'),
       note('role''s permission', 'INSERT INTO entitle.role_permission VALUES (201, ''customers.view'')'),
       note('role''s metric', 'INSERT INTO entitle.role_metric VALUES (201, ''*'')'),
       note('brand given away', 'UPDATE entitle.brand SET organization_id = 2 WHERE brand_id = 4') \g /dev/null
GRANT SELECT ON ALL TABLES IN SCHEMA entitle TO test_app;

CREATE FUNCTION reads(login text, changes text) RETURNS text LANGUAGE sql
    AS $$
    SELECT ask(login, format('SELECT coalesce(string_agg(c.name, '', '' ORDER BY c.change_id), ''nothing'') FROM change c'
                             ' JOIN entitle.change_log l USING (change_id) WHERE c.name ~ %L', changes))
    $$;
SELECT is(reads(login, 'grant'), expected, format('S166: %s reads of the grant: %s', login, expected))
FROM (VALUES ('admin of 1', 'nothing'), ('admin of 2', 'grant changed'), ('admin of both', 'grant moved, grant changed'), ('guest', 'nothing')) AS v (login, expected);
SELECT is(reads(login, 'customer'), expected, format('S166: %s reads of the customer: %s', login, expected))
FROM (VALUES ('editor of 1', 'nothing'), ('editor of 2', 'customer after'), ('editor of both', 'customer before, customer moved, customer after')) AS v (login, expected);
SELECT is(reads(login, 'member|role|brand'), expected, format('S166: %s reads of what organizations have: %s', login, expected))
FROM (VALUES ('owner of 1', 'role''s permission, role''s metric'), ('owner of 2', 'nothing'),
             ('owner of both', 'member moved, role given away, role''s permission, role''s metric, brand given away')) AS v (login, expected);

SELECT * FROM finish();
ROLLBACK;
