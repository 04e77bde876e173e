-- Ways past masks and protection by what others may make around a table: triggers (S177), views of views and functions that read them
-- (S178), and domains of the table's own owner under a caller who has functions (S179). Errors of a write that quote what they could
-- not look up, and what a trigger says in its own words (S167).
\ir setup.psql
\ir run_as.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA own AUTHORIZATION test_app;
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT USAGE, CREATE ON SCHEMA public TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);

CREATE FUNCTION error_of(command text, login text DEFAULT 'l20') RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM do_as(login, command);
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws('|', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;

SELECT as_owner($$
    CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, note text, price integer, language text,
        CHECK (note NOT LIKE 'search %' OR to_tsvector(language::regconfig, note) IS NOT NULL));
    CREATE TABLE shop.bills (id integer PRIMARY KEY, customer_id bigint, note text);
    INSERT INTO shop.orders VALUES (1, 1, 'n', 77, 'secret');
    INSERT INTO shop.bills VALUES (1, 1, 'n');
    SELECT entitle.protect_table('shop.orders', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30, "language": 30}'),
           entitle.protect_table('shop.bills', 'customer_id')
$$);

-- S177: the TRIGGER privilege is part of every GRANT ALL.
GRANT ALL ON ALL TABLES IN SCHEMA shop TO test_app;
GRANT ALL ON entitle.external_access, entitle.customer_profile TO test_app;
SELECT do_as(NULL, $$ CREATE FUNCTION own.pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(NEW, OLD); END' $$) \g /dev/null
CREATE VIEW told AS SELECT format('42501|permission denied to make a trigger of "%s"|The relation is protected: triggers see its rows whole, so its owner makes them.', t) AS text, t
    FROM unnest('{orders,bills,orders_view,external_access,customer_profile}'::text[]) AS t;
SELECT is(error_of(command), (SELECT text FROM told WHERE t = relation), format('S177: refused: %s', command))
FROM (VALUES
    ('orders', 'CREATE TRIGGER seen BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION own.pass()'),
    ('orders', 'CREATE TRIGGER seen AFTER UPDATE ON shop.orders REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION own.pass()'),
    ('orders', 'CREATE CONSTRAINT TRIGGER seen AFTER UPDATE ON shop.orders DEFERRABLE FOR EACH ROW WHEN (NEW.price > 5) EXECUTE FUNCTION own.pass()'),
    ('bills', 'CREATE OR REPLACE TRIGGER entitle_delete BEFORE DELETE ON shop.bills FOR EACH ROW EXECUTE FUNCTION own.pass()'),
    ('orders_view', 'CREATE OR REPLACE TRIGGER entitle_write INSTEAD OF UPDATE ON shop.orders_view FOR EACH ROW EXECUTE FUNCTION own.pass()'),
    ('external_access', 'CREATE OR REPLACE TRIGGER entitle_guard BEFORE UPDATE ON entitle.external_access FOR EACH ROW EXECUTE FUNCTION own.pass()'),
    ('external_access', 'CREATE TRIGGER zzz BEFORE INSERT ON entitle.external_access FOR EACH ROW EXECUTE FUNCTION own.pass()'),
    ('customer_profile', 'CREATE OR REPLACE TRIGGER entitle_write INSTEAD OF UPDATE ON entitle.customer_profile FOR EACH ROW EXECUTE FUNCTION own.pass()')) AS v (relation, command);
SELECT is(do_as('l20', $$ CREATE TABLE own.t (a integer); CREATE TRIGGER t BEFORE UPDATE ON own.t FOR EACH ROW EXECUTE FUNCTION own.pass() $$), 0::bigint,
          'tables of one''s own have what triggers one likes');
SELECT lives_ok($$ SELECT as_owner('CREATE FUNCTION shop.pass() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END'';
                                    CREATE TRIGGER own BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.pass(); DROP TRIGGER own ON shop.orders') $$,
                'and owners go on making theirs');
SELECT is((SELECT evtenabled FROM pg_event_trigger WHERE evtname = 'entitle_refuse_trigger'), 'A', 'as a replica, too');
REVOKE ALL ON ALL TABLES IN SCHEMA shop FROM test_app;
SELECT as_owner('GRANT SELECT, UPDATE ON shop.orders_view TO test_app');

-- One that was made before there was anything to hide is named.
SELECT as_owner('CREATE TABLE shop.old (id integer PRIMARY KEY, customer_id bigint, price integer); GRANT ALL ON shop.old TO test_app') \g /dev/null
SELECT do_as(NULL, 'CREATE TRIGGER early BEFORE UPDATE ON shop.old FOR EACH ROW EXECUTE FUNCTION own.pass()') \g /dev/null
SELECT as_owner($$ SELECT entitle.protect_table('shop.old', 'customer_id', masked_columns => '{"price": 30}');
                   CREATE TRIGGER mine BEFORE UPDATE ON shop.old FOR EACH ROW EXECUTE FUNCTION shop.pass() $$) \g /dev/null
SELECT results_eq($$ SELECT severity, finding, remedy FROM entitle.lint() WHERE object = 'shop.old' AND finding ~ 'trigger' $$,
                  $$ VALUES ('error', 'the trigger early gives whole rows of table shop.old to test_app, who may not read its masked columns', 'DROP TRIGGER early ON shop.old;') $$,
                  'S177: lint names a trigger that another role made before');

-- S178
SELECT as_owner($$
    CREATE VIEW shop.base AS SELECT id, note, price AS amount, price / 2 AS half FROM shop.orders;
    CREATE VIEW shop.top AS SELECT amount FROM shop.base;
    CREATE VIEW shop.higher AS SELECT t.amount + 1 AS more FROM shop.top t UNION ALL SELECT 1;
    CREATE VIEW shop.row AS SELECT b FROM shop.base b;
    CREATE VIEW shop.computed AS SELECT half FROM shop.base;
    CREATE VIEW shop.noted AS SELECT note AS amount FROM shop.base;
    CREATE MATERIALIZED VIEW shop.stored AS SELECT amount FROM shop.base;
    CREATE VIEW shop.asking WITH (security_invoker) AS SELECT price FROM shop.orders;
    CREATE VIEW shop.over_asking AS SELECT price FROM shop.asking;
    CREATE FUNCTION shop.amount() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT amount FROM shop.top';
    GRANT SELECT ON shop.top, shop.higher, shop.row, shop.computed, shop.noted, shop.stored, shop.over_asking TO test_app
$$);
SELECT is((SELECT string_agg(r.reader, ' ' ORDER BY r.reader) FROM entitle_internal.masked_readers('shop.orders', '{price}') r WHERE r.severity = 'error'),
          'shop."row" shop.amount() shop.computed shop.higher shop.stored shop.top', 'S178: what shows masked columns by way of views is named, and nothing else');
SELECT is((SELECT count(*) FROM entitle.lint() WHERE severity = 'error' AND object ~ 'shop\.(top|higher|amount)'), 3::bigint, 'S178: by lint, too');
SELECT as_owner('DROP VIEW shop.base, shop.asking CASCADE; DROP FUNCTION shop.amount()');

-- S167
CREATE FUNCTION shop.speak() RETURNS trigger LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.note = 'check' THEN
        RAISE check_violation USING MESSAGE = 'own message', DETAIL = 'own detail', HINT = 'own hint';
    ELSIF NEW.note = 'missing' THEN
        PERFORM 1 FROM shop.nothing;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER speak BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.speak();
SELECT is(error_of('UPDATE shop.orders_view SET note = ''search x'' WHERE id = 1'),
          '42704|the row has no valid value for what the table computes of it|A generated column, check, index or trigger of the table, or an expression of the statement refuses it; the server''s log has the text.',
          'S167: a name that is looked up is not told');
SELECT is(error_of('UPDATE shop.orders_view SET note = ''check'' WHERE id = 1'), '23514|own message|own detail|own hint', 'what a trigger raises is told as it is');
SELECT is(error_of('UPDATE shop.orders_view SET note = ''missing'' WHERE id = 1'), '42P01|relation "shop.nothing" does not exist', 'and what goes wrong in it');
DROP TRIGGER speak ON shop.orders;

-- S179: a domain's constraint depends on the domain in turn.
CREATE DOMAIN shop.small AS integer CHECK (VALUE < 1000);
CREATE DOMAIN shop.smaller AS shop.small CHECK (VALUE < 100);
SELECT as_owner('CREATE TABLE shop.parts (id integer PRIMARY KEY, customer_id bigint, size shop.smaller, price integer);
                 INSERT INTO shop.parts VALUES (1, 1, 1, 1);
                 SELECT entitle.protect_table(''shop.parts'', ''customer_id'', external_update_level => 20, masked_columns => ''{"price": 30}'');
                 GRANT SELECT, UPDATE ON shop.parts_view TO test_app');
SELECT is(do_as('l20', 'UPDATE shop.parts_view SET size = 2'), 1::bigint, 'S179: a caller who has a function writes a table with domains');

SELECT * FROM finish();
ROLLBACK;
