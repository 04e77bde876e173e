-- Organizations, brands, roles, what these grant, and memberships that are rows of an application's tables (R64): tenants by uuid with
-- their shops, roles with lists of permissions, members with several roles. They follow every write, change there only, and nobody
-- gives by them what is not his (S400 to S403).
\ir tried.psql
\ir adopting.psql
SELECT no_plan();

CREATE ROLE app_owner;
CREATE ROLE app_writer;
GRANT CREATE ON SCHEMA public TO app_owner;
GRANT EXECUTE ON FUNCTION entitle.adopt_organizations, entitle.adopt_brands, entitle.adopt_users, entitle.adopt_customers, entitle.adopt_roles,
    entitle.adopt_role_permissions, entitle.adopt_memberships, entitle.forget_adopted, entitle.sync_adopted, entitle.verify_adoption TO app_owner;
INSERT INTO entitle.permission (permission_key) VALUES ('parcels.view'), ('parcels.send'), ('parcels.count');
SET ROLE app_owner;
CREATE TYPE duty AS ENUM ('parcels.view', 'parcels.send', 'parcels.lose');
CREATE TABLE tenant (id uuid PRIMARY KEY, name text, closed_at timestamptz);
CREATE TABLE shop (code text PRIMARY KEY, tenant uuid REFERENCES tenant ON DELETE CASCADE ON UPDATE CASCADE, open boolean NOT NULL DEFAULT true);
CREATE TABLE person (id uuid PRIMARY KEY, mail text NOT NULL UNIQUE, deleted_at timestamptz);
CREATE TABLE job (id integer PRIMARY KEY, tenant uuid REFERENCES tenant ON DELETE CASCADE ON UPDATE CASCADE, title text, may text[], gone boolean NOT NULL DEFAULT false);
CREATE TABLE job_duty (job integer REFERENCES job ON DELETE CASCADE ON UPDATE CASCADE, duty duty, PRIMARY KEY (job, duty));
CREATE TABLE member (no integer PRIMARY KEY, person uuid REFERENCES person ON DELETE CASCADE ON UPDATE CASCADE, tenant uuid REFERENCES tenant ON DELETE CASCADE ON UPDATE CASCADE,
    shop text REFERENCES shop ON DELETE CASCADE, jobs integer[], boss boolean, left_on date);
INSERT INTO tenant SELECT md5('t' || i)::uuid, 'Tenant ' || i FROM generate_series(1, 3) i;
INSERT INTO shop SELECT format('s%s-%s', i, j), md5('t' || i)::uuid FROM generate_series(1, 3) i, generate_series(1, 2) j;
INSERT INTO person SELECT md5('p' || i)::uuid, 'p' || i FROM generate_series(1, 6) i;
INSERT INTO job VALUES (1, md5('t1')::uuid, 'clerk', '{parcels.view}'), (2, md5('t1')::uuid, 'driver', '{parcels.send,parcels.send,NULL}'), (3, md5('t2')::uuid, 'clerk', NULL);
INSERT INTO member VALUES (1, md5('p1')::uuid, md5('t1')::uuid, NULL, '{1}', NULL), (2, md5('p2')::uuid, md5('t1')::uuid, 's1-1', '{1,2}', false),
    (3, md5('p3')::uuid, md5('t2')::uuid, NULL, NULL, true), (4, md5('p4')::uuid, NULL, 's3-2', NULL, NULL), (5, NULL, md5('t1')::uuid, NULL, NULL, NULL),
    (6, md5('p6')::uuid, NULL, NULL, NULL, NULL);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON tenant, shop, person, job, job_duty, member TO app_writer;
SELECT entitle.adopt_users('person', 'mail', active_when => 'deleted_at IS NULL');
SELECT lives_ok($$ SELECT entitle.adopt_organizations('tenant', 'id', 'name', active_when => 'closed_at IS NULL') $$, 'an owner adopts organizations');
SELECT lives_ok($$ SELECT entitle.adopt_brands('shop', 'code', 'code', 'tenant', active_when => 'open') $$, 'their brands');
SELECT lives_ok($$ SELECT entitle.adopt_roles('job', 'id', 'title', 'tenant', 'may', active_when => 'NOT gone') $$, 'their roles');
SELECT lives_ok($$ SELECT entitle.adopt_role_permissions('job_duty', 'job', 'duty') $$, 'what these grant');
SELECT lives_ok($$ SELECT entitle.adopt_memberships('member', 'person', 'tenant', 'shop', 'jobs', owner_when => 'boss', active_when => 'left_on IS NULL') $$, 'and memberships');
RESET ROLE;

