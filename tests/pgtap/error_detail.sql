-- S167: no error tells values of a row that its reader may not see: DETAIL of functions that run with other rights, and of writes
-- through filtered views, whether of constraints, generated columns or casts in them.
\ir setup.psql
SELECT no_plan();

-- Everything that an error says.
CREATE FUNCTION says(login text, command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    message text;
    detail text;
    hint text;
    context text;
BEGIN
    PERFORM do_as(login, command);
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    -- The context ends with the statement as its author wrote it.
    RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''), split_part(context, 'SQL statement "' || command, 1));
END
$$;

INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'admin'), (102, 'owner'), (103, 'sales'), (104, 'guest');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (103, 1, 6);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, notes) VALUES (1, 'a', 'a', '1', 'SECRET'), (2, 'b', 'b', '2', 'SECRET');
INSERT INTO entitle.external_access (customer_id, user_id, role, notes) VALUES (1, 101, 'L80', 'SECRET'), (1, 102, 'L90', 'SECRET'), (1, 104, 'L20', 'SECRET');
INSERT INTO entitle.client_metric (metric_id, name) VALUES (101, 'pays');
INSERT INTO entitle.customer_metric VALUES (1, 101, 50);
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;
GRANT SELECT (customer_id, user_id, role), UPDATE, INSERT, DELETE ON entitle.external_access TO test_app;
GRANT SELECT (customer_id), UPDATE ON entitle.customer TO test_app;
-- A constraint of the DBA's own, which fails after all checks of the extension.
ALTER TABLE entitle.external_access ADD CONSTRAINT short_window CHECK (days_back < 1000), ADD CONSTRAINT not_40 CHECK (role <> 'L40');
ALTER TABLE entitle.customer ADD CONSTRAINT stays CHECK (customer_id <> 2 OR status <> 'INAC');
ALTER TABLE entitle.customer_metric ADD CONSTRAINT not_7 CHECK (value <> 7);
SELECT is(says(login, command) LIKE '%SECRET%' OR says(login, command) LIKE '%Failing row%' OR says(login, command) LIKE '%Key (%', false, format('S167: %s: %s', login, command))
FROM (VALUES ('guest', 'SELECT entitle.grant_access(1, ''guest'', NULL)'), ('guest', 'SELECT entitle.grant_access(1, ''guest'', ''L10'', 5000)'),
             ('guest', 'SELECT entitle.grant_access(1, ''guest'', ''nonsense'')'), ('guest', 'SELECT entitle.grant_access(1, ''guest'', ''L10'', -1)'),
             ('admin', 'SELECT entitle.grant_access(1, ''guest'', ''L40'', 5)'), ('admin', 'SELECT entitle.grant_access(1, ''sales'', NULL)'),
             ('admin', 'SELECT entitle.grant_access(NULL, ''sales'')'), ('sales', 'SELECT entitle.deactivate_customer(2)'),
             ('sales', 'SELECT entitle.set_metric_value(1, ''pays'', 7)'), ('sales', 'SELECT entitle.set_metric_value(1, ''pays'', 101)'),
             ('sales', 'SELECT entitle.set_metric_value(1, ''pays'', ''NaN'')'), ('sales', 'SELECT entitle.reactivate_customer(2)'),
             ('guest', 'UPDATE entitle.external_access SET role = NULL WHERE user_id = 104'), ('guest', 'UPDATE entitle.external_access SET days_back = 5000'),
             ('admin', 'UPDATE entitle.external_access SET role = ''L40'' WHERE user_id = 104'), ('admin', 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (1, 104)'),
             ('sales', 'UPDATE entitle.customer SET status = ''INAC'''), ('sales', 'UPDATE entitle.customer SET customer_id = 2')) AS v (login, command);
SELECT alike(says('admin', 'SELECT entitle.grant_access(1, ''sales'', ''L10'', 5000)'), '23514 | new row for relation "external_access" violates check constraint "short_window"%',
             'what was broken is told as ever');

-- Through filtered views
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, quantity integer, code text, price text, total integer,
                     CONSTRAINT cheap CHECK (total < 900 AND quantity < 1000), CONSTRAINT pair UNIQUE (quantity, price),
                     joined integer GENERATED ALWAYS AS (CASE code WHEN 'x' THEN (code || price)::integer WHEN 'y' THEN total * 100000000 END) STORED,
                     CHECK (code <> 'z' OR to_tsvector(('w' || price)::regconfig, code) IS NOT NULL),
                     CHECK (code <> 'c' OR to_tsvector(price::regconfig, code) IS NOT NULL),
                     CHECK (code <> 's' OR ('w' || price)::regnamespace IS NOT NULL),
                     CHECK (code <> 'd' OR has_database_privilege(price, 'CONNECT')));
