-- What verify_protection and lint find, and what protect_table makes, does not depend on the session's settings, nor on how somebody
-- printed a definition: views, policies and triggers are compared as the server understands them (S139).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.permission (permission_key) VALUES ($$it's a \ "view"$$);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1');
CREATE SCHEMA "Shop ""x";
CREATE TABLE "Shop ""x".orders (id integer PRIMARY KEY, customer_id bigint, placed date DEFAULT '2026-02-01', span interval day to second(0),
                                price numeric(8, 2), "Item ""no" varchar(20));
CREATE TABLE "Shop ""x".lines (order_id integer REFERENCES "Shop ""x".orders, line integer, price real DEFAULT 0.1, PRIMARY KEY (order_id, line));
CREATE TABLE parted (id integer, customer_id bigint, price text, PRIMARY KEY (id, customer_id)) PARTITION BY LIST (customer_id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (101);
CREATE TABLE broken (id integer PRIMARY KEY, customer_id bigint, price text);
CREATE TABLE forgotten (id integer PRIMARY KEY, customer_id bigint);
GRANT SELECT ON "Shop ""x".orders, parted, broken TO test_app;
CREATE FUNCTION protect() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM entitle.protect_table('"Shop ""x".orders', 'customer_id', 'placed', view_permission => E'it''s a \\ "view"',
                                  update_permission => E'it''s a \\ "view"', masked_columns => '{"span": 30, "price": 40, "Item \"no": 80}'),
            entitle.protect_table('"Shop ""x".lines', parent => '"Shop ""x".orders', update_permission => E'it''s a \\ "view"',
                                  masked_columns => '{"price": 30}'),
            entitle.protect_table('public.parted', 'customer_id', masked_columns => '{"price": 30}');
END
$$;
SELECT protect(), entitle.protect_table('broken', 'customer_id', view_permission => 'customers.view', masked_columns => '{"price": 30}');
SELECT is_empty('SELECT relation, problem FROM entitle.verify_protection()', 'what was made is as declared');

-- Something of each kind to find.
DROP POLICY entitle_insert ON broken;
ALTER POLICY entitle_delete ON broken USING (true);
DROP TRIGGER entitle_delete ON broken;
CREATE TRIGGER entitle_delete BEFORE DELETE ON broken FOR EACH ROW WHEN (OLD.id > 0) EXECUTE FUNCTION entitle_internal.refuse_write();
ALTER TABLE broken ADD COLUMN more date, NO FORCE ROW LEVEL SECURITY;
CREATE VIEW past AS SELECT * FROM broken WHERE more > '2026-02-01';

CREATE TEMP TABLE finding AS
    SELECT ARRAY(SELECT concat_ws(' ', v.relation::oid, v.problem, v.remedy) FROM entitle.verify_protection() v) AS verified, ARRAY(SELECT l::text FROM entitle.lint() l) AS linted;
SELECT cmp_ok(cardinality(verified), '>', 5, 'there is something to find') FROM finding;

CREATE FUNCTION check_setting(name text, value text) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    usual CONSTANT text := current_setting(name);
BEGIN
    PERFORM set_config(name, value, true);
    -- What the planner is told has no part in what is made.
    IF name !~ '^(enable|plan|join|from|force|debug)' THEN
        PERFORM protect();
    END IF;
    RETURN NEXT is(ARRAY(SELECT concat_ws(' ', v.relation::oid, v.problem, v.remedy) FROM entitle.verify_protection() v), verified, format('S139: verify_protection with %s = %s', name, value))
    FROM finding;
    RETURN NEXT is(ARRAY(SELECT l::text FROM entitle.lint() l), linted, format('S139: lint with %s = %s', name, value)) FROM finding;
    PERFORM set_config(name, usual, true);
    RETURN NEXT is(ARRAY(SELECT concat_ws(' ', v.relation::oid, v.problem, v.remedy) FROM entitle.verify_protection() v), verified, format('S139: what is made with %s = %s is what is declared', name, value))
    FROM finding;
END
$$;
SELECT check_setting(s.name, s.value)
FROM (VALUES
    ('quote_all_identifiers', 'on'), ('standard_conforming_strings', 'off'), ('backslash_quote', 'off'), ('escape_string_warning', 'off'),
    ('search_path', '"Shop ""x", public'), ('search_path', 'public, entitle, pg_catalog'), ('DateStyle', 'SQL, DMY'), ('DateStyle', 'German'),
    ('IntervalStyle', 'iso_8601'), ('IntervalStyle', 'sql_standard'), ('extra_float_digits', '-15'), ('extra_float_digits', '3'),
    ('TimeZone', 'Asia/Kolkata'), ('row_security', 'off'), ('lc_messages', 'C.UTF-8'), ('lc_numeric', 'C.UTF-8'), ('lc_monetary', 'C.UTF-8'),
    ('bytea_output', 'escape'), ('array_nulls', 'off'), ('transform_null_equals', 'on'), ('xmloption', 'document'), ('plan_cache_mode', 'force_generic_plan'),
    ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('enable_nestloop', 'off'), ('enable_hashagg', 'off'), ('join_collapse_limit', '1'),
    ('from_collapse_limit', '1'), ('force_parallel_mode', 'on'), ('debug_parallel_query', 'on'), ('session_replication_role', 'replica'), ('default_text_search_config', 'simple'),
    ('default_table_access_method', 'heap')) AS s (name, value)
WHERE EXISTS (SELECT FROM pg_settings p WHERE p.name = s.name)
  AND (s.name <> 'standard_conforming_strings' OR current_setting('server_version_num')::integer < 190000); -- which has it on for good

-- What protect_table warns of and refuses, too (S204).
CREATE TABLE warned (id integer PRIMARY KEY, customer_id bigint, other_id bigint, quantity integer, price integer, CHECK (price * quantity < 1000));
CREATE TABLE exchanged (id integer PRIMARY KEY, customer_id bigint, other_id bigint);
CREATE VIEW reading AS SELECT price FROM warned;
CREATE VIEW reading_more AS SELECT price FROM reading;
CREATE FUNCTION reading_too() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT price FROM warned';
GRANT SELECT ON reading_more TO test_app;
CREATE FUNCTION warns() RETURNS text LANGUAGE sql
    AS $$ SELECT concat((SELECT count(*) FROM entitle_internal.oracles(entitle_internal.declaration('warned'))), (SELECT count(*) FROM entitle_internal.masked_readers('warned', '{price}'))) $$;
SELECT entitle.protect_table('warned', 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}'), entitle.protect_table('exchanged', 'customer_id');
ALTER TABLE exchanged RENAME customer_id TO third_id;
ALTER TABLE exchanged RENAME other_id TO customer_id;
SELECT is(warns(), '12', 'S204: there is something to warn of');
SELECT throws_ok($$ SELECT entitle.protect_table('exchanged', 'customer_id') $$, '55000', NULL, 'S204: and to refuse');
SELECT set_config(name, 'off', true) FROM pg_settings
WHERE name IN ('standard_conforming_strings', 'escape_string_warning') AND current_setting('server_version_num')::integer < 190000 \g /dev/null
SELECT is(warns(), '12', 'S204: the same with standard_conforming_strings = off');
SELECT throws_ok($$ SELECT entitle.protect_table('exchanged', 'customer_id') $$, '55000', NULL, 'S204: the same is refused');
SET LOCAL standard_conforming_strings = on;
DROP TABLE exchanged, warned CASCADE;

-- Another hand, or another major, writes the same.
SET LOCAL quote_all_identifiers = on;
DO $$
DECLARE
    policy record;
BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW broken_view WITH (security_barrier) AS %s', regexp_replace(pg_get_viewdef('broken_view', true), ';$', ''));
    EXECUTE format('CREATE OR REPLACE VIEW "Shop ""x".lines_view WITH (security_barrier) AS %s',
                   regexp_replace(regexp_replace(pg_get_viewdef('"Shop ""x".lines_view'::regclass, 0), 'WHERE (.*);$', E'WHERE\n (((\\1) ))'), ' AS ', E'\n AS '));
    FOR policy IN SELECT p.polname, p.polrelid::regclass AS relation, pg_get_expr(p.polqual, p.polrelid) AS test FROM pg_policy p
                  WHERE p.polqual IS NOT NULL AND p.polrelid IN (SELECT relation FROM entitle.protection) AND p.polname = 'entitle_select' LOOP
        EXECUTE format(E'ALTER POLICY %I ON %s USING ((\n(%s)\n))', policy.polname, policy.relation, policy.test);
    END LOOP;
END
$$;
RESET quote_all_identifiers;
SELECT is(ARRAY(SELECT concat_ws(' ', v.relation::oid, v.problem, v.remedy) FROM entitle.verify_protection() v), verified, 'S139: the same view and policies, written otherwise, are no finding')
FROM finding;

-- What is not the same is one.
SELECT entitle.protect_table('parted', 'customer_id', masked_columns => '{"price": 30}');
CREATE FUNCTION check_view(title text, change text) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE change;
    RETURN NEXT isnt_empty('SELECT FROM entitle.verify_protection() WHERE relation = ''parted''::regclass', 'S139: named is ' || title);
    PERFORM entitle.protect_table('parted', 'customer_id', masked_columns => '{"price": 30}');
    RETURN NEXT is_empty('SELECT problem FROM entitle.verify_protection() WHERE relation = ''parted''::regclass', title || ' is mended');
END
$$;
SELECT check_view(c.title, format('CREATE OR REPLACE VIEW parted_view WITH (security_barrier%s) AS %s', c.options, c.query))
FROM (SELECT regexp_replace(pg_get_viewdef('parted_view'), ';$', '') AS query) made,
     LATERAL (VALUES
        ('a missing mask', '', 'SELECT id, customer_id, price, masked_columns FROM (' || query || ') v'),
        ('a mask at another level', '', replace(query, '30', '20')),
        ('an own column for a masked one', '', replace(query, 'ELSE NULL::text', 'ELSE ''none''::text')),
        ('another filter', '', replace(query, '10, ', '20, ')),
        ('no filter', '', regexp_replace(query, 'WHERE.*', '')),
        ('a filter that lets more through', '', regexp_replace(query, 'WHERE (.*)', 'WHERE (\1) OR t.id = 1')),
        ('no barrier', ' = false', query),
        ('the reader''s rights', ', security_invoker', query),
        ('another column under the name', '', regexp_replace(query, '(t\.)?\mid,', '(t.customer_id::integer) AS id,')),
        ('a part of the table', '', replace(query, 'parted t', 'ONLY parted t')),
        ('another table', '', replace(query, 'parted t', 'parted_1 t')),
        ('a limit', '', query || ' LIMIT 1000'),
        ('another list of masked columns', '', replace(query, '''{price}''', '''{}'''))) AS c (title, options, query);
SELECT check_view('a trigger for another event', 'DROP TRIGGER entitle_truncate ON parted; CREATE TRIGGER entitle_truncate BEFORE INSERT ON parted'
                  ' FOR EACH STATEMENT WHEN (row_security_active(''parted''::regclass::oid)) EXECUTE FUNCTION entitle_internal.refuse_write();'
                  ' ALTER TABLE parted ENABLE ALWAYS TRIGGER entitle_truncate');
SELECT check_view('a trigger under another condition', 'DROP TRIGGER entitle_truncate ON parted; CREATE TRIGGER entitle_truncate BEFORE TRUNCATE ON parted'
                  ' FOR EACH STATEMENT WHEN (row_security_active(''parted_1''::regclass::oid)) EXECUTE FUNCTION entitle_internal.refuse_write();'
                  ' ALTER TABLE parted ENABLE ALWAYS TRIGGER entitle_truncate');

SELECT * FROM finish();
ROLLBACK;