-- Which of the permissions somebody holds where, by the checks; and by the tables themselves, worked out here.
CREATE FUNCTION held() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(h, ' ' ORDER BY h) FROM (
              SELECT format('%s:%s:%s', u.login, b.source_key, p.permission_key) COLLATE "C" AS h
              FROM entitle.app_user u, entitle.brand b, entitle.permission p
              WHERE u.adoption_id IS NOT NULL AND u.is_active AND b.adoption_id IS NOT NULL AND p.permission_key LIKE 'parcels.%'
                AND entitle.user_has_permission(u.user_id, p.permission_key, b.brand_id)) h $$;
CREATE FUNCTION expected() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(h, ' ' ORDER BY h) FROM (
              SELECT DISTINCT format('%s:%s:%s', p.mail, s.code, q.permission_key) COLLATE "C" AS h
              FROM member m
              JOIN person p ON p.id = m.person AND p.deleted_at IS NULL
              JOIN shop s ON s.open AND CASE WHEN m.shop IS NULL THEN s.tenant = m.tenant ELSE s.code = m.shop END
              JOIN tenant t ON t.id = s.tenant AND t.closed_at IS NULL
              JOIN entitle.permission q ON q.permission_key LIKE 'parcels.%'
              WHERE m.left_on IS NULL
                AND (m.boss AND m.shop IS NULL
                     OR EXISTS (SELECT FROM job j WHERE j.id = ANY (m.jobs) AND NOT j.gone
                                AND (q.permission_key = ANY (j.may) OR EXISTS (SELECT FROM job_duty d WHERE d.job = j.id AND d.duty::text = q.permission_key))))) h $$;
CREATE FUNCTION in_step(what text) RETURNS SETOF text LANGUAGE plpgsql
    AS $$ BEGIN
        RETURN NEXT is(held(), expected(), 'R64: rights follow ' || what);
        RETURN NEXT is((SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v), NULL, 'and verify_adoption finds nothing');
    END $$;
SELECT is(held(), 'p1:s1-1:parcels.view p1:s1-2:parcels.view p2:s1-1:parcels.send p2:s1-1:parcels.view p3:s2-1:parcels.count p3:s2-1:parcels.send p3:s2-1:parcels.view'
                  ' p3:s2-2:parcels.count p3:s2-2:parcels.send p3:s2-2:parcels.view', 'R64: what was there gives rights: a role, several in one brand, ownership');
SELECT * FROM in_step('the adoption');
SELECT is(ask('p2', format('SELECT entitle.has_permission(''parcels.send'', %s)', brand_id)), 'true', 'a member asks himself') FROM entitle.brand WHERE source_key = 's1-1';
SELECT is((SELECT count(*) FROM entitle.brand_module m JOIN entitle.brand b USING (brand_id) WHERE b.source_key = 's1-1' AND m.is_enabled), (SELECT count(*) FROM entitle.module),
          'R23: such a brand has every module enabled, as the installed one');

CREATE TEMP TABLE way (n integer GENERATED ALWAYS AS IDENTITY, command text);
INSERT INTO way (command) VALUES
    ($$UPDATE job SET may = array_append(may, 'parcels.count') WHERE id = 1$$),
    ($$UPDATE job SET may = '{parcels.view}' WHERE id = 1$$),
    ($$INSERT INTO job_duty VALUES (1, 'parcels.send'), (3, 'parcels.view')$$),
    ($$INSERT INTO member VALUES (10, md5('p5')::uuid, md5('t2')::uuid, NULL, '{3}')$$),
    ($$UPDATE job SET title = CASE title WHEN 'clerk' THEN 'driver' ELSE 'clerk' END WHERE tenant = md5('t1')::uuid$$),
    ($$UPDATE tenant SET name = CASE name WHEN 'Tenant 1' THEN 'Tenant 2' WHEN 'Tenant 2' THEN 'Tenant 3' ELSE 'Tenant 1' END$$),
    ($$UPDATE job SET gone = true WHERE id = 1$$),
    ($$INSERT INTO job VALUES (4, md5('t1')::uuid, 'driver', '{parcels.count}')$$),
    ($$UPDATE member SET jobs = '{2,4}' WHERE no IN (1, 2)$$),
    ($$UPDATE tenant SET closed_at = now() WHERE id = md5('t1')::uuid$$),
    ($$UPDATE tenant SET closed_at = NULL WHERE id = md5('t1')::uuid$$),
    ($$UPDATE shop SET open = false WHERE code = 's2-1'$$),
    ($$UPDATE shop SET open = true$$),
    ($$UPDATE member SET boss = NOT coalesce(boss, false), shop = NULL WHERE no IN (3, 4)$$),
    ($$UPDATE tenant SET id = md5('t22')::uuid WHERE id = md5('t2')::uuid$$),
    ($$UPDATE person SET id = md5('p55')::uuid WHERE id = md5('p5')::uuid$$),
    ($$UPDATE member SET left_on = '2024-01-01' WHERE no = 1$$),
    ($$WITH m AS (DELETE FROM member WHERE no = 2 RETURNING *) INSERT INTO member SELECT 20, person, tenant, shop, jobs, boss FROM m$$),
    ($$MERGE INTO member m USING (VALUES (20), (21)) AS v (no) ON m.no = v.no WHEN MATCHED THEN UPDATE SET shop = 's1-2'
       WHEN NOT MATCHED THEN INSERT (no, person, tenant, jobs) VALUES (21, md5('p6')::uuid, md5('t1')::uuid, '{4}')$$),
    ($$DELETE FROM job WHERE id = 4; UPDATE member SET jobs = array_remove(jobs, 4)$$),
    ($$DELETE FROM tenant WHERE id = md5('t22')::uuid$$),
    ($$DO 'BEGIN DELETE FROM member; DELETE FROM job; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN UPDATE member SET boss = true WHERE no = 21; END'$$),
    ($$TRUNCATE job_duty$$),
    ($$TRUNCATE member, job, job_duty$$);
