-- What whoever borrows a table owner's rights brings along without owning it, or has copied: prepared statements, what a new table is
-- like, settings that are turned on the way. Nothing of it runs, or is read, with the owner's rights (R56; S169).
\ir setup.psql
\ir run_as.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', NULL);
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO test_app;
CREATE TABLE shop.orders (order_id integer PRIMARY KEY, customer_id bigint, quantity integer, price numeric, item text);
INSERT INTO shop.orders VALUES (1, 101, 5, 10, 'box');
CREATE TABLE shop.secret (told text);
CREATE FUNCTION shop.work() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER work BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.work();
GRANT ALL ON shop.orders TO test_app;
SELECT entitle.protect_table('shop.orders', 'customer_id', min_level => 20, external_update_level => 20, masked_columns => '{"price": 30}') \g /dev/null

CREATE FUNCTION set_body(body text, path text DEFAULT NULL) RETURNS void LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION shop.work() RETURNS trigger LANGUAGE plpgsql %s AS %L',
                   'SET search_path = ' || path, 'BEGIN ' || body || '; RETURN NEW; END');
END
$$;
-- The error of the write through the view.
CREATE FUNCTION error_of(command text) RETURNS text LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM do_as('l20', command);
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, 'pg_temp_\d+', 'pg_temp');
END
$$;
CREATE FUNCTION error_in(body text, path text DEFAULT NULL) RETURNS text LANGUAGE plpgsql
    AS $$ BEGIN PERFORM set_body(body, path); RETURN error_of('UPDATE shop.orders_view SET quantity = quantity + 1'); END $$;

-- A role that owns nothing prepares statements all the same.
SELECT as_caller('PREPARE mine AS UPDATE shop.secret SET told = price FROM shop.orders; PREPARE shown AS SELECT told FROM shop.secret');
SELECT is_empty($$ SELECT FROM pg_shdepend WHERE refobjid = 'test_app'::regrole AND deptype = 'o' $$, 'the caller owns nothing');
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE sql
    AS $$ SELECT format('55000 prepared statement "%s" may be the caller''s own, and would run with the rights of "postgres"', statement) $$;
SELECT is(error_in(format('EXECUTE %L', command)), refused(statement), 'refused: ' || command)
FROM (VALUES ('EXECUTE mine', 'mine'), ('EXPLAIN (ANALYZE) EXECUTE mine', 'mine'), ('CREATE TEMP TABLE copied AS EXECUTE shown', 'shown'),
             ('EXPLAIN (ANALYZE) CREATE TEMP TABLE copied AS EXECUTE shown', 'shown'), ('CREATE TABLE shop.copied AS EXECUTE shown', 'shown')) AS v (command, statement);
SELECT is(error_in($$EXECUTE 'EXPLAIN (ANALYZE) SELECT 1'$$), 'none', 'what is explained may be the trigger''s own');
SELECT is(error_in($$EXECUTE 'CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT * FROM shop.secret'; DROP TABLE copied$$), 'none', 'so may what a table is made of');

-- A table that is like one of the caller's has its defaults, checks and generated columns.
SELECT as_caller($$
    CREATE TEMP TABLE orders (order_id integer, told text DEFAULT query_to_xml('SELECT told FROM shop.secret', true, true, '')::text);
    GRANT ALL ON pg_temp.orders TO PUBLIC $$);
SELECT is(error_in(body || '; DROP TABLE batch', 'shop'), '55000 relation pg_temp.orders belongs to "test_app" and would be used with the rights of "postgres"', 'refused: ' || body)
FROM (VALUES ('CREATE TEMP TABLE batch (LIKE orders INCLUDING ALL); INSERT INTO batch VALUES (1)'),
             ('CREATE TEMP TABLE batch (LIKE orders INCLUDING DEFAULTS); INSERT INTO batch VALUES (1)'),
             ('CREATE TEMP TABLE batch (line integer) INHERITS (orders); INSERT INTO batch VALUES (1)')) AS v (body);
SELECT is(error_in('CREATE TEMP TABLE batch (LIKE orders INCLUDING ALL); INSERT INTO batch VALUES (1); DROP TABLE batch', 'shop, pg_temp'), 'none',
          'a table that is like the owner''s works');
SELECT as_caller('DROP TABLE pg_temp.orders');

-- A temporary sequence is no table of a plan's, and gives numbers of the caller's choice.
CREATE SEQUENCE shop.number;
SELECT is(error_in('NEW.quantity := nextval(''number'')', 'shop'), 'none', 'a trigger takes numbers');
GRANT USAGE ON SEQUENCE shop.number TO test_app;
CREATE FUNCTION numbered() RETURNS text LANGUAGE sql
    AS $$ SELECT error_of('UPDATE shop.orders_view SET quantity = 0') $$;
