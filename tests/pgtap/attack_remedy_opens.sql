-- A remedy of verify_protection opens nothing: whoever runs all of them in the middle of a migration, when a line has lost its
-- document or a declaration makes no sense, finds the table closed, and not as it was before it was protected (S181).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
GRANT CREATE ON SCHEMA public TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);
SET LOCAL ROLE test_owner;
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders, amount integer);
CREATE TABLE parts (id integer PRIMARY KEY, line_id integer REFERENCES lines, cost integer) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts DEFAULT;
INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20);
INSERT INTO lines VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO parts VALUES (1, 1, 1), (2, 2, 2);
GRANT SELECT, UPDATE, DELETE ON orders, lines, parts, parts_1 TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', masked_columns => '{"price": 30}'),
       entitle.protect_table('lines', parent => 'orders', masked_columns => '{"amount": 30}'),
       entitle.protect_table('parts', parent => 'lines', masked_columns => '{"cost": 30}') \g /dev/null
RESET ROLE;

-- What l20 finds in the tables, and the findings that are left, after something happened and the owner or a superuser ran the remedies.
CREATE FUNCTION found_after(happened text, by_role name, rounds integer DEFAULT 3) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    relation text;
    remedy text;
    found text := '';
BEGIN
    EXECUTE happened;
    FOR i IN 1..rounds LOOP
        FOREACH remedy IN ARRAY ARRAY(SELECT DISTINCT v.remedy FROM entitle.verify_protection() v) LOOP
            EXECUTE format('SET LOCAL ROLE %I', by_role);
            EXECUTE remedy;
            RESET ROLE;
        END LOOP;
    END LOOP;
    FOREACH relation IN ARRAY '{orders,orders_view,lines,lines_view,parts,parts_view,parts_1}'::text[] LOOP
        BEGIN
            found := found || format(' %s %s', relation, ask('l20', format('SELECT string_agg(t::text, '''') FROM %s t', relation)));
        EXCEPTION WHEN undefined_table OR insufficient_privilege THEN
            PERFORM entitle.sign_out();
        END;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = concat_ws('; ', found, (SELECT string_agg(v.problem, '; ') FROM entitle.verify_protection() v));
EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
    RETURN SQLERRM;
END
$$;

CREATE FUNCTION test_found(happened text, expected text, what text, rounds integer DEFAULT 3) RETURNS SETOF text LANGUAGE sql
    AS $$ SELECT is(found_after(happened, by_role, rounds), expected, format('S181: %s: %s', by_role, what)) FROM unnest(ARRAY['test_owner', current_user]) AS by_role $$;

SELECT test_found('SELECT', ' orders_view (1,1,,{price}) lines_view (1,1,,{amount}) parts_view (1,1,,{cost})', 'nothing happened');
SELECT test_found(happened, ' orders_view (1,1,,{price}) lines  parts  parts_1 ', happened)
FROM unnest(ARRAY['ALTER TABLE lines DROP CONSTRAINT lines_order_id_fkey', 'ALTER TABLE lines DROP order_id CASCADE']) AS happened;
SELECT test_found('ALTER TABLE parts DROP CONSTRAINT parts_line_id_fkey', ' orders_view (1,1,,{price}) lines_view (1,1,,{amount}) parts  parts_1 ',
                  'a partitioned line''s foreign key is dropped');
SELECT test_found('UPDATE entitle.protection SET masked_columns = ''[]'' WHERE relation = ''parts''::regclass',
                  ' orders_view (1,1,,{price}) lines_view (1,1,,{amount}) parts  parts_1 ', 'a declaration makes no sense');
SELECT test_found('UPDATE entitle.protection SET min_level = 7 WHERE relation = ''lines''::regclass', ' orders_view (1,1,,{price}) lines  parts  parts_1 ',
                  'that of a table in between makes no sense');
-- A document that was made anew: its lines follow it when it is protected again.
SELECT test_found('SET LOCAL ROLE test_owner; DROP TABLE orders CASCADE; CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, price integer);'
                  ' INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20); GRANT SELECT ON orders TO test_app;'
                  ' ALTER TABLE lines ADD FOREIGN KEY (order_id) REFERENCES orders; RESET ROLE',
                  ' orders_view (1,1,,{price}) lines_view (1,1,,{amount}) parts_view (1,1,,{cost})', 'a document is made anew', 1);
SELECT test_found('SET LOCAL ROLE test_owner; DROP TABLE orders CASCADE; CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, price integer);'
                  ' INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20); GRANT SELECT ON orders TO test_app; RESET ROLE',
                  ' orders_view (1,1,,{price}) lines  parts  parts_1 ', 'a document is made anew, and its lines do not refer to it');

SELECT * FROM finish();
ROLLBACK;