SELECT * FROM run_ways();
SET session_replication_role = replica;
INSERT INTO job VALUES (1, md5('t1')::uuid, 'clerk', '{parcels.view}'); INSERT INTO member VALUES (1, md5('p1')::uuid, md5('t1')::uuid, NULL, '{1}');
RESET session_replication_role;
SELECT * FROM in_step('a session that is a replica');
COPY member (no, person, shop, jobs) FROM stdin (FORMAT csv);
2,13207e3d-5722-030f-6c97-d69b4904d39d,s1-1,"{1}"
\.
SELECT * FROM in_step('COPY');

-- A row whose role is of another organization waits for either to move.
CREATE TABLE helper (no integer PRIMARY KEY, person uuid REFERENCES person, shop text REFERENCES shop, jobs integer[]);
ALTER TABLE helper OWNER TO app_owner;
SET ROLE app_owner;
SELECT entitle.adopt_memberships('helper', 'person', brand_column => 'shop', role_column => 'jobs', on_conflict => 'report');
RESET ROLE;
INSERT INTO tenant VALUES (md5('t9')::uuid, 'Tenant 9'); INSERT INTO job VALUES (9, md5('t9')::uuid, 'clerk', '{parcels.count}');
INSERT INTO shop VALUES ('s77', md5('t3')::uuid); INSERT INTO helper VALUES (1, md5('p4')::uuid, 's77', '{9,77}');
SELECT results_eq('SELECT key, problem FROM entitle.verify_adoption() ORDER BY problem', $$ VALUES ('1', 'no role has the key "77"'), ('1', 'role "9" is one of another organization') $$,
                  'each is told once');
UPDATE shop SET tenant = md5('t9')::uuid WHERE code = 's77';
SELECT matches(held(), 'p4:s77:parcels.count', 'R64: when the shop moves to the role''s tenant, the row gives what it says');
UPDATE helper SET jobs = '{9}';
SELECT is((SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v), NULL, 'and nothing is told any more');
SELECT entitle.forget_adopted('helper') \g /dev/null
DROP TABLE helper;
DELETE FROM job WHERE id = 9; DELETE FROM shop WHERE code = 's77'; DELETE FROM tenant WHERE id = md5('t9')::uuid;

-- R43: what was given here, in an organization whose row goes, waits.
INSERT INTO entitle.app_user (login) VALUES ('made here');
INSERT INTO entitle.membership (user_id, organization_id, is_owner)
SELECT u.user_id, o.organization_id, true FROM entitle.app_user u, entitle.organization o WHERE u.login = 'made here' AND o.source_key = md5('t3')::uuid::text;
CREATE FUNCTION owns() RETURNS text LANGUAGE sql
    AS $$ SELECT ask('made here', format('SELECT entitle.has_permission(''parcels.send'', %s) || '' '' || cardinality(entitle.owned_organizations())', brand_id))
          FROM entitle.brand WHERE source_key = 's3-1' $$;
