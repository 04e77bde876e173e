-- Whole schemas: the call for each table is found by the foreign keys that lead to customers, or it is said why there is none; the calls are run,
-- with filtered views under the tables' names; repair mends, unprotect_all takes all back (R51, R67).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT EXECUTE ON FUNCTION entitle.plan_protection, entitle.protect_schema, entitle.protect_table, entitle.unprotect_table, entitle.unprotect_all,
    entitle.guard_schema, entitle.except_table TO test_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO test_owner', current_database()); END $$;
GRANT REFERENCES, SELECT ON entitle.customer, entitle.brand TO test_owner;
GRANT USAGE ON SCHEMA entitle TO test_owner;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (102, 'l30');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7);
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, legal_name, trade_name, tax_id)
VALUES (101, '00000000-0000-0000-0000-000000000101', 'C101', 'a', 'a', '1'), (102, '00000000-0000-0000-0000-000000000102', 'C102', 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 102, 'L30', NULL);

SET ROLE test_owner;
CREATE TABLE shop."Order" (id integer PRIMARY KEY, customer bigint REFERENCES entitle.customer, brand bigint REFERENCES entitle.brand, title text);
CREATE TABLE shop.line (order_id integer NOT NULL, n integer, replaces integer, PRIMARY KEY (order_id, n),
                        CONSTRAINT line_order FOREIGN KEY (order_id) REFERENCES shop."Order", CONSTRAINT line_replaces FOREIGN KEY (replaces) REFERENCES shop."Order");
CREATE TABLE shop.a_note (id integer PRIMARY KEY, order_id integer NOT NULL, n integer NOT NULL, FOREIGN KEY (order_id, n) REFERENCES shop.line);
CREATE TABLE shop.document (id integer PRIMARY KEY, customer_uuid uuid) PARTITION BY RANGE (id);
CREATE TABLE shop.document_1 PARTITION OF shop.document DEFAULT;
CREATE TABLE shop.payment (id integer PRIMARY KEY, payer bigint REFERENCES entitle.customer, payee bigint REFERENCES entitle.customer);
CREATE TABLE shop.link (a integer NOT NULL REFERENCES shop."Order", b integer NOT NULL REFERENCES shop."Order");
CREATE TABLE shop.country (code text PRIMARY KEY);
CREATE TABLE shop.odd (customer_id text, customer_code integer);
INSERT INTO shop."Order" VALUES (1, 101, 1, 'one'), (2, 102, 1, 'two');
INSERT INTO shop.line VALUES (1, 1, NULL), (2, 1, 1);
INSERT INTO shop.a_note VALUES (1, 1, 1), (2, 2, 1);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO test_app;
RESET ROLE;
CREATE TABLE before AS
SELECT c.oid::regclass::text AS relation, c.relacl::text, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace;

SET ROLE test_owner;
SELECT results_eq($$ SELECT relation::text, call IS NOT NULL, reason FROM entitle.plan_protection('{shop}') $$, $$ VALUES
    ('shop."Order"', true, '"customer" refers to a customer'),
    ('shop.document', true, '"customer_uuid" has the name and type of a customer''s key; no foreign key says so'),
    ('shop.line', true, '"line_order" leads to shop."Order"'),
    ('shop.a_note', true, '"a_note_order_id_n_fkey" leads to shop.line'),
    ('shop.country', false, 'no foreign key leads to a customer, or to a table that is protected'),
    ('shop.link', false, 'several foreign keys lead to protected tables: link_a_fkey to shop."Order", link_b_fkey to shop."Order". Call protect_table with parent and parent_key'),
    ('shop.odd', false, 'no foreign key leads to a customer, or to a table that is protected'),
    ('shop.payment', false, 'several columns lead to a customer: payer, payee. Call protect_table with the right one') $$, 'each table has its call, or the reason why not');
SELECT is((SELECT string_agg(call, E'\n') FROM entitle.plan_protection('{shop}') WHERE relation IN ('shop."Order"'::regclass, 'shop.line'::regclass)),
$$SELECT entitle.protect_table('shop."Order"', customer_column => 'customer', brand_column => 'brand', view_permission => 'customers.view', insert_permission => 'customers.edit', update_permission => 'customers.edit', delete_permission => 'customers.edit');
SELECT entitle.protect_table('shop.line', insert_permission => 'customers.edit', update_permission => 'customers.edit', delete_permission => 'customers.edit', parent => 'shop."Order"', parent_key => 'line_order');$$,
          'the calls name what they found');
