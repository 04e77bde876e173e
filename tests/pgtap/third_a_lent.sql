-- Whose code runs with lent rights beside what was looked at before: what the owner before left on a filtered view (S209), keys of a
-- referring table that PostgreSQL looks at again when a cascade is over (S210), and a write_row of one's own, which pretends that a
-- view is written (S211).
\ir setup.psql
\ir run_as.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_owner;
CREATE ROLE test_new;
CREATE ROLE test_other;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA other AUTHORIZATION test_other;
GRANT USAGE ON SCHEMA shop, other TO PUBLIC;
GRANT CREATE ON SCHEMA shop TO test_new;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner, test_new;
GRANT EXECUTE ON FUNCTION entitle.revoke_access TO test_app;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b'), (3, 'c', 'c', 'c');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'l20'), (2, 'guest');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL), (1, 2, 'L20', NULL);
CREATE TABLE ran (what text, by_role name);
CREATE TABLE secret (told text);
INSERT INTO secret VALUES ('the secret');
GRANT INSERT ON ran TO PUBLIC;
GRANT SELECT, UPDATE ON secret TO test_new;
CREATE FUNCTION as_role(role name, commands text) RETURNS void LANGUAGE plpgsql
    AS $$ BEGIN PERFORM set_config('role', role, true); EXECUTE commands; RESET ROLE; END $$;

-- S209: rules act with the rights of the view's owner, whoever that is by then.
SELECT as_role('test_owner', $$
    CREATE TABLE shop.notes (id integer PRIMARY KEY, customer_id bigint, note text, price integer);
    SELECT entitle.protect_table('shop.notes', 'customer_id', external_insert_level => 20, masked_columns => '{"price": 30}');
    CREATE RULE more AS ON INSERT TO shop.notes_view DO ALSO UPDATE public.secret SET told = 'changed';
    CREATE RULE "odd "" name" AS ON DELETE TO shop.notes_view DO INSTEAD UPDATE public.secret SET told = 'changed';
    CREATE FUNCTION shop.look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.ran VALUES (''trigger of the view'', current_user); RETURN NEW; END';
    CREATE FUNCTION shop.looked() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.ran VALUES (''statement'', current_user); RETURN NULL; END';
    CREATE TRIGGER told AFTER INSERT ON shop.notes_view FOR EACH STATEMENT EXECUTE FUNCTION shop.looked();
    CREATE FUNCTION shop.odd() RETURNS text[] LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.ran VALUES (''default'', current_user); RETURN NULL; END';
    ALTER VIEW shop.notes_view ALTER masked_columns SET DEFAULT shop.odd();
    CREATE TRIGGER "a ""look" INSTEAD OF INSERT ON shop.notes_view FOR EACH ROW EXECUTE FUNCTION shop.look();
    GRANT INSERT ON shop.notes, shop.notes_view TO test_app
$$);
CREATE FUNCTION kept_by(change text, name name, call text) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    kept text;
    state text;
BEGIN
    EXECUTE change;
    PERFORM as_role(name, call);
    kept := (SELECT string_agg(r.rulename, ' ') FROM pg_rewrite r WHERE r.ev_class = to_regclass('shop.notes_view') AND r.rulename <> '_RETURN')
            || (SELECT string_agg(t.tgname, ' ') FROM pg_trigger t WHERE t.tgrelid = to_regclass('shop.notes_view') AND t.tgname NOT IN ('entitle_write', 'told'));
    state := state_of('INSERT INTO shop.notes_view (id, customer_id) VALUES (1, 1)');
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = concat_ws('; ', state, kept, (SELECT told FROM secret), (SELECT string_agg(format('%s as %s', what, by_role), ' ') FROM ran));
EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
    RETURN SQLERRM;
END
$$;
SELECT is(kept_by('ALTER TABLE shop.notes OWNER TO test_new', name, call),
          'done; the secret' || CASE WHEN call ~ 'alter' THEN '' ELSE '; statement as test_app' END, format('S209: %s of a new owner''s table: %s', name, call))
FROM unnest('{postgres,test_new}'::name[]) AS name,
     unnest(ARRAY[$$SELECT entitle.protect_table('shop.notes', 'customer_id', external_insert_level => 20, masked_columns => '{"price": 30}')$$,
                  $$SELECT entitle.alter_protected('shop.notes', 'ADD more integer')$$]) AS call