SELECT as_caller('CREATE TEMP SEQUENCE number START 777; GRANT ALL ON SEQUENCE pg_temp.number TO PUBLIC');
SELECT is(numbered(), '55000 relation pg_temp.number belongs to "test_app" and would be used with the rights of "postgres"', 'of no temporary sequence');
SELECT is(error_of('UPDATE shop.orders SET quantity = 0'), 'none', 'the caller''s own direct write takes them where it likes');
SELECT is(error_of('UPDATE shop.orders SET quantity = 0; UPDATE shop.orders_view SET quantity = 0'),
          '55000 relation pg_temp.number belongs to "test_app" and would be used with the rights of "postgres"', 'and leaves no plan behind that does');
SELECT as_caller('DROP SEQUENCE pg_temp.number');
SELECT is(error_of('UPDATE shop.orders_view SET quantity = 0; CREATE TEMP SEQUENCE number; UPDATE shop.orders SET quantity = 0; UPDATE shop.orders_view SET quantity = 0'),
          '55000 relation pg_temp.number belongs to "test_app" and would be used with the rights of "postgres"', 'nor does one that is made on the way');
SELECT as_caller('CREATE TEMP SEQUENCE number; GRANT ALL ON SEQUENCE pg_temp.number TO PUBLIC');
SELECT is(error_in('NEW.quantity := nextval(''number'')', 'shop, pg_temp'), 'none', 'temporary objects last, the trigger finds its own');
SELECT as_caller('CREATE TEMP TABLE numbered (id serial)');
SELECT is(numbered(), 'none', 'beside a temporary table with a sequence');
SELECT as_caller('DROP TABLE pg_temp.numbered; DROP SEQUENCE pg_temp.number');

-- Code of the caller's, which a foreign key reaches, runs with the caller's rights and turns no setting for what follows.
CREATE TABLE shop.parts (part integer PRIMARY KEY);
INSERT INTO shop.parts VALUES (1);
GRANT REFERENCES, SELECT ON shop.parts TO test_app;
GRANT CREATE ON SCHEMA shop TO test_app;
SELECT as_caller($$
    CREATE TABLE shop.children (part integer REFERENCES shop.parts ON UPDATE CASCADE);
    INSERT INTO shop.children VALUES (1);
    CREATE FUNCTION shop.turn() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER turn BEFORE UPDATE ON shop.children FOR EACH ROW EXECUTE FUNCTION shop.turn() $$);
SELECT is(error_in('UPDATE parts SET part = part + 1'), 'none', 'a foreign key of the caller''s cascades');
CREATE FUNCTION turn_by(body text) RETURNS void LANGUAGE sql
    AS $$ SELECT as_caller(format('CREATE OR REPLACE FUNCTION shop.turn() RETURNS trigger LANGUAGE plpgsql AS %L', 'BEGIN ' || body || '; RETURN NEW; END')) $$;
CREATE FUNCTION turned(body text) RETURNS text LANGUAGE plpgsql
    AS $$ BEGIN PERFORM turn_by(body); RETURN error_in('UPDATE parts SET part = part + 1'); END $$;
SELECT is(turned(format('PERFORM set_config(%L, %L, %L)', setting, value, is_local)),
          CASE WHEN setting = 'standard_conforming_strings' AND current_setting('server_version_num')::integer >= 190000
               THEN '0A000 non-standard string literals are not supported'
          ELSE format('55000 code of "test_app" changed %s while a row of "postgres" was written', told) END,
          format('%s is not turned on the way (%s)', setting, is_local))
FROM (VALUES ('search_path', 'public', 'search_path'), ('standard_conforming_strings', 'off', 'how statements are read'),
             ('transform_null_equals', 'on', 'how statements are read'), ('backslash_quote', 'on', 'how statements are read')) AS v (setting, value, told),
     (VALUES (true), (false)) AS l (is_local);
SELECT is(turned('PERFORM set_config(''application_name'', ''a'', true)'), 'none', 'what decides nothing may be set');
-- An error that the owner's trigger catches leaves nothing behind.
SELECT turn_by('RAISE EXCEPTION ''no''');
SELECT is(error_in('FOR i IN 1 .. 100 LOOP BEGIN UPDATE parts SET part = part + 1; EXCEPTION WHEN raise_exception THEN NULL; END; END LOOP'), 'none',
          'an error of the caller''s code can be caught as often as it comes');
SELECT is(turned('FOR i IN 1 .. 100 LOOP EXECUTE ''EXPLAIN SELECT 1''; END LOOP'), 'none', 'statements that are explained only leave nothing behind either');

SELECT finish();
ROLLBACK;
