-- The eighth attack: what was tried and held. Conditions of adoptions; the gate by which an adoption writes the model; the helpers of
-- adoptions, guards and parts, called by name; COPY and the like through filtered views.
\ir tried.psql
SELECT no_plan();

CREATE FUNCTION error_in(command text, as_role name DEFAULT NULL) RETURNS text LANGUAGE plpgsql
    AS $$ BEGIN
        IF as_role IS NOT NULL THEN
            EXECUTE format('SET LOCAL ROLE %I', as_role);
        END IF;
        EXECUTE command;
        RESET ROLE;
        RETURN 'none';
    EXCEPTION WHEN OTHERS THEN
        RETURN SQLSTATE;
    END $$;
CREATE ROLE hostile;
CREATE ROLE app_owner;
GRANT CREATE ON SCHEMA public TO hostile, app_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO hostile, app_owner;

-- S318: conditions that are more than columns, constants and calls, or mean something else in another session.
SET ROLE hostile;
CREATE SEQUENCE ran;
CREATE FUNCTION evil(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
    AS $$ BEGIN PERFORM nextval('public.ran') WHERE current_user <> 'hostile' OR entitle.acting_superuser(); RETURN true; END $$;
CREATE DOMAIN evil_text AS text CHECK (public.evil(VALUE));
CREATE TYPE evil_word AS ENUM ('a', 'b');
CREATE CAST (evil_word AS boolean) WITH INOUT AS IMPLICIT;
CREATE FUNCTION evil_equal(evil_word, evil_word) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.evil(NULL)';
CREATE OPERATOR public.= (LEFTARG = evil_word, RIGHTARG = evil_word, FUNCTION = public.evil_equal);
CREATE TABLE tried_on (id integer PRIMARY KEY, mail text, tags evil_text[], one evil_text, word evil_word, st text, at timestamptz);
GRANT ALL ON SEQUENCE ran TO PUBLIC;
RESET ROLE;
SELECT isnt(error_in(format('SELECT entitle.adopt_users(''tried_on'', ''mail'', active_when => %L)', condition), 'hostile'), 'none', format('S318: no condition: %s', left(condition, 60)))
FROM (VALUES ($$tags = '{x}'$$), ($$array_append(tags, 'x') IS NOT NULL$$), ($$word OPERATOR(public.=) 'a'$$), ($$current_setting('x') = 'y'$$), ('xmin IS NOT NULL'),
             ($$xmlexists('//x' PASSING '<a/>')$$), ($$current_date > '2020-01-01'$$), ($$at > '2020-01-01'$$), ('at > now()'), ('tried_on IS NOT NULL'), ('tried_on.* IS NULL'),
             ('ROW(st) IS NULL'), ($$other.st = 'x'$$), ($$$1 = 'x'$$), ('DEFAULT'), ('true; SELECT 1'), ('true FROM pg_class'), ('true INTO x'), ('count(*) OVER () > 0'),
             ('generate_series(1, 2) = 1'), ($$''$$), (''), (' '), ($$CURRENT_USER = 'hostile'$$), ('EXISTS (SELECT)'), ('ARRAY(SELECT 1) IS NULL'), ($$evil(st)$$), ($$public.evil(st)$$),
             ($$nextval('public.ran') > 0$$), ($$pg_sleep(0) IS NULL$$), ($$CAST(st AS evil_text) = 'x'$$), ($$st::regclass IS NULL$$), ($$lo_import(st) IS NULL$$), ('GROUPING(st) = 1'),
             (repeat('(', 20000) || 'true' || repeat(')', 20000)), (repeat('NOT ', 100000) || 'true')) AS c (condition);
SELECT is(error_in(format('SELECT entitle.adopt_users(''tried_on'', ''mail'', active_when => %L)', condition), 'hostile'), 'none', format('a condition: %s', condition))
FROM (VALUES ($$one = 'x'$$), ($$coalesce(one, 'y') = 'x'$$), ($$'x' = ANY (tags)$$), ($$st ~ '(a*)*b'$$), ($$tried_on.st = 'x' AND public.tried_on.st = 'x'$$),
             ($$st COLLATE "C" OPERATOR(pg_catalog.=) 'x'$$), ($$greatest(st, 'b') = 'x' OR nullif(st, 'x') IS NULL$$)) AS c (condition);
SELECT is((SELECT last_value || ' ' || is_called FROM ran), '1 false', 'S318: nobody''s code ran with other rights');

-- S316: code of the owner's that an adoption's writes fire, by foreign keys on the model, comes through no gate of ours.
GRANT REFERENCES ON entitle.app_user TO hostile;
SET ROLE hostile;
SELECT entitle.adopt_users('tried_on', 'mail');
INSERT INTO tried_on (id, mail) VALUES (1, 'one');
CREATE TABLE refers (login text REFERENCES entitle.app_user (login) ON UPDATE CASCADE);
GRANT INSERT ON refers TO PUBLIC;
CREATE FUNCTION ride() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO entitle.app_user (login, adoption_id, source_key) SELECT 'rider', max(u.adoption_id), '99' FROM entitle.app_user u; RETURN NEW; END $$;
CREATE TRIGGER ride AFTER UPDATE ON refers FOR EACH ROW EXECUTE FUNCTION ride();
RESET ROLE;
INSERT INTO refers VALUES ('one');
SELECT isnt(error_in($$UPDATE tried_on SET mail = 'two' WHERE id = 1$$), 'none', 'S316: a trigger that a foreign key on the model fires writes no adopted rows');
SELECT is((SELECT count(*) FROM entitle.app_user WHERE login = 'rider'), 0::bigint, 'S316: not even for a superuser');

-- S335, S336, S379: helpers by name, on others' tables.
CREATE SCHEMA held AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TABLE held.orders (id integer, customer_id integer) PARTITION BY LIST (id);
CREATE TABLE held.orders_1 PARTITION OF held.orders FOR VALUES IN (1);
SELECT entitle.protect_table('held.orders', 'customer_id');
SELECT entitle.guard_schema('held');
CREATE TABLE held.new (id integer PRIMARY KEY, mail text);
RESET ROLE;
GRANT USAGE ON SCHEMA held TO hostile;
CREATE TEMP TABLE before AS SELECT (SELECT jsonb_agg(g ORDER BY g.relation::oid) FROM entitle.guarded_table g) AS guarded, (SELECT jsonb_agg(m ORDER BY m.relation::oid) FROM entitle.protection_member m) AS members,
    (SELECT jsonb_agg(a ORDER BY a.adoption_id) FROM entitle.adoption a) AS adopted, (SELECT count(*) FROM pg_policy) AS policies, (SELECT count(*) FROM pg_trigger) AS triggers;
SELECT ok(error_in('SELECT entitle_internal.' || call, 'hostile') IN ('none', '42501', '55000', '42704', '22023', '42809'), 'refused, or without effect: ' || call)
FROM (VALUES ('note_part(''held.orders_1'')'), ('record_part(''held.orders_1'')'), ('protect_part(''held.orders_1'')'), ('note_closing(''held.new'')'), ('note_closed(''held.new'')'), ('note_privileges(''held.new'')'),
             ('close_table(''held.new'')'), ('close_table(''held.orders_1'')'), ('close_new_tables()'), ('take_privileges(''held.new'')'), ('rename_guards()'), ('record_guard(''held'')'), ('forget_guard(''held'')'),
             ('record_exception(''held.new'', ''mine'')'), ('forget_protection(''held.orders'')'), ('claim_view(''held.orders'')'), ('renew_adoptions(''tried_on'')'), ('end_adoption(''held.new'')'),
             ('end_dropped_adoptions()'), ('follow_altered(''held.new'')'), ('check_seen_family(''held.orders'')'), ('open_table((NULL, ''closed'', NULL, false, ''[]'', ''x'', now())::entitle.guarded_table)')) AS c (call);
SELECT is((SELECT ((SELECT jsonb_agg(g ORDER BY g.relation::oid) FROM entitle.guarded_table g), (SELECT jsonb_agg(m ORDER BY m.relation::oid) FROM entitle.protection_member m),
                   (SELECT jsonb_agg(a ORDER BY a.adoption_id) FROM entitle.adoption a), (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM pg_trigger))::text),
          (SELECT (guarded, members, adopted, policies, triggers)::text FROM before), 'S335, S336: nothing of anybody''s has changed');

-- Through a filtered view: COPY, and functions that run a query of their own.
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (701, 'a', 'a', '1'), (702, 'b', 'b', '2');
INSERT INTO entitle.app_user (login) VALUES ('ann');
INSERT INTO entitle.external_access (customer_id, user_id, role) SELECT 701, user_id, 'L20' FROM entitle.app_user WHERE login = 'ann';
SET ROLE app_owner;
CREATE TABLE bill (id integer PRIMARY KEY, customer_id integer, note text, price numeric DEFAULT 7);
INSERT INTO bill VALUES (1, 701, 'mine', 10), (2, 702, 'theirs', 20);
SELECT entitle.protect_table('bill', 'customer_id', masked_columns => '{"price": 30}', external_insert_level => 20, external_update_level => 20, external_delete_level => 20);
GRANT SELECT, INSERT, UPDATE, DELETE ON bill, bill_view TO test_app;
RESET ROLE;
SELECT is(ask('ann', question), answer, question)
FROM (VALUES ('SELECT query_to_xml(''SELECT id, price FROM bill_view'', false, false, '''')::text ~ ''>10<|>20<''', 'false'),
             ('SELECT table_to_xml(''bill_view'', true, true, '''')::text ~ ''theirs|>10<|>20<''', 'false'),
             ('SELECT string_agg(word, '','') FROM ts_stat(''SELECT to_tsvector(''''simple'''', note) FROM bill'')', 'mine'),
             ('SELECT to_jsonb(b) ->> ''price'' FROM bill_view b', NULL),
             ('SELECT string_agg(b::text, '','') FROM bill_view b', '(1,701,mine,,{price})')) AS q (question, answer);
SELECT throws_ok($$ SELECT ask('ann', 'SELECT query_to_xml(''SELECT * FROM bill'', true, true, '''')') $$, '42501', NULL, 'query_to_xml reads no masked column of the table');
SELECT entitle.sign_in('ann');
SET LOCAL ROLE test_app;
COPY bill_view (id, customer_id, note) FROM stdin (DELIMITER ',');
11,701,copied
\.
SAVEPOINT s;
\set ON_ERROR_STOP off
COPY bill_view (id, customer_id, note, price) FROM stdin (DELIMITER ',');
12,701,priced,1
\.
ROLLBACK TO s;
COPY bill_view (id, customer_id, note) FROM stdin (DELIMITER ',');
13,702,foreign
\.
ROLLBACK TO s;
\set ON_ERROR_STOP on
RESET ROLE;
SELECT entitle.sign_out();
SELECT is((SELECT string_agg(id || ' ' || price, ',' ORDER BY id) FROM bill), '1 10,2 20,11 7', 'COPY into a filtered view writes by the rules: no masked column, no row of another''s');

SELECT * FROM finish();
ROLLBACK;
