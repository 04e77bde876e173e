-- S529: what an adopted table gives to was its owner's when it was adopted, and is another's since: it gives nothing more there.
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_first;
CREATE ROLE test_next;
CREATE SCHEMA shop;
GRANT USAGE, CREATE ON SCHEMA shop TO test_first, test_next;
GRANT USAGE ON SCHEMA entitle TO test_first, test_next;
GRANT EXECUTE ON FUNCTION entitle.adopt_users, entitle.adopt_customers, entitle.adopt_access, entitle.adopt_organizations, entitle.adopt_memberships, entitle.adopt_brands,
    entitle.adopt_roles, entitle.forget_adopted, entitle.verify_adoption, entitle.sync_adopted TO test_first, test_next;
CREATE FUNCTION ended(who name, command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    EXECUTE command;
    RESET ROLE;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

SET LOCAL ROLE test_first;
CREATE TABLE shop.person (id integer PRIMARY KEY, login text);
CREATE TABLE shop.client (id integer PRIMARY KEY, name text);
CREATE TABLE shop.access (id integer PRIMARY KEY, client integer REFERENCES shop.client, person integer REFERENCES shop.person, level text);
CREATE TABLE shop.noted (id integer PRIMARY KEY, client integer, person integer REFERENCES shop.person, level text);
CREATE TABLE shop.company (id integer PRIMARY KEY, name text);
CREATE TABLE shop.brand (id integer PRIMARY KEY, company integer REFERENCES shop.company, name text);
CREATE TABLE shop.job (id integer PRIMARY KEY, company integer REFERENCES shop.company, name text, permissions text[]);
CREATE TABLE shop.member (id integer PRIMARY KEY, company integer REFERENCES shop.company, person integer REFERENCES shop.person, job integer REFERENCES shop.job, owns boolean NOT NULL DEFAULT false);
CREATE TABLE shop.buyer (id integer PRIMARY KEY, brand integer REFERENCES shop.brand, name text);
INSERT INTO shop.person VALUES (1, 'mallory'), (2, 'bob');
INSERT INTO shop.client VALUES (1, 'one'), (2, 'two');
INSERT INTO shop.company VALUES (11, 'eleven');
INSERT INTO shop.access VALUES (1, 1, 2, 'L30');
INSERT INTO shop.job VALUES (21, 11, 'clerk', '{customers.view}');
INSERT INTO shop.member VALUES (1, 11, 2, 21);
SELECT entitle.adopt_users('shop.person', 'login'), entitle.adopt_customers('shop.client', 'id', 'name'), entitle.adopt_organizations('shop.company', 'id', 'name'),
       entitle.adopt_access('shop.access', 'client', 'person', level_column => 'level'),
       entitle.adopt_access('shop.noted', 'client', 'person', level_column => 'level', on_conflict => 'report'),
       entitle.adopt_brands('shop.brand', 'id', 'name', organization_column => 'company'),
       entitle.adopt_roles('shop.job', 'id', 'name', organization_column => 'company', permissions_column => 'permissions'),
       entitle.adopt_memberships('shop.member', 'person', organization_column => 'company', role_column => 'job', owner_when => 'owns') \g /dev/null
INSERT INTO shop.brand VALUES (900, 11, 'nine hundred');
SELECT entitle.adopt_customers('shop.buyer', 'id', 'name', brand_column => 'brand') \g /dev/null
RESET ROLE;
SELECT is_empty('SELECT * FROM entitle.verify_adoption()', 'all is well while one owns them all');

ALTER TABLE shop.client OWNER TO test_next;
ALTER TABLE shop.company OWNER TO test_next;
ALTER TABLE shop.brand OWNER TO test_next;
GRANT REFERENCES, SELECT ON shop.client, shop.company, shop.brand TO test_first;
SELECT is(ended('test_next', 'INSERT INTO shop.client VALUES (3, ''three'')'), 'done', 'the next owner goes on');
SELECT is(ended('test_first', command), '42501 ' || refused, 'S529: ' || command)
FROM (VALUES
    ('INSERT INTO shop.access VALUES (2, 3, 1, ''L90'')', 'row of adopted table "shop.access" cannot be followed: shop.client is another owner''s'),
    ('UPDATE shop.access SET level = ''L90''', 'row of adopted table "shop.access" cannot be followed: shop.client is another owner''s'),
    ('UPDATE shop.access SET person = 1', 'row of adopted table "shop.access" cannot be followed: shop.client is another owner''s'),
    ('INSERT INTO shop.access VALUES (2, 1, 1, ''L90''), (3, 2, 1, ''L10'')', 'row of adopted table "shop.access" cannot be followed: shop.client is another owner''s'),
    ('SELECT entitle.adopt_access(''shop.access'', ''client'', ''person'', level => ''L90'')', 'permission denied to give to what column "client" names'),
    ('INSERT INTO shop.member VALUES (2, 11, 1, NULL, true)', 'row of adopted table "shop.member" cannot be followed: shop.company is another owner''s'),
    ('UPDATE shop.member SET owns = true', 'row of adopted table "shop.member" cannot be followed: shop.company is another owner''s'),
    ('INSERT INTO shop.job VALUES (22, 11, ''all'', ''{customers.edit}'')', 'row of adopted table "shop.job" cannot be followed: shop.company is another owner''s'),
    ('UPDATE shop.job SET permissions = permissions || ''{customers.edit}''', 'row of adopted table "shop.job" cannot be followed: shop.company is another owner''s'),
    ('INSERT INTO shop.buyer VALUES (500, 900, ''b'')', 'row of adopted table "shop.buyer" cannot be followed: shop.brand is another owner''s')) AS v (command, refused);
SELECT is(ended('test_first', 'INSERT INTO shop.noted VALUES (1, 3, 1, ''L90'')'), 'done', 'an adoption that reports refuses no write');
SELECT results_eq('SELECT customer_id, user_id, role FROM entitle.external_access',
                  'SELECT 1::bigint, user_id, ''L30'' FROM entitle.app_user WHERE login = ''bob''', 'S529: what was given stays, and nothing more is');
SELECT is((SELECT problem FROM entitle.verify_adoption() WHERE source = 'shop.noted'::regclass AND key = '1'), 'shop.client is another owner''s', 'S529: and it is told');
SELECT is((SELECT string_agg(object || ': ' || finding || ': ' || remedy, E'\n' ORDER BY object) FROM entitle.lint() WHERE severity = 'error' AND object ~ '^shop.(access|noted|member|job|buyer|brand)'),
          concat_ws(E'\n', 'shop.access: its rows give to what is another owner''s: shop.client: SELECT entitle.forget_adopted(''shop.access'');',
                    'shop.buyer: its rows give to what is another owner''s: shop.brand: SELECT entitle.forget_adopted(''shop.buyer'');',
                    'shop.job: its rows give to what is another owner''s: shop.company: SELECT entitle.forget_adopted(''shop.job'');',
                    'shop.member: its rows give to what is another owner''s: shop.company: SELECT entitle.forget_adopted(''shop.member'');',
                    'shop.noted: its rows give to what is another owner''s: shop.client: SELECT entitle.forget_adopted(''shop.noted'');'), 'S529: lint names the tables');

-- The next owner forgets and adopts anew: that lets nobody in.
SELECT is(ended('test_next', 'SELECT entitle.forget_adopted(''shop.client''); SELECT entitle.adopt_customers(''shop.client'', ''id'', ''name'')'), 'done', 'adopted again');
SELECT is(ended('test_next', 'INSERT INTO shop.client VALUES (4, ''four'')'), 'done', 'and written');
SELECT is(ended('test_first', 'INSERT INTO shop.access VALUES (2, 4, 1, ''L90'')'), '42501 row of adopted table "shop.access" cannot be followed: shop.client is another owner''s', 'S529: adopted again');
SELECT is(ended('test_first', 'SELECT entitle.sync_adopted()'), 'done', 'in step');
SELECT is((SELECT count(*) FROM entitle.external_access), 1::bigint, 'S529: nor does bringing it in step');
SELECT is(ended('test_first', $$
    SELECT entitle_internal.record_adoption(jsonb_populate_record(NULL::entitle.adoption, jsonb_build_object('source', 'shop.access', 'kind', 'access', 'key_columns', '["id"]'::jsonb,
        'facts', '["true","client","person","level","NULL::text","NULL::text","NULL::text"]'::jsonb, 'on_conflict', 'refuse',
        'options', '{"levels": {}, "customer_column": "client", "user_column": "person", "for_others": true}'::jsonb))) $$),
          '42501 permission denied to give to what column "client" names', 'S529: the owner does not say so himself');

-- What was given may end.
SELECT is(ended('test_first', 'DELETE FROM shop.access'), 'done', 'S529: a grant ends');
SELECT is(ended('test_first', 'DELETE FROM shop.member'), 'done', 'S529: a membership ends');
SELECT is(ended('test_first', 'UPDATE shop.job SET permissions = ''{}'''), 'done', 'S529: a permission is taken away');
SELECT is((SELECT count(*) FROM entitle.external_access) + (SELECT count(*) FROM entitle.membership WHERE adoption_id IS NOT NULL) + (SELECT count(*) FROM entitle.role_permission WHERE adoption_id IS NOT NULL),
          0::bigint, 'S529: what ends is followed');

-- A superuser says that its owner may.
SELECT entitle.adopt_access('shop.access', 'client', 'person', level_column => 'level') \g /dev/null
SELECT is(ended('test_first', 'INSERT INTO shop.access VALUES (2, 3, 1, ''L30'')'), 'done', 'S529: a superuser adopted it as it is');
SELECT is((SELECT count(*) FROM entitle.external_access), 1::bigint, 'and it gives');
SELECT is_empty('SELECT * FROM entitle.lint() WHERE object = ''shop.access''', 'lint has nothing to say then');
SELECT is(ended('test_first', 'ALTER TABLE shop.access RENAME COLUMN level TO grade; INSERT INTO shop.access VALUES (3, 2, 1, ''L30'')'), 'done', 'through changes of the table');
-- One owner again.
ALTER TABLE shop.company OWNER TO test_first;
SELECT is(ended('test_first', 'INSERT INTO shop.member VALUES (2, 11, 1, NULL, true)'), 'done', 'one owner again');

SELECT * FROM finish();
ROLLBACK;
