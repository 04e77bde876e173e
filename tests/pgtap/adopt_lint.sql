-- lint tells of adopted tables that are not followed and of rows that give nothing (R64), and each remedy makes its finding go away.
\ir setup.psql
SELECT no_plan();

CREATE TABLE person (id integer PRIMARY KEY, mail text);
INSERT INTO person VALUES (1, 'one'), (2, 'two');
SELECT entitle.adopt_users('person', 'mail', on_conflict => 'report');
CREATE TABLE parted (id integer, mail text, part integer, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
SELECT entitle.adopt_users('parted', 'mail', 'id');
CREATE TABLE stray (id integer PRIMARY KEY);

CREATE FUNCTION found() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(format('%s %s: %s', l.severity, l.object, l.finding), E'\n' ORDER BY l.object, l.finding) FROM entitle_internal.lint_adoptions() l $$;
SELECT is(found(), NULL, 'what is followed has no findings');

CREATE FUNCTION seeded(command text, expected text) RETURNS SETOF text LANGUAGE plpgsql
    AS $$
DECLARE
    mends text;
BEGIN
    EXECUTE command;
    RETURN NEXT is(found(), expected, command);
    FOR mends IN SELECT l.remedy FROM entitle_internal.lint_adoptions() l LOOP
        EXECUTE mends;
    END LOOP;
    RETURN NEXT is(found(), NULL, 'and the remedy mends it');
END
$$;
SELECT * FROM seeded('ALTER TABLE person DISABLE TRIGGER entitle_adopted', 'error public.person: trigger entitle_adopted of public.person is missing, disabled or not ENABLE ALWAYS');
SELECT * FROM seeded('ALTER TABLE person ENABLE TRIGGER entitle_adopted_truncate', 'error public.person: trigger entitle_adopted_truncate of public.person is missing, disabled or not ENABLE ALWAYS');
SELECT * FROM seeded('ALTER TABLE person DISABLE TRIGGER USER; INSERT INTO person VALUES (3, ''three''); ALTER TABLE person ENABLE ALWAYS TRIGGER entitle_adopted,'
                     ' ENABLE ALWAYS TRIGGER entitle_adopted_begin, ENABLE ALWAYS TRIGGER entitle_adopted_end, ENABLE ALWAYS TRIGGER entitle_adopted_truncate',
                     'error public.person: 1 of its rows are not followed: the users differ');
SELECT * FROM seeded('ALTER TABLE person DROP CONSTRAINT person_pkey', 'warning public.person: no index finds the rows of a key, so every write reads the whole table');
INSERT INTO person VALUES (4, 'ONE');
SELECT is(found(), 'warning public.person: 1 of its rows do not give all that they say, because of what is in their way', 'a row that gives nothing is told');
DELETE FROM person WHERE id = 4;
SELECT * FROM seeded('CREATE TRIGGER mine AFTER INSERT ON stray FOR EACH ROW EXECUTE FUNCTION entitle_internal.follow_source()',
                     'notice public.stray: trigger mine follows a table that is not adopted, and does nothing');
SELECT is_empty($$ SELECT l.* FROM entitle.lint() l WHERE l.object ~ 'person|parted' $$, 'lint() has nothing else against such tables');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT is(found(), NULL, 'a partition that came later has the triggers of statements, too');
DROP TRIGGER entitle_adopted_begin ON parted_2;
SELECT matches(found(), '^error public.parted: trigger entitle_adopted_begin of public.parted_2 is missing', 'a partition lacks a trigger of statements');
SELECT entitle.adopt_users('parted', 'mail', 'id');
SELECT is(found(), NULL, 'which adopting the table again gives it');
ALTER TABLE person DROP COLUMN mail;
SELECT is(found(), 'error public.person: its rows cannot be read: column "mail" does not exist', 'a column that is gone');
DROP TABLE person;
SELECT is(found(), NULL, 'a table that is dropped is forgotten');
SELECT is((SELECT count(*) FROM entitle.app_user WHERE is_active AND login IN ('one', 'two', 'three')), 0::bigint, 'and gives nothing any more');
CREATE TABLE person (id integer PRIMARY KEY, mail text);
INSERT INTO person VALUES (1, 'one');
SELECT entitle.adopt_users('person', 'mail');
SELECT is((SELECT string_agg(source_key, ',') FROM entitle.app_user WHERE login = 'one' AND is_active), '1', 'one that is made anew goes on where that one ended');

SELECT * FROM finish();
ROLLBACK;
