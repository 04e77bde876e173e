-- Tables that inherit (S44) know no foreign key and no unique key of the table above: a row of one can bear the key of a row of
-- another. That opens no document's lines (S220) and writes no row but the one that shows (S221); and what refuses writes is there as
-- soon as such a table is (S222).
\ir error_of.psql
\ir run_as.psql
SELECT no_plan();
ALTER EVENT TRIGGER entitle_protect_parts DISABLE; -- what protects parts by themselves; here they are closed
SET LOCAL client_min_messages = error; -- of triggers that read

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't'), (2, 'n', 'n', 't'), (3, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L20', NULL), (3, 101, 'L30', NULL);
CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;

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
SELECT is(error_of('l20', c), '0', 'S220: nor are they written: ' || c)
FROM unnest(ARRAY['UPDATE lines SET item = ''x'' WHERE id = 2', 'UPDATE lines_view SET item = ''x'' WHERE id = 2', 'UPDATE notes SET note = ''x'' WHERE id = 2',
                  'UPDATE notes_view SET note = ''x'' WHERE id = 2', 'DELETE FROM lines WHERE id = 2']) AS c;
SELECT alike(error_of('l20', c), '42501%', 'S220: nor put there: ' || c)
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
SELECT is(error_of('l20', 'UPDATE bills_view SET item = item || 1 WHERE id = 2'), '55000 the key of this row of "public.bills_view" is that of another one, too', 'S221: where both show, none is taken for the other');
SELECT is(error_of('l20', 'DELETE FROM bills_view WHERE id = 2'), '55000 the key of this row of "public.bills_view" is that of another one, too', 'S221: nor deleted for it');
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

-- S222: what refuses writes row by row is there as soon as an inheriting table is, in each way it comes.
SELECT as_owner($$
    CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, item text, price integer);
    CREATE TABLE shop.parts (order_id integer REFERENCES shop.orders, id integer PRIMARY KEY, item text);
    INSERT INTO shop.orders VALUES (1, 1, 'one', 777);
    INSERT INTO shop.parts VALUES (1, 1, 'one');
    GRANT SELECT, INSERT, UPDATE, DELETE ON shop.orders, shop.parts TO test_app;
    SELECT entitle.protect_table('shop.orders', 'customer_id', min_level => 20, external_update_level => 20, masked_columns => '{"price": 30}'),
           entitle.protect_table('shop.parts', parent => 'shop.orders', external_update_level => 20);
    CREATE TABLE shop.heir () INHERITS (shop.orders);
    CREATE TABLE shop.late (LIKE shop.orders);
    ALTER TABLE shop.late ENABLE ROW LEVEL SECURITY;
    CREATE TABLE shop.later () INHERITS (shop.late);
    ALTER TABLE shop.late INHERIT shop.orders;
    CREATE TABLE shop.heirs_heir () INHERITS (shop.heir);
    CREATE TABLE shop.spare (FOREIGN KEY (order_id) REFERENCES shop.orders) INHERITS (shop.parts)
$$);
INSERT INTO shop.heir VALUES (2, 1, 'heir', 777);
INSERT INTO shop.late VALUES (3, 1, 'late', 777);
INSERT INTO shop.later VALUES (4, 1, 'later', 777);
INSERT INTO shop.heirs_heir VALUES (5, 1, 'heirs_heir', 777);
INSERT INTO shop.spare VALUES (1, 2, 'spare');
SELECT is(ask('l20', 'SELECT string_agg(item, '' '' ORDER BY id) FROM shop.orders_view'), 'one heir late later heirs_heir', 'all rows show through the table above');
SELECT is(error_of('l20', format(command, id)), format(told, part), format('S222: ' || command, id))
FROM (VALUES (1, 'orders'), (2, 'heir'), (3, 'late'), (4, 'later'), (5, 'heirs_heir')) AS r (id, part),
     (VALUES ('DELETE FROM shop.orders WHERE id = %s', '42501 permission denied to delete this row of table "%s"'),
             ('UPDATE shop.orders SET customer_id = 3 WHERE id = %s', '42501 permission denied to move this row of table "%s"'),
             ('MERGE INTO shop.orders o USING (VALUES (1)) v (i) ON o.id = %s WHEN MATCHED THEN DELETE', '42501 permission denied to delete this row of table "%s"'),
             ('UPDATE shop.orders SET item = ''x'' WHERE id = %s', '1')) AS c (command, told);
