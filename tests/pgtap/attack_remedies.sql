-- Names that a hostile table owner chose stand in the remedies of verify_protection and lint, and a superuser runs these: nothing of a
-- name ever runs (S174).
\ir setup.psql
SELECT no_plan();

CREATE ROLE shop_owner;
GRANT CREATE, USAGE ON SCHEMA public TO shop_owner;
GRANT USAGE ON SCHEMA entitle TO shop_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO shop_owner;

CREATE FUNCTION runs(command text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE command;
    RAISE EXCEPTION 'undone' USING ERRCODE = CASE WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = 'shop_owner') THEN 'ZZ999' ELSE 'ZZ000' END;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE = 'ZZ999';
END
$$;

SET ROLE shop_owner;
CREATE TABLE t (id integer PRIMARY KEY, customer_id bigint, price integer);
SELECT entitle.protect_table('t', 'customer_id', masked_columns => '{"price": 30}', view_name => E'"v\nALTER ROLE shop_owner SUPERUSER; --"');
CREATE VIEW reader WITH (security_invoker) AS SELECT * FROM t;
GRANT SELECT ON reader TO PUBLIC;
-- FROM CURRENT stores a path as it was typed.
SELECT set_config('search_path', 'x;alter/**/role/**/shop_owner/**/superuser;--', true);
CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS 'BEGIN RETURN NEW; END';
SELECT set_config('search_path', '"a"" b", public', true);
CREATE FUNCTION public.g() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS 'BEGIN RETURN NEW; END';
RESET search_path;
CREATE TRIGGER f BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION g();
RESET ROLE;
SELECT is((SELECT string_agg(l.object, ' ' ORDER BY l.object) FROM entitle_internal.lint_functions() l), 'public.f() public.g()', 'both functions are told');
SELECT is((SELECT l.remedy FROM entitle_internal.lint_functions() l WHERE l.object = 'public.g()'),
          'ALTER FUNCTION public.g() SET search_path = "a"" b", public, pg_temp; -- and the schemas whose names it uses', 'a path that is one is kept');
SELECT isnt_empty($$ SELECT FROM entitle_internal.lint_readers() WHERE remedy ~ '^-- let it read' $$, 'the view that masks break is told');
SELECT is_empty('SELECT l.remedy FROM entitle.lint() l WHERE runs(l.remedy)', 'S174: no remedy of lint runs what a name holds');

-- A table that did not come when a dump was restored.
INSERT INTO entitle.absent_relation VALUES (4026531840, E'"x\nALTER ROLE shop_owner SUPERUSER; --"');
SET LOCAL session_replication_role = replica;
INSERT INTO entitle.protection (relation, customer_column, min_level, masked_columns, view_name)
VALUES (4026531840::oid, 'customer_id', 10, E'{"price\\nALTER ROLE shop_owner SUPERUSER; --": 30}', E'"v\nALTER ROLE shop_owner SUPERUSER; --"');
SET LOCAL session_replication_role = origin;
SELECT isnt_empty('SELECT FROM entitle.verify_protection()', 'the absent table is told');
SELECT is_empty('SELECT v.remedy FROM entitle.verify_protection() v WHERE runs(v.remedy)', 'S174: nor one of verify_protection');

SELECT * FROM finish();
ROLLBACK;
