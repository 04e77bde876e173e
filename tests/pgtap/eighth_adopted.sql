-- The eighth attack, on adopted tables: what a hostile owner of one, or whoever may write it, gets of the model or spoils in it
-- (S376 to S381).
\ir tried.psql
\ir error_in.psql
SELECT no_plan();

CREATE ROLE app_owner;
CREATE ROLE hostile;
CREATE ROLE app_writer;
GRANT CREATE ON SCHEMA public TO app_owner, hostile;
GRANT EXECUTE ON FUNCTION entitle.adopt_users, entitle.adopt_customers, entitle.adopt_access, entitle.forget_adopted, entitle.verify_adoption TO app_owner, hostile;
INSERT INTO entitle.organization (organization_id, name) VALUES (50, 'theirs');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (50, 50, 'theirs');

-- S376: the helper that records is told the facts with the brand among them, in arrays that count otherwise.
SET ROLE hostile;
CREATE TABLE client (id integer PRIMARY KEY, other integer, brand integer);
INSERT INTO client VALUES (70001, 1, 50);
RESET ROLE;
CREATE FUNCTION record_clients(facts text[], key text[] DEFAULT '{id}') RETURNS void LANGUAGE plpgsql
    AS $$ DECLARE d entitle.adoption; BEGIN d.source := 'client'; d.kind := 'customers'; d.facts := record_clients.facts; d.key_columns := key; d.on_conflict := 'refuse';
          d.options := '{"key_type": "integer"}'; PERFORM entitle_internal.record_adoption(d); END $$;
SELECT is(error_in($$SELECT record_clients('{true,NULL::text,brand}')$$, 'hostile'), '42501 permission denied to choose the brands of adopted customers',
          'brands are a superuser''s to choose');
SELECT isnt(error_in(format('SELECT record_clients(%L)', facts), 'hostile'), 'none', format('S376: nor when the facts are %s', facts))
FROM (VALUES ('[2:4]={true,NULL::text,brand}'), ('[0:2]={true,NULL::text,brand}'), ('{{true,NULL::text,brand}}'), ('{{true},{NULL::text},{brand}}'),
             ('{{{true,NULL::text,brand}}}'), ('{true,NULL::text,NULL}'), ('[-1:2]={true,NULL::text,brand,NULL::text}')) AS f (facts);
SELECT isnt(error_in(format('SELECT record_clients(''{true,NULL::text,NULL::text}'', %L)', key), 'hostile'), 'none', format('S376: nor by the key %s', key))
FROM (VALUES ('[2:2]={other}'), ('{{other}}'), ('{other,brand}'), ('{id,other}'), ('{}'), ('{NULL}'), ('[0:0]={other}')) AS k (key);
SELECT is((SELECT count(*) FROM entitle.customer WHERE brand_id = 50), 0::bigint, 'S376: no customer came to another organization''s brand');

-- S377: whoever may write an adopted table uses the numbers of customers up.
SET ROLE app_owner;
CREATE TABLE account (id bigint PRIMARY KEY, title text);
SELECT entitle.adopt_customers('account', 'id', 'title');
GRANT SELECT, INSERT, UPDATE, DELETE ON account TO app_writer;
RESET ROLE;
SELECT is(error_in($$INSERT INTO account VALUES (9223372036854775807, 'last'), (9223372036854775806, 'last but one'), (-9223372036854775808, 'first')$$, 'app_writer'), 'none', 'any key may be written');
SELECT lives_ok($$ INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('next', 'a', '1') $$, 'S377: customers are made after it, too');
SELECT lives_ok($$ INSERT INTO account VALUES (80000, 'ordinary'); INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('after', 'a', '1') $$, 'and after an ordinary one');
SELECT cmp_ok((SELECT customer_id FROM entitle.customer WHERE legal_name = 'after'), '>', 80000::bigint, 'which has a number that no row has');

