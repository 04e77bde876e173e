-- lint() finds nothing in a database that is well protected, names each misconfiguration that is seeded into it one at a time,
-- and its remedy, executed, makes the finding go away (security.md, section 5).
\ir setup.psql
SELECT no_plan();

-- A protected database with nothing to complain of
CREATE ROLE test_owner NOLOGIN;
CREATE ROLE test_member;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT REFERENCES ON entitle.customer TO test_owner;
SET LOCAL ROLE test_owner;
CREATE TABLE shop.orders (order_id bigint PRIMARY KEY, customer_id bigint REFERENCES entitle.customer, placed_on date, brand_id bigint);
CREATE INDEX orders_customer ON shop.orders (customer_id, placed_on);
CREATE TABLE shop.lines (line_id bigint, customer_code text, year integer) PARTITION BY LIST (year);
CREATE TABLE shop.lines_1 PARTITION OF shop.lines FOR VALUES IN (1);
CREATE INDEX ON shop.lines (customer_code);
CREATE TABLE shop.prices (price_id bigint PRIMARY KEY, customer_id bigint, price numeric);
CREATE INDEX ON shop.prices (customer_id);
RESET ROLE;
CREATE ROLE test_reader;
GRANT SELECT, INSERT ON shop.prices TO test_reader;
INSERT INTO entitle.permission (permission_key) VALUES ('orders.view'), ('it''s \ odd');
SELECT entitle.protect_table('shop.orders', customer_column => 'customer_id', date_column => 'placed_on', brand_column => 'brand_id', min_level => 20,
                             view_permission => 'orders.view', update_permission => 'it''s \ odd', external_insert_level => 30),
       entitle.protect_table('shop.lines', customer_column => 'customer_code'),
       entitle.protect_table('shop.prices', customer_column => 'customer_id', masked_columns => '{"price": 30}')
\g /dev/null
GRANT SELECT, INSERT, UPDATE ON shop.orders TO test_app;
CREATE VIEW shop.recent WITH (security_invoker) AS SELECT * FROM shop.orders;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'seller');
INSERT INTO entitle.role_permission VALUES (101, 'orders.view');
SELECT is_empty($$ SELECT * FROM entitle.lint() WHERE object <> 'server' $$, 'a well-protected database has no findings');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'and differs in nothing from what was declared');

