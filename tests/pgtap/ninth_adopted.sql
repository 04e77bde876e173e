-- The ninth attack, on adopted tables: what comes of them by roles that are gone, by inheriting tables, by what a column seems to name,
-- and by the functions that anybody may call (S433 to S435, S437, S438, S441, S446).
\ir tried.psql
\ir error_in.psql
SELECT no_plan();

CREATE ROLE app_owner;
CREATE ROLE hostile;
CREATE ROLE app_writer;
GRANT CREATE ON SCHEMA public TO app_owner, hostile;
DO $$ BEGIN EXECUTE (SELECT format('GRANT EXECUTE ON FUNCTION %s TO app_owner, hostile', string_agg(p.oid::regprocedure::text, ', '))
                     FROM pg_proc p WHERE p.pronamespace = 'entitle'::regnamespace AND p.proname ~ '^(adopt_|forget_adopted|sync_adopted|verify_adoption)'); END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON entitle.membership, entitle.role_permission TO test_app;
GRANT EXECUTE ON FUNCTION entitle.add_member TO test_app;
INSERT INTO entitle.permission (permission_key) VALUES ('parcels.view'), ('parcels.burn');

-- S434: a role whose row is gone lists nothing, and what it grants when the row comes back its giver need not hold.
SET ROLE app_owner;
CREATE TABLE tenant (id integer PRIMARY KEY, name text);
CREATE TABLE person (id integer PRIMARY KEY, mail text, gone boolean NOT NULL DEFAULT false);
CREATE TABLE job (id integer PRIMARY KEY, tenant integer REFERENCES tenant, title text, may text[], gone boolean NOT NULL DEFAULT false);
CREATE TABLE member (id integer PRIMARY KEY, person integer REFERENCES person, tenant integer REFERENCES tenant, job integer REFERENCES job, boss boolean NOT NULL DEFAULT false);
INSERT INTO tenant VALUES (1, 'first');
INSERT INTO person VALUES (1, 'manager'), (2, 'friend'), (3, 'boss'), (4, 'burner'), (5, 'other'), (6, 'owner');
INSERT INTO job VALUES (1, 1, 'burner', '{parcels.burn}'), (2, 1, 'manager', '{members.manage,roles.manage,parcels.view}');
INSERT INTO member VALUES (1, 1, 1, 2, false), (2, 6, 1, NULL, true);
SELECT entitle.adopt_users('person', 'mail', active_when => 'NOT gone'), entitle.adopt_organizations('tenant', 'id', 'name'),
       entitle.adopt_roles('job', 'id', 'title', 'tenant', 'may', active_when => 'NOT gone'),
       entitle.adopt_memberships('member', 'person', 'tenant', role_column => 'job', owner_when => 'boss');
RESET ROLE;
SELECT organization_id AS home FROM entitle.organization WHERE source_key = '1' AND name = 'first' \gset
INSERT INTO entitle.brand (organization_id, name) VALUES (:home, 'shop') RETURNING brand_id AS shop \gset
SELECT role_id AS burner FROM entitle.role WHERE name = 'burner' \gset
SELECT user_id AS friend FROM entitle.app_user WHERE login = 'friend' \gset
SELECT user_id AS held_by FROM entitle.app_user WHERE login = 'burner' \gset
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (:held_by, :home, :burner);
SELECT format('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (%s, %s, %s)', :friend, :home, :burner) AS give,
       format('DELETE FROM entitle.membership WHERE user_id = %s', :held_by) AS take,
       format('INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (%s, ''parcels.view'')', :burner) AS add \gset
SELECT is(tried('manager', :'give'), '42501', 'nobody gives a role that grants what he does not hold');
UPDATE job SET gone = true WHERE id = 1;
SELECT is(tried('manager', :'give'), '42501', 'S434: nor while its row is switched off');
SELECT is(tried('manager', :'take'), '42501', 'S434: nor does he end who holds it');
SELECT is(tried('manager', :'add'), '42501', 'S434: nor adds to it');
SELECT is(tried('owner', :'give'), '1', 'an owner holds whatever it will grant');
SELECT do_as('manager', :'give') WHERE tried('manager', :'give') = '1';
UPDATE job SET gone = false WHERE id = 1;
SELECT ok(NOT entitle.user_has_permission(:friend, 'parcels.burn', :shop), 'S434: so its coming back gives nobody what he was not given');
DELETE FROM job WHERE id = 1;
SELECT is(tried('manager', :'give'), '42501', 'S434: nor while its row is deleted');
SELECT is(tried('manager', format('SELECT entitle.add_member(''friend'', ''burner'', %s)', :home)), '22023', 'by name it is not there');