SELECT is(error_of('l20', 'DELETE FROM shop.parts WHERE id = 2'), '42501 permission denied to delete this row of table "spare"', 'S222: of lines, too');
SELECT is((SELECT string_agg(problem, '; ') FROM entitle.verify_protection() WHERE relation = 'shop.late'::regclass), 'a part of protected table shop.orders, and not protected itself', 'it is told as before');
SELECT as_owner(string_agg(DISTINCT remedy, ' ')) FROM entitle.verify_protection() WHERE remedy LIKE '%shop.%';
SELECT is_empty('SELECT * FROM entitle.verify_protection() WHERE remedy LIKE ''%shop.%''', 'and mended');
SELECT as_owner('ALTER TABLE shop.later NO INHERIT shop.late; CREATE TABLE shop.last () INHERITS (shop.orders)');
SELECT as_owner('SELECT entitle.unprotect_table(''shop.parts''); SELECT entitle.unprotect_table(''shop.orders'')');
SELECT is_empty($$ SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'shop.%' $$, 'unprotect_table takes all of it back');
SELECT is((SELECT relrowsecurity FROM pg_class WHERE oid = 'shop.late'::regclass), true, 'and leaves what the owner had closed');

-- TRUNCATE asks no policy, and its trigger is a statement's, which PostgreSQL copies to no partition.
SELECT as_owner($$
    ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON TABLES TO test_app;
    CREATE TABLE shop.months (id integer, customer_id bigint, at integer NOT NULL) PARTITION BY RANGE (at);
    SELECT entitle.protect_table('shop.months', 'customer_id');
    CREATE TABLE shop.months_1 PARTITION OF shop.months FOR VALUES FROM (1) TO (2);
    CREATE TABLE shop.months_2 (LIKE shop.months);
    ALTER TABLE shop.months_2 ENABLE ROW LEVEL SECURITY;
    ALTER TABLE shop.months ATTACH PARTITION shop.months_2 FOR VALUES FROM (2) TO (3);
    CREATE TABLE shop.months_3 PARTITION OF shop.months FOR VALUES FROM (3) TO (4) PARTITION BY RANGE (id);
    CREATE TABLE shop.months_31 PARTITION OF shop.months_3 DEFAULT;
    CREATE TABLE shop.lists (id integer, customer_id bigint);
    SELECT entitle.protect_table('shop.lists', 'customer_id');
    CREATE TABLE shop.lists_heir () INHERITS (shop.lists)
$$);
INSERT INTO shop.months SELECT i, 2, i FROM generate_series(1, 3) i;
SELECT is(error_of('l20', 'TRUNCATE shop.' || t), format('42501 permission denied to truncate protected table "%s"', t), 'S222: TRUNCATE ' || t)
FROM unnest('{months,months_1,months_2,months_3,months_31,lists,lists_heir}'::text[]) AS t;
SELECT lives_ok($$ SELECT as_owner('SELECT entitle.protect_table(''shop.months'', ''customer_id'')') $$, 'protected again');
SELECT is_empty('SELECT * FROM entitle.verify_protection() WHERE relation::text LIKE ''shop.months%''', 'nothing is wrong with them');
SELECT as_owner('CREATE TABLE shop.months_4 PARTITION OF shop.months FOR VALUES FROM (4) TO (5); SELECT entitle.unprotect_table(''shop.months'')');
SELECT is_empty($$ SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'shop.months%' $$, 'unprotect_table takes their triggers back');

SELECT as_owner('ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE ALL ON TABLES FROM test_app');

-- S227: lines in a table that inherits go with their document only by a foreign key of its own.
SELECT as_owner($$
    CREATE TABLE shop.carts (id integer PRIMARY KEY, customer_id bigint);
    CREATE TABLE shop.goods (id integer PRIMARY KEY, cart_id integer REFERENCES shop.carts ON UPDATE CASCADE ON DELETE CASCADE);
    CREATE TABLE shop.old_goods () INHERITS (shop.goods);
    INSERT INTO shop.carts VALUES (1, 1), (2, 2);
    INSERT INTO shop.old_goods VALUES (1, 2);
    GRANT INSERT ON shop.carts TO test_app;
    SELECT entitle.protect_table('shop.carts', 'customer_id', min_level => 20, external_insert_level => 20)
$$);
SELECT throws_ok($$ SELECT as_owner('SELECT entitle.protect_table(''shop.goods'', parent => ''shop.carts'')') $$, '42830',
                 'table "shop.old_goods" inherits from "shop.goods" without its foreign key to "shop.carts"', 'S227: refused without it');
