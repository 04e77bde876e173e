-- S531: whoever owns a domain that a protected table's column has adds a check to it, which PostgreSQL works out for every row there is.
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_owner;
CREATE ROLE test_mallory;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA own AUTHORIZATION test_mallory;
GRANT USAGE ON SCHEMA entitle TO test_mallory, test_owner;
GRANT USAGE ON SCHEMA own TO PUBLIC;
GRANT EXECUTE ON FUNCTION entitle.protect_table TO test_owner;
SET LOCAL ROLE test_mallory;
CREATE TABLE own.spied (value text);
CREATE FUNCTION own.spy(value text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = own, pg_temp AS $$ BEGIN INSERT INTO own.spied VALUES (value); RETURN true; END $$;
CREATE DOMAIN own.words AS text;
CREATE DOMAIN own.over AS own.words;
CREATE DOMAIN own.early AS varchar(20) CONSTRAINT before CHECK (own.spy(VALUE));
CREATE DOMAIN own.unused AS text;
CREATE TABLE own.mine (w own.words);
SET LOCAL ROLE test_owner;
CREATE DOMAIN shop.words AS text CHECK (VALUE <> 'none');
CREATE TABLE shop.doc (id integer PRIMARY KEY, customer_id bigint, note own.words, own shop.words);
CREATE TABLE shop.upper (id integer PRIMARY KEY, customer_id bigint, note own.over);
CREATE TABLE shop.parts (id integer, customer_id bigint, note own.early) PARTITION BY LIST (id);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts DEFAULT;
INSERT INTO shop.doc VALUES (1, 1, 'hidden', 'h');
INSERT INTO shop.upper VALUES (1, 1, 'hidden');
INSERT INTO shop.parts VALUES (1, 1, 'hidden');
RESET ROLE;
DELETE FROM own.spied;

CREATE FUNCTION ended(command text, who name DEFAULT 'test_mallory') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    EXECUTE command;
    RESET ROLE;
    SELECT string_agg(value, ' ') INTO told FROM own.spied;
    RAISE EXCEPTION USING ERRCODE = 'P0042', MESSAGE = concat_ws(' ', 'done', told);
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0042' THEN SQLERRM ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;
SELECT is(ended('ALTER DOMAIN own.words ADD CHECK (own.spy(VALUE))'), 'done hidden hidden', 'before, as PostgreSQL has it');
SELECT is(ended('ALTER DOMAIN own.early VALIDATE CONSTRAINT before'), 'done hidden', 'validating, too');

SET LOCAL ROLE test_owner;
SELECT entitle.protect_table('shop.upper', 'customer_id') \g /dev/null
RESET ROLE;
SELECT is(ended('ALTER DOMAIN own.words ADD CHECK (own.spy(VALUE))'), '42501 permission denied to have rows of "upper" checked by domain own.over', 'S531: by a domain over it');
SET LOCAL ROLE test_owner;
SELECT entitle.protect_table('shop.doc', 'customer_id'), entitle.protect_table('shop.parts', 'customer_id') \g /dev/null
RESET ROLE;
SELECT matches(ended(command), '^42501 permission denied to have rows of "[a-z_0-9]+" checked by domain (own\.)?[a-z]+$', 'S531: ' || command)
FROM unnest(ARRAY['ALTER DOMAIN own.words ADD CHECK (own.spy(VALUE))', 'ALTER DOMAIN own.words ADD CONSTRAINT late CHECK (own.spy(VALUE)) NOT VALID', 'ALTER DOMAIN own.words SET NOT NULL',
                  'ALTER DOMAIN own.over ADD CHECK (own.spy(VALUE))', 'ALTER DOMAIN own.early VALIDATE CONSTRAINT before', 'ALTER DOMAIN own.early SET NOT NULL',
                  'SET LOCAL search_path = own; ALTER DOMAIN words ADD CHECK (own.spy(VALUE))',
                  'DO $do$ BEGIN ALTER DOMAIN own.words ADD CHECK (own.spy(VALUE)); END $do$']) AS command;
SELECT is_empty('SELECT * FROM own.spied', 'nothing was seen');
SELECT is(ended(command), 'done', 'as before: ' || command)
FROM unnest(ARRAY['ALTER DOMAIN own.unused ADD CHECK (own.spy(VALUE)), SET NOT NULL', 'ALTER DOMAIN own.words SET DEFAULT ''d''', 'ALTER DOMAIN own.early DROP CONSTRAINT before',
                  'ALTER DOMAIN own.early RENAME TO later', 'CREATE DOMAIN own.other AS own.unused CHECK (own.spy(VALUE))']) AS command
WHERE command !~ ', SET NOT NULL';
SELECT is(ended('ALTER DOMAIN own.unused ADD CHECK (own.spy(VALUE)); ALTER DOMAIN own.unused SET NOT NULL'), 'done', 'a domain that protected tables do not have');
SELECT is(ended('ALTER DOMAIN shop.words ADD CHECK (VALUE <> ''x'')', 'test_owner'), 'done', 'the table''s owner adds checks of his own');
SELECT is(ended('ALTER DOMAIN own.words ADD CHECK (VALUE <> ''x'')', 'postgres'), 'done', 'and a superuser');
SELECT is(ended('ALTER DOMAIN own.none ADD CHECK (true)'), '42704 type "own.none" does not exist', 'one that is not there');
SELECT is((SELECT evtenabled::text FROM pg_event_trigger WHERE evtname = 'entitle_refuse_domain_check'), 'A', 'as a replica, too');

-- One that was there before sees what is written.
SELECT results_eq($$ SELECT object, finding, remedy FROM entitle.lint() WHERE severity = 'error' AND finding ~ 'domain' $$,
                  $$ VALUES ('shop.parts', 'checks of domain own.early, which is test_mallory''s, may see what is written into column note',
                             'SELECT entitle.alter_protected(''shop.parts'', ''ALTER COLUMN note TYPE character varying'');') $$, 'S531: lint names the column');
SELECT lives_ok((SELECT remedy FROM entitle.lint() WHERE severity = 'error' AND finding ~ 'domain'), 'its remedy');
SELECT is_empty($$ SELECT * FROM entitle.lint() WHERE severity = 'error' AND object ~ 'shop' $$, 'mends it');

-- A range type's function is shown what ANALYZE reads.
SET LOCAL ROLE test_mallory;
CREATE FUNCTION own.apart(a integer, b integer) RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM own.spy(concat(a, ' ', b)); RETURN a - b; END $$;
CREATE TYPE own.span AS RANGE (subtype = integer, subtype_diff = own.apart);
SET LOCAL ROLE test_owner;
CREATE TABLE shop.spans (id integer PRIMARY KEY, customer_id bigint, during own.span, open int4range);
INSERT INTO shop.spans SELECT i, 1, own.span(i, i + 700) FROM generate_series(1, 5) AS i;
SELECT entitle.protect_table('shop.spans', 'customer_id') \g /dev/null
ANALYZE shop.spans;
RESET ROLE;
SELECT isnt_empty('SELECT * FROM own.spied', 'as PostgreSQL has it');
SELECT results_eq($$ SELECT object, finding, remedy FROM entitle.lint() WHERE severity = 'error' AND object ~ 'shop' $$,
                  $$ VALUES ('shop.spans', 'function own.apart of range type own.span, which is test_mallory''s, may see what is analyzed of column during',
                             'SELECT entitle.alter_protected(''shop.spans'', ''ALTER COLUMN during TYPE text'');') $$, 'S531: lint names a range type''s function');
SELECT lives_ok((SELECT remedy FROM entitle.lint() WHERE severity = 'error' AND object ~ 'shop'), 'its remedy');
SELECT is_empty($$ SELECT * FROM entitle.lint() WHERE severity = 'error' AND object ~ 'shop' $$, 'mends it, too');

SELECT * FROM finish();
ROLLBACK;