-- S378: the login of one who has none is taken before.
SET ROLE app_owner;
CREATE TABLE person (id integer PRIMARY KEY, mail text, spare text);
SELECT entitle.adopt_users('person', 'mail');
GRANT SELECT, INSERT, UPDATE, DELETE ON person TO app_writer;
RESET ROLE;
SELECT format('(no login) %s %s', adoption_id, md5('7')) AS taken FROM entitle.adoption WHERE source = 'person'::regclass \gset
INSERT INTO entitle.app_user (login) VALUES (:'taken');
SELECT is(error_in($$INSERT INTO person VALUES (7, NULL)$$, 'app_writer'), 'none', 'S378: a row without login is written all the same');
SET ROLE hostile;
CREATE TABLE bot (id integer PRIMARY KEY, mail text);
SELECT entitle.adopt_users('bot', 'mail');
INSERT INTO bot SELECT i, replace(:'taken', md5('7'), md5(i::text)) FROM generate_series(8, 9) i;
INSERT INTO bot SELECT 10 + i, initcap(replace(:'taken', md5('7'), md5(i::text))) FROM generate_series(8, 9) i;
RESET ROLE;
SELECT is(error_in($$INSERT INTO person VALUES (8, ''), (9, NULL)$$, 'app_writer'), 'none', 'S378: whoever has taken it, in an adopted table or by hand');

-- S379: rows that go by DDL, or say something else by it.
CREATE FUNCTION active(source regclass) RETURNS text LANGUAGE sql SECURITY DEFINER
    AS $$ SELECT string_agg(u.source_key, ' ' ORDER BY u.source_key) FROM entitle.app_user u JOIN entitle.adoption a USING (adoption_id) WHERE a.source = active.source AND u.is_active $$;
