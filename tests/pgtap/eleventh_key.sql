-- Foreign keys whose column's type is somebody's who makes casts of it, which PostgreSQL runs as the owner of the table referred to (S525);
-- and keys that ask for masked values by rows that are there already (S527).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_owner;
CREATE ROLE test_mallory;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA own AUTHORIZATION test_mallory;
GRANT USAGE ON SCHEMA shop, entitle TO test_mallory;
GRANT USAGE ON SCHEMA own TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table TO test_owner;
GRANT REFERENCES ON entitle.customer TO test_mallory;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a');
CREATE TABLE public.of_superuser (id bigint PRIMARY KEY, code text UNIQUE);
INSERT INTO public.of_superuser VALUES (1, '1');
GRANT REFERENCES ON public.of_superuser TO test_mallory;
SET LOCAL ROLE test_owner;
CREATE TABLE shop.doc (id bigint PRIMARY KEY, customer_id bigint, price integer UNIQUE);
INSERT INTO shop.doc VALUES (1, 1, 10);
SELECT entitle.protect_table('shop.doc', 'customer_id', min_level => 20, masked_columns => '{"price": 30}') \g /dev/null
GRANT SELECT, REFERENCES ON shop.doc TO test_mallory;

SET LOCAL ROLE test_mallory;
CREATE TYPE own.label AS ENUM ('1', '2');
CREATE TYPE own.plain AS ENUM ('1', '2');
CREATE DOMAIN own.over AS own.label;
CREATE FUNCTION own.number_of(own.label) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'runs as %', current_user; END $$;
CREATE FUNCTION own.text_of(own.label) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'runs as %', current_user; END $$;
CREATE CAST (own.label AS bigint) WITH FUNCTION own.number_of(own.label) AS IMPLICIT;
CREATE CAST (own.label AS text) WITH FUNCTION own.text_of(own.label) AS IMPLICIT;
-- Without a function by now; it may be made with one once the key is there.
CREATE CAST (own.plain AS bigint) WITH INOUT AS IMPLICIT;
CREATE TABLE own.filled (id integer PRIMARY KEY, l own.label, p own.plain, o own.over, b bigint, i integer);
INSERT INTO own.filled VALUES (1, '1', '1', '1', 1, 10), (2, '2', '2', '2', 1, 11);
RESET ROLE;

CREATE FUNCTION ended(command text, who name DEFAULT 'test_mallory') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    EXECUTE command;
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0042' THEN 'done' ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;
SELECT matches(ended(command), '^42501 permission denied to refer to a column of type [a-z]+ in "[a-z_]+" by one of type own', format('S525: %s, %s', target, command))
FROM (VALUES ('entitle.customer (customer_id)'), ('public.of_superuser (id)'), ('shop.doc (id)')) AS r (target),
     LATERAL unnest(ARRAY[
         'CREATE TABLE own.t (c own.label REFERENCES ' || target || ')',
         'CREATE TABLE own.t (c own.plain REFERENCES ' || target || ')',
         'CREATE TABLE own.t (c own.over REFERENCES ' || target || ')',
         'ALTER TABLE own.filled ADD FOREIGN KEY (l) REFERENCES ' || target,
         'ALTER TABLE own.filled ADD FOREIGN KEY (p) REFERENCES ' || target,
         'ALTER TABLE own.filled ADD FOREIGN KEY (o) REFERENCES ' || target,
         'ALTER TABLE own.filled ADD FOREIGN KEY (l) REFERENCES ' || target || ' NOT VALID',
         'ALTER TABLE own.filled ADD c own.label DEFAULT ''1'' REFERENCES ' || target,
         'ALTER TABLE own.filled ADD FOREIGN KEY (b) REFERENCES ' || target || '; ALTER TABLE own.filled ALTER b TYPE own.label USING b::text::own.label',
         'CREATE TABLE own.t (c own.label) PARTITION BY LIST (c); ALTER TABLE own.t ADD FOREIGN KEY (c) REFERENCES ' || target,
         'DO $do$ BEGIN ALTER TABLE own.filled ADD FOREIGN KEY (l) REFERENCES ' || target || '; END $do$']) AS command;
-- PostgreSQL refuses this one itself from 18 on.
SELECT matches(ended('ALTER TABLE own.filled ADD FOREIGN KEY (l) REFERENCES public.of_superuser (code)'),
               '^(42501 permission denied to refer|XX000 key columns are not both collatable)', 'S525: by text');
SELECT matches(ended('ALTER TABLE own.filled ADD FOREIGN KEY (l) REFERENCES public.of_superuser', 'postgres'), '^42501 permission denied to refer', 'S525: nor does a superuser make one');
SELECT is(ended('ALTER TABLE own.filled ADD FOREIGN KEY (b) REFERENCES ' || target), 'done', 'by the type of the key, as before: ' || target)
FROM (VALUES ('entitle.customer (customer_id)'), ('public.of_superuser (id)'), ('shop.doc (id)')) AS r (target);
SELECT is(ended('CREATE TABLE own.t (i bigint PRIMARY KEY); CREATE TABLE own.r (i own.plain REFERENCES own.t); CREATE TABLE own.s (l own.label PRIMARY KEY); ALTER TABLE own.filled ADD FOREIGN KEY (l) REFERENCES own.s NOT VALID'),
          'done', 'one''s own tables, and by the same type');
SELECT is((SELECT evtenabled::text FROM pg_event_trigger WHERE evtname = 'entitle_watch_foreign_keys'), 'A', 'as a replica, too');

-- S527: the answer is the same whether or not there is such a value, and a privilege that is granted later opens nothing.
GRANT ALL ON shop.doc TO test_mallory;
SELECT is(ended(format('DELETE FROM own.filled WHERE i = %s; ALTER TABLE own.filled ADD FOREIGN KEY (i) REFERENCES shop.doc (price)', other)),
          '42501 permission denied to refer to column "price" of "doc"', format('S527: without the value %s', other))
FROM unnest('{10,11}'::integer[]) AS other;

-- Those that were there before are told.
SET LOCAL ROLE test_mallory;
CREATE TABLE own.told (i bigint PRIMARY KEY);
CREATE TABLE own.teller (l own.label REFERENCES own.told);
RESET ROLE;
SELECT is_empty($$ SELECT * FROM entitle.lint() WHERE object LIKE 'own.%' AND severity = 'error' $$, 'nothing to tell');
ALTER TABLE own.told OWNER TO test_owner;
SELECT results_eq($$ SELECT object, finding, remedy FROM entitle.lint() WHERE object = 'own.teller' AND severity = 'error' $$,
                  $$ VALUES ('own.teller', 'its foreign key teller_l_fkey to own.told compares columns of types own.label and bigint: functions of test_mallory run with the rights of test_owner',
                             'ALTER TABLE own.teller DROP CONSTRAINT teller_l_fkey;') $$, 'S525: lint names the key');

SELECT * FROM finish();
ROLLBACK;