-- S441: what somebody holds in one brand is not held in the whole organization, though its other brand is switched off today.
INSERT INTO entitle.permission (permission_key) VALUES ('parcels.count');
INSERT INTO entitle.role (organization_id, name) VALUES (:home, 'counter') RETURNING role_id AS counter \gset
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (:counter, 'parcels.count');
INSERT INTO entitle.brand (organization_id, name) VALUES (:home, 'other shop') RETURNING brand_id AS other_shop \gset
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT user_id, :shop, :counter FROM entitle.app_user WHERE login = 'manager';
SELECT format('INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (%s, %s, %s)', :friend, :home, :counter) AS give \gset
SELECT is(tried('manager', :'give'), '42501', 'nobody gives for all brands what he holds in one');
UPDATE entitle.brand SET is_active = false WHERE brand_id = :other_shop;
SELECT is(tried('manager', :'give'), '42501', 'S441: nor while the other one is switched off');
SELECT is(tried('manager', replace(replace(:'give', 'organization_id', 'brand_id'), format(' %s, %s)', :home, :counter), format(' %s, %s)', :shop, :counter))), '1', 'for that brand he does');
SELECT is(tried('owner', :'give'), '1', 'and an owner for all');

-- S433: rows of a table that inherits from an adopted one are not its rows: its triggers are not there, and it may be another's.
SET ROLE app_owner;
CREATE TABLE child () INHERITS (person);
RESET ROLE;
ALTER TABLE child OWNER TO hostile;
SET ROLE hostile;
INSERT INTO child VALUES (3, 'a thief'), (77, 'another');
RESET ROLE;
UPDATE ONLY person SET mail = 'Boss' WHERE id = 3;
SELECT is((SELECT string_agg(u.login, ' ' ORDER BY u.login) FROM entitle.app_user u WHERE u.source_key IN ('3', '77') AND u.is_active), 'boss', 'S433: they stand for nobody');
SELECT entitle.sync_adopted('person');
SELECT is((SELECT string_agg(u.login, ' ' ORDER BY u.login) FROM entitle.app_user u WHERE u.source_key IN ('3', '77') AND u.is_active), 'boss', 'S433: nor when all are read');
SELECT cmp_ok((SELECT count(*) FROM entitle.verify_adoption() v WHERE v.source = 'person'::regclass AND v.problem LIKE '%child%'), '>', 0::bigint, 'verify_adoption tells of the table');
DROP TABLE child;

-- S446: in a partitioned table a key may be unique in each partition only, and whoever writes one partition, by privilege or by policy,
-- writes another's key there.
CREATE ROLE part_writer;
SET ROLE app_owner;
CREATE TABLE citizen (id integer, mail text, land integer, gone boolean NOT NULL DEFAULT false, PRIMARY KEY (id, land)) PARTITION BY LIST (land);
CREATE TABLE citizen_1 PARTITION OF citizen FOR VALUES IN (1);
CREATE TABLE citizen_2 PARTITION OF citizen FOR VALUES IN (2);
CREATE TABLE citizen_3 (LIKE citizen INCLUDING ALL);
INSERT INTO citizen VALUES (1, 'judge', 1, false), (2, 'clerk', 1, false), (3, 'gone before', 1, true);
INSERT INTO citizen_3 VALUES (1, 'a judge', 3);
SELECT entitle.adopt_users('citizen', 'mail', 'id', active_when => 'NOT gone', on_conflict => 'report');
GRANT SELECT, INSERT, UPDATE, DELETE ON citizen_2 TO part_writer;
RESET ROLE;
SELECT format('SELECT string_agg(u.source_key || '' '' || u.login, '', '' ORDER BY u.source_key) FROM entitle.app_user u WHERE u.adoption_id = %s AND u.is_active', adoption_id) AS citizens
FROM entitle.adoption WHERE source = 'citizen'::regclass \gset
SELECT is(error_in(command, 'part_writer'), '23505 several rows of adopted table "citizen" have one key', 'S446: ' || command)
FROM (VALUES ('INSERT INTO citizen_2 VALUES (1, ''a judge'', 2)'), ('INSERT INTO citizen_2 VALUES (3, ''another'', 2)'), ('INSERT INTO citizen_2 VALUES (2, ''a clerk'', 2, true)')) AS c (command);
SELECT is(error_in('INSERT INTO citizen_2 VALUES (4, ''own'', 2)', 'part_writer'), 'none', 'an own key is written');
SELECT is(error_in('UPDATE citizen_2 SET id = 2 WHERE id = 4', 'part_writer'), '23505 several rows of adopted table "citizen" have one key', 'S446: and does not become another''s');
SELECT is(error_in('ALTER TABLE citizen ATTACH PARTITION citizen_3 FOR VALUES IN (3)'), '23505 several rows of adopted table "citizen" have one key', 'S446: nor does it come with a partition');
SELECT is((:citizens), '1 judge, 2 clerk, 4 own', 'S446: nobody is another');
UPDATE citizen SET land = 2 WHERE id = 1;
UPDATE citizen SET land = 1 WHERE id = 4;
SELECT is((:citizens), '1 judge, 2 clerk, 4 own', 'rows move between partitions');
SELECT is((SELECT count(*) FROM entitle.verify_adoption() v WHERE v.source = 'citizen'::regclass), 0::bigint, 'and are followed');
SELECT entitle.forget_adopted('citizen');

