-- Rows of an application's own table stand for users (R64): whatever writes the table, and whoever, the users follow at once; they
-- change there only; what is in the way is refused with nothing left behind (S315 to S319, S329).
\ir tried.psql
\ir adopting.psql
SELECT no_plan();

CREATE ROLE app_owner;
CREATE ROLE app_writer;
GRANT CREATE ON SCHEMA public TO app_owner;
GRANT EXECUTE ON FUNCTION entitle.adopt_users, entitle.forget_adopted, entitle.sync_adopted, entitle.verify_adoption TO app_owner;
SET ROLE app_owner;
CREATE TABLE person (person_no integer PRIMARY KEY, mail text UNIQUE DEFERRABLE, called text, gone_on date, note text);
INSERT INTO person VALUES (1, 'Ann@x', 'Ann', NULL), (2, ' bob@X ', 'Bob', NULL), (3, 'cid@x', NULL, '2020-01-01'), (4, NULL, 'Dora', NULL), (5, '  ', 'Blank', NULL);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON person TO app_writer;
RESET ROLE;

-- What users there are, in one line.
CREATE FUNCTION users() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(source_key || '=' || CASE WHEN is_active THEN login ELSE '-' END, ' ' ORDER BY source_key COLLATE "C")
          FROM entitle.app_user WHERE adoption_id IS NOT NULL $$;
-- The same by the table itself, worked out here and not by the extension.
CREATE FUNCTION expected() RETURNS text LANGUAGE plpgsql
    AS $$ DECLARE answer text; BEGIN
        EXECUTE $q$
          SELECT string_agg(k || '=' || coalesce(l, '-'), ' ' ORDER BY k COLLATE "C")
          FROM (SELECT u.source_key AS k, (SELECT lower(btrim(p.mail)) FROM person p
                                          WHERE p.person_no::text = u.source_key AND p.gone_on IS NULL AND btrim(p.mail) NOT IN ('', '(no login) 1 x')) AS l
                FROM entitle.app_user u WHERE u.adoption_id IS NOT NULL
                UNION
                SELECT p.person_no::text, CASE WHEN p.gone_on IS NULL AND btrim(p.mail) NOT IN ('', '(no login) 1 x') THEN lower(btrim(p.mail)) END FROM person p) e $q$ INTO answer;
        RETURN answer;
    END $$;
CREATE FUNCTION in_step(what text) RETURNS SETOF text LANGUAGE plpgsql
    AS $$ BEGIN
        RETURN NEXT is(users(), expected(), 'R64: users follow ' || what);
        RETURN NEXT is((SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v), NULL, 'and verify_adoption finds nothing');
    END $$;