-- Seeds one misconfiguration, and tells what lint finds, before and after its remedies were executed. All is taken back.
CREATE FUNCTION seed(misconfiguration text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    found text;
    left_over text;
    remedies text;
    is_done boolean := false;
BEGIN
    BEGIN
        EXECUTE misconfiguration;
        SELECT string_agg(format('%s, %s: %s', severity, object, finding), '; ' ORDER BY ordinality), string_agg(DISTINCT remedy, E'\n') INTO found, remedies
        FROM entitle.lint() WITH ORDINALITY WHERE object <> 'server'; -- depends on the day
        EXECUTE coalesce(remedies, '');
        SELECT string_agg(format('%s: %s', object, finding), '; ') INTO left_over FROM entitle.lint() WHERE object <> 'server';
        is_done := true;
        RAISE EXCEPTION 'taken back';
    EXCEPTION
        WHEN OTHERS THEN
            IF NOT is_done THEN
                RETURN concat_ws(' ', found, '| failed:', SQLERRM);
            END IF;
    END;
    RETURN concat(found, ' | left: ' || left_over);
END
$$;
SET LOCAL client_min_messages = error;
-- What is seeded, and what lint finds: that alone.
SELECT is(seed(v.misconfiguration), v.expected, v.misconfiguration)
FROM (VALUES
    -- The protected tables, against what was declared
    ('ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY', 'error, shop.orders: row-level security is switched off'),
    ('ALTER TABLE shop.orders NO FORCE ROW LEVEL SECURITY', 'error, shop.orders: row-level security does not bind the table''s owner'),
    ('ALTER TABLE shop.lines_1 DISABLE ROW LEVEL SECURITY', 'error, shop.lines_1: row-level security is switched off'),
    ('DROP POLICY entitle_insert ON shop.orders', 'error, shop.orders: policy "entitle_insert" is missing'),
    ('ALTER POLICY entitle_select ON shop.orders USING (true)', 'error, shop.orders: policy "entitle_select" is not what was declared'),
    ('ALTER POLICY entitle_update ON shop.orders WITH CHECK (true)', 'error, shop.orders: policy "entitle_update" is not what was declared'),
    ('ALTER POLICY entitle_select ON shop.orders TO test_app', 'error, shop.orders: policy "entitle_select" is not what was declared'),
    ('DROP TRIGGER entitle_delete ON shop.orders', 'error, shop.orders: trigger "entitle_delete" is missing'),
    ('ALTER TABLE shop.orders ENABLE TRIGGER entitle_update', 'error, shop.orders: trigger "entitle_update" does not always fire'),
    ('ALTER TABLE shop.orders DISABLE TRIGGER entitle_truncate', 'error, shop.orders: trigger "entitle_truncate" does not always fire'),
    ('DROP TRIGGER entitle_update ON shop.orders; CREATE TRIGGER entitle_update BEFORE UPDATE ON shop.orders FOR EACH ROW WHEN (false) EXECUTE FUNCTION entitle_internal.refuse_write(); ALTER TABLE shop.orders ENABLE ALWAYS TRIGGER entitle_update',
     'error, shop.orders: trigger "entitle_update" is not what was declared'),
    ('ALTER EVENT TRIGGER entitle_protect_parts DISABLE; CREATE TABLE shop.lines_2 PARTITION OF shop.lines FOR VALUES IN (2); ALTER EVENT TRIGGER entitle_protect_parts ENABLE ALWAYS', 'error, shop.lines_2: a part of protected table shop.lines, and not protected itself'),
    ('ALTER TABLE shop.orders RENAME placed_on TO ordered_on', 'error, shop.orders: a declared column was renamed or dropped'),
    ('DELETE FROM entitle.permission WHERE permission_key = ''it''''s \ odd''', 'error, shop.orders: permission "it''s \ odd" is not known'),
    -- Beside them (S46, S47, S62)
    ('CREATE POLICY mine ON shop.orders FOR SELECT USING (true)', 'error, shop.orders: policy "mine" lets through what entitle does not'),
    ('CREATE TABLE shop.memo (memo_id integer); SELECT entitle.protect_table(''shop.memo'', view_permission => ''orders.view''); DELETE FROM entitle.protection WHERE relation = ''shop.memo''::regclass',
     'warning, shop.memo: has policies of protect_table, and is not declared: nothing watches over them'),
    ('CREATE VIEW shop.open AS SELECT * FROM shop.orders', 'error, shop.open: the view reads protected tables with the rights of its owner postgres'),
    ('CREATE VIEW shop.open AS SELECT * FROM shop.recent', 'error, shop.open: the view reads protected tables with the rights of its owner postgres'),
    ('CREATE MATERIALIZED VIEW shop.copy AS SELECT * FROM shop.orders', 'warning, shop.copy: the materialized view holds rows of protected tables, and nothing filters them'),
    ('GRANT TRUNCATE, TRIGGER ON shop.orders TO test_app', 'warning, shop.orders: test_app holds TRIGGER, TRUNCATE, which row-level security does not narrow'),
    ('GRANT REFERENCES (order_id) ON shop.orders TO PUBLIC', 'warning, shop.orders: PUBLIC holds REFERENCES, which row-level security does not narrow'),
    ('CREATE PUBLICATION outgoing FOR TABLE shop.orders', 'warning, outgoing: the publication sends all rows of shop.orders'),
    ('CREATE PUBLICATION outgoing FOR TABLES IN SCHEMA shop', 'warning, outgoing: the publication sends all rows of schema shop'),
    ('CREATE PUBLICATION outgoing FOR ALL TABLES', 'warning, outgoing: the publication sends all rows of all tables'),
    ('GRANT CREATE ON SCHEMA shop TO PUBLIC', 'warning, shop: PUBLIC may create objects in the schema of protected tables'),
    ('DROP INDEX shop.orders_customer', 'notice, shop.orders: no index begins with column "customer_id" and finds by "placed_on"'),
    ('CREATE TABLE shop.invoices (invoice_id bigint, customer_id bigint)', 'warning, shop.invoices: column "customer_id" holds customers, and the table is not protected'),
    ('CREATE TABLE shop.invoices (client bigint REFERENCES entitle.customer)', 'warning, shop.invoices: column "client" holds customers, and the table is not protected'),
    ('CREATE TABLE shop.notes (order_id bigint REFERENCES shop.orders, note text)', 'warning, shop.notes: the table refers to protected table shop.orders, and is not protected'),
    -- What only looks like a customer's key
    ('CREATE TABLE shop.colors (customer_code uuid, customer_id text, customer_uuid integer)', ''),
    ('CREATE TABLE shop.bills (id bigint, key integer); CREATE INDEX ON shop.bills (key); SELECT entitle.protect_table(''shop.bills'', customer_column => ''key''); CREATE TABLE shop.locks (key integer)', ''),
    -- Readers of masked columns
    ('CREATE VIEW shop.list AS SELECT price_id, price FROM shop.prices; GRANT SELECT ON shop.list TO test_app',
     'error, shop.list: the view shows masked columns of table shop.prices with the rights of its owner postgres | left: shop.list: the view reads masked columns of table shop.prices, which its readers may not'),
    ('CREATE VIEW shop.list AS SELECT p FROM shop.prices p; GRANT SELECT ON shop.list TO test_app',
     'error, shop.list: the view shows masked columns of table shop.prices with the rights of its owner postgres | left: shop.list: the view reads masked columns of table shop.prices, which its readers may not'),
    ('CREATE VIEW shop.list AS SELECT price_id FROM shop.prices WHERE price > 1; ALTER VIEW shop.list OWNER TO test_owner; GRANT SELECT ON shop.list TO PUBLIC',
     'error, shop.list: the view shows masked columns of table shop.prices with the rights of its owner test_owner | left: shop.list: the view reads masked columns of table shop.prices, which its readers may not'),
    ('CREATE VIEW shop.list WITH (security_invoker) AS SELECT price_id, price FROM shop.prices; GRANT SELECT ON shop.list TO test_app',
     'notice, shop.list: the view reads masked columns of table shop.prices, which its readers may not | left: shop.list: the view reads masked columns of table shop.prices, which its readers may not'),
    ('CREATE VIEW shop.list WITH (security_invoker) AS SELECT price_id, customer_id FROM shop.prices; GRANT SELECT ON shop.list TO test_app', ''),
    ('CREATE MATERIALIZED VIEW shop.copy AS SELECT price_id, price FROM shop.prices; GRANT SELECT ON shop.copy TO test_app',
     'error, shop.copy: the materialized view keeps masked columns of table shop.prices'),
    ('CREATE FUNCTION shop.price_of(id bigint) RETURNS numeric LANGUAGE sql SECURITY DEFINER SET search_path = shop, pg_temp AS ''SELECT price FROM Prices WHERE price_id = id''',
     'error, shop.price_of(bigint): the SECURITY DEFINER function reads table shop.prices with the rights of its owner postgres, masked columns too'),
    ('CREATE FUNCTION shop.price_of(id bigint) RETURNS numeric LANGUAGE sql SECURITY DEFINER SET search_path = shop, pg_temp RETURN (SELECT price FROM shop.prices WHERE price_id = id)',
     'error, shop.price_of(bigint): the SECURITY DEFINER function reads table shop.prices with the rights of its owner postgres, masked columns too'),
    ('CREATE FUNCTION shop.price_of(id bigint) RETURNS numeric LANGUAGE sql SECURITY DEFINER SET search_path = shop, pg_temp AS ''SELECT price FROM prices_view WHERE price_id = id''', ''),
    -- Roles (S38, S66)
    ('ALTER ROLE test_owner LOGIN', 'warning, test_owner: owns protected tables and may log in: an owner can switch protection off'),
    ('GRANT test_owner TO test_member', 'warning, test_member: is a member of test_owner, which owns protected tables and can switch protection off'),
    ('ALTER ROLE test_app BYPASSRLS', 'warning, test_app: row-level security does not bind the role (BYPASSRLS)'),
    ('ALTER ROLE test_app CREATEROLE', 'warning, test_app: the role may grant itself other roles (CREATEROLE)'),
    ('ALTER ROLE test_app REPLICATION', 'notice, test_app: the role may read everything by replication'),
    ('GRANT pg_read_all_data TO test_app', 'error, test_app: is a member of pg_read_all_data, which reaches past protection'),
    ('GRANT postgres TO test_app', 'error, test_app: is a member of postgres, which reaches past protection'),
    ('UPDATE entitle.app_user SET db_role = ''postgres''', 'error, ann: is mapped to database role postgres, which row-level security does not bind'),
    ('UPDATE entitle.app_user SET db_role = ''test_member''; DROP ROLE test_member; CREATE ROLE test_member',
     'notice, ann: is mapped to database role test_member, which was dropped or made anew since: the mapping counts for nothing'),
    ('UPDATE entitle.app_user SET db_role = ''test_nobody''', 'notice, ann: is mapped to database role test_nobody, which does not exist: the mapping counts for nothing'),
    ('INSERT INTO entitle.sign_in_grant (db_role, login) VALUES (''test_nobody'', ''ann'')',
     'notice, entitle.sign_in_grant: lists ann for database role test_nobody, which does not exist: the entry counts for nothing'),
    ('UPDATE entitle.app_user SET db_role = ''test_member''; ALTER ROLE test_member RENAME TO test_new', 'notice, ann: is mapped to database role test_member, which is called test_new now'),
    ('UPDATE entitle.app_user SET db_role = ''test_member''; ALTER ROLE test_member RENAME TO test_new; ALTER ROLE test_new SUPERUSER',
     'error, ann: is mapped to database role test_new, which row-level security does not bind; notice, ann: is mapped to database role test_member, which is called test_new now'),
    ('INSERT INTO entitle.sign_in_grant VALUES (''test_member'', ''ann''); ALTER ROLE test_member RENAME TO test_new',
     'notice, entitle.sign_in_grant: lists ann for database role test_member, which is called test_new now'),
    ('INSERT INTO entitle.sign_in_grant VALUES (''test_member'', ''ann''); DROP ROLE test_member; CREATE ROLE test_member',
     'notice, entitle.sign_in_grant: lists ann for database role test_member, which was dropped or made anew since: the entry counts for nothing'),
    ('ALTER ROLE test_reader RENAME TO test_new', 'notice, shop.prices: role test_reader, to which unprotect_table would give back INSERT, SELECT, is called test_new now, and a dump leaves that out'),
    -- The server (S64, S65, S69)
    ('GRANT SET ON PARAMETER entitle.identity TO test_app', 'error, entitle.identity: test_app may set this parameter'),
    ('GRANT SET ON PARAMETER session_replication_role TO PUBLIC', 'error, session_replication_role: PUBLIC may set this parameter'),
    ('SET LOCAL allow_system_table_mods = on; INSERT INTO pg_db_role_setting VALUES (0, ''test_app''::regrole, ''{entitle.identity=1}'')',
     'error, entitle.identity: an identity is set for test_app'),
    ('GRANT EXECUTE ON FUNCTION pg_read_file(text) TO test_app', 'warning, pg_read_file(text): test_app may execute it, and read or write past protection'),
    ('CREATE EXTENSION pg_surgery; GRANT EXECUTE ON FUNCTION heap_force_kill TO test_app',
     'warning, public.heap_force_kill(regclass,tid[]): test_app may execute it, and read or write past protection'),
    ('CREATE FOREIGN DATA WRAPPER loop; CREATE SERVER back FOREIGN DATA WRAPPER loop; CREATE USER MAPPING FOR test_app SERVER back',
     'notice, back: test_app reaches another server through it, where the identity does not follow'),
    ('CREATE FUNCTION shop.spy() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN END $f$; CREATE EVENT TRIGGER spy ON sql_drop EXECUTE FUNCTION shop.spy()',
     'notice, spy: an event trigger runs its code in everybody''s sessions'),
    ('DO $d$ BEGIN EXECUTE (SELECT ''CREATE PUBLICATION out FOR TABLE '' || string_agg(DISTINCT tgrelid::regclass::text, '', '')
      FROM pg_trigger WHERE tgname = ''entitle_log_update'' AND tgrelid <> ''entitle.role''::regclass); END $d$',
     'warning, out: publishes a part of the model without entitle.role: a subscriber decides otherwise'),
    -- The extension (S75)
    ('ALTER FUNCTION entitle.has_permission(text) IMMUTABLE', 'error, entitle.has_permission(text): the function is not what was installed'),
    ('ALTER FUNCTION entitle.current_login() LEAKPROOF', 'error, entitle.current_login(): the function is not what was installed'),
    ('GRANT EXECUTE ON FUNCTION entitle.sign_in TO PUBLIC', 'error, entitle.sign_in(text,boolean,text): PUBLIC may execute it, which the extension did not grant'),
    ('ALTER FUNCTION entitle.own_user() OWNER TO test_app', 'error, entitle.own_user(): belongs to test_app, who can change it'),
    ('ALTER TABLE entitle.role OWNER TO test_app', 'error, entitle.role: belongs to test_app, who can change it'),
    ('ALTER TABLE entitle.external_access DISABLE TRIGGER zz_entitle_signal', 'error, entitle.external_access: trigger "zz_entitle_signal" does not always fire'),
    ('CREATE TRIGGER spy BEFORE UPDATE ON entitle.external_access FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
     'warning, entitle.external_access: trigger "spy" is not the extension''s'),
    ('ALTER TABLE entitle.external_access DISABLE ROW LEVEL SECURITY', 'error, entitle.external_access: row-level security is switched off'),
    ('CREATE POLICY mine ON entitle.customer USING (true)', 'error, entitle.customer: policy "mine" is not the extension''s'),
    ('ALTER POLICY entitle_select ON entitle.customer USING (true)', 'error, entitle.customer: policy "entitle_select" is missing or not what was installed'),
    ('GRANT INSERT ON entitle.change_log TO test_app', 'error, entitle.change_log: test_app holds INSERT'),
    ('GRANT CREATE ON SCHEMA entitle TO test_app', 'error, entitle: test_app may create objects in the extension''s schema'),
    ('GRANT CREATE ON SCHEMA entitle_internal TO test_app', 'error, entitle_internal: test_app may create objects in the extension''s schema'),
    ('CREATE TABLE entitle_internal.mine ()', 'error, entitle_internal.mine: stands in the extension''s schema and is not the extension''s'),
    ('CREATE FUNCTION entitle.mine() RETURNS integer LANGUAGE sql AS ''SELECT 1''; REVOKE ALL ON FUNCTION entitle.mine() FROM PUBLIC',
     'error, entitle.mine(): stands in the extension''s schema and is not the extension''s'),
    -- The model
    ('CREATE TABLE shop.notes (id integer); ALTER TABLE shop.notes ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON shop.notes USING (entitle.has_permission(''notes.vew''))',
     'warning, shop.notes: policy "p" names permission "notes.vew", which is not known'),
    ('SET LOCAL session_replication_role = replica; INSERT INTO entitle.role_permission VALUES (101, ''gone.key''); SET LOCAL session_replication_role = origin',
     'warning, seller: the role names permission "gone.key", which is not known'),
    ('INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, ''a'', ''a'', ''1''); INSERT INTO entitle.external_access (customer_id, user_id, valid_until) VALUES (1, 1, ''2020-01-01'')',
     'notice, entitle.external_access: 1 grants ended more than 90 days ago'),
    ('INSERT INTO entitle.app_user (user_id, login) VALUES (901, ''Zoë''), (902, E''zoe\u0308'')',
     E'warning, zoe\u0308: differs from login ''Zoë'' only by case or by the form of its characters'),
    ('INSERT INTO entitle.app_user (user_id, login) VALUES (901, ''ann.b''), (902, ''Ann.B''), (903, ''ann-b'')',
     'warning, Ann.B: differs from login ''ann.b'' only by case or by the form of its characters')
) AS v (misconfiguration, expected);

