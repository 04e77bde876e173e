-- explain_row tells why a row shows or not: declared or not, by permission, by external access, each gate; a hidden row and a
-- missing one give the same answer to whoever may not know the difference.
\ir setup.psql
\ir explained.psql
SELECT no_plan();
SET LOCAL entitle.time_zone = 'UTC';

INSERT INTO entitle.app_user (user_id, login) VALUES
    (1, 'staff'), (2, 'l20'), (3, 'l30'), (4, 'ended'), (5, 'manager'), (6, 'stranger'), (7, 'admin'), (8, 'blind manager'), (9, 'clerk');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'access manager'), (102, 1, 'access only');
INSERT INTO entitle.permission (permission_key) VALUES ('orders.view');
INSERT INTO entitle.role_permission VALUES
    (101, 'customers.view'), (101, 'external_access.manage'), (101, 'orders.view'),
    (102, 'customers.view'), (102, 'external_access.manage');
INSERT INTO entitle.role_permission SELECT role_id, 'orders.view' FROM entitle.role WHERE name = 'sales';
INSERT INTO entitle.membership (user_id, brand_id, role_id)
SELECT v.user_id, 1, r.role_id
FROM (VALUES (1, 'sales'), (5, 'access manager'), (8, 'access only'), (9, 'read-only')) AS v (user_id, role)
JOIN entitle.role r ON r.name = v.role;
INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id) VALUES
    (1, 'one', 'a', 'a', '1'), (2, 'two', 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_until) VALUES
    (1, 2, 'L20', 30, NULL), (1, 3, 'L30', NULL, NULL), (2, 3, 'L10', NULL, NULL), (1, 4, 'L30', NULL, '2020-01-01'), (1, 7, 'L80', NULL, NULL);

CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint, brand_id bigint, placed_on date);
INSERT INTO orders VALUES
    (1, 1, 1, now() AT TIME ZONE 'UTC'), (2, 1, 1, now() AT TIME ZONE 'UTC' - interval '40 days'), (3, 2, 1, now() AT TIME ZONE 'UTC'),
    (4, 1, 1, NULL), (5, NULL, NULL, now() AT TIME ZONE 'UTC');
SELECT entitle.protect_table('orders', customer_column => 'customer_id', date_column => 'placed_on', brand_column => 'brand_id',
                             min_level => 20, view_permission => 'orders.view') \g /dev/null
GRANT SELECT ON orders TO test_app;

-- As a superuser, who may know everything.
CREATE FUNCTION told(relation regclass, key text, login text) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT string_agg(CASE WHEN passed THEN '' ELSE '-' END || gate, ' ' ORDER BY step) FROM entitle.explain_row(relation, key, login)
    $$;

-- Why it shows or not
SELECT is(told('orders', '1', 'staff'), 'protection row identity membership module plan permission staff decision', 'R36: by permission');
SELECT is(told('orders', '1', 'l20'), 'protection row identity -membership -staff identity customer validity level window external decision',
          'R34: by external access, once the permission was refused');
SELECT is(told('orders', '2', 'l20'), 'protection row identity -membership -staff identity customer validity level -window -external -decision',
          'R38: a date before the window');
SELECT matches((SELECT detail FROM entitle.explain_row('orders', '2', 'l20') WHERE gate = 'window'),
               '^the row''s date \d{4}-\d\d-\d\d; 30 days back begin on \d{4}-\d\d-\d\d$', 'R38: the cut-off stands against the row''s date');
SELECT matches((SELECT detail FROM entitle.explain_row('orders', '4', 'l20') WHERE gate = 'window'), '^the row has no date', 'R38: a row with no date');
SELECT matches((SELECT detail FROM entitle.explain_row('orders', '3', 'l30') WHERE gate = 'level'), '^needs L20, the grant is L10$',
               'R35: the level needed stands against the level had');
