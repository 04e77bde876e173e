-- What opens masked columns and rows after a table was protected, without touching the table itself: parts that come later and what
-- was granted on them (S202), foreign keys of one's own by a GRANT ALL (S201), and functions of the
-- extension called by name (S203).
\ir setup.psql
\ir run_as.psql
SELECT no_plan();
ALTER EVENT TRIGGER entitle_protect_parts DISABLE; -- what protects parts by themselves; here they are closed
SET LOCAL client_min_messages = error;

CREATE ROLE test_owner;
CREATE ROLE test_bypass BYPASSRLS;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA own AUTHORIZATION test_app;
GRANT USAGE ON SCHEMA shop TO test_app, test_bypass;
GRANT CREATE, USAGE ON SCHEMA own TO test_bypass, test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO test_app', current_database()); END $$;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);

SELECT as_owner($$
    ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON TABLES TO test_app, test_bypass;
    CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, price integer) PARTITION BY RANGE (id);
    CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM (0) TO (10);
    CREATE TABLE shop.notes (id integer PRIMARY KEY, customer_id bigint, price integer UNIQUE, code text UNIQUE, UNIQUE (id, price));
    INSERT INTO shop.notes VALUES (1, 1, 777, 'x'), (2, 2, 888, 'y');
    CREATE TABLE own.before (price integer)
$$);
SELECT as_owner($$
    SELECT entitle.protect_table('shop.orders', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}'),
           entitle.protect_table('shop.notes', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}')
$$);

