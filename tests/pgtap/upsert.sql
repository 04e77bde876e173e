-- INSERT ... ON CONFLICT and MERGE on filtered views and on their tables: docs/adopting.md, "Upserts". On a view PostgreSQL finds no unique
-- index, and the library says what to write instead.
\ir error_of.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't'), (2, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20'), (102, 'l30');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L20', NULL), (1, 102, 'L30', NULL);
CREATE SCHEMA "the shop";
CREATE SCHEMA own;
CREATE SCHEMA seen;
GRANT USAGE ON SCHEMA "the shop", own, seen TO test_app;
GRANT CREATE ON SCHEMA own TO test_app;
CREATE TABLE "the shop".orders (id integer PRIMARY KEY, customer_id bigint, item text, price integer DEFAULT 7);
CREATE TABLE "the shop".notes (id integer PRIMARY KEY, customer_id bigint, words text);
INSERT INTO "the shop".orders VALUES (1, 1, 'a', 10), (2, 2, 'b', 20);
INSERT INTO "the shop".notes VALUES (1, 1, 'a'), (2, 2, 'b');
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "the shop" TO test_app;
SELECT entitle.protect_table('"the shop".orders', 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20,
                             masked_columns => '{"price": 30}', view_name => 'seen.orders'),
       entitle.protect_table('"the shop".notes', 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20,
                             view_name => 'seen.notes') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON seen.orders, seen.notes TO test_app;

-- The library is there once somebody has signed in.
CREATE FUNCTION hint_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    PERFORM ask('l30', command);
    RETURN 'no error';
EXCEPTION WHEN feature_not_supported THEN
    GET STACKED DIAGNOSTICS told = PG_EXCEPTION_HINT;
    RETURN told;
END $$;
SELECT is(error_of('l30', c), '0A000 INSERT ... ON CONFLICT does not work on filtered view "notes"', c)
FROM unnest(ARRAY['INSERT INTO seen.notes VALUES (1, 1, ''x'') ON CONFLICT (id) DO UPDATE SET words = excluded.words',
                  'INSERT INTO seen.notes VALUES (9, 1, ''x'') ON CONFLICT (id) DO NOTHING',
                  'EXPLAIN INSERT INTO seen.notes VALUES (9, 1, ''x'') ON CONFLICT (id) DO NOTHING',
                  'WITH w AS (INSERT INTO seen.notes VALUES (9, 1, ''x'') ON CONFLICT (id) DO NOTHING RETURNING id) SELECT id FROM w']) AS c;
SELECT is(hint_of('INSERT INTO seen.notes VALUES (1, 1, ''x'') ON CONFLICT (id) DO NOTHING RETURNING words'),
          'Write the table itself, "the shop".notes, where the same rules hold; or use MERGE, which takes the view from PostgreSQL 17 on.', 'the hint names the table');
SELECT do_as(NULL, 'CREATE VIEW own.notes AS SELECT id, customer_id, words FROM seen.notes') \g /dev/null
SELECT alike(error_of('l30', 'INSERT INTO own.notes VALUES (1, 1, ''x'') ON CONFLICT (id) DO NOTHING'), '0A000 %filtered view "notes"', 'a view of one''s own over it is the same');
SELECT alike(error_of('l30', 'INSERT INTO seen.notes VALUES (1, 1, ''x'') ON CONFLICT ON CONSTRAINT notes_pkey DO NOTHING'), '42704 constraint "notes_pkey" for table "notes" does not exist',
             'PostgreSQL looks constraints up before it asks anybody');
SELECT is(error_of('l30', 'INSERT INTO seen.notes VALUES (9, 1, ''x'') ON CONFLICT DO NOTHING'), '1', 'without a key it is left out of account');
SELECT alike(error_of('l30', 'INSERT INTO seen.notes VALUES (1, 1, ''x'') ON CONFLICT DO NOTHING'), '23505 %', 'and does nothing about a duplicate');

-- Views of others are as they were.
CREATE VIEW "the shop".plain AS SELECT id, customer_id, words FROM "the shop".notes;
CREATE VIEW "the shop".triggered AS SELECT id FROM "the shop".notes;
CREATE FUNCTION "the shop".nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing INSTEAD OF INSERT ON "the shop".triggered FOR EACH ROW EXECUTE FUNCTION "the shop".nothing();
GRANT ALL ON "the shop".plain, "the shop".triggered TO test_app;
SELECT alike(error_of('l30', 'INSERT INTO "the shop".triggered VALUES (1) ON CONFLICT (id) DO NOTHING'), '42P10 %', 'another view with a trigger');
SELECT is(error_of('l30', 'INSERT INTO "the shop".plain VALUES (1, 1, ''x'') ON CONFLICT (id) DO NOTHING'), '0', 'a view that PostgreSQL writes through by itself');
SELECT is(error_of('l30', 'INSERT INTO "the shop".notes VALUES (9, 1, ''x'') ON CONFLICT (id) DO NOTHING'), '1', 'a table');