SELECT is(owns(), 'true 1', 'an owner made here of an adopted organization');
DELETE FROM tenant WHERE id = md5('t3')::uuid;
SELECT is(owns(), 'false 0', 'R64: owns nothing when its row is gone');
INSERT INTO tenant VALUES (md5('t3')::uuid, 'three again'); INSERT INTO shop VALUES ('s3-1', md5('t3')::uuid);
SELECT is(owns(), 'true 1', 'R43: and owns it when the key comes back');
UPDATE entitle.organization SET is_active = false WHERE organization_id = 1;
INSERT INTO entitle.membership (user_id, organization_id, is_owner) SELECT user_id, 1, true FROM entitle.app_user WHERE login = 'made here';
SELECT is(ask('made here', 'SELECT entitle.has_permission(''parcels.send'', 1)'), 'false', 'R20: an organization made here that is switched off gives nothing either');
UPDATE entitle.organization SET is_active = true WHERE organization_id = 1;
SELECT is(ask('made here', 'SELECT entitle.has_permission(''parcels.send'', 1)'), 'true', 'until it is switched on');
UPDATE entitle.brand SET is_active = false WHERE brand_id = 1;
SELECT is(ask('made here', 'SELECT entitle.has_permission(''parcels.send'', 1)'), 'false', 'and so a brand');
UPDATE entitle.brand SET is_active = true WHERE brand_id = 1;

-- They change at their source only, whoever writes.
INSERT INTO member VALUES (30, md5('p1')::uuid, md5('t3')::uuid, NULL, NULL, true);
SELECT is(error_in(command), '42501 ' || message, 'S400: ' || command)
FROM (VALUES
    ($$UPDATE entitle.organization SET is_active = true WHERE adoption_id IS NOT NULL$$, NULL),
    ($$UPDATE entitle.organization SET name = 'x' WHERE source_key = md5('t3')::uuid::text$$, 'the row of "organization" belongs to adopted table "public.tenant"'),
    ($$DELETE FROM entitle.brand WHERE source_key = 's3-1'$$, 'the row of "brand" belongs to adopted table "public.shop"'),
    ($$UPDATE entitle.role SET is_active = false WHERE source_key = '1'$$, 'the row of "role" belongs to adopted table "public.job"'),
    ($$SELECT entitle.drop_role(role_id) FROM entitle.role WHERE source_key = '1'$$, 'the row of "role" belongs to adopted table "public.job"'),
    ($$SELECT entitle.set_role(role_id, '{parcels.send}', '{}') FROM entitle.role WHERE source_key = '1'$$, 'the row of "role_permission" belongs to adopted table "public.job"'),
    ($$DELETE FROM entitle.role_permission WHERE source_key = '1'$$, 'the row of "role_permission" belongs to adopted table "public.job"'),
    ($$UPDATE entitle.membership SET is_owner = false WHERE source_key = '30'$$, 'the row of "membership" belongs to adopted table "public.member"'),
    ($$SELECT entitle.remove_member(membership_id) FROM entitle.membership WHERE source_key = '30'$$, 'the row of "membership" belongs to adopted table "public.member"'),
    ($$INSERT INTO entitle.membership (user_id, organization_id, is_owner, adoption_id, source_key) SELECT user_id, organization_id, true, adoption_id, '99' FROM entitle.membership WHERE source_key = '1'$$,
     'the row of "membership" belongs to adopted table "public.member"'),
    ($$TRUNCATE entitle.membership$$, 'table "membership" cannot be truncated: it follows adopted table "public.member"'),
    ($$TRUNCATE entitle.role_permission$$, 'table "role_permission" cannot be truncated: it follows adopted table "public.job"')) AS c (command, message)
WHERE message IS NOT NULL;

-- What is in the way.
SELECT is(error_in(command), '23505 row of adopted table "public.' || message, 'refused: ' || command)
FROM (VALUES
    ($$UPDATE job SET may = '{parcels.view,parcels.fly,parcels.dig}' WHERE id = 1$$, 'job" cannot be followed: "parcels.dig" is no permission; "parcels.fly" is no permission'),
    ($$INSERT INTO job_duty VALUES (1, 'parcels.lose')$$, 'job_duty" cannot be followed: "parcels.lose" is no permission'),
    ($$INSERT INTO job_duty VALUES (1, 'parcels.view')$$, 'job_duty" cannot be followed: the role has permission "parcels.view" already'),
    ($$INSERT INTO job VALUES (9, md5('t1')::uuid, 'clerk')$$, 'job" cannot be followed: name "clerk" is taken in the organization'),
    ($$INSERT INTO tenant VALUES (md5('t9')::uuid, 'main')$$, 'tenant" cannot be followed: name "main" is taken'),
    ($$INSERT INTO member VALUES (40, md5('p1')::uuid, md5('t1')::uuid, NULL, '{1}')$$, 'member" cannot be followed: the user has that membership already'),
    ($$INSERT INTO member VALUES (40, md5('p1')::uuid, md5('t3')::uuid, NULL, '{1}')$$, 'member" cannot be followed: role "1" is one of another organization'),
    ($$INSERT INTO member VALUES (40, md5('p1')::uuid, md5('t1')::uuid, 's3-1', NULL)$$, 'member" cannot be followed: brand "s3-1" is one of another organization'),
    ($$INSERT INTO member VALUES (40, md5('p1')::uuid, md5('t3')::uuid, 's3-1', NULL, true)$$, 'member" cannot be followed: an owner owns an organization, not a brand'),
    ($$INSERT INTO member VALUES (40, md5('p1')::uuid, md5('t1')::uuid, NULL, '{77}')$$, 'member" cannot be followed: no role has the key "77"')) AS c (command, message);