SELECT is(told('orders', '1', 'stranger'), 'protection row identity -membership -staff identity -customer -external -decision', 'R34: no grant');
SELECT matches((SELECT detail FROM entitle.explain_row('orders', '1', 'ended') WHERE gate = 'validity'), '^the grant ended on 2020-01-01', 'R40: an ended grant');
SELECT is(told('orders', '5', 'l30'), 'protection row -membership -staff -customer -external -decision', 'R52: a row with neither brand nor customer');
SELECT is(told('orders', '99', 'l20'), 'protection -row -decision', 'a superuser is told that there is no such row');
SELECT is(told('orders', '1', 'no such user'), 'protection -identity -decision', 'a superuser is told that there is no such user');
SELECT is(told('entitle.customer', '1', 'clerk'), 'protection row identity membership module plan permission staff decision',
          'the model''s customers are explained too');
SELECT is(told('entitle.customer_profile', '1', 'l20') ~ 'level external decision$', true, 'and their profile, by external access');
SELECT is(told('entitle.customer', '1', 'l20') ~ '-external -decision$', true, 'but the table shows to permissions only');
CREATE TABLE plain (id integer PRIMARY KEY);
SELECT is(told('plain', '1', 'l20'), 'protection decision', 'a table that is not protected says so');

-- R45: the chosen customer, in one's own view
SELECT entitle.sign_in('l30'), entitle.use_customer(2) \g /dev/null
SELECT is((SELECT string_agg(detail, '; ') FROM entitle.explain_row('orders', '1') WHERE gate = 'customer'),
          'customer 2 is chosen, so no other customer''s grant counts', 'R45: the chosen customer is told');
SELECT entitle.use_customer(NULL), entitle.sign_out() \g /dev/null

-- Oneself: what shows is explained, what does not is as if it were not
SELECT is(gates('l20', 'explain_row(''orders'', ''1'')'),
          'protection row identity -membership -staff identity customer validity level window external decision', 'one''s own row is explained');
SELECT is(details('l20', format('explain_row(''orders'', %L)', hidden)), details('l20', 'explain_row(''orders'', ''99'')'),
          format('R3: hidden row %s is told as a missing one', hidden))
FROM unnest(ARRAY['2', '3', '4', '5']) AS hidden;
SELECT matches(details('l20', 'explain_row(''orders'', ''99'')'), 'it is held in no brand; rows show by external access from L20',
               'what is the same for every row is told all the same');
SELECT is(details(NULL, 'explain_row(''orders'', ''1'')'), details(NULL, 'explain_row(''orders'', ''99'')'), 'R1: nobody learns of no row');

-- Another user: who sees the row and manages its customer
SELECT is(gates(asker, 'explain_row(''orders'', ''2'', ''l20'')'), replace(told('orders', '2', 'l20'), ' -decision', ' privilege -decision'),
          format('R41: %s is told in full, but of places elsewhere (S520)', asker))
FROM unnest('{manager,admin}'::text[]) AS asker;
SELECT is(details('admin', 'explain_row(''orders'', ''3'', ''l30'')'), details('admin', 'explain_row(''orders'', ''99'', ''l30'')'),
          'but learns nothing of other customers'' rows');
SELECT is(details(asker, format('explain_row(''orders'', ''2'', %L)', 'l20')), details(asker, 'explain_row(''orders'', ''99'', ''l20'')'),
          asker || ' does not see the row, so it is as if it were not')
FROM unnest(ARRAY['blind manager', 'stranger', 'clerk']) AS asker;
SELECT is(replace(details(asker, format('explain_row(''orders'', ''1'', %L)', login)), login, 'X'),
          replace(details(asker, 'explain_row(''orders'', ''1'', ''no such user'')'), 'no such user', 'X'),
          format('%s cannot tell %s from a user that does not exist', asker, login))
FROM (VALUES ('staff', 'l20'), ('staff', 'manager'), ('l30', 'l20'), ('admin', 'stranger'), ('manager', 'stranger')) AS v (asker, login);

-- Writes: asked of those to whom the row shows
CREATE TABLE papers (id integer PRIMARY KEY, customer_id bigint);
INSERT INTO papers VALUES (1, 1), (2, 2);
SELECT entitle.protect_table('papers', customer_column => 'customer_id', view_permission => 'orders.view', update_permission => 'customers.edit',
                             external_update_level => 30) \g /dev/null