-- What an application's tool sees of a table.
CREATE FUNCTION shape(relation regclass) RETURNS text LANGUAGE sql
    AS $$ SELECT jsonb_build_object(
              'columns', (SELECT jsonb_agg(to_jsonb(a) ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = relation),
              'triggers', (SELECT jsonb_agg(pg_get_triggerdef(t.oid) ORDER BY t.tgname) FROM pg_trigger t WHERE t.tgrelid = relation AND NOT t.tgisinternal),
              'constraints', (SELECT jsonb_agg(pg_get_constraintdef(c.oid) ORDER BY c.conname) FROM pg_constraint c WHERE c.conrelid = relation),
              'acl', (SELECT c.relacl::text FROM pg_class c WHERE c.oid = relation))::text $$;
CREATE TEMP TABLE found AS SELECT shape('person') AS shape;

SET ROLE app_owner;
SELECT lives_ok($$ SELECT entitle.adopt_users('person', 'mail', name_column => 'called', active_when => 'gone_on IS NULL') $$, 'an owner adopts a table');
RESET ROLE;
SELECT is(users(), '1=ann@x 2=bob@x 3=- 4=- 5=-', 'R64: what was there stands for users, logins folded; without a login nobody signs in');
SELECT * FROM in_step('the adoption');
SELECT isnt(entitle.sign_in('ann@x'), NULL, 'such a user signs in');
SELECT entitle.sign_out();

-- Every way to write, by a role without any right on the model.
CREATE TEMP TABLE way (n integer, command text);
INSERT INTO way VALUES
    (1, $$INSERT INTO person VALUES (10, 'ten@x', 'Ten')$$),
    (2, $$INSERT INTO person SELECT i, 'p' || i, 'P' FROM generate_series(100, 140) i$$),
    (3, $$UPDATE person SET mail = 'tenth@x' WHERE person_no = 10$$),
    (4, $$UPDATE person SET gone_on = '2021-01-01' WHERE person_no = 10$$),
    (5, $$UPDATE person SET gone_on = NULL WHERE person_no = 10$$),
    (6, $$UPDATE person SET person_no = person_no + 1 WHERE person_no BETWEEN 100 AND 140 AND false$$),
    (7, $$UPDATE person SET mail = CASE mail WHEN 'p100' THEN 'p101' WHEN 'p101' THEN 'p102' ELSE 'p100' END WHERE person_no BETWEEN 100 AND 102$$),
    (8, $$INSERT INTO person VALUES (10, 'ten@x', 'Ten'), (11, 'eleven@x', 'Eleven') ON CONFLICT (person_no) DO UPDATE SET mail = excluded.mail || '.new'$$),
    (9, $$INSERT INTO person VALUES (10, 'ten@x') ON CONFLICT (person_no) DO NOTHING$$),
    (10, $$MERGE INTO person p USING (VALUES (11), (12), (13)) AS s (k) ON p.person_no = s.k WHEN MATCHED THEN DELETE
           WHEN NOT MATCHED THEN INSERT VALUES (s.k, 'merged' || s.k)$$),
    (11, $$WITH gone AS (DELETE FROM person WHERE person_no = 12 RETURNING *), come AS (INSERT INTO person VALUES (14, 'fourteen') RETURNING 1),
           changed AS (UPDATE person SET mail = 'p140b' WHERE person_no = 140) SELECT count(*) FROM gone, come$$),
    (12, $$UPDATE person SET person_no = 900 + person_no WHERE person_no = 13$$),
    (13, $$UPDATE person SET note = 'x'$$),
    (14, $$DELETE FROM person WHERE person_no BETWEEN 110 AND 120$$),
    (15, $$DO 'BEGIN INSERT INTO person VALUES (20, ''twenty''); BEGIN INSERT INTO person VALUES (21, ''x21''); UPDATE person SET mail = ''twenty-one'' WHERE person_no = 20;
              RAISE EXCEPTION ''no''; EXCEPTION WHEN OTHERS THEN NULL; END; UPDATE person SET mail = ''twenty-two'' WHERE person_no = 20; END'$$),
    (16, $$INSERT INTO person VALUES (110, 'p110')$$),
    (17, $$UPDATE person SET mail = NULL WHERE person_no = 110$$),
    (18, $$UPDATE person SET mail = 'p110' WHERE person_no = 110$$),
    (19, $$TRUNCATE person$$),
    (20, $$INSERT INTO person VALUES (1, 'ann@x', 'Ann again'), (77, 'bob@x', 'another Bob')$$);
SELECT * FROM run_ways();
SELECT is((SELECT count(DISTINCT user_id) FROM entitle.app_user WHERE source_key = '1'), 1::bigint, 'R64: under its key a row comes back as the user that it was');
SELECT ok((SELECT bool_and(l.db_role = 'app_writer') FROM entitle.change_log l WHERE l.relation = 'entitle.app_user'::regclass AND l.new_row ->> 'source_key' = '10'),
          'the log tells who wrote the source');

-- Under session_replication_role = replica, and with a batch of rows that is rolled back.
SET session_replication_role = replica;
INSERT INTO person VALUES (30, 'thirty'); UPDATE person SET mail = 'thirty-one' WHERE person_no = 30;
SELECT * FROM in_step('a session that is a replica');
RESET session_replication_role;
SAVEPOINT s; INSERT INTO person VALUES (31, 'thirty-two'); ROLLBACK TO s;
SELECT * FROM in_step('a rolled back insert');
COPY person FROM stdin (FORMAT csv);
40,forty,,,
41,Forty-One,,2020-01-01,
\.
SELECT * FROM in_step('COPY');

-- Grants on a user whose row goes stay, and come back with it (R43, R64).
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, status) VALUES (500, 'a', 'a', '1', 'ACTV');
INSERT INTO entitle.external_access (customer_id, user_id, role) SELECT 500, user_id, 'L90' FROM entitle.app_user WHERE login = 'forty';
DELETE FROM person WHERE person_no = 40;
SELECT throws_ok($$ SELECT entitle.sign_in('forty') $$, '42501', NULL, 'R64: whose row went does not sign in');
SELECT is((SELECT count(*) FROM entitle.external_access WHERE customer_id = 500), 1::bigint, 'R43: an owner''s grant stays');
INSERT INTO person VALUES (40, 'forty');
SELECT is(ask('forty', 'SELECT entitle.access_level(500)'), '90', 'R64: and comes back with the row');

-- They change at their source only, whoever writes.
SELECT is(error_in(command), '42501 ' || message, 'S315: ' || command)
FROM (VALUES
    ($$UPDATE entitle.app_user SET is_active = false WHERE login = 'forty'$$, 'the row of "app_user" belongs to adopted table "public.person"'),
    ($$UPDATE entitle.app_user SET adoption_id = NULL, source_key = NULL WHERE login = 'forty'$$, 'the row of "app_user" belongs to adopted table "public.person"'),
    ($$DELETE FROM entitle.app_user WHERE login = 'ann@x'$$, 'the row of "app_user" belongs to adopted table "public.person"'),
    ($$INSERT INTO entitle.app_user (login, adoption_id, source_key) SELECT 'evil', max(adoption_id), '999' FROM entitle.adoption$$, 'the row of "app_user" belongs to adopted table "public.person"'),
    ($$TRUNCATE entitle.app_user CASCADE$$, 'table "app_user" cannot be truncated: it follows adopted table "public.person"')) AS c (command, message);
SELECT is(error_in(command), '23503 rows of the model belong to the adoption', 'an adoption that gives something stays: ' || command)
FROM (VALUES ('DELETE FROM entitle.adoption'), ('UPDATE entitle.adoption SET adoption_id = adoption_id + 100'), ('TRUNCATE entitle.adoption CASCADE')) AS c (command);
INSERT INTO entitle.app_user (login) VALUES ('made here');
SELECT is(error_in($$UPDATE entitle.app_user SET adoption_id = (SELECT max(adoption_id) FROM entitle.adoption), source_key = '998' WHERE login = 'made here'$$),
          '42501 the row of "app_user" belongs to adopted table "public.person"', 'S315: nor does one made here become adopted');
SELECT is(error_in($$UPDATE entitle.app_user SET db_role = 'app_writer' WHERE login = 'ann@x'$$), 'none', 'a superuser maps one to a database role');

-- Code of others that a write of ours fires does not come through that gate.
CREATE FUNCTION ride() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN UPDATE entitle.app_user SET is_active = false WHERE login = 'ann@x' AND is_active; RETURN NULL; END $$;
CREATE TRIGGER ride AFTER UPDATE ON entitle.app_user FOR EACH ROW WHEN (NEW.full_name = 'ride') EXECUTE FUNCTION ride();
SELECT is(error_in($$UPDATE person SET called = 'ride' WHERE person_no = 40$$), '42501 the row of "app_user" belongs to adopted table "public.person"',
          'S316: a trigger beside ours changes no adopted row');
DROP TRIGGER ride ON entitle.app_user;

-- What is in the way.
SELECT is(error_in($$INSERT INTO person VALUES (50, 'FORTY')$$), '23505 row of adopted table "public.person" cannot be followed: login "forty" is taken',
          'S317: a login that another row has, once folded, is refused');
SELECT is(error_in($$INSERT INTO person VALUES (50, 'made here')$$), '23505 row of adopted table "public.person" cannot be followed: login "made here" is taken',
          'S317: a login of a user made here is refused, who is not taken over');
SELECT is(error_in($$INSERT INTO person VALUES (51, '(no login) 1 x')$$), 'none', 'a login that looks like none is none');
SELECT * FROM in_step('refused writes');
DELETE FROM person WHERE person_no = 51;

-- Renamed, and of another type.
ALTER TABLE person RENAME COLUMN mail TO e_mail;
ALTER TABLE person RENAME COLUMN gone_on TO left_on;
ALTER TABLE person ADD COLUMN mail text DEFAULT 'another';
INSERT INTO person (person_no, e_mail) VALUES (60, 'sixty');
UPDATE person SET left_on = '2020-01-01' WHERE person_no = 41;
SELECT is((SELECT string_agg(login, ' ') FROM entitle.app_user WHERE source_key IN ('60') AND is_active), 'sixty', 'renamed columns are known');
ALTER TABLE person ALTER COLUMN e_mail TYPE varchar(90), ALTER COLUMN person_no TYPE bigint;
UPDATE person SET e_mail = 'Sixty-One' WHERE person_no = 60;
SELECT is((SELECT string_agg(login, ' ') FROM entitle.app_user WHERE source_key IN ('60') AND is_active), 'sixty-one', 'and so are columns of another type');
ALTER TABLE person DROP COLUMN left_on;
SELECT matches(error_in($$UPDATE person SET e_mail = 'x' WHERE person_no = 60$$), '^42703 ', 'a column that is gone is told at the next write');
SELECT is((SELECT count(*) FROM entitle.verify_adoption() v WHERE v.problem LIKE 'its rows cannot be read: %'), 1::bigint, 'and by verify_adoption');
ALTER TABLE person DROP COLUMN mail;
ALTER TABLE person RENAME COLUMN e_mail TO mail;
ALTER TABLE person ADD COLUMN gone_on date, ALTER COLUMN mail TYPE text, ALTER COLUMN person_no TYPE integer;
SELECT lives_ok($$ SELECT entitle.adopt_users('person', 'mail', name_column => 'called', active_when => 'gone_on IS NULL') $$, 'which adopting the table again mends');
SELECT * FROM in_step('the second adoption');

-- Drift: what was written while the triggers were off.
ALTER TABLE person DISABLE TRIGGER entitle_adopted;
UPDATE person SET mail = 'behind' WHERE person_no = 60;
INSERT INTO person VALUES (61, 'unseen');
SELECT bag_eq($$ SELECT key, problem FROM entitle.verify_adoption() $$,
    $$ VALUES (NULL, 'trigger entitle_adopted of public.person is missing, disabled or not ENABLE ALWAYS'), ('60', 'the user differs from the row'), ('61', 'there is no user for the row') $$,
    'verify_adoption tells what was missed, and why');
ALTER TABLE person ENABLE ALWAYS TRIGGER entitle_adopted;
SELECT is(entitle.sync_adopted('person'), 2::bigint, 'sync_adopted mends it');
SELECT * FROM in_step('sync_adopted');

-- Reported instead of refused.
SELECT entitle.adopt_users('person', 'mail', name_column => 'called', active_when => 'gone_on IS NULL', on_conflict => 'report');
INSERT INTO person VALUES (70, 'UNSEEN', 'second');
SELECT results_eq($$ SELECT key, problem FROM entitle.verify_adoption() $$, $$ VALUES ('70', 'login "unseen" is taken') $$, 'a login that is taken is reported');
SELECT is((SELECT string_agg(source_key, ' ') FROM entitle.app_user WHERE login = 'unseen' AND is_active), '61', 'who had it keeps it');
DELETE FROM person WHERE person_no = 61;
SELECT is((SELECT string_agg(source_key, ' ') FROM entitle.app_user WHERE login = 'unseen' AND is_active), '70', 'when that one goes the other gets it');
SELECT is_empty($$ SELECT * FROM entitle.verify_adoption() $$, 'and the finding is gone');

-- Who may. Nobody's expression runs with our rights.
CREATE FUNCTION evil() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'ran as %', current_user; RETURN true; END $$;
CREATE DOMAIN evil_domain AS text CHECK (evil());
CREATE TYPE evil_type AS (a evil_domain);
CREATE TABLE other (id integer PRIMARY KEY, login text, made evil_type, at timestamptz);
ALTER TABLE other OWNER TO app_owner;
CREATE TABLE keyless (login text);
CREATE TABLE loose (id integer UNIQUE, login text, born float PRIMARY KEY);
CREATE VIEW seen AS SELECT * FROM person;
CREATE TABLE twice (id integer PRIMARY KEY, login text); INSERT INTO twice VALUES (1, 'same'), (2, 'SAME'), (3, 'made here');
CREATE TABLE kin (id integer PRIMARY KEY, login text); CREATE TABLE kid () INHERITS (kin);
SELECT is(error_in(format('SELECT entitle.adopt_users(%s)', arguments)), error, format('refused: %s', arguments))
FROM (VALUES
    ($$'other', 'login', active_when => 'evil()'$$, '42883 function evil() does not exist'),
    ($$'other', 'login', active_when => 'public.evil()'$$, '22023 expression "public.evil()" calls a function that is not PostgreSQL''s own or not immutable'),
    ($$'other', 'login', active_when => '''x''::public.evil_domain = login'$$, '22023 expression "''x''::public.evil_domain = login" casts to a type that is neither PostgreSQL''s own nor an enum'),
    ($$'other', 'login', active_when => 'made = ''(1)'''$$, '42703 column "made" does not exist (no hint)'),
    ($$'other', 'login', active_when => '(SELECT true)'$$, '22023 expression "(SELECT true)" holds a query'),
    ($$'other', 'login', active_when => 'exists (SELECT FROM pg_authid)'$$, '22023 expression "exists (SELECT FROM pg_authid)" holds a query'),
    ($$'other', 'login', active_when => 'true; DROP TABLE other'$$, '42601 syntax error at or near ";" (no hint)'),
    ($$'other', 'login', active_when => '*'$$, '22023 expression "*" names the whole row'),
    ($$'other', 'login', active_when => 'other.*'$$, '22023 expression "other.*" names the whole row'),
    ($$'other', 'login', active_when => 'true FROM other'$$, '22023 expression "true FROM other" is more than one expression'),
    ($$'other', 'login', active_when => 'at > now()'$$, '22023 expression "at > now()" calls a function that is not PostgreSQL''s own or not immutable'),
    ($$'other', 'login', active_when => 'at > ''now'''$$, '22023 expression "at > ''now''" holds a constant whose meaning depends on the session or the time'),
    ($$'other', 'login', active_when => 'random() < 1'$$, '22023 expression "random() < 1" calls a function that is not PostgreSQL''s own or not immutable'),
    ($$'other', 'login', active_when => 'current_user = login'$$, '22023 expression "current_user = login" holds more than columns, constants and calls'),
    ($$'other', 'login', active_when => 'other IS NOT NULL'$$, '22023 expression "other IS NOT NULL" names the whole row or a column of the system''s'),
    ($$'other', 'login', active_when => 'xmin IS NOT NULL'$$, '22023 expression "xmin IS NOT NULL" names the whole row or a column of the system''s'),
    ($$'other', 'login', active_when => 'login'$$, '42804 argument of the condition must be type boolean, not type text (no hint)'),
    ($$'other', 'login', active_when => 'count(*) > 0'$$, '42803 aggregate functions are not allowed in WHERE (no hint)'),
    ($$'other', 'nothing'$$, '42703 column "nothing" of table "public.other" does not exist'),
    ($$'other', 'id'$$, '42804 column "id" of table "public.other" has type integer'),
    ($$'other', NULL$$, '22004 no login column is given'),
    ($$NULL, 'login'$$, '22004 no table is given'),
    ($$'other', 'login', on_conflict => 'ignore'$$, '22023 on_conflict is neither ''refuse'' nor ''report'''),
    ($$'other', 'login', 'login'$$, '22023 column "login" of table "public.other" is no key'),
    ($$'loose', 'login', 'id'$$, '22023 column "id" of table "public.loose" is no key'),
    ($$'loose', 'login'$$, '42804 column "born" of table "public.loose" has type double precision'),
    ($$'keyless', 'login'$$, '22023 table "public.keyless" has no primary key'),
    ($$'seen', 'mail'$$, '42809 relation "public.seen" cannot be adopted'),
    ($$'entitle.app_user', 'login'$$, '42809 relation "entitle.app_user" cannot be adopted'),
    ($$'kin', 'login'$$, '42809 table "public.kin" is a part of another, or has inheriting tables'),
    ($$'kid', 'login'$$, '42809 table "public.kid" is a part of another, or has inheriting tables'),
    ($$'twice', 'login'$$, '23505 row of adopted table "public.twice" cannot be followed: login "same" is taken (rows with the keys 2, 3)')) AS c (arguments, error);
SELECT is((SELECT count(*) FROM pg_trigger t WHERE t.tgname LIKE 'entitle\_adopted%' AND t.tgrelid NOT IN ('person'::regclass)
             AND t.tgrelid NOT IN (SELECT oid FROM pg_class WHERE relnamespace = 'entitle'::regnamespace)), 0::bigint, 'nothing is left behind');
SELECT is((SELECT count(*) FROM entitle.adoption), 1::bigint, 'in the model neither');
SELECT is(error_in($$SELECT entitle.adopt_users('person', 'mail')$$, 'app_writer'), '42501 permission denied for function adopt_users (no hint)', 'a writer adopts nothing');
GRANT EXECUTE ON FUNCTION entitle.adopt_users, entitle.forget_adopted, entitle.sync_adopted, entitle.verify_adoption TO app_writer;
SELECT is(error_in($$SELECT entitle.adopt_users('person', 'mail')$$, 'app_writer'), '42501 permission denied to adopt table "public.person"', 'nor does one with EXECUTE, who does not own the table');
SELECT is(error_in($$SELECT entitle.forget_adopted('person')$$, 'app_writer'), '42501 permission denied to forget adopted table "public.person"', 'nor forgets it');
SELECT is(error_in($$SELECT entitle.sync_adopted('person')$$, 'app_writer'), '42501 permission denied to follow adopted table "public.person"', 'nor has it followed');
-- S318: the helper that records is open to PUBLIC, and looks at everything itself.
CREATE FUNCTION try_record(source regclass, facts text[], key text) RETURNS void LANGUAGE plpgsql
    AS $$ DECLARE d entitle.adoption; BEGIN d.source := source; d.kind := 'users'; d.facts := facts; d.key_columns := ARRAY[key]; d.on_conflict := 'refuse';
          PERFORM entitle_internal.record_adoption(d); END $$;
SELECT is(error_in($$SELECT try_record('person', '{true,mail,called}', 'person_no')$$, 'app_writer'), '42501 permission denied to adopt table "public.person"', 'S318: not for another''s table');
SELECT is(error_in($$SELECT try_record('other', '{public.evil(),login,login}', 'id')$$, 'app_owner'),
          '22023 expression "public.evil()" calls a function that is not PostgreSQL''s own or not immutable', 'S318: nor with an expression of one''s own');
-- S319: the trigger on a table that is not adopted does nothing.
SET ROLE app_owner;
CREATE TABLE mine (id integer PRIMARY KEY, login text);
CREATE TRIGGER entitle_adopted AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION entitle_internal.follow_source();
INSERT INTO mine VALUES (1, 'intruder');
SELECT throws_ok($$ CREATE TRIGGER early BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION entitle_internal.follow_source(); INSERT INTO mine VALUES (2, 'x') $$, '0A000', NULL,
                 'S319: before a row it is no trigger of ours');
RESET ROLE;
SELECT is((SELECT count(*) FROM entitle.app_user WHERE login = 'intruder'), 0::bigint, 'S319: a trigger that somebody made gives nothing');

-- Partitioned, by the root and by a partition of its own, and one that comes later.
CREATE TABLE parted (id integer, login text, region integer, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (spare text, region integer NOT NULL, login text, id integer NOT NULL);
ALTER TABLE parted_2 DROP COLUMN spare;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
INSERT INTO parted VALUES (1, 'pa', 1), (2, 'pb', 2);
SELECT entitle.adopt_users('parted', 'login', 'id');
UPDATE parted SET region = 2 WHERE id = 1;
INSERT INTO parted_2 (region, login, id) VALUES (2, 'pc', 3);
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES IN (3);
INSERT INTO parted_3 VALUES (4, 'pd', 3);
DELETE FROM parted_2 WHERE id = 2;
SELECT is((SELECT string_agg(login, ' ' ORDER BY login) FROM entitle.app_user u JOIN entitle.adoption a USING (adoption_id) WHERE a.source = 'parted'::regclass::oid AND u.is_active),
          'pa pc pd', 'R64: rows of partitions are followed, also when they are written by name');
TRUNCATE parted_2;
SELECT is((SELECT string_agg(login, ' ' ORDER BY login) FROM entitle.app_user u JOIN entitle.adoption a USING (adoption_id) WHERE a.source = 'parted'::regclass::oid AND u.is_active),
          'pd', 'TRUNCATE of a partition too');

-- Rows that a foreign key takes along.
CREATE TABLE account (id integer PRIMARY KEY); INSERT INTO account VALUES (1), (2);
CREATE TABLE login (id integer PRIMARY KEY, account integer REFERENCES account ON DELETE CASCADE ON UPDATE CASCADE, name text);
INSERT INTO login VALUES (1, 1, 'l1'), (2, 1, 'l2'), (3, 2, 'l3');
SELECT entitle.adopt_users('login', 'name', active_when => 'account <> 9');
DELETE FROM account WHERE id = 1;
UPDATE account SET id = 9;
SELECT is((SELECT string_agg(login, ' ' ORDER BY login) FROM entitle.app_user u JOIN entitle.adoption a USING (adoption_id) WHERE a.source = 'login'::regclass::oid AND u.is_active),
          NULL, 'R64: cascades are followed');

-- Forgotten, it leaves no trace in the application's table, and what it gave ends; it comes back under the same keys.
CREATE TEMP TABLE ann AS SELECT user_id FROM entitle.app_user WHERE source_key = '40' AND login = 'forty';
SET ROLE app_owner;
SELECT lives_ok($$ SELECT entitle.forget_adopted('person') $$, 'the owner forgets the table');
RESET ROLE;
SELECT is((SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = 'person'::regclass AND NOT t.tgisinternal), 0::bigint, 'no trigger is left');
SELECT is((SELECT count(*) FROM entitle.app_user u JOIN entitle.adoption a USING (adoption_id) WHERE a.source = 'person'::regclass::oid AND u.is_active), 0::bigint, 'nobody is active by it');
INSERT INTO person (person_no, mail) VALUES (80, 'eighty');
SELECT is((SELECT count(*) FROM entitle.app_user WHERE login = 'eighty'), 0::bigint, 'nor comes by it');
SELECT is(error_in($$SELECT entitle.forget_adopted('person')$$), '42704 table "public.person" is not adopted', 'once is enough');
SELECT entitle.adopt_users('person', 'mail', name_column => 'called');
SELECT is((SELECT user_id FROM entitle.app_user WHERE login = 'forty' AND is_active), (SELECT user_id FROM ann), 'R64: adopted again, its rows are the users that they were');
SELECT entitle.forget_adopted('person'), entitle.forget_adopted('parted'), entitle.forget_adopted('login');
SELECT is((SELECT count(*) FROM pg_trigger t WHERE t.tgfoid = 'entitle_internal.follow_source()'::regprocedure AND t.tgrelid <> 'mine'::regclass), 0::bigint, 'no trigger of ours is left anywhere');
SELECT is(error_in($$DELETE FROM entitle.external_access; DELETE FROM entitle.app_user WHERE login = 'ann@x'$$), '42501 the grant of an owner (L90) cannot be removed', 'R43 holds after all');
SELECT is(error_in($$DELETE FROM entitle.app_user WHERE login = 'ann@x'$$), 'none', 'what a forgotten table gave, a superuser may clear away');

SELECT * FROM finish();
ROLLBACK;