-- The table: row-level security judges what is inserted, and the row that is there.
SELECT alike(error_of('l30', 'INSERT INTO "the shop".notes VALUES ' || c), told, 'the table: ' || c)
FROM (VALUES ('(1, 1, ''x'') ON CONFLICT (id) DO UPDATE SET words = excluded.words', '1'),
             ('(9, 1, ''x'') ON CONFLICT (id) DO UPDATE SET words = excluded.words', '1'),
             ('(1, 1, ''x'') ON CONFLICT (id) DO NOTHING', '0'),
             ('(1, 1, ''x'') ON CONFLICT ON CONSTRAINT notes_pkey DO UPDATE SET words = excluded.words', '1'),
             ('(2, 1, ''x'') ON CONFLICT (id) DO UPDATE SET words = excluded.words', '42501 new row violates row-level security policy (USING expression)%'),
             ('(2, 1, ''x'') ON CONFLICT (id) DO NOTHING', '0'),
             ('(1, 2, ''x'') ON CONFLICT (id) DO UPDATE SET words = excluded.words', '42501 new row violates row-level security policy%'),
             ('(1, 1, ''x'') ON CONFLICT (id) DO UPDATE SET customer_id = 2', '42501 %')) AS v (c, told);

-- With masked columns the table takes what names none of them, from whom they show, too.
SELECT alike(error_of(login, 'INSERT INTO "the shop".orders ' || c), told, format('%s, masked: %s', login, c))
FROM unnest('{l20,l30}'::text[]) AS login,
     (VALUES ('(id, customer_id, item) VALUES (1, 1, ''x'') ON CONFLICT (id) DO UPDATE SET item = excluded.item', '1'),
             ('(id, customer_id, item) VALUES (9, 1, ''x'') ON CONFLICT (id) DO UPDATE SET item = excluded.item RETURNING id', '1'),
             ('(id, customer_id, item, price) VALUES (1, 1, ''x'', 5) ON CONFLICT (id) DO UPDATE SET item = excluded.item', '42501 permission denied for table orders'),
             ('(id, customer_id, item) VALUES (1, 1, ''x'') ON CONFLICT (id) DO UPDATE SET price = 5', '42501 permission denied for table orders'),
             ('(id, customer_id, item) VALUES (1, 1, ''x'') ON CONFLICT (id) DO NOTHING RETURNING *', '42501 permission denied for table orders')) AS v (c, told);
SELECT is(error_of('l30', 'UPDATE seen.orders SET price = 5 WHERE id = 1'), '1', 'the view takes them: look, then UPDATE');
SELECT is(error_of('l30', 'INSERT INTO seen.orders VALUES (9, 1, ''x'', 5)'), '1', 'or INSERT');
SELECT alike(error_of('l20', 'UPDATE seen.orders SET price = 5 WHERE id = 1'), '42501 %', 'from whom they show');

-- MERGE into the view, from PostgreSQL 17 on.
SELECT alike(error_of(login, 'MERGE INTO seen.orders o USING (VALUES ' || c || ') v (id, item, price) ON o.id = v.id WHEN MATCHED THEN UPDATE SET item = v.item, price = v.price '
                             'WHEN NOT MATCHED THEN INSERT (id, customer_id, item, price) VALUES (v.id, 1, v.item, v.price)'),
             CASE WHEN current_setting('server_version_num')::integer < 170000 THEN '0A000 cannot execute MERGE on relation "orders"' ELSE told END, format('%s: MERGE %s', login, c))
FROM (VALUES ('l30', '(1, ''x'', 5)', '1'), ('l30', '(9, ''x'', 5)', '1'), ('l30', '(1, ''x'', 5), (9, ''y'', 6)', '2'), ('l30', '(2, ''x'', 5)', '23505 %'),
             ('l20', '(1, ''x'', 5)', '42501 %'), ('l20', '(9, ''x'', 5)', '42501 %'), ('l20', '(9, ''x'', NULL::integer)', '1')) AS v (login, c, told);

-- MERGE into the table, on every release.
SELECT alike(error_of('l30', 'MERGE INTO "the shop".' || c), told, 'MERGE into the table: ' || c)
FROM (VALUES ('notes n USING (VALUES (1, ''x''), (9, ''y'')) v (id, words) ON n.id = v.id WHEN MATCHED THEN UPDATE SET words = v.words WHEN NOT MATCHED THEN INSERT VALUES (v.id, 1, v.words)', '2'),
             ('notes n USING (VALUES (2, ''x'')) v (id, words) ON n.id = v.id WHEN MATCHED THEN UPDATE SET words = v.words WHEN NOT MATCHED THEN INSERT VALUES (v.id, 1, v.words)', '23505 %'),
             ('orders o USING (VALUES (1, ''x'')) v (id, item) ON o.id = v.id WHEN MATCHED THEN UPDATE SET item = v.item', '1'),
             ('orders o USING (VALUES (1, 5)) v (id, price) ON o.id = v.id WHEN MATCHED THEN UPDATE SET price = v.price', '42501 permission denied for table orders'),
             ('orders o USING (VALUES (1, 5)) v (id, price) ON o.id = v.id AND o.price < 9 WHEN MATCHED THEN UPDATE SET item = ''x''', '42501 permission denied for table orders')) AS v (c, told);

SELECT * FROM finish();
ROLLBACK;
