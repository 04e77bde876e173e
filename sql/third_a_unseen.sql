-- A function of the extension that lends its owner's rights, called in a session that has not loaded the library, and without a query
-- that would load it: as the end of a window's aggregate (S208).
CREATE ROLE unseen_clerk LOGIN;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (7, 'a', 'a', 'a');
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'clerk', 'unseen_clerk');
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (1, 1, true);
GRANT EXECUTE ON FUNCTION entitle.deactivate_customer, entitle.reactivate_customer TO unseen_clerk;
CREATE TABLE seen (customer_id bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.customer_id); RETURN NEW; END $$;
CREATE TRIGGER a_note BEFORE UPDATE ON entitle.customer FOR EACH ROW EXECUTE FUNCTION note();

SELECT current_database() AS here \gset
\connect :here unseen_clerk
\set VERBOSITY sqlstate
CREATE TEMP VIEW seen AS SELECT 1::bigint AS customer_id;
CREATE FUNCTION pg_temp.act() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'acts as %', current_user; RETURN NULL; END $$;
CREATE RULE act AS ON INSERT TO seen DO INSTEAD SELECT pg_temp.act();
CREATE AGGREGATE pg_temp.off(bigint) (sfunc = int8larger, stype = bigint, finalfunc = entitle.deactivate_customer);
SELECT pg_temp.off(7::bigint) OVER ();
-- By now the library is loaded.
SELECT pg_temp.off(7::bigint) OVER ();

\connect :here postgres
DROP TRIGGER a_note ON entitle.customer;
\connect :here unseen_clerk
CREATE AGGREGATE pg_temp.again(bigint) (sfunc = int8larger, stype = bigint, finalfunc = entitle.reactivate_customer);
-- A query of its own loads it, and then it is called like any other.
SELECT entitle.deactivate_customer(7);
SELECT pg_temp.again(7::bigint) OVER ();

-- The first thing that a session asks for is a masked column, which a GRANT opened afterwards (S134).
\connect :here postgres
\set VERBOSITY sqlstate
CREATE TABLE priced (id integer PRIMARY KEY, customer_id bigint, price integer);
INSERT INTO priced VALUES (1, 7, 777);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (7, 1, 'L20', NULL);
SELECT entitle.protect_table('priced', customer_column => 'customer_id', external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}');
GRANT ALL ON priced TO unseen_clerk;
\connect :here unseen_clerk
SELECT price FROM priced;
\connect :here unseen_clerk
COPY priced TO STDOUT;
\connect :here unseen_clerk
INSERT INTO priced VALUES (2, 7, 1);
\connect :here unseen_clerk
UPDATE priced SET price = 1;
\connect :here unseen_clerk
DELETE FROM priced RETURNING price;
\connect :here unseen_clerk
SELECT query_to_xml('SELECT p FROM priced p', true, true, '');
\connect :here unseen_clerk
MERGE INTO priced USING (SELECT 1) s ON price = 777 WHEN MATCHED THEN DO NOTHING;
\connect :here unseen_clerk
SELECT id FROM priced;

\connect :here postgres
SELECT entitle.unprotect_table('priced');
DROP TABLE priced;
SELECT status FROM entitle.customer;
DROP FUNCTION note;
DROP TABLE seen;
DELETE FROM entitle.external_access;
DELETE FROM entitle.app_user WHERE login = 'clerk';
DELETE FROM entitle.customer WHERE customer_id = 7;
DELETE FROM entitle.change_log;
DROP OWNED BY unseen_clerk;
DROP ROLE unseen_clerk;
