-- Report mode (R66): a table shows and takes what it would without protection, whoever asks, and the report tells what enforcement hides,
-- masks and refuses: row for row what the same statements meet once the tables are enforced (S490 to S492).
\ir error_of.psql
SELECT no_plan();
SELECT setseed(0.3) \g /dev/null
CREATE FUNCTION pick(n integer) RETURNS integer LANGUAGE sql VOLATILE AS $$ SELECT 1 + floor(random() * n)::integer $$;

CREATE ROLE test_owner;
CREATE ROLE test_dba SUPERUSER;
GRANT CREATE ON SCHEMA public TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table, entitle.protection_report, entitle.guard_schema, entitle.except_table TO test_owner;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (201, 1, 'ours'), (202, NULL, 'theirs');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES
    (101, 'staff', true), (102, 'local', true), (103, 'l20', true), (104, 'l80', true), (105, 'stranger', true);
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id) VALUES (101, 1, NULL, 7), (102, NULL, 201, 7);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id)
SELECT i, CASE WHEN i % 2 = 0 THEN 201 ELSE 202 END, 'c' || i, 'c' || i, i FROM generate_series(101, 110) i;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT c, u, CASE u WHEN 103 THEN 'L20' WHEN 104 THEN 'L80' ELSE 'L30' END, CASE WHEN c % 3 = 0 THEN NULL ELSE 30 END
FROM generate_series(101, 106) c, unnest(ARRAY[103, 104]) u WHERE c % 4 <> u % 4;