SELECT * FROM in_step('refused writes');

-- Reported instead: the words that are known count, and what was waited for comes.
SELECT entitle.adopt_roles('job', 'id', 'title', 'tenant', 'may', active_when => 'NOT gone', on_conflict => 'report'),
       entitle.adopt_memberships('member', 'person', 'tenant', 'shop', 'jobs', owner_when => 'boss', active_when => 'left_on IS NULL', on_conflict => 'report');
UPDATE job SET may = '{parcels.view,parcels.fly}' WHERE id = 1;
INSERT INTO member VALUES (50, md5('p4')::uuid, md5('t1')::uuid, NULL, '{1,60}');
SELECT results_eq($$ SELECT key, problem FROM entitle.verify_adoption() ORDER BY 1 $$, $$ VALUES ('1', '"parcels.fly" is no permission'), ('50', 'no role has the key "60"') $$, 'both are told');
SELECT matches(held(), 'p4:s1-1:parcels.view p4:s1-2:parcels.view', 'what is known counts');
INSERT INTO job VALUES (60, md5('t1')::uuid, 'sixty', '{parcels.count}');
SELECT matches(held(), 'p4:s1-1:parcels.count p4:s1-1:parcels.view', 'a role that was waited for counts when it comes');
INSERT INTO entitle.permission (permission_key) VALUES ('parcels.fly');
SELECT cmp_ok(entitle.sync_adopted('job'), '=', 1::bigint, 'a permission that is made later counts with sync_adopted');
SELECT * FROM in_step('what was waited for');

-- Roles by name: those made here, in the member's organization. Lists in jsonb. Customers of adopted brands.
CREATE TABLE staff (id integer PRIMARY KEY, mail text, works_as text[], shop text);
CREATE TABLE client (code text PRIMARY KEY, shop text, title text); ALTER TABLE client OWNER TO app_owner;
CREATE TABLE post (id integer PRIMARY KEY, name text, may jsonb);
INSERT INTO staff VALUES (1, 'first', '{sales,read-only}'), (2, 'second', '{}');
SELECT entitle.adopt_users('staff', 'mail'), entitle.adopt_memberships('staff', 'id', role_column => 'works_as');
SELECT is((SELECT string_agg(r.name, ',' ORDER BY r.name) FROM entitle.membership m JOIN entitle.role r USING (role_id) JOIN entitle.app_user u USING (user_id) WHERE u.login = 'first'),
          'read-only,sales', 'without organization members are those of organization 1, whose roles the words name');
SELECT is(ask('first', 'SELECT entitle.has_permission(''customers.view'')'), 'true', 'and they hold what these grant');
SELECT is(error_in($$UPDATE staff SET works_as = '{boss}' WHERE id = 2$$), '23505 row of adopted table "public.staff" cannot be followed: no role has the name "boss"', 'a name that is no role is refused');
SELECT entitle.adopt_roles('post', 'id', 'name', permissions_column => 'may');
INSERT INTO post VALUES (1, 'poster', '["parcels.view", null]'), (2, 'reader', NULL);
SELECT is((SELECT string_agg(r.name || ' ' || p.permission_key, ',') FROM entitle.role r JOIN entitle.role_permission p USING (role_id) WHERE r.name IN ('poster', 'reader')), 'poster parcels.view',
          'a jsonb array lists permissions');
SELECT is(error_in($$UPDATE post SET may = '{"a": 1}'$$), '23505 row of adopted table "public.post" cannot be followed: its permissions are no list', 'other jsonb does not');
SELECT entitle.adopt_customers('client', 'code', 'title', 'shop');
INSERT INTO client VALUES ('c1', 's3-1'), ('c2', NULL);
SELECT results_eq($$ SELECT c.source_key, b.source_key FROM entitle.customer c JOIN entitle.brand b USING (brand_id) WHERE c.status = 'ACTV' $$, $$ VALUES ('c1' COLLATE "C", 's3-1' COLLATE "C") $$,
                  'customers are in the brand whose key they name, and without one nobody''s');
