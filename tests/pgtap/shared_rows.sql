-- Rows without customer are shared with every signed-in user where that is declared, and are nobody's to write by external access; external
-- users delete at a level; parent_key says by which of several foreign keys a line knows its document (R33, R36, R51, R54).
\ir error_of.psql
\ir plan_of.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (101, 'staff', true), (102, 'seller', true), (103, 'l30', true), (104, 'l80', true), (105, 'stranger', true), (106, 'gone', false);
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7), (102, 1, 5);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1'), (102, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
VALUES (101, 103, 'L30', 30), (101, 104, 'L80', 30), (102, 104, 'L30', NULL);

CREATE TABLE articles (id integer PRIMARY KEY, customer_id bigint, since date, title text, cost numeric);
INSERT INTO articles VALUES (1, 101, current_date, 'own', 10), (2, 102, current_date, 'other', 20), (3, NULL, '2000-01-01', 'shared', 30),
                            (4, NULL, NULL, 'shared', 40), (5, 999, current_date, 'of no known customer', 50), (6, 101, '2000-01-01', 'old', 60);
GRANT SELECT, INSERT, UPDATE, DELETE ON articles TO test_app;
SELECT entitle.protect_table('articles', 'customer_id', 'since', view_permission => 'customers.view', update_permission => 'customers.edit',
                             insert_permission => 'customers.edit', delete_permission => 'customers.edit', external_insert_level => 30,
                             external_update_level => 30, external_delete_level => 80, shared_rows => true, masked_columns => '{"cost": 30}');

