-- Rows that are deleted: through the view of a superuser's table, too, they leave no lines to another document (R54; S192). What the
-- function behind the view knows of lines it tells nobody who calls it by name with a row that is made up (R3; S193). And rows that one
-- statement takes from one table to another are no move of either.
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 1, 'two');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT 102, module_key FROM entitle.module;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (150, 1, 'both'), (151, 1, 'updater');
INSERT INTO entitle.role_permission SELECT 150, k FROM unnest('{conversions.view,conversions.delete,conversions.create}'::text[]) AS k;
INSERT INTO entitle.role_permission VALUES (151, 'conversions.update');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'eve'), (102, 'yuki');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 1, 150), (101, 102, 150), (101, 1, 151);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', 'a'), (102, 'b', 'b', 'b');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 102, 'L30', NULL);
CREATE ROLE test_owner;
GRANT ALL ON SCHEMA public TO test_owner;

CREATE FUNCTION make_bills(owner name, foreign_key text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DROP TABLE IF EXISTS items, bills CASCADE;
    CREATE TABLE bills (id integer PRIMARY KEY, brand_id bigint, customer_id bigint);
    EXECUTE 'CREATE TABLE items (bill integer REFERENCES bills ' || foreign_key || ', n integer, cost integer, PRIMARY KEY (n))';
    INSERT INTO bills VALUES (1, 1, 101), (2, 102, 102), (3, 102, 102);
    INSERT INTO items VALUES (2, 1, 777);
    SET CONSTRAINTS ALL IMMEDIATE;
    EXECUTE format('ALTER TABLE bills OWNER TO %1$I; ALTER TABLE items OWNER TO %1$I', owner);
    PERFORM entitle.protect_table('bills', 'customer_id', brand_column => 'brand_id', view_permission => 'conversions.view',
                insert_permission => 'conversions.create', delete_permission => 'conversions.delete', update_permission => 'conversions.update',
                view_name => 'bills_view'),
            entitle.protect_table('items', parent => 'bills', update_permission => 'conversions.update', delete_permission => 'conversions.delete');
    GRANT SELECT, INSERT, UPDATE, DELETE ON bills, items, bills_view, items_view TO test_app;
    SET CONSTRAINTS ALL DEFERRED;
END
$$;
CREATE FUNCTION put() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.bills VALUES (2, 1, 101); RETURN 0; END $$;
CREATE FUNCTION take() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN UPDATE public.items SET bill = 1 WHERE bill = 2; RETURN 0; END $$;
CREATE FUNCTION become() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN UPDATE public.bills SET id = 2 WHERE id = 1; RETURN 0; END $$;
CREATE FUNCTION check_left(owner name) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    target text;
    left_lines CONSTANT text := '42501 permission denied to leave the lines of a row of table "bills"';
BEGIN
    PERFORM make_bills(owner, 'DEFERRABLE INITIALLY DEFERRED');
    FOREACH target IN ARRAY ARRAY['bills', 'bills_view'] LOOP
        RETURN NEXT is(error_of('eve', format('DELETE FROM %s WHERE id = 2', target)), left_lines, format('S192: from %s of %s', target, owner));
        RETURN NEXT is(error_of('eve', format('WITH gone AS (DELETE FROM %1$s WHERE id = 2 RETURNING 1) INSERT INTO %1$s SELECT 2, 1, 101 FROM gone', target)),
                       left_lines, format('S192: in one statement from %s of %s', target, owner));
        RETURN NEXT is(error_of('eve', format('DELETE FROM %s WHERE id = 3', target)), '1', format('a bill without lines is deleted from %s of %s', target, owner));
    END LOOP;
    PERFORM make_bills(owner, 'ON DELETE CASCADE');
    FOREACH target IN ARRAY ARRAY['bills', 'bills_view'] LOOP
        RETURN NEXT is(error_of('eve', format('DELETE FROM %s WHERE id = 2', target)), '1', format('lines go with their bill from %s of %s', target, owner));
    END LOOP;
    -- A foreign key acts when the statement ends: no other bill gets the key, and the lines, of one that goes.
    RETURN QUERY SELECT is(error_of('eve', c.command), c.ended, format('S192: %s (table of %s)', c.command, owner))
    FROM (VALUES
        ('DELETE FROM bills WHERE id = 2 RETURNING put()', '42501 permission denied to write table "bills" while a running statement takes keys from documents'),
        ('DELETE FROM bills WHERE id = 2 RETURNING become()', '42501 permission denied to change the key of this row of table "bills"'),
        ('WITH gone AS (DELETE FROM bills WHERE id = 2 RETURNING 1) INSERT INTO bills SELECT 2, 1, 101 FROM gone RETURNING take()',
         '42501 permission denied to write table "items" while a running statement takes keys from documents'),
        ('DELETE FROM bills WHERE id = 2 RETURNING take()', '1'),
        ('WITH gone AS (DELETE FROM bills WHERE id = 3 RETURNING 1) INSERT INTO bills SELECT 3, 1, 101 FROM gone', '1')) AS c (command, ended);
    CREATE FUNCTION clear() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN DELETE FROM public.items WHERE bill = OLD.id; RETURN OLD; END $f$;
    CREATE TRIGGER clear BEFORE DELETE ON bills FOR EACH ROW EXECUTE FUNCTION clear();
    RETURN NEXT is(error_of('eve', 'DELETE FROM bills'), '3', format('a trigger deletes the lines, which their bill would take along (table of %s)', owner));
    DROP FUNCTION clear() CASCADE;
    RETURN NEXT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared');
END
$$;
SELECT check_left('test_owner');
SELECT check_left(current_user);
DROP TABLE items, bills CASCADE;

-- S193: rows that are made up
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, item text);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders, cost numeric);
INSERT INTO orders VALUES (2, 102, 'theirs'), (3, 102, 'theirs, without lines'), (5, 101, 'own');
INSERT INTO lines VALUES (1, 2, 777);
SELECT entitle.protect_table('orders', 'customer_id', external_update_level => 20, external_insert_level => 20),
       entitle.protect_table('lines', parent => 'orders', external_update_level => 20) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, lines TO test_app;
