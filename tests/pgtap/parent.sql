-- Lines follow their document by the foreign key between them: any number of tables up, composite keys included, masks by the
-- document's customer; and what becomes of the table is kept or named by verify_protection (R51).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (102, 'seller'), (103, 'l20'), (104, 'l30'), (105, 'l10');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7), (102, 1, 5);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1'), (102, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
    VALUES (101, 103, 'L20', 30), (101, 104, 'L30', NULL), (102, 104, 'L20', NULL), (101, 105, 'L10', NULL);

CREATE TABLE orders (branch integer, id integer, customer_id bigint, placed_on date, total numeric, PRIMARY KEY (branch, id));
CREATE TABLE lines (branch integer, order_id integer, line integer, item text, price numeric,
                    PRIMARY KEY (branch, order_id, line), FOREIGN KEY (order_id, branch) REFERENCES orders (id, branch));
ALTER TABLE orders ADD UNIQUE (id, branch);
DROP TABLE lines;
CREATE TABLE lines (branch integer, order_id integer, line integer, item text, price numeric,
                    PRIMARY KEY (branch, order_id, line), FOREIGN KEY (order_id, branch) REFERENCES orders (id, branch));
CREATE TABLE files (id integer PRIMARY KEY, branch integer, order_id integer, line integer, name text, secret text,
                    FOREIGN KEY (branch, order_id, line) REFERENCES lines);
INSERT INTO orders SELECT b, i, 101 + i % 2, (statement_timestamp() AT TIME ZONE 'UTC')::date - i * 10, i FROM generate_series(1, 2) b, generate_series(1, 6) i;
INSERT INTO lines SELECT branch, id, l, 'item', id + l FROM orders, generate_series(1, 2) l;
INSERT INTO files SELECT row_number() OVER (), branch, order_id, line, 'file', 'secret' FROM lines;
INSERT INTO files VALUES (100, NULL, NULL, NULL, 'orphan', 'secret');
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, lines, files TO test_app;

SELECT throws_ok($$ SELECT entitle.protect_table('lines', parent => 'orders') $$, '55000', NULL, 'a parent is protected first');
SELECT entitle.protect_table('orders', 'customer_id', 'placed_on', min_level => 20, view_permission => 'customers.view', masked_columns => '{"total": 30}');
SELECT lives_ok($$ SELECT entitle.protect_table('lines', parent => 'orders', insert_permission => 'customers.edit', update_permission => 'customers.edit',
                   delete_permission => 'customers.edit', external_insert_level => 20, masked_columns => '{"price": 30}') $$, 'lines follow their orders');
SELECT lives_ok($$ SELECT entitle.protect_table('files', parent => 'lines', masked_columns => '{"secret": 40}') $$, 'files follow their lines');

CREATE FUNCTION expected(login text) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT count(*) || ' lines, ' || coalesce(sum(l.price) FILTER (WHERE g.role >= 'L30'), 0)
    FROM lines l JOIN orders o ON (o.branch, o.id) = (l.branch, l.order_id)
    JOIN entitle.external_access g USING (customer_id) JOIN entitle.app_user u USING (user_id)
    WHERE u.login = expected.login AND g.role >= 'L20'
      AND (g.days_back IS NULL OR o.placed_on >= (statement_timestamp() AT TIME ZONE 'UTC')::date - g.days_back)
    $$;
SELECT is(ask(login, 'SELECT count(*) || '' lines, '' || coalesce(sum(price), 0) FROM lines_view'), expected(login),
          format('R51: %s sees the lines of the orders that show, priced by the order''s customer', login))
FROM unnest(ARRAY['l20', 'l30', 'l10']) AS login;
SELECT is(ask(login, 'SELECT count(*) FROM lines'), split_part(expected(login), ' ', 1), format('R51: and %s as many in the table itself', login))
FROM unnest(ARRAY['l20', 'l30', 'l10']) AS login;
SELECT is(ask('staff', 'SELECT count(*) || '' '' || count(price) || '' '' || count(*) FILTER (WHERE masked_columns = ''{}'') FROM lines_view'), '24 24 24',
          'R36: by permission all shows');
SELECT is(ask(NULL, 'SELECT count(*) FROM lines_view'), '0', 'R1: nobody sees no line');
SELECT is(ask('l20', 'SELECT count(*) || '' '' || count(secret) FROM files_view'), split_part(expected('l20'), ' ', 1) || ' 0', 'R51: files two tables down');
SELECT is(ask('l20', 'SELECT count(*) FROM files'), split_part(expected('l20'), ' ', 1), 'R51: and in the table itself');
SELECT is(ask('staff', 'SELECT count(*) || '' '' || count(secret) FROM files_view'), '24 24', 'R51: what has no document shows to nobody');
SELECT is(ask('staff', 'SELECT count(*) FROM files'), '24', 'R51: nor in the table');

-- Writing.
SELECT is(do_as('l20', 'INSERT INTO lines_view (branch, order_id, line, item) VALUES (1, 2, 9, ''new'')'), 1::bigint, 'an outsider adds a line to an order that shows');
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO lines_view (branch, order_id, line, price) VALUES (1, 2, 8, 1)') $$, '42501', NULL, 'R37: without its price');
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO lines_view (branch, order_id, line) VALUES (1, 1, 8)') $$, '42501', NULL, 'S43: not to a hidden order');
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO lines (branch, order_id, line) VALUES (1, 1, 8)') $$, '42501', NULL, 'S43: nor in the table itself');
SELECT throws_ok($$ SELECT do_as('l20', 'INSERT INTO lines_view (branch, order_id, line) VALUES (9, 9, 9)') $$, '42501', NULL, 'S43: nor to none, which is told no other way');
SELECT throws_ok($$ SELECT do_as('l20', 'UPDATE lines_view SET item = ''x'' WHERE (branch, order_id, line) = (1, 2, 1)') $$, '42501', NULL, 'R3: a visible line is not updated');
SELECT throws_ok($$ SELECT do_as('l20', 'UPDATE lines SET item = ''x'' WHERE (branch, order_id, line) = (1, 2, 1)') $$, '42501',
                 'permission denied to update this row of table "lines"', 'R3: nor in the table itself');
SELECT throws_ok($$ SELECT do_as('staff', 'DELETE FROM lines WHERE (branch, order_id, line) = (1, 2, 1)') $$, '42501', NULL, 'R3: nor deleted');
SELECT is(do_as('l20', 'UPDATE lines SET item = ''x'' WHERE order_id = 1'), 0::bigint, 'R3: a hidden line is not there');
SELECT is(do_as('seller', 'UPDATE lines_view SET price = 5 WHERE (branch, order_id, line) = (1, 1, 1)'), 1::bigint, 'staff update through the view');
SELECT is(do_as('seller', 'UPDATE lines SET item = ''y'' WHERE (branch, order_id, line) = (1, 1, 1)'), 1::bigint, 'and in the table');
SELECT is(do_as('seller', 'DELETE FROM lines_view WHERE (branch, order_id, line) = (1, 2, 9)'), 1::bigint, 'and delete');
SELECT throws_ok($$ SELECT do_as('staff', 'TRUNCATE files') $$, '42501', NULL, 'S40: nobody truncates');

-- What is declared of an order changes what shows of its lines.
SELECT entitle.protect_table('orders', 'customer_id', min_level => 30, view_permission => 'customers.edit', masked_columns => '{"total": 30}');
SELECT is(ask('l20', 'SELECT count(*) FROM lines_view') || ' ' || ask('l20', 'SELECT count(*) FROM lines') || ' ' || ask('l20', 'SELECT count(*) FROM files_view'),
          '0 0 0', 'a new declaration of the parent reaches its lines and theirs');
SELECT is(ask('staff', 'SELECT count(*) FROM files_view') || ' ' || ask('seller', 'SELECT count(*) FROM files'), '0 24', 'permissions, too');
SELECT throws_ok($$ SELECT entitle.unprotect_table('orders') $$, '2BP01', NULL, 'a parent stays protected while lines follow it');

-- What cannot be a parent.
CREATE TABLE twice (id integer PRIMARY KEY, one_branch integer, one integer, two_branch integer, two integer,
                    FOREIGN KEY (one_branch, one) REFERENCES orders, FOREIGN KEY (two_branch, two) REFERENCES orders);
CREATE TABLE loose (id integer PRIMARY KEY, branch integer, order_id integer);
CREATE ROLE test_owner;
SELECT throws_ok(format('SELECT entitle.protect_table(%s)', arguments), state, NULL, what)
FROM (VALUES
    ('42830', 'a table without foreign key', $$ 'loose', parent => 'orders' $$),
    ('42830', 'a table with two', $$ 'twice', parent => 'orders' $$),
    ('42830', 'a column that is in none', $$ 'twice', 'id', parent => 'orders' $$),
    ('22023', 'a date of its own', $$ 'lines', date_column => 'item', parent => 'orders' $$),
    ('22023', 'a permission to view of its own', $$ 'lines', view_permission => 'customers.view', parent => 'orders' $$),
    ('22023', 'a level of its own', $$ 'lines', min_level => 40, parent => 'orders' $$),
    ('22023', 'a masked key', $$ 'lines', parent => 'orders', masked_columns => '{"order_id": 30}' $$)
) AS bad (state, what, arguments);
SELECT lives_ok($$ SELECT entitle.protect_table('twice', 'two', parent => 'orders') $$, 'a column chooses between two foreign keys');
SELECT entitle.unprotect_table('twice');
ALTER TABLE orders ADD COLUMN above_branch integer, ADD COLUMN above integer, ADD FOREIGN KEY (above_branch, above) REFERENCES orders;
SELECT throws_ok($$ SELECT entitle.protect_table('orders', parent => 'orders') $$, '22023', NULL, 'a table is not its own parent');
ALTER TABLE loose ADD FOREIGN KEY (branch, order_id) REFERENCES orders NOT VALID;
SELECT throws_ok($$ SELECT entitle.protect_table('loose', parent => 'orders') $$, '42830', NULL, 'a foreign key is validated first');
CREATE FUNCTION moving(actions text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE 'CREATE TABLE moving (id integer PRIMARY KEY, branch integer DEFAULT 1, order_id integer DEFAULT 1, FOREIGN KEY (branch, order_id) REFERENCES orders ' || actions || ')';
    PERFORM entitle.protect_table('moving', parent => 'orders');
    RAISE EXCEPTION USING ERRCODE = 'ZZ001';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(moving(actions), state, 'R54: a foreign key ' || actions)
FROM (VALUES ('ON DELETE SET DEFAULT', '42830'), ('ON UPDATE SET DEFAULT', 'ZZ001'), ('ON DELETE SET NULL ON UPDATE CASCADE', 'ZZ001')) AS v (actions, state);
CREATE TABLE turned (id integer PRIMARY KEY, branch integer, order_id integer, CONSTRAINT turned_key FOREIGN KEY (branch, order_id) REFERENCES orders);
SELECT entitle.protect_table('turned', parent => 'orders');
ALTER TABLE turned DROP CONSTRAINT turned_key, ADD CONSTRAINT turned_key FOREIGN KEY (branch, order_id) REFERENCES orders ON DELETE SET DEFAULT;
SELECT alike((SELECT problem FROM entitle.verify_protection() WHERE relation = 'turned'::regclass), 'the foreign key from % is ON DELETE SET DEFAULT%',
             'R54: one that became so later is named');
SELECT entitle.unprotect_table('turned');
ALTER TABLE loose OWNER TO test_owner;
SELECT throws_ok($$ ALTER TABLE loose VALIDATE CONSTRAINT loose_branch_order_id_fkey; SELECT entitle.protect_table('loose', parent => 'orders') $$, '42501', NULL,
                 'the owner of lines may read their document');

-- verify_protection: all well, then each change is harmless or named, and the remedy mends it.
CREATE FUNCTION problems() RETURNS SETOF text
    LANGUAGE sql AS $$ SELECT format('%s: %s', relation, problem) FROM entitle.verify_protection() $$;
CREATE FUNCTION mend() RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    remedy text;
BEGIN
    FOR remedy IN SELECT DISTINCT v.remedy FROM entitle.verify_protection() v LOOP
        EXECUTE remedy;
    END LOOP;
    RETURN QUERY SELECT problems();
END
$$;
-- orders has two more columns by now, which its view lacks
SELECT set_eq('SELECT problems()', $$ VALUES ('orders: column "above" is not in the filtered view "public.orders_view"'),
                                             ('orders: column "above_branch" is not in the filtered view "public.orders_view"') $$, 'S78: an added column is named');
SELECT throws_ok($$ SELECT ask('staff', 'SELECT above FROM orders') $$, '42501', NULL, 'S78: and closed until then');
SELECT is_empty('SELECT mend()', 'S78: and mended');
ALTER TABLE lines RENAME COLUMN price TO cost;
SELECT is(ask('l30', 'SELECT count(price) FROM lines_view') <> '0', true, 'a renamed column is masked as before');
SELECT set_eq('SELECT problems()', $$ VALUES ('lines: column "cost" is "price" in the filtered view "public.lines_view"') $$, 'a renamed column is named');
SELECT is_empty('SELECT mend()', 'and mended');
SELECT is(ask('l30', 'SELECT count(cost) FROM lines_view') <> '0', true, 'under its new name');
ALTER TABLE lines RENAME TO positions;
SELECT is_empty('SELECT problems()', 'a renamed table stays protected');
SELECT is(ask('l20', 'SELECT count(*) FROM lines_view'), ask('l20', 'SELECT count(*) FROM positions'), 'and its view shows it');
GRANT SELECT ON positions TO test_app;
SELECT set_eq('SELECT problems()', $$ VALUES ('positions: test_app may select masked columns of public.positions') $$, 'a privilege on masked columns is named');
SELECT is_empty('SELECT mend()', 'and narrowed');
ALTER VIEW lines_view RESET (security_barrier);
SELECT set_eq('SELECT problems()', $$ VALUES ('positions: the filtered view "public.lines_view" is no plain security barrier') $$, 'S46: a view that leaks is named');
SELECT is_empty('SELECT mend()', 'and mended');
CREATE OR REPLACE VIEW files_view WITH (security_barrier) AS SELECT f.*, '{}'::text[] AS masked_columns FROM files f;
SELECT set_eq('SELECT problems()', $$ VALUES ('files: the filtered view "public.files_view" is not as it was made') $$, 'another query in the view is named');
SELECT is_empty('SELECT mend()', 'and mended');
DROP VIEW files_view;
SELECT set_eq('SELECT problems()', $$ VALUES ('files: the filtered view, or the trigger that writes through it, is missing') $$, 'a dropped view is named');
SELECT is_empty('SELECT mend()', 'and made again');
ALTER TABLE files OWNER TO test_owner;
SELECT set_eq('SELECT problems()', $$ VALUES ('files: the filtered view "public.files_view" does not belong to the table''s owner') $$, 'another owner is named');
SELECT is_empty('SELECT mend()', 'and mended');
ALTER TABLE files DROP CONSTRAINT files_branch_order_id_line_fkey;
SELECT is((SELECT string_agg(p, ', ') FROM problems() p), 'files: table "public.files" has no such foreign key to "public.positions"', 'a lost foreign key is named');
SELECT is_empty('SELECT mend()', 'and the table let go');
SELECT lives_ok($$ SELECT entitle.unprotect_table('positions'), entitle.unprotect_table('orders') $$, 'all is unprotected');
SELECT is(count(*)::integer, 0, 'and nothing is left') FROM pg_class WHERE relname ~ '_view$' AND relnamespace = 'public'::regnamespace;

SELECT * FROM finish();
ROLLBACK;