SELECT throws_ok(format('SELECT entitle.%s', call), state, NULL, 'refused: ' || call)
FROM (VALUES ('plan_protection(NULL)', '22004'), ('plan_protection(''{none}'')', '3F000'), ('protect_schema(NULL)', '22004'), ('protect_schema(''{none}'')', '3F000'),
             ('protect_schema(''{shop}'', ''other'')', '22023')) AS v (call, state);
SELECT is(entitle.protect_schema('{shop}', view_schema => 'App'), 4, 'the calls are run');
SELECT is_empty($$ SELECT * FROM entitle.plan_protection('{shop}') WHERE call IS NOT NULL $$, 'nothing is left to do');
RESET ROLE;
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared');

-- An application that names no schema reads and writes the filtered views.
SELECT set_config('search_path', '"App", shop, public', true);
SELECT is(ask(login, 'SELECT string_agg(id::text, '' '' ORDER BY id) FROM "Order"') || ', ' || ask(login, 'SELECT string_agg(order_id::text, '' '' ORDER BY order_id) FROM line')
          || ', ' || ask(login, 'SELECT string_agg(id::text, '' '' ORDER BY id) FROM a_note'), rows, format('%s sees %s', login, rows))
FROM (VALUES ('staff', '1 2, 1 2, 1 2'), ('l30', '1, 1, 1')) AS v (login, rows);
SELECT is(to_regclass('line')::text || ' ' || to_regclass('country'), 'line country', 'what is not protected is found behind');
SELECT is((SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'line'::regclass), '"App"', 'the view bears the table''s name');
RESET search_path;

-- repair.
DROP POLICY entitle_select ON shop.line;
ALTER TABLE shop."Order" NO FORCE ROW LEVEL SECURITY;
DROP TRIGGER entitle_delete ON shop.document;
SELECT isnt((SELECT count(*) FROM entitle.repair()), 0::bigint, 'repair says what it did');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'and mends it');
SELECT is_empty('SELECT * FROM entitle.repair()', 'once');
SELECT is(ask('l30', 'SELECT count(*) FROM shop.line'), '1', 'rows show as before');
CREATE TABLE shop.theirs (customer_id bigint);
SELECT entitle.protect_table('shop.theirs', 'customer_id');
DROP POLICY entitle_select ON shop.theirs;
GRANT EXECUTE ON FUNCTION entitle.verify_protection, entitle.repair TO test_owner;
SET ROLE test_owner;
SELECT throws_ok('SELECT * FROM entitle.repair()', '42501', NULL, 'repair has the rights of whoever calls it');
RESET ROLE;
DROP TABLE shop.theirs;

-- Exceptions are asked, and everything can be taken back.
SET ROLE test_owner;
SELECT entitle.guard_schema('shop');
CREATE TABLE shop.more (id integer, customer_id bigint);
SELECT entitle.except_table('shop.more', 'for everybody');
SELECT is((SELECT reason FROM entitle.plan_protection('{shop}') WHERE relation = 'shop.more'::regclass), 'excepted: for everybody', 'an excepted table has no call');
DROP TABLE shop.more;
RESET ROLE;
SELECT entitle.unguard_schema('shop');
SET ROLE test_owner;
SELECT is(entitle.unprotect_all(), 4, 'all are unprotected, lines first');
RESET ROLE;
SELECT results_eq($$ SELECT c.oid::regclass::text, c.relacl::text, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace ORDER BY 1 $$,
                  'SELECT * FROM before ORDER BY 1', 'and everything is as before');
SELECT is((SELECT count(*) FROM entitle.protected_tables), 0::bigint, 'nothing is declared');

-- Adopted customers: their own table, what refers to them, and what has a column called like that (R64).
CREATE SCHEMA crm;
GRANT USAGE ON SCHEMA crm TO test_app;
CREATE TABLE crm.account (id uuid PRIMARY KEY, title text);
CREATE TABLE crm.deal (deal_id integer PRIMARY KEY, of_account uuid NOT NULL REFERENCES crm.account);
CREATE TABLE crm.part (part_id integer PRIMARY KEY, deal_id integer NOT NULL REFERENCES crm.deal);
CREATE TABLE crm.visit (id uuid PRIMARY KEY, account_id uuid);
CREATE TABLE crm.place (id uuid PRIMARY KEY);
INSERT INTO crm.account VALUES (md5('1')::uuid, 'one'), (md5('2')::uuid, 'two');
INSERT INTO crm.deal VALUES (1, md5('1')::uuid), (2, md5('2')::uuid);
SELECT entitle.adopt_customers('crm.account', 'id', 'title');
SELECT results_eq($$ SELECT relation::text, substring(call, 'customer_column => ''(.*?)''') FROM entitle.plan_protection('{crm}') $$, $$ VALUES
    ('crm.account', 'id'), ('crm.deal', 'of_account'), ('crm.part', NULL), ('crm.visit', 'account_id'), ('crm.place', NULL) $$,
    'R64: adopted customers are found');
