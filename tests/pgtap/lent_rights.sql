-- The extension lends rights: the table owner's to whoever writes a filtered view, its own owner's inside its SECURITY DEFINER
-- functions. Nothing that the caller made is resolved or run with them, whatever way it comes in; what works on the table works
-- through the view, and whoever has temporary tables for honest ends is not bothered (R56; S123 to S128).
\ir setup.psql
\ir run_as.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20'), (102, 'l80');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', NULL), (101, 102, 'L80', NULL);
CREATE ROLE test_owner;
CREATE ROLE test_group;
GRANT test_group TO test_app;
CREATE SCHEMA shop;
GRANT ALL ON SCHEMA shop TO test_owner, test_app;
GRANT CREATE ON SCHEMA public TO test_app, test_group;

-- Counts what ran with other rights than the caller's; a sequence keeps its count when the statement fails.
CREATE SEQUENCE ran;
GRANT ALL ON SEQUENCE ran TO PUBLIC;
CREATE FUNCTION note_rights() RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN IF current_user NOT IN ('test_app', 'test_group') THEN PERFORM nextval('public.ran'); END IF; RETURN true; END $$;
SELECT setval('ran', 1, false);

CREATE FUNCTION error_of(command text, login text DEFAULT 'l20') RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    state text; message text;
BEGIN
    PERFORM do_as(login, command);
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN concat_ws(' ', state, regexp_replace(message, 'pg_temp_\d+', 'pg_temp'));
END
$$;
CREATE FUNCTION hint_of(command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    hint text; detail text;
BEGIN
    PERFORM do_as('l20', command);
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', detail, hint);
END
$$;
-- The error of the write through the view, and whether anything ran with the owner's rights on the way.
CREATE FUNCTION through_view() RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    answer text := error_of('UPDATE shop.orders_view SET quantity = quantity + 1');
    counted boolean := (SELECT is_called FROM public.ran);
BEGIN
    PERFORM setval('public.ran', 1, false);
    RETURN answer || CASE WHEN counted THEN ', and it ran' ELSE '' END;
END
$$;
CREATE FUNCTION refused(object text, owner text DEFAULT 'test_app') RETURNS text LANGUAGE sql
    AS $$ SELECT format('55000 %s belongs to "%s" and would be used with the rights of "%s"', object, owner,
                        (SELECT relowner::regrole FROM pg_class WHERE oid = to_regclass('shop.orders'))) $$;

CREATE FUNCTION make_orders(owner name) RETURNS void LANGUAGE plpgsql
    AS $$
BEGIN
    CREATE TABLE shop.audit (order_id integer, written_by name DEFAULT current_user);
    CREATE TABLE shop.orders (order_id integer PRIMARY KEY, customer_id bigint, quantity integer, price numeric, item text, twin integer UNIQUE);
    INSERT INTO shop.orders VALUES (1, 101, 5, 10, 'box', 1);
    CREATE FUNCTION shop.note() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO audit (order_id) VALUES (NEW.order_id); RETURN NEW; END';
    CREATE TRIGGER note AFTER UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.note();
    GRANT ALL ON shop.orders, shop.audit TO test_app;
    EXECUTE format('ALTER TABLE shop.orders OWNER TO %I; ALTER TABLE shop.audit OWNER TO %1$I; ALTER FUNCTION shop.note() OWNER TO %1$I', owner);
    PERFORM entitle.protect_table('shop.orders', 'customer_id', min_level => 20, external_update_level => 20, external_insert_level => 20,
                                  masked_columns => '{"price": 30}');
END
$$;
CREATE FUNCTION lure(name text) RETURNS void LANGUAGE sql
    AS $$
    SELECT as_caller(format(
        'CREATE TEMP TABLE %I (order_id integer);
         CREATE FUNCTION pg_temp.evil() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN PERFORM public.note_rights(); RETURN NEW; END'';
         CREATE TRIGGER evil BEFORE INSERT OR UPDATE OR DELETE ON pg_temp.%1$I FOR EACH ROW EXECUTE FUNCTION pg_temp.evil();
         CREATE TRIGGER evil_too BEFORE TRUNCATE ON pg_temp.%1$I EXECUTE FUNCTION pg_temp.evil()', name))
    $$;

CREATE FUNCTION test_view(owner name) RETURNS SETOF text LANGUAGE plpgsql
    AS $$
DECLARE
    lender CONSTANT text := format('(a table of %s) ', owner);
BEGIN
    PERFORM make_orders(owner);
    -- Honest.
    RETURN NEXT is(through_view(), 'none', lender || 'a trigger that is written for the table''s schema works through the view');
    RETURN NEXT is((SELECT string_agg(written_by, ' ') FROM shop.audit), owner::text, lender || 'with the rights of the owner');
    PERFORM as_caller('CREATE TEMP TABLE mine AS SELECT 1 AS a; CREATE TEMP VIEW my_view AS SELECT * FROM mine');
    RETURN NEXT is(through_view(), 'none', lender || 'beside temporary tables of the session''s');
    RETURN NEXT is(error_of('UPDATE shop.orders_view SET quantity = a FROM pg_temp.my_view'), 'none', lender || 'and from them');
    PERFORM lure('audit');
    RETURN NEXT is(through_view(), 'none', lender || 'a temporary table of the same name is not taken for the table''s');
    RETURN NEXT is((SELECT count(*) FROM pg_temp.audit), 0::bigint, lender || 'nor written');

    -- A function with a search_path of its own, in which temporary tables come first (S123).
    ALTER FUNCTION shop.note() SET search_path = shop;
    RETURN NEXT is(through_view(), refused('relation pg_temp.audit'), lender || 'a path without pg_temp takes the temporary table first: refused');
    RETURN NEXT is(hint_of('UPDATE shop.orders_view SET quantity = 1'),
                   'Trigger function shop.note() was running. Write the schema before the name in the function, or let temporary objects come last: '
                   'ALTER FUNCTION shop.note() SET search_path = ..., pg_temp; the session goes on if it drops the temporary object.',
                   lender || 'the trigger is named, and what mends it');
    RETURN NEXT is(error_of('UPDATE shop.orders SET quantity = 7'), 'none', lender || 'the same function runs with the caller''s rights in a direct write');
    RETURN NEXT is(through_view(), refused('relation pg_temp.audit'), lender || 'and is refused with a plan that was kept from it');
    ALTER FUNCTION shop.note() SET search_path = shop, pg_temp;
    RETURN NEXT is(through_view(), 'none', lender || 'the remedy mends it');
    ALTER FUNCTION shop.note() RESET ALL;

    -- Names that are nowhere but among the temporary ones, in every kind of statement.
    CREATE FUNCTION shop.other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER other BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.other();
    PERFORM lure('elsewhere'), as_caller('CREATE TEMP VIEW seen AS SELECT public.note_rights() AS a; GRANT ALL ON pg_temp.seen, pg_temp.elsewhere TO PUBLIC; INSERT INTO pg_temp.elsewhere VALUES (1)')
    FROM (SELECT as_caller('DROP TABLE pg_temp.audit; DROP FUNCTION pg_temp.evil()')) d;
    RETURN QUERY
        SELECT is(error_in(body), refused('relation pg_temp.' || object), lender || 'refused: ' || body)
        FROM (VALUES ('INSERT INTO elsewhere VALUES (1)', 'elsewhere'), ('UPDATE elsewhere SET order_id = 1', 'elsewhere'),
                     ('DELETE FROM elsewhere', 'elsewhere'), ('TRUNCATE elsewhere', 'elsewhere'), ('PERFORM * FROM seen', 'seen'),
                     ('NEW.quantity := (SELECT count(*) FROM seen)', 'seen'), ('EXECUTE ''INSERT INTO elsewhere VALUES (1)''', 'elsewhere'),
                     ('CREATE TEMP TABLE copied AS SELECT * FROM seen', 'seen'), ('COPY elsewhere FROM ''/dev/null''', 'elsewhere'),
                     ('ALTER TABLE elsewhere ADD COLUMN b integer', 'elsewhere'), ('MERGE INTO elsewhere e USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE', 'elsewhere'),
                     ('FOR NEW.item IN SELECT a FROM seen LOOP NULL; END LOOP', 'seen'),
                     ('EXPLAIN (ANALYZE) DELETE FROM elsewhere', 'elsewhere'),
                     ('BEGIN INSERT INTO elsewhere VALUES (1); EXCEPTION WHEN division_by_zero THEN NULL; END', 'elsewhere'),
                     ('BEGIN PERFORM 1/0; EXCEPTION WHEN OTHERS THEN INSERT INTO elsewhere VALUES (1); END', 'elsewhere')) AS v (body, object)
        WHERE owner = 'postgres' OR body !~ '^COPY';
    RETURN NEXT is(error_in('BEGIN INSERT INTO elsewhere VALUES (1); EXCEPTION WHEN OTHERS THEN NULL; END; INSERT INTO elsewhere VALUES (1)'),
                   refused('relation pg_temp.elsewhere'), lender || 'an error that the trigger catches does not end the watch (S126)');
    RETURN NEXT is(error_in('BEGIN INSERT INTO elsewhere VALUES (1); EXCEPTION WHEN OTHERS THEN NULL; END'), 'none', lender || 'nor does it spoil the write');
    RETURN NEXT is(error_of('INSERT INTO elsewhere VALUES (1)'), 'none', lender || 'nor outlast it: the caller''s own work goes on');
    RETURN NEXT is(error_in('EXECUTE ''EXECUTE mine'''), format('55000 prepared statement "mine" may be the caller''s own, and would run with the rights of "%s"', owner),
                   lender || 'a prepared statement is the session''s (S127)');
    RETURN NEXT is(error_in('SET CONSTRAINTS ALL IMMEDIATE'), format('55000 SET CONSTRAINTS would fire the caller''s own triggers with the rights of "%s"', owner),
                   lender || 'triggers of the caller''s that wait for the commit are not fired on the way');
    PERFORM as_caller('DROP VIEW pg_temp.seen; DROP TABLE pg_temp.elsewhere; DROP FUNCTION pg_temp.evil()');

    -- What the trigger makes itself is its owner's.
    RETURN NEXT is(error_in('CREATE TEMP TABLE IF NOT EXISTS batch (a integer); INSERT INTO batch VALUES (1)'), 'none', lender || 'a trigger makes its own temporary table');
    RETURN NEXT is(error_in('CREATE TEMP TABLE IF NOT EXISTS batch (a integer); INSERT INTO batch VALUES (1)'), 'none', lender || 'and finds it again');
    RETURN NEXT is((SELECT relowner::regrole::text FROM pg_class WHERE oid = 'pg_temp.batch'::regclass), owner::text, lender || 'the table owner''s');
    DROP TABLE pg_temp.batch;

    -- Types: no plan and no function shows what their checks do (S124).
    PERFORM as_caller('CREATE DOMAIN pg_temp.label AS text CHECK (public.note_rights())');
    RETURN NEXT is(through_view(), refused('type pg_temp.label'), lender || 'a temporary domain is refused beforehand');
    PERFORM as_caller('DROP DOMAIN pg_temp.label; CREATE TYPE pg_temp.label AS (a text)');
    RETURN NEXT is(through_view(), refused('type pg_temp.label'), lender || 'and every other temporary type');
    PERFORM as_caller('DROP TYPE pg_temp.label; CREATE DOMAIN public.label AS text CHECK (length(VALUE) < 100)');
    ALTER TABLE shop.audit ADD COLUMN label label DEFAULT 'x';
    RETURN NEXT is(through_view(), 'none', lender || 'a domain of the caller''s that only compares is none to fear');
    PERFORM as_caller('ALTER DOMAIN public.label ADD CHECK (pg_sleep(0) IS NOT NULL)');
    RETURN NEXT is(through_view(), refused('type public.label'), lender || 'one that does something is');
    PERFORM as_caller('ALTER DOMAIN public.label DROP CONSTRAINT label_check1');
    ALTER TABLE shop.audit DROP COLUMN label;
    DROP DOMAIN label;

    -- Functions and operators of the caller's, inlined or not (S125).
    PERFORM as_caller('CREATE FUNCTION shop.tidy(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS ''BEGIN PERFORM public.note_rights(); RETURN $1; END'';
                       CREATE FUNCTION shop.inlined(text) RETURNS boolean LANGUAGE sql AS ''SELECT pg_catalog.pg_sleep(0) IS NOT NULL''');
    RETURN QUERY
        SELECT is(error_with(change, undo), refused('function ' || function), lender || 'refused: ' || change)
        FROM (VALUES ('ADD COLUMN d text DEFAULT shop.tidy(''a'')', 'DROP COLUMN d', 'shop.tidy(text)'),
                     ('ADD CONSTRAINT c CHECK (shop.tidy(item) <> ''bad'')', 'DROP CONSTRAINT c', 'shop.tidy(text)'),
                     ('ADD CONSTRAINT c CHECK (shop.inlined(item))', 'DROP CONSTRAINT c', 'shop.inlined(text)'),
                     ('ADD COLUMN g text GENERATED ALWAYS AS (shop.tidy(item)) STORED', 'DROP COLUMN g', 'shop.tidy(text)')) AS v (change, undo, function);
    CREATE INDEX by_item ON shop.orders (shop.tidy(item));
    PERFORM setval('public.ran', 1, false);
    RETURN NEXT is(through_view(), refused('function shop.tidy(text)'), lender || 'refused: an index by it');
    DROP INDEX shop.by_item;
    CREATE TRIGGER theirs BEFORE UPDATE ON shop.orders FOR EACH ROW WHEN (shop.inlined(NEW.item)) EXECUTE FUNCTION shop.other();
    RETURN NEXT is(through_view(), refused('function shop.inlined(text)'), lender || 'refused: a trigger''s condition');
    DROP TRIGGER theirs ON shop.orders;
    RETURN QUERY
        SELECT is(error_in(body), refused('function ' || function), lender || 'refused: ' || body)
        FROM (VALUES ('NEW.item := shop.tidy(NEW.item)', 'shop.tidy(text)'), ('NEW.quantity := tidy(''1'')::integer', 'shop.tidy(text)'),
                     ('PERFORM inlined(''1'')', 'shop.inlined(text)'), ('IF inlined(''1'') THEN RETURN NEW; END IF', 'shop.inlined(text)')) AS v (body, function);
    CREATE DOMAIN shop.checked AS text CHECK (shop.tidy(VALUE) IS NOT NULL);
    RETURN NEXT is(error_in('DECLARE v shop.checked := ''a''; BEGIN END'), refused('function shop.tidy(text)'), lender || 'refused: a domain of the owner''s that calls it');
    PERFORM set_body('NULL');
    DROP DOMAIN shop.checked;
    -- The same, after the caller ran it with the own rights, in this transaction.
    PERFORM set_body('IF shop.inlined(NEW.item) THEN RETURN NEW; END IF');
    -- A path of its own, so that the plan that was kept is not made anew for another path.
    ALTER FUNCTION shop.note() SET search_path = shop, pg_temp;
    ALTER FUNCTION shop.other() SET search_path = shop, pg_temp;
    RETURN NEXT is(error_of('UPDATE shop.orders SET quantity = 8'), 'none', lender || 'inlined in an expression that the caller ran before');
    ALTER FUNCTION shop.note() RESET ALL;
    RETURN NEXT is(through_view(), refused('function shop.inlined(text)'), lender || 'is refused all the same');
    PERFORM as_caller('CREATE OPERATOR shop.<~> (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.texteq)');
    RETURN NEXT is(error_in('IF NEW.item <~> ''a'' THEN RETURN NULL; END IF'), refused('operator shop.<~>(text, text)'), lender || 'an operator of the caller''s over a function of PostgreSQL''s');
    PERFORM as_caller('ALTER FUNCTION shop.tidy(text) SECURITY DEFINER');
    RETURN NEXT is(error_in('NEW.item := shop.tidy(NEW.item)'), refused('function shop.tidy(text)'), lender || 'a SECURITY DEFINER function of the caller''s');
    ALTER FUNCTION shop.tidy(text) OWNER TO test_group;
    RETURN NEXT is(error_in('NEW.item := shop.tidy(NEW.item)'), refused('function shop.tidy(text)', 'test_group'), lender || 'one of a role that the caller is in');
    PERFORM set_body('NULL');
    PERFORM as_caller('DROP OPERATOR shop.<~> (text, text); DROP FUNCTION shop.tidy(text), shop.inlined(text)');

    -- Tables of the caller's: written by a trigger, reached by foreign keys, as partitions (S125).
    PERFORM as_caller('CREATE TABLE shop.theirs (order_id integer);
                       CREATE FUNCTION shop.evil() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN PERFORM public.note_rights(); RETURN NEW; END'';
                       CREATE TRIGGER evil BEFORE INSERT ON shop.theirs FOR EACH ROW EXECUTE FUNCTION shop.evil()');
    GRANT ALL ON shop.theirs TO test_owner;
    RETURN NEXT is(error_in('INSERT INTO shop.theirs VALUES (1)'), refused('relation shop.theirs'), lender || 'refused: a table of the caller''s');
    CREATE TABLE shop.parted (order_id integer, quantity integer) PARTITION BY LIST (order_id);
    ALTER TABLE shop.theirs ADD COLUMN quantity integer;
    ALTER TABLE shop.parted ATTACH PARTITION shop.theirs FOR VALUES IN (1);
    GRANT ALL ON shop.parted TO test_owner;
    RETURN NEXT is(error_in('INSERT INTO shop.parted VALUES (1)'), refused('relation shop.theirs'), lender || 'refused: a partition of the caller''s');
    PERFORM set_body('NULL');
    DROP TABLE shop.parted;
    GRANT REFERENCES (twin), SELECT (twin) ON shop.orders TO test_app;
    PERFORM as_caller('CREATE TABLE shop.children (twin integer REFERENCES shop.orders (twin) ON UPDATE CASCADE);
                       CREATE TRIGGER evil BEFORE UPDATE ON shop.children FOR EACH ROW EXECUTE FUNCTION shop.evil();
                       INSERT INTO shop.children SELECT 1');
    RETURN NEXT is(error_of('UPDATE shop.orders_view SET twin = twin + 1'), 'none', lender || 'a foreign key of the caller''s works');
    RETURN NEXT is((SELECT twin FROM shop.children), (SELECT twin FROM shop.orders), lender || 'and cascades');
    RETURN NEXT is((SELECT is_called FROM ran), false, lender || 'its triggers run with the caller''s rights');
    PERFORM as_caller('CREATE FUNCTION shop.turn() RETURNS trigger LANGUAGE plpgsql AS
                       ''BEGIN PERFORM set_config(''''search_path'''', ''''public'''', true); RETURN NEW; END'';
                       CREATE TRIGGER turn BEFORE UPDATE ON shop.children FOR EACH ROW EXECUTE FUNCTION shop.turn()');
    RETURN NEXT is(error_of('UPDATE shop.orders_view SET twin = twin + 1'),
                   format('55000 code of "test_app" changed search_path while a row of "%s" was written', owner), lender || 'and cannot turn the path of what follows (S128)');
    PERFORM as_caller('DROP TABLE shop.children; DROP FUNCTION shop.evil(), shop.turn()');

    -- Settings that decide how a statement's text is read.
    IF current_setting('server_version_num')::integer < 190000 THEN -- which has it on for good
        SET LOCAL standard_conforming_strings = off;
    END IF;
    SET LOCAL transform_null_equals = on;
    RETURN NEXT is(error_in('NEW.item := current_setting(''standard_conforming_strings'') || current_setting(''transform_null_equals'')'), 'none', lender || 'settings of the session');
    RESET standard_conforming_strings;
    RESET transform_null_equals;
    RETURN NEXT is((SELECT item FROM shop.orders), 'onoff', lender || 'that decide how statements are read are kept from the trigger (S128)');

    -- A cursor that a trigger leaves open (S127).
    PERFORM set_body('DECLARE c refcursor := ''left_open''; BEGIN OPEN c FOR SELECT * FROM orders; END');
    RETURN NEXT is(error_of('UPDATE shop.orders_view SET quantity = 1; FETCH ALL FROM left_open'),
                   '55000 the cursor was opened with the rights of another role', lender || 'a cursor that was opened with the owner''s rights is not the caller''s to read');
    PERFORM set_body('DECLARE c refcursor := ''theirs''; BEGIN FETCH c INTO NEW.quantity; END');
    RETURN NEXT is(error_of('DECLARE theirs CURSOR FOR SELECT public.note_rights()::integer FROM generate_series(1, 2); UPDATE shop.orders_view SET quantity = 1'),
                   format('55000 the cursor is the caller''s own, and would be read with the rights of "%s"', owner), lender || 'nor is the caller''s read with the owner''s');
    PERFORM set_body('FOR NEW.quantity IN SELECT o.quantity FROM orders o LOOP CREATE TEMP TABLE IF NOT EXISTS batch (a integer); END LOOP');
    RETURN NEXT is(through_view(), 'none', lender || 'a trigger reads cursors of its own');

    DROP TABLE IF EXISTS pg_temp.batch;
    PERFORM as_caller('DROP VIEW pg_temp.my_view; DROP TABLE pg_temp.mine');
    PERFORM entitle.unprotect_table('shop.orders');
    DROP TABLE shop.orders, shop.audit;
    DROP FUNCTION shop.note(), shop.other();
END
$$;
CREATE FUNCTION set_body(body text) RETURNS void LANGUAGE plpgsql
    AS $$ BEGIN EXECUTE format('CREATE OR REPLACE FUNCTION shop.other() RETURNS trigger LANGUAGE plpgsql AS %L', 'BEGIN ' || body || '; RETURN NEW; END'); END $$;
CREATE FUNCTION error_in(body text) RETURNS text LANGUAGE plpgsql
    AS $$ BEGIN PERFORM set_body(body); RETURN through_view(); END $$;
-- With a change of the audit table, which the trigger writes, and of the table itself.
CREATE FUNCTION error_with(change text, undo text) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE 'ALTER TABLE shop.audit ADD COLUMN item text; ALTER TABLE shop.audit ' || change;
    PERFORM setval('public.ran', 1, false);
    answer := through_view();
    EXECUTE 'ALTER TABLE shop.audit ' || undo || '; ALTER TABLE shop.audit DROP COLUMN item';
    RETURN answer;
END
$$;
SELECT * FROM test_view('postgres');
SELECT * FROM test_view('test_owner');

SELECT finish();
ROLLBACK;