SELECT is(error_in($$INSERT INTO client VALUES ('c3', 's9')$$), '23505 row of adopted table "public.client" cannot be followed: no brand has the key that it names', 'a brand that is not there is refused');

-- Who may. Nobody gives in organizations, to users or by roles of another's table.
SET ROLE app_owner;
CREATE TABLE mine (id integer PRIMARY KEY, who uuid REFERENCES person, here uuid REFERENCES tenant, work integer REFERENCES job, may text, list integer[]);
RESET ROLE;
CREATE TABLE firm (id integer PRIMARY KEY, name text); CREATE TABLE part (id integer PRIMARY KEY, firm integer REFERENCES firm, name text);
ALTER TABLE part OWNER TO app_owner; GRANT REFERENCES ON firm TO app_owner;
SELECT entitle.adopt_organizations('firm', 'id', 'name');
SELECT is(error_in(format('SELECT entitle.%s', command), as_role), error, format('refused: %s', command))
FROM (VALUES
    ('app_owner', $$adopt_brands('part', 'id', 'name', 'firm')$$, '42501 permission denied to give to what column "firm" names'),
    ('app_owner', $$adopt_roles('part', 'id', 'name', 'firm')$$, '42501 permission denied to give to what column "firm" names'),
    ('app_owner', $$adopt_brands('part', 'id', 'name')$$, '42501 permission denied to adopt brands of organization 1'),
    ('app_owner', $$adopt_roles('part', 'id', 'name')$$, '42501 permission denied to adopt roles of organization 1'),
    ('app_owner', $$adopt_memberships('mine', 'who')$$, '42501 permission denied to adopt memberships of organization 1'),
    ('app_writer', $$adopt_memberships('mine', 'who', 'here')$$, '42501 permission denied for function adopt_memberships (no hint)'),
    (NULL, $$adopt_organizations('mine', 'who', 'id')$$, '22023 column "who" of table "public.mine" is no key'),
    (NULL, $$adopt_organizations('mine', NULL, 'id')$$, '22004 no key or name column is given'),
    (NULL, $$adopt_roles('mine', 'id', NULL)$$, '22004 no key or name column is given'),
    (NULL, $$adopt_roles('mine', 'id', 'id', permissions_column => 'may')$$, '42804 column "may" of table "public.mine" is no list'),
    (NULL, $$adopt_roles('mine', 'id', 'id', permissions_column => 'list')$$, '42804 column "list" of table "public.mine" has type integer[]'),
    (NULL, $$adopt_role_permissions('mine', 'work', NULL)$$, '22004 no role or permission column is given'),
    (NULL, $$adopt_role_permissions('mine', 'who', 'may')$$, '42804 column "who" of table "public.mine" has another type than the keys of adopted roles'),
    (NULL, $$adopt_memberships('mine', NULL, 'here')$$, '22004 no user column is given'),
    (NULL, $$adopt_memberships('mine', 'who', 'may')$$, '42804 column "may" of table "public.mine" has another type than the keys of adopted organizations'),
    (NULL, $$adopt_memberships('mine', 'who', 'here', role_column => 'here')$$, '42804 column "here" of table "public.mine" names no role'),
    (NULL, $$adopt_memberships('mine', 'who', 'here', owner_when => 'may')$$, '42804 argument of the condition must be type boolean, not type text (no hint)'),
    (NULL, $$adopt_memberships('mine', 'who', 'here', owner_when => 'random() < 1')$$, '22023 expression "random() < 1" calls a function that is not PostgreSQL''s own or not immutable')) AS c (as_role, command, error);
-- S401: the helper that records resolves what a row refers to itself.
GRANT EXECUTE ON FUNCTION entitle.adopt_memberships, entitle.adopt_roles, entitle.adopt_brands, entitle.adopt_role_permissions TO app_writer;
CREATE TABLE own (id integer PRIMARY KEY, a uuid, p uuid, may text[]); ALTER TABLE own OWNER TO app_writer;
CREATE FUNCTION try_record(kind text, facts text[], options jsonb) RETURNS void LANGUAGE plpgsql
    AS $$ DECLARE d entitle.adoption; BEGIN d.source := 'own'; d.kind := kind; d.facts := facts; d.key_columns := '{id}'; d.on_conflict := 'report'; d.options := options;
          PERFORM entitle_internal.record_adoption(d); END $$;