ALTER TABLE shop.old_goods ADD CONSTRAINT key FOREIGN KEY (cart_id) REFERENCES shop.carts ON UPDATE CASCADE;
SELECT throws_ok($$ SELECT as_owner('SELECT entitle.protect_table(''shop.goods'', parent => ''shop.carts'')') $$, '42830', NULL, 'S227: and with another action');
ALTER TABLE shop.old_goods DROP CONSTRAINT key, ADD CONSTRAINT key FOREIGN KEY (cart_id) REFERENCES shop.carts ON UPDATE CASCADE ON DELETE CASCADE;
SELECT as_owner($$ SELECT entitle.protect_table('shop.goods', parent => 'shop.carts') $$);
SELECT throws_ok($$ SELECT as_owner('CREATE TABLE shop.new_goods () INHERITS (shop.goods)') $$, '42830', NULL, 'S227: none comes later without it');
SELECT as_owner('CREATE TABLE shop.new_goods (note text, FOREIGN KEY (cart_id) REFERENCES shop.carts ON UPDATE CASCADE ON DELETE CASCADE) INHERITS (shop.goods)');
SELECT is_empty('SELECT * FROM entitle.verify_protection() WHERE relation::text ~ ''goods$'' AND relation::text !~ ''new''', 'with it nothing is wrong');
DELETE FROM shop.carts WHERE id = 2;
SELECT is(do_as('l20', 'INSERT INTO shop.carts VALUES (2, 1)'), 1::bigint, 'a document under the key of another that is gone');
SELECT is((SELECT count(*) FROM shop.goods), 0::bigint, 'has no lines of that one');
SELECT as_owner('ALTER TABLE shop.old_goods DROP CONSTRAINT key');
SELECT matches((SELECT string_agg(problem, '; ') FROM entitle.verify_protection() WHERE relation = 'shop.goods'::regclass), 'old_goods inherits|"shop.old_goods" inherits', 'S227: one that loses it is told');

-- A dump brings the triggers of such a table after its declarations.
SELECT as_owner($$ CREATE TABLE shop.restored (id integer, customer_id bigint); SELECT entitle.protect_table('shop.restored', 'customer_id') $$);
SET LOCAL check_function_bodies = false; SET LOCAL row_security = off; SET LOCAL xmloption = content;
CREATE TABLE shop.restored_heir () INHERITS (shop.restored);
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'shop.restored_heir'::regclass), 0::bigint, 'while a dump is restored none are made beside them');
SET LOCAL check_function_bodies = true; SET LOCAL row_security = on;

-- Nothing is a part of two protected tables: there is one set of policies and triggers.
SELECT as_owner($$ CREATE TABLE shop.one (id integer, customer_id bigint, price integer);
                   CREATE TABLE shop.two (id integer, buyer bigint, cost integer);
                   CREATE TABLE shop.mixed () INHERITS (shop.one, shop.two);
                   SELECT entitle.protect_table('shop.one', 'customer_id', masked_columns => '{"price": 30}') $$);
SELECT throws_ok($$ SELECT as_owner('SELECT entitle.protect_table(''shop.two'', ''buyer'', masked_columns => ''{"cost": 30}'')') $$, '42809',
                 'table "shop.mixed" cannot be a part of two protected tables', 'S222: what is a part of one protected table is none of another');
SELECT as_owner($$ ALTER TABLE shop.mixed NO INHERIT shop.two; SELECT entitle.protect_table('shop.two', 'buyer', masked_columns => '{"cost": 30}') $$);
SELECT throws_ok(format('SELECT as_owner(%L)', c), '42809', NULL, 'S222: nor made one: ' || c)
FROM unnest(ARRAY['ALTER TABLE shop.mixed INHERIT shop.two', 'CREATE TABLE shop.third () INHERITS (shop.one, shop.two)', 'CREATE TABLE shop.third () INHERITS (shop.mixed, shop.two)']) AS c;
SELECT lives_ok($$ SELECT as_owner('CREATE TABLE shop.fourth () INHERITS (shop.mixed, shop.one)') $$, 'of one in two ways it may be');

SELECT * FROM finish();
ROLLBACK;