SET ROLE test_owner;
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, brand_id bigint, placed date, title text, price numeric);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, title text, price numeric);
CREATE TABLE notes (id integer PRIMARY KEY, customer_id bigint, title text);
CREATE TABLE visits (id integer, customer_id bigint, placed date, title text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (100);
CREATE TABLE visits_2 (title text, id integer NOT NULL, placed date, customer_id bigint);
ALTER TABLE visits ATTACH PARTITION visits_2 FOR VALUES FROM (100) TO (1000);
INSERT INTO orders SELECT i, CASE WHEN i % 13 > 0 THEN 100 + i % 12 END, 201 + i % 2, current_date - i % 60, 'o' || i, i FROM generate_series(1, 200) i;
INSERT INTO lines SELECT i, 1 + i % 200, 'l' || i, i FROM generate_series(1, 300) i;
INSERT INTO notes SELECT i, CASE WHEN i % 5 > 0 THEN 100 + i % 12 END, 'n' || i FROM generate_series(1, 100) i;
INSERT INTO visits SELECT i, 100 + i % 12, current_date - i % 60, 'v' || i FROM generate_series(1, 200) i;
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON visits (customer_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, lines, notes, visits, visits_2 TO test_app;
RESET ROLE;

CREATE TABLE calls (relation text, call text);
INSERT INTO calls VALUES
    ('orders', $$entitle.protect_table('orders', 'customer_id', 'placed', 'brand_id', min_level => 20, view_permission => 'customers.view',
               insert_permission => 'customers.edit', update_permission => 'customers.edit', external_insert_level => 20, external_update_level => 80,
               masked_columns => '{"price": 30}', external_delete_level => 80, mode => %L)$$),
    ('lines', $$entitle.protect_table('lines', parent => 'orders', update_permission => 'customers.edit', external_update_level => 20,
              masked_columns => '{"price": 80}', mode => %L)$$),
    ('notes', $$entitle.protect_table('notes', 'customer_id', shared_rows => true, external_insert_level => 80, mode => %L)$$),
    ('visits', $$entitle.protect_table('visits', 'customer_id', 'placed', external_update_level => 20, delete_permission => 'customers.edit', mode => %L)$$);
CREATE FUNCTION protect(mode text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made text;
BEGIN
    SET LOCAL ROLE test_owner;
    FOR made IN SELECT c.call FROM public.calls c LOOP
        EXECUTE format('SELECT ' || made, mode);
    END LOOP;
    RESET ROLE;
END
$$;
GRANT SELECT ON calls TO test_owner;

-- How a table stands: nothing of it is changed by report mode but a trigger.
CREATE VIEW standing AS
SELECT c.oid::regclass::text AS relation, c.relacl::text, c.relrowsecurity, c.relforcerowsecurity,
       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
       (SELECT string_agg(a.attname || a.attacl::text, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid) AS columns
FROM pg_class c WHERE pg_get_userbyid(c.relowner) = 'test_owner' AND c.relkind IN ('r', 'p', 'v');
CREATE TABLE stood AS SELECT * FROM standing;

-- What the statements of one user met: rows by action, gate and, of masks, column; sample keys apart.
CREATE FUNCTION reported() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    SELECT coalesce(string_agg(format('%s %s %s %s', r.relation, r.action, r.gate, r.rows), ', '
                               ORDER BY r.relation::text, r.action, r.gate), 'nothing') INTO told
    FROM entitle.protection_report() r;
    DELETE FROM entitle.reported_rows;
    RETURN told;
END
$$;

SELECT throws_ok(format('SELECT entitle.protect_table(%s)', arguments), state, NULL, 'refused: ' || arguments)
FROM (VALUES ($$'orders', 'customer_id', mode => 'other'$$, '22023'), ($$'orders', 'customer_id', mode => NULL$$, '22023'),
             ($$'orders', 'none', mode => 'report'$$, '42703'), ($$NULL, mode => 'report'$$, '22004'), ($$'orders', mode => 'report'$$, '22023'),
             ($$'lines', parent => 'orders', mode => 'report'$$, '55000'), ($$'visits_1', 'customer_id', mode => 'report'$$, '42809'),
             ($$'orders', 'customer_id', masked_columns => '{"price": 31}', mode => 'report'$$, '22023'),
             ($$'orders', view_permission => 'no such', mode => 'report'$$, '22023')) AS v (arguments, state);
SELECT protect('report') \g /dev/null
SELECT throws_ok(format('SELECT entitle.protect_table(%s)', arguments), state, NULL, 'a line is refused: ' || arguments)
FROM (VALUES ($$'lines', parent => 'orders'$$, '55000'), ($$'lines', parent => 'orders', date_column => 'title', mode => 'report'$$, '22023'),
             ($$'lines', parent => 'orders', masked_columns => '{"price": 31}', mode => 'report'$$, '22023'),
             ($$'lines', parent => 'orders', masked_columns => '{"order_id": 30}', mode => 'report'$$, '22023'),
             ($$'lines', parent => 'orders', masked_columns => '[]', mode => 'report'$$, '22023'),
             ($$'lines', parent => 'notes', mode => 'report'$$, '42830'), ($$'orders', parent => 'orders', mode => 'report'$$, '22023')) AS v (arguments, state);
SELECT throws_ok($$SELECT entitle.unprotect_table('orders')$$, '2BP01', NULL, 'a table that others follow stays in report mode');
SELECT results_eq('SELECT relation::text, mode FROM entitle.protected_tables ORDER BY 1',
                  $$ VALUES ('lines', 'report'), ('notes', 'report'), ('orders', 'report'), ('visits', 'report') $$, 'the view tells the mode');
SELECT is_empty('SELECT * FROM standing EXCEPT SELECT * FROM stood', 'report mode takes nothing and puts nothing in the way');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is as declared');
SELECT results_eq($$ SELECT object, severity, left(remedy, 45) FROM entitle.lint() WHERE finding = 'is in report mode: nothing is enforced' $$,
    $$ VALUES ('public.lines', 'warning', 'SELECT entitle.protect_table(''public.lines'', '), ('public.notes', 'warning', 'SELECT entitle.protect_table(''public.notes'', '),
              ('public.orders', 'warning', 'SELECT entitle.protect_table(''public.orders'','), ('public.visits', 'warning', 'SELECT entitle.protect_table(''public.visits'',') $$,
    'lint tells which tables are not enforced, and the call');
SELECT matches((SELECT remedy FROM entitle.lint() WHERE finding ~ '^sessions that call no function'), '^ALTER DATABASE .* SET session_preload_libraries = ', 'and that the library has to be loaded');
SELECT is_empty($$ SELECT * FROM entitle.lint() WHERE object ~ 'orders|lines|notes|visits' AND finding !~ 'report mode|index' $$, 'and nothing else of them');
SELECT matches((SELECT detail FROM entitle.explain_row('orders', '1') LIMIT 1), 'is in report mode', 'an explanation says so');

-- Who is not bound is not reported.
SELECT count(*) FROM orders \g /dev/null
SET ROLE test_dba;
SELECT count(*) FROM orders \g /dev/null
RESET ROLE;
SELECT is(reported(), 'nothing', 'a superuser meets nothing');
SELECT is(ask('staff', 'SELECT count(*) FROM notes'), '100', 'nobody is narrowed');
DELETE FROM entitle.reported_rows;
SET ROLE test_owner;
SELECT count(*) FROM notes \g /dev/null
RESET ROLE;
SELECT matches(reported(), '^notes select (customer|identity) ', 'the owner is bound as FORCE would bind him');

-- A row counts once a statement, however often it is met; what the query leaves out itself is nothing that enforcement hides.
SELECT is(ask('stranger', 'SELECT count(*) FROM generate_series(1, 3) g CROSS JOIN LATERAL (SELECT FROM orders o WHERE o.id < 10 OFFSET g * 0) x'), '27', 'rows come as they are');
SELECT is(reported(), 'orders select customer 9', 'each row counts once');
SELECT is(ask('stranger', $$SELECT count(*) FROM orders WHERE title = 'none'$$), '0', 'no row is found');
SELECT is(reported(), 'nothing', 'and none is reported');
SELECT is(ask('stranger', 'SELECT count(*) FROM lines l JOIN orders o ON o.id = l.order_id WHERE l.id < 4'), '3', 'a line and its order');
SELECT matches(reported(), 'lines select customer 3, orders select customer ', 'are both reported');
SELECT is(ask('stranger', 'SELECT count(*) FROM orders WHERE id < 50 AND id IN (SELECT order_id FROM lines WHERE id < 20)'), '19', 'a sub-select is read');
SELECT matches(reported(), 'lines select customer', 'and reported');
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT is(ask('stranger', 'SELECT string_agg(id::text, '','' ORDER BY id) FROM (SELECT id FROM orders WHERE id < 4 OFFSET 0) o'), '1,2,3', 'an index alone is read');
SELECT is(reported(), 'orders select customer 3', 'and the rows are looked up');
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Plans for workers run without them, so that every row is counted.
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
ANALYZE orders;
SELECT is(ask('stranger', 'SELECT sum(id) FROM orders'), '20100', 'a plan with workers gives what it gives');
SELECT is(reported(), 'orders select customer 200', 'and every row is counted');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Cursors are not bound to the asker of a statement that asked nothing itself.
SELECT entitle.sign_in('stranger') \g /dev/null
SET LOCAL ROLE test_app;
DECLARE open_cursor CURSOR FOR SELECT id FROM orders ORDER BY id;
FETCH open_cursor;
RESET ROLE;
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (110, 105, 'L30');
SET LOCAL ROLE test_app;
SELECT lives_ok('FETCH open_cursor', 'R66: what is not enforced raises no 40001');
CLOSE open_cursor;
RESET ROLE;
DELETE FROM entitle.external_access WHERE user_id = 105;
SELECT entitle.sign_out() \g /dev/null
SELECT reported() \g /dev/null

-- Random statements by every kind of user. First as they are, and what the report says of each; then enforced, row by row.
CREATE TABLE tried (n integer, login text, relation text, condition text, setting text, answer text, told text, keys text[]);
CREATE FUNCTION settings(setting text) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('enable_seqscan', CASE WHEN setting = 'seq' THEN 'on' ELSE 'off' END, true),
           set_config('enable_bitmapscan', CASE WHEN setting = 'bitmap' THEN 'on' ELSE 'off' END, true)
$$;
CREATE FUNCTION ids(relation text, condition text) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT coalesce(string_agg(id::text, '','' ORDER BY id), '''') FROM (SELECT id FROM %s WHERE %s OFFSET 0) t', relation, condition)
$$;
INSERT INTO tried (n, login, relation, condition, setting)
SELECT r.n, (ARRAY['staff', 'local', 'l20', 'l80', 'stranger', NULL])[pick(6)], r.relation,
       CASE pick(5) WHEN 1 THEN 'true' WHEN 2 THEN 'id < ' || pick(250) WHEN 3 THEN 'id IN (1, ' || pick(200) || ', ' || pick(200) || ')'
                    WHEN 4 THEN 'title LIKE ''%' || pick(9) || '''' ELSE CASE WHEN r.relation = 'lines' THEN 'order_id = ' || pick(200) ELSE 'customer_id = ' || 99 + pick(12) END END,
       (ARRAY['seq', 'bitmap', 'index'])[pick(3)]
FROM (SELECT n, (ARRAY['orders', 'lines', 'notes', 'visits', 'visits_2'])[pick(5)] AS relation FROM generate_series(1, 250) n) r;
DO $$
DECLARE
    t public.tried;
BEGIN
    FOREACH t IN ARRAY ARRAY(SELECT r FROM public.tried r ORDER BY r.n) LOOP
        PERFORM public.settings(t.setting);
        t.answer := public.ask(t.login, public.ids(t.relation, t.condition));
        CREATE TEMP TABLE told AS SELECT * FROM entitle.protection_report();
        UPDATE public.tried u
        SET answer = t.answer,
            keys = (SELECT coalesce(array_agg(k ORDER BY k::integer), '{}') FROM told r, unnest(r.sample_keys) k),
            told = (SELECT coalesce(string_agg(r.gate || ' ' || r.rows, ', ' ORDER BY r.gate), '') FROM told r
                    WHERE r.action = 'select' AND r.login IS NOT DISTINCT FROM t.login)
        WHERE u.n = t.n;
        DELETE FROM entitle.reported_rows;
        DROP TABLE told;
    END LOOP;
    PERFORM public.settings('seq');
END
$$;
CREATE FUNCTION answer_now(relation text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE public.ids(relation, condition) INTO answer;
    RETURN answer;
END
$$;
SELECT is_empty('SELECT * FROM tried WHERE answer IS DISTINCT FROM answer_now(relation, condition)', 'R66: 250 random statements give what a superuser is given');

-- Masks: a cell that the filtered view shows as nothing is reported with its column.
CREATE TABLE masked (n integer, login text, relation text, id integer, told text);
INSERT INTO masked SELECT n, (ARRAY['staff', 'l20', 'l20', 'l80', 'stranger'])[pick(5)], (ARRAY['orders', 'lines'])[pick(2)], pick(200) FROM generate_series(1, 200) n;
DO $$
DECLARE
    m public.masked;
BEGIN
    FOREACH m IN ARRAY ARRAY(SELECT r FROM public.masked r ORDER BY r.n) LOOP
        PERFORM public.ask(m.login, format('SELECT price FROM %s WHERE id = %s', m.relation, m.id));
        UPDATE public.masked u SET told = public.reported() WHERE u.n = m.n;
    END LOOP;
END
$$;
SELECT is(ask('l20', 'SELECT count(title) FROM orders'), '200', 'what is not read');
SELECT unalike(reported(), '%mask%', 'is not masked');

-- Writes, one row each, taken back: what is counted stays counted until the transaction ends.
CREATE TABLE written (n integer, login text, relation text, command text, touched text, told text);
INSERT INTO written (n, login, relation, command)
SELECT w.n, (ARRAY['staff', 'local', 'l20', 'l80', 'stranger', NULL])[pick(6)], w.relation,
       CASE WHEN w.kind = 1 THEN format('UPDATE %s SET title = ''x'' WHERE id = %s', w.relation, pick(200))
            WHEN w.kind = 2 THEN format('DELETE FROM %s WHERE id = %s', CASE w.relation WHEN 'orders' THEN 'notes' ELSE w.relation END, pick(200))
            WHEN w.kind = 3 AND w.relation = 'orders' THEN format('UPDATE %s SET price = price + 1 WHERE id = %s', w.relation, pick(200))
            WHEN w.relation = 'orders' THEN format('INSERT INTO orders VALUES (%s, %s, %s, current_date - %s, ''n'')', 1000 + w.n, 99 + pick(12), 200 + pick(2), pick(60))
            WHEN w.relation = 'lines' THEN format('INSERT INTO lines (id, order_id) VALUES (%s, %s)', 1000 + w.n, pick(200))
            WHEN w.relation = 'notes' THEN format('INSERT INTO notes VALUES (%s, %s)', 1000 + w.n, coalesce(nullif(99 + pick(12), 100)::text, 'NULL'))
            ELSE format('INSERT INTO visits VALUES (%s, %s, current_date)', 200 + w.n, 99 + pick(12)) END
FROM (SELECT n, (ARRAY['orders', 'lines', 'notes', 'visits'])[pick(4)] AS relation, pick(4) AS kind FROM generate_series(1, 500) n) w;
DO $$
DECLARE
    w public.written;
BEGIN
    FOREACH w IN ARRAY ARRAY(SELECT r FROM public.written r ORDER BY r.n) LOOP
        w.touched := public.error_of(w.login, w.command);
        UPDATE public.written u SET touched = w.touched, told = public.reported() WHERE u.n = w.n;
    END LOOP;
END
$$;
SELECT is_empty('SELECT * FROM written WHERE touched !~ ''^[01]$''', 'R66: no write is refused');

-- Foreign keys' own work is nobody's write, and a masked column that an INSERT names is one that it writes.
SET ROLE test_owner;
CREATE TABLE pages (id integer PRIMARY KEY, note_id integer REFERENCES notes ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO pages SELECT i, i FROM generate_series(1, 100) i;
SELECT entitle.protect_table('pages', parent => 'notes', mode => 'report');
RESET ROLE;
DELETE FROM entitle.reported_rows;
SELECT matches(error_of('l80', 'DELETE FROM notes WHERE id IN (1, 2, 3, 4)'), '^4$', 'a cascade');
SELECT unalike(reported(), '%pages%', 'is not reported');
SELECT is(error_of('l20', 'INSERT INTO orders (id, customer_id, brand_id, placed, price) VALUES (999, 102, 201, current_date, 1)'), '1', 'a masked column is written');
SELECT is(reported(), 'orders insert mask price 1', 'which is refused to whom it is masked from');
SELECT is(error_of('l20', 'INSERT INTO orders (id, customer_id, brand_id, placed) VALUES (999, 102, 201, current_date)'), '1', 'without it');
SELECT is(reported(), 'nothing', 'all is well');
SELECT entitle.unprotect_table('pages') \g /dev/null

-- The same statements, enforced. The gate is the last step's of the explanation of each hidden row.
SELECT protect('enforce') \g /dev/null
SELECT results_eq('SELECT DISTINCT mode FROM entitle.protected_tables', $$ VALUES ('enforce') $$, 'one call each, and they are enforced');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'as declared');
SELECT is_empty($$ SELECT * FROM pg_trigger WHERE tgname = 'entitle_report' $$, 'nothing is counted twice');
CREATE FUNCTION gate_of(relation text, id text, login text) RETURNS text LANGUAGE sql AS $$
    SELECT substring(s.detail FROM 'at gate "([a-z]+)"') FROM entitle.explain_row(relation::regclass, id, login) s ORDER BY s.step DESC LIMIT 1
$$;
CREATE TABLE hidden AS
SELECT t.n, t.login, t.relation, t.condition, t.told, t.keys, h.ids
FROM (SELECT t.*, ask(t.login, ids(t.relation, t.condition)) AS shown FROM unnest(ARRAY(SELECT r FROM tried r ORDER BY r.n)) t) t
CROSS JOIN LATERAL (SELECT array_agg(i ORDER BY i::integer) AS ids
                    FROM unnest(string_to_array(t.answer, ',')) i WHERE i <> ALL (string_to_array(t.shown, ','))) h;
SELECT cmp_ok((SELECT count(*) FROM hidden WHERE ids IS NOT NULL), '>', 100::bigint, 'many statements met something hidden');
SELECT is_empty($$ SELECT h.n, h.login, h.relation, h.condition, h.told, cardinality(h.ids) FROM hidden h
                   WHERE coalesce((SELECT sum(split_part(g, ' ', 2)::integer) FROM unnest(string_to_array(nullif(h.told, ''), ', ')) g), 0) <> coalesce(cardinality(h.ids), 0) $$,
                'R66: as many rows are reported as enforcement hides');
SELECT is_empty($$ SELECT h.n, h.keys, h.ids FROM hidden h WHERE NOT h.keys <@ coalesce(h.ids, '{}') $$, 'R66: the keys shown are of those');
SELECT is_empty($$ SELECT h.n, h.login, h.relation, h.condition, h.told, g.gates FROM hidden h
                   CROSS JOIN LATERAL (SELECT coalesce(string_agg(x.gate || ' ' || x.rows, ', ' ORDER BY x.gate), '') AS gates
                                       FROM (SELECT gate_of(h.relation, i, h.login) AS gate, count(*) AS rows FROM unnest(h.ids) i GROUP BY 1) x) g
                   WHERE h.login IS NOT NULL AND h.n < 150 AND cardinality(h.ids) < 8 AND h.told <> g.gates $$, 'R66: at the gates that the explanations name');
SELECT is_empty($$ SELECT m.*, v.cell FROM masked m
                   CROSS JOIN LATERAL (SELECT ask(m.login, format('SELECT coalesce(array_to_string(masked_columns, '',''), '''') FROM %s_view WHERE id = %s', m.relation, m.id)) AS cell) v
                   WHERE (v.cell = 'price') IS DISTINCT FROM (m.told ~ ' mask mask price 1') AND v.cell IS NOT NULL OR v.cell IS NULL AND m.told ~ ' mask ' $$,
                'R66: masked cells are reported, and no others');
SELECT cmp_ok((SELECT count(*) FROM masked WHERE told ~ ' mask mask price 1'), '>', 10::bigint, 'some are');
CREATE TABLE met AS
SELECT w.*, error_of(w.login, replace(w.command, w.relation || ' SET price', w.relation || '_view SET price')) AS meets
FROM unnest(ARRAY(SELECT r FROM written r ORDER BY r.n)) w;
SELECT is_empty($$ SELECT * FROM met WHERE (touched <> meets) <> (told ~ '(insert|update|delete)') $$, 'R66: 500 writes are reported where enforcement refuses them or does not find the row');
SELECT cmp_ok((SELECT count(*) FROM met WHERE meets ~ '^42501'), '>', 50::bigint, 'many are refused');
SELECT cmp_ok((SELECT count(*) FROM met WHERE meets = '0' AND touched = '1'), '>', 20::bigint, 'many find nothing');

-- S490: in a guarded schema a table is closed until somebody says why it may be open, and report mode is no reason.
CREATE SCHEMA guarded AUTHORIZATION test_owner;
CREATE FUNCTION as_owner(commands text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE test_owner;
    EXECUTE commands;
    RESET ROLE;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RESET ROLE;
    RETURN SQLSTATE;
END
$$;
SELECT is(as_owner($$CREATE TABLE guarded.before (id integer PRIMARY KEY, customer_id bigint); SELECT entitle.guard_schema('guarded');
                     CREATE TABLE guarded.later (id integer PRIMARY KEY, customer_id bigint)$$), 'done', 'a guarded schema');
SELECT is(as_owner(format('SELECT entitle.protect_table(%L, ''customer_id'', mode => ''report'')', relation)), state, format('S490: report mode of %s', relation))
FROM (VALUES ('guarded.later', '55000'), ('guarded.before', 'done')) AS v (relation, state);
SELECT is(as_owner($$SELECT entitle.protect_table('guarded.later', 'customer_id'); SELECT entitle.protect_table('guarded.later', 'customer_id', mode => 'report')$$),
          '55000', 'S490: nor when it was enforced');
SELECT is(as_owner($$SELECT entitle.except_table('guarded.later', 'reported first'); SELECT entitle.protect_table('guarded.later', 'customer_id', mode => 'report')$$),
          'done', 'S490: with a reason it may be');

-- S491: what is enforced is opened by whom it takes to unprotect it.
REVOKE EXECUTE ON FUNCTION entitle.unprotect_table FROM test_owner;
SELECT is(as_owner($$SELECT entitle.protect_table('notes', 'customer_id', mode => 'report')$$), '42501', 'S491: report mode takes EXECUTE on unprotect_table');
SELECT is(as_owner(commands), '55000', 'S491: nor by its steps: ' || commands)
FROM (VALUES ($$SELECT entitle_internal.record_report(entitle_internal.declaration('notes'))$$)) AS v (commands);
SELECT is((SELECT mode FROM entitle.protected_tables WHERE relation = 'notes'::regclass), 'enforce', 'S491: and stays');

-- S492: the report tells keys of rows, to the table's owner and nobody else; nobody reads or writes the counts themselves.
CREATE ROLE test_other;
GRANT EXECUTE ON FUNCTION entitle.protection_report TO test_other;
INSERT INTO entitle.reported_rows VALUES ('orders'::regclass, true, 'ann', 'select', 'customer', 3, '{1,2}', now(), now());
SET LOCAL ROLE test_other;
SELECT is_empty('SELECT * FROM entitle.protection_report()', 'S492: another is told nothing');
SELECT throws_ok(command, '42501', NULL, 'S492: refused: ' || command)
FROM (VALUES ('SELECT entitle_internal.keep_report()'), ('SELECT * FROM entitle.reported_rows'), ('SELECT * FROM entitle.reported_protection'),
             ('DELETE FROM entitle.reported_rows'), ('SELECT entitle.prune_report(now())')) AS v (command);
SET LOCAL ROLE test_owner;
SELECT results_eq('SELECT login, rows, sample_keys FROM entitle.protection_report()', $$ VALUES ('ann', 3::bigint, '{1,2}'::text[]) $$, 'S492: the owner is');
SELECT is_empty($$ SELECT * FROM entitle.protection_report('infinity') $$, 'from a time on');
RESET ROLE;
SELECT is(entitle.prune_report('infinity') > 0, true, 'old counts are deleted');

-- The trigger on a table that is in no report mode counts nothing, and whoever owns nothing puts it on nothing.
CREATE TABLE other (id integer PRIMARY KEY, customer_id bigint);
CREATE TRIGGER entitle_report AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION entitle_internal.report_write();
INSERT INTO other VALUES (1, 101);
SELECT is(reported(), 'nothing', 'the trigger alone counts nothing');
SELECT throws_ok('SELECT entitle_internal.report_write()', '0A000', NULL, 'nor is it called otherwise');
-- A whole schema, which is enforced later as it was declared.
GRANT EXECUTE ON FUNCTION entitle.protect_schema, entitle.plan_protection, entitle.unprotect_table, entitle.unprotect_all TO test_owner;
GRANT USAGE ON SCHEMA entitle TO test_owner;
GRANT REFERENCES, SELECT ON entitle.customer TO test_owner;
CREATE SCHEMA test_owner AUTHORIZATION test_owner;
SELECT is(as_owner($$CREATE TABLE test_owner.sale (id integer PRIMARY KEY, customer_id bigint REFERENCES entitle.customer);
                     CREATE TABLE test_owner.item (id integer PRIMARY KEY, sale_id integer NOT NULL REFERENCES test_owner.sale);
                     CREATE TABLE test_owner.part (id integer PRIMARY KEY, item_id integer NOT NULL REFERENCES test_owner.item);
                     SELECT entitle.protect_schema('{test_owner}', mode => 'report');
                     SELECT entitle.protect_table('test_owner.sale', 'customer_id', min_level => 30, mode => 'report')$$), 'done', 'a schema in report mode');
SELECT results_eq($$ SELECT relation::text, mode, min_level FROM entitle.protected_tables WHERE relation::text ~ '^test_owner' ORDER BY 1 $$,
    $$ VALUES ('test_owner.item', 'report', 10), ('test_owner.part', 'report', 10), ('test_owner.sale', 'report', 30) $$, 'lines of lines, too');
SELECT results_eq($$ SELECT relation::text, reason FROM entitle.plan_protection('{test_owner}') $$,
    $$ VALUES ('test_owner.sale', 'in report mode'), ('test_owner.item', 'in report mode'), ('test_owner.part', 'in report mode') $$, 'the plan enforces what is declared');
SELECT is(as_owner($$SELECT entitle.protect_schema('{test_owner}')$$), 'done', 'one call enforces all');
SELECT results_eq($$ SELECT relation::text, mode, min_level FROM entitle.protected_tables WHERE relation::text ~ '^test_owner' ORDER BY 1 $$,
    $$ VALUES ('test_owner.item', 'enforce', 10), ('test_owner.part', 'enforce', 10), ('test_owner.sale', 'enforce', 30) $$, 'as it was declared');
SELECT is_empty($$ SELECT * FROM entitle.verify_protection() WHERE relation::text ~ '^test_owner' $$, 'and nothing is missing');
SELECT is(as_owner($$SELECT entitle.protect_table('test_owner.sale', 'customer_id', mode => 'report')$$), '2BP01', 'a document stays enforced while its lines are');
SELECT is(as_owner($$SELECT entitle.protect_table('test_owner.part', parent => 'test_owner.item', mode => 'report')$$), 'done', 'a line may be in report mode below enforced tables');
SELECT is_empty($$ SELECT * FROM entitle.verify_protection() WHERE relation::text ~ '^test_owner' $$, 'as declared');
INSERT INTO test_owner.sale VALUES (1, 101);
INSERT INTO test_owner.item VALUES (1, 1);
INSERT INTO test_owner.part VALUES (1, 1);
GRANT USAGE ON SCHEMA test_owner TO test_app;
GRANT SELECT ON test_owner.part TO test_app;
SELECT reported() \g /dev/null
SELECT is(ask('stranger', 'SELECT count(*) FROM test_owner.part'), '1', 'it shows');
SELECT is(reported(), 'test_owner.part select customer 1', 'and is judged by its document''s rules');
SELECT is(entitle.unprotect_all() > 0, true, 'all is taken back, in whatever mode');
SELECT is_empty('SELECT * FROM entitle.protected_tables', 'and forgotten');
-- Brands by uuid: what is counted is what enforcement hides.
INSERT INTO entitle.brand (brand_id, name, organization_id, brand_uuid) VALUES
    (9001, 'by uuid', 1, '00000000-0000-0000-0000-000000009001'), (9002, 'another', 1, '00000000-0000-0000-0000-000000009002');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, m.module_key FROM unnest('{9001,9002}'::bigint[]) AS b, entitle.module m;
INSERT INTO entitle.app_user (user_id, login) VALUES (9001, 'of one uuid');
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 9001, 9001, role_id FROM entitle.role WHERE name = 'read-only' AND organization_id = 1;
CREATE TABLE by_uuid (id integer PRIMARY KEY, brand uuid);
INSERT INTO by_uuid SELECT i, ('00000000-0000-0000-0000-00000000' || (9000 + i % 4))::uuid FROM generate_series(1, 40) AS i;
GRANT SELECT ON by_uuid TO test_app;
SELECT entitle.protect_table('by_uuid', brand_column => 'brand', view_permission => 'customers.view', mode => 'report');
SELECT is(ask('of one uuid', 'SELECT count(*) FROM by_uuid'), '40', 'R66: all rows show, of whichever brand');
SELECT is((SELECT string_agg(concat_ws(' ', action, rows), ', ') FROM entitle.protection_report() WHERE relation = 'by_uuid'::regclass), 'select 30',
          'R66: those of other brands are counted, and of none');
SELECT entitle.protect_table('by_uuid', brand_column => 'brand', view_permission => 'customers.view');
SELECT is(ask('of one uuid', 'SELECT count(*) FROM by_uuid'), '10', 'R52: which enforcement hides');

SELECT * FROM finish();
ROLLBACK;