-- S435: a superuser adopts customers with numbers of brands made here, and somebody else's brands are the only adopted ones.
SET ROLE hostile;
CREATE TABLE firm (id text PRIMARY KEY, name text);
CREATE TABLE stall (id bigint PRIMARY KEY, name text, firm text REFERENCES firm);
CREATE TABLE people (id bigint PRIMARY KEY, mail text);
INSERT INTO firm VALUES ('h', 'hostile');
INSERT INTO stall VALUES (8001, 'stall', 'h');
INSERT INTO people VALUES (9, 'hostile');
SELECT entitle.adopt_organizations('firm', 'id', 'name'), entitle.adopt_brands('stall', 'id', 'name', 'firm');
RESET ROLE;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (8101, 1, 'ours');
CREATE TABLE client (id integer PRIMARY KEY, brand integer);
INSERT INTO client VALUES (60001, 8101);
SELECT is(error_in($$SELECT entitle.adopt_customers('client', 'id', brand_column => 'brand')$$), 'none', 'S435: then the numbers are still those of brands');
SELECT is((SELECT c.brand_id FROM entitle.customer c WHERE c.customer_id = 60001), 8101::bigint, 'S435: and the customer is in that brand');
SELECT is((SELECT a.options ->> 'brands' FROM entitle.adopted_tables a WHERE a.source = 'client'::regclass), NULL, 'S435: no adopted brands are meant');
-- Users by bigint that somebody else adopted are neither in the way of, nor taken for, those of another's table.
SET ROLE app_owner;
CREATE TABLE account (code text PRIMARY KEY);
CREATE TABLE seat (id integer PRIMARY KEY, account text REFERENCES account, person integer);
INSERT INTO account VALUES ('a1');
INSERT INTO seat VALUES (1, 'a1', 2);
SELECT entitle.adopt_customers('account', 'code');
RESET ROLE;
SET ROLE hostile;
SELECT entitle.adopt_users('people', 'mail');
RESET ROLE;
CREATE TABLE sitting (id integer PRIMARY KEY, account text REFERENCES account, person bigint);
SELECT is(error_in($$SELECT entitle.adopt_access('sitting', 'account', 'person')$$), '22023 column "person" of table "public.sitting" has no foreign key to adopted users',
          'S435: nor does a superuser''s table mean them without saying so');
SELECT is(error_in($$SELECT entitle.adopt_access('seat', 'account', 'person')$$, 'app_owner'), 'none', 'S435: another''s users make nothing ambiguous');
SELECT is((SELECT u.login FROM entitle.external_access g JOIN entitle.app_user u USING (user_id) WHERE g.source_key = '1'), 'friend', 'S435: the user is the own one');

-- S437: nobody but its owner has the declaration of a table written anew, and it is written when it changed only.
SELECT ctid AS before FROM entitle.adoption WHERE source = 'person'::regclass \gset
SELECT is(error_in($$SELECT entitle_internal.renew_adoptions('person')$$, 'app_writer'), 'none', 'anybody may call it');
SELECT is((SELECT ctid FROM entitle.adoption WHERE source = 'person'::regclass), :'before'::tid, 'S437: for another''s table it locks and writes nothing');
SET ROLE app_owner;
ALTER TABLE person ADD COLUMN extra integer;
RESET ROLE;
SELECT isnt((SELECT ctid FROM entitle.adoption WHERE source = 'person'::regclass), :'before'::tid, 'its owner''s ALTER TABLE does');
SELECT ctid AS before FROM entitle.adoption WHERE source = 'person'::regclass \gset
SELECT is(error_in($$ALTER TABLE person ALTER COLUMN extra SET DEFAULT 1$$, 'app_owner'), 'none', 'and one that changes no column');
SELECT is((SELECT ctid FROM entitle.adoption WHERE source = 'person'::regclass), :'before'::tid, 'writes nothing');

-- S438: an adopted user whose row is gone is erased, too.
SET ROLE app_owner;
DELETE FROM seat;
DELETE FROM person WHERE id = 2;
RESET ROLE;
SELECT is(error_in($$SELECT entitle.erase_user('owner', 'asked')$$), '55000 the user owns an organization or a customer', 'an owner hands over first');
SELECT matches(error_in($$SELECT entitle.erase_user('manager', 'asked')$$), '^42501 the row of "app_user" belongs to adopted table "public.person"', 'one whose row is there ends at its source');
SELECT is(error_in($$SELECT entitle.erase_user('friend', 'asked')$$), 'none', 'S438: one whose row is gone is erased here');
SELECT is((SELECT u.login || ' ' || u.is_active FROM entitle.app_user u WHERE u.user_id = :friend), format('erased-%s false', :friend), 'and nothing names him');
SELECT matches(error_in(format('UPDATE entitle.app_user SET %s WHERE user_id = %s', change, :friend)), '^42501', 'he does not change otherwise: ' || change)
FROM (VALUES ('is_active = true'), ('source_key = ''1000'''), ('adoption_id = NULL, source_key = NULL')) AS c (change);
INSERT INTO person VALUES (2, 'friend');
SELECT is((SELECT u.login || ' ' || u.is_active FROM entitle.app_user u WHERE u.user_id = :friend), 'friend true', 'R64: under the same key he comes back');

SELECT is((SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v), NULL, 'and all is in step');
SELECT * FROM finish();
ROLLBACK;