WHERE name <> 'test_new' OR call !~ 'alter_protected';
ALTER TABLE shop.notes OWNER TO test_new;
SELECT unalike(string_agg(remedy, ' '), '%ALTER VIEW%OWNER%', 'S209: nor does a remedy hand over the view as it is') FROM entitle.verify_protection();
SELECT as_role('postgres', remedy) FROM entitle.verify_protection() WHERE problem ~ 'does not belong';
SELECT is(state_of('INSERT INTO shop.notes_view (id, customer_id) VALUES (2, 1)') || (SELECT told FROM secret), 'donethe secret', 'after the remedy neither');
TRUNCATE ran;
SELECT is((SELECT string_agg(problem, '; ') FROM entitle.verify_protection()), 'test_app may insert masked columns of shop.notes', 'which leaves what was granted since');

-- S210: PostgreSQL looks again at keys that may be put off when the statement ends that began a cascade, as whoever began it.
SELECT as_role('test_owner', $$
    CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, price integer);
    INSERT INTO shop.orders VALUES (1, 1, 10), (2, 1, 10);
    GRANT SELECT, UPDATE ON shop.orders TO test_app;
    GRANT REFERENCES ON shop.orders TO test_other;
    SELECT entitle.protect_table('shop.orders', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}')
$$);
GRANT REFERENCES ON entitle.external_access TO test_other;
SELECT as_role('test_other', $$
    CREATE FUNCTION other.act() RETURNS void LANGUAGE sql AS 'INSERT INTO public.ran VALUES (''act'', current_user)';
    -- Another answer than when the row came, so that the key is in nobody's way.
    CREATE FUNCTION other.key_of(id integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $f$
    BEGIN
        IF current_user <> 'test_other' THEN
            PERFORM other.act();
            RETURN id;
        END IF;
        RETURN 0;
    END $f$;
    CREATE DOMAIN other.kept AS integer CHECK (other.key_of(VALUE) IS NOT NULL);
$$);
CREATE FUNCTION ran(tables text, command text) RETURNS text LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM as_role('test_other', tables);
    PERFORM do_as('l20', command);
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = coalesce((SELECT string_agg(format('%s as %s', what, by_role), ', ' ORDER BY what) FROM ran), 'nothing');
EXCEPTION
    WHEN SQLSTATE 'ZZ999' THEN RETURN SQLERRM;
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT is(ran(format('CREATE TABLE other.bills (k integer PRIMARY KEY, id integer REFERENCES shop.orders ON UPDATE CASCADE, EXCLUDE (%s WITH =) %s);'
                     ' INSERT INTO other.bills VALUES (1, 1)', key, kind), 'UPDATE shop.orders_view SET id = 11 WHERE id = 1'),
          CASE WHEN kind LIKE 'DEFERRABLE%' THEN format('55000 %s belongs to "test_other" and would be used with the rights of "test_owner"', theirs) ELSE 'nothing' END,
          format('S210: %s of a key %s', theirs, kind))
FROM (VALUES ('other.key_of(id)', 'function other.key_of(integer)'), ('(id::other.kept)', 'type other.kept')) AS k (key, theirs),
     unnest(ARRAY['NOT DEFERRABLE', 'DEFERRABLE INITIALLY IMMEDIATE', 'DEFERRABLE INITIALLY DEFERRED']) AS kind;
SELECT is(ran('CREATE TABLE other.parts (k integer, id integer REFERENCES shop.orders ON UPDATE CASCADE) PARTITION BY RANGE (k);'
              'CREATE TABLE other.part PARTITION OF other.parts FOR VALUES FROM (0) TO (9);'
              'ALTER TABLE other.part ADD EXCLUDE (other.key_of(id) WITH =) DEFERRABLE; INSERT INTO other.parts VALUES (1, 1)', 'UPDATE shop.orders_view SET id = 11 WHERE id = 1'),
          '55000 function other.key_of(integer) belongs to "test_other" and would be used with the rights of "test_owner"', 'S210: of a part');
SELECT is(ran('CREATE TABLE other.guests (k integer, customer_id bigint, user_id bigint, FOREIGN KEY (customer_id, user_id) REFERENCES entitle.external_access ON DELETE SET NULL,'
              'EXCLUDE (other.key_of(k) WITH =) DEFERRABLE); INSERT INTO other.guests VALUES (1, 1, 1)', 'SELECT entitle.revoke_access(1, ''l20'')'),
          '55000 function other.key_of(integer) belongs to "test_other" and would be used with the rights of "postgres"', 'S210: with those of the extension''s owner');
SELECT is(ran('CREATE TABLE other.bills (k integer PRIMARY KEY, id integer UNIQUE DEFERRABLE REFERENCES shop.orders ON UPDATE CASCADE, EXCLUDE (abs(id) WITH =) DEFERRABLE);'
              'INSERT INTO other.bills VALUES (1, 1)', 'UPDATE shop.orders_view SET id = 11 WHERE id = 1'), 'nothing', 'plain keys may be put off');

-- S211: casts of one's own run inside of write_row, which anybody may call by name.
SELECT as_role('test_owner', $$
    CREATE TABLE shop.bills (id integer PRIMARY KEY, customer_id bigint, price integer);
    CREATE TABLE shop.lines (bill_id integer REFERENCES shop.bills, line integer, PRIMARY KEY (bill_id, line));
    INSERT INTO shop.bills VALUES (1, 1, 1), (2, 2, 1), (3, 2, 1), (4, 3, 1);
    SELECT entitle.protect_table('shop.bills', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}'),
           entitle.protect_table('shop.lines', parent => 'shop.bills', external_update_level => 20);
    GRANT SELECT, INSERT, UPDATE, DELETE ON shop.bills, shop.lines TO test_app
$$);
SELECT as_role('test_app', $$
    CREATE TYPE pg_temp.odd AS ENUM ('a');
    CREATE TYPE pg_temp.made_up AS (id pg_temp.odd, customer_id bigint, price integer, masked_columns text[]);
    CREATE FUNCTION pg_temp.moved(f integer, t integer) RETURNS text LANGUAGE plpgsql AS $f$
    BEGIN
        PERFORM entitle_internal.check_move('shop.lines', ROW(f, 1)::shop.lines, ROW(t, 1)::shop.lines);
        RETURN 'told';
    EXCEPTION WHEN OTHERS THEN
        RETURN SQLERRM;
    END $f$;
    CREATE FUNCTION pg_temp.as_integer(pg_temp.odd) RETURNS integer LANGUAGE plpgsql AS $f$
    BEGIN
        RAISE EXCEPTION '%', (SELECT string_agg(DISTINCT pg_temp.moved(f, t), '; ') FROM (VALUES (2, 3), (2, 4), (98, 99), (99, 4)) AS v (f, t));
    END $f$;
    CREATE CAST (pg_temp.odd AS integer) WITH FUNCTION pg_temp.as_integer(pg_temp.odd);
    CREATE FUNCTION pg_temp.pretend() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $f$
    BEGIN
        PERFORM entitle_internal.write_row('shop.bills_view', 'INSERT', NULL::pg_temp.made_up, ROW('a', 1, 1, NULL)::pg_temp.made_up);
    END $f$
$$);
SELECT is(state_of('SELECT pg_temp.pretend()'), 'P0001 permission denied to ask about rows of table "lines"', 'S211: no made-up row tells of hidden documents');

-- S125: a function of the caller's in a default of another table, whose filtered view a trigger writes; inlined, it would be no call.
CREATE SCHEMA own AUTHORIZATION test_app;
GRANT USAGE ON SCHEMA own TO PUBLIC;
SELECT as_role('test_app', 'CREATE FUNCTION own.code() RETURNS text LANGUAGE sql STABLE AS ''SELECT current_user::text''');
SELECT as_role('test_owner', $$
    CREATE TABLE shop.codes (id integer PRIMARY KEY, customer_id bigint, code text DEFAULT own.code(), price integer);
    SELECT entitle.protect_table('shop.codes', 'customer_id', external_insert_level => 20, masked_columns => '{"price": 30}');
    CREATE FUNCTION shop.code() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO shop.codes_view (id, customer_id) VALUES (NEW.id, NEW.customer_id); RETURN NULL; END';
    CREATE TRIGGER code AFTER UPDATE ON shop.bills FOR EACH ROW EXECUTE FUNCTION shop.code();
    GRANT SELECT, UPDATE ON shop.bills_view TO test_app
$$);
SELECT as_role('test_app', 'DROP FUNCTION pg_temp.pretend(); DROP CAST (pg_temp.odd AS integer); DROP FUNCTION pg_temp.as_integer(pg_temp.odd), pg_temp.moved(integer, integer); DROP TYPE pg_temp.made_up, pg_temp.odd');
SELECT is(state_of('UPDATE shop.bills_view SET id = id'), '55000 function own.code() belongs to "test_app" and would be used with the rights of "test_owner"', 'S125: a default of a view that a trigger writes');

SELECT * FROM finish();
ROLLBACK;