-- S202: in each way a part comes.
SELECT as_owner($$
    CREATE TABLE shop.orders_2 PARTITION OF shop.orders FOR VALUES FROM (10) TO (1000);
    CREATE TABLE shop.orders_3 (price integer, id integer NOT NULL, customer_id bigint);
    ALTER TABLE shop.orders ATTACH PARTITION shop.orders_3 FOR VALUES FROM (1000) TO (2000);
    CREATE TABLE shop.orders_4 PARTITION OF shop.orders FOR VALUES FROM (2000) TO (9000) PARTITION BY RANGE (id);
    CREATE TABLE shop.orders_41 PARTITION OF shop.orders_4 FOR VALUES FROM (2000) TO (3000);
    CREATE TABLE shop.heir () INHERITS (shop.notes);
    CREATE TABLE shop.late (LIKE shop.notes INCLUDING ALL);
    ALTER TABLE shop.late INHERIT shop.notes
$$);
INSERT INTO shop.orders SELECT i * 100, 1 + i % 2, 700 + i % 3 FROM generate_series(1, 29) i;
INSERT INTO shop.heir SELECT i, 2, 700, 'z' FROM generate_series(10, 99) i;
INSERT INTO shop.late SELECT i, 2, i, 'z' || i FROM generate_series(110, 199) i;
ANALYZE;
CREATE TABLE part AS SELECT unnest('{orders_2,orders_3,orders_4,orders_41,heir,late}'::text[]) AS name;
SELECT isnt_empty('SELECT FROM pg_stats WHERE tablename = ''orders_2'' AND most_common_vals IS NOT NULL', 'there are statistics to hide');
SELECT is(ask('l20', format('SELECT count(*) FROM shop.%I', name)), '0', format('S202: nothing of %s shows by itself', name)) FROM part;
SELECT is(ask('l20', format('SELECT count(*) FROM pg_stats WHERE tablename = %L', name)), '0', format('S202: nor its statistics: %s', name)) FROM part;
SELECT do_as(NULL, $$ CREATE FUNCTION own.probe(a integer, b integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
    AS 'BEGIN RAISE EXCEPTION ''saw %'', a USING ERRCODE = ''ZZ001''; END';
    CREATE OPERATOR own.<<< (PROCEDURE = own.probe, LEFTARG = integer, RIGHTARG = integer, RESTRICT = scalarltsel) $$) \g /dev/null
SELECT unalike(state_of(format('SELECT id FROM shop.%I WHERE price OPERATOR(own.<<<) 5', name)), 'ZZ001%', format('S202: to an operator while it is planned: %s', name)) FROM part;
SELECT is(ask('l20', 'SELECT count(*) || '' '' || count(price) FROM shop.orders_view'), '14 0', 'all show through the table above, by its rules');
SELECT is(do_as('l20', 'UPDATE shop.orders SET id = id'), 14::bigint, 'and are written so');
SELECT is((SELECT string_agg(relation::text, ' ' ORDER BY relation::text) FROM entitle.verify_protection() WHERE problem ~ 'not protected itself'),
          'shop.heir shop.late shop.orders_2 shop.orders_3 shop.orders_4 shop.orders_41', 'they are told as before');
SELECT as_owner(string_agg(DISTINCT remedy, ' ')) FROM entitle.verify_protection();
SELECT is(ask('l20', 'SELECT count(*) FROM shop.orders_2'), '4', 'and the remedy opens them to the rules');
SELECT as_owner('CREATE TABLE shop.orders_5 PARTITION OF shop.orders FOR VALUES FROM (9000) TO (9100)');
SELECT as_owner('ALTER TABLE shop.orders DETACH PARTITION shop.orders_5');
SELECT results_eq($$ SELECT problem FROM entitle.verify_protection() WHERE relation = 'shop.orders_5'::regclass $$,
                  $$ VALUES ('was a part of protected table shop.orders, and is one of its own now') $$, 'one that left unprotected is told');
SELECT as_owner('ALTER TABLE shop.orders ATTACH PARTITION shop.orders_5 FOR VALUES FROM (9000) TO (9100)');
SELECT as_owner($$ SELECT entitle.unprotect_table('shop.orders'); DROP TABLE own.before $$);
SELECT is_empty($$ SELECT relname FROM pg_class WHERE relname LIKE 'orders%' AND relrowsecurity $$, 'unprotect_table takes all of it back');
SELECT is(state_of('SELECT entitle_internal.record_part(''shop.notes''), entitle_internal.record_part(''shop.heir''), entitle_internal.record_part(''pg_class''), entitle_internal.record_part(NULL)'), 'done', 'what is no open part is not recorded');
SELECT is((SELECT count(*) FROM entitle.protection_member), 3::bigint, 'nothing was');
ALTER EVENT TRIGGER entitle_close_parts DISABLE;
SELECT as_owner('CREATE TABLE shop.next () INHERITS (shop.notes)');
SELECT state_of('SELECT entitle_internal.record_part(''shop.next'')') \g /dev/null
SELECT is((SELECT count(*) FROM entitle.protection_member), 3::bigint, 'nor a part of another''s, which would lock it');
SELECT as_owner('SELECT entitle_internal.record_part(''shop.next'')');
SELECT is((SELECT count(*) FROM entitle.protection_member), 4::bigint, 'the owner''s is');
ALTER EVENT TRIGGER entitle_close_parts ENABLE ALWAYS;
CREATE TABLE closed (id integer, customer_id bigint) PARTITION BY RANGE (id);
SELECT entitle.protect_table('closed', 'customer_id');
CREATE TABLE closed_1 (id integer, customer_id bigint);
ALTER TABLE closed_1 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE closed ATTACH PARTITION closed_1 DEFAULT;
SELECT entitle.unprotect_table('closed');
SELECT is((SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = 'closed_1'), true, 'what the owner had closed stays so');

-- S201
GRANT ALL ON ALL TABLES IN SCHEMA shop TO test_app, test_bypass;
CREATE VIEW told AS SELECT '42501 permission denied to refer to column "price" of "notes"' AS text;
SELECT is(state_of(command), told.text, 'S201: ' || command)
FROM told, unnest(ARRAY[
    'CREATE TABLE own.t (p integer REFERENCES shop.notes (price))',
    'CREATE TABLE own.t (i integer, p integer, FOREIGN KEY (i, p) REFERENCES shop.notes (id, price))',
    'CREATE TABLE own.t (p integer); ALTER TABLE own.t ADD FOREIGN KEY (p) REFERENCES shop.notes (price) NOT VALID',
    'CREATE TABLE own.t (p integer); ALTER TABLE own.t ADD q integer REFERENCES shop.notes (price)',
    'CREATE TABLE own.t (i integer, p integer) PARTITION BY RANGE (i); ALTER TABLE own.t ADD FOREIGN KEY (i, p) REFERENCES shop.notes (id, price)',
    'CREATE SCHEMA own2 CREATE TABLE t (p integer REFERENCES shop.notes (price))',
    'DO $do$ BEGIN CREATE TABLE own.t (p integer); BEGIN ALTER TABLE own.t ADD FOREIGN KEY (p) REFERENCES shop.notes (price); END; END $do$']) AS command;
SELECT is(state_of('CREATE TABLE own.open (i integer REFERENCES shop.notes, c text REFERENCES shop.notes (code)); DROP TABLE own.open'), 'done', 'what is open is referred to as before');
SELECT lives_ok($$ SELECT as_owner('CREATE TABLE own.owners (p integer REFERENCES shop.notes (price))') $$, 'the owner refers to what he likes');
CREATE FUNCTION as_bypass(commands text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET LOCAL ROLE test_bypass; EXECUTE commands; RESET ROLE; END $$;
SELECT lives_ok($$ SELECT as_bypass('CREATE TABLE own.bypass (p integer REFERENCES shop.notes (price))') $$, 'and whom row-level security does not bind');
SELECT as_owner('ALTER TABLE shop.notes ADD price_new integer UNIQUE; ALTER TABLE shop.notes RENAME price TO price_old; ALTER TABLE shop.notes RENAME price_new TO price; GRANT ALL ON shop.notes TO test_app');
SELECT matches(state_of(format('CREATE TABLE own.t (p integer REFERENCES shop.notes (%I))', c)), format('^42501 permission denied to refer to column "%s"', c), 'S201: after an exchange of names neither: ' || c)
FROM unnest('{price,price_old}'::text[]) AS c;
SELECT is((SELECT evtenabled::text || count(*) FROM pg_event_trigger WHERE evtname IN ('entitle_refuse_reference', 'entitle_close_parts') GROUP BY evtenabled), 'A2', 'as a replica, too');

-- S203: check_move takes the caller's word for the rows, of which a hidden one would tell whether it has lines.
SELECT as_owner($$ CREATE TABLE shop.bills (id integer PRIMARY KEY, customer_id bigint, price integer);
                   CREATE TABLE shop.lines (bill_id integer REFERENCES shop.bills, line integer, PRIMARY KEY (bill_id, line)) $$);
INSERT INTO shop.bills VALUES (1, 1, 1), (2, 2, 1);
INSERT INTO shop.lines VALUES (1, 1), (2, 1);
SELECT as_owner($$ SELECT entitle.protect_table('shop.bills', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}'),
                          entitle.protect_table('shop.lines', parent => 'shop.bills', external_update_level => 20) $$);
GRANT ALL ON ALL TABLES IN SCHEMA shop TO test_app;
SELECT is(string_agg(DISTINCT state_of(format('SELECT entitle_internal.check_move(''shop.bills'', ROW(%s, %s, 1)::shop.bills, ROW(%s, %s, 1)::shop.bills)', a, b, c, d)), '; '),
          '42501 permission denied to ask about rows of table "bills"', 'S203: nobody asks about rows by name')
FROM unnest('{1,2,99}'::int[]) AS a, generate_series(1, 2) AS b, unnest('{1,2,99}'::int[]) AS c, generate_series(1, 2) AS d;
SELECT is(state_of('UPDATE shop.bills_view SET id = id + 50, customer_id = customer_id'), '42501 permission denied to change the key of this row of table "bills"',
          'writes through the view ask as before');
SELECT is(state_of('UPDATE shop.bills_view SET price = price, id = id'), 'done', 'and are answered');

SELECT * FROM finish();
ROLLBACK;