SELECT matches(error_in(format('SELECT try_record(%L, %L, %L)', kind, facts, options), 'app_writer'), '^(42501|22004|22023|42804) ', format('S401: %s %s', kind, options))
FROM (VALUES ('memberships', '{true,p,a,NULL::text,NULL::text,true}', '{"users": 1, "organizations": 2}'),
             ('memberships', '{true,p,a,NULL::text,NULL::text,true}', '{"users": 1, "organizations": 2, "user_column": "p"}'),
             ('memberships', '{true,p,a,NULL::text,NULL::text,true}', '{"user_column": "p", "organization_column": "a"}'),
             ('roles', '{true,id,NULL::text,may}', '{"permissions": "array", "organizations": 2}'),
             ('brands', '{true,id,NULL::text}', '{"organizations": 2}'),
             ('brands', '{true,id,NULL::text}', '{"brand_column": "a", "brands": 3}'),
             ('role_permissions', '{true,id,''parcels.view''}', '{"roles": 4}')) AS t (kind, facts, options);
-- S402: a brand's number is its key, and none that is taken.
CREATE TABLE numbered (id integer PRIMARY KEY, name text); INSERT INTO numbered VALUES (1, 'one'), (71, 'seventy-one');
SELECT is(error_in($$SELECT entitle.adopt_brands('numbered', 'id', 'name')$$), '23505 row of adopted table "public.numbered" cannot be followed: key "1" is that of another brand (rows with the keys 1)',
          'S402: a number that a brand made here has is not taken over');
SELECT entitle.adopt_brands('numbered', 'id', 'name', on_conflict => 'report');
SELECT is((SELECT brand_id FROM entitle.brand WHERE source_key = '71'), 71::bigint, 'an integer key is the brand''s number');
SELECT is((SELECT name FROM entitle.brand WHERE brand_id = 1), 'main', 'the installed brand stays what it is');
INSERT INTO entitle.brand (name) VALUES ('next');
SELECT cmp_ok((SELECT brand_id FROM entitle.brand WHERE name = 'next'), '>', 71::bigint, 'one made here takes the next number');
-- Keys of other types are what protected tables find the brand under (S475).
SELECT results_eq($$ SELECT source_key, brand_uuid, brand_code FROM entitle.brand WHERE source_key IN ('s2-1', '71') ORDER BY 1 $$,
                  $$ VALUES ('71' COLLATE "C", NULL::uuid, NULL), ('s2-1', NULL, 's2-1' COLLATE "C") $$, 'a text key is the brand''s code');
CREATE TABLE branch (id uuid PRIMARY KEY, name text, open boolean NOT NULL DEFAULT true);
CREATE TABLE bill (id integer PRIMARY KEY, branch uuid REFERENCES branch ON UPDATE CASCADE, shop text);
CREATE FUNCTION bills(login text) RETURNS text LANGUAGE sql AS $$ SELECT ask(login, 'SELECT coalesce(string_agg(id::text, '' '' ORDER BY id), ''none'') FROM bill') $$;
INSERT INTO branch VALUES (md5('b1')::uuid, 'b1'), (md5('b2')::uuid, 'b2');
INSERT INTO bill VALUES (1, md5('b1')::uuid, 's1-1'), (2, md5('b2')::uuid, 's2-1'), (3, NULL, NULL);
GRANT SELECT ON bill TO test_app;
SELECT entitle.adopt_brands('branch', 'id', 'name', active_when => 'open');
SELECT results_eq($$ SELECT name, brand_uuid, brand_code FROM entitle.brand WHERE brand_uuid IS NOT NULL ORDER BY 1 $$,
                  $$ VALUES ('b1', md5('b1')::uuid, NULL::text COLLATE "C"), ('b2', md5('b2')::uuid, NULL) $$, 'a uuid is the brand''s');
INSERT INTO entitle.app_user (user_id, login) VALUES (9001, 'clerk'), (9002, 'chief');
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 9001, brand_id, 5 FROM entitle.brand WHERE name = 'b1';
INSERT INTO entitle.membership (user_id, organization_id, is_owner) SELECT 9002, organization_id, true FROM entitle.brand WHERE brand_code = 's1-1';
SELECT entitle.protect_table('bill', brand_column => 'branch', view_permission => 'customers.view');
SELECT is(bills('clerk') || ', ' || bills('chief'), '1, none', 'R52: its members see its rows, nobody else''s');
UPDATE branch SET open = false WHERE name = 'b1';
SELECT is(bills('clerk'), 'none', 'R64: none while it is closed');
UPDATE branch SET open = true WHERE name = 'b1';
SELECT is(bills('clerk'), '1', 'and again');
UPDATE branch SET id = md5('b3')::uuid WHERE name = 'b1';
SELECT is(bills('clerk'), 'none', 'under another key it is another brand');
UPDATE branch SET id = md5('b1')::uuid WHERE name = 'b1';
SELECT is(bills('clerk'), '1', 'that comes back under the old one');
SELECT is(error_in(command), '42501 the row of "brand" belongs to adopted table "public.branch"', 'R64: ' || command)
FROM (VALUES ($$UPDATE entitle.brand SET brand_uuid = NULL WHERE name = 'b1'$$), ($$UPDATE entitle.brand SET brand_code = 'x' WHERE name = 'b1'$$)) AS c (command);
INSERT INTO entitle.brand (organization_id, name, brand_uuid, brand_code) VALUES (1, 'made here', md5('b4')::uuid, 's9-1');
SELECT is(error_in($$INSERT INTO branch VALUES (md5('b4')::uuid, 'b4')$$),
          format('23505 row of adopted table "public.branch" cannot be followed: key "%s" is that of another brand', md5('b4')::uuid), 'S475: a uuid that a brand made here has is not taken over');