SET ROLE app_owner;
CREATE TABLE member (id integer, mail text, region integer, gone boolean NOT NULL DEFAULT false, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE member_1 PARTITION OF member FOR VALUES IN (1);
CREATE TABLE member_2 PARTITION OF member FOR VALUES IN (2) PARTITION BY LIST (id);
CREATE TABLE member_23 PARTITION OF member_2 FOR VALUES IN (3);
CREATE TABLE member_24 PARTITION OF member_2 FOR VALUES IN (4);
CREATE TABLE member_5 (LIKE member INCLUDING ALL);
INSERT INTO member VALUES (1, 'm1', 1), (2, 'm2', 1), (3, 'm3', 2), (4, 'm4', 2);
INSERT INTO member_5 VALUES (5, 'm5', 5);
SELECT entitle.adopt_users('member', 'mail', 'id', active_when => 'NOT gone');
SELECT is(active('member'), '1 2 3 4', 'partitions are adopted');
ALTER TABLE member ATTACH PARTITION member_5 FOR VALUES IN (5);
SELECT is(active('member'), '1 2 3 4 5', 'S379: rows come with the partition that is attached');
CREATE TABLE member_6 PARTITION OF member FOR VALUES IN (6) PARTITION BY LIST (id);
CREATE TABLE member_67 PARTITION OF member_6 FOR VALUES IN (7);
INSERT INTO member_67 (id, mail, region) VALUES (7, 'm7', 6);
SELECT is(active('member'), '1 2 3 4 5 7', 'rows of a partition that came later are followed');
TRUNCATE member_67;
SELECT is(active('member'), '1 2 3 4 5', 'S390: TRUNCATE of it, too');
INSERT INTO member_5 (id, mail, region) VALUES (8, 'm8', 5);
TRUNCATE member_5;
SELECT is(active('member'), '1 2 3 4', 'S390: and of one that was attached');
INSERT INTO member_5 (id, mail, region) VALUES (5, 'm5', 5);
ALTER TABLE member DETACH PARTITION member_1;
SELECT is(active('member'), '3 4 5', 'S379: and go with the one that is detached');
ALTER TABLE member_2 DETACH PARTITION member_24;
SELECT is(active('member'), '3 5', 'S379: one of a partition''s, too');
DROP TABLE member_23;
SELECT is(active('member'), '5', 'S379: or dropped');
ALTER TABLE member ALTER COLUMN gone DROP DEFAULT, ALTER COLUMN gone TYPE boolean USING true;
SELECT is(active('member'), NULL, 'S379: what the rows say now counts when a column is written anew');
ALTER TABLE person ALTER COLUMN mail TYPE varchar(60) USING 'person' || id;
SELECT is(active('person'), '7 8 9', 'S379: of a plain table, too');
RESET ROLE;
SELECT is((SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v WHERE v.source IN ('member'::regclass, 'person'::regclass)), NULL, 'and verify_adoption finds nothing');
SELECT is(error_in($$SELECT entitle_internal.follow_altered('person')$$, 'app_writer'), '42501 must be owner of table "public.person"', 'S379: the helper is the owner''s to call');

-- S381: what somebody else's adopted customers are called tells nothing of one's own tables.
SET ROLE hostile;
CREATE TABLE worker (visitor_no integer PRIMARY KEY);
SELECT entitle.adopt_customers('worker', 'visitor_no');
RESET ROLE;
CREATE SCHEMA app AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TABLE app.session (id integer PRIMARY KEY, visitor_no integer, customer_id integer);
CREATE TABLE app.visit (id integer PRIMARY KEY, visitor_no integer);
CREATE TABLE app.firm (firm_no integer PRIMARY KEY);
SELECT entitle.adopt_customers('app.firm', 'firm_no');
CREATE TABLE app.bill (id integer PRIMARY KEY, firm_no integer);
RESET ROLE;
SELECT bag_eq($$ SELECT relation::text, call IS NOT NULL FROM entitle.plan_protection('{app}') $$,
              $$ VALUES ('app.session', true), ('app.visit', false), ('app.firm', true), ('app.bill', true) $$, 'S381: they neither decide nor stand in the way');
SELECT matches((SELECT call FROM entitle.plan_protection('{app}') WHERE relation = 'app.session'::regclass), 'customer_id', 'a customer''s own key does');

-- S384: a hostile table waits for logins of another owner's, and cannot be followed when they are free.
SET ROLE app_owner;
CREATE TABLE staff (id integer PRIMARY KEY, mail text);
INSERT INTO staff VALUES (1, 'ann@x'), (2, 'bob@x');
SELECT entitle.adopt_users('staff', 'mail');
GRANT SELECT, INSERT, UPDATE, DELETE ON staff TO app_writer;
SET ROLE hostile;
CREATE TABLE trap (id integer PRIMARY KEY, mail text, n integer);
SELECT entitle.adopt_users('trap', 'mail', active_when => '1 / n > 0', on_conflict => 'report');
INSERT INTO trap VALUES (1, 'ann@x', 1), (2, 'bob@x', 1);
ALTER TABLE trap DROP COLUMN n;
RESET ROLE;
SELECT is(error_in($$UPDATE staff SET mail = 'ann.new@x' WHERE id = 1$$, 'app_writer'), 'none', 'S384: whoever has a login gives it up all the same');
SELECT is(error_in($$DELETE FROM staff WHERE id = 2$$, 'app_writer'), 'none', 'S384: and goes');
SELECT is(error_in('DROP TABLE staff', 'app_owner'), 'none', 'S384: the table, too');
-- S383: nor does it stop a superuser who brings all tables in step.
SET ROLE app_owner;
CREATE TABLE guest (id integer PRIMARY KEY, mail text);
INSERT INTO guest VALUES (1, 'guest@x');
SELECT entitle.adopt_users('guest', 'mail');
ALTER TABLE guest DISABLE TRIGGER USER;
DELETE FROM guest;
ALTER TABLE guest ENABLE ALWAYS TRIGGER entitle_adopted;
RESET ROLE;
SELECT lives_ok('SELECT entitle.sync_adopted()', 'S383: all that can be read are brought in step');
SELECT is(active('guest'), NULL, 'S383: whatever became of the others');
SELECT throws_ok($$SELECT entitle.sync_adopted('trap')$$, '42703', NULL, 'one that is named says what is wrong');

-- S385: whoever has the TRIGGER privilege has made triggers of these names before, that do nothing, or less.
SET ROLE app_owner;
CREATE TABLE visitor (id integer PRIMARY KEY, mail text, note text);
GRANT TRIGGER, INSERT, UPDATE, DELETE, SELECT ON visitor TO app_writer;
RESET ROLE;
GRANT CREATE ON SCHEMA public TO app_writer;
SET ROLE app_writer;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER entitle_adopted AFTER INSERT OR UPDATE OR DELETE ON visitor FOR EACH ROW WHEN (false) EXECUTE FUNCTION entitle_internal.follow_source();
CREATE TRIGGER entitle_adopted_end AFTER INSERT OR UPDATE OF note OR DELETE ON visitor FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.follow_source();
CREATE TRIGGER entitle_adopted_truncate AFTER TRUNCATE ON visitor FOR EACH STATEMENT EXECUTE FUNCTION nothing();
SET ROLE app_owner;
SELECT lives_ok($$ SELECT entitle.adopt_users('visitor', 'mail') $$, 'S385: the table is adopted');
INSERT INTO visitor VALUES (1, 'v1'), (2, 'v2');
SELECT is(active('visitor'), '1 2', 'S385: its rows are followed');
UPDATE visitor SET mail = NULL WHERE id = 1;
SELECT is(active('visitor'), '2', 'S385: their changes, too');
TRUNCATE visitor;
SELECT is(active('visitor'), NULL, 'S385: and their end');
DROP TRIGGER entitle_adopted ON visitor;
CREATE TRIGGER entitle_adopted AFTER INSERT OR UPDATE OR DELETE ON visitor FOR EACH ROW WHEN (false) EXECUTE FUNCTION entitle_internal.follow_source();
ALTER TABLE visitor ENABLE ALWAYS TRIGGER entitle_adopted;
SELECT matches((SELECT string_agg(v.problem, '; ') FROM entitle.verify_adoption() v WHERE v.source = 'visitor'::regclass), 'entitle_adopted of public.visitor', 'S385: verify_adoption looks at what they fire for');
RESET ROLE;

-- S387: tables that a crash empties.
SET ROLE app_owner;
CREATE UNLOGGED TABLE fast (id integer PRIMARY KEY, mail text);
CREATE TABLE slow (id integer, mail text, region integer, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE UNLOGGED TABLE slow_1 PARTITION OF slow FOR VALUES IN (1);
RESET ROLE;
SELECT is(error_in($$SELECT entitle.adopt_users('fast', 'mail')$$, 'app_owner'), '42809 table "public.fast", or a partition of it, is not logged', 'S387: an unlogged table is not adopted');
SELECT is(error_in($$SELECT entitle.adopt_users('slow', 'mail')$$, 'app_owner'), '42809 table "public.slow", or a partition of it, is not logged', 'S387: nor one with such a partition');
SET ROLE app_owner;
ALTER TABLE fast SET LOGGED;
SELECT lives_ok($$ SELECT entitle.adopt_users('fast', 'mail') $$, 'one that is logged is');
ALTER TABLE fast SET UNLOGGED;
SELECT is((SELECT v.remedy FROM entitle.verify_adoption() v WHERE v.source = 'fast'::regclass), 'ALTER TABLE public.fast SET LOGGED;', 'S387: verify_adoption names one that became unlogged');
RESET ROLE;

-- A table that gives users, customers and the access of those to these, in one: the last is followed last.
SET ROLE app_owner;
CREATE TABLE contact (id integer PRIMARY KEY, mail text, firm integer REFERENCES contact, friend integer REFERENCES contact ON DELETE CASCADE ON UPDATE CASCADE);
SELECT entitle.adopt_users('contact', 'mail'), entitle.adopt_customers('contact', 'id', 'mail');
SELECT entitle.adopt_access('contact', 'firm', 'friend', level => 'L90');
RESET ROLE;
CREATE FUNCTION grants() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(c.source_key || '>' || u.source_key, ' ' ORDER BY c.source_key, u.source_key)
          FROM entitle.external_access g JOIN entitle.customer c USING (customer_id) JOIN entitle.app_user u USING (user_id) JOIN entitle.adoption a ON a.adoption_id = g.adoption_id
          WHERE a.source = 'contact'::regclass::oid $$;
SET ROLE app_owner;
SELECT lives_ok($$ INSERT INTO contact VALUES (90001, 'c1', 90001, 90001), (90002, 'c2', 90001, 90002) $$, 'rows that name each other come in one statement');
RESET ROLE;
SELECT is(grants(), '90001>90001 90001>90002', 'and give access');
SET ROLE app_owner;
SELECT lives_ok($$ UPDATE contact SET id = id + 10, friend = friend + 10 WHERE id = 90002 $$, 'a key is changed');
RESET ROLE;
SELECT is(grants(), '90001>90001 90001>90012', 'with what names it');
SELECT lives_ok('TRUNCATE contact', 'all go');
SELECT is(grants(), NULL, 'with the access');

SELECT * FROM finish();
ROLLBACK;