SELECT is(ARRAY[error_of('yuki', format(command, 2)), error_of('yuki', format(command, 3)), error_of('yuki', format(command, 4))],
          array_fill(error_of('yuki', format(command, 4)), '{3}'), 'S193: with lines, without, and absent are told alike: ' || command)
FROM unnest(ARRAY[
    'SELECT entitle_internal.check_move(''orders'', ROW(%s, 101, ''x'')::orders, ROW(99, 101, ''x'')::orders)',
    'SELECT entitle_internal.check_move(''orders'', ROW(99, 101, ''x'')::orders, ROW(%s, 101, ''x'')::orders)',
    'SELECT entitle_internal.check_move(''orders'', ROW(%s, 101, ''x'')::orders, NULL)',
    'SELECT entitle_internal.check_move(''lines'', ROW(1, %s, 1)::lines, ROW(1, 5, 1)::lines)',
    'SELECT entitle_internal.check_move(''lines'', ROW(1, 5, 1)::lines, ROW(1, %s, 1)::lines)']) AS command;
SELECT is(error_of('yuki', 'UPDATE orders SET id = 6 WHERE id = 5'), '1', 'and a key without lines changes');
REVOKE DELETE ON orders FROM test_app;
SELECT is(error_of('yuki', 'SELECT entitle_internal.check_move(''orders'', ROW(5, 101, ''x'')::orders, NULL)'), '42501 permission denied for table orders',
          'S193: nor answers it those who may not delete');
DROP TABLE lines, orders CASCADE;

-- An archive, and its partitions, with columns of other names
CREATE TABLE jobs (id integer PRIMARY KEY, customer_id bigint, item text);
CREATE TABLE archive (id integer, client bigint, item text, year integer, PRIMARY KEY (id, year)) PARTITION BY LIST (year);
CREATE TABLE archive_1 PARTITION OF archive FOR VALUES IN (1);
CREATE TABLE archive_2 PARTITION OF archive FOR VALUES IN (2);
INSERT INTO jobs VALUES (1, 101, 'x'), (2, 102, 'y');
SELECT entitle.protect_table('jobs', 'customer_id', view_permission => 'conversions.view', delete_permission => 'conversions.delete'),
       entitle.protect_table('archive', 'client', view_permission => 'conversions.view', insert_permission => 'conversions.create',
                             update_permission => 'conversions.update') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs, archive TO test_app;
INSERT INTO entitle.app_user (user_id, login) VALUES (103, 'archivist');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (103, 1, 150);
SELECT is(error_of('archivist', command), ended, 'archived: ' || command)
FROM (VALUES ('WITH gone AS (DELETE FROM jobs RETURNING *) INSERT INTO archive SELECT id, customer_id, item, 1 FROM gone', '2'),
             ('WITH gone AS (DELETE FROM jobs RETURNING *), put AS (INSERT INTO archive SELECT id, customer_id, item, 1 FROM gone) SELECT FROM gone', '2')) AS c (command, ended);

SELECT * FROM finish();
ROLLBACK;
