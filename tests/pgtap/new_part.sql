-- A new part of a protected table is protected by itself, in the transaction that brings it and with the rights of its owner; where that
-- cannot be done it stays closed (R67; S202).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT USAGE ON SCHEMA shop TO test_app;
ALTER DEFAULT PRIVILEGES FOR ROLE test_owner GRANT ALL ON TABLES TO test_app;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (102, 'l20');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', '1'), (2, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 102, 'L20', NULL);

SET ROLE test_owner;
CREATE TABLE shop.visits (id integer, customer_id bigint) PARTITION BY RANGE (id);
CREATE TABLE shop.notes (id integer, customer_id bigint);
CREATE TABLE shop.orders (id integer, customer_id bigint, price integer, PRIMARY KEY (id)) PARTITION BY RANGE (id);
SELECT entitle.protect_table('shop.visits', 'customer_id', view_permission => 'customers.view'),
       entitle.protect_table('shop.notes', 'customer_id', view_permission => 'customers.view'),
       entitle.protect_table('shop.orders', 'customer_id', view_permission => 'customers.view', masked_columns => '{"price": 30}');
CREATE TABLE shop.visits_1 PARTITION OF shop.visits FOR VALUES FROM (0) TO (10);
CREATE TABLE shop.visits_2 (customer_id bigint, id integer);
ALTER TABLE shop.visits ATTACH PARTITION shop.visits_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE shop.visits_3 PARTITION OF shop.visits FOR VALUES FROM (20) TO (40) PARTITION BY RANGE (id);
CREATE TABLE shop.visits_31 PARTITION OF shop.visits_3 FOR VALUES FROM (20) TO (30);
CREATE TABLE shop.heir () INHERITS (shop.notes);
CREATE TABLE shop.late (LIKE shop.notes);
ALTER TABLE shop.late INHERIT shop.notes;
CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM (0) TO (10);
RESET ROLE;
INSERT INTO shop.visits VALUES (1, 1), (2, 2), (11, 1), (12, 2), (21, 1), (22, 2);
INSERT INTO shop.heir VALUES (1, 1), (2, 2);
INSERT INTO shop.late VALUES (3, 1), (4, 2);
INSERT INTO shop.orders VALUES (1, 1, 10), (2, 2, 20);
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared');
SELECT is(ask(login, format('SELECT count(id) FROM shop.%I', part)), rows, format('%s of %s', login, part))
FROM unnest('{visits_1,visits_2,visits_3,visits_31,heir,late,orders_1}'::text[]) AS part, (VALUES ('staff', '2'), ('l20', '1')) AS v (login, rows);
SELECT is(ask(NULL, format('SELECT count(id) FROM shop.%I', part)), '0', 'nobody of ' || part) FROM unnest('{visits_1,visits_2,visits_31,heir,late,orders_1}'::text[]) AS part;
SELECT is(ask('l20', 'SELECT count(*) FROM shop.visits') || ask('staff', 'SELECT count(*) FROM shop.notes'), '34', 'and the whole shows as before');
SELECT throws_ok(format('SELECT do_as(''staff'', %L)', command), '42501', NULL, 'R3: ' || command)
FROM unnest(ARRAY['UPDATE shop.visits_1 SET id = 3 WHERE id = 1', 'DELETE FROM shop.heir', 'TRUNCATE shop.late', 'SELECT price FROM shop.orders_1', 'UPDATE shop.orders_1 SET price = 1']) AS command;

-- Whoever may not call protect_table cannot have privileges narrowed: with masks the part stays closed.
REVOKE EXECUTE ON FUNCTION entitle.protect_table FROM test_owner;
SET ROLE test_owner;
SET client_min_messages = error;
CREATE TABLE shop.orders_2 PARTITION OF shop.orders FOR VALUES FROM (10) TO (20);
SET client_min_messages = warning;
CREATE TABLE shop.visits_4 PARTITION OF shop.visits FOR VALUES FROM (40) TO (50);
RESET ROLE;
INSERT INTO shop.orders VALUES (11, 1, 10);
INSERT INTO shop.visits VALUES (41, 1);
SELECT is(ask('staff', 'SELECT count(id) FROM shop.orders_2'), '0', 'S202: closed');
SELECT is((SELECT string_agg(problem, '; ') FROM entitle.verify_protection() WHERE relation = 'shop.orders_2'::regclass), 'a part of protected table shop.orders, and not protected itself', 'and told');
SELECT is(ask('staff', 'SELECT count(id) FROM shop.visits_4'), '1', 'without masks it is protected all the same');

-- Switched off.
ALTER EVENT TRIGGER entitle_protect_parts DISABLE;
SET ROLE test_owner;
CREATE TABLE shop.visits_5 PARTITION OF shop.visits FOR VALUES FROM (50) TO (60);
RESET ROLE;
INSERT INTO shop.visits VALUES (51, 1);
SELECT is(ask('staff', 'SELECT count(id) FROM shop.visits_5'), '0', 'S202: what is not protected by itself is closed');
ALTER EVENT TRIGGER entitle_protect_parts ENABLE ALWAYS;

-- The helpers believe nobody.
CREATE ROLE test_other;
GRANT USAGE ON SCHEMA shop TO test_other;
SET ROLE test_other;
SELECT is(entitle_internal.note_part('shop.visits_5'), false, 'S336: nobody but the owner has a part written down as protected');
RESET ROLE;
GRANT EXECUTE ON FUNCTION entitle.protect_table TO test_owner;
SET ROLE test_owner;
SELECT entitle.unprotect_table(t) FROM unnest('{shop.visits,shop.notes,shop.orders}'::regclass[]) AS t;
RESET ROLE;
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace
                   AND (c.relrowsecurity OR c.relforcerowsecurity OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)) $$,
                'unprotect_table takes all of it back');
SELECT is(ask('staff', 'SELECT count(price) FROM shop.orders_1'), '2', 'privileges, too');
SELECT * FROM finish();
ROLLBACK;
