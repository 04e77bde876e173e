-- Tables that inherit (S44) know no foreign key and no unique key of the table above: a row of one can bear the key of a row of
-- another. That opens no document's lines (S220) and writes no row but the one that shows (S221); and what refuses writes is there as
-- soon as such a table is (S222).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error; -- of triggers that read

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't'), (2, 'n', 'n', 't'), (3, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L20', NULL), (3, 101, 'L30', NULL);
CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
CREATE FUNCTION as_owner(commands text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET LOCAL ROLE test_owner; EXECUTE commands; RESET ROLE; END $$;
-- What a command does, which is undone.
CREATE FUNCTION state_of(command text) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    touched bigint;
BEGIN
    touched := do_as('l20', command);
    RAISE EXCEPTION 'done: %', touched USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE WHEN SQLSTATE = 'ZZ000' THEN '' ELSE SQLSTATE || ' ' END || SQLERRM;
END
$$;

-- S220: the table above is a superuser's, or its owner is bound by row-level security.
CREATE TABLE bills (id integer PRIMARY KEY, customer_id bigint, item text, price integer);
CREATE TABLE old_bills (PRIMARY KEY (id)) INHERITS (bills);
CREATE TABLE lines (id integer REFERENCES bills, line integer, item text, price integer, PRIMARY KEY (id, line));
CREATE TABLE notes (id integer, line integer, note text, PRIMARY KEY (id, line), FOREIGN KEY (id, line) REFERENCES lines);
INSERT INTO bills VALUES (1, 1, 'own', 10), (2, 2, 'theirs', 777);
INSERT INTO lines VALUES (1, 1, 'own', 1), (2, 1, 'theirs', 77);
INSERT INTO notes VALUES (1, 1, 'own'), (2, 1, 'theirs');
SELECT entitle.protect_table('bills', 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}'),
       entitle.protect_table('lines', parent => 'bills', external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}'),
       entitle.protect_table('notes', parent => 'lines', external_insert_level => 20, external_update_level => 20) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON bills_view, lines_view, notes_view, notes TO test_app;
GRANT SELECT (id, customer_id, item), INSERT (id, customer_id, item), UPDATE (id, customer_id, item), DELETE ON bills, old_bills TO test_app;
GRANT SELECT (id, line, item), INSERT (id, line, item), UPDATE (id, line, item), DELETE ON lines TO test_app;
SELECT is(do_as('l20', 'INSERT INTO old_bills (id, customer_id, item) VALUES (2, 1, ''fake'')'), 1::bigint, 'a document under the key of another is put into an inheriting table');
SELECT is(ask('l20', 'SELECT string_agg(id || item, '' '') FROM bills_view'), '1own 2fake', 'and shows');
SELECT is(ask('l20', format('SELECT string_agg(item, '' '') FROM %s', t)), 'own', format('S220: the lines of the other one do not: %s', t)) FROM unnest('{lines,lines_view}'::text[]) AS t;
SELECT is(ask('l20', format('SELECT string_agg(note, '' '') FROM %s', t)), 'own', format('S220: nor lines of lines: %s', t)) FROM unnest('{notes,notes_view}'::text[]) AS t;
SELECT is(state_of(c), 'done: 0', 'S220: nor are they written: ' || c)
FROM unnest(ARRAY['UPDATE lines SET item = ''x'' WHERE id = 2', 'UPDATE lines_view SET item = ''x'' WHERE id = 2', 'UPDATE notes SET note = ''x'' WHERE id = 2',
                  'UPDATE notes_view SET note = ''x'' WHERE id = 2', 'DELETE FROM lines WHERE id = 2']) AS c;
SELECT alike(state_of(c), '42501%', 'S220: nor put there: ' || c)
FROM unnest(ARRAY['INSERT INTO lines (id, line) VALUES (2, 2)', 'INSERT INTO lines_view (id, line) VALUES (2, 2)', 'UPDATE lines SET id = 2 WHERE id = 1',
                  'UPDATE lines_view SET id = 2 WHERE id = 1']) AS c;
SELECT is(ask('l20', $$ SELECT string_agg(DISTINCT gate || ' ' || passed, ', ') FROM entitle.explain_row('lines', '{"id": 2, "line": 1}') WHERE gate = 'row' $$), 'row false', 'S220: explained so');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'nothing is wrong with it');

-- S221: a row is known by its key; where two bear it, by what shows.
CREATE TABLE twice (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, customer_id bigint, item text, price integer);
INSERT INTO twice VALUES (2, 1, 'own', 10), (1, 2, 'theirs', 777), (5, 1, 'five', 5), (6, 1, 'six', 6);
SELECT entitle.protect_table('twice', 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON twice_view TO test_app;
UPDATE bills SET customer_id = 1 WHERE id = 2;
UPDATE old_bills SET customer_id = 2 WHERE id = 2;
SELECT is(do_as('l20', 'UPDATE bills_view SET item = ''changed'' WHERE id = 2'), 1::bigint, 'S221: a row whose key another one bears is written');
SELECT is((SELECT string_agg(tableoid::regclass || ' ' || item, ', ' ORDER BY item) FROM bills WHERE id = 2), 'bills changed, old_bills fake', 'S221: and the other one is not');
UPDATE bills SET customer_id = 2 WHERE id = 2;
UPDATE old_bills SET customer_id = 1 WHERE id = 2;
SELECT is(do_as('l20', 'UPDATE bills_view SET item = ''changed again'' WHERE id = 2'), 1::bigint, 'S221: whichever comes first');
SELECT is((SELECT string_agg(tableoid::regclass || ' ' || item, ', ' ORDER BY item) FROM bills WHERE id = 2), 'bills changed, old_bills changed again', 'S221: it alone');
UPDATE bills SET customer_id = 1 WHERE id = 2;
SELECT is(state_of('UPDATE bills_view SET item = item || 1 WHERE id = 2'), '55000 the key of this row of "public.bills_view" is that of another one, too', 'S221: where both show, none is taken for the other');
SELECT is(state_of('DELETE FROM bills_view WHERE id = 2'), '55000 the key of this row of "public.bills_view" is that of another one, too', 'S221: nor deleted for it');
SELECT is(do_as('l20', 'UPDATE twice_view SET id = 1 WHERE id = 2'), 1::bigint, 'a key that is checked at the end is borne twice for a while');
SELECT is(do_as('l20', 'UPDATE twice_view SET item = ''changed'' WHERE id = 1'), 1::bigint, 'S221: its row is written');
SELECT is((SELECT string_agg(item, ' ' ORDER BY item) FROM twice WHERE id = 1), 'changed theirs', 'S221: and the other one is not');
SELECT is(do_as('l20', 'UPDATE twice_view SET id = 2 WHERE id = 1'), 1::bigint, 'and it gets its key back');
SELECT is((SELECT string_agg(id || item, ' ' ORDER BY id) FROM twice), '1theirs 2changed 5five 6six', 'S221: alone');
SET CONSTRAINTS ALL IMMEDIATE;
CREATE FUNCTION test_bystander() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE twice SET item = item || ''!'' WHERE id = 6 AND NEW.id = 5; RETURN NEW; END';
CREATE TRIGGER bystander BEFORE UPDATE ON twice FOR EACH ROW EXECUTE FUNCTION test_bystander();
SELECT is(do_as('l20', 'UPDATE twice_view SET item = ''x'' WHERE id IN (5, 6)'), 2::bigint, 'rows that a trigger writes meanwhile are found as they are');
SELECT is((SELECT string_agg(item, ' ' ORDER BY id) FROM twice WHERE id > 4), 'x x', 'and written');

SELECT * FROM finish();
ROLLBACK;