GRANT SELECT, UPDATE, DELETE ON papers TO test_app;
CREATE FUNCTION told_write(key text, login text, action text) RETURNS text
    LANGUAGE sql
    AS $$ SELECT detail || ': ' || passed FROM entitle.explain_action('papers', key, action, login) ORDER BY step DESC LIMIT 1 $$;
SELECT is(told_write('1', v.login, v.action), v.expected, format('%s: %s of row 1', v.login, v.action))
FROM (VALUES ('l20', 'select', 'allowed: true'), ('l20', 'update', 'denied at gate "level": false'), ('l30', 'update', 'allowed: true'),
             ('l30', 'delete', 'denied at gate "permission": false'), ('staff', 'update', 'allowed: true'),
             ('clerk', 'update', 'denied at gate "permission" by permission, and at gate "customer" by external access: false')) AS v (login, action, expected);
SELECT is(details('l20', 'explain_action(''papers'', ''2'', ''update'')'), details('l20', 'explain_action(''papers'', ''99'', ''update'')'),
          'R3: a write of a hidden row is told as one of a missing row');
SELECT is(ask('l20', 'SELECT passed FROM entitle.explain_action(''papers'', ''1'', ''update'') ORDER BY step DESC LIMIT 1'), 'false',
          'one''s own refused write is explained');