-- A privilege of PostgreSQL 17: its holders lock everybody out.
SELECT current_setting('server_version_num')::integer >= 170000 AS has_maintain \gset
\if :has_maintain
SELECT is(seed('GRANT MAINTAIN ON shop.orders TO test_app'), 'warning, shop.orders: test_app holds MAINTAIN, which row-level security does not narrow', 'MAINTAIN on a protected table');
SELECT is(seed('GRANT MAINTAIN ON entitle.customer TO test_app'), 'error, entitle.customer: test_app holds MAINTAIN', 'MAINTAIN on a table of the model');
\else
SELECT skip('MAINTAIN came with PostgreSQL 17', 2);
\endif

-- The server's release, whatever this one is
SELECT results_eq($$ SELECT object || ': ' || finding FROM entitle_internal.lint_release(150018, '2026-12-01') $$,
                  $$ VALUES ('server: PostgreSQL 15.18 lacks fixes that row-level security relies on') $$, 'an old minor release is named');
SELECT is_empty($$ SELECT FROM entitle_internal.lint_release(150020, '2026-12-01') $$, 'the one that has the fixes is not');
SELECT is_empty($$ SELECT FROM entitle_internal.lint_release(180007, '2027-05-01') $$, 'nor a later major''s');
SELECT results_eq($$ SELECT finding FROM entitle_internal.lint_release(200000, '2026-12-01') $$,
                  $$ VALUES ('PostgreSQL 20 is not among the releases that were looked at') $$, 'an unknown major is named');
SELECT results_eq($$ SELECT finding FROM entitle_internal.lint_release(150020, '2027-12-01') $$,
                  $$ VALUES ('the list of PostgreSQL''s fixes that lint knows is of 2026-11-28') $$, 'a list that is too old is named');

-- Who may run it
SELECT throws_ok($$ SELECT ask(NULL, 'SELECT count(*) FROM entitle.lint()') $$, '42501', NULL, 'an ordinary role does not run it');
GRANT EXECUTE ON FUNCTION entitle.lint() TO test_app;
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
SELECT is(ask(NULL, 'SELECT count(*) FROM entitle.lint() WHERE object <> ''server'''), '1', 'an auditor whom the DBA lets run it finds what there is');

SELECT finish();
ROLLBACK;
