-- protect_table names the views and functions that show masked columns past the filtered view, and the views that masks break.
\set VERBOSITY default
CREATE SCHEMA shop;
CREATE ROLE test_app NOLOGIN;
CREATE TABLE shop.orders (order_id bigint PRIMARY KEY, customer_id bigint, price numeric, note text);
CREATE VIEW shop.priced AS SELECT order_id, price FROM shop.orders;
CREATE VIEW shop.noted AS SELECT order_id, note FROM shop.orders;
CREATE VIEW shop.whole AS SELECT o FROM shop.orders o;
CREATE VIEW shop.own AS SELECT price FROM shop.orders; -- nobody else reads it
CREATE VIEW shop.invoker WITH (security_invoker) AS SELECT price FROM shop.orders;
CREATE FUNCTION shop.price(id bigint) RETURNS numeric LANGUAGE sql SECURITY DEFINER AS 'SELECT price FROM shop.orders WHERE order_id = id';
CREATE FUNCTION shop.harmless(id bigint) RETURNS numeric LANGUAGE sql AS 'SELECT price FROM shop.orders WHERE order_id = id';
GRANT SELECT ON shop.priced, shop.noted, shop.whole, shop.invoker TO test_app;
-- The readers of an invoker's view, and the owner of a trigger's function, may read the column until it is masked.
GRANT SELECT, TRIGGER ON shop.orders TO test_app;
CREATE FUNCTION shop.early() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
ALTER FUNCTION shop.early() OWNER TO test_app;
CREATE TRIGGER early BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.early();
SELECT entitle.protect_table('shop.orders', customer_column => 'customer_id', masked_columns => '{"price": 30}');
-- None of them counts once it was dealt with.
ALTER VIEW shop.priced SET (security_invoker = true);
REVOKE SELECT ON shop.priced, shop.whole, shop.invoker FROM test_app;
ALTER FUNCTION shop.price(bigint) SECURITY INVOKER;
DROP TRIGGER early ON shop.orders;
SELECT entitle.protect_table('shop.orders', customer_column => 'customer_id', masked_columns => '{"price": 30}');
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
DROP ROLE test_app;