SELECT throws_ok($$ SELECT entitle.explain_action('papers', '1', 'insert') $$, '22023', NULL, 'a row is not there before it is inserted');
CREATE FUNCTION hint_of(login text, command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    hint text;
BEGIN
    PERFORM do_as(login, command);
    RETURN 'done';
EXCEPTION
    WHEN insufficient_privilege THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        RETURN hint;
END
$$;
SELECT is(hint_of('l20', v.command), 'The row may be read, but not written, by the signed-in user. To see why: SELECT * FROM '
          || format('entitle.explain_action(''public.papers'', key, %L).', v.action), 'a refused ' || v.action || ' names the call that explains it')
FROM (VALUES ('UPDATE papers SET id = 3 WHERE id = 1', 'update'), ('DELETE FROM papers WHERE id = 1', 'delete')) AS v (command, action);

-- Masked columns, and lines that follow their document
CREATE TABLE bill (a integer, b integer, customer_id bigint, billed_on date, total numeric, PRIMARY KEY (a, b));
CREATE TABLE bill_line (line_id uuid PRIMARY KEY, b bigint, a bigint, price numeric, cost numeric, FOREIGN KEY (a, b) REFERENCES bill);
CREATE TABLE bill_note (note_id integer PRIMARY KEY, line_id uuid REFERENCES bill_line);
INSERT INTO bill VALUES (1, 1, 1, now() AT TIME ZONE 'UTC', 10), (1, 2, 1, now() AT TIME ZONE 'UTC' - interval '40 days', 20), (2, 1, 2, now(), 30);
INSERT INTO bill_line SELECT md5(a || ':' || b)::uuid, b, a, total, 1 FROM bill;
INSERT INTO bill_line VALUES (md5('none')::uuid, NULL, NULL, 5, 1);
INSERT INTO bill_note SELECT row_number() OVER (ORDER BY a, b), line_id FROM bill_line;
SELECT entitle.protect_table('bill', customer_column => 'customer_id', date_column => 'billed_on', min_level => 20, view_permission => 'orders.view',
                             masked_columns => '{"total": 30}'),
       entitle.protect_table('bill_line', parent => 'bill', masked_columns => '{"price": 30, "cost": 40}', update_permission => 'customers.edit'),
       entitle.protect_table('bill_note', parent => 'bill_line') \g /dev/null
GRANT SELECT ON bill_view, bill_line_view, bill_note TO test_app;
GRANT SELECT (a, b, customer_id, billed_on) ON bill TO test_app;
GRANT SELECT (line_id, a, b) ON bill_line TO test_app;
CREATE FUNCTION masks(relation regclass, key text, login text) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT coalesce(string_agg(CASE WHEN gate = 'mask' THEN detail WHEN passed THEN 'shown' ELSE 'hidden' END, '; ' ORDER BY step), '')
    FROM entitle.explain_row(relation, key, login) WHERE gate IN ('mask', 'decision')
    $$;
SELECT is(masks('bill', '{"a": 1, "b": 1}', 'l20'), '"total" is masked: by external access it needs L30; shown', 'R36: a masked column is told with its level');
SELECT is(masks('bill_view', '{"a": 1, "b": 1}', 'l30'), '"total" shows; by external access it needs L30; shown', 'R36: and one that shows; the view is explained, too');
SELECT is(masks('bill', '{"a": 1, "b": 2}', 'l20'), 'hidden', 'R38: of a row that does not show no mask is told');
SELECT is(masks('bill_line', md5('1:1')::uuid::text, 'l30'),
          '"price" shows; by external access it needs L30; "cost" is masked: by external access it needs L40; shown',
          'R51: a line''s masks use its document''s customer');
SELECT is(masks('bill_line', md5('1:1')::uuid::text, 'staff'),
          '"price" shows; by external access it needs L30; "cost" shows; by external access it needs L40; shown', 'R36: by permission a row shows whole');
SELECT is(masks('bill_line', md5('none')::uuid::text, 'staff'), 'hidden', 'R51: a line without document does not show');
SELECT is((SELECT detail FROM entitle.explain_row('bill_note', '1', 'l20') WHERE gate = 'protection'),
          'table public.bill_note is protected: rows show with the row of public.bill_line that they refer to', 'R51: the parent is told');
-- Every one of these rows as SELECT shows it, column by column
CREATE FUNCTION shown_and_told(relation text, key text, login text, OUT shown text, OUT told text)
    LANGUAGE plpgsql
    AS $$
DECLARE
    question CONSTANT text := format('SELECT coalesce((SELECT %s FROM %s v WHERE %s = %L), ''hidden'')',
        CASE relation WHEN 'bill_note' THEN '''shown''' ELSE '''shown '' || masked_columns::text' END,
        CASE relation WHEN 'bill_note' THEN relation ELSE relation || '_view' END,
        CASE relation WHEN 'bill' THEN 'jsonb_build_object(''a'', a, ''b'', b)::text' WHEN 'bill_line' THEN 'line_id::text' ELSE 'note_id::text' END, key);
BEGIN
    shown := ask(login, question);
    SELECT CASE WHEN NOT bool_or(passed) FILTER (WHERE gate = 'decision') THEN 'hidden' WHEN relation = 'bill_note' THEN 'shown'
                ELSE 'shown ' || coalesce(array_agg(substring(detail FROM '"(.*)"') ORDER BY step) FILTER (WHERE gate = 'mask' AND NOT passed), '{}')::text END
    INTO told FROM entitle.explain_row(relation::regclass, key, login);
END
$$;
SELECT is(c.told, c.shown, format('R36, R51: %s %s of %s is told as it shows (%s)', r.relation, left(r.key, 20), login, c.shown))
FROM (SELECT 'bill' AS relation, jsonb_build_object('a', a, 'b', b)::text AS key FROM bill
      UNION ALL SELECT 'bill_line', line_id::text FROM bill_line
      UNION ALL SELECT 'bill_note', note_id::text FROM bill_note) r,
     unnest(ARRAY['staff', 'l20', 'l30', 'ended', 'admin', 'stranger']) AS login,
     shown_and_told(r.relation, r.key, login) c;
SELECT is(details('l20', format('explain_row(''bill_line_view'', %L)', md5('1:2')::uuid)), details('l20', format('explain_row(''bill_line_view'', %L)', md5('?')::uuid)),
          'R3: a hidden line is told as a missing one');
SELECT is((SELECT passed FROM entitle.explain_action('bill_line', md5('1:1')::uuid::text, 'update', login) ORDER BY step DESC LIMIT 1), expected,
          format('%s: update of a line', login))
FROM (VALUES ('staff', true), ('l30', false)) AS v (login, expected);

-- Keys and tables
SELECT throws_ok($$ SELECT ask('l20', 'SELECT detail FROM entitle.explain_row(''plain_orders'', ''1'')') $$, '42P01', NULL, 'a table that does not exist is PostgreSQL''s error');
CREATE TABLE closed (id integer PRIMARY KEY, customer_id bigint);
SELECT entitle.protect_table('closed', customer_column => 'customer_id') \g /dev/null
SELECT throws_ok($$ SELECT ask('l20', 'SELECT detail FROM entitle.explain_row(''closed'', ''1'')') $$, '42501', NULL, 'a table without the SELECT privilege is not explained');
CREATE TABLE keyless (customer_id bigint);
SELECT entitle.protect_table('keyless', customer_column => 'customer_id') \g /dev/null
SELECT throws_ok($$ SELECT entitle.explain_row('keyless', '1') $$, '55000', NULL, 'a table without a primary key is refused');
CREATE DOMAIN code AS varchar(20) CHECK (VALUE <> 'boom');
CREATE TABLE lines (code code, line smallint, customer_id text, PRIMARY KEY (line, code)) PARTITION BY LIST (line);
CREATE TABLE lines_1 PARTITION OF lines FOR VALUES IN (1);
CREATE TABLE lines_2 PARTITION OF lines FOR VALUES IN (2);
INSERT INTO lines VALUES ('a', 1, 'one'), ('b, "c"', 2, 'two');
SELECT entitle.protect_table('lines', customer_column => 'customer_id') \g /dev/null
SELECT is(told('lines', '{"line": 2, "code": "b, \"c\""}', 'l30') ~ 'external decision$', true, 'a key of several columns is a JSON object; partitions are searched');
SELECT is(told('lines', '{"line": 2, "code": "b, \"c\""}', 'l20') ~ '-external -decision$', true, 'and hidden from who has no grant');
SELECT is(told('lines_1', '{"line": 1, "code": "a"}', 'l20') ~ 'external decision$', true, 'a partition is explained by its root''s declaration');
SELECT is(told('lines', '{"line": 1, "code": "boom"}', 'l20'), 'protection -row -decision', 'a domain''s checks are not run');
SELECT is(told('lines', '{"line": 1, "code": null}', 'l20'), 'protection -row -decision', 'a NULL in a key finds nothing');
SELECT throws_like(format('SELECT * FROM entitle.explain_row(''lines'', %L)', key), '%has 2 columns', format('a key of two columns is not %L', key))
FROM unnest(ARRAY['1', '{"line": 1}', '1,a', '', '[1]']) AS key;

-- What cannot be told truly is refused
SELECT is(told(NULL, '1', 'l20'), '-protection -decision', 'no table shows nothing');
SELECT is(told('orders', NULL, 'l20'), 'protection -row -decision', 'no key finds nothing');
SELECT throws_ok($$ SELECT * FROM entitle.explain_action('entitle.customer', '1', 'update') $$, '0A000', NULL, 'writes of the model''s own tables obey rules that are no declaration');
SELECT is(told('entitle.customer', '1', 'staff') ~ 'staff decision$', true, 'reads of it are explained');
SELECT throws_ok($$ SELECT * FROM entitle.explain_action('orders', '1', 'insert') $$, '22023', NULL, 'a row that is not there yet has no explanation');
SELECT throws_ok($$ SELECT * FROM entitle.explain_action('orders', '1', NULL) $$, '22023', NULL, 'nor has no action');
ALTER TABLE orders RENAME placed_on TO ordered_on;
SELECT throws_ok($$ SELECT * FROM entitle.explain_row('orders', '1') $$, '55000', NULL, 'a declared column that was renamed is not taken for NULL');
SELECT throws_ok($$ SELECT * FROM entitle.explain_row('orders', '99') $$, '55000', NULL, 'R3: whether or not there is such a row');
ALTER TABLE bill_line RENAME price TO cost_price;
SELECT throws_ok(format('SELECT * FROM entitle.explain_row(''bill_line'', %L)', md5('1:1')::uuid), '55000', NULL, 'nor is a masked column left out');
ALTER TABLE bill_note DROP CONSTRAINT bill_note_line_id_fkey;
SELECT throws_ok($$ SELECT * FROM entitle.explain_row('bill_note', '1') $$, '55000', NULL, 'a line without its foreign key leads to no document');

SELECT finish();
ROLLBACK;
