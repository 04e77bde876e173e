-- lint names the functions that a write with lent rights reaches and whose names may lead to temporary objects, and its remedy makes
-- the finding go away (R56).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner NOLOGIN;
CREATE SCHEMA "my shop" AUTHORIZATION test_owner;
CREATE TABLE "my shop".orders (order_id bigint PRIMARY KEY, customer_id bigint, item text, price numeric);
CREATE TABLE "my shop".plain (order_id bigint PRIMARY KEY, customer_id bigint);
CREATE INDEX ON "my shop".orders (customer_id);
CREATE INDEX ON "my shop".plain (customer_id);
ALTER TABLE "my shop".orders OWNER TO test_owner;
ALTER TABLE "my shop".plain OWNER TO test_owner;
SELECT entitle.protect_table('"my shop".orders', 'customer_id', masked_columns => '{"price": 30}'), entitle.protect_table('"my shop".plain', 'customer_id')
\g /dev/null
SELECT is_empty('SELECT * FROM entitle_internal.lint_functions()', 'nothing to name without functions');

CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION g(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 <> ''a''';
CREATE FUNCTION parsed(text) RETURNS boolean IMMUTABLE RETURN $1 <> 'a';
CREATE DOMAIN label AS text CHECK (g(VALUE));
CREATE FUNCTION findings(change text, path text DEFAULT NULL) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
    remedies text;
BEGIN
    BEGIN
        EXECUTE change;
        IF path IS NOT NULL THEN
            EXECUTE format('ALTER FUNCTION f() SET search_path = %s', path);
        END IF;
        SELECT string_agg(concat_ws(' ', severity, object, finding), '; '), string_agg(remedy, E'\n') INTO answer, remedies FROM entitle_internal.lint_functions();
        IF remedies IS NOT NULL THEN
            EXECUTE remedies;
        END IF;
        SELECT concat(answer, ' | left: ' || string_agg(finding, '; ')) INTO answer FROM entitle_internal.lint_functions();
        RAISE EXCEPTION 'taken back' USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN answer;
    END;
END
$$;
-- S235: whoever makes functions where a trigger looks for them.
CREATE ROLE test_maker;
SELECT is(findings(change, '"my shop", pg_temp'), expected, 'S235: ' || change)
FROM (VALUES
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW EXECUTE FUNCTION f(); GRANT CREATE ON SCHEMA "my shop" TO test_maker',
     'warning my shop test_maker may create objects in it, which functions of "my shop".orders find and run with the rights of test_owner'),
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW EXECUTE FUNCTION f(); GRANT USAGE ON SCHEMA "my shop" TO test_maker', ''),
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW EXECUTE FUNCTION f(); GRANT test_owner TO test_maker; GRANT CREATE ON SCHEMA "my shop" TO test_maker', ''),
    ('GRANT CREATE ON SCHEMA "my shop" TO test_maker; CREATE TRIGGER t BEFORE UPDATE ON "my shop".plain FOR EACH ROW EXECUTE FUNCTION f()', '')) AS v (change, expected);

SELECT is(findings(change, path), expected, concat_ws(' under ', change, path))
FROM (VALUES
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW EXECUTE FUNCTION f()', NULL,
     'notice public.f() has no search_path of its own, and runs with other rights than the writer''s for "my shop".orders'),
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW EXECUTE FUNCTION f()', '"my shop", public',
     'notice public.f() looks among temporary objects first, and runs with other rights than the writer''s for "my shop".orders'),
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW EXECUTE FUNCTION f()', '''''',
     'notice public.f() looks among temporary objects first, and runs with other rights than the writer''s for "my shop".orders'),
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW EXECUTE FUNCTION f()', 'public, pg_temp', ''),
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".plain FOR EACH ROW EXECUTE FUNCTION f()', NULL, ''),
    ('CREATE TRIGGER t BEFORE UPDATE ON entitle.customer FOR EACH ROW EXECUTE FUNCTION f()', NULL,
     'notice public.f() has no search_path of its own, and runs with other rights than the writer''s for entitle.customer'),
    ('ALTER TABLE "my shop".orders ADD CHECK (g(item))', NULL, 'notice public.g(text) has no search_path of its own, and runs with other rights than the writer''s for "my shop".orders'),
    ('ALTER TABLE "my shop".orders ALTER item SET DEFAULT g(''b'')::text', NULL, 'notice public.g(text) has no search_path of its own, and runs with other rights than the writer''s for "my shop".orders'),
    ('CREATE INDEX ON "my shop".orders (g(item))', NULL, 'notice public.g(text) has no search_path of its own, and runs with other rights than the writer''s for "my shop".orders'),
    ('CREATE INDEX ON "my shop".orders (item) WHERE g(item)', NULL, 'notice public.g(text) has no search_path of its own, and runs with other rights than the writer''s for "my shop".orders'),
    ('ALTER TABLE "my shop".orders ADD COLUMN is_good boolean GENERATED ALWAYS AS (g(item)) STORED', NULL,
     'notice public.g(text) has no search_path of its own, and runs with other rights than the writer''s for "my shop".orders'),
    ('ALTER TABLE "my shop".orders ADD COLUMN label label', NULL, 'notice public.g(text) has no search_path of its own, and runs with other rights than the writer''s for "my shop".orders'),
    ('CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW WHEN (g(NEW.item)) EXECUTE FUNCTION suppress_redundant_updates_trigger()', NULL,
     'notice public.g(text) has no search_path of its own, and runs with other rights than the writer''s for "my shop".orders'),
    ('ALTER TABLE "my shop".orders ADD CHECK (parsed(item))', NULL, '')) AS v (change, path, expected);
CREATE TRIGGER t BEFORE UPDATE ON "my shop".orders FOR EACH ROW EXECUTE FUNCTION f();
SELECT is((SELECT remedy FROM entitle.lint() WHERE object = 'public.f()'),
          'ALTER FUNCTION public.f() SET search_path = "my shop", pg_temp; -- and the schemas whose names it uses', 'the remedy begins with the table''s schema');
ALTER FUNCTION f() SET search_path = public, "my shop";
SELECT is((SELECT remedy FROM entitle.lint() WHERE object = 'public.f()'),
          'ALTER FUNCTION public.f() SET search_path = public, "my shop", pg_temp; -- and the schemas whose names it uses', 'or adds to what there is');

SELECT finish();
ROLLBACK;