SELECT is(entitle.protect_schema('{crm}'), 4, 'and their tables protected');
GRANT SELECT ON crm.account, crm.deal TO test_app;
INSERT INTO entitle.external_access (customer_id, user_id, role) SELECT customer_id, 102, 'L30' FROM entitle.customer WHERE customer_uuid = md5('1')::uuid;
SELECT is(ask('l30', 'SELECT string_agg(title, '','') FROM crm.account JOIN crm.deal ON of_account = id'), 'one', 'whose rows show to their users');
SELECT is(entitle.unprotect_all(), 4, 'all is taken back');
-- Tenants by uuid and by text are brands, to whom foreign keys lead.
CREATE TABLE crm.tenant (id uuid PRIMARY KEY, code text UNIQUE, name text);
ALTER TABLE crm.deal ADD COLUMN tenant uuid REFERENCES crm.tenant, ADD COLUMN sold_for text REFERENCES entitle.brand (brand_code);
ALTER TABLE crm.visit ADD COLUMN tenant uuid REFERENCES crm.tenant, ADD COLUMN other uuid REFERENCES crm.tenant;
INSERT INTO crm.tenant SELECT md5('t' || i)::uuid, 't' || i, 't' FROM generate_series(1, 2) i;
UPDATE crm.deal SET tenant = md5('t' || deal_id)::uuid;
SELECT entitle.adopt_brands('crm.tenant', 'id', 'name');
CREATE FUNCTION planned_brands() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(relation || ' ' || coalesce(substring(call, 'brand_column => ''(.*?)'''), '-'), ', ') FROM entitle.plan_protection('{crm}') WHERE call IS NOT NULL $$;
SELECT is(planned_brands(), 'crm.account -, crm.deal -, crm.part -, crm.visit -', 'none of several columns that refer to brands is taken');
ALTER TABLE crm.deal DROP COLUMN sold_for;
ALTER TABLE crm.visit DROP COLUMN other;
SELECT is(planned_brands(), 'crm.account -, crm.deal tenant, crm.part -, crm.visit tenant', 'the only one is the brand');
SELECT is(entitle.protect_schema('{crm}'), 4, 'they are protected so');
-- Without a foreign key its name and type tell, of adopted brands alone: goods have brands, too.
CREATE TABLE crm.note (id integer PRIMARY KEY, account_id uuid, tenant_id uuid, brand_id bigint, brand_uuid uuid);
CREATE TABLE crm.sale (id integer PRIMARY KEY, account_id uuid, tenant_id text, brand_code text);
SELECT results_eq($$ SELECT relation::text, substring(call, 'brand_column => ''(.*?)'''), reason FROM entitle.plan_protection('{crm}') WHERE relation IN ('crm.note'::regclass, 'crm.sale'::regclass) $$,
                  $$ VALUES ('crm.note', 'tenant_id', '"account_id" has the name and type of a customer''s key; no foreign key says so; "tenant_id" has those of a brand''s key'),
                            ('crm.sale', NULL, '"account_id" has the name and type of a customer''s key; no foreign key says so') $$, 'a tenant''s name and type tell, too');
ALTER TABLE crm.note ADD COLUMN tenant uuid REFERENCES crm.tenant, ADD COLUMN other uuid REFERENCES crm.tenant;
SELECT matches((SELECT reason FROM entitle.plan_protection('{crm}') WHERE relation = 'crm.note'::regclass), 'several columns may tell the brand', 'where several do, that is told');
ALTER TABLE crm.note DROP COLUMN other;
SELECT is((SELECT substring(call, 'brand_column => ''(.*?)''') FROM entitle.plan_protection('{crm}') WHERE relation = 'crm.note'::regclass), 'tenant', 'and a foreign key goes before a name');
DROP TABLE crm.note, crm.sale;
INSERT INTO entitle.app_user (user_id, login) VALUES (901, 'of one tenant');
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 901, brand_id, 5 FROM entitle.brand WHERE brand_uuid = md5('t1')::uuid;
SELECT is(ask('of one tenant', 'SELECT string_agg(deal_id::text, '','') FROM crm.deal'), '1', 'R52: staff of a tenant see its rows');
SELECT is((SELECT count(*) FROM entitle.lint() WHERE object IN ('crm.deal', 'crm.visit') AND finding ~ 'no brand column'), 0::bigint, 'and lint has nothing to say');
SELECT is(entitle.unprotect_all(), 4, 'all is taken back');
SELECT * FROM finish();
ROLLBACK;