SELECT is(error_in($$INSERT INTO shop VALUES ('s9-1', md5('t3')::uuid)$$),
          '23505 row of adopted table "public.shop" cannot be followed: key "s9-1" is that of another brand', 'S475: nor a code');
SELECT is(error_in(format('INSERT INTO shop VALUES (%L, md5(''t1'')::uuid)', key)), '23505 row of adopted table "public.shop" cannot be followed: its key is blank, or longer than 1000 bytes',
          'a key that can be no code is refused, as others are')
FROM (VALUES (E' \n'), (repeat('k', 1001))) AS k (key);
SELECT is(error_in(format('INSERT INTO shop VALUES (%L, md5(''t1'')::uuid)', repeat('k', 1000))), 'none', 'the longest is one');
SELECT is(error_in($$INSERT INTO entitle.brand (organization_id, name, brand_uuid) VALUES (1, 'x', md5('b1')::uuid)$$), '23505 duplicate key value violates unique constraint "brand_uuid_key" (no hint)',
          'nor does one that is made here take over an adopted one''s');
SELECT entitle.protect_table('bill', brand_column => 'shop', view_permission => 'customers.view');
SELECT is(bills('chief'), '1', 'R24: an owner sees his brands'' rows by their code');
SELECT is((SELECT string_agg(v::text, ';') FROM entitle.verify_adoption() v WHERE v.source <> 'numbered'::regclass), NULL, 'and all is in step');
-- S403: a brand without organization would stand alone, where nothing is denied to members.
INSERT INTO shop VALUES ('alone', NULL);
SELECT is((SELECT count(*) FROM entitle.brand WHERE source_key = 'alone' AND is_active), 0::bigint, 'S403: it is none');

-- Nothing is left.
CREATE TEMP TABLE roles AS SELECT role_id, source_key FROM entitle.role WHERE adoption_id IS NOT NULL AND source_key = '1' AND name = 'clerk';
SELECT lives_ok($$ SELECT entitle.forget_adopted(source) FROM (SELECT DISTINCT source FROM entitle.adopted_tables) s $$, 'all are forgotten');
SELECT is(held(), NULL, 'and give nothing');
SELECT is((SELECT count(*) FROM entitle.membership WHERE adoption_id IS NOT NULL) + (SELECT count(*) FROM entitle.role_permission WHERE adoption_id IS NOT NULL)
          + (SELECT count(*) FROM entitle.organization WHERE adoption_id IS NOT NULL AND is_active) + (SELECT count(*) FROM entitle.brand WHERE adoption_id IS NOT NULL AND is_active)
          + (SELECT count(*) FROM entitle.role WHERE adoption_id IS NOT NULL AND is_active), 0::bigint, 'no row of the model is in force by them');
SELECT is((SELECT count(*) FROM pg_trigger t WHERE t.tgfoid = 'entitle_internal.follow_source()'::regprocedure), 0::bigint, 'no trigger is left');
SELECT entitle.adopt_users('person', 'mail', active_when => 'deleted_at IS NULL'), entitle.adopt_organizations('tenant', 'id', 'name', active_when => 'closed_at IS NULL'),
       entitle.adopt_brands('shop', 'code', 'code', 'tenant', active_when => 'open'), entitle.adopt_roles('job', 'id', 'title', 'tenant', 'may', active_when => 'NOT gone'),
       entitle.adopt_role_permissions('job_duty', 'job', 'duty'),
       entitle.adopt_memberships('member', 'person', 'tenant', 'shop', 'jobs', owner_when => 'boss', active_when => 'left_on IS NULL');
SELECT * FROM in_step('the second adoption');
SELECT is((SELECT role_id FROM entitle.role WHERE source_key = '1' AND name = 'clerk'), (SELECT role_id FROM roles), 'R64: adopted again, rows are the roles that they were');

SELECT * FROM finish();
ROLLBACK;