SELECT is(ask(login, 'SELECT coalesce(string_agg(id || coalesce('' '' || cost, ''''), '', '' ORDER BY id), ''none'') FROM articles_view'), rows,
          format('%s sees %s', coalesce(login, 'nobody'), rows))
FROM (VALUES ('staff', '1 10, 2 20, 3 30, 4 40, 5 50, 6 60'), ('l30', '1 10, 3, 4'), ('stranger', '3, 4'), ('l80', '1 10, 2 20, 3, 4'), (NULL, 'none'))
     AS v (login, rows);
SELECT is(ask(login, 'SELECT coalesce(string_agg(id::text, '', '' ORDER BY id), ''none'') FROM articles'), rows,
          format('%s sees %s in the table itself', coalesce(login, 'nobody'), rows))
FROM (VALUES ('staff', '1, 2, 3, 4, 5, 6'), ('l30', '1, 3, 4'), ('stranger', '3, 4'), (NULL, 'none')) AS v (login, rows);
SELECT is(ask('l80', 'SELECT string_agg(id::text, '', '' ORDER BY id) FROM articles', customer => 101), '1, 3, 4',
          'R45: a chosen customer narrows external access, and shared rows are of none');

-- A prepared statement's plan is kept, whoever asks; so is one whose user is switched off.
PREPARE shown AS SELECT count(*) FROM articles;
SET plan_cache_mode = force_generic_plan;
SELECT is(ask('stranger', 'EXECUTE shown') || ask(NULL, 'EXECUTE shown') || ask('l30', 'EXECUTE shown') || ask('staff', 'EXECUTE shown')
          || ask(NULL, 'EXECUTE shown'), '20360', 'S330: one plan, whoever runs it');
CREATE FUNCTION before_and_after() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before integer;
    after integer;
BEGIN
    PERFORM entitle.sign_in('stranger');
    SET LOCAL ROLE test_app;
    SELECT count(*) INTO before FROM articles;
    RESET ROLE;
    UPDATE entitle.app_user SET is_active = false WHERE user_id = 105;
    SET LOCAL ROLE test_app;
    SELECT count(*) INTO after FROM articles;
    RESET ROLE;
    UPDATE entitle.app_user SET is_active = true WHERE user_id = 105;
    PERFORM entitle.sign_out();
    RETURN before || ' ' || after;
END
$$;
SELECT is(before_and_after(), '2 0', 'S330: whoever is switched off sees no shared row at the next statement');
SELECT entitle.sign_in('stranger');
SET LOCAL ROLE test_app;
DECLARE open_cursor CURSOR FOR SELECT id FROM articles;
FETCH open_cursor;
RESET ROLE;
UPDATE entitle.app_user SET is_active = false WHERE user_id = 105;
SET LOCAL ROLE test_app;
SELECT throws_ok('FETCH open_cursor', '40001', NULL, 'S330: nor does a cursor that was opened before give one');
RESET ROLE;
CLOSE open_cursor;
UPDATE entitle.app_user SET is_active = true WHERE user_id = 105;
SELECT entitle.sign_out();

-- Writing.
SELECT is(error_of('l30', command), result, 'by external access: ' || command)
FROM (VALUES
    ('UPDATE articles SET title = ''mine'' WHERE id = 3', '42501 permission denied to update this row of table "articles"'),
    ('UPDATE articles_view SET title = ''mine'' WHERE id = 3', '42501 permission denied to update this row of "public.articles_view"'),
    ('DELETE FROM articles WHERE id = 3', '42501 permission denied to delete this row of table "articles"'),
    ('DELETE FROM articles WHERE id = 1', '42501 permission denied to delete this row of table "articles"'),
    ('DELETE FROM articles_view WHERE id = 1', '42501 permission denied to delete this row of "public.articles_view"'),
    ('INSERT INTO articles (id, customer_id) VALUES (9, NULL)', '42501 new row violates row-level security policy for table "articles"'),
    ('UPDATE articles SET customer_id = NULL WHERE id = 1', '42501 new row violates row-level security policy for table "articles"'),
    ('UPDATE articles SET customer_id = 101 WHERE id = 3', '42501 permission denied to update this row of table "articles"'),
    ('UPDATE articles SET title = ''mine'' WHERE id = 1', '1')) AS v (command, result);
SELECT is(error_of('l80', command), result, 'by external access that deletes: ' || command)
FROM (VALUES
    ('DELETE FROM articles WHERE id = 1', '1'),
    ('DELETE FROM articles_view WHERE id = 1', '1'),
    ('DELETE FROM articles WHERE id = 2', '42501 permission denied to delete this row of table "articles"'),
    ('DELETE FROM articles WHERE id IN (3, 4)', '42501 permission denied to delete this row of table "articles"'),
    ('DELETE FROM articles WHERE id IN (5, 6)', '0')) AS v (command, result);
SELECT is(error_of('stranger', 'DELETE FROM articles WHERE id = 1'), '0', 'R3: what does not show is not there');
SELECT is(error_of(NULL, 'DELETE FROM articles'), '0', 'R1: nobody deletes');
-- R54: who may delete at the new place and not at the old one gains by moving.
SELECT is(error_of('l80', 'UPDATE articles SET customer_id = 101 WHERE id = 2'), '42501 permission denied to move this row of table "articles"',
          'S331: a row does not come to where its writer may delete it');

-- Explanations say it.
SELECT is(ask('stranger', $$SELECT string_agg(gate || ' ' || passed, ', ' ORDER BY step) FROM entitle.explain_row('articles_view', '3') WHERE gate IN ('customer', 'external', 'mask', 'decision')$$),
          'customer true, external true, mask false, decision true', 'a shared row is explained');
SELECT alike(ask('stranger', $$SELECT string_agg(detail, '; ' ORDER BY step) FROM entitle.explain_row('articles_view', '3')$$),
            '%without customer, to every signed-in user%of no customer%it shows to every signed-in user%', 'in words');
SELECT alike(ask('stranger', $$SELECT string_agg(detail, '; ' ORDER BY step) FROM entitle.explain_row('articles_view', '5')$$),
            '%rows without customer show to every signed-in user%none that you may see;%', 'a row of an unknown customer is not shared');
SELECT is(ask('l80', $$SELECT string_agg(passed::text, ' ' ORDER BY n) FROM (VALUES (1, '1'), (2, '2'), (3, '3')) k (n, key),
              LATERAL entitle.explain_action('articles', k.key, 'delete') e WHERE e.gate = 'decision'$$), 'true false false', 'deletes are explained by their level');
SELECT is((SELECT passed FROM entitle.explain_row('articles', '3', 'gone') WHERE gate = 'decision'), false, 'R1: nor does one show to whom is switched off');
SELECT is(ask(NULL, $$SELECT passed::text FROM entitle.explain_row('articles', '3') WHERE gate = 'decision'$$), 'false', 'nobody is told of a shared row');

-- The same by brand, by other keys, and for lines of a shared document.
CREATE TABLE sheets (id integer PRIMARY KEY, brand_id bigint, code text, title text);
INSERT INTO sheets VALUES (1, 1, NULL, 'shared'), (2, NULL, NULL, 'shared'), (3, 1, 'no such code', 'hidden'), (4, 1, 'C101', 'own');
UPDATE entitle.customer SET customer_code = 'C101' WHERE customer_id = 101;
CREATE TABLE sheet_lines (id integer PRIMARY KEY, sheet_id integer, copied_from integer, what text,
                          CONSTRAINT of_sheet FOREIGN KEY (sheet_id) REFERENCES sheets,
                          CONSTRAINT of_source FOREIGN KEY (copied_from) REFERENCES sheets);
INSERT INTO sheet_lines VALUES (1, 1, 3, 'a'), (2, 3, 1, 'b'), (3, 4, 4, 'c');
GRANT SELECT, INSERT, UPDATE, DELETE ON sheets, sheet_lines TO test_app;
SELECT entitle.protect_table('sheets', 'code', brand_column => 'brand_id', view_permission => 'customers.view', shared_rows => true);
SELECT throws_ok($$ SELECT entitle.protect_table('sheet_lines', parent => 'sheets') $$, '42830', NULL, 'two keys lead to the parent');
SELECT entitle.protect_table('sheet_lines', parent => 'sheets', parent_key => 'of_sheet', external_update_level => 30, external_delete_level => 30);
SELECT is(ask(login, 'SELECT string_agg(id::text, '' '' ORDER BY id) FROM sheets') || ', ' || ask(login, 'SELECT string_agg(id::text, '' '' ORDER BY id) FROM sheet_lines')
          || ', ' || ask(login, 'SELECT string_agg(id::text, '' '' ORDER BY id) FROM sheet_lines_view'), rows, format('%s sees %s', login, rows))
FROM (VALUES ('stranger', '1 2, 1, 1'), ('l30', '1 2 4, 1 3, 1 3'), ('staff', '1 2 3 4, 1 2 3, 1 2 3')) AS v (login, rows);
SELECT is(error_of('l30', command), result, 'of lines: ' || command)
FROM (VALUES ('DELETE FROM sheet_lines WHERE id = 3', '1'), ('DELETE FROM sheet_lines_view WHERE id = 3', '1'),
             ('DELETE FROM sheet_lines WHERE id = 1', '42501 permission denied to delete this row of table "sheet_lines"'),
             ('DELETE FROM sheet_lines WHERE id = 2', '0')) AS v (command, result);
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as it was declared');

-- What was declared is kept by whatever repeats it.
SELECT entitle.protect_table('sheet_lines', parent => 'sheets', parent_key => 'of_source');
SELECT is(ask('stranger', 'SELECT string_agg(id::text, '' '' ORDER BY id) FROM sheet_lines'), '2', 'by the other key other lines show');
SELECT entitle.alter_protected('sheets', 'ADD COLUMN more text');
SELECT is((SELECT (shared_rows, parent_key)::text FROM entitle.protected_tables WHERE relation = 'sheets'::regclass)
          || (SELECT (external_delete_level, shared_rows, parent_key)::text FROM entitle.protected_tables WHERE relation = 'sheet_lines'::regclass),
          '(t,)(,f,of_source)', 'alter_protected repeats it');
ALTER TABLE sheet_lines RENAME CONSTRAINT of_sheet TO of_nothing;
ALTER TABLE sheet_lines RENAME CONSTRAINT of_source TO of_sheet;
SELECT is((SELECT count(*) FROM entitle.verify_protection() WHERE relation = 'sheet_lines'::regclass
           AND remedy LIKE '%parent_key => ''of_sheet''%'), 1::bigint, 'a renamed key is told');
DO $$ BEGIN EXECUTE (SELECT string_agg(DISTINCT remedy, ' ') FROM entitle.verify_protection()); END $$;
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'and mended by its remedy');
SELECT is(ask('stranger', 'SELECT string_agg(id::text, '' '' ORDER BY id) FROM sheet_lines'), '2', 'the same lines show');
SELECT throws_ok(format('SELECT entitle.protect_table(%s)', arguments), state, NULL, 'refused: ' || arguments)
FROM (VALUES
    ($$'articles', view_permission => 'customers.view', external_delete_level => 80$$, '22023'),
    ($$'articles', view_permission => 'customers.view', shared_rows => true$$, '22023'),
    ($$'articles', 'customer_id', shared_rows => NULL$$, '22023'),
    ($$'articles', 'customer_id', external_delete_level => 70$$, '22023'),
    ($$'articles', 'customer_id', parent_key => 'of_sheet'$$, '22023'),
    ($$'sheet_lines', parent => 'sheets', parent_key => 'none'$$, '42830'),
    ($$'sheet_lines', parent => 'sheets', parent_key => 'of_sheet', shared_rows => true$$, '22023')) AS v (arguments, state);

-- The planner takes a shared table's test apart: an index finds each half.
INSERT INTO articles SELECT i, CASE WHEN i % 1000 > 0 THEN 1000 + i END, NULL, 'many', 1 FROM generate_series(1000, 20000) AS i;
CREATE INDEX ON articles (customer_id);
ANALYZE articles;
SELECT alike(plan_of('l30', 'SELECT * FROM articles_view'), '%BitmapOr%customer_id IS NULL%accessible_customers(10)%', 'for an outsider a bitmap of both');
SELECT unalike(plan_of('staff', 'SELECT * FROM articles_view'), '%shared_row_allowed%', 'staff are asked nothing');
SELECT is(ask('l30', 'SELECT count(*) FROM articles_view'), '23', 'and the rows are the same');
SELECT * FROM finish();
ROLLBACK;
