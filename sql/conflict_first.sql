-- ON CONFLICT ... WHERE in the first statement of a session, which loads the library while it is planned: a hidden row is
-- refused before the WHERE looks at it (S196).
CREATE ROLE regress_conflict;
SELECT current_database() AS home \gset
CREATE DATABASE regress_conflict;
\c regress_conflict
CREATE EXTENSION entitle;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'yuki', 'regress_conflict');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L30', NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, item text);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders, item text);
INSERT INTO orders VALUES (1, 1, 'own'), (2, 2, 'theirs');
INSERT INTO lines VALUES (1, 1, 'own'), (2, 2, 'theirs');
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, external_insert_level => 20),
       entitle.protect_table('lines', parent => 'orders', external_update_level => 20, external_insert_level => 20) \g /dev/null
GRANT SELECT, INSERT, UPDATE ON orders, lines TO regress_conflict;
CREATE FUNCTION tell(item text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'told %', item; RETURN false; END $$;

\c -
SET ROLE regress_conflict;
INSERT INTO orders AS o VALUES (2, 1, 'x') ON CONFLICT (id) DO UPDATE SET item = 'x' WHERE tell(o.item);
INSERT INTO orders AS o VALUES (1, 1, 'x') ON CONFLICT (id) DO UPDATE SET item = 'x' WHERE tell(o.item);
\c -
SET ROLE regress_conflict;
INSERT INTO lines AS l VALUES (2, 1, 'x') ON CONFLICT (id) DO UPDATE SET item = 'x' WHERE tell(l.item);
INSERT INTO lines AS l VALUES (1, 1, 'x') ON CONFLICT (id) DO UPDATE SET item = 'x' WHERE tell(l.item);
-- A plan that is kept goes on to look.
PREPARE put AS INSERT INTO orders AS o VALUES ($1, 1, 'x') ON CONFLICT (id) DO UPDATE SET item = 'y' WHERE o.item <> $2 AND NOT tell(o.item);
SET plan_cache_mode = force_generic_plan;
EXECUTE put(2, 'z');
EXECUTE put(1, 'z');
EXECUTE put(2, 'theirs');
EXECUTE put(1, 'y');
RESET ROLE;
SELECT * FROM orders ORDER BY id;

\c :home
DROP DATABASE regress_conflict;
DROP ROLE regress_conflict;
