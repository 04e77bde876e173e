-- A trigger of the table's may give a new row another customer than its writer did: through the filtered view, too, the row is judged as
-- it is stored, whoever owns the table, and whether or not the writer would see it (S223).
\ir error_of.psql
SELECT no_plan();
SET LOCAL client_min_messages = error; -- of triggers that read

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't'), (2, 'n', 'n', 't'), (3, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L20', NULL), (3, 101, 'L30', NULL);
CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT EXECUTE ON FUNCTION entitle.protect_table TO test_owner;
CREATE FUNCTION test_tables(owner name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', owner);
    CREATE TABLE shop.contracts (id integer PRIMARY KEY, customer_id bigint);
    INSERT INTO shop.contracts VALUES (10, 1), (20, 2), (30, 3);
    CREATE TABLE shop.orders (id integer PRIMARY KEY, contract_id integer, customer_id bigint, price integer);
    CREATE TABLE shop.bills (id integer PRIMARY KEY, contract_id integer, customer_id bigint, price integer);
    CREATE FUNCTION shop.take() RETURNS trigger LANGUAGE plpgsql SET search_path = shop, pg_temp
        AS 'BEGIN SELECT coalesce((SELECT c.customer_id FROM contracts c WHERE c.id = NEW.contract_id), NEW.customer_id) INTO NEW.customer_id; RETURN CASE WHEN NEW.id = 99 THEN NULL ELSE NEW END; END';
    CREATE TRIGGER take BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.take();
    CREATE TRIGGER take BEFORE INSERT ON shop.bills FOR EACH ROW EXECUTE FUNCTION shop.take();
    GRANT SELECT, INSERT ON shop.orders, shop.bills TO test_app;
    -- Bills are put in by those who do not see them.
    PERFORM entitle.protect_table('shop.orders', 'customer_id', min_level => 20, external_insert_level => 20, masked_columns => '{"price": 30}'),
            entitle.protect_table('shop.bills', 'customer_id', min_level => 40, external_insert_level => 20, masked_columns => '{"price": 30}');
    RESET ROLE;
END $$;
CREATE FUNCTION check_inserts(owner name) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY '{orders,bills}'::text[] LOOP
        RETURN NEXT is(error_of('l20', format('INSERT INTO shop.%s_view (id, customer_id) VALUES (1, 1)', target)), '1', format('a row of the own customer: %s of %s', target, owner));
        RETURN NEXT is(error_of('l20', format('INSERT INTO shop.%s_view (id, customer_id, contract_id) VALUES (1, 1, 30)', target)), '1', format('one that a trigger gives another own one: %s of %s', target, owner));
        RETURN NEXT is(error_of('l20', format('INSERT INTO shop.%s_view (id, customer_id, contract_id, price) VALUES (1, 1, NULL, 5)', target)),
                       format('42501 permission denied to insert column "price" of "shop.%s_view"', target), format('R37: no masked column: %s of %s', target, owner));
        RETURN NEXT alike(error_of('l20', format('INSERT INTO shop.%s_view (id, customer_id, contract_id) VALUES (1, 1, 20)', target)), '42501%', format('S223: none that a trigger gives a foreign customer: %s of %s', target, owner));
        RETURN NEXT is(error_of('l20', format('INSERT INTO shop.%s_view (id, customer_id) VALUES (99, 1)', target)),
                       -- One that the writer does not see, the writer is told nothing about.
                       CASE WHEN target = 'bills' AND owner = 'test_owner' THEN '1' ELSE '0' END, format('one that a trigger keeps out: %s of %s', target, owner));
    END LOOP;
    RETURN NEXT is(error_of('l20', 'INSERT INTO shop.orders_view (id, customer_id, price) VALUES (1, 3, 5)'), '1', 'R37: a column that is not masked at its customer is written: ' || owner);
    RETURN NEXT is(error_of('l20', 'INSERT INTO shop.orders_view (id, customer_id, contract_id, price) VALUES (1, 3, 10, 5)'), '42501 permission denied to insert column "price" of "shop.orders_view"',
                   'S223: unless a trigger gives the row one where it is: ' || owner);
    RETURN NEXT is(error_of('l20', 'INSERT INTO shop.bills_view (id, customer_id) VALUES (1, 1) RETURNING id'), '42501 the new row of "bills_view" would not show to the signed-in user', 'RETURNING is refused as before: ' || owner);
END $$;
SELECT test_tables('test_owner') \g /dev/null
SELECT check_inserts('test_owner');
DROP SCHEMA shop CASCADE;
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO test_app;
SELECT test_tables(current_user) \g /dev/null
SELECT check_inserts(current_user);

SELECT * FROM finish();
ROLLBACK;
