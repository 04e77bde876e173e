-- The world of the plan tests, in a database of its own. Orders, parts (partitioned by customer) and goods (branded) hold
-- the same rows: 1 to 3 of customer 1, 4 and 5 of customer 2, 6 of customer 3, 7 and 8 of customers 1 and 2 but 100 days old,
-- 9 of customer 1 without a date.
SET client_min_messages = warning;
CREATE EXTENSION entitle;
CREATE ROLE plan_app;
CREATE ROLE plan_staff;
CREATE ROLE plan_outsider;
CREATE ROLE plan_definer;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text), entitle.sign_out(text) TO plan_app, plan_staff, plan_outsider;

INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'other');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT 2, module_key FROM entitle.module;
INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, legal_name, trade_name, tax_id)
SELECT i, md5('customer ' || i)::uuid, 'C' || i, 'n', 'n', 't' FROM generate_series(1, 40) AS i;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'all'), (102, 1, 'none');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES
    (101, 'staff', NULL), (102, 'one', NULL), (103, 'both', NULL), (104, 'unlimited', NULL), (105, 'nothing', NULL),
    (106, 'two brands', NULL), (107, 'goods', NULL), (108, 'low', NULL), (110, 'mapped staff', 'plan_staff'), (111, 'mapped outsider', 'plan_outsider');
INSERT INTO entitle.sign_in_grant (db_role, login)
SELECT r, login FROM unnest('{plan_app,plan_staff,plan_outsider}'::text[]) AS r, entitle.app_user;
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES
    (101, 1, 101), (106, 1, 102), (106, 2, 101), (107, 2, 101), (110, 1, 101);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (1, 102, 'L40', 30), (1, 103, 'L40', 30), (2, 103, 'L40', 7), (1, 104, 'L40', NULL), (1, 111, 'L40', 30),
    (1, 108, 'L20', NULL), (2, 108, 'L20', 30);

CREATE TABLE orders (order_id integer PRIMARY KEY, brand_id bigint, customer_id bigint, order_date date, amount integer DEFAULT 0);
INSERT INTO orders
SELECT i, 1, c, current_date - CASE i WHEN 7 THEN 100 WHEN 8 THEN 100 WHEN 9 THEN NULL ELSE 0 END
FROM unnest('{1,1,1,2,2,3,1,2,1}'::integer[]) WITH ORDINALITY AS v (c, i);
CREATE INDEX ON orders (customer_id, order_date);
CREATE INDEX ON orders (order_date);
CREATE TABLE goods (LIKE orders INCLUDING ALL);
INSERT INTO goods SELECT * FROM orders;
CREATE INDEX ON goods (brand_id);
CREATE TABLE parts (order_id integer, brand_id bigint, customer_id bigint, order_date date, amount integer DEFAULT 0)
    PARTITION BY LIST (customer_id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT * FROM orders;
CREATE INDEX ON parts (customer_id);
CREATE TABLE shelves (order_id integer, brand_id bigint, customer_id bigint) PARTITION BY LIST (brand_id);
CREATE TABLE shelves_1 PARTITION OF shelves FOR VALUES IN (1);
CREATE TABLE shelves_2 PARTITION OF shelves FOR VALUES IN (2);
INSERT INTO shelves SELECT order_id, 1 + order_id % 2, customer_id FROM orders;
CREATE TABLE probe (seen text);
CREATE TABLE ledger AS SELECT order_id FROM orders;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY '{orders,goods,parts}'::text[] LOOP
        PERFORM entitle.protect_table(t::regclass, customer_column => 'customer_id', date_column => 'order_date',
            brand_column => CASE t WHEN 'goods' THEN 'brand_id' END, min_level => 20, view_permission => 'conversions.view',
            insert_permission => 'conversions.create', update_permission => 'conversions.update',
            delete_permission => 'conversions.delete', external_insert_level => 20, external_update_level => 20);
    END LOOP;
    PERFORM entitle.protect_table('shelves', customer_column => 'customer_id', brand_column => 'brand_id',
                                  view_permission => 'conversions.view');
    PERFORM entitle.protect_table('ledger', view_permission => 'conversions.view');
END
$$;

-- Ways to ask: each gives the visible ids.
CREATE VIEW invoker_view WITH (security_invoker) AS SELECT * FROM orders;
CREATE FUNCTION all_orders() RETURNS SETOF orders LANGUAGE sql STABLE AS 'SELECT * FROM orders';
CREATE FUNCTION by_sql() RETURNS text LANGUAGE sql VOLATILE AS
    $$ SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders $$;
CREATE FUNCTION by_static() RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RETURN (SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders); END $$;
CREATE FUNCTION by_loop() RETURNS text LANGUAGE plpgsql AS
    $$ DECLARE r record; ids text; BEGIN
        FOR r IN SELECT order_id FROM orders ORDER BY order_id LOOP ids := concat_ws(',', ids, r.order_id); END LOOP;
        RETURN ids; END $$;
CREATE FUNCTION by_cursor() RETURNS text LANGUAGE plpgsql AS
    $$ DECLARE c CURSOR (first integer) FOR SELECT order_id FROM orders WHERE order_id >= first ORDER BY order_id; ids text; BEGIN
        FOR r IN c (1) LOOP ids := concat_ws(',', ids, r.order_id); END LOOP;
        RETURN ids; END $$;
CREATE FUNCTION by_execute() RETURNS text LANGUAGE plpgsql AS
    $$ DECLARE ids text; BEGIN
        EXECUTE 'SELECT string_agg(order_id::text, '','' ORDER BY order_id) FROM orders WHERE order_id > $1' INTO ids USING 0;
        RETURN ids; END $$;
CREATE FUNCTION by_definer() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN RETURN (SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders); END $$;
ALTER FUNCTION by_definer() OWNER TO plan_definer;
CREATE FUNCTION by_trigger() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.seen := (SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders); RETURN NEW; END $$;
CREATE TRIGGER fill BEFORE INSERT ON probe FOR EACH ROW EXECUTE FUNCTION by_trigger();
CREATE TABLE ruled (n integer);
CREATE RULE answer AS ON INSERT TO ruled DO INSTEAD
    SELECT string_agg(order_id::text, ',' ORDER BY order_id) FROM orders;
ALTER TABLE ruled OWNER TO plan_definer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO plan_app, plan_staff, plan_outsider, plan_definer;

-- Prices that some may not see.
CREATE TABLE priced (order_id integer PRIMARY KEY, customer_id bigint, price integer);
INSERT INTO priced SELECT order_id, customer_id, order_id FROM orders;
SELECT entitle.protect_table('priced', customer_column => 'customer_id', min_level => 20, view_permission => 'conversions.view',
                             masked_columns => '{"price": 30}');
GRANT SELECT ON priced_view TO plan_app;