CREATE TABLE limits (quantity integer, price text, PRIMARY KEY (quantity, price));
INSERT INTO limits VALUES (1, '777'), (2, '778'), (4, '777'), (5, '777');
INSERT INTO orders VALUES (1, 1, 1, 'a', '777', 777), (2, 1, 2, 'a', '778', 778), (3, 1, 4, 'a', '777', 777);
ALTER TABLE orders ADD FOREIGN KEY (quantity, price) REFERENCES limits;
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.code = 'w' THEN RAISE EXCEPTION 'not w, please' USING ERRCODE = '22023'; END IF; RETURN NEW; END $$;
CREATE TRIGGER shout BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION shout();
SET LOCAL client_min_messages = error;
SELECT entitle.protect_table('orders', customer_column => 'customer_id', external_update_level => 20, external_insert_level => 20,
                             masked_columns => '{"price": 40, "total": 40, "joined": 40}') \g /dev/null
SET LOCAL client_min_messages = warning;
GRANT SELECT, INSERT, UPDATE ON orders_view TO test_app;
UPDATE entitle.external_access SET days_back = NULL WHERE user_id = 104;
SELECT collect_tap(is(left(says('guest', command), 5), state, format('%s is refused with %s', command, state)),
                   is(says('guest', command) ~ '77[78]', false, format('S167: and tells no masked value: %s', command)))
FROM (VALUES ('UPDATE orders_view SET quantity = 1000 WHERE id = 1', '23514'), ('UPDATE orders_view SET quantity = 1 WHERE id = 3', '23505'),
             ('UPDATE orders_view SET quantity = 9 WHERE id = 1', '23503'), ('UPDATE orders_view SET code = ''x'' WHERE id = 1', '22P02'),
             ('UPDATE orders_view SET code = ''y'' WHERE id = 1', '22003'), ('UPDATE orders_view SET id = NULL WHERE id = 1', '23502'),
             ('INSERT INTO orders_view (id, customer_id) VALUES (1, 1)', '23505')) AS v (command, state);
SELECT alike(says('guest', 'UPDATE orders_view SET code = ''w'' WHERE id = 1'), '22023 | not w, please%', 'what a trigger of the table''s says is told');

-- Past the view, by whoever was granted columns of the table that are not masked; what stands around the statement is the writer's
-- own text, and makes no difference.
GRANT SELECT (id), INSERT (id, customer_id, code), UPDATE (id, code) ON orders TO test_app;
SELECT collect_tap(is(left(says('guest', command), 5), state, format('%s is refused with %s', command, state)),
                   is(says('guest', command) ~ '77[78]', false, format('S167: and tells no masked value: %s', command)))
FROM (VALUES ('UPDATE orders SET code = ''x'' WHERE id = 1', '22P02'), ('UPDATE orders SET code = ''y'' WHERE id = 1', '22003'),
             ('WITH o AS (UPDATE orders SET code = ''x'' WHERE id = 1) SELECT', '22P02'), ('UPDATE orders SET code = ''z'' WHERE id = 1', '42704'),
             ('UPDATE orders SET code = ''c'' WHERE id = 1', 'XX000'), ('UPDATE orders_view SET code = ''c'' WHERE id = 1', 'XX000'),
             ('UPDATE orders SET code = ''s'' WHERE id = 1', '3F000'), ('UPDATE orders_view SET code = ''s'' WHERE id = 1', '3F000'),
             ('UPDATE orders SET code = ''d'' WHERE id = 1', '3D000'), ('UPDATE orders_view SET code = ''d'' WHERE id = 1', '3D000'),
             (E'UPDATE orders SET code = ''x'' WHERE id = 1 -- RAISE\n', '22P02'), (E'UPDATE orders_view SET code = ''x'' WHERE id = 1 -- RAISE\n', '22P02'),
             (E'DO $do$ BEGIN EXECUTE E''UPDATE orders SET code = $$x$$ WHERE id = 1 -- at RAISE\\n''; END $do$', '22P02'),
             ('DO $do$ BEGIN UPDATE orders SET code = ''z'' WHERE id = 1; END $do$', '42704')) AS v (command, state);
SELECT alike(says('guest', 'UPDATE orders SET code = ''w'' WHERE id = 1'), '22023 | not w, please%', 'what a trigger of the table''s says is told');

-- A trigger that finds no row would list its variables to whoever asks PL/pgSQL for them.
CREATE FUNCTION pick() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    price text := NEW.price;
    found integer;
BEGIN
    IF NEW.code = 'p' THEN
        SELECT 1 INTO STRICT found FROM pg_class WHERE relname = price;
    ELSIF NEW.code = 'q' THEN
        SELECT 1 INTO STRICT found FROM pg_class WHERE relname <> price;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER pick BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION pick();
SET LOCAL plpgsql.print_strict_params = on;
SELECT collect_tap(is(left(says('guest', command), 5), state, format('%s is refused with %s', command, state)),
                   is(says('guest', command) ~ '77[78]', false, format('S206: and tells no variable: %s', command)))
FROM (VALUES ('UPDATE orders SET code = ''p'' WHERE id = 1', 'P0002'), ('UPDATE orders_view SET code = ''p'' WHERE id = 1', 'P0002'),
             ('UPDATE orders SET code = ''q'' WHERE id = 1', 'P0003'), ('UPDATE orders_view SET code = ''q'' WHERE id = 1', 'P0003'))
     AS v (command, state);
SELECT alike(says('guest', 'UPDATE orders_view SET code = ''w'' WHERE id = 1'), '22023 | not w, please%', 'what a trigger of the table''s says is told');

SELECT * FROM finish();
ROLLBACK;
